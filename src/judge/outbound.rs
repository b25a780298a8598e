//! Outbound: what a log that does not link its two sides (IIS) shows of mail that left, and
//! which of the domains that are ours live on somebody else's servers.

use crate::ledger::{DomainFacts, DomainKey, Ledger, Origin, Outcome, Text};
use crate::merge::Merge;
use crate::site::is_inside;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What became of mail, as our own client side shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fate {
    /// Recipients that other servers took.
    pub delivered: u64,
    /// Recipients to be tried again.
    pub deferred: u64,
    /// Recipients that other servers refused for good.
    pub bounced: u64,
}

/// Server, reverse-path domain and forward-path domain: all that links the two sides.
type Link<'a> = (&'a Text, Option<&'a str>, &'a str);

/// The client side of the servers that log it apart.
#[derive(Default)]
pub struct Outbound<'a> {
    fates: BTreeMap<Link<'a>, Fate>,
    servers: BTreeSet<&'a Text>,
}

impl<'a> Outbound<'a> {
    /// Gathers the outbound flows of a ledger.
    pub fn of(ledger: &'a Ledger) -> Outbound<'a> {
        let mut outbound = Outbound::default();
        for (key, flow) in ledger.flows.iter().filter(|(key, _)| key.origin == Origin::Outbound) {
            outbound.servers.insert(&key.server);
            let link = (&key.server, key.reverse_domain.as_deref(), key.forward_domain.as_ref());
            let fate = outbound.fates.entry(link).or_default();
            match key.outcome {
                Outcome::Relayed | Outcome::Delivered => fate.delivered.merge(flow.recipients),
                Outcome::Deferred => fate.deferred.merge(flow.recipients),
                Outcome::Bounced | Outcome::Expired => fate.bounced.merge(flow.recipients),
                _ => {}
            }
        }
        outbound
    }

    /// Whether the server logs its client side, and logged any of it. A log of that side may not name the server
    /// (Exchange): it may be this one's.
    pub fn covers(&self, server: &Text) -> bool {
        self.servers.contains(server) || self.servers.iter().any(|named| named.is_empty())
    }

    /// What became of mail between two domains: an estimate, as others may have sent some of
    /// it. Never more than the recipients accepted.
    pub fn fate(&self, link: Link<'_>, accepted: u64) -> Fate {
        let unnamed = Text::default();
        let own = self.fates.get(&link).or_else(|| self.fates.get(&(&unnamed, link.1, link.2)));
        let seen = own.copied().unwrap_or_default();
        let delivered = seen.delivered.min(accepted);
        let bounced = seen.bounced.min(accepted - delivered);
        let deferred = seen.deferred.min(accepted - delivered - bounced);
        Fate { delivered, deferred, bounced }
    }
}

/// Domains that servers only hand on to hosts outside: we are their secondary MX, and their own
/// servers rightly use them when they write to us.
pub fn elsewhere(ledger: &Ledger) -> BTreeSet<&str> {
    let handed_out = |facts: &DomainFacts| {
        facts.next_hops.iter().any(|hop| !hop.parse::<IpAddr>().is_ok_and(is_inside)) && 0 < facts.handed_on
    };
    let kept = |facts: &DomainFacts| 0 < facts.delivered_here || 0 < facts.unknown_users;
    let names = |wanted: &dyn Fn(&DomainFacts) -> bool| -> BTreeSet<&str> {
        let found = ledger.domains.iter().filter(|(_, facts)| wanted(facts));
        found.map(|(DomainKey { domain, .. }, _)| domain.as_ref()).collect()
    };
    let kept = names(&kept);
    names(&handed_out).into_iter().filter(|domain| !kept.contains(domain)).collect()
}
