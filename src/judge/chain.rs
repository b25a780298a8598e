//! Chain: how the abuse began, in three dated facts: the probe, the door that opened, the flood.
//!
//! A probe and a flood belong together where the address is the same, or its network, or where both bear a mark that
//! strangers hardly share (see `marks.rs`). Where nothing links them, nothing is said.

use super::finding::{Finding, Rule, Severity};
use super::marks::{Marks, Seen};
use super::members::client;
use super::route::RouteVerdict;
use super::routed::Routed;
use super::words::{self, minute, quoted, recipients};
use crate::ledger::{AccountKey, Client, Evidence, Hours, Ledger, Text, Time};
use crate::merge::Merge;
use crate::site::neighbourhood;
use foldhash::{HashMap, HashSet};

/// Recipients in an hour from which it is a flood.
const FLOOD: u64 = 10;
/// Recipients that a mere test has at most.
const TEST: u64 = 5;
/// A probe so long before has nothing to do with it: 14 days in microseconds.
const APART: i64 = 14 * 24 * 3_600_000_000;
/// Failed log-ins from which somebody guesses.
const GUESSES: u64 = 10;

/// For each finding whose beginning is known, when that was and the sentence on it.
pub type Chains = HashMap<(Rule, Text, Text), (Time, String)>;

/// What a sentence is filed under.
pub fn key(finding: &Finding) -> (Rule, Text, Text) {
    (finding.rule, finding.server, finding.subject.value)
}

/// Says how the abuse of each finding began, where the logs show it.
pub fn of(routed: &Routed<'_>, findings: &[Finding]) -> Chains {
    let relayed = |finding: &&Finding| {
        matches!(finding.rule, Rule::OpenRelay | Rule::RelayTrick) && Severity::Medium <= finding.severity
    };
    let mut chains = Chains::default();
    if findings.iter().any(|finding| relayed(&finding)) {
        let acts = Acts::of(routed, findings);
        let found = findings.iter().filter(relayed);
        chains.extend(found.filter_map(|finding| Some((key(finding), acts.chain(finding, routed.ledger)?))));
    }
    for finding in findings.iter().filter(|finding| finding.rule == Rule::CompromisedAccount) {
        chains.extend(guessed(finding, routed).map(|chain| (key(finding), chain)));
    }
    chains
}

/// A dated line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    time: Time,
    line: Option<Evidence>,
}

impl Event {
    fn of(time: Option<Time>, line: Option<&Evidence>) -> Option<Event> {
        time.map(|time| Event { time, line: line.cloned() })
    }

    /// `2027-01-18 06:55 UTC (mail.log:128)`.
    fn told(&self, ledger: &Ledger) -> String {
        let line = self.line.iter().map(|line| format!(" ({})", words::place(ledger, line.place)));
        format!("{} UTC{}", minute(self.time), line.collect::<String>())
    }
}

/// Keeps the earlier of two.
fn earlier(kept: &mut Option<Event>, other: Option<Event>) {
    if let Some(other) = other.filter(|other| kept.as_ref().is_none_or(|kept| other < kept)) {
        *kept = Some(other);
    }
}

/// What a client without permission did at a server.
#[derive(Default)]
struct Act {
    /// The first recipient refused.
    denied: Option<Event>,
    /// The first recipient taken.
    taken: Option<Event>,
    /// Recipients taken, by hour.
    hours: Hours,
    recipients: u64,
    /// Whether it wrote in our name: a user of ours who did not log in does.
    ours: bool,
}

/// The same of all clients.
struct Acts {
    acts: HashMap<Seen, Act>,
    marks: Marks,
    /// Those who may as well be hosts or correspondents of ours: they bring mail for us, or are doubted by open-relay.
    honest: HashSet<Seen>,
}

