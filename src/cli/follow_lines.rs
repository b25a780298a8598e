//! What `follow` writes in a pipe: a line, or a JSON object, for each finding that is told; and its last words.

use crate::follow::news::Told;
use crate::judge::words::{count, minute};
use crate::judge::{Rule, Severity};
use crate::ledger::Time;
use crate::report::escape::terminal;
use crate::report::figures::time;
use crate::report::model::{Line, QueuedRow, Report, SubjectRow};
use crate::report::phrases;
use crate::report::terminal::live::wrapped;
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// One object of `--format ndjson`: fields may be added at the end, none is renamed, moved or taken away.
#[derive(Serialize)]
struct Row<'t> {
    time: String,
    news: &'static str,
    rule: Rule,
    severity: Severity,
    confidence: f64,
    subject: &'t SubjectRow,
    server: &'t str,
    first: Option<String>,
    last: Option<String>,
    sessions: u64,
    messages: u64,
    attempts: u64,
    recipients_accepted: u64,
    recipients_denied: u64,
    recipients_delivered: u64,
    recipients_deferred: u64,
    recipients_bounced: u64,
    bytes: u64,
    why: &'t [String],
    /// The first line that proves it; null without any.
    evidence: Option<&'t Line>,
    remedy: &'t [String],
    queued: Option<&'t QueuedRow>,
}

/// Writes a finding as JSON.
pub fn ndjson(told: &Told, out: &mut dyn Write) -> io::Result<()> {
    let finding = &told.finding;
    let row = Row {
        time: told.at.rfc3339(),
        news: told.kind.as_str(),
        rule: finding.rule,
        severity: finding.severity,
        confidence: finding.confidence,
        subject: &finding.subject,
        server: &finding.server,
        first: finding.first.map(Time::rfc3339),
        last: finding.last.map(Time::rfc3339),
        sessions: finding.sessions,
        messages: finding.messages,
        attempts: finding.attempts,
        recipients_accepted: finding.recipients_accepted,
        recipients_denied: finding.recipients_denied,
        recipients_delivered: finding.recipients_delivered,
        recipients_deferred: finding.recipients_deferred,
        recipients_bounced: finding.recipients_bounced,
        bytes: finding.bytes,
        why: &finding.why,
        evidence: finding.evidence.first(),
        remedy: &finding.remedy,
        queued: finding.queued.as_ref(),
    };
    serde_json::to_writer(&mut *out, &row)?;
    writeln!(out)
}

/// Writes a finding as a line for people.
pub fn text(told: &Told, out: &mut dyn Write) -> io::Result<()> {
    let finding = &told.finding;
    let why = finding.why.first().map_or("", String::as_str);
    let place = finding.evidence.first().map_or_else(String::new, |line| format!(" ({}:{})", line.path, line.line));
    let line = format!(
        "{} {} {} {} {} {}: {why}{place}",
        told.at.rfc3339(),
        told.kind.as_str(),
        finding.severity.as_str(),
        finding.rule.as_str(),
        finding.subject.kind,
        finding.subject.value
    );
    writeln!(out, "{}", terminal(&line))
}

/// Writes the verdict as a line for people.
pub fn verdict(report: &Report, now: Time, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} verdict {}", now.rfc3339(), terminal(&headline(report)))
}

fn headline(report: &Report) -> String {
    match phrases::answer(&report.verdict.headline) {
        (answer, rest) if answer.is_empty() => rest.to_owned(),
        (answer, rest) => format!("{answer} - {rest}"),
    }
}

/// The last words: the verdict, since when, and what to do first.
pub fn summary(report: &Report, lines: u64, length: Duration) -> Vec<String> {
    let verdict = &report.verdict;
    let mut summary = vec![headline(report)];
    if phrases::is_abuse(verdict.cause) && verdict.first.is_some() {
        summary.push(format!("Since {}, until {}", time(verdict.first), phrases::until(report)));
    }
    summary.extend(verdict.next.first().map(|step| format!("First: {step}")));
    let end = Time(i64::try_from(length.as_micros()).unwrap_or(i64::MAX));
    let length = crate::judge::words::duration(Time(0), end);
    let logs = report.coverage.last.map_or_else(String::new, |last| format!(" The last is of {} UTC.", minute(last)));
    summary.push(format!("Followed for {length}: {} read.{logs}", count(lines, "line", "lines")));
    summary
}

/// Writes the last words; in a terminal of so many columns, if it is one.
pub fn write_summary(summary: &[String], columns: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    for line in summary {
        match columns {
            Some(columns) => wrapped(line, columns).iter().try_for_each(|line| writeln!(out, "{line}"))?,
            None => writeln!(out, "{}", terminal(line))?,
        }
    }
    Ok(())
}
