//! Store: the lives that match, at most so many, the earliest of them.

use super::life::Life;
use crate::ledger::{Place, Time};
use crate::merge::Merge;
use std::collections::BTreeMap;

/// How much is kept: lives, their recipients and their steps count one each, some 400 bytes.
pub const MOST: usize = 250_000;

/// The earliest lives, as many as there is room for, and how many there were.
///
/// What is kept is a start of all lives in the order of their places, so it does not matter in which order stores merge:
/// a life for which there is room among all has room among some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    lives: BTreeMap<(Place, bool), Life>,
    weight: usize,
    most: usize,
    /// What was seen, kept or not.
    pub seen: Seen,
}

/// How much was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Messages.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// The latest.
    pub last: Option<Time>,
}

impl Default for Store {
    fn default() -> Store {
        Store::with_room(MOST)
    }
}

impl Store {
    /// A store with room for so much.
    pub fn with_room(most: usize) -> Store {
        Store { lives: BTreeMap::new(), weight: 0, most, seen: Seen::default() }
    }

    /// Takes a life.
    pub fn add(&mut self, life: Life) {
        self.seen.merge(life.seen());
        self.keep(life);
    }

    fn keep(&mut self, life: Life) {
        let key = (life.place, life.is_refusal);
        let full = self.most <= self.weight;
        if full && self.lives.last_key_value().is_some_and(|(last, _)| *last < key) {
            return;
        }
        self.weight += life.weight();
        if let Some(before) = self.lives.insert(key, life) {
            self.weight -= before.weight();
        }
        // The last one that fits no longer goes; one that is larger than all the room stays alone.
        while 1 < self.lives.len() {
            let last = self.lives.last_key_value().map_or(0, |(_, life)| life.weight());
            if self.weight - last < self.most {
                break;
            }
            self.lives.pop_last();
            self.weight -= last;
        }
    }

    /// The lives, in the order of their places.
    pub fn into_lives(self) -> Vec<Life> {
        self.lives.into_values().collect()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.lives.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.lives.is_empty()
    }
}

impl Merge for Store {
    fn merge(&mut self, other: Store) {
        self.seen.merge(other.seen);
        other.lives.into_values().for_each(|life| self.keep(life));
    }
}

impl Merge for Seen {
    fn merge(&mut self, other: Seen) {
        self.messages.merge(other.messages);
        self.recipients.merge(other.recipients);
        self.last = self.last.max(other.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::life::tests::life;

    fn lines(store: Store) -> Vec<u64> {
        store.into_lives().iter().map(|life| life.place.line).collect()
    }

    #[test]
    fn the_earliest_stay_in_whatever_order_they_come() {
        let order = [7, 3, 9, 1, 8, 2];
        let mut whole = Store::with_room(3);
        order.iter().for_each(|line| whole.add(life("mx1", *line)));
        for cut in 0..order.len() {
            let (mut a, mut b) = (Store::with_room(3), Store::with_room(3));
            order[..cut].iter().for_each(|line| a.add(life("mx1", *line)));
            order[cut..].iter().for_each(|line| b.add(life("mx1", *line)));
            b.merge(a);
            assert_eq!(b, whole, "{cut}");
        }
        assert_eq!(whole.seen.messages, 6);
        assert_eq!(lines(whole), [1, 2, 3]);
    }
}
