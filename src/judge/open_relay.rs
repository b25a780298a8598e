//! open-relay: the server took responsibility for recipients outside the site from a client that
//! is neither trusted nor logged in, and did not refuse them later itself (RFC 5321 section 3.6.1,
//! RFC 2505 section 2.1).
//!
//! False positives: a network of ours, a forwarder or a secondary MX missing from the site.
//! Remedy: see [`remedy::relay`]; one paragraph per server kind.

mod doubted;
pub(crate) mod vouched;

use super::finding::{Finding, Rule, Severity};
use super::outbound::Outbound;
use super::route::{RouteVerdict, is_trick, target_domain};
use super::routed::{Routed, RoutedFlow};
use super::tally::{Pair, Tally, confidence};
use super::words::{self, recipients};
use super::{About, remedy};
use crate::ledger::{Client, Evidence, Flow, FlowKey, Ledger, Outcome, Text};
use crate::merge::Merge;
use crate::site::Site;
use doubted::{Doubt, Doubted};
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::OpenRelay,
    title: "a client without permission had mail relayed",
    meaning: "The server accepted recipients outside the site from a client that is neither in a trusted network nor \
              logged in, and did not refuse them later itself. Anybody may then send mail through the server. High \
              from the first recipient that another server took; critical from 100 recipients, or from 10 spread \
              over three hours or more. Where the log says that the server's own list lets a client relay (Haraka, Cisco), \
              not its network or its password, and several networks of strangers come in by it, the list is too wide: told with \
              less certainty.",
    sources: "RFC 5321 section 3.6.1; RFC 2505 section 2.1; RFC 5068 section 3.1",
    false_positives: "A network of yours that is not stated (--trusted-net); a domain you take mail for, as a gateway \
                      or secondary MX, that is not stated (--local-domain).",
    remedy: "Let the server relay for its own networks and for log-ins only, then clear the queue.",
};

/// Recipients from which relaying is a flood.
const MANY: u64 = 100;
/// Fewer recipients than this, in one domain, prove nothing while the local domains are only inferred.
const FEW: u64 = 5;
/// Recipients and hours from which it is a habit.
const SEVERAL: (u64, usize) = (10, 3);
/// Something that may be ours though the site does not say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What it may be.
    pub kind: Kind,
    /// The domain, or the client's address.
    pub value: String,
    /// Why, in sentences. May hold text from the logs: escape for the medium.
    pub why: Vec<String>,
    /// The lines that show it.
    pub evidence: Vec<Evidence>,
}

/// What a candidate may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A domain that we take mail for.
    Domain,
    /// A host that may send through us.
    Client,
}

/// Finds the clients that relayed.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let (ledger, site) = (routed.ledger, routed.site);
    let (relayed, denied) = relayed(routed);
    let outbound = Outbound::of(ledger);
    let mut findings = Vec::new();
    let mut few = Vec::new();
    let mut domains = BTreeMap::<(&Text, &str), Doubted>::new();
    for (pair, relay) in relayed {
        let case = Case { ledger, site, pair, denied: denied.get(&pair).copied().unwrap_or(0) };
        match case.domain_in_doubt(&relay, routed.secondary()) {
            Some((domain, Doubt::Secondary)) => {
                domains.entry((pair.0, domain)).or_default().add(pair.1, relay, Doubt::Secondary);
            }
            Some((domain, Doubt::Few)) => few.push((case, relay, domain)),
            None => findings.push(case.finding(relay, &outbound, None)),
        }
    }
    let open: BTreeSet<Text> =
        findings.iter().filter(|found| Severity::Medium <= found.severity).map(|found| found.server).collect();
    for (case, relay, domain) in few {
        match open.contains(case.pair.0) {
            // The server is open: so little mail is a test of it, or one of those who use it.
            true => findings.push(case.finding(relay, &outbound, Some(doubted::advice(domain)))),
            false => domains.entry((case.pair.0, domain)).or_default().add(case.pair.1, relay, Doubt::Few),
        }
    }
    findings.extend(domains.into_iter().map(|(of, doubted)| doubted.finding(of, routed)));
    findings.extend(vouched::findings(routed));
    findings
}

