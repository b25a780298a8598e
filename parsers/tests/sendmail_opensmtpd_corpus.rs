//! Published logs of Sendmail and OpenSMTPD, where they are at hand, and damaged lines, always. (Those in gzip, which this
//! crate cannot read, are tested with the whole program: `tests/corpus.rs`.)

use relayaudit_parsers::record::Line;
use relayaudit_parsers::registry::{Context, Format};
use relayaudit_parsers::{opensmtpd, sendmail};
use std::fs;
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");
/// Lines of the format's daemons for each that may stay unparsed.
const LINES_PER_UNPARSED: usize = 200;

fn check(format: &Format, folder: &str) {
    let Ok(files) = fs::read_dir(Path::new(CORPUS).join(folder)) else {
        println!("SKIPPED: ../shared/corpus/{folder} is absent");
        return;
    };
    let (mut own, mut unparsed) = (0, Vec::new());
    for path in files.flatten().map(|entry| entry.path()) {
        let Ok(content) = fs::read(&path) else { continue };
        // Recipes of log collectors have the line behind `log 1 pass = `.
        for line in content.split(|b| *b == b'\n').map(|line| line.strip_prefix(b"log 1 pass = ").unwrap_or(line)) {
            own += usize::from((format.recognises)(line));
            if let (true, Line::Unparsed(why)) = ((format.recognises)(line), (format.parse)(line, &Context::default()))
            {
                unparsed.push((why, String::from_utf8_lossy(line).into_owned()));
            }
        }
    }
    println!("{folder}: {own} lines, {} unparsed: {unparsed:#?}", unparsed.len());
    assert!(
        0 < own && unparsed.len() * LINES_PER_UNPARSED <= own,
        "{} of {own} unparsed: {unparsed:#?}",
        unparsed.len()
    );
}

#[test]
fn published_logs_are_understood() {
    check(&sendmail::FORMAT, "sendmail");
    check(&opensmtpd::FORMAT, "opensmtpd");
}

/// Lines of every shape; each is cut and damaged at every byte.
const LINES: &str = include_str!("../../tests/common/sessions.log");

#[test]
fn damaged_lines_do_not_panic() {
    let context = Context::default();
    for line in LINES.lines().map(str::as_bytes) {
        let formats = [&sendmail::FORMAT, &opensmtpd::FORMAT];
        assert_eq!(formats.iter().filter(|format| (format.recognises)(line)).count(), 1);
        assert!(
            matches!((sendmail::FORMAT.parse)(line, &context), Line::Record(_)),
            "{}",
            String::from_utf8_lossy(line)
        );
        let parse = |line: &[u8]| {
            (sendmail::FORMAT.parse)(line, &context);
        };
        for at in 0..line.len() {
            parse(&line[..at]);
            parse(&line[at..]);
            for damage in *b"\0\"<>[]();:,=\\ \xff0zA" {
                let mut damaged = line.to_vec();
                damaged[at] = damage;
                parse(&damaged);
                damaged.remove(at);
                parse(&damaged);
                damaged.insert(at, damage);
                damaged.insert(at, damage);
                parse(&damaged);
            }
        }
    }
}
