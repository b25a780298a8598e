//! Files: which logs are followed, and what takes their place when they are rotated.

use super::books::is_credible;
use super::pipe::{Begun, Pipe};
use super::tail::{Change, Identity, Skip, Tail, last_on_disk};
use crate::ledger::{FileId, Text, Time, unrotated};
use crate::source::{self, Beginning, Content, HEAD_BYTES, Log, Logs, Reading, Source};
use relayaudit_parsers::registry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often folders and patterns are looked at for new files.
const LOOK: Duration = Duration::from_secs(1);

/// How long a log that was moved away is read on without a new line: daemons go on to write to it until they are told.
const GRACE: Duration = Duration::from_secs(10);

/// The same where nothing has taken its place: then it is let go, and with it its room on the disk.
const LAST_GRACE: Duration = Duration::from_secs(120);

/// Logs that were read to their end and are known again, packed or copied.
const KNOWN_AGAIN: usize = 1_000;

/// The logs that are followed.
pub struct Files {
    paths: Vec<String>,
    reading: Reading,
    /// The logs, in the order of their first records.
    pub tails: Vec<Tail>,
    pipe: Option<Pipe>,
    /// Says when standard input is closed.
    closed: Option<Arc<AtomicBool>>,
    taken: BTreeSet<FileId>,
    over: Vec<Over>,
    /// Files that are no logs, or known ones, as long as they do not change.
    refused: BTreeMap<Text, (Identity, u64)>,
    /// Named paths that were never read, and why.
    pub missing: BTreeMap<Text, String>,
    /// What happened, for people, since it was last taken away.
    pub notices: Vec<String>,
    looked: Instant,
}

/// A log that was read to its end.
struct Over {
    path: Text,
    format: &'static str,
    file: FileId,
    beginning: Beginning,
    read_bytes: u64,
}

impl Files {
    /// Opens what is there. Of that only what is younger than `kept` microseconds before the newest record counts; nothing if
    /// `new_only`.
    pub fn open(paths: &[String], reading: Reading, kept: Option<i64>, new_only: bool) -> Files {
        let (pipes, paths): (Vec<String>, Vec<String>) = paths.iter().cloned().partition(|path| path == "-");
        let mut files = Files {
            paths,
            reading,
            tails: Vec::new(),
            pipe: (!pipes.is_empty()).then(Pipe::open),
            closed: None,
            taken: BTreeSet::new(),
            over: Vec::new(),
            refused: BTreeMap::new(),
            missing: BTreeMap::new(),
            notices: Vec::new(),
            looked: Instant::now(),
        };
        let Logs { logs, failures, .. } = source::open(&files.paths, &reading);
        for failure in failures {
            files.notices.push(format!("{}: {}; waiting for it", failure.path, failure.what));
            files.missing.insert(failure.path, failure.what);
        }
        let growing = logs.iter().filter(|log| log.source.may_grow());
        let newest = growing.filter_map(last_on_disk).filter(|last| is_credible(*last, super::now())).max();
        let start = newest.zip(kept).map(|(newest, kept)| Time(newest.0.saturating_sub(kept)));
        for log in logs {
            files.begin(log, start, new_only);
        }
        files
    }

    /// Takes a log that was there at the start, unless nothing of it counts.
    fn begin(&mut self, log: Log, start: Option<Time>, new_only: bool) {
        let identity = std::fs::metadata(&*log.path).ok().map(|metadata| Identity::of(&metadata));
        let written = log.source.modified().timestamp_micros();
        let is_old = start.is_some_and(|start| written < start.0) || new_only;
        self.taken.insert(log.file);
        if !log.source.may_grow() && is_old {
            return self.remember(Over::of(&log));
        }
        let skip = match start {
            _ if new_only => Skip::Existing,
            Some(start) => Skip::Before(start),
            None => Skip::Nothing,
        };
        // Members of archives have a path that is none on disk.
        let mut tail = Tail::new(log, identity, skip);
        tail.ends |= identity.is_none();
        self.tails.push(tail);
    }

    fn remember(&mut self, over: Over) {
        if KNOWN_AGAIN <= self.over.len() {
            self.over.remove(0);
        }
        self.over.push(over);
    }

    /// Looks what became of the logs, and for new ones.
    pub fn poll(&mut self) {
        let mut is_due = LOOK <= self.looked.elapsed();
        for at in 0..self.tails.len() {
            let change = self.tails[at].look();
            if change != Change::None {
                is_due = true;
                self.changed(at, change);
            }
        }
        self.begin_pipe();
        if is_due || self.tails.iter().any(|tail| tail.leaving) {
            self.looked = Instant::now();
            self.find();
        }
    }

