//! Wanted: what a pass over the logs looks for, and whether a message is it.

use super::key::{Key, Kind};
use crate::correlate::{Fact, Message};
use foldhash::fast::FixedState;
use foldhash::{HashMap, HashSet};
use ipnet::IpNet;
use relayaudit_parsers::address;
use relayaudit_parsers::record::Peer;
use std::borrow::Cow;
use std::hash::BuildHasher;

/// Keys by number, in the order in which the user gave them, with what each was taken for.
pub type Matches = Vec<(u32, Kind)>;

/// What a pass looks for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    exact: HashMap<Kind, HashMap<Box<[u8]>, u32>>,
    networks: Vec<(IpNet, u32)>,
    /// Ids of messages already found.
    pub ids: Ids,
    /// Whether the pass shall find the site and what the logs cover, too.
    pub surveys: bool,
}

/// Hashes of ids that lead to further messages. Which server uses an id is not asked here: `chains` looks closer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids(HashSet<u64>);

impl Ids {
    /// Adds the id of a queue; an empty one is none.
    pub fn queue_id(&mut self, id: &[u8]) {
        if !id.is_empty() {
            self.0.insert(hash(b'q', id));
        }
    }

    /// Adds a Message-ID; an empty one is none.
    pub fn message_id(&mut self, id: &[u8]) {
        if !id.is_empty() {
            self.0.insert(hash(b'm', id));
        }
    }

    /// Adds what a server's own session with another one has in common with the mail that it is for, in logs without ids (IIS).
    pub fn sent(&mut self, server: &str, reverse_path: &str, forward_path: &str) {
        self.0.insert(sent(server, reverse_path.as_bytes(), forward_path.as_bytes()));
    }

    /// Whether a session of a server with another one is for mail that is among them.
    pub fn has_sent(&self, message: &Message<'_>) -> bool {
        let reverse_path = message.reverse_path.unwrap_or_default();
        let is = |path: &[u8]| self.0.contains(&sent(&message.server, reverse_path, path));
        !self.0.is_empty() && message.recipients.iter().any(|recipient| is(recipient.forward_path))
    }

    /// Adds those of `other`. Returns whether any is new.
    pub fn grow(&mut self, other: Ids) -> bool {
        let before = self.0.len();
        self.0.extend(other.0);
        before < self.0.len()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this queue id is among them.
    pub fn has_queue_id(&self, id: &[u8]) -> bool {
        !self.0.is_empty() && self.0.contains(&hash(b'q', id))
    }

    /// Whether this Message-ID is among them.
    pub fn has_message_id(&self, id: &[u8]) -> bool {
        !self.0.is_empty() && !id.is_empty() && self.0.contains(&hash(b'm', id))
    }
}

fn sent(server: &str, reverse_path: &[u8], forward_path: &[u8]) -> u64 {
    let folded = |path: &[u8]| path.to_ascii_lowercase();
    FixedState::with_seed(3).hash_one((b's', server, folded(reverse_path), folded(forward_path)))
}

fn hash(kind: u8, id: &[u8]) -> u64 {
    FixedState::with_seed(3).hash_one((kind, id))
}

impl Wanted {
    /// What looks for these keys.
    pub fn new(keys: &[Key]) -> Wanted {
        let mut wanted = Wanted::default();
        for (number, key) in (0..).zip(keys) {
            for kind in &key.kinds {
                match key.network.filter(|_| *kind == Kind::Client) {
                    Some(network) => wanted.networks.push((network, number)),
                    None => {
                        let text = folded(*kind, key.text.as_bytes()).into();
                        wanted.exact.entry(*kind).or_default().entry(text).or_insert(number);
                    }
                }
            }
        }
        wanted
    }

    /// The keys that a message matches, by what it says of itself; ids of its lines are looked at apart.
    pub fn matches(&self, message: &Message<'_>) -> Matches {
        let mut found = Matches::new();
        self.one(Kind::MessageId, message.message_id, &mut found);
        self.client(&message.client, &mut found);
        self.one(Kind::Account, message.account.unwrap_or_default(), &mut found);
        if !message.user.is_empty() {
            self.one(Kind::Account, message.user, &mut found);
        }
        self.path(message.reverse_path.unwrap_or_default(), &mut found);
        self.fact(message.opening, &mut found);
        for recipient in &message.recipients {
            self.path(recipient.forward_path, &mut found);
            if recipient.final_path != recipient.forward_path {
                self.path(recipient.final_path, &mut found);
            }
        }
        found
    }

    /// Adds the keys that a line of the message matches by its ids.
    pub fn fact(&self, fact: &Fact<'_>, found: &mut Matches) {
        if let Some(message) = fact.record.message {
            self.one(Kind::QueueId, message.id, found);
        }
        if let Some(session) = fact.record.session {
            self.one(Kind::Session, session.id, found);
        }
    }

    /// Adds the keys that an id which a server told its client matches.
    pub fn told(&self, id: &[u8], found: &mut Matches) {
        self.one(Kind::QueueId, id, found);
    }

    fn client(&self, peer: &Peer<'_>, found: &mut Matches) {
        if let Some(address) = peer.address {
            let nets = self.networks.iter().filter(|(network, _)| network.contains(&address.to_canonical()));
            nets.for_each(|(_, number)| add((*number, Kind::Client), found));
        }
        self.one(Kind::Client, peer.name, found);
    }

    fn path(&self, path: &[u8], found: &mut Matches) {
        self.one(Kind::Address, path, found);
        if self.exact.contains_key(&Kind::Domain) {
            self.one(Kind::Domain, address::domain(path).unwrap_or_default(), found);
        }
    }

    fn one(&self, kind: Kind, value: &[u8], found: &mut Matches) {
        if value.is_empty() {
            return;
        }
        if let Some(number) = self.exact.get(&kind).and_then(|keys| keys.get(&*folded(kind, value))) {
            add((*number, kind), found);
        }
    }
}

fn add(found: (u32, Kind), matches: &mut Matches) {
    if !matches.contains(&found) {
        matches.push(found);
    }
}

/// As it is compared: ids by case, as some servers tell them apart by it; names not.
fn folded(kind: Kind, text: &[u8]) -> Cow<'_, [u8]> {
    match kind {
        Kind::QueueId | Kind::MessageId | Kind::Session => Cow::Borrowed(text),
        _ => match std::str::from_utf8(text) {
            Ok(text) if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_uppercase()) => {
                Cow::Borrowed(text.as_bytes())
            }
            Ok(text) => Cow::Owned(text.to_lowercase().into_bytes()),
            Err(_) => Cow::Owned(text.to_ascii_lowercase()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_two_kinds_differ() {
        let mut ids = Ids::default();
        ids.queue_id(b"a");
        ids.message_id(b"");
        assert!(ids.has_queue_id(b"a") && !ids.has_message_id(b"a") && ids.len() == 1);
    }
}
