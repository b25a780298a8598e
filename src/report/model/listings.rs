//! The rows on what waits in the queue and on what other servers say of ours.

use super::{Line, SubjectRow};
use crate::judge::Rule;
use crate::ledger::Time;
use relayaudit_parsers::blocklist::About;
use serde::{Serialize, Serializer};

/// Mail that waits when the logs end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueuedRow {
    /// Recipients to be tried again.
    pub recipients: u64,
    /// Queue ids of some of the messages.
    pub ids: Vec<String>,
    /// Recipients of which the logs show no end, though they show those of others.
    pub unseen: u64,
}

/// What replies of other servers say of one of our addresses, by list or by receiver.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlocklistingRow {
    /// The list, or the receiver whose wording it is; `unnamed` if replies name none.
    pub list: String,
    /// `address`, `reputation`, `complaints`, `volume`, `domain`, `content`, `range`, `setup` or `policy`.
    #[serde(serialize_with = "about")]
    pub about: About,
    /// Our server that got the replies.
    pub server: String,
    /// Our address, as replies name it; null if they name none.
    pub address: Option<String>,
    /// Some of the receivers: the registered part of their hosts' names, or networks; eight at most.
    pub receivers: Vec<String>,
    /// Time of the first reply.
    #[serde(serialize_with = "super::rfc3339")]
    pub first: Option<Time>,
    /// Time of the last reply.
    #[serde(serialize_with = "super::rfc3339")]
    pub last: Option<Time>,
    /// Replies.
    pub replies: u64,
    /// Of these, such that the mail was to be tried again.
    pub deferred: u64,
    /// Of these, such that the mail was given up.
    pub bounced: u64,
    /// The abuse that began before the first reply, if any was found.
    pub preceded_by: Option<RelationRow>,
    /// If there is none: the first abuse that began after it.
    pub precedes: Option<RelationRow>,
    /// The earliest lines.
    pub evidence: Vec<Line>,
    /// Where to ask for removal: a page or a mailbox; null if none is known.
    pub delist: Option<&'static str>,
    /// How many receivers there were; exact up to 32.
    pub receivers_total: u64,
}

/// A finding of abuse, seen from a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RelationRow {
    /// Its rule.
    pub rule: Rule,
    /// Whom it concerns.
    pub subject: SubjectRow,
    /// Minutes between its beginning and the first reply.
    pub minutes: u64,
}

/// Writes what a listing is about by its published name.
fn about<S: Serializer>(about: &About, serializer: S) -> Result<S::Ok, S::Error> {
    about.as_str().serialize(serializer)
}
