//! A file for the textfile collector of node_exporter
//! (<https://github.com/prometheus/node_exporter#textfile-collector>), in Prometheus' text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use super::Failed;
use crate::ledger::Time;
use crate::sweep::Done;
use crate::sweep::findings::Known;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// How many findings have a series of their own: an attacker could make as many as he has addresses.
const SERIES: usize = 100;

/// Writes the file beside its place and moves it there, so that it is never read half written.
pub fn write(done: &Done, now: Time, path: &Path) -> Result<(), Failed> {
    let fail = |error: std::io::Error| format!("{}: cannot write: {error}", path.display());
    let mut partial = path.as_os_str().to_owned();
    // The collector reads what ends in `.prom`.
    partial.push(format!(".{}", std::process::id()));
    let write = std::fs::write(&partial, text(done, now)).and_then(|()| std::fs::rename(&partial, path));
    if write.is_err() {
        // It may not exist.
        let _ = std::fs::remove_file(&partial);
    }
    write.map_err(fail)
}

/// The metrics.
pub fn text(done: &Done, now: Time) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, rows: Vec<(String, String)>| {
        // Writing to a string cannot fail.
        let _ = write!(text, "# HELP relayaudit_{name} {help}\n# TYPE relayaudit_{name} gauge\n");
        for (labels, value) in rows {
            let _ = writeln!(text, "relayaudit_{name}{labels} {value}");
        }
    };
    let one = |value: u64| vec![(String::new(), value.to_string())];
    gauge("sweep_timestamp_seconds", "When the last sweep ran.", vec![(String::new(), seconds(now))]);
    gauge("sweep_lines", "New lines that the last sweep read.", one(done.learnt.lines));
    gauge("sweep_bytes", "Bytes that the last sweep read, unpacked.", one(done.learnt.text_bytes));
    gauge(
        "sweep_problems",
        "Logs and paths that the last sweep could not read.",
        one(done.learnt.problems.len() as u64),
    );
    gauge("state_bytes", "Bytes of the state file in use.", one(done.state_bytes));
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for finding in &done.open {
        *counts.entry((&finding.rule, finding.severity.as_str())).or_default() += 1;
    }
    let counted = counts
        .into_iter()
        .map(|((rule, severity), count)| (labels(&[("rule", rule), ("severity", severity)]), count.to_string()));
    gauge("findings", "Findings that are open, by rule and severity.", counted.collect());
    let each = done.open.iter().take(SERIES);
    let each = each.filter_map(|finding| Some((labels(&names(finding)), seconds(finding.last?))));
    gauge(
        "finding_last_seen_timestamp_seconds",
        "When an open finding was seen last, of the worst 100.",
        each.collect(),
    );
    text
}

fn names(finding: &Known) -> [(&'static str, &str); 5] {
    [
        ("rule", &finding.rule),
        ("severity", finding.severity.as_str()),
        ("kind", &finding.kind),
        ("subject", &finding.subject),
        ("server", &finding.server),
    ]
}

fn labels(labels: &[(&str, &str)]) -> String {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    format!("{{{}}}", labels.join(","))
}

/// A backslash, a quote and a line feed are the only characters that a value must not hold as they are.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(time: Time) -> String {
    time.0.div_euclid(1_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_cannot_break_out() {
        let check = |value: &str, want: &str| assert_eq!(labels(&[("subject", value)]), want);
        check("192.0.2.1", "{subject=\"192.0.2.1\"}");
        check("a\"} 1\nevil 2", "{subject=\"a\\\"} 1\\nevil 2\"}");
        check("\\", "{subject=\"\\\\\"}");
    }
}
