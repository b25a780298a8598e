//! The parts of the page below the answer.

use super::grid::{self, Kind, Lines, one};
use super::page::{Page, Style, cut, cut_start};
use super::quote;
use crate::judge::words::{count, thousands};
use crate::judge::{Rule, Severity, about};
use crate::report::escape::terminal;
use crate::report::figures::{minute, percent, size, size_of, time};
use crate::report::model::{AccountRow, FindingRow, InputRow, Line, LocatedRow, Offender, Report, ServerRow, SiteRow};
use crate::report::{handovers, phrases, rows};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

/// Rows of a table.
const ROWS: usize = 20;
/// Rows of a list of less weight.
const FEW: usize = 10;
/// Columns from which tables are laid out side by side.
const WIDE: usize = 150;
/// Columns of a name; an address of IPv6 has 39.
const NAME: usize = 40;

/// The addresses that abused the server; those that tried and were refused are counted below.
pub fn offenders(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let (bad, mild): (Vec<&Offender>, Vec<&Offender>) =
        report.offenders.iter().partition(|offender| Severity::Medium <= offender.severity);
    if !bad.is_empty() {
        page.heading("Who did it (relayed and refused: recipients)")?;
        let wide = WIDE <= page.width;
        let rows: Vec<Vec<Lines>> = bad.iter().take(ROWS).map(|offender| row(offender, page.width)).collect();
        let mut columns = if wide { APART.to_vec() } else { STACKED.to_vec() };
        if !report.coverage.databases.is_empty() {
            let head = if wide { (1, "Name\nnetwork") } else { (0, "Address\nname\nnetwork") };
            columns[head.0].0 = head.1;
        }
        grid::write(page, &columns, &rows)?;
        more(page, bad.len(), ROWS)?;
    }
    doubtful(report, &mild, page)
}

/// Mail that was passed on for clients, or to domains, that may well be ours: sentences, not an accusation.
fn doubtful(report: &Report, mild: &[&Offender], page: &mut Page<'_>) -> io::Result<()> {
    let relayed: Vec<&&Offender> = mild.iter().filter(|offender| 0 < offender.recipients_accepted).collect();
    let domains: Vec<&FindingRow> = report.findings.iter().filter(|finding| is_doubted(finding)).collect();
    if relayed.is_empty() && domains.is_empty() {
        return Ok(());
    }
    page.heading("Passed on, but perhaps yours")?;
    if !relayed.is_empty() {
        page.text(Style::Plain, "  ", &own_hosts(&relayed))?;
    }
    domains.iter().take(FEW).try_for_each(|finding| page.text(Style::Plain, "  ", &finding.why.join(" ")))?;
    more(page, domains.len(), FEW)
}

/// Whether a finding is about a domain that may be ours.
fn is_doubted(finding: &FindingRow) -> bool {
    finding.rule == Rule::OpenRelay && finding.subject.kind == "domain"
}

/// The clients that look like hosts of ours.
fn own_hosts(relayed: &[&&Offender]) -> String {
    let recipients = relayed.iter().map(|offender| offender.recipients_accepted).fold(0, u64::saturating_add);
    let names: Vec<String> = relayed.iter().take(FEW).map(|offender| terminal(&offender.client).into_owned()).collect();
    let rest = if FEW < relayed.len() { ", ..." } else { "" };
    format!(
        "{} had {} passed on that look like mail of your own. State them with --trusted-net; if they are not yours, treat \
         them like the others: {}{rest}.",
        count(relayed.len() as u64, "address", "addresses"),
        count(recipients, "recipient", "recipients"),
        names.join(", "),
    )
}

/// The columns of offenders, two values in each.
const STACKED: [(&str, Kind); 5] = [
    ("Address\nname", Kind::Text(15)),
    ("First seen (UTC)\nlast seen", Kind::Whole),
    ("Mails\nsize", Kind::Figure),
    ("Relayed\nrefused", Kind::Figure),
    ("Severity\nrules", Kind::Text(12)),
];

