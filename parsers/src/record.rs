//! The words every parser speaks: what one line of a mail log can say.
//!
//! All text is borrowed from the line, as bytes and unchanged: logs hold whatever a client
//! sent. Terms are those of RFC 5321; see the field comments for units and for what is absent.

mod lost;
mod outcome;

pub use crate::mark::{Key, Unparsed, When};
pub use lost::{Logger, Lost};
pub use outcome::{Asks, NextHop, Offspring, Refusal, Status, Step, Watch};

use crate::fates::Fates;
use crate::paths::Paths;
use std::net::IpAddr;

/// What one line of a log turned out to be. Nothing else is possible: no line is dropped.
#[derive(Debug, Clone, PartialEq)]
// Nearly every line is a record: boxing it would allocate once a line.
#[allow(clippy::large_enum_variant)]
pub enum Line<'a> {
    /// The line says something about mail.
    Record(Record<'a>),
    /// The line stands for several that would be equal to one before it: the logger counted them instead. Only for
    /// statements that are whole in themselves: no message, and no change of a session, hangs on them.
    Repeated {
        /// What each of them says.
        record: Record<'a>,
        /// How many, the one before not among them.
        times: u32,
    },
    /// The line describes the log itself, such as `#Fields:`.
    Directive,
    /// The line is understood to say nothing about mail: another daemon, statistics, a blank line.
    Ignored(&'static str),
    /// The line says nothing about mail either, but that other lines were lost, which may have.
    Lost(Lost<'a>),
    /// The line belongs to this format but breaks its grammar.
    Unparsed(Unparsed),
}

/// One statement about mail, with the keys that join it to others.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'a> {
    /// When the line was written.
    pub when: When,
    /// The server that wrote it: the syslog host, `s-computername`. Empty where the log does not say.
    pub server: &'a [u8],
    /// The SMTP session it belongs to, where the line says so.
    pub session: Option<Key<'a>>,
    /// The message (one queue life) it belongs to, where the line says so.
    pub message: Option<Key<'a>>,
    /// What happened.
    pub event: Event<'a>,
}

/// A host at the other end of a connection, as the server logged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peer<'a> {
    /// The address; IPv4-mapped IPv6 is given as IPv4. `None` where the log hides it.
    pub address: Option<IpAddr>,
    /// The name that the server looked up for the address; empty where it found none (`unknown`).
    pub name: &'a [u8],
}

/// A server's answer to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reply<'a> {
    /// The reply code, 200 to 599; 0 where the log does not give it.
    pub code: u16,
    /// What follows the code: enhanced status code and text. May be empty.
    pub text: &'a [u8],
}

impl Reply<'_> {
    /// Whether the code says that the command was accepted (2yz).
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

