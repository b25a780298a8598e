//! Guessing seen from the accounts: few tries each, from many addresses, on one account or on names that nobody has.

use super::{Finding, Rule, Severity, Subject};
use crate::judge::chain::name;
use crate::judge::origins::Networks;
use crate::judge::remedy;
use crate::judge::routed::Routed;
use crate::judge::tally::{Tally, facts};
use crate::judge::words::{self, count};
use crate::ledger::{Client, Failures, Hours, LogInFacts, Text};
use crate::merge::Merge;
use std::collections::{BTreeMap, BTreeSet};

/// Failures from which an account, or names that nobody has, are guessed at.
const FAILURES: u64 = 20;
/// Networks from which nobody's devices log in.
const NETWORKS: usize = 5;
/// The same where none of the addresses tried another account: a telephone on the road has many addresses.
const ROAMING: usize = 20;

/// The accounts of a server, by name without realm: some daemons log it, some do not.
type Guesses<'a> = BTreeMap<(Text, &'a str), Guess>;

/// Finds the accounts.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let mut guesses = Guesses::new();
    for (key, facts) in routed.ledger.log_ins.iter() {
        guesses.entry((key.server, name(&key.account))).or_default().add(key.server, facts, routed);
    }
    for key in routed.ledger.accounts.keys() {
        if let Some(guess) = guesses.get_mut(&(key.server, name(&key.account))) {
            guess.exists = true;
        }
    }
    let mut nobody = BTreeMap::<Text, (Guess, Vec<(u64, &str)>)>::new();
    let mut findings = Vec::new();
    for ((server, account), guess) in guesses {
        match guess.exists {
            true if guess.is_guessed() => findings.push(guess.of_account(server, account, routed)),
            true => {}
            false => {
                let (sum, names) = nobody.entry(server).or_default();
                names.push((guess.failures.count(), account));
                sum.merge(guess);
            }
        }
    }
    let many = nobody.into_iter().filter(|(_, (guess, names))| 1 < names.len() && guess.is_spread());
    findings.extend(many.map(|(server, (guess, names))| guess.of_nobody(server, names, routed)));
    findings
}

/// The failures of one account, or of several.
#[derive(Default)]
struct Guess {
    failures: Failures,
    clients: BTreeSet<Client>,
    networks: Networks,
    /// Clients that tried other accounts, too.
    wandering: usize,
    hours: Hours,
    tally: Tally,
    /// Whether somebody ever logged in or sent with it.
    exists: bool,
}

impl Guess {
    fn add(&mut self, server: Text, facts: &LogInFacts, routed: &Routed<'_>) {
        self.failures.merge(facts.failures);
        self.hours.merge(facts.hours.clone());
        self.tally.span.merge(facts.span);
        facts.evidence.iter().for_each(|line| self.tally.evidence.insert(line.clone()));
        self.exists |= !facts.entered.is_empty();
        for client in facts.clients.iter().filter(|client| self.clients.insert(**client)) {
            self.networks.see(client);
            let tried = facts_of(server, client, routed).map_or(0, |facts| facts.accounts_tried.len());
            self.wandering += usize::from(1 < tried);
        }
    }

    fn merge(&mut self, other: Guess) {
        self.failures.merge(other.failures);
        self.hours.merge(other.hours);
        self.tally.span.merge(other.tally.span);
        self.tally.evidence.merge(other.tally.evidence);
        self.clients.extend(other.clients);
        self.networks.extend(other.networks);
    }

    fn is_spread(&self) -> bool {
        FAILURES <= self.failures.count() && NETWORKS <= self.networks.len()
    }

    /// Whether strangers guess at an account that somebody has.
    fn is_guessed(&self) -> bool {
        let roaming = !self.wanders() && self.networks.len() < ROAMING;
        self.is_spread() && !roaming
    }

    /// Whether most of the addresses tried other accounts, too: those are no telephone of its owner.
    fn wanders(&self) -> bool {
        self.clients.len() <= self.wandering * 2
    }

    /// `from 41 addresses in 38 networks, in 19 different hours between ... and ... UTC`.
    fn spread(&self, routed: &Routed<'_>) -> String {
        format!(
            "from {} in {}, in {}{}",
            words::addresses(self.clients.len()),
            self.networks.located(&routed.consulted.geo).said(),
            count(self.hours.len() as u64, "hour", "different hours"),
            words::period(self.tally.span)
        )
    }

    fn of_account(self, server: Text, account: &str, routed: &Routed<'_>) -> Finding {
        let system = self.networks.located(&routed.consulted.geo).one_system().filter(|_| !self.wanders());
        let why = vec![
            format!(
                "Log-ins as {} failed {} {}.",
                words::quoted(account),
                count(self.failures.count(), "time", "times"),
                self.spread(routed)
            ),
            match &system {
                Some(system) => format!(
                    "All of these networks are of {system}, and most of the addresses tried no other account: a telephone of its \
                     owner with an old password looks the same. Ask the owner first."
                ),
                None => "No person has so many places, and a forgotten device has one: the password is guessed. Nothing here \
                         says that it was found; compromised-account would."
                    .to_owned(),
            },
        ];
        let mut finding = self.finding(server, account, why, routed);
        if system.is_some() {
            (finding.severity, finding.confidence) = (Severity::Info, 0.4);
        }
        finding
    }

    fn of_nobody(self, server: Text, mut names: Vec<(u64, &str)>, routed: &Routed<'_>) -> Finding {
        names.sort_by_key(|(failures, name)| (std::cmp::Reverse(*failures), *name));
        let most: Vec<String> = names.iter().take(5).map(|(_, name)| words::quoted(name)).collect();
        let why = vec![
            format!(
                "{} with which nobody ever logged in failed {} {}.",
                count(names.len() as u64, "name", "names"),
                count(self.failures.count(), "time", "times"),
                self.spread(routed)
            ),
            format!("Most of all: {}.", words::list(&most)),
        ];
        let first = names.first().map_or("", |(_, name)| name);
        self.finding(server, first, why, routed)
    }

    fn finding(self, server: Text, account: &str, why: Vec<String>, routed: &Routed<'_>) -> Finding {
        let sessions = self.clients.iter().filter_map(|client| facts_of(server, client, routed));
        let sessions = sessions.map(|facts| facts.sessions).sum();
        let attempts = self.failures.count();
        let whole = (&server, &Client::Unknown);
        let mut finding = self.tally.finding(Rule::CredentialGuessing, Severity::Low, whole, routed.ledger);
        finding.subject = Subject { kind: "account", value: account.into() };
        (finding.attempts, finding.sessions) = (attempts, sessions);
        finding.confidence = 0.9;
        finding.why = why;
        finding.remedy = remedy::guessing(routed.ledger, &server, None);
        finding
    }
}

fn facts_of<'a>(server: Text, client: &Client, routed: &Routed<'a>) -> Option<&'a crate::ledger::ClientFacts> {
    facts(routed.ledger, &server, client)
}
