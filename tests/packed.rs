//! Packed logs and archives: whatever a log is packed in, the report is that of the plain log but for the path.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/packing.rs"]
mod packing;

use common::root;
use packing::{bzip2, gzip, xz, zstd};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(folder).args(["scan", "--format", "json", "--quiet", "--tz", "UTC", "--year", "2026"]);
    // Without the program that reads journals, whether the machine has it or not.
    command.env("PATH", "").args(args).output().unwrap()
}

fn report(done: &Output) -> Value {
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)))
}

fn stderr(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

fn sample() -> Vec<u8> {
    std::fs::read(root().join("samples/postfix/abused.log")).unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(1_790_000_000);
        // Names that `append_data` would refuse are written as they are.
        header.as_old_mut().name[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
        header.set_cksum();
        archive.append(&header, *text).unwrap();
    }
    archive.into_inner().unwrap()
}

fn utf16(text: &[u8], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
}

/// Two packed halves, one behind the other.
fn halves(pack: fn(&[u8]) -> Vec<u8>, text: &[u8]) -> Vec<u8> {
    let (a, b) = text.split_at(text.len() / 2);
    [pack(a), pack(b)].concat()
}

#[test]
fn a_packed_log_gives_the_report_of_the_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = sample();
    std::fs::write(here.join("plain.log"), &text).unwrap();
    let plain = run(here, &["plain.log"]);
    assert_eq!(plain.status.code(), Some(1));
    let plain = String::from_utf8(plain.stdout).unwrap();
    let member = "var/log/mail.log";
    let noise: &[u8] = b"Dear admin,\n";
    let in_folder = |log: &[u8]| tar(&[("var/readme", noise), (member, log), ("var/log/empty", b"")]);
    let cases: Vec<(&str, Vec<u8>, String)> = vec![
        ("gzip", gzip(&text), String::new()),
        ("gzip, members", halves(gzip, &text), String::new()),
        ("bzip2", bzip2(&text), String::new()),
        ("bzip2, streams", halves(bzip2, &text), String::new()),
        ("xz", xz(&text), String::new()),
        ("xz, streams", halves(xz, &text), String::new()),
        ("zstd", zstd(&text), String::new()),
        ("zstd, frames", halves(zstd, &text), String::new()),
        ("packed twice", gzip(&xz(&text)), String::new()),
        ("UTF-8 with mark", [b"\xef\xbb\xbf", text.as_slice()].concat(), String::new()),
        ("UTF-16, little end first", utf16(&text, u16::to_le_bytes), String::new()),
        ("UTF-16, big end first", utf16(&text, u16::to_be_bytes), String::new()),
        ("UTF-16, packed", bzip2(&utf16(&text, u16::to_le_bytes)), String::new()),
        ("tar", in_folder(&text), format!(":{member}")),
        ("tar, packed", gzip(&in_folder(&text)), format!(":{member}")),
        ("tar, packed by zstd", zstd(&in_folder(&text)), format!(":{member}")),
        ("tar of packed logs", in_folder(&xz(&text)), format!(":{member}")),
        ("tar in a tar", tar(&[("inner", &gzip(&in_folder(&text)))]), format!(":inner:{member}")),
    ];
    for (name, bytes, within) in cases {
        // The name says nothing: a packing is known by its bytes.
        std::fs::write(here.join("mail.dat"), &bytes).unwrap();
        let done = run(here, &["mail.dat"]);
        assert_eq!(done.status.code(), Some(1), "{name}: {}", stderr(&done));
        let got = String::from_utf8(done.stdout).unwrap().replace(&format!("mail.dat{within}"), "plain.log");
        assert_eq!(got, plain, "{name}");
    }
}

