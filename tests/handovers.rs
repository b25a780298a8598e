//! One estate in three logs: mail that a server passed to another counts once, for whoever handed it in first.

#![allow(clippy::unwrap_used)]

mod common;

use common::root;
use serde_json::{Value, json};
use std::process::Command;

fn scan(logs: &[&str], options: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root().join("samples/handed-on")).arg("scan").args(logs).args(options);
    let done = command.args(["--format", "json", "--tz", "UTC", "--quiet"]).output().unwrap();
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

const OURS: [&str; 4] = ["--local-domain", "example.org", "--trusted-net", "10.0.0.0/24"];

fn accused(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|f| (f["rule"].as_str().unwrap(), f["subject"]["value"].as_str().unwrap())).collect()
}

#[test]
fn the_thief_is_accused_and_not_the_server_that_passed_his_mail_on() {
    let report = scan(&["."], &OURS);
    assert_eq!(report["verdict"]["cause"], "compromised-account");
    assert_eq!(accused(&report), [("compromised-account", "anna")]);
    let finding = &report["findings"][0];
    // 120 messages of three recipients, and four honest ones; the last server of the chain knows which were refused.
    assert_eq!((&finding["messages"], &finding["recipients_accepted"]), (&json!(124), &json!(364)));
    assert_eq!(finding["recipients_bounced"], 95);
    // Of the gateway's log alone no more can be told than that the web server sends spam.
    let alone = scan(&["mx1-mail.log"], &OURS);
    assert_eq!(accused(&alone), [("abused-trusted-host", "10.0.0.7")]);
}

#[test]
fn each_recipient_counts_once() {
    let report = scan(&["."], &OURS);
    assert_eq!(report["totals"]["by_verdict"], json!({"inbound": 60, "outbound-account": 374}));
    assert_eq!((&report["totals"]["messages"], &report["totals"]["recipients"]), (&json!(164), &json!(434)));
    let rows: Vec<Value> = ["from", "to", "client", "messages", "recipients", "recipients_unauthorised"]
        .iter()
        .map(|field| report["handovers"].as_array().unwrap().iter().map(|row| row[field].clone()).collect())
        .collect();
    let want = json!([["", "mx1"], ["mx1", "ex1"], ["10.0.0.7", "10.0.0.1"], [134, 30], [374, 60], [0, 0]]);
    assert_eq!(Value::from(rows), want);
    // Each server keeps what it took in itself, and is judged by what is its own.
    let servers = report["servers"].as_array().unwrap();
    let servers: Vec<_> = servers.iter().map(|row| (row["messages"].as_u64(), row["cause"].as_str())).collect();
    assert_eq!(
        servers,
        [(Some(134), Some("compromised-account")), (Some(30), Some("clean")), (Some(164), Some("clean"))]
    );
}

#[test]
fn a_server_whose_address_is_not_trusted_is_named_and_counts_twice() {
    let elsewhere = ["--local-domain", "example.org", "--trusted-net", "192.0.2.0/24"];
    let report = scan(&["."], &elsewhere);
    let row = &report["handovers"][0];
    assert_eq!((&row["client"], &row["recipients"]), (&json!("10.0.0.7"), &json!(0)));
    assert_eq!(row["recipients_unauthorised"], 374);
    assert!(accused(&report).contains(&("open-relay", "10.0.0.7")));
}
