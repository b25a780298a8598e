//! Listings: what other servers said of us when they refused our mail. Each is the claim of whoever gave the reply: how much a
//! claim weighs, and whether the address in it is ours, is for the judge to say.

use super::distinct::Distinct;
use super::sample::Smallest;
use super::span::{Evidence, Span};
use super::text::Text;
use super::words;
use crate::merge::Merge;
use relayaudit_parsers::blocklist::About;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What replies to one server have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListingKey {
    /// The server that got the replies.
    pub server: Text,
    /// The address that the replies name; `None` if they name none.
    pub address: Option<IpAddr>,
    /// The list, or the receiver whose wording it is (`relayaudit_parsers::blocklist`).
    pub list: Text,
    /// What they are about.
    #[serde(with = "words::AboutWord")]
    pub about: About,
}

/// How often they said so, and who did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Replies. A message that is tried again gets several.
    pub replies: u64,
    /// Of these, such that the message was to be tried again.
    pub deferred: u64,
    /// Of these, such that it was given up.
    pub bounced: u64,
    /// When.
    pub span: Span,
    /// Some of the receivers: the organisation's part of the host's name, or its network.
    pub receivers: Smallest<Text, 8>,
    /// How many receivers there were.
    pub all_receivers: Distinct,
    /// The earliest lines.
    pub evidence: Smallest<Evidence, 3>,
}

impl Merge for Listing {
    fn merge(&mut self, other: Listing) {
        self.replies.merge(other.replies);
        self.deferred.merge(other.deferred);
        self.bounced.merge(other.bounced);
        self.span.merge(other.span);
        self.receivers.merge(other.receivers);
        self.all_receivers.merge(other.all_receivers);
        self.evidence.merge(other.evidence);
    }
}
