//! Join: many ledgers become one, unless lines would count twice.

use super::{Error, Known, Saved};
use crate::fold::Part;
use crate::ledger::FileId;
use crate::merge::Merge;
use crate::source;
use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// See [`Saved::join`].
pub fn join(mut ledgers: Vec<Saved>) -> Result<Saved, Error> {
    check_windows(&ledgers)?;
    check_overlaps(&ledgers)?;
    check_repeats(&ledgers)?;
    renumber(&mut ledgers);
    let mut whole =
        Saved { window: ledgers.first().map(|ledger| ledger.window).unwrap_or_default(), ..Saved::default() };
    let mut parts = Vec::new();
    for ledger in ledgers {
        whole.files.extend(ledger.files);
        whole.failures.extend(ledger.failures);
        whole.assumed.merge(ledger.assumed);
        parts.push(ledger.part);
    }
    whole.part = Part::join(parts);
    Ok(whole)
}

/// Gives the logs of a ledger other numbers, in the same order. Fails if something in it is of a log without one.
pub fn refile(saved: &mut Saved, numbers: &BTreeMap<FileId, FileId>) -> Option<()> {
    let new = |file: FileId| numbers.get(&file).copied();
    saved.part.notes.refile(&new)?;
    saved.part.edges.refile(&new)?;
    for line in &mut saved.part.loose {
        line.place.file = new(line.place.file)?;
    }
    let files = std::mem::take(&mut saved.files).into_iter();
    saved.files = files.map(|(file, known)| Some((new(file)?, known))).collect::<Option<_>>()?;
    Some(())
}

/// A log in one of the ledgers, with the number of that and its size in bytes.
struct Held<'l> {
    ledger: usize,
    file: FileId,
    known: &'l Known,
    bytes: u64,
}

fn held(ledgers: &[Saved]) -> impl Iterator<Item = Held<'_>> {
    ledgers.iter().enumerate().flat_map(|(ledger, saved)| {
        let bytes = |file| saved.part.notes.inputs.get(file).map_or(0, |input| input.bytes);
        saved.files.iter().map(move |(file, known)| Held { ledger, file: *file, known, bytes: bytes(file) })
    })
}

fn check_windows(ledgers: &[Saved]) -> Result<(), Error> {
    let differ = ledgers.windows(2).find(|pair| pair[0].window != pair[1].window);
    let name = |saved: &Saved| saved.files.values().next().map(|known| known.ledger).unwrap_or_default();
    differ.map_or(Ok(()), |pair| Err(Error::Windows { ledger: name(&pair[0]), other: name(&pair[1]) }))
}

/// Looks for logs that begin with the same bytes. Within one ledger there are none: the scan saw to that.
fn check_overlaps(ledgers: &[Saved]) -> Result<(), Error> {
    let mut alike: HashMap<u64, Vec<Held<'_>>> = HashMap::default();
    for log in held(ledgers) {
        let others = alike.entry(log.known.beginning.likeness()).or_default();
        let is_shared = |other: &&Held<'_>| {
            other.ledger != log.ledger && log.known.beginning.is_shared(log.bytes, &other.known.beginning, other.bytes)
        };
        if let Some(other) = others.iter().find(is_shared) {
            return Err(Error::Overlap {
                path: log.known.path,
                ledger: log.known.ledger,
                other: other.known.path,
                other_ledger: other.known.ledger,
                upto: log.bytes.min(other.bytes),
            });
        }
        others.push(log);
    }
    Ok(())
}

/// Looks for logs that a scan of all would have left out.
fn check_repeats(ledgers: &[Saved]) -> Result<(), Error> {
    let all: Vec<Held<'_>> = held(ledgers).collect();
    for log in &all {
        let repeats = |other: &&Held<'_>| {
            other.ledger != log.ledger && source::repeats(&log.known.path, &log.known.format, &other.known.path)
        };
        if let Some(other) = all.iter().find(repeats) {
            return Err(Error::Repeats {
                path: log.known.path,
                ledger: log.known.ledger,
                other: other.known.path,
                other_ledger: other.known.ledger,
            });
        }
    }
    Ok(())
}

/// Gives every log a number of its own, as a scan of all of them does: logs of two machines may have the same path and begin
/// in the same second. The order of the logs of one ledger stays, on which what is decided in it rests.
fn renumber(ledgers: &mut [Saved]) {
    let mut all: Vec<Held<'_>> = held(ledgers).collect();
    let key =
        |log: &Held<'_>| (log.file.renamed(&log.known.path), log.known.path, log.known.beginning.clone(), log.bytes);
    all.sort_by_cached_key(key);
    let mut taken = BTreeSet::new();
    let mut numbers = vec![BTreeMap::new(); ledgers.len()];
    for log in all {
        let mut number = log.file.renamed(&log.known.path);
        while !taken.insert(number) {
            number.0 += 1;
        }
        numbers[log.ledger].insert(log.file, number);
    }
    for (saved, numbers) in ledgers.iter_mut().zip(numbers) {
        if numbers.iter().any(|(old, new)| old != new) {
            // Every number was checked when the ledger was read.
            let _ = refile(saved, &numbers);
        }
    }
}
