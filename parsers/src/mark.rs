//! What a record is joined and ordered by, and where a line broke: keys, times, places.

use chrono::NaiveDateTime;

/// Why a line of the format could not be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unparsed {
    /// Byte of the line at which the parser stood, from 0.
    pub at: usize,
    /// What the grammar wanted there: "`>` to close the reverse-path".
    pub expected: &'static str,
}

/// A name that is unique within one server for a while, then used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key<'a> {
    /// What numbers the ids: the Postfix instance or service (`postfix/smtpd`), the IIS site (`SMTPSVC1`).
    pub scope: &'a [u8],
    /// The queue id, process id, session id, or (IIS, which has none) the client address.
    pub id: &'a [u8],
}

/// A time as the line gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// An instant: microseconds since 1970-01-01T00:00:00Z.
    Utc(i64),
    /// A date and time of day without a zone: the zone is the server's.
    Local(NaiveDateTime),
    /// RFC 3164: no year, no zone. The year in the value is 2000 (a leap year) and means nothing.
    Yearless(NaiveDateTime),
    /// The line has no time.
    Unknown,
}
