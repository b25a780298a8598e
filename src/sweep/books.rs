//! Books in the state: what each sweep has learnt of a day is put down beside what is there, and merged with it only
//! when several of like size are there, so that a sweep costs as much as it reads and not as much as is known.

use super::Error;
use super::days::{Day, Days, UNDATED, day_of};
use super::file::key;
use super::state::Open;
use crate::fold::Part;
use crate::ledger::{FileId, Input, Ledger, Text};
use crate::merge::Merge;
use crate::saved::{self, Known, Saved};
use crate::source::Beginning;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// So many books of one level and day become one of the next level.
const MANY: usize = 4;

/// Days that are so old are not written to any more, as a rule: their books become one.
const SETTLED_DAYS: Day = 2;

/// A book as bytes, with the logs that its lines stand in.
pub fn encode(state: &Open<'_>, mut ledger: Ledger) -> Result<Vec<u8>, Error> {
    let named = RefCell::new(BTreeSet::new());
    let name = |file: FileId| {
        named.borrow_mut().insert(file);
        Some(file)
    };
    let _ = ledger.refile(&name);
    ledger.inputs = named.into_inner().into_iter().map(|file| (file, Input::default())).collect();
    saved::encode(&ledger).map_err(|error| Error::Write { path: state.path(), what: error.to_string() })
}

/// The book of these bytes.
pub fn decode(state: &Open<'_>, what: &str, bytes: &[u8]) -> Result<Ledger, Error> {
    let mut ledger = saved::decode(what, bytes).map_err(|error| state.damaged(error))?;
    ledger.inputs = BTreeMap::new();
    Ok(ledger)
}

/// Puts down what a sweep has learnt. What has no time, or one that cannot be, goes to the day of the sweep.
///
/// Days before `first` are forgotten already; returns how many there were.
pub fn add(state: &Open<'_>, days: Days, first: Day, today: Day) -> Result<usize, Error> {
    let mut books: BTreeMap<Day, Ledger> = BTreeMap::new();
    for (day, ledger) in days.books {
        let day = if day == UNDATED { today } else { day.min(today + 1) };
        books.entry(day).or_default().merge(ledger);
    }
    let kept = books.split_off(&first);
    for (day, ledger) in kept {
        let bytes = encode(state, ledger)?;
        put(state, day, 0, &bytes)?;
        compact(state, day)?;
    }
    Ok(books.len())
}

fn put(state: &Open<'_>, day: Day, level: i64, bytes: &[u8]) -> Result<(), Error> {
    state.execute("INSERT INTO book (day, level, part) VALUES (?1, ?2, ?3)", (day, level, bytes)).map(drop)
}

/// Merges books of a day while there are many of one level.
fn compact(state: &Open<'_>, day: Day) -> Result<(), Error> {
    let crowded = "SELECT level FROM book WHERE day = ?1 GROUP BY level HAVING ?2 <= count(*) ORDER BY level LIMIT 1";
    while let Some(level) = state.one(crowded, (day, MANY as i64), |row| row.get::<_, i64>(0))? {
        let ledger = take(state, day, level..=level)?;
        put(state, day, level + 1, &encode(state, ledger)?)?;
    }
    Ok(())
}

/// Takes books of a day out of the state, merged.
fn take(state: &Open<'_>, day: Day, levels: RangeInclusive<i64>) -> Result<Ledger, Error> {
    let range = (day, *levels.start(), *levels.end());
    let sql = "SELECT part FROM book WHERE day = ?1 AND level BETWEEN ?2 AND ?3";
    let parts = state.rows(sql, range, |row| row.get::<_, Vec<u8>>(0))?;
    let mut ledger = Ledger::default();
    for part in parts {
        ledger.merge(decode(state, "books of a day", &part)?);
    }
    state.execute("DELETE FROM book WHERE day = ?1 AND level BETWEEN ?2 AND ?3", range)?;
    Ok(ledger)
}