impl Acts {
    fn of(routed: &Routed<'_>, findings: &[Finding]) -> Acts {
        let mut acts = HashMap::<Seen, Act>::default();
        let doubted = findings.iter().filter(|f| f.rule == Rule::OpenRelay && f.severity < Severity::Medium);
        let mut honest: HashSet<Seen> = doubted.map(|f| (client(&f.subject.value), f.server)).collect();
        for flow in routed.flows() {
            let first = || Event::of(flow.flow.span.first, flow.flow.openings.iter().next());
            let seen = (flow.key.client, flow.key.server);
            match flow.verdict {
                RouteVerdict::RelayDenied => earlier(&mut acts.entry(seen).or_default().denied, first()),
                RouteVerdict::RelayedUnauthorised => {
                    let act = acts.entry(seen).or_default();
                    earlier(&mut act.taken, first());
                    act.hours.merge(flow.flow.hours.clone());
                    act.recipients.merge(flow.flow.recipients);
                    let domain = flow.key.reverse_domain.filter(|domain| !domain.is_empty());
                    act.ours |= domain.is_some_and(|domain| routed.site.is_ours(&domain));
                }
                RouteVerdict::Inbound => {
                    honest.insert(seen);
                }
                _ => {}
            }
        }
        let clients: HashSet<Seen> = acts.keys().copied().collect();
        Acts { marks: Marks::of(routed, &clients), acts, honest }
    }

    fn chain(&self, finding: &Finding, ledger: &Ledger) -> Option<(Time, String)> {
        let flooder = client(&finding.subject.value);
        let act = self.acts.get(&(flooder, finding.server)).filter(|act| FLOOD <= act.recipients)?;
        self.by_itself(flooder, act, ledger).or_else(|| self.by_another(flooder, finding, act, ledger))
    }

    /// The same address probed before.
    fn by_itself(&self, flooder: Client, act: &Act, ledger: &Ledger) -> Option<(Time, String)> {
        let taken = act.taken.as_ref()?;
        let flood = act.hours.iter().find(|(_, recipients)| FLOOD <= *recipients)?.0;
        let flood = Time(i64::from(flood) * 3_600_000_000);
        let before = act.hours.iter().filter(|(hour, _)| *hour < flood.hour()).map(|(_, recipients)| recipients);
        let tested = (1..=TEST).contains(&before.sum::<u64>());
        let denied = act.denied.as_ref().filter(|denied| denied.time < taken.time && is_near(denied.time, taken.time));
        let name = quoted(&words::client(&flooder));
        let (door, from) = (taken.told(ledger), if tested { flood } else { taken.time });
        let flood = format!("flood from {} UTC by the same address", minute(from));
        let began = denied.unwrap_or(taken).time;
        let opened = match denied {
            Some(denied) => {
                format!(
                    "probe at {} by {name}, refused; door opened at {door}, the first recipient taken",
                    denied.told(ledger)
                )
            }
            None if tested && is_near(began, from) => format!("probe at {door} by {name}, taken: the door was open"),
            None => return None,
        };
        Some((began, format!("How it began: {opened}; {flood}.")))
    }

    /// Another address probed before, of the same network or with the same mark.
    fn by_another(&self, flooder: Client, finding: &Finding, act: &Act, ledger: &Ledger) -> Option<(Time, String)> {
        let flood = act.taken.as_ref()?;
        let probes = self.acts.iter().filter_map(|((client, server), probe)| {
            let taken =
                probe.taken.as_ref().filter(|_| self.is_test((*client, *server), probe) && *client != flooder)?;
            let before = *server == finding.server && taken.time < flood.time && is_near(taken.time, flood.time);
            let link = if before { self.link(*server, *client, flooder) } else { None };
            Some((taken, *client, probe, link?))
        });
        let (taken, prober, probe, link) = probes.min_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)))?;
        let name = quoted(&words::client(&prober));
        let denied = probe.denied.as_ref().filter(|denied| denied.time < taken.time);
        let opened = match denied {
            Some(denied) => {
                format!("probe at {} by {name}, refused; door opened at {}", denied.told(ledger), taken.told(ledger))
            }
            None => format!("probe at {} by {name}, taken: the door was open", taken.told(ledger)),
        };
        let text = format!(
            "How it began: {opened}, {}; flood from {} by {}, {link}.",
            recipients(probe.recipients),
            flood.told(ledger),
            quoted(&words::client(&flooder))
        );
        Some((denied.unwrap_or(taken).time, text))
    }

    /// Whether so little was taken that it was a test, and not of a user or a correspondent of ours.
    fn is_test(&self, seen: Seen, probe: &Act) -> bool {
        let stranger = !probe.ours && (probe.denied.is_some() || !self.honest.contains(&seen));
        probe.recipients <= TEST && stranger
    }

    /// What links two clients, in words.
    fn link(&self, server: Text, one: Client, other: Client) -> Option<String> {
        if are_neighbours(one, other) {
            return Some("of the same network".to_owned());
        }
        let mark = self.marks.shared(server, one, other)?;
        Some(format!("with the same mark ({})", quoted(&mark.to_string())))
    }
}

