//! Cisco Secure Email Gateway (ESA, IronPort): the consolidated event log, a line for each message in CEF.
//!
//! `CEF:0|Cisco|...|ESA_CONSOLIDATED_LOG_EVENT|Consolidated Log Event|5|key=value key=value`, mostly behind a syslog header. Values
//! hold spaces, and releases differ in what they escape; so a key that stands there twice is not believed: the line is unparsed.

use crate::mailbox;
use crate::paths::Paths;
use crate::record::{Event, Key, Line, Peer, Record, Refusal, When};
use crate::registry::{Context, Format};
use crate::syslog::time;
use crate::text::{Expected, address, number, unparsed, value_of_key};
use chrono::NaiveDateTime;
use memchr::memmem::find;

/// Cisco ESA, consolidated event log.
pub const FORMAT: Format = Format {
    name: "cisco-esa",
    title: "Cisco Secure Email Gateway / ESA (IronPort), consolidated event log in CEF",
    versions: "checked against published events of AsyncOS 13.0 to 16.0",
    yields: "client, EHLO name, both paths, From header, size and last action of every message",
    lacks: "accounts, refused recipients, which server took a message; the text mail logs (mail_logs) are a format of their own",
    source: "Cisco \"Consolidated Event Logs\" (AsyncOS user guide, Logging); observed: corpus cisco-esa (SEKOIA, Splunk)",
    repeats: &[],
    recognises: |line| body(line).is_some(),
    parse,
    direct: |_, _| (),
};

const HEAD: &[u8] = b"CEF:0|Cisco|";
const NAME: &[u8] = b"|ESA_CONSOLIDATED_LOG_EVENT|Consolidated Log Event|";
/// A syslog header is shorter than this.
const LONGEST_HEADER: usize = 200;