/// Finds what may be ours: for a site file that its owner shall look through. On a server that is open to strangers no host is.
pub fn candidates(routed: &Routed<'_>) -> Vec<Candidate> {
    let findings = judge(routed);
    let open = |server: Text| findings.iter().any(|found| found.server == server && Severity::Medium <= found.severity);
    let candidate = |found: &Finding| {
        let kind = match found.subject.kind {
            "domain" => Kind::Domain,
            _ if open(found.server) => return None,
            _ => Kind::Client,
        };
        let evidence = found.evidence.iter().take(1).cloned().collect();
        Some(Candidate { kind, value: found.subject.value.to_string(), why: found.why.clone(), evidence })
    };
    findings.iter().filter(|found| found.severity < Severity::Medium).filter_map(candidate).collect()
}

/// What each client relayed, and how many recipients it was refused.
fn relayed<'a>(routed: &Routed<'a>) -> (BTreeMap<Pair<'a>, Relay<'a>>, BTreeMap<Pair<'a>, u64>) {
    let site = routed.site;
    let mut relayed = BTreeMap::<Pair<'_>, Relay<'_>>::new();
    let mut denied = BTreeMap::<Pair<'_>, u64>::new();
    for RoutedFlow { key, flow, verdict } in routed.flows() {
        match verdict {
            RouteVerdict::RelayedUnauthorised => {
                relayed.entry((&key.server, &key.client)).or_default().add(key, flow, site);
            }
            RouteVerdict::RelayDenied => {
                denied.entry((&key.server, &key.client)).or_default().merge(flow.recipients);
            }
            _ => {}
        }
    }
    (relayed, denied)
}

/// What one client relayed.
#[derive(Default)]
struct Relay<'a> {
    tally: Tally,
    /// Recipients of which this side of the log does not tell what became of them, by link.
    unseen: BTreeMap<(Option<&'a str>, &'a str), u64>,
    /// Domains it wrote to.
    targets: BTreeSet<&'a str>,
    /// Whether it used a reverse-path that is not in a domain of ours.
    foreign: bool,
    /// Whether it disguised a recipient.
    trick: bool,
}

impl<'a> Relay<'a> {
    fn add(&mut self, key: &'a FlowKey, flow: &Flow, site: &Site) {
        let target = target_domain(key, site);
        self.tally.add(key, flow);
        self.targets.insert(target);
        self.foreign |= key.reverse_domain.as_ref().is_none_or(|domain| domain.is_empty() || !site.is_local(domain));
        self.trick |= is_trick(key);
        if key.outcome == Outcome::Unknown {
            self.unseen.entry((key.reverse_domain.as_deref(), target)).or_default().merge(flow.recipients);
        }
    }

    /// Takes what the server's client side shows of recipients whose end is unknown.
    /// Returns how many of those it shows.
    fn estimate(&mut self, server: &Text, outbound: &Outbound<'_>) -> u64 {
        let mut shown = 0;
        for ((reverse, target), accepted) in &self.unseen {
            let fate = outbound.fate((server, *reverse, *target), *accepted);
            self.tally.delivered += fate.delivered;
            self.tally.deferred += fate.deferred;
            self.tally.bounced += fate.bounced;
            shown += fate.delivered + fate.deferred + fate.bounced;
        }
        shown
    }

    fn unseen(&self) -> u64 {
        self.unseen.values().sum()
    }

    /// Whether it is as likely a host of ours that the site does not know: little mail, all of
    /// it from domains of ours and nearly all of it wanted.
    fn looks_own(&self, denied: u64) -> bool {
        let wanted = self.tally.bounced * 5 <= self.tally.accepted && denied == 0;
        !self.foreign && !self.trick && wanted && self.tally.accepted < MANY
    }
}

/// One client's case.
struct Case<'a> {
    ledger: &'a Ledger,
    site: &'a Site,
    pair: Pair<'a>,
    denied: u64,
}

