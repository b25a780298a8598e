//! The report's fixed words: what the names of the contract mean, for people who never read it.

use super::figures::{between, percent, time};
use super::model::{
    Alternative, BlocklistingRow, CampaignRow, Coverage, FindingRow, Gap, InputRow, Report, VerdictRow,
};
use crate::judge::words::{count, duration, list, quoted, server, still, thousands};
use crate::judge::{Cause, Rule, Severity, about, blocklisting_title};
use crate::ledger::Time;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The headline with its answer in front: `YES` from `Yes: ...`, and what follows.
pub fn answer(headline: &str) -> (String, &str) {
    let short = |lead: &str| lead.len() <= 40 && lead.chars().all(|c| c.is_ascii_alphabetic() || " ,".contains(c));
    match headline.split_once(": ") {
        Some((lead, rest)) if short(lead) => (lead.to_ascii_uppercase(), rest),
        _ => (String::new(), headline),
    }
}

/// How sure a verdict is, in words and percent; `None` for one that says only that nothing can be told.
pub fn sureness(verdict: &VerdictRow) -> Option<String> {
    let confidence = verdict.confidence;
    let told = verdict.cause != Cause::InsufficientEvidence;
    told.then(|| format!("{} ({})", degree(confidence), percent(confidence)))
}

fn degree(confidence: f64) -> &'static str {
    match confidence {
        c if 0.9 <= c => "nearly certain",
        c if 0.7 <= c => "likely",
        c if 0.5 <= c => "more likely than not",
        _ => "uncertain",
    }
}

/// What a cause means.
pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::OpenRelay => "open relay: strangers send mail through the server",
        Cause::CompromisedAccount => "a stolen password: somebody sends as one of your users",
        Cause::AbusedTrustedHost => "a trusted host that sends spam (infected PC, web form)",
        Cause::AbusedLocalScript => "a program on the server that sends spam (web script, cron)",
        Cause::Backscatter => "bounces: the server answers forged mail",
        Cause::ProbesOnly => "relaying was tried and refused",
        Cause::InboundOnly => "spam came in, none went out",
        Cause::Clean => "no abuse seen",
        Cause::InsufficientEvidence => "the logs do not show enough to tell",
    }
}

/// What a verdict on recipients means.
pub fn verdict(name: &str) -> &'static str {
    match name {
        "relayed-unauthorised" => "passed on for outsiders without log-in",
        "relay-denied" => "relaying refused",
        "inbound" => "from outside to you",
        "internal" => "within your site",
        "outbound-network" => "sent out by trusted hosts",
        "outbound-account" => "sent out by users who logged in",
        "local-origin" => "handed in on the server itself",
        "forwarded" => "forwarded for your users (alias, list)",
        "system" => "notices and bounces written by the server",
        "rejected" => "refused for other reasons",
        _ => "the logs do not tell",
    }
}

/// Another explanation in one sentence or more, without what the report says elsewhere.
pub fn alternative(other: &Alternative, said: &[String]) -> String {
    let why: Vec<&str> = other.why.iter().filter(|why| !said.contains(why)).map(String::as_str).collect();
    let why = if why.is_empty() { String::new() } else { format!(" {}", why.join(" ")) };
    format!("{}: {}.{why}", percent(other.confidence), cause(other.cause))
}

/// The faults of the files, the same fault of many files in one line.
pub fn problems(inputs: &[InputRow]) -> Vec<String> {
    let mut files = BTreeMap::<&str, Vec<&str>>::new();
    for input in inputs {
        input.problems.iter().for_each(|problem| files.entry(problem).or_default().push(&input.path));
    }
    let line = |(problem, paths): (&str, Vec<&str>)| {
        let more = paths.len().saturating_sub(1) as u64;
        let more = if more == 0 { String::new() } else { format!(" (and {})", count(more, "more file", "more files")) };
        format!("Problem: {}{more}: {problem}", paths.first().copied().unwrap_or_default())
    };
    files.into_iter().map(line).collect()
}

/// Whose word it is where clients are.
pub fn databases(coverage: &Coverage) -> Option<String> {
    (!coverage.databases.is_empty()).then(|| {
        format!(
            "Countries and networks of addresses are those of {}. Addresses change hands: at the time of the logs they may have been \
             others'.",
            list(&coverage.databases)
        )
    })
}

