//! Join: many ledgers become one, unless lines would count twice.

use super::{Error, Known, Saved};
use crate::fold::Part;
use crate::ledger::{FileId, Text, rotation};
use crate::merge::Merge;
use crate::source::{self, Failure};
use foldhash::HashMap;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Ledgers that became one.
#[derive(Clone, Default)]
pub struct Joined {
    /// The one.
    pub saved: Saved,
    /// Those that hold nothing which others do not hold too, so that they were left out.
    pub twice: Vec<Twice>,
}

/// A ledger that was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Twice {
    /// Where it was read from.
    pub ledger: Text,
    /// Where the one was read from that holds all of its logs too.
    pub other: Text,
}

/// See [`Saved::join`].
pub fn join(ledgers: Vec<Saved>) -> Result<Joined, Error> {
    check_windows(&ledgers)?;
    let (mut ledgers, twice, failures) = leave_out(ledgers);
    check_overlaps(&ledgers)?;
    check_repeats(&ledgers)?;
    renumber(&mut ledgers);
    let mut whole =
        Saved { window: ledgers.first().map(|ledger| ledger.window).unwrap_or_default(), failures, ..Saved::default() };
    let mut parts = Vec::new();
    for ledger in ledgers {
        whole.files.extend(ledger.files);
        whole.failures.extend(ledger.failures);
        whole.assumed.merge(ledger.assumed);
        parts.push(ledger.part);
    }
    whole.part = Part::join(parts);
    Ok(Joined { saved: whole, twice })
}

/// Leaves out ledgers of which all logs are in another one too, byte for byte. Of two that hold the same the one stays that is
/// first by its paths. Paths that led nowhere are told of all.
fn leave_out(ledgers: Vec<Saved>) -> (Vec<Saved>, Vec<Twice>, BTreeSet<Failure>) {
    let others = copies(&ledgers);
    let named = |number: usize| ledgers[number].files.values().next().map(|known| known.ledger).unwrap_or_default();
    let mut twice: Vec<_> =
        others.iter().map(|(ledger, other)| Twice { ledger: named(*ledger), other: named(*other) }).collect();
    twice.sort();
    let (mut kept, mut failures) = (Vec::new(), BTreeSet::new());
    for (number, saved) in ledgers.into_iter().enumerate() {
        match others.contains_key(&number) {
            true => failures.extend(saved.failures),
            false => kept.push(saved),
        }
    }
    (kept, twice, failures)
}

/// The ledgers to leave out, each with one that stays and holds the same logs.
fn copies(ledgers: &[Saved]) -> BTreeMap<usize, usize> {
    let mut alike: HashMap<u64, Vec<Held<'_>>> = HashMap::default();
    held(ledgers).for_each(|log| alike.entry(log.known.beginning.likeness()).or_default().push(log));
    let holders = |log: Held<'_>| -> BTreeSet<usize> {
        let others = alike.get(&log.known.beginning.likeness()).into_iter().flatten();
        let same = others.filter(|other| other.known.beginning.is_copy(other.bytes, &log.known.beginning, log.bytes));
        same.map(|other| other.ledger).collect()
    };
    let mut all: Vec<Option<BTreeSet<usize>>> = vec![None; ledgers.len()];
    for log in held(ledgers) {
        let (number, new) = (log.ledger, holders(log));
        all[number] = Some(match all[number].take() {
            Some(before) => &before & &new,
            None => new,
        });
    }
    let stays =
        |others: BTreeSet<usize>| others.into_iter().min_by(|a, b| rank(&ledgers[*a], &ledgers[*b]).then(a.cmp(b)));
    let stays = all.into_iter().map(|others| stays(others.unwrap_or_default()));
    stays
        .enumerate()
        .filter_map(|(number, other)| Some((number, other?)))
        .filter(|(number, other)| number != other)
        .collect()
}

/// The order in which ledgers that hold the same logs stay: those with more logs first.
fn rank(a: &Saved, b: &Saved) -> Ordering {
    let paths = |saved: &Saved| saved.files.iter().map(|(file, known)| (known.path, *file)).collect::<BTreeSet<_>>();
    // The bytes differ if the same logs were read otherwise; if they do not, it is all one.
    let bytes = |saved: &Saved| saved.to_bytes().unwrap_or_default();
    (b.files.len().cmp(&a.files.len())).then_with(|| paths(a).cmp(&paths(b))).then_with(|| bytes(a).cmp(&bytes(b)))
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
    let key = |log: &Held<'_>| {
        (
            log.file.renamed(&log.known.path),
            rotation(&log.known.path),
            log.known.path,
            log.known.beginning.clone(),
            log.bytes,
        )
    };
    all.sort_by_cached_key(key);
    let mut taken = BTreeSet::new();
    let mut numbers = vec![BTreeMap::new(); ledgers.len()];
    for log in all {
        let mut number = log.file.renamed(&log.known.path);
        while !taken.insert(number) {
            // Only a ledger that somebody made up has a log at the very end.
            number.0 = number.0.wrapping_add(1);
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
