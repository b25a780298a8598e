//! `relayaudit sweep` as cron runs it: quiet, killed, with logs and states that are not what they should be.

#![allow(clippy::unwrap_used)]

mod common;
#[cfg(unix)]
#[path = "sweep_cli/unix.rs"]
mod unix;

use common::root;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &[u8]) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Output {
        command(self.folder.path()).args(args).output().unwrap()
    }

    fn sweep(&self, options: &[&str]) -> Output {
        self.run(&[&["sweep", "--state", "state", "--tz", "UTC"], options].concat())
    }

    /// The report of the state must be that of one scan of all logs, byte for byte.
    fn check(&self, logs: &[&str], what: &str) {
        let scanned = self.run(&[&["scan", "--quiet", "--tz", "UTC", "--format", "json"], logs].concat());
        let reported = self.run(&["report", "--state", "state", "--format", "json"]);
        assert!(!scanned.stdout.is_empty(), "{what}");
        assert!(scanned.stdout == reported.stdout, "{what}: {}", String::from_utf8_lossy(&reported.stderr));
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(folder).env_remove("RELAYAUDIT_WEBHOOK");
    command
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(root().join("samples").join(name)).unwrap()
}

/// Fails unless the run gave this status, said each of these things on standard error and printed each of those.
fn expect(done: &Output, status: i32, said: &[&str], printed: &[&str]) {
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(status), "{out}\n{err}");
    said.iter().for_each(|part| assert!(err.contains(part), "{part:?} is not in {err:?}"));
    printed.iter().for_each(|part| assert!(out.contains(part), "{part:?} is not in {out:?}"));
    assert!(!said.is_empty() || err.is_empty(), "{err}");
    assert!(!printed.is_empty() || out.is_empty(), "{out}");
}

#[test]
fn news_are_told_once() {
    let place = Place::new();
    let text = sample("postfix/abused.log");
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    place.append("mail.log", &sample("postfix/clean.log"));
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    std::fs::rename(place.path("mail.log"), place.path("mail.log.1")).unwrap();
    place.append("mail.log", &lines.concat());
    let told = place.sweep(&["mail.log", "mail.log.1"]);
    expect(&told, 1, &[], &["new: ", "open-relay (", "mail.log:", "relayaudit report --state state"]);
    expect(&place.sweep(&["mail.log", "mail.log.1"]), 0, &[], &[]);
    expect(&place.sweep(&["mail.log", "mail.log.1", "--nagios"]), 2, &[], &["RELAYAUDIT CRITICAL - ", "| findings="]);
    place.check(&["mail.log", "mail.log.1"], "after news");
    expect(
        &place.run(&["sweep", "--state", "state", "--status"]),
        0,
        &[],
        &["open-relay", "mail.log (postfix): 394 lines"],
    );
    expect(&place.run(&["sweep", "--state", "state", "--forget"]), 0, &[], &[]);
    expect(&place.sweep(&["mail.log", "mail.log.1"]), 0, &[], &[]);
    let again = place.sweep(&["mail.log", "mail.log.1", "--rebuild", "--ndjson", "--prometheus", "x.prom"]);
    expect(&again, 1, &[], &["\"ecs\":{\"version\":", "\"rule\":{\"name\":\"open-relay\""]);
    for line in String::from_utf8(again.stdout).unwrap().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let metrics = std::fs::read_to_string(place.path("x.prom")).unwrap();
    assert!(metrics.contains("relayaudit_findings{rule=\"open-relay\",severity=\""), "{metrics}");
    place.check(&["mail.log", "mail.log.1"], "after --rebuild");
}

#[test]
fn logs_that_are_not_what_they_were() {
    let place = Place::new();
    let text = sample("postfix/clean.log");
    place.append("mail.log", &text);
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    let before = place.run(&["report", "--state", "state", "--format", "json"]).stdout;
    // It shrank.
    std::fs::write(place.path("mail.log"), &text[..text.len() / 2]).unwrap();
    expect(&place.sweep(&["mail.log"]), 2, &["mail.log: shorter than it was"], &[]);
    // It grew back.
    std::fs::write(place.path("mail.log"), &text).unwrap();
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    assert!(place.run(&["report", "--state", "state", "--format", "json"]).stdout == before);
    // It is gone: that is said by the path that was given, and once by the log that it was.
    std::fs::remove_file(place.path("mail.log")).unwrap();
    expect(&place.sweep(&["mail.log"]), 2, &["it is gone, and no other file is what it was", "no such file"], &[]);
    // It is a folder.
    std::fs::create_dir(place.path("mail.log")).unwrap();
    expect(&place.sweep(&["mail.log"]), 2, &["mail.log: the folder holds no files"], &[]);
    std::fs::remove_dir(place.path("mail.log")).unwrap();
    // It is emptied, and another begins.
    std::fs::write(place.path("mail.log"), &text).unwrap();
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    std::fs::write(place.path("mail.log"), "").unwrap();
    expect(&place.sweep(&["mail.log"]), 2, &["it was emptied"], &[]);
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    // Something that is no log.
    std::fs::write(place.path("notes"), "this and that\n").unwrap();
    expect(&place.sweep(&["mail.log", "notes"]), 2, &["notes: no known log format"], &[]);
    expect(&place.sweep(&["-"]), 2, &["-: standard input cannot be read on"], &[]);
}

