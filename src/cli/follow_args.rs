//! The command line of `relayaudit follow`.

use super::args::{JudgeOptions, LogFormat};
use super::values::{log_format, zone};
use crate::clock::Zone;
use crate::judge::Severity;
use clap::{Args, ValueEnum};
use std::time::Duration;

/// After the options of `--help`.
pub const HELP: &str = "\
At the start, what is there already of the last --window (a day) is read too: without it, neither your domains nor sessions that
are under way would be known. After that, lines are read as they are written. A log that is renamed is read to its end, then the
new one; one that is copied and emptied is read on from its beginning; new files in a folder or of a pattern are followed when
they appear, and a path that is not there yet is waited for.

On a terminal a view is updated in place; q or Ctrl-C ends it. In a pipe, or with --plain, each finding is a line, written at once:
  standing   it was there when the following began       new        it began
  worse      graver than told before, or ten times more   withdrawn  later lines explain it
--format ndjson gives the same as JSON objects; docs/FOLLOW.md lists their fields.

Examples:
  relayaudit follow /var/log/mail.log
  relayaudit follow /var/log/mail.log --local-domain example.org --trusted-net 192.0.2.0/24
  relayaudit follow '/var/log/exim4/*log' --window 3d
  relayaudit follow /var/log/mail.log --format ndjson --show low | while read -r line; do notify \"$line\"; done
  journalctl -f -o json -u 'postfix*' | relayaudit follow -
  relayaudit follow /var/log/mail.log --plain --until-finding --for 8h || mail -s \"see the mail log\" admin@example.org </dev/null

Exit status when it ends: 0 nothing found at or above --fail-on, 1 something found, 2 the run failed, or a path was never there.";

/// Options of `follow`.
#[derive(Debug, Args)]
pub struct Follow {
    /// Log files, folders, glob patterns, or - for standard input. They need not exist yet
    #[arg(required = true)]
    pub paths: Vec<String>,

    /// How much of the past is judged: 6h, 24h, 7d (at least 1h), or all, which forgets nothing
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = window, help_heading = "Following")]
    pub window: Kept,
    /// Judge only what is written from now on
    #[arg(long, help_heading = "Following")]
    pub new_only: bool,
    /// End after so long
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, help_heading = "Following")]
    pub length: Option<Duration>,
    /// End as soon as a finding is as bad as --fail-on says
    #[arg(long, help_heading = "Following")]
    pub until_finding: bool,

    /// The logs' format, instead of recognising it by content (see `relayaudit formats`)
    #[arg(long, value_name = "NAME", value_parser = log_format, help_heading = "Reading")]
    pub log_format: Option<LogFormat>,
    /// Time zone of stamps that name none, such as Europe/Berlin [default: this machine's]
    #[arg(long, value_name = "ZONE", value_parser = zone, help_heading = "Reading")]
    pub tz: Option<Zone>,
    /// Year of the first stamp of logs that name none [default: from the file's date]
    #[arg(long, value_name = "YYYY", value_parser = clap::value_parser!(i32).range(1970..=9999), help_heading = "Reading")]
    pub year: Option<i32>,
    /// Ignore lines that match this regular expression. Repeatable
    #[arg(long, value_name = "REGEX", help_heading = "Reading")]
    pub ignore: Vec<String>,
    /// Threads to use [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Reading")]
    pub threads: Option<u16>,
    /// Say nothing of rotation and new files on standard error
    #[arg(long, short, help_heading = "Reading")]
    pub quiet: bool,

    /// How to judge.
    #[command(flatten)]
    pub judge: JudgeOptions,

    /// Tell findings that are at least this bad
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Severity::Medium, help_heading = "Output")]
    pub show: Severity,
    /// Lines instead of the view, on a terminal too
    #[arg(long, help_heading = "Output")]
    pub plain: bool,
    /// Form of the lines; ndjson needs no --plain
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Lines::Text, help_heading = "Output")]
    pub format: Lines,
}

/// Form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lines {
    /// For people.
    Text,
    /// One JSON object a line.
    Ndjson,
}

/// How much of the past is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// So long.
    For(Duration),
    /// All of it.
    All,
}

impl Kept {
    /// In microseconds; `None` for all.
    pub fn micros(self) -> Option<i64> {
        match self {
            Kept::For(duration) => Some(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
            Kept::All => None,
        }
    }
}

fn window(text: &str) -> Result<Kept, String> {
    if text == "all" {
        return Ok(Kept::All);
    }
    match duration(text)? {
        duration if duration < Duration::from_secs(3_600) => Err("expected at least 1h, or all".to_owned()),
        duration => Ok(Kept::For(duration)),
    }
}

/// A duration as people write it: `90s`, `30m`, `24h`, `7d`.
fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a number and s, m, h or d, such as 30m, 24h or 7d".to_owned();
    let unit = text.chars().last().ok_or_else(expected)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(expected()),
    };
    let number = text.strip_suffix(unit).and_then(|number| number.parse::<u32>().ok()).ok_or_else(expected)?;
    if number == 0 { Err(expected()) } else { Ok(Duration::from_secs(u64::from(number) * seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check =
            |text: &str, want: Option<u64>| assert_eq!(duration(text).ok().map(|d| d.as_secs()), want, "{text}");
        check("90s", Some(90));
        check("30m", Some(1_800));
        check("24h", Some(86_400));
        check("7d", Some(604_800));
        check("4294967295d", Some(4_294_967_295 * 86_400));
        for wrong in ["", "7", "d", "0h", "-1h", "1.5h", "1w", "99999999999s", "7 d", "1\u{fc}"] {
            check(wrong, None);
        }
        assert_eq!(window("all"), Ok(Kept::All));
        assert_eq!(window("1h"), Ok(Kept::For(Duration::from_secs(3_600))));
        assert!(window("59m").is_err());
        assert_eq!(Kept::For(Duration::MAX).micros(), Some(i64::MAX));
    }
}
