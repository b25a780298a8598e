//! Read: a file becomes a ledger again, if it is one and whole. Whoever wrote it may mean harm: nothing in it is
//! believed, and what it unpacks to is bounded.

use super::rows::{Entry, Header, LooseRow, Rest};
use super::{Assumed, BEGINS, Error, SCHEMA, Saved};
use crate::correlate::{Edges, Parts};
use crate::fold::LooseLine;
use crate::ledger::{Book, FileId, Ledger, Text};
use crate::source::{Content, Source};
use relayaudit_parsers::registry::{self, Context};
use std::fs::File;
use std::hash::Hash;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// How a frame of zstd begins (RFC 8878 section 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A ledger that unpacks to no more than this is read, however small it is.
const SMALL_BYTES: u64 = 16 << 20;

/// Above that, how many times larger than the file it may be. Lines of ledgers shrink to a tenth, all the same ones to a
/// hundredth.
const RATIO: u64 = 1000;

/// How far back a frame may refer, as a power of two in bytes, since so much memory is set aside for it. Ledgers refer back
/// 2 MiB (level 3 of zstd 1.5), and those that somebody packed again with level 19 four times as far.
const WINDOW_LOG: u32 = 23;

/// What is said of bytes that are no ledger, if there is no file to look at.
const NO_LEDGER: &str = "not a ledger";

/// How large a ledger may be that is unpacked from a file of this size, in bytes.
pub fn limit(packed_bytes: u64) -> u64 {
    SMALL_BYTES.max(packed_bytes.saturating_mul(RATIO))
}

/// The largest sum of all counts of a ledger: beyond, sums that are made of them later might not fit.
pub fn largest() -> u64 {
    u64::MAX / 4
}

/// What is said of lines that another version kept open and this one has no use for.
const READ_DIFFERENTLY: &str =
    "some lines that were still open were kept by another version and say nothing to this one; scan the log again";

/// Reads a file.
pub fn load(path: &str) -> Result<Saved, Error> {
    let path = Text::from(path);
    let fail = |source| Error::Read { path, source };
    if Path::new(&*path).is_dir() {
        return Err(Error::NotALedger { path, what: "a folder, not a ledger".into() });
    }
    let file = BufReader::with_capacity(1 << 17, File::open(&*path).map_err(fail)?);
    let size_bytes = file.get_ref().metadata().map_err(fail)?.len();
    read(path, file, size_bytes, What::Saved).map_err(|error| match error {
        Error::NotALedger { path, what } if what == NO_LEDGER => Error::NotALedger { path, what: instead(&path) },
        error => error,
    })
}

/// What is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Books and what is still open.
    Saved,
    /// Books in which everything is decided.
    Books,
}

/// Reads what was packed into so many bytes; errors call it `path`.
pub fn read(path: Text, mut packed: impl BufRead, size_bytes: u64, what: What) -> Result<Saved, Error> {
    let fail = |source| Error::Read { path, source };
    if !packed.fill_buf().map_err(fail)?.starts_with(&MAGIC) {
        return Err(Error::NotALedger { path, what: NO_LEDGER.into() });
    }
    let unpacked = unpack(packed).map_err(fail)?.take(limit(size_bytes).saturating_add(1));
    let lines = BufReader::with_capacity(1 << 17, unpacked);
    let mut reading = Reading { path, line: 0, lines, saved: Saved::default(), contexts: Vec::new() };
    reading.header(what)?;
    while !reading.entry()? {}
    reading.finish(what)
}

/// Whether a file begins as a ledger does.
pub fn is_ledger(path: &Path) -> bool {
    let begin = || -> io::Result<Vec<u8>> {
        let mut begin = Vec::new();
        unpack(BufReader::new(File::open(path)?))?.take(BEGINS.len() as u64).read_to_end(&mut begin)?;
        Ok(begin)
    };
    begin().is_ok_and(|begin| begin == BEGINS)
}

