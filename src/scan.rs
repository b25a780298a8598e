//! Scan: the whole pipeline from files to a ledger, in parallel and in order.

use crate::fold::{Chunk, Filter, Part, Rejected};
use crate::ledger::{FileId, Ledger, Text};
use crate::merge::Merge;
use crate::scribe::{Notes, Scribe};
use crate::source::{Bookmark, Log, Splitter};
use rayon::iter::{ParallelBridge, ParallelIterator};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};

/// How a scan runs. None of it changes what comes out.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Bytes per chunk.
    pub chunk_bytes: usize,
    /// Chunks that may wait to be folded.
    pub ahead: usize,
}

impl Default for Plan {
    /// Chunks of 4 MiB: small enough for a processor's outer cache with what is made of them, large
    /// enough that few messages cross their edges.
    fn default() -> Plan {
        Plan { chunk_bytes: 1 << 20, ahead: 2 * rayon::current_num_threads() }
    }
}

/// What a scan hands out while it runs. Called from one thread, in the order of the input.
pub trait Watch<N = Ledger>: Send {
    /// Bytes of text that were folded.
    fn folded(&mut self, bytes: u64);
    /// Lines that could not be parsed, if they were asked for.
    fn rejected(&mut self, path: &str, lines: &[Rejected]);
    /// What is decided so far, in an order that no number of threads changes. Whoever has no use for all of it at the end
    /// takes it away.
    fn decided(&mut self, _notes: &mut N) {}
    /// Whether nothing more is wanted, so that the reading may end where it is.
    fn has_enough(&self) -> bool {
        false
    }
}

/// Which neighbours are settled: what happens at their border is decided as soon as both are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Neighbours {
    /// All: the logs are all there is.
    All,
    /// Those of one file: other files may yet come to lie between two.
    InFile,
}

/// Reads logs to their end and returns what they amount to.
///
/// Read errors end a file and are noted among its problems.
pub fn scan(logs: Vec<Log>, plan: Plan, filter: &Filter, watch: &mut dyn Watch) -> Ledger {
    let (mut ledger, problems) = read_all(logs, plan, filter, watch);
    note(&mut ledger, problems);
    ledger
}

/// The same, for logs that are not all there is: what happens at the borders of files stays open. Parts of any
/// logs may be merged, in any order, and finished when all are there.
pub fn scan_part(logs: Vec<Log>, plan: Plan, filter: &Filter, watch: &mut dyn Watch) -> Part {
    let (mut part, problems) = read_part(logs, plan, filter, Neighbours::InFile, watch);
    note(&mut part.notes, problems);
    part
}

fn note(ledger: &mut Ledger, problems: Vec<(FileId, String)>) {
    for (file, problem) in problems {
        ledger.inputs.entry(file).or_default().problems.insert(problem.into());
    }
}

/// Reads logs to their end; returns what is written down of them, and what went wrong with files.
///
/// Reading, folding and merging run beside each other on the current rayon pool; the notes are the
/// same for any number of threads and any chunk size. Read errors end a file.
pub fn read_all<N: Notes>(
    logs: Vec<Log>,
    plan: Plan,
    filter: &Filter,
    watch: &mut dyn Watch<N>,
) -> (N, Vec<(FileId, String)>) {
    let (part, problems) = read_part(logs, plan, filter, Neighbours::All, watch);
    (part.finish_for(filter), problems)
}

fn read_part<N: Notes>(
    logs: Vec<Log>,
    plan: Plan,
    filter: &Filter,
    neighbours: Neighbours,
    watch: &mut dyn Watch<N>,
) -> (Part<N>, Vec<(FileId, String)>) {
    let splitters = logs.into_iter().map(|log| Splitter::new(log, plan.chunk_bytes)).collect();
    let Stretches { notes, parts, ends } = read_stretches(splitters, plan, filter, neighbours, watch);
    let mut part = Part::join(parts.into_iter().map(|(_, part)| part).collect());
    part.notes.merge(notes);
    let problems = ends.into_iter().filter_map(|end| Some((end.file, end.problem?))).collect();
    (part, problems)
}

/// What was read of several logs.
pub struct Stretches<N> {
    /// What was written down and not handed on with a part.
    pub notes: N,
    /// What each log amounts to, in order: what happens at the borders of files stays open.
    pub parts: Vec<(FileId, Part<N>)>,
    /// How far each was read.
    pub ends: Vec<End>,
}

/// How far a log was read.
pub struct End {
    /// The log.
    pub file: FileId,
    /// The end of what is decided.
    pub bookmark: Bookmark,
    /// What follows it: the beginning of a line, as it is if nothing more comes.
    pub tail: Option<Chunk>,
    /// What went wrong, for people.
    pub problem: Option<String>,
}

/// Reads logs on from where their splitters stand, each for itself.
pub fn read_on<N: Notes>(
    splitters: Vec<Splitter>,
    plan: Plan,
    filter: &Filter,
    watch: &mut dyn Watch<N>,
) -> Stretches<N> {
    read_stretches(splitters, plan, filter, Neighbours::InFile, watch)
}

