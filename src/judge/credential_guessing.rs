//! credential-guessing: log-ins that fail again and again, from one address, from one network, or on one account
//! from many places.
//!
//! False positives: a program of a user of ours that keeps an old password; that one is told apart where it can be.
//! Remedy: see [`remedy::guessing`].

mod accounts;

use super::chain::name;
use super::finding::{Finding, Rule, Severity, Subject};
use super::origins;
use super::routed::Routed;
use super::tally::{Tally, facts};
use super::words::{self, count};
use super::{About, remedy};
use crate::ledger::{Client, ClientFacts, Text, Time};
use crate::merge::Merge;
use crate::site::neighbourhood;
use foldhash::{HashMap, HashSet};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::CredentialGuessing,
    title: "somebody guesses passwords",
    meaning: "Log-ins failed at least ten times from one address, or at least twenty times from several addresses of one network \
              (/24, or /64 of IPv6) that each stayed below that. Failures count wherever the log shows them, also as \
              `auth=0/N` at the end of a session, and by IMAP or POP3; where several programs tell of the same ones, they count \
              once. Or on one account, or on names that nobody ever logged in with, at least twenty times from at least five \
              networks, most of whose addresses tried other accounts too (twenty networks if not). One address that fails with one account that exists, hour after hour, is \
              most likely a device with an old password: for information. Every server sees guessing daily; medium if mail was sent from the same address with a log-in afterwards.",
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
    let users = Users::of(routed);
    for (key, facts) in failing {
        let sent = users.sent(key.server, key.client);
        let device =
            users.old_password(key.server, facts).filter(|_| sent.is_none_or(|first| was_before(first, facts)));
        if ADDRESS <= facts.auth_failures() {
            findings.push(of_client(key.server, key.client, facts, (sent.is_some(), device), routed));
        } else if let (Client::Address(address), None, false) = (key.client, device, is_user(sent, facts)) {
            networks.entry((key.server, neighbourhood(address))).or_default().add(key.client, facts);
        }
    }
    findings.extend(accounts::judge(routed));
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

/// Who logs in here.
struct Users<'a> {
    /// When each client first sent with a log-in.
    sent: HashMap<(Text, Client), Option<Time>>,
    /// The accounts that somebody logged in or sent with, without realm.
    accounts: HashSet<(Text, &'a str)>,
}

impl<'a> Users<'a> {
    fn of(routed: &Routed<'a>) -> Users<'a> {
        let mut sent = HashMap::<(Text, Client), Option<Time>>::default();
        for flow in routed.flows().filter(|flow| flow.key.account.is_some()) {
            let first = sent.entry((flow.key.server, flow.key.client)).or_default();
            *first = [*first, flow.flow.span.first].into_iter().flatten().min();
        }
        let ledger = routed.ledger;
        let entered = ledger.log_ins.iter().filter(|(_, facts)| !facts.entered.is_empty()).map(|(key, _)| key);
        let accounts = ledger.accounts.keys().chain(entered).map(|key| (key.server, name(&key.account))).collect();
        Users { sent, accounts }
    }

    /// When a client first sent with a log-in, if it did.
    fn sent(&self, server: Text, client: Client) -> Option<Option<Time>> {
        self.sent.get(&(server, client)).copied()
    }

    /// The account of which a client is most likely a device with an old password: the one account that it tried, one
    /// that exists, in many hours, as steadily as a program does.
    fn old_password(&self, server: Text, facts: &ClientFacts) -> Option<Text> {
        let mut tried = facts.accounts_tried.iter();
        let (account, None) = (tried.next()?, tried.next()) else { return None };
        let steady = HOURS <= facts.failed_hours.len() && facts.failed_hours.iter().all(|(_, n)| n <= HOURLY);
        (steady && self.accounts.contains(&(server, name(account)))).then_some(*account)
    }
}

/// Whether somebody sent before the first log-in failed: who guesses sends afterwards.
fn was_before(first: Option<Time>, facts: &ClientFacts) -> bool {
    first.is_some_and(|first| facts.failed.first.is_none_or(|failed| first < failed))
}

/// Whether a client is of somebody who mistyped: it had sent before, or its log-ins succeed as often as they fail.
fn is_user(sent: Option<Option<Time>>, facts: &ClientFacts) -> bool {
    sent.is_some_and(|first| was_before(first, facts)) || facts.auth_failures() <= facts.failures.log_ins
}

/// Hours in which a device that tries by itself fails.
const HOURS: usize = 4;
/// Failures an hour that a mail program makes at most: it asks every minute.
const HOURLY: u64 = 90;

fn of_client(
    server: Text,
    client: Client,
    facts: &ClientFacts,
    (sent, device): (bool, Option<Text>),
    routed: &Routed<'_>,
) -> Finding {
    let said = words::quoted(&words::client(&client));
    let mut why = vec![format!(
        "{said} failed to log in {}{}.",
        count(facts.auth_failures(), "time", "times"),
        words::period(facts.span)
    )];
    why.extend(tried(facts.accounts_tried.iter()));
    why.extend(device.as_ref().map(|account| device_text(account)));
    if sent && device.is_none() {
        why.push(
            "Mail was sent from it with a log-in, too: a password was guessed, or it is a user of yours.".to_owned(),
        );
    }
    let severity = match (&device, sent) {
        (Some(_), _) => Severity::Info,
        (None, true) => Severity::Medium,
        (None, false) => Severity::Low,
    };
    let mut finding = base(facts).finding(Rule::CredentialGuessing, severity, (&server, &client), routed.ledger);
    finding.attempts = facts.auth_failures();
    finding.confidence = if device.is_some() { 0.4 } else { 0.95 };
    finding.why = why;
    finding.remedy = match device {
        Some(account) => vec![format!(
            "Ask the owner of {} which device still has the old password. If nobody knows {said}, ban it.",
            words::quoted(&account)
        )],
        None => remedy::guessing(routed.ledger, &server, Some(&client)),
    };
    finding
}

fn device_text(account: &str) -> String {
    format!(
        "It tried one account of yours ({}), for hours and no faster than a mail program asks: most likely a device with an \
         old password.",
        words::quoted(account)
    )
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
            "{} of {} failed to log in {}{}, each a few times.",
            count(self.clients.len() as u64, "address", "addresses"),
            origins::network(net, &routed.consulted.geo),
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
