//! Jumps: by how much a sender, a domain or a server went beyond its own record, hour by hour and day by day.
//!
//! A record is learnt from earlier days only, so that a run over a year and a daily run say the same of a day. Who was seen for too
//! short a time has no record of its own, and is held against the records of its peers.

use super::series::{Counts, Level, Series};

/// Days with lines of a server, and days since the first mail of a sender, from which its record means something: two weeks.
pub const LEARNING: usize = 14;
/// Days with mail from which a record means something.
pub const ACTIVE: usize = 5;
/// Peers with a record of their own from which newcomers can be held against them.
pub const PEERS: usize = 5;

/// A jump beyond a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jump {
    /// Which series.
    pub series: usize,
    /// The day.
    pub day: i32,
    /// The hour; `None` if it is the sum of the day that jumps.
    pub hour: Option<i32>,
    /// The number.
    pub value: u64,
    /// The record: the number of the busiest hour, or day, before.
    pub record: u64,
    /// How far beyond, in nats.
    pub size: f64,
}

/// What is counted, and when a number is worth a word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// Whether it is hours that are counted, not days.
    pub hourly: bool,
    /// The number below which nothing is reported.
    pub floor: u64,
    /// Added to both sides of a comparison: from 1 to 5 is no jump.
    pub offset: f64,
}

/// The measure of a level.
pub fn measure(level: Level, counts: Counts, hourly: bool) -> Measure {
    let (floor, offset) = match (level, counts, hourly) {
        (Level::Sender, Counts::Messages, true) => (30, 5.0),
        (Level::Sender, Counts::Messages, false) => (60, 10.0),
        (Level::Sender, Counts::Recipients, true) => (60, 10.0),
        (Level::Sender, Counts::Recipients, false) => (100, 20.0),
        (_, _, true) => (100, 30.0),
        (_, _, false) => (200, 60.0),
    };
    Measure { hourly, floor, offset }
}

impl Measure {
    fn jump(&self, series: usize, day: i32, hour: Option<i32>, (value, record): (u64, u64)) -> Jump {
        let size = ((value as f64 + self.offset) / (record as f64 + self.offset)).ln();
        Jump { series, day, hour, value, record, size }
    }
}

/// Whether a series is known well enough on a day, of which it had mail on `active` days before.
fn is_known(series: &Series<'_, '_>, day: i32, active: usize) -> bool {
    let first = series.days.first().map_or(day, |first| first.day);
    ACTIVE <= active && LEARNING <= usize::try_from(day - first).unwrap_or(0)
}

/// The jumps of a series beyond its own record.
pub fn own(number: usize, series: &Series<'_, '_>, measure: Measure) -> Vec<Jump> {
    match (series.level(), measure.hourly) {
        (Level::Sender, _) | (_, false) => by_day(number, series, measure),
        _ => by_hour_of_day(number, series, measure),
    }
}

/// The busiest hour of each day against that of all days before; or the sum of each day.
fn by_day(number: usize, series: &Series<'_, '_>, measure: Measure) -> Vec<Jump> {
    let mut record = 0;
    let mut jumps = Vec::new();
    for (active, day) in series.days.iter().enumerate() {
        let (hour, value) = if measure.hourly { day.peak() } else { (0, day.sum()) };
        if record < value && is_known(series, day.day, active) {
            jumps.push(measure.jump(number, day.day, measure.hourly.then_some(hour), (value, record)));
        }
        record = record.max(value);
    }
    jumps
}

/// Every hour against the same hour of the day, and its neighbours, on all days before: what many send together has a rhythm, and
/// a flood at night is smaller than a usual morning.
fn by_hour_of_day(number: usize, series: &Series<'_, '_>, measure: Measure) -> Vec<Jump> {
    let mut records = [0; 24];
    let mut jumps = Vec::new();
    let of_day = |hour: i32| usize::try_from(hour.rem_euclid(24)).unwrap_or(0);
    for (active, day) in series.days.iter().enumerate() {
        for (hour, value) in &day.hours {
            let around = [hour - 1, *hour, hour + 1];
            let record = around.into_iter().map(|hour| records[of_day(hour)]).max().unwrap_or(0);
            if record < *value && is_known(series, day.day, active) {
                jumps.push(measure.jump(number, day.day, Some(*hour), (*value, record)));
            }
        }
        for (hour, value) in &day.hours {
            let record = &mut records[of_day(*hour)];
            *record = (*record).max(*value);
        }
    }
    jumps
}

/// The busiest hours of senders without a record of their own, against the records of their peers, of which one in ten is higher than
/// the one that counts. With them, the jumps of those peers beyond it. `None` with too few peers.
pub fn newcomers(senders: &[(usize, &Series<'_, '_>)], measure: Measure) -> Option<(Vec<Jump>, Vec<f64>)> {
    let known = |series: &Series<'_, '_>| {
        series.days.last().is_some_and(|last| is_known(series, last.day, series.days.len().saturating_sub(1)))
    };
    let record = |series: &Series<'_, '_>| series.days.iter().map(|day| day.peak().1).max().unwrap_or(0);
    let mut peers: Vec<u64> =
        senders.iter().filter(|(_, series)| known(series)).map(|(_, series)| record(series)).collect();
    peers.sort_unstable();
    let usual = peers.get(peers.len() * 9 / 10).copied().filter(|_| PEERS <= peers.len())?;
    let beyond = peers.iter().filter(|peer| usual < **peer);
    let beyond = beyond.map(|peer| measure.jump(0, 0, None, (*peer, usual)).size).collect();
    let mut jumps = Vec::new();
    for (number, series) in senders {
        let mut record = usual;
        for (active, day) in series.days.iter().enumerate() {
            let (hour, value) = day.peak();
            if record < value && !is_known(series, day.day, active) {
                jumps.push(measure.jump(*number, day.day, Some(hour), (value, record)));
            }
            record = record.max(value);
        }
    }
    Some((jumps, beyond))
}
