//! Scan: the whole pipeline from files to a ledger, in parallel and in order.

use crate::fold::{Chunk, Filter, Part, Rejected};
use crate::ledger::{FileId, Ledger, Text};
use crate::merge::Merge;
use crate::observe::Books;
use crate::source::{Log, Splitter};
use rayon::iter::{ParallelBridge, ParallelIterator};
use std::collections::BTreeMap;
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
pub trait Watch: Send {
    /// Bytes of text that were folded.
    fn folded(&mut self, bytes: u64);
    /// Lines that could not be parsed, if they were asked for.
    fn rejected(&mut self, path: &str, lines: &[Rejected]);
}

/// Reads logs to their end and returns what they amount to.
///
/// Reading, folding and merging run beside each other on the current rayon pool; the ledger is the
/// same for any number of threads and any chunk size. Read errors end a file and are noted among its
/// problems.
pub fn scan(logs: Vec<Log>, plan: Plan, filter: &Filter, watch: &mut dyn Watch) -> Ledger {
    let paths: BTreeMap<FileId, Text> = logs.iter().map(|log| (log.file, log.path)).collect();
    let (to_fold, chunks) = mpsc::sync_channel(plan.ahead.max(1));
    let (to_merge, parts) = mpsc::sync_channel(plan.ahead.max(1));
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(logs, plan.chunk_bytes, &to_fold));
        let merger = scope.spawn(|| merge(parts, &paths, filter, watch));
        let fold = |mut books: Books, (number, chunk): (usize, Chunk)| {
            let part = Part::read(&chunk, filter, &mut books);
            // The merger only goes away by a panic, which the join below passes on.
            let _ = to_merge.send((number, chunk.bytes.len() as u64, part));
            books
        };
        let mut ledger = chunks
            .into_iter()
            .enumerate()
            .par_bridge()
            .fold(|| Books::new(filter.window), fold)
            .map(Books::into_ledger)
            .reduce(Ledger::default, |mut a, b| {
                a.merge(b);
                a
            });
        drop(to_merge);
        let problems = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        ledger.merge(merger.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        for (file, problem) in problems {
            ledger.inputs.entry(file).or_default().problems.insert(problem.into());
        }
        ledger
    })
}

/// Cuts the logs into chunks, in order. Returns the files that could not be read to their end.
fn read(logs: Vec<Log>, chunk_bytes: usize, to_fold: &SyncSender<Chunk>) -> Vec<(FileId, String)> {
    let mut problems = Vec::new();
    for log in logs {
        let file = log.file;
        let mut splitter = Splitter::new(log, chunk_bytes);
        while let Some(chunk) = splitter.next_chunk() {
            if to_fold.send(chunk).is_err() {
                return problems;
            }
        }
        problems.extend(splitter.problem.take().map(|problem| (file, problem)));
    }
    problems
}

/// Joins what the chunks left loose, in the order of the input: two neighbours of like size at a time, so that a
/// line is looked at again only when its surroundings have doubled. Returns what that decides.
fn merge(
    parts: Receiver<(usize, u64, Part)>,
    paths: &BTreeMap<FileId, Text>,
    filter: &Filter,
    watch: &mut dyn Watch,
) -> Ledger {
    let mut waiting: BTreeMap<usize, (u64, Part)> = BTreeMap::new();
    let mut next = 0;
    let mut tower: Vec<(u32, Part)> = Vec::new();
    for (number, bytes, part) in parts {
        waiting.insert(number, (bytes, part));
        while let Some((bytes, mut part)) = waiting.remove(&next) {
            next += 1;
            hand_out(&mut part, paths, watch);
            watch.folded(bytes);
            tower.push((0, part));
            while let [.., (below, _), (top, _)] = tower.as_slice() {
                if below != top {
                    break;
                }
                join_top(&mut tower, filter);
            }
        }
    }
    while 1 < tower.len() {
        join_top(&mut tower, filter);
    }
    tower.pop().map_or_else(Ledger::default, |(_, part)| part.finish(filter.window))
}

fn join_top(tower: &mut Vec<(u32, Part)>, filter: &Filter) {
    let (Some((height, right)), Some((_, left))) = (tower.pop(), tower.last_mut()) else { return };
    left.merge(right);
    left.settle(filter.window, false);
    if let Some((below, _)) = tower.last_mut() {
        *below = height + 1;
    }
}

fn hand_out(part: &mut Part, paths: &BTreeMap<FileId, Text>, watch: &mut dyn Watch) {
    let rejected = std::mem::take(&mut part.rejected);
    for lines in rejected.chunk_by(|a, b| a.place.file == b.place.file) {
        let path = paths.get(&lines[0].place.file).map_or("", |path| path);
        watch.rejected(path, lines);
    }
}
