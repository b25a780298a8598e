//! CommuniGate Pro: `08:39:16.44 5 SMTPI-29001([192.0.2.1]) inp: MAIL FROM: <a@example.org>`.

use crate::record::{Event, Key, Line, Peer, Record, When};
use crate::registry::{Context, Format};
use crate::text::{Expected, address, unparsed};
use crate::transcript::{answer, command};
use memchr::memmem::find;

/// CommuniGate Pro.
pub const FORMAT: Format = Format {
    name: "communigate",
    title: "CommuniGate Pro system log (SMTP module at log level 5)",
    versions: "checked against 16 published lines of 5.0.9, one session; refusals and log-ins are not in them",
    yields: "sessions, EHLO names, both paths, every answer, failed log-ins; whether mail came with a log-in",
    lacks: "the day (it is in the name of the file); the account of mail; what became of accepted mail; the name of the server; levels \
            below 5 show no commands",
    source: "observed: corpus communigate; CommuniGate Pro guide, \"System logs\"",
    repeats: &[],
    recognises: |line| head(line).is_some_and(|(channel, _)| is_channel(channel)),
    parse,
    direct: |_, _| (),
};

/// Splits `08:39:16.44 5 CHANNEL TEXT` behind the level; the channel goes up to its closing bracket.
fn head(line: &[u8]) -> Option<(&[u8], &[u8])> {
    const TIME: &[u8] = b"00:00:00.00 0 ";
    let (time, rest) = line.split_at_checked(TIME.len())?;
    let is_like = |(byte, like): (&u8, &u8)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like };
    time.iter().zip(TIME).all(is_like).then_some((rest, rest))?;
    let end = memchr::memchr(b' ', rest)?;
    Some((&rest[..end], &rest[end + 1..]))
}

fn is_channel(channel: &[u8]) -> bool {
    [b"SMTPI-".as_slice(), b"SMTP-", b"QUEUE(", b"DEQUEUER", b"ENQUEUER", b"LOCAL("]
        .iter()
        .any(|name| channel.starts_with(name))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let wanted = |rest, what| Line::Unparsed(unparsed(line, &nom::Err::Error(Expected { rest, what })));
    let Some((channel, text)) = head(line) else { return wanted(line, "a time and a level: `08:39:16.44 5`") };
    let (session, event) = match channel.strip_prefix(b"SMTPI-") {
        None => (None, Event::Other),
        Some(rest) => match session(rest) {
            Some((id, client)) => (Some(Key { scope: b"SMTPI", id }), event(client, text)),
            None => return wanted(channel, "a session and its client: `SMTPI-29001([192.0.2.1])`"),
        },
    };
    Line::Record(Record { when: When::Unknown, server: b"", session, message: None, event })
}

/// Reads `29001([192.0.2.1])`.
fn session(text: &[u8]) -> Option<(&[u8], Peer<'_>)> {
    let open = find(text, b"([")?;
    let client = address(text[open + 2..].strip_suffix(b"])")?)?;
    let id = &text[..open];
    let is_number = !id.is_empty() && id.iter().all(u8::is_ascii_digit);
    is_number.then_some((id, Peer { address: Some(client), name: b"" }))
}

/// Answers are written with `\r\n` at the end of each of their lines, in these four characters.
fn event<'a>(client: Peer<'a>, text: &'a [u8]) -> Event<'a> {
    if text.starts_with(b"got connection on [") {
        return Event::Opened { client };
    }
    match (text.strip_prefix(b"inp: "), text.strip_prefix(b"out: ")) {
        (Some(line), _) => command(client, line),
        (_, Some(line)) => answer(client, line.strip_suffix(br"\r\n").unwrap_or(line)),
        _ if text == b"closing connection" => Event::Closed { client },
        _ => Event::Other,
    }
}
