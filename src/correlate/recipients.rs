//! The recipients of one message, each once, in the order in which the log first names them.

use super::Fact;
use super::message::Recipient;
use crate::ledger::Outcome;
use foldhash::HashMap;
use relayaudit_parsers::record::NextHop;

/// A recipient, and whether the life handed it to a filter.
pub(super) struct Entry<'a> {
    pub(super) recipient: Recipient<'a>,
    pub(super) filtered: bool,
}

impl<'a> Entry<'a> {
    /// Takes what an attempt came to, unless an earlier one came to something more final. Returns whether it did.
    pub(super) fn note(&mut self, outcome: Outcome, path: &'a [u8], next_hop: NextHop<'a>, fact: &'a Fact<'a>) -> bool {
        let counts = Recipient::rank(self.recipient.outcome) <= Recipient::rank(outcome);
        if counts {
            self.recipient = Recipient { outcome, final_path: path, next_hop, fact, ..self.recipient.clone() };
        }
        counts
    }
}

/// Recipients by forward-path. Most messages have one or two, some have thousands.
#[derive(Default)]
pub(super) struct Recipients<'a> {
    list: Vec<Entry<'a>>,
    /// Where each path stands, once there are too many to look along the list.
    index: HashMap<&'a [u8], usize>,
    /// Recipients that the server put in the place of another, and that other.
    stand_ins: HashMap<&'a [u8], &'a [u8]>,
    /// Paths that came in, with the line that says so: not yet in the list.
    expected: Vec<(&'a [u8], &'a Fact<'a>)>,
}

/// From how many recipients on they are indexed.
const MANY: usize = 12;

/// A recipient that was taken in and of which no more is known.
pub(super) fn pending<'a>(path: &'a [u8], fact: &'a Fact<'a>) -> Recipient<'a> {
    Recipient {
        forward_path: path,
        final_path: path,
        outcome: Outcome::Unknown,
        refusal: None,
        next_hop: NextHop::None,
        fact,
    }
}

impl<'a> Recipients<'a> {
    fn position(&self, path: &[u8]) -> Option<usize> {
        match self.index.is_empty() {
            true => self.list.iter().position(|entry| entry.recipient.forward_path == path),
            false => self.index.get(path).copied(),
        }
    }

    fn push(&mut self, entry: Entry<'a>) -> usize {
        let at = self.list.len();
        self.list.push(entry);
        if MANY == self.list.len() {
            self.index = self.list.iter().enumerate().map(|(at, e)| (e.recipient.forward_path, at)).collect();
        } else if MANY < self.list.len() {
            self.index.insert(self.list[at].recipient.forward_path, at);
        }
        at
    }

    /// Notes that the server put `member` in the place of `path`: what becomes of the one, becomes of the other.
    pub(super) fn stand_in(&mut self, member: &'a [u8], path: &'a [u8]) {
        let path = self.stand_ins.get(path).copied().unwrap_or(path);
        if member != path {
            self.stand_ins.insert(member, path);
        }
    }

    /// The recipient of a forward-path; if it was not named yet, it is now.
    pub(super) fn named(&mut self, path: &'a [u8], fact: &'a Fact<'a>) -> &mut Entry<'a> {
        // A member of a list may have been named by the client as well: then it is itself.
        let path = match self.position(path) {
            None if !self.stand_ins.is_empty() => self.stand_ins.get(path).copied().unwrap_or(path),
            _ => path,
        };
        let at = match self.position(path) {
            Some(at) => at,
            None => self.push(Entry { recipient: pending(path, fact), filtered: false }),
        };
        &mut self.list[at]
    }

    /// Notes a recipient that came in. A delivery may name it, as it is or as what it was rewritten to.
    pub(super) fn expect(&mut self, path: Option<&'a [u8]>, fact: &'a Fact<'a>) {
        self.expected.extend(path.map(|path| (path, fact)));
    }

    /// Names the recipients of which no delivery was logged.
    pub(super) fn name_unreached(&mut self) {
        for (path, fact) in std::mem::take(&mut self.expected) {
            self.named(path, fact);
        }
    }

    /// Replaces what this life handed to a filter by what became of it in the life that followed.
    pub(super) fn hand_on(&mut self, next: Recipients<'a>) {
        if self.list.is_empty() || next.list.is_empty() {
            if self.list.is_empty() {
                *self = next;
            }
            return;
        }
        // The filter was given the rewritten path; the original one is the client's.
        let mut waiting: HashMap<&'a [u8], &'a [u8]> = HashMap::default();
        for entry in self.list.iter().filter(|entry| entry.filtered) {
            waiting.insert(entry.recipient.final_path, entry.recipient.forward_path);
        }
        for entry in self.list.iter().filter(|entry| entry.filtered) {
            waiting.insert(entry.recipient.forward_path, entry.recipient.forward_path);
        }
        let mut matched = false;
        for mut entry in next.list {
            if let Some(original) = waiting.get(entry.recipient.forward_path) {
                matched = true;
                entry.recipient.forward_path = original;
            }
            match self.position(entry.recipient.forward_path) {
                Some(at) => self.list[at] = entry,
                None => {
                    self.push(entry);
                }
            }
        }
        if !matched {
            let kept = std::mem::take(self).list.into_iter();
            kept.filter(|entry| !waiting.contains_key(entry.recipient.forward_path)).for_each(|entry| {
                self.push(entry);
            });
        }
    }

    /// The recipients, in the order in which they were named.
    pub(super) fn into_vec(self) -> Vec<Recipient<'a>> {
        self.list.into_iter().map(|entry| entry.recipient).collect()
    }
}
