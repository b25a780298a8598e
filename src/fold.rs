//! Fold: a chunk of a log becomes a [`Part`], and parts become one.

use crate::clock::Clock;
use crate::correlate::{Edges, Fact, Parts, digest};
use crate::ledger::{Evidence, FileId, Input, Ledger, Place, Smallest, Text, Time, Unparsed};
use crate::merge::Merge;
use crate::observe::{Books, Window};
use relayaudit_parsers::Line;
use relayaudit_parsers::record::Event;
use relayaudit_parsers::registry::{Context, Format};
use std::sync::Arc;

/// A stretch of one file, cut at line ends, with all the context that stands to its left.
#[derive(Clone)]
pub struct Chunk {
    /// The file.
    pub file: FileId,
    /// Its path.
    pub path: Text,
    /// Its format.
    pub format: &'static Format,
    /// What directives before the chunk said.
    pub context: Context,
    /// How to read its times.
    pub clock: Clock,
    /// Number of the chunk's first line, from 1.
    pub first_line: u64,
    /// Whether the first line is only a piece of one too long to be a log line.
    pub torn: bool,
    /// The lines; the last one may lack its line end.
    pub bytes: Vec<u8>,
}

/// What to leave out.
#[derive(Clone, Default)]
pub struct Filter {
    /// Counts only mail that came in within.
    pub window: Window,
    /// Lines that match are ignored.
    pub ignore: Option<regex::bytes::RegexSet>,
    /// Whether to hand unparsed lines out, for `--unparsed`.
    pub collect_unparsed: bool,
}

/// A line that could not be parsed, for `--unparsed`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejected {
    /// Where it stands.
    pub place: Place,
    /// Column, from 1.
    pub column: u64,
    /// What was expected.
    pub expected: &'static str,
    /// The line.
    pub line: Box<[u8]>,
}

/// A line that is not used up yet: what it belongs to reaches beyond the stretch.
#[derive(Clone)]
struct LooseLine {
    place: Place,
    time: Option<Time>,
    parts: Parts,
    format: &'static Format,
    context: Arc<Context>,
    raw: Box<[u8]>,
}

/// What some stretches of log amount to: books, and lines that are still loose. Parts merge in any order.
#[derive(Clone, Default)]
pub struct Part {
    ledger: Ledger,
    loose: Vec<LooseLine>,
    edges: Edges,
    /// Lines that could not be parsed, if [`Filter::collect_unparsed`].
    pub rejected: Vec<Rejected>,
}

impl Part {
    /// Parses and digests a chunk.
    pub fn of(chunk: &Chunk, filter: &Filter) -> Part {
        let mut books = Books::new(filter.window);
        let mut part = Part::read(chunk, filter, &mut books);
        part.ledger = books.into_ledger();
        part
    }

    /// Parses and digests a chunk; what is decided goes to `books`, the rest is returned. A worker keeps its
    /// books from chunk to chunk: most of what a chunk says is about clients and domains known already.
    pub fn read(chunk: &Chunk, filter: &Filter, books: &mut Books) -> Part {
        let mut reading = Reading::new(chunk, filter, books);
        let mut facts = Vec::with_capacity(chunk.bytes.len() / 256);
        for line in lines(&chunk.bytes) {
            reading.line(line, &mut facts);
        }
        let loose = digest(&mut facts, &reading.edges, false, reading.books);
        let mut part = reading.finish();
        part.loose = facts
            .iter()
            .zip(loose)
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(fact, parts)| LooseLine {
                place: fact.place,
                time: fact.time,
                parts,
                format: chunk.format,
                context: reading.context_at(fact.place.line),
                raw: fact.raw.into(),
            })
            .collect();
        part
    }

    /// Digests the loose lines again, now that more of their surroundings is known.
    ///
    /// Call it only on a part that is whole between its edges (neighbouring chunks), or with `at_end`.
    pub fn settle(&mut self, window: Window, at_end: bool) {
        let mut facts: Vec<Fact<'_>> = self.loose.iter().filter_map(LooseLine::fact).collect();
        let mut books = Books::new(window);
        let mut parts = digest(&mut facts, &self.edges, at_end, &mut books).into_iter();
        self.loose.retain_mut(|line| match parts.next() {
            Some(parts) => {
                line.parts = parts;
                !parts.is_empty()
            }
            None => false,
        });
        self.ledger.merge(books.into_ledger());
    }

    /// The ledger, with everything that was still loose decided.
    pub fn finish(mut self, window: Window) -> Ledger {
        self.settle(window, true);
        self.ledger
    }

    /// Lines that wait for their surroundings.
    pub fn loose_lines(&self) -> usize {
        self.loose.len()
    }
}

impl Merge for Part {
    fn merge(&mut self, other: Part) {
        self.ledger.merge(other.ledger);
        self.edges.merge(other.edges);
        self.loose.extend(other.loose);
        self.loose.sort_by_key(|line| line.place);
        self.rejected.extend(other.rejected);
        self.rejected.sort();
    }
}

