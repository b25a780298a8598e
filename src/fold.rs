//! Fold: a chunk of a log becomes a [`Part`], and parts become one.

use crate::clock::Clock;
use crate::correlate::{Edges, Fact, Parts, digest};
use crate::layout::{Arranged, Layout, LogLine, lines};
use crate::ledger::{self, Evidence, FileId, Input, Ledger, Place, Smallest, Text, Time};
use crate::merge::Merge;
use crate::observe::{Books, Window};
use crate::scribe::{Notes, Scribe};
use relayaudit_parsers::record::{Event, Unparsed};
use relayaudit_parsers::registry::{Context, Format};
use relayaudit_parsers::syslog::LOST;
use relayaudit_parsers::{Line, Record};
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
    /// How its lines lie.
    pub layout: Layout,
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

/// Reason to ignore the rest of a line that a terminal broke: it was read with its beginning.
const CONTINUED: &str = "continuation of the line above";

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
pub(crate) struct LooseLine {
    pub(crate) place: Place,
    pub(crate) time: Option<Time>,
    pub(crate) server: Text,
    pub(crate) parts: Parts,
    pub(crate) format: &'static Format,
    pub(crate) context: Arc<Context>,
    pub(crate) raw: Box<[u8]>,
    /// What the format read of it, if that is not the line itself.
    pub(crate) text: Option<Box<[u8]>>,
}

/// What some stretches of log amount to: books, and lines that are still loose. Parts merge in any order.
///
/// `N` is what is written down of what is decided: the books of a ledger, or rows.
#[derive(Clone, Default)]
pub struct Part<N = Ledger> {
    /// What is decided and was handed on with the part.
    pub notes: N,
    pub(crate) loose: Vec<LooseLine>,
    pub(crate) edges: Edges,
    /// Lines that could not be parsed, if [`Filter::collect_unparsed`].
    pub rejected: Vec<Rejected>,
}

impl Part {
    /// Parses and digests a chunk into a ledger.
    pub fn of(chunk: &Chunk, filter: &Filter) -> Part {
        let mut books = Books::new(filter.window);
        let mut part = Part::read(chunk, filter, &mut books);
        part.notes = books.finish();
        part
    }
}

impl<N: Notes> Part<N> {
    /// Parses and digests a chunk; what is decided goes to the scribe, the rest is returned, and what the scribe
    /// hands on. A worker keeps its scribe from chunk to chunk: most of what a chunk says is about clients and domains
    /// known already.
    pub fn read(chunk: &Chunk, filter: &Filter, scribe: &mut N::Scribe) -> Part<N> {
        let mut reading = Reading::new(chunk, filter, scribe);
        let mut facts = Vec::with_capacity(chunk.bytes.len() / 128);
        let arranged = (!chunk.layout.is_plain()).then(|| Arranged::new(&chunk.bytes, chunk.layout));
        match &arranged {
            Some(arranged) => reading.arranged(arranged, &mut facts),
            None => {
                let numbered = lines(&chunk.bytes).zip(0..);
                numbered
                    .for_each(|(raw, before)| reading.line(LogLine { before, pieces: 1, raw, text: raw }, &mut facts));
            }
        }
        let loose = digest(&mut facts, &reading.edges, false, reading.scribe);
        let loose = facts
            .iter()
            .zip(loose)
            .zip(reading.texts.iter().map(Some).chain(std::iter::repeat(None)))
            .filter(|((_, parts), _)| !parts.is_empty())
            .map(|((fact, parts), text)| LooseLine {
                place: fact.place,
                time: fact.time,
                server: fact.server,
                parts,
                format: chunk.format,
                context: reading.context_at(fact.place.number()),
                raw: fact.raw.into(),
                text: text.map(|text| Box::from(*text)),
            })
            .collect();
        reading.finish(loose)
    }

    /// Digests the loose lines again, now that more of their surroundings is known.
    ///
    /// Call it only on a part that is whole between its edges (neighbouring chunks), or with `at_end`.
    pub fn settle(&mut self, window: Window, at_end: bool) {
        let mut facts: Vec<Fact<'_>> = self.loose.iter().filter_map(LooseLine::fact).collect();
        let mut scribe = N::Scribe::new(window);
        let mut parts = digest(&mut facts, &self.edges, at_end, &mut scribe).into_iter();
        self.loose.retain_mut(|line| match parts.next() {
            Some(parts) => {
                line.parts = parts;
                !parts.is_empty()
            }
            None => false,
        });
        self.notes.merge(scribe.finish());
    }

