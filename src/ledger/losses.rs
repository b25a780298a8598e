//! Losses: lines that loggers say they did not write. Which of them were about mail, nobody can tell.

use super::flow::Hours;
use super::sample::Smallest;
use super::span::{Evidence, Time};
use super::text::Text;
use super::words;
use crate::merge::Merge;
use relayaudit_parsers::record::Logger;
use serde::{Deserialize, Serialize};

/// Where lines were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LossKey {
    /// The server whose lines they were.
    pub server: Text,
    /// Who lost them.
    #[serde(with = "words::LoggerWord")]
    pub logger: Logger,
    /// The unit or program that wrote them; empty if the logger does not name it.
    pub writer: Text,
}

/// How many lines were lost, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Lines, by the statements that count from the one before.
    pub lines: u64,
    /// The greatest total of statements that count from the start of the logger.
    pub total: u64,
    /// Lines by the hour of the statement; of statements of a total, one for each.
    pub hours: Hours,
    /// The first statements.
    pub evidence: Smallest<Evidence, 1>,
}

impl Loss {
    /// Counts a statement.
    pub fn see(&mut self, time: Option<Time>, lines: u64, is_total: bool) {
        if is_total {
            self.total = self.total.max(lines);
        } else {
            self.lines.merge(lines);
        }
        if let Some(time) = time {
            self.hours.add(time.hour(), if is_total { 1 } else { lines });
        }
    }
}

impl Merge for Loss {
    fn merge(&mut self, other: Loss) {
        self.lines.merge(other.lines);
        self.total = self.total.max(other.total);
        self.hours.merge(other.hours);
        self.evidence.merge(other.evidence);
    }
}
