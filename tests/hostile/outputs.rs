//! Names that drive terminals, spreadsheets, browsers and drawing programs come out as text, in every medium.

use super::inject::{Field, Sample, cells};
use super::packed::run;
use relayaudit::report::escape;
use relayaudit_parsers::registry;
use serde_json::Value;
use std::path::Path;

/// What somebody may call himself.
const NAMES: [&str; 20] = [
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]8;;http://example.org\u{7}link\u{1b}]8;;\u{7}",
    "\u{7}\0\u{8}bell",
    "\u{9b}31mc1",
    "\u{202e}gpj.exe\u{2066}",
    "z\u{200b}w\u{feff}\u{ad}",
    "a\rb",
    "tab\tb",
    "a|b||c\\|d",
    "`tick``tick```",
    "![x](http://example.org)",
    "<script>alert(1)</script>&amp;",
    "=cmd|'/c calc'!A0",
    "@SUM(A1)",
    "+1+1",
    "-1",
    "\"quote\"",
    "a;b,c",
    "*_~#$\\",
    "line\u{2028}sep\u{85}x",
];

/// A log in which all names that others choose are one of [`NAMES`].
fn log(name: &str, number: usize) -> String {
    let time = format!("2027-01-18T06:{number:02}:00+00:00 mx1");
    let queue_id = format!("{:X}", 0x4f1a_0000 + number);
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    let client = format!("unknown[203.0.113.{number}]");
    [
        format!("connect from {client}"),
        format!(
            "NOQUEUE: reject: RCPT from {client}: 554 5.7.1 <\"{quoted}\"@example.net>: Relay access denied; from=<\"{quoted}\"@example.com> \
             to=<\"{quoted}\"@example.net> proto=ESMTP helo=<{name}>"
        ),
        format!("warning: {client}: SASL LOGIN authentication failed: {name}, sasl_username={name}"),
        format!("{queue_id}: client={client}, sasl_method=LOGIN, sasl_username={name}"),
        format!("{queue_id}: message-id=<{name}@example.org>"),
        format!("{queue_id}: from=<\"{quoted}\"@example.org>, size=900, nrcpt=1 (queue active)"),
        format!(
            "{queue_id}: to=<\"{quoted}\"@{number}.example.net>, relay=mx.example.net[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, \
             status=bounced (host mx.example.net[198.51.100.1] said: 554 5.7.1 {name} [192.0.2.25] blocked using bl.example.org; {name} (in \
             reply to RCPT TO command))"
        ),
        format!("{queue_id}: removed"),
        format!("what is {name}?"),
    ]
    .iter()
    .zip(["smtpd", "smtpd", "smtpd", "smtpd", "cleanup", "qmgr", "smtp", "qmgr", "smtpd"])
    .map(|(text, program)| format!("{time} postfix/{program}[7]: {text}\n"))
    .collect()
}

/// A folder with hostile logs of a line format and of JSON.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text: String = NAMES.iter().enumerate().map(|(number, name)| log(name, number)).collect();
    let hostile = if cfg!(unix) { "a\u{1b}[31m|`=b\u{202e}.log" } else { "a.log" };
    std::fs::write(folder.path().join(hostile), text).unwrap();
    let zeek = std::fs::read(super::common::root().join("samples/zeek/probed.log")).unwrap();
    let sample = Sample::of("zeek", registry::by_name("zeek").unwrap(), &zeek);
    let mut values = sample.values[&Field::Helo].iter().chain(&sample.values[&Field::ForwardPath]);
    let mut text = sample.text.clone();
    for name in NAMES.iter().chain(&["line\nend\u{1b}c"]) {
        let Some(value) = values.next() else { break };
        let field = if value.contains('@') { Field::ForwardPath } else { Field::Helo };
        text = Sample { text, values: Default::default(), name: "zeek".into() }.with(field, value, name).unwrap();
    }
    std::fs::write(folder.path().join("zeek.log"), text).unwrap();
    folder
}

fn text_of(folder: &Path, args: &[&str]) -> String {
    let done = run(folder, args);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code().is_some_and(|code| code < 2), "{args:?}: {said}");
    harmless(&said);
    String::from_utf8(done.stdout).unwrap()
}

fn harmless(text: &str) {
    for line in text.lines() {
        assert_eq!(escape::terminal(line), line);
    }
}

const ZONE: [&str; 4] = ["--tz", "UTC", "--year", "2027"];

