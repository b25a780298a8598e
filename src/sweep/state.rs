//! The state file: an SQLite database, changed in one transaction a sweep.
//!
//! A rollback journal and not a write-ahead log: there is one writer, the file is one file between sweeps, and whoever may
//! only read it can. SQLite's `synchronous=FULL` makes a commit last through a crash of the system
//! (<https://www.sqlite.org/pragma.html#pragma_synchronous>); a sweep that is killed leaves a journal from which the next
//! one restores what was before.

use super::error::{Error, SCHEMA};
use crate::ledger::Text;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, Row, Transaction, TransactionBehavior};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// By what SQLite files of this program are known: "RlAu" (<https://www.sqlite.org/pragma.html#pragma_application_id>).
const APPLICATION: i32 = 0x526c_4175;

/// How every SQLite database begins (<https://www.sqlite.org/fileformat2.html#magic_header_string>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long a commit waits for those who read the state.
const PATIENCE: Duration = Duration::from_secs(20);

const TABLES: &str = "
-- What the state knows of itself, as JSON.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- The logs, by number, as JSON.
CREATE TABLE file (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
-- What is still open in logs that lie side by side, by the number of the first.
CREATE TABLE run (id INTEGER PRIMARY KEY, part BLOB NOT NULL);
-- Logs so short that they are read anew each time: their books by day, and without a day what is open.
CREATE TABLE young (file INTEGER NOT NULL, day INTEGER, part BLOB NOT NULL);
CREATE INDEX young_file ON young (file);
-- What the last lines of logs say if they are whole: they lack their line ends. Never added to what is above.
CREATE TABLE tail (file INTEGER PRIMARY KEY, part BLOB NOT NULL);
-- Books by day. Several of one day are merged when there are many of one level.
CREATE TABLE book (id INTEGER PRIMARY KEY, day INTEGER NOT NULL, level INTEGER NOT NULL, part BLOB NOT NULL);
CREATE INDEX book_day ON book (day, level);
-- Findings that were found, by rule and subject, as JSON.
CREATE TABLE finding (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- What is still to be told, by whom.
CREATE TABLE news (id INTEGER PRIMARY KEY, channel TEXT NOT NULL, value TEXT NOT NULL, tries INTEGER NOT NULL);
";

/// A state file.
pub struct State {
    path: Text,
    connection: Connection,
}

impl State {
    /// Opens a state, and makes one where there is none. On Unix it is made for its owner only: it holds lines of logs.
    pub fn create(path: &Path) -> Result<State, Error> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(Error::Write { path: name(path), what: error.to_string() })
            }
            _ => State::open(path),
        }
    }

    /// Opens a state that exists. Fails on anything else, which is not changed.
    pub fn open(path: &Path) -> Result<State, Error> {
        let name = name(path);
        let begin = begin(path)?;
        if !begin.is_empty() && begin != MAGIC {
            return Err(Error::Foreign { path: name, what: "a file of another kind" });
        }
        let fail = |error: rusqlite::Error| Error::of(name, &error);
        let plain = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_ONLY))
            .map_err(fail)?;
        let state = State { path: name, connection };
        state.check(begin.is_empty())?;
        Ok(state)
    }

    /// Checks whose file it is, and of which version.
    fn check(&self, is_new: bool) -> Result<(), Error> {
        self.run(|connection| connection.busy_timeout(PATIENCE))?;
        let number = |pragma| self.run(|connection| connection.pragma_query_value(None, pragma, |row| row.get(0)));
        let (application, schema): (i32, i32) = (number("application_id")?, number("user_version")?);
        let tables: i64 =
            self.run(|connection| connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)))?;
        if is_new || (tables == 0 && application == 0 && schema == 0) {
            return Ok(());
        }
        if application != APPLICATION {
            return Err(Error::Foreign { path: self.path, what: "the SQLite database of another program" });
        }
        if SCHEMA < schema {
            return Err(Error::Newer { path: self.path, schema });
        }
        Ok(())
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        work(&self.connection).map_err(|error| Error::of(self.path, &error))
    }

    /// The file's path.
    pub fn path(&self) -> Text {
        self.path
    }

    /// Begins to change it. Fails at once if another sweep does.
    pub fn change(&mut self) -> Result<Open<'_>, Error> {
        self.change_within(Duration::ZERO)
    }

    /// The same for a small change: waits for another sweep to end.
    pub fn change_later(&mut self) -> Result<Open<'_>, Error> {
        self.change_within(PATIENCE)
    }

    fn change_within(&mut self, patience: Duration) -> Result<Open<'_>, Error> {
        let path = self.path;
        let fail = |error: rusqlite::Error| Error::of(path, &error);
        self.connection.busy_timeout(patience).map_err(fail)?;
        // What is changed stays in memory until the commit, so that the state can be read all the while.
        let pragmas = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA cache_spill = OFF;";
        self.connection.execute_batch(pragmas).map_err(fail)?;
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(fail)?;
        transaction.busy_timeout(PATIENCE).map_err(fail)?;
        let open = Open { path, transaction };
        open.prepare()?;
        Ok(open)
    }

    /// Begins to read it: it is the same until the end, whoever changes it.
    pub fn read(&mut self) -> Result<Open<'_>, Error> {
        let path = self.path;
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)
            .map_err(|error| Error::of(path, &error))?;
        let open = Open { path, transaction };
        // A file that was made and not written yet.
        let tables: i64 = open.one("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?.unwrap_or(0);
        if tables == 0 { Err(Error::Missing { path }) } else { Ok(open) }
    }
}

