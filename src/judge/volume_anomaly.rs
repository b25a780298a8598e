//! volume-anomaly: far more mail than the sender, the domain or the server ever sent before. The weakest of the rules on senders, and
//! the earliest: it says "look at this", never "abuse".
//!
//! False positives: the first newsletter, a mailing to all customers; by chance as often as `--false-alarms-per-quarter` allows.
//! docs/VOLUME.md tells how often it was wrong on simulated servers.

mod alarms;
mod jumps;
mod series;
mod signals;
mod tail;

pub use alarms::Alarm;
use jumps::LEARNING;
pub use series::Counts;

use super::About;
use super::finding::{Finding, Rule, Severity, Subject};
use super::routed::{Routed, RoutedFlow};
use super::tally::{Tally, confidence};
use super::words::{self, minute, thousands};
use crate::ledger::{Client, Evidence, ServerFacts, Smallest, Span, Text, Time};
use alarms::Alarms;
use series::{Series, Whose};
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::VolumeAnomaly,
    title: "far more mail than usual",
    meaning: "An account, a trusted host, a local user, a domain of yours or a server sent at least three times as many messages, or \
              to three times as many outside recipients, as ever before, in an hour or on a day, and so many that chance does not \
              explain it: how far the senders of this server go beyond their own records is learnt from its logs, and what is to \
              be expected less often than once in a quarter of a year (--false-alarms-per-quarter) is reported. What a stronger rule \
              accuses is not told again. A sender is judged by its own days from two weeks on, a new one by its peers; a server \
              whose logs hold two weeks or less is not judged. Low, or medium where two more things are unusual: network, time of \
              day, reverse-paths, recipients that were refused.",
    sources: "Pickands, Annals of Statistics 1975; Hill, Annals of Statistics 1975; Siffer and others, Anomaly Detection in \
              Streams with Extreme Value Theory (KDD 2017); shares of the false alarms as by Bonferroni. How often it is wrong: \
              docs/VOLUME.md",
    false_positives: "The first issue of a newsletter, a mailing to all customers, month-end invoices of a new program, a \
                      storm of alerts. What comes again after weeks is taken for a habit.",
    remedy: "Look whether the owner knows of it. If it is a newsletter, there is nothing to do; if nobody knows of it, change \
             the password.",
};

/// Finds whoever sent far more than usual: one finding for each subject, about its most unusual hour or day.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (server, series) in series::gather(routed, &known(routed)) {
        let Alarms { series, alarms } = alarms::find(routed, server, series);
        let mut by_subject = BTreeMap::<Subject, Vec<(usize, Alarm)>>::new();
        for (number, alarm) in alarms {
            by_subject.entry(alarm.subject.clone()).or_default().push((number, alarm));
        }
        findings.extend(by_subject.into_values().filter_map(|alarms| finding(routed, &series, alarms)));
    }
    findings
}

/// Every alarm, in the order of servers, subjects and days: [`judge`] makes one finding of those about one subject.
pub fn alarms(routed: &Routed<'_>) -> Vec<Alarm> {
    let servers = series::gather(routed, &known(routed)).into_iter();
    servers.flat_map(|(server, series)| alarms::find(routed, server, series).alarms).map(|(_, alarm)| alarm).collect()
}

/// The servers whose logs hold enough days.
fn known(routed: &Routed<'_>) -> BTreeSet<Text> {
    let enough = |facts: &ServerFacts| days(facts).0 <= days(facts).1;
    routed.ledger.servers.iter().filter(|(_, facts)| enough(facts)).map(|(server, _)| *server).collect()
}

/// Days of its logs from which a server is judged, and how many they are.
pub(crate) fn days(facts: &ServerFacts) -> (usize, usize) {
    (LEARNING + 1, alarms::days(facts).len())
}

