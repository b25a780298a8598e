//! Tail: one log that is being written to, read to its end wherever it is moved.
//!
//! The file is held open, so that a rename takes nothing away from it. What its path leads to is looked at each time: another
//! file is a rotation, a shorter one is a log that was copied and emptied (logrotate's `copytruncate`, logrotate(8)).

use crate::clock::Clock;
use crate::fold::{Chunk, Part};
use crate::layout::{Arranged, Layout, lines};
use crate::ledger::{FileId, Text, Time, hash, unrotated};
use crate::source::{Beginning, LONGEST_LINE, Log, Source, Splitter};
use chrono::{DateTime, Utc};
use relayaudit_parsers::Line;
use relayaudit_parsers::registry::{Context, Format};
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// First bytes by which a file that was emptied and has grown again is told from the one it was.
const PRINT_BYTES: usize = 512;

/// Bytes at the end of a text that are looked at for its last record.
const END_BYTES: usize = 64 * 1024;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    #[cfg(unix)]
    inode: (u64, u64),
    /// The standard library tells no file number elsewhere; on Windows this is the time of creation.
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl Identity {
    /// What the disk says.
    pub fn of(metadata: &Metadata) -> Identity {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Identity { inode: (metadata.dev(), metadata.ino()) }
        }
        #[cfg(not(unix))]
        Identity { created: metadata.created().ok() }
    }
}

/// What became of the path of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing, or the log has grown.
    None,
    /// The file is the same, and its text is not: it was emptied.
    Emptied,
    /// It leads to another file.
    Replaced,
    /// It leads nowhere.
    Gone,
}

/// What of a log that was there at the start is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Nothing.
    Nothing,
    /// Stretches whose last record is older.
    Before(Time),
    /// All that is there.
    Existing,
}

/// What reading on gave.
pub enum Step {
    /// A stretch that counts.
    Chunk(Chunk),
    /// A stretch that is passed over.
    Skipped,
    /// Nothing more is there now.
    End,
}

/// One log that is followed.
pub struct Tail {
    /// Its number.
    pub file: FileId,
    /// The path under which it was opened.
    pub path: Text,
    /// The name of its format.
    pub format: &'static str,
    /// By what it is known again.
    pub beginning: Beginning,
    /// What is still open in it.
    pub part: Part,
    /// Lines that were open when it was last settled.
    pub settled_lines: usize,
    /// Lines that were read.
    pub lines: u64,
    /// What of it is passed over.
    pub skip: Skip,
    /// When something was last read of it.
    pub grown: Instant,
    /// Whether its path leads elsewhere: it is read until nothing more comes.
    pub leaving: bool,
    /// Whether all that was there was read.
    pub at_end: bool,
    /// Whether it ends where nothing more is there: it cannot grow, or its text was taken away.
    pub ends: bool,
    /// What the disk said of it when it was opened; `None` for standard input.
    pub identity: Option<Identity>,
    /// Length and hash of its first bytes.
    print: (usize, u64),
    splitter: Splitter,
    passed: Arc<AtomicU64>,
    size_bytes: u64,
}

impl Tail {
    /// Follows a log from its beginning. `identity` is that of the file that was opened.
    pub fn new(log: Log, identity: Option<Identity>, skip: Skip) -> Tail {
        let head = log.source.head();
        let head = &head[..head.len().min(PRINT_BYTES)];
        Tail {
            file: log.file,
            path: log.path,
            format: log.format.name,
            beginning: log.beginning.clone(),
            part: Part::default(),
            settled_lines: 0,
            lines: 0,
            skip,
            grown: Instant::now(),
            leaving: false,
            at_end: false,
            ends: identity.is_some() && (!log.source.may_grow() || log.layout.newest_first),
            identity,
            // Of a text that was decoded, the first bytes are other ones on disk.
            print: if log.source.is_packed() { (0, 0) } else { (head.len(), hash::stable(head)) },
            passed: log.source.passed(),
            size_bytes: log.source.size_bytes().unwrap_or(0),
            splitter: Splitter::follow(log, LONGEST_LINE),
        }
    }

    /// What the logs have in common that follow each other under one path.
    pub fn stream(&self) -> &str {
        unrotated(&self.path)
    }

    /// The year that was taken for its first stamp, if stamps have none.
    pub fn year(&self) -> Option<i32> {
        self.splitter.log().clock.year()
    }

    /// Bytes of the text that were read.
    pub fn read_bytes(&self) -> u64 {
        self.splitter.bookmark().offset_bytes.saturating_add(self.splitter.begun_bytes() as u64)
    }

    /// Bytes on disk, and how many of them were not read when it was last looked at.
    pub fn sizes(&self) -> (u64, u64) {
        (self.size_bytes, self.size_bytes.saturating_sub(self.passed.load(Ordering::Relaxed)))
    }

