//! Transactions whose message has its id from the start, and recipients with ids of their own that deliveries name
//! instead of them (Cisco ESA).

use super::Fact;
use super::context::is_named;
use super::family::outcome;
use super::message::Message;
use super::queue::{Life, LifeKey, Queue, Surroundings};
use super::recipients::Recipients;
use crate::ledger::{Origin, Outcome};
use foldhash::HashMap;
use relayaudit_parsers::record::{Event, Offspring};

/// The recipients of one family, by id: a message that goes on under a new id keeps theirs.
#[derive(Default)]
pub(super) struct Asked<'a> {
    paths: HashMap<&'a [u8], &'a [u8]>,
    taken: bool,
}

impl<'a> Asked<'a> {
    /// Reads a line; `first` is the life that it belongs to, if it is the family's first.
    pub(super) fn read(
        &mut self,
        fact: &'a Fact<'a>,
        first: Option<&Life<'a>>,
        message: &mut Message<'a>,
        own: &mut Recipients<'a>,
    ) {
        match &fact.record.event {
            Event::Asked { client, account, vouched, reverse_path, forward_path, envelope, .. } => {
                if let Some(life) = first {
                    message.client = if is_named(&message.client) { message.client } else { *client };
                    message.account = message.account.or(*account);
                    message.vouched |= vouched;
                    message.reverse_path = message.reverse_path.or(*reverse_path);
                    message.origin = match (is_named(&message.client), fact.record.session) {
                        (true, _) => Origin::Network,
                        (false, None) if life.hard => Origin::System,
                        (false, _) => message.origin,
                    };
                }
                if let Some(path) = forward_path {
                    self.paths.insert(envelope, path);
                    own.named(path, fact);
                }
            }
            Event::Taken { size_bytes } if first.is_some() => {
                self.taken = true;
                message.size_bytes = *size_bytes;
            }
            Event::Dropped => self.taken = false,
            Event::Reached { envelopes, next_hop, status, .. } => {
                // What was delivered was taken, even if the line that says so is not in the log.
                self.taken = true;
                for id in ids(envelopes) {
                    if let Some(path) = self.paths.get(id).copied() {
                        own.named(path, fact).note(outcome(*status, next_hop), path, *next_hop, fact);
                    }
                }
            }
            _ => {}
        }
    }

    /// Says whether the message came; if it did not, none of its recipients has one. Changes nothing of a message
    /// that did not come this way.
    pub(super) fn settle(&self, message: &mut Message<'_>) {
        if self.paths.is_empty() {
            return;
        }
        message.taken = self.taken;
        let in_doubt = message.recipients.iter_mut().filter(|recipient| recipient.outcome == Outcome::Unknown);
        in_doubt.filter(|_| !self.taken).for_each(|recipient| recipient.outcome = Outcome::NoData);
    }
}

/// The ids of a list: `0, 1`.
fn ids(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

impl<'a> Queue<'a> {
    /// A line of such a transaction: the first one opens its life, surely if the session began within the stretch.
    pub(super) fn asked(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>, around: &Surroundings<'a, '_>) {
        let begins = matches!(fact.record.event, Event::Asked { begins: true, .. });
        match self.top(&key).filter(|_| !begins) {
            Some(life) => self.lives[life as usize].facts.push(index),
            None => {
                let is_first = begins && (fact.record.session.is_none() || around.context.has_begun(index));
                self.open(key, index, fact, is_first);
            }
        }
    }

    /// Adds a line to the life of its key. If a filter put the message back under a new id, this may be the first line
    /// that has it.
    pub(super) fn attach_or_bear(
        &mut self,
        key: LifeKey<'a>,
        index: u32,
        fact: &Fact<'a>,
        around: &Surroundings<'a, '_>,
    ) -> u32 {
        let birth = match self.top(&key) {
            Some(_) => None,
            None => around.births.near(&key, fact.place, around.edges),
        };
        match birth {
            Some(birth) if birth.how == Offspring::Reinjected => {
                let life = self.open(key, index, fact, true);
                self.bear(life, birth);
                life
            }
            _ => self.attach(key, index, fact),
        }
    }

    /// The message goes on under a new id: this life is over, but for lines that say so again.
    pub(super) fn goes_on(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>) {
        let life = self.attach(key, index, fact);
        self.lives[life as usize].closed.get_or_insert(fact.place);
    }
}
