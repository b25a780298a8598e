//! The times that syslog daemons write: RFC 3164, and RFC 3339 with the liberties that loggers take.
//!
//! Every line starts with one, so the fixed-width parts are read by position and arithmetic.

use super::month;
use crate::record::When;
use crate::text::{Expected, Parsed, expect, number};
use chrono::{NaiveDate, NaiveDateTime};
use nom::Parser;
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::{char, space1};
use nom::combinator::map_opt;
use nom::sequence::preceded;

const MICROS_PER_MINUTE: i64 = 60_000_000;
/// Length of `2027-01-18T06:42:18`.
const DATE_TIME: usize = 19;
/// Length of `06:42:18`.
const TIME: usize = 8;
/// A year in which every date exists; RFC 3164 gives none.
const NO_YEAR: i32 = 2000;

/// Parses the time at the start of a line: RFC 3339 or seconds since 1970 if it begins with a digit, RFC 3164, or what
/// `journalctl` shows with the day of the week.
pub fn timestamp(input: &[u8]) -> Parsed<'_, When> {
    match input {
        [b'0'..=b'9', _, _, _, b'0'..=b'9', ..] => seconds(input),
        [b'0'..=b'9', ..] => iso(input),
        [_, _, _, b' ', b'0'..=b'9', ..] => with_weekday(input),
        _ => rfc3164(input),
    }
}

/// Parses seconds since 1970, with up to six digits behind a point: `1789228152.650438` (`journalctl -o short-unix`).
fn seconds(input: &[u8]) -> Parsed<'_, When> {
    let wanted = || wanted(input, "a date and time: `2027-01-18T06:42:18`");
    let length = input.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = input.split_at(length);
    let seconds = number(digits).filter(|_| (9..=11).contains(&length)).ok_or_else(wanted)?;
    let (rest, micros) = fraction(rest)?;
    let seconds = i64::try_from(seconds).map_err(|_| wanted())?;
    Ok((rest, When::Utc(seconds * 1_000_000 + i64::from(micros))))
}

/// Parses `Mon 2027-01-18 06:42:18 CET` (`journalctl -o short-full` and `with-unit`). Of zones only UTC is understood:
/// other abbreviations have several meanings, so the time is [`When::Local`].
fn with_weekday(input: &[u8]) -> Parsed<'_, When> {
    let is_day = |name: &[u8; 3]| [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].contains(&name);
    let Some((_, rest)) = input.split_first_chunk::<3>().filter(|(name, _)| is_day(name)) else {
        return rfc3164(input);
    };
    let (rest, _) = space1(rest)?;
    let (rest, when) = iso(rest)?;
    let When::Local(stamp) = when else { return Ok((rest, when)) };
    let zone = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-');
    let named: Parsed<'_, &[u8]> = preceded(char(' '), take_while_m_n(1, 6, zone)).parse(rest);
    match named {
        Ok((rest, b"UTC")) => Ok((rest, When::Utc(stamp.and_utc().timestamp_micros()))),
        Ok((rest @ [b' ', ..], _)) => Ok((rest, when)),
        // What follows is the host.
        _ => Ok((rest, when)),
    }
}

/// Parses `2027-01-18T06:42:18.435175+00:00` (RFC 3339 section 5.6; rsyslog, journalctl, RFC 5424).
///
/// The `T` may be a space, the fraction absent or of any length (what is below a microsecond
/// is dropped), the offset written without its colon or without minutes. With no offset at all the time is
/// [`When::Local`]. Sophos UTM writes `2020:07:18-16:56:31` (observed, corpus `exim`). Fails at the start if the date
/// or the time of day does not exist.
pub fn iso(input: &[u8]) -> Parsed<'_, When> {
    let wanted = || wanted(input, "a date and time: `2027-01-18T06:42:18`");
    let (head, rest) = input.split_first_chunk::<DATE_TIME>().ok_or_else(wanted)?;
    let (rest, micros) = fraction(rest)?;
    let time = date_time(head, micros).ok_or_else(wanted)?;
    let (rest, offset) = offset_minutes(rest)?;
    let when = match offset {
        None => When::Local(time),
        Some(minutes) => When::Utc(time.and_utc().timestamp_micros() - minutes * MICROS_PER_MINUTE),
    };
    Ok((rest, when))
}

