//! Clock: turns the times that lines give into instants.
//!
//! It holds what a file's lines do not say themselves: the server's time zone and, for RFC 3164
//! stamps, the year. It keeps no state from line to line, so that a file can be cut anywhere.

use crate::ledger::Time;
use chrono::{DateTime, Datelike, Local, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use relayaudit_parsers::record::When;

/// The time zone of stamps that name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// That of the machine this program runs on.
    Machine,
    /// A named one.
    Named(Tz),
}

/// How to read the times of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The zone of stamps that name none.
    pub zone: Zone,
    /// The first stamp without year in the file, with the year it is taken to have.
    anchor: Option<(NaiveDateTime, i32)>,
    /// Whether the first stamp in the file is the latest.
    backwards: bool,
    /// No stamp can be later: a day after the file was written. `None` if the first one is, by the year it was given.
    latest: Option<Time>,
}

/// How far a stamp may lie before the file's first one and still be of the same year: logs are
/// written in order but for short delays; anything earlier belongs to the next year.
const DISORDER_DAYS: i64 = 3;

impl Clock {
    /// A clock for a file whose first stamp is `first`. For stamps without year it takes the given
    /// year or, failing that, the latest year in which the stamp is not after `modified`, the time at
    /// which the file was last written.
    pub fn new(zone: Zone, first: Option<When>, year: Option<i32>, modified: DateTime<Utc>) -> Clock {
        let anchor = match first {
            Some(When::Yearless(stamp)) => Some((stamp, year.unwrap_or_else(|| latest_year(zone, stamp, modified)))),
            _ => None,
        };
        let first = anchor.and_then(|(stamp, year)| in_zone(zone, with_year(stamp, year)?));
        let latest = Some(latest(modified)).filter(|latest| first.is_none_or(|first| first <= *latest));
        Clock { zone, anchor, backwards: false, latest }
    }

    /// The same for a file that was written to later, at `written`.
    pub fn written(self, written: DateTime<Utc>) -> Clock {
        Clock { latest: self.latest.max(self.latest.map(|_| latest(written))), ..self }
    }

    /// The same for a file whose latest line comes first.
    pub fn backwards(self) -> Clock {
        Clock { backwards: true, ..self }
    }

    /// The year that was taken for the first stamp, if stamps have none.
    pub fn year(&self) -> Option<i32> {
        self.anchor.map(|(_, year)| year)
    }

    /// The instant of a stamp; `None` if the line had none or the date does not exist.
    ///
    /// Where a zone's clock is put back, the earlier of the two instants is taken; a time that the
    /// clock skipped is read as if it had not been put forward yet.
    pub fn resolve(&self, when: When) -> Option<Time> {
        match when {
            When::Utc(micros) => Some(Time(micros)),
            When::Local(stamp) => in_zone(self.zone, stamp),
            When::Yearless(stamp) => {
                let (first, year) = self.anchor?;
                let days = stamp.signed_duration_since(first).num_days();
                let days = if self.backwards { -days } else { days };
                let onwards = if self.backwards { -1 } else { 1 };
                // What seems to be before the first stamp comes after the turn of the year.
                let beyond = days < -DISORDER_DAYS;
                // A December stamp right before a first stamp in January is of the year before.
                let short = (365 - DISORDER_DAYS) < days;
                let in_year = |year| in_zone(self.zone, with_year(stamp, year)?);
                let time = in_year(year + onwards * (i32::from(beyond) - i32::from(short)));
                // An older log was put behind a newer one: nothing was written after the file was.
                let is_late = beyond && self.latest.is_some_and(|latest| time.is_some_and(|time| latest < time));
                if is_late { in_year(year) } else { time }
            }
            When::Unknown => None,
        }
    }
}

fn latest_year(zone: Zone, stamp: NaiveDateTime, modified: DateTime<Utc>) -> i32 {
    let this = modified.year();
    let limit = latest(modified);
    let fits =
        |year: &i32| with_year(stamp, *year).and_then(|stamp| in_zone(zone, stamp)).is_some_and(|time| time <= limit);
    // February 29 exists in one year of four, or of eight around a century.
    (this - 8..=this + 1).rev().find(fits).unwrap_or(this)
}

/// The latest time that may stand in a file. A day of grace: it may have been copied in another zone.
fn latest(modified: DateTime<Utc>) -> Time {
    Time(modified.timestamp_micros().saturating_add(86_400_000_000))
}

fn with_year(stamp: NaiveDateTime, year: i32) -> Option<NaiveDateTime> {
    stamp.with_year(year)
}

fn in_zone(zone: Zone, stamp: NaiveDateTime) -> Option<Time> {
    let micros = match zone {
        Zone::Machine => earliest(&Local, stamp),
        Zone::Named(tz) => earliest(&tz, stamp),
    };
    micros.map(Time)
}