#[test]
fn a_log_that_was_rotated_away_is_found_beside_its_place() {
    let place = Place::new();
    let text = sample("postfix/clean.log");
    place.append("mail.log", &text[..20_000]);
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    place.append("mail.log", &text[20_000..40_000]);
    std::fs::rename(place.path("mail.log"), place.path("mail.log.1")).unwrap();
    place.append("mail.log", &text[40_000..]);
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    place.check(&["mail.log", "mail.log.1"], "rotated away");
}

#[test]
fn logs_that_are_not_asked_for_any_more() {
    let place = Place::new();
    place.append("mail.log", &sample("postfix/clean.log"));
    place.append("exim.log", &sample("exim/clean.log"));
    expect(&place.sweep(&["mail.log", "exim.log"]), 0, &[], &[]);
    place.append("exim.log", &sample("exim/abused.log"));
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    assert_eq!(place.sweep(&["mail.log", "exim.log"]).status.code(), Some(1));
    place.check(&["mail.log", "exim.log"], "asked for again");
}

#[test]
fn states_that_are_none() {
    let place = Place::new();
    place.append("mail.log", &sample("postfix/clean.log"));
    let check = |name: &str, said: &str| {
        let before = std::fs::read(place.path(name)).ok();
        for args in [
            &["sweep", "--state", name, "mail.log"][..],
            &["report", "--state", name],
            &["sweep", "--state", name, "--status"],
            &["sweep", "--state", name, "--rebuild", "mail.log"],
        ] {
            let done = place.run(args);
            expect(&done, 2, &[said], &[]);
        }
        assert!(before == std::fs::read(place.path(name)).ok(), "{name} was changed");
    };
    check("mail.log", "mail.log: a file of another kind, not a state");
    std::fs::create_dir(place.path("folder")).unwrap();
    check("folder", "folder: a folder, not a state");
    let other = rusqlite::Connection::open(place.path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE a (b); INSERT INTO a VALUES (1);").unwrap();
    drop(other);
    check("other.db", "other.db: the SQLite database of another program");
    expect(&place.run(&["report", "--state", "none"]), 2, &["none: no such state"], &[]);
    expect(&place.run(&["sweep", "--state", "no/such/folder", "mail.log"]), 2, &["no/such/folder: cannot write"], &[]);
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    let whole = std::fs::read(place.path("state")).unwrap();
    let newer = rusqlite::Connection::open(place.path("state")).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(newer);
    check("state", "state: written by a newer relayaudit as schema 99");
    // The page after the header is overwritten, or all behind it is missing.
    let mut broken = whole.clone();
    broken[4096..8192].fill(0xa5);
    std::fs::write(place.path("broken"), broken).unwrap();
    let done = place.run(&["sweep", "--state", "broken", "mail.log"]);
    expect(&done, 2, &["broken: the state is damaged"], &[]);
    std::fs::write(place.path("cut"), &whole[..5000]).unwrap();
    let done = place.run(&["sweep", "--state", "cut", "mail.log"]);
    expect(&done, 2, &["cut: the state is damaged"], &[]);
}

#[test]
fn one_writer_at_a_time() {
    let place = Place::new();
    place.append("mail.log", &sample("postfix/clean.log"));
    expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    let other = rusqlite::Connection::open(place.path("state")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    place.append("mail.log", &sample("postfix/abused.log"));
    expect(&place.sweep(&["mail.log"]), 2, &["state: another sweep is using this state"], &[]);
    expect(&place.sweep(&["mail.log", "--nagios"]), 3, &[], &["RELAYAUDIT UNKNOWN - state: another sweep"]);
    assert_eq!(place.run(&["report", "--state", "state"]).status.code(), Some(0), "it can be read meanwhile");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(place.sweep(&["mail.log"]).status.code(), Some(1));
    place.check(&["mail.log"], "after the other");
}
