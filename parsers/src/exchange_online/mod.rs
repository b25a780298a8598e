//! Message traces of Exchange Online (Microsoft 365), as CSV: the summary, the enhanced summary and the extended report.
//!
//! The first line names the columns; which there are tells the report. A row of a summary says all of one
//! recipient, a row of an enhanced summary all of a message; a row of an extended report is one of message
//! tracking, with `_` for `-` in the names. Rows are in no certain order.

mod summary;

use crate::csv::{self, Fields, offset};
use crate::exchange_tracking::{self, Row};
use crate::record::{Line, Record, Unparsed};
use crate::registry::{Context, Format};

/// Message traces of Exchange Online.
pub const FORMAT: Format = Format {
    name: "exchange-online-trace",
    title: "Microsoft Exchange Online message trace (CSV: summary, enhanced summary, extended report)",
    versions: "checked against the documented columns, and two published records printed as lists; no published CSV was \
               found",
    yields: "clients, both paths, sizes, and what became of every recipient",
    lacks: "refusals, EHLO names, accounts; in a summary also the time, where it is not written in ISO 8601",
    source: "Microsoft Learn, message trace in the modern EAC, and Get-MessageTrace; observed: corpus \
             exchange-online-trace (values only)",
    repeats: &[],
    recognises,
    parse,
    direct,
};

/// All rows are of one service.
const SERVICE: &[u8] = b"Exchange Online";

/// The report that the columns of a header are of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Report {
    Summary,
    Enhanced,
    Extended,
}

impl Report {
    /// `None` for the columns of anything else.
    fn of<'c>(columns: impl Iterator<Item = &'c [u8]> + Clone) -> Option<Report> {
        let has = |name: &[u8]| columns.clone().any(|column| column == name);
        match () {
            () if has(b"origin-timestamp-utc") && has(b"recipient-status") => Some(Report::Enhanced),
            () if has(b"date-time-utc") && has(b"event-id") => Some(Report::Extended),
            () if has(b"received") && has(b"recipientaddress") => Some(Report::Summary),
            () => None,
        }
    }
}

/// The names of the columns, if a line is a header of one of the reports.
fn header(line: &[u8]) -> Option<Vec<Box<[u8]>>> {
    let fields = Fields::split(csv::unmarked(line)).ok()?;
    let names: Vec<Box<[u8]>> = (0..fields.count.min(csv::MOST)).map(|at| csv::column(fields.get(at))).collect();
    Report::of(names.iter().map(Box::as_ref)).map(|_| names)
}

/// Whether a line is surely of this format: a header of one of the reports. Rows have no mark of their own.
fn recognises(line: &[u8]) -> bool {
    may_be_header(line) && header(line).is_some()
}

/// Whether a line begins as a header does; quick, for it is asked of every row.
fn may_be_header(line: &[u8]) -> bool {
    let line = csv::unmarked(line);
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    line.first().is_some_and(u8::is_ascii_alphabetic)
}

/// Parses one line, with the columns of the header.
fn parse<'a>(line: &'a [u8], context: &Context) -> Line<'a> {
    let plain = csv::unmarked(line);
    if plain.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    if may_be_header(plain) && header(plain).is_some() {
        return Line::Directive;
    }
    match read(plain, context) {
        Ok(record) => Line::Record(record),
        Err(Unparsed { at, expected }) => Line::Unparsed(Unparsed { at: at + line.len() - plain.len(), expected }),
    }
}

/// Takes the columns of a header.
fn direct(line: &[u8], context: &mut Context) {
    if may_be_header(line)
        && let Some(names) = header(line)
    {
        context.columns = names.into();
    }
}

fn read<'a>(line: &'a [u8], context: &Context) -> Result<Record<'a>, Unparsed> {
    match Report::of(context.columns.iter().map(Box::as_ref)) {
        Some(Report::Extended) => exchange_tracking::record(line, &Row::read(line, context)?, Some(SERVICE)),
        Some(_) => summary::record(line, context),
        None => Err(Unparsed { at: offset(line, line), expected: "a first line that names the columns" }),
    }
}

#[cfg(test)]
mod tests;
