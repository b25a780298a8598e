//! Runs: logs that lie side by side, with what is open in them.
//!
//! What is open at the end of a log may go on at the beginning of the next one, but only when nothing more is written to
//! the first: else what is written comes to lie between. So each log that may grow ends a run, and once it is over, its
//! run and the next one become one, in which what is open at the border is decided.

use super::days::{Day, Days, day_of};
use super::file::{self, LogFile, LogFiles, QUIET_MICROS, Standing};
use super::state::Open;
use super::{Error, books};
use crate::fold::{Filter, Part};
use crate::ledger::{FileId, Time, unrotated};
use crate::merge::Merge;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Adds what was read of logs to their runs. Returns what that decides.
pub fn extend(
    state: &Open<'_>,
    files: &LogFiles,
    parts: Vec<(FileId, Part<Days>)>,
    filter: &Filter,
) -> Result<Days, Error> {
    let mut by_run: BTreeMap<FileId, Vec<Part<Days>>> = BTreeMap::new();
    for (file, part) in parts {
        let run = files.get(&file).and_then(|log| log.run).unwrap_or(file);
        by_run.entry(run).or_default().push(part);
    }
    let mut notes = Days::default();
    for (run, parts) in by_run {
        let mut part = books::take_run(state, run)?;
        part.merge(Part::join(parts));
        part.settle(filter.window, false);
        notes.merge(std::mem::take(&mut part.notes));
        books::put_run(state, run, part)?;
    }
    Ok(notes)
}

/// Closes logs to which nothing more is expected to be written: their last lines are whole. Returns what that decides.
pub fn close(state: &Open<'_>, files: &mut LogFiles, filter: &Filter, now: Time) -> Result<Days, Error> {
    let over: Vec<FileId> = files
        .iter()
        .filter(|(file, log)| match log.standing {
            Standing::Open => is_over(**file, log, files, now),
            Standing::Over | Standing::Removed | Standing::Lost => log.is_young() || log.mark.tail_bytes != 0,
        })
        .map(|(file, _)| *file)
        .collect();
    let mut notes = Days::default();
    for file in over {
        let Some(log) = files.get_mut(&file) else { continue };
        if log.standing == Standing::Open {
            log.standing = Standing::Over;
        }
        if log.is_young() {
            books::grow_up(state, file)?;
            log.run = Some(file);
        }
        if log.mark.tail_bytes != 0 {
            let mut tail = books::take_tail(state, file)?;
            let lines = tail.notes.inputs.get(&file).map_or(1, |input| input.lines);
            notes.merge(std::mem::take(&mut tail.notes));
            let mut part = books::take_run(state, log.run.unwrap_or(file))?;
            part.merge(tail);
            part.settle(filter.window, false);
            notes.merge(std::mem::take(&mut part.notes));
            books::put_run(state, log.run.unwrap_or(file), part)?;
            log.mark.bookmark.offset_bytes += std::mem::take(&mut log.mark.tail_bytes);
            log.mark.bookmark.next_line += lines;
        }
        file::store(state, file, log)?;
    }
    Ok(notes)
}

/// Whether nothing more is expected to be written to a log.
fn is_over(file: FileId, log: &LogFile, files: &LogFiles, now: Time) -> bool {
    let is_quiet = log.grown.saturating_add(QUIET_MICROS) <= now.0;
    let folder = |log: &LogFile| Path::new(&*log.path).parent().map(Path::to_path_buf);
    let is_followed = || {
        let mut later = files.range(file..).skip(1).map(|(_, other)| other);
        later.any(|other| other.format == log.format && log.grown < other.grown && folder(other) == folder(log))
    };
    log.seen.packed || (is_quiet && (unrotated(&log.path) != &*log.path || is_followed()))
}

/// Joins runs between which nothing can come any more. Returns what that decides.
pub fn join(state: &Open<'_>, files: &mut LogFiles, filter: &Filter) -> Result<Days, Error> {
    let mut chains: Vec<Vec<FileId>> = Vec::new();
    let mut before: Option<&LogFile> = None;
    for log in files.values() {
        let is_next = before.is_some_and(|before| before.standing != Standing::Open && !before.is_young());
        match (log.run, chains.last_mut()) {
            (Some(run), Some(chain)) if is_next => {
                if chain.last() != Some(&run) {
                    chain.push(run);
                }
            }
            (Some(run), _) => chains.push(vec![run]),
            (None, _) => {}
        }
        before = Some(log);
    }
    let mut notes = Days::default();
    let mut joined: BTreeMap<FileId, FileId> = BTreeMap::new();
    for chain in chains {
        // A log that was added later may lie within a run; each run is joined once.
        let runs: BTreeSet<FileId> = chain.iter().copied().filter(|run| !joined.contains_key(run)).collect();
        let (Some(first), true) = (runs.first().copied(), 1 < runs.len()) else { continue };
        let parts = runs.iter().map(|run| books::take_run(state, *run)).collect::<Result<Vec<_>, _>>()?;
        let mut part = Part::join(parts);
        part.settle(filter.window, false);
        notes.merge(std::mem::take(&mut part.notes));
        books::put_run(state, first, part)?;
        joined.extend(runs.into_iter().map(|run| (run, first)));
    }
    for (file, log) in files.iter_mut() {
        if let Some(first) = log.run.and_then(|run| joined.get(&run)).filter(|first| log.run != Some(**first)) {
            log.run = Some(*first);
            file::store(state, *file, log)?;
        }
    }
    Ok(notes)
}

/// Forgets logs that are gone and of which nothing is kept any more, with the lines that are open in them.
pub fn forget(state: &Open<'_>, files: &mut LogFiles, first: Day) -> Result<(), Error> {
    let is_old = |log: &LogFile| {
        let is_gone = matches!(log.standing, Standing::Removed | Standing::Lost);
        is_gone && log.last().is_none_or(|last| day_of(last) < first)
    };
    let old: BTreeSet<FileId> = files.iter().filter(|(_, log)| is_old(log)).map(|(file, _)| *file).collect();
    let runs: BTreeSet<FileId> = old.iter().filter_map(|file| files.get(file)?.run).collect();
    for run in runs {
        let mut part = books::take_run(state, run)?;
        books::forget_lines(&mut part, &|file| !old.contains(&file));
        books::put_run(state, run, part)?;
    }
    for file in old {
        files.remove(&file);
        file::remove(state, file)?;
        books::put_tail(state, file, None)?;
    }
    Ok(())
}
