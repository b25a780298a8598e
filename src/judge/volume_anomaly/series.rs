//! What was sent by hour, and by whom: senders, domains of ours, servers.

use crate::judge::Subject;
use crate::judge::route::{RouteVerdict, target_domain};
use crate::judge::routed::{Routed, RoutedFlow};
use crate::judge::senders::{Sender, Who};
use crate::judge::words;
use crate::ledger::{Hours, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Whose mail it is.
#[derive(Clone, Copy)]
pub enum Whose<'r, 'a> {
    /// That of an account, a trusted host or a local user.
    Sender(&'r Sender<'a>),
    /// All that has a reverse-path in a domain of ours.
    Domain(Text),
    /// All that a server sent.
    Server,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counts {
    /// Messages, to whomever: who writes to many at once writes one, who sends spam writes many.
    Messages,
    /// Outside recipients.
    Recipients,
}

impl Counts {
    /// A number of them.
    pub fn words(self, number: u64) -> String {
        match self {
            Counts::Messages => words::count(number, "message", "messages"),
            Counts::Recipients => words::recipients(number),
        }
    }
}

/// The kinds of series, each judged apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Senders.
    Sender,
    /// Domains of ours.
    Domain,
    /// Servers.
    Server,
}

/// Mail by hour.
pub struct Series<'r, 'a> {
    /// The server.
    pub server: Text,
    /// Whose.
    pub whose: Whose<'r, 'a>,
    /// What is counted.
    pub counts: Counts,
    /// The days with mail, in order.
    pub days: Vec<Day>,
}

/// A day (UTC, whole days since 1970) with mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub day: i32,
    /// Its hours with mail (of `Time::hour`), with the number.
    pub hours: Vec<(i32, u64)>,
}

impl Day {
    /// The number of the day.
    pub fn sum(&self) -> u64 {
        self.hours.iter().map(|(_, number)| number).fold(0, |sum, number| sum.saturating_add(*number))
    }

    /// The busiest hour, and its number; the earlier of two equal ones.
    pub fn peak(&self) -> (i32, u64) {
        let busiest = self.hours.iter().max_by_key(|(hour, number)| (*number, std::cmp::Reverse(*hour)));
        busiest.copied().unwrap_or((self.day * 24, 0))
    }
}

/// The day of an hour.
pub fn day_of(hour: i32) -> i32 {
    hour.div_euclid(24)
}

impl<'r, 'a> Series<'r, 'a> {
    fn of(server: Text, whose: Whose<'r, 'a>, counts: Counts, hours: &Hours) -> Series<'r, 'a> {
        let mut days = Vec::<Day>::new();
        for (hour, number) in hours.iter() {
            match days.last_mut().filter(|last| last.day == day_of(hour)) {
                Some(last) => last.hours.push((hour, number)),
                None => days.push(Day { day: day_of(hour), hours: vec![(hour, number)] }),
            }
        }
        Series { server, whose, counts, days }
    }

    /// Its level.
    pub fn level(&self) -> Level {
        match self.whose {
            Whose::Sender(_) => Level::Sender,
            Whose::Domain(_) => Level::Domain,
            Whose::Server => Level::Server,
        }
    }

    /// What a finding is about.
    pub fn subject(&self) -> Subject {
        match self.whose {
            Whose::Sender(sender) => Subject { kind: kind(sender.who), value: sender.name() },
            Whose::Domain(domain) => Subject { kind: "domain", value: domain },
            Whose::Server => Subject { kind: "server", value: words::server(&self.server).as_str().into() },
        }
    }

    /// Whether a flow is part of it.
    pub fn holds(&self, routed: RoutedFlow<'_>) -> bool {
        let within = match self.whose {
            Whose::Sender(_) => return false,
            Whose::Domain(domain) => routed.key.reverse_domain == Some(domain),
            Whose::Server => true,
        };
        within && routed.key.server == self.server
    }
}

fn kind(who: Who) -> &'static str {
    match who {
        Who::Account(_) => "account",
        Who::Host(_) => "client",
        Who::User(_) => "user",
    }
}

/// Whether a flow is mail that somebody with permission sent to outside recipients.
pub fn is_sent(routed: &Routed<'_>, flow: RoutedFlow<'_>) -> bool {
    match flow.verdict {
        RouteVerdict::OutboundAccount | RouteVerdict::OutboundNetwork => true,
        RouteVerdict::LocalOrigin => !routed.site.is_local(target_domain(flow.key, routed.site)),
        _ => false,
    }
}

/// Every series of the servers that are asked for, by server: senders, then domains, then the server.
pub fn gather<'r, 'a>(routed: &'r Routed<'a>, asked: &BTreeSet<Text>) -> BTreeMap<Text, Vec<Series<'r, 'a>>> {
    let mut all = BTreeMap::<Text, Vec<Series<'r, 'a>>>::new();
    if asked.is_empty() {
        return all;
    }
    for sender in routed.senders().iter().filter(|sender| asked.contains(&sender.server)) {
        let counted =
            [(Counts::Messages, sender.messages_by_hour()), (Counts::Recipients, sender.recipients_by_hour())];
        for (counts, hours) in counted.into_iter().filter(|(_, hours)| !hours.is_empty()) {
            let series = Series::of(sender.server, Whose::Sender(sender), counts, hours);
            all.entry(sender.server).or_default().push(series);
        }
    }
    let mut domains = BTreeMap::<(Text, Text), Hours>::new();
    let mut servers = BTreeMap::<Text, Hours>::new();
    for flow in routed.flows().filter(|flow| asked.contains(&flow.key.server) && is_sent(routed, *flow)) {
        let server = flow.key.server;
        add(servers.entry(server).or_default(), &flow.flow.hours);
        let ours = |domain: &Text| !domain.is_empty() && routed.site.is_ours(domain);
        if let Some(domain) = flow.key.reverse_domain.filter(ours) {
            add(domains.entry((server, domain)).or_default(), &flow.flow.hours);
        }
    }
    for ((server, domain), hours) in &domains {
        all.entry(*server).or_default().push(Series::of(*server, Whose::Domain(*domain), Counts::Recipients, hours));
    }
    for (server, hours) in &servers {
        all.entry(*server).or_default().push(Series::of(*server, Whose::Server, Counts::Recipients, hours));
    }
    all
}

/// Adds hours to others. Unlike a merge, nothing is copied: there are many flows of few hours.
fn add(sum: &mut Hours, hours: &Hours) {
    hours.iter().for_each(|(hour, number)| sum.add(hour, number));
}
