//! Members: who may belong to a campaign, namely those whom other rules accuse, and what each of them did.

use super::finding::{Finding, Rule, Severity};
use super::marks::{Mark, Seen};
use super::route::{RouteVerdict, has_authority, is_trusted};
use super::routed::{Routed, RoutedFlow};
use super::tally::{Tally, facts};
use super::words::{self, count, recipients};
use crate::ledger::{Client, FlowKey, Ledger, Text};
use crate::merge::Merge;
use crate::site::Site;
use foldhash::{HashMap, HashSet};
use std::collections::{BTreeMap, BTreeSet};

/// Who may be a member.
pub struct Members<'a> {
    /// Those who are accused, with the rules that accuse them.
    accused: HashMap<Seen, BTreeSet<Rule>>,
    /// Those who failed to log in now and then, and never got in: members only if many share a greeting.
    suspects: HashSet<Seen>,
    /// Accused accounts with the clients that used them.
    accounts: BTreeMap<Text, BTreeSet<Seen>>,
    /// What was taken from them, and what was refused.
    flows: HashMap<Seen, Vec<RoutedFlow<'a>>>,
    /// Relay testers, with their clients.
    testers: BTreeMap<Text, BTreeSet<Seen>>,
}

/// Suspects that share a greeting, from which they are members.
const SUSPECTS: usize = 5;