    /// The notes, with everything that was still loose decided.
    pub fn finish(mut self, window: Window) -> N {
        self.settle(window, true);
        self.notes
    }

    /// Lines that wait for their surroundings.
    pub fn loose_lines(&self) -> usize {
        self.loose.len()
    }
}

impl<N: Merge + Default> Part<N> {
    /// One part of many, two of like size at a time.
    pub fn join(mut parts: Vec<Part<N>>) -> Part<N> {
        while 1 < parts.len() {
            let mut rest = parts.into_iter();
            parts = Vec::new();
            while let Some(mut left) = rest.next() {
                rest.next().into_iter().for_each(|right| left.merge(right));
                parts.push(left);
            }
        }
        parts.pop().unwrap_or_default()
    }
}

impl<N: Merge> Merge for Part<N> {
    fn merge(&mut self, other: Part<N>) {
        self.notes.merge(other.notes);
        self.edges.merge(other.edges);
        self.loose.extend(other.loose);
        self.loose.sort_by_key(|line| line.place);
        self.rejected.extend(other.rejected);
        self.rejected.sort();
    }
}

impl LooseLine {
    /// What it says; `None` if it is no record, which one that was saved by another version may be.
    pub(crate) fn fact(&self) -> Option<Fact<'_>> {
        match (self.format.parse)(self.text.as_deref().unwrap_or(&self.raw), &self.context) {
            Line::Record(record) => {
                let LooseLine { place, time, server, parts, .. } = *self;
                Some(Fact { place, time, server, raw: &self.raw, record, parts, times: 1 })
            }
            _ => None,
        }
    }
}

/// The state while one chunk is read.
struct Reading<'c, S> {
    chunk: &'c Chunk,
    filter: &'c Filter,
    scribe: &'c mut S,
    input: Input,
    edges: Edges,
    rejected: Vec<Rejected>,
    /// The last place in the order of places.
    last: Place,
    /// The contexts of the chunk, with the first line each is valid for.
    contexts: Vec<(u64, Arc<Context>)>,
    ignored: Vec<(&'static str, u64)>,
    /// What the format read, fact by fact; empty where that is the line itself.
    texts: Vec<&'c [u8]>,
}

