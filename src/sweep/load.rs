//! Load: what the state knows, as a ledger that can be judged.

use super::days::Day;
use super::file::{self, LogFile, Standing};
use super::state::Open;
use super::{Error, books};
use crate::ledger::Text;
use crate::merge::Merge;
use crate::saved::{Known, Saved};
use std::ops::RangeInclusive;

/// All days.
pub const ALL: RangeInclusive<Day> = Day::MIN..=Day::MAX;

/// What the state knows of some days, and all that is still open.
pub fn load(state: &Open<'_>, days: RangeInclusive<Day>) -> Result<Saved, Error> {
    let files = file::load(state)?;
    let mut part = books::load_open(state)?;
    part.notes.merge(books::load(state, days)?);
    let inputs = &mut part.notes.inputs;
    for (file, log) in &files {
        let read = inputs.entry(*file).or_default();
        read.merge(log.input.clone());
        read.path = path(log).as_str().into();
        read.problems.extend(log.problem.as_deref().map(Text::from));
    }
    let known = |log: &LogFile| Known {
        path: path(log).as_str().into(),
        format: log.format,
        beginning: log.beginning.clone(),
        ledger: state.path(),
    };
    Ok(Saved {
        files: files.iter().map(|(file, log)| (*file, known(log))).collect(),
        failures: state.get("failures")?.unwrap_or_default(),
        assumed: state.get("assumed")?.unwrap_or_default(),
        part,
        ..Saved::default()
    })
}

/// The path of a log, for people: another file may have it by now.
fn path(log: &LogFile) -> String {
    match log.standing {
        Standing::Open | Standing::Over => log.path.to_string(),
        Standing::Removed | Standing::Lost => format!("{} (no longer there)", log.path),
    }
}

/// The first day that the state still knows, if it has forgotten what was before.
pub fn forgotten_before(state: &Open<'_>) -> Result<Option<Day>, Error> {
    state.get("forgotten_before")
}
