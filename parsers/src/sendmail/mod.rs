//! Sendmail and its derivatives, in any syslog envelope.
//!
//! A body is `QUEUEID: statement`, `NOQUEUE: statement` or a bare statement. Only a statement that is known here by its
//! first word and then breaks its grammar is unparsed; any other is [`Event::Other`].

mod arrival;
mod atoms;
mod delivery;
mod refusal;
mod session;

use crate::record::{Event, Key, Line, Offspring};
use crate::registry::{Context, Format};
use crate::syslog::{self, Body, Daemon, Envelope};
use crate::text::{Expected, Parsed};
use atoms::split_queue_id;

/// Sendmail in any syslog envelope.
pub const FORMAT: Format = Format {
    name: "sendmail",
    title: "Sendmail mail log (sendmail, sm-mta, sm-msp-queue; a file of syslogd or rsyslog)",
    versions: "checked against real logs of 8.17.1.9 (Debian 12) and published ones of 8.12 to 8.14; queue ids of 8.8 and later",
    yields: "messages by queue id with client and account, deliveries, refusals with the forward-path, log-ins and failed \
             ones, notifications, local submission in its two steps",
    lacks: "EHLO names, sessions, recipients of which no delivery was tried, the recipient that an alias was given for. \
            A recipient given without angle brackets looks like what an alias was expanded to",
    source: "sendmail 8.17 sendmail/{headers,deliver,srvrsmtp,parseaddr,envelope,milter,util}.c; Sendmail Installation and \
             Operation Guide, section \"Logging\"",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

/// Sendmail, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "Sendmail", claims: is_sendmail, parse: body };

/// What numbers queue ids: all daemons of one host together, since the MSP and the MTA hand mail to each other.
const SCOPE: &[u8] = b"sendmail";

/// Whether a tag is Sendmail's: `sendmail`, `sendmail-in` and `sendmail-out` (two instances around a filter), Debian's
/// `sm-mta`, `sm-msp-queue`, `sm-acceptingconnections` (its `-L` option).
fn is_sendmail(tag: &[u8]) -> bool {
    tag == b"sendmail" || tag.starts_with(b"sendmail-") || tag.starts_with(b"sm-")
}

fn recognises(line: &[u8]) -> bool {
    matches!(syslog::envelope(line), Ok((_, envelope)) if is_sendmail(envelope.tag))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    syslog::line(line)
}

/// Parses the body of a line with a Sendmail tag.
///
/// A child process serves one connection, so the process id is the session; it is given only for the lines that may
/// have to be joined by it: log-ins, and mail from clients that may have logged in.
fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let (id, statement) = match split_queue_id(envelope.body) {
        Some((id, statement)) => (Some(id), statement),
        None => (None, envelope.body.strip_prefix(b"NOQUEUE: ").unwrap_or(envelope.body)),
    };
    let (_, event) = statement_of(id.is_some(), statement)?;
    let has_session = !envelope.pid.is_empty()
        && match &event {
            Event::AuthSucceeded { .. } => true,
            Event::Arrived { .. } => arrival::may_have_logged_in(statement),
            _ => false,
        };
    Ok(Body {
        session: has_session.then_some(Key { scope: envelope.tag, id: envelope.pid }),
        message: id.map(|id| Key { scope: SCOPE, id }),
        event,
    })
}

/// Parses what Sendmail says of a message, where another program's log holds it without the id (FortiMail): how it came in and
/// how it went out. With or without the commas between fields.
pub(crate) fn of_message(input: &[u8]) -> Result<Event<'_>, nom::Err<Expected<'_>>> {
    let event = match input {
        [b'f', b'r', b'o', b'm', b'=', rest @ ..] => {
            arrival::statement(rest).or_else(|first| arrival::without_commas(rest).map_err(|_| first))
        }
        [b't', b'o', b'=', rest @ ..] => {
            delivery::statement(rest).or_else(|first| delivery::without_commas(rest).map_err(|_| first))
        }
        _ => Ok((b"".as_slice(), Event::Other)),
    };
    event.map(|(_, event)| event)
}

fn statement_of(has_id: bool, input: &[u8]) -> Parsed<'_, Event<'_>> {
    match input {
        [b'f', b'r', b'o', b'm', b'=', rest @ ..] if has_id => arrival::statement(rest),
        [b't', b'o', b'=', rest @ ..] if has_id => delivery::statement(rest),
        [b'r', b'u', b'l', b'e', b's', b'e', b't', b'=', rest @ ..] => refusal::ruleset(rest),
        [b'M', b'i', b'l', b't', b'e', b'r', b':', b' ', rest @ ..] => refusal::milter(rest),
        [b'A', b'U', b'T', b'H', ..] => session::log_in(input),
        [b'<' | b'"', ..] if has_id => refusal::recipient(input),
        _ if has_id => Ok((b"", spawned(input).unwrap_or(Event::Other))),
        _ => Ok((b"", Event::Other)),
    }
}

/// `NEWQUEUEID: TEXT`: the message gave rise to another. `clone: owner=O` and `split: ...` are the recipients of a list with
/// an owner, or some of many, under a new id (deliver.c); all else is a notification: `DSN: R`, `return to sender: R`,
/// `sender notify: R`, `postmaster notify: R` (savemail.c).
fn spawned(input: &[u8]) -> Option<Event<'_>> {
    let (child, text) = split_queue_id(input)?;
    let is_copy = text.starts_with(b"clone: ") || text.starts_with(b"split: ");
    let how = if is_copy { Offspring::Forwarded } else { Offspring::Notification };
    Some(Event::Spawned { child, how, silent: true })
}

#[cfg(test)]
mod tests;
