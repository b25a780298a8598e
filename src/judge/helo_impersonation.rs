//! helo-impersonation: a client outside the site greeted with the name, the address or a domain of
//! ours (RFC 5321 section 4.1.1.1: the argument of EHLO is the client's own name).
//!
//! False positives: another server of ours, or a NAT address of ours, that is not in the site.
//! Remedy: a rule against such greetings.

use super::finding::{Finding, Rule, Severity};
use super::outbound::elsewhere;
use super::route::is_trusted;
use super::routed::Routed;
use super::tally::{self, Pair, Tally, confidence};
use super::words;
use super::{About, remedy};
use crate::ledger::{Client, HelloFacts, HelloKey, Ledger};
use crate::merge::Merge;
use crate::site::{Site, is_localhost};
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::HeloImpersonation,
    title: "an outside client greeted with your name",
    meaning: "A client that is neither in a trusted network nor logged in gave the name or address of one of your \
              servers, or one of your domains, as its own in EHLO. Spam software does so to pass for a neighbour. \
              `localhost`, loopback addresses and names without a dot are not counted.",
    sources: "RFC 5321 section 4.1.1.1",
    false_positives: "Another server of yours, or the outside address of your own network, that is not in the site.",
    remedy: "Refuse clients that greet with your name.",
};

/// Finds the clients that greeted so.
pub fn judge(Routed { ledger, site, .. }: &Routed<'_>) -> Vec<Finding> {
    let elsewhere = elsewhere(ledger);
    let mut greeted = BTreeMap::<Pair<'_>, Greeting<'_>>::new();
    for (key, facts) in &ledger.hellos {
        if is_impersonation(key, ledger, site, &elsewhere) {
            greeted.entry((&key.server, &key.client)).or_default().add(key, facts);
        }
    }
    if !greeted.is_empty() {
        // Mail programs greet with all sorts of names; who logs in is no stranger.
        for key in ledger.flows.keys().filter(|key| key.account.is_some()) {
            greeted.remove(&(&key.server, &key.client));
        }
    }
    greeted.into_iter().map(|(pair, greeting)| greeting.finding(pair, ledger, site)).collect()
}

/// Whether a greeting of a stranger is in our name.
fn is_impersonation(key: &HelloKey, ledger: &Ledger, site: &Site, elsewhere: &BTreeSet<&str>) -> bool {
    let name = key.name.trim_end_matches('.');
    let telling = name.contains(['.', ':']) && !is_localhost(name) && !elsewhere.contains(name);
    if !telling || key.client == Client::Unknown || is_trusted(&key.client, site) || !site.is_own_name(name) {
        return false;
    }
    // The name that the server looked up for the address agrees: it is who it says.
    let facts = tally::facts(ledger, &key.server, &key.client);
    !facts.is_some_and(|facts| facts.names.iter().any(|looked_up| looked_up.trim_end_matches('.') == name))
}

/// The names that one client took.
#[derive(Default)]
struct Greeting<'a> {
    names: BTreeSet<&'a str>,
    times: u64,
    tally: Tally,
}

impl<'a> Greeting<'a> {
    fn add(&mut self, key: &'a HelloKey, facts: &HelloFacts) {
        self.names.insert(&key.name);
        self.times.merge(facts.times);
        self.tally.span.merge(facts.span);
        facts.evidence.iter().for_each(|line| self.tally.evidence.insert(line.clone()));
    }

    fn finding(self, pair: Pair<'_>, ledger: &Ledger, site: &Site) -> Finding {
        let names: Vec<String> = self.names.iter().take(3).map(|name| words::quoted(name)).collect();
        let why = format!(
            "{} greeted as {}, which is yours, in {}{}.",
            words::quoted(&words::client(pair.1)),
            words::list(&names),
            words::count(self.times, "line", "lines"),
            words::period(self.tally.span),
        );
        let mut finding = self.tally.finding(Rule::HeloImpersonation, Severity::Low, pair, ledger);
        finding.confidence = confidence(site);
        finding.why = vec![why];
        finding.remedy = remedy::greeting(ledger, pair.0);
        finding
    }
}
