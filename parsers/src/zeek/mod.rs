//! Zeek's `smtp.log`: what a sensor on the network saw of SMTP transactions, as tab-separated text or as JSON.
//!
//! A record is a transaction: written when the end of DATA is answered, at the next MAIL, or at the end of the connection
//! (scripts/base/protocols/smtp/main.zeek). The sensor writes no server's log, so the server stays unnamed.

mod row;

use crate::json;
use crate::mailbox;
use crate::paths::Paths;
use crate::record::{Event, Key, Line, Peer, Record, Unparsed, When};
use crate::registry::{Context, Format};
use crate::reply::{refusal, reply};
use crate::syslog::time::iso;
use crate::text::number;
use row::Row;

/// Zeek smtp.log.
pub const FORMAT: Format = Format {
    name: "zeek",
    title: "Zeek (Bro) smtp.log, tab-separated or JSON",
    versions: "checked against published logs of 2018 traffic in both forms, all of it encrypted; the rest is written to Zeek's \
               source and test baselines",
    yields: "clients, EHLO names, both paths, the From header, the last reply of each transaction that was not encrypted",
    lacks: "anything after STARTTLS; accounts; sizes; which of several recipients was refused (the last reply stands for all, and \
            a QUIT hides it: such recipients are counted as not followed by a message); the null reverse-path. It shows \
            both directions: state your own outbound servers as trusted",
    source: "zeek/zeek scripts/base/protocols/smtp/main.zeek; Zeek documentation, \"Log formats\"; observed: corpus zeek",
    repeats: &[],
    recognises,
    parse,
    direct,
};

const FIELDS: &[u8] = b"#fields\t";

/// Whether a line is surely of an smtp.log: its `#path`, its `#fields`, or a JSON object with its own names.
fn recognises(line: &[u8]) -> bool {
    if let Some(names) = line.strip_prefix(FIELDS) {
        let has = |wanted: &[u8]| names.split(|byte| *byte == b'\t').any(|name| name == wanted);
        return has(b"mailfrom") && has(b"rcptto");
    }
    let (mut client, mut depth) = (false, false);
    let read = line.starts_with(b"{")
        && json::members(line, |name, _| {
            client |= name == b"id.orig_h";
            depth |= name == b"trans_depth";
        })
        .is_ok();
    line == b"#path\tsmtp" || read && client && depth
}

/// Takes the columns of a `#fields` line. It may come again anywhere: files are rotated and put together.
fn direct(line: &[u8], context: &mut Context) {
    if let Some(names) = line.strip_prefix(FIELDS) {
        context.columns = names.split(|byte| *byte == b'\t').map(Box::from).collect();
    }
}

/// Parses a JSON object, or a line of as many columns as the latest `#fields` line names.
///
/// The separator is taken to be the tab, the only one that Zeek's default configuration writes.
fn parse<'a>(line: &'a [u8], context: &Context) -> Line<'a> {
    let row = match line.first() {
        None => return Line::Ignored("blank line"),
        Some(b'#') => return Line::Directive,
        Some(b'{') => Row::of_object(line),
        Some(_) => Row::of_columns(line, &context.columns),
    };
    match row.and_then(|row| record(&row)) {
        Ok(record) => Line::Record(record),
        Err(unparsed) => Line::Unparsed(unparsed),
    }
}

fn record<'a>(row: &Row<'a>) -> Result<Record<'a>, Unparsed> {
    let when = when(row.time).ok_or(Unparsed { at: 0, expected: "a time in `ts`" })?;
    let client = Peer::from_address(row.client);
    if client.address.is_none() {
        return Err(Unparsed { at: 0, expected: "an address in `id.orig_h`" });
    }
    let session = Some(Key { scope: b"", id: row.session });
    Ok(Record { when, server: b"", session, message: None, event: event(row, client) })
}

/// Seconds since 1970 with a fraction, or an ISO date and time.
fn when(text: &[u8]) -> Option<When> {
    const MICROS: i64 = 1_000_000;
    if let Ok((b"", when)) = iso(text) {
        return Some(when);
    }
    let point = memchr::memchr(b'.', text).unwrap_or(text.len());
    let (seconds, fraction) = (number(&text[..point])?, text.get(point + 1..).unwrap_or_default());
    let micros = (0..6).try_fold(0, |sum, at| match fraction.get(at) {
        Some(digit @ b'0'..=b'9') => Some(sum * 10 + i64::from(digit - b'0')),
        Some(_) => None,
        None => Some(sum * 10),
    })?;
    Some(When::Utc(i64::try_from(seconds).ok()?.checked_mul(MICROS)?.checked_add(micros)?))
}

fn event<'a>(row: &Row<'a>, client: Peer<'a>) -> Event<'a> {
    let reply = reply(row.last_reply);
    let refusal = refusal(&reply);
    let reverse_path = row.reverse_path.map(|path| Paths::list(path, b'\0').iter().next().unwrap_or_default());
    let has_recipients = row.forward_paths.is_some_and(|paths| paths.iter().next().is_some());
    match (row.forward_paths, refusal) {
        (Some(forward_paths), _) if has_recipients => {
            // Without any header seen, `250 2.1.5` is the answer to RCPT: the message never came.
            let answers_data = row.has_data || !reply.text.starts_with(b"2.1.");
            let complete = reply.code == 250 && answers_data;
            let (helo, account, size_bytes) = (row.helo, None, 0);
            let header_from = mailbox::address(row.header_from);
            Event::Whole {
                client,
                helo,
                account,
                reverse_path,
                header_from,
                forward_paths,
                size_bytes,
                complete,
                refusal,
            }
        }
        (_, Some(refusal)) if reverse_path.is_some() => {
            let (stage, helo, account) = (b"MAIL".as_slice(), row.helo, None);
            Event::Refused { client, stage, reply, refusal, reverse_path, forward_path: None, helo, account }
        }
        _ if row.helo.is_empty() => Event::Other,
        _ => Event::Hello { client, name: row.helo },
    }
}

#[cfg(test)]
mod tests;
