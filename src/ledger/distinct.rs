//! How many different values were seen, without keeping them.

use super::hash;
use super::sample::Smallest;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};

/// How many hashes are kept: up to so many values the count is exact, beyond it within some 18 percent.
const KEPT: usize = 32;

/// A count of different values: the smallest of their hashes ("k minimum values", Bar-Yossef and others, RANDOM 2002).
/// The hash has no secret: whoever crafts values for it can make himself look busier or quieter, no more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct(Smallest<u64, KEPT>);

impl Distinct {
    /// Counts a value, if it is new. Case does not matter.
    pub fn see(&mut self, value: &[u8]) {
        let hash = match value.iter().any(u8::is_ascii_uppercase) {
            true => hash::stable(&value.to_ascii_lowercase()),
            false => hash::stable(value),
        };
        if self.0.wants(&hash) {
            self.0.insert(hash);
        }
    }

    /// How many there were, about.
    pub fn estimate(&self) -> u64 {
        match self.0.iter().last() {
            Some(largest) if self.0.len() == KEPT && 0 < *largest => {
                ((KEPT - 1) as f64 / (*largest as f64 / u64::MAX as f64)) as u64
            }
            _ => self.0.len() as u64,
        }
    }
}

impl Merge for Distinct {
    fn merge(&mut self, other: Distinct) {
        self.0.merge(other.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(values: impl Iterator<Item = u32>) -> u64 {
        let mut distinct = Distinct::default();
        values.for_each(|value| distinct.see(format!("User{value}@example.org").as_bytes()));
        distinct.estimate()
    }

    #[test]
    fn few_are_counted_exactly_and_many_nearly() {
        assert_eq!(count(0..0), 0);
        assert_eq!(count((0..20).chain(0..20)), 20);
        for many in [1_000, 50_000] {
            let estimate = count(0..many);
            assert!((many / 2..many * 2).contains(&(estimate as u32)), "{estimate} for {many}");
        }
    }

    #[test]
    fn case_makes_no_difference() {
        let mut distinct = Distinct::default();
        distinct.see(b"Anna@Example.org");
        distinct.see(b"anna@example.org");
        assert_eq!(distinct.estimate(), 1);
    }
}
