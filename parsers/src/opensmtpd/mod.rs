//! OpenSMTPD, in any syslog envelope.
//!
//! Since 6.4 a body is `SESSION smtp|mta|mda EVENT key=value ...`; 6.0 to 6.3 write `event=EVENT`. Before, there are sentences: see `older`.
//! Only an event that is known here and then breaks its grammar is unparsed; any other is [`Event::Other`].
//!
//! The id of a recipient (`evpid`) is sixteen hexadecimal digits; the first eight are the id of the message.

mod atoms;
mod delivery;
mod older;
mod refusal;
mod session;

use crate::record::{Event, Key, Line};
use crate::registry::{Context, Format};
use crate::syslog::{self, Body, Daemon, Envelope};
use crate::text::{Expected, Parsed};
use atoms::{MESSAGE, id, word};

/// OpenSMTPD in any syslog envelope.
pub const FORMAT: Format = Format {
    name: "opensmtpd",
    title: "OpenSMTPD mail log (smtpd; a file of syslogd or rsyslog)",
    versions: "checked against real logs of 6.8.0p2 (Debian 12) and published ones of 5.x; 6.0 to 6.3 by their sources",
    yields: "sessions with client and account, messages by id, recipients as given and as rewritten, deliveries, refused \
             recipients",
    lacks: "EHLO names, the reverse-path of refused recipients, why a recipient was refused: relaying and unknown users \
            get the same answer",
    source: "OpenSMTPD 6.8.0p2 usr.sbin/smtpd/{smtp_session,mta_session,mta,mda,bounce}.c; 5.4 smtp_session.c",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

/// OpenSMTPD, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "OpenSMTPD", claims: is_opensmtpd, parse: body };

/// What numbers sessions and messages: both ids are random, and unique within a host for long.
const SCOPE: &[u8] = b"smtpd";

fn is_opensmtpd(tag: &[u8]) -> bool {
    tag == b"smtpd"
}

fn recognises(line: &[u8]) -> bool {
    matches!(syslog::envelope(line), Ok((_, envelope)) if is_opensmtpd(envelope.tag))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    syslog::line(line)
}

/// What a line says, and the ids of the SMTP session and the message it names.
#[derive(Debug, Default)]
struct Statement<'a> {
    session: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
    event: Option<Event<'a>>,
}

/// Parses the body of a line with the tag `smtpd`.
fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let statement = match id(envelope.body) {
        Some((session, rest)) if rest.starts_with(b" ") => by_session(session, &rest[1..])?.1,
        _ => older::statement(envelope.body)?.1,
    };
    let key = |id| Key { scope: SCOPE, id };
    Ok(Body {
        session: statement.session.map(key),
        // A message's id is the beginning of those of its recipients.
        message: statement.message.and_then(|id| id.get(..MESSAGE)).map(key),
        event: statement.event.unwrap_or(Event::Other),
    })
}

/// Parses what follows the session id. Only `smtp` sessions are a client's: `mta` and `mda` have ids of their own.
fn by_session<'a>(session: &'a [u8], input: &'a [u8]) -> Parsed<'a, Statement<'a>> {
    let (rest, kind) = word(input)?;
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let rest = rest.strip_prefix(b"event=").unwrap_or(rest);
    let (rest, event) = word(rest)?;
    match (kind, event) {
        (b"smtp", _) => {
            let (rest, mut statement) = session::statement(event, rest)?;
            statement.session = Some(session);
            Ok((rest, statement))
        }
        (b"mta" | b"mda", b"delivery") => delivery::statement(kind, rest),
        _ => Ok((b"", Statement::default())),
    }
}

#[cfg(test)]
mod tests;