/// Parses `Feb  1 10:00:00` (RFC 3164 section 4.1.2).
///
/// The day may also be padded with a zero (postlogd, systemd) or not at all (logs copied from web pages), and a
/// fraction may follow (`journalctl -o short-precise`). The result has the year 2000.
fn rfc3164(input: &[u8]) -> Parsed<'_, When> {
    let wanted = || wanted(input, "a date and time: `Feb  1 10:00:00`");
    let (rest, month) = month::month(input).ok_or_else(wanted)?;
    let (rest, _) = space1(rest)?;
    let digits = take_while_m_n(1, 2, |b: u8| b.is_ascii_digit());
    let (rest, day) = expect("a day of the month", map_opt(digits, decimal)).parse(rest)?;
    let (rest, _) = space1(rest)?;
    let (time, rest) = rest.split_first_chunk::<TIME>().ok_or_else(wanted)?;
    let (hour, minute, second) = time_of_day(time).ok_or_else(wanted)?;
    let (rest, micros) = fraction(rest)?;
    let date = NaiveDate::from_ymd_opt(NO_YEAR, month, day).ok_or_else(wanted)?;
    let when = date.and_hms_micro_opt(hour, minute, second, micros).ok_or_else(wanted)?;
    Ok((rest, When::Yearless(when)))
}

fn wanted<'a>(rest: &'a [u8], what: &'static str) -> nom::Err<Expected<'a>> {
    nom::Err::Error(Expected { rest, what })
}

fn date_time(head: &[u8; DATE_TIME], micros: u32) -> Option<NaiveDateTime> {
    let (y1, y2, y3, y4, m1, m2, d1, d2, time) = match head {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b't' | b' ', time @ ..] => {
            (y1, y2, y3, y4, m1, m2, d1, d2, time)
        }
        [y1, y2, y3, y4, b':', m1, m2, b':', d1, d2, b'-', time @ ..] => (y1, y2, y3, y4, m1, m2, d1, d2, time),
        _ => return None,
    };
    let (hour, minute, second) = time_of_day(time)?;
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    NaiveDate::from_ymd_opt(year as i32, two(*m1, *m2)?, two(*d1, *d2)?)?
        .and_hms_micro_opt(hour, minute, second, micros)
}

/// Hour, minute and second of `06:42:18`; a leap second is given as second 59.
fn time_of_day(time: &[u8; TIME]) -> Option<(u32, u32, u32)> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = time else {
        return None;
    };
    let second = match two(*s1, *s2)? {
        60 => 59,
        other => other,
    };
    Some((two(*h1, *h2)?, two(*m1, *m2)?, second))
}

/// Microseconds of `.435175`; 0 if there is no fraction.
fn fraction(input: &[u8]) -> Parsed<'_, u32> {
    let [b'.' | b',', digits @ ..] = input else {
        return Ok((input, 0));
    };
    // Six digits are what every logger writes.
    if let [a, b, c, d, e, f, rest @ ..] = digits
        && let (Some(a), Some(b), Some(c)) = (two(*a, *b), two(*c, *d), two(*e, *f))
        && !rest.first().is_some_and(u8::is_ascii_digit)
    {
        return Ok((rest, a * 10_000 + b * 100 + c));
    }
    let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(length);
    let micros = (0..6).fold(0, |sum, at| sum * 10 + digits.get(at).map_or(0, |b| u32::from(b - b'0')));
    Ok((rest, micros))
}

/// Minutes east of Greenwich: `Z`, `+01:00`, `-0500`, `+01`; `None` if there is no zone.
fn offset_minutes(input: &[u8]) -> Parsed<'_, Option<i64>> {
    let (sign, digits) = match input {
        [b'Z' | b'z', rest @ ..] => return Ok((rest, Some(0))),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Ok((input, None)),
    };
    let (hours, minutes, rest) = match digits {
        [h1, h2, b':', m1, m2, rest @ ..] => (two(*h1, *h2), two(*m1, *m2), rest),
        [h1, h2, m1 @ b'0'..=b'9', m2, rest @ ..] => (two(*h1, *h2), two(*m1, *m2), rest),
        [h1, h2, rest @ ..] => (two(*h1, *h2), Some(0), rest),
        _ => return Err(wanted(input, "an offset from UTC: `+01:00`")),
    };
    match (hours, minutes) {
        (Some(hours), Some(minutes)) => Ok((rest, Some(sign * i64::from(hours * 60 + minutes)))),
        _ => Err(wanted(input, "an offset from UTC: `+01:00`")),
    }
}

