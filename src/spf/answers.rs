//! What was asked of SPF and what came of it, as a value.

use crate::ledger::{Text, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// May this client use this domain as reverse-path?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// The client.
    pub client: IpAddr,
    /// The domain of the reverse-path.
    pub domain: Text,
}

/// The results of RFC 7208 section 2.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The owner allows it.
    Pass,
    /// The owner does not.
    Fail,
    /// The owner would rather not say, but does not expect it.
    SoftFail,
    /// The owner leaves it open.
    Neutral,
    /// The owner publishes nothing.
    None,
    /// DNS did not answer.
    TempError,
    /// What the owner publishes is wrong.
    PermError,
}

impl Outcome {
    /// Its name in RFC 7208.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::SoftFail => "softfail",
            Outcome::Neutral => "neutral",
            Outcome::None => "none",
            Outcome::TempError => "temperror",
            Outcome::PermError => "permerror",
        }
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The result.
    pub outcome: Outcome,
    /// The term that decided, or what went wrong. Raw: text of the domain's owner.
    pub why: String,
}

/// All answers. Empty if nobody asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// When they were given; `None` if nobody asked. DNS tells what holds then, not at the time of the logs.
    pub asked: Option<Time>,
    /// The answers.
    pub given: BTreeMap<Question, Answer>,
    /// Questions that were left out, as there were too many or it took too long.
    pub left_out: BTreeSet<Question>,
}