fn finding<'a>(routed: &Routed<'a>, all: &[Series<'_, 'a>], alarms: Vec<(usize, Alarm)>) -> Option<Finding> {
    let days: BTreeSet<i32> = alarms.iter().map(|(_, alarm)| alarm.day).collect();
    let others = days.len().saturating_sub(1) as u64;
    let least = |a: &Alarm, b: &Alarm| a.expected.total_cmp(&b.expected).then(a.day.cmp(&b.day));
    let (number, alarm) = alarms.into_iter().min_by(|a, b| least(&a.1, &b.1))?;
    let series = &all[number];
    let signals = signals::of(routed, series, &alarm);
    let severity = if 2 <= signals.len() { Severity::Medium } else { Severity::Low };
    let mut tally = tally(routed, series, &alarm);
    let elsewhere = tally.evidence.is_empty();
    if elsewhere {
        tally.evidence = earlier(routed, series, &alarm);
    }
    tally.messages = messages(series, &alarm).unwrap_or(tally.messages);
    let mut finding = tally.finding(Rule::VolumeAnomaly, severity, (&series.server, &Client::Unknown), routed.ledger);
    finding.subject = alarm.subject.clone();
    finding.confidence = confidence(routed.site).min(0.5);
    finding.why = vec![summary(series, &alarm), chance(routed, series, &alarm)];
    finding.why.extend(largest(all, series, &alarm));
    finding.why.extend(signals);
    if elsewhere && !finding.evidence.is_empty() {
        finding.why.push(
            "The lines shown are earlier ones of the same kind: this mail went where mail went before.".to_owned(),
        );
    }
    if 0 < others {
        finding.why.push(format!("It was so on {} too.", words::count(others, "other day", "other days")));
    }
    finding.why.push(
        "More than usual is no proof of abuse: if it is a newsletter or a mailing you know of, there is nothing to do."
            .to_owned(),
    );
    finding.remedy = remedy(series);
    Some(finding)
}

/// The flows that a series is made of.
fn flows<'a>(routed: &Routed<'a>, series: &Series<'_, 'a>) -> Vec<RoutedFlow<'a>> {
    match series.whose {
        Whose::Sender(sender) => sender.flows().to_vec(),
        _ => routed.flows().filter(|flow| series.holds(*flow) && series::is_sent(routed, *flow)).collect(),
    }
}

/// The earliest lines of the flows that an alarm is about, where none of them began within its time.
fn earlier<'a>(routed: &Routed<'a>, series: &Series<'_, 'a>, alarm: &Alarm) -> Smallest<Evidence, 5> {
    let mut lines = Smallest::default();
    let within = |flow: &RoutedFlow<'_>| flow.flow.hours.iter().any(|(hour, _)| alarm.holds(hour));
    for RoutedFlow { flow, .. } in flows(routed, series).into_iter().filter(within) {
        flow.openings.iter().for_each(|line| lines.insert(line.clone()));
    }
    lines
}

/// Messages in the time of an alarm, if they are counted.
fn messages(series: &Series<'_, '_>, alarm: &Alarm) -> Option<u64> {
    let Whose::Sender(sender) = series.whose else { return None };
    let within = sender.messages_by_hour().iter().filter(|(hour, _)| alarm.holds(*hour));
    Some(within.map(|(_, number)| number).fold(0, u64::saturating_add)).filter(|number| 0 < *number)
}

/// What the mail of the time of an alarm was. Messages are counted where they are known by hour.
fn tally<'a>(routed: &Routed<'a>, series: &Series<'_, 'a>, alarm: &Alarm) -> Tally {
    let mut tally = Tally::default();
    for RoutedFlow { key, flow, .. } in flows(routed, series) {
        let mut part = flow.clone();
        part.hours.retain(|hour| alarm.holds(hour));
        part.recipients = part.hours.iter().map(|(_, number)| number).fold(0, u64::saturating_add);
        if part.recipients == 0 {
            continue;
        }
        // A line of another day proves nothing: only flows that began within the time have one of it.
        let began = flow.span.first.is_some_and(|first| alarm.holds(first.hour()));
        let ended = flow.span.last.is_some_and(|last| alarm.holds(last.hour()));
        if !began {
            (part.openings, part.outcomes) = Default::default();
        }
        if !began || !ended {
            (part.messages, part.bytes) = (0, 0);
        }
        part.waiting = Default::default();
        tally.add(key, &part);
    }
    let (from, to) = period(alarm);
    tally.span = Span {
        first: Some(tally.span.first.unwrap_or(from).max(from)),
        last: Some(tally.span.last.unwrap_or(to).min(to)),
    };
    tally
}

/// When it began and ended.
fn period(alarm: &Alarm) -> (Time, Time) {
    const HOUR: i64 = 3_600_000_000;
    let (first, hours) = alarm.hour.map_or((alarm.day.saturating_mul(24), 24), |hour| (hour, 1));
    (Time(i64::from(first) * HOUR), Time((i64::from(first) + hours) * HOUR - 1))
}

