//! Clients and the names they greet with.

use super::flow::{Client, Hours};
use super::marks::HandedIn;
use super::sample::Smallest;
use super::senders::Sent;
use super::span::{Evidence, Span};
use super::text::Text;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A client of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientKey {
    /// The server.
    pub server: Text,
    /// The client.
    pub client: Client,
}

/// What was seen of a client besides its mail, which is in the flows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFacts {
    /// Names that the server looked up for the address.
    pub names: Smallest<Text, 4>,
    /// Sessions opened (EHLO commands in logs that have no sessions).
    pub sessions: u64,
    /// When it was seen.
    pub span: Span,
    /// Log-ins that failed, by who tells of them.
    pub failures: Failures,
    /// Accounts it tried in vain.
    pub accounts_tried: Smallest<Text, 8>,
    /// When they failed.
    pub failed: Span,
    /// Lines that tell of failures, by hour.
    pub failed_hours: Hours,
    /// Lines that show failed log-ins.
    pub auth_evidence: Smallest<Evidence, 3>,
    /// What it sent. Also of users of the server itself.
    pub sent: Sent,
    /// Relay testers whose tell-tale strings it sent (see `parsers::address::tester`).
    pub testers: BTreeSet<Text>,
    /// Marks of the messages it handed in.
    pub handed_in: HandedIn,
}

impl ClientFacts {
    /// Log-ins that failed, each counted once.
    pub fn auth_failures(&self) -> u64 {
        self.failures.count()
    }
}

impl Merge for ClientFacts {
    fn merge(&mut self, other: ClientFacts) {
        self.names.merge(other.names);
        self.sessions.merge(other.sessions);
        self.span.merge(other.span);
        self.failures.merge(other.failures);
        self.accounts_tried.merge(other.accounts_tried);
        self.failed.merge(other.failed);
        self.failed_hours.merge(other.failed_hours);
        self.auth_evidence.merge(other.auth_evidence);
        self.sent.merge(other.sent);
        Merge::merge(&mut self.testers, other.testers);
        self.handed_in.merge(other.handed_in);
    }
}

/// Log-ins of a client that failed, by who tells of them: several lines may tell of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Lines of the mail server, one for each.
    pub commands: u64,
    /// What the mail server counts when the client leaves (`auth=0/3`).
    pub sessions: u64,
    /// What services tell that clients log in to instead: IMAP, POP3, proxies.
    pub services: u64,
    /// What programs tell that check passwords for all of these.
    pub checkers: u64,
    /// Log-ins that succeeded, anywhere.
    pub log_ins: u64,
}

impl Failures {
    /// How many failed, each counted once as far as the logs can tell.
    ///
    /// The mail server may tell twice of one, by line and when the client leaves, and other services tell of others:
    /// the greater of the first two and the third make a sum. A checker tells of all of them again, and, if it asks several
    /// stores of passwords in turn, also of some that succeed in the end: what it tells beyond those counts if it is more.
    pub fn count(&self) -> u64 {
        let told = self.commands.max(self.sessions).saturating_add(self.services);
        told.max(self.checkers.saturating_sub(self.log_ins))
    }
}

impl Merge for Failures {
    fn merge(&mut self, other: Failures) {
        self.commands.merge(other.commands);
        self.sessions.merge(other.sessions);
        self.services.merge(other.services);
        self.checkers.merge(other.checkers);
        self.log_ins.merge(other.log_ins);
    }
}

/// An EHLO name as one client used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HelloKey {
    /// The server.
    pub server: Text,
    /// The client.
    pub client: Client,
    /// The name, lower case.
    pub name: Text,
}

/// How often an EHLO name was seen with a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_once_whoever_tells_of_it() {
        let check = |commands, sessions, services, checkers, log_ins, want| {
            let failures = Failures { commands, sessions, services, checkers, log_ins };
            assert_eq!(failures.count(), want, "{failures:?}");
        };
        check(7, 0, 0, 0, 0, 7);
        check(7, 7, 0, 0, 0, 7);
        check(2, 7, 0, 7, 0, 7);
        check(7, 7, 5, 12, 0, 12);
        check(7, 7, 5, 0, 0, 12);
        // The checker alone, and one that asks two stores for the sake of each log-in that succeeds.
        check(0, 0, 0, 12, 2, 10);
        check(0, 0, 0, 400, 400, 0);
        check(0, 0, 0, 0, 9, 0);
    }
}
