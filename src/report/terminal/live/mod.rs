//! The live view: what `relayaudit follow` shows on a terminal, as a function of what is known and the size of the screen.
//!
//! What does not fit is left out from the bottom of each section, never wrapped. All text is neutralised.

mod sections;

use super::page::{cut, width, wrap};
use crate::judge::{Cause, Severity};
use crate::ledger::Time;
use crate::report::escape::terminal;
use crate::report::figures::{size, time};
use crate::report::model::{FindingRow, Report};
use crate::report::phrases;
use sections::Section;
use std::fmt::Write;

/// How a stretch of a line looks. Every look can be read on light and on dark: no colour but red and magenta, which both have
/// contrast on either, and nothing is told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// Headings.
    Bold,
    /// The first and the last line.
    Bar,
    /// Bad news.
    Bad,
    /// What may be bad news.
    Doubt,
}

impl Style {
    /// The parameters of the escape sequence (ECMA-48 SGR) that begins it; none for plain.
    fn code(self) -> Option<&'static str> {
        match self {
            Style::Plain => None,
            Style::Bold => Some("1"),
            Style::Bar => Some("7"),
            Style::Bad => Some("1;31"),
            Style::Doubt => Some("1;35"),
        }
    }
}

/// A line of the screen: stretches of text, neutralised, together no wider than the screen.
pub type Line = Vec<(Style, String)>;

/// The size of a screen in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

/// What is shown.
pub struct View<'v> {
    /// The time.
    pub now: Time,
    /// What was judged last; `None` until it was.
    pub report: Option<&'v Report>,
    /// Since when what is judged was decided; `None` if nothing is forgotten.
    pub start: Option<Time>,
    /// The logs.
    pub files: &'v [FileRow],
    /// Named paths that are not there, and why.
    pub missing: &'v [String],
    /// The findings that were told, the latest last.
    pub told: &'v [Told<'v>],
    /// What happened to the logs, the latest last.
    pub notices: &'v [String],
    /// How much comes in.
    pub rates: Rates,
    /// Bytes that were there at the start, and how many of them are not read yet; `None` when they are.
    pub reading: Option<(u64, u64)>,
    /// The key that ends it, in words.
    pub end: &'v str,
}

/// A finding that was told.
pub struct Told<'v> {
    /// `new`, `worse`, ...
    pub kind: &'static str,
    /// The finding, as it was then.
    pub finding: &'v FindingRow,
}

/// A log that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Its path.
    pub path: String,
    /// Its format.
    pub format: String,
    /// Lines that were read of it.
    pub lines: u64,
    /// How much of it is not read yet.
    pub behind_bytes: u64,
    /// What is particular, in a few words.
    pub state: String,
}

/// How much came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Lines in ten seconds.
    pub lines_in_ten: u64,
    /// Recipients accepted in the last minute.
    pub accepted: u64,
    /// Recipients refused in the last minute, for whatever reason.
    pub refused: u64,
    /// Recipients relayed without permission in the last minute.
    pub relayed: u64,
}

/// The lines of the screen: as many as it has, none wider.
pub fn frame(view: &View<'_>, size: Size) -> Vec<Line> {
    let mut lines = vec![bar(&title(view), &state(view), size.width)];
    lines.extend(answer(view, size));
    let room = size.height.saturating_sub(lines.len() + 1);
    let sections = sections::all(view, size);
    lines.extend(lay_out(&sections, room, size.width));
    lines.truncate(size.height.saturating_sub(1));
    lines.resize(size.height.saturating_sub(1), Line::new());
    let last = view.notices.last().map_or("", String::as_str);
    lines.push(bar(last, view.end, size.width));
    lines.truncate(size.height);
    lines.into_iter().map(|line| clip(line, size.width)).collect()
}

/// What of a line there is room for, where columns are narrower than what they hold.
fn clip(line: Line, room: usize) -> Line {
    let mut left = room;
    let mut clipped = Line::new();
    for (style, text) in line {
        let text = if left == 0 { String::new() } else { cut(&text, left) };
        left = left.saturating_sub(width(&text));
        clipped.push((style, text));
    }
    clipped
}

/// A text for people, neutralised, in lines that are no wider than `room`.
pub fn wrapped(text: &str, room: usize) -> Vec<String> {
    wrap(&terminal(text), room.max(2))
}

/// The text of a line, without its looks.
pub fn plain(line: &Line) -> String {
    line.iter().map(|(_, text)| text.as_str()).collect::<String>().trim_end().to_owned()
}

/// A line with the escape sequences of its looks, if `colour`; without colour only the bars are marked.
pub fn styled(line: &Line, colour: bool) -> String {
    let mut out = String::new();
    for (style, text) in line {
        // Writing to a `String` cannot fail.
        let _ = match style.code().filter(|_| (colour || *style == Style::Bar) && !text.is_empty()) {
            Some(code) => write!(out, "\x1b[{code}m{text}\x1b[0m"),
            None => out.write_str(text),
        };
    }
    out
}

