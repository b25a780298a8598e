//! Ledgers that somebody wrote who means harm: refused, or judged as they are, but nothing ends in a panic.

use super::common::root;
use super::{ALIKE, EVERYTHING, WORDS, load, run};
use proptest::prelude::*;
use relayaudit::judge::{self, analysis::conclude};
use relayaudit::ledger::Ledger;
use relayaudit::report::{Report, Run, json};
use relayaudit::saved::Saved;
use relayaudit::site::Site;

fn report(mut ledger: Ledger) -> Vec<u8> {
    let (site, analysis) = conclude(&mut ledger, &Site::default(), &judge::Options::default());
    let mut out = Vec::new();
    json::write(&Report::build(&ledger, &site, &analysis, &Run::default()), &mut out).unwrap();
    out
}

/// The lines of a small ledger with something of everything, open lines too.
fn lines() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ledger");
    let args = [&["scan"], &EVERYTHING[..], &ALIKE[..], &["json", "--ledger-out", path.to_str().unwrap()]].concat();
    run(&root().join("samples"), &args);
    let text = String::from_utf8(zstd::decode_all(&std::fs::read(&path).unwrap()[..]).unwrap()).unwrap();
    // A few of each kind are read as all are, and faster.
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    let mut kept = |line: &&str| {
        let kind = line.split('"').nth(1).unwrap();
        let times = seen.entry(kind.to_owned()).or_default();
        *times += 1;
        matches!(kind, "file" | "context") || (*times <= 4 && kind != "end")
    };
    let mut lines: Vec<String> = text.lines().filter(&mut kept).map(str::to_owned).collect();
    lines.push(format!("{{\"end\":{}}}", lines.len() - 1));
    lines
}

/// Loads bytes as a ledger and, if they are taken for one, judges it.
fn survive(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile");
    std::fs::write(&path, bytes).unwrap();
    let Ok(saved) = load(&path) else { return false };
    let Ok(joined) = Saved::join(vec![saved]) else { return false };
    joined.saved.to_bytes().unwrap();
    !report(joined.saved.finish()).is_empty()
}

#[test]
fn a_ledger_that_is_cut_off_anywhere_is_refused() {
    let bytes = std::fs::read(root().join("tests/snapshots/version-1.ledger")).unwrap();
    let last = bytes.len() - 20..bytes.len();
    for end in (0..bytes.len()).step_by(511).chain(last) {
        let error = Saved::from_bytes("state", &bytes[..end]).map(drop).unwrap_err().to_string();
        let said = if end < 4 { "state: not a ledger" } else { "the ledger is damaged" };
        assert!(error.starts_with("state") && error.contains(said), "{end}: {error}");
    }
}

/// A frame that wants 64 MiB set aside for it, though it holds a line.
#[test]
fn a_frame_that_wants_more_memory_than_a_ledger_does_is_refused() {
    let text = lines().join("\n");
    let pack = |window: u32| {
        let mut packer = zstd::Encoder::new(Vec::new(), 1).unwrap();
        packer.window_log(window).unwrap();
        std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    assert!(survive(&pack(21)));
    let error = Saved::from_bytes("state", &pack(26)).map(drop).unwrap_err().to_string();
    assert!(error.starts_with("state:1: the ledger is damaged: "), "{error}");
}

/// Numbers that are at an edge of something.
fn hostile_numbers() -> Vec<&'static str> {
    vec![
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "4611686018427387903",
        "2147483647",
        "-2147483648",
        "1e400",
        "null",
        "[]",
        "\"\"",
    ]
}

#[test]
fn the_ledger_that_is_attacked_is_one() {
    let lines = lines();
    assert!(survive(&zstd::encode_all(lines.join("\n").as_bytes(), 1).unwrap()));
    for word in WORDS {
        assert!(lines.iter().any(|line| line.starts_with(&format!("{{\"{word}\""))), "{word}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_harmless(bytes in prop::collection::vec(any::<u8>(), 0..300), packed in any::<bool>()) {
        let bytes = if packed { zstd::encode_all(&bytes[..], 1).unwrap() } else { bytes };
        prop_assert!(!survive(&bytes));
    }

    #[test]
    fn any_change_of_a_packed_ledger_is_noticed(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let original = std::fs::read(root().join("tests/snapshots/version-1.ledger")).unwrap();
        let mut bytes = original.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // Some bits mean nothing (RFC 8878 section 3.1.1.1.1.4, and what fills the last byte of a stream): the text is the same.
        let same = zstd::decode_all(&bytes[..]).is_ok_and(|text| text == zstd::decode_all(&original[..]).unwrap());
        prop_assert!(same || !survive(&bytes));
    }
}

#[test]
fn lines_with_hostile_numbers_are_harmless() {
    let lines = lines();
    let mut taken = 0;
    // Every kind of line, every number in it, every hostile value.
    let mut seen = std::collections::BTreeSet::new();
    for (at, line) in lines.iter().enumerate() {
        let kind: String = line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).take(12).collect();
        if !seen.insert(kind) {
            continue;
        }
        let mut start = 0;
        while let Some(from) = line[start..].find(|c: char| c.is_ascii_digit()).map(|from| start + from) {
            let to = line[from..].find(|c: char| !c.is_ascii_digit()).map_or(line.len(), |to| from + to);
            start = to;
            for number in hostile_numbers() {
                let changed = [&line[..from], number, &line[to..]].concat();
                let mut all = lines.clone();
                all[at] = changed;
                taken += u32::from(survive(&zstd::encode_all(all.join("\n").as_bytes(), 1).unwrap()));
            }
        }
    }
    assert!(0 < taken);
}

#[test]
fn lines_left_out_doubled_or_moved_are_harmless() {
    let lines = lines();
    for seed in 0..150usize {
        let mut all = lines.clone();
        let at = |number: usize| 1 + (seed * 7919 + number * 104_729) % (lines.len() - 2);
        match seed % 3 {
            0 => drop(all.remove(at(1))),
            1 => all.swap(at(1), at(2)),
            _ => all.insert(at(1), lines[at(2)].clone()),
        }
        let last = all.len() - 1;
        all[last] = format!("{{\"end\":{}}}", all.len() - 2);
        survive(&zstd::encode_all(all.join("\n").as_bytes(), 1).unwrap());
    }
}
