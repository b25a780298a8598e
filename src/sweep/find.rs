//! Find: which of the files that are there now are logs that the state knows, whatever became of their names.
//!
//! A log is the file that begins with the same bytes. Its inode and its path only decide between several that do: when
//! `mail.log` is copied to `mail.log.1` and emptied (logrotate's `copytruncate`), the copy is the log that was read, and
//! what is in `mail.log` then is a new one. A packed log begins, once it is unpacked, with the same bytes too.

use super::file::{LogFile, LogFiles, Seen, Standing};
use crate::ledger::{FileId, Text, hash, unrotated};
use crate::source::{self, Content, Failure, HEAD_BYTES, Reading, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A file that is there.
pub struct Candidate {
    /// Its path.
    pub path: Text,
    /// Whether the user named it.
    pub named: bool,
    /// What the disk says of it.
    pub seen: Seen,
    /// Its bytes; `None` if it did not change since the last sweep.
    pub source: Option<Source>,
}

/// What is there.
#[derive(Default)]
pub struct Found {
    /// Logs that the state knows, each with the file that it is now.
    pub known: BTreeMap<FileId, Candidate>,
    /// Files that are no known log.
    pub strange: Vec<Candidate>,
    /// Logs that are where they were, and that the user does not ask for any more.
    pub left_out: BTreeSet<FileId>,
    /// Paths that lead nowhere.
    pub failures: Vec<Failure>,
}

/// Looks at what is there. Files that did not change since the last sweep are not opened.
pub fn find(paths: &[String], files: &LogFiles) -> Found {
    let found = source::find(paths);
    let mut looking = Looking { files, looked: BTreeSet::new(), candidates: Vec::new(), failures: found.failures };
    for candidate in found.files {
        looking.look(candidate.path, candidate.named);
    }
    let (mut known, mut strange) = assign(files, std::mem::take(&mut looking.candidates));
    // What was rotated away is looked for beside its old place: a path without pattern does not name it.
    let asked = std::mem::take(&mut looking.looked);
    let missed = files.iter().filter(|(file, _)| !known.contains_key(file));
    let (left_out, missed): (LogFiles, LogFiles) = missed
        .map(|(file, log)| (*file, log.clone()))
        .partition(|(_, log)| !asked.contains(&log.path) && is_there(log));
    let lost = missed.values().filter(|log| log.standing == Standing::Open);
    for path in lost.flat_map(|log| beside(&log.path)).filter(|path| !asked.contains(path)) {
        looking.look(path, false);
    }
    // Logs beside it that nobody asked for are left alone.
    known.extend(assign(&missed, looking.candidates).0);
    strange.retain(|candidate| !known.values().any(|log| log.path == candidate.path));
    Found { known, strange, left_out: left_out.into_keys().collect(), failures: looking.failures }
}

/// Whether a log lies where it lay, as far as the disk tells.
fn is_there(log: &LogFile) -> bool {
    std::fs::metadata(&*log.path).is_ok_and(|now| now.is_file() && Seen::of(&now).inode == log.seen.inode)
}

/// The paths in the folder of a log that have its name but for what rotation adds.
fn beside(path: &str) -> Vec<Text> {
    let Some(folder) = Path::new(path).parent() else { return Vec::new() };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let wanted = name(Path::new(unrotated(path)));
    let mut paths: Vec<Text> = entries
        .flatten()
        .map(|entry| Path::new(path).with_file_name(entry.file_name()))
        .filter(|other| other.is_file() && unrotated(&name(other)) == wanted)
        .map(|other| other.to_string_lossy().as_ref().into())
        .collect();
    paths.sort_unstable();
    paths
}

struct Looking<'f> {
    files: &'f LogFiles,
    /// The paths that were looked at.
    looked: BTreeSet<Text>,
    candidates: Vec<Candidate>,
    failures: Vec<Failure>,
}

