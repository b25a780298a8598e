//! Follow: logs are read while they are written, through rotation, and judged as often as that costs little.
//!
//! The same parts as in a scan, merged as lines come: what is decided goes to [`books::Books`], what is open stays with its log. A
//! ledger is made by deciding a copy of what is open as it stands.

pub mod books;
mod files;
pub mod news;
pub mod pace;
mod pipe;
mod tail;

use crate::fold::{Chunk, Filter, Part};
use crate::ledger::{Ledger, Text, Time};
use crate::merge::Merge;
use crate::source::Reading;
use books::{Books, give_up};
use files::Files;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tail::{Step, Tail};

/// What to follow, and how.
pub struct Options {
    /// Files, folders, patterns, or `-`.
    pub paths: Vec<String>,
    /// How files are to be read.
    pub reading: Reading,
    /// What to leave out.
    pub filter: Filter,
    /// How long what was decided is kept, in microseconds; `None` for ever.
    pub kept: Option<i64>,
    /// Whether what is there at the start does not count.
    pub new_only: bool,
}

/// Open lines beyond what there was after the last time, at which a log is settled.
const UNSETTLED_LINES: usize = 5_000;

/// Logs that are followed, and what was learnt of them.
pub struct Follower {
    files: Files,
    books: Books,
    filter: Filter,
    /// What was open when logs ended with no log behind them, by what they have in common with the next one.
    ended: BTreeMap<Box<str>, Part>,
    /// Lines that were read.
    pub lines: u64,
    /// What went wrong in reading logs.
    pub problems: Vec<String>,
}

/// A log, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Its path.
    pub path: Text,
    /// Its format.
    pub format: &'static str,
    /// Lines that were read of it.
    pub lines: u64,
    /// Its size on disk; 0 for standard input.
    pub size_bytes: u64,
    /// How much of it is not read yet.
    pub behind_bytes: u64,
    /// Whether it was moved away and is only read to its end.
    pub leaving: bool,
    /// How long it was silent.
    pub silent: Duration,
}

impl Follower {
    /// Opens what is there.
    pub fn open(options: Options) -> Follower {
        let Options { paths, reading, filter, kept, new_only } = options;
        let files = Files::open(&paths, reading, kept, new_only);
        let books = Books::new(kept);
        Follower { files, books, filter, ended: BTreeMap::new(), lines: 0, problems: Vec::new() }
    }

    /// Reads on, at most some MiB, so that the caller can look after other things. Returns whether anything was read.
    pub fn step(&mut self) -> bool {
        self.files.poll();
        let most = 2 * rayon::current_num_threads().max(1);
        let mut chunks: Vec<(usize, Chunk)> = Vec::new();
        let mut steps = 0;
        for (at, tail) in self.files.tails.iter_mut().enumerate() {
            while steps < most {
                match tail.step() {
                    Step::Chunk(chunk) => chunks.push((at, chunk)),
                    Step::Skipped => {}
                    Step::End => break,
                }
                steps += 1;
            }
        }
        self.fold(&chunks);
        let ended = self.files.ended();
        ended.into_iter().for_each(|tail| self.end(tail));
        self.expire();
        0 < steps
    }

    fn fold(&mut self, chunks: &[(usize, Chunk)]) {
        let filter = &self.filter;
        let parts: Vec<(usize, Part)> = chunks.par_iter().map(|(at, chunk)| (*at, Part::of(chunk, filter))).collect();
        for (at, mut part) in parts {
            let Some(tail) = self.files.tails.get_mut(at) else { continue };
            let lines: u64 = part.notes.inputs.values().map(|input| input.lines).sum();
            tail.lines += lines;
            self.lines += lines;
            self.books.take(&mut part, now());
            tail.part.merge(part);
            if UNSETTLED_LINES + 2 * tail.settled_lines < tail.part.loose_lines() {
                settle(tail, &mut self.books, &self.filter);
            }
        }
    }

    /// Settles every log to which something was added.
    pub fn settle(&mut self) {
        for tail in &mut self.files.tails {
            if tail.settled_lines != tail.part.loose_lines() {
                settle(tail, &mut self.books, &self.filter);
            }
        }
    }

    /// Takes what was open in a log to the one that follows it.
    fn end(&mut self, tail: Tail) {
        self.problems.extend(tail.problem().map(|what| format!("{}: {what}", tail.path)));
        let (stream, file): (Box<str>, _) = (tail.stream().into(), tail.file);
        let (mut part, rest) = tail.end();
        if let Some(chunk) = rest {
            self.lines += 1;
            part.merge(Part::of(&chunk, &self.filter));
        }
        self.books.take(&mut part, now());
        if let Some(before) = self.ended.remove(&stream) {
            part.merge(before);
        }
        let next = self.files.tails.iter_mut().find(|next| next.stream() == &*stream && file < next.file);
        match next {
            Some(next) => {
                next.part.merge(part);
                settle(next, &mut self.books, &self.filter);
            }
            None => {
                part.settle(self.filter.window, false);
                self.books.take(&mut part, now());
                self.ended.insert(stream, part);
            }
        }
    }

    fn expire(&mut self) {
        let Some(before) = self.books.expire() else { return };
        let open = self.files.tails.iter_mut().map(|tail| &mut tail.part).chain(self.ended.values_mut());
        for part in open {
            give_up(part, before, self.filter.window);
            self.books.take(part, now());
        }
    }

    /// Ends all logs where they are: a line that was begun counts as it is.
    pub fn finish(&mut self) {
        for tail in std::mem::take(&mut self.files.tails) {
            self.end(tail);
        }
    }

    /// The ledger, with what is open decided as it stands.
    pub fn ledger(&self) -> Ledger {
        let open = self.files.tails.iter().map(|tail| &tail.part).chain(self.ended.values());
        self.books.ledger(open, self.filter.window)
    }

    /// Lines that wait for what comes.
    pub fn open_lines(&self) -> usize {
        let open = self.files.tails.iter().map(|tail| &tail.part).chain(self.ended.values());
        open.map(Part::loose_lines).sum()
    }

    /// Since when what is judged was decided, and the time of the newest record.
    pub fn span(&self) -> (Option<Time>, Option<Time>) {
        (self.books.start(), self.books.newest())
    }

    /// The logs.
    pub fn followed(&self) -> Vec<Followed> {
        let followed = |tail: &Tail| {
            let (size_bytes, behind_bytes) = tail.sizes();
            let Tail { path, format, lines, leaving, .. } = *tail;
            Followed { path, format, lines, size_bytes, behind_bytes, leaving, silent: tail.grown.elapsed() }
        };
        self.files.tails.iter().map(followed).collect()
    }

    /// Named paths that were never read, and why.
    pub fn missing(&self) -> &BTreeMap<Text, String> {
        &self.files.missing
    }

    /// What happened to the logs since the last call, for people.
    pub fn notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.files.notices)
    }

    /// The years that were taken for first stamps, if stamps have none.
    pub fn years(&self) -> Vec<i32> {
        self.files.tails.iter().filter_map(Tail::year).collect()
    }

    /// Whether nothing more can come.
    pub fn is_over(&self) -> bool {
        self.files.is_over()
    }
}

fn settle(tail: &mut Tail, books: &mut Books, filter: &Filter) {
    tail.part.settle(filter.window, false);
    tail.settled_lines = tail.part.loose_lines();
    books.take(&mut tail.part, now());
}

/// What the machine's clock shows, in microseconds since 1970.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
