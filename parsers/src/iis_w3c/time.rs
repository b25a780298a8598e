//! Dates and times of W3C logs: two columns, either of which may be missing.

use super::fields::Row;
use crate::record::{Unparsed, When};
use crate::registry::Context;
use chrono::{NaiveDate, NaiveTime};

/// When a record was written. W3C logs are in UTC, whatever zone rotates the files (WD-logfile-960323).
///
/// Without a date column, the date of the latest `#Date:` line holds; without a time column, that date begins
/// all its records. With no date at all it is [`When::Unknown`].
pub fn when(row: &Row<'_>, context: &Context) -> Result<When, Unparsed> {
    let wanted = |at, expected| Unparsed { at, expected };
    let day = match row.date {
        b"" => context.date,
        text => Some(date(text).ok_or(wanted(row.at.date, "a date: `2006-10-09`"))?),
    };
    let clock = match row.time {
        b"" => NaiveTime::MIN,
        text => time(text).ok_or(wanted(row.at.time, "a time of day: `05:00:15`"))?,
    };
    Ok(day.map_or(When::Unknown, |day| When::Utc(day.and_time(clock).and_utc().timestamp_micros())))
}

/// Parses `2006-10-09`; `None` if it is anything else or no such day exists.
pub fn date(text: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = pair(*y1, *y2)? * 100 + pair(*y3, *y4)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, pair(*m1, *m2)?, pair(*d1, *d2)?)
}

/// Parses `05:00:15`; a leap second is given as second 59.
fn time(text: &[u8]) -> Option<NaiveTime> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else {
        return None;
    };
    let second = match pair(*s1, *s2)? {
        60 => 59,
        other => other,
    };
    NaiveTime::from_hms_opt(pair(*h1, *h2)?, pair(*m1, *m2)?, second)
}

/// Whether a word is a whole date or time of day.
pub fn is_date_or_time(word: &[u8]) -> bool {
    date(word).is_some() || time(word).is_some()
}

fn pair(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}