/// Every table, in the order in which they are emptied.
const EMPTIED: [&str; 7] = ["run", "young", "tail", "book", "finding", "news", "file"];

/// The first bytes of a file, as many as tell an SQLite database.
fn begin(path: &Path) -> Result<Vec<u8>, Error> {
    let name = name(path);
    if path.is_dir() {
        return Err(Error::Foreign { path: name, what: "a folder" });
    }
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: name },
        _ => Error::Read { path: name, what: error.to_string() },
    })?;
    let mut begin = Vec::new();
    let read = file.take(MAGIC.len() as u64).read_to_end(&mut begin);
    read.map_err(|error| Error::Read { path: name, what: error.to_string() })?;
    Ok(begin)
}

fn name(path: &Path) -> Text {
    path.to_string_lossy().as_ref().into()
}

/// A state that is being read or changed. Unless it is committed, nothing is changed.
pub struct Open<'s> {
    path: Text,
    transaction: Transaction<'s>,
}

impl Open<'_> {
    /// Makes the tables where there are none, and writes something: what cannot be written is known before logs are
    /// read for hours.
    fn prepare(&self) -> Result<(), Error> {
        let tables: i64 = self.one("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?.unwrap_or(0);
        if tables == 0 {
            let pragmas = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA};");
            self.batch(&pragmas)?;
            self.batch(TABLES)?;
        }
        self.set("version", &env!("CARGO_PKG_VERSION"))
    }

    /// Forgets everything.
    pub fn clear(&self) -> Result<(), Error> {
        self.batch("DELETE FROM meta;")?;
        EMPTIED.iter().try_for_each(|table| self.batch(&format!("DELETE FROM {table};")))?;
        self.set("version", &env!("CARGO_PKG_VERSION"))
    }

    /// Bytes of the state that are in use.
    pub fn used_bytes(&self) -> Result<u64, Error> {
        let number = |pragma: &str| self.one(&format!("PRAGMA {pragma}"), (), |row| row.get::<_, i64>(0));
        let page = |pragma| Ok::<_, Error>(u64::try_from(number(pragma)?.unwrap_or(0)).unwrap_or(0));
        Ok(page("page_count")?.saturating_sub(page("freelist_count")?) * page("page_size")?)
    }

    /// Keeps what was changed.
    pub fn commit(self) -> Result<(), Error> {
        let path = self.path;
        self.transaction.commit().map_err(|error| Error::of(path, &error))
    }

    /// The file's path.
    pub fn path(&self) -> Text {
        self.path
    }

    /// Says that something in the state makes no sense.
    pub fn damaged(&self, what: impl ToString) -> Error {
        Error::Damaged { path: self.path, what: what.to_string() }
    }

    fn fail(&self) -> impl Fn(rusqlite::Error) -> Error + use<'_> {
        |error| Error::of(self.path, &error)
    }

    fn batch(&self, sql: &str) -> Result<(), Error> {
        self.transaction.execute_batch(sql).map_err(self.fail())
    }

    /// Runs a statement; returns how many rows it changed.
    pub fn execute(&self, sql: &str, values: impl Params) -> Result<usize, Error> {
        let mut statement = self.transaction.prepare_cached(sql).map_err(self.fail())?;
        statement.execute(values).map_err(self.fail())
    }

    /// The rows that a query gives.
    pub fn rows<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.transaction.prepare_cached(sql).map_err(self.fail())?;
        let rows = statement.query_map(values, read).map_err(self.fail())?;
        rows.collect::<Result<_, _>>().map_err(self.fail())
    }

    /// The first row that a query gives.
    pub fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        let mut statement = self.transaction.prepare_cached(sql).map_err(self.fail())?;
        statement.query_row(values, read).optional().map_err(self.fail())
    }

    /// What the state knows of itself under a name.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let text: Option<String> = self.one("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))?;
        text.map(|text| self.parse(&text)).transpose()
    }

    /// Keeps something under a name.
    pub fn set(&self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        let text = self.text(value)?;
        self.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", (key, text)).map(drop)
    }

    /// Reads a value that was kept as JSON.
    pub fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, Error> {
        serde_json::from_str(text).map_err(|error| self.damaged(error))
    }

    /// A value as JSON.
    pub fn text(&self, value: &impl Serialize) -> Result<String, Error> {
        serde_json::to_string(value).map_err(|error| Error::Write { path: self.path, what: error.to_string() })
    }
}