/// A text at the left and one at the right, which gives way.
fn bar(left: &str, right: &str, room: usize) -> Line {
    let (left, right) = (terminal(left), terminal(right));
    let right = cut(&right, room.saturating_sub(2));
    let left = cut(&left, room.saturating_sub(width(&right) + 3));
    let between = room.saturating_sub(width(&left) + width(&right) + 2);
    vec![(Style::Bar, format!(" {left}{}{right} ", " ".repeat(between)))]
}

fn title(view: &View<'_>) -> String {
    let now: String = view.now.rfc3339().chars().skip(11).take(8).collect();
    format!("relayaudit follow  {now} UTC")
}

fn state(view: &View<'_>) -> String {
    let behind: u64 = view.files.iter().map(|file| file.behind_bytes).sum();
    let files = view.files.len();
    let rate = format!("{}.{} lines/s", view.rates.lines_in_ten / 10, view.rates.lines_in_ten % 10);
    let files = format!("{files} {}", if files == 1 { "log" } else { "logs" });
    if behind == 0 { format!("{files}, {rate}") } else { format!("{files}, {rate}, {} behind", size(behind)) }
}

/// The verdict, since when, and what goes on.
fn answer(view: &View<'_>, size: Size) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some((all, left)) = view.reading {
        let done = all.saturating_sub(left);
        let share = done.saturating_mul(100).checked_div(all).unwrap_or(100);
        let what = format!("Reading what is there: {share} % of {}", crate::report::figures::size(all));
        lines.push(one(Style::Bold, &what, size.width));
    }
    if let Some(report) = view.report {
        verdict(view, report, size, &mut lines);
    } else if view.reading.is_none() {
        lines.push(one(Style::Bold, "Waiting for the first lines", size.width));
    }
    for missing in view.missing.iter().take(2) {
        lines.push(one(Style::Doubt, &format!("Waiting for {missing}"), size.width));
    }
    lines
}

fn verdict(view: &View<'_>, report: &Report, size: Size, lines: &mut Vec<Line>) {
    let verdict = &report.verdict;
    let (answer, rest) = phrases::answer(&verdict.headline);
    let text = if answer.is_empty() { rest.to_owned() } else { format!("{answer} - {rest}") };
    let style = match verdict.cause {
        Cause::ProbesOnly | Cause::InboundOnly | Cause::Clean => Style::Bold,
        Cause::InsufficientEvidence => Style::Doubt,
        _ => Style::Bad,
    };
    let most = if size.height < 30 { 3 } else { 5 };
    let wrapped = wrap(&terminal(&text), size.width.max(1));
    let left_out = most < wrapped.len();
    for (at, line) in wrapped.into_iter().take(most).enumerate() {
        let line = if left_out && at + 1 == most { cut(&format!("{line} …"), size.width) } else { line };
        lines.push(vec![(style, line)]);
    }
    let judged = match view.start {
        Some(start) => format!("Judged: what happened since {}", time(Some(start))),
        None => format!("Judged: everything since {}", time(report.coverage.first)),
    };
    let since = verdict.first.filter(|_| phrases::is_abuse(verdict.cause));
    let since = since.map(|first| format!("Since {}, last {}.", time(Some(first)), time(verdict.last)));
    match since {
        Some(since) if width(&since) + 1 + width(&judged) <= size.width => {
            lines.push(one(Style::Plain, &format!("{since} {judged}"), size.width));
        }
        since => lines.extend(since.iter().chain([&judged]).map(|text| one(Style::Plain, text, size.width))),
    }
    let Rates { accepted, refused, relayed, .. } = view.rates;
    let what =
        format!("Last minute, recipients: {accepted} accepted, {refused} refused, {relayed} relayed for strangers");
    lines.push(one(if relayed == 0 { Style::Plain } else { Style::Bad }, &what, size.width));
    if let Some(step) = verdict.next.first().filter(|_| style == Style::Bad) {
        lines.push(one(Style::Plain, &format!("Now: {step}"), size.width));
    }
}

/// A line of one look.
fn one(style: Style, text: &str, room: usize) -> Line {
    vec![(style, cut(&terminal(text), room))]
}

/// The look of a severity.
fn of_severity(severity: Severity) -> Style {
    match severity {
        Severity::High | Severity::Critical => Style::Bad,
        Severity::Medium => Style::Doubt,
        Severity::Low | Severity::Info => Style::Plain,
    }
}

/// Gives each section rows in turn, as long as there is room and need.
fn lay_out(sections: &[Section], room: usize, width: usize) -> Vec<Line> {
    let blanks = if sections.len() * 4 <= room { sections.len() } else { 0 };
    let mut left = room.saturating_sub(sections.len() + blanks);
    let mut given = vec![0; sections.len()];
    loop {
        let before = left;
        for (section, given) in sections.iter().zip(&mut given) {
            let wanted = section.rows.len().saturating_sub(*given).min(section.weight).min(left);
            *given += wanted;
            left -= wanted;
        }
        if before == left {
            break;
        }
    }
    let mut lines = Vec::new();
    for (section, given) in sections.iter().zip(given) {
        if 0 < blanks {
            lines.push(Line::new());
        }
        lines.push(section.head(given, width));
        lines.extend(section.rows.iter().take(given).cloned());
    }
    lines
}

#[cfg(test)]
mod tests;
