//! Stalwart Mail Server, text log: `TIME LEVEL description (event.name) key = value, key = "value", ...`.
//!
//! A quotation mark inside a value is not escaped (crates/trc/src/serializers/text.rs), so a client can write what looks like another
//! key. What the server says of the connection comes first and is read from there only; of the rest, only the keys that
//! an event always has are used, and a line that has one of them twice is unparsed.

use crate::paths::{Paths, is_whole};
use crate::record::{Event, Line, Peer, Record, Refusal, Reply};
use crate::registry::{Context, Format};
use crate::syslog::time::iso;
use crate::text::{Expected, Parsed, address, expect, number, unparsed};
use memchr::{memchr, memmem};
use nom::Parser;
use nom::bytes::complete::{is_not, tag, take_until, take_while1};
use nom::sequence::{delimited, terminated};

/// Stalwart, text log.
pub const FORMAT: Format = Format {
    name: "stalwart",
    title: "Stalwart Mail Server, text log",
    versions: "written to the source of 2025, without a sample; single-line text without colours",
    yields: "refusals with client and recipient, queued messages with client, both paths and size, log-ins",
    lacks: "session ids, what became of messages, the account of queued messages (only that there was one), the name of the server",
    source: "stalwartlabs/stalwart crates/trc/src/serializers/text.rs, crates/trc/src/event/description.rs, \
             crates/smtp/src/inbound",
    repeats: &[],
    recognises: |line| start(line).is_ok(),
    parse,
    direct: |_, _| (),
};

/// Stands for the account of a message that was queued for a client that had logged in: the event does not name it.
const SOME_ACCOUNT: &[u8] = b"(authenticated)";

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let read = start(line).and_then(|(rest, (when, name))| Ok((when, event(name, rest)?)));
    match read {
        Ok((when, event)) => Line::Record(Record { when, server: b"", session: None, message: None, event }),
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// Parses `2024-02-01T10:00:01Z INFO Relay not allowed (smtp.relay-not-allowed) `: the time and the name of the event.
fn start(line: &[u8]) -> Parsed<'_, (crate::record::When, &[u8])> {
    let (rest, when) = terminated(iso, tag(" ")).parse(line)?;
    let level = nom::branch::alt((tag("ERROR "), tag("WARN "), tag("INFO "), tag("DEBUG "), tag("TRACE ")));
    let (rest, _) = expect("a level: `INFO`", level).parse(rest)?;
    let name = take_while1(|byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'-'));
    let wanted = "a description and the name of an event: `(smtp.ehlo)`";
    let (rest, _) = expect(wanted, take_until(" (")).parse(rest)?;
    let (rest, name) = expect(wanted, delimited(tag(" ("), name, tag(")"))).parse(rest)?;
    if !name.contains(&b'.') {
        return Err(nom::Err::Error(Expected { rest, what: wanted }));
    }
    Ok((rest.strip_prefix(b" ").unwrap_or(rest), (when, name)))
}

