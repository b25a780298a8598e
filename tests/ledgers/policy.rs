//! What if that network were yours? A ledger is judged by any policy, as its logs would be, when they are long gone.

use super::common::root;
use super::{ALIKE, run, scan_to};
use serde_json::Value;
use std::path::Path;

/// A folder with a log and its ledger.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(root().join("samples/postfix/abused.log"), folder.path().join("mail.log")).unwrap();
    assert_eq!(scan_to(folder.path(), "mail.log", &folder.path().join("a.ledger")).status.code(), Some(1));
    folder
}

/// The report on the ledger, once it is the same, byte for byte, as that on the log by the same policy.
fn judge(folder: &Path, policy: &[&str]) -> Value {
    for format in ["json", "text"] {
        let scanned = run(folder, &[&["scan", "mail.log"], &ALIKE[..], &[format], policy].concat());
        let hidden = folder.join("hidden");
        std::fs::rename(folder.join("mail.log"), &hidden).unwrap();
        let judged = run(folder, &[&["report", "a.ledger", "--format", format], policy].concat());
        std::fs::rename(&hidden, folder.join("mail.log")).unwrap();
        assert!(judged.stdout == scanned.stdout, "{policy:?} {}", String::from_utf8_lossy(&judged.stderr));
        assert_eq!(judged.status.code(), scanned.status.code(), "{policy:?}");
    }
    let done = run(folder, &[&["report", "a.ledger", "--format", "json"], policy].concat());
    serde_json::from_slice(&done.stdout).unwrap()
}

fn of<'r>(report: &'r Value, rule: &str) -> Vec<&'r Value> {
    report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == rule).collect()
}

#[test]
fn a_network_that_is_trusted_after_all_makes_the_open_relay_vanish() {
    let folder = folder();
    let here = folder.path();
    let before = judge(here, &["--local-domain", "norbrook.example"]);
    let mut relays: Vec<&str> =
        of(&before, "open-relay").iter().map(|finding| finding["subject"]["value"].as_str().unwrap()).collect();
    assert!(!relays.is_empty() && before["verdict"]["cause"] == "open-relay", "{}", before["verdict"]);
    // Once a network is stated, none is inferred, and this is where the hosts inside are.
    relays.push("10.0.0.0/8");
    let site = format!("local_domains = [\"norbrook.example\"]\ntrusted_networks = {relays:?}\n");
    std::fs::write(here.join("other.toml"), &site).unwrap();
    let after = judge(here, &["--site", "other.toml"]);
    assert!(of(&after, "open-relay").is_empty(), "{:?}", of(&after, "open-relay"));
    assert_ne!(after["verdict"]["cause"], "open-relay");
    // The file that is read without being asked for.
    std::fs::rename(here.join("other.toml"), here.join("relayaudit.toml")).unwrap();
    let unasked = judge(here, &[]);
    assert!(of(&unasked, "open-relay").is_empty());
}

#[test]
fn a_configuration_is_judged_with_the_ledger() {
    let folder = folder();
    let here = folder.path();
    assert!(of(&judge(here, &[]), "policy-exposure").is_empty());
    let text = "myhostname = mx1.norbrook.example\nmydestination = norbrook.example\nmynetworks = 0.0.0.0/0\n";
    std::fs::write(here.join("main.cf"), text).unwrap();
    let report = judge(here, &["--config", "main.cf"]);
    let exposed = of(&report, "policy-exposure");
    assert!(!exposed.is_empty(), "{}", report["findings"]);
    assert_eq!(exposed[0]["evidence"][0]["path"], "main.cf", "{}", exposed[0]);
    assert!(report["coverage"]["inputs"].as_array().unwrap().iter().any(|input| input["path"] == "main.cf"));
}

#[test]
fn a_policy_that_cannot_be_read_is_a_failure() {
    let folder = folder();
    let done = run(folder.path(), &["report", "a.ledger", "--site", "gone.toml"]);
    assert_eq!((done.status.code(), done.stdout.len()), (Some(2), 0));
    let done = run(folder.path(), &["report", "a.ledger", "--trusted-net", "192.0.2.0/99"]);
    assert_eq!((done.status.code(), done.stdout.len()), (Some(2), 0));
}
