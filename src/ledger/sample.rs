//! Bounded samples: they keep the smallest, so that no order of arrival matters.

use crate::merge::Merge;
use std::collections::BTreeSet;

/// The `N` smallest of all values ever put in.
///
/// "The first N seen" would depend on which thread came first; the smallest N do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smallest<T: Ord, const N: usize>(BTreeSet<T>);

impl<T: Ord, const N: usize> Default for Smallest<T, N> {
    fn default() -> Self {
        Smallest(BTreeSet::new())
    }
}

impl<T: Ord, const N: usize> Smallest<T, N> {
    /// Whether a value would be kept, were it put in now: lets the caller avoid building it.
    pub fn wants<Q>(&self, value: &Q) -> bool
    where
        Q: Ord + ?Sized,
        T: std::borrow::Borrow<Q>,
    {
        self.0.len() < N || self.0.last().is_some_and(|last| value < last.borrow())
    }

    /// Puts a value in; the largest falls out when there are more than `N`.
    pub fn insert(&mut self, value: T) {
        self.0.insert(value);
        while N < self.0.len() {
            self.0.pop_last();
        }
    }

    /// The values, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// How many values are kept; `N` may mean that there were more.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was ever put in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Ord, const N: usize> Merge for Smallest<T, N> {
    fn merge(&mut self, other: Self) {
        for value in other.0 {
            self.insert(value);
        }
    }
}