fn event<'a>(name: &'a [u8], rest: &'a [u8]) -> Result<Event<'a>, nom::Err<Expected<'a>>> {
    let refusal = match name {
        b"smtp.relay-not-allowed" => Some(Refusal::RelayDenied),
        b"smtp.mailbox-does-not-exist" => Some(Refusal::UnknownUser),
        b"smtp.rcpt-to-greylisted" => Some(Refusal::Greylisted),
        b"smtp.connection-start"
        | b"smtp.ehlo"
        | b"auth.failed"
        | b"auth.success"
        | b"queue.message-queued"
        | b"queue.authenticated-message-queued" => None,
        _ => return Ok(Event::Other),
    };
    let Ok((fields, client)) = connection(rest) else { return Ok(Event::Other) };
    let wanted = |what| nom::Err::Error(Expected { rest: fields, what });
    let one = |key: &[u8]| only(fields, key).map_err(|()| wanted("no key twice"));
    let path = |key: &[u8]| match one(key)? {
        // Only a reverse-path may be empty.
        Some(path) if !is_whole(path) || path.is_empty() && key == b"to" => Err(wanted("a whole path")),
        path => Ok(path),
    };
    if let Some(refusal) = refusal {
        let forward_path = path(b"to")?;
        let (stage, reply, helo) = (b"RCPT".as_slice(), Reply::default(), b"".as_slice());
        return Ok(Event::Refused {
            client,
            stage,
            reply,
            refusal,
            reverse_path: None,
            forward_path,
            helo,
            account: None,
        });
    }
    Ok(match name {
        b"smtp.connection-start" => Event::Connect { client, once: false },
        b"smtp.ehlo" => Event::Hello { client, name: one(b"domain")?.unwrap_or_default() },
        b"auth.failed" => Event::AuthFailed { client, account: one(b"accountName")? },
        b"auth.success" => Event::AuthSucceeded { client, account: one(b"accountName")? },
        _ => Event::Whole {
            client,
            helo: b"",
            account: (name == b"queue.authenticated-message-queued").then_some(SOME_ACCOUNT),
            reverse_path: path(b"from")?,
            header_from: b"",
            forward_paths: one(b"to")?
                .and_then(recipients)
                .ok_or(wanted("the recipients: `to = [...]`, a mark never within one"))?,
            size_bytes: one(b"size")?.and_then(number).unwrap_or(0),
            complete: true,
            refusal: None,
        },
    })
}

/// The recipients in a list. A quotation mark in one of several could end it or not, and what a client writes there could be
/// more recipients than there are: such a list is none.
fn recipients(list: &[u8]) -> Option<Paths<'_>> {
    const BETWEEN: &[u8] = b"\", \"";
    let Some(inside) = list.strip_prefix(b"\"").and_then(|list| list.strip_suffix(b"\"")) else {
        return Some(Paths::strings(list));
    };
    let marks = memchr::memchr_iter(b'"', inside).count();
    match memmem::find_iter(inside, BETWEEN).count() {
        0 => is_whole(inside).then_some(Paths::from(inside)),
        between => (marks == 2 * between).then_some(Paths::strings(list)),
    }
}

/// Parses what is repeated from the connection: `listenerId = "smtp", localPort = 25, remoteIp = 203.0.113.9, remotePort = 50001`.
fn connection(input: &[u8]) -> Parsed<'_, Peer<'_>> {
    let (rest, _) = delimited(tag("listenerId = \""), is_not("\""), tag("\", localPort = ")).parse(input)?;
    let (rest, _) = terminated(is_not(","), tag(", remoteIp = ")).parse(rest)?;
    let (rest, ip) = is_not(",")(rest)?;
    let address = address(ip).ok_or(nom::Err::Error(Expected { rest: input, what: "an address" }))?;
    Ok((rest.strip_prefix(b", ").unwrap_or(rest), Peer { address: Some(address), name: b"" }))
}

/// The value of a key, without the quotation marks or brackets around it; `None` without the key, and an error if it is there twice.
fn only<'a>(fields: &'a [u8], key: &[u8]) -> Result<Option<&'a [u8]>, ()> {
    let (mut rest, mut found) = (fields, None);
    while let Some((name, value, after)) = field(rest) {
        if name == key && found.replace(value).is_some() {
            return Err(());
        }
        rest = after;
    }
    Ok(found)
}

/// Splits off the first `key = value`. A quoted value or a list ends at its mark before `, key = ` or at the end.
fn field(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key, value) = key_of(input)?;
    let close: &[u8] = match value.first() {
        Some(b'"') => b"\", ",
        Some(b'[') => b"], ",
        _ => {
            let end = memchr(b',', value).unwrap_or(value.len());
            return Some((key, &value[..end], value.get(end + 2..).unwrap_or_default()));
        }
    };
    let end = memmem::find_iter(value, close).find(|at| key_of(&value[at + close.len()..]).is_some());
    Some(match end {
        Some(at) => (key, value.get(1..at).unwrap_or_default(), &value[at + close.len()..]),
        None => (key, value.get(1..value.len() - 1).unwrap_or_default(), b""),
    })
}

