//! Lines that must wait although they are used up in their stretch: those on which lives that wait rest.

use super::births::{announced, key_of};
use super::queue::{LifeKey, Queue};
use super::{Edges, Fact, Parts};
use foldhash::HashMap;

/// Keeps those announcements loose whose message is not sealed yet, or may stand beyond the edges.
pub(super) fn keep_announcements(
    facts: &[Fact<'_>],
    links: &[u32],
    queue: &Queue<'_>,
    edges: &Edges,
    loose: &mut [Parts],
) {
    let mut born: HashMap<LifeKey<'_>, bool> = HashMap::default();
    for life in queue.lives.iter().filter(|life| life.birth.is_some()) {
        if let (Some(key), Some(first)) = (key_of(facts, life), life.facts.first()) {
            // One that began with a delivery may log more after it is full.
            let may_go_on = life.tally.is_full() && edges.near_end(life.server, life.opened);
            *born.entry(key).or_default() |= loose[*first as usize].has(Parts::MESSAGE) || may_go_on;
        }
    }
    for link in links {
        let fact = &facts[*link as usize];
        let Some((key, _)) = announced(fact) else { continue };
        let near = || edges.near_start(key.0, fact.place) || edges.near_end(key.0, fact.place);
        if born.get(&key).copied().unwrap_or_else(near) {
            loose[*link as usize].add(Parts::LINK);
        }
    }
}

/// A life that waits for what may stand beyond the edges is closed by the same line when it is read again.
pub(super) fn keep_abandoners(queue: &Queue<'_>, loose: &mut [Parts]) {
    for life in &queue.lives {
        if let (Some(by), Some(first)) = (life.abandoned, life.facts.first())
            && loose[*first as usize].has(Parts::MESSAGE)
        {
            loose[by as usize].add(Parts::SESSION);
        }
    }
}
