//! Logs of every format that grow between sweeps; years and clocks.

use super::common::samples;
use super::world::{Quiet, same};
use relayaudit::clock::Zone;
use relayaudit::fold::Filter;
use relayaudit::ledger::{Ledger, Time};
use relayaudit::scan::{Plan, scan};
use relayaudit::source::{self, HEAD_BYTES, Reading};
use relayaudit::sweep::read::{Learnt, Options};
use relayaudit::sweep::state::State;
use relayaudit::sweep::{load, read_into};
use std::path::Path;

struct Growing {
    folder: tempfile::TempDir,
    name: String,
    reading: Reading,
    short_bytes: usize,
    now: i64,
    state: State,
}

impl Growing {
    fn new(name: &str, reading: Reading, short_bytes: usize) -> Growing {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("log")).unwrap();
        let state = State::create(&folder.path().join("state")).unwrap();
        let name = Path::new(name).file_name().unwrap().to_str().unwrap().to_owned();
        Growing { folder, name, reading, short_bytes, now: chrono::Utc::now().timestamp_micros(), state }
    }

    fn paths(&self) -> Vec<String> {
        vec![self.folder.path().join("log").to_str().unwrap().to_owned()]
    }

    fn write(&self, text: &[u8]) {
        std::fs::write(self.folder.path().join("log").join(&self.name), text).unwrap();
    }

    fn sweep(&mut self) -> Learnt {
        self.now += 3_600_000_000;
        let options =
            Options { short_bytes: self.short_bytes, ..Options::new(self.paths(), self.reading, Time(self.now)) };
        read_into(&mut self.state, &options).unwrap()
    }

    fn known(&mut self) -> Ledger {
        load::load(&self.state.read().unwrap(), load::ALL).unwrap().finish()
    }

    fn scanned(&self) -> Ledger {
        scan(source::open(&self.paths(), &self.reading).logs, Plan::default(), &Filter::default(), &mut Quiet)
    }
}

#[test]
fn logs_of_every_format_that_grow() {
    for (number, (name, format, text)) in samples().into_iter().enumerate() {
        // What a log is shows in its first lines; where it is not read anew, it is cut behind those.
        for (short_bytes, first) in [(HEAD_BYTES, text.len() / 9), (1, text.len() / 2)] {
            let reading = Reading { format: Some(format), zone: Zone::Named(chrono_tz::UTC), year: Some(2026) };
            let mut log = Growing::new(&name, reading, short_bytes);
            let mut at = first + number * 31 % 97;
            while at < text.len() {
                log.write(&text[..at]);
                assert_eq!(log.sweep().problems, [""; 0], "{name}");
                at += text.len() / 7 + number * 17 % 89;
            }
            log.write(&text);
            log.sweep();
            let (known, scanned) = (log.known(), log.scanned());
            same(&known, &scanned, &format!("{name}, short {short_bytes}"));
        }
    }
}

/// Lines of a server whose stamps name no year.
fn lines(days: &[&str]) -> Vec<u8> {
    let line = |(number, day): (usize, &&str)| {
        format!("{day} 10:00:{:02} mx1 postfix/smtpd[7]: connect from a.example.org[192.0.2.{number}]\n", number % 60)
    };
    days.iter().enumerate().map(line).collect::<String>().into_bytes()
}

fn check_days(days: &[&str], want: (&str, &str)) {
    for short_bytes in [1, HEAD_BYTES] {
        let reading = Reading { format: None, zone: Zone::Named(chrono_tz::UTC), year: Some(2026) };
        let mut log = Growing::new("mail.log", reading, short_bytes);
        let text = lines(days);
        let at: Vec<usize> = memchr::memchr_iter(b'\n', &text).map(|end| end - 20).collect();
        // The number of a log that is not read anew rests on its first line.
        for at in at.into_iter().skip(usize::from(short_bytes == 1)) {
            log.write(&text[..at]);
            log.sweep();
        }
        log.write(&text);
        log.sweep();
        let (known, scanned) = (log.known(), log.scanned());
        same(&known, &scanned, &format!("{days:?}, short {short_bytes}"));
        let span = known.inputs.values().next().unwrap().span;
        let got = (span.first.unwrap().rfc3339(), span.last.unwrap().rfc3339());
        assert_eq!((&got.0[..10], &got.1[..10]), want, "{days:?}");
    }
}

#[test]
fn years_and_clocks() {
    // The year of the first stamp goes on being that of the first sweep.
    check_days(&["Dec 30", "Dec 31", "Jan  1", "Jan  2"], ("2026-12-30", "2027-01-02"));
    // The server's clock was put back by a day, or by an hour.
    check_days(&["Nov 20", "Nov 21", "Nov 20", "Nov 21"], ("2026-11-20", "2026-11-21"));
}