fn read(folder: &Path, args: &[&str]) -> String {
    text_of(folder, &[args, &["."], &ZONE].concat())
}

#[test]
fn nothing_that_is_read_from_a_terminal_drives_it() {
    let folder = folder();
    for args in [
        vec!["scan"],
        vec!["scan", "--format", "json"],
        vec!["scan", "--format", "markdown"],
        vec!["scan", "--format", "csv"],
        vec!["clients"],
        vec!["clients", "--format", "json"],
        vec!["clients", "--format", "csv"],
        vec!["extract", "--to", "csv"],
        vec!["extract", "--to", "ndjson"],
        vec!["trace", "203.0.113.3"],
        vec!["trace", "example.net", "--format", "json"],
        vec!["trace", "example.net", "--format", "dot"],
        vec!["site", "show"],
        vec!["site", "infer"],
    ] {
        let text = read(folder.path(), &args);
        assert!(200 < text.len(), "{args:?}: {text}");
        harmless(&text);
    }
}

#[test]
fn what_is_escaped_for_people_is_whole_for_programs() {
    let folder = folder();
    let report: Value = serde_json::from_str(&read(folder.path(), &["scan", "--format", "json"])).unwrap();
    let accounts: Vec<&str> =
        report["accounts"].as_array().unwrap().iter().map(|row| row["account"].as_str().unwrap()).collect();
    let found = NAMES.iter().filter(|name| accounts.contains(&&*name.to_lowercase())).count();
    assert!(15 < found, "{accounts:?}");
    for line in read(folder.path(), &["extract", "--to", "ndjson"]).lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn no_cell_is_a_formula_and_no_row_has_another_number_of_cells() {
    let folder = folder();
    let tables = folder.path().join("tables");
    read(folder.path(), &["scan", "--tables", tables.to_str().unwrap()]);
    let mut texts = vec![
        read(folder.path(), &["extract", "--to", "csv"]),
        read(folder.path(), &["scan", "--format", "csv"]),
        read(folder.path(), &["clients", "--format", "csv"]),
    ];
    for entry in std::fs::read_dir(&tables).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    assert!(10 < texts.len());
    for text in texts {
        let columns = cells(text.lines().next().unwrap()).len();
        for line in text.lines() {
            let cells = cells(line);
            assert_eq!(cells.len(), columns, "{line}");
            for cell in cells {
                let is_number = cell.parse::<f64>().is_ok();
                assert!(is_number || !cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']), "{line}");
            }
            harmless(line);
        }
    }
}

#[test]
fn tables_in_markdown_keep_their_columns_and_hold_no_markup() {
    let folder = folder();
    let text = read(folder.path(), &["scan", "--format", "markdown"]);
    let (mut columns, mut rows) = (None, 0);
    let mut fence = None;
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(opened) if ticks == opened && line.len() == ticks => fence = None,
            None if 3 <= ticks => fence = Some(ticks),
            _ => {}
        }
        // Outside of code nothing is a tag, a link or a picture.
        if fence.is_none() && !line.contains('`') {
            assert!(!line.contains("<script") && !line.contains("](http"), "{line}");
        }
        if fence.is_some() || !line.starts_with('|') {
            columns = None;
            continue;
        }
        let bars = line.char_indices().filter(|(at, c)| *c == '|' && !line[..*at].ends_with('\\')).count();
        assert_eq!(*columns.get_or_insert(bars), bars, "{line}");
        rows += 1;
    }
    assert!(fence.is_none() && 20 < rows, "{rows}");
}

#[test]
fn a_site_that_is_inferred_can_be_read_again_as_it_is() {
    let folder = folder();
    let text = read(folder.path(), &["site", "infer"]);
    toml::from_str::<toml::Table>(&text).unwrap();
    std::fs::write(folder.path().join("relayaudit.toml"), &text).unwrap();
    harmless(&read(folder.path(), &["site", "show"]));
}

#[test]
fn a_saved_ledger_and_the_lines_not_understood_are_no_way_out_either() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (ledger, lines) = (path("x.ledger"), path("unparsed.txt"));
    let direct = read(folder.path(), &["scan", "--ledger-out", &ledger, "--unparsed", &lines]);
    harmless(&direct);
    harmless(&text_of(folder.path(), &["report", &ledger]));
    harmless(&std::fs::read_to_string(&lines).unwrap());
}
