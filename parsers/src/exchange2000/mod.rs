//! The message tracking log of Exchange 2000 and 2003.
//!
//! One line per event and recipient, 20 columns with a TAB between them and often an empty 21st; nothing is
//! quoted, `-` is empty. Only mail that was taken is tracked: no refusals, no EHLO names. Times are GMT
//! (Microsoft KB 246965, KB 821905).

mod row;
mod time;

use crate::paths::without_brackets;
use crate::record::{Event, Key, Line, NextHop, Peer, Record, Status, Unparsed};
use crate::registry::{Context, Format};
use crate::text::{address, number};
use row::{COLUMNS, Fields, Row};

/// Message tracking of Exchange 2000 and 2003.
pub const FORMAT: Format = Format {
    name: "exchange2000-tracking",
    title: "Microsoft Exchange 2000/2003 message tracking log (yyyymmdd.log in <server>.log)",
    versions: "checked against the column list of KB 246965 and one published record of Exchange 2003",
    yields: "clients, both paths, sizes and Message-IDs of mail that was taken in; what was delivered here, passed on \
             to another server, or bounced",
    lacks: "EHLO names, accounts, refusals, the other server's answers",
    source: "Microsoft KB 246965, KB 311739, KB 821905; AWStats tools/maillogconvert.pl (meaning of 1019, 1028, 1030, \
             1031); observed: corpus exchange2000-tracking",
    repeats: &[],
    recognises,
    parse,
    direct,
};

const TITLE: &[u8] = b"# Message Tracking";
const HEADER: &[u8] = b"# Date\tTime\t";

/// What KB 821905 numbers the events that are used.
mod event {
    /// Submitted to advanced queuing: the first event of mail received over SMTP.
    pub const SUBMITTED_TO_QUEUE: u64 = 1019;
    /// Moved to the badmail folder.
    pub const BAD_MAIL: u64 = 1021;
    /// Submitted by the store: the first event of mail from a mailbox.
    pub const SUBMITTED_BY_STORE: u64 = 1027;
    /// Delivered to a mailbox of this server.
    pub const DELIVERED_LOCALLY: u64 = 1028;
    /// A notification of non-delivery was made.
    pub const NDR_GENERATED: u64 = 1030;
    /// Another server took the message.
    pub const OUTBOUND_TRANSFER_ENDED: u64 = 1031;
}

/// Whether a line is surely of this format: the title or the column header, or a record by the date
/// and time in its first two columns and the number in its ninth.
fn recognises(line: &[u8]) -> bool {
    if line.starts_with(b"#") {
        return line.starts_with(TITLE) || line.starts_with(HEADER);
    }
    let fields = Fields::split(line);
    COLUMNS <= fields.count && time::is_stamp(fields.all[0], fields.all[1]) && number(fields.all[8]).is_some()
}

/// Parses one line. A record has the columns of the latest header, or the 20 of KB 246965 if there was none.
fn parse<'a>(line: &'a [u8], context: &Context) -> Line<'a> {
    match line.first() {
        Some(b'#') => return Line::Directive,
        _ if line.iter().all(|byte| matches!(byte, b'\0' | b' ' | b'\t' | b'\r')) => {
            return Line::Ignored("blank line");
        }
        _ => {}
    }
    match Row::read(line, &context.columns).and_then(|row| record(&row)) {
        Ok(record) => Line::Record(record),
        Err(unparsed) => Line::Unparsed(unparsed),
    }
}

/// Takes the names of the columns, in lower case, from a header `# Date<TAB>Time<TAB>client-ip...`.
fn direct(line: &[u8], context: &mut Context) {
    if line.starts_with(HEADER) {
        let names = line[b"# ".len()..].trim_ascii_end();
        context.columns =
            names.split(|byte| *byte == b'\t').map(|name| name.to_ascii_lowercase().into_boxed_slice()).collect();
    }
}

/// Reads a row as a record.
fn record<'a>(row: &Row<'a>) -> Result<Record<'a>, Unparsed> {
    let when = time::when(row)?;
    let id = number(row.event).ok_or(Unparsed { at: row.at.event, expected: "a number in `Event-ID`" })?;
    let event = match id {
        // Without a client it is mail from a mailbox, which 1027 announced already.
        event::SUBMITTED_TO_QUEUE if row.client_address.is_empty() && row.client_name.is_empty() => Event::Other,
        event::SUBMITTED_TO_QUEUE => {
            received(row, Peer { address: address(row.client_address), name: row.client_name })?
        }
        event::SUBMITTED_BY_STORE => received(row, Peer::default())?,
        event::DELIVERED_LOCALLY => delivery(row, NextHop::Local, Status::Sent, b""),
        event::OUTBOUND_TRANSFER_ENDED => {
            delivery(row, NextHop::Host { peer: partner(row), port: 0 }, Status::Sent, b"")
        }
        event::NDR_GENERATED => delivery(row, NextHop::None, Status::Bounced, b"NDR generated"),
        event::BAD_MAIL => delivery(row, NextHop::None, Status::Bounced, b"bad mail"),
        _ => Event::Other,
    };
    let message = (!row.message_id.is_empty()).then_some(Key { scope: b"", id: row.message_id });
    Ok(Record { when, server: row.server, session: None, message, event })
}

fn received<'a>(row: &Row<'a>, client: Peer<'a>) -> Result<Event<'a>, Unparsed> {
    let wanted = |at, expected| Unparsed { at, expected };
    let size_bytes = count(row.bytes).ok_or(wanted(row.at.bytes, "a size in `total-bytes`"))?;
    let recipients = count(row.recipients).and_then(|count| u32::try_from(count).ok());
    let recipients = recipients.ok_or(wanted(row.at.recipients, "a number in `Number-Recipients`"))?;
    let (reverse_path, forward_paths) = (without_brackets(row.sender), without_brackets(row.recipient).into());
    let message_id = without_brackets(row.message_id);
    Ok(Event::Received {
        client,
        reverse_path,
        header_from: b"",
        message_id,
        forward_paths,
        size_bytes,
        recipients,
        told_id: b"",
        vouched: false,
    })
}

fn delivery<'a>(row: &Row<'a>, next_hop: NextHop<'a>, status: Status, text: &'static [u8]) -> Event<'a> {
    let forward_paths = without_brackets(row.recipient).into();
    Event::Delivery {
        forward_paths,
        original_forward_path: None,
        expanded: false,
        envelope: b"",
        source: None,
        next_hop,
        status,
        text,
        child: None,
    }
}

/// The other server of an outbound transfer: `Partner-Name`, or, where that is empty, `Client-hostname`
/// (maillogconvert.pl takes the remote side from both). Either may be an address.
fn partner<'a>(row: &Row<'a>) -> Peer<'a> {
    let name = if row.partner.is_empty() { row.client_name } else { row.partner };
    match address(name) {
        Some(address) => Peer { address: Some(address), name: b"" },
        None => Peer { address: None, name },
    }
}

/// A number, or 0 where the log has none.
fn count(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() { Some(0) } else { number(digits) }
}

#[cfg(test)]
mod tests;
