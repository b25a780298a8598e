//! The report for people at a terminal: the answer first, then its proof, then what to do now.
//!
//! All text is neutralised (see [`super::escape`]), and no line is wider than the width that was asked for.

mod grid;
mod listings;
pub mod live;
mod page;
mod sections;
mod site;
mod submitters;
mod trace;

pub use site::{write_check, write_site};
pub use submitters::write_submitters;
pub use trace::write_trace;

use super::figures::time;
use super::model::{Line, Report};
use super::phrases;
use crate::judge::Cause;
use page::{Page, Style};
use std::io::{self, Write};

/// How the report shall look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether to colour.
    pub colour: bool,
    /// The width of the terminal; taken as 80 if less and as 200 if more.
    pub width: usize,
}

impl Default for Look {
    /// 80 columns without colour.
    fn default() -> Look {
        Look { colour: false, width: 80 }
    }
}

/// Facts and lines of proof on the first screen.
const FACTS: usize = 3;
/// Reasons shown: what decides about a sender is the sum of several signals.
const REASONS: usize = 7;
/// Lines of the terminal for one line of a log.
const QUOTED: usize = 2;
/// Lines after which the answer has scrolled away on most terminals.
const SCREEN: usize = 40;

/// Writes the report.
pub fn write(report: &Report, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    headline(report, &mut page)?;
    proof(report, &mut page)?;
    next(report, &mut page)?;
    sections::offenders(report, &mut page)?;
    listings::write(report, &mut page)?;
    sections::campaigns(report, &mut page)?;
    sections::servers(report, &mut page)?;
    sections::findings(report, &mut page)?;
    sections::accounts(report, &mut page)?;
    sections::totals(report, &mut page)?;
    sections::not_seen(report, &mut page)?;
    sections::site(report, &mut page)?;
    sections::coverage(report, &mut page)?;
    again(report, &mut page)
}

/// The answer, how sure it is, since when and until when.
fn headline(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let verdict = &report.verdict;
    let (answer, rest) = phrases::answer(&verdict.headline);
    let style = style(report);
    match answer.is_empty() {
        true => page.text(style, "", rest)?,
        false => page.text(style, "", &format!("{answer} - {rest}"))?,
    }
    page.blank()?;
    let unless = if phrases::is_doubted(report) { ", if what was passed on is yours" } else { "" };
    page.text(Style::Plain, "Cause:     ", &format!("{}{unless}", phrases::cause(verdict.cause)))?;
    if let Some(sure) = phrases::sureness(verdict) {
        page.text(Style::Plain, "How sure:  ", &sure)?;
    }
    if phrases::is_abuse(verdict.cause) && verdict.first.is_some() {
        page.text(Style::Plain, "Since:     ", &time(verdict.first))?;
        page.text(Style::Plain, "Until:     ", &phrases::until(report))?;
    }
    Ok(())
}

/// The colour of an answer.
fn style(report: &Report) -> Style {
    match report.verdict.cause {
        _ if phrases::is_doubted(report) => Style::Doubt,
        Cause::ProbesOnly | Cause::InboundOnly | Cause::Clean => Style::Good,
        Cause::InsufficientEvidence => Style::Doubt,
        _ => Style::Bad,
    }
}

/// The deciding facts, and the lines that show them.
fn proof(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let verdict = &report.verdict;
    if !verdict.why.is_empty() {
        page.heading("Why")?;
        page.bullets(verdict.why.iter().take(REASONS))?;
    }
    if !verdict.evidence.is_empty() {
        page.blank()?;
        page.text(Style::Plain, "  ", "Lines of the logs that show it:")?;
    }
    verdict.evidence.iter().take(FACTS).try_for_each(|line| quote(line, page))
}

/// A line of a log: its place, and its text below.
fn quote(line: &Line, page: &mut Page<'_>) -> io::Result<()> {
    page.text(Style::Place, "  ", &format!("{}:{}", line.path, line.line))?;
    // The place tells where the line stands as it is: here tabs only have to keep its columns apart.
    page.head(Style::Dim, "      ", &line.text.replace('\t', "  "), QUOTED)
}

/// What to do now.
fn next(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.verdict.next.is_empty() {
        return Ok(());
    }
    page.heading("What to do now")?;
    page.numbered(&report.verdict.next)
}

/// The answer again: on most terminals the top has scrolled away by now.
fn again(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if page.lines < SCREEN {
        return Ok(());
    }
    let (answer, rest) = phrases::answer(&report.verdict.headline);
    let answer = if answer.is_empty() { "In short".to_owned() } else { answer };
    page.blank()?;
    let text = format!("{answer} - {rest} (Why and what to do: at the top.)");
    page.text(style(report), "", &text)
}
