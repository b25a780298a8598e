//! Real wrapped logs, where they are at hand; and damaged wrapped lines, always.

use relayaudit_parsers::record::Line;
use relayaudit_parsers::registry::{Context, detect};
use relayaudit_parsers::wrap::{Inside, Wrapping};
use std::fs;
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");

fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    content.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn unwrapped(wrapping: Wrapping, line: &[u8]) -> Vec<u8> {
    let mut room = Vec::new();
    match wrapping.unwrap(line, &mut room) {
        Inside::Part(part) => part.to_vec(),
        Inside::Written => room,
    }
}

#[test]
fn every_line_of_real_journals_is_understood() {
    let Ok(folder) = fs::read_dir(Path::new(CORPUS).join("journald-json")) else {
        println!("SKIPPED: ../shared/corpus/journald-json is absent");
        return;
    };
    let (mut records, mut all) = (0, 0);
    for entry in folder.flatten() {
        let content = fs::read(entry.path()).unwrap_or_default();
        let wrapping = Wrapping::detect(lines(&content));
        assert!(!wrapping.is_none(), "{:?}", entry.path());
        let inner: Vec<Vec<u8>> = lines(&content).map(|line| unwrapped(wrapping, line)).collect();
        let Some(format) = detect(inner.iter().map(Vec::as_slice)) else { panic!("{:?}", entry.path()) };
        for line in &inner {
            match (format.parse)(line, &Context::default()) {
                Line::Unparsed(why) => panic!("{why:?}: {}", String::from_utf8_lossy(line)),
                Line::Record(_) => records += 1,
                _ => {}
            }
            all += 1;
        }
    }
    println!("{all} lines, {records} records, 0 unparsed");
    assert!(0 < records);
}

#[test]
fn damaged_lines_are_read_without_panic() {
    let line = "Feb  1 10:00:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]";
    let wrapped = [
        r#"{"MESSAGE":"a\u00e4\"\\","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"x","_PID":["1","2"],"__REALTIME_TIMESTAMP":"1789228152650438"}"#.to_owned(),
        format!(r#"{{"log":"{line}\r\n","stream":"stdout","time":"2027-02-01T09:00:00.123456789Z"}}"#),
        format!("\x1b[36mmail-1  | \x1b[0m2027-02-01T09:00:00.5Z stdout F {line}"),
        format!("|  /var/log/mail.log:12:{line}"),
        format!("- 1800000000 2027.01.15 mx {line}"),
        format!("486 <22>{line}"),
        format!("{line} =&lt;x&gt; &amp;"),
    ];
    // What the layers of each of them together are.
    let all: Vec<Wrapping> = wrapped.iter().map(|line| Wrapping::detect(std::iter::once(line.as_bytes()))).collect();
    for line in &wrapped {
        let bytes = line.as_bytes();
        for wrapping in &all {
            for end in 0..=bytes.len() {
                unwrapped(*wrapping, &bytes[..end]);
                unwrapped(*wrapping, &bytes[end..]);
            }
            for at in 0..bytes.len() {
                for byte in [b'"', b'\\', b'{', b'[', b']', b':', b' ', b'|', 0, 0xff] {
                    let mut damaged = bytes.to_vec();
                    damaged[at] = byte;
                    unwrapped(*wrapping, &damaged);
                    Wrapping::detect(std::iter::once(damaged.as_slice()));
                }
            }
        }
    }
}