impl Looking<'_> {
    fn look(&mut self, path: Text, named: bool) {
        self.looked.insert(path);
        if &*path == "-" {
            return self.fail(path, "standard input cannot be read on by the next sweep; give files");
        }
        let metadata = match std::fs::metadata(&*path) {
            Ok(metadata) => metadata,
            Err(error) => return self.fail(path, &format!("cannot read: {error}")),
        };
        let seen = Seen::of(&metadata);
        let known = |log: &&LogFile| {
            log.seen.is_unchanged(&seen) && (log.path == path || (seen.inode.is_some() && seen.size_bytes != 0))
        };
        if let Some(log) = self.files.values().find(known) {
            let seen = Seen { packed: log.seen.packed, plain: log.seen.plain, ..seen };
            return self.candidates.push(Candidate { path, named, seen, source: None });
        }
        match Source::open(&path, HEAD_BYTES) {
            Ok(Content::Text(source)) => self.text(path, named, seen, source),
            Ok(Content::Archive(location)) => self.archive(path, named, &location),
            Ok(Content::Failed(what)) | Err(what) if named => self.fail(path, &what),
            _ => {}
        }
    }

    fn fail(&mut self, path: Text, what: &str) {
        self.failures.push(Failure { path, what: what.to_owned() });
    }

    fn text(&mut self, path: Text, named: bool, seen: Seen, source: Source) {
        // The log of a server that has not written since the rotation.
        if source.head().is_empty() {
            return;
        }
        let seen = Seen { packed: source.is_packed(), plain: source.is_plain(), ..seen };
        self.candidates.push(Candidate { path, named, seen, source: Some(source) });
    }

    /// Members of archives are not written to: one that was read under this path is not opened again.
    fn archive(&mut self, path: Text, named: bool, location: &source::Location) {
        let mut members = Vec::new();
        let read = location.members(HEAD_BYTES, &mut |member| {
            let path: Text = format!("{path}:{}", member.name).into();
            let seen = Seen {
                inode: None,
                size_bytes: member.at.size_bytes,
                modified: member.modified.timestamp_micros(),
                packed: true,
                plain: false,
            };
            if self.files.values().any(|log| log.path == path && log.seen == seen) {
                members.push(Candidate { path, named: false, seen, source: None });
            } else if let Ok(Content::Text(source)) = Source::member(location, member, HEAD_BYTES) {
                members.push(Candidate { path, named: false, seen, source: Some(source) });
            }
        });
        self.candidates.append(&mut members);
        if let Err(what) = read
            && named
        {
            self.fail(path, &what);
        }
    }
}

/// How well a file fits a known log: the greater, the better.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// It holds more than was read of the log: of a log and a copy of it, the log goes on.
    has_more: bool,
    same_inode: bool,
    same_path: bool,
    /// It holds at least what was read of the log, as far as its size tells.
    is_whole: bool,
    /// Rotation may have given it its name.
    same_name: bool,
    print_bytes: u64,
    is_plain: bool,
    size_bytes: u64,
}

/// Tells which file is which log. Returns the logs, and the files that are none; other copies of known logs are left out.
fn assign(files: &LogFiles, candidates: Vec<Candidate>) -> (BTreeMap<FileId, Candidate>, Vec<Candidate>) {
    let mut lengths: Vec<usize> =
        files.values().filter_map(|log| usize::try_from(log.print.length_bytes).ok()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let mut fits: Vec<(Fit, FileId, usize)> = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let hashes = candidate.source.as_ref().map(|source| hash::stable_beginnings(source.head(), &lengths));
        for (file, log) in files {
            fits.extend(fit(log, candidate, &lengths, hashes.as_deref()).map(|fit| (fit, *file, at)));
        }
    }
    fits.sort_unstable_by(|a, b| b.cmp(a));
    let fitting: BTreeSet<usize> = fits.iter().map(|(_, _, at)| *at).collect();
    let mut candidates: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut known = BTreeMap::new();
    for (_, file, at) in fits {
        if !known.contains_key(&file)
            && let Some(candidate) = candidates[at].take()
        {
            known.insert(file, candidate);
        }
    }
    let strange = candidates.into_iter().enumerate().filter(|(at, _)| !fitting.contains(at));
    (known, strange.filter_map(|(_, candidate)| candidate).collect())
}

/// How well a file fits a log; `None` if it is another.
fn fit(log: &LogFile, candidate: &Candidate, lengths: &[usize], hashes: Option<&[u64]>) -> Option<Fit> {
    let same_inode = log.seen.inode.is_some() && log.seen.inode == candidate.seen.inode;
    let same_path = log.path == candidate.path;
    let Seen { plain, size_bytes, .. } = candidate.seen;
    let fit = Fit {
        has_more: plain && log.mark.seen_bytes() < size_bytes,
        same_inode,
        same_path,
        is_whole: !plain || log.mark.seen_bytes() <= size_bytes,
        same_name: unrotated(&log.path) == unrotated(&candidate.path),
        print_bytes: log.print.length_bytes,
        is_plain: plain,
        size_bytes,
    };
    let (Some(hashes), Some(source)) = (hashes, &candidate.source) else {
        return (log.seen.is_unchanged(&candidate.seen) && (same_inode || same_path)).then_some(fit);
    };
    let length = usize::try_from(log.print.length_bytes).ok()?;
    let at = lengths.binary_search(&length).ok()?;
    let begins_alike = length <= source.head().len() && hashes[at] == log.print.hash;
    // Without a record (only `#Fields:`), many logs begin with the same bytes.
    let tells = 0 < log.input.records || same_inode || same_path;
    (0 < length && begins_alike && tells).then_some(fit)
}

/// Whether the reading of a file that is no log yet may wait: it lies where a known log was, and is short.
pub fn may_wait(candidate: &Candidate, files: &LogFiles) -> bool {
    let is_short = candidate.source.as_ref().is_some_and(|source| source.head().len() < HEAD_BYTES);
    is_short && files.values().any(|log| log.path == candidate.path || log.first_path == candidate.path)
}

/// How to read a log of which something was read before.
pub fn reading_of(log: &LogFile, reading: &Reading) -> Reading {
    let format = relayaudit_parsers::registry::by_name(&log.format);
    Reading { format: format.or(reading.format), year: log.year.or(reading.year), ..*reading }
}
