//! One line for Nagios and what speaks like it, with performance data
//! (<https://nagios-plugins.org/doc/guidelines.html>, sections 2.1 and 2.6).

use super::text::headline;
use crate::judge::Severity;
use crate::report::escape::terminal;
use crate::sweep::Done;
use std::io::{self, Write};

/// All is well.
const OK: u8 = 0;
/// Something is worth a look.
const WARNING: u8 = 1;
/// The server is abused, or about to be.
const CRITICAL: u8 = 2;
/// The check could not be made.
const UNKNOWN: u8 = 3;

/// Writes the line; returns the exit status.
pub fn write(done: &Done, out: &mut dyn Write) -> io::Result<u8> {
    let worst = done.open.first();
    let (status, word) = match worst.map(|finding| finding.severity) {
        // What is found is said even if not all could be read.
        Some(Severity::High | Severity::Critical) => (CRITICAL, "CRITICAL"),
        _ if !done.learnt.problems.is_empty() => (UNKNOWN, "UNKNOWN"),
        Some(_) => (WARNING, "WARNING"),
        None => (OK, "OK"),
    };
    let what = match (worst, done.learnt.problems.first()) {
        (Some(worst), _) => format!("{} open, worst: {}", count(done.open.len()), headline(worst)),
        (None, Some(problem)) => problem.clone(),
        (None, None) => "nothing found".to_owned(),
    };
    // A bar would begin the performance data.
    let what = terminal(&what).replace(['|', '\n'], " ");
    let figures = [
        ("findings", done.open.len() as u64, ""),
        ("lines", done.learnt.lines, ""),
        ("bytes", done.learnt.text_bytes, "B"),
        ("problems", done.learnt.problems.len() as u64, ""),
        ("state", done.state_bytes, "B"),
    ];
    let figures = figures.map(|(name, value, unit)| format!("{name}={value}{unit};;;0")).join(" ");
    writeln!(out, "RELAYAUDIT {word} - {what} | {figures}")?;
    Ok(status)
}

/// Writes that the check failed; returns the exit status.
pub fn failed(error: &str, out: &mut dyn Write) -> io::Result<u8> {
    writeln!(out, "RELAYAUDIT UNKNOWN - {}", terminal(error).replace(['|', '\n'], " "))?;
    Ok(UNKNOWN)
}

fn count(findings: usize) -> String {
    if findings == 1 { "1 finding".to_owned() } else { format!("{findings} findings") }
}
