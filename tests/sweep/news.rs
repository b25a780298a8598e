//! A finding over days: told when it is new, worse, goes on, and is over.

use relayaudit::clock::Zone;
use relayaudit::judge::{self, Severity};
use relayaudit::ledger::Time;
use relayaudit::site::{Origin, Site};
use relayaudit::source::Reading;
use relayaudit::sweep::days::DAY_MICROS;
use relayaudit::sweep::findings::{self, Channel, Judging, Why};
use relayaudit::sweep::read::Options;
use relayaudit::sweep::state::State;
use relayaudit::sweep::sweep;
use std::fmt::Write as _;
use std::io::Write as _;

const HOUR: i64 = DAY_MICROS / 24;
/// 2026-09-01T00:00:00Z.
const BEGIN: i64 = 1_788_220_800_000_000;

struct Watched {
    folder: tempfile::TempDir,
    state: State,
    messages: u64,
}

impl Watched {
    fn new() -> Watched {
        let folder = tempfile::tempdir().unwrap();
        let state = State::create(&folder.path().join("state")).unwrap();
        Watched { folder, state, messages: 0 }
    }

    /// A client has so many messages taken in for a recipient.
    fn write(&mut self, at: i64, messages: u64, client: &str, to: &str) {
        let mut text = String::new();
        for number in 0..messages {
            self.messages += 1;
            let (id, pid) = (format!("{:08X}", self.messages), 100 + number);
            let stamp = chrono::DateTime::from_timestamp_micros(at + number as i64 * 1000).unwrap();
            let stamp = stamp.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            let relay = if to.ends_with("example.org") { "local" } else { "mx.example.net[203.0.113.9]:25" };
            for line in [
                format!("smtpd[{pid}]: connect from unknown[{client}]"),
                format!("smtpd[{pid}]: {id}: client=unknown[{client}]"),
                format!("cleanup[{pid}]: {id}: message-id=<{id}@example.com>"),
                format!("qmgr[9]: {id}: from=<a@example.com>, size=4000, nrcpt=1 (queue active)"),
                format!(
                    "smtp[{pid}]: {id}: to=<b{number}@{to}>, relay={relay}, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)"
                ),
                format!("qmgr[9]: {id}: removed"),
                format!("smtpd[{pid}]: disconnect from unknown[{client}]"),
            ] {
                writeln!(text, "{stamp} mx1 postfix/{line}").unwrap();
            }
        }
        let path = self.folder.path().join("mail.log");
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Strangers' mail for strangers.
    fn relay(&mut self, at: i64, messages: u64) {
        self.write(at, messages, "198.51.100.7", "example.net");
    }

    /// What a sweep tells of the open relay.
    fn sweep(&mut self, now: i64) -> Vec<Why> {
        let reading = Reading { format: None, zone: Zone::Named(chrono_tz::UTC), year: None };
        let paths = vec![self.folder.path().join("mail.log").to_str().unwrap().to_owned()];
        let mut stated = Site::default();
        stated.add_local_domain("example.org", Origin::CommandLine);
        let judging = Judging {
            stated,
            by: judge::Options::default(),
            window_days: 7,
            least: Severity::Medium,
            remind_micros: DAY_MICROS,
            over_micros: 3 * DAY_MICROS,
            channels: vec![Channel::Webhook],
        };
        let done = sweep(&mut self.state, &Options::new(paths, reading, Time(now)), &judging, false).unwrap();
        assert_eq!(done.learnt.problems, [""; 0]);
        done.news.iter().filter(|news| news.finding.rule == "open-relay").map(|news| news.why).collect()
    }
}

#[test]
fn a_finding_is_told_when_it_should_be() {
    let mut watched = Watched::new();
    let mut at = BEGIN;
    let mut check = |hours: i64, relayed: u64, want: &[Why], what: &str| {
        at += hours * HOUR;
        watched.relay(at, relayed);
        watched.write(at, 1, "192.0.2.5", "example.org");
        assert_eq!(watched.sweep(at + HOUR / 4), want, "{what}");
        assert_eq!(watched.sweep(at + HOUR / 2), [], "{what}, and nothing is new");
    };
    check(0, 3, &[Why::New], "it begins");
    check(1, 2, &[], "it goes on");
    check(24, 1, &[Why::Reminder], "it goes on after a day");
    check(1, 60, &[Why::Worse], "it is ten times as much");
    check(25, 0, &[], "nothing of it for a day");
    check(72, 0, &[Why::Resolved], "nothing of it for more than three days");
    check(24, 0, &[], "it is over, and in the window still");
    check(240, 0, &[], "it is out of the window");
    check(1, 4, &[Why::New], "it begins again");
    let open = watched.state.read().unwrap();
    let told = findings::pending(&open, Channel::Webhook).unwrap();
    assert_eq!(told.iter().filter(|(_, news)| news.finding.rule == "open-relay").count(), 5, "all wait to be posted");
    assert_eq!(findings::open(&open).unwrap().iter().filter(|finding| finding.rule == "open-relay").count(), 1);
}

#[test]
fn what_is_long_over_when_it_is_found_is_told_once() {
    let mut watched = Watched::new();
    watched.relay(BEGIN, 5);
    watched.write(BEGIN + 20 * DAY_MICROS, 1, "192.0.2.5", "example.org");
    assert_eq!(watched.sweep(BEGIN + 20 * DAY_MICROS + HOUR), [Why::New]);
    watched.write(BEGIN + 21 * DAY_MICROS, 1, "192.0.2.5", "example.org");
    assert_eq!(watched.sweep(BEGIN + 21 * DAY_MICROS + HOUR), []);
}
