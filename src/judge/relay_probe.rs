//! relay-probe: a client without permission asked for recipients outside the site, and the server
//! refused (RFC 2505 section 2.1; the reply codes 550 and 554 of RFC 5321 section 4.2.2).
//!
//! False positives: a user of ours who did not log in; a mistyped domain; our own relay test.
//! Remedy: none; the server did what it should.

use super::finding::{Finding, Rule, Severity};
use super::route::{RouteVerdict, asks_third_party, has_authority, is_trick};
use super::routed::{Routed, RoutedFlow};
use super::tally::{self, Pair, Tally, confidence};
use super::words::{self, recipients};
use super::{About, remedy};
use crate::ledger::{Client, Flow, FlowKey, Ledger, Text};
use crate::site::{self, Site};
use foldhash::HashSet;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::RelayProbe,
    title: "a client tried to relay and was refused",
    meaning: "The server refused recipients outside the site to a client that is neither in a trusted network nor \
              logged in. Every server on the Internet sees this daily. Nothing left the server. Medium only if the \
              same client had other recipients relayed.",
    sources: "RFC 2505 section 2.1; RFC 5321 section 4.2.2; the address forms of public relay testers",
    false_positives: "A user of yours who did not log in; a mistyped domain; a relay test that you ordered.",
    remedy: "Nothing to do. If it is a user of yours: switch on SMTP log-in in the mail program.",
};

/// Recipients below which a refused user is not a prober.
const FEW: u64 = 5;

/// Finds the clients that tried in vain.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let (ledger, site) = (routed.ledger, routed.site);
    let mut probes = BTreeMap::<Pair<'_>, Probe>::new();
    let mut users = Users::default();
    let mut relayed = BTreeSet::<Pair<'_>>::new();
    for RoutedFlow { key, flow, verdict } in routed.flows() {
        if key.account.is_some() {
            users.see(key.server, &key.client);
        }
        let pair = (&key.server, &key.client);
        match verdict {
            RouteVerdict::RelayDenied if is_probe(key, site) => {
                probes.entry(pair).or_default().add(key, flow, site);
            }
            RouteVerdict::RelayedUnauthorised => {
                relayed.insert(pair);
            }
            _ => {}
        }
    }
    let finish = |(pair, probe): (Pair<'_>, Probe)| {
        let succeeded = relayed.contains(&pair);
        let user = probe.could_be_user() && users.know(pair);
        probe.finding(pair, succeeded, user, ledger, site)
    };
    probes.into_iter().map(finish).collect()
}

/// Whether a denied flow is an attempt to relay by somebody who may not.
fn is_probe(key: &FlowKey, site: &Site) -> bool {
    let stranger = key.client != Client::Unknown && !has_authority(key, site);
    // A domain of ours that the server does not take mail for is a fault of its own.
    stranger && (asks_third_party(key, site) || is_trick(key))
}

/// What one client tried.
#[derive(Default)]
struct Probe {
    tally: Tally,
    /// Whether it used a reverse-path outside our domains, or none.
    foreign: bool,
    /// Whether it disguised a recipient.
    trick: bool,
}

impl Probe {
    fn add(&mut self, key: &FlowKey, flow: &Flow, site: &Site) {
        self.tally.add(key, flow);
        self.trick |= is_trick(key);
        self.foreign |= key.reverse_domain.as_ref().is_none_or(|domain| domain.is_empty() || !site.is_local(domain));
    }

    fn could_be_user(&self) -> bool {
        !self.foreign && !self.trick && self.tally.refused < FEW
    }

    fn finding(self, pair: Pair<'_>, succeeded: bool, user: bool, ledger: &Ledger, site: &Site) -> Finding {
        let facts = tally::facts(ledger, pair.0, pair.1);
        let testers: Vec<&Text> = facts.iter().flat_map(|facts| &facts.testers).collect();
        let severity = match (succeeded, user) {
            (true, _) => Severity::Medium,
            (false, true) => Severity::Info,
            (false, false) if self.tally.refused == 1 => Severity::Info,
            (false, false) => Severity::Low,
        };
        let why = self.why(pair, &testers, succeeded, user);
        let mut finding = self.tally.finding(Rule::RelayProbe, severity, pair, ledger);
        finding.confidence = confidence(site);
        finding.why = why;
        finding.remedy = match (succeeded, user) {
            (true, _) => remedy::relay(ledger, pair.0, pair.1, None),
            (false, true) => vec!["Switch on SMTP log-in in this user's mail program (port 587).".to_owned()],
            (false, false) => vec!["Nothing to do: the server refused it.".to_owned()],
        };
        finding
    }

    fn why(&self, pair: Pair<'_>, testers: &[&Text], succeeded: bool, user: bool) -> Vec<String> {
        let client = words::quoted(&words::client(pair.1));
        let forms: Vec<&str> = self.tally.forms.iter().copied().collect();
        let asked = match self.tally.refused {
            1 => "1 recipient outside the site; it was refused".to_owned(),
            many => format!("{} outside the site; all were refused", recipients(many)),
        };
        let mut why = vec![format!("{client} asked for {asked}{}.", words::period(self.tally.span))];
        if self.trick {
            why.push(format!("Address forms tried: {}.", words::list(&forms)));
        }
        if !testers.is_empty() {
            let names: Vec<String> = testers.iter().map(|name| words::quoted(name)).collect();
            why.push(format!("It behaves like a known relay tester: {}.", words::list(&names)));
        }
        if user {
            why.push(
                "It looks like a user of yours who did not log in: few recipients, a reverse-path of your domain, and \
                 log-ins from the same network."
                    .to_owned(),
            );
        } else if self.could_be_user() {
            why.push(
                "Its reverse-path is in your domain: a user of yours who did not log in would look the same."
                    .to_owned(),
            );
        }
        if succeeded {
            why.push("Other recipients of the same client were relayed: see open-relay.".to_owned());
        }
        why
    }
}

/// Networks from which accounts log in.
#[derive(Default)]
struct Users(HashSet<(Text, IpNet)>);

impl Users {
    fn see(&mut self, server: Text, client: &Client) {
        self.0.extend(address(client).map(|address| (server, site::neighbourhood(address))));
    }

    fn know(&self, (server, client): Pair<'_>) -> bool {
        address(client).is_some_and(|address| self.0.contains(&(*server, site::neighbourhood(address))))
    }
}

fn address(client: &Client) -> Option<IpAddr> {
    match client {
        Client::Address(address) => Some(*address),
        _ => None,
    }
}
