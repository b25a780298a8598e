//! Read: what is new in the logs goes into the state.

use super::days::{Day, Days, day_of};
use super::file::{self, LogFile, LogFiles, Mark, Print, Standing};
use super::find::{self, Candidate, Found};
pub use super::options::{Options, RETENTION_DAYS};
use super::problems::{lost, shrunk};
use super::state::Open;
use super::{Error, books, runs};
use crate::fold::{Part, Rejected};
use crate::ledger::{FileId, Input, Text};
use crate::merge::Merge;
use crate::saved::Assumed;
use crate::scan::{End, Plan, Stretches, Watch, read_on};
use crate::source::{self, Bookmark, Failure, LONGEST_LINE, Log, Splitter};
use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a sweep has read.
#[derive(Debug, Default)]
pub struct Learnt {
    /// Bytes that were new, unpacked; of short logs, which are read anew, all.
    pub text_bytes: u64,
    /// Bytes that were read from the disk for that.
    pub disk_bytes: u64,
    /// Lines that were new.
    pub lines: u64,
    /// What is wrong, for people: the sweep is incomplete.
    pub problems: Vec<String>,
}

/// No progress is shown.
struct Quiet;

impl Watch<Days> for Quiet {
    fn folded(&mut self, _: u64) {}
    fn rejected(&mut self, _: &str, _: &[Rejected]) {}
}

/// Reads what is new.
pub fn read(state: &Open<'_>, options: &Options) -> Result<Learnt, Error> {
    let today = day_of(options.now);
    let mut sweep = Sweep {
        state,
        options,
        today,
        first: today.saturating_sub(options.retention_days),
        files: file::load(state)?,
        assumed: state.get("assumed")?.unwrap_or_default(),
        grown: Vec::new(),
        short: Vec::new(),
        passed: Vec::new(),
        learnt: Learnt::default(),
    };
    let Found { known, strange, left_out, failures } = find::find(&options.paths, &sweep.files);
    let mut failures = failures;
    sweep.missing(&known, &left_out)?;
    for (file, candidate) in known {
        sweep.known(file, candidate)?;
    }
    sweep.strangers(strange, &mut failures);
    sweep.read_short()?;
    sweep.read_grown()?;
    sweep.finish(failures)
}

/// A log that is about to be read.
struct ToRead {
    /// What is known of it.
    log: LogFile,
    /// How it is read.
    source: Log,
    /// The number under which it was kept, if it was.
    before: Option<FileId>,
}

struct Sweep<'s> {
    state: &'s Open<'s>,
    options: &'s Options,
    today: Day,
    /// The first day that is kept.
    first: Day,
    files: LogFiles,
    assumed: Assumed,
    /// Logs that are read on.
    grown: Vec<ToRead>,
    /// Logs that are read anew.
    short: Vec<ToRead>,
    /// Counts what is read.
    passed: Vec<Arc<AtomicU64>>,
    learnt: Learnt,
}

