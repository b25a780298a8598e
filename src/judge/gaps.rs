//! Gaps: what the logs do not hold, as far as the ledger shows it, and what would have given it.
//!
//! Hours without a line, lines that were lost, and kinds of line that are missing. They are no findings: nobody is
//! accused of them, but an answer that rests on such logs is worth less.

mod kinds;
mod losses;
mod silence;

use super::routed::Routed;
use crate::ledger::{Evidence, Span, Text};

/// What is missing. The names are part of the published contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// Hours in which a busy server wrote nothing.
    Silence,
    /// Lines that the logger says it lost.
    LostLines,
    /// The lines that tell who handed mail in.
    NoArrivals,
    /// The lines that tell what became of mail.
    NoDeliveries,
    /// The log of sessions, with refusals and failed log-ins.
    NoSessions,
    /// The accounts of clients that logged in.
    NoAccounts,
}

impl GapKind {
    /// The word of the published contract.
    pub fn as_str(self) -> &'static str {
        match self {
            GapKind::Silence => "silence",
            GapKind::LostLines => "lost-lines",
            GapKind::NoArrivals => "no-arrivals",
            GapKind::NoDeliveries => "no-deliveries",
            GapKind::NoSessions => "no-sessions",
            GapKind::NoAccounts => "no-accounts",
        }
    }

    /// Whether a kind of line is missing, not a stretch of time.
    pub fn is_kind_of_line(self) -> bool {
        !matches!(self, GapKind::Silence | GapKind::LostLines)
    }
}

/// Something that is missing from the logs of one server.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// The server.
    pub server: Text,
    /// What is missing.
    pub kind: GapKind,
    /// From when to when: whole hours, or the time of the server's logs. Unknown where no line has a time.
    pub span: Span,
    /// Lines that were lost; 0 if nobody counted them.
    pub lines_lost: u64,
    /// Recipients of which something cannot be told for it.
    pub recipients: u64,
    /// What is missing, in one sentence.
    pub what: String,
    /// What to give or to set, in one sentence or more.
    pub advice: String,
    /// The lines that say so.
    pub evidence: Vec<Evidence>,
}

/// Everything that is missing, by server and kind.
pub fn gaps(routed: &Routed<'_>) -> Vec<Gap> {
    let mut gaps = silence::find(routed.ledger);
    gaps.extend(losses::find(routed.ledger));
    gaps.extend(kinds::find(routed));
    gaps.sort_by_key(|gap| (gap.server, gap.kind, gap.span.first));
    gaps
}
