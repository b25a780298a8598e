//! The command line.

use super::clients::{self, Clients};
use super::follow_args::{self, Follow};
use super::help::{EXTRACT_HELP, MERGE_HELP, REPORT_HELP, SWEEP_HELP};
use super::site_args::SiteVerb;
use super::sweep_args::Sweep;
use super::trace_args::{self, Trace};
use super::values::{alarms, format, log_format, resolver, share, zone};
use crate::clock::Zone;
use crate::judge::finding::Severity;
use clap::{Args, Parser, Subcommand, ValueEnum};
use relayaudit_parsers::registry::Format;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Tells from a mail server's logs whether it was abused to relay mail for somebody it should not
/// have served: by whom, how, since when, how much, and which line proves it.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Read logs and say whether the server was abused
    #[command(after_help = SCAN_HELP)]
    Scan(Box<Scan>),
    /// Read what is new in the logs since the last time, and tell only what is new or worse: for cron and systemd
    #[command(after_help = SWEEP_HELP)]
    Sweep(Box<Sweep>),
    /// Put saved ledgers of days and servers together into one
    #[command(after_help = MERGE_HELP)]
    Merge(Merge),
    /// Judge saved ledgers or the state of sweeps, without reading the logs again
    #[command(after_help = REPORT_HELP)]
    Report(Box<Report>),
    /// Write a row per recipient: who handed it in, to whom, what became of it
    #[command(after_help = EXTRACT_HELP)]
    Extract(Box<Extract>),
    /// List who hands in mail, by what right: whose mail would stop if you closed the server
    #[command(after_help = clients::HELP)]
    Clients(Box<Clients>),
    /// Follow a message, or all mail of a client or account, through files and servers: was it us, and how did it get in?
    #[command(after_help = trace_args::HELP)]
    #[command(mut_arg("paths", |arg| arg.value_name("KEY... LOGS").help(trace_args::KEYS_HELP)))]
    Trace(Box<Trace>),
    /// Watch logs while they are written: findings within two seconds, as a view that updates in place or as lines
    #[command(after_help = follow_args::HELP)]
    Follow(Box<Follow>),
    /// Show, infer, import or check what is yours: domains, trusted networks, servers
    #[command(subcommand)]
    Site(SiteVerb),
    /// List the log formats that are understood
    Formats,
    /// Say what a rule means, where it comes from, when it is wrong and what to do
    Explain {
        /// The rule, for example open-relay; without it, all rules are listed
        rule: Option<String>,
    },
}

const SCAN_HELP: &str = "\
Examples:
  relayaudit scan /var/log/mail.log*
  relayaudit scan /var/log --local-domain example.org --trusted-net 192.0.2.0/24
  relayaudit scan /var/log/mail.log* --config /etc/postfix/main.cf --config /etc/postfix/master.cf
  relayaudit scan /var/log/mail.log* --geoip GeoLite2-City.mmdb --geoip GeoLite2-ASN.mmdb
  relayaudit scan logs-2026.tar.gz --tz Europe/Berlin --year 2026
  journalctl -o json -u 'postfix*' | relayaudit scan -
  docker compose logs -t mail | relayaudit scan -
  relayaudit scan /var/log --ledger-out mail.ledger --label mx1
  relayaudit scan C:\\WINDOWS\\system32\\LogFiles\\SMTPSVC1 --format json

Exit status: 0 nothing found at or above --fail-on, 1 something found, 2 the run failed or is incomplete.";