impl Sweep<'_> {
    /// Says which logs are gone.
    fn missing(&mut self, known: &BTreeMap<FileId, Candidate>, left_out: &BTreeSet<FileId>) -> Result<(), Error> {
        let is_missing = |file: &FileId| !known.contains_key(file) && !left_out.contains(file);
        for (file, log) in self.files.iter_mut().filter(|(file, _)| is_missing(file)) {
            let standing = match log.standing {
                Standing::Open => Standing::Lost,
                Standing::Over => Standing::Removed,
                _ => continue,
            };
            if standing == Standing::Lost {
                self.learnt.problems.push(lost(log));
            }
            log.standing = standing;
            file::store(self.state, *file, log)?;
        }
        Ok(())
    }

    /// A log that is known.
    fn known(&mut self, file: FileId, candidate: Candidate) -> Result<(), Error> {
        let Some(log) = self.files.get_mut(&file) else { return Ok(()) };
        let was = (log.path, log.seen, log.standing);
        log.path = candidate.path;
        log.seen = candidate.seen;
        log.standing = match log.standing {
            Standing::Lost => Standing::Open,
            Standing::Removed => Standing::Over,
            standing => standing,
        };
        if was != (log.path, log.seen, log.standing) {
            file::store(self.state, file, log)?;
        }
        let Some(source) = candidate.source else { return Ok(()) };
        let (read_bytes, size_bytes) = (log.mark.seen_bytes(), candidate.seen.size_bytes);
        if candidate.seen.plain && size_bytes < read_bytes {
            self.learnt.problems.push(shrunk(candidate.path, size_bytes, read_bytes));
        }
        if candidate.seen.plain && size_bytes <= read_bytes {
            return Ok(());
        }
        let mut log = log.clone();
        log.grown = self.options.now.0;
        let is_short = source.head().len() < self.options.short_bytes;
        let reading = if log.is_young() { self.options.reading } else { find::reading_of(&log, &self.options.reading) };
        match source::recognise(&candidate.path, source, &reading) {
            Ok(source) if !log.is_young() => self.read_later(ToRead { log, source, before: Some(file) }, false),
            Ok(source) => {
                let log = LogFile { mark: Mark::default(), input: Input::default(), ..log };
                self.read_later(ToRead { log, source, before: Some(file) }, is_short);
            }
            Err(what) => self.learnt.problems.push(format!("{}: {what}", candidate.path)),
        }
        Ok(())
    }

    fn read_later(&mut self, mut log: ToRead, is_short: bool) {
        let ToRead { log: known, source: Log { source, format, clock, beginning, .. }, .. } = &mut log;
        known.print = Print::of(source.head(), source.head().len() as u64);
        known.beginning = beginning.clone();
        known.format = format.name.into();
        known.year = clock.year();
        if let Some(year) = known.year {
            let is_stated = self.options.reading.year.is_some();
            let years = if is_stated { &mut self.assumed.years_stated } else { &mut self.assumed.years_guessed };
            years.insert(year);
            self.assumed.machine_zone |= self.options.machine_zone;
        }
        self.passed.push(source.passed());
        if is_short {
            self.short.push(log);
        } else {
            source.release();
            self.grown.push(log);
        }
    }

    /// Files that are no known logs: new ones, earlier states of known ones, and others.
    fn strangers(&mut self, strange: Vec<Candidate>, failures: &mut Vec<Failure>) {
        let mut new: Vec<(Candidate, Log)> = Vec::new();
        for mut candidate in strange {
            let may_wait = find::may_wait(&candidate, &self.files);
            let Some(source) = candidate.source.take() else { continue };
            match source::recognise(&candidate.path, source, &self.options.reading) {
                Ok(log) => new.push((candidate, log)),
                Err(what) if candidate.named && !may_wait => failures.push(Failure { path: candidate.path, what }),
                Err(_) => {}
            }
        }
        let paths: Vec<Text> =
            new.iter().map(|(_, log)| log.path).chain(self.files.values().map(|log| log.path)).collect();
        new.retain(|(_, log)| !paths.iter().any(|other| source::repeats(&log.path, log.format.name, other)));
        // Of two that begin alike, the longer one is the log, and the other a copy of what it was.
        let mut alike: HashMap<u64, u32> = HashMap::default();
        let known = self.files.values().map(|log| log.beginning.likeness());
        for likeness in new.iter().map(|(_, log)| log.beginning.likeness()).chain(known) {
            *alike.entry(likeness).or_default() += 1;
        }
        for (_, log) in new.iter_mut().filter(|(_, log)| 1 < alike[&log.beginning.likeness()]) {
            // A packed one is read to its end for that.
            log.source.text_bytes();
        }
        new.sort_by_cached_key(|(_, log)| (std::cmp::Reverse(log.source.known_bytes()), log.path));
        for (candidate, log) in new {
            self.stranger(candidate, log);
        }
    }

    fn stranger(&mut self, candidate: Candidate, log: Log) {
        let bytes = log.source.known_bytes().unwrap_or_default();
        let is_earlier = |known: &&LogFile| known.beginning.is_shared(known.mark.seen_bytes(), &log.beginning, bytes);
        if let Some(known) = self.files.values().find(is_earlier) {
            if known.path == candidate.path && known.standing == Standing::Lost {
                // What was said of it as lost is not so.
                let said = lost(known);
                self.learnt.problems.retain(|problem| *problem != said);
                self.learnt.problems.push(shrunk(candidate.path, bytes, known.mark.seen_bytes()));
            }
            return;
        }
        let is_copy = |to_read: &&ToRead| {
            let other = &to_read.source;
            other.beginning.is_shared(other.source.known_bytes().unwrap_or_default(), &log.beginning, bytes)
        };
        if self.short.iter().chain(&self.grown).any(|to_read| is_copy(&to_read)) {
            return;
        }
        let is_short = log.source.head().len() < self.options.short_bytes;
        let known = LogFile {
            path: candidate.path,
            first_path: candidate.path,
            format: Text::default(),
            year: None,
            seen: candidate.seen,
            print: Print::default(),
            beginning: log.beginning.clone(),
            mark: Mark::default(),
            input: Input::default(),
            standing: if candidate.seen.packed { Standing::Over } else { Standing::Open },
            grown: candidate.seen.modified.min(self.options.now.0),
            run: None,
            problem: None,
        };
        self.read_later(ToRead { log: known, source: log, before: None }, is_short);
    }

    /// The number of a log: the one it has, unless what is known now of its first record says otherwise.
    fn number(&mut self, to_read: &ToRead) -> Result<FileId, Error> {
        let mut number = to_read.source.file;
        if let Some(before) = to_read.before {
            if !to_read.log.is_young() || before.is_of_time_of(number) {
                return Ok(before);
            }
            self.files.remove(&before);
            file::remove(self.state, before)?;
            books::remove_young(self.state, before)?;
            books::put_tail(self.state, before, None)?;
        }
        while self.files.contains_key(&number) {
            number.0 += 1;
        }
        Ok(number)
    }

    /// Reads the short logs anew, each for itself.
    fn read_short(&mut self) -> Result<(), Error> {
        for mut to_read in std::mem::take(&mut self.short) {
            let number = self.number(&to_read)?;
            to_read.source.file = number;
            let before = to_read.before.and_then(|file| self.files.get(&file)).map_or(0, |log| log.input.lines);
            let splitter = Splitter::resume(to_read.source, LONGEST_LINE, Bookmark::default());
            let Stretches { notes, parts, ends } = read_on(vec![splitter], plan(), &self.options.filter, &mut Quiet);
            let mut part = Part::join(parts.into_iter().map(|(_, part)| part).collect());
            part.notes.merge(notes);
            let mut log = to_read.log;
            log.input = part.notes.inputs.remove(&number).unwrap_or_default();
            self.learnt.text_bytes += log.input.bytes;
            self.learnt.lines += log.input.lines.saturating_sub(before);
            for end in ends {
                self.ended(&mut log, end)?;
            }
            books::put_young(self.state, number, part, self.first, self.today)?;
            file::store(self.state, number, &log)?;
            self.files.insert(number, log);
        }
        Ok(())
    }

    /// Reads the other logs on, side by side.
    fn read_grown(&mut self) -> Result<(), Error> {
        let mut splitters = Vec::new();
        // Lines of logs that were short until now: they were read before.
        let mut counted = 0;
        for to_read in std::mem::take(&mut self.grown) {
            if to_read.log.is_young() {
                counted += to_read.before.and_then(|file| self.files.get(&file)).map_or(0, |log| log.input.lines);
            }
            let number = self.number(&to_read)?;
            let ToRead { mut log, mut source, .. } = to_read;
            if log.is_young() {
                books::remove_young(self.state, number)?;
                log.run = Some(number);
            }
            source.file = number;
            splitters.push(Splitter::resume(source, LONGEST_LINE, log.mark.bookmark.clone()));
            self.files.insert(number, log);
        }
        splitters.sort_by_key(|splitter| splitter.log().file);
        let Stretches { mut notes, parts, ends } = read_on(splitters, plan(), &self.options.filter, &mut Quiet);
        for end in ends {
            let file = end.file;
            let Some(mut log) = self.files.remove(&file) else { continue };
            if let Some(input) = notes.inputs.remove(&file) {
                self.learnt.text_bytes += input.bytes;
                self.learnt.lines += input.lines;
                log.input.merge(input);
            }
            self.ended(&mut log, end)?;
            file::store(self.state, file, &log)?;
            self.files.insert(file, log);
        }
        self.learnt.lines = self.learnt.lines.saturating_sub(counted);
        notes.merge(runs::extend(self.state, &self.files, parts, &self.options.filter)?);
        self.keep(notes)
    }

    fn ended(&mut self, log: &mut LogFile, end: End) -> Result<(), Error> {
        let End { file, bookmark, tail, problem } = end;
        // Where nothing could be read, what was seen before stays.
        if problem.is_none() || bookmark != log.mark.bookmark || tail.is_some() {
            log.mark = Mark { bookmark, tail_bytes: tail.as_ref().map_or(0, |chunk| chunk.bytes.len() as u64) };
            let tail = tail.map(|chunk| Part::of(&chunk, &self.options.filter));
            books::put_tail(self.state, file, tail)?;
        }
        if let Some(problem) = &problem {
            self.learnt.problems.push(format!("{}: {problem}", log.path));
        }
        log.problem = problem;
        Ok(())
    }

    /// Keeps what was learnt.
    fn keep(&mut self, notes: Days) -> Result<(), Error> {
        for (file, input) in notes.inputs {
            if let Some(log) = self.files.get_mut(&file) {
                log.input.merge(input);
                file::store(self.state, file, log)?;
            }
        }
        let days = Days { books: notes.books, inputs: BTreeMap::new() };
        if 0 < books::add(self.state, days, self.first, self.today)? {
            self.forgot()?;
        }
        Ok(())
    }

    fn forgot(&self) -> Result<(), Error> {
        self.state.set("forgotten_before", &self.first)
    }

    /// Closes what is over, joins what lies side by side, forgets what is old.
    fn finish(mut self, failures: Vec<Failure>) -> Result<Learnt, Error> {
        let notes = runs::close(self.state, &mut self.files, &self.options.filter, self.options.now)?;
        self.keep(notes)?;
        let notes = runs::join(self.state, &mut self.files, &self.options.filter)?;
        self.keep(notes)?;
        books::settle(self.state, self.today)?;
        if books::forget(self.state, self.first)? {
            self.forgot()?;
        }
        runs::forget(self.state, &mut self.files, self.first)?;
        self.state.set("assumed", &self.assumed)?;
        self.state.set("failures", &failures)?;
        self.learnt.disk_bytes = self.passed.iter().map(|passed| passed.load(Ordering::Relaxed)).sum();
        let failed = failures.iter().map(|failure| format!("{}: {}", failure.path, failure.what));
        self.learnt.problems.extend(failed);
        Ok(self.learnt)
    }
}

/// Lines that are too long are cut where every other sweep and scan cuts them.
fn plan() -> Plan {
    Plan { chunk_bytes: LONGEST_LINE, ..Plan::default() }
}