/// Makes one book of each day that is over.
pub fn settle(state: &Open<'_>, today: Day) -> Result<(), Error> {
    let sql = "SELECT day, max(level) FROM book WHERE day < ?1 GROUP BY day HAVING 1 < count(*)";
    let days = state.rows(sql, [today - SETTLED_DAYS], |row| Ok((row.get::<_, Day>(0)?, row.get::<_, i64>(1)?)))?;
    for (day, level) in days {
        let ledger = take(state, day, 0..=level)?;
        put(state, day, level + 1, &encode(state, ledger)?)?;
    }
    Ok(())
}

/// The books of some days, merged.
pub fn load(state: &Open<'_>, days: RangeInclusive<Day>) -> Result<Ledger, Error> {
    let sql = "SELECT part FROM book WHERE day BETWEEN ?1 AND ?2 UNION ALL SELECT part FROM young WHERE day BETWEEN ?1 AND ?2";
    let parts = state.rows(sql, (*days.start(), *days.end()), |row| row.get::<_, Vec<u8>>(0))?;
    let mut ledger = Ledger::default();
    for part in parts {
        ledger.merge(decode(state, "books of a day", &part)?);
    }
    Ok(ledger)
}

/// What is open in some logs, as bytes.
pub fn encode_open<N>(state: &Open<'_>, part: Part<N>) -> Result<Vec<u8>, Error> {
    let files = part.edges.files().map(|file| (file, unknown())).collect();
    let part = Part { notes: Ledger::default(), loose: part.loose, edges: part.edges, rejected: Vec::new() };
    let saved = Saved { part, files, ..Saved::default() };
    saved.to_bytes().map_err(|error| Error::Write { path: state.path(), what: error.to_string() })
}

/// A log of which the state knows the rest elsewhere.
fn unknown() -> Known {
    Known { path: Text::default(), format: Text::default(), beginning: Beginning::default(), ledger: Text::default() }
}

/// Its notes hold only the inputs of which another version of the program kept lines that this one does not read.
fn decode_open(state: &Open<'_>, bytes: &[u8]) -> Result<Part, Error> {
    let saved = Saved::from_bytes("lines that are open", bytes).map_err(|error| state.damaged(error))?;
    Ok(saved.part)
}

/// Keeps what is open in logs that lie side by side.
pub fn put_run<N>(state: &Open<'_>, run: FileId, part: Part<N>) -> Result<(), Error> {
    let bytes = encode_open(state, part)?;
    state.execute("INSERT OR REPLACE INTO run (id, part) VALUES (?1, ?2)", (key(run), bytes)).map(drop)
}

/// Takes what is open in such logs out of the state; nothing if there is none.
pub fn take_run(state: &Open<'_>, run: FileId) -> Result<Part<Days>, Error> {
    let bytes = state.one("SELECT part FROM run WHERE id = ?1", [key(run)], |row| row.get::<_, Vec<u8>>(0))?;
    state.execute("DELETE FROM run WHERE id = ?1", [key(run)])?;
    let Part { notes, loose, edges, rejected } = match bytes {
        Some(bytes) => decode_open(state, &bytes)?,
        None => Part::default(),
    };
    let notes = Days { inputs: notes.inputs, books: BTreeMap::new() };
    Ok(Part { notes, loose, edges, rejected })
}

/// Everything that is open, and lines without line ends.
pub fn load_open(state: &Open<'_>) -> Result<Part, Error> {
    let sql = "SELECT part FROM run UNION ALL SELECT part FROM young WHERE day IS NULL UNION ALL SELECT part FROM tail";
    let parts = state.rows(sql, (), |row| row.get::<_, Vec<u8>>(0))?;
    Ok(Part::join(parts.iter().map(|bytes| decode_open(state, bytes)).collect::<Result<_, _>>()?))
}

