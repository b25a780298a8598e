//! credential-guessing: log-ins that fail again and again, from one address or from one network.
//!
//! False positives: a program of a user of ours that keeps an old password.
//! Remedy: see [`remedy::guessing`].

use super::finding::{Finding, Rule, Severity, Subject};
use super::routed::Routed;
use super::tally::{Tally, facts};
use super::words::{self, count};
use super::{About, remedy};
use crate::ledger::{Client, ClientFacts, Text};
use crate::merge::Merge;
use crate::site::neighbourhood;
use foldhash::HashSet;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::CredentialGuessing,
    title: "somebody guesses passwords",
    meaning: "Log-ins failed at least ten times from one address, or at least twenty times from several addresses of one network \
              (/24, or /64 of IPv6) that each stayed below that. Failures count wherever the log shows them, also as \
              `auth=0/N` at the end of a session, and by IMAP or POP3; where several programs tell of the same ones, they count \
              once. Every server sees this daily; medium if mail was sent from the same address with a log-in afterwards.",
    sources: "RFC 4954 section 6; fail2ban's default of 5 failures in 10 minutes, taken twice",
    false_positives: "A program of one of your users that keeps an old password: one account, one address, for days.",
    remedy: "Limit failures by address (fail2ban), and see that no account has a weak password.",
};

/// Failures from which an address guesses.
const ADDRESS: u64 = 10;
/// Failures from which a network guesses, its addresses staying below.
const NETWORK: u64 = 20;
/// Addresses of which such a network has at least so many.
const ADDRESSES: usize = 3;

/// Finds who guesses.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let failing = routed.ledger.clients.iter().filter(|(_, facts)| 0 < facts.auth_failures());
    let failing = failing.filter(|(key, facts)| key.client != Client::Unknown || is_news(routed, &key.server, facts));
    let mut networks = BTreeMap::<(Text, IpNet), Network>::new();
    let mut findings = Vec::new();
    let users = users(routed);
    for (key, facts) in failing {
        if ADDRESS <= facts.auth_failures() {
            let sent = users.contains(&(key.server, key.client));
            findings.push(of_client(key.server, key.client, facts, sent, routed));
        } else if let Client::Address(address) = key.client {
            networks.entry((key.server, neighbourhood(address))).or_default().add(key.client, facts);
        }
    }
    let slow = networks.into_iter().filter(|(_, network)| network.guesses());
    findings.extend(slow.map(|((server, net), network)| network.finding(server, net, routed)));
    findings
}

/// Whether the failures of clients that were not logged (saslauthd does not know them) are more than all those of clients
/// that were: else they are likely the same.
fn is_news(routed: &Routed<'_>, server: &Text, facts: &ClientFacts) -> bool {
    let clients = routed.ledger.clients.iter();
    let others = clients.filter(|(key, _)| key.server == *server && key.client != Client::Unknown);
    others.map(|(_, facts)| facts.auth_failures()).sum::<u64>() < facts.auth_failures()
}

/// Who sent mail with a log-in.
fn users(routed: &Routed<'_>) -> HashSet<(Text, Client)> {
    let with_account = routed.flows().filter(|flow| flow.key.account.is_some());
    with_account.map(|flow| (flow.key.server, flow.key.client)).collect()
}

fn of_client(server: Text, client: Client, facts: &ClientFacts, sent: bool, routed: &Routed<'_>) -> Finding {
    let name = words::quoted(&words::client(&client));
    let mut why = vec![format!(
        "{name} failed to log in {}{}.",
        count(facts.auth_failures(), "time", "times"),
        words::period(facts.span)
    )];
    why.extend(tried(facts.accounts_tried.iter()));
    if sent {
        why.push(
            "Mail was sent from it with a log-in, too: a password was guessed, or it is a user of yours.".to_owned(),
        );
    }
    let severity = if sent { Severity::Medium } else { Severity::Low };
    let mut finding = base(facts).finding(Rule::CredentialGuessing, severity, (&server, &client), routed.ledger);
    finding.attempts = facts.auth_failures();
    finding.confidence = 0.95;
    finding.why = why;
    finding.remedy = remedy::guessing(routed.ledger, &server, Some(&client));
    finding
}

/// A tally of the lines and the time.
fn base(facts: &ClientFacts) -> Tally {
    let mut tally = Tally { span: facts.span, ..Tally::default() };
    facts.auth_evidence.iter().for_each(|line| tally.evidence.insert(line.clone()));
    tally
}

/// The accounts tried, in words.
fn tried<'a>(accounts: impl Iterator<Item = &'a Text>) -> Option<String> {
    let names: Vec<String> = accounts.map(|account| words::quoted(account)).collect();
    let most = names.len() >= 8;
    (!names.is_empty())
        .then(|| format!("Accounts tried{}: {}.", if most { ", among others" } else { "" }, words::list(&names)))
}

/// The addresses of a network that each failed a few times.
#[derive(Default)]
struct Network {
    clients: BTreeSet<Client>,
    failures: u64,
    tally: Tally,
    accounts: BTreeSet<Text>,
}

impl Network {
    fn add(&mut self, client: Client, facts: &ClientFacts) {
        self.clients.insert(client);
        self.failures.merge(facts.auth_failures());
        self.tally.span.merge(facts.span);
        self.accounts.extend(facts.accounts_tried.iter());
        facts.auth_evidence.iter().for_each(|line| self.tally.evidence.insert(line.clone()));
    }

    fn guesses(&self) -> bool {
        NETWORK <= self.failures && ADDRESSES <= self.clients.len()
    }

    fn finding(self, server: Text, net: IpNet, routed: &Routed<'_>) -> Finding {
        let mut why = vec![format!(
            "{} of {net} failed to log in {}{}, each a few times.",
            count(self.clients.len() as u64, "address", "addresses"),
            count(self.failures, "time", "times"),
            words::period(self.tally.span)
        )];
        why.extend(tried(self.accounts.iter().take(8)));
        let sessions = self.clients.iter().filter_map(|client| facts(routed.ledger, &server, client));
        let sessions = sessions.map(|facts| facts.sessions).sum();
        let mut finding =
            self.tally.finding(Rule::CredentialGuessing, Severity::Low, (&server, &Client::Unknown), routed.ledger);
        finding.subject = Subject { kind: "network", value: net.to_string().into() };
        (finding.attempts, finding.sessions) = (self.failures, sessions);
        finding.confidence = 0.9;
        finding.why = why;
        finding.remedy = remedy::guessing(routed.ledger, &server, None);
        finding
    }
}
