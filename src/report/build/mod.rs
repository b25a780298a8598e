//! Makes the report of a finished ledger, its site and its analysis.

mod accounts;
mod blocklistings;
mod campaigns;
mod coverage;
mod offenders;

use super::model::{
    Alternative, FindingRow, HourRow, Line, QueuedRow, Report, SCHEMA, ServerRow, SiteRow, SiteTable, SubjectRow, Tool,
    TotalsRow, VerdictRow,
};
use crate::judge::{Analysis, Directory, Finding, ServerVerdict, Subject, Verdict};
use crate::ledger::{Evidence, Ledger, Time};
use crate::site::{Entry, Site};

/// What the report should know of the run besides its results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// The program's version.
    pub version: String,
    /// What had to be assumed to read the times, one sentence each, without a full stop.
    pub assumptions: Vec<String>,
}

impl Report {
    /// Makes the report. The site must be the one that the ledger was judged by.
    pub fn build(ledger: &Ledger, site: &Site, analysis: &Analysis, run: &Run) -> Report {
        let directory = analysis.directory.as_ref();
        let findings: Vec<FindingRow> =
            analysis.findings.iter().map(|finding| row(ledger, finding, directory)).collect();
        let timeline = analysis
            .timeline
            .iter()
            .map(|(hour, by_verdict)| HourRow { hour: Some(start_of(*hour)), by_verdict: by_verdict.clone() });
        Report {
            schema: SCHEMA,
            tool: Tool { name: "relayaudit", version: run.version.clone() },
            coverage: coverage::coverage(ledger, analysis, run),
            site: site_table(ledger, site),
            verdict: verdict(ledger, &analysis.verdict),
            servers: analysis.servers.iter().map(server).collect(),
            totals: totals(analysis),
            offenders: offenders::offenders(ledger, &findings),
            accounts: accounts::accounts(ledger, &findings),
            findings,
            timeline: timeline.collect(),
            blocklistings: analysis
                .blocklistings
                .iter()
                .map(|row| blocklistings::row(ledger, row, directory))
                .collect(),
            campaigns: analysis.campaigns.iter().map(|campaign| campaigns::row(ledger, campaign)).collect(),
            unparsed_samples: coverage::unparsed_samples(ledger),
            handovers: analysis.handovers.iter().map(Into::into).collect(),
        }
    }
}

/// When an hour (of [`Time::hour`]) began.
fn start_of(hour: i32) -> Time {
    Time(i64::from(hour) * 3_600_000_000)
}

/// A line, with the path of its file.
fn line(ledger: &Ledger, evidence: &Evidence) -> Line {
    let path = ledger.inputs.get(&evidence.place.file).map_or("", |input| input.path.as_ref());
    Line { path: path.to_owned(), line: evidence.place.number(), text: evidence.text.to_string() }
}

fn lines(ledger: &Ledger, evidence: &[Evidence]) -> Vec<Line> {
    evidence.iter().map(|evidence| line(ledger, evidence)).collect()
}

/// Whom a finding concerns; a client with where it is, if there was a database to ask.
fn subject(subject: &Subject, directory: Option<&Directory>) -> SubjectRow {
    let found = directory.and_then(|directory| directory.clients.get(&subject.value));
    let found = found.filter(|_| subject.kind == "client");
    SubjectRow { kind: subject.kind, value: subject.value.to_string(), located: found.map(Into::into) }
}

fn row(ledger: &Ledger, finding: &Finding, directory: Option<&Directory>) -> FindingRow {
    FindingRow {
        rule: finding.rule,
        severity: finding.severity,
        confidence: finding.confidence,
        subject: subject(&finding.subject, directory),
        first: finding.span.first,
        last: finding.span.last,
        sessions: finding.sessions,
        messages: finding.messages,
        attempts: finding.attempts,
        recipients_accepted: finding.recipients_accepted,
        recipients_denied: finding.recipients_denied,
        recipients_delivered: finding.recipients_delivered,
        recipients_deferred: finding.recipients_deferred,
        recipients_bounced: finding.recipients_bounced,
        bytes: finding.bytes,
        why: finding.why.clone(),
        evidence: lines(ledger, &finding.evidence),
        remedy: finding.remedy.clone(),
        server: finding.server.to_string(),
        last_entered: finding.queue.as_ref().and_then(|queue| queue.last_entered),
        last_attempt: finding.queue.as_ref().and_then(|queue| queue.last_attempt),
        queued: finding.queue.as_ref().map(|queue| QueuedRow {
            recipients: queue.recipients,
            ids: queue.ids.clone(),
            unseen: queue.unseen,
        }),
    }
}

fn verdict(ledger: &Ledger, verdict: &Verdict) -> VerdictRow {
    let alternatives = verdict.alternatives.iter().map(|(cause, confidence, why)| Alternative {
        cause: *cause,
        confidence: *confidence,
        why: why.clone(),
    });
    VerdictRow {
        cause: verdict.cause,
        confidence: verdict.confidence,
        headline: verdict.headline.clone(),
        first: verdict.span.first,
        last: verdict.span.last,
        why: verdict.why.clone(),
        not_seen: verdict.not_seen.clone(),
        next: verdict.next.clone(),
        alternatives: alternatives.collect(),
        evidence: lines(ledger, &verdict.evidence),
        ending: verdict.ending.clone(),
    }
}

fn server(server: &ServerVerdict) -> ServerRow {
    ServerRow {
        server: server.server.to_string(),
        cause: server.verdict.cause,
        confidence: server.verdict.confidence,
        first: server.span.first,
        last: server.span.last,
        messages: server.messages,
        relayed_recipients: server.relayed_recipients,
    }
}

fn totals(analysis: &Analysis) -> TotalsRow {
    TotalsRow {
        sessions: analysis.totals.sessions,
        messages: analysis.totals.messages,
        recipients: analysis.totals.recipients,
        bytes: analysis.totals.bytes,
        by_verdict: analysis.totals.by_verdict.clone(),
    }
}

fn site_table(ledger: &Ledger, site: &Site) -> SiteTable {
    SiteTable {
        local_domains: site.local_domains().map(|entry| site_row(ledger, entry)).collect(),
        trusted_networks: site.trusted_networks().map(|entry| site_row(ledger, entry)).collect(),
        server_names: site.server_names().map(|entry| site_row(ledger, entry)).collect(),
        server_addresses: site.server_addresses().map(|entry| site_row(ledger, entry)).collect(),
    }
}

fn site_row<T: ToString>(ledger: &Ledger, entry: &Entry<T>) -> SiteRow {
    SiteRow {
        value: entry.value.to_string(),
        origin: entry.origin.to_string(),
        evidence: entry.evidence.as_ref().map(|evidence| line(ledger, evidence)),
        why: entry.why.clone(),
    }
}
