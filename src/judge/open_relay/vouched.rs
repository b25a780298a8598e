//! Clients that the server's own list lets relay, though the site knows nothing of them: too wide a list is an open relay that the
//! server takes for permission. One partner's host on the list is nobody's fault; strangers are told by their number, their
//! networks and other people's reverse-paths.
//!
//! Which logs say that a client is on such a list, and what it is called, is in `relayaudit_parsers::settings`.

use super::fate;
use crate::judge::finding::{Finding, Rule, Severity};
use crate::judge::remedy;
use crate::judge::route::{RouteVerdict, is_trick, is_trusted, target_domain};
use crate::judge::routed::{Routed, RoutedFlow};
use crate::judge::tally::{Pair, Tally};
use crate::judge::words::{self, count, recipients};
use crate::ledger::{Client, Ledger, Text};
use crate::site::{Site, neighbourhood};
use ipnet::IpNet;
use relayaudit_parsers::settings::{self, RelayList};
use std::collections::{BTreeMap, BTreeSet};

/// Networks of clients that behave oddly from which the list is too wide.
const ODD: usize = 3;
/// Networks of clients with other people's reverse-paths from which it is too wide whatever they do.
const STRANGE: usize = 8;
/// Reverse-path domains that are not ours from which one client is odd: a partner has one or two.
const DOMAINS: usize = 3;
/// Recipients from which it is worth more than a look.
const MANY: u64 = 100;

/// The lists of the servers whose logs say who is on one.
pub fn lists(ledger: &Ledger) -> BTreeMap<Text, RelayList> {
    let of = |formats: &BTreeSet<Text>| formats.iter().find_map(|format| settings::of(format)?.relay_list);
    ledger.servers.iter().filter_map(|(server, facts)| Some((*server, of(&facts.formats)?))).collect()
}

/// Whether a flow is mail of a client that only the server's list lets relay.
pub fn is_listed(lists: &BTreeMap<Text, RelayList>, flow: RoutedFlow<'_>, site: &Site) -> bool {
    let key = flow.key;
    let vouched = flow.verdict == RouteVerdict::OutboundAccount && key.vouched && key.account.is_none();
    vouched && lists.contains_key(&key.server) && !is_trusted(&key.client, site)
}

/// What one of them sent.
#[derive(Default)]
struct Listed<'a> {
    tally: Tally,
    targets: BTreeSet<&'a str>,
    /// Recipients with other people's reverse-paths, and those domains.
    foreign: u64,
    domains: BTreeSet<&'a str>,
    trick: bool,
}

impl<'a> Listed<'a> {
    fn add(&mut self, RoutedFlow { key, flow, .. }: RoutedFlow<'a>, site: &Site) {
        self.tally.add(key, flow);
        self.targets.insert(target_domain(key, site));
        self.trick |= is_trick(key);
        if let Some(domain) = key.reverse_domain.as_ref().filter(|domain| !domain.is_empty() && !site.is_ours(domain)) {
            self.foreign = self.foreign.saturating_add(flow.recipients);
            self.domains.insert(domain);
        }
    }

    /// Whether most of its mail has other people's reverse-paths.
    fn is_strange(&self) -> bool {
        self.tally.accepted <= self.foreign.saturating_mul(2)
    }

    /// Whether no partner sends like that.
    fn is_odd(&self) -> bool {
        let refused = 10 <= self.tally.bounced && self.tally.delivered <= self.tally.bounced.saturating_mul(4);
        self.is_strange() && (DOMAINS <= self.domains.len() || refused || self.trick)
    }
}

/// Finds the clients of lists that are too wide.
pub fn findings(routed: &Routed<'_>) -> Vec<Finding> {
    let lists = lists(routed.ledger);
    let mut servers = BTreeMap::<&Text, BTreeMap<&Client, Listed<'_>>>::new();
    for flow in routed.flows().filter(|flow| is_listed(&lists, *flow, routed.site)) {
        let clients = servers.entry(&flow.key.server).or_default();
        clients.entry(&flow.key.client).or_default().add(flow, routed.site);
    }
    let mut findings = Vec::new();
    for (server, clients) in servers {
        let Some(list) = lists.get(server) else { continue };
        // Users who logged in look the same, and where nobody said which domains are local, theirs may be anybody's.
        if is_too_wide(&clients) && (!list.or_logged_in || routed.site.states_local_domains()) {
            let strangers = clients.into_iter().filter(|(_, listed)| listed.is_strange());
            findings.extend(strangers.map(|(client, listed)| finding((server, client), listed, list, routed)));
        }
    }
    findings
}

/// Whether those whom a list lets in are strangers, and not a partner or two.
fn is_too_wide(clients: &BTreeMap<&Client, Listed<'_>>) -> bool {
    let networks = |wanted: fn(&Listed<'_>) -> bool| -> usize {
        let network = |client: &Client| match client {
            Client::Address(address) => Some(neighbourhood(*address)),
            _ => None,
        };
        let found = clients.iter().filter(|(_, listed)| wanted(listed)).filter_map(|(client, _)| network(client));
        found.collect::<BTreeSet<IpNet>>().len()
    };
    ODD <= networks(|listed| listed.is_odd()) || STRANGE <= networks(|listed| listed.is_strange())
}

fn finding(pair: Pair<'_>, listed: Listed<'_>, list: &RelayList, routed: &Routed<'_>) -> Finding {
    let (server, client) = pair;
    let tally = &listed.tally;
    let severity = if MANY <= tally.accepted { Severity::High } else { Severity::Medium };
    let unseen = tally.accepted.saturating_sub(tally.delivered + tally.deferred + tally.bounced);
    let by = if list.or_logged_in { ", or it logged in: this log does not tell which" } else { ", not by a password" };
    let why = vec![
        format!(
            "{} relayed {} through {}, to {}{}.",
            words::quoted(&words::client(client)),
            recipients(tally.accepted),
            words::server(server),
            count(listed.targets.len() as u64, "outside domain", "outside domains"),
            words::period(tally.span),
        ),
        format!("It was allowed to relay by the server's own list, {}{by}.", list.name),
        format!(
            "It is in none of your networks, and {} had reverse-paths in {}, as of others on that list: the list is too wide.",
            recipients(listed.foreign),
            count(listed.domains.len() as u64, "domain that is not yours", "domains that are not yours")
        ),
        fate(tally, unseen, 0),
    ];
    let mut finding = listed.tally.finding(Rule::OpenRelay, severity, pair, routed.ledger);
    finding.confidence = if list.or_logged_in { 0.4 } else { 0.5 };
    finding.why = why;
    let steps = remedy::relay(routed.ledger, server, client, finding.queue.as_ref());
    finding.remedy = std::iter::once(list.narrow.to_owned()).chain(steps).collect();
    finding
}
