//! Hints: how much went which way, and who sent most of it: what a verdict weighs besides findings.

use super::open_relay::vouched;
use super::route::{RouteVerdict, target_domain};
use super::routed::{Routed, RoutedFlow};
use super::words;
use crate::ledger::{Flow, FlowKey, Outcome, Text};
use crate::merge::Merge;
use crate::site::Site;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Recipients by hour and by verdict.
pub type Timeline = BTreeMap<i32, BTreeMap<&'static str, u64>>;

/// The mail of one server, or of all.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// Recipients by verdict.
    pub by_verdict: BTreeMap<&'static str, u64>,
    /// Recipients by verdict and hour; those without a time are missing.
    pub timeline: Timeline,
    /// Outside recipients by account.
    pub accounts: BTreeMap<Text, u64>,
    /// Outside recipients by trusted host.
    pub hosts: BTreeMap<Text, u64>,
    /// Outside recipients by local user.
    pub users: BTreeMap<Text, u64>,
    /// Outside recipients by client that only the server's own list lets relay.
    pub listed: BTreeMap<Text, u64>,
    /// Outside recipients of our own notifications.
    pub notified: u64,
    /// Recipients that ended in our mailboxes though their domain is not local, by domain.
    pub strays: BTreeMap<Text, u64>,
}

impl Picture {
    /// Adds a flow.
    fn add(&mut self, key: &FlowKey, flow: &Flow, verdict: RouteVerdict, site: &Site) {
        *self.by_verdict.entry(verdict.as_str()).or_default() += flow.recipients;
        for (hour, recipients) in flow.hours.iter() {
            *self.timeline.entry(hour).or_default().entry(verdict.as_str()).or_default() += recipients;
        }
        let outside = !site.is_local(target_domain(key, site));
        let book = match verdict {
            RouteVerdict::OutboundAccount => key.account.map(|account| (&mut self.accounts, account)),
            RouteVerdict::OutboundNetwork => Some((&mut self.hosts, words::client(&key.client))),
            RouteVerdict::LocalOrigin if outside => Some((&mut self.users, words::client(&key.client))),
            RouteVerdict::Unknown if outside && key.outcome == Outcome::Delivered => {
                Some((&mut self.strays, key.forward_domain))
            }
            _ => None,
        };
        if let Some((book, name)) = book {
            book.entry(name).or_default().merge(flow.recipients);
        }
        if verdict == RouteVerdict::System && outside {
            self.notified.merge(flow.recipients);
        }
    }

    /// Recipients of one verdict.
    pub fn of(&self, verdict: RouteVerdict) -> u64 {
        self.by_verdict.get(verdict.as_str()).copied().unwrap_or(0)
    }

    /// Recipients in all.
    pub fn recipients(&self) -> u64 {
        self.by_verdict.values().sum()
    }

    /// Recipients that were taken in from somebody the logs name.
    pub fn told(&self) -> u64 {
        let untold = [RouteVerdict::Unknown, RouteVerdict::Rejected, RouteVerdict::RelayDenied];
        self.recipients() - untold.iter().map(|verdict| self.of(*verdict)).sum::<u64>()
    }

    fn merge(&mut self, other: Picture) {
        Merge::merge(&mut self.by_verdict, other.by_verdict);
        Merge::merge(&mut self.timeline, other.timeline);
        Merge::merge(&mut self.accounts, other.accounts);
        Merge::merge(&mut self.hosts, other.hosts);
        Merge::merge(&mut self.users, other.users);
        Merge::merge(&mut self.listed, other.listed);
        self.notified.merge(other.notified);
        Merge::merge(&mut self.strays, other.strays);
    }
}

/// The pictures of all servers together, and of each.
pub fn pictures(routed: &Routed<'_>) -> (Picture, BTreeMap<Text, Picture>) {
    let site = routed.site;
    let mut servers = BTreeMap::<Text, Picture>::new();
    let lists = vouched::lists(routed.ledger);
    for routed @ RoutedFlow { key, flow, verdict } in routed.flows() {
        let picture = match servers.get_mut(&key.server) {
            Some(picture) => picture,
            None => servers.entry(key.server).or_default(),
        };
        picture.add(key, flow, verdict, site);
        if !lists.is_empty() && vouched::is_listed(&lists, routed, site) {
            picture.listed.entry(words::client(&key.client)).or_default().merge(flow.recipients);
        }
    }
    let mut all = Picture::default();
    servers.values().for_each(|picture| all.merge(picture.clone()));
    (all, servers)
}

/// The largest three of a book, in words: `anna (812), ben (44) and carla (3)`.
pub fn largest(book: &BTreeMap<Text, u64>) -> String {
    let mut entries: Vec<(&Text, u64)> = book.iter().map(|(name, number)| (name, *number)).collect();
    entries.sort_by_key(|(name, number)| (Reverse(*number), *name));
    let top = entries.iter().take(3);
    let named: Vec<String> =
        top.map(|(name, number)| format!("{} ({})", words::quoted(name), words::thousands(*number))).collect();
    words::list(&named)
}
