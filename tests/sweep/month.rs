//! Thirty days of a busy server.

use super::world::{Quiet, Random};
use relayaudit::clock::Zone;
use relayaudit::fold::Filter;
use relayaudit::judge::{self, Severity};
use relayaudit::ledger::Time;
use relayaudit::scan::{Plan, scan};
use relayaudit::site::Site;
use relayaudit::source::{self, Reading};
use relayaudit::sweep::days::DAY_MICROS;
use relayaudit::sweep::findings::{Channel, Judging};
use relayaudit::sweep::read::Options;
use relayaudit::sweep::state::State;
use relayaudit::sweep::{Done, load, sweep};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Days and sweeps of each.
const DAYS: i64 = 30;
const SWEEPS: i64 = 12;
/// Messages between two sweeps.
const MESSAGES: u64 = 120;
/// 2026-09-01T00:00:00Z.
const BEGIN: i64 = 1_788_220_800_000_000;

/// A server that takes mail for its domain from the network, and mail of its accounts for all.
struct Server {
    random: Random,
    text: String,
}

impl Server {
    fn message(&mut self, at: i64) {
        let stamp = |micros: i64| {
            chrono::DateTime::from_timestamp_micros(at + micros)
                .unwrap()
                .to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
        };
        let id = format!("{:010X}", self.random.next() & 0xff_ffff_ffff);
        let (host, user, pid) = (self.random.below(600), self.random.below(40), 1000 + self.random.below(200));
        let address = format!("198.51.{}.{}", 100 + host / 250, host % 250 + 1);
        let goes_out = self.random.below(4) == 0;
        let (login, from, to) = match goes_out {
            true => (
                format!(", sasl_method=PLAIN, sasl_username=user{user}"),
                format!("user{user}@example.org"),
                format!("to{}@d{}.example.net", self.random.below(90), self.random.below(60)),
            ),
            false => (String::new(), format!("a{host}@h{host}.example.com"), format!("user{user}@example.org")),
        };
        let (relay, sent) = match goes_out {
            true => ("mx.example.net[203.0.113.9]:25", "250 2.0.0 Ok: queued as 1234"),
            false => ("local", "delivered to mailbox"),
        };
        let daemon = if goes_out { "smtp" } else { "local" };
        let text = &mut self.text;
        let mut line = |micros, text_of: String| writeln!(text, "{} mx1 postfix/{text_of}", stamp(micros)).unwrap();
        line(0, format!("smtpd[{pid}]: connect from h{host}.example.com[{address}]"));
        line(100, format!("smtpd[{pid}]: {id}: client=h{host}.example.com[{address}]{login}"));
        line(200, format!("cleanup[{pid}]: {id}: message-id=<{id}@example.com>"));
        line(300, format!("qmgr[900]: {id}: from=<{from}>, size=4000, nrcpt=1 (queue active)"));
        line(
            400,
            format!(
                "{daemon}[{pid}]: {id}: to=<{to}>, relay={relay}, delay=0.4, delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent ({sent})"
            ),
        );
        line(500, format!("qmgr[900]: {id}: removed"));
        line(
            600,
            format!(
                "smtpd[{pid}]: disconnect from h{host}.example.com[{address}] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"
            ),
        );
    }
}

/// A folder of logs that logrotate keeps for a week, a state, and what the sweeps did.
struct Month {
    folder: tempfile::TempDir,
    server: Server,
    state: State,
    retention_days: i32,
}

