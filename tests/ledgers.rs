//! Saved ledgers: days and servers that are scanned each for themselves, saved, and put together in any order are what
//! one scan of all of them is, byte for byte; nothing counts twice; and no bytes given as a ledger do harm.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "ledgers/files.rs"]
mod files;
#[path = "ledgers/hostile.rs"]
mod hostile;
#[path = "ledgers/policy.rs"]
mod policy;
#[path = "ledgers/reports.rs"]
mod reports;
#[path = "ledgers/twice.rs"]
mod twice;

use common::{corpus, root, samples};
use relayaudit::clock::Zone;
use relayaudit::fold::{Filter, Rejected};
use relayaudit::saved::{Destination, Error, Saved};
use relayaudit::scan::{Plan, Watch, scan, scan_part};
use relayaudit::source::{self, Logs, Reading};
use relayaudit_parsers::registry::Format;
use std::path::Path;
use std::process::{Command, Output};

struct Quiet;

impl Watch for Quiet {
    fn folded(&mut self, _: u64) {}
    fn rejected(&mut self, _: &str, _: &[Rejected]) {}
}

fn logs(paths: &[String], format: &'static Format) -> Logs {
    let reading = Reading { format: Some(format), zone: Zone::Named(chrono_tz::UTC), year: Some(2026) };
    source::open(paths, &reading)
}

/// Chunks small enough that files have several.
fn plan() -> Plan {
    Plan { chunk_bytes: 4096, ahead: 2 }
}

fn saved_of(paths: &[String], format: &'static Format) -> Saved {
    let logs = logs(paths, format);
    let files = Saved::files_of(&logs.logs);
    let part = scan_part(logs.logs, plan(), &Filter::default(), &mut Quiet);
    Saved { part, files, ..Saved::default() }
}

/// Saves a ledger; returns its bytes.
fn save(saved: &Saved, path: &Path) -> Vec<u8> {
    Destination::create(path).unwrap().write(saved).unwrap();
    std::fs::read(path).unwrap()
}

fn load(path: &Path) -> Result<Saved, Error> {
    Saved::load(path.to_str().unwrap())
}

/// Cuts a log into files before the given lines, scans each for itself, and puts the ledgers together in two orders.
fn check(name: &str, format: &'static Format, text: &[u8], cuts: &[usize]) {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let edges: Vec<usize> = [0].into_iter().chain(cuts.iter().copied()).chain([lines.len()]).collect();
    let firsts: std::collections::BTreeSet<&[u8]> = edges[..edges.len() - 1].iter().map(|edge| lines[*edge]).collect();
    let has_twins = firsts.len() + 1 < edges.len();
    let mut paths = Vec::new();
    for (number, edge) in edges.windows(2).enumerate() {
        let path = folder.path().join(format!("mail.log.{}", edges.len() - number));
        std::fs::write(&path, lines[edge[0]..edge[1]].concat()).unwrap();
        paths.push(path.to_str().unwrap().to_owned());
    }
    let whole = saved_of(&paths, format);
    let want = whole.to_bytes().unwrap();
    let ledger = scan(logs(&paths, format).logs, plan(), &Filter::default(), &mut Quiet);
    assert!(whole.finish() == ledger, "{name} cut at {cuts:?}: one scan, saved or not");
    let parts: Vec<_> = paths.iter().map(|path| format!("{path}.ledger")).collect();
    for (path, part) in paths.iter().zip(&parts) {
        std::fs::write(part, saved_of(std::slice::from_ref(path), format).to_bytes().unwrap()).unwrap();
    }
    let join =
        |parts: &mut dyn Iterator<Item = &String>| Saved::join(parts.map(|part| Saved::load(part).unwrap()).collect());
    for joined in [join(&mut parts.iter()), join(&mut parts.iter().rev())] {
        let joined = match joined {
            // Lines that are all the same: the second file is what the first was, or was before it grew.
            Err(Error::Overlap { .. }) if has_twins => return,
            Ok(joined) if has_twins && !joined.twice.is_empty() => return,
            Ok(joined) => joined.saved,
            Err(error) => panic!("{name} cut at {cuts:?}: {error}"),
        };
        assert!(
            joined.to_bytes().unwrap() == want,
            "{name} cut at {cuts:?}: the merged ledger differs from that of one scan"
        );
        assert!(joined.finish() == ledger, "{name} cut at {cuts:?}: the books differ from those of one scan");
    }
}