/// Splits `key = `, a word of letters, off.
fn key_of(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = input.iter().take(LONGEST_KEY).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (key, rest) = input.split_at(length);
    (0 < length).then_some(())?;
    Some((key, rest.strip_prefix(b" = ")?))
}

/// Longer than any key of the source.
const LONGEST_KEY: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn check(event: &str, fields: &str, want: &str) {
        let head = r#"listenerId = "smtp", localPort = 25, remoteIp = 192.0.2.9, remotePort = 5"#;
        let line = format!("2024-02-01T10:00:01Z INFO Some words ({event}) {head}, {fields}");
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event, .. }) => match event {
                Event::Refused { client, refusal, forward_path, .. } => {
                    format!("{:?} {refusal:?} {:?}", client.address, forward_path.map(text))
                }
                Event::Whole { client, account, reverse_path, forward_paths, size_bytes, .. } => {
                    let to: Vec<_> = forward_paths.iter().map(text).collect();
                    format!(
                        "{:?} {} {:?} {to:?} {size_bytes}",
                        client.address,
                        account.is_some(),
                        reverse_path.map(text)
                    )
                }
                Event::Hello { name, .. } => text(name),
                Event::AuthFailed { account, .. } => format!("failed {:?}", account.map(text)),
                event => format!("{event:?}"),
            },
            Line::Unparsed(why) => format!("unparsed: {}", why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn events() {
        check(
            "smtp.relay-not-allowed",
            r#"to = "b@example.net""#,
            r#"Some(192.0.2.9) RelayDenied Some("b@example.net")"#,
        );
        check("smtp.ehlo", r#"domain = "h", elapsed = 0ms"#, "h");
        check("auth.failed", r#"accountName = "a", id = 1"#, r#"failed Some("a")"#);
        check(
            "queue.authenticated-message-queued",
            r#"queueId = 7, from = "a@b", to = ["c@d", "e@f"], size = 9"#,
            r#"Some(192.0.2.9) true Some("a@b") ["c@d", "e@f"] 9"#,
        );
        check(
            "queue.message-queued",
            r#"from = "a@b""#,
            "unparsed: the recipients: `to = [...]`, a mark never within one",
        );
        check("smtp.quit", "", "Other");
    }

    #[test]
    fn a_client_cannot_write_another_key() {
        let twice = "unparsed: no key twice";
        check("queue.message-queued", r#"from = "x", to = ["z"], y = "", to = ["c@d"], size = 9"#, twice);
        check(
            "smtp.relay-not-allowed",
            r#"to = "x", remoteIp = 10.0.0.1, y = "z""#,
            r#"Some(192.0.2.9) RelayDenied Some("x")"#,
        );
        let within = "unparsed: the recipients: `to = [...]`, a mark never within one";
        check("queue.message-queued", r#"from = "x", to = ["" v", "a@b", "w"@x"], size = 9"#, within);
        check(
            "queue.message-queued",
            r#"from = "x", to = ["" a, b = \"c\""@x"], size = 9"#,
            r#"Some(192.0.2.9) false Some("x") ["\" a, b = \\\"c\\\"\"@x"] 9"#,
        );
        check("smtp.relay-not-allowed", r#"to = "" a", b = "c"@x""#, "unparsed: a whole path");
        check("smtp.relay-not-allowed", r#"to = "", b = "c""@x""#, "unparsed: a whole path");
        check("smtp.relay-not-allowed", r#"to = "a", b"@x""#, r#"Some(192.0.2.9) RelayDenied Some("a\", b\"@x")"#);
    }

    #[test]
    fn no_line_of_it() {
        for line in ["2024-02-01T10:00:01Z mx postfix/smtpd[1]: x (y.z) a", "2024-02-01T10:00:01Z INFO x", "x"] {
            assert!(!(FORMAT.recognises)(line.as_bytes()), "{line}");
        }
    }
}
