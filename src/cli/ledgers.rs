//! `relayaudit merge` and `relayaudit report`: saved ledgers in, one ledger or a verdict out.

use super::args::{Merge, Report};
use super::judging::{self, Case};
use super::{CLEAN, Error, complain};
use crate::saved::{Destination, Joined, Saved, Twice};
use std::io::Write;

/// Makes one ledger of many. Returns the exit status.
pub fn merge(options: &Merge) -> Result<u8, Error> {
    let destination = Destination::create(&options.out)?;
    destination.write(&load(&options.ledgers)?)?;
    Ok(CLEAN)
}

/// Judges saved ledgers and prints the report. Returns the exit status.
pub fn report(options: &Report, out: &mut dyn Write) -> Result<u8, Error> {
    let stated = judging::stated(&options.judge)?;
    let saved = load(&options.ledgers)?;
    judging::tell_read_errors(&saved.part.notes);
    for failure in &saved.failures {
        complain(&format!("{}: {}", failure.path, failure.what));
    }
    Case { saved, stated, options: &options.judge, output: options.format }.run(|| Ok(()), out)
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
