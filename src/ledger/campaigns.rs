//! Templates: what messages have in common that one program sends from many places, found without the address.
//!
//! A template is made of the shape of the EHLO name and the shape and domain of the reverse-path (see
//! `parsers::shape`), and of how the server took it. Sizes and numbers of recipients vary within a campaign, and a refused
//! recipient has neither, so they are noted and tell no templates apart. Mail that ended in mailboxes of the server alone is
//! not counted: it is most of all mail, and nobody abused the server with it.
//!
//! Bound: [`KEPT`] templates, of some 600 bytes each, whatever the clients make up; the messages of the others are counted.

use super::capped::{Capped, Spread, Weight};
use super::flow::{Client, Hours};
use super::hash;
use super::sample::Smallest;
use super::span::{Evidence, Span};
use super::text::Text;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};

/// Templates kept: those with the smallest hashes.
pub const KEPT: usize = 16_384;
/// Clients kept of one template.
pub const CLIENTS: usize = 64;

/// The book.
pub type Templates = Capped<TemplateKey, TemplateFacts, KEPT>;

/// How a server took what followed a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    /// It refused to relay, or refused and did not say why.
    Refused,
    /// It accepted it from a client that had not logged in.
    Accepted,
    /// It accepted it from one that had.
    LoggedIn,
}

/// What messages of one template have in common. Names and domains are lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TemplateKey {
    /// The shape of the EHLO name; empty where the log does not give it.
    pub hello: Text,
    /// The shape of the local-part of the reverse-path; empty for the null reverse-path.
    pub local: Text,
    /// The domain of the reverse-path; `None` where the log does not give it.
    pub domain: Option<Text>,
    /// Whether the reverse-path is also the forward-path.
    pub to_itself: bool,
    /// How it was taken.
    pub taken: Taken,
}

impl Spread for TemplateKey {
    fn spread(&self) -> u64 {
        let TemplateKey { hello, local, domain, to_itself, taken } = self;
        // Ledgers that are saved are cut by it: these words must never change.
        let taken = match taken {
            Taken::Refused => "refused",
            Taken::Accepted => "accepted",
            Taken::LoggedIn => "logged-in",
        };
        let said = if domain.is_some() { "domain" } else { "" };
        let to_itself = if *to_itself { "to-itself" } else { "" };
        hash::stable_texts(&[hello, local, said, domain.as_deref().unwrap_or_default(), to_itself, taken])
    }
}

/// What was seen of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateFacts {
    /// Messages; where the server refused, recipients in lines of their own count as one each.
    pub messages: u64,
    /// Recipients.
    pub recipients: u64,
    /// Powers of two of the sizes in bytes, as bits: bit 11 for 2,048 to 4,095. None for unknown sizes.
    pub sizes: u64,
    /// Powers of two of the recipients of a message, as bits.
    pub widths: u64,
    /// When.
    pub span: Span,
    /// Recipients by hour.
    pub hours: Hours,
    /// Who sent it, and to which server.
    pub clients: Smallest<(Client, Text), CLIENTS>,
    /// The accounts with which it was sent.
    pub accounts: Smallest<Text, 16>,
    /// Local-parts of its reverse-paths, lower case: one alone is no shape but a mailbox.
    pub locals: Smallest<Box<str>, 2>,
    /// EHLO names, as they were said.
    pub names: Smallest<Box<str>, 3>,
    /// The earliest lines.
    pub evidence: Smallest<Evidence, 2>,
}

impl Weight for TemplateFacts {
    type Rest = u64;

    fn weight(&self) -> u64 {
        self.messages
    }
}

impl Merge for TemplateFacts {
    fn merge(&mut self, other: TemplateFacts) {
        self.messages.merge(other.messages);
        self.recipients.merge(other.recipients);
        self.sizes |= other.sizes;
        self.widths |= other.widths;
        self.span.merge(other.span);
        self.hours.merge(other.hours);
        self.clients.merge(other.clients);
        self.accounts.merge(other.accounts);
        self.locals.merge(other.locals);
        self.names.merge(other.names);
        self.evidence.merge(other.evidence);
    }
}
