//! Source: from the paths a user names to log files that are known, dated and in order.
//!
//! Owns folders, globs, stdin, packing and archives, and knows a file by what is in it: two copies of one
//! log (`mail.log.1` and `mail.log.1.gz`) are one input.

mod archive;
mod beginning;
mod find;
mod journal;
mod open;
mod split;
mod text;
mod unpack;

pub use beginning::Beginning;
pub use find::find;
pub use open::{Content, Location, Source};
pub use split::{Bookmark, LONGEST_LINE, Splitter};

use crate::clock::{Clock, Zone};
use crate::layout::{Layout, is_newest_first};
use crate::ledger::{FileId, Text, rotation};
use chrono::{DateTime, Utc};
use find::Candidate;
use foldhash::{HashMap, HashSet};
use relayaudit_parsers::Line;
use relayaudit_parsers::record::When;
use relayaudit_parsers::registry::{self, Context, FORMATS, Format};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use unpack::NOT_READ;

/// How files are to be read.
#[derive(Clone, Copy)]
pub struct Reading {
    /// The format of every file, instead of what its content looks like.
    pub format: Option<&'static Format>,
    /// The zone of stamps that name none.
    pub zone: Zone,
    /// The year of the first stamp of each file whose stamps have none.
    pub year: Option<i32>,
}

/// A log that is understood and ready to be read.
pub struct Log {
    /// Its place in the order of all logs.
    pub file: FileId,
    /// Its path, as found.
    pub path: Text,
    /// Its format.
    pub format: &'static Format,
    /// How to read its times.
    pub clock: Clock,
    /// How its lines lie.
    pub layout: Layout,
    /// By what it is known again.
    pub beginning: Beginning,
    /// Its bytes.
    pub source: Source,
}

/// What was found under the paths a user named.
#[derive(Default)]
pub struct Logs {
    /// The logs, in the order of their first records.
    pub logs: Vec<Log>,
    /// Files that are no known log, with the reason. They were named explicitly, or nothing else was found.
    pub failures: Vec<Failure>,
    /// Files that were met in a folder and left out, with the reason.
    pub skipped: Vec<Failure>,
}

impl Logs {
    /// Puts a label before all paths, to tell them from those of another machine.
    pub fn label(&mut self, label: &str) {
        let labelled = |path: &Text| Text::from(format!("{label}:{path}"));
        for log in &mut self.logs {
            log.path = labelled(&log.path);
            log.file = log.file.renamed(&log.path);
        }
        self.failures.iter_mut().for_each(|failure| failure.path = labelled(&failure.path));
        number(&mut self.logs);
    }
}

/// A path and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Failure {
    /// The path.
    pub path: Text,
    /// What is wrong, in lower case and without full stop.
    pub what: String,
}

/// How much of a file is looked at to recognise it.
pub const HEAD_BYTES: usize = 256 * 1024;

/// Archives in archives; more is meant to harm.
const DEEPEST_ARCHIVE: usize = 3;

/// Plain files that are kept open until they are read; a system allows some 1,000, and a folder may hold more.
const KEPT_OPEN: usize = 256;

/// Bytes of small members of archives that are kept, so that they need not be unpacked again.
const KEPT_BYTES: u64 = 64 << 20;

/// Bytes that a run unpacks in vain at most: to read a member of a packed archive, all that stands before it is unpacked again, which for
/// thousands of members would take days. This takes minutes.
const UNPACKED_AGAIN_BYTES: u64 = 256 << 30;

/// Opens the files found under `paths`, recognises them and puts them in order.
pub fn open(paths: &[String], reading: &Reading) -> Logs {
    let found = find(paths);
    let logs = Logs { failures: found.failures, skipped: found.skipped, ..Logs::default() };
    let mut gathering = Gathering { logs, reading, seen: HashMap::default(), kept_bytes: 0, again_bytes: 0 };
    for Candidate { path, named } in found.files {
        match Source::open(&path, HEAD_BYTES) {
            Ok(Content::Text(source)) => gathering.text(path, source, named),
            Ok(Content::Archive(location)) => gathering.archive(&path, &location),
            Err(what) => gathering.leave_out(path, what, named),
            // It is a log, wherever it was met.
            Ok(Content::Failed(what)) => gathering.leave_out(path, what, true),
        }
    }
    let mut logs = gathering.logs;
    if logs.logs.is_empty() && logs.failures.is_empty() {
        // A folder of unknown files is a failure of the run, not something to pass over.
        logs.failures.append(&mut logs.skipped);
    }
    drop_repeats(&mut logs);
    number(&mut logs.logs);
    logs
}