impl LooseLine {
    fn fact(&self) -> Option<Fact<'_>> {
        match (self.format.parse)(&self.raw, &self.context) {
            Line::Record(record) => {
                Some(Fact { place: self.place, time: self.time, raw: &self.raw, record, parts: self.parts })
            }
            // It parsed as a record before, and parsers have no state.
            _ => None,
        }
    }
}

/// The lines of a chunk, without their line ends (LF or CR LF).
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let empty = bytes.is_empty();
    Lines { rest: (!empty).then_some(body) }
}

struct Lines<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let line = match memchr::memchr(b'\n', rest) {
            Some(end) => {
                self.rest = Some(&rest[end + 1..]);
                &rest[..end]
            }
            None => {
                self.rest = None;
                rest
            }
        };
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The state while one chunk is read.
struct Reading<'c> {
    chunk: &'c Chunk,
    filter: &'c Filter,
    books: &'c mut Books,
    input: Input,
    edges: Edges,
    rejected: Vec<Rejected>,
    next_line: u64,
    /// The contexts of the chunk, with the first line each is valid for.
    contexts: Vec<(u64, Arc<Context>)>,
    ignored: Vec<(&'static str, u64)>,
}

impl<'c> Reading<'c> {
    fn new(chunk: &'c Chunk, filter: &'c Filter, books: &'c mut Books) -> Self {
        Reading {
            chunk,
            filter,
            books,
            input: Input {
                path: chunk.path.clone(),
                format: chunk.format.name.into(),
                bytes: chunk.bytes.len() as u64,
                ..Input::default()
            },
            edges: Edges::default(),
            rejected: Vec::new(),
            next_line: chunk.first_line,
            contexts: vec![(chunk.first_line, Arc::new(chunk.context.clone()))],
            ignored: Vec::new(),
        }
    }

    fn line(&mut self, line: &'c [u8], facts: &mut Vec<Fact<'c>>) {
        let place = Place { file: self.chunk.file, line: self.next_line };
        self.next_line += 1;
        self.input.lines += 1;
        if self.filter.ignore.as_ref().is_some_and(|ignore| ignore.is_match(line)) {
            return self.ignore("it matches --ignore");
        }
        if self.chunk.torn && place.line == self.chunk.first_line {
            let expected = "a line of at most 1 MiB";
            return self.reject(place, line, relayaudit_parsers::record::Unparsed { at: 0, expected });
        }
        let context = &self.contexts[self.contexts.len() - 1].1;
        match (self.chunk.format.parse)(line, context) {
            Line::Record(record) => {
                self.input.records += 1;
                let time = self.chunk.clock.resolve(record.when);
                self.input.span.see(time);
                let fact = Fact { place, time, raw: line, record, parts: Parts::ALL };
                self.books.record(&fact, &self.input.format);
                self.edges.see(&fact);
                if fact.record.event != Event::Other {
                    facts.push(fact);
                }
            }
            Line::Directive => {
                self.input.directives += 1;
                let mut changed = Context::clone(context);
                (self.chunk.format.direct)(line, &mut changed);
                if changed != **context {
                    self.contexts.push((self.next_line, Arc::new(changed)));
                }
            }
            Line::Ignored(reason) => self.ignore(reason),
            Line::Unparsed(why) => self.reject(place, line, why),
        }
    }

    fn ignore(&mut self, reason: &'static str) {
        match self.ignored.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, lines)) => *lines += 1,
            None => self.ignored.push((reason, 1)),
        }
    }

    fn reject(&mut self, place: Place, line: &[u8], why: relayaudit_parsers::record::Unparsed) {
        let mut samples = Smallest::default();
        samples.insert(Evidence::of(place, line));
        let unparsed = Unparsed { lines: 1, samples };
        self.input.unparsed.entry(why.expected.into()).or_default().merge(unparsed);
        if self.filter.collect_unparsed {
            let column = why.at as u64 + 1;
            self.rejected.push(Rejected { place, column, expected: why.expected, line: line.into() });
        }
    }

    /// The context in which a line of the chunk was read.
    fn context_at(&self, line: u64) -> Arc<Context> {
        let after = self.contexts.partition_point(|(first, _)| *first <= line);
        Arc::clone(&self.contexts[after.saturating_sub(1)].1)
    }

    fn finish(&mut self) -> Part {
        let mut input = std::mem::take(&mut self.input);
        input.ignored = self.ignored.iter().map(|(reason, lines)| (Text::from(*reason), *lines)).collect();
        if 0 < input.lines {
            self.edges.see_line(Place { file: self.chunk.file, line: self.next_line - 1 });
        }
        self.books.input(self.chunk.file, input);
        Part {
            ledger: Ledger::default(),
            loose: Vec::new(),
            edges: std::mem::take(&mut self.edges),
            rejected: std::mem::take(&mut self.rejected),
        }
    }
}
