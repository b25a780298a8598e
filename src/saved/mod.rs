//! Saved: what a scan has learnt, as a file that can be merged with others and judged later.
//!
//! What is saved is a [`Part`] and not the finished ledger: what happened at the borders of files is still open in
//! it, so that days and servers that were scanned each for themselves give the report that one scan of all of them
//! gives. `docs/LEDGER.md` describes the file.

mod join;
mod read;
mod rows;
mod write;

pub use join::{Joined, Twice};
pub use write::Destination;

use crate::fold::Part;
use crate::ledger::{FileId, Input, Ledger, Text};
use crate::merge::Merge;
use crate::observe::Window;
use crate::source::{Beginning, Failure, Log};
use read::What;
pub(crate) use rows::Directed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// The schema of the file. Any change of what it holds is another number; all numbers up to this one can be read.
pub const SCHEMA: &str = "relayaudit.ledger/1";

/// How a ledger begins once it is unpacked, whatever its version.
pub(crate) const BEGINS: &[u8] = br#"{"schema":"relayaudit.ledger/"#;

/// The bytes of books in which everything is decided: the same for equal books. They carry a version and a checksum. What was
/// still open when a part was finished is not among them: keep a [`Saved`] where logs go on.
pub fn encode(ledger: &Ledger) -> io::Result<Vec<u8>> {
    write::pack_books(ledger)
}

/// The books of the bytes that [`encode`] gave; errors call them `name`. Fails on bytes that are not whole, not unchanged, or
/// of a newer version.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Ledger, Error> {
    Ok(read::read(name.into(), bytes, bytes.len() as u64, What::Books)?.part.notes)
}

/// What a scan has learnt, and what is needed to put it together with others.
#[derive(Clone, Default)]
pub struct Saved {
    /// The books, and what is still open.
    pub part: Part,
    /// The logs.
    pub files: BTreeMap<FileId, Known>,
    /// Paths that led nowhere.
    pub failures: BTreeSet<Failure>,
    /// What had to be assumed to read the times.
    pub assumed: Assumed,
    /// Which mail counts.
    pub window: Window,
}

/// A log, as it is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its path, as it was found.
    pub path: Text,
    /// Name of its format.
    pub format: Text,
    /// How it begins.
    pub beginning: Beginning,
    /// The ledger it was read from; empty for the one that is made by this run.
    #[serde(skip)]
    pub ledger: Text,
}

/// What had to be assumed to read the times of logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumed {
    /// Years of first stamps without year, from the dates of files.
    pub years_guessed: BTreeSet<i32>,
    /// The same, as the user said.
    pub years_stated: BTreeSet<i32>,
    /// Whether the zone of the machine was taken.
    pub machine_zone: bool,
}

impl Merge for Assumed {
    fn merge(&mut self, other: Assumed) {
        Merge::merge(&mut self.years_guessed, other.years_guessed);
        Merge::merge(&mut self.years_stated, other.years_stated);
        self.machine_zone.merge(other.machine_zone);
    }
}

/// Why a ledger cannot be used, or not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{path}: cannot read: {source}")]
    Read {
        /// The file.
        path: Text,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{path}: {what}")]
    NotALedger {
        /// The file.
        path: Text,
        /// What it is and what to do with it.
        what: String,
    },
    /// A newer version wrote it.
    #[error(
        "{path}: written by relayaudit {version} as {schema}; this version reads up to {SCHEMA}: use the newer one"
    )]
    Newer {
        /// The file.
        path: Text,
        /// Its schema.
        schema: String,
        /// The version of the program that wrote it.
        version: String,
    },
    /// It was whole once, or is made to look so.
    #[error(
        "{path}:{line}: the ledger is damaged: {what}; nothing of it is used; copy it again or scan its logs again"
    )]
    Damaged {
        /// The file.
        path: Text,
        /// The line, once unpacked.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The same lines are in two ledgers.
    #[error(
        "{path} (in {ledger}): already counted up to byte {upto}, as {other} (in {other_ledger}); leave one of the two ledgers out"
    )]
    Overlap {
        /// A log.
        path: Text,
        /// The ledger that holds it.
        ledger: Text,
        /// The log that has the same lines.
        other: Text,
        /// The ledger that holds that one.
        other_ledger: Text,
        /// How many bytes of it are the same.
        upto: u64,
    },
    /// A log that only repeats lines of another one is in a ledger of its own.
    #[error(
        "{path} (in {ledger}): it repeats lines of {other} (in {other_ledger}) beside it; scan both with one command"
    )]
    Repeats {
        /// The log.
        path: Text,
        /// The ledger that holds it.
        ledger: Text,
        /// The log of which it repeats lines.
        other: Text,
        /// The ledger that holds that one.
        other_ledger: Text,
    },
    /// Two ledgers count other mail.
    #[error("{ledger}: scanned with another --since or --until than {other}; scan both with the same")]
    Windows {
        /// A ledger.
        ledger: Text,
        /// A ledger that differs.
        other: Text,
    },
    /// The ledger cannot be written.
    #[error("{path}: cannot write: {source}")]
    Write {
        /// The file.
        path: Text,
        /// Why.
        source: io::Error,
    },
    /// Something that is no ledger would be lost.
    #[error("{path}: it exists and is no ledger, so it is not overwritten; give another name")]
    Occupied {
        /// The file.
        path: Text,
    },
    /// The ledger would be one that is not read again.
    #[error("{path}: the ledger is not written: {what}")]
    Unsound {
        /// The file.
        path: Text,
        /// Why.
        what: &'static str,
    },
}

impl Saved {
    /// What is known of logs that are about to be read.
    pub fn files_of(logs: &[Log]) -> BTreeMap<FileId, Known> {
        let known = |log: &Log| Known {
            path: log.path,
            format: log.format.name.into(),
            beginning: log.beginning.clone(),
            ledger: Text::default(),
        };
        logs.iter().map(|log| (log.file, known(log))).collect()
    }

    /// Reads a file that [`Destination`] wrote.
    pub fn load(path: &str) -> Result<Saved, Error> {
        read::load(path)
    }

    /// The bytes of the ledger: the same for equal ledgers.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        Ok(write::pack(self, Vec::new())?.0)
    }

    /// The ledger of the bytes that [`Saved::to_bytes`] gave; errors call them `name`. Fails on bytes that are not whole, not
    /// unchanged, or of a newer version.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Saved, Error> {
        read::read(name.into(), bytes, bytes.len() as u64, What::Saved)
    }

    /// Puts ledgers together, in any order. A ledger that holds only logs that another one holds too, byte for byte,
    /// counts once. Fails if only some lines would count twice, or other mail counts in one than in another.
    pub fn join(ledgers: Vec<Saved>) -> Result<Joined, Error> {
        join::join(ledgers)
    }

    /// Paths that several logs have: evidence does not tell which of them it stands in.
    pub fn ambiguous(&self) -> BTreeSet<Text> {
        let mut seen = BTreeSet::new();
        self.files.values().map(|known| known.path).filter(|path| !seen.insert(*path)).collect()
    }

    /// The books with everything decided, as if nothing else were to come. The paths that led nowhere are among
    /// the inputs, so that the report shows them too.
    pub fn finish(self) -> Ledger {
        let mut ledger = self.part.finish(self.window);
        for (number, failure) in (0..).zip(self.failures) {
            let input =
                Input { path: failure.path, problems: [failure.what.as_str().into()].into(), ..Input::default() };
            // After every real file: those are numbered by their first record.
            ledger.inputs.insert(FileId(u64::MAX - number), input);
        }
        ledger
    }
}
