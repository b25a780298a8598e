//! Replay: the steps of one session, one after the other, become messages.

use super::super::message::{Message, Recipient, Session};
use super::super::recipients::pending;
use super::super::{Fact, LOGIN_FAILED, Observer};
use super::sum::Sum;
use crate::ledger::{Origin, Outcome};
use relayaudit_parsers::paths::of_command;
use relayaudit_parsers::record::{Asks, Event, Peer, Refusal, Reply, Step};
use relayaudit_parsers::text::number;
use std::collections::VecDeque;

/// Replays a session and gives `observer` the session and its messages.
pub(super) fn read<'a>(facts: impl Iterator<Item = &'a Fact<'a>> + Clone, observer: &mut dyn Observer) {
    let mut replay = Replay { sum: Sum::of(facts.clone()), ..Replay::default() };
    replay.client = replay.sum.client;
    replay.vouched = replay.sum.vouched;
    replay.hello = replay.sum.hello;
    for fact in facts {
        if matches!(fact.record.event, Event::Begun { outbound: true, .. }) {
            return;
        }
        replay.opening.get_or_insert(fact);
        replay.step(fact, observer);
    }
    replay.end_transaction(observer);
    if let Some(opening) = replay.opening {
        let (client, continued, hello, log_ins_failed) =
            (replay.client, replay.continued, replay.hello, replay.log_ins_failed);
        observer.session(&Session { server: opening.server, client, continued, opening, hello, log_ins_failed });
    }
}

/// The answer to a message that was taken (RFC 5321 section 4.2.3), which a filter does not note.
const TAKEN: u16 = 250;

