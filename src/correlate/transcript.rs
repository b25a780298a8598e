//! Sessions in which commands and answers are lines of their own, each with a session id (Exchange).
//!
//! A session is a pair of brackets around its id. It is read when both are known, or when its client has been idle for
//! ten minutes: answers are given to commands in order (RFC 2920), and MAIL, its recipients and the answer
//! to the end of DATA make a message. What became of a message that was taken is in other logs.

mod replay;

use super::edges::is_idle;
use super::{Edges, Fact, Observer, Parts};
use crate::ledger::Time;
use foldhash::HashMap;
use relayaudit_parsers::record::Event;

/// A session, as far as the stretch shows it.
struct Bracket<'a> {
    server: &'a [u8],
    scope: &'a [u8],
    facts: Vec<u32>,
    /// Whether the line that opened it is there.
    hard: bool,
    first_time: Option<Time>,
    last_time: Option<Time>,
    ended: bool,
}

/// Server, scope and session id.
type SessionKey<'a> = (&'a [u8], &'a [u8], &'a [u8]);

pub(super) fn digest<'a>(
    facts: &'a [Fact<'a>],
    lines: &[u32],
    edges: &Edges,
    at_end: bool,
    observer: &mut dyn Observer,
    loose: &mut [Parts],
) {
    for session in brackets(facts, lines) {
        let over = session.ended || !edges.recent_at_end(session.server, session.scope, session.last_time);
        let whole = session.hard || !edges.recent_at_start(session.server, session.scope, session.first_time);
        if at_end || over && whole {
            replay::read(session.facts.iter().map(|fact| &facts[*fact as usize]), observer);
        } else {
            session.facts.iter().for_each(|fact| loose[*fact as usize].add(Parts::MESSAGE));
        }
    }
}

/// Sorts the lines into sessions. A line belongs to the innermost session of its id that is still open.
fn brackets<'a>(facts: &'a [Fact<'a>], lines: &[u32]) -> Vec<Bracket<'a>> {
    let mut all: Vec<Bracket<'a>> = Vec::new();
    let mut open: HashMap<SessionKey<'a>, Vec<u32>> = HashMap::default();
    for index in lines.iter().copied() {
        let fact = &facts[index as usize];
        let (Some(session), true) = (fact.record.session, fact.parts.has(Parts::MESSAGE)) else { continue };
        let open = open.entry((fact.record.server, session.scope, session.id)).or_default();
        while open.last().is_some_and(|top| is_idle(all[*top as usize].last_time, fact.time)) {
            open.pop();
        }
        let begins = matches!(fact.record.event, Event::Opened { .. });
        let at = match open.last().copied().filter(|_| !begins) {
            Some(top) => top,
            None => {
                all.push(Bracket {
                    server: fact.record.server,
                    scope: session.scope,
                    facts: Vec::new(),
                    hard: begins,
                    first_time: fact.time,
                    last_time: fact.time,
                    ended: false,
                });
                open.push(all.len() as u32 - 1);
                all.len() as u32 - 1
            }
        };
        let bracket = &mut all[at as usize];
        bracket.facts.push(index);
        bracket.last_time = bracket.last_time.max(fact.time);
        if matches!(fact.record.event, Event::Closed { .. }) {
            bracket.ended = true;
            open.pop();
        }
    }
    all
}
