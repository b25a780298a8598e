//! Fortinet FortiMail: `date=2026-02-01 time=10:00:01.123 device_id=FE1 log_id=0200000001 type=statistics pri=information ...`.
//!
//! `type=statistics` (the history log) says what was decided on a message; `type=event subtype=smtp` holds what the Sendmail
//! inside says, in `msg`. What a client wrote is not escaped: see `fields.rs`.

mod decision;
mod fields;

use crate::record::{Event, Key, Line, Peer, Record, Watch, When};
use crate::registry::{Context, Format};
use crate::syslog::{self, time};
use crate::text::{Expected, address, from_start_of, unparsed};
use chrono::{NaiveDate, NaiveTime};
use fields::Fields;
use memchr::memmem;

/// FortiMail.
pub const FORMAT: Format = Format {
    name: "fortimail",
    title: "Fortinet FortiMail history and mail event logs (syslog, with spaces or commas; downloaded alog, elog)",
    versions: "checked against published lines of 4.0 to 7.2; refusals of relaying and downloaded logs are written to the log reference",
    yields: "what was decided on every message, with client, both paths and size; what became of it (mail event log); failed log-ins",
    lacks: "EHLO names, accounts, reply codes; the zone of its times, but for 8.0; refusals in mail event logs alone; what \
            decisions mean that a downloaded log gives as numbers, other than a delay: such mail counts as not followed up",
    source: "Fortinet \"FortiMail Log Reference\" 7.0 and 8.0 (schema, type, subtype, classifier, history logs), FortiMail 5.3.6 online \
             help \"Classifiers and dispositions in history logs\"; observed: corpus fortimail (SEKOIA), elastic/integrations \
             fortinet_fortimail, Wazuh fortimail.ini",
    repeats: &[],
    recognises: |line| head(line).is_some(),
    parse,
    direct: |_, _| (),
};

/// Reason to ignore what says nothing of mail that other lines do not.
const OTHER_LOG: &str = "a log of spam, viruses, encryption or the system";

/// What stands before the body.
struct Head<'a> {
    when: When,
    server: &'a [u8],
    kind: &'a [u8],
    subtype: &'a [u8],
    fields: Fields<'a>,
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let wanted = "`log_id=` and `type=`, behind a time";
    let Some(head) = head(line) else {
        return Line::Unparsed(unparsed(line, &nom::Err::Error(Expected { rest: line, what: wanted })));
    };
    match record(&head) {
        Ok(Some(record)) => Line::Record(record),
        Ok(None) => Line::Ignored(OTHER_LOG),
        // What Sendmail says ends before the line does.
        Err(error) => {
            let in_line = error.map(|inner: Expected<'a>| Expected { rest: from_start_of(line, inner.rest), ..inner });
            Line::Unparsed(unparsed(line, &in_line))
        }
    }
}

fn record<'a>(head: &Head<'a>) -> Result<Option<Record<'a>>, nom::Err<Expected<'a>>> {
    let event = match (head.kind, head.subtype) {
        (b"statistics" | b"history", b"" | b"default") => decision::event(head.fields)?,
        (b"statistics" | b"history", _) => Event::Other,
        // It ends the line: what follows it is in truth a part of it, which a client wrote to look like a field.
        (b"event", b"smtp") if head.fields.last().is_some_and(|(key, _)| key != b"msg") => {
            return Err(head.fields.wanted("`msg=` as the last field"));
        }
        (b"event", b"smtp") => of_sendmail(head.fields.only(b"msg")?.unwrap_or_default())?,
        (b"event", b"webmail") => log_in(head.fields.only(b"msg")?.unwrap_or_default()),
        (b"event", _) => Event::Other,
        _ => return Ok(None),
    };
    let id = head.fields.only(b"session_id")?.filter(|id| !id.is_empty());
    let message = id.map(|id| Key { scope: b"fortimail", id });
    Ok(Some(Record { when: head.when, server: head.server, session: None, message, event }))
}

