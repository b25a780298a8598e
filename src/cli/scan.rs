//! `relayaudit scan`: logs in, verdict out.

use super::args::{Colour, Output, ReadOptions, Scan};
use super::progress::Progress;
use super::{CLEAN, Error, FAILED, FOUND, complain, reading};
use crate::judge::analysis::conclude;
use crate::judge::{self, Analysis, Errors};
use crate::ledger::{FileId, Input, Ledger};
use crate::report::{self, Look, Report, Run};
use crate::scan::{Plan, scan};
use crate::source::{self, Log};
use std::io::{self, IsTerminal, Write};

/// Runs the scan and prints the report. Returns the exit status.
pub fn run(options: &Scan, out: &mut dyn Write) -> Result<u8, Error> {
    let stated = reading::stated_site(&options.site)?;
    let filter = reading::filter(&options.read)?;
    let logs = reading::logs(&options.read, options.log_format());
    let assumptions = assumptions(&options.read, &logs.logs);
    let failures = logs.failures;
    let unparsed = options.read.unparsed.as_deref().map(reading::create).transpose()?;
    let mut progress = Progress::new(&logs.logs, options.read.quiet, unparsed);
    let mut ledger = scan(logs.logs, Plan::default(), &filter, &mut progress);
    let incomplete = !failures.is_empty() || ledger.inputs.values().any(|input| !input.problems.is_empty());
    tell_read_errors(&ledger);
    note(&mut ledger, &failures);
    progress.stage("judging");
    let errors = Errors {
        false_alarm: options.false_alarm,
        missed: options.missed,
        alarms_per_quarter: options.false_alarms_per_quarter,
    };
    let options_of_judge = judge::Options { errors, ..judge::Options::default() };
    let (site, analysis) = conclude(&mut ledger, &stated, &options_of_judge);
    let run = Run { version: env!("CARGO_PKG_VERSION").into(), assumptions };
    let report = Report::build(&ledger, &site, &analysis, &run);
    progress.finish();
    if let (Some(source), Some(path)) = (progress.error.take(), &options.read.unparsed) {
        return Err(Error::Write { path: path.display().to_string(), source });
    }
    if let Some(folder) = &options.tables {
        report::write_tables(&report, &ledger, &site, folder)?;
    }
    print(&report, options, out)?;
    // The program ends here: taking millions of entries apart one by one would only take time.
    std::mem::forget(ledger);
    Ok(status(&analysis, options, incomplete))
}

fn status(analysis: &Analysis, options: &Scan, incomplete: bool) -> u8 {
    if incomplete {
        FAILED
    } else if analysis.findings.iter().any(|finding| options.fail_on <= finding.severity) {
        FOUND
    } else {
        CLEAN
    }
}

/// Says which files could not be read to their end.
pub fn tell_read_errors(ledger: &Ledger) {
    for input in ledger.inputs.values() {
        for problem in &input.problems {
            complain(&format!("{}: {problem}", input.path));
        }
    }
}

/// Puts the paths that lead nowhere among the inputs, so that the report shows them too.
fn note(ledger: &mut Ledger, failures: &[source::Failure]) {
    for (number, failure) in failures.iter().enumerate() {
        let input = Input { path: failure.path, problems: [failure.what.as_str().into()].into(), ..Input::default() };
        // After every real file: those are numbered by their first record.
        ledger.inputs.insert(FileId(u64::MAX - number as u64), input);
    }
}

/// What had to be assumed to read the times.
fn assumptions(options: &ReadOptions, logs: &[Log]) -> Vec<String> {
    let mut assumptions = Vec::new();
    let years: std::collections::BTreeSet<i32> = logs.iter().filter_map(|log| log.clock.year()).collect();
    if !years.is_empty() {
        let years: Vec<String> = years.iter().map(ToString::to_string).collect();
        let source = if options.year.is_some() { "as you said" } else { "from the files' dates; else give --year" };
        assumptions
            .push(format!("the stamps name no year: {} was taken for the first of a file, {source}", years.join(", ")));
    }
    if options.tz.is_none() && logs.iter().any(|log| log.clock.year().is_some()) {
        assumptions.push("the stamps name no time zone: this machine's was taken; else give --tz".into());
    }
    assumptions
}

fn print(report: &Report, options: &Scan, out: &mut dyn Write) -> Result<(), Error> {
    match options.output() {
        Output::Text => report::terminal::write(report, &look(options.color), out)?,
        Output::Json => report::json::write(report, out)?,
        Output::Csv => report::csv::write(report, out)?,
        Output::Markdown => report::markdown::write(report, out)?,
    }
    Ok(())
}

/// How the terminal wants it.
pub fn look(colour: Colour) -> Look {
    let terminal = io::stdout().is_terminal();
    let colour = match colour {
        Colour::Always => true,
        Colour::Never => false,
        // https://no-color.org: any value but the empty one.
        Colour::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    Look { colour, width: width() }
}

/// Columns of the terminal; of a pipe, those of a page.
fn width() -> usize {
    const PAGE: usize = 100;
    let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    terminal.map_or(PAGE, |(width, _)| usize::from(width.0).clamp(80, 200))
}
