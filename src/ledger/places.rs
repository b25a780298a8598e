//! Domains and servers: what the logs show of who is local to whom. Facts only; the site is
//! inferred from them later.

use super::marks::HandedOn;
use super::sample::Smallest;
use super::span::{Evidence, Span};
use super::text::Text;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A domain in forward-paths, as one server treated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DomainKey {
    /// The server.
    pub server: Text,
    /// The domain, lower case.
    pub domain: Text,
}

/// How a server treated a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainFacts {
    /// Recipients delivered by this server itself (mailbox, command, LMTP store).
    pub delivered_here: u64,
    /// Recipients refused as unknown local users.
    pub unknown_users: u64,
    /// Recipients handed to a server behind this one, which takes mail for the domain by its configuration.
    pub gatewayed: u64,
    /// Recipients handed to another server, those among them.
    pub handed_on: u64,
    /// Servers they were handed to (address or name). Five means "many".
    pub next_hops: Smallest<Text, 5>,
    /// Clients without log-in that sent to it. Nine means "many".
    pub clients: Smallest<Text, 9>,
    /// Lines that show local delivery or a local user table.
    pub evidence: Smallest<Evidence, 1>,
}

impl Merge for DomainFacts {
    fn merge(&mut self, other: DomainFacts) {
        self.delivered_here.merge(other.delivered_here);
        self.unknown_users.merge(other.unknown_users);
        self.gatewayed.merge(other.gatewayed);
        self.handed_on.merge(other.handed_on);
        self.next_hops.merge(other.next_hops);
        self.clients.merge(other.clients);
        self.evidence.merge(other.evidence);
    }
}

/// What was seen of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// When it wrote records.
    pub span: Span,
    /// Records it wrote.
    pub records: u64,
    /// Sessions opened with it.
    pub sessions: u64,
    /// Messages it took in (queue lives; a message that passes a content filter counts once).
    pub messages: u64,
    /// Bytes of those messages.
    pub bytes: u64,
    /// Lines that say that mail of a client is being taken in, and not yet for whom.
    pub openings: u64,
    /// Hours in which it wrote (of `Time::hour`): the holes are gaps in the log.
    pub hours: BTreeSet<i32>,
    /// The first line it wrote.
    pub evidence: Smallest<Evidence, 1>,
    /// The formats it wrote.
    pub formats: BTreeSet<Text>,
    /// Addresses that it sent mail from. Nine means "many".
    pub own_addresses: Smallest<IpAddr, 9>,
    /// Marks of the messages that other servers took from it.
    pub handed_on: HandedOn,
    /// What of it another server of ours took in before and counts; nothing until that is found out.
    pub again: Again,
}

/// Mail that counts elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// Messages.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Merge for Again {
    fn merge(&mut self, other: Again) {
        self.messages.merge(other.messages);
        self.recipients.merge(other.recipients);
        self.bytes.merge(other.bytes);
    }
}

impl Merge for ServerFacts {
    fn merge(&mut self, other: ServerFacts) {
        self.span.merge(other.span);
        self.records.merge(other.records);
        self.sessions.merge(other.sessions);
        self.messages.merge(other.messages);
        self.bytes.merge(other.bytes);
        self.openings.merge(other.openings);
        Merge::merge(&mut self.hours, other.hours);
        self.evidence.merge(other.evidence);
        Merge::merge(&mut self.formats, other.formats);
        self.own_addresses.merge(other.own_addresses);
        self.handed_on.merge(other.handed_on);
        self.again.merge(other.again);
    }
}
