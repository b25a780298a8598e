//! The site, and the check of a configuration, for people at a terminal.

use super::page::{Page, Style};
use super::{Look, quote};
use crate::judge::words::count;
use crate::judge::{Rule, Severity};
use crate::report::model::{FindingRow, Report, SiteRow};
use std::io::{self, Write};

/// Writes what is taken to be ours, entry by entry.
pub fn write_site(report: &Report, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    page.text(Style::Bold, "", "What is taken to be yours")?;
    let site = &report.site;
    for (title, option, rows) in [
        ("Domains that mail is taken for", "--local-domain", &site.local_domains),
        ("Networks that may send without log-in", "--trusted-net", &site.trusted_networks),
        ("Names of your servers", "--server-name", &site.server_names),
        ("Addresses of your servers", "--server-ip", &site.server_addresses),
    ] {
        page.heading(&format!("{title} [{option}]"))?;
        if rows.is_empty() {
            page.text(Style::Plain, "  ", "none known")?;
        }
        rows.iter().try_for_each(|row| entry(row, &mut page))?;
    }
    exposures(report, &mut page)?;
    page.blank()?;
    page.text(
        Style::Plain,
        "",
        "To correct it, use these options or write it into relayaudit.toml: `relayaudit site infer` makes one.",
    )
}

fn entry(row: &SiteRow, page: &mut Page<'_>) -> io::Result<()> {
    page.text(Style::Plain, "  ", &format!("{}  ({})", row.value, row.origin))?;
    if !row.why.is_empty() {
        page.text(Style::Plain, "      ", &row.why)?;
    }
    if let Some(line) = &row.evidence {
        page.cut(Style::Dim, "      ", &format!("{}:{}: {}", line.path, line.line, line.text))?;
    }
    Ok(())
}

/// The findings on the configuration.
fn found(report: &Report) -> Vec<&FindingRow> {
    report.findings.iter().filter(|finding| finding.rule == Rule::PolicyExposure).collect()
}

fn exposures(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let found = found(report);
    if found.is_empty() {
        return Ok(());
    }
    page.heading("Lines of the configuration that let others send (`relayaudit site check` says more)")?;
    let why = |finding: &&FindingRow| finding.why.first().cloned();
    page.bullets(found.iter().filter_map(why).collect::<Vec<_>>().iter())
}

/// Writes the check of a configuration: the findings with their lines and steps, and the trusted networks nobody used.
pub fn write_check(report: &Report, unused: &[String], look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    let found = found(report);
    match found.as_slice() {
        [] if report.coverage.inputs.is_empty() => {
            page.text(Style::Doubt, "", "Nothing was checked: no configuration could be read.")?
        }
        [] => page.text(Style::Good, "", "Nothing found: no line of the files read lets strangers send.")?,
        some => {
            let grave = some.iter().any(|finding| Severity::Medium <= finding.severity);
            let lines = count(some.len() as u64, "line", "lines");
            let text = format!("{lines} of the configuration may let strangers send, or spam in.");
            page.text(if grave { Style::Bad } else { Style::Doubt }, "", &text)?;
        }
    }
    for finding in found {
        page.heading(&format!("[{}] {}", finding.severity.as_str(), finding.subject.value))?;
        page.bullets(finding.why.iter())?;
        finding.evidence.iter().take(FEW).try_for_each(|line| quote(line, &mut page))?;
        page.text(Style::Plain, "  ", "What to do:")?;
        page.numbered(&finding.remedy)?;
    }
    if !unused.is_empty() {
        page.heading("Trusted, but nobody came from there in these logs: take it out if it is no longer yours")?;
        page.bullets(unused.iter())?;
    }
    read(report, &mut page)
}

/// Lines shown of a finding.
const FEW: usize = 3;

fn read(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.coverage.inputs.is_empty() {
        return Ok(());
    }
    page.heading("What was read")?;
    for input in &report.coverage.inputs {
        let lines = count(input.lines, "line", "lines");
        page.text(Style::Plain, "  ", &format!("{}: {}, {lines}", input.path, input.format))?;
    }
    Ok(())
}