/// What happened. Paths are given without their angle brackets; an empty reverse-path is the
/// null reverse-path, and `None` means that the log does not say.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A client connected.
    Connect {
        /// The client; no address and no name for a program on the server itself.
        client: Peer<'a>,
        /// Whether no other line of the session names the client, so that this one speaks for all (OpenSMTPD).
        once: bool,
    },
    /// The session ended, in whatever way (QUIT, time-out, lost connection).
    Disconnect {
        /// The client; no address and no name where only the line that began the session names it.
        client: Peer<'a>,
        /// AUTH commands that failed, where the log counts them (`auth=0/3`).
        auth_failures: u32,
    },
    /// EHLO or HELO.
    Hello {
        /// The client; its address is in every line of a log that has no session id.
        client: Peer<'a>,
        /// The name the client gave.
        name: &'a [u8],
    },
    /// A log-in failed.
    AuthFailed {
        /// The client.
        client: Peer<'a>,
        /// The account tried, if logged.
        account: Option<&'a [u8]>,
    },
    /// A log-in succeeded. It holds for the rest of the session.
    AuthSucceeded {
        /// The client, if the line names it.
        client: Peer<'a>,
        /// The account, if logged.
        account: Option<&'a [u8]>,
    },
    /// Log-ins failed, as a program beside the mail server tells it, which may have been asked by the mail server.
    LogInsFailed {
        /// The client; no address where the program does not know it.
        client: Peer<'a>,
        /// The account tried, if logged.
        account: Option<&'a [u8]>,
        /// How many: some programs tell when the client leaves.
        times: u32,
        /// Who tells it.
        watch: Watch,
    },
    /// MAIL FROM, in a log of the dialogue.
    Mail {
        /// The client.
        client: Peer<'a>,
        /// The EHLO name, where each line repeats it; else empty.
        helo: &'a [u8],
        /// The reverse-path.
        reverse_path: &'a [u8],
        /// The answer.
        reply: Reply<'a>,
    },
    /// RCPT TO, in a log of the dialogue.
    Recipient {
        /// The client.
        client: Peer<'a>,
        /// The EHLO name, where each line repeats it; else empty.
        helo: &'a [u8],
        /// The forward-path.
        forward_path: &'a [u8],
        /// The answer.
        reply: Reply<'a>,
        /// Why it was refused; `None` if it was accepted.
        refusal: Option<Refusal>,
    },
    /// The end of DATA or BDAT, in a log of the dialogue.
    Data {
        /// The client.
        client: Peer<'a>,
        /// The EHLO name, where each line repeats it; else empty.
        helo: &'a [u8],
        /// The Message-ID header, without angle brackets; empty if not logged.
        message_id: &'a [u8],
        /// Size of the message in bytes, if logged.
        size_bytes: Option<u64>,
        /// The answer.
        reply: Reply<'a>,
    },
    /// RSET, in a log of the dialogue.
    Reset {
        /// The client.
        client: Peer<'a>,
        /// The EHLO name, where each line repeats it; else empty.
        helo: &'a [u8],
    },
    /// QUIT or a time-out, in a log of the dialogue.
    Quit {
        /// The client.
        client: Peer<'a>,
        /// The EHLO name, where each line repeats it; else empty.
        helo: &'a [u8],
    },
    /// A command of ours to another server, in a log of the dialogue.
    OutboundCommand {
        /// The other server.
        server: Peer<'a>,
        /// The verb as sent: `MAIL`.
        verb: &'a [u8],
        /// The argument, spaces restored as far as the format allows.
        argument: &'a [u8],
    },
    /// The other server's answer to our command.
    OutboundReply {
        /// The other server.
        server: Peer<'a>,
        /// The answer.
        reply: Reply<'a>,
    },
    /// A session began, in a log in which commands and replies are lines of their own and no session id is used
    /// again soon (Exchange). [`Event::Closed`] ends it.
    Opened {
        /// The client.
        client: Peer<'a>,
    },
    /// A session began, in a log that may hold the text of messages as it came: any line may be a client's, and what is
    /// one is known only when all that stands before it in the file is. Sessions of a file follow one another.
    Begun {
        /// The client; of a session of ours with another server, nobody.
        client: Peer<'a>,
        /// Whether it is a session of ours with another server, in which commands and answers change sides.
        outbound: bool,
    },
    /// What came from a client, as it came, in such a log: it shows commands twice then, and the text of messages.
    AsItCame {
        /// Whether it is the line that ends the text of a message, a full stop alone (RFC 5321 section 4.1.1.4).
        ends_text: bool,
    },
    /// Such a session ended.
    Closed {
        /// The client.
        client: Peer<'a>,
    },
    /// Such a session ended, and the line tells what no other line need have told of it (Haraka).
    Summed {
        /// The client.
        client: Peer<'a>,
        /// The EHLO name; empty if the client gave none.
        helo: &'a [u8],
        /// Whether the client was allowed to relay: it had logged in, or is one that the server trusts.
        vouched: bool,
        /// How many recipients the server accepted in the whole session, if the line counts them.
        accepted: Option<u32>,
    },
    /// A step of a transaction and our answer to it, both in one line of such a session (Haraka).
    Step {
        /// What the client asked for.
        asks: Asks<'a>,
        /// The answer.
        reply: Reply<'a>,
        /// Why it was refused; `None` if it was accepted.
        refusal: Option<Refusal>,
    },
    /// The server lets the client of the session relay, and names no account (Cisco ESA, policy RELAY). The line that
    /// began the session names the client.
    Vouched,
    /// Part of what a client asks for in a transaction that has the id of its message from the start (Cisco ESA): the
    /// beginning, the reverse-path, or a recipient that was accepted. [`Event::Taken`] tells that the message came. The
    /// session says from whom; without a session the server wrote the message itself.
    Asked {
        /// The client, if the line names it.
        client: Peer<'a>,
        /// The account, if the client logged in and the line names it.
        account: Option<&'a [u8]>,
        /// Whether the client may relay, if the line says so.
        vouched: bool,
        /// Whether this is the first line of the message.
        begins: bool,
        /// The reverse-path, if the line gives it.
        reverse_path: Option<&'a [u8]>,
        /// A recipient.
        forward_path: Option<&'a [u8]>,
        /// The id of the recipient within the message; empty where there is none.
        envelope: &'a [u8],
    },
    /// The message of such a transaction came, and was taken.
    Taken {
        /// Size in bytes.
        size_bytes: u64,
    },
    /// Such a message was given up before it was delivered: by the client, or by the server, which had taken it.
    Dropped,
    /// A delivery attempt for recipients that the line names by their ids within the message only (see [`Event::Asked`]).
    Reached {
        /// The ids, with commas between them.
        envelopes: &'a [u8],
        /// Where it went.
        next_hop: NextHop<'a>,
        /// What became of it.
        status: Status,
        /// The reason, as logged.
        text: &'a [u8],
    },
    /// A command of a client, whose answer is a line of its own. Answers come in the order of the commands
    /// (RFC 2920), with a line in between for each answer 3yz.
    Command {
        /// The client.
        client: Peer<'a>,
        /// The verb as sent: `MAIL`.
        verb: &'a [u8],
        /// What follows it, as sent: `FROM:<a@example.org> SIZE=7`.
        argument: &'a [u8],
    },
    /// Our answer to the command that waits longest; of an answer of several lines, the last one. 535 is a log-in
    /// that failed (RFC 4954 section 6).
    Replied {
        /// The client.
        client: Peer<'a>,
        /// The answer.
        reply: Reply<'a>,
        /// Why the command was refused; `None` if it was accepted.
        refusal: Option<Refusal>,
    },
    /// What a filter notes of a session of the server, without the server's answers (Proofpoint). [`Event::Opened`] and
    /// [`Event::Closed`] are around it.
    Filtered(Step<'a>),
    /// A command with which a server of ours says for whom it speaks in this session: a session that it has with a
    /// client, passed on. It holds if the answer is positive.
    Continues {
        /// The client of that session.
        client: Peer<'a>,
        /// The EHLO name that it gave; empty if not logged.
        helo: &'a [u8],
        /// Whether that client had logged in.
        authenticated: bool,
    },
    /// The account with which a client logged in, on a line of the session.
    Identified {
        /// The client.
        client: Peer<'a>,
        /// The account.
        account: &'a [u8],
    },
    /// The account with which a client is about to log in: the answer to AUTH tells whether it did.
    LoggingIn {
        /// The client.
        client: Peer<'a>,
        /// The account.
        account: &'a [u8],
    },
    /// The account of a log-in that failed, where the failure itself is another line (a reply 535).
    AccountTried {
        /// The client.
        client: Peer<'a>,
        /// The account.
        account: &'a [u8],
    },
    /// A queue file was opened for mail from a client (Postfix `client=`).
    Accepted {
        /// The client; with XFORWARD this is the original one.
        client: Peer<'a>,
        /// The account, if the client logged in.
        account: Option<&'a [u8]>,
        /// The queue id that the message had before a content filter, if the filter passed it on.
        original_id: Option<&'a [u8]>,
    },
    /// A message came in, and one line says all of it (Exim `<=`, Sendmail `from=`).
    Arrived {
        /// The client; no address and no name for mail handed in on the server itself.
        client: Peer<'a>,
        /// The EHLO name; empty if not logged.
        helo: &'a [u8],
        /// The account, if the client logged in; empty if only another line of the session names it.
        account: Option<&'a [u8]>,
        /// The local user who handed it in; empty if it came by SMTP or is not logged.
        user: &'a [u8],
        /// The reverse-path.
        reverse_path: &'a [u8],
        /// The Message-ID header, without angle brackets; empty if not logged. The client's text.
        message_id: &'a [u8],
        /// Size in bytes; 0 if not logged.
        size_bytes: u64,
        /// Number of recipients, in logs whose messages are over when each recipient has come to an end; `None`
        /// where another line says that the message is over. With no recipient or no size there was no message.
        recipients: Option<u32>,
        /// The id of the message that this one is a delivery status notification for.
        notifies: Option<&'a [u8]>,
    },
    /// Mail was handed in on the server itself (sendmail(1), pickup, a mailbox store).
    Submitted {
        /// The numeric user id or the local user; empty if not logged.
        user: &'a [u8],
        /// The reverse-path, if logged here.
        reverse_path: Option<&'a [u8]>,
    },
    /// The message's Message-ID header, without angle brackets; may be empty.
    MessageId(&'a [u8]),
    /// The message is in the queue.
    Queued {
        /// The reverse-path.
        reverse_path: &'a [u8],
        /// Size in bytes.
        size_bytes: u64,
        /// Number of recipients.
        recipients: u32,
    },
    /// Mail from a client entered a queue: lines with a recipient each (Exchange 2000 tracking), or with
    /// all of them (Exchange 2007).
    Received {
        /// The client; no address for mail handed in on the server.
        client: Peer<'a>,
        /// The reverse-path.
        reverse_path: &'a [u8],
        /// The address in the From header (of Exchange: in Sender, if there is one); empty if not logged. The client's text.
        header_from: &'a [u8],
        /// The Message-ID header, without angle brackets; empty if not logged. The client's text.
        message_id: &'a [u8],
        /// The recipients of this line.
        forward_paths: Paths<'a>,
        /// Size in bytes.
        size_bytes: u64,
        /// Number of recipients of the message in all.
        recipients: u32,
        /// The id of the message that the server tells the client (`[InternalId=7, ...]`); empty if not logged.
        told_id: &'a [u8],
        /// Whether the server says that the client had logged in or is one it trusts, without saying which.
        vouched: bool,
    },
    /// Recipients were replaced by others: a list, an alias, an address that stands for another.
    Expanded {
        /// The recipient that is replaced.
        forward_path: &'a [u8],
        /// Those who get the mail in its place.
        members: Paths<'a>,
    },
    /// A message of which one line says all: how it came in, and what became of its recipients (Exchange Online).
    Traced {
        /// The client; no address if the log gives none.
        client: Peer<'a>,
        /// As in [`Event::Received`].
        vouched: bool,
        /// The reverse-path.
        reverse_path: &'a [u8],
        /// Size in bytes; 0 if not logged.
        size_bytes: u64,
        /// The recipients.
        recipients: Fates<'a>,
    },
    /// Part of what came in, in logs that say it in several lines (OpenSMTPD): the message as a whole, and each
    /// recipient. The session says from whom.
    Envelope {
        /// The client, if the line names it.
        client: Peer<'a>,
        /// The account, if the client logged in and the line names it.
        account: Option<&'a [u8]>,
        /// The reverse-path, if the line gives it.
        reverse_path: Option<&'a [u8]>,
        /// A recipient.
        forward_path: Option<&'a [u8]>,
        /// The id of the recipient within the message, which its deliveries repeat; empty if not logged.
        envelope: &'a [u8],
        /// How many such ids the recipient was given, where the line counts them instead.
        envelopes: u32,
        /// Size in bytes; 0 if not logged.
        size_bytes: u64,
    },
    /// The server refused something.
    Refused {
        /// The client; no address and no name where another line of the session or of the message names it.
        client: Peer<'a>,
        /// Stage of the dialogue: `RCPT`, `MAIL`, `CONNECT`, `END-OF-MESSAGE`.
        stage: &'a [u8],
        /// The answer.
        reply: Reply<'a>,
        /// Why.
        refusal: Refusal,
        /// The reverse-path, if known by then.
        reverse_path: Option<&'a [u8]>,
        /// The forward-path, if known by then.
        forward_path: Option<&'a [u8]>,
        /// The EHLO name; empty if not logged.
        helo: &'a [u8],
        /// The account, if the client had logged in.
        account: Option<&'a [u8]>,
    },
    /// One delivery attempt.
    Delivery {
        /// The forward-paths it was for.
        forward_paths: Paths<'a>,
        /// The forward-path before aliases and other rewriting, if it differs; with several only if they are `expanded`.
        original_forward_path: Option<&'a [u8]>,
        /// Whether the paths are written as aliases and `.forward` files give them and not as clients do, so that
        /// the client asked for another, perhaps one that is not logged (Sendmail: without angle brackets).
        expanded: bool,
        /// The id of the recipient within the message (see [`Event::Envelope`]); empty if not logged.
        envelope: &'a [u8],
        /// The address of this server that the attempt was made from, if the line gives it.
        source: Option<IpAddr>,
        /// Where it went.
        next_hop: NextHop<'a>,
        /// What became of it.
        status: Status,
        /// The reason or the other server's answer, as logged.
        text: &'a [u8],
        /// The id under which the mail lives on, if the text names one.
        child: Option<(&'a [u8], Offspring)>,
    },
    /// The message gave rise to another (a delivery status notification).
    Spawned {
        /// The new message's id.
        child: &'a [u8],
        /// How.
        how: Offspring,
        /// Whether the new message's deliveries are all that the log goes on to say of it (Sendmail).
        silent: bool,
    },
    /// One line says a whole transaction, or all of it that concerns these recipients: who asked, for whom, and what
    /// the server said to that (Zeek, CHKUSER, spamdyke). Nothing else that the log says is joined to it.
    Whole {
        /// The client.
        client: Peer<'a>,
        /// The EHLO name; empty if not logged.
        helo: &'a [u8],
        /// The account, if the client had logged in.
        account: Option<&'a [u8]>,
        /// The reverse-path, if logged.
        reverse_path: Option<&'a [u8]>,
        /// The address in the From header; empty if not logged. The client's text.
        header_from: &'a [u8],
        /// The recipients.
        forward_paths: Paths<'a>,
        /// Size in bytes; 0 if not logged.
        size_bytes: u64,
        /// Whether the message came and was accepted; where the log shows RCPT only, whether that was accepted.
        complete: bool,
        /// Why the recipients were refused; `None` if they were not.
        refusal: Option<Refusal>,
    },
    /// One line says what a gateway decided on a message for these recipients (FortiMail, Proofpoint). The lines of its
    /// queue, in the same log or in another, may tell of the same mail.
    Decided {
        /// The client.
        client: Peer<'a>,
        /// The EHLO name; empty if not logged.
        helo: &'a [u8],
        /// The reverse-path, if logged.
        reverse_path: Option<&'a [u8]>,
        /// The address in the From header; empty if not logged. The client's text.
        header_from: &'a [u8],
        /// The recipients.
        forward_paths: Paths<'a>,
        /// The Message-ID header, without angle brackets; empty if not logged.
        message_id: &'a [u8],
        /// Size in bytes; 0 if not logged.
        size_bytes: u64,
        /// Whether the line says that the message was taken; with neither this nor a refusal nobody knows.
        taken: bool,
        /// Why the recipients, or the message, were refused or not passed on; `None` if they were.
        refusal: Option<Refusal>,
    },
    /// A message was put into the queue by a process of the server, which may have had it from a client: the log does
    /// not say (qmail `info msg`).
    Enqueued {
        /// The numeric user id of that process.
        user: &'a [u8],
        /// The reverse-path.
        reverse_path: &'a [u8],
        /// Size in bytes.
        size_bytes: u64,
    },
    /// A delivery attempt for one recipient of the message began (qmail `starting delivery`).
    AttemptStarted {
        /// Names the attempt until it ends.
        attempt: Key<'a>,
        /// The forward-path.
        forward_path: &'a [u8],
        /// Whether it goes to a mailbox or program of this server.
        is_local: bool,
    },
    /// A delivery attempt ended; the line names nothing but the attempt (qmail `delivery`).
    AttemptEnded {
        /// The attempt.
        attempt: Key<'a>,
        /// What became of it.
        status: Status,
        /// The other server that answered, if the attempt was for one and the text names it.
        server: Option<Peer<'a>>,
        /// The reason or the answer, as logged.
        text: &'a [u8],
    },
    /// The message left the queue.
    Removed,
    /// Understood, and nothing this program uses yet: TLS, warnings, lost connections.
    Other,
}
