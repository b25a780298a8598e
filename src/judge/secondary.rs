//! Domains of which we may be the secondary MX, while the user states no local domain: mail for them is taken from strangers
//! and passed on, which is relaying unless it is our task. Nothing in a log of that one server tells the two apart for
//! sure: the domain is named as a doubt, and never taken to be ours.

use super::route::{RouteVerdict, target_domain};
use super::routed::RoutedFlow;
use crate::ledger::{Client, Ledger, Text};
use crate::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// Clients that write to one domain only, from which it looks like one we take mail for.
const CLIENTS: u64 = 3;
/// Hosts to which such a domain's mail goes at most.
const HOSTS: usize = 2;

/// Domains to which several clients had mail relayed and to no other, and which always go to the same one or two hosts.
pub fn domains<'a>(ledger: &Ledger, site: &Site, flows: impl Iterator<Item = RoutedFlow<'a>>) -> BTreeSet<&'a str> {
    if site.states_local_domains() {
        return BTreeSet::new();
    }
    let mut targets = BTreeMap::<(Text, Client), BTreeSet<&str>>::new();
    for RoutedFlow { key, .. } in flows.filter(|flow| flow.verdict == RouteVerdict::RelayedUnauthorised) {
        targets.entry((key.server, key.client)).or_default().insert(target_domain(key, site));
    }
    let mut only = BTreeMap::<&str, u64>::new();
    for domain in targets.values().filter(|targets| targets.len() == 1).flatten() {
        *only.entry(domain).or_default() += 1;
    }
    let few_hops = |domain: &str| {
        let facts = ledger.domains.iter().filter(|(key, _)| key.domain.as_ref() == domain);
        facts.clone().count() == 1 && facts.into_iter().all(|(_, facts)| (1..=HOSTS).contains(&facts.next_hops.len()))
    };
    only.retain(|domain, clients| CLIENTS <= *clients && few_hops(domain));
    only.into_keys().collect()
}
