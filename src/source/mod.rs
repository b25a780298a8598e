//! Source: from the paths a user names to log files that are known, dated and in order.
//!
//! Owns folders, globs, stdin and compression, and knows a file by what is in it: two copies of one
//! log (`mail.log.1` and `mail.log.1.gz`) are one input.

mod find;
mod open;
mod split;

pub use find::find;
pub use open::Source;
pub use split::Splitter;

use crate::clock::{Clock, Zone};
use crate::ledger::{FileId, Text};
use chrono::{DateTime, Utc};
use foldhash::HashMap;
use foldhash::fast::FixedState;
use relayaudit_parsers::Line;
use relayaudit_parsers::record::When;
use relayaudit_parsers::registry::{self, Context, Format};
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::path::Path;

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

/// A path and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The path.
    pub path: Text,
    /// What is wrong, in lower case and without full stop.
    pub what: String,
}

/// How much of a file is looked at to recognise it.
const HEAD_BYTES: usize = 256 * 1024;

/// Opens the files found under `paths`, recognises them and puts them in order.
pub fn open(paths: &[String], reading: &Reading) -> Logs {
    let found = find(paths);
    let mut logs = Logs { failures: found.failures, skipped: found.skipped, ..Logs::default() };
    let mut seen: HashMap<(u64, u64), Text> = HashMap::default();
    for candidate in found.files {
        let named = candidate.named;
        let path = candidate.path;
        match recognise(candidate, reading) {
            Ok(log) => match seen.get(&log.source.fingerprint()) {
                Some(first) => {
                    let what = format!("the same bytes as {first}; counted once");
                    logs.skipped.push(Failure { path: log.path, what });
                }
                None => {
                    seen.insert(log.source.fingerprint(), log.path);
                    logs.logs.push(log);
                }
            },
            Err(what) if named => logs.failures.push(Failure { path, what }),
            Err(what) => logs.skipped.push(Failure { path, what }),
        }
    }
    if logs.logs.is_empty() && logs.failures.is_empty() {
        // A folder of unknown files is a failure of the run, not something to pass over.
        logs.failures.append(&mut logs.skipped);
    }
    drop_repeats(&mut logs);
    number(&mut logs.logs);
    logs
}

/// Leaves out logs that only repeat lines of others beside them.
fn drop_repeats(logs: &mut Logs) {
    let split = |path: &str| {
        let path = Path::new(path);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        (path.parent().map(Path::to_path_buf), name)
    };
    let places: Vec<_> = logs.logs.iter().map(|log| split(&log.path)).collect();
    let repeated = |log: &Log| {
        let (folder, name) = split(&log.path);
        log.format.repeats.iter().find(|(copy, of)| {
            let beside = |(other, original): &(_, String)| *other == folder && original.starts_with(of);
            name.starts_with(copy) && places.iter().any(beside)
        })
    };
    let (copies, kept) = std::mem::take(&mut logs.logs).into_iter().partition(|log| repeated(log).is_some());
    logs.logs = kept;
    for copy in copies {
        let of = repeated(&copy).map_or("", |(_, of)| of);
        logs.skipped.push(Failure { path: copy.path, what: format!("it repeats lines of the {of} beside it") });
    }
}

/// Recognises one file by its first lines.
fn recognise(candidate: find::Candidate, reading: &Reading) -> Result<Log, String> {
    let source = Source::open(&candidate.path, HEAD_BYTES)?;
    let head = source.head();
    if head.is_empty() {
        return Err("the file is empty".into());
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err("UTF-16 text is not read yet; convert it to UTF-8 first".into());
    }
    let format = match reading.format {
        Some(format) => format,
        None => registry::detect(whole_lines(head)).ok_or_else(|| unknown(head))?,
    };
    let first = first_stamp(head, format);
    let clock = Clock::new(reading.zone, first, reading.year, source.modified());
    let first = first.and_then(|when| clock.resolve(when));
    let seconds = first.map_or(0, |time| time.0.div_euclid(1_000_000).max(0).unsigned_abs());
    let fingerprint = FixedState::with_seed(0).hash_one(candidate.path);
    // Seconds in the upper 40 bits put files in order; the rest keeps files of one second apart.
    let file = FileId(seconds.min((1 << 40) - 1) << 24 | fingerprint & 0xff_ffff);
    Ok(Log { file, path: candidate.path, format, clock, source })
}

fn unknown(head: &[u8]) -> String {
    if head.iter().take(4096).any(|byte| *byte == 0) {
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
fn first_stamp(head: &[u8], format: &Format) -> Option<When> {
    let mut context = Context::default();
    whole_lines(head).find_map(|line| match (format.parse)(line, &context) {
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
    logs.sort_by(|a, b| (a.file, &a.path).cmp(&(b.file, &b.path)));
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
