//! How often a jump of some size happens by chance: the tail of all jumps on a server, as peaks over a threshold.
//!
//! The jump of a sender on a day is how far it went beyond its own record: ln((value + offset) / (record + offset)), on
//! which scale what people send is spread evenly whether they send much or little. Above a threshold, here the record, jumps
//! die away exponentially, as they do for all distributions with tails like powers (Pickands, Annals of Statistics 1975; Hill, Annals of
//! Statistics 1975; Siffer and others, Anomaly Detection in Streams with Extreme Value Theory, KDD 2017). How fast they do is learnt
//! from all senders of the server together. Quantiles are fitted, not the mean, so that a few
//! bursts among the jumps change little.

/// Days in a quarter of a year.
const QUARTER: f64 = 91.0;
/// So many jumps count as much as what is taken for usual before any is seen.
const SURE: f64 = 20.0;
/// Jumps that are to be expected less often in a quarter are no part of the tail; it is fitted again without them, so many times.
const STRANGE: f64 = 0.05;
const ROUNDS: usize = 4;
/// Jumps that make a tail.
const MANY: usize = 50;
/// Quantiles that are fitted: what a quarter of the largest jumps is like, changes nothing.
const QUANTILES: [f64; 2] = [0.5, 0.75];
/// Days from which a rate can be told.
const DAYS: f64 = 7.0;

/// The tail of the jumps on one server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// The size from which jumps die away exponentially.
    pub from: f64,
    /// Jumps of that size or more in a quarter.
    pub per_quarter: f64,
    /// The size by which they become an e-th as frequent.
    pub scale: f64,
}

impl Tail {
    /// The tail of jumps that were seen on so many days, where `usual` is the scale that such jumps have elsewhere.
    ///
    /// Jumps that are no part of it are set aside, and the tail is that of the others: first it is fitted without the largest, as
    /// one burst among few jumps would explain itself.
    pub fn of(mut jumps: Vec<f64>, days: u32, usual: f64) -> Tail {
        jumps.sort_unstable_by(f64::total_cmp);
        let aside = (1 + jumps.len() / 10).min(jumps.len());
        let mut tail = Tail::fit(&jumps[..jumps.len() - aside], days, usual);
        for _ in 0..ROUNDS {
            let part = jumps.partition_point(|jump| STRANGE < tail.expected(*jump));
            let next = Tail::fit(&jumps[..part], days, usual);
            if next == tail {
                break;
            }
            tail = next;
        }
        tail
    }

    /// The tail of jumps in order of size.
    fn fit(jumps: &[f64], days: u32, usual: f64) -> Tail {
        // Of many jumps, the largest tell best how still larger ones go on.
        let from = jumps.len() - (jumps.len() / 10).max(MANY).min(jumps.len());
        let tail = &jumps[from..];
        let start = if from == 0 { 0.0 } else { tail[0] };
        let number = tail.len() as f64;
        let fitted = |quantile: f64| {
            let at = ((number * quantile) as usize).min(tail.len().saturating_sub(1));
            tail.get(at).map_or(0.0, |jump| (jump - start) / -(1.0 - quantile).ln())
        };
        let scale = QUANTILES.into_iter().map(fitted).fold(0.0, f64::max);
        Tail {
            from: start,
            // One more than was seen: the next one.
            per_quarter: (number + 1.0) * QUARTER / f64::from(days).max(DAYS),
            scale: (number * scale + SURE * usual) / (number + SURE),
        }
    }

    /// How many jumps at least that big are to be expected in a quarter.
    pub fn expected(&self, jump: f64) -> f64 {
        self.per_quarter * (-(jump - self.from).max(0.0) / self.scale).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Jumps whose logarithms of frequency fall on a line of that scale.
    fn exponential(number: u32, scale: f64) -> Vec<f64> {
        (0..number).map(|n| -scale * ((f64::from(n) + 0.5) / f64::from(number)).ln()).collect()
    }

    #[test]
    fn the_tail_is_that_of_the_jumps() {
        let tail = Tail::of(exponential(2_000, 0.2), 91, 0.3);
        assert!((0.195..0.215).contains(&tail.scale), "{tail:?}");
        // A tenth of the jumps make the tail. From there on, twice as far is as rare again.
        assert!((0.45..0.47).contains(&tail.from), "{tail:?}");
        let rarity = |beyond: f64| tail.expected(tail.from + beyond) / tail.per_quarter;
        assert!((rarity(0.5).powi(2) - rarity(1.0)).abs() < 1e-12);
        // Half the days: twice the rate.
        assert!((Tail::of(exponential(999, 0.2), 45, 0.3).per_quarter - 100.0 * 91.0 / 45.0).abs() < 1e-9);
    }

    #[test]
    fn a_few_bursts_among_the_jumps_change_little() {
        let mut jumps = exponential(500, 0.2);
        jumps.extend([6.0; 10]);
        let tail = Tail::of(jumps, 91, 0.3);
        assert!(tail.scale < 0.25, "{tail:?}");
    }

    #[test]
    fn one_burst_among_few_jumps_does_not_explain_itself() {
        let tail = Tail::of(vec![0.2, 2.1], 7, 0.3);
        assert!(tail.expected(2.1) < 0.05, "{tail:?}");
    }

    #[test]
    fn where_nothing_was_seen_it_is_as_usual() {
        let tail = Tail::of(Vec::new(), 1, 0.3);
        assert_eq!((tail.from, tail.per_quarter, tail.scale), (0.0, 13.0, 0.3));
    }
}
