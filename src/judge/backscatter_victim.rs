//! backscatter-victim: bounces come in, from many servers, for mail that nobody here sent: somebody sends mail elsewhere in the
//! name of a domain of ours ("joe job", if it is meant to harm). No fault of this server.
//!
//! False positives: bounces of our own mail that left by a server whose logs are not here.
//! Remedy: see [`remedy::victim`].

use super::finding::{Finding, Rule, Severity, Subject};
use super::null_sender_abuse::{abusers, is_null};
use super::route::RouteVerdict;
use super::routed::{Routed, RoutedFlow};
use super::tally::{Tally, confidence};
use super::words::{self, count, recipients};
use super::{About, remedy};
use crate::ledger::{Client, FlowKey, Origin, Outcome, Text};
use crate::merge::Merge;
use crate::site::neighbourhood;
use foldhash::HashMap;
use ipnet::IpNet;
use relayaudit_parsers::record::Refusal;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::BackscatterVictim,
    title: "bounces come in for mail that was not sent from here",
    meaning: "Servers in at least ten networks sent at least fifty notifications (null reverse-path) to one of your domains, more \
              than one for five recipients that were written to in its name through the servers of these logs. Somebody sends mail \
              elsewhere under that domain, and what other servers cannot deliver comes back to you (backscatter, or a \"joe \
              job\" if it is meant to harm you). No fault of this server, and nothing of it went through it. Where the logs show no \
              outgoing mail at all, at least a quarter of the notifications must be for addresses that do not exist.",
    sources: "Postfix BACKSCATTER_README; RFC 3834 section 2; RFC 5321 section 6.1 and 7.1; draft-levine-smtp-batv",
    false_positives: "A mailing of yours to bad addresses that left by another server, whose logs are not here; other mail with \
                      a null reverse-path (receipts, automatic answers) to a domain that sends little.",
    remedy: "Publish SPF and DMARC, refuse unknown recipients at RCPT, and consider BATV. Change no password because of this alone.",
};

/// Notifications from which they are more than the odd late bounce.
const MANY: u64 = 50;
/// Networks from which they come from everywhere.
const NETWORKS: usize = 10;
/// One bounce for so many recipients or fewer is more than the worst list of addresses brings.
const SENT: u64 = 5;
/// Where no mail is seen to leave, one in so many notifications must be for an address that does not exist.
const UNKNOWN: u64 = 4;

/// Finds the domains.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let abusers = abusers(routed);
    let mut victims = BTreeMap::<(Text, Text), Victim>::new();
    for RoutedFlow { key, flow, verdict } in routed.flows().filter(|flow| is_null(flow.key, routed.site)) {
        let ours = !key.forward_domain.is_empty() && routed.site.is_local(&key.forward_domain);
        let came = matches!(verdict, RouteVerdict::Inbound | RouteVerdict::Rejected);
        if !ours || !came || abusers.contains(&(&key.server, &key.client)) {
            continue;
        }
        let victim = victims.entry((key.server, key.forward_domain)).or_default();
        victim.tally.add(key, flow);
        victim.unknown.merge(if is_unknown(key) { flow.recipients } else { 0 });
        if let Client::Address(address) = key.client {
            victim.networks.insert(neighbourhood(address));
        }
        victim.clients.insert(key.client);
    }
    victims.retain(|_, victim| MANY <= victim.all() && NETWORKS <= victim.networks.len());
    if victims.is_empty() {
        return Vec::new();
    }
    let (sent, shows_sending) = sent(routed);
    let of = |domain: &Text| sent.get(domain).copied().unwrap_or(0);
    victims.retain(|(_, domain), victim| victim.is_forged(of(domain), shows_sending));
    victims.into_iter().map(|((server, domain), victim)| victim.finding(server, domain, of(&domain), routed)).collect()
}

/// Whether the recipient does not exist, or the server does not say why it refused.
fn is_unknown(key: &FlowKey) -> bool {
    let refused = matches!(key.refusal, Some(Refusal::UnknownUser | Refusal::Unsaid));
    refused || key.outcome == Outcome::BouncedHere
}

/// Recipients that were written to outside in the name of each domain, whoever did; and whether any were at all.
fn sent(routed: &Routed<'_>) -> (HashMap<Text, u64>, bool) {
    let left = |flow: &RoutedFlow<'_>| {
        let verdict = flow.verdict;
        matches!(verdict, RouteVerdict::OutboundNetwork | RouteVerdict::OutboundAccount | RouteVerdict::LocalOrigin)
            || matches!(verdict, RouteVerdict::RelayedUnauthorised | RouteVerdict::Forwarded | RouteVerdict::Unknown)
    };
    let apart = routed.ledger.flows.iter().filter(|(key, _)| key.origin == Origin::Outbound);
    let flows = routed.flows().filter(left).map(|flow| (flow.key, flow.flow.recipients));
    let mut sent = HashMap::<Text, u64>::default();
    for (key, number) in flows.chain(apart.map(|(key, flow)| (key, flow.recipients))) {
        if let Some(domain) = key.reverse_domain.filter(|domain| !domain.is_empty()) {
            sent.entry(domain).or_default().merge(number);
        }
    }
    let any = sent.keys().any(|domain| routed.site.is_ours(domain));
    (sent, any)
}

/// The notifications for one domain.
#[derive(Default)]
struct Victim {
    tally: Tally,
    /// Of them, those for addresses that do not exist.
    unknown: u64,
    clients: BTreeSet<Client>,
    networks: BTreeSet<IpNet>,
}

impl Victim {
    fn all(&self) -> u64 {
        self.tally.accepted.saturating_add(self.tally.refused)
    }

    /// Whether they are more than what was sent can have brought.
    fn is_forged(&self, sent: u64, shows_sending: bool) -> bool {
        match shows_sending {
            true => sent < self.all().saturating_mul(SENT),
            false => self.all() <= self.unknown.saturating_mul(UNKNOWN),
        }
    }

    fn finding(self, server: Text, domain: Text, sent: u64, routed: &Routed<'_>) -> Finding {
        let (name, all) = (words::quoted(&domain), self.all());
        let mut came = format!(
            "{} from {} in {} came to {} for {name}{}",
            count(all, "notification", "notifications"),
            count(self.clients.len() as u64, "server", "servers"),
            count(self.networks.len() as u64, "network", "networks"),
            words::server(&server),
            words::period(self.tally.span)
        );
        came.push_str(&match self.unknown {
            0 => ".".to_owned(),
            unknown => format!("; {} of them for addresses that do not exist here.", words::thousands(unknown)),
        });
        let left = match sent {
            0 => format!("The logs show no mail that left in the name of {name}."),
            sent => format!("Mail in the name of {name} left for no more than {}.", recipients(sent)),
        };
        let meaning = format!(
            "Somebody sends mail elsewhere in the name of {name}, and its bounces come here. It is no fault of this server, and that mail \
             did not go through it."
        );
        let mostly_unknown = all <= self.unknown.saturating_mul(2);
        let place = (&server, &Client::Unknown);
        let mut finding = self.tally.finding(Rule::BackscatterVictim, Severity::Low, place, routed.ledger);
        finding.subject = Subject { kind: "domain", value: domain };
        finding.confidence = confidence(routed.site).min(if mostly_unknown { 0.9 } else { 0.6 });
        finding.why = vec![came, left, meaning];
        finding.remedy = remedy::victim(routed.ledger, &server);
        finding
    }
}
