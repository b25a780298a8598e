//! `relayaudit scan`: logs in, verdict out.

use super::args::{ReadOptions, Scan};
use super::judging::{self, Basis, Case};
use super::progress::Progress;
use super::{Error, reading};
use crate::fold::Part;
use crate::saved::{Assumed, Destination, Saved};
use crate::scan::{Plan, scan, scan_part};
use crate::source::Log;
use std::io::Write;

/// Runs the scan, saves the ledger if asked, and prints the report. Returns the exit status.
pub fn run(options: &Scan, out: &mut dyn Write) -> Result<u8, Error> {
    let basis = Basis::read(&options.judge)?;
    let filter = reading::filter(&options.read)?;
    let destination = options.ledger_out.as_deref().map(Destination::create).transpose()?;
    let mut logs = reading::logs(&options.read, options.log_format());
    if let Some(label) = &options.label {
        logs.label(label);
    }
    let mut saved = Saved {
        files: Saved::files_of(&logs.logs),
        failures: logs.failures.into_iter().collect(),
        assumed: assumed(&options.read, &logs.logs),
        window: filter.window,
        part: Part::default(),
    };
    let unparsed = options.read.unparsed.as_deref().map(reading::create).transpose()?;
    let mut progress = Progress::new(&logs.logs, options.read.quiet, unparsed);
    saved.part = match destination {
        // What is open at the borders of files stays open only for those who save it.
        Some(_) => scan_part(logs.logs, Plan::default(), &filter, &mut progress),
        None => Part { notes: scan(logs.logs, Plan::default(), &filter, &mut progress), ..Part::default() },
    };
    judging::tell_read_errors(&saved.part.notes);
    if let Some(destination) = destination {
        progress.stage("saving");
        destination.write(&saved)?;
    }
    progress.stage("judging");
    let case = Case { saved, basis, options: &options.judge, output: options.output(), forgotten: None };
    let done = || {
        progress.finish();
        match (progress.error.take(), &options.read.unparsed) {
            (Some(source), Some(path)) => Err(Error::Write { path: path.display().to_string(), source }),
            _ => Ok(()),
        }
    };
    case.run(done, out)
}

/// What had to be assumed to read the times.
fn assumed(options: &ReadOptions, logs: &[Log]) -> Assumed {
    let mut assumed = Assumed::default();
    let is_stated = options.year.is_some();
    let years = if is_stated { &mut assumed.years_stated } else { &mut assumed.years_guessed };
    years.extend(logs.iter().filter_map(|log| log.clock.year()));
    assumed.machine_zone = options.tz.is_none() && logs.iter().any(|log| log.clock.year().is_some());
    assumed
}
