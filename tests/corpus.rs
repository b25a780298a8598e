//! Real logs of the formats: no panic, every line and byte accounted for, and next to nothing of the formats'
//! own daemons not understood. Skipped, and said, where the corpus is not beside the project.

#![allow(clippy::unwrap_used)]

mod common;

use common::{corpus, read, root};
use relayaudit::clock::{Clock, Zone};
use relayaudit::fold::{Chunk, Filter, Part, Rejected};
use relayaudit::layout::Layout;
use relayaudit::ledger::{FileId, Ledger};
use relayaudit::observe::Window;
use relayaudit::scan::{self, Plan, Watch};
use relayaudit::source::{self, Reading};
use relayaudit_parsers::registry::{Context, FORMATS, Format, by_name};
use std::collections::BTreeMap;

/// Logs whose lines were changed by those who published them: they no longer are what a server wrote.
/// `extracted.log` are strings cut out of other programs' tests; the anonymiser of `MailLogSentinel` replaced
/// brackets and keywords; Zeek's own tests have no times.
const DAMAGED: &[&str] = &["extracted.log", "MailLogSentinel", "zeek__testing__btest"];

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

/// Files that are no log that is understood, by a part of their paths, and why.
const NOT_RECOGNISED: &[(&str, &str)] = &[
    ("/exim/Exim__exim__test__", "parts of Exim's test suite without a line about mail"),
    ("/exim/ossec__ossec-docs", "an alert of OSSEC that quotes a line"),
    ("/courier/ossec__ossec-docs", "log-ins of Courier's POP3 and IMAP servers, which are not read"),
    ("/qmail/ossec__ossec-docs", "log-ins of vm-pop3d, which are not read"),
    ("log-entries__mail-", "lines of several programs without an envelope, and an alert of OSSEC"),
    ("/exchange-connectivity-log/", "the connectivity log of Exchange, which names no client and no path"),
    ("/exchange-online-trace/elastic", "message traces as JSON lines, which are not read"),
    ("/exchange55-ims/", "the Internet mail log of Exchange 5.5, which is not read"),
];

/// What the program shows while it reads: nothing.
struct Quiet;

impl Watch for Quiet {
    fn folded(&mut self, _: u64) {}
    fn rejected(&mut self, _: &str, _: &[Rejected]) {}
}

/// Lines of a format and those of them that are not understood, with the reasons.
#[derive(Default)]
struct Group {
    records: u64,
    reasons: BTreeMap<String, u64>,
}

/// Reads every file of the corpus that others published, as the program does; returns what each format made of it.
fn read_all() -> Option<BTreeMap<String, Group>> {
    let folder = root().join("../shared/corpus");
    let folders: Vec<String> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .filter(|path| !path.ends_with("/mta") && !path.ends_with(".md"))
        .collect();
    if folders.is_empty() {
        eprintln!("skipped: ../shared/corpus is absent, so real logs are not tested here");
        return None;
    }
    let reading = Reading { format: None, zone: Zone::Named(chrono_tz::UTC), year: None };
    let found = source::open(&folders, &reading);
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    for left_out in found.skipped.iter().filter(|left_out| !left_out.what.contains("counted once")) {
        let parts = NO_LOGS.iter().chain(NOT_RECOGNISED.iter().map(|(part, _)| part));
        assert!(parts.clone().any(|part| left_out.path.contains(part)), "{}: {}", left_out.path, left_out.what);
        // Whoever overrides the format loses no line either.
        let text = read(std::path::Path::new(&*left_out.path));
        let lines = text.split_inclusive(|byte| *byte == b'\n').count() as u64;
        for format in ["postfix", "exim", "zeek"] {
            let read: u64 = fold(by_name(format).unwrap(), &text).inputs.values().map(|input| input.lines).sum();
            assert_eq!(read, lines, "{} as {format}", left_out.path);
        }
    }
    // Comments of those who collected the lines.
    let filter = Filter { ignore: Some(regex::bytes::RegexSet::new(["^#+ "]).unwrap()), ..Filter::default() };
    let ledger = scan::scan(found.logs, Plan::default(), &filter, &mut Quiet);
    let mut groups = BTreeMap::<String, Group>::new();
    for input in ledger.inputs.values() {
        let sum = input.records + input.directives + input.ignored_lines() + input.unparsed_lines();
        assert_eq!(sum, input.lines, "{}", input.path);
        assert!(input.problems.is_empty(), "{}: {:?}", input.path, input.problems);
        if DAMAGED.iter().chain(NO_LOGS).any(|part| input.path.contains(part)) {
            continue;
        }
        let group = groups.entry(input.format.to_string()).or_default();
        group.records += input.records;
        for (reason, lines) in &input.unparsed {
            let own = !NO_ENVELOPE.iter().any(|start| reason.starts_with(start));
            if own {
                *group.reasons.entry(reason.to_string()).or_default() += lines.lines;
                let sample = lines.samples.iter().next().map_or("", |sample| &sample.text);
                eprintln!("{}: {} lines: expected {reason}: {sample}", input.path, lines.lines);
            }
        }
    }
    Some(groups)
}

/// Of the lines of a format's own daemon, one in so many may stay unparsed.
const LINES_PER_UNPARSED: u64 = 200;

/// Format, what was expected, and how many lines of the whole corpus lack it.
const NOT_UNDERSTOOD: &[(&str, &str, u64)] = &[
    // 15 of `=> blackhole (RCPT ACL discarded recipients)`, 7 of `** file@x.y routing yielded a local delivery`.
    ("exim", "a recipient and ` R=` after it", 22),
];

#[test]
fn every_file_is_accounted_for_and_what_is_not_understood_is_listed() {
    let Some(groups) = read_all() else { return };
    let mut left = Vec::new();
    for (format, group) in &groups {
        let unparsed: u64 = group.reasons.values().sum();
        eprintln!("{format}: {} records, {unparsed} lines not understood", group.records);
        assert!(
            unparsed * LINES_PER_UNPARSED < group.records || unparsed == 0,
            "{format}: {unparsed} of {}",
            group.records
        );
        left.extend(group.reasons.iter().map(|(reason, lines)| (format.as_str(), reason.as_str(), *lines)));
    }
    assert_eq!(left, NOT_UNDERSTOOD);
}
