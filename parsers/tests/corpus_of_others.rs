//! Real logs of the formats that have little of it at hand, where they are at hand; damaged lines and detection, always.

#![allow(clippy::unwrap_used)]

use relayaudit_parsers::record::Line;
use relayaudit_parsers::registry::{Context, FORMATS, Format, by_name, detect};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples");

/// Formats, the folders of their real logs, and a part of the names that count. Other files there are documents.
const FOLDERS: &[(&str, &str, &str)] = &[
    ("qmail", "qmail", "qmail"),
    ("zeek", "zeek", "brimdata"),
    ("iis-smtp-msiis", "iis-smtp-msiis", "pastebin"),
    ("iis-smtp-ncsa", "iis-smtp-ncsa", "ossec"),
    ("courier", "courier", "courier-smtp"),
    ("kerio", "kerio", "kerio"),
    ("stalwart", "stalwart", "."),
    ("domino", "domino", "fail2ban"),
    ("assp", "assp", "pastebin"),
    ("zimbra", "zimbra", "zimbra-logs.log"),
    ("cisco-esa", "cisco-esa", "splunk"),
    ("cisco-esa-text", "cisco-esa", "splunk"),
    ("haraka", "haraka", "haraka"),
    ("mailscanner", "mailscanner", "mailscanner-logs.log"),
    ("hmailserver", "hmailserver", "pastebin"),
    ("mdaemon", "mdaemon", "pastebin"),
    ("smartermail", "smartermail", "pastebin"),
    ("communigate", "communigate", "pastebin"),
    ("logins", "dovecot", ".log"),
    ("logins", "dovecot", "fail2ban"),
    ("logins", "cyrus", "cyrus-imap"),
    ("nginx-mail", "nginx-mail", "logs.log"),
    ("exchange55-ims", "exchange55-ims", "kbarchive"),
    ("fortimail", "fortimail", "SEKOIA"),
    ("proofpoint", "proofpoint", "."),
];

/// Of the files that count, those that hold no line: what stands in one field of it.
const NO_LOGS: [&str; 1] = ["esmtp.json"];

/// Of the lines that a format claims, one in so many may stay unparsed.
const LINES_PER_UNPARSED: usize = 200;

/// Comments of those who collected the logs, in other projects' tests, and the prompt of a shell.
const NO_LINES: [&[u8]; 3] = [b"#failJSON", b"# ", b"matt@jails $ "];

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The text of a file; of a test of SEKOIA's, an object of JSON over many lines, the log that it gives as input.
fn text(path: &Path) -> Vec<u8> {
    let content = fs::read(path).unwrap();
    if path.extension().is_none_or(|extension| extension != "json") {
        return content;
    }
    const START: &str = "\"message\": \"";
    let object = String::from_utf8(content).unwrap();
    let Some((_, message)) = object.split_once(START) else { return object.into_bytes() };
    let (mut text, mut characters) = (String::new(), message.chars());
    while let Some(character) = characters.next().filter(|character| *character != '"') {
        text.push(match character {
            '\\' => match characters.next().unwrap() {
                'n' => '\n',
                'u' => {
                    let digits: String = characters.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap_or('?')
                }
                escaped => escaped,
            },
            plain => plain,
        });
    }
    text.into_bytes()
}

/// The lines of a file, without their ends.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    content.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[test]
fn real_logs_are_understood() {
    for (format, folder, part) in FOLDERS {
        let format = by_name(format).unwrap();
        let paths = files(&Path::new(CORPUS).join(folder));
        if paths.is_empty() {
            println!("SKIPPED: ../shared/corpus/{folder} is absent");
            continue;
        }
        let (mut records, mut reasons) = (0, BTreeMap::<String, (usize, String)>::new());
        let is_log = |path: &&PathBuf| {
            let name = path.to_string_lossy();
            name.contains(part) && !NO_LOGS.iter().any(|end| name.ends_with(end))
        };
        for path in paths.iter().filter(is_log) {
            let content = text(path);
            let (ours, unparsed) = read(format, &content, &mut reasons);
            println!("{}: {}: {ours} records, {unparsed} unparsed", format.name, path.display());
            records += ours;
        }
        let unparsed: usize = reasons.values().map(|(lines, _)| lines).sum();
        assert!(0 < records, "{folder}");
        assert!(unparsed * LINES_PER_UNPARSED < records || unparsed == 0, "{unparsed} of {records}: {reasons:#?}");
        println!("{}: {records} records, {unparsed} unparsed: {reasons:#?}", format.name);
    }
}

/// A text in which what another project's tests fill in is filled in (Splunk Connect for Syslog): time, host and program.
fn filled(content: &[u8]) -> Vec<u8> {
    let mut text = content.to_vec();
    for (mark, value) in [("{{ bsd }}", "Aug 10 09:52:59"), ("{{ host }}", "esa1"), ("{{ app }}", "mail_logs")] {
        while let Some(at) = text.windows(mark.len()).position(|part| part == mark.as_bytes()) {
            text.splice(at..at + mark.len(), value.bytes());
        }
    }
    text
}

