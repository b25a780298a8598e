//! Markdown (CommonMark with GitHub's tables): the report to paste into a ticket.
//!
//! Values from the logs are code spans and lines are code blocks, so that nothing in them is a
//! link, a mention or markup (see [`super::escape`]).

use super::escape::{markdown as prose, markdown_cell as cell, markdown_code as code, markdown_fence, terminal};
use super::figures::{minute, size, time};
use super::model::{CampaignRow, Line, LocatedRow, Offender, Report, SiteRow};
use super::{handovers, phrases, rows};
use crate::judge::words::{count, thousands};
use std::cmp::Reverse;
use std::io::{self, Write};

/// Rows of a table.
const ROWS: usize = 50;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    headline(report, out)?;
    proof(report, out)?;
    list(out, "What to do now", "1.", &report.verdict.next)?;
    offenders(report, out)?;
    listings(report, out)?;
    campaigns(report, out)?;
    findings(report, out)?;
    let handed = handovers::sentences(&report.handovers);
    list(out, "Servers that hand mail to each other", "-", &handed[..handed.len().min(ROWS)])?;
    more(out, handed.len())?;
    totals(report, out)?;
    list(out, "Not seen, or not sure", "-", &report.verdict.not_seen)?;
    let other = report.verdict.alternatives.iter();
    let other = other.map(|other| phrases::alternative(other, &report.verdict.not_seen));
    list(out, "Other explanations", "-", &other.collect::<Vec<_>>())?;
    site(report, out)?;
    coverage(report, out)
}

fn headline(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let verdict = &report.verdict;
    writeln!(out, "# Was the mail server abused as a relay?\n\n**{}**\n", prose(&verdict.headline))?;
    writeln!(out, "- Cause: {} ({})", prose(phrases::cause(verdict.cause)), code(verdict.cause.as_str()))?;
    if let Some(sure) = phrases::sureness(verdict) {
        writeln!(out, "- How sure: {sure}")?;
    }
    if phrases::is_abuse(verdict.cause) && verdict.first.is_some() {
        writeln!(out, "- Since: {}", time(verdict.first))?;
        writeln!(out, "- Until: {}", prose(&phrases::until(report)))?;
    }
    Ok(())
}

fn proof(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    list(out, "Why", "-", &report.verdict.why)?;
    lines(out, &report.verdict.evidence)
}

/// Lines of logs as a code block.
fn lines(out: &mut dyn Write, lines: &[Line]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let texts: Vec<String> = lines
        .iter()
        .map(|line| terminal(&format!("{}:{}: {}", line.path, line.line, line.text)).into_owned())
        .collect();
    let fence = markdown_fence(texts.iter().map(String::as_str));
    writeln!(out, "\n{fence}text\n{}\n{fence}", texts.join("\n"))
}

/// A heading and sentences; nothing without sentences.
fn list(out: &mut dyn Write, heading: &str, mark: &str, texts: &[String]) -> io::Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {heading}\n")?;
    texts.iter().try_for_each(|text| writeln!(out, "{mark} {}", prose(text)))
}

fn offenders(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.offenders.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Addresses\n")?;
    let (head, rule) =
        if report.coverage.databases.is_empty() { ("", "") } else { (" Country | Network |", " --- | --- |") };
    writeln!(
        out,
        "| Address | Name | Since (UTC) | Until (UTC) | Messages | Recipients relayed | Recipients refused | Size | \
         Rules | Severity |{head}\n| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- | --- |{rule}"
    )?;
    report.offenders.iter().take(ROWS).try_for_each(|offender| writeln!(out, "{}", row(offender)))?;
    more(out, report.offenders.len())
}

fn row(offender: &Offender) -> String {
    let cells = [
        cell(&offender.client),
        cell(offender.name.as_deref().unwrap_or_default()),
        minute(offender.first),
        minute(offender.last),
        thousands(offender.messages),
        thousands(offender.recipients_accepted),
        thousands(offender.recipients_denied),
        size(offender.bytes),
        rows::names(&offender.rules).join(", "),
        offender.severity.as_str().to_owned(),
    ];
    let located = offender.located.iter().flat_map(|found| {
        let asn = found.asn.map(|asn| format!("AS{asn} ")).unwrap_or_default();
        let network = format!("{asn}{}", found.as_name.as_deref().unwrap_or_default());
        [found.country.clone().unwrap_or_default(), cell(network.trim_end())]
    });
    let cells: Vec<String> = cells.into_iter().chain(located).collect();
    format!("| {} |", cells.join(" | "))
}

