//! Clients and the names they greet with.

use super::flow::Client;
use super::sample::Smallest;
use super::senders::Sent;
use super::span::{Evidence, Span};
use super::text::Text;
use crate::merge::Merge;
use std::collections::BTreeSet;

/// A client of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey {
    /// The server.
    pub server: Text,
    /// The client.
    pub client: Client,
}

/// What was seen of a client besides its mail, which is in the flows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFacts {
    /// Names that the server looked up for the address.
    pub names: Smallest<Text, 4>,
    /// Sessions opened (EHLO commands in logs that have no sessions).
    pub sessions: u64,
    /// When it was seen.
    pub span: Span,
    /// Log-ins that failed.
    pub auth_failures: u64,
    /// Accounts it tried in vain.
    pub accounts_tried: Smallest<Text, 8>,
    /// Lines that show failed log-ins.
    pub auth_evidence: Smallest<Evidence, 3>,
    /// What it sent. Also of users of the server itself.
    pub sent: Sent,
    /// Relay testers whose tell-tale strings it sent (see `parsers::address::tester`).
    pub testers: BTreeSet<Text>,
}

impl Merge for ClientFacts {
    fn merge(&mut self, other: ClientFacts) {
        self.names.merge(other.names);
        self.sessions.merge(other.sessions);
        self.span.merge(other.span);
        self.auth_failures.merge(other.auth_failures);
        self.accounts_tried.merge(other.accounts_tried);
        self.auth_evidence.merge(other.auth_evidence);
        self.sent.merge(other.sent);
        Merge::merge(&mut self.testers, other.testers);
    }
}

/// An EHLO name as one client used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HelloKey {
    /// The server.
    pub server: Text,
    /// The client.
    pub client: Client,
    /// The name, lower case.
    pub name: Text,
}

/// How often an EHLO name was seen with a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelloFacts {
    /// Lines that show it.
    pub times: u64,
    /// When.
    pub span: Span,
    /// The earliest lines.
    pub evidence: Smallest<Evidence, 3>,
}

impl Merge for HelloFacts {
    fn merge(&mut self, other: HelloFacts) {
        self.times.merge(other.times);
        self.span.merge(other.span);
        self.evidence.merge(other.evidence);
    }
}