fn earliest<Z: TimeZone>(zone: &Z, stamp: NaiveDateTime) -> Option<i64> {
    if let Some(time) = zone.from_local_datetime(&stamp).earliest() {
        return Some(time.timestamp_micros());
    }
    let before = stamp - chrono::TimeDelta::hours(3);
    let offset = zone.from_local_datetime(&before).earliest()?;
    Some(offset.timestamp_micros() + 3 * 3_600_000_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stamp(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(&format!("2000-{text}"), "%Y-%m-%d %H:%M:%S").unwrap()
    }

    #[test]
    fn years_around_new_year() {
        let modified = "2027-01-02T00:00:00Z".parse().unwrap();
        let utc = Zone::Named(Tz::UTC);
        let clock = Clock::new(utc, Some(When::Yearless(stamp("12-30 10:00:00"))), None, modified);
        let check = |text: &str, want: &str| {
            assert_eq!(clock.resolve(When::Yearless(stamp(text))).unwrap().rfc3339(), want, "{text}");
        };
        assert_eq!(clock.year(), Some(2026));
        check("12-30 10:00:00", "2026-12-30T10:00:00Z");
        check("12-30 09:59:59", "2026-12-30T09:59:59Z");
        check("01-01 00:00:00", "2027-01-01T00:00:00Z");
        let january = Clock::new(utc, Some(When::Yearless(stamp("01-01 00:00:01"))), None, modified);
        assert_eq!(january.resolve(When::Yearless(stamp("12-31 23:59:59"))).unwrap().rfc3339(), "2026-12-31T23:59:59Z");
    }

    #[test]
    fn a_log_that_is_followed_past_new_year() {
        let opened = "2026-11-24T00:00:00Z".parse().unwrap();
        let clock = Clock::new(Zone::Named(Tz::UTC), Some(When::Yearless(stamp("11-20 10:00:00"))), None, opened);
        let january = When::Yearless(stamp("01-01 00:00:01"));
        // It was not written to since: an older log was put behind a newer one.
        assert_eq!(clock.resolve(january).unwrap().rfc3339(), "2026-01-01T00:00:01Z");
        let clock = clock.written("2027-01-01T00:00:02Z".parse().unwrap());
        assert_eq!(clock.resolve(january).unwrap().rfc3339(), "2027-01-01T00:00:01Z");
        assert_eq!(clock.written(opened), clock);
    }

    #[test]
    fn an_older_log_behind_a_newer_one() {
        let modified = "2026-11-24T00:00:00Z".parse().unwrap();
        let first = Some(When::Yearless(stamp("11-20 10:00:00")));
        let resolve = |year, text: &str| {
            let clock = Clock::new(Zone::Named(Tz::UTC), first, year, modified);
            clock.resolve(When::Yearless(stamp(text))).unwrap().rfc3339()
        };
        assert_eq!(resolve(None, "11-13 10:00:00"), "2026-11-13T10:00:00Z");
        assert_eq!(resolve(None, "11-23 10:00:00"), "2026-11-23T10:00:00Z");
        assert_eq!(resolve(Some(2025), "01-01 10:00:00"), "2026-01-01T10:00:00Z");
        // A year that was stated counts more than the date of the file.
        assert_eq!(resolve(Some(2027), "01-01 10:00:00"), "2028-01-01T10:00:00Z");
    }

    #[test]
    fn years_of_a_log_that_runs_backwards() {
        let modified = "2027-01-02T00:00:00Z".parse().unwrap();
        let first = Some(When::Yearless(stamp("01-01 10:00:00")));
        let clock = Clock::new(Zone::Named(Tz::UTC), first, None, modified).backwards();
        let check = |text: &str, want: &str| {
            assert_eq!(clock.resolve(When::Yearless(stamp(text))).unwrap().rfc3339(), want, "{text}");
        };
        check("01-01 10:00:00", "2027-01-01T10:00:00Z");
        check("01-01 10:00:01", "2027-01-01T10:00:01Z");
        check("12-31 23:00:00", "2026-12-31T23:00:00Z");
        check("03-01 23:00:00", "2026-03-01T23:00:00Z");
    }

    #[test]
    fn leap_days_pin_the_year() {
        let modified = "2027-06-01T00:00:00Z".parse().unwrap();
        let clock = Clock::new(Zone::Named(Tz::UTC), Some(When::Yearless(stamp("02-29 01:00:00"))), None, modified);
        assert_eq!(clock.year(), Some(2024));
    }

    #[test]
    fn summer_time_leaves_no_hole() {
        let clock = Clock::new(Zone::Named(Tz::Europe__Berlin), None, None, Utc::now());
        let local = |text: &str| When::Local(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap());
        let check = |text: &str, want: &str| assert_eq!(clock.resolve(local(text)).unwrap().rfc3339(), want);
        check("2027-03-28 01:59:59", "2027-03-28T00:59:59Z");
        check("2027-03-28 02:30:00", "2027-03-28T01:30:00Z");
        check("2027-03-28 03:00:00", "2027-03-28T01:00:00Z");
        check("2027-10-31 02:30:00", "2027-10-31T00:30:00Z");
    }
}