/// The fields of an event: what stands behind its CEF header.
fn body(line: &[u8]) -> Option<&[u8]> {
    let start = find(&line[..line.len().min(LONGEST_HEADER)], HEAD)?;
    let rest = &line[start..];
    let name = find(&rest[..rest.len().min(LONGEST_HEADER)], NAME)?;
    let rest = &rest[name + NAME.len()..];
    Some(&rest[memchr::memchr(b'|', rest)? + 1..])
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let Some(fields) = body(line) else { return Line::Ignored("another kind of event") };
    match record(line, fields) {
        Ok(record) => Line::Record(record),
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

fn record<'a>(line: &'a [u8], fields: &'a [u8]) -> Result<Record<'a>, nom::Err<Expected<'a>>> {
    let one = |names: &[&[u8]]| {
        let mut found =
            names.iter().filter_map(|name| value_of_key(fields, name, |byte| byte.is_ascii_alphanumeric()).transpose());
        let wanted = nom::Err::Error(Expected { rest: fields, what: "each key once" });
        found.next().transpose().map_err(|()| wanted)
    };
    let time = one(&[b"endTime", b"end"])?.and_then(local_time);
    let header = || time::timestamp(line).map_or(When::Unknown, |(_, when)| when);
    let message = one(&[b"ESAMID"])?.map(|id| Key { scope: b"", id });
    let client = one(&[b"sourceAddress", b"src"])?.and_then(address);
    let name = one(&[b"sourceHostName", b"shost"])?.filter(|name| *name != b"unknown").unwrap_or_default();
    let event = match (client, one(&[b"duser"])?) {
        (Some(address), Some(recipients)) => {
            let refusal = one(&[b"act"])?.and_then(refusal);
            // A header that looks like two fields costs nothing but what it says.
            let header_from = one(&[b"ESAFriendlyFrom"]).ok().flatten().map(mailbox::address).unwrap_or_default();
            Event::Whole {
                client: Peer { address: Some(address), name },
                helo: one(&[b"ESAHeloDomain"])?.unwrap_or_default(),
                account: None,
                reverse_path: one(&[b"suser"])?,
                header_from,
                forward_paths: Paths::list(recipients, b';'),
                size_bytes: one(&[b"ESAMsgSize"])?.and_then(number).unwrap_or(0),
                complete: true,
                refusal,
            }
        }
        // An event of one part of the work only (what was quarantined, what is queued).
        _ => Event::Other,
    };
    Ok(Record { when: time.unwrap_or_else(header), server: b"", session: None, message, event })
}

/// What the gateway did last: it took the message in any case, but if it bounced or dropped it, it did not pass it on.
fn refusal(action: &[u8]) -> Option<Refusal> {
    match action {
        b"BOUNCED" => Some(Refusal::Other),
        b"DROPPED" | b"ABORTED" => Some(Refusal::Content),
        _ => None,
    }
}

/// `Wed Mar  1 19:02:03 2023`, the gateway's local time.
fn local_time(text: &[u8]) -> Option<When> {
    let text = std::str::from_utf8(text).ok()?;
    NaiveDateTime::parse_from_str(text.trim(), "%a %b %e %H:%M:%S %Y").ok().map(When::Local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn check(fields: &str, want: &str) {
        let line = format!("Mar  1 19:02:04 esa1 CEF:0|Cisco|C300V|14.2.1-015{}5|{fields}", text(NAME));
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event, when, .. }) => match event {
                Event::Whole { client, helo, reverse_path, forward_paths, size_bytes, refusal, .. } => {
                    let to: Vec<_> = forward_paths.iter().map(text).collect();
                    let (from, helo, name) = (reverse_path.map(text), text(helo), text(client.name));
                    format!("{:?} {name} {helo} {from:?} {to:?} {size_bytes} {refusal:?}", client.address)
                }
                event => format!("{event:?} {}", matches!(when, When::Local(_))),
            },
            Line::Unparsed(why) => format!("unparsed: {}", why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{fields}");
    }

    #[test]
    fn events() {
        let base = "ESAMID=7 endTime=Wed Mar  1 19:02:03 2023 suser=a@example.org act=DELIVERED ESAMsgSize=9";
        check(
            &format!(
                "{base} duser=b@x;c@y ESAHeloDomain=h sourceHostName=mx.example.org sourceAddress=192.0.2.9 msg=a b"
            ),
            r#"Some(192.0.2.9) mx.example.org h Some("a@example.org") ["b@x", "c@y"] 9 None"#,
        );
        check(
            "suser=a@x act=BOUNCED duser=b@x shost=unknown src=192.0.2.9",
            r#"Some(192.0.2.9)   Some("a@x") ["b@x"] 0 Some(Other)"#,
        );
        check("ESAMID=7 ESAStatus=QUEUED", "Other false");
        check("ESAMID=7 end=Wed Mar  1 19:02:03 2023", "Other true");
    }

    #[test]
    fn the_header_from() {
        let check = |fields: &str, want: &str| {
            let line = format!("CEF:0|Cisco|C300V|14.2.1-015{}5|{fields} duser=b@x src=192.0.2.9", text(NAME));
            let line = (FORMAT.parse)(line.as_bytes(), &Context::default());
            let Line::Record(Record { event: Event::Whole { header_from, .. }, .. }) = line else {
                panic!("{fields}: {line:?}")
            };
            assert_eq!(text(header_from), want, "{fields}");
        };
        check("suser=x@evil.test ESAFriendlyFrom=Anna <a@example.org> ESAGMVerdict=NEGATIVE", "a@example.org");
        check(r#"suser=x@evil.test ESAFriendlyFrom=\"Anna B\" <a@example.org>"#, "a@example.org");
        check("suser=x@evil.test ESAFriendlyFrom=a@example.org ESAFriendlyFrom=<b@example.org>", "");
        check("suser=x@evil.test", "");
    }

    #[test]
    fn a_subject_cannot_name_a_client() {
        check("suser=a@x duser=b@x sourceAddress=192.0.2.9 msg=hi sourceAddress=10.0.0.1", "unparsed: each key once");
        check("suser=\"x duser=v@z\"@x duser=b@x sourceAddress=192.0.2.9", "unparsed: each key once");
    }

    #[test]
    fn other_lines() {
        let parse = |line: &str| format!("{:?}", (FORMAT.parse)(line.as_bytes(), &Context::default()));
        assert_eq!(parse("Mar  1 19:02:04 esa1 x: y"), "Ignored(\"another kind of event\")");
        assert_eq!(parse(""), "Ignored(\"blank line\")");
    }
}
