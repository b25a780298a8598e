//! `relayaudit scan`: logs in, verdict out.

use super::args::{self, Colour, Output, Scan};
use super::progress::Progress;
use super::{CLEAN, Error, FAILED, FOUND, complain};
use crate::fold::Filter;
use crate::judge::{Analysis, analyse};
use crate::ledger::{FileId, Input, Ledger, one_view};
use crate::observe::Window;
use crate::report::{self, Look, Report, Run};
use crate::scan::{Plan, scan};
use crate::site::{self, Origin, Site};
use crate::source::{self, Log, Logs, Reading};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

/// Name of the site file that is read without being asked for.
const SITE_FILE: &str = "relayaudit.toml";

/// How many files left out in folders are named one by one.
const SKIPPED_SHOWN: usize = 5;

/// Runs the scan and prints the report. Returns the exit status.
pub fn run(options: &Scan, out: &mut dyn Write) -> Result<u8, Error> {
    let stated = stated_site(options)?;
    let filter = filter(options)?;
    if let Some(threads) = options.threads {
        // Fails only if a pool exists already, which then stays as it is.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
    let reading = Reading { format: options.log_format(), zone: options.zone(), year: options.year };
    let logs = source::open(&options.paths, &reading);
    tell_problems(&logs);
    let assumptions = assumptions(options, &logs.logs);
    let failures = logs.failures;
    let unparsed = options.unparsed.as_deref().map(create).transpose()?;
    let mut progress = Progress::new(&logs.logs, options.quiet, unparsed);
    let mut ledger = scan(logs.logs, Plan::default(), &filter, &mut progress);
    let incomplete = !failures.is_empty() || ledger.inputs.values().any(|input| !input.problems.is_empty());
    tell_read_errors(&ledger);
    note(&mut ledger, &failures);
    progress.stage("judging");
    one_view(&mut ledger);
    let site = site::infer(&ledger, &stated);
    let analysis = analyse(&ledger, &site);
    let run = Run { version: env!("CARGO_PKG_VERSION").into(), assumptions };
    let report = Report::build(&ledger, &site, &analysis, &run);
    progress.finish();
    if let (Some(source), Some(path)) = (progress.error.take(), &options.unparsed) {
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

/// What the user says of the site: options first, then the site file.
fn stated_site(options: &Scan) -> Result<Site, Error> {
    let mut site = Site::default();
    for domain in &options.local_domain {
        site.add_local_domain(domain, Origin::CommandLine);
    }
    for network in &options.trusted_net {
        let network = site::parse_network(network).map_err(|what| Error::Option { option: "--trusted-net", what })?;
        site.add_trusted_network(network, Origin::CommandLine);
    }
    for name in &options.server_name {
        site.add_server_name(name, Origin::CommandLine);
    }
    for address in &options.server_ip {
        let address = site::parse_address(address).map_err(|what| Error::Option { option: "--server-ip", what })?;
        site.add_server_address(address, Origin::CommandLine);
    }
    let unasked = Path::new(SITE_FILE);
    if let Some(path) = options.site.as_deref().or(unasked.is_file().then_some(unasked)) {
        site.add_all(Site::load_toml(path)?);
    }
    Ok(site)
}

fn filter(options: &Scan) -> Result<Filter, Error> {
    let bound = |option: &'static str, text: &Option<String>| {
        text.as_deref()
            .map(|text| args::time(text, options.zone()).map_err(|what| Error::Option { option, what }))
            .transpose()
    };
    let window = Window { since: bound("--since", &options.since)?, until: bound("--until", &options.until)? };
    let ignore = match options.ignore.as_slice() {
        [] => None,
        patterns => {
            let set = regex::bytes::RegexSet::new(patterns);
            Some(set.map_err(|error| Error::Option { option: "--ignore", what: error.to_string() })?)
        }
    };
    Ok(Filter { window, ignore, collect_unparsed: options.unparsed.is_some() })
}

/// Names every path that leads nowhere, and some of the files in folders that are no logs.
fn tell_problems(logs: &Logs) {
    for failure in &logs.failures {
        complain(&format!("{}: {}", failure.path, failure.what));
    }
    for skipped in logs.skipped.iter().take(SKIPPED_SHOWN) {
        complain(&format!("{}: left out: {}", skipped.path, skipped.what));
    }
    if let Some(more) = logs.skipped.len().checked_sub(SKIPPED_SHOWN).filter(|more| 0 < *more) {
        complain(&format!("{more} more files left out"));
    }
}

fn tell_read_errors(ledger: &Ledger) {
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
fn assumptions(options: &Scan, logs: &[Log]) -> Vec<String> {
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

fn create(path: &Path) -> Result<Box<dyn Write + Send>, Error> {
    let file = File::create(path).map_err(|source| Error::Write { path: path.display().to_string(), source })?;
    Ok(Box::new(BufWriter::new(file)))
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
fn look(colour: Colour) -> Look {
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
