//! Messages that a line of their parent announces: notifications, forwarded copies.

use super::edges::NEAR_LINES;
use super::queue::LifeKey;
use super::{Edges, Fact};
use crate::ledger::Place;
use foldhash::HashMap;
use relayaudit_parsers::record::{Event, Offspring};

/// A message announced by a line of its parent.
pub(super) type Births<'a> = HashMap<LifeKey<'a>, Vec<Birth>>;

/// Such an announcement.
#[derive(Clone, Copy)]
pub(super) struct Birth {
    pub(super) place: Place,
    pub(super) how: Offspring,
    /// The message logs no line of its own when it begins.
    pub(super) silent: bool,
}

/// Every message that a line of the stretch announces, by its key.
pub(super) fn births<'a>(facts: &'a [Fact<'a>], links: &[u32]) -> Births<'a> {
    let mut births = Births::default();
    for fact in links.iter().map(|link| &facts[*link as usize]) {
        if let Some((key, birth)) = announced(fact) {
            births.entry(key).or_default().push(birth);
        }
    }
    births
}

/// The message that a line announces as made by the server itself, without a client.
pub(super) fn announced<'a>(fact: &Fact<'a>) -> Option<(LifeKey<'a>, Birth)> {
    let (child, how, silent) = match fact.record.event {
        Event::Spawned { child, how, silent } => (child, how, silent),
        Event::Delivery { child: Some((child, how @ Offspring::Forwarded)), .. } => (child, how, false),
        _ => return None,
    };
    let parent = fact.record.message?;
    Some(((fact.server, parent.scope, child), Birth { place: fact.place, how, silent }))
}

/// The announcement shortly before a line of a message that logs no line of its own when it begins (Sendmail's notifications).
pub(super) fn birth_before(births: &[Birth], place: Place, edges: &Edges) -> Option<Birth> {
    let before = &births[..births.partition_point(|birth| birth.place < place)];
    nearest(before, place, edges).copied().filter(|birth| birth.silent)
}

/// The announcement nearest to a line, before or after it, if it is near enough. They are in order of place.
pub(super) fn nearest<'b>(births: &'b [Birth], place: Place, edges: &Edges) -> Option<&'b Birth> {
    let after = births.partition_point(|birth| birth.place < place);
    let near = |birth: &&Birth| edges.lines_between(place.min(birth.place), place.max(birth.place)) <= NEAR_LINES;
    let before = after.checked_sub(1).and_then(|at| births.get(at)).filter(near);
    before.or_else(|| births.get(after).filter(near))
}