/// What is missing from the logs: a line for each kind, on the gap with the most lines or recipients.
pub fn gaps(gaps: &[Gap]) -> Vec<String> {
    let mut kinds = BTreeMap::<(usize, &str), Vec<&Gap>>::new();
    for gap in gaps {
        let order = KINDS.iter().position(|kind| *kind == gap.kind).unwrap_or(KINDS.len());
        kinds.entry((order, gap.kind)).or_default().push(gap);
    }
    let mut advised = BTreeSet::<String>::new();
    let line = |gaps: Vec<&Gap>| {
        // Of equals the first, which is the earliest of the first server.
        let most = gaps.iter().rev().max_by_key(|gap| (gap.lines_lost, gap.recipients))?;
        let more = gaps.len().saturating_sub(1) as u64;
        let more = if more == 0 { String::new() } else { format!(" (And {} like it.)", thousands(more)) };
        let advice = if advised.insert(most.advice.clone()) { most.advice.as_str() } else { "The same would show it." };
        Some(format!("Missing: {}{more} {advice}", most.what))
    };
    kinds.into_values().filter_map(line).collect()
}

/// The kinds of gap, in the order in which they are told.
const KINDS: [&str; 6] = ["lost-lines", "silence", "no-arrivals", "no-deliveries", "no-sessions", "no-accounts"];

/// Until when the abuse was seen, and how it ends.
pub fn until(report: &Report) -> String {
    let verdict = &report.verdict;
    let last = time(verdict.last);
    if !verdict.ending.is_empty() {
        return format!("{last}. {}", verdict.ending);
    }
    let quiet = between(verdict.last, report.coverage.last).filter(|_| !goes_on(report));
    match quiet {
        Some(quiet) => format!("{last}. The logs go on for {quiet} without it."),
        None => match verdict.last.zip(report.coverage.last) {
            Some((last_seen, end)) if goes_on(report) => format!("{last}. {}", still(last_seen, end, "going on")),
            _ => last,
        },
    }
}

/// Whether it was seen in the last hour of the logs.
fn goes_on(report: &Report) -> bool {
    report
        .verdict
        .last
        .zip(report.coverage.last)
        .is_some_and(|(last, end)| end.0.saturating_sub(last.0) < 3_600_000_000)
}

/// A listing: which list says what of which address.
pub fn listing(row: &BlocklistingRow) -> String {
    let whom = match (row.address.as_deref(), row.server.is_empty()) {
        (Some(address), true) => address.to_owned(),
        (Some(address), false) => format!("{address} ({})", quoted(&row.server)),
        (None, _) => server(&row.server),
    };
    let title = blocklisting_title(&row.list, row.about);
    format!("{title}: {whom}, since {}, last at {}", time(row.first), time(row.last))
}

/// How often a listing was named, and by whom.
pub fn listing_figures(row: &BlocklistingRow) -> String {
    let named: Vec<String> = row.receivers.iter().map(|receiver| quoted(receiver)).collect();
    let rest = row.receivers_total.saturating_sub(named.len() as u64);
    let rest = if 0 < rest { format!(" and {} more", thousands(rest)) } else { String::new() };
    let by = if named.is_empty() { String::new() } else { format!(" of {}{rest}", list(&named)) };
    format!(
        "{} ({} put off, {} refused){by}.",
        count(row.replies, "reply", "replies"),
        thousands(row.deferred),
        thousands(row.bounced)
    )
}

/// Which abuse went before a listing.
pub fn listing_cause(row: &BlocklistingRow) -> Option<String> {
    let (by, how) = match (&row.preceded_by, &row.precedes) {
        (Some(by), _) => (by, "before the first such reply"),
        (None, after) => (after.as_ref()?, "after the first such reply: there must have been a reason before"),
    };
    let (from, to) = (Time(0), Time(i64::try_from(by.minutes).unwrap_or(0).saturating_mul(60_000_000)));
    let subject = format!("{} {}", by.subject.kind, quoted(&by.subject.value));
    Some(format!("The mail of {subject} ({}) began {} {how}.", by.rule.as_str(), duration(from, to)))
}

/// Where to ask for removal.
pub fn off(row: &BlocklistingRow) -> Option<String> {
    row.delist.map(|place| format!("To get off, when the cause is gone: {place}"))
}

/// Whether nothing is certain but mail that was passed on, and is relaying unless its senders or domain are ours.
pub fn is_doubted(report: &Report) -> bool {
    let good = matches!(report.verdict.cause, Cause::ProbesOnly | Cause::InboundOnly | Cause::Clean);
    good && report.findings.iter().any(|finding| finding.rule == Rule::OpenRelay)
}

