//! Real logs of the formats: no panic, every line and byte accounted for, and next to nothing of the formats'
//! own daemons not understood. Skipped, and said, where the corpus is not beside the project.

#![allow(clippy::unwrap_used)]

mod common;

use common::corpus;
use relayaudit::clock::{Clock, Zone};
use relayaudit::fold::{Chunk, Filter, Part};
use relayaudit::layout::Layout;
use relayaudit::ledger::{FileId, Ledger};
use relayaudit::observe::Window;
use relayaudit_parsers::registry::{Context, FORMATS, Format, by_name};

/// Logs whose lines were changed by those who published them: they no longer are what a server wrote.
/// `extracted.log` are strings cut out of other programs' tests; the anonymiser of `MailLogSentinel` replaced
/// brackets and keywords.
const DAMAGED: &[&str] = &["extracted.log", "MailLogSentinel"];

/// Expected values and documents beside the logs; they hold log lines inside other text.
const NO_LOGS: &[&str] = &[".json", ".json.gz", ".yaml", ".assert", ".ini", ".md", ".toml", ".txt", ".cf", "/config/"];

fn fold(format: &'static Format, text: &[u8]) -> Ledger {
    let chunk = Chunk {
        file: FileId(1),
        path: "x".into(),
        format,
        context: Context::default(),
        clock: Clock::new(Zone::Named(chrono_tz::UTC), None, None, chrono::DateTime::UNIX_EPOCH),
        layout: Layout::default(),
        first_line: 1,
        torn: false,
        bytes: text.to_vec(),
    };
    Part::of(&chunk, &Filter::default()).finish(Window::default())
}

/// What the grammar of the envelope expects: a line that fails there names no daemon (comments of those who
/// collected the logs, for one), so it is none of the format's own.
const NO_ENVELOPE: &[&str] = &["a date and time", "a host and a program"];

/// Folds every file of a folder; returns records and unparsed lines of the format's own, with all reasons printed.
fn check(format: &str, folder: &str) -> Option<(u64, u64)> {
    let format = by_name(format).unwrap();
    let (mut records, mut unparsed) = (0, 0);
    for (name, text) in corpus(folder)? {
        let ledger = fold(format, &text);
        let lines = text.split_inclusive(|byte| *byte == b'\n').count() as u64;
        for input in ledger.inputs.values() {
            let sum = input.records + input.directives + input.ignored_lines() + input.unparsed_lines();
            assert_eq!((sum, input.bytes), (lines, text.len() as u64), "{name}");
            if DAMAGED.iter().chain(NO_LOGS).any(|part| name.contains(part)) {
                continue;
            }
            records += input.records;
            for (reason, lines) in &input.unparsed {
                let own = !NO_ENVELOPE.iter().any(|start| reason.starts_with(start));
                unparsed += if own { lines.lines } else { 0 };
                let sample = lines.samples.iter().next().map_or("", |sample| &sample.text);
                eprintln!("{name}: {} lines: expected {reason}: {sample}", lines.lines);
            }
        }
    }
    eprintln!("{folder}: {records} records, {unparsed} lines not understood");
    Some((records, unparsed))
}

#[test]
fn less_than_one_line_in_a_thousand_is_not_understood() {
    for (format, folder) in [
        ("postfix", "postfix"),
        ("postfix", "mta/postfix"),
        ("iis-smtp-w3c", "iis-smtp-w3c"),
        ("exchange2000-tracking", "exchange2000-tracking"),
        ("exchange-smtp-protocol", "exchange-smtp-protocol"),
        ("exchange-tracking", "exchange-message-tracking"),
        ("exchange-agent", "exchange-agent-log"),
        ("exim", "mta/exim"),
        ("sendmail", "sendmail"),
        ("sendmail", "mta/sendmail"),
        ("opensmtpd", "opensmtpd"),
        ("opensmtpd", "mta/opensmtpd"),
    ] {
        if let Some((records, unparsed)) = check(format, folder) {
            assert!(0 < records, "{folder}");
            assert!(unparsed * 1000 < records || unparsed == 0, "{folder}: {unparsed} of {records}");
        }
    }
}

#[test]
fn the_logs_of_exims_own_test_suite_are_mostly_understood() {
    // They hold comments of the suite and lines that its tests make up; one line in a hundred may be such.
    if let Some((records, unparsed)) = check("exim", "exim") {
        assert!(0 < records && unparsed * 100 < records, "{unparsed} of {records}");
    }
}

#[test]
fn files_of_other_kinds_are_accounted_for_too() {
    // Every file as every format: whatever it is, no panic, and no line is lost.
    for folder in ["sendmail", "opensmtpd", "qmail", "zeek", "iis-smtp-ncsa", "exchange-smtp-protocol"] {
        for format in FORMATS {
            check(format.name, folder);
        }
    }
}
