//! backscatter: the server took in mail that it could not deliver, and sends notifications to senders that never wrote it.
//!
//! False positives: a mailing of ours to a list of bad addresses whose bounces go to an outside address.
//! Remedy: see [`remedy::backscatter`].

use super::finding::{Finding, Rule, Severity, Subject};
use super::route::{RouteVerdict, target_domain};
use super::routed::{Routed, RoutedFlow};
use super::tally::Tally;
use super::words::{self, count, recipients};
use super::{About, remedy};
use crate::ledger::{Client, FlowKey, Outcome, Text};
use crate::merge::Merge;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::Backscatter,
    title: "the server sends bounces to people who never wrote",
    meaning: "The server wrote at least twenty delivery status notifications to outside addresses, and could not deliver at \
              least one in ten of the recipients that it had taken in from outside: they do not exist, or it could not reach them. The reverse-paths of such mail are forged, and the bounces \
              hit bystanders. Lists such as backscatterer.org name servers for it.",
    sources: "RFC 3834 section 2; RFC 5321 section 6.1 and 7.8; Postfix BACKSCATTER_README",
    false_positives: "Bounces of a mailing of yours whose reverse-path is an outside address.",
    remedy: "Refuse unknown recipients at RCPT instead of bouncing them later.",
};

/// Notifications to outsiders from which it is more than the odd late bounce.
const MANY: u64 = 20;

/// One in so many incoming recipients at least was given up: the odd mistyped address is less.
const SHARE: u64 = 10;

/// Finds the servers.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let mut servers = BTreeMap::<Text, Scatter<'_>>::new();
    for RoutedFlow { key, flow, verdict } in routed.flows() {
        let outside = || !routed.site.is_local(target_domain(key, routed.site));
        if verdict == RouteVerdict::System && outside() {
            let scatter = servers.entry(key.server).or_default();
            scatter.tally.add(key, flow);
            scatter.domains.insert(target_domain(key, routed.site));
        } else if verdict == RouteVerdict::Inbound || is_for_secondary(routed, key, verdict) {
            let scatter = servers.entry(key.server).or_default();
            scatter.inbound.merge(flow.recipients);
            if !matches!(key.outcome, Outcome::BouncedHere | Outcome::Bounced) {
                continue;
            }
            scatter.given_up.merge(flow.recipients);
            scatter.causes.entry(key.client).or_default().merge(flow.recipients);
        }
    }
    // Notifications about mail that strangers relayed, or that our users sent, have another cause.
    servers.retain(|_, scatter| {
        let many = MANY <= scatter.tally.accepted && MANY <= scatter.given_up;
        many && scatter.inbound <= scatter.given_up.saturating_mul(SHARE)
    });
    servers.into_iter().map(|(server, scatter)| scatter.finding(server, routed)).collect()
}

/// Whether mail that was passed on is for a domain of which we may be the secondary MX: such mail comes in.
fn is_for_secondary(routed: &Routed<'_>, key: &FlowKey, verdict: RouteVerdict) -> bool {
    verdict == RouteVerdict::RelayedUnauthorised && routed.secondary().contains(target_domain(key, routed.site))
}

/// The notifications of one server.
#[derive(Default)]
struct Scatter<'a> {
    tally: Tally,
    domains: BTreeSet<&'a str>,
    /// Recipients it took in from outside.
    inbound: u64,
    /// Of these, given up.
    given_up: u64,
    /// The same by client.
    causes: BTreeMap<Client, u64>,
}

impl Scatter<'_> {
    fn finding(self, server: Text, routed: &Routed<'_>) -> Finding {
        let mut why = vec![format!(
            "{} wrote notifications to {} in {}{}.",
            words::server(&server),
            count(self.tally.accepted, "outside recipient", "outside recipients"),
            count(self.domains.len() as u64, "domain", "domains"),
            words::period(self.tally.span)
        )];
        if 0 < self.given_up {
            why.push(format!(
                "Of {} of yours that it had taken in from outside, it could not deliver {}.",
                recipients(self.inbound),
                words::thousands(self.given_up)
            ));
        }
        let mut causes: Vec<(u64, Client)> = self.causes.iter().map(|(client, n)| (*n, *client)).collect();
        causes.sort_by(|a, b| b.cmp(a));
        let named: Vec<String> = causes
            .iter()
            .take(3)
            .map(|(n, client)| format!("{} ({})", words::quoted(&words::client(client)), words::thousands(*n)))
            .collect();
        if !named.is_empty() {
            why.push(format!("Most of that mail came from {}.", words::list(&named)));
        }
        let mut finding =
            self.tally.finding(Rule::Backscatter, Severity::Medium, (&server, &Client::Unknown), routed.ledger);
        finding.subject = Subject { kind: "server", value: words::server(&server).into() };
        finding.confidence = 0.85;
        finding.why = why;
        finding.remedy = remedy::backscatter(routed.ledger, &server, finding.queue.as_ref());
        finding
    }
}
