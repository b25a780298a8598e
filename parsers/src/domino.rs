//! HCL (IBM Lotus) Domino: what the SMTP server writes to the console (console.log, or log.nsf exported).
//!
//! `[28325:00010-3735542592] 22-06-2014 09:56:12   smtp: TEXT`, the part in brackets not always there. The date is written as
//! the server's locale has it.

use crate::record::{Event, Line, Peer, Record, When};
use crate::registry::{Context, Format};
use crate::text::{Expected, address, number, unparsed};
use chrono::NaiveDate;
use memchr::memmem::rfind;

/// Domino.
pub const FORMAT: Format = Format {
    name: "domino",
    title: "HCL/IBM Domino console log (SMTP server)",
    versions: "checked against published lines of failed log-ins, with day-month-year and year-month-day dates",
    yields: "connections, failed log-ins with client and account",
    lacks: "mail: what Domino says of messages and relaying was not seen and is not read. Dates with dashes are read day first, \
            those with slashes month first, unless that is no date; no zone, no name of the server",
    source: "observed: corpus domino (fail2ban)",
    repeats: &[],
    recognises: |line| matches!(stamp(line), Some((_, text)) if text.starts_with(b"smtp: ") || text.starts_with(b"SMTP Server")),
    parse,
    direct: |_, _| (),
};

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let wanted = nom::Err::Error(Expected { rest: line, what: "a date and a time: `22-06-2014 09:56:12`" });
    match stamp(line) {
        Some((when, text)) => {
            Line::Record(Record { when, server: b"", session: None, message: None, event: event(text) })
        }
        None => Line::Unparsed(unparsed(line, &wanted)),
    }
}

/// Splits off `[PID:TASK-THREAD] DATE TIME[ AM]   `.
fn stamp(line: &[u8]) -> Option<(When, &[u8])> {
    let rest = match line.strip_prefix(b"[") {
        Some(inside) => inside.get(memchr::memchr(b']', inside)? + 1..)?.trim_ascii_start(),
        None => line,
    };
    let (date, rest) = rest.split_at_checked(memchr::memchr(b' ', rest)?)?;
    let rest = rest.trim_ascii_start();
    let (time, rest) = rest.split_at_checked(memchr::memchr(b' ', rest)?)?;
    let rest = rest.trim_ascii_start();
    let (half, rest) = match rest {
        [half @ (b'A' | b'P'), b'M', b' ', rest @ ..] => (Some(*half), rest.trim_ascii_start()),
        _ => (None, rest),
    };
    let [hour, minute, second] = three(time, b':')?;
    let hour = match half {
        Some(b'P') if hour < 12 => hour + 12,
        Some(b'A') if hour == 12 => 0,
        _ => hour,
    };
    Some((When::Local(day(date)?.and_hms_opt(hour, minute, second)?), rest))
}

/// Reads `22-06-2014`, `2014-06-22` or `06/22/2014`.
fn day(text: &[u8]) -> Option<NaiveDate> {
    const FIRST_YEAR: u32 = 1900;
    let slashes = text.contains(&b'/');
    let [a, b, c] = three(text, if slashes { b'/' } else { b'-' })?;
    let date = |year: u32, month, day| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    match (FIRST_YEAR <= a, slashes) {
        (true, _) => date(a, b, c),
        (false, true) => date(c, a, b).or_else(|| date(c, b, a)),
        (false, false) => date(c, b, a).or_else(|| date(c, a, b)),
    }
}

fn three(text: &[u8], separator: u8) -> Option<[u32; 3]> {
    let mut parts = text.split(|byte| *byte == separator).map(|part| u32::try_from(number(part)?).ok());
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// Reads what the SMTP server says. The account is the client's text: the address is read from behind it.
fn event(text: &[u8]) -> Event<'_> {
    const HOST: &[u8] = b" ; connecting host ";
    const END: &[u8] = b"] authentication failure using internet password";
    if let Some(rest) = text.strip_prefix(b"SMTP Server: Authentication failed for user ") {
        return auth_failed(rest, HOST).unwrap_or(Event::Other);
    }
    if let Some(rest) = text.strip_prefix(b"smtp: ") {
        return rest.strip_suffix(END).and_then(|rest| auth_failed(rest, b" [")).unwrap_or(Event::Other);
    }
    // `SMTP Server: HOST (192.0.2.9) connected`, or without the host.
    let connected = text.strip_prefix(b"SMTP Server: ").and_then(|rest| rest.strip_suffix(b" connected"));
    let host = connected.map(|host| match rfind(host, b" (") {
        Some(at) => host[at + 2..].strip_suffix(b")").unwrap_or_default(),
        None => host,
    });
    host.and_then(peer).map_or(Event::Other, |client| Event::Connect { client, once: false })
}

/// An account and, behind the last `mark`, the address of the client.
fn auth_failed<'a>(text: &'a [u8], mark: &[u8]) -> Option<Event<'a>> {
    let at = rfind(text, mark)?;
    let client = peer(&text[at + mark.len()..])?;
    Some(Event::AuthFailed { client, account: Some(&text[..at]) })
}

fn peer(text: &[u8]) -> Option<Peer<'_>> {
    address(text).map(|address| Peer { address: Some(address), name: b"" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: &str) {
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { when: When::Local(when), event, .. }) => match event {
                Event::AuthFailed { client, account } => {
                    format!("{when} {:?} {:?}", client.address, account.map(String::from_utf8_lossy))
                }
                Event::Connect { client, .. } => format!("{when} connect {:?}", client.address),
                event => format!("{when} {event:?}"),
            },
            Line::Unparsed(why) => format!("unparsed: {}", why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn lines() {
        check(
            "03-07-2005 23:07:20   SMTP Server: Authentication failed for user a b ; connecting host 192.0.2.9",
            r#"2005-07-03 23:07:20 Some(192.0.2.9) Some("a b")"#,
        );
        check(
            "[28325:00010-3735542592] 2014-06-22 09:56:12   smtp: x [10.0.0.1] authentication failure using internet password [192.0.2.9] authentication failure using internet password",
            r#"2014-06-22 09:56:12 Some(192.0.2.9) Some("x [10.0.0.1] authentication failure using internet password")"#,
        );
        check(
            "06/22/2014 09:56:12 PM  SMTP Server: mx.example.net (192.0.2.9) connected",
            "2014-06-22 21:56:12 connect Some(192.0.2.9)",
        );
        check(
            "06/22/2014 12:56:12 AM  SMTP Server: 192.0.2.9 connected",
            "2014-06-22 00:56:12 connect Some(192.0.2.9)",
        );
        check("22/06/2014 09:56:12   Router: x", "2014-06-22 09:56:12 Other");
        check("x", "unparsed: a date and a time: `22-06-2014 09:56:12`");
    }
}
