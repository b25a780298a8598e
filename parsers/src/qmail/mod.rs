//! The qmail family: qmail-send, qmail-smtpd with its patches, tcpserver, rblsmtpd, vpopmail, spamdyke.
//!
//! Each of them writes statements to standard error; multilog puts a time before them, or splogger sends them to syslog. What
//! kind of statement it is, its first words tell.

mod queue;
mod smtpd;
pub(crate) mod time;
mod vpopmail;

use crate::record::{Event, Key, Line, Record};
use crate::registry::{Context, Format};
use crate::syslog::{self, Body, Daemon, Envelope};
use crate::text::{Expected, Parsed, unparsed};
use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::character::complete::char;
use nom::combinator::{opt, recognize};
use nom::sequence::terminated;

/// Logs of multilog and of splogger.
pub const FORMAT: Format = Format {
    name: "qmail",
    title: "qmail family: qmail-send, qmail-smtpd with CHKUSER, tcpserver, rblsmtpd, vpopmail, spamdyke (multilog or syslog)",
    versions: "checked against a published qmail-send log of 2010 (multilog) and published vpopmail and rblsmtpd lines",
    yields: "messages with reverse-path, size, recipients and what became of them (qmail-send); clients, EHLO names, \
             accounts, both paths and relay decisions (CHKUSER, spamdyke); failed log-ins (vpopmail)",
    lacks: "any link between qmail-smtpd and qmail-send: where both logs are read, a recipient is counted in each, without \
            its client in the second. Plain qmail-smtpd logs nothing. CHKUSER does not tell an account from an ident \
            answer (run tcpserver with -R), nor whether the message came after RCPT",
    source: "qmail-log(5); qmail-send.c; ucspi-tcp 0.88; CHKUSER 2.0.9 log format; vpopmail vchkpw.c; spamdyke README; observed: \
             corpus qmail",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

/// The family, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "qmail", claims, parse: body };

/// Whether a syslog tag is of the family: `splogger qmail` is what qmail's own start script has.
fn claims(tag: &[u8]) -> bool {
    const TAGS: [&[u8]; 7] = [b"qmail", b"splogger", b"tcpserver", b"rblsmtpd", b"vpopmail", b"vchkpw", b"spamdyke"];
    TAGS.contains(&tag) || tag.starts_with(b"qmail-")
}

fn recognises(line: &[u8]) -> bool {
    match time::stamp(line) {
        Ok((text, _)) => is_known(text),
        Err(_) => matches!(syslog::envelope(line), Ok((_, envelope)) if claims(envelope.tag)),
    }
}

/// Whether no other program that logs through multilog begins a statement like this.
fn is_known(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 13] = [
        b"new msg ",
        b"info msg ",
        b"end msg ",
        b"bounce msg ",
        b"starting delivery ",
        b"status: local ",
        b"delivery ",
        b"CHKUSER ",
        b"qmail-smtpd: ",
        b"tcpserver: ",
        b"rblsmtpd: ",
        b"vchkpw-",
        b"spamdyke: ",
    ];
    STARTS.iter().any(|start| text.starts_with(start))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored(syslog::BLANK);
    }
    match time::stamp(line) {
        Ok((text, when)) => match statement(text) {
            Ok((_, (message, event))) => {
                Line::Record(Record { when, server: b"", session: None, message: message.map(key), event })
            }
            Err(error) => Line::Unparsed(unparsed(line, &error)),
        },
        Err(error) if matches!(line.first(), Some(b'@')) => Line::Unparsed(unparsed(line, &error)),
        Err(_) => syslog::line(line),
    }
}

/// qmail numbers its messages and its attempts; a server has one queue.
fn key(id: &[u8]) -> Key<'_> {
    Key { scope: b"qmail", id }
}

/// Parses a body in syslog: splogger puts the time before it once more, `1157520813.485077 `. A tag may say what program it is in
/// place of the statement.
fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let digits = || take_while1(|byte: u8| byte.is_ascii_digit());
    let (text, _) = opt(terminated(recognize((digits(), char('.'), digits())), char(' '))).parse(envelope.body)?;
    let (_, (message, event)) = match envelope.tag {
        b"spamdyke" => smtpd::spamdyke(text).map(|(rest, event)| (rest, (None, event))),
        b"rblsmtpd" => smtpd::rblsmtpd(text).map(|(rest, event)| (rest, (None, event))),
        _ => statement(text),
    }?;
    Ok(Body { session: None, message: message.map(key), event })
}

type Statement<'a> = (Option<&'a [u8]>, Event<'a>);

/// Parses a statement: the message it names, and what it says.
fn statement(text: &[u8]) -> Parsed<'_, Statement<'_>> {
    let alone = |(rest, event)| (rest, (None, event));
    match text.first() {
        Some(b'C') if text.starts_with(b"CHKUSER ") => smtpd::chkuser(&text[8..]).map(alone),
        Some(b't') if text.starts_with(b"tcpserver: pid ") => smtpd::tcpserver(&text[15..]).map(alone),
        Some(b'r') if text.starts_with(b"rblsmtpd: ") => smtpd::rblsmtpd(&text[10..]).map(alone),
        Some(b's') if text.starts_with(b"spamdyke: ") => smtpd::spamdyke(&text[10..]).map(alone),
        Some(b'v') if text.starts_with(b"vchkpw-") => vpopmail::statement(text).map(alone),
        _ => queue::statement(text),
    }
}

#[cfg(test)]
mod tests;
