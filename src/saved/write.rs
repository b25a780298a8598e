//! Write: a ledger becomes a file, whole or not at all.

use super::read::{largest, limit};
use super::rows::{Directed, Header, Inner, LooseRow, Rest, Row, Tool};
use super::{Error, SCHEMA, Saved};
use crate::fold::{LooseLine, Part};
use crate::ledger::capped::{Capped, Spread, Weight};
use crate::ledger::{Book, Ledger, Text, sorted};
use crate::observe::Window;
use foldhash::HashMap;
use relayaudit_parsers::registry::Context;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How hard zstd tries: its default, at which packing takes less time than making the lines.
const LEVEL: i32 = 3;

/// A file that is to become a ledger. It is written beside its place and moved there when it is whole; what was there
/// before stays until then.
pub struct Destination {
    path: PathBuf,
    partial: PathBuf,
    file: Option<File>,
}

impl Destination {
    /// Makes the file, so that one that cannot be written is known before logs are read for hours.
    ///
    /// Fails if there is something that is no ledger.
    pub fn create(path: &Path) -> Result<Destination, Error> {
        let fail = |source| Error::Write { path: name(path), source };
        // A link is to stay one.
        let path = if path.exists() { path.canonicalize().map_err(fail)? } else { path.to_path_buf() };
        if path.exists() && !(path.is_file() && super::read::is_ledger(&path)) {
            return Err(Error::Occupied { path: name(&path) });
        }
        let mut partial = path.clone().into_os_string();
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = PathBuf::from(partial);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // It holds addresses and lines of logs, which not everybody may read either.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(fail)?;
        Ok(Destination { path, partial, file: Some(file) })
    }

    /// Writes the ledger and puts it in its place.
    pub fn write(mut self, saved: &Saved) -> Result<(), Error> {
        let path = name(&self.path);
        if largest() < saved.part.notes.total() {
            return Err(Error::Unsound { path, what: "it counts more than any log can hold" });
        }
        let Some(file) = self.file.take() else { return Ok(()) };
        let write = || -> io::Result<bool> {
            let (file, plain_bytes) = pack(saved, file)?;
            file.sync_all()?;
            let is_read = plain_bytes <= limit(file.metadata()?.len());
            // Windows does not move a file that is open.
            drop(file);
            if is_read {
                std::fs::rename(&self.partial, &self.path)?;
            }
            Ok(is_read)
        };
        match write() {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(Error::Unsound { path, what: "it repeats itself so often that it would not be read again" })
            }
            Err(source) => Err(Error::Write { path, source }),
        }
    }
}

impl Drop for Destination {
    /// Removes what is not whole.
    fn drop(&mut self) {
        drop(self.file.take());
        // Gone already if it was moved to its place.
        let _ = std::fs::remove_file(&self.partial);
    }
}

fn name(path: &Path) -> Text {
    path.to_string_lossy().as_ref().into()
}

/// Writes a ledger, packed. Returns what it was written to, and its size before it was packed.
pub(super) fn pack<W: Write>(saved: &Saved, out: W) -> io::Result<(W, u64)> {
    pack_lines(out, |lines| lines.saved(saved))
}

/// Writes books in which everything is decided, packed.
pub(super) fn pack_books(ledger: &Ledger) -> io::Result<Vec<u8>> {
    let books = |lines: &mut Lines<_>| {
        lines.header(None)?;
        lines.ledger(ledger)?;
        lines.end()
    };
    Ok(pack_lines(Vec::new(), books)?.0)
}

/// What packs lines.
type Packer<W> = zstd::Encoder<'static, W>;

fn pack_lines<W: Write>(out: W, write: impl FnOnce(&mut Lines<Packer<W>>) -> io::Result<()>) -> io::Result<(W, u64)> {
    let mut packer = zstd::Encoder::new(out, LEVEL)?;
    packer.include_checksum(true)?;
    let mut lines = Lines { out: BufWriter::with_capacity(1 << 17, packer), rows: 0, bytes: 0 };
    write(&mut lines)?;
    let bytes = lines.bytes;
    let packer = lines.out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((packer.finish()?, bytes))
}

