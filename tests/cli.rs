//! The command line: bad input is named, the rest is still reported, and the exit status tells.

#![allow(clippy::unwrap_used)]

mod common;

use common::root;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_relayaudit")).current_dir(folder).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const LINE: &str = "2026-11-24T10:00:00.000000+00:00 mx postfix/smtpd[1]: connect from a.example.org[192.0.2.1]\n";

/// Fails unless the run gave this status and said each of these things on stderr.
fn check(done: &Output, status: i32, said: &[&str]) {
    let stderr = text(&done.stderr);
    assert_eq!(done.status.code(), Some(status), "{stderr}");
    for part in said {
        assert!(stderr.contains(part), "{part:?} is not in {stderr:?}");
    }
}

#[test]
fn paths_that_lead_nowhere_are_named_and_the_rest_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("mail.log"), LINE).unwrap();
    std::fs::write(here.join("noise.bin"), [0u8, 1, 2, 3, 255]).unwrap();
    std::fs::write(here.join("letter.txt"), "Dear admin,\nplease help\n").unwrap();
    std::fs::create_dir(here.join("empty")).unwrap();
    let missing = run(here, &["scan", "mail.log", "gone.log", "--format", "json"]);
    check(&missing, 2, &["relayaudit: gone.log: no such file or folder"]);
    let report: serde_json::Value = serde_json::from_slice(&missing.stdout).unwrap();
    assert_eq!(report["coverage"]["inputs"][0]["records"], 1);
    check(&run(here, &["scan", "empty"]), 2, &["empty: the folder holds no files"]);
    check(&run(here, &["scan", "noise.bin"]), 2, &["noise.bin: a binary file, not a log"]);
    check(&run(here, &["scan", "letter.txt"]), 2, &["letter.txt: no known log format"]);
    check(&run(here, &["scan", "*.nothing"]), 2, &["*.nothing: no file matches this pattern"]);
    // In a folder, files that are no logs are left out, and said.
    check(&run(here, &["scan", "."]), 0, &["noise.bin: left out: a binary file, not a log"]);
}

#[test]
fn a_gzip_that_ends_early_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    for number in 0..20_000 {
        packed.write_all(LINE.replace("[1]", &format!("[{}]", number * 7 % 32_768)).as_bytes()).unwrap();
    }
    let packed = packed.finish().unwrap();
    std::fs::write(folder.path().join("mail.log.gz"), &packed[..packed.len() / 2]).unwrap();
    let done = run(folder.path(), &["scan", "mail.log.gz", "--format", "json"]);
    check(&done, 2, &["mail.log.gz: the gzip data ends early; read as far as it goes"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let input = &report["coverage"]["inputs"][0];
    assert!(5_000 < input["lines"].as_u64().unwrap(), "{input}");
    assert_eq!(input["problems"][0], "the gzip data ends early; read as far as it goes");
}

#[test]
fn wrong_options_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("mail.log"), LINE).unwrap();
    std::fs::write(here.join("site.toml"), "local_domains = [\"example.org\"]\ntrusted_network = [\"10.0.0.0/8\"]\n")
        .unwrap();
    check(&run(here, &["scan", "mail.log", "--trusted-net", "10.0.0.0/40"]), 2, &["--trusted-net", "10.0.0.0/40"]);
    check(
        &run(here, &["scan", "mail.log", "--site", "site.toml"]),
        2,
        &["site.toml:2", "did you mean `trusted_networks`"],
    );
    check(&run(here, &["scan", "mail.log", "--tz", "Europe/Berlim"]), 2, &["did you mean `Europe/Berlin`"]);
    check(&run(here, &["scan", "mail.log", "--log-format", "postfx"]), 2, &["did you mean `postfix`"]);
    check(&run(here, &["scan", "mail.log", "--ignore", "("]), 2, &["--ignore"]);
    check(&run(here, &["scan", "mail.log", "--since", "yesterday"]), 2, &["`yesterday` is not a time"]);
    check(&run(here, &["explain", "open-rely"]), 2, &["open-relay"]);
}

#[test]
fn unparsed_lines_are_written_out_with_place_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let broken = "2026-11-24T10:00:00.000000+00:00 mx postfix/smtp[1]: ABCDEF1: to=bob, relay=none, status=sent (x)\n";
    std::fs::write(here.join("mail.log"), format!("{LINE}{broken}")).unwrap();
    let done = run(here, &["scan", "mail.log", "--unparsed", "bad.txt", "--format", "json"]);
    check(&done, 0, &[]);
    let bad = std::fs::read_to_string(here.join("bad.txt")).unwrap();
    assert!(bad.starts_with("mail.log:2:") && bad.contains("expected `<`") && bad.ends_with(broken), "{bad}");
}

#[test]
fn standard_input_and_a_closed_pipe() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_relayaudit"))
        .args(["scan", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(LINE.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["coverage"]["inputs"][0]["path"], "-");
    assert_eq!(done.status.code(), Some(0));
    let mut child = Command::new(env!("CARGO_BIN_EXE_relayaudit"))
        .current_dir(root())
        .args(["scan", "samples", "--format", "json", "--quiet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn two_copies_of_a_log_are_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // Larger than what is looked at to recognise a file.
    std::fs::write(here.join("mail.log"), LINE.repeat(5000)).unwrap();
    std::fs::write(here.join("copy.log"), LINE.repeat(5000)).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(LINE.repeat(5000).as_bytes()).unwrap();
    std::fs::write(here.join("mail.log.1.gz"), packed.finish().unwrap()).unwrap();
    let done = run(here, &["scan", ".", "--format", "json"]);
    check(&done, 0, &["the same bytes as"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["totals"]["sessions"], 5000);
}

#[test]
fn mail_outside_the_window_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("mail.log"), LINE.to_owned() + &LINE.replace("T10", "T12")).unwrap();
    let sessions = |args: &[&str]| {
        let all = [&["scan", "mail.log", "--format", "json", "--tz", "UTC"], args].concat();
        let report: serde_json::Value = serde_json::from_slice(&run(here, &all).stdout).unwrap();
        report["totals"]["sessions"].as_u64().unwrap()
    };
    assert_eq!(sessions(&[]), 2);
    assert_eq!(sessions(&["--since", "2026-11-24T11:00"]), 1);
    assert_eq!(sessions(&["--until", "2026-11-24T12:00:00Z"]), 1);
    assert_eq!(sessions(&["--since", "2026-11-25"]), 0);
}

#[test]
fn formats_and_rules_are_listed_and_explained() {
    let here = root();
    for name in ["postfix", "iis-smtp-w3c", "exchange2000-tracking"] {
        assert!(text(&run(here, &["formats"]).stdout).contains(name));
    }
    let first = ["open-relay", "relay-probe", "relay-trick", "spoofed-local-sender", "helo-impersonation"];
    for rule in first.into_iter().chain(["lookalike-domain", "null-sender-abuse", "backscatter-victim"]) {
        assert!(text(&run(here, &["explain"]).stdout).contains(rule));
        let explained = text(&run(here, &["explain", rule]).stdout);
        assert!(explained.contains("What to do") && explained.contains("Where it comes from"), "{explained}");
    }
}
