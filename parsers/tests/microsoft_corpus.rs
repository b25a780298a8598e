//! Real logs of IIS SMTP and of Exchange 2000 tracking, where they are at hand, and damaged lines, always.

use relayaudit_parsers::record::Line;
use relayaudit_parsers::registry::{Context, Format, detect};
use relayaudit_parsers::{exchange2000, iis_w3c};
use std::fs;
use std::path::{Path, PathBuf};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");

fn files(folder: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(Path::new(CORPUS).join(folder)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The lines of a file, without their ends.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    content.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Reads a file as the program does; returns how many of its lines are records.
fn read(format: &Format, path: &Path, content: &[u8]) -> usize {
    let (mut context, mut records) = (Context::default(), 0);
    for line in lines(content) {
        (format.direct)(line, &mut context);
        match (format.parse)(line, &context) {
            Line::Record(_) => records += 1,
            Line::Directive | Line::Ignored(_) | Line::Lost(_) | Line::Repeated { .. } => {}
            Line::Unparsed(why) => panic!("{}: {why:?}: {}", path.display(), String::from_utf8_lossy(line)),
        }
    }
    records
}

#[test]
fn real_logs_are_understood() {
    for (format, folder) in [(iis_w3c::FORMAT, "iis-smtp-w3c"), (exchange2000::FORMAT, "exchange2000-tracking")] {
        let paths = files(folder);
        if paths.is_empty() {
            println!("skipped: ../shared/corpus is absent ({folder})");
            continue;
        }
        for path in &paths {
            let Ok(content) = fs::read(path) else { continue };
            let detected = detect(lines(&content).take(100)).map(|format| format.name);
            assert_eq!(detected, Some(format.name), "{}", path.display());
            let records = read(&format, path, &content);
            println!("{}: {records} records, 0 unparsed", path.display());
            assert!(0 < records, "{}", path.display());
        }
    }
}

const IIS_LINES: [&str; 5] = [
    r#"2006-10-09 05:00:15 192.0.2.9 h SMTPSVC1 MX01 198.51.100.1 0 MAIL - +FROM:+<"a\">b"@example.org>+SIZE=9 250 0 46 33 0 SMTP - - - -"#,
    "2006-10-09 05:00:15 192.0.2.9 h SMTPSVC1 MX01 198.51.100.1 0 RCPT - +TO:<@x:c+d@example.net> 550 0 46 33 0 SMTP - - - - ",
    "2006-10-09 05:00:15 192.0.2.9 h SMTPSVC1 MX01 198.51.100.1 0 BDAT - +<1@example.org> 250 0 46 33 0 SMTP - - - -",
    "2006-10-09 05:00:15 192.0.2.9 OutboundConnectionCommand SMTPSVC1 MX01 - 25 RCPT - TO:<a@b> 0 0 4 0 62 SMTP - - - -",
    "2006-10-09 05:00:15 192.0.2.9 OutboundConnectionResponse SMTPSVC1 MX01 - 25 - - 250+2.1.0+Ok 0 0 12 0 140 SMTP - - - -",
];
const EXCHANGE_LINES: [&str; 2] = [
    "2004-5-7\t3:9:5 GMT\t192.0.2.9\th\t-\tMX01\t198.51.100.1\tc@example.net\t1019\t1@h\t0\t0\t9\t1\t2004-5-7 3:9:5 GMT\t0\tVersion: 6.0.3790.0\t-\tHi\t<>\t-",
    "2004-5-7\t3:9:5 GMT\t-\t-\tmx.example.net\tMX01\t-\tc@example.net\t1031\t1@h\t0\t0\t9\t1\t2004-5-7 3:9:5 GMT\t0\t-\t-\tHi\ta@b\t-",
];
/// A head for each, so that lines are also read by columns that they do not have.
const HEADS: [&[u8]; 3] = [b"", b"#Fields: c-ip cs-method cs-uri-query sc-status date time", b"# Date\tTime\tMSGID"];

#[test]
fn damaged_lines_do_not_panic() {
    for format in [iis_w3c::FORMAT, exchange2000::FORMAT] {
        for head in HEADS {
            let mut context = Context::default();
            (format.direct)(head, &mut context);
            for line in IIS_LINES.iter().chain(&EXCHANGE_LINES) {
                damage(line.as_bytes(), |damaged| {
                    (format.recognises)(damaged);
                    (format.parse)(damaged, &context);
                    (format.direct)(damaged, &mut Context::default());
                });
            }
        }
    }
}

/// Cuts a line and changes, repeats and removes every byte of it.
fn damage(line: &[u8], mut try_out: impl FnMut(&[u8])) {
    for at in 0..=line.len() {
        try_out(&line[..at]);
        try_out(&line[at..]);
    }
    for at in 0..line.len() {
        for byte in *b"\0\t\"<>+-:@#\\ \xff0zA" {
            let mut damaged = line.to_vec();
            damaged[at] = byte;
            try_out(&damaged);
            damaged.insert(at, byte);
            try_out(&damaged);
            damaged.drain(at..at + 2);
            try_out(&damaged);
        }
        for bit in 0..8 {
            let mut damaged = line.to_vec();
            damaged[at] ^= 1 << bit;
            try_out(&damaged);
        }
    }
}

#[test]
fn one_format_claims_a_line() {
    for line in IIS_LINES {
        let (iis, exchange) = (iis_w3c::FORMAT.recognises, exchange2000::FORMAT.recognises);
        assert!(iis(line.as_bytes()) && !exchange(line.as_bytes()), "{line}");
    }
    for line in EXCHANGE_LINES {
        let (iis, exchange) = (iis_w3c::FORMAT.recognises, exchange2000::FORMAT.recognises);
        assert!(exchange(line.as_bytes()) && !iis(line.as_bytes()), "{line}");
    }
}
