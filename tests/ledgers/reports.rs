//! The law of saved ledgers, as whoever runs the program sees it: what is scanned by day and by server, and put together in
//! any order and grouping, gives the bytes that one scan of everything gives, in every form.

use super::common::{read, root};
use super::{ALIKE, expect, run};
use relayaudit_parsers::registry;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Logs of some servers, each cut into days: file names by day, by server.
type Days = BTreeMap<String, Vec<String>>;

/// Whether all pieces are recognised as the whole is: a log with a header has it once.
fn alike(whole: &[u8], pieces: &[Vec<u8>]) -> bool {
    let format = |text: &[u8]| registry::detect(text.split(|byte| *byte == b'\n').take(200)).map(|format| format.name);
    let known = format(whole);
    known.is_some()
        && pieces.iter().all(|piece| format(piece) == known)
        && pieces.windows(2).all(|two| two[0] != two[1])
}

/// Writes a log to a folder in three stretches of days, the first of which is the longest; whole if it is too short or cannot
/// be cut.
fn write_days(folder: &Path, name: &str, text: &[u8]) -> Vec<String> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let (first, second) = (lines.len() / 2, lines.len() / 2 + lines.len() / 5);
    let mut pieces = [&lines[..first], &lines[first..second], &lines[second..]].map(<[&[u8]]>::concat).to_vec();
    if !alike(text, &pieces) {
        pieces = vec![text.to_vec()];
    }
    let names: Vec<String> = (1..=pieces.len()).map(|day| format!("{name}.{day}")).collect();
    names.iter().zip(pieces).for_each(|(name, piece)| std::fs::write(folder.join(name), piece).unwrap());
    names
}

