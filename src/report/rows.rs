//! The report's tables as columns: what `--format csv` prints and `--tables` writes.
//!
//! Cells that hold several values join them with `; `. Times are RFC 3339 text in UTC.

use super::model::{BlocklistingRow, FindingRow, Report};
use crate::judge::{RouteVerdict, Rule, route};
use crate::ledger::{Ledger, Time, sorted};
use crate::site::Site;

/// The cells of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Text, raw; `None` where there is none.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Count(Vec<u64>),
    /// Confidences.
    Share(Vec<f64>),
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its cells, one for each row.
    pub cells: Cells,
}

/// A table: columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name: that of its file, without ending.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

impl Table {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| match &column.cells {
            Cells::Text(cells) => cells.len(),
            Cells::Count(cells) => cells.len(),
            Cells::Share(cells) => cells.len(),
        })
    }
}

/// The findings: one row each.
pub fn findings(report: &Report) -> Table {
    let make = Maker(&report.findings);
    let places = |row: &FindingRow| row.evidence.iter().map(|line| format!("{}:{}", line.path, line.line)).collect();
    let columns = vec![
        make.text("rule", |row| row.rule.as_str()),
        make.text("severity", |row| row.severity.as_str()),
        make.share("confidence", |row| row.confidence),
        make.text("subject_kind", |row| row.subject.kind),
        make.text("subject", |row| &row.subject.value),
        make.text("server", |row| &row.server),
        make.time("first", |row| row.first),
        make.time("last", |row| row.last),
        make.count("sessions", |row| row.sessions),
        make.count("messages", |row| row.messages),
        make.count("attempts", |row| row.attempts),
        make.count("recipients_accepted", |row| row.recipients_accepted),
        make.count("recipients_denied", |row| row.recipients_denied),
        make.count("recipients_delivered", |row| row.recipients_delivered),
        make.count("recipients_deferred", |row| row.recipients_deferred),
        make.count("recipients_bounced", |row| row.recipients_bounced),
        make.count("bytes", |row| row.bytes),
        make.optional("why", |row| Some(row.why.join(" "))),
        make.list("evidence", places),
        make.optional("evidence_text", |row| row.evidence.first().map(|line| line.text.clone())),
        make.time("last_entered", |row| row.last_entered),
        make.time("last_attempt", |row| row.last_attempt),
        make.count("queued_recipients", |row| row.queued.as_ref().map_or(0, |queued| queued.recipients)),
        make.list("queued_ids", |row| row.queued.iter().flat_map(|queued| queued.ids.clone()).collect()),
    ];
    Table { name: "findings", columns }
}

/// What other servers say of ours: one row for each list and address.
pub fn blocklistings(report: &Report) -> Table {
    let make = Maker(&report.blocklistings);
    let places =
        |row: &BlocklistingRow| row.evidence.iter().map(|line| format!("{}:{}", line.path, line.line)).collect();
    let columns = vec![
        make.text("list", |row| &row.list),
        make.text("about", |row| row.about.as_str()),
        make.text("server", |row| &row.server),
        make.optional("address", |row| row.address.clone()),
        make.list("receivers", |row| row.receivers.clone()),
        make.count("receivers_total", |row| row.receivers_total),
        make.time("first", |row| row.first),
        make.time("last", |row| row.last),
        make.count("replies", |row| row.replies),
        make.count("deferred", |row| row.deferred),
        make.count("bounced", |row| row.bounced),
        make.optional("preceded_by_rule", |row| row.preceded_by.as_ref().map(|by| by.rule.as_str().to_owned())),
        make.optional("preceded_by", |row| row.preceded_by.as_ref().map(|by| by.subject.value.clone())),
        make.optional("preceded_by_minutes", |row| row.preceded_by.as_ref().map(|by| by.minutes.to_string())),
        make.optional("delist", |row| row.delist.map(str::to_owned)),
        make.list("evidence", places),
    ];
    Table { name: "blocklistings", columns }
}

