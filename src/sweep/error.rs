//! Why a state cannot be used.

use crate::ledger::Text;
use rusqlite::ErrorCode;

/// The version of the state's schema. Any change of what it holds is another number.
pub const SCHEMA: i32 = 1;

/// What ends a sweep, or a report of a state. The state is then as it was before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no state.
    #[error("{path}: no such state; `relayaudit sweep --state {path} LOGS` makes one")]
    Missing {
        /// The file.
        path: Text,
    },
    /// It is something else.
    #[error("{path}: {what}, not a state of relayaudit; it is left as it is: give another name with --state")]
    Foreign {
        /// The file.
        path: Text,
        /// What it is.
        what: &'static str,
    },
    /// A newer version wrote it.
    #[error(
        "{path}: written by a newer relayaudit as schema {schema}; this version knows {SCHEMA}: use the newer one; the state \
         is left as it is"
    )]
    Newer {
        /// The file.
        path: Text,
        /// Its schema.
        schema: i32,
    },
    /// Another sweep runs.
    #[error("{path}: another sweep is using this state; nothing was read, and what is new is read by the next sweep")]
    Busy {
        /// The file.
        path: Text,
    },
    /// It cannot be written.
    #[error(
        "{path}: cannot write the state: {what}; it is as it was before, and the next sweep reads what this one could not keep"
    )]
    Write {
        /// The file.
        path: Text,
        /// Why.
        what: String,
    },
    /// It cannot be read.
    #[error("{path}: cannot read the state: {what}")]
    Read {
        /// The file.
        path: Text,
        /// Why.
        what: String,
    },
    /// It was whole once.
    #[error(
        "{path}: the state is damaged: {what}; it is left as it is: put a copy of it back, or move it away and sweep the \
         logs that are there anew"
    )]
    Damaged {
        /// The file.
        path: Text,
        /// What is wrong.
        what: String,
    },
}

impl Error {
    /// What an error of SQLite means for a state.
    pub fn of(path: Text, error: &rusqlite::Error) -> Error {
        let what = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { path },
            Some(ErrorCode::NotADatabase) => Error::Foreign { path, what: "a file of another kind, or a damaged one" },
            Some(ErrorCode::DatabaseCorrupt) | None => Error::Damaged { path, what },
            Some(ErrorCode::DiskFull) => {
                Error::Write { path, what: "the disk, or the room for this file, is full".into() }
            }
            Some(ErrorCode::ReadOnly) => {
                Error::Write { path, what: "the file, or the folder it lies in, may not be written".into() }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                let what = "the file cannot be opened, or none can be made beside it (it needs room for its journal)";
                Error::Write { path, what: what.into() }
            }
            Some(ErrorCode::SystemIoFailure) => Error::Write { path, what },
            Some(_) => Error::Read { path, what },
        }
    }
}
