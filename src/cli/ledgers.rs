//! `relayaudit merge` and `relayaudit report`: saved ledgers in, one ledger or a verdict out.

use super::args::{Merge, Report};
use super::judging::{self, Basis, Case};
use super::{CLEAN, Error, complain};
use crate::ledger::Time;
use crate::saved::{Destination, Joined, Saved, Twice};
use crate::sweep::days::DAY_MICROS;
use crate::sweep::load;
use crate::sweep::state::State;
use std::io::Write;
use std::path::Path;

/// Makes one ledger of many. Returns the exit status.
pub fn merge(options: &Merge) -> Result<u8, Error> {
    let destination = Destination::create(&options.out)?;
    destination.write(&load(&options.ledgers)?)?;
    Ok(CLEAN)
}

/// Judges saved ledgers and prints the report. Returns the exit status.
pub fn report(options: &Report, out: &mut dyn Write) -> Result<u8, Error> {
    let basis = Basis::read(&options.judge)?;
    let (saved, forgotten) = match &options.state {
        Some(path) => swept(path)?,
        None => (load(&options.ledgers)?, None),
    };
    judging::tell_read_errors(&saved.part.notes);
    for failure in &saved.failures {
        complain(&format!("{}: {}", failure.path, failure.what));
    }
    Case { saved, basis, options: &options.judge, output: options.format, forgotten }.run(|| Ok(()), out)
}

/// What sweeps have learnt, and what they have forgotten, in words.
fn swept(path: &Path) -> Result<(Saved, Option<String>), Error> {
    let mut state = State::open(path)?;
    let open = state.read()?;
    let saved = load::load(&open, load::ALL)?;
    let first = load::forgotten_before(&open)?.map(|day| Time(i64::from(day) * DAY_MICROS).rfc3339());
    let forgotten = first.map(|first| {
        format!("what happened before {} was swept and is forgotten: see `relayaudit sweep --retention`", &first[..10])
    });
    Ok((saved, forgotten))
}

fn load(ledgers: &[String]) -> Result<Saved, Error> {
    let saved = ledgers.iter().map(|path| Saved::load(path)).collect::<Result<_, _>>()?;
    let Joined { saved, twice } = Saved::join(saved)?;
    for Twice { ledger, other } in twice {
        complain(&match ledger == other {
            true => format!("{ledger}: given twice; counted once"),
            false => format!("{ledger}: left out: all its logs are in {other} too; counted once"),
        });
    }
    for path in saved.ambiguous() {
        complain(&format!(
            "{path}: several logs have this path, so that lines shown do not tell which they are from; scan with --label to \
             tell machines apart"
        ));
    }
    Ok(saved)
}