/// The value of two decimal digits.
fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// The value of a few decimal digits; too few to overflow.
fn decimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, byte| match byte {
        b'0'..=b'9' => Some(sum * 10 + u32::from(byte - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str, want: Result<(When, &str), usize>) {
        let got = timestamp(text.as_bytes()).map(|(rest, when)| (when, std::str::from_utf8(rest).unwrap()));
        let got = got.map_err(|error| crate::text::unparsed(text.as_bytes(), &error).at);
        assert_eq!(got, want, "{text}");
    }

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn utc(text: &str) -> When {
        When::Utc(at(text).and_utc().timestamp_micros())
    }

    #[test]
    fn days_padded_with_spaces_zeros_or_nothing() {
        check("Feb  1 10:00:00 h", Ok((When::Yearless(at("2000-02-01T10:00:00")), " h")));
        check("Feb 01 10:00:00 h", Ok((When::Yearless(at("2000-02-01T10:00:00")), " h")));
        check("Feb 1 10:00:00 h", Ok((When::Yearless(at("2000-02-01T10:00:00")), " h")));
        check("Feb 29 23:59:60 h", Ok((When::Yearless(at("2000-02-29T23:59:59")), " h")));
        check("Feb 30 10:00:00 h", Err(0));
        check("f\u{e9}vr. 01 10:00:00 h", Ok((When::Yearless(at("2000-02-01T10:00:00")), " h")));
        check("M\u{e4}r 01 10:00:00 h", Ok((When::Yearless(at("2000-03-01T10:00:00")), " h")));
        check("Foo  1 10:00:00 h", Err(0));
        check("Feb x 10:00:00", Err(4));
        check("Feb  1 10:00", Err(0));
        check("", Err(0));
    }

    #[test]
    fn dates_with_a_year() {
        check("2027-01-18T06:42:18.435175+00:00 h", Ok((utc("2027-01-18T06:42:18.435175"), " h")));
        check("2027-01-18T06:42:18+01:00 h", Ok((utc("2027-01-18T05:42:18"), " h")));
        check("2027-01-18T06:42:18.5-0530 h", Ok((utc("2027-01-18T12:12:18.5"), " h")));
        check("2027-01-18T06:42:18.123456789Z h", Ok((utc("2027-01-18T06:42:18.123456"), " h")));
        check("2027-01-18T06:42:18+09 h", Ok((utc("2027-01-17T21:42:18"), " h")));
        check("2027-01-18 06:42:18 h", Ok((When::Local(at("2027-01-18T06:42:18")), " h")));
        check("2027-01-18T06:42:18.25 h", Ok((When::Local(at("2027-01-18T06:42:18.25")), " h")));
        check("2027-13-18T06:42:18Z h", Err(0));
        check("2027-01-18T24:42:18Z h", Err(0));
        check("2027-01-18T06:42:18+1 h", Err(19));
        check("2027-01-18", Err(0));
        check("2027:01:18-06:42:18 h", Ok((When::Local(at("2027-01-18T06:42:18")), " h")));
    }

    #[test]
    fn what_journalctl_shows() {
        check("Mon 2027-01-18 06:42:18 CET h", Ok((When::Local(at("2027-01-18T06:42:18")), " h")));
        check("Mon 2027-01-18 06:42:18.25 UTC h", Ok((utc("2027-01-18T06:42:18.25"), " h")));
        check("Mon 2027-01-18 06:42:18 +03 h", Ok((When::Local(at("2027-01-18T06:42:18")), " h")));
        check("Mon 2027-01-18 06:42:18 mx1 h", Ok((When::Local(at("2027-01-18T06:42:18")), " mx1 h")));
        check("Feb 01 10:00:00.123456 h", Ok((When::Yearless(at("2000-02-01T10:00:00.123456")), " h")));
        check("1800000000.5 h", Ok((When::Utc(1_800_000_000_500_000), " h")));
        check("18000 h", Err(0));
        check("Mor 2027-01-18 06:42:18 CET h", Err(0));
    }
}
