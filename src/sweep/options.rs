//! What a sweep reads, and how.

use super::days::Day;
use crate::clock::Zone;
use crate::fold::Filter;
use crate::ledger::Time;
use crate::source::{HEAD_BYTES, Reading};

/// How many days are kept unless the user says otherwise: a year, and what a report of it looks back to.
pub const RETENTION_DAYS: Day = 400;

/// What to read, and how.
pub struct Options {
    /// Files, folders and patterns.
    pub paths: Vec<String>,
    /// How files are to be read.
    pub reading: Reading,
    /// Whether the zone of this machine is taken for stamps that name none.
    pub machine_zone: bool,
    /// What to leave out.
    pub filter: Filter,
    /// Logs that are shorter are read anew each time: what they are may not be clear yet. Long enough to recognise any
    /// log, but for tests.
    pub short_bytes: usize,
    /// Days that are kept.
    pub retention_days: Day,
    /// The time, in microseconds since 1970.
    pub now: Time,
}

impl Options {
    /// Options for some paths, read as they are, by a clock that shows `now`.
    pub fn new(paths: Vec<String>, reading: Reading, now: Time) -> Options {
        let machine_zone = reading.zone == Zone::Machine;
        Options {
            paths,
            reading,
            machine_zone,
            filter: Filter::default(),
            short_bytes: HEAD_BYTES,
            retention_days: RETENTION_DAYS,
            now,
        }
    }
}
