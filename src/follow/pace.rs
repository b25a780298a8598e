//! Pace: when to judge. Often enough that a finding is told within two seconds, seldom enough to leave the machine to the mail.

use std::time::{Duration, Instant};

/// The least time from the beginning of one judging to the next.
const LEAST: Duration = Duration::from_millis(500);

/// Judging takes at most about one part in so many of the time.
const SHARE: u32 = 4;

/// When to judge.
pub struct Pace {
    begun: Option<Instant>,
    took: Duration,
}

impl Pace {
    /// Nothing was judged yet.
    pub fn new() -> Pace {
        Pace { begun: None, took: Duration::ZERO }
    }

    /// Whether it is time again, at `now`.
    pub fn is_due(&self, now: Instant) -> bool {
        self.begun.is_none_or(|begun| LEAST.max(self.took * SHARE) <= now.saturating_duration_since(begun))
    }

    /// Notes that judging began and ended.
    pub fn judged(&mut self, begun: Instant, ended: Instant) {
        self.begun = Some(begun);
        self.took = ended.saturating_duration_since(begun);
    }

    /// How long the last judging took.
    pub fn took(&self) -> Duration {
        self.took
    }
}

impl Default for Pace {
    fn default() -> Pace {
        Pace::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_judging_is_seldom() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let check = |took, after, want| {
            let mut pace = Pace::new();
            assert!(pace.is_due(start));
            pace.judged(start, at(took));
            assert_eq!(pace.is_due(at(after)), want, "{took} {after}");
        };
        check(10, 499, false);
        check(10, 500, true);
        check(1_000, 3_999, false);
        check(1_000, 4_000, true);
    }
}
