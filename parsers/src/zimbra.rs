//! Zimbra's mailbox.log and audit.log: log-ins. (Its mail server is Postfix, whose lines are in zimbra.log.)
//!
//! `2021-03-03 19:26:38,616 INFO  [THREAD] [name=U;oip=192.0.2.9;...;] COMPONENT - TEXT`, and stack traces without a time.

use crate::record::{Event, Line, Peer, Record};
use crate::registry::{Context, Format};
use crate::syslog::time::iso;
use crate::text::{Expected, Parsed, address, expect, split_at_only, unparsed};
use memchr::memmem::find;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until};
use nom::sequence::{delimited, terminated};

/// Zimbra.
pub const FORMAT: Format = Format {
    name: "zimbra",
    title: "Zimbra mailbox.log and audit.log",
    versions: "checked against four published lines of mailbox.log (8.8)",
    yields: "failed log-ins with client and account, also those of SMTP AUTH",
    lacks: "mail: that is in zimbra.log, as Postfix writes it; the zone of its times, the name of the server",
    source: "observed: corpus zimbra (CrowdSec hub); Zimbra administration guide, \"Log files\"",
    repeats: &[],
    recognises: |line| start(line).is_ok(),
    parse,
    direct: |_, _| (),
};

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    if !line.first().is_some_and(u8::is_ascii_digit) {
        return Line::Ignored("a stack trace");
    }
    match start(line) {
        Ok((rest, when)) => {
            Line::Record(Record { when, server: b"", session: None, message: None, event: event(rest) })
        }
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// Parses `2021-03-03 19:26:38,616 INFO  [THREAD] [`: up to where the context of the request begins.
fn start(line: &[u8]) -> Parsed<'_, crate::record::When> {
    const COMMA: usize = 19;
    if line.get(COMMA) != Some(&b',') {
        return Err(nom::Err::Error(Expected { rest: line, what: "a time: `2021-03-03 19:26:38,616`" }));
    }
    let (rest, when) = terminated(iso, tag(" ")).parse(line)?;
    let level = alt((tag("INFO  "), tag("WARN  "), tag("ERROR "), tag("DEBUG "), tag("FATAL "), tag("TRACE ")));
    let (rest, _) = expect("a level: `INFO`", level).parse(rest)?;
    let thread = delimited(tag("["), take_until("] ["), tag("] ["));
    let (rest, _) = expect("a thread and a context in brackets", thread).parse(rest)?;
    Ok((rest, when))
}

/// Reads a failed log-in. Account and user agent are the client's text: a context that names `oip=` twice tells no client.
fn event(rest: &[u8]) -> Event<'_> {
    let Some((context, text)) = find(rest, b"] ").map(|end| (&rest[..end], &rest[end..])) else { return Event::Other };
    let said = find(text, b"authentication failed for [").map(|at| &text[at + b"authentication failed for [".len()..]);
    let Some(said) = said else { return Event::Other };
    let account = find(said, b"], ").or_else(|| find(said, b"]")).map(|end| &said[..end]);
    let client = split_at_only(context, b"oip=").and_then(|(before, rest)| {
        let starts = before.is_empty() || before.ends_with(b";");
        let address = address(rest.split(|byte| *byte == b';').next()?)?;
        starts.then_some(Peer { address: Some(address), name: b"" })
    });
    Event::AuthFailed { client: client.unwrap_or_default(), account }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(context: &str, statement: &str, want: &str) {
        let line = format!("2021-03-03 19:26:38,616 INFO  [qtp1-1:smtp://x/] [{context}] {statement}");
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event: Event::AuthFailed { client, account }, .. }) => {
                format!("{:?} {:?}", client.address, account.map(String::from_utf8_lossy))
            }
            line => format!("{line:?}").chars().take(9).collect(),
        };
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn failed_log_ins() {
        let text = "SoapEngine - handler exception: authentication failed for [a@b], account not found";
        check("oip=192.0.2.9;oport=5;oproto=smtp;", text, r#"Some(192.0.2.9) Some("a@b")"#);
        check("name=a@b;oip=192.0.2.9;ua=x;", text, r#"Some(192.0.2.9) Some("a@b")"#);
        check("name=x;oip=10.0.0.1;oip=192.0.2.9;", text, r#"None Some("a@b")"#);
        check("", text, r#"None Some("a@b")"#);
        check("oip=192.0.2.9;", "imap - x", "Record(Re");
        let parse = |line: &str| format!("{:?}", (FORMAT.parse)(line.as_bytes(), &Context::default()));
        assert_eq!(parse("com.zimbra.X: y"), "Ignored(\"a stack trace\")");
        assert!(parse("2021-03-03 19:26:38 x").starts_with("Unparsed"));
    }
}
