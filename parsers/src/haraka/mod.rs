//! Haraka, on its console, in a file of its own, or through syslog; log formats `default`, `logfmt` and `json`.
//!
//! A session has a UUID, each of its transactions `UUID.1`, `UUID.2`. What happens in it is told in lines of the origin `core`:
//! `connect`, `sender <S>`, `recipient <R>`, `message`, `queue`, `disconnect`. Only the first and the last name the client.

mod entry;
mod event;

use crate::record::{Event, Key, Line, Record, When};
use crate::registry::{Context, Format};
use crate::syslog::time::iso;
use crate::syslog::{self, Body, Daemon, Envelope};
use crate::text::{Expected, Parsed, unparsed};
use entry::Entry;
use nom::Parser;
use nom::bytes::complete::tag;
use nom::sequence::terminated;

/// Haraka, with or without a syslog envelope.
pub const FORMAT: Format = Format {
    name: "haraka",
    title: "Haraka (console, file or syslog; log formats default, logfmt and json)",
    versions: "checked against 66 published lines of 2016, default format; logfmt, json, refusals and log-ins are written to the \
               source of 3.1.6",
    yields: "sessions with client and EHLO name, both paths, refusals, sizes and Message-IDs, failed log-ins; whether the client \
             was allowed to relay",
    lacks: "accounts; what became of accepted mail (its lines of deliveries name no recipients); which recipients were refused \
            where some were that no plugin speaks for, as these are logged like accepted ones; the time, unless \
            `timestamps=true` or through syslog. Whether a client that may relay logged in or is on \
            the list of relays",
    source: "haraka/Haraka 3.1.6 logger.js, connection.js, plugins/auth/auth_base.js; observed: corpus haraka",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

/// Haraka, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "Haraka", claims: |tag| tag == b"haraka", parse: body };

/// What numbers sessions: UUIDs are never used again.
const SCOPE: &[u8] = b"haraka";

fn recognises(line: &[u8]) -> bool {
    own_file(line).is_ok_and(|(_, (_, entry))| entry.is_surely_one())
        || matches!(syslog::envelope(line), Ok((_, envelope)) if (DAEMON.claims)(envelope.tag))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    let Ok((_, (when, entry))) = own_file(line) else { return syslog::line(line) };
    match event::of(&entry) {
        Ok(event) => Line::Record(Record { when, server: b"", session: session(&entry), message: None, event }),
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// Parses a line of the console or of a file, with the time in front if `timestamps=true`.
fn own_file(line: &[u8]) -> Parsed<'_, (When, Entry<'_>)> {
    let timed: Parsed<'_, When> = match line.first() {
        Some(b'0'..=b'9') => terminated(iso, tag(" ")).parse(line),
        _ => Ok((line, When::Unknown)),
    };
    let (rest, when) = timed?;
    Ok((b"", (when, entry::entry(rest)?)))
}

fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let other = Body { session: None, message: None, event: Event::Other };
    // A plugin may write lines of its own, and a text of several lines has no entry in the later ones.
    let Ok(entry) = entry::entry(envelope.body) else { return Ok(other) };
    Ok(Body { session: session(&entry), message: None, event: event::of(&entry)? })
}

/// The session: the UUID without the number of the transaction. Lines of no session have `-`.
fn session<'a>(entry: &Entry<'a>) -> Option<Key<'a>> {
    let id = entry.uuid.split(|byte| *byte == b'.').next().unwrap_or_default();
    (entry::UUID == id.len()).then_some(Key { scope: SCOPE, id })
}

#[cfg(test)]
mod tests;
