//! Log-ins by account: which passwords somebody tried, from how many clients, and who got in.
//!
//! Bound: [`KEPT`] accounts, as guessers try any name; the failures of the others are counted.

use super::capped::{Capped, Spread, Weight};
use super::clients::Failures;
use super::flow::{Client, Hours};
use super::hash;
use super::sample::Smallest;
use super::senders::AccountKey;
use super::span::{Evidence, Span};
use super::words;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Accounts kept: those with the smallest hashes.
pub const KEPT: usize = 16_384;
/// Clients kept that failed with one account.
pub const CLIENTS: usize = 64;

/// The book.
pub type LogIns = Capped<AccountKey, LogInFacts, KEPT>;

impl Spread for AccountKey {
    fn spread(&self) -> u64 {
        let AccountKey { server, account } = self;
        hash::stable_texts(&[server, account])
    }
}

/// What was seen of the log-ins of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInFacts {
    /// Log-ins that failed and succeeded, by who tells of them.
    pub failures: Failures,
    /// When they failed.
    pub span: Span,
    /// Lines that tell of failures, by hour.
    pub hours: Hours,
    /// Clients that failed.
    pub clients: Smallest<Client, CLIENTS>,
    /// The earliest lines that show failures.
    pub evidence: Smallest<Evidence, 3>,
    /// Clients that got in, each with its first line and time: nobody adds to these without a password.
    #[serde(with = "words::pairs")]
    pub entered: BTreeMap<Client, First>,
}

impl Weight for LogInFacts {
    /// Not how many failed: that of a sum is not the sum of that.
    type Rest = Failures;

    fn weight(&self) -> Failures {
        self.failures
    }
}

impl Merge for LogInFacts {
    fn merge(&mut self, other: LogInFacts) {
        self.failures.merge(other.failures);
        self.span.merge(other.span);
        self.hours.merge(other.hours);
        self.clients.merge(other.clients);
        self.evidence.merge(other.evidence);
        Merge::merge(&mut self.entered, other.entered);
    }
}

/// The first time that something was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct First {
    /// When: the earliest time.
    pub span: Span,
    /// The earliest line.
    pub line: Smallest<Evidence, 1>,
}

impl Merge for First {
    fn merge(&mut self, other: First) {
        self.span.merge(other.span);
        self.line.merge(other.line);
    }
}
