//! The document `relayaudit.report/1`: the names and the order of its fields are a promise.
//! Fields may be added, at the end; none is renamed, moved or taken away.

mod campaign;
mod listings;

pub use campaign::CampaignRow;
pub use listings::{BlocklistingRow, QueuedRow, RelationRow};

use super::handovers::HandOverRow;
use crate::judge::{Cause, Rule, Severity};
use crate::ledger::Time;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The name and version of the document's schema.
pub const SCHEMA: &str = "relayaudit.report/1";

/// Everything a run has to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What made it.
    pub tool: Tool,
    /// What was read.
    pub coverage: Coverage,
    /// What was taken to be ours.
    pub site: SiteTable,
    /// The answer.
    pub verdict: VerdictRow,
    /// The answer for each server, by name.
    pub servers: Vec<ServerRow>,
    /// Sums over all servers.
    pub totals: TotalsRow,
    /// The findings, worst first.
    pub findings: Vec<FindingRow>,
    /// Clients with a finding about abuse, worst first.
    pub offenders: Vec<Offender>,
    /// Accounts that sent mail, most recipients first.
    pub accounts: Vec<AccountRow>,
    /// Recipients by hour.
    pub timeline: Vec<HourRow>,
    /// What other servers say of ours when they refuse mail, the gravest first.
    pub blocklistings: Vec<BlocklistingRow>,
    /// Clients that belong together, and relay testers; worst first.
    pub campaigns: Vec<CampaignRow>,
    /// Some of the lines that broke the grammar.
    pub unparsed_samples: Vec<UnparsedLine>,
    /// Mail that servers passed to each other.
    pub handovers: Vec<HandOverRow>,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// `relayaudit`.
    pub name: &'static str,
    /// Its version.
    pub version: String,
}

/// What was read, and what is missing from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Time of the first record.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Time of the last record.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// The files.
    pub inputs: Vec<InputRow>,
    /// What is missing from the logs of each server.
    pub gaps: Vec<Gap>,
    /// What had to be assumed to read the times, in words: the zone, the year.
    pub assumptions: Vec<String>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputRow {
    /// Its path; `-` for stdin.
    pub path: String,
    /// Its format; empty if none was recognised.
    pub format: String,
    /// Bytes, after decompression.
    pub bytes: u64,
    /// Lines: the sum of the next four.
    pub lines: u64,
    /// Lines that say something about mail.
    pub records: u64,
    /// Lines that describe the log.
    pub directives: u64,
    /// Lines that say nothing about mail.
    pub ignored: u64,
    /// Lines that broke the grammar.
    pub unparsed: u64,
    /// Time of the first record.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Time of the last record.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// What went wrong.
    pub problems: Vec<String>,
}

/// Something that the logs of a server do not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The server.
    pub server: String,
    /// Start of the first hour concerned; of a missing kind of line, when the server's logs begin.
    #[serde(serialize_with = "rfc3339")]
    pub from: Option<Time>,
    /// Start of the first hour no longer concerned; of a missing kind of line, when the server's logs end.
    #[serde(serialize_with = "rfc3339")]
    pub to: Option<Time>,
    /// What is missing: `silence` (hours of a busy server), `lost-lines`, or a kind of line: `no-arrivals`,
    /// `no-deliveries`, `no-sessions`, `no-accounts`.
    pub kind: &'static str,
    /// What is missing, in one sentence.
    pub what: String,
    /// What to give or to set so that it is not.
    pub advice: String,
    /// Lines that were lost; 0 if nobody counted them.
    pub lines_lost: u64,
    /// Recipients of which something cannot be told for it.
    pub recipients: u64,
    /// The lines that say so.
    pub evidence: Vec<Line>,
}

/// What was taken to be ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SiteTable {
    /// Domains for which mail is taken in.
    pub local_domains: Vec<SiteRow>,
    /// Networks whose hosts may relay.
    pub trusted_networks: Vec<SiteRow>,
    /// Names of our servers.
    pub server_names: Vec<SiteRow>,
    /// Addresses of our servers.
    pub server_addresses: Vec<SiteRow>,
}

/// One entry of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteRow {
    /// The domain, network, name or address.
    pub value: String,
    /// `command line`, `inferred`, or the place in a file.
    pub origin: String,
    /// The line it was inferred from.
    pub evidence: Option<Line>,
    /// Why it was inferred; empty for what was stated.
    pub why: String,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// What it says, raw.
    pub text: String,
}

