//! Every sample gives the verdict, the offenders and the exact counts that `samples/expected.json` states,
//! with the stated site; and nobody else is accused.

#![allow(clippy::unwrap_used)]

mod common;

use common::root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// Runs `scan` on a sample, and returns the report.
fn scan(log: &str, expected: &Value) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root().join("samples")).args(["scan", log, "--format", "json", "--tz", "UTC", "--quiet"]);
    for (field, option) in [
        ("local_domains", "--local-domain"),
        ("trusted_networks", "--trusted-net"),
        ("server_names", "--server-name"),
        ("server_addresses", "--server-ip"),
    ] {
        for value in expected["site"][field].as_array().into_iter().flatten() {
            command.args([option, value.as_str().unwrap()]);
        }
    }
    if let Some(year) = expected["year"].as_i64() {
        command.args(["--year", &year.to_string()]);
    }
    let done = command.output().unwrap();
    assert!(matches!(done.status.code(), Some(0 | 1)), "{log}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Client to number, of all findings of some rules.
fn found(report: &Value, rules: &[&str], field: &str) -> BTreeMap<String, u64> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|finding| rules.contains(&finding["rule"].as_str().unwrap()))
        .map(|finding| (finding["subject"]["value"].as_str().unwrap().to_owned(), finding[field].as_u64().unwrap()))
        .collect()
}

fn stated(expected: &Value, field: &str) -> BTreeMap<String, u64> {
    let numbers = expected[field].as_object().into_iter().flatten();
    numbers.map(|(client, number)| (client.clone(), number.as_u64().unwrap())).collect()
}

/// Rule to subject to severity, of the rules that the label names.
fn severities(report: &Value, rules: &Value) -> Value {
    let mut found = serde_json::Map::new();
    for rule in rules.as_object().into_iter().flat_map(|rules| rules.keys()) {
        let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == rule.as_str());
        let named = findings.map(|f| (f["subject"]["value"].as_str().unwrap().to_owned(), f["severity"].clone()));
        found.insert(rule.clone(), Value::Object(named.collect()));
    }
    Value::Object(found)
}

#[test]
fn every_sample_is_judged_as_labelled() {
    let text = std::fs::read(root().join("samples/expected.json")).unwrap();
    let all: BTreeMap<String, Value> = serde_json::from_slice(&text).unwrap();
    assert!(6 < all.len());
    for (log, expected) in &all {
        let report = scan(log, expected);
        let cause = report["verdict"]["cause"].as_str().unwrap();
        match expected["cause"].as_str().unwrap() {
            // A server that was never abused may have been probed, or lied to.
            "clean" => assert!(["clean", "probes-only", "inbound-only"].contains(&cause), "{log}: {cause}"),
            cause_expected => assert_eq!(cause, cause_expected, "{log}"),
        }
        assert_eq!(found(&report, &["open-relay"], "recipients_accepted"), stated(expected, "relayed"), "{log}");
        assert_eq!(found(&report, &["relay-probe"], "recipients_denied"), stated(expected, "denied"), "{log}");
        if expected["findings"].is_object() {
            assert_eq!(severities(&report, &expected["findings"]), expected["findings"], "{log}");
        }
    }
}

#[test]
fn a_burst_at_night_is_told_and_no_abuse() {
    let text = std::fs::read(root().join("samples/expected.json")).unwrap();
    let all: BTreeMap<String, Value> = serde_json::from_slice(&text).unwrap();
    let report = scan("exim/volume.log", &all["exim/volume.log"]);
    let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{}", report["findings"]) };
    assert_eq!((&finding["rule"], &finding["severity"]), (&"volume-anomaly".into(), &"medium".into()), "{finding}");
    assert_eq!((&finding["subject"]["value"], &finding["messages"]), (&"carla".into(), &44.into()), "{finding}");
    assert_eq!(finding["recipients_accepted"], 44, "{finding}");
    assert!(!finding["evidence"].as_array().unwrap().is_empty(), "{finding}");
    assert_eq!(report["verdict"]["cause"], "clean");
}

#[test]
fn the_whole_folder_is_an_open_relay_by_any_number_of_threads() {
    let run = |threads: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
        command.current_dir(root()).args(["scan", "samples", "--format", "json", "--tz", "UTC", "--year", "2026"]);
        command.args(["--threads", threads]).output().unwrap()
    };
    let one = run("1");
    let report: Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!(report["verdict"]["cause"], "open-relay");
    assert_eq!(one.status.code(), Some(1));
    assert_eq!(run("3").stdout, one.stdout);
}
