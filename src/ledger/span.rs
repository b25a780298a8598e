//! Places in the logs and spans of time.

use super::{hash, words};
use crate::merge::Merge;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::sync::Arc;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Time(pub i64);

impl Time {
    /// The fixed hour bucket that holds it: whole hours since 1970.
    pub fn hour(self) -> i32 {
        i32::try_from(self.0.div_euclid(3_600_000_000)).unwrap_or(if self.0 < 0 { i32::MIN } else { i32::MAX })
    }

    /// RFC 3339 in UTC, to the second: `2027-01-18T06:42:18Z`.
    pub fn rfc3339(self) -> String {
        DateTime::<Utc>::from_timestamp_micros(self.0)
            .map_or_else(|| format!("{}us", self.0), |time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

/// The earliest and the latest time seen; empty until one is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The earliest.
    pub first: Option<Time>,
    /// The latest.
    pub last: Option<Time>,
}

impl Span {
    /// Widens the span to hold `time`; an unknown time changes nothing.
    pub fn see(&mut self, time: Option<Time>) {
        self.merge(Span { first: time, last: time });
    }
}

impl Merge for Span {
    fn merge(&mut self, other: Span) {
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
    }
}

/// A log file within a ledger. Its order is that of the files' first records, so that places of
/// rotated logs sort by time; the rest of the number is a fingerprint of the path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u64);

impl FileId {
    /// Bits that hold the fingerprint of the path.
    const PATH_BITS: u32 = 24;

    /// The number of a file by the time of its first record and its path. Seconds in the upper 40 bits put files in
    /// order; the rest keeps files of one second apart. Files of one second and path come to the same number, which
    /// whoever puts files together has to change.
    pub fn of(first: Option<Time>, path: &str) -> FileId {
        let seconds = first.map_or(0, |time| time.0.div_euclid(1_000_000).max(0).unsigned_abs());
        FileId(seconds.min((1 << 40) - 1) << FileId::PATH_BITS).renamed(path)
    }

    /// The number of the same file under this path.
    pub fn renamed(self, path: &str) -> FileId {
        // The same after it was rotated and packed: what is decided by the order of files stays so.
        let fingerprint = hash::stable(unrotated(path).as_bytes()) & ((1 << FileId::PATH_BITS) - 1);
        FileId(self.0 >> FileId::PATH_BITS << FileId::PATH_BITS | fingerprint)
    }
}

/// The path that a log had before it was rotated and packed, as far as names tell: `mail.log` for `mail.log.2.gz` and
/// `mail.log-20261124.xz` (logrotate's forms, logrotate(8): a number, or `dateext` with its default `-%Y%m%d`).
pub fn unrotated(path: &str) -> &str {
    const PACKED: [&str; 5] = [".gz", ".bz2", ".xz", ".zst", ".lzma"];
    let plain = PACKED.iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    match plain.len() - stem.len() {
        // ex261124.log is no rotated name: the digits are not at its end.
        1..=3 if stem.ends_with('.') => &stem[..stem.len() - 1],
        8 if stem.ends_with(['-', '.']) => &stem[..stem.len() - 1],
        _ => plain,
    }
}

/// A line of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "(u64, u64)", try_from = "(u64, u64)")]
pub struct Place {
    /// The file; its path is in the ledger's inputs.
    pub file: FileId,
    /// The line, from 1; in a file whose newest line comes first, counted back from `Place::BACKWARDS`, so
    /// that the order of places is that of time.
    pub line: u64,
}

impl Place {
    /// Above the number of any line of a file that runs forwards.
    const BACKWARDS: u64 = u64::MAX / 2;

    /// The place of a line, given by its number from 1 in its file.
    pub fn of(file: FileId, number: u64, backwards: bool) -> Place {
        Place { file, line: if backwards { Place::BACKWARDS.saturating_sub(number) } else { number } }
    }

    /// The number of the line in its file, from 1.
    pub fn number(self) -> u64 {
        // No file has half as many lines.
        if self.line < Place::BACKWARDS / 2 { self.line } else { Place::BACKWARDS - self.line }
    }
}

impl From<Place> for (u64, u64) {
    fn from(place: Place) -> (u64, u64) {
        (place.file.0, place.line)
    }
}

impl TryFrom<(u64, u64)> for Place {
    type Error = &'static str;

    fn try_from((file, line): (u64, u64)) -> Result<Place, &'static str> {
        match line <= Place::BACKWARDS {
            true => Ok(Place { file: FileId(file), line }),
            false => Err("a line number that no file has"),
        }
    }
}

/// A line that proves something. Ordered by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it stands.
    pub place: Place,
    /// The line itself, as UTF-8 with replacement characters, cut after [`Evidence::LONGEST`] bytes.
    #[serde(with = "words::shared")]
    pub text: Arc<str>,
}

impl Evidence {
    /// How much of a line is kept. Real lines with two long addresses are half as long.
    pub const LONGEST: usize = 1024;

    /// The evidence of a raw line.
    pub fn of(place: Place, line: &[u8]) -> Evidence {
        let kept = &line[..line.len().min(Evidence::LONGEST)];
        let text = match std::str::from_utf8(kept) {
            Ok(text) => text.into(),
            Err(_) => String::from_utf8_lossy(kept).into(),
        };
        Evidence { place, text }
    }
}

impl Borrow<Place> for Evidence {
    fn borrow(&self) -> &Place {
        &self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_keeps_the_number_of_a_log() {
        let check = |path: &str, want: &str| assert_eq!(unrotated(path), want, "{path}");
        check("mail.log", "mail.log");
        check("/var/log/mail.log.1", "/var/log/mail.log");
        check("mail.log.12.gz", "mail.log");
        check("maillog-20261124", "maillog");
        check("maillog-20261124.xz", "maillog");
        check("mail.log.20261124", "mail.log");
        check("mainlog.gz", "mainlog");
        check("ex261124.log", "ex261124.log");
        check("log2026", "log2026");
        check("12345678", "12345678");
        check(".1", "");
        assert_eq!(FileId::of(Some(Time(5_000_000)), "a.log.1"), FileId::of(Some(Time(5_000_000)), "a.log"));
    }
}
