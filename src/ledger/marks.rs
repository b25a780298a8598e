//! Marks: hashes of the ids of messages, by which the logs of two servers are seen to tell of the same mail.
//!
//! A server that hands a message on logs the id under which the next one took it (`queued as`), and mostly the Message-ID,
//! which stays with the message. The next server logs the same two. Only the smallest hashes are kept, on both
//! sides: where two sets of ids are alike, so are their smallest hashes, however large the sets are ("bottom-k
//! sketches", Cohen and Kaplan, PODC 2007).

use super::hash;
use super::sample::Smallest;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};

/// Marks of what a server handed on: enough to find a next server that took one in two hundred of its messages.
pub type HandedOn = Marks<4096>;
/// Marks of what a client handed in.
pub type HandedIn = Marks<16>;

/// The smallest hashes of some ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks<const N: usize>(Smallest<u64, N>);

/// What an id is; the lowest bit of its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A queue id, which a server makes.
    QueueId = 0,
    /// A Message-ID, which whoever writes the message makes.
    MessageId = 1,
}

/// How many marks two logs share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shared {
    /// Of queue ids.
    pub queue_ids: usize,
    /// Of Message-IDs.
    pub message_ids: usize,
}

impl<const N: usize> Marks<N> {
    /// Takes the queue id of a message; an empty one is none.
    pub fn see_queue_id(&mut self, id: &[u8]) {
        self.see(Kind::QueueId, id);
    }

    /// Takes the Message-ID of a message, without angle brackets; an empty one is none.
    pub fn see_message_id(&mut self, id: &[u8]) {
        self.see(Kind::MessageId, id);
    }

    fn see(&mut self, kind: Kind, id: &[u8]) {
        if id.is_empty() {
            return;
        }
        let mark = hash::stable(id) & !1 | kind as u64;
        if self.0.wants(&mark) {
            self.0.insert(mark);
        }
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The marks.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }
}

impl Shared {
    /// Counts a mark that is in both.
    pub fn count(&mut self, mark: u64) {
        match mark & 1 == Kind::QueueId as u64 {
            true => self.queue_ids += 1,
            false => self.message_ids += 1,
        }
    }
}

impl<const N: usize> Merge for Marks<N> {
    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_the_same_mail_share_marks_and_others_do_not() {
        let (mut on, mut same, mut other) = (HandedOn::default(), HandedIn::default(), HandedIn::default());
        for n in 0..100_000u32 {
            on.see_queue_id(format!("{n:X}").as_bytes());
            on.see_message_id(format!("{n}@example.org").as_bytes());
            if n % 100 == 0 {
                same.see_queue_id(format!("{n:X}").as_bytes());
                same.see_message_id(format!("{n}@example.org").as_bytes());
                other.see_queue_id(format!("{n:X}@example.org").as_bytes());
                other.see_message_id(format!("{n:X}").as_bytes());
            }
        }
        let shared = |with: &HandedIn| {
            let mut shared = Shared::default();
            with.iter().filter(|mark| on.iter().any(|other| other == *mark)).for_each(|mark| shared.count(mark));
            shared
        };
        let found = shared(&same);
        assert!(0 < found.queue_ids && 0 < found.message_ids, "{found:?}");
        assert_eq!(found.queue_ids + found.message_ids, 16);
        assert_eq!(shared(&other), Shared::default());
    }

    #[test]
    fn no_id_is_no_mark() {
        let mut marks = HandedIn::default();
        marks.see_queue_id(b"");
        marks.see_message_id(b"");
        assert!(marks.is_empty());
    }
}