impl Case<'_> {
    fn finding(&self, mut relay: Relay<'_>, outbound: &Outbound<'_>, doubt: Option<String>) -> Finding {
        let (server, client) = self.pair;
        let shown = relay.estimate(server, outbound);
        let unshown = relay.unseen() - shown;
        let nothing_left = outbound.covers(server) && unshown == relay.tally.accepted;
        let doubt = doubt.or_else(|| self.doubt(&relay));
        let severity = match (&doubt, nothing_left) {
            (Some(_), _) => Severity::Low,
            (None, true) => Severity::Medium,
            (None, false) => severity(&relay.tally, unshown),
        };
        let mut why = vec![self.summary(&relay), fate(&relay.tally, unshown, shown)];
        if nothing_left {
            why.push("They were accepted, but no line shows any of them leaving the server.".to_owned());
        }
        why.extend(self.denied_too());
        why.extend(busiest(&relay.tally));
        why.extend(doubt.clone());
        why.extend(self.advice());
        let mut finding = relay.tally.finding(Rule::OpenRelay, severity, self.pair, self.ledger);
        finding.attempts += self.denied;
        finding.recipients_denied += self.denied;
        finding.confidence = self.confidence(doubt.is_some(), nothing_left);
        finding.why = why;
        finding.remedy = remedy::relay(self.ledger, server, client, finding.queue.as_ref());
        finding
    }

    /// The one domain that all the client's relayed mail is for, if that may be a domain we take mail for.
    fn domain_in_doubt<'a>(&self, relay: &Relay<'a>, secondary: &BTreeSet<&str>) -> Option<(&'a str, Doubt)> {
        let domain = relay.targets.first().copied().filter(|_| relay.targets.len() == 1)?;
        if relay.tally.accepted < MANY && secondary.contains(domain) {
            return Some((domain, Doubt::Secondary));
        }
        let few = relay.tally.accepted < FEW && self.denied == 0 && !relay.trick;
        (few && !self.site.states_local_domains()).then_some((domain, Doubt::Few))
    }

    /// Why the client may be harmless after all, where the site is only inferred.
    fn doubt(&self, relay: &Relay<'_>) -> Option<String> {
        (!self.site.states_trusted_networks() && relay.looks_own(self.denied)).then(|| {
            "All its reverse-paths are in your own domains, and nearly all of its mail was wanted: it looks like a host of \
             yours."
                .to_owned()
        })
    }

    fn confidence(&self, doubt: bool, nothing_left: bool) -> f64 {
        match (doubt, nothing_left, self.pair.1) {
            (true, _, _) => 0.3,
            (false, true, _) => 0.5,
            // The log hides the address: nobody can say which network it is in.
            (false, false, Client::Name(_)) => 0.5,
            (false, false, _) => confidence(self.site),
        }
    }

    fn summary(&self, relay: &Relay<'_>) -> String {
        format!(
            "{} relayed {} through {} without credentials, to {}{}.",
            words::quoted(&words::client(self.pair.1)),
            recipients(relay.tally.accepted),
            words::server(self.pair.0),
            words::count(relay.targets.len() as u64, "outside domain", "outside domains"),
            words::period(relay.tally.span),
        )
    }

    fn denied_too(&self) -> Option<String> {
        (0 < self.denied).then(|| format!("{} more, the server refused to relay.", recipients(self.denied)))
    }

    fn advice(&self) -> Option<String> {
        match self.pair.1 {
            Client::Address(address) if !self.site.states_trusted_networks() => Some(format!(
                "No trusted network was stated: if {address} is yours, add it with --trusted-net {address}."
            )),
            Client::Name(_) => {
                Some("The log gives no address for this client: its network cannot be checked.".to_owned())
            }
            _ => None,
        }
    }
}

/// How bad it is.
fn severity(tally: &Tally, unshown: u64) -> Severity {
    let habit = SEVERAL.0 <= tally.accepted && SEVERAL.1 <= tally.hours.len();
    let left = 0 < tally.delivered || 0 < unshown;
    match (left, MANY <= tally.accepted || habit) {
        (true, true) => Severity::Critical,
        (true, false) | (false, true) => Severity::High,
        (false, false) => Severity::Medium,
    }
}

/// What became of the recipients.
fn fate(tally: &Tally, unshown: u64, estimated: u64) -> String {
    let parts: Vec<String> = [
        (tally.delivered, "taken by other servers"),
        (tally.bounced, "given up or refused by other servers"),
        (tally.deferred, "still in the queue when the log ends"),
        (unshown, "not shown leaving or failing"),
    ]
    .iter()
    .filter(|(number, _)| 0 < *number)
    .map(|(number, what)| format!("{} {what}", words::count(*number, "was", "were")))
    .collect();
    let guess = if 0 < estimated { " (estimated from the domains, as this log does not link in and out)" } else { "" };
    format!("Of these, {}{guess}.", words::list(&parts))
}

/// The busiest hour, if there was more than one.
fn busiest(tally: &Tally) -> Option<String> {
    let (hour, number) = tally.peak().filter(|_| 1 < tally.hours.len())?;
    let start = crate::ledger::Time(i64::from(hour) * 3_600_000_000);
    Some(format!("The busiest hour began at {} UTC, with {}.", words::minute(start), recipients(number)))
}
