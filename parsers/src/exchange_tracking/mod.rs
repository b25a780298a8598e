//! Message tracking of Exchange 2007 to 2019 and SE: `MSGTRK*.LOG`.
//!
//! Comma-separated rows, one for each event of a message and a group of its recipients. Mail that was refused is not
//! tracked. The columns changed with the versions, so the `#Fields:` line names them. Times are UTC.

mod event;
mod row;

use crate::csv::{self, Fields, offset};
use crate::record::{Key, Line, Record, Unparsed};
use crate::registry::{Context, Format};
pub(crate) use row::Row;

/// Message tracking of Exchange 2007 and later.
pub const FORMAT: Format = Format {
    name: "exchange-tracking",
    title: "Microsoft Exchange 2007-2019/SE message tracking log (MSGTRK*.LOG)",
    versions: "checked against the documented columns of 2013 and 2016/2019, a published header of 2010, and 6 published \
               records of 2013 and 2019; the columns of 2007 are not verified",
    yields: "clients (behind the front end too), both paths, the Sender or From header, sizes and Message-IDs of mail that was taken in, and what \
             became of every recipient",
    lacks: "refusals, EHLO names, accounts: only whether the server knew the client",
    source: "Microsoft Learn, message tracking (Exchange 2013, and 2016 to 2019); observed: corpus \
             exchange-message-tracking (elastic, awslabs)",
    repeats: &[],
    recognises,
    parse,
    direct: csv::direct,
};

const TITLE: &[u8] = b"Message Tracking Log";

/// Whether a line is surely of this format: the title, the names of its columns, or as many fields as one of the
/// versions writes, of which the first is a time and the eighth and ninth are words of capitals.
fn recognises(line: &[u8]) -> bool {
    let line = csv::unmarked(line);
    if line.starts_with(b"#") {
        let title = csv::title(line).unwrap_or_default();
        return title == TITLE || title.starts_with(b"date-time,client-ip,client-hostname,");
    }
    let Ok(fields) = Fields::split(line) else { return false };
    let is_word = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_uppercase);
    row::columns(fields.count).is_some()
        && csv::utc(fields.get(0)).is_some()
        && is_word(fields.get(7))
        && is_word(fields.get(8))
}

/// Parses one line, with the columns of the latest `#Fields:` line, or those of the version that writes so many.
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
    let row = Row::read(line, context)?;
    record(line, &row, None)
}

/// Reads a row as a record. All rows are of the server `service`, if that is given, or each of that which it names.
pub(crate) fn record<'a>(line: &[u8], row: &Row<'a>, service: Option<&'static [u8]>) -> Result<Record<'a>, Unparsed> {
    let wanted = |field, expected| Unparsed { at: offset(line, field), expected };
    let when = csv::utc(row.time).ok_or(wanted(row.time, "a time: `2024-02-01T10:00:02.000Z`"))?;
    if row.event.is_empty() {
        return Err(wanted(row.event, "an event in `event-id`"));
    }
    let event = event::event(line, row)?;
    let id = if row.network_id.is_empty() { row.message_id } else { row.network_id };
    let message = (!id.is_empty()).then_some(Key { scope: b"", id });
    Ok(Record { when, server: service.unwrap_or_else(|| event::server(row)), session: None, message, event })
}

#[cfg(test)]
mod tests;
