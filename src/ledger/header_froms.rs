//! From headers that name another domain than the reverse-path, where a log has both. Nearly every newsletter and mailing list
//! is such mail, and so is mail in somebody else's name.

use super::flow::Client;
use super::sample::Smallest;
use super::span::{Evidence, Span};
use super::text::Text;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};

/// What messages have in common that a client sent without log-in. Names and domains are lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeaderFromKey {
    /// The server.
    pub server: Text,
    /// The client.
    pub client: Client,
    /// The domain in the From header.
    pub domain: Text,
}

/// How much of it there was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderFrom {
    /// Messages.
    pub messages: u64,
    /// Recipients that were accepted.
    pub recipients: u64,
    /// When.
    pub span: Span,
    /// Domains of the reverse-paths; the empty one is the null reverse-path. Five means "many".
    pub reverse_domains: Smallest<Text, 5>,
    /// The earliest lines.
    pub evidence: Smallest<Evidence, 3>,
}

impl Merge for HeaderFrom {
    fn merge(&mut self, other: HeaderFrom) {
        self.messages.merge(other.messages);
        self.recipients.merge(other.recipients);
        self.span.merge(other.span);
        self.reverse_domains.merge(other.reverse_domains);
        self.evidence.merge(other.evidence);
    }
}
