//! MDaemon's log of incoming SMTP: `Mon 2010-08-30 11:03:10: <-- MAIL FROM: <a@example.org>`.
//!
//! A session is written in one piece when it is over, so that its lines need no number; it begins with `Accepting SMTP
//! connection from [ip:port]`.

use crate::record::{Event, Key, Line, Peer, Record, When};
use crate::registry::{Context, Format};
use crate::syslog::time::iso;
use crate::text::{Expected, address, unparsed};
use crate::transcript::{answer_line, command};

/// MDaemon.
pub const FORMAT: Format = Format {
    name: "mdaemon",
    title: "MDaemon SMTP-(in) log",
    versions: "checked against 21 published lines of 11.0.3, of a session without its end; later versions and refusals are \
               written to descriptions",
    yields: "sessions, EHLO names, accounts, both paths, every answer, failed log-ins",
    lacks: "what became of accepted mail; the zone of its times; the name of the server",
    source: "observed: corpus mdaemon; MDaemon help, \"Logging\"",
    repeats: &[],
    recognises: |line| matches!(head(line), Ok((_, text)) if is_known(text)),
    parse,
    direct: |_, _| (),
};

/// Every session of a file; the next begins when the last has ended.
const SESSION: Key<'static> = Key { scope: b"SMTP-(in)", id: b"" };

/// Splits off `Mon 2010-08-30 11:03:10: `, and the `[session:line] ` of later versions.
fn head(line: &[u8]) -> Result<(When, &[u8]), nom::Err<Expected<'_>>> {
    let wanted = nom::Err::Error(Expected { rest: line, what: "a day and a time: `Mon 2010-08-30 11:03:10: `" });
    let is_day =
        |day: &&[u8]| [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].iter().any(|name| *day == *name);
    let (day, rest) = line.split_at_checked(3).ok_or(wanted)?;
    let time = Some(rest).filter(|_| is_day(&day)).and_then(|rest| rest.strip_prefix(b" "));
    let wanted = || nom::Err::Error(Expected { rest: line, what: "a day and a time: `Mon 2010-08-30 11:03:10: `" });
    let (rest, when) = iso(time.ok_or_else(wanted)?)?;
    let text = rest.strip_prefix(b": ").ok_or_else(wanted)?;
    Ok((when, without_number(text).unwrap_or(text)))
}

/// What follows `[8439:12] ` or `[12] `.
fn without_number(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"[")?;
    let end = inside.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b':'))?;
    inside[end..].strip_prefix(b"] ")
}

fn is_known(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 5] = [b"Session ", b"Accepting SMTP connection from [", b"<-- ", b"--> ", b"SMTP session "];
    STARTS.iter().any(|start| text.starts_with(start))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    match head(line) {
        Ok((when, text)) => {
            Line::Record(Record { when, server: b"", session: Some(SESSION), message: None, event: event(text) })
        }
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// Only the first line of a session names the client.
fn event(text: &[u8]) -> Event<'_> {
    let nobody = Peer::default();
    if let Some(rest) = text.strip_prefix(b"Accepting SMTP connection from [") {
        return Event::Opened { client: client(rest).unwrap_or_default() };
    }
    if text.starts_with(b"SMTP session ") {
        return Event::Closed { client: nobody };
    }
    match (text.strip_prefix(b"<-- "), text.strip_prefix(b"--> "), text.strip_prefix(b"Authenticated as ")) {
        (Some(line), ..) => command(nobody, line),
        (_, Some(line), _) => answer_line(nobody, line),
        (.., Some(account)) => Event::Identified { client: nobody, account: account.trim_ascii() },
        _ => Event::Other,
    }
}

/// Reads `192.0.2.9:2818] to [...`; of IPv6, the port follows the last colon.
fn client(text: &[u8]) -> Option<Peer<'_>> {
    let ip = &text[..memchr::memchr(b']', text)?];
    let ip = memchr::memrchr(b':', ip).map_or(ip, |colon| &ip[..colon]);
    address(ip).map(|address| Peer { address: Some(address), name: b"" })
}
