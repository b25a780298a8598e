//! The file of a ledger: what is none is named, what was one is read for ever, and nothing is lost.

use super::common::root;
use super::{ALIKE, EVERYTHING, WORDS, expect, load, log, run, save, scan_to};
use relayaudit::judge::{self, analysis::conclude};
use relayaudit::saved::{self, Error, Saved};
use relayaudit::site::Site;

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

/// The ledger that those samples gave when the format was fixed. It must be read for ever.
#[test]
fn a_ledger_of_version_1_is_read() {
    let path = root().join("tests/snapshots/version-1.ledger");
    let here = root().join("samples");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() && !path.exists() {
        let args = [&["scan"], &EVERYTHING[..], &ALIKE[..], &["json", "--ledger-out", path.to_str().unwrap()]].concat();
        run(&here, &args);
    }
    let text = |bytes: &[u8]| String::from_utf8(zstd::decode_all(bytes).unwrap()).unwrap();
    let golden = text(&std::fs::read(&path).unwrap());
    for word in WORDS {
        assert!(golden.lines().any(|line| line.starts_with(&format!("{{\"{word}\":"))), "{word}");
    }
    let done = run(&here, &["report", path.to_str().unwrap(), "--format", "json"]);
    expect(&done, 1, &[]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    // What the logs say: of facts, unlike of findings, a later version has no other opinion.
    assert_eq!(report["totals"]["messages"], 171);
    assert_eq!(report["totals"]["recipients"], 528);
    assert_eq!(report["totals"]["by_verdict"]["relayed-unauthorised"], 118);
    assert_eq!(report["blocklistings"].as_array().unwrap().len(), 5);
    // Written again it is the same, but for the program's version: what one version writes, all do.
    let folder = tempfile::tempdir().unwrap();
    let again = text(&save(&load(&path).unwrap(), &folder.path().join("again")));
    assert!(again.lines().skip(1).eq(golden.lines().skip(1)));
}

/// Books that are finished are other bytes than those that are not, and none of them is taken for the other.
#[test]
fn books_to_bytes_and_back() {
    let open = load(&root().join("tests/snapshots/version-1.ledger")).unwrap();
    let bytes = open.to_bytes().unwrap();
    assert!(Saved::from_bytes("state", &bytes).unwrap().to_bytes().unwrap() == bytes);
    let mut ledger = open.finish();
    let (_, analysis) = conclude(&mut ledger, &Site::default(), &judge::Options::default());
    assert!(!analysis.findings.is_empty());
    let books = saved::encode(&ledger).unwrap();
    assert!(saved::decode("state", &books).unwrap() == ledger);
    assert!(saved::encode(&saved::decode("state", &books).unwrap()).unwrap() == books);
    let fails = |result: Result<(), Error>, said: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with("state") && error.contains(said), "{error}");
    };
    fails(saved::decode("state", &bytes).map(drop), "a ledger that is still open");
    fails(Saved::from_bytes("state", &books).map(drop), "nothing can be added to them");
    fails(saved::decode("state", &books[..books.len() / 2]).map(drop), "it ends early");
    fails(saved::decode("state", b"relayaudit").map(drop), "not a ledger");
    let mut flipped = books.clone();
    flipped[books.len() / 2] ^= 1;
    fails(saved::decode("state", &flipped).map(drop), "the ledger is damaged");
}
