//! What only Unix has: signals, limits, sockets.

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
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{program}' sweep --state state --tz UTC mail.log");
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
