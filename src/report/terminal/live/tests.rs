#![allow(clippy::unwrap_used)]
use super::*;
use crate::clock::{Clock, Zone};
use crate::fold::{Chunk, Filter, Part};
use crate::judge;
use crate::judge::analysis::conclude;
use crate::layout::Layout;
use crate::ledger::FileId;
use crate::observe::Window;
use crate::report::Run;
use crate::site::{Origin, Site};
use relayaudit_parsers::registry::{Context, by_name};
use std::path::Path;

/// The report of some lines of Postfix.
fn report(text: &str) -> Report {
    let chunk = Chunk {
        file: FileId(1),
        path: "/var/log/mail.log".into(),
        format: by_name("postfix").unwrap(),
        context: Context::default(),
        clock: Clock::new(Zone::Named(chrono_tz::Tz::UTC), None, None, chrono::DateTime::UNIX_EPOCH),
        layout: Layout::default(),
        first_line: 1,
        torn: false,
        bytes: text.as_bytes().to_vec(),
    };
    let mut ledger = Part::of(&chunk, &Filter::default()).finish(Window::default());
    let mut site = Site::default();
    ["norbrook.example", "norbrook-labs.example", "partner-acme.example"]
        .iter()
        .for_each(|domain| site.add_local_domain(domain, Origin::CommandLine));
    let (site, analysis) = conclude(&mut ledger, &site, &judge::Options::default());
    Report::build(&ledger, &site, &analysis, &Run::default())
}

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/postfix").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A server that is abused by somebody who knows that the log is shown on a terminal.
fn hostile() -> String {
    let evil = "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{65e5}\u{672c}\u{1f600}".repeat(30);
    sample("abused.log")
        .replace("sasl_username=elena", &format!("sasl_username={evil}"))
        .replace("dyn-198-18-14-170.dsl.test", &format!("{evil}.example"))
}

/// What is shown of a report, on a screen of some size.
fn shown(report: Option<&Report>, size: Size) -> Vec<Line> {
    let told: Vec<Told<'_>> = report
        .iter()
        .flat_map(|report| &report.findings)
        .rev()
        .map(|finding| Told { kind: if finding.messages < 2 { "new" } else { "worse" }, finding })
        .collect();
    let evil = "\u{1b}[31m/srv/\u{202e}\u{65e5}\u{672c}\r\n".repeat(20);
    let row = |path: &str, behind_bytes, state: &str| FileRow {
        path: path.into(),
        format: "postfix".into(),
        lines: 1_234_567,
        behind_bytes,
        state: state.into(),
    };
    let files = [row("/var/log/mail.log", 0, ""), row("/var/log/mail.log.1", 0, "moved away"), row(&evil, 7_000, "")];
    frame(
        &View {
            now: Time(1_800_000_000_000_000),
            report,
            start: Some(Time(1_799_913_600_000_000)),
            files: &files,
            missing: &[format!("{evil}: no such file or folder")],
            told: &told,
            notices: &[format!("{evil}: rotated; the old file is read to its end, then the new one")],
            rates: Rates { lines_in_ten: 123, accepted: 30, refused: 12, relayed: 7 },
            reading: None,
            end: "q ends",
        },
        size,
    )
}

fn snapshot(name: &str, lines: &[Line]) {
    let text: String = lines.iter().map(|line| plain(line) + "\n").collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(expected == text, "{name} differs; look at it with UPDATE_SNAPSHOTS=1 and git diff");
}

#[test]
fn screens_are_as_they_were() {
    let cases = [("abused", sample("abused.log")), ("clean", sample("clean.log")), ("hostile", hostile())];
    for (name, text) in cases {
        let report = report(&text);
        for (width, height) in [(80, 24), (200, 50)] {
            let lines = shown(Some(&report), Size { width, height });
            snapshot(&format!("follow-{name}-{width}x{height}.txt"), &lines);
        }
    }
}

#[test]
fn nothing_is_wider_or_higher_than_the_screen() {
    let hostile = report(&hostile());
    assert!(!hostile.findings.is_empty());
    for width in (1..=220).step_by(3) {
        for height in [1, 2, 5, 12, 24, 36, 70] {
            for report in [Some(&hostile), None] {
                let lines = shown(report, Size { width, height });
                assert_eq!(lines.len(), height, "{width}x{height}");
                for line in &lines {
                    let text = plain(line);
                    assert!(super::width(&text) <= width.max(2), "{width}x{height}: {text:?}");
                    assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn the_answer_survives_on_the_smallest_screen() {
    let report = report(&sample("abused.log"));
    let lines = shown(Some(&report), Size { width: 40, height: 4 });
    assert!(plain(&lines[1]).starts_with("YES"), "{:?}", plain(&lines[1]));
}

#[test]
fn colours_are_left_out_and_bars_stay() {
    let line = vec![(Style::Bad, "bad".to_owned()), (Style::Plain, " x".to_owned())];
    assert_eq!(styled(&line, true), "\u{1b}[1;31mbad\u{1b}[0m x");
    assert_eq!(styled(&line, false), "bad x");
    assert_eq!(styled(&vec![(Style::Bar, "top".to_owned())], false), "\u{1b}[7mtop\u{1b}[0m");
}
