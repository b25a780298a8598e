//! `relayaudit clients`: who hands in mail, by what right.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("clients").args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--format", "json", "--quiet"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `client where right local/foreign/refused`, in the order of the report.
fn rows(report: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let (local, foreign) = (&row["recipients_local"], &row["recipients_foreign"]);
        let sums = format!("{local}/{foreign}/{}", row["recipients_refused"]);
        [text("client"), text("where"), text("right"), sums].join(" ")
    };
    report["clients"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn each_client_by_what_gives_it_the_right() {
    let report = json(&["samples/exchange-three-logs"]);
    assert_eq!(report["schema"], "relayaudit.clients/1");
    let rows = rows(&report);
    assert_eq!(rows[0], "203.0.113.9 outside none 0/35/0");
    assert!(rows.contains(&"198.51.100.20 outside password 0/1/0".to_owned()), "{rows:?}");
    assert!(rows.contains(&"198.51.100.30 outside none 1/0/0".to_owned()), "{rows:?}");
    let account = report["clients"].as_array().unwrap().iter().find(|row| row["right"] == "password").unwrap();
    assert_eq!(account["accounts"][0], "example\\anna");
}

#[test]
fn a_trusted_network_changes_the_right() {
    let rows = rows(&json(&["samples/exchange-three-logs", "--trusted-net", "203.0.113.0/24"]));
    assert_eq!(rows[0], "203.0.113.9 inside address 0/35/0");
}

/// A log of one client that hands in one message with a password and one without.
fn log(helo: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".log").tempfile().unwrap();
    for (id, account) in [("4A1B01", ", sasl_method=PLAIN, sasl_username=anna"), ("4A1B02", "")] {
        let start = "2026-11-24T08:00:00+00:00 mx1";
        writeln!(file, "{start} postfix/smtpd[7]: {id}: client=pc.example.net[198.51.100.7]{account}").unwrap();
        writeln!(file, "{start} postfix/qmgr[8]: {id}: from=<a@example.org>, size=812, nrcpt=1 (queue active)")
            .unwrap();
        let to = format!("{start} postfix/smtp[9]: {id}: to=<b@example.net>, relay=mx.example.net[203.0.113.1]:25");
        writeln!(file, "{to}, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)").unwrap();
        writeln!(file, "{start} postfix/qmgr[8]: {id}: removed").unwrap();
    }
    let refused =
        "NOQUEUE: reject: RCPT from pc.example.net[198.51.100.8]: 554 5.7.1 <c@example.com>: Relay access denied";
    let envelope = format!("from=<a@example.org> to=<c@example.com> proto=ESMTP helo=<{helo}>");
    writeln!(file, "2026-11-24T08:00:00+00:00 mx1 postfix/smtpd[7]: {refused}; {envelope}").unwrap();
    file
}

#[test]
fn a_client_with_two_rights_has_two_rows() {
    let file = log("pc");
    let rows = rows(&json(&[file.path().to_str().unwrap(), "--local-domain", "example.org"]));
    assert_eq!(
        rows,
        ["198.51.100.7 outside none 0/1/0", "198.51.100.7 outside password 0/1/0", "198.51.100.8 outside none 0/0/1"]
    );
}

#[test]
fn what_clients_write_stays_text() {
    let file = log("=cmd|'/C calc'!A0\u{1b}[2J\u{202e}");
    let path = file.path().to_str().unwrap();
    let text = String::from_utf8(run(&[path, "--quiet", "--color", "never"]).stdout).unwrap();
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    assert!(text.contains("Without password and not trusted, to domains that are not yours"), "{text}");
    assert!(text.contains("1 client more got nothing through: 1 recipient refused."), "{text}");
    let csv = String::from_utf8(run(&[path, "--quiet", "--format", "csv"]).stdout).unwrap();
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(
        csv.lines().all(|line| line.split(',').all(|cell| !cell.trim_start_matches('"').starts_with('='))),
        "{csv}"
    );
}

#[test]
fn a_path_that_is_not_there() {
    let output = run(&["no/such.log"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "it does not say that nobody hands in mail");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no/such.log"));
}