/// Whether a verdict names abuse of the server, which began and ended at some time.
pub fn is_abuse(cause: Cause) -> bool {
    !matches!(cause, Cause::Clean | Cause::InsufficientEvidence)
}

/// A campaign in a sentence or two, with some of its addresses.
pub fn campaign(row: &CampaignRow) -> String {
    const NAMED: usize = 5;
    let why: Vec<&str> = row.why.iter().take(2).map(String::as_str).collect();
    let named: Vec<String> = row.addresses.iter().take(NAMED).map(|address| quoted(address)).collect();
    let rest = row.addresses.len().saturating_sub(NAMED) as u64;
    let rest = if 0 < rest { format!(" and {} more", thousands(rest)) } else { String::new() };
    format!("{} Addresses: {}{rest}.", why.join(" "), named.join(", "))
}

/// Whether a finding is harmless and frequent, and so is only counted.
pub fn is_noise(finding: &FindingRow) -> bool {
    let about_ours = matches!(finding.rule, Rule::LookalikeDomain | Rule::BackscatterVictim | Rule::NullSenderAbuse);
    let told = matches!(finding.rule, Rule::OpenRelay | Rule::RelayTrick | Rule::PolicyExposure | Rule::VolumeAnomaly)
        || about_ours && finding.severity == Severity::Low;
    finding.severity <= Severity::Low && !told
}

/// One line for the harmless findings of one rule.
pub fn noise(rule: Rule, findings: &[&FindingRow]) -> String {
    let subjects = attempts(findings);
    let all: u64 = subjects.iter().map(|(_, attempts)| attempts).fold(0, |sum, attempts| sum.saturating_add(*attempts));
    let from = match subjects.as_slice() {
        [(only, _)] => quoted(only),
        _ => count(subjects.len() as u64, "address", "addresses"),
    };
    match rule {
        Rule::RelayProbe => {
            let most = subjects
                .iter()
                .take(NAMED)
                .map(|(name, attempts)| format!("{} ({})", quoted(name), thousands(*attempts)));
            let most = list(&most.collect::<Vec<_>>());
            let most = if subjects.len() < 2 { String::new() } else { format!(", most from {most}") };
            format!("{} from {from}{most}", count(all, "refused relay attempt", "refused relay attempts"))
        }
        Rule::SpoofedLocalSender => {
            format!("{} from {from} in the name of your domains", count(all, "recipient", "recipients"))
        }
        Rule::HeloImpersonation => format!("{from} greeted with your server's name"),
        _ => {
            let title = about(rule).map_or(rule.as_str(), |about| about.title);
            let rest = subjects.len().saturating_sub(NAMED) as u64;
            let rest = if 0 < rest { format!(" and {} more", thousands(rest)) } else { String::new() };
            let named = subjects
                .iter()
                .take(NAMED)
                .map(|(name, attempts)| format!("{}: {}", quoted(name), thousands(*attempts)));
            format!("{title} ({}{rest})", named.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Subjects of harmless findings to name at most.
const NAMED: usize = 3;

/// The subjects of findings with their attempts, most first.
fn attempts<'a>(findings: &[&'a FindingRow]) -> Vec<(&'a str, u64)> {
    let mut sums = BTreeMap::<&str, u64>::new();
    for finding in findings {
        let sum = sums.entry(&finding.subject.value).or_default();
        *sum = sum.saturating_add(finding.attempts);
    }
    let mut most: Vec<(&str, u64)> = sums.into_iter().collect();
    most.sort_by_key(|(name, attempts)| (Reverse(*attempts), *name));
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        for (headline, lead, rest) in [
            ("Yes: 3 outside addresses relayed.", "YES", "3 outside addresses relayed."),
            ("Yes, unless they are yours: 3.", "YES, UNLESS THEY ARE YOURS", "3."),
            ("[2001:db8::1]: x", "", "[2001:db8::1]: x"),
            ("Nothing", "", "Nothing"),
        ] {
            assert_eq!(answer(headline), (lead.to_owned(), rest));
        }
    }

    #[test]
    fn sureness_cases() {
        let words: Vec<&str> = [0.95, 0.75, 0.5, 0.3].into_iter().map(degree).collect();
        assert_eq!(words, ["nearly certain", "likely", "more likely than not", "uncertain"]);
    }
}
