//! MailScanner, a filter that takes messages out of the mail server's queue and puts them back, through syslog.
//!
//! Its verdicts (`Message ID from A (S) to D is spam, ...`) repeat client, reverse-path and domains of mail that the mail
//! server logs itself, with all recipients: counting them would count that mail twice. What only MailScanner tells is under
//! which id Postfix finds the message again: `Requeue: OLD.ENTROPY to NEW`. Sendmail and Exim keep the id.

use crate::record::{Event, Key, Line, Offspring};
use crate::registry::{Context, Format};
use crate::syslog::{self, Body, Daemon, Envelope};
use crate::text::{Expected, Parsed, expect};
use nom::Parser;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::{eof, opt};
use nom::sequence::{preceded, terminated};

/// MailScanner in any syslog envelope.
pub const FORMAT: Format = Format {
    name: "mailscanner",
    title: "MailScanner (through syslog, mostly in the mail server's file)",
    versions: "checked against 10 published lines of 2013 and 2025, behind Postfix",
    yields: "under which id Postfix takes a scanned message back: it joins what came in with what went out",
    lacks: "mail of its own: its verdicts repeat what the mail server logs, and are not counted; what it deletes or keeps looks \
            like mail that waits",
    source: "observed: corpus mailscanner (CrowdSec hub), postfix (MailLogParser)",
    repeats: &[],
    recognises: |line| matches!(syslog::envelope(line), Ok((_, envelope)) if claims(envelope.tag)),
    parse,
    direct: |_, _| (),
};

/// MailScanner, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "MailScanner", claims, parse: body };

/// The Postfix instance whose queue it works on: its usual name, as MailScanner does not log it.
const INSTANCE: &[u8] = b"postfix";

fn claims(tag: &[u8]) -> bool {
    tag == b"MailScanner"
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    syslog::line(line)
}

fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    match envelope.body.strip_prefix(b"Requeue: ") {
        Some(rest) => requeue(rest).map(|(_, body)| body),
        None => Ok(Body { session: None, message: None, event: Event::Other }),
    }
}

/// Parses `1E91B13CC91.AFF17 to 0900613CC9D`. What follows the dot only names MailScanner's working file.
fn requeue(input: &[u8]) -> Parsed<'_, Body<'_>> {
    let (rest, old) = expect("a queue id", id).parse(input)?;
    let (rest, _) =
        terminated(opt(preceded(tag("."), id)), expect("` to ` and the new id", tag(" to "))).parse(rest)?;
    let (rest, child) = terminated(expect("the new queue id", id), expect("the end of the line", eof)).parse(rest)?;
    let event = Event::Spawned { child, how: Offspring::Reinjected, silent: false };
    Ok((rest, Body { session: None, message: Some(Key { scope: INSTANCE, id: old }), event }))
}

fn id(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|byte: u8| byte.is_ascii_alphanumeric())(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, want: &str) {
        let line = format!("Feb 21 17:30:46 mx2 MailScanner[28681]: {body}");
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(record) => match (record.event, record.message) {
                (Event::Spawned { child, how: Offspring::Reinjected, .. }, Some(key)) => {
                    format!("{} to {}", String::from_utf8_lossy(key.id), String::from_utf8_lossy(child))
                }
                (event, None) => format!("{event:?}"),
                other => format!("{other:?}"),
            },
            Line::Unparsed(why) => format!("unparsed at {}: {}", why.at, why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{body}");
    }

    #[test]
    fn a_message_goes_back_under_a_new_id() {
        check("Requeue: 1E91B13CC91.AFF17 to 0900613CC9D", "1E91B13CC91 to 0900613CC9D");
        check("Requeue: 1E91B13CC91 to 4bsM5k4xJmz4rT6", "1E91B13CC91 to 4bsM5k4xJmz4rT6");
        check("Requeue: 1E91B13CC91.AFF17", "unparsed at 66: ` to ` and the new id");
        check("Requeue: 1E91B13CC91 to 09006 x", "unparsed at 69: the end of the line");
        check("Requeue: <a>", "unparsed at 49: a queue id");
    }

    #[test]
    fn verdicts_repeat_what_the_mail_server_logs() {
        check("Message 4bsM5k from 192.0.2.9 (a@example.org) to example.com is spam (blacklisted)", "Other");
        check("Message 4bsM5k from 192.0.2.9 (x) to y\nRequeue: A to B (z) to example.com is not spam", "Other");
        check("New Batch: Scanning 1 messages, 2345 bytes", "Other");
    }
}
