//! The program: reads the command line, runs a verb, answers with an exit status.

mod args;
mod clients;
mod consult;
mod extract;
mod follow;
mod follow_args;
mod follow_lines;
mod follow_rates;
mod help;
mod judging;
mod ledgers;
mod progress;
mod reading;
mod scan;
mod screen;
mod site;
mod site_args;
mod sweep;
mod sweep_args;
mod trace;
mod trace_args;
mod values;
mod words;

use args::{Cli, Verb};
use clap::Parser;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

/// Nothing found at or above `--fail-on`.
pub const CLEAN: u8 = 0;
/// Something was found.
pub const FOUND: u8 = 1;
/// The run failed or is incomplete.
pub const FAILED: u8 = 2;

/// What ends a run early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard output cannot be written to.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// A file named on the command line cannot be written.
    #[error("{path}: cannot write: {source}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file of tables cannot be written.
    #[error(transparent)]
    Tables(#[from] crate::report::Error),
    /// A saved ledger cannot be used or written.
    #[error(transparent)]
    Ledger(#[from] crate::saved::Error),
    /// The state of sweeps cannot be used.
    #[error(transparent)]
    State(#[from] crate::sweep::Error),
    /// The site file is wrong.
    #[error(transparent)]
    Site(#[from] crate::site::Error),
    /// A configuration cannot be used.
    #[error(transparent)]
    Config(#[from] crate::site::import::Error),
    /// A database of networks cannot be used.
    #[error(transparent)]
    GeoIp(#[from] crate::geoip::Error),
    /// An option has a value that makes no sense.
    #[error("{option}: {what}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong.
        what: String,
    },
    /// There is no such rule.
    #[error("{0}")]
    Rule(String),
}

/// Runs the program and returns its exit status: 0 nothing found, 1 findings, 2 failed or incomplete.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; a wrong command line is a failure. clap gives 2 for it.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(FAILED));
        }
    };
    // Not locked: an extraction writes from another thread.
    let mut out = BufWriter::new(io::stdout());
    let result = match &cli.verb {
        Verb::Scan(options) => scan::run(options, &mut out),
        Verb::Sweep(options) => sweep::run(options, &mut out),
        Verb::Merge(options) => ledgers::merge(options),
        Verb::Report(options) => ledgers::report(options, &mut out),
        Verb::Extract(options) => extract::run(options),
        Verb::Clients(options) => clients::run(options, &mut out),
        Verb::Trace(options) => trace::run(options, &mut out),
        Verb::Follow(options) => follow::run(options, &mut out),
        Verb::Site(verb) => site::run(verb, &mut out),
        Verb::Formats => words::formats(&mut out).map(|()| CLEAN),
        Verb::Explain { rule } => words::explain(rule.as_deref(), &mut out).map(|()| CLEAN),
    };
    let status = result.and_then(|status| Ok(out.flush().map(|()| status)?));
    match status {
        Ok(status) => ExitCode::from(status),
        // The reader has seen enough (`relayaudit scan ... | head`): that is success.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(CLEAN),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(FAILED)
        }
    }
}

/// Writes a message to standard error, with what a client may have put into it made harmless.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "relayaudit: {}", crate::report::escape::terminal(message));
}
