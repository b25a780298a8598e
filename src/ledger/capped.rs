//! Capped books: at most so many entries, and a count of what the others would have held.
//!
//! Which entries stay is decided by a hash of their keys, the smallest first, so that it depends neither on order nor on
//! the cut of the input: an entry that is ever dropped has enough smaller ones before it in whatever it is merged into, and one
//! that stays was never dropped.

use super::Book;
use crate::merge::Merge;
use foldhash::HashMap;
use std::fmt;
use std::hash::Hash;

/// A key with a hash that is the same in every run: of texts, not of the places where they lie.
pub trait Spread: Copy + Eq + Hash {
    /// The hash.
    fn spread(&self) -> u64;
}

/// A book of `N` entries at most once it was [`Capped::trim`]med, and of twice as many before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capped<K: Eq + Hash, V: Weight, const N: usize> {
    entries: HashMap<K, V>,
    /// What was counted in entries that were dropped.
    rest: V::Rest,
}

impl<K: Eq + Hash, V: Weight, const N: usize> Default for Capped<K, V, N> {
    fn default() -> Self {
        Capped { entries: HashMap::default(), rest: V::Rest::default() }
    }
}

/// What an entry counts, for the remainder.
pub trait Weight {
    /// What is kept of all that is lost.
    type Rest: Merge + Default + Clone + PartialEq + Eq + fmt::Debug;

    /// How much is lost with it.
    fn weight(&self) -> Self::Rest;
}

impl<K: Spread, V: Default + Weight, const N: usize> Capped<K, V, N> {
    /// The entry of a key, made if need be.
    pub fn entry(&mut self, key: K) -> &mut V {
        if 2 * N <= self.entries.len() && !self.entries.contains_key(&key) {
            self.trim();
        }
        self.entries.entry(key).or_default()
    }

    /// Drops what is over `N` entries. A ledger that is handed on must be trimmed.
    pub fn trim(&mut self) {
        if self.entries.len() <= N {
            return;
        }
        let mut hashes: Vec<u64> = self.entries.keys().map(Spread::spread).collect();
        let (_, largest, _) = hashes.select_nth_unstable(N - 1);
        let largest = *largest;
        let rest = &mut self.rest;
        self.entries.retain(|key, value| {
            let stays = key.spread() <= largest;
            if !stays {
                rest.merge(value.weight());
            }
            stays
        });
        self.entries.shrink_to(2 * N);
    }

    /// The entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }

    /// The entries as a book, and what was counted in entries that were dropped: nothing as long as there were few.
    pub fn parts(&self) -> (&Book<K, V>, &V::Rest) {
        (&self.entries, &self.rest)
    }

    /// The values of the entries, in no order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut()
    }

    /// Puts an entry back that was saved. Returns whether it was not there yet, and there was room.
    pub fn put(&mut self, key: K, value: V) -> bool {
        self.entries.len() < N && self.entries.insert(key, value).is_none()
    }

    /// Puts back what was counted in entries that were dropped. Returns whether nothing was there yet.
    pub fn put_rest(&mut self, rest: V::Rest) -> bool {
        std::mem::replace(&mut self.rest, rest) == V::Rest::default()
    }
}

impl<K: Spread, V: Default + Weight + Merge, const N: usize> Merge for Capped<K, V, N> {
    fn merge(&mut self, other: Self) {
        Merge::merge(&mut self.entries, other.entries);
        self.rest.merge(other.rest);
        self.trim();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::hash;

    impl Spread for u32 {
        fn spread(&self) -> u64 {
            hash::stable(&self.to_le_bytes())
        }
    }

    impl Weight for u64 {
        type Rest = u64;

        fn weight(&self) -> u64 {
            *self
        }
    }

    type Few = Capped<u32, u64, 8>;

    fn book(keys: impl Iterator<Item = u32>) -> Few {
        let mut book = Few::default();
        keys.for_each(|key| *book.entry(key) += 1);
        book.trim();
        book
    }

    #[test]
    fn what_stays_depends_neither_on_order_nor_on_the_cut() {
        let keys = || (0..500u32).map(|n| n * n % 91);
        let want = book(keys());
        assert_eq!((want.iter().count(), want.iter().map(|(_, n)| n).sum::<u64>() + want.parts().1), (8, 500));
        assert_eq!(book(keys().rev()), want);
        for cut in [1, 7, 250, 499] {
            let mut joined = book(keys().skip(cut));
            joined.merge(book(keys().take(cut)));
            assert_eq!(joined, want, "cut at {cut}");
        }
    }

    #[test]
    fn few_stay_whole() {
        let few = book([1, 2, 2].into_iter());
        assert_eq!((few.iter().count(), few.parts().1), (2, &0));
    }
}