/// The offenders: one row for each client.
pub fn offenders(report: &Report) -> Table {
    let make = Maker(&report.offenders);
    let columns = vec![
        make.text("client", |row| &row.client),
        make.optional("name", |row| row.name.clone()),
        make.list("helo", |row| row.helo.clone()),
        make.time("first", |row| row.first),
        make.time("last", |row| row.last),
        make.count("sessions", |row| row.sessions),
        make.count("messages", |row| row.messages),
        make.count("recipients_accepted", |row| row.recipients_accepted),
        make.count("recipients_denied", |row| row.recipients_denied),
        make.count("bytes", |row| row.bytes),
        make.list("accounts", |row| row.accounts.clone()),
        make.list("rules", |row| names(&row.rules)),
        make.text("severity", |row| row.severity.as_str()),
    ];
    Table { name: "offenders", columns }
}

/// The accounts: one row each.
pub fn accounts(report: &Report) -> Table {
    let make = Maker(&report.accounts);
    let columns = vec![
        make.text("account", |row| &row.account),
        make.time("first", |row| row.first),
        make.time("last", |row| row.last),
        make.count("messages", |row| row.messages),
        make.count("recipients", |row| row.recipients),
        make.count("bytes", |row| row.bytes),
        make.count("clients", |row| row.clients),
        make.count("networks", |row| row.networks),
        make.count("auth_failures", |row| row.auth_failures),
        make.list("rules", |row| names(&row.rules)),
        make.optional("severity", |row| row.severity.map(|severity| severity.as_str().to_owned())),
    ];
    Table { name: "accounts", columns }
}

/// The campaigns: one row each.
pub fn campaigns(report: &Report) -> Table {
    let make = Maker(&report.campaigns);
    let columns = vec![
        make.text("name", |row| &row.name),
        make.list("helo", |row| row.helo.clone()),
        make.list("reverse_paths", |row| row.reverse_paths.clone()),
        make.count("clients", |row| row.clients),
        make.count("networks", |row| row.networks),
        make.list("addresses", |row| row.addresses.clone()),
        make.list("accounts", |row| row.accounts.clone()),
        make.list("servers", |row| row.servers.clone()),
        make.time("first", |row| row.first),
        make.time("last", |row| row.last),
        make.count("messages", |row| row.messages),
        make.count("recipients_accepted", |row| row.recipients_accepted),
        make.count("recipients_denied", |row| row.recipients_denied),
        make.count("auth_failures", |row| row.auth_failures),
        make.list("rules", |row| names(&row.rules)),
        make.text("severity", |row| row.severity.as_str()),
        make.optional("why", |row| Some(row.why.join(" "))),
    ];
    Table { name: "campaigns", columns }
}

/// The servers: one row each.
pub fn servers(report: &Report) -> Table {
    let make = Maker(&report.servers);
    let columns = vec![
        make.text("server", |row| &row.server),
        make.text("cause", |row| row.cause.as_str()),
        make.share("confidence", |row| row.confidence),
        make.time("first", |row| row.first),
        make.time("last", |row| row.last),
        make.count("messages", |row| row.messages),
        make.count("relayed_recipients", |row| row.relayed_recipients),
    ];
    Table { name: "servers", columns }
}

/// Recipients by hour and verdict: one row for each pair that occurs.
pub fn timeline(report: &Report) -> Table {
    let hours = report.timeline.iter();
    let pairs: Vec<(Option<Time>, &str, u64)> =
        hours.flat_map(|row| row.by_verdict.iter().map(|(verdict, number)| (row.hour, *verdict, *number))).collect();
    let make = Maker(&pairs);
    let columns =
        vec![make.time("hour", |row| row.0), make.text("verdict", |row| row.1), make.count("recipients", |row| row.2)];
    Table { name: "timeline", columns }
}

/// The files that were read: one row each.
pub fn coverage(report: &Report) -> Table {
    let make = Maker(&report.coverage.inputs);
    let columns = vec![
        make.text("path", |row| &row.path),
        make.text("format", |row| &row.format),
        make.count("bytes", |row| row.bytes),
        make.count("lines", |row| row.lines),
        make.count("records", |row| row.records),
        make.count("directives", |row| row.directives),
        make.count("ignored", |row| row.ignored),
        make.count("unparsed", |row| row.unparsed),
        make.time("first", |row| row.first),
        make.time("last", |row| row.last),
        make.list("problems", |row| row.problems.clone()),
    ];
    Table { name: "coverage", columns }
}