/// The columns of offenders on a wide terminal.
const APART: [(&str, Kind); 10] = [
    ("Address", Kind::Text(15)),
    ("Name", Kind::Text(12)),
    ("First seen (UTC)", Kind::Whole),
    ("Last seen (UTC)", Kind::Whole),
    ("Mails", Kind::Figure),
    ("Size", Kind::Figure),
    ("Relayed", Kind::Figure),
    ("Refused", Kind::Figure),
    ("Severity", Kind::Whole),
    ("Rules", Kind::Text(12)),
];

fn row(offender: &Offender, width: usize) -> Vec<Lines> {
    let room = if width < 100 { 26 } else { NAME };
    let client = cut(&terminal(&offender.client), NAME);
    let name = offender.name.as_deref().map(|name| cut_start(&terminal(name), room));
    let place = offender.located.as_ref().map(LocatedRow::short).filter(|place| !place.is_empty());
    let place = place.map(|place| cut(&terminal(&place), room));
    let (first, last) = (minute(offender.first), minute(offender.last));
    let (mails, bytes) = (thousands(offender.messages), size_of(offender.messages, offender.bytes));
    let (relayed, refused) = (thousands(offender.recipients_accepted), thousands(offender.recipients_denied));
    let severity = offender.severity.as_str().to_owned();
    let rules = rows::names(&offender.rules);
    if WIDE <= width {
        let name = std::iter::once(name.unwrap_or_else(|| "-".to_owned())).chain(place).collect();
        let mut cells: Vec<Lines> = vec![one(client), name];
        cells.extend([first, last, mails, bytes, relayed, refused, severity, rules.join(", ")].into_iter().map(one));
        return cells;
    }
    let judged = std::iter::once(severity).chain(rules).collect();
    let address = std::iter::once(client).chain(name).chain(place).collect();
    vec![address, vec![first, last], vec![mails, bytes], vec![relayed, refused], judged]
}

/// The servers, if there are several.
pub fn servers(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.servers.len() < 2 {
        return Ok(());
    }
    page.heading("Server by server")?;
    let columns = [
        ("Server", Kind::Text(12)),
        ("Verdict", Kind::Text(16)),
        ("Sure", Kind::Figure),
        ("Mails", Kind::Figure),
        ("Relayed", Kind::Figure),
    ];
    let mut servers: Vec<_> = report.servers.iter().collect();
    servers.sort_by_key(|row| (row.cause, Reverse(row.relayed_recipients)));
    let row = |row: &&ServerRow| {
        let server = if row.server.is_empty() { "(not named)" } else { &row.server };
        let verdict = phrases::cause(row.cause).to_owned();
        vec![
            one(server),
            one(verdict),
            one(percent(row.confidence)),
            one(thousands(row.messages)),
            one(thousands(row.relayed_recipients)),
        ]
    };
    grid::write(page, &columns, &servers.iter().take(ROWS).map(row).collect::<Vec<_>>())?;
    more(page, servers.len(), ROWS)?;
    let sentences = handovers::sentences(&report.handovers);
    sentences.iter().take(ROWS).try_for_each(|sentence| page.text(Style::Plain, "  ", sentence))?;
    more(page, sentences.len(), ROWS)
}

/// Campaigns and testers, a sentence or two each.
pub fn campaigns(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.campaigns.is_empty() {
        return Ok(());
    }
    page.heading("What belongs together")?;
    for row in report.campaigns.iter().take(FEW) {
        let text = format!("[{}] {}: {}", row.severity.as_str(), row.name, phrases::campaign(row));
        page.text(Style::Plain, "  - ", &text)?;
    }
    more(page, report.campaigns.len(), FEW)
}

