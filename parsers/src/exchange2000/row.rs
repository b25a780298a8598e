//! The columns of a record, and which of them holds what.

use crate::record::Unparsed;

/// Columns that a record has where no header says otherwise.
pub const COLUMNS: usize = DEFAULT.len();
/// The most columns that are read.
const MOST: usize = 32;

/// The columns of KB 246965, in lower case.
const DEFAULT: [&[u8]; 20] = [
    b"date",
    b"time",
    b"client-ip",
    b"client-hostname",
    b"partner-name",
    b"server-hostname",
    b"server-ip",
    b"recipient-address",
    b"event-id",
    b"msgid",
    b"priority",
    b"recipient-report-status",
    b"total-bytes",
    b"number-recipients",
    b"origination-time",
    b"encryption",
    b"service-version",
    b"linked-msgid",
    b"message-subject",
    b"sender-address",
];

/// A line cut at its tabs.
pub struct Fields<'a> {
    pub all: [&'a [u8]; MOST],
    /// How many there are; with more than fit, the rest is only counted.
    pub count: usize,
}

impl<'a> Fields<'a> {
    /// Cuts a line at every tab: two tabs have an empty column between them.
    pub fn split(line: &'a [u8]) -> Fields<'a> {
        let (mut all, mut count, mut start) = ([b"".as_slice(); MOST], 0, 0);
        for end in memchr::memchr_iter(b'\t', line).chain([line.len()]) {
            if let Some(field) = all.get_mut(count) {
                *field = &line[start..end];
            }
            count += 1;
            start = end + 1;
        }
        Fields { all, count }
    }
}

/// What the columns that matter hold; empty where the log has `-` or no such column.
#[derive(Default)]
pub struct Row<'a> {
    pub date: &'a [u8],
    pub time: &'a [u8],
    pub client_address: &'a [u8],
    pub client_name: &'a [u8],
    pub partner: &'a [u8],
    pub server: &'a [u8],
    pub recipient: &'a [u8],
    pub event: &'a [u8],
    pub message_id: &'a [u8],
    pub bytes: &'a [u8],
    pub recipients: &'a [u8],
    pub sender: &'a [u8],
    pub at: At,
}

/// Where columns begin that can be wrong, as bytes from the start of the line.
#[derive(Default)]
pub struct At {
    pub date: usize,
    pub time: usize,
    pub event: usize,
    pub bytes: usize,
    pub recipients: usize,
}

impl<'a> Row<'a> {
    /// Reads a line of these columns, or of the default ones if there are none.
    ///
    /// One more column may follow if it is empty or `-`. A line with other columns too many is not guessed at:
    /// a TAB in the subject would make its end look like the reverse-path.
    pub fn read(line: &'a [u8], columns: &[Box<[u8]>]) -> Result<Row<'a>, Unparsed> {
        let fields = Fields::split(line);
        let due = if columns.is_empty() { COLUMNS } else { columns.len() };
        let surplus_is_empty = || matches!(fields.all.get(due), Some(&(b"" | b"-")));
        let fits = fields.count == due || fields.count == due + 1 && surplus_is_empty();
        if !fits || MOST < due {
            let at = fields.all.iter().take(due).map(|field| field.len() + 1).sum::<usize>().min(line.len());
            return Err(Unparsed { at, expected: "as many columns as the header names, or 20" });
        }
        Ok(match columns {
            [] => Self::of(&fields, DEFAULT.into_iter()),
            _ => Self::of(&fields, columns.iter().map(Box::as_ref)),
        })
    }

    fn of<'c>(fields: &Fields<'a>, names: impl Iterator<Item = &'c [u8]>) -> Row<'a> {
        let (mut row, mut at) = (Row::default(), 0);
        for (name, field) in names.zip(fields.all) {
            let value = if field == b"-" { b"" } else { field };
            match name {
                b"date" => (row.date, row.at.date) = (value, at),
                b"time" => (row.time, row.at.time) = (value, at),
                b"client-ip" => row.client_address = value,
                b"client-hostname" => row.client_name = value,
                b"partner-name" => row.partner = value,
                b"server-hostname" => row.server = value,
                b"recipient-address" => row.recipient = value,
                b"event-id" => (row.event, row.at.event) = (value, at),
                b"msgid" => row.message_id = value,
                b"total-bytes" => (row.bytes, row.at.bytes) = (value, at),
                b"number-recipients" => (row.recipients, row.at.recipients) = (value, at),
                b"sender-address" => row.sender = value,
                _ => {}
            }
            at += field.len() + 1;
        }
        row
    }
}
