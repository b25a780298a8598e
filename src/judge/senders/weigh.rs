//! Weigh: adds up what the signals say, and decides as Wald's sequential test does.
//!
//! Every signal is a log-likelihood ratio in nats: how much likelier it is of a source of spam than of an honest
//! sender. The sum is compared with the bounds that the wanted error rates give (A. Wald, Sequential Analysis, 1947;
//! used for spam sources by SPOT: Duan and others, IEEE TDSC 2012). The weights are estimates from practice, named where they stand;
//! the test adds them as if they were independent.

/// The error rates that are accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// Of honest senders, how many are accused.
    pub false_alarm: f64,
    /// Of sources of spam, how many are passed over.
    pub missed: f64,
    /// How often unusual volume may be reported by chance, on one server in a quarter of a year.
    pub alarms_per_quarter: f64,
}

impl Default for Errors {
    /// 1 percent, 5 percent, and once.
    fn default() -> Self {
        Errors { false_alarm: 0.01, missed: 0.05, alarms_per_quarter: 1.0 }
    }
}

impl Errors {
    /// The sum of weights from which a sender is accused: ln((1 - missed) / false alarm).
    pub fn threshold(self) -> f64 {
        ((1.0 - self.missed) / self.false_alarm).ln()
    }
}

/// One thing that speaks for or against a sender.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Its weight in nats; negative if it speaks for the sender.
    pub nats: f64,
    /// What was seen, with its figure: a sentence.
    pub why: String,
}

/// What all signals say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// The sum of the weights.
    pub nats: f64,
    /// The sum from which a sender is accused.
    pub threshold: f64,
    /// The sentences, the weightiest first, and the sum.
    pub why: Vec<String>,
}

impl Weighed {
    /// Adds the signals up.
    pub fn of(mut signals: Vec<Signal>, errors: Errors) -> Weighed {
        signals.sort_by(|a, b| b.nats.total_cmp(&a.nats));
        let (nats, threshold) = (signals.iter().map(|signal| signal.nats).sum(), errors.threshold());
        let mut why: Vec<String> =
            signals.into_iter().map(|signal| format!("{} ({:+.1})", signal.why, signal.nats)).collect();
        why.push(format!(
            "Weighed together: {nats:.1}; from {threshold:.1} on a sender is accused (false alarm {} %, missed {} %).",
            percent(errors.false_alarm),
            percent(errors.missed)
        ));
        Weighed { nats, threshold, why }
    }

    /// Whether the sender is accused.
    pub fn accuses(&self) -> bool {
        self.threshold <= self.nats
    }
}

fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_and_the_bound_is_that_of_the_errors() {
        let signal = |nats: f64, why: &str| Signal { nats, why: why.to_owned() };
        let weighed = Weighed::of(vec![signal(2.0, "Two."), signal(3.0, "Three.")], Errors::default());
        assert!(weighed.accuses(), "{weighed:?}");
        assert_eq!(weighed.why[0], "Three. (+3.0)");
        assert_eq!(
            weighed.why[2],
            "Weighed together: 5.0; from 4.6 on a sender is accused (false alarm 1 %, missed 5 %)."
        );
        let strict = Errors { false_alarm: 0.001, ..Errors::default() };
        assert!(!Weighed::of(vec![signal(5.0, "Five.")], strict).accuses());
        assert!(!Weighed::of(vec![signal(3.0, "x"), signal(3.0, "y"), signal(-3.0, "z")], Errors::default()).accuses());
    }
}