/// A command that waits for its answer.
enum Asked<'a> {
    Hello(&'a [u8]),
    /// The reverse-path, and the size that the client declares, in bytes.
    Mail(Option<&'a [u8]>, u64),
    Recipient(&'a [u8]),
    Data,
    /// A part of a message that is sent in parts, of so many bytes; the last one ends it.
    Part {
        bytes: u64,
        is_last: bool,
    },
    Continue {
        client: Peer<'a>,
        helo: &'a [u8],
        authenticated: bool,
    },
    LogIn,
    /// RSET, STARTTLS: the transaction is over.
    Reset,
    Other,
}

/// MAIL that was accepted, and what followed.
struct Transaction<'a> {
    opening: &'a Fact<'a>,
    reverse_path: Option<&'a [u8]>,
    /// What the client said that it would send, and what it sent in parts.
    declared_bytes: u64,
    sent_bytes: u64,
    recipients: Vec<Recipient<'a>>,
    message_id: &'a [u8],
    /// How many recipients the server accepted, if it counted them.
    accepted: Option<u32>,
}

impl<'a> Transaction<'a> {
    fn new(opening: &'a Fact<'a>) -> Self {
        Transaction {
            opening,
            reverse_path: None,
            declared_bytes: 0,
            sent_bytes: 0,
            recipients: Vec::new(),
            message_id: b"",
            accepted: None,
        }
    }
}

#[derive(Default)]
struct Replay<'a> {
    opening: Option<&'a Fact<'a>>,
    client: Peer<'a>,
    continued: bool,
    hello: Option<(&'a [u8], &'a Fact<'a>)>,
    account: Option<&'a [u8]>,
    /// The account with which the client is about to log in.
    logging_in: Option<&'a [u8]>,
    vouched: bool,
    /// Whether the client's next line answers a question of AUTH and is no command (RFC 4954 section 4).
    challenged: bool,
    log_ins_failed: Vec<&'a Fact<'a>>,
    asked: VecDeque<(Asked<'a>, &'a Fact<'a>)>,
    transaction: Option<Transaction<'a>>,
    /// What its last line tells of the whole session.
    sum: Sum<'a>,
}

impl<'a> Replay<'a> {
    fn step(&mut self, fact: &'a Fact<'a>, observer: &mut dyn Observer) {
        match fact.record.event {
            Event::Opened { client }
            | Event::Begun { client, .. }
            | Event::Closed { client }
            | Event::Summed { client, .. } => self.meet(client),
            Event::Step { asks, reply, refusal } => self.one_line(asks, (reply, refusal), fact, observer),
            Event::Command { client, .. } if self.challenged => {
                self.meet(client);
                self.challenged = false;
            }
            Event::Command { client, verb, argument } => {
                self.meet(client);
                self.asked.push_back((asked(verb, argument), fact));
            }
            Event::Continues { client, helo, authenticated } => {
                self.asked.push_back((Asked::Continue { client, helo, authenticated }, fact));
            }
            Event::Identified { client, account } => {
                self.meet(client);
                self.account = Some(account);
            }
            Event::LoggingIn { client, account } => {
                self.meet(client);
                self.logging_in = Some(account);
            }
            Event::Replied { client, reply, refusal } => {
                self.meet(client);
                if reply.code == LOGIN_FAILED && client == Peer::default() {
                    self.log_ins_failed.push(fact);
                }
                // An answer 3yz asks for more of the same command.
                let asks = (300..400).contains(&reply.code);
                self.challenged = asks && matches!(self.asked.front(), Some((Asked::LogIn, _)));
                if asks {
                    return;
                }
                if let Some((asked, asking)) = self.asked.pop_front() {
                    self.answered(asked, asking, (reply, refusal), fact, observer);
                }
            }
            Event::Filtered(step) => self.filtered(step, fact, observer),
            _ => {}
        }
    }

    /// Takes what a filter notes: it sees what the server let pass.
    fn filtered(&mut self, step: Step<'a>, fact: &'a Fact<'a>, observer: &mut dyn Observer) {
        match step {
            Step::ReversePath(path) => {
                self.end_transaction(observer);
                self.transaction = Some(Transaction { reverse_path: Some(path), ..Transaction::new(fact) });
            }
            Step::ForwardPath(path) => self.recipient(path, fact, Reply::default(), None, fact),
            Step::Message { size_bytes, refusal } => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.sent_bytes = size_bytes;
                }
                let code = if refusal.is_none() { TAKEN } else { 0 };
                self.close(Some((Reply { code, text: b"" }, refusal)), fact, observer);
            }
        }
    }

    /// A step of which one line tells both command and answer.
    fn one_line(
        &mut self,
        asks: Asks<'a>,
        answer: (Reply<'a>, Option<Refusal>),
        fact: &'a Fact<'a>,
        observer: &mut dyn Observer,
    ) {
        match (asks, answer.1) {
            (Asks::Mail(path), _) => self.answered(Asked::Mail(Some(path), 0), fact, answer, fact, observer),
            (Asks::Recipient(path), _) => self.answered(Asked::Recipient(path), fact, answer, fact, observer),
            (Asks::Message { message_id, size_bytes, accepted }, refusal) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.message_id = message_id;
                    transaction.sent_bytes = size_bytes;
                    transaction.accepted = accepted;
                }
                if refusal.is_some() {
                    self.close(Some(answer), fact, observer);
                }
            }
            (Asks::Queue, _) => self.close(Some(answer), fact, observer),
        }
    }

    /// Takes the client of a line, unless the line names none or the session speaks for another.
    fn meet(&mut self, client: Peer<'a>) {
        let is_known = client.name.is_empty() && client.address == self.client.address;
        if !self.continued && client != Peer::default() && !is_known {
            self.client = client;
        }
    }

    fn answered(
        &mut self,
        asked: Asked<'a>,
        asking: &'a Fact<'a>,
        (reply, refusal): (Reply<'a>, Option<Refusal>),
        fact: &'a Fact<'a>,
        observer: &mut dyn Observer,
    ) {
        match asked {
            Asked::Recipient(path) => self.recipient(path, asking, reply, refusal, fact),
            Asked::Part { bytes, is_last } => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.sent_bytes = transaction.sent_bytes.saturating_add(bytes);
                }
                if is_last || !reply.is_positive() {
                    self.close(Some((reply, refusal)), fact, observer);
                }
            }
            Asked::Data => self.close(Some((reply, refusal)), fact, observer),
            _ if !reply.is_positive() => {}
            Asked::Mail(reverse_path, declared_bytes) => {
                self.end_transaction(observer);
                self.transaction = Some(Transaction { reverse_path, declared_bytes, ..Transaction::new(asking) });
            }
            Asked::Hello(name) => {
                self.end_transaction(observer);
                if !self.continued {
                    self.hello = Some((name, asking));
                }
            }
            Asked::Continue { client, helo, authenticated } => {
                self.client = client;
                self.continued = true;
                self.hello = (!helo.is_empty()).then_some((helo, asking));
                self.account = None;
                self.vouched = authenticated;
            }
            Asked::LogIn => {
                self.vouched = true;
                self.account = self.logging_in.take().or(self.account);
            }
            Asked::Reset => self.end_transaction(observer),
            Asked::Other => {}
        }
    }

    fn recipient(
        &mut self,
        path: &'a [u8],
        asking: &'a Fact<'a>,
        reply: Reply<'a>,
        refusal: Option<Refusal>,
        fact: &'a Fact<'a>,
    ) {
        /// RFC 5321 section 4.1.4: bad sequence of commands; there was no MAIL that was accepted.
        const NO_TRANSACTION: u16 = 503;
        if self.transaction.is_none() && reply.code == NO_TRANSACTION {
            return;
        }
        let transaction = self.transaction.get_or_insert_with(|| Transaction::new(asking));
        let outcome = refusal.map_or(Outcome::NoData, refused);
        transaction.recipients.push(Recipient { outcome, refusal, ..pending(path, fact) });
    }

    /// Ends a transaction that brought no message.
    fn end_transaction(&mut self, observer: &mut dyn Observer) {
        if let Some(opening) = self.transaction.as_ref().map(|transaction| transaction.opening) {
            self.close(None, opening, observer);
        }
    }

    /// Ends the transaction with the answer to the message, if there was one.
    fn close(&mut self, end: Option<(Reply<'a>, Option<Refusal>)>, fact: &'a Fact<'a>, observer: &mut dyn Observer) {
        let Some(mut transaction) = self.transaction.take() else { return };
        let accepted = transaction.recipients.iter_mut().filter(|recipient| recipient.refusal.is_none());
        if let Some((_, refusal)) = end {
            for recipient in accepted {
                recipient.outcome = refusal.map_or(Outcome::Unknown, refused);
                recipient.refusal = refusal;
                recipient.fact = fact;
            }
        }
        self.sum.settle(&mut transaction.recipients, transaction.accepted);
        if transaction.recipients.is_empty() {
            return;
        }
        observer.message(&Message {
            server: transaction.opening.server,
            client: self.client,
            user: b"",
            helo: self.hello.map_or(b"", |(name, _)| name),
            account: self.account,
            vouched: self.vouched,
            origin: if self.continued { Origin::PassedOn } else { Origin::Session },
            reverse_path: transaction.reverse_path,
            message_id: transaction.message_id,
            size_bytes: if transaction.sent_bytes == 0 { transaction.declared_bytes } else { transaction.sent_bytes },
            taken: end.is_some_and(|(reply, _)| reply.is_positive()),
            opening: transaction.opening,
            recipients: transaction.recipients,
        });
    }
}