/// What the user says of the site.
#[derive(Debug, Args)]
pub struct SiteOptions {
    /// A domain of yours: mail for it is not relay. Begin with a dot to include subdomains. Repeatable
    #[arg(long, value_name = "DOMAIN", help_heading = "Your site (else it is inferred and shown)")]
    pub local_domain: Vec<String>,
    /// A network, or an address, that may relay through your server. Repeatable
    #[arg(long, value_name = "NET", help_heading = "Your site (else it is inferred and shown)")]
    pub trusted_net: Vec<String>,
    /// A name of your server. Repeatable
    #[arg(long, value_name = "NAME", help_heading = "Your site (else it is inferred and shown)")]
    pub server_name: Vec<String>,
    /// An address of your server. Repeatable
    #[arg(long, value_name = "ADDRESS", help_heading = "Your site (else it is inferred and shown)")]
    pub server_ip: Vec<String>,
    /// A file with the same in TOML [default: relayaudit.toml in the current folder, if there is one]
    #[arg(long, value_name = "FILE", help_heading = "Your site (else it is inferred and shown)")]
    pub site: Option<PathBuf>,
    /// A configuration file of your mail server, or a folder of them: what it says is yours, and lines of it that open
    /// the server are reported (`relayaudit site check --help` lists the kinds). Repeatable
    #[arg(long, value_name = "FILE", help_heading = "Your site (else it is inferred and shown)")]
    pub config: Vec<PathBuf>,
}

/// What to read, and how.
#[derive(Debug, Args)]
pub struct ReadOptions {
    /// Log files, folders of logs (read all the way down), glob patterns, or - for standard input. Plain, gzip, bzip2,
    /// xz or zstd; tar archives of any of them; UTF-8 or UTF-16; as grep, containers or journalctl -o json give them. Files of
    /// journald are read by running journalctl, where there is one
    #[arg(required = true)]
    pub paths: Vec<String>,

    /// The logs' format, instead of recognising it by content (see `relayaudit formats`)
    #[arg(long, value_name = "NAME", value_parser = log_format, help_heading = "Reading")]
    pub log_format: Option<LogFormat>,
    /// Time zone of stamps that name none, such as Europe/Berlin [default: this machine's]
    #[arg(long, value_name = "ZONE", value_parser = zone, help_heading = "Reading")]
    pub tz: Option<Zone>,
    /// Year of the first stamp of logs that name none [default: from the file's date]
    #[arg(long, value_name = "YYYY", value_parser = clap::value_parser!(i32).range(1970..=9999), help_heading = "Reading")]
    pub year: Option<i32>,
    /// Count only mail that came in at or after this time (2026-11-24, 2026-11-24T08:00, RFC 3339)
    #[arg(long, value_name = "TIME", help_heading = "Reading")]
    pub since: Option<String>,
    /// Count only mail that came in before this time
    #[arg(long, value_name = "TIME", help_heading = "Reading")]
    pub until: Option<String>,
    /// Ignore lines that match this regular expression. Repeatable
    #[arg(long, value_name = "REGEX", help_heading = "Reading")]
    pub ignore: Vec<String>,
    /// Threads to use [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Reading")]
    pub threads: Option<u16>,
    /// Write the lines that could not be parsed to this file, with place and reason
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub unparsed: Option<PathBuf>,
    /// No progress on the terminal
    #[arg(long, short, help_heading = "Reading")]
    pub quiet: bool,
}

/// How to judge, and what to make of it.
#[derive(Debug, Args)]
pub struct JudgeOptions {
    /// The site.
    #[command(flatten)]
    pub site: SiteOptions,

    /// What judging is given besides the logs.
    #[command(flatten)]
    pub consult: ConsultOptions,

    /// Of honest senders, what share rules on behaviour may accuse (see `relayaudit explain compromised-account`)
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share, help_heading = "Judging")]
    pub false_alarm: f64,
    /// Of sources of spam, what share they may pass over
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share, help_heading = "Judging")]
    pub missed: f64,
    /// How often volume-anomaly may report a jump that is only chance, on one server in a quarter of a year
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = alarms, help_heading = "Judging")]
    pub false_alarms_per_quarter: f64,

    /// Write every table to this folder, as CSV and Parquet
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub tables: Option<PathBuf>,
    /// Exit with 1 if a finding is at least this bad
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Severity::Medium, help_heading = "Output")]
    pub fail_on: Severity,
    /// Colours: auto follows the terminal and NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    pub color: Colour,
}