/// The logs found so far.
struct Gathering<'r> {
    logs: Logs,
    reading: &'r Reading,
    /// Logs by what copies of them have in common, as their places in `logs.logs`.
    seen: HashMap<u64, Vec<usize>>,
    /// Bytes of logs that are kept, of [`KEPT_BYTES`].
    kept_bytes: u64,
    /// Bytes that will be unpacked in vain, of [`UNPACKED_AGAIN_BYTES`].
    again_bytes: u64,
}

impl Gathering<'_> {
    fn leave_out(&mut self, path: Text, what: String, named: bool) {
        let list = if named { &mut self.logs.failures } else { &mut self.logs.skipped };
        list.push(Failure { path, what });
    }

    fn text(&mut self, path: Text, source: Source, named: bool) {
        match recognise(&path, source, self.reading) {
            Ok(log) => self.log(log),
            Err(what) => self.leave_out(path, what, named),
        }
    }

    /// Takes a member of an archive, if it is a log. Returns `false` for a log that costs too much to be read.
    fn member(&mut self, path: Text, source: Source) -> bool {
        match recognise(&path, source, self.reading) {
            Ok(log) if !log.source.is_whole() && !self.may_reopen(log.source.before_bytes()) => return false,
            Ok(log) => self.log(log),
            Err(what) => self.leave_out(path, what, false),
        }
        true
    }

    /// Takes a log, unless it is a copy of one.
    fn log(&mut self, mut log: Log) {
        let alike = self.seen.entry(log.source.likeness()).or_default();
        let logs = &mut self.logs.logs;
        let original = alike.iter().find(|at| logs[**at].source.text_bytes() == log.source.text_bytes());
        if let Some(original) = original {
            let what = format!("the same bytes as {}; counted once", logs[*original].path);
            return self.logs.skipped.push(Failure { path: log.path, what });
        }
        alike.push(logs.len());
        let bytes = log.source.head().len() as u64;
        if log.source.is_plain_file() && logs.len() < KEPT_OPEN {
            // Whatever becomes of its name until its turn comes.
        } else if log.source.is_whole() && self.kept_bytes + bytes <= KEPT_BYTES {
            self.kept_bytes += bytes;
        } else {
            log.source.release();
        }
        logs.push(log);
    }

    /// Whether what is at this place may be opened again; if so, what that costs is noted.
    fn may_reopen(&mut self, before_bytes: u64) -> bool {
        let sum = self.again_bytes.saturating_add(before_bytes);
        let may = sum <= UNPACKED_AGAIN_BYTES;
        if may {
            self.again_bytes = sum;
        }
        may
    }

    /// Takes the members of an archive that are logs.
    fn archive(&mut self, path: &Text, location: &Location) {
        let mut inner = Vec::new();
        let mut not_again = 0u64;
        let read = location.members(HEAD_BYTES, &mut |member| {
            let path: Text = format!("{path}:{}", member.name).into();
            match Source::member(location, member, HEAD_BYTES) {
                Ok(Content::Text(source)) => not_again += u64::from(!self.member(path, source)),
                Ok(Content::Archive(location)) => inner.push((path, location)),
                Err(what) | Ok(Content::Failed(what)) => self.leave_out(path, what, false),
            }
        });
        if let Err(what) = read {
            self.leave_out(*path, what, true);
        }
        if 0 < not_again {
            let logs = if not_again == 1 { "log" } else { "logs" };
            let what = format!(
                "{not_again} {logs} in it left out: for each of them all that stands before it would be unpacked again, hundreds of gigabytes; \
                 unpack the archive and give the folder"
            );
            self.leave_out(*path, what, true);
        }
        for (path, location) in inner {
            if DEEPEST_ARCHIVE <= location.depth() {
                self.leave_out(path, "an archive too deep in others".into(), false);
            } else if !self.may_reopen(location.before_bytes()) {
                self.leave_out(path, "an archive too far behind in others; unpack the outer one".into(), true);
            } else {
                self.archive(&path, &location);
            }
        }
    }
}

