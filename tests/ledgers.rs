//! Saved ledgers: days and servers that are scanned each for themselves, saved, and put together in any order are what
//! one scan of all of them is, byte for byte; nothing counts twice; and no bytes given as a ledger do harm.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "ledgers/hostile.rs"]
mod hostile;

use common::{corpus, root, samples};
use relayaudit::clock::Zone;
use relayaudit::fold::{Filter, Rejected};
use relayaudit::saved::{Destination, Error, Saved};
use relayaudit::scan::{Plan, Watch, scan, scan_part};
use relayaudit::source::{self, Logs, Reading};
use relayaudit_parsers::registry::Format;
use std::io::Write;
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

fn saved(paths: &[String], format: &'static Format) -> Saved {
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
    let whole = saved(&paths, format);
    let want = whole.to_bytes().unwrap();
    let ledger = scan(logs(&paths, format).logs, plan(), &Filter::default(), &mut Quiet);
    assert!(whole.finish() == ledger, "{name} cut at {cuts:?}: one scan, saved or not");
    let parts: Vec<_> = paths.iter().map(|path| format!("{path}.ledger")).collect();
    for (path, part) in paths.iter().zip(&parts) {
        std::fs::write(part, saved(std::slice::from_ref(path), format).to_bytes().unwrap()).unwrap();
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

#[test]
fn a_ledger_is_judged_under_another_policy() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("a.ledger");
    let here = root().join("samples");
    assert_eq!(scan_to(&here, "postfix/abused.log", &ledger).status.code(), Some(1));
    let cause = |options: &[&str]| {
        let args = [&["report", ledger.to_str().unwrap(), "--format", "json"], options].concat();
        let report: serde_json::Value = serde_json::from_slice(&run(&here, &args).stdout).unwrap();
        report["verdict"]["cause"].as_str().unwrap().to_owned()
    };
    assert_eq!(cause(&["--local-domain", "norbrook.example"]), "open-relay");
    assert_ne!(cause(&["--trusted-net", "0.0.0.0/0", "--trusted-net", "::/0"]), "open-relay");
}

#[test]
fn the_same_lines_do_not_count_twice() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let write = |name: &str, text: &str| std::fs::write(here.join(name), text).unwrap();
    write("mail.log", &log(0..500));
    write("small.log", &log(0..2));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(log(0..500).as_bytes()).unwrap();
    std::fs::write(here.join("mail.log.1.gz"), packed.finish().unwrap()).unwrap();
    write("grown.log", &log(0..700));
    write("other.log", &log(900..1000));
    for name in ["mail.log", "small.log", "mail.log.1.gz", "grown.log", "other.log"] {
        assert_eq!(scan_to(here, name, &here.join(format!("{name}.ledger"))).status.code(), Some(0), "{name}");
    }
    let merge = |first: &str, second: &str| {
        run(here, &["merge", &format!("{first}.ledger"), &format!("{second}.ledger"), "-o", "out.ledger"])
    };
    let bytes = log(0..500).len();
    let good = std::fs::read(here.join("mail.log.ledger")).unwrap();
    for (first, second) in [("mail.log", "mail.log"), ("mail.log", "mail.log.1.gz"), ("mail.log.1.gz", "mail.log")] {
        let other = if first == second { "mail.log" } else { "mail.log.1.gz" };
        let said = format!("{other}.ledger: left out: mail.log.ledger holds the same logs; counted once");
        expect(&merge(first, second), 0, &[&said]);
        assert!(std::fs::read(here.join("out.ledger")).unwrap() == good, "{first} {second}");
        std::fs::remove_file(here.join("out.ledger")).unwrap();
    }
    for (first, second, upto) in [("grown.log", "mail.log", bytes), ("small.log", "grown.log", log(0..2).len())] {
        let said =
            format!("{second} (in {second}.ledger): already counted up to byte {upto}, as {first} (in {first}.ledger)");
        expect(&merge(first, second), 2, &[&said, "leave one of the two ledgers out"]);
        assert!(!here.join("out.ledger").exists());
    }
    expect(&merge("mail.log", "other.log"), 0, &[]);
    let said = ["mail.log.ledger: left out: out.ledger holds the same logs; counted once"];
    expect(&run(here, &["report", "mail.log.ledger", "out.ledger"]), 0, &said);
    // Nothing can be taken out of a ledger: one log of two is the same.
    expect(&merge("mail.log", "grown.log"), 2, &["already counted"]);
    std::fs::copy(here.join("out.ledger"), here.join("first.ledger")).unwrap();
    write("third.log", &log(2000..2100));
    assert_eq!(scan_to(here, "third.log", &here.join("third.log.ledger")).status.code(), Some(0));
    expect(&run(here, &["merge", "third.log.ledger", "mail.log.ledger", "-o", "second.ledger"]), 0, &[]);
    expect(
        &run(here, &["report", "first.ledger", "second.ledger"]),
        2,
        &["mail.log (in ", "already counted up to byte"],
    );
    let left: Vec<_> = std::fs::read_dir(here).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("partial")), "{left:?}");
}