impl<'c, S: Scribe> Reading<'c, S> {
    fn new(chunk: &'c Chunk, filter: &'c Filter, scribe: &'c mut S) -> Self {
        Reading {
            chunk,
            filter,
            scribe,
            input: Input {
                path: chunk.path,
                format: chunk.format.name.into(),
                bytes: chunk.bytes.len() as u64,
                ..Input::default()
            },
            edges: Edges::default(),
            rejected: Vec::new(),
            last: Place { file: chunk.file, line: 0 },
            contexts: vec![(chunk.first_line, Arc::new(chunk.context.clone()))],
            ignored: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Reads the lines of a chunk whose lines do not lie as a server writes them.
    fn arranged(&mut self, arranged: &'c Arranged<'c>, facts: &mut Vec<Fact<'c>>) {
        if !self.chunk.layout.newest_first {
            return arranged.lines().for_each(|line| self.line(line, facts));
        }
        // Directives hold for what stands below them, whatever the order of time.
        for line in arranged.lines() {
            let mut context = Context::clone(self.context_now());
            (self.chunk.format.direct)(line.text, &mut context);
            self.set_context(context, self.chunk.first_line + line.before + line.pieces);
        }
        arranged.lines().rev().for_each(|line| self.line(line, facts));
    }

    /// The context behind the last directive seen.
    fn context_now(&self) -> &Arc<Context> {
        &self.contexts[self.contexts.len() - 1].1
    }

    /// Takes a context for the lines from `first` on.
    fn set_context(&mut self, context: Context, first: u64) {
        if context != **self.context_now() {
            self.contexts.push((first, Arc::new(context)));
        }
    }

    fn line(&mut self, line: LogLine<'c>, facts: &mut Vec<Fact<'c>>) {
        let number = self.chunk.first_line + line.before;
        let backwards = self.chunk.layout.newest_first;
        let place = Place::of(self.chunk.file, number, backwards);
        self.last = self.last.max(place);
        self.input.lines += line.pieces;
        for _ in 1..line.pieces {
            self.ignore(CONTINUED);
        }
        if self.filter.ignore.as_ref().is_some_and(|ignore| ignore.is_match(line.raw)) {
            return self.ignore("it matches --ignore");
        }
        if self.chunk.torn && line.before == 0 {
            return self.reject(place, line, Unparsed { at: 0, expected: "a line of at most 1 MiB" });
        }
        let context = if backwards { self.contexts_at(number) } else { self.contexts.len() - 1 };
        match (self.chunk.format.parse)(line.text, &self.contexts[context].1) {
            Line::Record(record) => self.record(place, line, record, Parts::ALL, 1, facts),
            // What the first of them was part of, they are no further part of.
            Line::Repeated { record, times } => self.record(place, line, record, Parts::ALONE, times, facts),
            Line::Directive => {
                self.input.directives += 1;
                if !backwards {
                    let mut changed = Context::clone(self.context_now());
                    (self.chunk.format.direct)(line.text, &mut changed);
                    self.set_context(changed, number + line.pieces);
                }
            }
            Line::Ignored(reason) => self.ignore(reason),
            Line::Lost(lost) => {
                self.scribe.lost(&lost, self.chunk.clock.resolve(lost.when), place, line.raw);
                self.ignore(LOST);
            }
            Line::Unparsed(why) => self.reject(place, line, why),
        }
    }

    fn record(
        &mut self,
        place: Place,
        line: LogLine<'c>,
        record: Record<'c>,
        parts: Parts,
        times: u32,
        facts: &mut Vec<Fact<'c>>,
    ) {
        self.input.records += 1;
        let time = self.chunk.clock.resolve(record.when);
        self.input.span.see(time);
        let server = self.scribe.server_of(&record);
        let fact = Fact { place, time, server, raw: line.raw, record, parts, times };
        self.scribe.record(&fact, &self.input.format);
        self.edges.see(&fact);
        if fact.record.event != Event::Other {
            facts.push(fact);
            if !self.chunk.layout.is_plain() {
                self.texts.push(line.text);
            }
        }
    }

    fn ignore(&mut self, reason: &'static str) {
        match self.ignored.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, lines)) => *lines += 1,
            None => self.ignored.push((reason, 1)),
        }
    }

    fn reject(&mut self, place: Place, line: LogLine<'_>, why: Unparsed) {
        let mut samples = Smallest::default();
        samples.insert(Evidence::of(place, line.raw));
        let unparsed = ledger::Unparsed { lines: 1, samples };
        self.input.unparsed.entry(why.expected.into()).or_default().merge(unparsed);
        if self.filter.collect_unparsed {
            // Behind a prefix; of what was written anew, the column says where about.
            let prefix = if line.raw.ends_with(line.text) { line.raw.len() - line.text.len() } else { 0 };
            let column = (prefix + why.at) as u64 + 1;
            self.rejected.push(Rejected { place, column, expected: why.expected, line: line.raw.into() });
        }
    }

    /// The context in which a line of the chunk was read.
    fn context_at(&self, line: u64) -> Arc<Context> {
        Arc::clone(&self.contexts[self.contexts_at(line)].1)
    }

    /// Its place in `contexts`.
    fn contexts_at(&self, line: u64) -> usize {
        self.contexts.partition_point(|(first, _)| *first <= line).saturating_sub(1)
    }

    fn finish<N>(&mut self, loose: Vec<LooseLine>) -> Part<N>
    where
        S: Scribe<Notes = N>,
    {
        let mut input = std::mem::take(&mut self.input);
        input.ignored = self.ignored.iter().map(|(reason, lines)| (Text::from(*reason), *lines)).collect();
        if 0 < input.lines {
            self.edges.see_line(self.last);
        }
        self.scribe.input(self.chunk.file, input);
        Part {
            notes: self.scribe.hand_on(),
            loose,
            edges: std::mem::take(&mut self.edges),
            rejected: std::mem::take(&mut self.rejected),
        }
    }
}