fn unpack<R: BufRead>(packed: R) -> io::Result<zstd::Decoder<'static, R>> {
    let mut unpacked = zstd::Decoder::with_buffer(packed)?;
    unpacked.window_log_max(WINDOW_LOG)?;
    Ok(unpacked)
}

/// What a file is that is no ledger.
fn instead(path: &str) -> String {
    /// So much tells a log.
    const HEAD_BYTES: usize = 64 * 1024;
    let head = match Source::open(path, HEAD_BYTES) {
        Ok(Content::Archive(_)) => return "an archive, not a ledger; give it to `relayaudit scan`".into(),
        Ok(Content::Text(source)) => source.head().to_vec(),
        Ok(Content::Failed(_)) | Err(_) => Vec::new(),
    };
    if head.is_empty() {
        return "empty or unreadable, not a ledger".into();
    }
    match registry::detect(head.split(|byte| *byte == b'\n')) {
        Some(format) => format!("a log ({}), not a ledger; give it to `relayaudit scan`", format.name),
        None => "not a ledger; `relayaudit scan LOGS --ledger-out FILE` writes one".into(),
    }
}

/// The state while a ledger is read.
struct Reading<R: BufRead> {
    path: Text,
    line: u64,
    lines: BufReader<io::Take<zstd::Decoder<'static, R>>>,
    saved: Saved,
    contexts: Vec<Arc<Context>>,
}

impl<R: BufRead> Reading<R> {
    fn damaged(&self, what: impl ToString) -> Error {
        Error::Damaged { path: self.path, line: self.line, what: what.to_string() }
    }

    /// The next line; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut line = Vec::new();
        self.line += 1;
        let read = self.lines.read_until(b'\n', &mut line);
        match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.damaged("it ends early")),
            Err(error) => Err(self.damaged(error)),
            Ok(_) if self.lines.get_ref().limit() == 0 => Err(self.damaged("it unpacks to more than a ledger holds")),
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(line)),
        }
    }

    /// Reads the first line.
    fn header(&mut self, what: What) -> Result<(), Error> {
        let path = self.path;
        let line = self.next()?.unwrap_or_default();
        if !line.starts_with(BEGINS) {
            return Err(Error::NotALedger { path, what: NO_LEDGER.into() });
        }
        let header: Header = serde_json::from_slice(&line).map_err(|error| self.damaged(error))?;
        if header.schema != SCHEMA {
            return Err(Error::Newer { path, schema: header.schema, version: header.tool.version });
        }
        match (what, header.finished) {
            (What::Saved, true) => {
                let what = "books in which everything is decided: nothing can be added to them".into();
                return Err(Error::NotALedger { path, what });
            }
            (What::Books, false) => return Err(Error::NotALedger { path, what: "a ledger that is still open".into() }),
            (What::Saved, false) | (What::Books, true) => {}
        }
        self.saved.window = header.window.unwrap_or_default();
        Ok(())
    }

    /// Reads a line; returns whether it is the last.
    fn entry(&mut self) -> Result<bool, Error> {
        let Some(line) = self.next()? else { return Err(self.damaged("it ends early")) };
        let entry: Entry = serde_json::from_slice(&line).map_err(|error| self.damaged(error))?;
        let Saved { part, files, failures, assumed, .. } = &mut self.saved;
        let path = self.path;
        let is_new = match entry {
            Entry::File(file, known) => files.insert(file, super::Known { ledger: path, ..known }).is_none(),
            Entry::Failure(failure) => failures.insert(failure),
            Entry::Assumed(years) => std::mem::replace(assumed, years) == Assumed::default(),
            Entry::Edges(edges) => std::mem::replace(&mut part.edges, edges) == Edges::default(),
            Entry::Context(context) => {
                self.contexts.push(Arc::new(context.into()));
                true
            }
            Entry::Loose(row) => {
                let line = loose(row, &self.contexts).map_err(|what| self.damaged(what))?;
                self.saved.part.loose.push(line);
                true
            }
            Entry::End(rows) => return self.end(rows),
            booked => book(&mut part.notes, booked),
        };
        if is_new { Ok(false) } else { Err(self.damaged("something is in it twice, or more often than it may be")) }
    }

    /// Checks that this is the end.
    fn end(&mut self, rows: u64) -> Result<bool, Error> {
        // The header and this line are no rows.
        if rows.checked_add(2) != Some(self.line) {
            return Err(self.damaged("lines are missing"));
        }
        match self.next()? {
            None => Ok(true),
            Some(_) => Err(self.damaged("something follows its end; put ledgers together with `relayaudit merge`")),
        }
    }

    /// Checks what the lines say together.
    fn finish(mut self, what: What) -> Result<Saved, Error> {
        let Saved { files, part, .. } = &self.saved;
        let files: Vec<FileId> = match what {
            What::Saved => files.keys().copied().collect(),
            What::Books => part.notes.inputs.keys().copied().collect(),
        };
        let files = files.into_iter().map(|file| (file, file)).collect();
        if super::join::refile(&mut self.saved, &files).is_none() {
            return Err(self.damaged("it names a log that it does not list"));
        }
        if largest() < self.saved.part.notes.total() {
            return Err(self.damaged("it counts more than any log can hold"));
        }
        let part = &mut self.saved.part;
        part.loose.sort_by_key(|line| line.place);
        let inputs = &mut part.notes.inputs;
        part.loose.retain(|line| {
            let is_read = line.fact().is_some();
            if !is_read {
                inputs.entry(line.place.file).or_default().problems.insert(READ_DIFFERENTLY.into());
            }
            is_read
        });
        Ok(self.saved)
    }
}