impl<'a> Members<'a> {
    /// Gathers them.
    pub fn of(routed: &Routed<'a>, findings: &[Finding]) -> Members<'a> {
        let mut members = Members {
            accused: HashMap::default(),
            suspects: HashSet::default(),
            accounts: BTreeMap::new(),
            flows: HashMap::default(),
            testers: BTreeMap::new(),
        };
        for finding in findings.iter().filter(|finding| finding.subject.kind == "client" && accuses(finding)) {
            let client = client(&finding.subject.value);
            members.accused.entry((client, finding.server)).or_default().insert(finding.rule);
        }
        members.add_flows(routed, findings);
        members.add_clients(routed);
        members
    }

    fn add_flows(&mut self, routed: &Routed<'a>, findings: &[Finding]) {
        let stolen: BTreeSet<(Text, Text)> = findings
            .iter()
            .filter(|finding| finding.rule == Rule::CompromisedAccount)
            .map(|finding| (finding.server, finding.subject.value))
            .collect();
        for routed_flow in routed.flows() {
            let (key, seen) = (routed_flow.key, (routed_flow.key.client, routed_flow.key.server));
            let stolen = key.account.filter(|account| stolen.contains(&(key.server, *account)));
            match (routed_flow.verdict, stolen) {
                // What looks like a user of ours who did not log in is no member for a refusal alone.
                (RouteVerdict::RelayDenied, _) if is_stranger(key, routed.site) => {
                    self.accused.entry(seen).or_default().insert(Rule::RelayProbe);
                }
                (RouteVerdict::RelayDenied | RouteVerdict::RelayedUnauthorised, _) => {}
                (RouteVerdict::OutboundAccount, Some(account)) => {
                    self.accused.entry(seen).or_default().insert(Rule::CompromisedAccount);
                    self.accounts.entry(account).or_default().insert(seen);
                }
                _ => continue,
            }
            self.flows.entry(seen).or_default().push(routed_flow);
        }
    }

    fn add_clients(&mut self, routed: &Routed<'a>) {
        for (key, facts) in &routed.ledger.clients {
            let seen = (key.client, key.server);
            if key.client == Client::Unknown || is_trusted(&key.client, routed.site) {
                continue;
            }
            if !facts.testers.is_empty() && self.flows.contains_key(&seen) {
                facts.testers.iter().for_each(|tester| {
                    self.testers.entry(*tester).or_default().insert(seen);
                });
                // A tester is named as such, and as nothing else.
                self.accused.remove(&seen);
            } else if 0 < facts.auth_failures() && facts.failures.log_ins == 0 && facts.sent.messages.is_empty() {
                self.suspects.insert(seen);
            }
        }
        self.accused.retain(|(client, _), _| *client != Client::Unknown);
        let accused = &self.accused;
        self.accounts.values_mut().for_each(|clients| clients.retain(|seen| accused.contains_key(seen)));
    }

    /// All of them.
    pub fn seen(&self) -> HashSet<Seen> {
        self.accused.keys().chain(&self.suspects).copied().collect()
    }

    /// Those of the bearers of a mark that are members by it.
    pub fn bearers(&self, mark: &Mark, bearers: &BTreeSet<Seen>) -> BTreeSet<Seen> {
        let enough = matches!(mark, Mark::Hello(_))
            && SUSPECTS <= bearers.iter().filter(|seen| self.suspects.contains(*seen)).count();
        bearers.iter().filter(|seen| enough || self.accused.contains_key(*seen)).copied().collect()
    }

    /// Accused accounts, with the clients that used them.
    pub fn accounts(&self) -> &BTreeMap<Text, BTreeSet<Seen>> {
        &self.accounts
    }

    /// Relay testers, with their clients.
    pub fn testers(&self) -> BTreeMap<Text, BTreeSet<Seen>> {
        self.testers.clone()
    }

    /// What some of them did together.
    pub fn part(&self, seen: &BTreeSet<Seen>, ledger: &Ledger) -> Part {
        let mut part = Part::default();
        for (client, server) in seen {
            for RoutedFlow { key, flow, .. } in self.flows.get(&(*client, *server)).into_iter().flatten() {
                part.tally.add(key, flow);
            }
            part.rules.extend(self.accused.get(&(*client, *server)).into_iter().flatten());
            let Some(facts) = facts(ledger, server, client) else { continue };
            part.sessions.merge(facts.sessions);
            if 0 < facts.auth_failures() {
                part.auth_failures.merge(facts.auth_failures());
                part.tally.span.merge(facts.failed);
                facts.auth_evidence.iter().for_each(|line| part.tally.evidence.insert(line.clone()));
            }
        }
        part
    }
}

/// Whether a finding makes its client a member.
fn accuses(finding: &Finding) -> bool {
    match finding.rule {
        Rule::OpenRelay => Severity::Medium <= finding.severity,
        Rule::RelayTrick | Rule::DirectoryHarvest => true,
        Rule::RelayProbe | Rule::CredentialGuessing => Severity::Low <= finding.severity,
        _ => false,
    }
}

/// Whether a refused flow is of somebody who is not trusted and does not write in our name.
fn is_stranger(key: &FlowKey, site: &Site) -> bool {
    let ours = key.reverse_domain.is_some_and(|domain| !domain.is_empty() && site.is_local(&domain));
    !ours && !has_authority(key, site)
}

/// The client that a subject of findings is.
pub fn client(subject: &Text) -> Client {
    subject.parse().map_or(Client::Name(*subject), Client::Address)
}

/// What some members did together.
#[derive(Default)]
pub struct Part {
    /// Recipients taken and refused.
    pub tally: Tally,
    /// Failed log-ins.
    pub auth_failures: u64,
    /// Sessions.
    pub sessions: u64,
    /// The rules that accuse them.
    pub rules: BTreeSet<Rule>,
}

impl Part {
    /// What they did, in words.
    pub fn summary(&self) -> String {
        let mut did = Vec::new();
        if 0 < self.tally.accepted {
            did.push(format!(
                "sent {} to {}",
                count(self.tally.messages, "message", "messages"),
                recipients(self.tally.accepted)
            ));
        }
        if 0 < self.tally.refused {
            did.push(format!("were refused {}", recipients(self.tally.refused)));
        }
        if 0 < self.auth_failures {
            did.push(format!("failed to log in {}", count(self.auth_failures, "time", "times")));
        }
        if did.is_empty() {
            did.push("are accused by other findings".to_owned());
        }
        format!("They {}{}.", words::list(&did), words::period(self.tally.span))
    }
}
