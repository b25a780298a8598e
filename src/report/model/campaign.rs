//! The row of a campaign.

use super::{Line, rfc3339};
use crate::judge::{Rule, Severity};
use crate::ledger::Time;
use serde::Serialize;

/// Clients that belong together by something else than their addresses, or those of a relay tester.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CampaignRow {
    /// What its clients have in common; the value of the finding's subject.
    pub name: String,
    /// Shapes of the EHLO names that its clients share.
    pub helo: Vec<String>,
    /// Reverse-paths that its clients share, in words.
    pub reverse_paths: Vec<String>,
    /// Different clients.
    pub clients: u64,
    /// Different networks (/24, /64) of those clients.
    pub networks: u64,
    /// The clients.
    pub addresses: Vec<String>,
    /// Stolen accounts they used.
    pub accounts: Vec<String>,
    /// Servers they were seen on.
    pub servers: Vec<String>,
    /// Since when.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Until when.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Messages taken in.
    pub messages: u64,
    /// Recipients taken for outside domains.
    pub recipients_accepted: u64,
    /// Recipients refused.
    pub recipients_denied: u64,
    /// Failed log-ins.
    pub auth_failures: u64,
    /// The rules that accuse its clients and accounts.
    pub rules: Vec<Rule>,
    /// How bad it is.
    pub severity: Severity,
    /// The reasons, one sentence each.
    pub why: Vec<String>,
    /// The earliest lines.
    pub evidence: Vec<Line>,
}
