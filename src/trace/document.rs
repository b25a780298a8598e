//! The document: what `trace` publishes, schema `relayaudit.trace/1`. Additions only; text of logs is raw.

use super::answer::Answer;
use super::tree::Node;
use crate::ledger::Time;
use crate::report::model::rfc3339;
use serde::Serialize;
use std::collections::BTreeMap;

/// The name and version of the document's schema.
pub const SCHEMA: &str = "relayaudit.trace/1";

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of the program.
    pub version: &'static str,
    /// What was looked for.
    pub keys: Vec<KeyRow>,
    /// The answer to a pasted header; `None` if none was given.
    pub answer: Option<Answer>,
    /// What the logs cover.
    pub coverage: Coverage,
    /// The site that the verdicts rest on.
    pub site: SiteRows,
    /// Sums over all messages, those that are not shown too.
    pub summary: Summary,
    /// Who handed what to whom.
    pub propagation: Vec<Node>,
    /// The first messages, in the order of time.
    pub messages: Vec<MessageRow>,
    /// What is not in it, in sentences; empty if all is.
    pub incomplete: Vec<String>,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// As given.
    pub text: String,
    /// What it may be.
    pub kinds: Vec<&'static str>,
    /// What it was, by kind, and of how much.
    pub matched: BTreeMap<&'static str, Matched>,
}

/// How much a key matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Matched {
    /// Messages, each once over all servers.
    pub messages: u64,
    /// Recipients that were refused before there was a message.
    pub refusals: u64,
}

/// What the logs cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The first record.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// The last record.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// The same of each server.
    pub servers: Vec<ServerRow>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerRow {
    /// Its name; empty where the log has none.
    pub name: String,
    /// Its first record.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Its last record.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
}

/// The site, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteRows {
    /// Local domains.
    pub local_domains: Vec<String>,
    /// Trusted networks.
    pub trusted_networks: Vec<String>,
    /// Whether the user stated the local domains, so that they are no guess.
    pub stated: bool,
}

/// Sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Messages, each once over all servers.
    pub messages: u64,
    /// Recipients, refused ones too.
    pub recipients: u64,
    /// The first line of any.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// The last.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Recipients by verdict.
    pub by_verdict: BTreeMap<&'static str, u64>,
    /// Recipients by outcome.
    pub by_outcome: BTreeMap<&'static str, u64>,
    /// Domains of recipients, the most recipients first.
    pub domains: Vec<DomainRow>,
    /// Notifications of failure that these messages caused.
    pub notifications: u64,
    /// Entries in `messages`.
    pub shown: u64,
    /// Messages and refusals that match and are not among `messages`, but are counted above.
    pub not_shown: u64,
    /// Messages that match and were not kept, as there are too many: they are counted here only.
    pub left_out_messages: u64,
    /// Their recipients.
    pub left_out_recipients: u64,
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DomainRow {
    /// Its name; empty for paths without domain.
    pub domain: String,
    /// Recipients.
    pub recipients: u64,
}

/// One message through all servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageRow {
    /// The Message-ID; empty if not logged.
    pub message_id: String,
    /// The reverse-path; empty for the null reverse-path, missing if not logged.
    pub reverse_path: Option<String>,
    /// When it came in, or was first seen.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// The last line that tells of it.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Whether it is no message but a recipient that was refused.
    pub is_refusal: bool,
    /// By what right it came in.
    pub authority: &'static str,
    /// The same in a sentence.
    pub authority_text: String,
    /// Why the logs do not tell how it came in; missing if they do.
    pub injection_missing: Option<String>,
    /// Each recipient once: what became of it on the last server, and the verdict of the first. Those of notifications and of
    /// forwarded copies stand in `lives` only.
    pub recipients: Vec<RecipientRow>,
    /// Its stays on servers, in the order of time; notifications and forwarded copies too.
    pub lives: Vec<LifeRow>,
    /// All steps on all servers, in the order of time.
    pub steps: Vec<StepRow>,
}

/// A stay on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LifeRow {
    /// The server.
    pub server: String,
    /// The format of the log.
    pub format: String,
    /// Its queue ids there, the first one first.
    pub queue_ids: Vec<String>,
    /// The session; empty if not logged.
    pub session: String,
    /// The Message-ID; empty if not logged.
    pub message_id: String,
    /// The entry of `lives` that it follows from.
    pub follows: Option<usize>,
    /// How: handed-on, same-message-id, other-log, sent, refused-recipient, forwarded or notification.
    pub bond: Option<&'static str>,
    /// How it came in: network, local, system, forwarded, outbound or unknown.
    pub origin: &'static str,
    /// The client's address.
    pub client: Option<String>,
    /// The client's name; empty if not logged.
    pub client_name: String,
    /// The EHLO name; empty if not logged.
    pub helo: String,
    /// The account.
    pub account: Option<String>,
    /// The local user; empty if none.
    pub user: String,
    /// The reverse-path.
    pub reverse_path: Option<String>,
    /// Size in bytes; 0 if not logged.
    pub size_bytes: u64,
    /// By what right it came in.
    pub authority: &'static str,
    /// The recipients.
    pub recipients: Vec<RecipientRow>,
}

/// A recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipientRow {
    /// The forward-path as the client gave it.
    pub forward_path: String,
    /// That of the last attempt, if it is another.
    pub final_path: Option<String>,
    /// What became of it (as in `extract`).
    pub outcome: &'static str,
    /// The verdict (as in `extract`); missing for a second view of what other rows tell.
    pub verdict: Option<&'static str>,
    /// Where it went; empty if nowhere.
    pub next_hop: String,
    /// When the line that says so was written.
    #[serde(serialize_with = "rfc3339")]
    pub time: Option<Time>,
    /// The file.
    pub path: String,
    /// The line.
    pub line: u64,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepRow {
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub time: Option<Time>,
    /// The entry of `lives`.
    pub life: usize,
    /// The queue id on the line; empty if it names none.
    pub queue_id: String,
    /// came-in, first-seen, came-back, accepted, refused, attempt, forwarded, notification, reinjected, expanded or dropped.
    pub kind: &'static str,
    /// The outcome of an attempt.
    pub outcome: Option<&'static str>,
    /// The id that it leads to; empty if none.
    pub leads_to: String,
    /// The answer of the server that was asked; empty if not logged.
    pub reply: String,
    /// All of it in a sentence.
    pub text: String,
    /// The file.
    pub path: String,
    /// The line.
    pub line: u64,
}
