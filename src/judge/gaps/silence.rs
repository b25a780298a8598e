//! Hours in which a busy server wrote nothing.

use super::{Gap, GapKind};
use crate::judge::words::{minute, server};
use crate::ledger::{Ledger, Span, Text, Time};
use std::collections::BTreeSet;

/// Hours without a record from which a hole is worth a line: shorter ones are quiet nights.
const HOLE_HOURS: usize = 3;

/// What to do for the hours that are missing.
const ADVICE: &str = "Give the older files; if rotation has removed those hours, keep more of them (`rotate` in the configuration \
                      of logrotate).";

/// The holes in the logs of all servers.
pub fn find(ledger: &Ledger) -> Vec<Gap> {
    let servers = ledger.servers.iter();
    servers.flat_map(|(server, facts)| holes(&facts.hours).into_iter().map(|hole| gap(server, hole))).collect()
}

fn gap(name: &Text, (from, to): (i32, i32)) -> Gap {
    let (from, to) = (start_of(from), start_of(to));
    let who = server(name);
    Gap {
        server: *name,
        kind: GapKind::Silence,
        span: Span { first: Some(from), last: Some(to) },
        lines_lost: 0,
        recipients: 0,
        what: format!("The logs of {who} hold nothing from {} to {} UTC.", minute(from), minute(to)),
        advice: ADVICE.to_owned(),
        evidence: Vec::new(),
    }
}

/// When an hour (of [`Time::hour`]) began.
fn start_of(hour: i32) -> Time {
    Time(i64::from(hour) * 3_600_000_000)
}

/// The holes in the hours in which a server wrote: first hour without a record, first hour with
/// one again.
///
/// A hole has three hours or more. It counts only with a server that wrote in at least half of all
/// hours, and only if three of its hours are usual ones, in which the server writes on at least half of the
/// days; so a small server that sleeps every night has none, and a log that covers less than two
/// days has no usual hours and shows every hole.
fn holes(hours: &BTreeSet<i32>) -> Vec<(i32, i32)> {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return Vec::new() };
    let span = i64::from(*last) - i64::from(*first) + 1;
    if (hours.len() as i64) * 2 < span {
        return Vec::new();
    }
    let usual = usual_hours(hours, span);
    let next = hours.iter().skip(1);
    let holes = hours.iter().zip(next).map(|(before, after)| (before + 1, *after));
    holes.filter(|(from, to)| HOLE_HOURS <= (*from..*to).filter(|hour| usual(*hour)).count()).collect()
}

/// Tells whether the server usually writes at that hour of the day.
fn usual_hours(hours: &BTreeSet<i32>, span: i64) -> impl Fn(i32) -> bool {
    let mut days = [0i64; 24];
    hours.iter().for_each(|hour| days[hour.rem_euclid(24) as usize] += 1);
    move |hour| span < 48 || span / 24 <= days[hour.rem_euclid(24) as usize] * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hours: impl Iterator<Item = i32>, expected: &[(i32, i32)]) {
        assert_eq!(holes(&hours.collect()), expected);
    }

    #[test]
    fn a_busy_server_that_falls_silent_has_a_hole() {
        check((0..100).filter(|hour| !(40..43).contains(hour)), &[(40, 43)]);
        check((0..20).filter(|hour| !(5..9).contains(hour)), &[(5, 9)]);
    }

    #[test]
    fn short_silence_quiet_nights_and_quiet_servers_have_none() {
        check((0..100).filter(|hour| !(40..42).contains(hour)), &[]);
        check((0..240).filter(|hour| 6 <= hour % 24), &[]);
        check((0..1000).step_by(7), &[]);
        check([i32::MIN, i32::MAX].into_iter(), &[]);
        check(std::iter::empty(), &[]);
    }

    #[test]
    fn a_day_without_log_shows_though_the_nights_are_quiet() {
        let hours = (0..240).filter(|hour| 6 <= hour % 24 && hour / 24 != 4);
        check(hours, &[(96, 126)]);
    }
}