/// Who blocks the server, since when, and where to ask for removal.
fn listings(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.blocklistings.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## Who blocks you\n\n| List | About | Address | Since (UTC) | Until (UTC) | Replies | Receivers | Went before | Removal |\n\
         | --- | --- | --- | --- | --- | ---: | --- | --- | --- |"
    )?;
    for row in report.blocklistings.iter().take(ROWS) {
        let before = row.preceded_by.as_ref().map(|by| format!("{} {}", by.rule.as_str(), cell(&by.subject.value)));
        let cells = [
            cell(&row.list),
            row.about.as_str().to_owned(),
            cell(row.address.as_deref().unwrap_or_default()),
            minute(row.first),
            minute(row.last),
            thousands(row.replies),
            cell(&row.receivers.join(", ")),
            before.unwrap_or_default(),
            row.delist.unwrap_or_default().to_owned(),
        ];
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    more(out, report.blocklistings.len())
}

fn campaigns(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let row = |row: &CampaignRow| format!("[{}] {}: {}", row.severity.as_str(), row.name, phrases::campaign(row));
    let texts: Vec<String> = report.campaigns.iter().take(ROWS).map(row).collect();
    list(out, "What belongs together", "-", &texts)?;
    more(out, report.campaigns.len())
}

/// Every finding that is more than noise, with its proof.
fn findings(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let loud: Vec<_> = report.findings.iter().filter(|finding| !phrases::is_noise(finding)).collect();
    if !report.findings.is_empty() {
        writeln!(out, "\n## Findings")?;
    }
    for finding in loud.iter().take(ROWS) {
        let place = finding.subject.located.as_ref().map(LocatedRow::short).filter(|place| !place.is_empty());
        let place = place.map(|place| format!(", {}", code(&place))).unwrap_or_default();
        let subject = format!("{}{place}", code(&finding.subject.value));
        writeln!(out, "\n### {}: {subject} ({})\n", finding.rule.as_str(), finding.severity.as_str())?;
        finding.why.iter().try_for_each(|why| writeln!(out, "- {}", prose(why)))?;
        lines(out, &finding.evidence)?;
    }
    more(out, loud.len())?;
    match report.findings.len() - loud.len() {
        0 => Ok(()),
        quiet => {
            writeln!(out, "\n{} about background noise: nothing to do.", count(quiet as u64, "finding", "findings"))
        }
    }
}

fn totals(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## All mail\n\n| Recipients | What they were | Verdict |\n| ---: | --- | --- |")?;
    let mut parts: Vec<(&str, u64)> = report.totals.by_verdict.iter().map(|(name, number)| (*name, *number)).collect();
    parts.sort_by_key(|(name, number)| (Reverse(*number), *name));
    parts.iter().try_for_each(|(name, number)| {
        writeln!(out, "| {} | {} | {name} |", thousands(*number), phrases::verdict(name))
    })
}

fn site(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## What was taken to be ours\n\n| Kind | Value | Origin | Why |\n| --- | --- | --- | --- |")?;
    let site = &report.site;
    for (kind, entries) in [
        ("domain", &site.local_domains),
        ("trusted network", &site.trusted_networks),
        ("server name", &site.server_names),
        ("server address", &site.server_addresses),
    ] {
        for entry in entries.iter().take(ROWS) {
            let SiteRow { value, origin, why, .. } = entry;
            writeln!(out, "| {kind} | {} | {} | {} |", cell(value), prose(origin), prose(why))?;
        }
        if ROWS < entries.len() {
            writeln!(out, "| {kind} | and {} more | | |", thousands((entries.len() - ROWS) as u64))?;
        }
    }
    Ok(())
}

fn coverage(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let coverage = &report.coverage;
    writeln!(out, "\n## What was read\n\nFrom {} to {}.\n", time(coverage.first), time(coverage.last))?;
    writeln!(out, "| File | Format | Lines | About mail | About the log | Other | Not understood |")?;
    writeln!(out, "| --- | --- | ---: | ---: | ---: | ---: | ---: |")?;
    for input in coverage.inputs.iter().take(ROWS) {
        let figures = [input.lines, input.records, input.directives, input.ignored, input.unparsed].map(thousands);
        writeln!(out, "| {} | {} | {} |", cell(&input.path), cell(&input.format), figures.join(" | "))?;
    }
    more(out, coverage.inputs.len())?;
    let assumed = coverage.assumptions.iter().map(|assumption| format!("Assumed: {assumption}.")).collect();
    let databases = phrases::databases(coverage).into_iter().collect();
    let notes = [assumed, databases, phrases::gaps(&coverage.gaps), phrases::problems(&coverage.inputs)].concat();
    if !notes.is_empty() {
        writeln!(out)?;
    }
    notes.iter().take(ROWS).try_for_each(|note| writeln!(out, "- {}", prose(note)))?;
    more(out, notes.len())?;
    writeln!(out, "\nMade by relayaudit {}.", prose(&report.tool.version))
}

/// Says what was left out.
fn more(out: &mut dyn Write, all: usize) -> io::Result<()> {
    match all.saturating_sub(ROWS) {
        0 => Ok(()),
        rest => writeln!(out, "\nand {} more (use `--format json` or `--tables DIR`)\n", thousands(rest as u64)),
    }
}