/// What is missing from the logs: one row for each gap.
pub fn gaps(report: &Report) -> Table {
    let make = Maker(&report.coverage.gaps);
    let columns = vec![
        make.text("server", |row| &row.server),
        make.text("kind", |row| row.kind),
        make.time("from", |row| row.from),
        make.time("to", |row| row.to),
        make.count("lines_lost", |row| row.lines_lost),
        make.count("recipients", |row| row.recipients),
        make.text("what", |row| &row.what),
        make.text("advice", |row| &row.advice),
    ];
    Table { name: "gaps", columns }
}

/// The flows of the ledger, with the verdict on each. Sums over all rows are exact, but for rows
/// without a verdict, which are a second view of recipients in other rows (our own client side).
pub fn flows(ledger: &Ledger, site: &Site) -> Table {
    let flows = sorted(&ledger.flows);
    let make = Maker(&flows);
    let text = |text: &Option<crate::ledger::Text>| text.as_ref().map(ToString::to_string);
    let columns = vec![
        make.text("server", |(key, _)| &key.server),
        make.optional("client", |(key, _)| Some(crate::judge::words::client(&key.client).to_string())),
        make.optional("account", |(key, _)| text(&key.account)),
        make.optional("reverse_domain", |(key, _)| text(&key.reverse_domain)),
        make.text("forward_domain", |(key, _)| &key.forward_domain),
        make.text("form", |(key, _)| key.form.as_str()),
        make.optional("hidden_domain", |(key, _)| text(&key.hidden_domain)),
        make.optional("final_domain", |(key, _)| text(&key.final_domain)),
        make.text("outcome", |(key, _)| key.outcome.as_str()),
        make.optional("verdict", |(key, _)| route(key, site).map(RouteVerdict::as_str).map(str::to_owned)),
        make.time("first", |(_, flow)| flow.span.first),
        make.time("last", |(_, flow)| flow.span.last),
        make.count("messages", |(_, flow)| flow.messages),
        make.count("recipients", |(_, flow)| flow.recipients),
        make.count("bytes", |(_, flow)| flow.bytes),
    ];
    Table { name: "flows", columns }
}

/// The names of rules.
pub fn names(rules: &[Rule]) -> Vec<String> {
    rules.iter().map(|rule| rule.as_str().to_owned()).collect()
}

/// Makes columns of rows.
pub(super) struct Maker<'a, T>(pub(super) &'a [T]);

impl<T> Maker<'_, T> {
    pub(super) fn text<'b>(&'b self, name: &'static str, cell: impl Fn(&'b T) -> &'b str) -> Column {
        let cells = self.0.iter().map(|row| Some(cell(row).to_owned())).collect();
        Column { name, cells: Cells::Text(cells) }
    }

    pub(super) fn optional(&self, name: &'static str, cell: impl Fn(&T) -> Option<String>) -> Column {
        Column { name, cells: Cells::Text(self.0.iter().map(cell).collect()) }
    }

    pub(super) fn list(&self, name: &'static str, cell: impl Fn(&T) -> Vec<String>) -> Column {
        self.optional(name, |row| Some(cell(row).join("; ")))
    }

    pub(super) fn time(&self, name: &'static str, cell: impl Fn(&T) -> Option<Time>) -> Column {
        self.optional(name, |row| cell(row).map(Time::rfc3339))
    }

    pub(super) fn count(&self, name: &'static str, cell: impl Fn(&T) -> u64) -> Column {
        Column { name, cells: Cells::Count(self.0.iter().map(cell).collect()) }
    }

    fn share(&self, name: &'static str, cell: impl Fn(&T) -> f64) -> Column {
        Column { name, cells: Cells::Share(self.0.iter().map(cell).collect()) }
    }
}
