//! SmarterMail's SMTP log: `[2024.02.01] 10:00:01.123 [client][session] cmd: MAIL FROM:<a@example.org>`.

use crate::record::{Event, Key, Line, Peer, Record, When};
use crate::registry::{Context, Format};
use crate::text::{Expected, address, unparsed};
use crate::transcript::{answer, command};
use chrono::NaiveDateTime;
use memchr::memchr;

/// SmarterMail.
pub const FORMAT: Format = Format {
    name: "smartermail",
    title: "SmarterMail SMTP log (DATE-smtpLog.log)",
    versions: "checked against 14 published lines of 2018, of a session without its end; refusals and log-ins are written to \
               descriptions",
    yields: "sessions, EHLO names, accounts, both paths, every answer, failed log-ins",
    lacks: "what became of accepted mail; the zone of its times; the name of the server; old versions have no date and are not read",
    source: "observed: corpus smartermail; SmarterTools help, \"SMTP log\"",
    repeats: &[],
    recognises: |line| head(line).is_ok(),
    parse,
    direct: |_, _| (),
};

/// What stands before the text: time, client, session.
type Head<'a> = (When, Peer<'a>, &'a [u8], &'a [u8]);

fn head(line: &[u8]) -> Result<Head<'_>, nom::Err<Expected<'_>>> {
    let wanted = |rest, what| nom::Err::Error(Expected { rest, what });
    let (when, rest) = stamp(line).ok_or(wanted(line, "a time: `[2024.02.01] 10:00:01`"))?;
    let brackets = |rest: &'_ [u8]| -> Option<(usize, usize)> {
        rest.strip_prefix(b"[")?;
        let end = memchr(b']', rest)?;
        Some((end, rest.get(end + 1..)?.strip_prefix(b"[").and_then(|rest| memchr(b']', rest))?))
    };
    let what = "a client and a session: `[192.0.2.1][43884679]`";
    let (end, length) = brackets(rest).ok_or(wanted(rest, what))?;
    let (ip, session) = (&rest[1..end], &rest[end + 2..end + 2 + length]);
    let text = rest[end + 3 + length..].strip_prefix(b" ").ok_or(wanted(rest, what))?;
    let is_session = !session.is_empty() && session.iter().all(u8::is_ascii_digit);
    let client = address(ip).filter(|_| is_session).ok_or(wanted(rest, what))?;
    Ok((when, Peer { address: Some(client), name: b"" }, session, text))
}

/// Splits off `[2024.02.01] 10:00:01.123 `, the server's local time.
fn stamp(line: &[u8]) -> Option<(When, &[u8])> {
    const TIME: usize = 21;
    let (time, rest) = line.split_at_checked(TIME)?;
    let time = NaiveDateTime::parse_from_str(std::str::from_utf8(time).ok()?, "[%Y.%m.%d] %H:%M:%S").ok()?;
    let digits = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fraction = rest.strip_prefix(b".").map(|rest| &rest[digits(rest)..]);
    Some((When::Local(time), fraction.unwrap_or(rest).strip_prefix(b" ")?))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    match head(line) {
        Ok((when, client, id, text)) => {
            let session = Some(Key { scope: b"", id });
            Line::Record(Record { when, server: b"", session, message: None, event: event(client, text) })
        }
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// The greeting may come before `connected at` and belongs to no command. It has the code of the answer to STARTTLS: neither
/// that command nor its answer is used, as the client has to greet again (RFC 3207 section 4.2).
fn event<'a>(client: Peer<'a>, text: &'a [u8]) -> Event<'a> {
    if text.starts_with(b"connected at ") {
        return Event::Opened { client };
    }
    if text.starts_with(b"disconnected at ") {
        return Event::Closed { client };
    }
    let is_starttls = |line: &[u8]| line.trim_ascii().eq_ignore_ascii_case(b"STARTTLS");
    match (text.strip_prefix(b"cmd: "), text.strip_prefix(b"rsp: "), text.strip_prefix(b"Authenticating as ")) {
        (Some(line), ..) if is_starttls(line) => Event::Other,
        (Some(line), ..) => command(client, line),
        (_, Some(line), _) if line.starts_with(b"220") => Event::Other,
        (_, Some(line), _) => answer(client, line),
        (.., Some(account)) => Event::LoggingIn { client, account: account.trim_ascii() },
        _ => Event::Other,
    }
}
