//! Hops: the ids in the lines of a message that lead to other messages.

use super::life::text;
use crate::correlate::{Fact, Message};
use crate::ledger::{Place, Time};
use foldhash::HashSet;
use relayaudit_parsers::record::{Event, Offspring, Status};
use relayaudit_parsers::reply::taken_as;

/// An id that leads to another message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The id.
    pub id: Box<str>,
    /// How the other message came of this one.
    pub how: Offspring,
    /// When the line was written.
    pub time: Option<Time>,
    /// The line.
    pub place: Place,
    /// Whether the id is what this server told its own client: the same message in another log of the server.
    pub is_own: bool,
}

/// The ids of a message, each once.
pub type Hops = Vec<Hop>;

/// How to collect them.
pub trait Collect {
    /// The ids in the lines of a message; of a log that is not read line by line, in those of its recipients.
    fn of(message: &Message<'_>, lines: &[&Fact<'_>]) -> Self;
}

impl Collect for Hops {
    fn of(message: &Message<'_>, lines: &[&Fact<'_>]) -> Hops {
        let mut hops = Hops::new();
        let ends = message.recipients.iter().map(|recipient| recipient.fact);
        let mut known: HashSet<&[u8]> = lines.iter().filter_map(|line| line.record.message).map(|key| key.id).collect();
        for fact in lines.iter().copied().chain(ends) {
            let Some((id, how, is_own)) = hop(fact) else { continue };
            if known.insert(id) {
                hops.push(Hop { id: text(id), how, time: fact.time, place: fact.place, is_own });
            }
        }
        hops
    }
}

/// The id of the message that announced this one: of which it is a notification or a forwarded copy.
pub fn born_of<'a>(message: &Message<'a>, first: Option<&Fact<'a>>) -> &'a [u8] {
    if let Event::Arrived { notifies: Some(id), .. } = message.opening.record.event {
        return id;
    }
    let (Some(first), Some(own)) = (first, message.opening.record.message) else { return b"" };
    match (first.record.message, announced(first)) {
        (Some(parent), Some(child)) if child == own.id && parent.id != own.id => parent.id,
        _ => b"",
    }
}

fn announced<'a>(fact: &Fact<'a>) -> Option<&'a [u8]> {
    match fact.record.event {
        Event::Spawned { child, .. } | Event::Delivery { child: Some((child, Offspring::Forwarded)), .. } => {
            Some(child)
        }
        _ => None,
    }
}

/// The Message-ID that a server repeats when it takes a message: `250 2.6.0 <ID> [InternalId=7, ...]` (Exchange). It is the
/// client's text, and may hold anything but what ends it here.
pub fn told_message_id<'a>(fact: &Fact<'a>) -> Option<&'a [u8]> {
    let Event::Replied { reply, .. } = fact.record.event else { return None };
    let rest = reply.text.strip_prefix(b"2.6.0 <").filter(|_| reply.is_positive())?;
    let end = memchr::memmem::rfind(rest, b"> [InternalId=")?;
    Some(&rest[..end])
}

/// The id that a line names, how the message of that id came of this one, and whether it is our own answer.
fn hop<'a>(fact: &Fact<'a>) -> Option<(&'a [u8], Offspring, bool)> {
    let handed_on = |text| taken_as(text).map(|id| (id, Offspring::Reinjected, false));
    let told = |text| taken_as(text).map(|id| (id, Offspring::Reinjected, true));
    match fact.record.event {
        Event::Delivery { child: Some((id, how)), .. } => Some((id, how, false)),
        Event::Spawned { child, how, .. } => Some((child, how, false)),
        Event::Delivery { text, status: Status::Sent, .. }
        | Event::Reached { text, status: Status::Sent, .. }
        | Event::AttemptEnded { text, status: Status::Sent, .. } => handed_on(text),
        Event::Replied { reply, .. } | Event::Data { reply, .. } | Event::Step { reply, .. } if reply.is_positive() => {
            told(reply.text)
        }
        _ => None,
    }
}
