//! What detectors return: findings, and the verdict over them.

use crate::ledger::{Evidence, Span, Text, Time};
use serde::{Deserialize, Serialize};

/// How bad a finding is. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information.
    Info,
    /// Background noise of the Internet: nothing to do.
    Low,
    /// Worth a look.
    Medium,
    /// The server was abused, or is about to be.
    High,
    /// The server is being abused in volume.
    Critical,
}

/// The rules that can fire. The names are part of the published contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A client without permission had mail relayed to third parties.
    OpenRelay,
    /// A client tried to relay, and was refused.
    RelayProbe,
    /// A client had mail relayed by a disguised address.
    RelayTrick,
    /// An outside client used one of our domains as reverse-path.
    SpoofedLocalSender,
    /// An outside client used a domain that imitates one of ours.
    LookalikeDomain,
    /// A client used the null reverse-path for what is no notification.
    NullSenderAbuse,
    /// Bounces of mail that others sent in the name of a domain of ours.
    BackscatterVictim,
    /// An outside client greeted with our name or address.
    HeloImpersonation,
    /// An account was used to send spam.
    CompromisedAccount,
    /// A trusted host sends spam.
    AbusedTrustedHost,
    /// A user of the server hands in spam.
    AbusedLocalScript,
    /// One inside address hides many clients.
    HiddenClients,
    /// Passwords are guessed.
    CredentialGuessing,
    /// Recipients are guessed.
    DirectoryHarvest,
    /// Notifications to people who never wrote.
    Backscatter,
    /// Other servers say that they block us.
    Blocklisted,
    /// A line of the server's configuration lets strangers send.
    PolicyExposure,
    /// Far more mail than usual.
    VolumeAnomaly,
    /// Several clients that belong together, or a known relay tester.
    Campaign,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// `client`, `account`, `user`, `server`, `server-address`, `network`, `domain`, `campaign`, `config-line`.
    pub kind: &'static str,
    /// The address, the account name, ...
    pub value: Text,
}

/// One thing a detector found about one subject, with its proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that fired.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// How sure we are, from 0 to 1. An inferred site lowers it.
    pub confidence: f64,
    /// Whom it concerns.
    pub subject: Subject,
    /// The server it was found on.
    pub server: Text,
    /// When.
    pub span: Span,
    /// Sessions of the subject.
    pub sessions: u64,
    /// Messages taken in.
    pub messages: u64,
    /// Recipients asked for, whatever the answer.
    pub attempts: u64,
    /// Recipients accepted (those that the rule is about).
    pub recipients_accepted: u64,
    /// Recipients denied.
    pub recipients_denied: u64,
    /// Of the accepted: delivered, or taken by another server.
    pub recipients_delivered: u64,
    /// Of the accepted: still in our queue at the end of the log.
    pub recipients_deferred: u64,
    /// Of the accepted: refused later, by another server or by us.
    pub recipients_bounced: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// The reasons, one sentence each, with figures. May hold text from the logs: escape for the medium.
    pub why: Vec<String>,
    /// The lines that prove it, by place.
    pub evidence: Vec<Evidence>,
    /// What to do now, one step each.
    pub remedy: Vec<String>,
    /// What the queue has of it, if the rule is about mail that was taken in for sending.
    pub queue: Option<Queue>,
}

/// What is in the queue of the mail that a finding is about. When it came in and when it leaves are apart by days: after
/// the door is shut, what is queued goes on to leave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    /// When the last of it came in.
    pub last_entered: Option<Time>,
    /// When a delivery of it was last tried.
    pub last_attempt: Option<Time>,
    /// Recipients to be tried again when the logs end.
    pub recipients: u64,
    /// Recipients of which the logs show no end, though they show those of others: not tried yet, or logged later.
    pub unseen: u64,
    /// Queue ids of some of these messages. Letters, digits and `-` only.
    pub ids: Vec<String>,
}

/// The cause of the trouble, for a run or a server. Ordered from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Clients without permission relay through the server.
    OpenRelay,
    /// Stolen credentials.
    CompromisedAccount,
    /// A trusted host sends spam.
    AbusedTrustedHost,
    /// A program on the server sends spam.
    AbusedLocalScript,
    /// The server answers forged mail with bounces.
    Backscatter,
    /// Relaying was tried and refused.
    ProbesOnly,
    /// Spam, if any, came in and did not go out.
    InboundOnly,
    /// Ordinary traffic.
    Clean,
    /// The logs do not show enough to tell.
    InsufficientEvidence,
}

/// The answer to "was it us, and what do I do now?".
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The cause.
    pub cause: Cause,
    /// How sure, from 0 to 1.
    pub confidence: f64,
    /// One sentence.
    pub headline: String,
    /// Since when and until when the abuse was seen.
    pub span: Span,
    /// The facts that decide it, with times.
    pub why: Vec<String>,
    /// The deciding lines.
    pub evidence: Vec<Evidence>,
    /// What was looked for and not seen, in plain sentences.
    pub not_seen: Vec<String>,
    /// What to do now, in order.
    pub next: Vec<String>,
    /// Whether the abuse goes on when the logs end, or what leaves then is the old queue; empty without abuse.
    pub ending: String,
    /// Other explanations, likeliest first: cause, confidence, why.
    pub alternatives: Vec<(Cause, f64, Vec<String>)>,
}