/// Leaves out logs that only repeat lines of others beside them.
fn drop_repeats(logs: &mut Logs) {
    // Looked up by folder: each log against each would take hours for a folder of a hundred thousand.
    let repeated: BTreeSet<&str> = FORMATS.iter().flat_map(|format| format.repeats).map(|(_, of)| *of).collect();
    let mut beside: HashSet<(Text, &str)> = HashSet::default();
    for log in &logs.logs {
        let (folder, name) = split(&log.path);
        let begins = repeated.iter().filter(|of| name.starts_with(**of));
        beside.extend(begins.map(|of| (Text::from(folder), *of)));
    }
    for log in std::mem::take(&mut logs.logs) {
        let (folder, name) = split(&log.path);
        let is_beside =
            |(copy, of): &&(&str, &'static str)| name.starts_with(copy) && beside.contains(&(Text::from(folder), *of));
        match log.format.repeats.iter().find(is_beside) {
            Some((_, of)) => {
                let what = format!("it repeats lines of the {of} beside it");
                logs.skipped.push(Failure { path: log.path, what });
            }
            None => logs.logs.push(log),
        }
    }
}

/// Whether a log of a named format only repeats lines of another one beside it.
pub fn repeats(path: &str, format: &str, other: &str) -> bool {
    registry::by_name(format).is_some_and(|format| repeated_by(path, format, other).is_some())
}

/// How the names of logs begin of which this one repeats lines, if the other is one and lies beside it.
fn repeated_by(path: &str, format: &Format, other: &str) -> Option<&'static str> {
    let ((folder, name), (other_folder, other_name)) = (split(path), split(other));
    let is_one = |(copy, of): &&(&str, &str)| name.starts_with(copy) && other_name.starts_with(of);
    format.repeats.iter().find(is_one).filter(|_| folder == other_folder).map(|(_, of)| *of)
}

/// The folder of a path, and the name in it. Members of an archive stand behind a colon.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind(['/', '\\', ':']).map_or(0, |at| at + 1))
}

/// Recognises one file by its first lines.
pub(crate) fn recognise(path: &Text, source: Source, reading: &Reading) -> Result<Log, String> {
    let head = source.head();
    if head.is_empty() {
        let what = if source.is_journal() { "a file of journald that holds no mail log" } else { "the file is empty" };
        return Err(what.into());
    }
    if head.starts_with(crate::saved::BEGINS) {
        return Err("a saved ledger, not a log; give it to `relayaudit report`".into());
    }
    let mut layout = Layout::of(whole_lines(head));
    let arranged;
    let lines: Vec<&[u8]> = if layout.is_plain() {
        whole_lines(head).collect()
    } else {
        arranged = layout.arrange_all(whole_lines(head));
        arranged.iter().map(Vec::as_slice).collect()
    };
    let format = match reading.format {
        Some(format) => format,
        None => registry::detect(lines.iter().copied()).ok_or_else(|| unknown(head))?,
    };
    layout.newest_first = is_newest_first(format, lines.iter().copied());
    let first = first_stamp(&lines, format);
    let clock = Clock::new(reading.zone, first, reading.year, source.modified());
    let clock = if layout.newest_first { clock.backwards() } else { clock };
    let first = first.and_then(|when| clock.resolve(when));
    let beginning = Beginning::of(head, &lines, format);
    Ok(Log { file: FileId::of(first, path), path: *path, format, clock, layout, beginning, source })
}

fn unknown(head: &[u8]) -> String {
    if let Some((_, what)) = NOT_READ.iter().find(|(magic, _)| head.starts_with(magic)) {
        (*what).into()
    } else if head.iter().take(4096).any(|byte| *byte == 0) {
        "a binary file, not a log".into()
    } else {
        "no known log format; `relayaudit formats` lists them, --log-format overrides".into()
    }
}

/// The whole lines of a file's head; at the end of a short file also one without line end.
fn whole_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let end = match memchr::memrchr(b'\n', head) {
        Some(end) if HEAD_BYTES <= head.len() => end,
        _ => head.len(),
    };
    head[..end].split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The time of the first record.
fn first_stamp(lines: &[&[u8]], format: &Format) -> Option<When> {
    let mut context = Context::default();
    lines.iter().find_map(|line| match (format.parse)(line, &context) {
        Line::Record(record) => Some(record.when).filter(|when| *when != When::Unknown),
        Line::Directive => {
            (format.direct)(line, &mut context);
            None
        }
        _ => None,
    })
}

/// Gives every log a number of its own and sorts by it.
fn number(logs: &mut [Log]) {
    logs.sort_by_cached_key(|log| (log.file, rotation(&log.path), log.path));
    let mut taken = BTreeSet::new();
    for log in logs.iter_mut() {
        while !taken.insert(log.file) {
            log.file.0 += 1;
        }
    }
    logs.sort_by_key(|log| log.file);
}

/// The time at which a file was last written, as far as the system tells.
fn modified(metadata: &std::fs::Metadata) -> DateTime<Utc> {
    metadata.modified().map_or_else(|_| Utc::now(), DateTime::from)
}
