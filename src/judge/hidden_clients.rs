//! hidden-clients: one trusted or private address hands in the mail of the whole Internet: an address translator, a proxy or a
//! container gateway hides who the clients are.
//!
//! False positives: a gateway or a filter of ours that passes on incoming mail; it should be a content filter to the server, or use
//! XCLIENT or the PROXY protocol.
//! Remedy: let the true address through; never ban this one.

use super::About;
use super::finding::{Finding, Rule, Severity};
use super::routed::{Routed, RoutedFlow};
use super::tally::{Pair, Tally, confidence};
use super::words::{self, count};
use crate::ledger::{Client, Origin, Text};
use crate::site::{Site, is_inside};
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::HiddenClients,
    title: "one inside address hides many clients",
    meaning: "Mail for you comes in from one private or trusted address with many EHLO names and reverse-paths of many outside \
              domains: address translation, a proxy or a container gateway stands between the Internet and the server, and the log \
              does not show the true clients. If the address is trusted, everybody may relay.",
    sources: "RFC 2663 section 4.1; Docker documentation on the userland proxy; postscreen(8) and the PROXY protocol",
    false_positives: "A mail gateway or filter of yours that passes incoming mail on.",
    remedy: "Let the true client address through (PROXY protocol, XCLIENT, host network), and take the address out of the \
             trusted networks. Do not ban it.",
};

/// EHLO names from which one host is many. People name a machine once.
const NAMES: usize = 5;
/// Outside reverse-path domains from which it is the Internet's mail.
const DOMAINS: usize = 5;

/// Finds the addresses.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let found = inbound(routed, |_| true).into_iter().filter_map(|(pair, seen)| {
        let names = names(routed, *pair.0, *pair.1);
        hides(&seen, names).then(|| seen.finding(pair, names, routed))
    });
    found.collect()
}

/// Whether an address hides clients.
pub fn hides_clients(routed: &Routed<'_>, server: Text, client: Client) -> bool {
    let seen = inbound(routed, |pair| (*pair.0, *pair.1) == (server, client)).into_values().next();
    seen.is_some_and(|seen| hides(&seen, names(routed, server, client)))
}

fn hides(seen: &Seen<'_>, names: usize) -> bool {
    NAMES <= names && DOMAINS <= seen.domains.len()
}

/// EHLO names that a client used.
fn names(routed: &Routed<'_>, server: Text, client: Client) -> usize {
    routed.ledger.hellos.keys().filter(|key| (key.server, key.client) == (server, client)).count()
}

/// What comes in from one inside address.
#[derive(Default)]
struct Seen<'a> {
    tally: Tally,
    domains: BTreeSet<&'a str>,
}

/// Mail from outside domains to us, by inside address: of the addresses that are wanted.
fn inbound<'a>(routed: &Routed<'a>, wanted: impl Fn(&Pair<'a>) -> bool) -> BTreeMap<Pair<'a>, Seen<'a>> {
    let site = routed.site;
    let mut seen = BTreeMap::<Pair<'a>, Seen<'a>>::new();
    for RoutedFlow { key, flow, .. } in routed.flows() {
        let pair = (&key.server, &key.client);
        // Most clients are outside: nothing else is asked of them.
        if key.origin != Origin::Network || key.account.is_some() || !is_inner(&key.client, site) || !wanted(&pair) {
            continue;
        }
        let foreign = key.reverse_domain.as_ref().filter(|domain| !domain.is_empty() && !site.is_ours(domain));
        if let (Some(domain), true) = (foreign, site.is_local(&key.forward_domain)) {
            let seen = seen.entry(pair).or_default();
            seen.tally.add(key, flow);
            seen.domains.insert(domain);
        }
    }
    seen
}

/// Whether the address is private or trusted, and not the server itself.
fn is_inner(client: &Client, site: &Site) -> bool {
    matches!(client, Client::Address(address)
        if !address.is_loopback() && (is_inside(*address) || site.trusts(*address)))
}

impl Seen<'_> {
    fn finding(self, pair: Pair<'_>, names: usize, routed: &Routed<'_>) -> Finding {
        let trusted = matches!(pair.1, Client::Address(address) if routed.site.trusts(*address));
        let severity = if trusted { Severity::Medium } else { Severity::Low };
        let why = format!(
            "{} handed in mail for you with reverse-paths in {} and greeted with {}{}.",
            words::quoted(&words::client(pair.1)),
            count(self.domains.len() as u64, "outside domain", "outside domains"),
            count(names as u64, "EHLO name", "EHLO names"),
            words::period(self.tally.span),
        );
        let mut finding = self.tally.finding(Rule::HiddenClients, severity, pair, routed.ledger);
        finding.confidence = confidence(routed.site).min(0.8);
        finding.why = vec![why, "It looks like a proxy, an address translator or a gateway.".to_owned()];
        if trusted {
            finding.why.push("It is in a trusted network: whoever comes through it may relay.".to_owned());
        }
        finding.remedy = vec![
            "Do not ban this address: it is everybody's.".to_owned(),
            "Let the true client address through: the PROXY protocol, XCLIENT, or a container on the host's network."
                .to_owned(),
            "Take the address out of the trusted networks, so that nobody may relay because of it.".to_owned(),
        ];
        finding
    }
}
