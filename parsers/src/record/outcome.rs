//! What became of a command, a recipient or a message.

use super::Peer;

/// Why a server refused, where its wording tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// The client may not relay to this recipient.
    RelayDenied,
    /// The local recipient does not exist.
    UnknownUser,
    /// The reverse-path is not one that this client or account may use.
    SenderNotAllowed,
    /// The client, its name or its EHLO name is not welcome (block list, no reverse DNS, bad HELO).
    ClientBlocked,
    /// Come back later (greylisting, rate limit).
    Greylisted,
    /// The address is not valid syntax, or not of an accepted form.
    BadSyntax,
    /// Refused for the content of the message (a milter, a header check, a virus).
    Content,
    /// The log gives a code, and no reason.
    Unsaid,
    /// Any other reason.
    Other,
}

/// What a client asks for in a line that also tells our answer (see [`super::Event::Step`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks<'a> {
    /// MAIL, with the reverse-path.
    Mail(&'a [u8]),
    /// RCPT, with the forward-path.
    Recipient(&'a [u8]),
    /// The end of DATA: whether the message itself is welcome. [`Asks::Queue`] decides whether it is taken.
    Message {
        /// The Message-ID header, without angle brackets; empty if it has none.
        message_id: &'a [u8],
        /// Size in bytes.
        size_bytes: u64,
        /// How many recipients of the transaction the server accepted, if the line counts them. It may log a recipient
        /// that it refused in the words of one that it accepted (Haraka).
        accepted: Option<u32>,
    },
    /// That we take the message.
    Queue,
}

/// Who tells of a log-in that failed, other than the mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Watch {
    /// A service that clients log in to instead (IMAP, POP3, a proxy): no mail server saw it.
    Service,
    /// A program that checks passwords for other programs: they may tell of the same log-in.
    Checker,
}

/// What became of one delivery attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Done: in the mailbox, or another server took it.
    Sent,
    /// To be tried again.
    Deferred,
    /// Given up: the reverse-path gets a delivery status notification.
    Bounced,
    /// Given up because the message grew too old.
    Expired,
    /// An address probe (`verify`): no mail was sent.
    Probe,
}

/// Where a delivery went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextHop<'a> {
    /// To a mailbox, command or file of this server (local, virtual, pipe, LMTP).
    Local,
    /// To another SMTP server. `port` is 0 where the log does not say; an empty peer is a server
    /// that could not be found.
    Host {
        /// The server; its name as looked up by MX or as configured.
        peer: Peer<'a>,
        /// TCP port, 0 if not logged.
        port: u16,
    },
    /// To a server behind this one, which takes mail for the domain by its configuration: a gateway, or a secondary MX
    /// (Postfix hands `relay_domains` to the transport `relay`, postconf(5), `relay_transport`).
    Gateway {
        /// The server.
        peer: Peer<'a>,
        /// TCP port, 0 if not logged.
        port: u16,
    },
    /// Nowhere: refused, discarded or deferred before any host was tried.
    None,
}

/// How one message gave rise to another on the same server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Offspring {
    /// Handed to a server that accepted it under this id (`queued as`): re-injection if the id is ours.
    Reinjected,
    /// An alias, `.forward` or list of a local recipient (`forwarded as`).
    Forwarded,
    /// A delivery status notification.
    Notification,
}

/// What a filter notes of a transaction, step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The reverse-path: a transaction begins.
    ReversePath(&'a [u8]),
    /// A recipient.
    ForwardPath(&'a [u8]),
    /// The message came, and what the filter decided on it.
    Message {
        /// Size in bytes; 0 if not logged.
        size_bytes: u64,
        /// Why it was refused or not passed on; `None` if it was.
        refusal: Option<Refusal>,
    },
}
