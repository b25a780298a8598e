//! The Elastic Common Schema 8.17 (<https://www.elastic.co/guide/en/ecs/8.17/index.html>), one JSON object a line.
//!
//! What the schema has no field for stands below `relayaudit`, as it allows for custom fields.

use super::text::headline;
use crate::judge::Severity;
use crate::sweep::findings::{News, Why};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// The version of the schema.
const VERSION: &str = "8.17.0";

/// Writes news, one a line.
pub fn write(news: &[News], out: &mut dyn Write) -> io::Result<()> {
    news.iter().try_for_each(|news| writeln!(out, "{}", line(news)))
}

/// One piece of news as one line.
pub fn line(news: &News) -> String {
    let finding = &news.finding;
    let mut fields = json!({
        "@timestamp": news.at.rfc3339(),
        "message": format!("{}: {}", news.why.as_str(), headline(finding)),
        "ecs": {"version": VERSION},
        "event": {
            "kind": "alert",
            "category": ["email", "intrusion_detection"],
            "type": [if news.why == Why::Resolved { "end" } else { "info" }],
            "action": news.why.as_str(),
            "module": "relayaudit",
            "dataset": "relayaudit.finding",
            "severity": number(finding.severity),
            "start": finding.first.map(|time| time.rfc3339()),
            "end": finding.last.map(|time| time.rfc3339()),
            "reason": finding.why,
            "original": finding.evidence.as_ref().map(|proof| &proof.text),
        },
        "rule": {"name": finding.rule, "ruleset": "relayaudit"},
        "observer": {"product": "relayaudit", "version": env!("CARGO_PKG_VERSION")},
        "relayaudit": {
            "severity": finding.severity.as_str(),
            "subject": {"kind": finding.kind, "value": finding.subject},
            "over": finding.over,
            "messages": finding.messages,
            "attempts": finding.attempts,
            "recipients_accepted": finding.recipients_accepted,
            "recipients_denied": finding.recipients_denied,
            "line": finding.evidence.as_ref().map(|proof| proof.line),
        },
    });
    if let Some(fields) = fields.as_object_mut() {
        subject(news, fields);
        if let Some(proof) = &finding.evidence {
            fields.insert("log".into(), json!({"file": {"path": proof.path}}));
        }
    }
    without_nulls(&mut fields);
    fields.to_string()
}

/// Whom it is about, in the fields that the schema has for that.
fn subject(news: &News, fields: &mut Map<String, Value>) {
    let finding = &news.finding;
    if !finding.server.is_empty() {
        fields.insert("host".into(), json!({"name": finding.server}));
    }
    match finding.kind.as_str() {
        "client" => {
            let mut source = json!({"address": finding.subject});
            if let (Ok(address), Some(source)) = (finding.subject.parse::<std::net::IpAddr>(), source.as_object_mut()) {
                source.insert("ip".into(), address.to_string().into());
            }
            fields.insert("source".into(), source);
        }
        "account" | "user" => {
            fields.insert("user".into(), json!({"name": finding.subject}));
        }
        _ => {}
    }
}

/// `event.severity`, as 1 to 5.
fn number(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

/// A field that is not known is left out.
fn without_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, value| !value.is_null());
        fields.values_mut().for_each(without_nulls);
    }
}
