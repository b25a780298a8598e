//! The SMTP protocol logs of Exchange 2007 to 2019 and SE: `RECV*.LOG` and `SEND*.LOG` of every transport service.
//!
//! Comma-separated rows, one for each step of a session: `+` connect, `-` disconnect, `<` received, `>` sent, `*`
//! information. Commands and answers are rows of their own; of a receive log `<` is the client's command, of a
//! send log it is the other server's answer. Times are UTC.

mod refusal;
mod step;

use crate::csv::{self, Fields, offset};
use crate::record::{Event, Key, Line, Peer, Record, Unparsed};
use crate::registry::{Context, Format};
use crate::text::number;

/// SMTP protocol logs of Exchange.
pub const FORMAT: Format = Format {
    name: "exchange-smtp-protocol",
    title: "Microsoft Exchange 2007-2019/SE SMTP protocol log (RECV*.LOG and SEND*.LOG, front end and hub)",
    versions: "checked against published extracts with `#Version` 14 and 15 (Exchange 2010, and 2013 to 2019), 42 records \
               in all; none of them shows a whole transaction or a session passed on by a front end",
    yields: "sessions, EHLO names, accounts, both paths, every answer to MAIL, RCPT and DATA, failed log-ins; our own \
             dialogue with other servers",
    lacks: "what became of accepted mail (message tracking tells); connectors whose protocol logging is off; the name of \
            the server in send logs",
    source: "Microsoft Learn, protocol logging (Exchange 2007 to 2019); RFC 4180, RFC 5321; observed: corpus \
             exchange-smtp-protocol (elastic, crowdsec, R. Milne, two published extracts)",
    repeats: &[],
    recognises,
    parse,
    direct: csv::direct,
};

/// The columns since Exchange 2007.
const COLUMNS: [&str; 9] = [
    "date-time",
    "connector-id",
    "session-id",
    "sequence-number",
    "local-endpoint",
    "remote-endpoint",
    "event",
    "data",
    "context",
];
const RECEIVE: &[u8] = b"SMTP Receive Protocol Log";
const SEND: &[u8] = b"SMTP Send Protocol Log";

/// What the columns that matter hold.
#[derive(Default)]
struct Row<'a> {
    time: &'a [u8],
    connector: &'a [u8],
    session: &'a [u8],
    sequence: &'a [u8],
    remote: &'a [u8],
    event: &'a [u8],
    data: &'a [u8],
    context: &'a [u8],
}

/// Whether a line is surely of this format: the title, the names of its columns, or nine fields of which the first is
/// a time, the fourth a number and the seventh a sign.
fn recognises(line: &[u8]) -> bool {
    let line = csv::unmarked(line);
    if line.starts_with(b"#") {
        let title = csv::title(line).unwrap_or_default();
        return title == RECEIVE || title == SEND || title.starts_with(b"date-time,connector-id,session-id,");
    }
    let Ok(fields) = Fields::split(line) else { return false };
    fields.count == COLUMNS.len()
        && csv::utc(fields.get(0)).is_some()
        && number(fields.get(3)).is_some()
        && matches!(fields.get(6), b"+" | b"-" | b"<" | b">" | b"*")
}

/// Parses one line, with the columns of the latest `#Fields:` line or the nine of all versions.
fn parse<'a>(line: &'a [u8], context: &Context) -> Line<'a> {
    let plain = csv::unmarked(line);
    match plain.first() {
        Some(b'#') => return Line::Directive,
        _ if plain.trim_ascii().is_empty() => return Line::Ignored("blank line"),
        _ => {}
    }
    match read(plain, context) {
        Ok(record) => Line::Record(record),
        Err(Unparsed { at, expected }) => Line::Unparsed(Unparsed { at: at + line.len() - plain.len(), expected }),
    }
}

fn read<'a>(line: &'a [u8], context: &Context) -> Result<Record<'a>, Unparsed> {
    let mut row = Row::default();
    let fields = Fields::split(line)?;
    for (name, value) in fields.named(context, |count| (count == COLUMNS.len()).then_some(COLUMNS.as_slice()))? {
        match name {
            b"date-time" => row.time = value,
            b"connector-id" => row.connector = value,
            b"session-id" => row.session = value,
            b"sequence-number" => row.sequence = value,
            b"remote-endpoint" => row.remote = value,
            b"event" => row.event = value,
            b"data" => row.data = value,
            b"context" => row.context = value,
            _ => {}
        }
    }
    let wanted = |field, expected| Unparsed { at: offset(line, field), expected };
    let when = csv::utc(row.time).ok_or(wanted(row.time, "a time: `2024-02-01T10:00:01.100Z`"))?;
    number(row.sequence).ok_or(wanted(row.sequence, "a number in `sequence-number`"))?;
    let (server, is_receive) = side(&row, context);
    let peer = Peer { address: csv::endpoint(row.remote), name: b"" };
    let event = match (is_receive, is_internal(row.connector)) {
        (true, _) => step::received(&row, peer),
        (false, false) => step::sent(&row, peer),
        (false, true) if matches!(row.event, b"+" | b"-" | b"<" | b">" | b"*") => Some(Event::Other),
        (false, true) => None,
    };
    let event = event.ok_or(wanted(row.event, "`+`, `-`, `<`, `>` or `*` in `event`"))?;
    let session = (!row.session.is_empty()).then_some(Key { scope: row.connector, id: row.session });
    Ok(Record { when, server, session, message: None, event })
}

/// The server, and whether it is the one that was called.
///
/// A receive connector is named `SERVER\Name`, a send connector `Name` (Microsoft Learn, `Identity`): that decides
/// where no `#Log-type:` line came before. The name of the server is only in the former.
fn side<'a>(row: &Row<'a>, context: &Context) -> (&'a [u8], bool) {
    let server = memchr::memchr(b'\\', row.connector).map(|end| &row.connector[..end]);
    match &*context.log_type {
        RECEIVE => (server.unwrap_or_default(), true),
        SEND => (b"", false),
        _ => (server.unwrap_or_default(), server.is_some()),
    }
}

/// Whether a send connector only passes mail between services and servers of one organisation: those that Exchange
/// makes itself have these names (Microsoft Learn, mail flow and the transport pipeline).
fn is_internal(connector: &[u8]) -> bool {
    connector.ends_with(b"Internal Send Connector") || connector == b"Intra-Organization SMTP Send Connector"
}

#[cfg(test)]
mod tests;
