//! Open: the text of a file, whatever it is wrapped in.

use super::archive::{self, Member, Stretch};
use super::journal::{self, Journalctl};
use super::text;
use super::unpack::{self, Begun, Bytes, Size};
use crate::ledger::hash;
use chrono::{DateTime, Utc};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a path leads to.
pub enum Content {
    /// A file that may be a log.
    Text(Source),
    /// A tar archive.
    Archive(Location),
    /// A journal that could not be read, with a message for people.
    Failed(String),
}

/// Where the bytes of a file are: a path and, for a member of an archive, where it stands in that; and so on for an
/// archive in an archive.
#[derive(Debug, Clone)]
pub struct Location {
    path: Box<str>,
    within: Vec<Stretch>,
    /// What the archive here, or the innermost around it, is packed with.
    packing: Option<&'static str>,
    /// What reads it: it is a journal.
    through: Option<Journalctl>,
}

/// A file of which the first bytes were looked at.
pub struct Source {
    location: Location,
    head: Vec<u8>,
    taken: usize,
    /// Length and hash of the head, which may have been let go.
    mark: (usize, u64),
    /// Size of the text; `None` if only reading it all would tell.
    text_bytes: Option<u64>,
    /// What follows the head; `None` if the file is to be opened again when it is read.
    rest: Option<Bytes>,
    modified: DateTime<Utc>,
    size_bytes: Option<u64>,
    /// Whether the text is what is on disk: neither packed nor decoded.
    is_plain: bool,
    passed: Arc<AtomicU64>,
    packing: Option<&'static str>,
}

impl Location {
    fn of(path: &str) -> Location {
        Location { path: path.into(), within: Vec::new(), packing: None, through: None }
    }

    /// How deep in archives it lies: 0 for a file on disk.
    pub fn depth(&self) -> usize {
        self.within.len()
    }

    /// Whether what is here can only be reached by unpacking all that stands before it.
    fn is_packed(&self) -> bool {
        self.packing.is_some()
    }

    /// Bytes that are unpacked, and not wanted, each time this is opened.
    pub fn before_bytes(&self) -> u64 {
        let offsets = self.within.iter().filter(|_| self.is_packed()).map(|at| at.offset);
        offsets.fold(0, u64::saturating_add)
    }

    /// A member of the archive that is here.
    pub fn member(&self, at: Stretch) -> Location {
        let mut within = self.within.clone();
        within.push(at);
        Location { path: self.path.clone(), within, packing: self.packing, through: None }
    }

    /// Opens what is here, unpacked. `passed` counts the bytes that were read of it.
    fn open(&self, passed: &Arc<AtomicU64>) -> io::Result<Begun> {
        let counted = |inner| -> Bytes { Box::new(Counted { inner, passed: Arc::clone(passed) }) };
        if let Some(journalctl) = &self.through {
            return unpack::look(counted(journalctl.read(&self.path)?));
        }
        let file: Bytes = if &*self.path == "-" { Box::new(io::stdin()) } else { Box::new(File::open(&*self.path)?) };
        let size = Size::default();
        let file = size.of(file);
        let Some((last, archives)) = self.within.split_last() else { return unpack::unpack(counted(file), &size) };
        if !self.is_packed() {
            return unpack::unpack(counted(archive::stretch_on_disk(&self.path, &self.within)?), &size);
        }
        let mut begun = unpack::unpack(file, &size)?;
        for at in archives {
            begun = unpack::unpack(archive::stretch(begun.bytes, *at)?, &size)?;
        }
        unpack::unpack(counted(archive::stretch(begun.bytes, *last)?), &size)
    }

    /// Goes through the archive that is here. Fails, with a message for people, where it cannot be read to its end.
    pub fn members(&self, head_bytes: usize, take: &mut dyn FnMut(Member)) -> Result<(), String> {
        let begun = self.open(&Arc::default()).map_err(cannot)?;
        let packing = begun.packing.unwrap_or("tar");
        archive::members(begun.bytes, head_bytes as u64, take).map_err(|error| match error.kind() {
            io::ErrorKind::Other => format!("the archive cannot be read to its end: {error}"),
            _ => unpack::explain(Some(packing), &error),
        })
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the file was changed since it was looked at")
}

fn cannot(error: io::Error) -> String {
    format!("cannot read: {error}")
}

impl Source {
    /// Opens a file, or stdin for `-`, and reads up to `head_bytes` of the text in it.
    ///
    /// Fails, with a message for people, when it cannot be read.
    pub fn open(path: &str, head_bytes: usize) -> Result<Content, String> {
        let mut location = Location::of(path);
        let metadata = (path != "-").then(|| std::fs::metadata(path)).transpose().map_err(cannot)?;
        let passed = Arc::default();
        let begun = location.open(&passed).map_err(cannot)?;
        let is_journal = begun.packing.is_none() && begun.begin.starts_with(journal::MAGIC);
        if let (true, Some(metadata), Some(journalctl)) = (is_journal, &metadata, Journalctl::find()) {
            location.through = Some(journalctl);
            return Ok(Source::journal(location, super::modified(metadata), head_bytes));
        }
        if archive::is_archive(&begun) {
            let is_pipe = metadata.is_none();
            location.packing = begun.packing;
            let message = "an archive on standard input cannot be read; give its path, or `tar -xO` its logs";
            return if is_pipe { Err(message.into()) } else { Ok(Content::Archive(location)) };
        }
        let mut source = Source {
            location,
            head: Vec::new(),
            taken: 0,
            mark: (0, 0),
            text_bytes: None,
            rest: None,
            modified: metadata.as_ref().map_or_else(Utc::now, super::modified),
            size_bytes: metadata.map(|metadata| metadata.len()),
            is_plain: false,
            passed,
            packing: begun.packing,
        };
        source.begin(begun, head_bytes).map_err(cannot)?;
        Ok(Content::Text(source))
    }

