//! spoofed-local-sender: a client outside the site that did not log in used one of our domains as
//! reverse-path (RFC 7208 section 1: the reverse-path is not authenticated).
//!
//! False positives: forwarders and mailing lists that keep our users' reverse-paths, a service that
//! sends in our name, a user who did not log in.
//! Remedy: SPF, and a rule that keeps our domains to log-ins.

mod header_from;

use super::finding::{Finding, Rule, Severity};
use super::outbound::elsewhere;
use super::route::has_authority;
use super::routed::Routed;
use super::tally::{Pair, Tally, confidence};
use super::words::{self, recipients};
use super::{About, remedy, spf};
use crate::ledger::{Client, Flow, FlowKey, Ledger, Text};
use crate::merge::Merge;
use crate::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::SpoofedLocalSender,
    title: "an outside client used a domain of yours as reverse-path",
    meaning: "A client that is neither in a trusted network nor logged in named an address of one of your domains as \
              reverse-path. Spam and phishing to your own users often does. It came in; it did not go out. Where the log gives the From header \
              too (Exchange message tracking, Zeek, Cisco ESA, Proofpoint on Demand), your domain there under a stranger's \
              reverse-path is told as well: low at most, and not of a client that passes on mail of three other domains or more, nor \
              where your users write to the domain of the reverse-path, as members of a mailing list do.",
    sources: "RFC 7208 section 1; RFC 5321 section 3.9.2 and 7.1; Microsoft Learn, message tracking (sender-address, return-path)",
    false_positives: "Forwarders and mailing lists that keep the reverse-path; a service that sends in your name; a \
                      user who did not log in. With --spf, a client that the domain's SPF record allows is for information.",
    remedy: "Publish SPF and DMARC, and accept your own domains as reverse-path from log-ins and trusted networks only.",
};

/// Recipients from which it deserves a look.
const MANY: u64 = 20;
/// Other reverse-path domains from which a client is a forwarder or a list.
const FORWARDER_DOMAINS: usize = 5;
/// A forwarder's mail has our domains in less than one in so many recipients.
const FORWARDER_SHARE: u64 = 10;

/// Finds the clients that used our domains.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let mut findings = envelopes(routed);
    header_from::add(&mut findings, routed);
    findings
}

/// Finds them by their reverse-paths.
fn envelopes(Routed { ledger, site, consulted, .. }: &Routed<'_>) -> Vec<Finding> {
    let elsewhere = elsewhere(ledger);
    let mut spoofs = BTreeMap::<Pair<'_>, Spoof<'_>>::new();
    for (key, flow) in &ledger.flows {
        if let Some(domain) = spoofed(key, site, &elsewhere) {
            spoofs.entry((&key.server, &key.client)).or_default().add(domain, key, flow);
        }
    }
    if spoofs.is_empty() {
        return Vec::new();
    }
    for (key, flow) in ledger.flows.iter().filter(|(key, _)| key.origin.is_network()) {
        if let Some(spoof) = spoofs.get_mut(&(&key.server, &key.client)) {
            spoof.see_all(key, flow, site);
        }
    }
    let finding = |(pair, spoof): (Pair<'_>, Spoof<'_>)| {
        let domains = spoof.domains.clone();
        spf::weigh(spoof.finding(pair, ledger, site), pair.1, &domains, &consulted.spf)
    };
    spoofs.into_iter().map(finding).collect()
}

/// Recipients by client and domain of ours that it used as a stranger.
pub fn uses(ledger: &Ledger, site: &Site) -> BTreeMap<(Client, Text), u64> {
    let elsewhere = elsewhere(ledger);
    let mut uses = BTreeMap::<(Client, Text), u64>::new();
    for (key, flow) in &ledger.flows {
        if let Some(domain) = spoofed(key, site, &elsewhere) {
            uses.entry((key.client, *domain)).or_default().merge(flow.recipients);
        }
    }
    uses
}

/// The domain of ours that a stranger's flow uses as reverse-path.
fn spoofed<'a>(key: &'a FlowKey, site: &Site, elsewhere: &BTreeSet<&str>) -> Option<&'a Text> {
    let from_outside = key.origin.is_network() && key.client != Client::Unknown;
    let domain = key.reverse_domain.as_ref().filter(|domain| from_outside && !domain.is_empty())?;
    let ours = site.is_local(domain) && !elsewhere.contains(domain.as_ref());
    // A client that logged in has authority.
    (ours && !has_authority(key, site)).then_some(domain)
}

/// What one client sent in our name.
#[derive(Default)]
struct Spoof<'a> {
    tally: Tally,
    domains: BTreeSet<&'a str>,
    /// Other domains it used as reverse-path.
    others: BTreeSet<&'a str>,
    /// Recipients of all its mail.
    all: u64,
}

impl<'a> Spoof<'a> {
    fn add(&mut self, domain: &'a str, key: &FlowKey, flow: &Flow) {
        self.tally.add(key, flow);
        self.domains.insert(domain);
    }

    fn see_all(&mut self, key: &'a FlowKey, flow: &Flow, site: &Site) {
        self.all.merge(flow.recipients);
        if let Some(domain) = key.reverse_domain.as_deref().filter(|domain| !site.is_local(domain)) {
            self.others.insert(domain);
        }
    }

    /// Whether it passes on mail of many, some of it ours.
    fn is_forwarder(&self) -> bool {
        let ours = self.tally.accepted.saturating_add(self.tally.refused);
        FORWARDER_DOMAINS <= self.others.len() && ours.saturating_mul(FORWARDER_SHARE) < self.all
    }

    fn finding(self, pair: Pair<'_>, ledger: &Ledger, site: &Site) -> Finding {
        let forwarder = self.is_forwarder();
        let severity = match (self.tally.accepted, forwarder) {
            (_, true) | (0, _) => Severity::Info,
            (MANY.., false) => Severity::Medium,
            (_, false) => Severity::Low,
        };
        let why = self.why(pair, forwarder);
        let mut finding = self.tally.finding(Rule::SpoofedLocalSender, severity, pair, ledger);
        finding.confidence = if forwarder { 0.3 } else { confidence(site) };
        finding.why = why;
        finding.remedy = remedy::spoofing(ledger, pair.0);
        finding
    }

    fn why(&self, pair: Pair<'_>, forwarder: bool) -> Vec<String> {
        let domains: Vec<String> = self.domains.iter().take(3).map(|domain| words::quoted(domain)).collect();
        let took = match (self.tally.accepted, self.tally.refused) {
            (0, refused) => format!("for {}, all refused", recipients(refused)),
            (accepted, 0) => format!("for {}, all accepted", recipients(accepted)),
            (accepted, refused) => {
                format!("for {} accepted and {} refused", recipients(accepted), words::thousands(refused))
            }
        };
        let client = words::quoted(&words::client(pair.1));
        let mut why = vec![format!(
            "{client} used {} as reverse-path without logging in, {took}{}.",
            words::list(&domains),
            words::period(self.tally.span)
        )];
        if forwarder {
            why.push(format!(
                "It also passes on mail of {}, and yours is a small part: it looks like a forwarder or a mailing list.",
                words::count(self.others.len() as u64, "other domain", "other domains")
            ));
        }
        why
    }
}
