//! Wrapped, pasted and damaged logs: whatever stands around the lines of a log, the report says the same of them.

#![allow(clippy::unwrap_used)]

mod common;

use common::root;
use relayaudit::clock::Zone;
use relayaudit::fold::{Filter, Rejected};
use relayaudit::scan::{self, Plan, Watch};
use relayaudit::source::{self, Reading};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const LOG: &str = "wrapped.log";

fn run(folder: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(folder).args(["scan", LOG, "--format", "json", "--quiet", "--tz", "UTC", "--year", "2027"]);
    command.args(["--local-domain", "norbrook.example", "--trusted-net", "10.20.0.0/16"]);
    let done = command.output().unwrap();
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)))
}

fn scan_text(text: &[u8]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(LOG), text).unwrap();
    run(folder.path())
}

/// The report without what wrapping may change: the lines as they stand, and how many bytes and lines were read.
fn essence(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for key in ["text", "bytes", "lines", "ignored", "assumptions"] {
                    if key != "bytes" || members.contains_key("format") {
                        members.remove(key);
                    }
                }
                members.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut report);
    report
}

/// The first line of evidence: its number and its text.
fn evidence(report: &Value) -> (usize, String) {
    let line = &report["findings"][0]["evidence"][0];
    (line["line"].as_u64().unwrap().try_into().unwrap(), line["text"].as_str().unwrap().to_owned())
}

