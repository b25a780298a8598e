//! What else is unusual about a sender in the time of an alarm. Alone none of it accuses anybody; two of them together make the
//! alarm worth more than a glance.

use super::alarms::Alarm;
use super::jumps::LEARNING;
use super::series::{Series, Whose, day_of};
use crate::judge::routed::{Routed, RoutedFlow};
use crate::judge::senders::{Sender, Who};
use crate::judge::words;
use crate::ledger::{Client, Hours, Outcome};
use crate::site::neighbourhood;
use ipnet::IpNet;
use std::collections::BTreeSet;

/// Days with mail from which the hours of a sender are known.
const HOURS_KNOWN: usize = 10;
/// Hours around a usual one that are usual too.
const AROUND: i32 = 2;
/// Recipients of which the end is known from which a share of refusals tells.
const ENDS: u64 = 20;

/// The sentences on what else is unusual; none of senders that are not known long enough.
pub fn of(routed: &Routed<'_>, series: &Series<'_, '_>, alarm: &Alarm) -> Vec<String> {
    let Whose::Sender(sender) = series.whose else { return Vec::new() };
    let first = series.days.first().map_or(alarm.day, |day| day.day);
    let known = LEARNING <= usize::try_from(alarm.day - first).unwrap_or(0);
    let old = [new_network(sender, alarm), new_hour(series, alarm), foreign(routed, sender, alarm)];
    let old = old.into_iter().flatten().filter(|_| known);
    old.chain(refused(sender, alarm)).collect()
}

/// Recipients in the time of an alarm, and before its day.
fn parts(hours: &Hours, alarm: &Alarm) -> (u64, u64) {
    let sum = |wanted: &dyn Fn(i32) -> bool| {
        let within = hours.iter().filter(|(hour, _)| wanted(*hour));
        within.map(|(_, number)| number).fold(0, u64::saturating_add)
    };
    (sum(&|hour| alarm.holds(hour)), sum(&|hour| day_of(hour) < alarm.day))
}

/// Recipients in the time of an alarm.
fn within_all(sender: &Sender<'_>, alarm: &Alarm) -> u64 {
    parts(sender.recipients_by_hour(), alarm).0
}

/// Most of it came from networks from which the account never sent before.
fn new_network(sender: &Sender<'_>, alarm: &Alarm) -> Option<String> {
    let Who::Account(_) = sender.who else { return None };
    let network = |client: &Client| match client {
        Client::Address(address) => Some(neighbourhood(*address)),
        _ => None,
    };
    let clients = || sender.clients().iter().map(|(client, hours)| (client, parts(hours, alarm)));
    let known: BTreeSet<IpNet> =
        clients().filter(|(_, (_, before))| 0 < *before).filter_map(|(client, _)| network(client)).collect();
    let new = clients().filter(|(client, (within, _))| {
        0 < *within && network(client).is_some_and(|network| !known.contains(&network))
    });
    let (most, (recipients, _)) =
        new.clone().max_by_key(|(client, (within, _))| (*within, std::cmp::Reverse(**client)))?;
    let sum = new.map(|(_, (within, _))| within).fold(0, u64::saturating_add);
    (within_all(sender, alarm) <= sum.saturating_mul(2) && !known.is_empty()).then(|| {
        format!(
            "It came from {} ({}): from there this account had never sent before.",
            words::quoted(&words::client(most)),
            words::recipients(recipients)
        )
    })
}

/// The hour is one of the day in which the sender never sent before.
fn new_hour(series: &Series<'_, '_>, alarm: &Alarm) -> Option<String> {
    let hour = alarm.hour?;
    let before: Vec<_> = series.days.iter().take_while(|day| day.day < alarm.day).collect();
    let apart = |other: i32| {
        let distance = (hour - other).rem_euclid(24);
        distance.min(24 - distance)
    };
    let usual = before.iter().flat_map(|day| &day.hours).any(|(other, _)| apart(*other) <= AROUND);
    (HOURS_KNOWN <= before.len() && !usual).then(|| {
        format!(
            "It had never sent at that time of the day before, on {}.",
            words::count(before.len() as u64, "day", "days")
        )
    })
}

/// Most of it has reverse-paths in domains that are not ours, which is new.
fn foreign(routed: &Routed<'_>, sender: &Sender<'_>, alarm: &Alarm) -> Option<String> {
    let is_foreign = |flow: &&RoutedFlow<'_>| {
        flow.key.reverse_domain.is_some_and(|domain| !domain.is_empty() && !routed.site.is_ours(&domain))
    };
    let sum = sender.flows().iter().filter(is_foreign).map(|flow| parts(&flow.flow.hours, alarm));
    let (within, before) =
        sum.fold((0u64, 0u64), |sum, part| (sum.0.saturating_add(part.0), sum.1.saturating_add(part.1)));
    (within_all(sender, alarm) <= within.saturating_mul(2) && before.saturating_mul(5) < within).then(|| {
        "Most of it had reverse-paths in domains that are not yours, which this sender hardly used before.".to_owned()
    })
}

/// Many of the recipients were refused by their servers.
fn refused(sender: &Sender<'_>, alarm: &Alarm) -> Option<String> {
    let sum = |wanted: &[Outcome]| {
        let flows = sender.flows().iter().filter(|flow| wanted.contains(&flow.key.outcome));
        flows.map(|flow| parts(&flow.flow.hours, alarm).0).fold(0, u64::saturating_add)
    };
    let failed = sum(&[Outcome::Bounced, Outcome::BouncedHere, Outcome::Expired]);
    let ended = failed.saturating_add(sum(&[Outcome::Relayed, Outcome::Delivered]));
    (ENDS <= ended && ended <= failed.saturating_mul(4))
        .then(|| format!("{} of {} were refused by their servers.", words::thousands(failed), words::recipients(ended)))
}
