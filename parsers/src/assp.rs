//! ASSP, an SMTP proxy that filters before the mail server: maillog.txt.
//!
//! `Aug-10-15 09:04:22 m1-97462-05577 [Worker_2] [MessageOK] 192.0.2.9 a@example.org to: b@example.com message ok [subject]`.
//! Client, reverse-path and recipient are words; a path in quotation marks may hold spaces, and such a line is unparsed.

use crate::paths::Paths;
use crate::record::{Event, Line, Peer, Record, Refusal, Reply, When};
use crate::registry::{Context, Format};
use crate::text::{Expected, address, unparsed};
use chrono::NaiveDateTime;
use memchr::memchr;

/// ASSP.
pub const FORMAT: Format = Format {
    name: "assp",
    title: "ASSP anti-spam SMTP proxy (maillog.txt)",
    versions: "checked against four published lines of version 2 (2015); other tags are written to its documentation",
    yields: "messages let through and relay attempts, with client and both paths",
    lacks: "sessions, EHLO names, accounts, sizes, further recipients, what became of messages, the zone of its times",
    source: "ASSP wiki, \"Log file\"; observed: corpus assp",
    repeats: &[],
    recognises: |line| matches!(stamp(line), Some((_, rest)) if words(rest).is_some()),
    parse,
    direct: |_, _| (),
};

/// Splits off `Aug-10-15 09:04:22 `, the server's local time.
fn stamp(line: &[u8]) -> Option<(When, &[u8])> {
    const TIME: usize = 18;
    let (time, rest) = line.split_at_checked(TIME)?;
    let time = NaiveDateTime::parse_from_str(std::str::from_utf8(time).ok()?, "%b-%d-%y %H:%M:%S").ok()?;
    Some((When::Local(time), rest.strip_prefix(b" ")?))
}

/// What stands before the paths: the tag, without brackets, empty if there is none; the client; and what follows.
struct Words<'a> {
    tag: &'a [u8],
    client: Peer<'a>,
    rest: &'a [u8],
}

fn words(rest: &[u8]) -> Option<Words<'_>> {
    let (id, rest) = word(rest)?;
    let is_id = id.contains(&b'-') && id.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let (mut tag, mut rest) = (b"".as_slice(), if is_id { rest } else { return None });
    while rest.first() == Some(&b'[') {
        let (next, after) = word(rest)?;
        let inside = next.strip_prefix(b"[").and_then(|inside| inside.strip_suffix(b"]"))?;
        tag = if inside.starts_with(b"Worker_") { tag } else { inside };
        rest = after;
    }
    let (client, rest) = word(rest)?;
    let client = Peer { address: Some(address(client)?), name: b"" };
    Some(Words { tag, client, rest })
}

fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr(b' ', text)?;
    Some((&text[..space], &text[space + 1..]))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let wanted = |rest, what| Line::Unparsed(unparsed(line, &nom::Err::Error(Expected { rest, what })));
    let Some((when, rest)) = stamp(line) else { return wanted(line, "a time: `Aug-10-15 09:04:22`") };
    let event = match words(rest) {
        Some(words) if words.rest.starts_with(b"\"") || words.rest.starts_with(b"<\"") => {
            return wanted(words.rest, "a reverse-path without quotation marks");
        }
        // It may hold blanks, so nobody can tell where it ends: not a domain of the client's choice inside it.
        Some(words) if forward_path(&words).is_some_and(|path| path.starts_with(b"\"") || path.starts_with(b"<\"")) => {
            return wanted(words.rest, "a forward-path without quotation marks");
        }
        Some(words) => event(&words),
        None => Event::Other,
    };
    Line::Record(Record { when, server: b"", session: None, message: None, event })
}

/// What stands behind `to: `.
fn forward_path<'a>(words: &Words<'a>) -> Option<&'a [u8]> {
    word(words.rest).and_then(|(_, rest)| rest.strip_prefix(b"to: "))
}

fn event<'a>(words: &Words<'a>) -> Event<'a> {
    let from = word(words.rest);
    let to = forward_path(words).and_then(word);
    let (Some((from, _)), Some((to, _))) = (from, to) else { return Event::Other };
    let [from, to] = [from, to].map(|path| path.strip_prefix(b"<").and_then(|p| p.strip_suffix(b">")).unwrap_or(path));
    let (client, helo, account) = (words.client, b"".as_slice(), None);
    match words.tag {
        b"MessageOK" => Event::Whole {
            client,
            helo,
            account,
            reverse_path: Some(from),
            header_from: b"",
            forward_paths: Paths::from(to),
            size_bytes: 0,
            complete: true,
            refusal: None,
        },
        b"RelayAttempt" | b"InvalidAddress" => Event::Refused {
            client,
            stage: b"RCPT",
            reply: Reply::default(),
            refusal: if words.tag == b"RelayAttempt" { Refusal::RelayDenied } else { Refusal::UnknownUser },
            reverse_path: Some(from),
            forward_path: Some(to),
            helo,
            account,
        },
        _ => Event::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn check(statement: &str, want: &str) {
        let line = format!("Aug-10-15 09:04:22 m1-97462-05577 [Worker_2] {statement}");
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event, .. }) => match event {
                Event::Whole { client, reverse_path, forward_paths, .. } => {
                    let to: Vec<_> = forward_paths.iter().map(text).collect();
                    format!("{:?} {:?} {to:?}", client.address, reverse_path.map(text))
                }
                Event::Refused { client, refusal, reverse_path, forward_path, .. } => {
                    format!(
                        "{:?} {refusal:?} {:?} {:?}",
                        client.address,
                        reverse_path.map(text),
                        forward_path.map(text)
                    )
                }
                event => format!("{event:?}"),
            },
            Line::Unparsed(why) => format!("unparsed at {}: {}", why.at, why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn tags() {
        check("[MessageOK] 192.0.2.9 a@x to: b@y message ok [s]", r#"Some(192.0.2.9) Some("a@x") ["b@y"]"#);
        check("[MessageOK] 192.0.2.9 <a@x> to: b@y message ok", r#"Some(192.0.2.9) Some("a@x") ["b@y"]"#);
        check(
            "[RelayAttempt] 192.0.2.9 a@x to: b@y relay attempt blocked",
            r#"Some(192.0.2.9) RelayDenied Some("a@x") Some("b@y")"#,
        );
        check(
            "[InvalidAddress] 192.0.2.9 a@x to: b@y invalid",
            r#"Some(192.0.2.9) UnknownUser Some("a@x") Some("b@y")"#,
        );
        check("192.0.2.9 a@x to: b@y [SMTP Reply] 250 ok", "Other");
        check(
            "[MessageOK] 192.0.2.9 \"a to: v@z b\"@x to: b@y ok",
            "unparsed at 67: a reverse-path without quotation marks",
        );
        check(
            "[MessageOK] 192.0.2.9 a@x to: \"b (z)\"@y message ok",
            "unparsed at 67: a forward-path without quotation marks",
        );
        check("info: x", "Other");
    }

    #[test]
    fn no_line_of_it() {
        for line in ["Aug 10 09:04:22 mx x[1]: y", "Aug-10-15 09:04:22 hello there 1", ""] {
            assert!(!(FORMAT.recognises)(line.as_bytes()), "{line}");
        }
    }
}
