//! How much comes in, measured by this machine's clock.

use crate::report::model::TotalsRow;
use crate::report::terminal::live::Rates;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What recipients are counted over.
const MINUTE: Duration = Duration::from_secs(60);

/// What lines are counted over.
const TEN: Duration = Duration::from_secs(10);

/// Recipients, summed up.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    accepted: u64,
    refused: u64,
    relayed: u64,
}

/// Sums at some instants.
#[derive(Default)]
pub struct Meter {
    sums: VecDeque<(Instant, Sums)>,
    lines: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// Takes note of what was judged at `now`.
    pub fn see(&mut self, now: Instant, totals: &TotalsRow) {
        let of = |name: &str| totals.by_verdict.get(name).copied().unwrap_or(0);
        let refused = of("relay-denied").saturating_add(of("rejected"));
        let accepted = totals.by_verdict.values().sum::<u64>().saturating_sub(refused).saturating_sub(of("unknown"));
        self.sums.push_back((now, Sums { accepted, refused, relayed: of("relayed-unauthorised") }));
        keep(&mut self.sums, now, MINUTE);
    }

    /// The rates at `now`, when so many lines were read.
    pub fn rates(&mut self, now: Instant, lines: u64) -> Rates {
        self.lines.push_back((now, lines));
        keep(&mut self.lines, now, TEN);
        let first = self.lines.front().map_or(lines, |(_, lines)| *lines);
        keep(&mut self.sums, now, MINUTE);
        let sums = |at: Option<&(Instant, Sums)>| at.map_or(Sums::default(), |(_, sums)| *sums);
        let (old, new) = (sums(self.sums.front()), sums(self.sums.back()));
        Rates {
            lines_in_ten: lines.saturating_sub(first),
            // What is forgotten makes sums smaller.
            accepted: new.accepted.saturating_sub(old.accepted),
            refused: new.refused.saturating_sub(old.refused),
            relayed: new.relayed.saturating_sub(old.relayed),
        }
    }
}

/// Drops what is older, but for the last of that: it is what the time is counted from.
fn keep<T>(values: &mut VecDeque<(Instant, T)>, now: Instant, time: Duration) {
    while values.get(1).is_some_and(|(at, _)| time <= now.saturating_duration_since(*at)) {
        values.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_counted_and_then_forgotten() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let totals = |relayed, denied| TotalsRow {
            by_verdict: [("relayed-unauthorised", relayed), ("relay-denied", denied), ("unknown", 9)].into(),
            ..TotalsRow::default()
        };
        let mut meter = Meter::default();
        // What was there at the start was not counted in this minute.
        meter.see(at(0), &totals(1_000, 1_000));
        assert_eq!(meter.rates(at(0), 50), Rates::default());
        meter.see(at(30), &totals(1_002, 1_003));
        let rates = meter.rates(at(30), 70);
        assert_eq!(rates, Rates { lines_in_ten: 20, accepted: 2, refused: 3, relayed: 2 });
        assert_eq!(meter.rates(at(89), 70), Rates { lines_in_ten: 0, ..rates });
        assert_eq!(meter.rates(at(91), 70), Rates::default());
    }
}
