//! Bounded samples: they keep the smallest, so that no order of arrival matters.

use crate::merge::Merge;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// The `N` smallest of all values ever put in.
///
/// "The first N seen" would depend on which thread came first; the smallest N do not. A sorted vector:
/// there are millions of samples, most of one value, and a tree would reserve room for eleven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Smallest<T: Ord, const N: usize>(Vec<T>);

impl<T: Ord, const N: usize> Default for Smallest<T, N> {
    fn default() -> Self {
        Smallest(Vec::new())
    }
}

impl<'de, T: Ord + Deserialize<'de>, const N: usize> Deserialize<'de> for Smallest<T, N> {
    /// Fails if there are more than `N`, or not in order.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut values = Vec::<T>::deserialize(deserializer)?;
        values.shrink_to_fit();
        match values.len() <= N && values.is_sorted_by(|a, b| a < b) {
            true => Ok(Smallest(values)),
            false => Err(D::Error::custom(format!("a sample that is not the {N} smallest in order"))),
        }
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
        let Err(at) = self.0.binary_search(&value) else { return };
        if at < N {
            self.0.truncate(N - 1);
            self.0.reserve_exact(1);
            self.0.insert(at, value);
        }
    }

    /// The values, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Changes every value.
    pub fn change(&mut self, change: impl FnMut(&mut T)) {
        self.0.iter_mut().for_each(change);
        self.0.sort_unstable();
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
        if self.0.is_empty() {
            *self = other;
            return;
        }
        for value in other.0 {
            self.insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_smallest_stay() {
        let mut sample = Smallest::<u32, 2>::default();
        assert!(sample.is_empty() && sample.wants(&9));
        for value in [5, 9, 5, 1, 7] {
            sample.insert(value);
        }
        assert_eq!(sample.iter().copied().collect::<Vec<_>>(), [1, 5]);
        assert!(sample.wants(&4) && !sample.wants(&5));
    }
}
