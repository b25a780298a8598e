//! Messages that a line of their parent announces: notifications, forwarded copies.

use super::edges::NEAR_LINES;
use super::queue::{Life, LifeKey, Queue};
use super::{Edges, Fact};
use crate::ledger::Place;
use foldhash::HashMap;
use relayaudit_parsers::record::{Event, Offspring};

/// The messages that lines of a stretch announce, by their keys.
#[derive(Default)]
pub(super) struct Births<'a> {
    /// Those whose own lines show when they begin.
    heard: HashMap<LifeKey<'a>, Vec<Birth>>,
    /// Those that log no line of their own when they begin (Sendmail's notifications). Apart, since every delivery asks.
    silent: HashMap<LifeKey<'a>, Vec<Birth>>,
}

/// An announcement.
#[derive(Clone, Copy)]
pub(super) struct Birth {
    pub(super) place: Place,
    pub(super) how: Offspring,
    /// The line, by index.
    pub(super) line: u32,
}

impl<'a> Births<'a> {
    /// Collects the announcements among lines in order of place.
    pub(super) fn of(facts: &'a [Fact<'a>], links: &[u32]) -> Births<'a> {
        let mut births = Births::default();
        for (line, fact) in links.iter().map(|link| (*link, &facts[*link as usize])) {
            let is_silent = matches!(fact.record.event, Event::Spawned { silent: true, .. });
            let map = if is_silent { &mut births.silent } else { &mut births.heard };
            if let Some((key, birth)) = announced(fact) {
                map.entry(key).or_default().push(Birth { line, ..birth });
            }
        }
        births
    }

    /// The announcement nearest to the line with which a message begins, before or after it, if it is near enough.
    pub(super) fn near(&self, key: &LifeKey<'a>, place: Place, edges: &Edges) -> Option<Birth> {
        let births = self.heard.get(key)?;
        let after = births.partition_point(|birth| birth.place < place);
        let near = |birth: &&Birth| is_near(birth, place, edges);
        let before = after.checked_sub(1).and_then(|at| births.get(at)).filter(near);
        before.or_else(|| births.get(after).filter(near)).copied()
    }

    /// The announcement shortly before a line of a message that logs no line of its own when it begins.
    pub(super) fn silent_before(&self, key: &LifeKey<'a>, place: Place, edges: &Edges) -> Option<Birth> {
        let births = self.silent.get(key)?;
        let after = births.partition_point(|birth| birth.place < place);
        births[..after].last().filter(|birth| is_near(birth, place, edges)).copied()
    }
}

fn is_near(birth: &Birth, place: Place, edges: &Edges) -> bool {
    edges.lines_between(place.min(birth.place), place.max(birth.place)) <= NEAR_LINES
}

impl Queue<'_> {
    /// Notes how a life was born.
    pub(super) fn bear(&mut self, life: u32, birth: Birth) {
        let life = &mut self.lives[life as usize];
        life.birth = Some(birth.how);
        life.announced = Some(birth.line);
    }
}

/// The key of a life.
pub(super) fn key_of<'a>(facts: &'a [Fact<'a>], life: &Life<'_>) -> Option<LifeKey<'a>> {
    let fact = &facts[*life.facts.first()? as usize];
    let message = fact.record.message?;
    Some((fact.server, message.scope, message.id))
}

/// The message that a line announces as made by the server itself, without a client.
pub(super) fn announced<'a>(fact: &Fact<'a>) -> Option<(LifeKey<'a>, Birth)> {
    let (child, how) = match fact.record.event {
        Event::Spawned { child, how, .. } => (child, how),
        Event::Delivery { child: Some((child, how @ Offspring::Forwarded)), .. } => (child, how),
        _ => return None,
    };
    let parent = fact.record.message?;
    Some(((fact.server, parent.scope, child), Birth { place: fact.place, how, line: 0 }))
}