fn excerpt(text: &[u8], lines: usize) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n').take(lines).collect::<Vec<_>>().concat()
}

#[test]
fn every_sample_cut_into_two_files_at_every_line() {
    for (name, format, text) in samples() {
        let text = excerpt(&text, 50);
        let lines = text.split_inclusive(|byte| *byte == b'\n').count();
        (1..lines).for_each(|line| check(&name, format, &text, &[line]));
    }
}

#[test]
fn whole_samples_cut_into_several_days() {
    for (number, (name, format, text)) in samples().into_iter().enumerate() {
        let lines = text.split_inclusive(|byte| *byte == b'\n').count();
        for seed in 0..3 {
            let mut cuts: Vec<usize> = (1..5).map(|at| (at * 7919 + (number + seed) * 104_729) % lines).collect();
            cuts.sort_unstable();
            cuts.dedup();
            cuts.retain(|cut| 0 < *cut);
            if !cuts.is_empty() {
                check(&name, format, &text, &cuts);
            }
        }
    }
}

#[test]
fn real_logs_cut_into_days() {
    for name in ["postfix", "sendmail", "opensmtpd"] {
        let Some(logs) = corpus(&format!("mta/{name}")) else { return };
        let format = relayaudit_parsers::registry::by_name(name).unwrap();
        for (name, text) in logs.iter().filter(|(name, _)| name.contains("mail.iso.log")).take(3) {
            let lines = text.split_inclusive(|byte| *byte == b'\n').count();
            check(name, format, text, &[lines / 5, lines / 2, lines / 2 + 1]);
        }
    }
}

/// More accounts and makers of mail than are kept, each told of on several days by several programs.
#[test]
fn what_is_dropped_for_want_of_room_depends_on_no_cut() {
    let stamp = |number: u32| format!("2026-11-24T10:{:02}:{:02}+00:00 mx", number / 60 % 60, number % 60);
    let failed = |n: u32| {
        let what = format!("SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=a{n}");
        format!("{} postfix/smtpd[7]: warning: unknown[198.51.100.62]: {what}\n", stamp(n))
    };
    let unknown = |n: u32| {
        let what =
            format!("conn unix:auth-worker (pid=7,uid=97): auth-worker<0>: sql(a{n},198.51.100.62): unknown user");
        format!("{} dovecot: auth-worker(800): {what}\n", stamp(n))
    };
    let denied = |n: u32| {
        let what = format!("from=<u@d{n}.example> to=<x@example.net> proto=ESMTP helo=<h.example>");
        let why = "RCPT from unknown[198.51.100.62]: 554 5.7.1 <x@example.net>: Relay access denied";
        format!("{} postfix/smtpd[7]: NOQUEUE: reject: {why}; {what}\n", stamp(n))
    };
    let text: String = (0..17_000).map(failed).chain((0..17_000).map(unknown)).chain((0..17_000).map(denied)).collect();
    let format = relayaudit_parsers::registry::by_name("postfix").unwrap();
    check("many", format, text.as_bytes(), &[9_000, 20_000, 40_000]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    std::fs::write(&path, text).unwrap();
    let ledger = scan(logs(&[path.to_str().unwrap().to_owned()], format).logs, plan(), &Filter::default(), &mut Quiet);
    let ((accounts, dropped), (templates, refused)) = (ledger.log_ins.parts(), ledger.templates.parts());
    // What the checker tells of log-ins, the mail server has told of.
    assert_eq!((accounts.len() as u64 + dropped.count(), templates.len() as u64 + refused), (17_000, 17_000));
    assert!(0 < dropped.count() && dropped.commands == dropped.checkers && 0 < *refused, "{dropped:?} {refused}");
}

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_relayaudit")).current_dir(folder).args(args).output().unwrap()
}