fn sample(name: &str) -> Vec<String> {
    let bytes = std::fs::read(root().join("samples").join(name)).unwrap();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

/// `2027-01-18T06:30:19.209322+00:00 HOST REST` as host, rest and microseconds.
fn parts(line: &str) -> (&str, &str, String) {
    let (stamp, rest) = line.split_once(' ').unwrap();
    let (host, rest) = rest.split_once(' ').unwrap();
    let time = chrono::DateTime::parse_from_rfc3339(stamp).unwrap();
    (host, rest, time.timestamp_micros().to_string())
}

fn bsd(line: &str) -> String {
    let (stamp, rest) = line.split_once(' ').unwrap();
    let time = chrono::DateTime::parse_from_rfc3339(stamp).unwrap();
    format!("{} {rest}", time.format("%b %e %H:%M:%S"))
}

fn stamp(line: &str) -> &str {
    line.split_once(' ').unwrap().0
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn journald(line: &str, bytes: bool) -> String {
    let (host, rest, micros) = parts(line);
    let (program, message) = rest.split_once(": ").unwrap();
    let (tag, pid) = program.trim_end_matches(']').split_once('[').unwrap_or((program, ""));
    let message: Value = if bytes { message.as_bytes().into() } else { message.into() };
    let mut object = serde_json::json!({
        "__CURSOR": "s=1", "__REALTIME_TIMESTAMP": micros, "_HOSTNAME": host, "SYSLOG_IDENTIFIER": tag,
        "MESSAGE": message, "PRIORITY": "6", "_CMDLINE": "smtpd -n \"smtp\" {[",
    });
    if !pid.is_empty() {
        object["_PID"] = pid.into();
    }
    object.to_string()
}

fn docker(line: &str) -> String {
    serde_json::json!({"log": bsd(line) + "\n", "stream": "stdout", "time": stamp(line)}).to_string()
}

fn short_full(line: &str) -> String {
    let (stamp, rest) = line.split_once(' ').unwrap();
    let time = chrono::DateTime::parse_from_rfc3339(stamp).unwrap();
    format!("{} {rest}", time.format("%a %Y-%m-%d %H:%M:%S%.6f UTC"))
}

fn short_precise(line: &str) -> String {
    let (stamp, rest) = line.split_once(' ').unwrap();
    let time = chrono::DateTime::parse_from_rfc3339(stamp).unwrap();
    format!("{} {rest}", time.format("%b %d %H:%M:%S%.6f"))
}

fn short_unix(line: &str) -> String {
    let (host, rest, micros) = parts(line);
    let (seconds, micros) = micros.split_at(micros.len() - 6);
    format!("{seconds}.{micros} {host} {rest}")
}

type Wrap = (&'static str, fn(&str) -> String);

#[test]
fn every_wrapping_gives_the_report_of_the_plain_log() {
    let wraps: &[Wrap] = &[
        ("grep", |line| format!("/var/log/mail.log.1:{line}")),
        ("grep, numbers", |line| format!("mail-2027.log:12:{line}")),
        ("grep on Windows", |line| format!(r"C:\Mail logs\mail.log:{line}")),
        ("compose", |line| format!("mail-1  | {line}")),
        ("compose, colours", |line| format!("\x1b[36mmail-1  | \x1b[0m{line}")),
        ("compose, stamps", |line| format!("mail-1  | {}Z {}", &stamp(line)[..26], bsd(line))),
        ("kubectl", |line| format!("{} {line}", stamp(line))),
        ("kubectl, no year inside", |line| format!("{} {}", stamp(line), bsd(line))),
        ("container file", |line| format!("{} stdout F {}", stamp(line), bsd(line))),
        ("docker", docker),
        ("nested", |line| format!("{} dockerhost mail[406]: {}", stamp(line), bsd(line))),
        ("fail2ban-regex", |line| format!("|  {line}")),
        ("quoted", |line| format!("> {line}")),
        ("indented", |line| format!("    {line}")),
        ("network", |line| format!("<22>{line}")),
        ("network, counted", |line| format!("{} <22>{line}", line.len() + 4)),
        ("journald", |line| journald(line, false)),
        ("journald, bytes", |line| journald(line, true)),
        ("journalctl short-full", short_full),
        ("journalctl short-precise", short_precise),
        ("journalctl short-unix", short_unix),
        ("web page", escape),
        ("CR LF", |line| format!("{line}\r")),
        ("facility and severity", |line| {
            let (host, rest, _) = parts(line);
            format!("{} {host} mail:info {rest}", stamp(line))
        }),
    ];
    for log in ["postfix/abused.log", "postfix/filtered.log"] {
        let lines = sample(log);
        let plain = scan_text((lines.join("\n") + "\n").as_bytes());
        assert_eq!(plain["verdict"]["cause"], "open-relay", "{log}");
        let plain = essence(plain);
        for (name, wrap) in wraps {
            let text = lines.iter().map(|line| wrap(line) + "\n").collect::<String>();
            let got = scan_text(text.as_bytes());
            let input = &got["coverage"]["inputs"][0];
            assert_eq!(input["unparsed"], plain["coverage"]["inputs"][0]["unparsed"], "{log}, {name}");
            let (place, shown) = evidence(&got);
            assert!(wrap(&lines[place - 1]).trim_end().starts_with(&shown), "{log}, {name}: {shown}");
            assert_eq!(essence(got), plain, "{log}, {name}");
        }
    }
}

#[test]
fn the_newest_line_may_come_first() {
    let lines = sample("postfix/abused.log");
    let plain = scan_text((lines.join("\n") + "\n").as_bytes());
    // The same, but for the numbers of the lines, which are counted from the other end.
    let number = regex::Regex::new(r#"(wrapped\.log:|"line":)([0-9]+)"#).unwrap();
    let text = essence(plain).to_string();
    let turned = number.replace_all(&text, |found: &regex::Captures<'_>| {
        format!("{}{}", &found[1], lines.len() + 1 - found[2].parse::<usize>().unwrap())
    });
    for wrap in [|line: &str| line.to_owned(), bsd, |line: &str| journald(line, false)] {
        let newest_first: String = lines.iter().rev().map(|line| wrap(line) + "\n").collect();
        let got = scan_text(newest_first.as_bytes());
        let (place, shown) = evidence(&got);
        assert!(wrap(&lines[lines.len() - place]).starts_with(&shown), "{place}: {shown}");
        assert_eq!(essence(got).to_string(), turned);
    }
}

#[test]
fn any_format_may_stand_behind_a_wrapping() {
    let wraps: &[Wrap] = &[
        ("grep", |line| format!("/var/log/a.log:{line}")),
        ("grep on Windows", |line| format!(r"D:\Log files\SMTPSVC1\ex.log:12:{line}")),
        ("compose", |line| format!("mail-1  | {line}")),
        ("compose, stamps", |line| format!("mail-1  | 2027-01-18T06:30:19.5Z {line}")),
        ("docker", |line| {
            serde_json::json!({"time": "2027-01-18T06:30:19.5Z", "log": format!("{line}\r\n"), "stream": "stderr"})
                .to_string()
        }),
        ("shipped", |line| serde_json::json!({"message": line, "tags": [{"a": "}"}]}).to_string()),
        ("quoted", |line| format!("> {line}")),
    ];
    for (log, cause) in [
        ("exim/abused.log", "open-relay"),
        ("iis-smtp-w3c/abused.log", "open-relay"),
        ("exchange2000-tracking/abused.log", "open-relay"),
    ] {
        let lines = sample(log);
        let plain = scan_text((lines.join("\n") + "\n").as_bytes());
        assert_eq!(plain["verdict"]["cause"], cause, "{log}");
        let plain = essence(plain);
        for (name, wrap) in wraps {
            let text = lines.iter().map(|line| wrap(line) + "\n").collect::<String>();
            assert_eq!(essence(scan_text(text.as_bytes())), plain, "{log}, {name}");
        }
    }
}

/// The text as a terminal of some columns shows it, lines broken where they reach the edge.
fn broken(lines: &[String], width: usize, edge_blank: bool) -> (String, u64) {
    let (mut text, mut pieces) = (String::new(), 0);
    for line in lines {
        assert!(line.is_ascii());
        for piece in line.as_bytes().chunks(width) {
            let piece = std::str::from_utf8(piece).unwrap();
            // A blank at the edge is lost when the text is copied.
            let shown =
                if edge_blank && piece.len() == width { piece.strip_suffix(' ').unwrap_or(piece) } else { piece };
            text += shown;
            text += "\n";
            pieces += 1;
        }
    }
    (text, pieces)
}

#[test]
fn lines_broken_by_a_terminal_are_put_together_again() {
    let lines = sample("postfix/abused.log");
    let plain = scan_text((lines.join("\n") + "\n").as_bytes());
    let sums = |report: &Value| {
        let findings = report["findings"].as_array().unwrap();
        let of = |finding: &Value| {
            (finding["subject"].clone(), finding["recipients_accepted"].clone(), finding["rule"].clone())
        };
        findings.iter().map(of).collect::<Vec<_>>()
    };
    for (width, edge_blank) in [(80, false), (80, true), (132, true), (97, false)] {
        let (text, pieces) = broken(&lines, width, edge_blank);
        let got = scan_text(text.as_bytes());
        let input = &got["coverage"]["inputs"][0];
        let plain_input = &plain["coverage"]["inputs"][0];
        assert_eq!(input["lines"], pieces, "{width}");
        for same in ["records", "unparsed"] {
            assert_eq!(input[same], plain_input[same], "{same} at {width}");
        }
        assert_eq!(sums(&got), sums(&plain), "{width}");
        let (place, shown) = evidence(&got);
        assert!(shown.starts_with(text.lines().nth(place - 1).unwrap()), "{shown}");
        assert!(lines.iter().any(|line| line.starts_with(&shown)), "{shown}");
    }
}

#[test]
fn any_cut_of_a_wrapped_log_gives_one_ledger() {
    let lines = sample("postfix/filtered.log");
    let lines = &lines[..lines.len().min(400)];
    let wrapped = |wrap: fn(&str) -> String| lines.iter().map(|line| wrap(line) + "\n").collect::<String>();
    let reversed: String = lines.iter().rev().map(|line| journald(line, false) + "\n").collect();
    let texts = [
        wrapped(|line| journald(line, true)),
        wrapped(docker),
        wrapped(|line| format!("mail.log:{line}")),
        reversed,
        broken(lines, 80, true).0,
        wrapped(escape),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOG);
    for text in texts {
        std::fs::write(&path, &text).unwrap();
        let ledger = |chunk_bytes: usize| {
            let reading = Reading { format: None, zone: Zone::Named(chrono_tz::UTC), year: Some(2027) };
            let logs = source::open(&[path.to_str().unwrap().to_owned()], &reading).logs;
            assert!(logs.iter().all(|log| !log.layout.is_plain()));
            scan::scan(logs, Plan { chunk_bytes, ahead: 2 }, &Filter::default(), &mut Quiet)
        };
        let whole = ledger(1 << 22);
        assert!(200 < whole.inputs.values().map(|input| input.records).sum::<u64>());
        for chunk_bytes in [1, 300, 1000, 4321, 20_000] {
            assert!(ledger(chunk_bytes) == whole, "{chunk_bytes}: {}", &text[..200]);
        }
    }
}

struct Quiet;

impl Watch for Quiet {
    fn folded(&mut self, _: u64) {}
    fn rejected(&mut self, _: &str, _: &[Rejected]) {}
}

#[test]
fn repetitions_that_the_logger_counted_are_counted() {
    let line = |body: &str| format!("2027-01-18T06:30:19+00:00 mx1 postfix/smtpd[1]: {body}\n");
    let reject = "NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 <b@example.net>: Relay access denied; \
                  from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>";
    let log = |last: &str| [line("connect from x[192.0.2.1]"), line(reject), last.to_owned()].concat();
    let counted = scan_text(log(&line(&format!("message repeated 4 times: [ {reject}]"))).as_bytes());
    let written = scan_text(log(&line(reject).repeat(4)).as_bytes());
    let denied = |report: &Value| report["findings"][0]["recipients_denied"].as_u64().unwrap();
    assert_eq!((denied(&counted), denied(&written)), (5, 5));
    // syslogd does not say what it is that was repeated.
    let unsaid = scan_text(log("2027-01-18T06:30:19+00:00 mx1 last message repeated 4 times\n").as_bytes());
    assert_eq!(denied(&unsaid), 1);
    assert_eq!(unsaid["coverage"]["inputs"][0]["ignored"], 1);
}

#[test]
fn what_was_made_unreadable_accuses_nobody() {
    let message = |id: &str, client: &str, to: &str| {
        let line = |rest: String| format!("Jan 18 06:30:19 mx1 postfix/{rest}\n");
        [
            line(format!("smtpd[1]: {id}: client={client}")),
            line(format!("qmgr[2]: {id}: from=<[email protected]>, size=900, nrcpt=1 (queue active)")),
            line(format!(
                "smtp[3]: {id}: to=<{to}>, relay=m[x.x.x.x]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
            )),
            line(format!("qmgr[2]: {id}: removed")),
        ]
        .concat()
    };
    let verdicts = |text: String| {
        let report = scan_text(text.as_bytes());
        assert_eq!(report["coverage"]["inputs"][0]["unparsed"], 0, "{text}");
        report["totals"]["by_verdict"].clone()
    };
    let only = |verdict: &str| serde_json::json!({ verdict: 1 });
    let check = |client: &str, to: &str, verdict: &str| {
        let got = verdicts(message("AAAAAA1", client, to));
        let nonzero: serde_json::Map<String, Value> =
            got.as_object().unwrap().iter().filter(|(_, n)| **n != 0).map(|(k, n)| (k.clone(), n.clone())).collect();
        assert_eq!(Value::Object(nonzero), only(verdict), "{client} {to}");
    };
    check("x[203.0.113.7]", "a@example.net", "relayed-unauthorised");
    check("x[203.0.113.7]", "[email protected]", "unknown");
    check("x[203.0.113.7]", "[email\u{a0}protected]", "unknown");
    check("unknown[xxx.xxx.202.132]", "a@example.net", "unknown");
    check("unknown[***]", "***", "unknown");
    check("x[203.0.113.7], sasl_method=LOGIN, [email protected]", "a@example.net", "outbound-account");
}

#[test]
fn a_log_without_host_names_is_understood() {
    let lines = sample("postfix/abused.log");
    let bare: String = lines.iter().map(|line| line.replacen(" mx1 ", " ", 1) + "\n").collect();
    let report = scan_text(bare.as_bytes());
    assert_eq!(report["verdict"]["cause"], "open-relay");
    assert_eq!(report["coverage"]["inputs"][0]["unparsed"], 0);
}

#[test]
fn units_of_systemd_stand_for_the_daemon() {
    // `journalctl -o with-unit` does not tell which of Postfix's programs wrote a line.
    let lines = sample("postfix/abused.log");
    let named: String = lines
        .iter()
        .map(|line| {
            let line = short_full(line);
            let (start, end) = (line.find(" postfix/").unwrap_or(0), line.find('[').unwrap_or(0));
            if start == 0 { line + "\n" } else { format!("{} postfix@-.service{}\n", &line[..start], &line[end..]) }
        })
        .collect();
    assert!(named.contains(" mx1 postfix@-.service["));
    let report = scan_text(named.as_bytes());
    assert_eq!(report["verdict"]["cause"], "open-relay");
    assert_eq!(report["coverage"]["inputs"][0]["unparsed"], 0);
}