/// Reads the header: `<190>`, a syslog time and host, `date=`, `time=`, `device_id=` and the like, then `log_id=` and
/// `type=`. Downloaded logs begin with the time alone: `2023-10-24 11:53:02.041 log_id=...`.
fn head(line: &[u8]) -> Option<Head<'_>> {
    let (outer, host, body) = wrapped(line)?;
    let fields = Fields::of(body);
    let (mut day, mut clock, mut zone) = (None, None, None);
    let mut head = Head { when: outer, server: host, kind: b"", subtype: b"", fields };
    for (key, value) in fields.take(MOST_IN_HEAD) {
        match key {
            b"date" => day = Some(value),
            b"time" => clock = Some(value),
            b"tz" => zone = Some(value),
            b"device_id" if host.is_empty() => head.server = value,
            b"type" => head.kind = value,
            b"subtype" => head.subtype = value,
            b"pri" => break,
            _ => {}
        }
    }
    if let (Some(day), Some(clock)) = (day, clock) {
        head.when = stamp(day, clock, zone)?;
    }
    const KINDS: [&[u8]; 7] = [b"statistics", b"history", b"event", b"kevent", b"spam", b"virus", b"encrypt"];
    let has_id = fields.take(MOST_IN_HEAD).any(|(key, _)| key == b"log_id");
    (has_id && KINDS.contains(&head.kind)).then_some(head)
}

/// Up to the priority: `date time device_id log_part eventtime tz log_id type subtype pri`.
const MOST_IN_HEAD: usize = 10;

/// The time, the host and the fields of a line. The time is that of the syslog or of a downloaded log.
fn wrapped(line: &[u8]) -> Option<(When, &[u8], &[u8])> {
    const STARTS: [&[u8]; 5] = [b"date=", b"time=", b"device_id=", b"eventtime=", b"log_id="];
    let is_start = |text: &[u8]| STARTS.iter().any(|start| text.starts_with(start));
    let inner = match line {
        [b'<', rest @ ..] => {
            let end = rest.iter().take(4).position(|byte| *byte == b'>')?;
            &rest[end + 1..]
        }
        _ => line,
    };
    if is_start(inner) {
        return Some((When::Unknown, b"", inner));
    }
    if inner.starts_with(b"1 ") {
        let (_, envelope) = syslog::envelope(line).ok()?;
        return is_start(envelope.body).then_some((envelope.when, envelope.host, envelope.body));
    }
    let (rest, when) = time::timestamp(inner).ok()?;
    let rest = rest.strip_prefix(b" ")?;
    if is_start(rest) {
        return Some((when, b"", rest));
    }
    let end = memchr::memchr(b' ', rest)?;
    is_start(&rest[end + 1..]).then_some((when, &rest[..end], &rest[end + 1..]))
}

/// Reads `2026-02-01`, `10:00:01.123` and, since 8.0, `-0400`.
fn stamp(day: &[u8], clock: &[u8], zone: Option<&[u8]>) -> Option<When> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let day = NaiveDate::parse_from_str(text(day)?, "%Y-%m-%d").ok()?;
    let local = day.and_time(NaiveTime::parse_from_str(text(clock)?, "%H:%M:%S%.f").ok()?);
    let minutes = zone.and_then(|zone| match zone {
        [sign @ (b'+' | b'-'), digits @ ..] if digits.len() == 4 => {
            let number = i64::try_from(crate::text::number(digits)?).ok()?;
            let minutes = number / 100 * 60 + number % 100;
            Some(if *sign == b'-' { -minutes } else { minutes })
        }
        _ => None,
    });
    const MICROS_PER_MINUTE: i64 = 60_000_000;
    Some(match minutes {
        Some(minutes) => When::Utc(local.and_utc().timestamp_micros() - minutes * MICROS_PER_MINUTE),
        None => When::Local(local),
    })
}

/// Reads what Sendmail says: how a message came in and how it went out. What it refuses, the history log tells.
fn of_sendmail(text: &[u8]) -> Result<Event<'_>, nom::Err<Expected<'_>>> {
    let event = crate::sendmail::of_message(text);
    // The transparent proxy writes fields of its own, and hands on what the history log tells.
    let is_proxy = || text.starts_with(b"to=") && memmem::rfind(text, b", mailer=proxy, stat=").is_some();
    if event.is_err() && is_proxy() { Ok(Event::Other) } else { event }
}

/// Reads `WebMail: Login for 'USER' from 192.0.2.9 failed`: the user is the client's text, and the last ` from ` the log's.
fn log_in(text: &[u8]) -> Event<'_> {
    const FROM: &[u8] = b"' from ";
    let said = text.strip_prefix(b"WebMail: Login for '").and_then(|rest| rest.strip_suffix(b" failed"));
    let Some((said, at)) = said.and_then(|said| Some((said, memmem::rfind(said, FROM)?))) else { return Event::Other };
    let Some(ip) = address(&said[at + FROM.len()..]) else { return Event::Other };
    let client = Peer { address: Some(ip), name: b"" };
    Event::LogInsFailed { client, account: Some(&said[..at]), times: 1, watch: Watch::Service }
}

#[cfg(test)]
mod tests;