/// Findings that are not in the table of offenders, by rule; harmless ones are only counted.
pub fn findings(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let mut loud = BTreeMap::<Rule, Vec<&FindingRow>>::new();
    let mut noise = BTreeMap::<Rule, Vec<&FindingRow>>::new();
    // Campaigns have a section of their own.
    for finding in report.findings.iter().filter(|finding| finding.rule != Rule::Campaign) {
        match phrases::is_noise(finding) {
            // A section of its own tells of them.
            _ if finding.rule == Rule::Blocklisted => {}
            true => noise.entry(finding.rule).or_default().push(finding),
            false if is_listed(finding) => {}
            false => loud.entry(finding.rule).or_default().push(finding),
        }
    }
    if loud.is_empty() && noise.is_empty() {
        return Ok(());
    }
    page.heading("Also seen")?;
    for (rule, findings) in &loud {
        let title = about(*rule).map_or("", |about| about.title);
        page.text(Style::Plain, "  ", &format!("{}: {title}", rule.as_str()))?;
        for finding in findings.iter().take(FEW) {
            // Whether users answered is half of what such a finding says.
            let sentences = if *rule == Rule::LookalikeDomain { 2 } else { 1 };
            let why: Vec<&str> = finding.why.iter().take(sentences).map(String::as_str).collect();
            let why = if why.is_empty() { finding.subject.value.clone() } else { why.join(" ") };
            page.text(Style::Plain, "    - ", &format!("[{}] {why}", finding.severity.as_str()))?;
        }
        more(page, findings.len(), FEW)?;
    }
    for (rule, findings) in noise {
        page.text(Style::Plain, "  - ", &format!("{}: nothing to do", phrases::noise(rule, &findings)))?;
    }
    Ok(())
}

/// Whether the table of offenders holds a finding.
fn is_listed(finding: &FindingRow) -> bool {
    finding.subject.kind == "client" && !finding.rule.is_inbound() && finding.rule != Rule::VolumeAnomaly
}

/// The accounts that sent most.
pub fn accounts(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.accounts.is_empty() {
        return Ok(());
    }
    page.heading("Accounts that sent most")?;
    let columns = [
        ("Account", Kind::Text(12)),
        ("First seen (UTC)\nlast seen", Kind::Whole),
        ("Mails\nsize", Kind::Figure),
        ("Recipients", Kind::Figure),
        ("Client\naddresses", Kind::Figure),
        ("Failed\nlog-ins", Kind::Figure),
    ];
    let row = |row: &AccountRow| {
        vec![
            one(cut(&terminal(&row.account), NAME)),
            vec![minute(row.first), minute(row.last)],
            vec![thousands(row.messages), size_of(row.messages, row.bytes)],
            one(thousands(row.recipients)),
            one(thousands(row.clients)),
            one(thousands(row.auth_failures)),
        ]
    };
    grid::write(page, &columns, &report.accounts.iter().take(FEW).map(row).collect::<Vec<_>>())?;
    more(page, report.accounts.len(), FEW)
}

/// All recipients, by what they were.
pub fn totals(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let totals = &report.totals;
    if totals.sessions == 0 && totals.messages == 0 && totals.recipients == 0 {
        return Ok(());
    }
    page.heading("All mail")?;
    let known = if totals.bytes == 0 { String::new() } else { format!(", {}", size(totals.bytes)) };
    let sums = format!(
        "{}, {}, {}{known}. The recipients were:",
        count(totals.sessions, "session", "sessions"),
        count(totals.messages, "message", "messages"),
        count(totals.recipients, "recipient", "recipients"),
    );
    page.text(Style::Plain, "  ", &sums)?;
    let mut parts: Vec<(&str, u64)> = totals.by_verdict.iter().map(|(name, number)| (*name, *number)).collect();
    parts.sort_by_key(|(name, number)| (*name != "relayed-unauthorised", Reverse(*number), *name));
    for (name, number) in parts {
        let lead = format!("  {:>12}  ", thousands(number));
        page.text(Style::Plain, &lead, &format!("{} ({name})", phrases::verdict(name)))?;
    }
    Ok(())
}

/// What was looked for in vain, and what else may explain the trouble.
pub fn not_seen(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if !report.verdict.not_seen.is_empty() {
        page.heading("Not seen, or not sure")?;
        page.bullets(report.verdict.not_seen.iter())?;
    }
    if !report.verdict.alternatives.is_empty() {
        page.heading("Other explanations")?;
    }
    let others = report.verdict.alternatives.iter();
    let others: Vec<String> = others.map(|other| phrases::alternative(other, &report.verdict.not_seen)).collect();
    page.bullets(others.iter())
}

