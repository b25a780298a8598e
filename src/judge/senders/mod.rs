//! Senders: whoever may send through the server, and how that sender behaved. The behavioural rules judge these.
//!
//! A sender is an account, a trusted host, or a local user. The reverse-path is never one: it is what forgers choose.

mod signals;
mod weigh;

pub use weigh::{Errors, Weighed};

use super::finding::{Finding, Rule, Severity};
use super::route::{RouteVerdict, target_domain};
use super::routed::{Routed, RoutedFlow};
use super::tally::{Tally, confidence};
use super::words;
use crate::ledger::{AccountKey, Client, ClientKey, Hours, Ledger, Sent, Span, Text, Time};
use crate::merge::Merge;
use crate::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// An account that logs in.
    Account(Text),
    /// A host in a trusted network.
    Host(Client),
    /// A user of the server itself.
    User(Client),
}

/// A sender on one server, with all mail of its that went to outside recipients.
pub struct Sender<'a> {
    /// The server.
    pub server: Text,
    /// The sender.
    pub who: Who,
    flows: Vec<RoutedFlow<'a>>,
    tally: Tally,
    /// Recipients by domain of the reverse-path.
    reverse: BTreeMap<Option<Text>, u64>,
    /// Domains written to.
    targets: BTreeSet<&'a str>,
    /// Clients with the hours in which they sent.
    clients: BTreeMap<Client, Hours>,
    /// All its messages, also those to local recipients.
    sent: Option<&'a Sent>,
    /// EHLO names it used.
    names: u64,
    /// Hours from the first to the last line of its server.
    logged: (i32, i32),
}

/// Every sender of a ledger.
#[derive(Default)]
pub struct Senders<'a>(Vec<Sender<'a>>);

impl<'a> Senders<'a> {
    /// Gathers the senders.
    pub fn of(ledger: &'a Ledger, site: &Site, flows: impl Iterator<Item = RoutedFlow<'a>>) -> Senders<'a> {
        let mut senders = BTreeMap::<(Text, Who), Sender<'a>>::new();
        for flow in flows {
            let Some(who) = who(flow, site) else { continue };
            let server = flow.key.server;
            senders.entry((server, who)).or_insert_with(|| Sender::new(ledger, server, who)).add(flow, site);
        }
        count_names(ledger, &mut senders);
        Senders(senders.into_values().collect())
    }

    /// The senders, by server and kind.
    pub fn iter(&self) -> impl Iterator<Item = &Sender<'a>> {
        self.0.iter()
    }
}

/// Whose mail a flow is, if it went to outside recipients with authority.
fn who(flow: RoutedFlow<'_>, site: &Site) -> Option<Who> {
    let key = flow.key;
    match (flow.verdict, key.account, key.client) {
        (RouteVerdict::OutboundAccount, Some(account), _) => Some(Who::Account(account)),
        (RouteVerdict::OutboundNetwork, _, Client::Address(address)) if address.is_loopback() => None,
        (RouteVerdict::OutboundNetwork, _, client) => Some(Who::Host(client)),
        (RouteVerdict::LocalOrigin, _, client @ Client::User(_)) if !site.is_local(target_domain(key, site)) => {
            Some(Who::User(client))
        }
        _ => None,
    }
}

/// Counts the EHLO names of the hosts among the senders.
fn count_names(ledger: &Ledger, senders: &mut BTreeMap<(Text, Who), Sender<'_>>) {
    for key in ledger.hellos.keys() {
        if let Some(sender) = senders.get_mut(&(key.server, Who::Host(key.client))) {
            sender.names += 1;
        }
    }
}