    fn changed(&mut self, at: usize, change: Change) {
        let path = self.tails[at].path;
        let notice = match change {
            Change::Gone => format!("{path}: moved away; read to its end, and waiting for a new one"),
            Change::Replaced => format!("{path}: rotated; the old file is read to its end, then the new one"),
            _ => self.emptied(at),
        };
        self.notices.push(notice);
        self.tails[at].leave();
    }

    /// Goes on in a copy, if there is one. Returns what to say of it.
    fn emptied(&mut self, at: usize) -> String {
        let path = self.tails[at].path;
        match self.copy_of(at) {
            Some((source, identity)) => {
                let copy = source.path().to_owned();
                self.tails[at].go_on_in(source, identity);
                format!("{path}: copied to {copy} and emptied; what was written last is read from there")
            }
            None => {
                self.tails[at].ends = true;
                format!(
                    "{path}: emptied; read from its beginning. What was written right before may be lost to this run"
                )
            }
        }
    }

    /// The copy of a log that was emptied, beside it: rotation gave it its name, and it begins alike.
    fn copy_of(&mut self, at: usize) -> Option<(Source, Identity)> {
        let tail = &self.tails[at];
        let read_bytes = tail.read_bytes();
        let path = Path::new(&*tail.path);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let other = path.with_file_name(entry.file_name());
            let name = other.to_string_lossy().into_owned();
            if name == *tail.path || unrotated(&name) != tail.stream() {
                continue;
            }
            let Ok(metadata) = std::fs::metadata(&other) else { continue };
            let Ok(Content::Text(source)) = Source::open(&name, HEAD_BYTES) else { continue };
            if source.known_bytes().is_none_or(|bytes| bytes < read_bytes) || !source.may_grow() {
                continue;
            }
            let identity = Identity::of(&metadata);
            let is_same = source::recognise(&Text::from(name.as_str()), source, &self.reading_like(tail.format))
                .is_ok_and(|log| log.beginning.is_shared(metadata.len(), &tail.beginning, read_bytes));
            if is_same && let Ok(Content::Text(source)) = Source::open(&name, HEAD_BYTES) {
                self.refused.insert(name.as_str().into(), (identity, metadata.len()));
                return Some((source, identity));
            }
        }
        None
    }

    /// How to read a log that follows one of a known format.
    fn reading_like(&self, format: &str) -> Reading {
        Reading { format: registry::by_name(format).or(self.reading.format), ..self.reading }
    }

    fn begin_pipe(&mut self) {
        let Some(pipe) = self.pipe.take() else { return };
        match pipe.begin(&self.reading) {
            Begun::Waiting(pipe) => self.pipe = Some(pipe),
            Begun::Log(log, closed) => {
                self.closed = Some(closed);
                let log = self.numbered(*log, None);
                self.tails.push(Tail::new(log, None, Skip::Nothing));
                self.tails.sort_by_key(|tail| tail.file);
            }
            Begun::Failed(what) => {
                self.notices.push(format!("-: {what}"));
                self.missing.insert("-".into(), what);
            }
        }
    }

    /// A log with a number of its own, behind that of the one before it.
    fn numbered(&mut self, mut log: Log, before: Option<FileId>) -> Log {
        log.file = before.map_or(log.file, |before| log.file.max(FileId(before.0.saturating_add(1))));
        while !self.taken.insert(log.file) {
            log.file.0 += 1;
        }
        log
    }

    /// Looks for files that are not followed yet.
    fn find(&mut self) {
        let found = source::find(&self.paths);
        let is_missing = |path: &Text| {
            let mut failures = found.failures.iter().map(|failure| &failure.path);
            &**path == "-" || failures.any(|other| other == path) || found.files.iter().any(|file| file.path == *path)
        };
        self.missing.retain(|path, _| is_missing(path));
        for candidate in found.files {
            let is_followed = |tail: &Tail| tail.path == candidate.path && !tail.leaving;
            if !self.tails.iter().any(is_followed) {
                self.look_at(candidate.path, candidate.named);
            }
        }
    }

    /// Follows a file that is a log and was not followed before.
    fn look_at(&mut self, path: Text, named: bool) {
        let Ok(metadata) = std::fs::metadata(&*path) else { return };
        let identity = Identity::of(&metadata);
        let seen = (identity, metadata.len());
        let is_known = self.tails.iter().any(|tail| tail.identity == Some(identity) && !tail.ends);
        let is_refused = self.refused.get(&path).is_some_and(|(refused, bytes)| {
            // What a file is, its first bytes tell: those do not change.
            *refused == identity && (*bytes == seen.1 || (HEAD_BYTES as u64) < (*bytes).min(seen.1))
        });
        if metadata.len() == 0 || is_known || is_refused {
            return;
        }
        match self.recognise(path) {
            Ok(None) => {}
            Ok(Some(log)) => self.take(log, identity),
            Err(what) => {
                if named && self.missing.insert(path, what.clone()).as_ref() != Some(&what) {
                    self.notices.push(format!("{path}: {what}"));
                }
                self.refused.insert(path, seen);
                return;
            }
        }
        self.missing.remove(&path);
    }

    /// Reads the beginning of a file; `None` if there is no whole line yet, or if it is a known log that does not go on there.
    fn recognise(&mut self, path: Text) -> Result<Option<Log>, String> {
        let source = match Source::open(&path, HEAD_BYTES)? {
            Content::Text(source) => source,
            Content::Archive(_) => return Err("an archive that appeared later is not read".into()),
            Content::Failed(what) => return Err(what),
        };
        if !source.may_grow() {
            return Err("a packed file that appeared later is not read".into());
        }
        if !source.is_packed() && memchr::memchr(b'\n', source.head()).is_none() && source.head().len() < HEAD_BYTES {
            return Ok(None);
        }
        let reading = match self.format_before(path) {
            Some(format) => self.reading_like(format),
            None => self.reading,
        };
        source::recognise(&path, source, &reading).map(Some)
    }

    /// The format of the log that was last followed under a path.
    fn format_before(&self, path: Text) -> Option<&'static str> {
        let leaving = self.tails.iter().rev().find(|tail| tail.path == path).map(|tail| tail.format);
        leaving.or_else(|| self.over.iter().rev().find(|over| over.path == path).map(|over| over.format))
    }

    /// Follows a log, unless it is one that was read under another name.
    fn take(&mut self, log: Log, identity: Identity) {
        let bytes = log.source.known_bytes().unwrap_or(0);
        let is_shared = |beginning: &Beginning, read: u64| beginning.is_shared(read, &log.beginning, bytes);
        let known = self.tails.iter().position(|tail| is_shared(&tail.beginning, tail.read_bytes()));
        if let Some(at) = known {
            let tail = &mut self.tails[at];
            if tail.leaving && tail.path == log.path && tail.read_bytes() <= bytes {
                // It was written anew, with more in it: that is how rsync brings logs from other machines.
                tail.go_on_in(log.source, identity);
                (tail.leaving, tail.ends) = (false, false);
                return;
            }
        }
        if known.is_some() || self.over.iter().any(|over| is_shared(&over.beginning, over.read_bytes)) {
            self.refused.insert(log.path, (identity, bytes));
            return;
        }
        let before = self.tails.iter().filter(|tail| tail.path == log.path).map(|tail| tail.file);
        let before = before.chain(self.over.iter().filter(|over| over.path == log.path).map(|over| over.file)).max();
        let log = self.numbered(log, before);
        self.notices.push(format!("{}: followed from its beginning ({})", log.path, log.format.name));
        self.tails.push(Tail::new(log, Some(identity), Skip::Nothing));
        self.tails.sort_by_key(|tail| tail.file);
    }

    /// Takes away the logs that are read to their end.
    pub fn ended(&mut self) -> Vec<Tail> {
        let is_closed = self.closed.as_ref().is_some_and(|closed| closed.load(Ordering::Relaxed));
        let followed: BTreeSet<Text> = self.tails.iter().filter(|tail| !tail.leaving).map(|tail| tail.path).collect();
        let is_over = |tail: &mut Tail| {
            let grace = if followed.contains(&tail.path) { GRACE } else { LAST_GRACE };
            let is_quiet = tail.leaving && grace <= tail.grown.elapsed();
            tail.at_end && (tail.ends || is_quiet || (tail.identity.is_none() && is_closed))
        };
        let ended: Vec<Tail> = self.tails.extract_if(.., is_over).collect();
        for tail in &ended {
            self.remember(Over {
                path: tail.path,
                format: tail.format,
                file: tail.file,
                beginning: tail.beginning.clone(),
                read_bytes: tail.read_bytes(),
            });
        }
        ended
    }

    /// Whether nothing more can come: only standard input was named, and it is over.
    pub fn is_over(&self) -> bool {
        self.paths.is_empty() && self.pipe.is_none() && self.tails.is_empty()
    }
}

impl Over {
    fn of(log: &Log) -> Over {
        Over {
            path: log.path,
            format: log.format.name,
            file: log.file,
            beginning: log.beginning.clone(),
            read_bytes: log.source.known_bytes().unwrap_or(0),
        }
    }
}
