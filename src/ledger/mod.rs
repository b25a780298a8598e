//! The ledger: everything a run learns, as one value that can be merged with another in any order.
//!
//! It is made of books. A book records facts and never judges: no local domain, no trusted
//! network, no threshold is known here.

pub mod clients;
pub mod distinct;
pub mod flow;
pub mod hash;
pub mod inputs;
mod one_view;
pub mod places;
pub mod sample;
pub mod senders;
pub mod span;
pub mod text;
pub(crate) mod words;

pub use clients::{ClientFacts, ClientKey, Failures, HelloFacts, HelloKey};
pub use distinct::Distinct;
pub use flow::{Client, Flow, FlowKey, Hours, Origin, Outcome};
pub use inputs::{Input, Unparsed};
pub use one_view::one_view;
pub use places::{DomainFacts, DomainKey, ServerFacts};
pub use sample::Smallest;
pub use senders::{AccountKey, Sent, UserKey};
pub use span::{Evidence, FileId, Place, Span, Time};
pub use text::Text;

use crate::merge::Merge;
use foldhash::HashMap;
use std::collections::BTreeMap;

/// A book: facts by key. Unordered, for speed; read it through [`sorted`] where order shows.
pub type Book<K, V> = HashMap<K, V>;

/// The entries of a book in the order of their keys.
pub fn sorted<K: Ord, V>(book: &Book<K, V>) -> Vec<(&K, &V)> {
    let mut entries: Vec<_> = book.iter().collect();
    entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
    entries
}

/// Everything learnt from some logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What was read.
    pub inputs: BTreeMap<FileId, Input>,
    /// Recipients, by who sent them where and what became of them.
    /// Boxed, since a hash table is up to half empty and flows are many and large.
    pub flows: Book<FlowKey, Box<Flow>>,
    /// Clients.
    pub clients: Book<ClientKey, ClientFacts>,
    /// What was sent by account.
    pub accounts: Book<AccountKey, Sent>,
    /// Messages by the names that numbered users gave.
    pub users: Book<UserKey, u64>,
    /// EHLO names.
    pub hellos: Book<HelloKey, HelloFacts>,
    /// Domains of recipients.
    pub domains: Book<DomainKey, DomainFacts>,
    /// Servers.
    pub servers: BTreeMap<Text, ServerFacts>,
}

impl Ledger {
    /// Gives files other numbers, in the same order. Fails on one that `new` does not know.
    pub fn refile(&mut self, new: &dyn Fn(FileId) -> Option<FileId>) -> Option<()> {
        let mut known = true;
        let mut change = |place: &mut Place| match new(place.file) {
            Some(file) => place.file = file,
            None => known = false,
        };
        self.each_evidence(&mut |evidence| change(&mut evidence.place));
        let inputs = std::mem::take(&mut self.inputs).into_iter();
        self.inputs = inputs.map(|(file, input)| Some((new(file)?, input))).collect::<Option<_>>()?;
        known.then_some(())
    }

    /// Changes every line that is kept as evidence, whatever it proves.
    fn each_evidence(&mut self, change: &mut dyn FnMut(&mut Evidence)) {
        let unparsed = self.inputs.values_mut().flat_map(|input| input.unparsed.values_mut());
        unparsed.for_each(|unparsed| unparsed.samples.change(&mut *change));
        for flow in self.flows.values_mut() {
            flow.openings.change(&mut *change);
            flow.outcomes.change(&mut *change);
        }
        self.clients.values_mut().for_each(|facts| facts.auth_evidence.change(&mut *change));
        self.hellos.values_mut().for_each(|facts| facts.evidence.change(&mut *change));
        self.domains.values_mut().for_each(|facts| facts.evidence.change(&mut *change));
        self.servers.values_mut().for_each(|facts| facts.evidence.change(&mut *change));
    }

    /// The sum of all counts, as far as it can be said: where it is sensible, no sum of some of them is too large.
    pub fn total(&self) -> u64 {
        let hours = |hours: &Hours| hours.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(count));
        let mut counts: Vec<u64> = self.users.values().copied().collect();
        for flow in self.flows.values() {
            counts.extend([flow.messages, flow.recipients, flow.bytes, hours(&flow.hours)]);
        }
        for facts in self.clients.values() {
            let Failures { commands, sessions, services, checkers, log_ins } = facts.failures;
            counts.extend([facts.sessions, commands, sessions, services, checkers, log_ins]);
            counts.push(hours(&facts.sent.messages));
        }
        counts.extend(self.accounts.values().map(|sent| hours(&sent.messages)));
        counts.extend(self.hellos.values().map(|facts| facts.times));
        for facts in self.domains.values() {
            counts.extend([facts.delivered_here, facts.unknown_users, facts.gatewayed, facts.handed_on]);
        }
        for facts in self.servers.values() {
            counts.extend([facts.records, facts.sessions, facts.messages, facts.bytes]);
        }
        for input in self.inputs.values() {
            counts.extend([input.bytes, input.lines, input.records, input.directives]);
            counts.extend(input.ignored.values().chain(input.unparsed.values().map(|unparsed| &unparsed.lines)));
        }
        counts.into_iter().fold(0, u64::saturating_add)
    }
}

impl Merge for Ledger {
    fn merge(&mut self, other: Ledger) {
        Merge::merge(&mut self.inputs, other.inputs);
        self.flows.merge(other.flows);
        self.clients.merge(other.clients);
        self.accounts.merge(other.accounts);
        self.users.merge(other.users);
        self.hellos.merge(other.hellos);
        self.domains.merge(other.domains);
        Merge::merge(&mut self.servers, other.servers);
    }
}