/// When, in words.
fn when(alarm: &Alarm) -> String {
    let start = minute(period(alarm).0);
    match alarm.hour {
        Some(_) => format!("in the hour from {start} UTC"),
        None => format!("on {}", start.chars().take(10).collect::<String>()),
    }
}

/// How much it was, and what is usual.
fn summary(series: &Series<'_, '_>, alarm: &Alarm) -> String {
    let name = match series.whose {
        Whose::Server => words::server(&series.server),
        _ => words::quoted(&alarm.subject.value),
    };
    let sent = match alarm.counts {
        Counts::Messages => format!("{name} sent {} {}", alarm.counts.words(alarm.number), when(alarm)),
        Counts::Recipients => format!("{name} sent mail to {} {}", alarm.counts.words(alarm.number), when(alarm)),
    };
    let earlier: Vec<_> = series.days.iter().take_while(|day| day.day < alarm.day).collect();
    let unit = if alarm.hour.is_some() { "hour" } else { "day" };
    let mut usual: Vec<u64> = match alarm.hour {
        Some(_) => earlier.iter().flat_map(|day| day.hours.iter().map(|(_, number)| *number)).collect(),
        None => earlier.iter().map(|day| day.sum()).collect(),
    };
    usual.sort_unstable();
    let (Some(median), Some(most), Some(first)) = (usual.get(usual.len() / 2), usual.last(), earlier.first()) else {
        return format!("{sent}, and never before.");
    };
    format!(
        "{sent}. In the {} before, its busiest {unit} had {}, and the usual {unit} in which it sends {}.",
        words::count(u64::try_from(alarm.day - first.day).unwrap_or(0), "day", "days"),
        alarm.counts.words(*most),
        thousands(*median)
    )
}

/// How unlikely it is.
fn chance(routed: &Routed<'_>, series: &Series<'_, '_>, alarm: &Alarm) -> String {
    let against = match (alarm.newcomer, alarm.hour.is_some(), series.whose) {
        (true, ..) => {
            format!("It is new: nine of ten senders of this server never passed {} in an hour", thousands(alarm.record))
        }
        (_, true, Whose::Domain(_) | Whose::Server) => {
            format!("At that time of the day it never passed {}", thousands(alarm.record))
        }
        (_, hourly, _) => {
            let unit = if hourly { "an hour" } else { "a day" };
            format!("It never passed {} in {unit} before", thousands(alarm.record))
        }
    };
    let expected = match alarm.expected {
        ..0.001 => "less than once in 1,000 quarters of a year".to_owned(),
        expected => format!("about {expected:.3} times in a quarter of a year"),
    };
    format!(
        "{against}. By chance, such a jump is to be expected {expected} on this server; {} in all is accepted \
         (--false-alarms-per-quarter).",
        routed.errors.alarms_per_quarter
    )
}

/// Who sent most of what a domain or a server sent.
fn largest(all: &[Series<'_, '_>], series: &Series<'_, '_>, alarm: &Alarm) -> Option<String> {
    if matches!(series.whose, Whose::Sender(_)) {
        return None;
    }
    let mut book = BTreeMap::<Text, u64>::new();
    let senders = |one: &&Series<'_, '_>| matches!(one.whose, Whose::Sender(_)) && one.counts == Counts::Recipients;
    for one in all.iter().filter(senders) {
        let within = alarms::sent_in(one, alarm);
        if 0 < within {
            book.insert(one.subject().value, within);
        }
    }
    (!book.is_empty()).then(|| format!("Most of it by: {}.", super::hints::largest(&book)))
}

/// What to do.
fn remedy(series: &Series<'_, '_>) -> Vec<String> {
    let (ask, else_) = match series.whose {
        Whose::Sender(sender) => match sender.who {
            super::senders::Who::Account(_) => (
                "Ask the owner of the account whether this was a mailing of theirs.",
                "If not, change the password and end the sessions, and look at what is left in the queue.",
            ),
            _ => (
                "Ask whoever looks after it whether this was a mailing, invoices, or alerts.",
                "If not, stop the program that sent it, and look at what is left in the queue.",
            ),
        },
        _ => (
            "Look at the senders that sent most of it, and ask them.",
            "If nobody knows of it, change the passwords of those accounts, and look at what is left in the queue.",
        ),
    };
    vec![
        ask.to_owned(),
        else_.to_owned(),
        "If it was wanted, do nothing: what comes again is taken for usual.".to_owned(),
    ]
}
