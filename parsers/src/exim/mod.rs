//! Exim 4, in its own log files or through syslog.
//!
//! A line is `TIME [pid] MESSAGE-ID statement`, with the pid and the id where there is one. What kind of statement it is, its
//! first word tells. Only one that is known here and breaks its grammar is unparsed; any other is
//! [`Event::Other`], since every ACL may write what it likes.

mod arrival;
mod atoms;
mod delivery;
mod fields;
pub(crate) mod refusal;
mod refused;
mod session;

use crate::record::{Event, Key, Line, Record, Status};
use crate::registry::{Context, Format};
use crate::syslog::{self, Body, Daemon, Envelope};
use crate::text::{Expected, Parsed, unparsed};
use atoms::{message_id, timestamp};
use nom::Parser;
use nom::bytes::complete::tag;
use nom::character::complete::{char, digit1};
use nom::combinator::{opt, recognize};
use nom::sequence::{delimited, preceded, terminated};

/// Exim's own log files, and Exim in any syslog envelope.
pub const FORMAT: Format = Format {
    name: "exim",
    title: "Exim 4 main log and reject log (mainlog, rejectlog, exim_mainlog), or through syslog",
    versions: "checked against real logs of 4.96 (Debian 12), with and without log_selector +all, published ones of 4.6x \
               and later, and the logs of Exim's own test suite; short and long (4.97) message ids",
    yields: "messages by id with client, EHLO name, account and local user, deliveries, refusals with both paths, failed log-ins, \
             notifications",
    lacks: "sessions, recipients that are not delivered to (unless +received_recipients), reply codes of refusals, headers, \
            the zone of its times (unless log_timezone), the name of the server",
    source: "Exim 4 specification, chapter \"Log files\"; src/receive.c, deliver.c, smtp_in.c, host.c",
    // (Specification, section "Where the logs are written".)
    repeats: &[("rejectlog", "mainlog"), ("exim_rejectlog", "exim_mainlog")],
    recognises,
    parse,
    direct: |_, _| (),
};

/// Exim, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "Exim", claims: is_exim, parse: body };

/// Reason to ignore the lines that follow a refusal in the reject log.
pub const HEADERS: &str = "headers of a refused message";

/// Whether a syslog tag is Exim's: `exim` (`syslog_processname`), Debian's `exim4`, Sophos' `exim-in` and `exim-out`,
/// or the unit that `journalctl -o with-unit` shows.
fn is_exim(tag: &[u8]) -> bool {
    matches!(tag, b"exim" | b"exim4" | b"Exim" | b"exim.service" | b"exim4.service") || tag.starts_with(b"exim-")
}

fn recognises(line: &[u8]) -> bool {
    match start(line) {
        Ok((statement, (_, id))) => is_known(id, statement),
        Err(_) => matches!(syslog::envelope(line), Ok((_, envelope)) if is_exim(envelope.tag)),
    }
}

/// Whether no other program writes such a statement after such a time.
fn is_known(id: Option<&[u8]>, statement: &[u8]) -> bool {
    const OF_MESSAGES: [&[u8]; 10] =
        [b"<= ", b"(= ", b"=> ", b"-> ", b">> ", b"*> ", b"** ", b"== ", b"Completed", b"Frozen"];
    const OTHERS: [&[u8]; 13] = [
        b"Start queue run: pid=",
        b"End queue run: pid=",
        b"exim 4.",
        b"cwd=/",
        b"SMTP call from [",
        b"SMTP connection from ",
        b"SMTP syntax error in \"",
        b"SMTP protocol ",
        b"SMTP command timeout on connection from ",
        b"no host name found for IP address ",
        b"unexpected disconnection while reading SMTP command from ",
        b"unqualified recipient rejected: <",
        b"unqualified sender rejected: <",
    ];
    let begins = |starts: &[&[u8]]| starts.iter().any(|start| statement.starts_with(start));
    let mentions = |words: &[u8]| memchr::memmem::find(statement, words).is_some();
    let has_client = [b"H=".as_slice(), b"U=", b"F=<"].iter().any(|key| statement.starts_with(key));
    match id {
        Some(_) => begins(&OF_MESSAGES) || has_client,
        None => begins(&OTHERS) || mentions(b" authenticator failed for ") || has_client && mentions(b" rejected "),
    }
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    match start(line) {
        Ok((rest, (when, id))) => match statement(id, rest) {
            Ok((_, event)) => Line::Record(Record { when, server: b"", session: None, message: id.map(key), event }),
            Err(error) => Line::Unparsed(unparsed(line, &error)),
        },
        Err(error) => without_time(line).unwrap_or_else(|| Line::Unparsed(unparsed(line, &error))),
    }
}

