//! Offenders: clients with a finding about abuse, over all rules and servers.

use crate::judge::{Rule, Severity};
use crate::ledger::{Client, Ledger, Origin, Span, Text};
use crate::merge::Merge;
use crate::report::model::{FindingRow, LocatedRow, Offender};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// EHLO names shown for one client.
const HELOS: usize = 10;

/// The offenders: worst first, then most recipients relayed, then most denied.
pub fn offenders(ledger: &Ledger, findings: &[FindingRow]) -> Vec<Offender> {
    let mut cases = BTreeMap::<&str, Case<'_>>::new();
    for finding in findings.iter().filter(|finding| finding.subject.kind == "client") {
        cases.entry(&finding.subject.value).or_default().add(finding);
    }
    // Rules that say nothing of relaying make no offender alone.
    cases.retain(|_, case| case.rules.iter().any(|rule| !rule.is_inbound()));
    let known = known(ledger, cases.keys().copied());
    let mut offenders: Vec<Offender> =
        cases.into_iter().map(|(client, case)| case.finish(client, known.get(client))).collect();
    offenders.sort_by_key(|offender| {
        let volume = (offender.severity, offender.recipients_accepted, offender.recipients_denied);
        (Reverse(volume), offender.client.clone())
    });
    offenders
}

/// The figures of one client on one server: the largest of its findings.
#[derive(Default)]
struct Figures {
    sessions: u64,
    messages: u64,
    accepted: u64,
    denied: u64,
    bytes: u64,
}

/// The findings about one client.
#[derive(Default)]
struct Case<'a> {
    servers: BTreeMap<&'a str, Figures>,
    span: Span,
    rules: BTreeSet<Rule>,
    severity: Option<Severity>,
    located: Option<&'a LocatedRow>,
}

impl<'a> Case<'a> {
    fn add(&mut self, finding: &'a FindingRow) {
        self.rules.insert(finding.rule);
        self.severity = self.severity.max(Some(finding.severity));
        self.located = self.located.or(finding.subject.located.as_ref());
        if finding.rule.is_inbound() || finding.rule == Rule::VolumeAnomaly {
            return;
        }
        self.span.merge(Span { first: finding.first, last: finding.last });
        let figures = self.servers.entry(&finding.server).or_default();
        figures.sessions = figures.sessions.max(finding.sessions);
        figures.messages = figures.messages.max(finding.messages);
        figures.accepted = figures.accepted.max(finding.recipients_accepted);
        figures.denied = figures.denied.max(finding.recipients_denied);
        figures.bytes = figures.bytes.max(finding.bytes);
    }

    fn finish(self, client: &str, known: Option<&Known>) -> Offender {
        let sum = |figure: fn(&Figures) -> u64| self.servers.values().map(figure).fold(0, u64::saturating_add);
        let mut helo: Vec<(&Text, u64)> =
            known.iter().flat_map(|known| known.helo.iter().map(|(name, times)| (name, *times))).collect();
        helo.sort_by_key(|(name, times)| (Reverse(*times), *name));
        Offender {
            client: client.to_owned(),
            name: known.and_then(|known| known.name.as_ref()).map(ToString::to_string),
            helo: helo.into_iter().take(HELOS).map(|(name, _)| name.to_string()).collect(),
            first: self.span.first,
            last: self.span.last,
            sessions: sum(|figures| figures.sessions),
            messages: sum(|figures| figures.messages),
            recipients_accepted: sum(|figures| figures.accepted),
            recipients_denied: sum(|figures| figures.denied),
            bytes: sum(|figures| figures.bytes),
            accounts: known.iter().flat_map(|known| &known.accounts).map(ToString::to_string).collect(),
            rules: self.rules.into_iter().collect(),
            severity: self.severity.unwrap_or(Severity::Info),
            located: self.located.cloned(),
        }
    }
}

/// What the ledger knows of a client besides its findings.
#[derive(Default)]
struct Known {
    name: Option<Text>,
    helo: BTreeMap<Text, u64>,
    accounts: BTreeSet<Text>,
}

/// What the ledger knows of some clients, in one pass over each book.
fn known<'a>(ledger: &Ledger, clients: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, Known> {
    let mut index = foldhash::HashMap::<Client, &'a str>::default();
    let mut known = BTreeMap::<&'a str, Known>::new();
    for client in clients {
        possible(client).into_iter().for_each(|key| {
            index.insert(key, client);
        });
        known.insert(client, Known::default());
    }
    let mut of = |client: &Client, learn: &mut dyn FnMut(&mut Known)| {
        if let Some(known) = index.get(client).and_then(|client| known.get_mut(client)) {
            learn(known);
        }
    };
    for (key, facts) in &ledger.clients {
        of(&key.client, &mut |known| {
            let names = known.name.iter().chain(facts.names.iter());
            known.name = names.min().cloned();
        });
    }
    for (key, facts) in &ledger.hellos {
        of(&key.client, &mut |known| known.helo.entry(key.name).or_default().merge(facts.times));
    }
    for key in ledger.flows.keys().filter(|key| key.origin != Origin::Outbound) {
        of(&key.client, &mut |known| known.accounts.extend(key.account));
    }
    known
}

/// The clients that a subject of this name may be.
fn possible(name: &str) -> Vec<Client> {
    match name.parse() {
        Ok(address) => vec![Client::Address(address)],
        Err(_) => vec![Client::Name(name.into()), Client::User(name.into())],
    }
}
