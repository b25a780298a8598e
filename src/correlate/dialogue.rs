//! Logs of the SMTP dialogue without a session id (IIS): transactions rebuilt by client and verb.
//!
//! Parallel sessions of one client interleave, and nothing but the EHLO name tells them apart. MAIL
//! opens a transaction; RCPT belongs to the transaction of that client and name that was opened last;
//! DATA ends the last one that has recipients. Where two transactions run in parallel a recipient may so
//! be put to the wrong reverse-path of the same client, but each one is counted, and only once.
//! A transaction that is never ended is over once its client has been idle for ten minutes.

use super::edges::is_idle;
use super::message::{Message, Recipient};
use super::recipients::pending;
use super::{Edges, Fact, Observer, Parts};
use crate::ledger::{Origin, Outcome, Text, Time};
use foldhash::HashMap;
use relayaudit_parsers::record::{Event, Refusal, Reply};

/// A transaction, as far as the stretch shows it.
struct Transaction<'a> {
    server: Text,
    scope: &'a [u8],
    helo: &'a [u8],
    facts: Vec<u32>,
    hard: bool,
    /// Recipients accepted.
    recipients: u32,
    last_time: Option<Time>,
    ended: bool,
}

/// Server, site, client address, EHLO name: all that a line says of its session.
type ClientKey<'a> = (Text, &'a [u8], &'a [u8], &'a [u8]);

/// How many open transactions of one client and name are looked at for one that a DATA can end.
const OPEN_TRIED: usize = 64;

pub(super) fn digest<'a>(
    facts: &'a [Fact<'a>],
    lines: &[u32],
    edges: &Edges,
    at_end: bool,
    observer: &mut dyn Observer,
    loose: &mut [Parts],
) {
    let mut all: Vec<Transaction<'a>> = Vec::new();
    let mut open: HashMap<ClientKey<'a>, Vec<u32>> = HashMap::default();
    for index in lines.iter().copied() {
        let fact = &facts[index as usize];
        if !fact.parts.has(Parts::MESSAGE) {
            continue;
        }
        let Some((helo, step)) = step(fact) else { continue };
        let Some(session) = fact.record.session else { continue };
        let open = open.entry((fact.server, session.scope, session.id, helo)).or_default();
        let found = match step {
            Step::Begin => None,
            _ => find(&all, open, fact.time, &step),
        };
        let at = found.unwrap_or_else(|| {
            all.push(Transaction {
                server: fact.server,
                scope: session.scope,
                helo,
                facts: Vec::new(),
                hard: matches!(step, Step::Begin),
                recipients: 0,
                last_time: fact.time,
                ended: false,
            });
            open.push(all.len() as u32 - 1);
            all.len() as u32 - 1
        });
        let transaction = &mut all[at as usize];
        transaction.facts.push(index);
        transaction.last_time = transaction.last_time.max(fact.time);
        transaction.recipients += u32::from(matches!(step, Step::Recipient { accepted: true }));
        if matches!(step, Step::End) {
            transaction.ended = true;
            if let Some(place) = open.iter().rposition(|open| *open == at) {
                open.remove(place);
            }
        }
    }
    for transaction in &all {
        let over =
            transaction.ended || !edges.recent_at_end(transaction.server, transaction.scope, transaction.last_time);
        let whole = transaction.hard || !starts_near(facts, edges, transaction);
        if at_end || over && whole {
            if let Some(message) = read(facts, transaction) {
                observer.life(&message, &mut transaction.facts.iter().map(|fact| &facts[*fact as usize]));
            }
        } else {
            transaction.facts.iter().for_each(|fact| loose[*fact as usize].add(Parts::MESSAGE));
        }
    }
}

enum Step {
    Begin,
    Recipient { accepted: bool },
    End,
}

/// What a line does to a transaction, and the EHLO name it carries.
fn step<'a>(fact: &Fact<'a>) -> Option<(&'a [u8], Step)> {
    match fact.record.event {
        Event::Mail { helo, reply, .. } if was_accepted(reply) => Some((helo, Step::Begin)),
        Event::Recipient { helo, refusal, .. } => Some((helo, Step::Recipient { accepted: refusal.is_none() })),
        Event::Data { helo, .. } => Some((helo, Step::End)),
        _ => None,
    }
}

/// A log without reply codes says nothing of refusals: take the command as accepted.
fn was_accepted(reply: Reply<'_>) -> bool {
    reply.is_positive() || reply.code == 0
}

/// The last transaction of the client that the line can belong to. Transactions whose client has been idle for too
/// long are taken off the stack.
fn find(all: &[Transaction<'_>], open: &mut Vec<u32>, time: Option<Time>, step: &Step) -> Option<u32> {
    let is_fresh = |at: &u32| !is_idle(all[*at as usize].last_time, time);
    while open.last().is_some_and(|at| !is_fresh(at)) {
        open.pop();
    }
    // A DATA that finds no recipients belongs to none of these: the transaction it ends may have begun before.
    let fits = |at: &&u32| is_fresh(at) && (!matches!(step, Step::End) || 0 < all[**at as usize].recipients);
    open.iter().rev().take(OPEN_TRIED).find(fits).copied()
}

/// Whether a transaction without its MAIL may have begun before the stretch.
fn starts_near(facts: &[Fact<'_>], edges: &Edges, transaction: &Transaction<'_>) -> bool {
    let first = transaction.facts.first().map(|fact| facts[*fact as usize].time);
    first.is_some_and(|time| edges.recent_at_start(transaction.server, transaction.scope, time))
}

/// Reads a transaction as a message; `None` if nobody was addressed.
fn read<'a>(facts: &'a [Fact<'a>], transaction: &Transaction<'a>) -> Option<Message<'a>> {
    let lines = || transaction.facts.iter().map(|fact| &facts[*fact as usize]);
    let opening = lines().next()?;
    let mut message = Message {
        server: transaction.server,
        client: Default::default(),
        user: b"",
        helo: transaction.helo,
        account: None,
        vouched: false,
        origin: Origin::Network,
        reverse_path: None,
        message_id: b"",
        size_bytes: 0,
        taken: false,
        opening,
        recipients: Vec::new(),
    };
    for fact in lines() {
        match fact.record.event {
            Event::Mail { client, reverse_path, .. } => {
                message.client = client;
                message.reverse_path = Some(reverse_path);
            }
            Event::Recipient { client, forward_path, refusal, .. } => {
                message.client = client;
                message.recipients.push(recipient(forward_path, refusal, fact));
            }
            Event::Data { client, message_id, size_bytes, reply, .. } => {
                message.client = client;
                message.message_id = message_id;
                message.taken = was_accepted(reply);
                message.size_bytes = size_bytes.unwrap_or(0);
            }
            _ => {}
        }
    }
    let fate = match (message.taken, transaction.ended) {
        (true, _) => Outcome::Unknown,
        (false, true) => Outcome::Rejected,
        (false, false) => Outcome::NoData,
    };
    for recipient in message.recipients.iter_mut().filter(|r| r.refusal.is_none()) {
        recipient.outcome = fate;
    }
    (message.taken || !message.recipients.is_empty()).then_some(message)
}

fn recipient<'a>(path: &'a [u8], refusal: Option<Refusal>, fact: &'a Fact<'a>) -> Recipient<'a> {
    let outcome = match refusal {
        None => Outcome::Unknown,
        Some(Refusal::RelayDenied) => Outcome::Denied,
        Some(_) => Outcome::Rejected,
    };
    Recipient { outcome, refusal, ..pending(path, fact) }
}
