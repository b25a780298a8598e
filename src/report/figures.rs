//! Figures and times as people read them.

use crate::judge::words;
use crate::ledger::Time;

/// A time to the minute, with its zone: `2027-01-18 06:55 UTC`; `unknown` without one.
pub fn time(time: Option<Time>) -> String {
    time.map_or_else(|| "unknown".to_owned(), |time| format!("{} UTC", words::minute(time)))
}

/// A time to the minute for a column whose head names the zone; `-` without one.
pub fn minute(time: Option<Time>) -> String {
    time.map_or_else(|| "-".to_owned(), words::minute)
}

/// A size in decimal units: `812 B`, `8.4 MB`, `1,204 TB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut unit = 1_000u64;
    let mut names = ["kB", "MB", "GB", "TB"].into_iter();
    let mut name = names.next().unwrap_or("kB");
    // Rounded up to 1000 it would belong to the next unit.
    while unit.saturating_mul(1_000) - unit / 20 <= bytes {
        let Some(larger) = names.next() else { break };
        name = larger;
        unit *= 1_000;
    }
    let tenths = bytes.saturating_add(unit / 20) / (unit / 10);
    match tenths < 1_000 {
        true => format!("{}.{} {name}", tenths / 10, tenths % 10),
        false => format!("{} {name}", words::thousands(tenths / 10)),
    }
}

/// The size of messages; `-` where there are some and the log gives the size of none.
pub fn size_of(messages: u64, bytes: u64) -> String {
    if 0 < messages && bytes == 0 { "-".to_owned() } else { size(bytes) }
}

/// How long from one time to another: `33 hours`; `None` where one is unknown.
pub fn between(first: Option<Time>, last: Option<Time>) -> Option<String> {
    let minutes = u64::try_from(last?.0.saturating_sub(first?.0) / 60_000_000).ok()?;
    Some(match minutes {
        0 => "less than a minute".to_owned(),
        1..120 => words::count(minutes, "minute", "minutes"),
        120..4_320 => words::count(minutes / 60, "hour", "hours"),
        _ => words::count(minutes / 1_440, "day", "days"),
    })
}

/// A confidence from 0 to 1 as per cent.
pub fn percent(confidence: f64) -> String {
    format!("{:.0} %", confidence * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (8_412_345, "8.4 MB"),
            (99_960, "100 kB"),
            (999_940, "999 kB"),
            (999_960, "1.0 MB"),
            (123_456_789, "123 MB"),
            (1_204_000_000_000_000, "1,204 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert!(size(u64::MAX).ends_with(" TB"));
    }

    #[test]
    fn spans() {
        let at = |minutes: i64| Some(Time(minutes * 60_000_000));
        for (minutes, text) in [(0, "less than a minute"), (1, "1 minute"), (150, "2 hours"), (4_320, "3 days")] {
            assert_eq!(between(at(0), at(minutes)).as_deref(), Some(text));
        }
        assert_eq!(between(None, at(0)), None);
        assert_eq!(time(at(0)), "1970-01-01 00:00 UTC");
        assert_eq!(percent(0.75), "75 %");
    }
}
