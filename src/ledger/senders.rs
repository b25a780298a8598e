//! What somebody sent, however it went: clients, accounts, local users.

use super::distinct::Distinct;
use super::flow::Hours;
use super::span::Time;
use super::text::Text;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};

/// Messages of one sender.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Messages by hour.
    pub messages: Hours,
    /// Different reverse-paths.
    pub reverse_paths: Distinct,
}

impl Sent {
    /// Counts a message.
    pub fn see(&mut self, time: Option<Time>, reverse_path: Option<&[u8]>) {
        if let Some(time) = time {
            self.messages.add(time.hour(), 1);
        }
        if let Some(path) = reverse_path {
            self.reverse_paths.see(path);
        }
    }
}

impl Merge for Sent {
    fn merge(&mut self, other: Sent) {
        self.messages.merge(other.messages);
        self.reverse_paths.merge(other.reverse_paths);
    }
}

/// An account of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountKey {
    /// The server.
    pub server: Text,
    /// The account, lower case.
    pub account: Text,
}

/// A name under which a user of a server handed in mail that the log gives as a number only (Postfix), or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserKey {
    /// The server.
    pub server: Text,
    /// The number; empty if the log does not say who it was.
    pub user: Text,
    /// The local part of the reverse-path.
    pub name: Text,
}