/// Keeps all that is known of a short log, instead of what was.
pub fn put_young(state: &Open<'_>, file: FileId, part: Part<Days>, first: Day, today: Day) -> Result<(), Error> {
    remove_young(state, file)?;
    let Part { notes, loose, edges, .. } = part;
    let open: Part = Part { notes: Ledger::default(), loose, edges, rejected: Vec::new() };
    let bytes = encode_open(state, open)?;
    state.execute("INSERT INTO young (file, day, part) VALUES (?1, NULL, ?2)", (key(file), bytes))?;
    for (day, ledger) in notes.books {
        let day = if day == UNDATED { today } else { day.min(today + 1) };
        if first <= day {
            let bytes = encode(state, ledger)?;
            state.execute("INSERT INTO young (file, day, part) VALUES (?1, ?2, ?3)", (key(file), day, bytes))?;
        }
    }
    Ok(())
}

/// Keeps what the last line of a log says if it is whole, instead of what was.
pub fn put_tail(state: &Open<'_>, file: FileId, part: Option<Part>) -> Result<(), Error> {
    state.execute("DELETE FROM tail WHERE file = ?1", [key(file)])?;
    let Some(part) = part else { return Ok(()) };
    let saved = Saved { files: [(file, unknown())].into(), part, ..Saved::default() };
    let bytes = saved.to_bytes().map_err(|error| Error::Write { path: state.path(), what: error.to_string() })?;
    state.execute("INSERT INTO tail (file, part) VALUES (?1, ?2)", (key(file), bytes)).map(drop)
}

/// Takes what the last line of a log says if it is whole out of the state: it is.
pub fn take_tail(state: &Open<'_>, file: FileId) -> Result<Part<Days>, Error> {
    let bytes = state.one("SELECT part FROM tail WHERE file = ?1", [key(file)], |row| row.get::<_, Vec<u8>>(0))?;
    state.execute("DELETE FROM tail WHERE file = ?1", [key(file)])?;
    let Some(bytes) = bytes else { return Ok(Part::default()) };
    let Part { notes: mut ledger, loose, edges, rejected } = decode_open(state, &bytes)?;
    let inputs = std::mem::take(&mut ledger.inputs);
    let last = inputs.values().filter_map(|input| input.span.last).max();
    let books = [(last.map_or(UNDATED, day_of), ledger)].into();
    Ok(Part { notes: Days { books, inputs }, loose, edges, rejected })
}

/// Forgets what is known of a short log.
pub fn remove_young(state: &Open<'_>, file: FileId) -> Result<(), Error> {
    state.execute("DELETE FROM young WHERE file = ?1", [key(file)]).map(drop)
}

/// A short log is over: its books are put beside those of others, and what is open in it becomes a run.
pub fn grow_up(state: &Open<'_>, file: FileId) -> Result<(), Error> {
    let sql = "INSERT INTO book (day, level, part) SELECT day, 0, part FROM young WHERE file = ?1 AND day IS NOT NULL";
    let days =
        state.rows("SELECT DISTINCT day FROM young WHERE file = ?1 AND day IS NOT NULL", [key(file)], |row| {
            row.get::<_, Day>(0)
        })?;
    state.execute(sql, [key(file)])?;
    let sql = "INSERT OR REPLACE INTO run (id, part) SELECT file, part FROM young WHERE file = ?1 AND day IS NULL";
    state.execute(sql, [key(file)])?;
    remove_young(state, file)?;
    days.into_iter().try_for_each(|day| compact(state, day))
}

/// Forgets what happened before a day; returns whether there was anything.
pub fn forget(state: &Open<'_>, first: Day) -> Result<bool, Error> {
    let books = state.execute("DELETE FROM book WHERE day < ?1", [first])?;
    let young = state.execute("DELETE FROM young WHERE day < ?1", [first])?;
    Ok(0 < books + young)
}

/// Forgets all that was learnt.
pub fn forget_all(state: &Open<'_>) -> Result<(), Error> {
    for table in ["book", "young", "run", "tail", "finding", "news"] {
        state.execute(&format!("DELETE FROM {table}"), ())?;
    }
    Ok(())
}

/// Leaves out lines of logs that are forgotten.
pub fn forget_lines<N>(part: &mut Part<N>, is_known: &dyn Fn(FileId) -> bool) {
    part.loose.retain(|line| is_known(line.place.file));
}