impl Month {
    fn new(retention_days: i32) -> Month {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("log")).unwrap();
        let state = State::create(&folder.path().join("state")).unwrap();
        Month { folder, server: Server { random: Random(11), text: String::new() }, state, retention_days }
    }

    fn log(&self, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("log/mail.log{suffix}"))
    }

    /// What is written between two sweeps. Returns its bytes.
    fn write(&mut self, from: i64) -> u64 {
        self.server.text.clear();
        let step = DAY_MICROS / SWEEPS / MESSAGES as i64;
        (0..MESSAGES as i64).for_each(|number| self.server.message(from + number * step));
        let mut text = std::fs::read(self.log("")).unwrap_or_default();
        text.extend_from_slice(self.server.text.as_bytes());
        std::fs::write(self.log(""), text).unwrap();
        self.server.text.len() as u64
    }

    fn rotate(&self) {
        let name = |number: i32| self.log(&format!(".{number}{}", if number == 1 { "" } else { ".gz" }));
        let _ = std::fs::remove_file(name(7));
        (2..7)
            .rev()
            .filter(|number| name(*number).exists())
            .for_each(|number| std::fs::rename(name(number), name(number + 1)).unwrap());
        if name(1).exists() {
            pack(&name(1), &name(2));
        }
        std::fs::rename(self.log(""), name(1)).unwrap();
    }

    fn sweep(&mut self, now: i64, errors: bool) -> Done {
        let reading = Reading { format: None, zone: Zone::Named(chrono_tz::UTC), year: None };
        let paths = vec![self.folder.path().join("log").to_str().unwrap().to_owned()];
        let options = Options { retention_days: self.retention_days, ..Options::new(paths, reading, Time(now)) };
        let mut stated = Site::default();
        stated.add_local_domain("example.org", relayaudit::site::Origin::CommandLine);
        let judging = Judging {
            stated,
            by: judge::Options::default(),
            window_days: if errors { 7 } else { 1 },
            least: Severity::Medium,
            remind_micros: DAY_MICROS,
            over_micros: 3 * DAY_MICROS,
            channels: vec![Channel::Print],
        };
        sweep(&mut self.state, &options, &judging, false).unwrap()
    }

    fn rows(&mut self, table: &str) -> i64 {
        let open = self.state.read().unwrap();
        open.one(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap().unwrap()
    }
}

fn pack(from: &Path, to: &Path) {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, &std::fs::read(from).unwrap()).unwrap();
    std::fs::write(to, packer.finish().unwrap()).unwrap();
    std::fs::remove_file(from).unwrap();
}

#[test]
fn thirty_days_cost_what_is_new() {
    let mut month = Month::new(10);
    // What is looked at to recognise a log, twice: once when it is looked at, once when it is read.
    let heads = 2 * 256 * 1024;
    let (mut at_ten, mut loose) = (0, 0);
    for day in 0..DAYS {
        for number in 0..SWEEPS {
            let from = BEGIN + day * DAY_MICROS + number * (DAY_MICROS / SWEEPS);
            let new_bytes = month.write(from);
            if number == 3 {
                month.rotate();
            }
            let done = month.sweep(from + DAY_MICROS / SWEEPS, number == 0);
            assert_eq!(done.learnt.problems, [""; 0], "day {day}");
            assert!(done.news.is_empty(), "day {day}: {:?}", done.news);
            assert!(done.learnt.lines == MESSAGES * 7, "day {day}, sweep {number}: {}", done.learnt.lines);
            // A log that was packed is unpacked once, to see that nothing was written to it before.
            let packed = if number == 3 { 2_000_000 } else { 0 };
            let most = new_bytes + heads + packed;
            assert!(done.learnt.disk_bytes <= most, "day {day}, sweep {number}: {} of {most}", done.learnt.disk_bytes);
            if number == SWEEPS - 1 {
                eprintln!("day {day}: {new_bytes} new, {} read, state {}", done.learnt.disk_bytes, done.state_bytes);
                if day == 12 {
                    at_ten = done.state_bytes;
                    loose = run_bytes(&mut month);
                }
            }
        }
        // Ten days are kept, and today; of each that is over there is one book.
        assert!(month.rows("book") <= 11 + 3 * 10, "day {day}: {} books", month.rows("book"));
        assert!(month.rows("run") <= 2 && month.rows("file") <= 20, "day {day}");
    }
    let done = month.sweep(BEGIN + DAYS * DAY_MICROS, true);
    assert!(done.state_bytes < at_ten + at_ten / 4, "the state grew from {at_ten} to {} bytes", done.state_bytes);
    let later = run_bytes(&mut month);
    assert!(later < 2 * loose + 10_000, "open lines grew from {loose} to {later} bytes");
}

fn run_bytes(month: &mut Month) -> i64 {
    let open = month.state.read().unwrap();
    open.one("SELECT sum(length(part)) FROM run", (), |row| row.get(0)).unwrap().unwrap()
}

#[test]
fn some_days_are_what_a_scan_of_them_is() {
    let mut month = Month::new(400);
    for number in 0..4 * SWEEPS {
        let from = BEGIN + number * (DAY_MICROS / SWEEPS);
        month.write(from);
        if number % SWEEPS == 3 {
            month.rotate();
        }
        month.sweep(from + DAY_MICROS / SWEEPS, false);
    }
    let known = load::load(&month.state.read().unwrap(), load::ALL).unwrap().finish();
    let reading = Reading { format: None, zone: Zone::Named(chrono_tz::UTC), year: None };
    let logs = source::open(&[month.folder.path().join("log").to_str().unwrap().to_owned()], &reading);
    let scanned = scan(logs.logs, Plan::default(), &Filter::default(), &mut Quiet);
    assert!(known == scanned);
}