fn scan(folder: &Path, paths: &[String], format: &str, ledger: Option<&str>) -> Vec<u8> {
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let out: Vec<&str> = ledger.into_iter().flat_map(|ledger| ["--ledger-out", ledger]).collect();
    let done = run(folder, &[&["scan"], &paths[..], &ALIKE[..], &[format], &out[..]].concat());
    assert!(matches!(done.status.code(), Some(0 | 1)), "{paths:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

fn merge(folder: &Path, ledgers: &[String], out: &str) -> String {
    let ledgers: Vec<&str> = ledgers.iter().map(String::as_str).collect();
    expect(&run(folder, &[&["merge"], &ledgers[..], &["-o", out]].concat()), 0, &[]);
    out.to_owned()
}

/// Scans everything at once and day by day, and compares. Returns the report, to see what it is about.
fn check(name: &str, folder: &Path, servers: &Days) -> Value {
    let all: Vec<String> = servers.values().flatten().cloned().collect();
    let want = ["json", "text"].map(|format| (format, scan(folder, &all, format, Some("all"))));
    let by_server = |paths: &Vec<String>| -> Vec<String> {
        paths
            .iter()
            .map(|path| {
                let ledger = format!("{path}.ledger");
                scan(folder, std::slice::from_ref(path), "text", Some(&ledger));
                ledger
            })
            .collect()
    };
    let parts: Vec<Vec<String>> = servers.values().map(by_server).collect();
    let ledgers = parts.concat();
    let turned: Vec<String> = ledgers.iter().rev().cloned().collect();
    let of_servers: Vec<String> =
        parts.iter().enumerate().map(|(n, days)| merge(folder, days, &format!("s{n}"))).collect();
    let day = |n: usize| parts.iter().filter_map(|days| days.get(n).cloned()).collect::<Vec<_>>();
    let days = (0..3).map(day).enumerate().filter(|(_, ledgers)| !ledgers.is_empty());
    let of_days: Vec<String> = days.map(|(n, ledgers)| merge(folder, &ledgers, &format!("d{n}"))).collect();
    let bytes = |ledger: &str| std::fs::read(folder.join(ledger)).unwrap();
    for parts in [&ledgers, &turned, &of_servers, &of_days] {
        assert!(bytes(&merge(folder, parts, "merged")) == bytes("all"), "{name}: {parts:?} merged");
        for (format, want) in &want {
            let of: Vec<&str> = parts.iter().map(String::as_str).collect();
            let got = run(folder, &[&["report"], &of[..], &["--format", format]].concat()).stdout;
            assert!(got == *want, "{name}: {format} of {parts:?}");
        }
    }
    serde_json::from_slice(&want[0].1).unwrap()
}

/// The logs of a folder of samples. Some were written by one script and begin with the same lines, as if one had grown
/// from the other, which is refused: such are kept apart.
fn groups(samples: &Path) -> Vec<BTreeMap<String, Vec<u8>>> {
    let first = |text: &[u8]| text.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
    let mut groups: Vec<BTreeMap<String, Vec<u8>>> = Vec::new();
    for entry in std::fs::read_dir(samples).unwrap().flatten() {
        let (name, text) = (entry.file_name().into_string().unwrap(), read(&entry.path()));
        if !alike(&text, &[]) {
            continue;
        }
        match groups.iter_mut().find(|logs| logs.values().all(|log| first(log) != first(&text))) {
            Some(logs) => drop(logs.insert(name, text)),
            None => groups.push([(name, text)].into()),
        }
    }
    groups
}

#[test]
fn days_and_servers_give_the_reports_of_one_scan() {
    let (mut kinds, mut cut) = (0, 0);
    let mut told = BTreeMap::<&str, usize>::new();
    for entry in std::fs::read_dir(root().join("samples")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if !entry.path().is_dir() || name == "config" {
            continue;
        }
        kinds += 1;
        for logs in groups(&entry.path()) {
            let folder = tempfile::tempdir().unwrap();
            let days = |(name, text): (String, Vec<u8>)| (name.clone(), write_days(folder.path(), &name, &text));
            let servers: Days = logs.into_iter().map(days).collect();
            cut += servers.values().filter(|days| 1 < days.len()).count();
            let report = check(&name, folder.path(), &servers);
            for section in ["findings", "handovers", "blocklistings", "campaigns"] {
                *told.entry(section).or_default() += report[section].as_array().unwrap().len();
            }
            let gaps = report["coverage"]["gaps"].as_array().unwrap();
            *told.entry("lost lines").or_default() += gaps.iter().filter(|gap| gap["kind"] == "lost-lines").count();
        }
    }
    assert!(30 < kinds && kinds < cut, "{kinds} kinds, {cut} logs of several days");
    assert!(told.len() == 5 && told.values().all(|times| 0 < *times), "{told:?}");
}

/// The stamp of a line of syslog, either old (of 2027) or ISO, and what follows it.
fn stamped(line: &str) -> Option<(chrono::NaiveDateTime, &str)> {
    if let Some((stamp, rest)) = line.split_once(' ')
        && let Ok(time) = chrono::DateTime::parse_from_rfc3339(stamp)
    {
        return Some((time.naive_utc(), rest));
    }
    let (stamp, rest) = line.split_at_checked(15)?;
    let time = chrono::NaiveDateTime::parse_from_str(&format!("2027 {stamp}"), "%Y %b %e %H:%M:%S").ok()?;
    Some((time, rest.trim_start()))
}

/// What `journalctl -o json` prints of a log of syslog.
fn journal(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let entry = |line: &str| {
        let (time, rest) = stamped(line)?;
        let (host, rest) = rest.split_once(' ')?;
        let (tag, message) = rest.split_once(": ")?;
        let (program, pid) = tag.trim_end_matches(']').split_once('[').unwrap_or((tag, "1"));
        let entry = serde_json::json!({
            "__REALTIME_TIMESTAMP": time.and_utc().timestamp_micros().to_string(), "_HOSTNAME": host,
            "SYSLOG_IDENTIFIER": program, "_PID": pid, "MESSAGE": message,
        });
        Some(format!("{entry}\n"))
    };
    text.lines().filter_map(entry).collect::<String>().into_bytes()
}

#[test]
fn days_of_a_journal_give_the_report_of_one_scan() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers = Days::new();
    for name in ["blocklisted", "abused"] {
        let text = journal(&read(&root().join(format!("samples/postfix/{name}.log"))));
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let (today, yesterday) = (format!("{name}.json"), format!("{name}.json.1"));
        let (first, second) = lines.split_at(lines.len() / 3);
        std::fs::write(folder.path().join(&yesterday), first.concat()).unwrap();
        std::fs::write(folder.path().join(&today), second.concat()).unwrap();
        servers.insert(name.to_owned(), vec![yesterday, today]);
    }
    let report = check("journal", folder.path(), &servers);
    assert!(!report["blocklistings"].as_array().unwrap().is_empty());
    assert!(report["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "open-relay"));
}