fn read_stretches<N: Notes>(
    splitters: Vec<Splitter>,
    plan: Plan,
    filter: &Filter,
    neighbours: Neighbours,
    watch: &mut dyn Watch<N>,
) -> Stretches<N> {
    let paths: BTreeMap<FileId, Text> =
        splitters.iter().map(|splitter| (splitter.log().file, splitter.log().path)).collect();
    let (to_fold, chunks) = mpsc::sync_channel(plan.ahead.max(1));
    let (to_merge, parts) = mpsc::sync_channel(plan.ahead.max(1));
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| read(splitters, to_fold, &enough));
        let merger = scope.spawn(|| merge(parts, &paths, filter, neighbours, watch, &enough));
        let fold = |mut scribe: N::Scribe, (number, chunk): (usize, Chunk)| {
            if enough.load(Ordering::Relaxed) {
                return scribe;
            }
            let part = Part::<N>::read(&chunk, filter, &mut scribe);
            // The merger goes away when it has enough, or by a panic, which the join below passes on.
            let _ = to_merge.send((number, Folded { file: chunk.file, bytes: chunk.bytes.len() as u64, part }));
            scribe
        };
        let notes = chunks
            .into_iter()
            .enumerate()
            .par_bridge()
            .fold(|| N::Scribe::of(filter), fold)
            .map(N::Scribe::finish)
            .reduce(N::default, |mut a, b| {
                a.merge(b);
                a
            });
        drop(to_merge);
        let ends = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let parts = merger.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Stretches { notes, parts, ends }
    })
}

/// Cuts the logs into chunks, in order. Returns how far each was read, but for those left because there is `enough`.
fn read(splitters: Vec<Splitter>, to_fold: SyncSender<Chunk>, enough: &AtomicBool) -> Vec<End> {
    let mut ends = Vec::new();
    for mut splitter in splitters {
        let file = splitter.log().file;
        while let Some(chunk) = splitter.next_chunk() {
            if enough.load(Ordering::Relaxed) || to_fold.send(chunk).is_err() {
                return ends;
            }
        }
        let (bookmark, problem) = (splitter.bookmark().clone(), splitter.problem.take());
        ends.push(End { file, bookmark, tail: splitter.into_tail(), problem });
    }
    ends
}

/// What became of a chunk.
struct Folded<N> {
    file: FileId,
    bytes: u64,
    part: Part<N>,
}

/// Joins what the chunks left loose, in the order of the input: two neighbours of like size at a time, so that a
/// line is looked at again only when its surroundings have doubled. Returns what that decides and leaves open, file by file if only
/// those neighbours are joined; nothing if the watcher has `enough`, which it then tells the others.
fn merge<N: Notes>(
    parts: Receiver<(usize, Folded<N>)>,
    paths: &BTreeMap<FileId, Text>,
    filter: &Filter,
    neighbours: Neighbours,
    watch: &mut dyn Watch<N>,
    enough: &AtomicBool,
) -> Vec<(FileId, Part<N>)> {
    let mut waiting: BTreeMap<usize, Folded<N>> = BTreeMap::new();
    let mut next = 0;
    let mut tower: Vec<(u32, Part<N>)> = Vec::new();
    let (mut file, mut files) = (None, Vec::new());
    for (number, folded) in parts {
        waiting.insert(number, folded);
        while let Some(Folded { file: of, bytes, mut part }) = waiting.remove(&next) {
            next += 1;
            if file != Some(of) && (neighbours == Neighbours::InFile || file.is_none()) {
                files.extend(file.zip(joined(&mut tower, filter, watch)));
                file = Some(of);
            }
            hand_out(&mut part, paths, watch);
            watch.decided(&mut part.notes);
            watch.folded(bytes);
            tower.push((0, part));
            while let [.., (below, _), (top, _)] = tower.as_slice() {
                if below != top {
                    break;
                }
                join_top(&mut tower, filter, watch);
            }
            if watch.has_enough() {
                enough.store(true, Ordering::Relaxed);
                return Vec::new();
            }
        }
    }
    files.extend(file.zip(joined(&mut tower, filter, watch)));
    files
}

/// Takes the tower down to one part.
fn joined<N: Notes>(tower: &mut Vec<(u32, Part<N>)>, filter: &Filter, watch: &mut dyn Watch<N>) -> Option<Part<N>> {
    while 1 < tower.len() {
        join_top(tower, filter, watch);
    }
    tower.pop().map(|(_, part)| part)
}

fn join_top<N: Notes>(tower: &mut Vec<(u32, Part<N>)>, filter: &Filter, watch: &mut dyn Watch<N>) {
    let (Some((height, right)), Some((_, left))) = (tower.pop(), tower.last_mut()) else { return };
    left.merge(right);
    left.settle_for(filter, false);
    watch.decided(&mut left.notes);
    if let Some((below, _)) = tower.last_mut() {
        *below = height + 1;
    }
}

fn hand_out<N>(part: &mut Part<N>, paths: &BTreeMap<FileId, Text>, watch: &mut dyn Watch<N>) {
    let rejected = std::mem::take(&mut part.rejected);
    for lines in rejected.chunk_by(|a, b| a.place.file == b.place.file) {
        let path = paths.get(&lines[0].place.file).map_or("", |path| path);
        watch.rejected(path, lines);
    }
}