/// What was taken to be ours, where it comes from, and how to correct it.
pub fn site(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let site = &report.site;
    page.heading("What was taken to be yours (if it is wrong, so may be the answer)")?;
    for (name, option, entries) in [
        ("Domains", "--local-domain", &site.local_domains),
        ("Trusted networks", "--trusted-net", &site.trusted_networks),
        ("Server names", "--server-name", &site.server_names),
        ("Server addresses", "--server-ip", &site.server_addresses),
    ] {
        page.text(Style::Plain, "  ", &format!("{name}: {}", entered(entries, option)))?;
    }
    page.text(Style::Plain, "  ", "To correct it, scan again with these options, or put them into relayaudit.toml.")
}

/// The entries of one kind, by origin.
fn entered(entries: &[SiteRow], option: &str) -> String {
    let mut by_origin = BTreeMap::<&str, Vec<&str>>::new();
    entries.iter().for_each(|entry| by_origin.entry(&entry.origin).or_default().push(&entry.value));
    let part = |(origin, values): (&str, Vec<&str>)| {
        let rest = values.len().saturating_sub(FEW);
        let rest = if 0 < rest { format!(" and {} more", thousands(rest as u64)) } else { String::new() };
        format!("{}{rest} ({origin})", values.iter().take(FEW).copied().collect::<Vec<_>>().join(", "))
    };
    match by_origin.is_empty() {
        true => format!("none known [{option}]"),
        false => format!("{} [{option}]", by_origin.into_iter().map(part).collect::<Vec<_>>().join("; ")),
    }
}

/// What was read, what was not understood, and what is missing.
pub fn coverage(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let inputs = &report.coverage.inputs;
    let sum = |part: fn(&InputRow) -> u64| inputs.iter().map(part).fold(0, u64::saturating_add);
    page.heading("What was read")?;
    let read = format!(
        "{}, {}, {}: {} about mail, {} about the log itself, {} about other things, {} not understood.",
        count(inputs.len() as u64, "file", "files"),
        count(sum(|input| input.lines), "line", "lines"),
        size(sum(|input| input.bytes)),
        thousands(sum(|input| input.records)),
        thousands(sum(|input| input.directives)),
        thousands(sum(|input| input.ignored)),
        thousands(sum(|input| input.unparsed))
    );
    page.text(Style::Plain, "  ", &read)?;
    if report.coverage.first.is_some() {
        let (first, last) = (time(report.coverage.first), time(report.coverage.last));
        page.text(Style::Plain, "  ", &format!("From {first} to {last}."))?;
    }
    for assumption in &report.coverage.assumptions {
        page.text(Style::Plain, "  ", &format!("Assumed: {assumption}."))?;
    }
    phrases::databases(&report.coverage).into_iter().try_for_each(|text| page.text(Style::Plain, "  ", &text))?;
    problems(report, page)?;
    for sample in report.unparsed_samples.iter().take(3) {
        page.text(Style::Plain, "  ", &format!("Not understood; expected {}", sample.reason))?;
        quote(&Line { path: sample.path.clone(), line: sample.line, text: sample.text.clone() }, page)?;
    }
    Ok(())
}

/// Gaps and faults of the files.
fn problems(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let coverage = &report.coverage;
    let all = [phrases::gaps(&coverage.gaps), phrases::problems(&coverage.inputs)].concat();
    for text in all.iter().take(ROWS) {
        page.text(Style::Doubt, "  ", text)?;
    }
    more(page, all.len(), ROWS)
}

/// Says what was left out.
pub(super) fn more(page: &mut Page<'_>, all: usize, shown: usize) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        rest => {
            let rest = thousands(rest as u64);
            page.text(Style::Plain, "  ", &format!("and {rest} more (use --format json or --tables DIR)"))
        }
    }
}