/// Options of `scan`.
#[derive(Debug, Args)]
pub struct Scan {
    /// What to read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// Put this name before all paths, to tell this machine's logs from another's when ledgers are merged
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new(), help_heading = "Reading")]
    pub label: Option<String>,
    /// How to judge.
    #[command(flatten)]
    pub judge: JudgeOptions,

    /// What to print: text, json, csv or markdown. The name of a log format is taken as --log-format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format, help_heading = "Output")]
    pub format: Vec<Choice>,
    /// Save what was learnt to this file too, for `relayaudit merge` and `relayaudit report`
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub ledger_out: Option<PathBuf>,
}

/// Options of `merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// Saved ledgers, in any order
    #[arg(required = true, value_name = "LEDGER")]
    pub ledgers: Vec<String>,
    /// The file to write; a ledger that is there already is replaced, anything else is not
    #[arg(long, short, value_name = "FILE", required = true)]
    pub out: PathBuf,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// Saved ledgers, in any order
    #[arg(required_unless_present = "state", value_name = "LEDGER")]
    pub ledgers: Vec<String>,
    /// The state of `relayaudit sweep`: all that was swept so far
    #[arg(long, value_name = "FILE", conflicts_with = "ledgers")]
    pub state: Option<PathBuf>,
    /// How to judge.
    #[command(flatten)]
    pub judge: JudgeOptions,
    /// What to print
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub format: Output,
}

/// What judging is given besides logs and site: options of every verb that judges.
#[derive(Debug, Default, Args)]
pub struct ConsultOptions {
    /// A database of countries or of networks (.mmdb of MaxMind, DB-IP or IPinfo: Country, City or ASN), to say where clients
    /// are and who runs their networks. Repeatable; nothing is sent anywhere
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub geoip: Vec<PathBuf>,
    /// Ask DNS whether the owners of your domains let strangers who use them as reverse-path send (SPF, RFC 7208). The only option
    /// that uses the network. It tells what holds today
    #[arg(long, help_heading = "Judging")]
    pub spf: bool,
    /// The name server that --spf asks [default: the system's]
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = resolver, requires = "spf", help_heading = "Judging")]
    pub resolver: Option<SocketAddr>,
}

/// Options of `extract`.
#[derive(Debug, Args)]
pub struct Extract {
    /// What to read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// The site, for the column `verdict`.
    #[command(flatten)]
    pub site: SiteOptions,
    /// What to write: csv, ndjson or parquet
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Csv, help_heading = "Output")]
    pub to: Form,
    /// Write to this file instead of standard output; needed for parquet
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Write parquet to a new folder, --out DIR, as a file or more for each day and server (day=2026-11-24/server=mx1)
    #[arg(long, requires = "out", help_heading = "Output")]
    pub partition: bool,
}

/// Forms of `extract`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Comma-separated values with a line of names.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

/// Values of `--format`: what to print or, for those who think of the logs, a log format.
#[derive(Debug, Clone, Copy)]
pub enum Choice {
    /// What to print.
    Output(Output),
    /// The format of the logs.
    Log(LogFormat),
}

/// What to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people at a terminal.
    Text,
    /// One document of schema relayaudit.report/1.
    Json,
    /// One row per finding.
    Csv,
    /// For tickets.
    Markdown,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A format of the registry.
#[derive(Clone, Copy)]
pub struct LogFormat(pub &'static Format);

impl std::fmt::Debug for LogFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

impl Scan {
    /// What to print: the last choice counts.
    pub fn output(&self) -> Output {
        let last = self.format.iter().rev().find_map(|choice| match choice {
            Choice::Output(output) => Some(*output),
            Choice::Log(_) => None,
        });
        last.unwrap_or(Output::Text)
    }

    /// The format of the logs, if it is not to be recognised.
    pub fn log_format(&self) -> Option<&'static Format> {
        let by_format = self.format.iter().rev().find_map(|choice| match choice {
            Choice::Log(format) => Some(format.0),
            Choice::Output(_) => None,
        });
        self.read.log_format.map(|format| format.0).or(by_format)
    }
}

impl ReadOptions {
    /// The zone of stamps that name none.
    pub fn zone(&self) -> Zone {
        self.tz.unwrap_or(Zone::Machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
