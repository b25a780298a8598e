//! What a client writes stays what a client wrote: by it nobody is accused, and nobody is hidden without a word.

use super::common::samples;
use super::inject::{ADDRESS, DOMAIN, Sample};
use relayaudit::clock::{Clock, Zone};
use relayaudit::fold::{Chunk, Filter, Part};
use relayaudit::judge::{self, analysis::conclude};
use relayaudit::layout::Layout;
use relayaudit::ledger::FileId;
use relayaudit::report::{Report, Run};
use relayaudit::site::Site;
use relayaudit_parsers::Line;
use relayaudit_parsers::registry::{Context, FORMATS, Format};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Texts tried for each value of a log.
const TEXTS: usize = 24;

/// A whole log as one chunk.
pub fn chunk(format: &'static Format, text: &[u8]) -> Chunk {
    let first = text.split(|byte| *byte == b'\n').find_map(|line| {
        match (format.parse)(line.trim_ascii_end(), &Context::default()) {
            Line::Record(record) => Some(record.when),
            _ => None,
        }
    });
    Chunk {
        file: FileId(7),
        path: "a.log".into(),
        format,
        context: Context::default(),
        clock: Clock::new(Zone::Named(chrono_tz::UTC), first, Some(2026), "2026-12-01T00:00:00Z".parse().unwrap()),
        layout: Layout::default(),
        first_line: 1,
        torn: false,
        bytes: text.to_vec(),
    }
}

/// What is told of a log, as far as a client must not change it.
struct Told {
    /// Who and what is named as a fact: subjects, clients, accounts, servers, the site.
    names: Vec<String>,
    /// Names, counts and verdicts.
    facts: BTreeMap<&'static str, Value>,
    unparsed: u64,
}

fn told(format: &'static Format, text: &str) -> Told {
    let mut ledger = Part::of(&chunk(format, text.as_bytes()), &Filter::default()).finish(Default::default());
    let (site, analysis) = conclude(&mut ledger, &Site::default(), &judge::Options::default());
    let report = serde_json::to_value(Report::build(&ledger, &site, &analysis, &Run::default())).unwrap();
    let input = &report["coverage"]["inputs"][0];
    let number = |name: &str| input[name].as_u64().unwrap();
    let kinds = ["records", "directives", "ignored", "unparsed"];
    assert_eq!(number("lines"), kinds.iter().map(|kind| number(kind)).sum::<u64>(), "{input}");
    let pick = |list: &Value, fields: &[&str]| -> Value {
        let row = |row: &Value| fields.iter().map(|field| row[field].clone()).collect::<Value>();
        let mut rows: Vec<Value> = list.as_array().unwrap().iter().map(row).collect();
        rows.sort_by_key(Value::to_string);
        rows.into()
    };
    let mut names = BTreeSet::new();
    for (list, pointer) in
        [("findings", "/subject/value"), ("offenders", "/client"), ("accounts", "/account"), ("servers", "/server")]
    {
        let rows = report[list].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["subject"]["kind"] != "campaign");
        names.extend(rows.filter_map(|row| row.pointer(pointer)?.as_str()).map(str::to_lowercase));
    }
    for list in ["local_domains", "trusted_networks", "server_names", "server_addresses"] {
        names.extend(report["site"][list].as_array().unwrap().iter().map(|entry| entry["value"].to_string()));
    }
    let mut totals = report["totals"].clone();
    totals.as_object_mut().unwrap().remove("bytes");
    let facts = BTreeMap::from([
        ("names", json!(names)),
        ("totals", totals),
        ("cause", report["verdict"]["cause"].clone()),
        (
            "findings",
            pick(
                &report["findings"],
                &[
                    "rule",
                    "severity",
                    "sessions",
                    "messages",
                    "attempts",
                    "recipients_accepted",
                    "recipients_denied",
                    "recipients_delivered",
                    "recipients_deferred",
                    "recipients_bounced",
                ],
            ),
        ),
        (
            "offenders",
            pick(
                &report["offenders"],
                &["client", "sessions", "messages", "recipients_accepted", "recipients_denied", "rules", "severity"],
            ),
        ),
        ("accounts", pick(&report["accounts"], &["messages", "recipients", "clients", "auth_failures", "rules"])),
    ]);
    Told { names: names.into_iter().collect(), facts, unparsed: number("unparsed") }
}

/// Calls `test` with logs of every format, each with some text of a client replaced by forged lines: with the log, with what is in the text, and
/// with the log that has harmless text of the same length there.
fn each(is_path_safe: bool, mut test: impl FnMut(&Sample, &'static Format, &str, &str, &str)) {
    let mut seen = BTreeSet::new();
    for (name, format, text) in samples() {
        let sample = Sample::of(&name, format, &text);
        let texts = sample.forgeries();
        for (field, values) in &sample.values {
            for (number, value) in values.iter().enumerate().filter(|(number, _)| number % 7 == 0).take(2) {
                let step = (texts.len() / TEXTS).max(1);
                for text in texts.iter().skip(number % step).step_by(step) {
                    // What a path says of its route is its own doing, and a matter of `tests/judge`.
                    let text = if is_path_safe { text.replace(['@', '%', '!'], ".") } else { text.clone() };
                    let harmless: String = text.chars().map(|c| if c == '.' { '.' } else { 'x' }).collect();
                    let with = |text: &str| sample.with(*field, value, text);
                    let (Some(hostile), Some(harmless)) = (with(&text), with(&harmless)) else { continue };
                    seen.insert(format.name);
                    test(&sample, format, &hostile, &text, &harmless);
                }
            }
        }
    }
    // Formats that tell of log-ins only have no such text.
    let without: Vec<&str> = FORMATS.iter().map(|format| format.name).filter(|name| !seen.contains(name)).collect();
    assert_eq!(without, ["domino", "zimbra", "mailscanner", "logins", "nginx-mail"]);
}

#[test]
fn nobody_is_accused_by_what_a_client_writes() {
    let mut accused = BTreeMap::<String, String>::new();
    each(false, |sample, format, hostile, text, _| {
        let forged = |name: &String| name.contains(ADDRESS) || name.contains(DOMAIN);
        if let Some(name) = told(format, hostile).names.into_iter().find(forged) {
            accused.entry(sample.name.clone()).or_insert(format!("{name} by {text}"));
        }
    });
    assert!(accused.is_empty(), "{accused:#?}");
}

#[test]
fn what_a_client_writes_changes_nothing_or_is_said_not_to_be_understood() {
    let mut differ = BTreeMap::<String, String>::new();
    each(true, |sample, format, hostile, text, harmless| {
        let (got, want) = (told(format, hostile), told(format, harmless));
        if got.facts != want.facts && got.unparsed <= want.unparsed {
            let fact = got.facts.keys().find(|fact| got.facts[*fact] != want.facts[*fact]).unwrap();
            let what = format!("{fact} by {text}\n   {}\n   {}", got.facts[fact], want.facts[fact]);
            differ.entry(sample.name.clone()).or_insert(what);
        }
    });
    let all: Vec<String> = differ.iter().map(|(name, what)| format!("{name}: {what}")).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}