fn key(id: &[u8]) -> Key<'_> {
    Key { scope: b"", id }
}

/// A line without Exim's time in front: blank, of the reject log, or in a syslog envelope.
///
/// The reject log adds to the line of the main log, if the headers had come in by then, `Envelope-from: <S>`, `Envelope-to: <R>`,
/// the headers, each behind a letter and a space (`P Received: ...`, `  Subject: ...`), and a line of dashes (src/log.c).
fn without_time(line: &[u8]) -> Option<Line<'_>> {
    if line.trim_ascii().is_empty() {
        return Some(Line::Ignored(syslog::BLANK));
    }
    let is_dashes = line.starts_with(b"-----");
    let is_header = matches!(line, [b'A'..=b'Z' | b'*', b' ', b'!'..=b'~', ..]) && memchr::memchr(b':', line).is_some();
    let is_continued = line.starts_with(b" ") || line.starts_with(b"\t");
    if is_dashes || is_header || is_continued || line.starts_with(b"Envelope-") {
        return Some(Line::Ignored(HEADERS));
    }
    syslog::envelope(line).is_ok().then(|| syslog::line(line))
}

type Start<'a> = (crate::record::When, Option<&'a [u8]>);

/// Parses `TIME [pid] MESSAGE-ID `, the pid (`+pid`) and the id if there.
fn start(input: &[u8]) -> Parsed<'_, Start<'_>> {
    let (input, when) = terminated(timestamp, char(' ')).parse(input)?;
    let (input, _) = opt(delimited(char('['), digit1, tag("] "))).parse(input)?;
    let (input, id) = opt(terminated(message_id, opt(char(' ')))).parse(input)?;
    Ok((input, (when, id)))
}

/// Parses the body of a line with Exim's tag. Unless `syslog_timestamp` is off, Exim's time stands there again; a long line comes in pieces,
/// `[1/2] ` and `[2\2] ` (src/log.c, `write_syslog`), of which the first is read as if it were all.
fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let part = recognize((char('['), digit1, nom::character::complete::one_of("/\\"), digit1, tag("] ")));
    let (rest, part) = opt(part).parse(envelope.body)?;
    if part.is_some_and(|part| !part.starts_with(b"[1/") && !part.starts_with(b"[1\\")) {
        return Ok(Body { session: None, message: None, event: Event::Other });
    }
    let dated: Parsed<'a, Start<'a>> = start(rest);
    let (rest, id) = match dated {
        Ok((rest, (_, id))) => (rest, id),
        Err(_) => preceded(opt(delimited(char('['), digit1, tag("] "))), opt(terminated(message_id, opt(char(' ')))))
            .parse(rest)?,
    };
    let (_, event) = statement(id, rest)?;
    Ok(Body { session: None, message: id.map(key), event })
}

fn statement<'a>(id: Option<&'a [u8]>, input: &'a [u8]) -> Parsed<'a, Event<'a>> {
    match id {
        Some(_) => of_message(input),
        None => of_server(input),
    }
}

/// A line that names a message. `(=` is an arrival whose client was told that it was refused (`control = fakereject`).
fn of_message(input: &[u8]) -> Parsed<'_, Event<'_>> {
    match input {
        [b'<' | b'(', b'=', b' ', rest @ ..] => arrival::statement(rest),
        [b'=' | b'-' | b'>', b'>', b' ', rest @ ..] => delivery::statement(Status::Sent, rest),
        [b'*', b'*', b' ', rest @ ..] => delivery::statement(Status::Bounced, rest),
        [b'=', b'=', b' ', rest @ ..] => delivery::statement(Status::Deferred, rest),
        _ if input == b"Completed" || input.starts_with(b"Completed ") => Ok((b"", Event::Removed)),
        _ => refused::statement(input),
    }
}

/// A line that names no message.
fn of_server(input: &[u8]) -> Parsed<'_, Event<'_>> {
    match input.first() {
        Some(b'u') if input.starts_with(b"unqualified ") => refused::unqualified(input),
        Some(b'S') if input.starts_with(b"SMTP syntax error in ") => refused::syntax_error(input),
        Some(b'S') if input.starts_with(b"SMTP connection from ") => session::connection(input),
        Some(b'C') if input.starts_with(b"Connection from ") => refused::connection(input),
        Some(b'r') if input.starts_with(b"refused connection from ") => refused::connection(input),
        Some(b'r') if input.starts_with(b"refused relay ") => refused::relay(input),
        _ if is_log_in(input) => session::log_in(input),
        _ => refused::statement(input),
    }
}

fn is_log_in(input: &[u8]) -> bool {
    let space = memchr::memchr(b' ', input).unwrap_or(input.len());
    input[space..].starts_with(b" authenticator failed for ")
}

#[cfg(test)]
mod tests;