/// Reads a file as the program does; returns how many of its lines are records and how many are unparsed.
fn read(format: &Format, content: &[u8], reasons: &mut BTreeMap<String, (usize, String)>) -> (usize, usize) {
    let content = &filled(content)[..];
    let (mut context, mut records, mut unparsed) = (Context::default(), 0, 0);
    for line in lines(content).filter(|line| !NO_LINES.iter().any(|start| line.starts_with(start))) {
        (format.direct)(line, &mut context);
        match (format.parse)(line, &context) {
            Line::Record(_) | Line::Repeated { .. } => records += 1,
            Line::Directive | Line::Ignored(_) | Line::Lost(_) => {}
            Line::Unparsed(why) => {
                unparsed += 1;
                let reason = reasons.entry(why.expected.to_owned()).or_default();
                *reason = (reason.0 + 1, String::from_utf8_lossy(line).into_owned());
            }
        }
    }
    (records, unparsed)
}

/// No line of a sample or of a real log is claimed by two formats.
#[test]
fn at_most_one_format_claims_a_line() {
    const FIRST: usize = 300;
    let mut claimed = 0;
    for path in files(Path::new(SAMPLES)).iter().chain(&files(Path::new(CORPUS))) {
        let content = fs::read(path).unwrap();
        for line in lines(&content).take(FIRST).filter(|line| line.len() < 10_000) {
            let claims: Vec<_> = FORMATS.iter().filter(|f| (f.recognises)(line)).map(|f| f.name).collect();
            claimed += claims.len();
            assert!(claims.len() <= 1, "{}: {claims:?}: {}", path.display(), String::from_utf8_lossy(line));
        }
    }
    println!("{claimed} lines claimed");
    assert!(0 < claimed);
}

/// Folders with logs of several formats that tell of the same mail.
const MIXED: [&str; 2] = ["exchange-three-logs", "handed-on"];

/// Every sample lies in a folder of its format's name, and is recognised as such.
#[test]
fn samples_are_recognised() {
    for path in files(Path::new(SAMPLES)).iter().filter(|path| path.parent() != Some(Path::new(SAMPLES))) {
        let content = fs::read(path).unwrap();
        let folder = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let found = detect(lines(&content).take(100)).map(|f| f.name);
        match folder.as_str() {
            // Configurations of servers are no logs.
            _ if path.strip_prefix(SAMPLES).unwrap().starts_with("config") => {
                assert_eq!(found, None, "{}", path.display())
            }
            mixed if MIXED.contains(&mixed) => assert!(found.is_some(), "{}", path.display()),
            folder => assert_eq!(found, Some(folder), "{}", path.display()),
        }
    }
}

/// Every format reads its own samples without a line that it does not understand, and survives damage to them.
#[test]
fn samples_are_understood_and_damage_does_not_panic() {
    for (format, _, _) in FOLDERS {
        let format = by_name(format).unwrap();
        let paths = files(&Path::new(SAMPLES).join(format.name));
        assert!(!paths.is_empty(), "{}", format.name);
        for path in paths {
            let content = fs::read(&path).unwrap();
            let mut reasons = BTreeMap::new();
            read(format, &content, &mut reasons);
            assert!(reasons.is_empty(), "{}: {reasons:?}", path.display());
            let mut context = Context::default();
            for (number, line) in lines(&content).enumerate() {
                (format.direct)(line, &mut context);
                if number < 60 && number % 4 == 0 {
                    damage(line, |damaged| {
                        (format.recognises)(damaged);
                        (format.parse)(damaged, &context);
                        (format.parse)(damaged, &Context::default());
                        (format.direct)(damaged, &mut Context::default());
                    });
                }
            }
        }
    }
}

/// Cuts a line and changes, doubles and removes every byte of it.
fn damage(line: &[u8], mut try_out: impl FnMut(&[u8])) {
    for at in 0..=line.len() {
        try_out(&line[..at]);
        try_out(&line[at..]);
    }
    for at in 0..line.len() {
        for byte in *b"\0\t\"<>[]{},+-:@#=\\ \xff0zA" {
            let mut damaged = line.to_vec();
            damaged[at] = byte;
            try_out(&damaged);
            damaged.insert(at, byte);
            try_out(&damaged);
            damaged.drain(at..at + 2);
            try_out(&damaged);
        }
    }
}

/// A line of a megabyte takes no longer than many short ones: nothing is looked for again and again.
#[test]
fn long_lines_take_linear_time() {
    for (format, _, _) in FOLDERS {
        let format = by_name(format).unwrap();
        for path in files(&Path::new(SAMPLES).join(format.name)) {
            let content = fs::read(&path).unwrap();
            let mut context = Context::default();
            lines(&content).for_each(|line| (format.direct)(line, &mut context));
            for line in lines(&content).filter(|line| !line.is_empty()).step_by(17).take(3) {
                for filler in [b"a".as_slice(), b"<", b"\"", b", ", b"\\", b":", b"> ", b"="] {
                    let (head, tail) = line.split_at(line.len() / 2);
                    let long = [head, &filler.repeat((1 << 20) / filler.len()), tail].concat();
                    let start = std::time::Instant::now();
                    (format.recognises)(&long);
                    (format.parse)(&long, &context);
                    let millis = start.elapsed().as_millis();
                    assert!(millis < 1000, "{}: {millis} ms: {}", format.name, String::from_utf8_lossy(head));
                }
            }
        }
    }
}
