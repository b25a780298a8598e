//! A log as the state knows it: by what it is found again, and how far it was read.

use super::state::Open;
use super::{Error, days};
use crate::ledger::{FileId, Input, Text, Time, hash};
use crate::saved::Directed;
use crate::source::{Beginning, Bookmark, HEAD_BYTES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::Metadata;

/// How many logs that were not written to for so long are taken to be over, if a newer one lies beside them.
pub const QUIET_MICROS: i64 = 2 * days::DAY_MICROS;

/// A log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogFile {
    /// Where it is now, as far as is known.
    pub path: Text,
    /// Where it was met first.
    pub first_path: Text,
    /// Name of its format.
    pub format: Text,
    /// The year of its first stamp, if stamps name none.
    pub year: Option<i32>,
    /// What the disk says of it.
    pub seen: Seen,
    /// How it begins.
    pub print: Print,
    /// The same by its lines, to know an earlier state of it.
    pub beginning: Beginning,
    /// How far it was read.
    pub mark: Mark,
    /// What became of its lines.
    pub input: Input,
    /// Where things stand with it.
    pub standing: Standing,
    /// When it was last found to have grown, in microseconds since 1970.
    pub grown: i64,
    /// The first of the logs beside it with which its open lines are kept; `None` while it is read anew each time.
    pub run: Option<FileId>,
    /// What went wrong when it was last read.
    pub problem: Option<String>,
}

/// Where things stand with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// More may be written to it.
    Open,
    /// It was rotated, packed or left behind: nothing more is expected.
    Over,
    /// It is not there any more, and was over before.
    Removed,
    /// It is not there any more, and what was written to it last may not have been read.
    Lost,
}

/// What the disk says of a file, to know one that did not change without reading it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its device and inode. Windows has them for open files only, and not in the standard library: there, and where a
    /// file is a member of an archive, logs are known by their first bytes alone.
    pub inode: Option<(u64, u64)>,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was last written to, in microseconds since 1970.
    pub modified: i64,
    /// Whether its text must be unpacked: it is not written to.
    pub packed: bool,
    /// Whether its text is what is on the disk, so that its size is that of the text.
    pub plain: bool,
}

impl Seen {
    /// What the disk says.
    pub fn of(metadata: &Metadata) -> Seen {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let inode = None;
        let modified = metadata.modified().map(chrono::DateTime::<chrono::Utc>::from);
        Seen {
            inode,
            size_bytes: metadata.len(),
            modified: modified.map_or(0, |time| time.timestamp_micros()),
            packed: false,
            plain: true,
        }
    }

    /// Whether nothing was written to the file since.
    pub fn is_unchanged(&self, now: &Seen) -> bool {
        (self.inode, self.size_bytes, self.modified) == (now.inode, now.size_bytes, now.modified)
    }
}

/// How a log begins: a hash of its first bytes, as far as it was read. It does not change when the log grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    /// How many.
    pub length_bytes: u64,
    /// Their hash.
    pub hash: u64,
}

impl Print {
    /// The print of a text that begins with `head` and was read so far.
    pub fn of(head: &[u8], read_bytes: u64) -> Print {
        let length = usize::try_from(read_bytes).unwrap_or(HEAD_BYTES).min(head.len());
        Print { length_bytes: length as u64, hash: hash::stable(&head[..length]) }
    }
}

/// How far a log was read, as it is kept.
#[derive(Serialize, Deserialize)]
struct MarkRow {
    offset_bytes: u64,
    next_line: u64,
    in_long_line: bool,
    context: Directed,
    tail_bytes: u64,
}

/// How far a log was read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "MarkRow", into = "MarkRow")]
pub struct Mark {
    /// The end of what is decided.
    pub bookmark: Bookmark,
    /// Bytes of the beginning of a line that follow, and were seen.
    pub tail_bytes: u64,
}

impl Mark {
    /// Bytes of the text that were seen.
    pub fn seen_bytes(&self) -> u64 {
        self.bookmark.offset_bytes.saturating_add(self.tail_bytes)
    }
}

impl From<MarkRow> for Mark {
    fn from(row: MarkRow) -> Mark {
        let MarkRow { offset_bytes, next_line, in_long_line, context, tail_bytes } = row;
        let bookmark = Bookmark { offset_bytes, next_line, in_long_line, context: context.into() };
        Mark { bookmark, tail_bytes }
    }
}

impl From<Mark> for MarkRow {
    fn from(mark: Mark) -> MarkRow {
        let Bookmark { offset_bytes, next_line, in_long_line, context } = &mark.bookmark;
        MarkRow {
            offset_bytes: *offset_bytes,
            next_line: *next_line,
            in_long_line: *in_long_line,
            context: Directed::from(context),
            tail_bytes: mark.tail_bytes,
        }
    }
}

impl LogFile {
    /// Whether it is so short that more of it may show it to be another kind of log: it is read anew each time.
    pub fn is_young(&self) -> bool {
        self.run.is_none()
    }

    /// The time of its last record.
    pub fn last(&self) -> Option<Time> {
        self.input.span.last
    }
}

/// The logs that a state knows.
pub type LogFiles = BTreeMap<FileId, LogFile>;

/// A number as SQLite takes it.
pub fn key(file: FileId) -> i64 {
    file.0.cast_signed()
}

/// The number of such a key.
pub fn file_of(key: i64) -> FileId {
    FileId(key.cast_unsigned())
}

/// Reads the logs that a state knows.
pub fn load(state: &Open<'_>) -> Result<LogFiles, Error> {
    let rows =
        state.rows("SELECT id, value FROM file", (), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    rows.into_iter().map(|(key, text)| Ok((file_of(key), state.parse(&text)?))).collect()
}

/// Keeps a log.
pub fn store(state: &Open<'_>, file: FileId, log: &LogFile) -> Result<(), Error> {
    let text = state.text(log)?;
    state.execute("INSERT OR REPLACE INTO file (id, value) VALUES (?1, ?2)", (key(file), text)).map(drop)
}

/// Forgets a log.
pub fn remove(state: &Open<'_>, file: FileId) -> Result<(), Error> {
    state.execute("DELETE FROM file WHERE id = ?1", [key(file)]).map(drop)
}