fn is_near(first: Time, then: Time) -> bool {
    (0..APART).contains(&then.0.saturating_sub(first.0))
}

fn are_neighbours(one: Client, other: Client) -> bool {
    match (one, other) {
        (Client::Address(one), Client::Address(other)) => neighbourhood(one) == neighbourhood(other),
        _ => one == other && one != Client::Unknown,
    }
}

/// A client that guessed at an account.
struct Guesser {
    client: Client,
    /// The first failure.
    first: Event,
    /// The last one.
    last: Time,
    failures: u64,
}

impl Guesser {
    /// Whether a log-in is the fruit of the guessing: from the same address, or from its network after the guessing ended.
    fn entered(&self, client: Client, entered: &Event) -> bool {
        let after = self.first.time < entered.time && is_near(self.first.time, entered.time);
        after && (client == self.client || (are_neighbours(client, self.client) && self.last <= entered.time))
    }
}

fn guessers(server: Text, account: Text, ledger: &Ledger) -> Vec<Guesser> {
    let guessers = ledger.clients.iter().filter_map(|(key, facts)| {
        let guesses = key.server == server && GUESSES <= facts.auth_failures();
        let tried = guesses && facts.accounts_tried.iter().any(|tried| same_account(tried, &account));
        let first = if tried { Event::of(facts.failed.first, facts.auth_evidence.iter().next()) } else { None };
        Some(Guesser { client: key.client, first: first?, last: facts.failed.last?, failures: facts.auth_failures() })
    });
    guessers.collect()
}

/// How a password was guessed: who tried, who got in from there, who sent.
fn guessed(finding: &Finding, routed: &Routed<'_>) -> Option<(Time, String)> {
    let (server, account, ledger) = (finding.server, finding.subject.value, routed.ledger);
    let guessers = guessers(server, account, ledger);
    let uses = uses(server, account, routed);
    let doors = uses.iter().flat_map(|(client, entered)| {
        let known = guessers.iter().filter(|guesser| guesser.entered(*client, entered));
        known.map(move |guesser| (*client != guesser.client, entered, *client, guesser))
    });
    let order = |door: &(bool, &Event, Client, &Guesser)| (door.0, door.1.clone(), door.2, door.3.first.clone());
    let (elsewhere, door, thief, guesser) = doors.min_by_key(order)?;
    let flood = uses.iter().filter(|(client, first)| *client != thief && door < first).min_by_key(|(_, first)| first);
    let flood = match flood {
        Some((client, first)) => format!("flood from {} by {}", first.told(ledger), quoted(&words::client(client))),
        None => format!("flood from {} UTC by the same address", minute(finding.span.first?)),
    };
    let text = format!(
        "How it began: guessing from {} by {} ({} failures); log-in as {} at {} from {}; {flood}.",
        guesser.first.told(ledger),
        quoted(&words::client(&guesser.client)),
        words::thousands(guesser.failures),
        quoted(&account),
        door.told(ledger),
        if elsewhere { quoted(&words::client(&thief)) } else { "the same address".to_owned() },
    );
    Some((guesser.first.time, text))
}

/// When each client first used an account: by log-in or by mail.
fn uses(server: Text, account: Text, routed: &Routed<'_>) -> Vec<(Client, Event)> {
    let mut uses = HashMap::<Client, Option<Event>>::default();
    for (_, facts) in routed.ledger.log_ins.iter().filter(|(key, _)| is_of(key, server, account)) {
        for (client, first) in &facts.entered {
            earlier(uses.entry(*client).or_default(), Event::of(first.span.first, first.line.iter().next()));
        }
    }
    for flow in routed.flows().filter(|flow| flow.key.server == server && flow.key.account == Some(account)) {
        let first = Event::of(flow.flow.span.first, flow.flow.openings.iter().next());
        earlier(uses.entry(flow.key.client).or_default(), first);
    }
    let dated = uses.into_iter().filter_map(|(client, first)| Some((client, first?)));
    dated.filter(|(client, _)| *client != Client::Unknown).collect()
}

fn is_of(key: &AccountKey, server: Text, account: Text) -> bool {
    key.server == server && same_account(&key.account, &account)
}

/// Whether two log-in names are the same account: some daemons log the realm, some do not.
fn same_account(a: &str, b: &str) -> bool {
    name(a) == name(b)
}

/// The name of an account without its realm.
pub fn name(account: &str) -> &str {
    account.split('@').next().unwrap_or_default()
}