#[test]
fn what_ends_early_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let line = |number: u32| {
        format!(
            "2026-11-24T10:00:00.{number:06}+00:00 mx postfix/smtpd[{number}]: connect from a[192.0.2.{}]\n",
            number % 251
        )
    };
    // Numbers multiplied: text that packs badly, so that half of the bytes is about half of the lines.
    let text: String = (0..20_000u32).map(|number| line(number.wrapping_mul(2_654_435_761) % 999_983)).collect();
    let text = text.as_bytes();
    let cases: [(&str, Vec<u8>); 6] = [
        ("gzip", gzip(text)),
        ("bzip2", bzip2(text)),
        ("xz", xz(text)),
        ("zstd", zstd(text)),
        ("tar", tar(&[("mail.log", text)])),
        ("gzip", gzip(&tar(&[("mail.log", text)]))),
    ];
    for (name, bytes) in cases {
        std::fs::write(here.join("mail"), &bytes[..bytes.len() * 3 / 4]).unwrap();
        let done = run(here, &["mail"]);
        let what = format!("the {name} data ends early; read as far as it goes");
        assert!(done.status.code() == Some(2) && stderr(&done).contains(&what), "{name}: {}", stderr(&done));
        let report = report(&done);
        let input = &report["coverage"]["inputs"][0];
        let lines = input["lines"].as_u64().unwrap();
        assert!(5_000 < lines && lines < 20_000, "{name}: {input}");
        assert_eq!(input["problems"][0], what, "{name}");
    }
    // Bytes that do not belong there.
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("bzip2", bzip2), ("xz", xz), ("zstd", zstd)] {
        std::fs::write(here.join("mail"), [pack(text), b"garbage behind it".to_vec()].concat()).unwrap();
        let done = run(here, &["mail"]);
        assert!(stderr(&done).contains("damaged or followed by other bytes"), "{name}: {}", stderr(&done));
        assert_eq!(report(&done)["coverage"]["inputs"][0]["records"], 20_000, "{name}");
    }
}

#[test]
fn copies_are_counted_once_whatever_they_are_packed_in() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // Larger than what is looked at to recognise a file.
    let text = sample().repeat(12);
    assert!(256 * 1024 < text.len());
    std::fs::write(here.join("mail.log"), &text).unwrap();
    std::fs::write(here.join("mail.log.gz"), halves(gzip, &text)).unwrap();
    std::fs::write(here.join("mail.log.xz"), xz(&text)).unwrap();
    std::fs::write(here.join("all.tar"), tar(&[("mail.log", &text), ("copy.bz2", &bzip2(&text))])).unwrap();
    let done = run(here, &["."]);
    let report = report(&done);
    assert_eq!(report["coverage"]["inputs"].as_array().unwrap().len(), 1, "{}", stderr(&done));
    assert_eq!(stderr(&done).matches("the same bytes as").count(), 4);
}

#[test]
fn members_are_inputs_of_their_own_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("inner");
    std::fs::create_dir(&here).unwrap();
    let line = |time: &str| format!("2026-11-24T{time}:00+00:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]\n");
    let (late, early) = (line("12:00"), line("11:00"));
    let archive = tar(&[
        ("../../escape.log", late.as_bytes()),
        ("/abs/early.log", early.as_bytes()),
        ("letter", b"Dear admin,\nhelp\n"),
        ("core", &[0, 1, 2, 3]),
    ]);
    std::fs::write(here.join("logs.tgz"), gzip(&archive)).unwrap();
    let done = run(&here, &["logs.tgz"]);
    let report = report(&done);
    let inputs = report["coverage"]["inputs"].as_array().unwrap();
    let paths: Vec<&str> = inputs.iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["logs.tgz:/abs/early.log", "logs.tgz:../../escape.log"]);
    let said = stderr(&done);
    assert!(said.contains("logs.tgz:letter: left out") && said.contains("logs.tgz:core: left out: a binary"), "{said}");
    for folder in [folder.path(), &here] {
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "{folder:?}");
    }
}

#[test]
fn a_line_of_a_client_makes_no_archive_of_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let line = "2026-11-24T10:00:00+00:00 mx postfix/smtpd[1]: connect from ustar[192.0.2.1]\n";
    let mut text = vec![b'x'; 257 - line.find("ustar").unwrap() - 1];
    text.push(b'\n');
    text.extend_from_slice(line.repeat(20).as_bytes());
    assert_eq!(&text[257..262], b"ustar");
    std::fs::write(folder.path().join("mail.log"), text).unwrap();
    assert_eq!(report(&run(folder.path(), &["mail.log"]))["totals"]["sessions"], 20);
}

#[test]
fn files_that_hold_others_and_are_not_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (begin, what) in [
        (b"PK\x03\x04abc".as_slice(), "a zip archive"),
        (b"7z\xbc\xaf\x27\x1cabc", "a 7z archive"),
        (b"\x1f\x9dabc", "packed by compress"),
        (b"LPKSHHRHabc", "a file of journald"),
        (b"ElfFile\0abc", "a Windows event log"),
    ] {
        std::fs::write(folder.path().join("x"), begin).unwrap();
        let done = run(folder.path(), &["x"]);
        assert!(done.status.code() == Some(2) && stderr(&done).contains(what), "{what}: {}", stderr(&done));
    }
}