    /// Bytes that come as they come: `head` was there first, `rest` gives none where nothing more is there yet.
    pub fn growing(head: Vec<u8>, rest: Box<dyn Read + Send>) -> Source {
        Source {
            location: Location::of("-"),
            mark: (head.len(), hash::stable(&head)),
            head,
            taken: 0,
            text_bytes: None,
            rest: Some(rest),
            modified: Utc::now(),
            size_bytes: None,
            is_plain: false,
            passed: Arc::default(),
            packing: None,
        }
    }

    /// A journal, through the program that reads it.
    fn journal(location: Location, modified: DateTime<Utc>, head_bytes: usize) -> Content {
        let mut source = Source {
            location,
            head: Vec::new(),
            taken: 0,
            mark: (0, 0),
            text_bytes: None,
            rest: None,
            modified,
            // Other bytes are read than those on disk.
            size_bytes: None,
            is_plain: false,
            passed: Arc::default(),
            packing: None,
        };
        let begun = source.location.open(&source.passed).and_then(|begun| source.begin(begun, head_bytes));
        match begun {
            Ok(()) => Content::Text(source),
            Err(error) => Content::Failed(cannot(error)),
        }
    }

    /// A member of an archive, of which only the first bytes are known yet.
    pub fn member(archive: &Location, member: Member, head_bytes: usize) -> Result<Content, String> {
        let mut location = archive.member(member.at);
        let raw_is_all = member.head.len() as u64 == member.at.size_bytes;
        let size = Size::default();
        let begun = unpack::unpack(size.of(Box::new(io::Cursor::new(member.head))), &size).map_err(cannot)?;
        let packing = begun.packing.or(location.packing);
        if archive::is_archive(&begun) {
            location.packing = packing;
            return Ok(Content::Archive(location));
        }
        let mut source = Source {
            location,
            head: Vec::new(),
            taken: 0,
            mark: (0, 0),
            text_bytes: None,
            rest: None,
            modified: member.modified,
            size_bytes: Some(member.at.size_bytes),
            is_plain: false,
            passed: Arc::default(),
            packing: packing.or(Some("tar")),
        };
        source.begin(begun, head_bytes).map_err(cannot)?;
        source.text_bytes = source.text_bytes.filter(|_| raw_is_all);
        source.rest = source.is_whole().then(|| -> Bytes { Box::new(io::empty()) });
        Ok(Content::Text(source))
    }

    /// Takes the head of the text, and the rest to be read later.
    fn begin(&mut self, begun: Begun, head_bytes: usize) -> io::Result<()> {
        // Only of what is neither packed nor decoded is the size on disk that of the text.
        self.is_plain = self.packing.is_none() && !self.is_journal() && !text::is_marked(&begun);
        let plain_bytes = self.size_bytes.filter(|_| self.is_plain);
        let mut rest = text::decode(begun);
        let mut head = Vec::new();
        let read = rest.by_ref().take(head_bytes as u64).read_to_end(&mut head);
        // What could be read is enough to recognise the file; the error comes again when it is read.
        if let Err(error) = &read
            && head.is_empty()
        {
            return Err(io::Error::new(error.kind(), error.to_string()));
        }
        let is_all = read.is_ok() && head.len() < head_bytes;
        self.text_bytes = if is_all { Some(head.len() as u64) } else { plain_bytes };
        self.mark = (head.len(), hash::stable(&head));
        self.head = head;
        self.taken = 0;
        self.rest = Some(rest);
        Ok(())
    }

    /// Whether it is a journal, read through `journalctl`.
    pub fn is_journal(&self) -> bool {
        self.location.through.is_some()
    }

    /// The first bytes of the text.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether it is a member of an archive whose whole text is at hand.
    pub fn is_whole(&self) -> bool {
        0 < self.location.depth() && self.text_bytes == Some(self.head.len() as u64)
    }