fn refused(refusal: Refusal) -> Outcome {
    if refusal == Refusal::RelayDenied { Outcome::Denied } else { Outcome::Rejected }
}

/// What a command asks for. `X-EXPS` is AUTH between Exchange servers.
fn asked<'a>(verb: &'a [u8], argument: &'a [u8]) -> Asked<'a> {
    let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
    let words = || argument.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if is(b"RCPT") {
        Asked::Recipient(of_command(b"TO:", argument).map_or(argument, |(path, _)| path))
    } else if is(b"MAIL") {
        let (reverse_path, parameters) = of_command(b"FROM:", argument).unzip();
        Asked::Mail(reverse_path, parameters.map_or(0, declared_size))
    } else if is(b"DATA") {
        Asked::Data
    } else if is(b"BDAT") {
        let bytes = words().next().and_then(number).unwrap_or(0);
        Asked::Part { bytes, is_last: words().next_back().is_some_and(|last| last.eq_ignore_ascii_case(b"LAST")) }
    } else if is(b"EHLO") || is(b"HELO") {
        Asked::Hello(words().next().unwrap_or_default())
    } else if is(b"RSET") || is(b"STARTTLS") {
        Asked::Reset
    } else if is(b"AUTH") || is(b"X-EXPS") {
        Asked::LogIn
    } else {
        Asked::Other
    }
}

/// The size that a client declares in MAIL (RFC 1870), in bytes; 0 if it does not.
fn declared_size(parameters: &[u8]) -> u64 {
    let name = b"SIZE=";
    let mut words = parameters.split(u8::is_ascii_whitespace);
    let value = words.find_map(|word| {
        let (head, value) = word.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name).then_some(value)
    });
    value.and_then(number).unwrap_or(0)
}