/// A line that broke the grammar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnparsedLine {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// What it says, raw.
    pub text: String,
    /// What was expected instead.
    pub reason: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerdictRow {
    /// The cause.
    pub cause: Cause,
    /// How sure, from 0 to 1.
    pub confidence: f64,
    /// One sentence.
    pub headline: String,
    /// Since when the abuse was seen.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Until when.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// The deciding facts.
    pub why: Vec<String>,
    /// What was looked for and not seen.
    pub not_seen: Vec<String>,
    /// What to do now, in order.
    pub next: Vec<String>,
    /// Other explanations, likeliest first.
    pub alternatives: Vec<Alternative>,
    /// The deciding lines.
    pub evidence: Vec<Line>,
    /// Whether the abuse goes on when the logs end, or what leaves then is the old queue; empty without abuse.
    pub ending: String,
}

/// Another explanation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alternative {
    /// The cause.
    pub cause: Cause,
    /// How likely, from 0 to 1.
    pub confidence: f64,
    /// What speaks for it.
    pub why: Vec<String>,
}

/// The answer for one server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerRow {
    /// The server.
    pub server: String,
    /// The cause.
    pub cause: Cause,
    /// How sure, from 0 to 1.
    pub confidence: f64,
    /// When it wrote its first record.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// When it wrote its last record.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Messages it took in.
    pub messages: u64,
    /// Recipients it relayed for clients without permission.
    pub relayed_recipients: u64,
}

/// Sums over all servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TotalsRow {
    /// Sessions.
    pub sessions: u64,
    /// Messages taken in.
    pub messages: u64,
    /// Recipients, accepted or not.
    pub recipients: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// Recipients by verdict.
    pub by_verdict: BTreeMap<&'static str, u64>,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubjectRow {
    /// `client`, `account`, `server`, ...
    pub kind: &'static str,
    /// The address, the account name, ...
    pub value: String,
}

/// One thing that was found about one subject on one server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingRow {
    /// The rule that fired.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// How sure, from 0 to 1.
    pub confidence: f64,
    /// Whom it concerns.
    pub subject: SubjectRow,
    /// Since when.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Until when.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Sessions of the subject.
    pub sessions: u64,
    /// Messages taken in.
    pub messages: u64,
    /// Recipients asked for.
    pub attempts: u64,
    /// Recipients accepted.
    pub recipients_accepted: u64,
    /// Recipients denied.
    pub recipients_denied: u64,
    /// Of the accepted: delivered, or taken by another server.
    pub recipients_delivered: u64,
    /// Of the accepted: still in the queue at the end of the log.
    pub recipients_deferred: u64,
    /// Of the accepted: refused later.
    pub recipients_bounced: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// The reasons, one sentence each.
    pub why: Vec<String>,
    /// The lines that prove it.
    pub evidence: Vec<Line>,
    /// What to do.
    pub remedy: Vec<String>,
    /// The server it was found on.
    pub server: String,
    /// When the last of the mail came in, for rules about mail that was taken in for sending; else null.
    #[serde(serialize_with = "rfc3339")]
    pub last_entered: Option<Time>,
    /// When a delivery of that mail was last tried.
    #[serde(serialize_with = "rfc3339")]
    pub last_attempt: Option<Time>,
    /// What of it is in the queue when the logs end; null for other rules.
    pub queued: Option<QueuedRow>,
}

/// A client with at least one finding about abuse, on whatever server. Its figures are those of
/// its findings: per server the largest, as rules may count the same mail, and the sum over servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offender {
    /// The client: its address, or what the log gives instead.
    pub client: String,
    /// A name that the servers looked up for it.
    pub name: Option<String>,
    /// EHLO names it used, most used first; the first ten.
    pub helo: Vec<String>,
    /// Since when.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Until when.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Its sessions.
    pub sessions: u64,
    /// Its messages that the findings are about and that were taken in.
    pub messages: u64,
    /// Recipients relayed for it without permission.
    pub recipients_accepted: u64,
    /// Recipients it was denied.
    pub recipients_denied: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// Accounts it logged in with.
    pub accounts: Vec<String>,
    /// Every rule with a finding about it.
    pub rules: Vec<Rule>,
    /// The worst of its findings.
    pub severity: Severity,
}

/// An account that sent mail, on whatever server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountRow {
    /// The account.
    pub account: String,
    /// Since when it sent.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Until when.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Messages taken in.
    pub messages: u64,
    /// Recipients accepted.
    pub recipients: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// Different clients it sent from.
    pub clients: u64,
    /// Different networks (/24, /64) of those clients.
    pub networks: u64,
    /// Failed log-ins of clients that tried this account: at most so many were for it.
    pub auth_failures: u64,
    /// Rules with a finding about it.
    pub rules: Vec<Rule>,
    /// The worst of its findings; `None` without any.
    pub severity: Option<Severity>,
}

/// One hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HourRow {
    /// Its start.
    #[serde(serialize_with = "rfc3339")]
    pub hour: Option<Time>,
    /// Recipients by verdict.
    pub by_verdict: BTreeMap<&'static str, u64>,
}

/// Writes a time as RFC 3339 in UTC, or as null.
pub(super) fn rfc3339<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(Time::rfc3339).serialize(serializer)
}
