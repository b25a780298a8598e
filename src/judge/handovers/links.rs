//! Links: which server's mail an address hands to another server, told by the ids in both logs.

use crate::ledger::{Client, ClientKey, HandedIn, Ledger, Shared, Text, sorted};
use crate::site;
use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// An address by which one server hands mail to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub from: Text,
    pub to: Text,
    pub client: Client,
    pub shared: Shared,
}

/// Servers by the marks of what they handed on.
type Index = HashMap<u64, Vec<Text>>;

/// The links that the ids show, in the order of their second server and address.
pub fn of(ledger: &Ledger) -> Vec<Link> {
    let mut index = Index::default();
    for (server, facts) in &ledger.servers {
        facts.handed_on.iter().for_each(|mark| index.entry(mark).or_default().push(*server));
    }
    if ledger.servers.len() < 2 || index.is_empty() {
        return Vec::new();
    }
    let mut candidates = Vec::new();
    for (key, facts) in sorted(&ledger.clients) {
        for (from, shared) in shared(&index, &facts.handed_in) {
            if from != key.server && is_link(ledger, from, key, shared) {
                candidates.push(Link { from, to: key.server, client: key.client, shared });
            }
        }
    }
    settled(&candidates)
}

/// How many marks of a client each server has handed on.
fn shared(index: &Index, handed_in: &HandedIn) -> BTreeMap<Text, Shared> {
    let mut found = BTreeMap::<Text, Shared>::new();
    for mark in handed_in.iter() {
        for server in index.get(&mark).into_iter().flatten() {
            found.entry(*server).or_default().count(mark);
        }
    }
    found
}

/// Whether shared ids may make an address the first server's.
///
/// A queue id is made by the second server and told to nobody but the first. A Message-ID stands in every copy of a
/// message, wherever that came from: it counts only for inside addresses, and not for a client that hands copies to both.
fn is_link(ledger: &Ledger, from: Text, key: &ClientKey, shared: Shared) -> bool {
    let is_client_of_both = || {
        let other = ledger.clients.get(&ClientKey { server: from, client: key.client });
        other.is_some_and(|facts| !facts.handed_in.is_empty())
    };
    let is_inside = matches!(key.client, Client::Address(address) if site::is_inside(address));
    0 < shared.queue_ids || is_inside && !is_client_of_both()
}

/// For each address the one server whose it is. By Message-IDs alone, servers before the last show too, and servers after:
/// a queue id settles the order, and where there is none it stays open.
fn settled(candidates: &[Link]) -> Vec<Link> {
    let pairs = |wanted: fn(&Link) -> bool| -> BTreeSet<(Text, Text)> {
        candidates.iter().filter(|link| wanted(link)).map(|link| (link.from, link.to)).collect()
    };
    let proven = reach(pairs(|link| 0 < link.shared.queue_ids));
    let all = pairs(|_| true);
    let is_open = |link: &Link| {
        let (there, back) = ((link.from, link.to), (link.to, link.from));
        proven.contains(&back) || !proven.contains(&there) && all.contains(&back)
    };
    let mut links = Vec::new();
    for rivals in candidates.chunk_by(|a, b| (a.to, a.client) == (b.to, b.client)) {
        let is_before = |a: &Link| rivals.iter().any(|b| proven.contains(&(a.from, b.from)));
        let last = rivals.iter().filter(|link| 0 < link.shared.queue_ids || !is_open(link) && !is_before(link));
        links.extend(last.max_by_key(|link| (link.shared.queue_ids, link.shared.message_ids, link.from)));
    }
    links
}

/// Adds the pairs that several steps lead to. There are few servers.
fn reach(mut pairs: BTreeSet<(Text, Text)>) -> BTreeSet<(Text, Text)> {
    loop {
        let beyond = |(a, b): &(Text, Text)| {
            let (a, b) = (*a, *b);
            pairs.range((b, Text::default())..).take_while(move |(from, _)| *from == b).map(move |(_, c)| (a, *c))
        };
        let more: Vec<(Text, Text)> = pairs.iter().flat_map(beyond).filter(|pair| !pairs.contains(pair)).collect();
        if more.is_empty() {
            return pairs;
        }
        pairs.extend(more);
    }
}

/// Orders links so that what the last server says is told to the one before it before that one is asked.
pub fn downstream_first(mut links: Vec<Link>) -> Vec<Link> {
    let next: Vec<(Text, Text)> = links.iter().map(|link| (link.from, link.to)).collect();
    let mut depth = BTreeMap::<Text, usize>::new();
    // A chain is no longer than there are links; two servers that hand mail to each other would go round for ever.
    for _ in 0..next.len() {
        for (from, to) in &next {
            let below = depth.get(to).copied().unwrap_or(0) + 1;
            let own = depth.entry(*from).or_default();
            *own = below.max(*own).min(next.len());
        }
    }
    links.sort_by_key(|link| (depth.get(&link.to).copied().unwrap_or(0), link.to, link.from, link.client));
    links
}