#[test]
fn logs_of_two_machines_with_one_path_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (machine, label) in [("mx1", None), ("mx2", None), ("mx3", Some("mx3"))] {
        std::fs::create_dir(here.join(machine)).unwrap();
        let text = log(0..40).replace(" mx ", &format!(" {machine} "));
        std::fs::write(here.join(machine).join("mail.log"), text).unwrap();
        let mut args = [&["scan", "mail.log"], &ALIKE[..], &["json", "--ledger-out", "../"]].concat();
        let out = format!("../{machine}.ledger");
        *args.last_mut().unwrap() = &out;
        args.extend(label.iter().flat_map(|label| ["--label", label]));
        expect(&run(&here.join(machine), &args), 0, &[]);
    }
    let done = run(here, &["report", "mx1.ledger", "mx2.ledger", "mx3.ledger", "--format", "json"]);
    expect(&done, 0, &["mail.log: several logs have this path", "--label"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let inputs = report["coverage"]["inputs"].as_array().unwrap();
    let mut paths: Vec<&str> = inputs.iter().map(|input| input["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["mail.log", "mail.log", "mx3:mail.log"]);
    assert!(inputs.iter().all(|input| input["lines"] == 40), "{inputs:?}");
    assert_eq!(report["totals"]["sessions"], 120);
    let turned = run(here, &["report", "mx3.ledger", "mx2.ledger", "mx1.ledger", "--format", "json"]);
    assert!(turned.stdout == done.stdout);
}

#[test]
fn what_is_no_ledger_is_named_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let write = |name: &str, bytes: &[u8]| std::fs::write(here.join(name), bytes).unwrap();
    write("mail.log", log(0..40).as_bytes());
    write("mail.log.zst", &zstd::encode_all(log(0..40).as_bytes(), 3).unwrap());
    write("letter.txt", b"Dear admin,\nplease help\n");
    write("letter.zst", &zstd::encode_all(&b"Dear admin,\nplease help\n"[..], 3).unwrap());
    write("empty", b"");
    scan_to(here, "mail.log", &here.join("good"));
    let good = std::fs::read(here.join("good")).unwrap();
    write("cut", &good[..good.len() / 2]);
    write("last", &good[..good.len() - 1]);
    write("twice", &[&good[..], &good[..]].concat());
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    write("flipped", &flipped);
    let plain = String::from_utf8(zstd::decode_all(&good[..]).unwrap()).unwrap();
    let pack = |name: &str, text: &str| write(name, &zstd::encode_all(text.as_bytes(), 3).unwrap());
    pack("newer", &plain.replacen("relayaudit.ledger/1", "relayaudit.ledger/7", 1).replacen("0.1.0", "9.9.9", 1));
    pack("bomb", &format!("{plain}{}", " ".repeat(70 << 20)));
    pack(
        "missing",
        &plain
            .lines()
            .filter(|line| !line.starts_with(r#"{"client"#))
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    );
    let check = |ledger: &str, said: &[&str]| {
        expect(&run(here, &["report", ledger]), 2, said);
        expect(&run(here, &["merge", "good", ledger, "-o", "out"]), 2, said);
        assert!(!here.join("out").exists(), "{ledger}");
    };
    check("gone", &["gone: cannot read"]);
    check(".", &["a folder, not a ledger"]);
    check("mail.log", &["mail.log: a log (postfix), not a ledger; give it to `relayaudit scan`"]);
    check("mail.log.zst", &["mail.log.zst: a log (postfix), not a ledger"]);
    check("letter.txt", &["letter.txt: not a ledger; `relayaudit scan LOGS --ledger-out FILE` writes one"]);
    check("letter.zst", &["letter.zst: not a ledger"]);
    check("empty", &["empty: empty or unreadable, not a ledger"]);
    check("cut", &["cut:1: the ledger is damaged: it ends early; nothing of it is used"]);
    check("last", &["the ledger is damaged: it ends early"]);
    check("flipped", &["the ledger is damaged"]);
    check("missing", &["the ledger is damaged: lines are missing"]);
    check("twice", &["something follows its end"]);
    check("bomb", &["it unpacks to more than a ledger holds"]);
    check(
        "newer",
        &["newer: written by relayaudit 9.9.9 as relayaudit.ledger/7; this version reads up to relayaudit.ledger/1"],
    );
    expect(&run(here, &["scan", "good"]), 2, &["good: a saved ledger, not a log; give it to `relayaudit report`"]);
    // A log is not overwritten, not even by those who ask for it.
    for args in [&["scan", "mail.log", "--ledger-out", "mail.log"][..], &["merge", "good", "-o", "mail.log"]] {
        expect(&run(here, args), 2, &["mail.log: it exists and is no ledger, so it is not overwritten"]);
    }
    assert_eq!(std::fs::read_to_string(here.join("mail.log")).unwrap(), log(0..40));
    expect(&run(here, &["scan", "mail.log", "--ledger-out", "no/such/folder"]), 2, &["folder: cannot write"]);
}

#[test]
fn an_incomplete_scan_stays_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("mail.log"), log(0..40)).unwrap();
    let args = |verb: &[&'static str]| [verb, &["--format", "json"]].concat();
    let scanned = run(here, &args(&["scan", "mail.log", "gone.log", "--quiet", "--ledger-out", "a"]));
    expect(&scanned, 2, &["gone.log: no such file"]);
    let judged = run(here, &args(&["report", "a"]));
    expect(&judged, 2, &["gone.log: no such file"]);
    assert!(judged.stdout == scanned.stdout);
}

#[test]
fn ledgers_that_count_other_mail_are_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("a.log"), log(0..40)).unwrap();
    std::fs::write(here.join("b.log"), log(50..80)).unwrap();
    run(here, &["scan", "a.log", "--ledger-out", "a", "--since", "2026-11-01"]);
    run(here, &["scan", "b.log", "--ledger-out", "b"]);
    expect(&run(here, &["report", "a", "b"]), 2, &["a: scanned with another --since or --until than b"]);
}

/// The ledger that `samples/postfix/abused.log` gave when the format was fixed. It must be read for ever.
#[test]
fn a_ledger_of_version_1_is_read() {
    let path = root().join("tests/snapshots/version-1.ledger");
    let here = root().join("samples");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() && !path.exists() {
        scan_to(&here, "postfix/abused.log", &path);
    }
    let old = load(&path).unwrap();
    let done = run(&here, &[&["scan", "postfix/abused.log"], &ALIKE[..], &["json"]].concat());
    let report = run(&here, &["report", path.to_str().unwrap(), "--format", "json"]);
    assert!(report.stdout == done.stdout);
    // Written again it is the same, but for the program's version: what one version writes, all do.
    let folder = tempfile::tempdir().unwrap();
    let again = save(&old, &folder.path().join("again"));
    let rows = |bytes: &[u8]| {
        let text = String::from_utf8(zstd::decode_all(bytes).unwrap()).unwrap();
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rows(&again), rows(&std::fs::read(&path).unwrap()));
}
