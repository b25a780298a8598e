//! Real Postfix logs, where they are at hand, and damaged lines, always.

use relayaudit_parsers::postfix::FORMAT;
use relayaudit_parsers::record::Line;
use relayaudit_parsers::registry::Context;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");
/// Lines of Postfix daemons for each that may stay unparsed.
const LINES_PER_UNPARSED: usize = 1000;

/// Files whose lines no Postfix wrote: inputs of other programs' tests, broken on purpose, and a
/// log whose anonymiser replaced keywords and brackets.
const NOT_REAL: [&str; 2] = [".extracted.log", "MailLogSentinel"];

/// Log files of the corpus; not those in gzip, which this crate cannot read.
fn logs() -> Vec<PathBuf> {
    let root = Path::new(CORPUS);
    let listed = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let real = listed(root.join("mta/postfix")).flat_map(listed);
    let is_log = |path: &PathBuf| {
        let name = path.to_string_lossy();
        (name.ends_with(".log") || name.ends_with(".info")) && !NOT_REAL.iter().any(|mark| name.contains(mark))
    };
    let mut paths: Vec<PathBuf> = real.chain(listed(root.join("postfix"))).filter(is_log).collect();
    paths.sort();
    paths
}

#[test]
fn real_logs_are_understood() {
    let paths = logs();
    if paths.is_empty() {
        println!("skipped: ../shared/corpus is absent");
        return;
    }
    let (mut postfix, mut reasons) = (0, BTreeMap::<&str, (usize, String)>::new());
    for path in &paths {
        let Ok(content) = fs::read(path) else { continue };
        for line in content.split(|b| *b == b'\n') {
            let ours = (FORMAT.recognises)(line);
            postfix += usize::from(ours);
            if let (true, Line::Unparsed(unparsed)) = (ours, (FORMAT.parse)(line, &Context::default())) {
                let entry = reasons.entry(unparsed.expected).or_default();
                *entry = (entry.0 + 1, String::from_utf8_lossy(line).into_owned());
            }
        }
    }
    let unparsed: usize = reasons.values().map(|(count, _)| count).sum();
    println!("{} files (gzip left out), {postfix} lines of Postfix, {unparsed} unparsed: {reasons:#?}", paths.len());
    assert!(unparsed * LINES_PER_UNPARSED < postfix, "{unparsed} of {postfix} unparsed: {reasons:#?}");
}

/// One line of every shape; each is cut and damaged at every byte.
const LINES: &str = include_str!("postfix_lines.log");

#[test]
fn damaged_lines_do_not_panic() {
    let context = Context::default();
    for line in LINES.lines().map(str::as_bytes) {
        assert!(matches!((FORMAT.parse)(line, &context), Line::Record(_)), "{}", String::from_utf8_lossy(line));
        for at in 0..line.len() {
            (FORMAT.parse)(&line[..at], &context);
            (FORMAT.parse)(&line[at..], &context);
            for damage in *b"\0\"<>[]();:,=\\ \xff0zA" {
                let mut damaged = line.to_vec();
                damaged[at] = damage;
                (FORMAT.parse)(&damaged, &context);
                damaged.remove(at);
                (FORMAT.parse)(&damaged, &context);
                damaged.insert(at, damage);
                damaged.insert(at, damage);
                (FORMAT.parse)(&damaged, &context);
            }
        }
    }
}
