//! How many recipients a message has, and how many came to an end: in logs without a line that says that a
//! message left the queue, that tells when its life is over.

use foldhash::HashSet;
use relayaudit_parsers::record::{Event, Status};

/// The count of one life. In logs with a closing line nothing is ever announced, and the tally is never full.
#[derive(Default)]
pub(super) struct Tally<'a> {
    /// Whether the log counts recipients at all.
    counts: bool,
    /// Recipients announced, seen coming in, and come to an end.
    announced: u32,
    seen: u32,
    ended: u32,
    /// Ids or paths of recipients that were named and have not come to an end.
    pending: Option<Box<HashSet<&'a [u8]>>>,
    /// Whether more lines may come even when it is full: what an alias was expanded to is not announced, and a
    /// transaction without a message is over at once, or was a message of no size.
    lingers: bool,
}

impl<'a> Tally<'a> {
    /// The message came in with so many recipients, if the log says that.
    pub(super) fn announce(&mut self, recipients: Option<u32>, size_bytes: u64) {
        let Some(recipients) = recipients else { return };
        self.counts = true;
        if size_bytes == 0 {
            self.lingers = true;
        } else {
            self.announced = recipients;
            // The line tells of all of them: no other can belong to its beginning.
            self.seen = recipients;
        }
    }

    /// One recipient became several, which are all named.
    pub(super) fn expand(&mut self, members: u32) {
        if 0 < self.announced {
            let more = members.saturating_sub(1);
            self.announced = self.announced.saturating_add(more);
            self.seen = self.seen.saturating_add(more);
        }
    }

    /// Some of the recipients came in, of so many in all.
    pub(super) fn came_in(&mut self, recipients: u32, named: u32) {
        self.counts = true;
        self.announced = recipients.max(1);
        self.seen += named;
    }

    /// A recipient came in, under an id or under so many.
    pub(super) fn expect(&mut self, id: &'a [u8], ids: u32) {
        self.counts |= !id.is_empty() || 0 < ids;
        self.announced = self.announced.saturating_add(ids);
        if !id.is_empty() {
            self.pending.get_or_insert_default().insert(id);
        }
    }

    /// At least one recipient lives on as another message.
    pub(super) fn hand_on(&mut self) {
        self.ended += 1;
        self.lingers = true;
    }

    /// A delivery attempt.
    pub(super) fn delivery(&mut self, event: &Event<'a>) {
        let Event::Delivery { status, forward_paths, expanded, envelope, original_forward_path, .. } = event else {
            return;
        };
        if !self.counts {
            return;
        }
        let is_end = matches!(status, Status::Sent | Status::Bounced | Status::Expired);
        if envelope.is_empty() {
            self.lingers |= expanded;
            forward_paths.iter().for_each(|path| self.attempt(path, is_end));
        } else {
            // A recipient that was rewritten, or was not announced, is what an alias was expanded to.
            let announced = self.pending.as_ref().is_some_and(|pending| pending.contains(envelope));
            self.lingers |= original_forward_path.is_some() || !announced && self.announced == 0;
            self.attempt(envelope, is_end);
        }
    }

    fn attempt(&mut self, name: &'a [u8], is_end: bool) {
        if is_end {
            self.ended += 1;
            if let Some(pending) = &mut self.pending {
                pending.remove(name);
            }
        } else {
            self.pending.get_or_insert_default().insert(name);
        }
    }

    /// Whether every recipient was seen coming in.
    pub(super) fn is_all_in(&self) -> bool {
        self.announced <= self.seen
    }

    /// Whether every recipient came to an end.
    pub(super) fn is_full(&self) -> bool {
        self.counts && self.announced <= self.ended && self.pending.as_ref().is_none_or(|pending| pending.is_empty())
    }

    /// Whether more lines may come when it is full.
    pub(super) fn lingers(&self) -> bool {
        self.lingers
    }
}
