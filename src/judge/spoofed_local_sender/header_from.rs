//! Our domains in the From header under a stranger's reverse-path, in logs that give both (Exchange message tracking, Zeek,
//! Cisco ESA, Proofpoint on Demand).
//!
//! A mailing list sends just so: the author's From header, its own reverse-path (RFC 5321 section 3.9.2). It has many
//! authors, and ours have written to it; a client of which either is seen is not named. A service that sends in our name
//! looks the same too, which is why it is low at most.

use super::ABOUT;
use crate::judge::finding::{Finding, Severity, Subject};
use crate::judge::outbound::elsewhere;
use crate::judge::remedy;
use crate::judge::route::{RouteVerdict, is_trusted, target_domain};
use crate::judge::routed::Routed;
use crate::judge::tally::{Pair, Tally, confidence};
use crate::judge::words::{self, count, recipients};
use crate::ledger::{Client, HeaderFrom, HeaderFromKey, Origin, Text};
use crate::merge::Merge;
use std::collections::{BTreeMap, BTreeSet};

/// Other domains in From headers from which a client passes on mail of many authors.
const AUTHORS: usize = 3;

/// Adds what the From headers show to the findings of the rule, which has one for each client at most.
pub fn add(findings: &mut Vec<Finding>, routed: &Routed<'_>) {
    let cases = cases(routed);
    if cases.is_empty() {
        return;
    }
    let written = written(routed);
    for (pair, case) in cases {
        if case.is_list(&written) {
            continue;
        }
        let subject = Subject { kind: "client", value: words::client(pair.1) };
        let why = case.why(pair, &written);
        match findings.iter_mut().find(|finding| finding.server == *pair.0 && finding.subject == subject) {
            Some(finding) => {
                finding.why.extend(why);
                finding.evidence.extend(case.tally.evidence.iter().cloned());
                finding.evidence.sort();
                finding.evidence.dedup();
            }
            None => findings.push(case.finding(pair, why, &written, routed)),
        }
    }
}

/// The clients with our domains in From headers.
fn cases<'a>(routed: &'a Routed<'_>) -> BTreeMap<Pair<'a>, Case> {
    let (site, book) = (routed.site, &routed.ledger.header_froms);
    let elsewhere = if book.is_empty() { BTreeSet::new() } else { elsewhere(routed.ledger) };
    let mut cases = BTreeMap::<Pair<'_>, Case>::new();
    for (key, facts) in book {
        let ours = site.is_local(&key.domain) && !elsewhere.contains(key.domain.as_ref());
        // The reverse-path of a host or service of ours, beside one of our domains, is nobody else's.
        let foreign = facts.reverse_domains.iter().any(|domain| domain.is_empty() || !site.is_ours(domain));
        if ours && foreign && key.client != Client::Unknown && !is_trusted(&key.client, site) {
            cases.entry((&key.server, &key.client)).or_default().add(key, facts);
        }
    }
    for (key, _) in book.iter().filter(|(key, _)| !site.is_ours(&key.domain)) {
        if let Some(case) = cases.get_mut(&(&key.server, &key.client)) {
            case.authors.insert(key.domain);
        }
    }
    cases
}

/// The outside domains that were written to through these servers, with the parents of each.
fn written<'a>(routed: &'a Routed<'_>) -> BTreeSet<&'a str> {
    let left = |verdict| {
        matches!(verdict, RouteVerdict::OutboundNetwork | RouteVerdict::OutboundAccount | RouteVerdict::LocalOrigin)
    };
    let linked = routed.flows().filter(|flow| left(flow.verdict)).map(|flow| flow.key);
    let apart = routed.ledger.flows.keys().filter(|key| key.origin == Origin::Outbound);
    let domains: BTreeSet<&str> = linked.chain(apart).map(|key| target_domain(key, routed.site)).collect();
    domains.into_iter().flat_map(parents).collect()
}

/// A domain and those above it that have a dot: a list at `lists.example.net` writes as `bounces.example.net`.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    let above = domain.match_indices('.').map(|(dot, _)| &domain[dot + 1..]);
    std::iter::once(domain).chain(above).filter(|domain| domain.contains('.'))
}

/// What one client sent with our domains in the From header.
#[derive(Default)]
struct Case {
    tally: Tally,
    domains: BTreeSet<Text>,
    reverse_domains: BTreeSet<Text>,
    /// Other domains in its From headers.
    authors: BTreeSet<Text>,
}

impl Case {
    fn add(&mut self, key: &HeaderFromKey, facts: &HeaderFrom) {
        self.tally.messages.merge(facts.messages);
        self.tally.accepted.merge(facts.recipients);
        self.tally.span.merge(facts.span);
        facts.evidence.iter().for_each(|line| self.tally.evidence.insert(line.clone()));
        self.domains.insert(key.domain);
        self.reverse_domains.extend(facts.reverse_domains.iter().copied());
    }

    /// Whether it passes on mail of many, or is somebody to whom ours write.
    fn is_list(&self, written: &BTreeSet<&str>) -> bool {
        AUTHORS <= self.authors.len()
            || self.reverse_domains.iter().any(|domain| parents(domain).any(|above| written.contains(above)))
    }

    fn why(&self, pair: Pair<'_>, written: &BTreeSet<&str>) -> Vec<String> {
        let quoted = |names: &BTreeSet<Text>| -> Vec<String> {
            let name = |name: &Text| if name.is_empty() { "the null one".to_owned() } else { words::quoted(name) };
            names.iter().take(3).map(name).collect()
        };
        let told = format!(
            "{} sent {} with {} in the From header, under other reverse-paths ({}), to {}{}.",
            words::quoted(&words::client(pair.1)),
            count(self.tally.messages, "message", "messages"),
            words::list(&quoted(&self.domains)),
            quoted(&self.reverse_domains).join(", "),
            recipients(self.tally.accepted),
            words::period(self.tally.span)
        );
        let doubt = match written.is_empty() {
            true => {
                "The logs show no mail that your users sent, so it may as well be a mailing list that they write to."
            }
            false => {
                "Your users are not seen to write there, as they would to a mailing list. A service that sends in your name \
                      looks the same."
            }
        };
        vec![told, doubt.to_owned()]
    }

    fn finding(self, pair: Pair<'_>, why: Vec<String>, written: &BTreeSet<&str>, routed: &Routed<'_>) -> Finding {
        let severity = if written.is_empty() { Severity::Info } else { Severity::Low };
        let mut finding = self.tally.finding(ABOUT.rule, severity, pair, routed.ledger);
        finding.confidence = confidence(routed.site).min(if written.is_empty() { 0.3 } else { 0.5 });
        finding.why = why;
        finding.remedy = remedy::spoofing(routed.ledger, pair.0);
        finding
    }
}