/// Writes line by line.
struct Lines<W: Write> {
    out: BufWriter<W>,
    rows: u64,
    bytes: u64,
}

impl<W: Write> Lines<W> {
    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut counted = Counted { out: &mut self.out, bytes: 0 };
        serde_json::to_writer(&mut counted, value)?;
        self.bytes += counted.bytes + 1;
        self.out.write_all(b"\n")
    }

    fn row<T: Serialize>(&mut self, word: &'static str, value: &T) -> io::Result<()> {
        self.rows += 1;
        self.line(&Row(word, value))
    }

    fn book<K: Serialize + Ord, V: Serialize>(&mut self, word: &'static str, book: &Book<K, V>) -> io::Result<()> {
        sorted(book).into_iter().try_for_each(|entry| self.row(word, &entry))
    }

    fn saved(&mut self, saved: &Saved) -> io::Result<()> {
        // All fields are named, so that none is forgotten.
        let Saved { part, files, failures, assumed, window } = saved;
        // Lines that were not understood are handed out while logs are read.
        let Part { notes, loose, edges, rejected: _ } = part;
        self.header(Some(*window))?;
        files.iter().try_for_each(|file| self.row("file", &file))?;
        failures.iter().try_for_each(|failure| self.row("failure", failure))?;
        self.row("assumed", assumed)?;
        self.ledger(notes)?;
        self.row("edges", edges)?;
        self.loose(loose)?;
        self.end()
    }

    /// Writes the first line; without a window that of books in which everything is decided.
    fn header(&mut self, window: Option<Window>) -> io::Result<()> {
        let tool = Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() };
        self.line(&Header { schema: SCHEMA.into(), tool, window, finished: window.is_none() })
    }

    fn end(&mut self) -> io::Result<()> {
        let rows = self.rows;
        self.line(&Row("end", &rows))
    }

    fn ledger(&mut self, ledger: &Ledger) -> io::Result<()> {
        // All books are named, so that none is forgotten: each needs a line below.
        let Ledger {
            inputs,
            flows,
            clients,
            accounts,
            users,
            hellos,
            templates,
            log_ins,
            domains,
            servers,
            losses,
            listings,
        } = ledger;
        inputs.iter().try_for_each(|input| self.row("input", &input))?;
        self.book("flow", flows)?;
        self.book("client", clients)?;
        self.book("account", accounts)?;
        self.book("user", users)?;
        self.book("hello", hellos)?;
        self.capped(("template", "templates"), templates)?;
        self.capped(("log-in", "log-ins"), log_ins)?;
        self.book("domain", domains)?;
        servers.iter().try_for_each(|server| self.row("server", &server))?;
        losses.iter().try_for_each(|loss| self.row("loss", &loss))?;
        self.book("listing", listings)
    }

    /// Writes the entries of a capped book, and what it counts in those that it dropped.
    fn capped<K, V, const N: usize>(
        &mut self,
        (word, all): (&'static str, &'static str),
        book: &Capped<K, V, N>,
    ) -> io::Result<()>
    where
        K: Spread + Ord + Serialize,
        V: Default + Weight + Serialize,
        V::Rest: Serialize,
    {
        let (entries, dropped) = book.parts();
        self.book(word, entries)?;
        self.row(all, &Rest { dropped })
    }

    /// Writes the lines that are still open, each context before the first line that was read in it.
    fn loose(&mut self, lines: &[LooseLine]) -> io::Result<()> {
        let mut contexts: HashMap<Arc<Context>, usize> = HashMap::default();
        for line in lines {
            let LooseLine { place, time, server, parts, format, context, raw, text } = line;
            let next = contexts.len();
            let number = *contexts.entry(Arc::clone(context)).or_insert(next);
            if number == next {
                self.row("context", &Directed::from(&**context))?;
            }
            let row = LooseRow {
                place: *place,
                time: *time,
                server: *server,
                parts: parts.bits(),
                format: format.name.into(),
                context: number,
                raw: raw.clone(),
                text: text.clone().map(Inner),
            };
            self.row("loose", &row)?;
        }
        Ok(())
    }
}

/// Counts what passes.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
