//! The dates and times of tracking logs: two columns, no leading zeros, GMT.

use super::row::Row;
use crate::record::{Unparsed, When};
use crate::text::{Expected, Parsed, number};
use chrono::{NaiveDate, NaiveTime};
use nom::Parser;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::char;
use nom::combinator::{eof, map_opt};
use nom::sequence::{preceded, terminated};

/// When a row was written: `2003-8-12` and `0:58:14 GMT`, without leading zeros (KB 246965).
pub fn when(row: &Row<'_>) -> Result<When, Unparsed> {
    let wanted = |at, expected| move |_| Unparsed { at, expected };
    let (_, day) = date(row.date).map_err(wanted(row.at.date, "a date: `2003-8-12`"))?;
    let (_, clock) = time(row.time).map_err(wanted(row.at.time, "a time of day: `0:58:14 GMT`"))?;
    Ok(When::Utc(day.and_time(clock).and_utc().timestamp_micros()))
}

/// Whether two columns are a date and a time of day of this format.
pub fn is_stamp(day: &[u8], clock: &[u8]) -> bool {
    date(day).is_ok() && time(clock).is_ok()
}

/// Parses a whole column `2003-8-12`.
fn date(input: &[u8]) -> Parsed<'_, NaiveDate> {
    let parts = (digits(4), preceded(char('-'), digits(2)), preceded(char('-'), digits(2)));
    let date = map_opt(parts, |(year, month, day)| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day));
    terminated(date, eof).parse(input)
}

/// Parses a whole column `0:58:14 GMT`; a leap second is given as second 59.
fn time(input: &[u8]) -> Parsed<'_, NaiveTime> {
    let parts = (digits(2), preceded(char(':'), digits(2)), preceded(char(':'), digits(2)));
    let time = map_opt(parts, |(hour, minute, second)| {
        NaiveTime::from_hms_opt(hour, minute, if second == 60 { 59 } else { second })
    });
    terminated(time, (tag(" GMT"), eof)).parse(input)
}

/// Parses a number of one to `most` digits.
fn digits<'a>(most: usize) -> impl Parser<&'a [u8], Output = u32, Error = Expected<'a>> {
    map_opt(take_while_m_n(1, most, |byte: u8| byte.is_ascii_digit()), |digits| {
        number(digits).and_then(|number| u32::try_from(number).ok())
    })
}
