//! Options of `relayaudit sweep`.

use super::args::{LogFormat, SiteOptions};
use super::values::{log_format, share, zone};
use crate::clock::Zone;
use crate::judge::Severity;
use clap::Args;
use std::path::PathBuf;

/// Options of `sweep`.
#[derive(Debug, Args)]
pub struct Sweep {
    /// The file that keeps what was learnt and how far each log was read; made if it is not there
    #[arg(long, value_name = "FILE")]
    pub state: PathBuf,
    /// Log files, folders of logs (read all the way down) or glob patterns; with their rotated logs, packed or not:
    /// /var/log/mail.log*
    #[arg(required_unless_present_any = ["status", "forget"])]
    pub paths: Vec<String>,
    /// Say what the state knows, and read nothing
    #[arg(long, conflicts_with_all = ["paths", "forget", "rebuild"])]
    pub status: bool,
    /// Forget what happened so far and what was found, but not how far the logs were read: after the cause was removed
    #[arg(long, conflicts_with_all = ["paths", "rebuild"])]
    pub forget: bool,
    /// Forget everything and read the logs that are there from their beginnings
    #[arg(long)]
    pub rebuild: bool,

    /// The logs' format, instead of recognising it by content (see `relayaudit formats`)
    #[arg(long, value_name = "NAME", value_parser = log_format, help_heading = "Reading")]
    pub log_format: Option<LogFormat>,
    /// Time zone of stamps that name none, such as Europe/Berlin [default: this machine's]
    #[arg(long, value_name = "ZONE", value_parser = zone, help_heading = "Reading")]
    pub tz: Option<Zone>,
    /// Year of the first stamp of logs that name none [default: from the file's date]
    #[arg(long, value_name = "YYYY", value_parser = clap::value_parser!(i32).range(1970..=9999), help_heading = "Reading")]
    pub year: Option<i32>,
    /// Ignore lines that match this regular expression, from now on. Repeatable
    #[arg(long, value_name = "REGEX", help_heading = "Reading")]
    pub ignore: Vec<String>,
    /// Threads to use [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Reading")]
    pub threads: Option<u16>,
    /// Days that the state keeps; older ones are forgotten
    #[arg(long, value_name = "DAYS", default_value_t = crate::sweep::read::RETENTION_DAYS, value_parser = days, help_heading = "Reading")]
    pub retention: i32,

    /// The site.
    #[command(flatten)]
    pub site: SiteOptions,

    /// Days that are judged: what is older is only in `relayaudit report --state`
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = days, help_heading = "Judging")]
    pub window: i32,
    /// Of honest senders, what share rules on behaviour may accuse (see `relayaudit explain compromised-account`)
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share, help_heading = "Judging")]
    pub false_alarm: f64,
    /// Of sources of spam, what share they may pass over
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share, help_heading = "Judging")]
    pub missed: f64,

    /// Tell findings that are at least this bad, and exit with 1
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Severity::Medium, help_heading = "Telling")]
    pub fail_on: Severity,
    /// Tell a finding that goes on again after so many hours
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = hours, help_heading = "Telling")]
    pub remind_every: i64,
    /// A finding of which nothing more is seen for so many hours is over
    #[arg(long, value_name = "HOURS", default_value_t = 72, value_parser = hours, help_heading = "Telling")]
    pub over_after: i64,
    /// Answer as a Nagios plugin: one line, exit status 0 to 3 by what is open
    #[arg(long, conflicts_with = "ndjson", help_heading = "Telling")]
    pub nagios: bool,
    /// Print news as JSON, one line each, in the Elastic Common Schema
    #[arg(long, help_heading = "Telling")]
    pub ndjson: bool,
    /// Send news to the system's log too, in the same form
    #[arg(long, value_name = "SOCKET", num_args = 0..=1, require_equals = true, default_missing_value = crate::sweep::tell::syslog::SOCKET, help_heading = "Telling")]
    pub syslog: Option<PathBuf>,
    /// Post news as JSON to this address too (by running curl); what cannot be delivered is kept for the next sweep. An
    /// address with a secret is better put into the environment variable RELAYAUDIT_WEBHOOK
    #[arg(long, value_name = "URL", help_heading = "Telling")]
    pub webhook: Option<String>,
    /// Write metrics to this file, for the textfile collector of Prometheus' node_exporter
    #[arg(long, value_name = "FILE", help_heading = "Telling")]
    pub prometheus: Option<PathBuf>,
}

/// The longest stretch of time that makes sense, in days: a century.
const LONGEST_DAYS: i32 = 36_525;

fn days(text: &str) -> Result<i32, String> {
    let days = text.parse::<i32>().map_err(|error| error.to_string())?;
    if (1..=LONGEST_DAYS).contains(&days) { Ok(days) } else { Err(format!("expected 1 to {LONGEST_DAYS} days")) }
}

fn hours(text: &str) -> Result<i64, String> {
    let most = i64::from(LONGEST_DAYS) * 24;
    let hours = text.parse::<i64>().map_err(|error| error.to_string())?;
    if (1..=most).contains(&hours) { Ok(hours) } else { Err(format!("expected 1 to {most} hours")) }
}
