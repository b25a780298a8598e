//! Our own client side in logs of the dialogue (IIS): what other servers said to our mail.
//!
//! MAIL opens a transaction with a server; its answers come in the order of the commands (RFC 5321
//! section 4.1.1, RFC 2920). Nothing in such a log links it to the mail that came in, so it is
//! reported as a second view ([`Origin::Outbound`]), never added to the first.

use super::edges::is_idle;
use super::message::{Message, Recipient};
use super::recipients::pending;
use super::{Edges, Fact, Observer, Parts};
use crate::ledger::{Origin, Outcome, Text, Time};
use foldhash::HashMap;
use relayaudit_parsers::record::{Event, NextHop, Peer, Reply};
use std::collections::VecDeque;

struct Transaction<'a> {
    server: Text,
    scope: &'a [u8],
    facts: Vec<u32>,
    last_time: Option<Time>,
    ended: bool,
}

type PeerKey<'a> = (Text, &'a [u8], &'a [u8]);

pub(super) fn digest<'a>(
    facts: &'a [Fact<'a>],
    lines: &[u32],
    edges: &Edges,
    at_end: bool,
    observer: &mut dyn Observer,
    loose: &mut [Parts],
) {
    let mut all: Vec<Transaction> = Vec::new();
    let mut open: HashMap<PeerKey<'a>, u32> = HashMap::default();
    for index in lines.iter().copied() {
        let fact = &facts[index as usize];
        if !fact.parts.has(Parts::MESSAGE) {
            continue;
        }
        let (begins, ends) = match fact.record.event {
            Event::OutboundCommand { verb, .. } => (is(verb, b"MAIL"), is(verb, b"RSET") || is(verb, b"QUIT")),
            Event::OutboundReply { .. } => (false, false),
            _ => continue,
        };
        let Some(session) = fact.record.session else { continue };
        let key = (fact.server, session.scope, session.id);
        let current = open.get(&key).copied().filter(|at| !is_idle(all[*at as usize].last_time, fact.time));
        if (begins || current.is_none())
            && let Some(at) = open.remove(&key)
        {
            all[at as usize].ended = true;
        }
        if begins {
            open.insert(key, all.len() as u32);
            let (server, scope) = (fact.server, session.scope);
            all.push(Transaction { server, scope, facts: vec![index], last_time: fact.time, ended: false });
        } else if let Some(at) = current {
            all[at as usize].facts.push(index);
            all[at as usize].last_time = fact.time.max(all[at as usize].last_time);
            if ends {
                all[at as usize].ended = true;
                open.remove(&key);
            }
        } else if !at_end && edges.recent_at_start(fact.server, session.scope, fact.time) {
            loose[index as usize].add(Parts::MESSAGE);
        }
    }
    for transaction in &all {
        let idle = || !edges.recent_at_end(transaction.server, transaction.scope, transaction.last_time);
        if at_end || transaction.ended || idle() {
            if let Some(message) = read(facts, transaction) {
                observer.message(&message);
            }
        } else {
            transaction.facts.iter().for_each(|fact| loose[*fact as usize].add(Parts::MESSAGE));
        }
    }
}

fn is(verb: &[u8], name: &[u8]) -> bool {
    verb.eq_ignore_ascii_case(name)
}

/// A command that waits for its answer.
enum Asked<'a> {
    Mail,
    Recipient(&'a [u8], &'a Fact<'a>),
    Data,
    Other,
}

/// Reads a transaction: every recipient with the other server's answer.
fn read<'a>(facts: &'a [Fact<'a>], transaction: &Transaction) -> Option<Message<'a>> {
    let lines = || transaction.facts.iter().map(|fact| &facts[*fact as usize]);
    let opening = lines().next()?;
    let mut reverse_path = None;
    let mut peer = Peer::default();
    let mut asked: VecDeque<Asked<'a>> = VecDeque::new();
    let mut answers = Answers::default();
    for fact in lines() {
        match fact.record.event {
            Event::OutboundCommand { server, verb, argument } => {
                peer = server;
                asked.push_back(if is(verb, b"MAIL") {
                    reverse_path = path(argument);
                    Asked::Mail
                } else if is(verb, b"RCPT") {
                    Asked::Recipient(path(argument).unwrap_or(argument), fact)
                } else if is(verb, b"DATA") || is(verb, b"BDAT") {
                    Asked::Data
                } else {
                    Asked::Other
                });
            }
            Event::OutboundReply { reply, .. } => answers.take(asked.pop_front(), reply),
            _ => {}
        }
    }
    let recipients = answers.recipients(asked, peer);
    (!recipients.is_empty()).then_some(Message {
        server: transaction.server,
        client: Peer::default(),
        user: b"",
        helo: b"",
        account: None,
        vouched: false,
        origin: Origin::Outbound,
        reverse_path,
        message_id: b"",
        size_bytes: 0,
        taken: true,
        opening,
        recipients,
    })
}

/// What the other server has answered so far.
#[derive(Default)]
struct Answers<'a> {
    recipients: Vec<(&'a [u8], &'a Fact<'a>, Option<u16>)>,
    /// The code for MAIL or for the message as a whole, whichever refused, or the final acceptance.
    whole: Option<u16>,
    /// 354 was given: the next answer is for the message.
    in_data: bool,
}

impl<'a> Answers<'a> {
    fn take(&mut self, asked: Option<Asked<'a>>, reply: Reply<'_>) {
        match asked {
            Some(Asked::Recipient(path, fact)) => self.recipients.push((path, fact, Some(reply.code))),
            Some(Asked::Mail) if 400 <= reply.code => self.whole = Some(reply.code),
            Some(Asked::Data) if reply.code == 354 => self.in_data = true,
            Some(Asked::Data) => self.whole = Some(reply.code),
            None if self.in_data => {
                self.whole = Some(reply.code);
                self.in_data = false;
            }
            _ => {}
        }
    }

    fn recipients(self, unanswered: VecDeque<Asked<'a>>, peer: Peer<'a>) -> Vec<Recipient<'a>> {
        let silent = unanswered.into_iter().filter_map(|asked| match asked {
            Asked::Recipient(path, fact) => Some((path, fact, None)),
            _ => None,
        });
        let whole = self.whole;
        let next_hop = NextHop::Host { peer, port: 25 };
        self.recipients
            .into_iter()
            .chain(silent)
            .map(|(path, fact, own)| {
                let code = own.filter(|code| 400 <= *code).or(whole);
                Recipient { outcome: outcome(code), next_hop, ..pending(path, fact) }
            })
            .collect()
    }
}

fn outcome(code: Option<u16>) -> Outcome {
    match code {
        Some(200..=299) => Outcome::Relayed,
        Some(400..=499) => Outcome::Deferred,
        Some(500..=599) => Outcome::Bounced,
        _ => Outcome::Unknown,
    }
}

/// The path in `FROM:<a@b> SIZE=1` or `TO:<a@b>`; our own server writes it, always in brackets.
fn path(argument: &[u8]) -> Option<&[u8]> {
    let start = memchr::memchr(b'<', argument)? + 1;
    let end = memchr::memrchr(b'>', argument)?;
    argument.get(start..end)
}
