//! hMailServer: `"SMTPD"<TAB>thread<TAB>session<TAB>"time"<TAB>"ip"<TAB>"RECEIVED: MAIL FROM:<a@example.org>"`.
//!
//! Quotation marks in the text are not escaped: the text is all between the sixth field's first mark and the last of the line.

use crate::record::{Event, Key, Line, Peer, Record, Refusal, Watch, When};
use crate::registry::{Context, Format};
use crate::syslog::time::iso;
use crate::text::{Expected, Parsed, address, expect, unparsed};
use crate::transcript::{answer, command};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{digit1, one_of};
use nom::sequence::{delimited, terminated};

/// hMailServer.
pub const FORMAT: Format = Format {
    name: "hmailserver",
    title: "hMailServer (hmailserver_DATE.log)",
    versions: "checked against 16 published lines of 2015, of a session without its end (blanks for tabs, as pasted); refusals and \
               log-ins are written to its source",
    yields: "sessions, EHLO names, both paths, every answer, failed log-ins of SMTP, POP3 and IMAP; whether mail came with a log-in",
    lacks: "the account of mail (base64 in the line after AUTH); what became of accepted mail; the zone of its times; the \
            name of the server; the end of sessions without QUIT",
    source: "hmailserver/hmailserver Logger.cpp, SMTPConnection.cpp; observed: corpus hmailserver",
    repeats: &[],
    recognises: |line| head(line).is_ok(),
    parse,
    direct: |_, _| (),
};

/// Where a line comes from, with a session or without.
enum Head<'a> {
    Session { service: &'a [u8], id: &'a [u8], when: When, client: Peer<'a>, text: &'a [u8] },
    Program { when: When },
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let record = |when, session, event| Line::Record(Record { when, server: b"", session, message: None, event });
    match head(line) {
        Ok((_, Head::Session { service, id, when, client, text })) => {
            record(when, Some(Key { scope: service, id }), event(service, client, text))
        }
        Ok((_, Head::Program { when })) => record(when, None, Event::Other),
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

fn head(line: &[u8]) -> Parsed<'_, Head<'_>> {
    let service = alt((tag("SMTPD"), tag("SMTPC"), tag("POP3D"), tag("POP3C"), tag("IMAPD")));
    let other = alt((tag("APPLICATION"), tag("DEBUG"), tag("ERROR"), tag("TCPIP")));
    let kind = delimited(tag("\""), alt((service, other)), terminated(tag("\""), gap));
    let (rest, service) = expect("a kind of line: `\"SMTPD\"`", kind).parse(line)?;
    let (rest, _) = expect("a thread", terminated(digit1, gap)).parse(rest)?;
    let mut time =
        expect("a time: `\"2024-02-01 10:00:00.409\"`", delimited(tag("\""), iso, terminated(tag("\""), gap)));
    if !matches!(service, b"SMTPD" | b"SMTPC" | b"POP3D" | b"POP3C" | b"IMAPD") {
        let (rest, when) = time.parse(rest)?;
        return Ok((rest, Head::Program { when }));
    }
    let (rest, id) = expect("a session", terminated(digit1, gap)).parse(rest)?;
    let (rest, when) = time.parse(rest)?;
    let ip = nom::bytes::complete::is_not("\"");
    let ip = delimited(tag("\""), ip, terminated(tag("\""), gap));
    let (rest, ip) = expect("the client's address in quotation marks", ip).parse(rest)?;
    let text = rest.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let text = text.ok_or(nom::Err::Error(Expected { rest, what: "a text in quotation marks" }))?;
    let client = Peer { address: address(ip), name: b"" };
    Ok((b"", Head::Session { service, id, when, client, text }))
}

/// The tab between fields; pasted logs have a blank.
fn gap(input: &[u8]) -> Parsed<'_, char> {
    one_of("\t ").parse(input)
}

/// The refusal of a recipient that the client's address range may not send to (SMTPConnection.cpp).
const NOT_ALLOWED: &[u8] = b"Delivery is not allowed to this address";

/// The greeting begins a session; the answer to STARTTLS has its code.
fn event<'a>(service: &[u8], client: Peer<'a>, text: &'a [u8]) -> Event<'a> {
    const WRONG: &[u8] = b"Invalid user name or password.";
    match (service, text.strip_prefix(b"RECEIVED: "), text.strip_prefix(b"SENT: ")) {
        (b"SMTPD", Some(line), _) => command(client, line),
        (b"SMTPD", _, Some(line)) if line.starts_with(b"220 Ready to start TLS") => answer(client, line),
        (b"SMTPD", _, Some([b'2', b'2', b'0', ..])) => Event::Opened { client },
        (b"SMTPD", _, Some([b'2', b'2', b'1', ..] | [b'4', b'2', b'1', ..])) => Event::Closed { client },
        (b"SMTPD", _, Some(line)) => match answer(client, line) {
            Event::Replied { client, reply, .. } if reply.text.starts_with(NOT_ALLOWED) => {
                Event::Replied { client, reply, refusal: Some(Refusal::RelayDenied) }
            }
            event => event,
        },
        (b"POP3D" | b"IMAPD", _, Some(line)) if line.ends_with(WRONG) => {
            Event::LogInsFailed { client, account: None, times: 1, watch: Watch::Service }
        }
        _ => Event::Other,
    }
}
