//! Hand-overs: mail that one of our servers passed to another, so that both logs tell of it, counts once.
//!
//! The server that had it first knows who handed it in, so what the next one says of it is left out; what became of it
//! there is told of the recipients that the first one passed on. Which address a server has in another's log is not asked
//! of the user: the ids by which the one handed on and the other took in tell ([`crate::ledger::marks`]).
//!
//! Nobody hides mail by that. Whoever had his own server answer with the queue ids of another of ours could make his
//! address look like one of our servers; but no more is left out than the first server handed on between the same two
//! domains by that hour, and nothing that would be relaying by a stranger.
//!
//! Call it once, on the finished ledger: it enters the site into the books.

mod links;
mod supply;

use super::route::{RouteVerdict, route};
use crate::ledger::{Again, Client, ClientKey, Flow, FlowKey, Hours, Ledger, Outcome, Shared, Text};
use crate::merge::Merge;
use crate::site::Site;
use foldhash::HashMap;
use links::Link;
use std::collections::{BTreeMap, BTreeSet};
use supply::Supply;

/// Mail that one server passed to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The server that passed it on.
    pub from: Text,
    /// The server that took it.
    pub to: Text,
    /// The first one's address, as the second logs it.
    pub client: Client,
    /// Ids that both logs name, of those that were compared.
    pub shared: Shared,
    /// Messages that both tell of: they count for the first.
    pub messages: u64,
    /// Recipients that both tell of.
    pub recipients: u64,
    /// Recipients that the second took from that address without any right to relay, as far as the site says: they
    /// count for both.
    pub unauthorised: u64,
}

/// Makes mail that several servers tell of count once, for the server that took it in first.
///
/// Returns what was passed from whom to whom, by name.
pub fn count_once(ledger: &mut Ledger, site: &Site) -> Vec<HandOver> {
    let mut found: Vec<HandOver> =
        links::downstream_first(links::of(ledger)).into_iter().map(|link| one(ledger, site, link)).collect();
    found.sort_by_key(|hand_over| (hand_over.from, hand_over.to, hand_over.client));
    found
}

/// Takes out of the second server's books what the first one tells of, and tells the first what became of it.
fn one(ledger: &mut Ledger, site: &Site, Link { from, to, client, shared }: Link) -> HandOver {
    let over = HandOver { from, to, client, shared, messages: 0, recipients: 0, unauthorised: 0 };
    let mut passing = Passing { over, bytes: 0, supply: Supply::of(ledger, from), fates: Fates::new() };
    let own = ledger.flows.keys().filter(|key| key.server == to && key.client == client);
    let mut keys: Vec<FlowKey> = own.copied().collect();
    keys.sort_unstable();
    for key in keys {
        if let Some(rest) = ledger.flows.remove(&key).and_then(|flow| passing.rest(&key, *flow, site)) {
            ledger.flows.insert(key, Box::new(rest));
        }
    }
    tell(ledger, from, passing.fates);
    forget_sender(ledger, to, client);
    let Passing { over, bytes, .. } = passing;
    ledger.servers.entry(to).or_default().again.merge(Again {
        messages: over.messages,
        recipients: over.recipients,
        bytes,
    });
    over
}

/// Mail on its way from one server's books to another's.
struct Passing {
    over: HandOver,
    bytes: u64,
    supply: Supply,
    fates: Fates,
}

impl Passing {
    /// What of a flow of the second server the first one does not tell of.
    fn rest(&mut self, key: &FlowKey, flow: Flow, site: &Site) -> Option<Flow> {
        if matches!(route(key, site), Some(RouteVerdict::RelayedUnauthorised | RouteVerdict::RelayDenied)) {
            self.over.unauthorised += flow.recipients;
            return Some(flow);
        }
        let ends = (key.reverse_domain, key.forward_domain);
        let (gone, hours) = match key.outcome.was_accepted() {
            true => self.supply.take(ends, &flow),
            // The first server tells of it as of mail that was refused, put off or tried again.
            false if self.supply.knows(ends) => (flow.recipients, Hours::default()),
            false => (0, flow.hours.clone()),
        };
        let told = (flow.messages, flow.bytes);
        let rest = flow.less(gone, hours);
        let left = rest.as_ref().map_or((0, 0), |rest| (rest.messages, rest.bytes));
        self.over.messages += told.0 - left.0;
        self.bytes += told.1 - left.1;
        if key.outcome.was_accepted() && 0 < gone {
            self.over.recipients += gone;
            *self.fates.entry(ends).or_default().entry(key.outcome).or_default() += gone;
        }
        rest
    }
}

/// The domains of reverse-path and forward-path: what both servers say of the same mail.
type FlowKeyEnds = (Option<Text>, Text);

/// Recipients between two domains, by what became of them.
type Fates = BTreeMap<FlowKeyEnds, BTreeMap<Outcome, u64>>;

/// The domain that a server sent the mail of a flow on to.
fn sent_to(key: &FlowKey) -> Text {
    key.final_domain.unwrap_or(key.forward_domain)
}

/// Tells the first server's recipients what became of them at the second.
///
/// Domains do not tell one recipient from another: where they came to different ends and several flows may be meant, all
/// stay as taken by the next server, which is true of each.
fn tell(ledger: &mut Ledger, from: Text, fates: Fates) {
    let mut passed = HashMap::<FlowKeyEnds, Vec<FlowKey>>::default();
    for key in ledger.flows.keys().filter(|key| key.server == from && key.outcome == Outcome::Relayed) {
        passed.entry((key.reverse_domain, sent_to(key))).or_default().push(*key);
    }
    for (ends, fates) in fates {
        let Some(keys) = passed.get_mut(&ends) else { continue };
        keys.sort_unstable();
        let own: u64 = keys.iter().filter_map(|key| ledger.flows.get(key)).map(|flow| flow.recipients).sum();
        match (keys.as_slice(), fates.iter().next()) {
            ([only], _) => fates.iter().for_each(|(outcome, recipients)| split(ledger, *only, *outcome, *recipients)),
            (several, Some((outcome, recipients))) if fates.len() == 1 && own <= *recipients => {
                several.iter().for_each(|key| split(ledger, *key, *outcome, *recipients));
            }
            _ => {}
        }
    }
}

/// Moves as many recipients of a flow to another outcome.
fn split(ledger: &mut Ledger, key: FlowKey, outcome: Outcome, recipients: u64) {
    // A mailbox of ours and a server of others took it alike: the route of the recipients does not change by it.
    if matches!(outcome, Outcome::Relayed | Outcome::Delivered | Outcome::Unknown) {
        return;
    }
    let Some(flow) = ledger.flows.remove(&key) else { return };
    let moved = recipients.min(flow.recipients);
    let (stay, go) = flow.cut(moved);
    if let Some(stay) = stay {
        ledger.flows.insert(key, Box::new(stay));
    }
    if let Some(go) = go {
        ledger.flows.entry(FlowKey { outcome, ..key }).or_default().merge(Box::new(go));
    }
}

/// Forgets what the address sent in the hours that the first server tells all of, so that nobody takes that server for a
/// source of its own.
fn forget_sender(ledger: &mut Ledger, to: Text, client: Client) {
    let rest = ledger.flows.iter().filter(|(key, _)| key.server == to && key.client == client);
    let hours: BTreeSet<i32> = rest.flat_map(|(_, flow)| flow.hours.iter().map(|(hour, _)| hour)).collect();
    if let Some(facts) = ledger.clients.get_mut(&ClientKey { server: to, client }) {
        facts.sent.messages.retain(|hour| hours.contains(&hour));
    }
}

#[cfg(test)]
mod tests;
