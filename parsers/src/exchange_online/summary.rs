//! Rows of a summary (one recipient) and of an enhanced summary (one message).

use super::SERVICE;
use crate::csv::{self, Fields, offset};
use crate::fates::{Fate, Fates};
use crate::paths::without_brackets;
use crate::record::{Event, NextHop, Peer, Record, Status, Unparsed, When};
use crate::registry::Context;
use crate::text::{address, number};

/// What the columns that matter hold; empty where there is no such column.
#[derive(Default)]
struct Row<'a> {
    time: &'a [u8],
    /// Whether the time is in UTC and in ISO 8601 for sure.
    is_enhanced: bool,
    client: &'a [u8],
    reverse_path: &'a [u8],
    recipient: &'a [u8],
    status: &'a [u8],
    fates: &'a [u8],
    next: &'a [u8],
    bytes: &'a [u8],
    directionality: &'a [u8],
}

/// Reads a row as a record: each says all there is of its recipients.
pub fn record<'a>(line: &'a [u8], context: &Context) -> Result<Record<'a>, Unparsed> {
    let mut row = Row::default();
    for (name, value) in Fields::split(line)?.named(context, |_| None)? {
        match name {
            b"origin-timestamp-utc" => (row.time, row.is_enhanced) = (value, true),
            b"received" => row.time = value,
            b"original-client-ip" | b"fromip" => row.client = value,
            b"sender-address" | b"senderaddress" => row.reverse_path = value,
            b"recipientaddress" => row.recipient = value,
            b"recipient-status" => row.fates = value,
            b"status" => row.status = value,
            b"toip" => row.next = value,
            b"total-bytes" | b"size" => row.bytes = value,
            b"directionality" => row.directionality = value,
            _ => {}
        }
    }
    let wanted = |field, expected| Unparsed { at: offset(line, field), expected };
    let when = when(&row).ok_or(wanted(row.time, "a time: `2024-02-01T10:00:02.1234567Z`"))?;
    let size_bytes = if row.bytes.is_empty() { Some(0) } else { number(row.bytes) };
    let event = Event::Traced {
        client: Peer::from_address(row.client),
        // The enhanced summary has numbers in some exports: 2 is outbound.
        vouched: matches!(row.directionality, b"Originating" | b"2"),
        reverse_path: without_brackets(row.reverse_path),
        size_bytes: size_bytes.ok_or(wanted(row.bytes, "a size in bytes"))?,
        recipients: match row.is_enhanced {
            true => Fates::list(row.fates),
            false => Fates::one(without_brackets(row.recipient), fate(&row)),
        },
    };
    Ok(Record { when, server: SERVICE, session: None, message: None, event })
}

/// A time in UTC. In a summary it may be in the style of the administrator's country, which the file does not name:
/// then it is unknown.
fn when(row: &Row<'_>) -> Option<When> {
    let time = csv::utc(row.time);
    if row.is_enhanced { time } else { Some(time.unwrap_or(When::Unknown)) }
}

/// What became of the recipient of a summary; `None` while that is not known.
fn fate<'a>(row: &Row<'a>) -> Fate<'a> {
    let hop = match address(row.next) {
        Some(address) => NextHop::Host { peer: Peer { address: Some(address), name: b"" }, port: 0 },
        None => NextHop::Local,
    };
    match row.status {
        b"Delivered" => Some((Status::Sent, hop)),
        b"Pending" => Some((Status::Deferred, NextHop::None)),
        b"Failed" | b"FilteredAsSpam" | b"Quarantined" => Some((Status::Bounced, NextHop::None)),
        _ => None,
    }
}