/// Fails unless the run gave this status and said each of these things.
fn expect(done: &Output, status: i32, said: &[&str]) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(status), "{stderr}");
    for part in said {
        assert!(stderr.contains(part), "{part:?} is not in {stderr:?}");
    }
}

/// Options by which all runs read alike.
const ALIKE: [&str; 6] = ["--tz", "UTC", "--year", "2026", "--quiet", "--format"];

fn scan_to(folder: &Path, log: &str, ledger: &Path) -> Output {
    let args = [&["scan", log], &ALIKE[..], &["json", "--ledger-out", ledger.to_str().unwrap()]].concat();
    run(folder, &args)
}

#[test]
fn servers_scanned_each_for_themselves_give_the_report_of_one_scan() {
    let folder = tempfile::tempdir().unwrap();
    let here = root().join("samples");
    let ledger = |name: &str| folder.path().join(name);
    let want = scan_to(&here, ".", &ledger("all"));
    let kinds: Vec<String> = std::fs::read_dir(&here)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        // There are no logs in it.
        .filter(|kind| kind != "config")
        .collect();
    let mut parts = Vec::new();
    for kind in &kinds {
        // Paths must be those of the scan of all.
        let done = scan_to(&here, &format!("./{kind}"), &ledger(kind));
        assert!(matches!(done.status.code(), Some(0 | 1)), "{kind}");
        parts.push(ledger(kind).to_str().unwrap().to_owned());
    }
    assert!(20 < parts.len());
    let judged = |ledgers: &[String]| {
        let ledgers: Vec<&str> = ledgers.iter().map(String::as_str).collect();
        run(&here, &[&["report"], &ledgers[..], &["--format", "json"]].concat())
    };
    assert!(judged(&parts).stdout == want.stdout);
    parts.reverse();
    assert!(judged(&parts).stdout == want.stdout);
    let (some, others) = parts.split_at(7);
    let merged: Vec<String> = [some, others]
        .iter()
        .enumerate()
        .map(|(number, ledgers)| {
            let out = ledger(&format!("merged{number}")).to_str().unwrap().to_owned();
            let ledgers: Vec<&str> = ledgers.iter().map(String::as_str).collect();
            expect(&run(&here, &[&["merge"], &ledgers[..], &["-o", &out]].concat()), 0, &[]);
            out
        })
        .collect();
    let again = judged(&merged);
    assert!(again.stdout == want.stdout);
    assert_eq!(again.status.code(), want.status.code());
    expect(&run(&here, &["merge", &merged[1], &merged[0], "-o", &merged[0]]), 0, &[]);
    assert!(std::fs::read(&merged[0]).unwrap() == std::fs::read(ledger("all")).unwrap());
}

const LINE: &str = "2026-11-24T10:00:00.000000+00:00 mx postfix/smtpd[1]: connect from a.example.org[192.0.2.1]\n";

/// Many lines, each different.
fn log(lines: std::ops::Range<u32>) -> String {
    lines.map(|number| LINE.replace("[1]", &format!("[{number}]"))).collect()
}

/// Logs that have, together, something of everything that a ledger can hold.
const EVERYTHING: [&str; 8] = [
    "exchange-smtp-protocol/abused.log",
    "exim/campaign.log",
    "iis-smtp-w3c/probed.log",
    "logins/guessed.log",
    "opensmtpd/clean.log",
    "postfix/blocklisted.log",
    "postfix/rate-limited.log",
    "sendmail/abused.log",
];

/// The words that lines of a ledger begin with.
const WORDS: [&str; 20] = [
    "file",
    "assumed",
    "input",
    "flow",
    "client",
    "account",
    "user",
    "hello",
    "template",
    "templates",
    "log-in",
    "log-ins",
    "domain",
    "server",
    "loss",
    "listing",
    "edges",
    "context",
    "loose",
    "end",
];