    /// What went wrong in reading, for people.
    pub fn problem(&self) -> Option<&str> {
        self.splitter.problem.as_deref()
    }

    /// Looks at what the path leads to now.
    pub fn look(&mut self) -> Change {
        let identity = match self.identity {
            _ if self.ends => return Change::None,
            Some(identity) if !self.leaving => identity,
            _ => {
                self.splitter.wake(Utc::now());
                return Change::None;
            }
        };
        let Ok(metadata) = std::fs::metadata(&*self.path) else { return Change::Gone };
        if Identity::of(&metadata) != identity {
            return Change::Replaced;
        }
        self.size_bytes = metadata.len();
        let passed = self.passed.load(Ordering::Relaxed);
        if self.size_bytes < passed {
            // Where the file behind the path is another one after all, its last lines are still to be had.
            self.splitter.wake(Utc::now());
            return Change::Emptied;
        }
        if passed < self.size_bytes && !self.begins_alike() {
            return Change::Emptied;
        }
        if passed < self.size_bytes {
            self.splitter.wake(metadata.modified().map_or_else(|_| Utc::now(), DateTime::from));
        }
        Change::None
    }

    fn begins_alike(&self) -> bool {
        let mut first = vec![0; self.print.0];
        let read = File::open(&*self.path).and_then(|mut file| file.read_exact(&mut first));
        // What cannot be read is no reason to begin anew.
        read.is_err() || self.print.0 == 0 || hash::stable(&first) == self.print.1
    }

    /// Reads on to what is there, for a log that goes away: its path says nothing of it any more.
    pub fn leave(&mut self) {
        self.leaving = true;
        self.grown = Instant::now();
        self.splitter.wake(Utc::now());
    }

    /// Reads on.
    pub fn step(&mut self) -> Step {
        let Some(chunk) = self.splitter.next_chunk() else {
            self.at_end = true;
            if self.skip == Skip::Existing {
                self.skip = Skip::Nothing;
            }
            return Step::End;
        };
        (self.grown, self.at_end) = (Instant::now(), false);
        let passed_over = match self.skip {
            Skip::Nothing => false,
            Skip::Existing => true,
            Skip::Before(start) => last_time(&chunk).is_some_and(|last| last < start),
        };
        if passed_over {
            return Step::Skipped;
        }
        if let Skip::Before(_) = self.skip {
            self.skip = Skip::Nothing;
        }
        Step::Chunk(chunk)
    }

    /// Reads on in another file that holds the same log and what was not read of it: a copy that was made before this one was
    /// emptied, or what has taken its place.
    pub fn go_on_in(&mut self, source: Source, identity: Identity) {
        let at = self.splitter.bookmark().clone();
        let Log { file, path, format, clock, layout, .. } = *self.splitter.log();
        self.passed = source.passed();
        self.size_bytes = source.size_bytes().unwrap_or(0);
        self.identity = Some(identity);
        let log = Log { file, path, format, clock, layout, beginning: self.beginning.clone(), source };
        self.splitter = Splitter::resume(log, LONGEST_LINE, at);
        self.at_end = false;
    }

    /// The beginning of a line that never became whole, as it is, and what is open. The log is read to its end.
    pub fn end(self) -> (Part, Option<Chunk>) {
        (self.part, self.splitter.into_tail())
    }
}

/// The time of the last record of a stretch.
fn last_time(chunk: &Chunk) -> Option<Time> {
    let from = chunk.bytes.len().saturating_sub(END_BYTES);
    last_of(&chunk.bytes[from..], chunk.format, &chunk.context, chunk.clock, chunk.layout)
}

/// The time of the last record of a text.
fn last_of(bytes: &[u8], format: &Format, context: &Context, clock: Clock, layout: Layout) -> Option<Time> {
    let time = |text: &[u8]| match (format.parse)(text, context) {
        Line::Record(record) => clock.resolve(record.when),
        _ => None,
    };
    if layout.is_plain() {
        return lines(bytes).filter_map(time).last();
    }
    Arranged::new(bytes, layout).lines().rev().find_map(|line| time(line.text))
}

/// The time of the last record of a log on disk, as far as its last bytes tell.
pub fn last_on_disk(log: &Log) -> Option<Time> {
    let mut file = File::open(Path::new(&*log.path)).ok()?;
    let from = file.metadata().ok()?.len().saturating_sub(END_BYTES as u64);
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(END_BYTES as u64).read_to_end(&mut bytes).ok()?;
    let mut context = Context::default();
    let head = log.source.head();
    let directives = head.split(|byte| *byte == b'\n').take(20);
    directives.for_each(|line| (log.format.direct)(line.strip_suffix(b"\r").unwrap_or(line), &mut context));
    last_of(&bytes, log.format, &context, log.clock, log.layout)
}