/// Takes a line into the books. Returns whether they did not hold it yet.
fn book(ledger: &mut Ledger, entry: Entry) -> bool {
    match entry {
        Entry::Input(file, input) => ledger.inputs.insert(file, input).is_none(),
        Entry::Flow(key, flow) => put(&mut ledger.flows, key, flow),
        Entry::Client(key, facts) => put(&mut ledger.clients, key, facts),
        Entry::Account(key, sent) => put(&mut ledger.accounts, key, sent),
        Entry::User(key, messages) => put(&mut ledger.users, key, messages),
        Entry::Hello(key, facts) => put(&mut ledger.hellos, key, facts),
        Entry::Template(key, facts) => ledger.templates.put(key, *facts),
        Entry::Templates(Rest { dropped }) => ledger.templates.put_rest(dropped),
        Entry::LogIn(key, facts) => ledger.log_ins.put(key, *facts),
        Entry::LogIns(Rest { dropped }) => ledger.log_ins.put_rest(dropped),
        Entry::Domain(key, facts) => put(&mut ledger.domains, key, facts),
        Entry::Server(name, facts) => ledger.servers.insert(name, *facts).is_none(),
        Entry::Loss(key, loss) => ledger.losses.insert(key, loss).is_none(),
        Entry::Listing(key, listing) => put(&mut ledger.listings, key, listing),
        // What is in no book was taken before.
        Entry::File(..)
        | Entry::Failure(_)
        | Entry::Assumed(_)
        | Entry::Edges(_)
        | Entry::Context(_)
        | Entry::Loose(_)
        | Entry::End(_) => false,
    }
}

fn put<K: Eq + Hash, V>(book: &mut Book<K, V>, key: K, value: V) -> bool {
    book.insert(key, value).is_none()
}

fn loose(row: LooseRow, contexts: &[Arc<Context>]) -> Result<LooseLine, String> {
    let format = registry::by_name(&row.format).ok_or_else(|| format!("no log format `{}`", row.format))?;
    Ok(LooseLine {
        place: row.place,
        time: row.time,
        server: row.server,
        parts: Parts::from_bits(row.parts).ok_or("parts that a line does not have")?,
        format,
        context: contexts.get(row.context).cloned().ok_or("a context that was not given")?,
        raw: row.raw,
        text: row.text.map(|inner| inner.0),
    })
}
