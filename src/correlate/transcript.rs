//! Sessions in which commands and answers are lines of their own, each with a session id (Exchange).
//!
//! A session is a pair of brackets around its id, and is read when both are known: answers are given to commands in
//! order (RFC 2920), and MAIL, its recipients and the answer to the end of DATA make a message. What became of
//! a message that was taken is in other logs.
//!
//! The lines of a session without beginning or end wait to the end of the input. Times would tell sooner that nothing
//! more will come, but not if days were put together in another order; and a server writes both brackets of every
//! session, so few wait.
//!
//! In a log that may hold the text of messages, all lines wait: what is a line of the server is only known when all
//! lines before it are. Such logs are few and old.

mod replay;
mod sum;
mod texts;

use super::{Fact, Observer, Parts};
use crate::ledger::{FileId, Text};
use foldhash::HashMap;
use relayaudit_parsers::record::Event;

/// A session, as far as the stretch shows it.
struct Bracket {
    facts: Vec<u32>,
    /// Whether the line that opened it is there.
    hard: bool,
    /// Whether the line that ended it is there.
    ended: bool,
    /// The file, if it may hold the text of messages: then the session is in it alone.
    file: Option<FileId>,
}

/// Server, scope and session id.
type SessionKey<'a> = (Text, &'a [u8], &'a [u8]);

pub(super) fn digest<'a>(
    facts: &'a [Fact<'a>],
    lines: &[u32],
    at_end: bool,
    observer: &mut dyn Observer,
    loose: &mut [Parts],
) {
    let lines = if at_end { texts::without(facts, lines) } else { lines.into() };
    for session in brackets(facts, &lines) {
        if at_end || session.hard && session.ended {
            replay::read(session.facts.iter().map(|fact| &facts[*fact as usize]), observer);
        } else {
            session.facts.iter().for_each(|fact| loose[*fact as usize].add(Parts::MESSAGE));
        }
    }
}

/// Sorts the lines into sessions. A line belongs to the innermost session of its id that is still open.
fn brackets<'a>(facts: &'a [Fact<'a>], lines: &[u32]) -> Vec<Bracket> {
    let mut all: Vec<Bracket> = Vec::new();
    let mut open: HashMap<SessionKey<'a>, Vec<u32>> = HashMap::default();
    for index in lines.iter().copied() {
        let fact = &facts[index as usize];
        let (Some(session), true) = (fact.record.session, fact.parts.has(Parts::MESSAGE)) else { continue };
        let open = open.entry((fact.server, session.scope, session.id)).or_default();
        let hard = matches!(fact.record.event, Event::Opened { .. });
        let file = matches!(fact.record.event, Event::Begun { .. }).then_some(fact.place.file);
        if file.is_some() {
            open.clear();
        }
        let is_of = |top: &u32| all[*top as usize].file.is_none_or(|file| file == fact.place.file);
        let at = match open.last().copied().filter(|top| !hard && file.is_none() && is_of(top)) {
            Some(top) => top,
            None => {
                all.push(Bracket { facts: Vec::new(), hard, ended: false, file });
                open.push(all.len() as u32 - 1);
                all.len() as u32 - 1
            }
        };
        let bracket = &mut all[at as usize];
        bracket.facts.push(index);
        if matches!(fact.record.event, Event::Closed { .. } | Event::Summed { .. }) {
            bracket.ended = true;
            open.pop();
        }
    }
    all
}
