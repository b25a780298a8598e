//! What the verbs that judge have in common: a finished ledger in, a report out.

use super::args::{Colour, JudgeOptions, Output};
use super::{CLEAN, Error, FAILED, FOUND, complain, consult, reading};
use crate::judge::analysis::conclude_asking;
use crate::judge::{self, Analysis, Consulted, Errors};
use crate::ledger::Ledger;
use crate::report::{self, Look, Report, Run};
use crate::saved::{Assumed, Saved};
use crate::site::Site;
use crate::spf::Answers;
use std::io::{self, IsTerminal, Write};

/// What is to be judged, and printed how.
pub struct Case<'o> {
    /// What the scans have learnt.
    pub saved: Saved,
    /// What it is judged by.
    pub basis: Basis,
    /// How to judge.
    pub options: &'o JudgeOptions,
    /// What to print.
    pub output: Output,
    /// What was learnt and is forgotten, in words.
    pub forgotten: Option<String>,
}

/// What a ledger is judged by: read before the logs are, so that a wrong file costs no scan.
pub struct Basis {
    /// What the user says of the site.
    stated: Site,
    /// What others know of the clients.
    consulted: Consulted,
}

impl Basis {
    /// Reads what the options name.
    pub fn read(options: &JudgeOptions) -> Result<Basis, Error> {
        let stated = reading::stated_site(&options.site)?;
        Ok(Basis { stated, consulted: consult::load(&options.consult)? })
    }
}

/// A ledger that was judged.
pub struct Judged {
    /// What is ours.
    pub site: Site,
    /// What the rules say.
    pub analysis: Analysis,
    /// The document.
    pub report: Report,
}

impl Basis {
    /// Judges a finished ledger, whose times were read as `assumed` says. `ask` answers what only the network knows.
    pub fn judge(
        &self,
        ledger: &mut Ledger,
        options: &JudgeOptions,
        assumed: &Assumed,
        ask: impl FnOnce(&Ledger, &Site) -> Answers,
    ) -> Judged {
        let errors = Errors {
            false_alarm: options.false_alarm,
            missed: options.missed,
            alarms_per_quarter: options.false_alarms_per_quarter,
        };
        let by = judge::Options { errors, consulted: self.consulted.clone(), ..judge::Options::default() };
        let (site, analysis) = conclude_asking(ledger, &self.stated, &by, ask);
        let run = Run { version: env!("CARGO_PKG_VERSION").into(), assumptions: assumptions(assumed) };
        let report = Report::build(ledger, &site, &analysis, &run);
        Judged { site, analysis, report }
    }
}

impl Case<'_> {
    /// Judges, and prints the report; `done` is called before anything is printed. Returns the exit status.
    pub fn run(self, done: impl FnOnce() -> Result<(), Error>, out: &mut dyn Write) -> Result<u8, Error> {
        let options = self.options;
        let assumed = self.saved.assumed.clone();
        let mut ledger = self.saved.finish();
        let incomplete = ledger.inputs.values().any(|input| !input.problems.is_empty());
        let ask = |ledger: &Ledger, site: &Site| consult::ask(&options.consult, ledger, site);
        let Judged { site, analysis, mut report } = self.basis.judge(&mut ledger, options, &assumed, ask);
        report.coverage.assumptions.extend(self.forgotten);
        done()?;
        if let Some(folder) = &options.tables {
            report::write_tables(&report, &ledger, &site, folder)?;
        }
        print(&report, self.output, options.color, out)?;
        // The program ends here: taking millions of entries apart one by one would only take time.
        std::mem::forget(ledger);
        Ok(status(&analysis, options, incomplete))
    }
}

fn status(analysis: &Analysis, options: &JudgeOptions, incomplete: bool) -> u8 {
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

/// What had to be assumed to read the times, in words.
fn assumptions(assumed: &Assumed) -> Vec<String> {
    let mut assumptions = Vec::new();
    let sources =
        [(&assumed.years_stated, "as you said"), (&assumed.years_guessed, "from the files' dates; else give --year")];
    for (years, source) in sources.into_iter().filter(|(years, _)| !years.is_empty()) {
        let years: Vec<String> = years.iter().map(ToString::to_string).collect();
        assumptions
            .push(format!("the stamps name no year: {} was taken for the first of a file, {source}", years.join(", ")));
    }
    if assumed.machine_zone {
        assumptions.push("the stamps name no time zone: this machine's was taken; else give --tz".into());
    }
    assumptions
}

fn print(report: &Report, output: Output, colour: Colour, out: &mut dyn Write) -> Result<(), Error> {
    match output {
        Output::Text => report::terminal::write(report, &look(colour), out)?,
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

/// Columns of the terminal; of a pipe those that `COLUMNS` names, as it does for a pager, else those of a page.
fn width() -> usize {
    const PAGE: usize = 100;
    let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    let named = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = terminal.map(|(width, _)| usize::from(width.0)).or_else(named);
    columns.map_or(PAGE, |columns| columns.clamp(80, 200))
}
