//! What the verbs that read logs have in common: options in, logs, filter and stated site out.

use super::args::{ReadOptions, SiteOptions};
use super::progress::Progress;
use super::{CLEAN, Error, FAILED, complain, values};
use crate::fold::Filter;
use crate::ledger::Ledger;
use crate::observe::Window;
use crate::scan::{Plan, scan};
use crate::site::{self, Origin, Site};
use crate::source::{self, Logs, Reading};
use regex::bytes::RegexSet;
use relayaudit_parsers::registry::Format;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Name of the site file that is read without being asked for.
const SITE_FILE: &str = "relayaudit.toml";

/// How many files left out in folders are named one by one.
const SKIPPED_SHOWN: usize = 5;

/// Opens the logs that the options name, and says what could not be opened.
pub fn logs(options: &ReadOptions, format: Option<&'static Format>) -> Logs {
    logs_of(options, &options.paths, format, true)
}

/// Opens other logs in the way that the options say. `tells` whether to say what could not be opened.
pub fn logs_of(options: &ReadOptions, paths: &[String], format: Option<&'static Format>, tells: bool) -> Logs {
    threads(options.threads);
    let reading = Reading { format, zone: options.zone(), year: options.year };
    let logs = source::open(paths, &reading);
    if tells {
        tell_problems(&logs);
    }
    logs
}

/// Uses so many threads, if the user says how many.
pub fn threads(threads: Option<u16>) {
    if let Some(threads) = threads {
        // Fails only if a pool exists already, which then stays as it is.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
}

/// A ledger, and the exit status that reading it gave.
pub struct Read {
    /// What was learnt.
    pub ledger: Ledger,
    /// 0, or 2 if something could not be read.
    pub status: u8,
}

impl Read {
    /// Whether none of the logs could be read, of which it was said why: nothing is to be concluded from nothing.
    pub fn is_nothing(&self) -> bool {
        self.status == FAILED && self.ledger.inputs.is_empty()
    }
}

/// Reads the logs, if any are named.
pub fn ledger(options: &ReadOptions) -> Result<Read, Error> {
    if options.paths.is_empty() {
        return Ok(Read { ledger: Ledger::default(), status: CLEAN });
    }
    let filter = filter(options)?;
    let logs = logs(options, options.log_format.map(|format| format.0));
    let failed = !logs.failures.is_empty();
    let mut progress = Progress::new(&logs.logs, options.quiet, None);
    let ledger = scan(logs.logs, Plan::default(), &filter, &mut progress);
    progress.finish();
    super::judging::tell_read_errors(&ledger);
    let incomplete = failed || ledger.inputs.values().any(|input| !input.problems.is_empty());
    Ok(Read { ledger, status: if incomplete { FAILED } else { CLEAN } })
}

/// What the user says of the site: options first, then the site file, then the server's configuration.
pub fn stated_site(options: &SiteOptions) -> Result<Site, Error> {
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
    let (imported, problems) = import(&options.config);
    site.add_all(imported);
    // A scan by less than the policy that was named would give another answer.
    problems.into_iter().next().map_or(Ok(site), |problem| Err(problem.into()))
}

/// Reads configuration files and says what was left out of them.
pub fn import(paths: &[PathBuf]) -> (Site, Vec<site::import::Error>) {
    let (site, problems) = site::import::import(paths);
    for note in site.notes() {
        complain(&format!("note: {note}"));
    }
    (site, problems)
}

/// What to leave out.
pub fn filter(options: &ReadOptions) -> Result<Filter, Error> {
    let bound = |option: &'static str, text: &Option<String>| {
        text.as_deref()
            .map(|text| values::time(text, options.zone()).map_err(|what| Error::Option { option, what }))
            .transpose()
    };
    let window = Window { since: bound("--since", &options.since)?, until: bound("--until", &options.until)? };
    if window.since.zip(window.until).is_some_and(|(since, until)| until <= since) {
        let what = "it is not before --until, so that no mail could count".to_owned();
        return Err(Error::Option { option: "--since", what });
    }
    let ignore = ignored(&options.ignore)?;
    Ok(Filter { window, ignore, collect_unparsed: options.unparsed.is_some(), wanted: None })
}

/// The lines to ignore.
pub fn ignored(patterns: &[String]) -> Result<Option<RegexSet>, Error> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let set = RegexSet::new(patterns);
    set.map(Some).map_err(|error| Error::Option { option: "--ignore", what: unusable(patterns, &error) })
}

/// Which pattern is no regular expression, and why not, on one line.
fn unusable(patterns: &[String], error: &regex::Error) -> String {
    let which = patterns.iter().find(|pattern| regex::bytes::Regex::new(pattern).is_err());
    let text = error.to_string();
    let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    format!("`{}` is not a regular expression: {why}", which.map_or("", String::as_str))
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

/// Makes a file to write to.
pub fn create(path: &Path) -> Result<Box<dyn Write + Send>, Error> {
    let file = File::create(path).map_err(|source| Error::Write { path: path.display().to_string(), source })?;
    Ok(Box::new(BufWriter::new(file)))
}
