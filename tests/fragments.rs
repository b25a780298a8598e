//! Fragments of logs, as people paste them: nothing is stated of the site, and no more is said than the lines show.

#![allow(clippy::unwrap_used)]

mod common;

use common::{root, samples};
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

fn scan(text: &[u8]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root()).args(["scan", "-", "--format", "json", "--tz", "UTC", "--year", "2027", "--quiet"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

/// So many lines of a log from one on.
fn fragment(text: &[u8], from: usize, lines: usize) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n').skip(from).take(lines).flatten().copied().collect()
}

/// Stretches of 1 to 50 lines of the samples of real servers, spread over each.
fn fragments() -> Vec<(String, Vec<u8>)> {
    const SIZES: [usize; 4] = [1, 5, 20, 50];
    let servers = ["postfix/", "exim/", "sendmail/", "opensmtpd/"];
    let of_servers = samples().into_iter().filter(|(name, ..)| servers.iter().any(|server| name.contains(server)));
    let mut found = Vec::new();
    for (name, _, text) in of_servers {
        let all = text.iter().filter(|byte| **byte == b'\n').count();
        for (at, size) in SIZES.into_iter().enumerate() {
            let from = all.saturating_sub(size) * (2 * at + 1) / 8;
            found.push((format!("{name}, {size} lines from {from}"), fragment(&text, from, size)));
        }
    }
    found
}

#[test]
fn a_fragment_is_never_called_clean() {
    let mut untold = 0;
    for (name, text) in fragments() {
        let verdict = &scan(&text)["verdict"];
        let cause = verdict["cause"].as_str().unwrap();
        assert!(!["clean", "inbound-only"].contains(&cause), "{name}: {verdict}");
        if cause == "insufficient-evidence" {
            untold += 1;
            assert!(verdict["headline"].as_str().unwrap().starts_with("Cannot tell"), "{name}: {verdict}");
            assert!(!verdict["next"].as_array().unwrap().is_empty(), "{name}: says nothing of what would settle it");
        }
    }
    assert!(20 < untold);
}

#[test]
fn fragments_of_servers_that_were_not_open_name_no_open_relay() {
    let closed = |name: &str| name.contains("/clean") || name.contains("/probed");
    for (name, text) in fragments().into_iter().filter(|(name, _)| closed(name)) {
        let verdict = &scan(&text)["verdict"];
        assert_ne!(verdict["cause"], "open-relay", "{name}: {verdict}");
    }
}

#[test]
fn abuse_that_a_fragment_shows_is_told_with_the_doubt_about_whose_it_is() {
    let (_, _, text) = samples().into_iter().find(|(name, ..)| name.ends_with("sendmail/abused.log")).unwrap();
    let verdict = &scan(&fragment(&text, 150, 54))["verdict"];
    assert_eq!(verdict["cause"], "open-relay");
    assert!(verdict["headline"].as_str().unwrap().contains("unless"), "{verdict}");
}