    /// Bytes that are unpacked before it, each time it is opened.
    pub fn before_bytes(&self) -> u64 {
        self.location.before_bytes()
    }

    /// Whether it is a file on disk that is read as it is.
    pub fn is_plain_file(&self) -> bool {
        self.packing.is_none() && !self.is_journal()
    }

    /// Lets go of what is kept for a file, a member of an archive or a journal; it is opened again when it is read. Standard input
    /// cannot be.
    pub fn release(&mut self) {
        if &*self.location.path != "-" {
            self.rest = None;
            self.head = Vec::new();
            self.passed.store(0, Ordering::Relaxed);
        }
    }

    /// Opens again what was released.
    fn reopen(&mut self) -> io::Result<()> {
        let (mark, text_bytes) = (self.mark, self.text_bytes);
        let begun = self.location.open(&self.passed)?;
        self.begin(begun, mark.0)?;
        self.text_bytes = text_bytes;
        if self.mark != mark {
            return Err(changed());
        }
        Ok(())
    }

    /// Skips the first bytes of the text, which were read before. Of a plain file they are not read again.
    ///
    /// Fails where the text is shorter, or is another one than was looked at.
    pub fn skip_to(&mut self, offset_bytes: u64) -> io::Result<()> {
        if offset_bytes == 0 {
            return Ok(());
        }
        let is_on_disk = self.is_plain && self.location.within.is_empty() && &*self.location.path != "-";
        if is_on_disk && (self.head.len() as u64) < offset_bytes {
            return self.seek_to(offset_bytes);
        }
        match io::copy(&mut self.by_ref().take(offset_bytes), &mut io::sink())? {
            skipped if skipped == offset_bytes => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Opens the file again behind the first bytes. It may have been moved away since it was looked at, so the new one must
    /// begin with the same head.
    fn seek_to(&mut self, offset_bytes: u64) -> io::Result<()> {
        let mut file = File::open(&*self.location.path)?;
        let mut head = vec![0; self.mark.0];
        let is_same = file.read_exact(&mut head).is_ok() && hash::stable(&head) == self.mark.1;
        if !is_same || file.metadata()?.len() < offset_bytes {
            return Err(changed());
        }
        self.passed.fetch_add(head.len() as u64, Ordering::Relaxed);
        file.seek(SeekFrom::Start(offset_bytes))?;
        self.head = Vec::new();
        self.taken = 0;
        self.rest = Some(Box::new(Counted { inner: Box::new(file), passed: Arc::clone(&self.passed) }));
        Ok(())
    }

    /// Whether its text is that of the file on disk: neither packed nor decoded.
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether it is packed, or a member of an archive.
    pub fn is_packed(&self) -> bool {
        self.packing.is_some()
    }

    /// The path of the file; of a member, that of the archive.
    pub fn path(&self) -> &str {
        &self.location.path
    }

    /// Whether it is a file that may be written to: not packed, not in an archive, not read through another program.
    pub fn may_grow(&self) -> bool {
        self.packing.is_none() && !self.is_journal() && self.location.within.is_empty()
    }

    /// What copies of one log have in common, packed or not: a hash of the first bytes of the text.
    pub fn likeness(&self) -> u64 {
        self.mark.1
    }

    /// The size of the text in bytes, if that is known.
    pub fn known_bytes(&self) -> Option<u64> {
        self.text_bytes
    }

    /// The size of the text in bytes. If need be it is read to its end for that, as far as it can be.
    pub fn text_bytes(&mut self) -> u64 {
        if let Some(known) = self.text_bytes {
            return known;
        }
        let mut counted = 0;
        if let Ok(begun) = self.location.open(&Arc::default()) {
            let mut text = text::decode(begun);
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = text.read(&mut buffer) {
                counted += read as u64;
            }
        }
        self.text_bytes = Some(counted);
        counted
    }

    /// When the file was last written.
    pub fn modified(&self) -> DateTime<Utc> {
        self.modified
    }

    /// Its size on disk or in the archive; `None` for stdin.
    pub fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }

    /// How many of those bytes were read so far; shared with the reader, for progress.
    pub fn passed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.passed)
    }

    /// What to say of an error while reading on.
    pub fn explain(&self, error: &io::Error) -> String {
        unpack::explain(self.packing, error)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_none() {
            self.reopen()?;
        }
        if self.taken < self.head.len() {
            let bytes = buffer.len().min(self.head.len() - self.taken);
            buffer[..bytes].copy_from_slice(&self.head[self.taken..self.taken + bytes]);
            self.taken += bytes;
            return Ok(bytes);
        }
        self.rest.as_mut().map_or(Ok(0), |rest| rest.read(buffer))
    }
}

/// Counts what passes.
struct Counted {
    inner: Bytes,
    passed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}
