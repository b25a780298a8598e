//! `relayaudit sweep` as cron runs it: quiet, killed, with logs and states that are not what they should be.

#![allow(clippy::unwrap_used)]

mod common;

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

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, Instant};

    #[test]
    fn the_state_is_for_its_owner() {
        let place = Place::new();
        place.append("mail.log", &sample("postfix/clean.log"));
        expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
        let mode = std::fs::metadata(place.path("state")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_state_that_may_not_be_written() {
        let place = Place::new();
        place.append("mail.log", &sample("postfix/clean.log"));
        expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
        let before = std::fs::read(place.path("state")).unwrap();
        std::fs::set_permissions(place.path("state"), std::fs::Permissions::from_mode(0o400)).unwrap();
        if OpenOptions::new().append(true).open(place.path("state")).is_ok() {
            eprintln!("skipped: this user may write anything");
            return;
        }
        place.append("mail.log", &sample("postfix/abused.log"));
        expect(&place.sweep(&["mail.log"]), 2, &["state: cannot write the state: "], &[]);
        assert_eq!(place.run(&["report", "--state", "state"]).status.code(), Some(0), "it can be read");
        assert!(std::fs::read(place.path("state")).unwrap() == before);
    }

    #[test]
    fn a_full_disk_leaves_the_state_as_it_was() {
        let place = Place::new();
        place.append("mail.log", &sample("postfix/clean.log"));
        expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
        let before = place.run(&["report", "--state", "state", "--format", "json"]).stdout;
        place.append("mail.log", &sample("postfix/abused.log"));
        // No file may grow beyond what the state has already: in blocks of 512 bytes, as POSIX has it.
        let blocks = std::fs::metadata(place.path("state")).unwrap().len() / 512;
        let program = env!("CARGO_BIN_EXE_relayaudit");
        let script =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec '{program}' sweep --state state --tz UTC mail.log");
        let done = Command::new("sh").current_dir(place.folder.path()).args(["-c", &script]).output().unwrap();
        expect(&done, 2, &["state: cannot write the state: "], &[]);
        assert!(place.run(&["report", "--state", "state", "--format", "json"]).stdout == before);
        assert_eq!(place.sweep(&["mail.log"]).status.code(), Some(1));
        place.check(&["mail.log"], "after the disk was full");
    }

    /// Kills sweeps at any instant while the log grows and is rotated; in the end all is counted, once.
    #[test]
    fn killed_at_any_instant() {
        // RELAYAUDIT_KILLS says how many.
        let wanted: u32 = std::env::var("RELAYAUDIT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(200);
        let place = Place::new();
        let text = sample("handed-on/mx1-mail.log");
        let step = text.len() / (wanted as usize + 1);
        let (mut random, mut kills, mut torn, mut round) = (7u64, 0, 0, 0);
        // As long as a sweep takes that is not killed, and some more, so that commits are hit as often as reading.
        let mut patience = Duration::from_millis(60);
        while kills < wanted {
            let from = (round % (wanted as usize + 1)) * step;
            if from + step <= text.len() && round <= wanted as usize {
                place.append("mail.log", &text[from..from + step]);
            }
            round += 1;
            if round % 17 == 0 && 5000 < std::fs::metadata(place.path("mail.log")).map_or(0, |log| log.len()) {
                rotate(&place);
            }
            let mut child = command(place.folder.path())
                .args(["sweep", "--state", "state", "--tz", "UTC", "--threads", "2", "."])
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let begun = Instant::now();
            let delay = patience.mul_f64((random >> 33) as f64 / f64::from(1u32 << 31));
            std::thread::sleep(delay);
            // On Unix this is SIGKILL.
            child.kill().unwrap();
            let done = child.wait().unwrap();
            let was_killed = std::os::unix::process::ExitStatusExt::signal(&done) == Some(9);
            kills += u32::from(was_killed);
            // What it had changed is undone by the next one.
            torn += u32::from(was_killed && place.path("state-journal").exists());
            if !was_killed {
                patience = (patience + begun.elapsed().mul_f64(1.2)) / 2;
            }
            assert!(round < 40 * wanted as usize, "nothing is killed");
        }
        eprintln!("{kills} of {round} sweeps were killed, {torn} left a journal");
        let done = place.sweep(&["."]);
        assert!(matches!(done.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&done.stderr));
        place.check(&["."], "after all kills");
    }

    #[test]
    fn news_that_cannot_be_printed_wait() {
        let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
            eprintln!("skipped: there is no /dev/full");
            return;
        };
        let place = Place::new();
        place.append("mail.log", &sample("postfix/abused.log"));
        let args = ["sweep", "--state", "state", "--tz", "UTC", "mail.log"];
        let done = command(place.folder.path()).args(args).stdout(full).output().unwrap();
        expect(&done, 2, &["cannot write to standard output: ", "kept for the next sweep"], &[]);
        expect(&place.sweep(&["mail.log"]), 0, &[], &["new: open-relay ("]);
        expect(&place.sweep(&["mail.log"]), 0, &[], &[]);
    }

    #[test]
    fn news_go_to_the_log_of_the_system() {
        let place = Place::new();
        place.append("mail.log", &sample("postfix/abused.log"));
        // Nobody listens yet: the news wait.
        let done = place.sweep(&["mail.log", "--syslog=log"]);
        assert_eq!(done.status.code(), Some(2));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(said.contains("log: cannot write to the system's log: ") && said.contains("kept for the next sweep"));
        let log = std::os::unix::net::UnixDatagram::bind(place.path("log")).unwrap();
        log.set_nonblocking(true).unwrap();
        expect(&place.sweep(&["mail.log", "--syslog=log"]), 0, &[], &[]);
        let mut buffer = vec![0; 1 << 16];
        let mut told = 0;
        while let Ok(length) = log.recv(&mut buffer) {
            let line = String::from_utf8_lossy(&buffer[..length]);
            let json = line.split_once(">relayaudit: ").unwrap();
            assert!(["<26", "<27", "<28"].contains(&json.0), "{line}");
            let json: serde_json::Value = serde_json::from_str(json.1).unwrap();
            assert_eq!(json["event"]["action"], "new");
            told += 1;
        }
        assert!(0 < told);
        expect(&place.sweep(&["mail.log", "--syslog=log"]), 0, &[], &[]);
        assert!(log.recv(&mut buffer).is_err(), "told twice");
    }

    #[test]
    fn news_are_posted_when_somebody_listens() {
        if Command::new("curl").arg("--version").output().is_err() {
            eprintln!("skipped: there is no curl");
            return;
        }
        let place = Place::new();
        place.append("mail.log", &sample("postfix/abused.log"));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/news?secret=a", listener.local_addr().unwrap());
        // The port is free again: nobody answers.
        drop(listener);
        let done = place.sweep(&["mail.log", "--webhook", &url]);
        assert_eq!(done.status.code(), Some(2));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(said.contains("--webhook: not delivered: ") && !said.contains("secret"), "{said}");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/news?secret=a", listener.local_addr().unwrap());
        let answers = std::thread::spawn(move || answer(&listener));
        expect(&place.sweep(&["mail.log", "--webhook", &url]), 0, &[], &[]);
        let posted: serde_json::Value = serde_json::from_str(&answers.join().unwrap()).unwrap();
        assert_eq!(posted["schema"], "relayaudit.news/1");
        assert!(posted["text"].as_str().unwrap().contains("new: open-relay ("));
        assert!(posted["news"].as_array().unwrap().iter().any(|news| news["rule"]["name"] == "open-relay"));
        // Nothing is left to be sent, so nobody need listen.
        expect(&place.sweep(&["mail.log", "--webhook", &url]), 0, &[], &[]);
    }

    /// Takes one request; returns its body.
    fn answer(listener: &std::net::TcpListener) -> String {
        use std::io::{BufRead, BufReader, Read};
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line).unwrap() != 0 && line != "\r\n" {
            let header = line.to_lowercase();
            if let Some(bytes) = header.strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap();
            }
            if header.starts_with("expect:") {
                reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8(body).unwrap()
    }

    fn rotate(place: &Place) {
        for number in (1..100).rev() {
            let from = place.path(&format!("mail.log.{number}"));
            if from.exists() {
                std::fs::rename(from, place.path(&format!("mail.log.{}", number + 1))).unwrap();
            }
        }
        std::fs::rename(place.path("mail.log"), place.path("mail.log.1")).unwrap();
    }
}
