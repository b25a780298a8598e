//! Merging: the one operation that joins chunks, files, days and machines.

use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

/// Values that can be joined in any order and any grouping.
///
/// `merge` is associative and commutative, and `Default::default()` is neutral. Everything a
/// run learns is built of such values, which is why neither the cut of the input nor the number
/// of threads can change a report. `tests/laws.rs` holds the implementations to it.
pub trait Merge {
    /// Takes in what `other` knows.
    fn merge(&mut self, other: Self);
}

impl Merge for u64 {
    /// Counters add; a sum too large stays at the largest number.
    fn merge(&mut self, other: u64) {
        *self = self.saturating_add(other);
    }
}

impl Merge for bool {
    /// Flags are "was ever seen".
    fn merge(&mut self, other: bool) {
        *self |= other;
    }
}

impl<T: Merge> Merge for Box<T> {
    fn merge(&mut self, other: Box<T>) {
        (**self).merge(*other);
    }
}

impl<K: Ord, V: Merge> Merge for BTreeMap<K, V> {
    fn merge(&mut self, other: Self) {
        for (key, value) in other {
            match self.entry(key) {
                std::collections::btree_map::Entry::Occupied(mut mine) => mine.get_mut().merge(value),
                std::collections::btree_map::Entry::Vacant(gap) => {
                    gap.insert(value);
                }
            }
        }
    }
}

impl<T: Ord> Merge for BTreeSet<T> {
    fn merge(&mut self, other: Self) {
        self.extend(other);
    }
}

impl<K: Eq + Hash, V: Merge> Merge for HashMap<K, V> {
    fn merge(&mut self, mut other: Self) {
        // The larger table takes in the smaller: the result is the same, the work is not.
        if self.len() < other.len() {
            std::mem::swap(self, &mut other);
        }
        for (key, value) in other {
            match self.entry(key) {
                std::collections::hash_map::Entry::Occupied(mut mine) => mine.get_mut().merge(value),
                std::collections::hash_map::Entry::Vacant(gap) => {
                    gap.insert(value);
                }
            }
        }
    }
}