impl<'a> Sender<'a> {
    fn new(ledger: &'a Ledger, server: Text, who: Who) -> Sender<'a> {
        let sent = match who {
            Who::Account(account) => ledger.accounts.get(&AccountKey { server, account }),
            Who::Host(client) | Who::User(client) => {
                ledger.clients.get(&ClientKey { server, client }).map(|facts| &facts.sent)
            }
        };
        let span = ledger.servers.get(&server).map_or(Span::default(), |facts| facts.span);
        let hour = |time: Option<Time>| time.map_or(0, Time::hour);
        Sender {
            server,
            who,
            flows: Vec::new(),
            tally: Tally::default(),
            reverse: BTreeMap::new(),
            targets: BTreeSet::new(),
            clients: BTreeMap::new(),
            sent,
            names: 0,
            logged: (hour(span.first), hour(span.last)),
        }
    }

    fn add(&mut self, routed: RoutedFlow<'a>, site: &Site) {
        let RoutedFlow { key, flow, .. } = routed;
        self.tally.add(key, flow);
        self.reverse.entry(key.reverse_domain).or_default().merge(flow.recipients);
        self.targets.insert(target_domain(key, site));
        self.clients.entry(key.client).or_default().merge(flow.hours.clone());
        self.flows.push(routed);
    }

    /// The name of the sender: account, address, or user.
    pub fn name(&self) -> Text {
        match self.who {
            Who::Account(account) => account,
            Who::Host(client) | Who::User(client) => words::client(&client),
        }
    }

    /// Its mail to outside recipients.
    pub fn flows(&self) -> &[RoutedFlow<'a>] {
        &self.flows
    }

    /// Outside recipients by hour.
    pub fn recipients_by_hour(&self) -> &Hours {
        &self.tally.hours
    }

    /// All its messages by hour, also those to local recipients; empty where they were not counted.
    pub fn messages_by_hour(&self) -> &Hours {
        const NONE: &Hours = &Hours::EMPTY;
        self.sent.map_or(NONE, |sent| &sent.messages)
    }

    /// The clients it sent from, with the recipients by hour.
    pub fn clients(&self) -> &BTreeMap<Client, Hours> {
        &self.clients
    }

    /// Recipients in reverse-path domains that are neither ours nor below ours, and those domains. The null
    /// reverse-path belongs to nobody.
    fn foreign(&self, site: &Site) -> (u64, usize) {
        let is_foreign =
            |domain: &Option<Text>| domain.is_some_and(|domain| !domain.is_empty() && !site.is_ours(&domain));
        let foreign = self.reverse.iter().filter(|(domain, _)| is_foreign(domain));
        foreign.fold((0, 0), |(recipients, domains), (_, more)| (recipients + more, domains + 1))
    }

    /// The hours around the busiest one in which it sent at least a twentieth as much: the first and the last.
    fn rush(&self) -> Option<(i32, i32)> {
        let hours = self.hours();
        let (peak, most) = hours.iter().max_by_key(|(hour, n)| (*n, std::cmp::Reverse(*hour)))?;
        let busy: BTreeSet<i32> = hours.iter().filter(|(_, n)| most <= n.saturating_mul(20)).map(|(h, _)| h).collect();
        let (mut first, mut last) = (peak, peak);
        while busy.contains(&(first - 1)) {
            first -= 1;
        }
        while busy.contains(&(last + 1)) {
            last += 1;
        }
        Some((first, last))
    }

    /// Messages by hour; recipients where messages were not counted.
    fn hours(&self) -> &Hours {
        self.sent.map(|sent| &sent.messages).filter(|hours| !hours.is_empty()).unwrap_or(&self.tally.hours)
    }

    /// The finding against it. Figures are of all its outside mail; the time, the lines and the queue are of the rush.
    pub fn finding(&self, rule: Rule, kind: &'static str, weighed: &Weighed, routed: &Routed<'_>) -> Finding {
        let critical = MANY <= self.tally.accepted && weighed.nats >= 2.0 * weighed.threshold;
        let severity = if critical { Severity::Critical } else { Severity::High };
        let mut tally = self.tally.clone();
        let mut rush = Tally::default();
        for RoutedFlow { key, flow, .. } in self.flows.iter().filter(|flow| self.in_rush(flow.flow.span)) {
            rush.add(key, flow);
        }
        let rush = if 0 < rush.accepted { rush } else { tally.clone() };
        (tally.span, tally.evidence) = (rush.span, rush.evidence.clone());
        let mut finding = tally.finding(rule, severity, (&self.server, &Client::Unknown), routed.ledger);
        finding.queue = Some(rush.queue(&self.server, routed.ledger));
        finding.subject = super::finding::Subject { kind, value: self.name() };
        finding.confidence = confidence(routed.site);
        finding.why = weighed.why.clone();
        finding
    }

    /// What it sent, and when.
    pub fn summary(&self, how: &str) -> String {
        format!(
            "{} sent {} to {} in {} {how}.",
            words::quoted(&self.name()),
            words::count(self.tally.messages, "message", "messages"),
            words::recipients(self.tally.accepted),
            words::count(self.targets.len() as u64, "outside domain", "outside domains"),
        )
    }

    /// The clients that sent in the rush, the busiest first.
    pub fn rush_clients(&self) -> impl Iterator<Item = &Client> {
        let (first, last) = self.rush().unwrap_or((i32::MIN, i32::MAX));
        let volume = |hours: &Hours| {
            let within = hours.iter().filter(|(hour, _)| (first..=last).contains(hour));
            within.map(|(_, n)| n).sum::<u64>()
        };
        let mut clients: Vec<(u64, &Client)> =
            self.clients.iter().map(|(client, hours)| (volume(hours), client)).collect();
        clients.retain(|(volume, _)| 0 < *volume);
        clients.sort_by_key(|(volume, client)| (std::cmp::Reverse(*volume), *client));
        clients.into_iter().map(|(_, client)| client)
    }

    /// Whether a flow began in the rush.
    fn in_rush(&self, span: Span) -> bool {
        let (Some((first, last)), Some(began)) = (self.rush(), span.first) else { return false };
        (first..=last).contains(&began.hour())
    }
}

/// Recipients from which it is a flood.
const MANY: u64 = 100;
