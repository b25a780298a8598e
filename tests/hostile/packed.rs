//! Archives and packed files that hold more than they should.

use super::common::root;
use super::packing::{bzip2, gzip, xz, zstd};
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in a folder.
pub fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(folder).env("PATH", "").args(args).output().unwrap()
}

/// Scans and returns the report, the exit status and what was complained of.
pub fn scan(folder: &Path, args: &[&str]) -> (serde_json::Value, Option<i32>, String) {
    let all = [&["scan", "--format", "json", "--quiet", "--tz", "UTC", "--year", "2026"], args].concat();
    let done = run(folder, &all);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    (serde_json::from_slice(&done.stdout).unwrap_or_default(), done.status.code(), said)
}

pub fn sample() -> Vec<u8> {
    std::fs::read(root().join("samples/postfix/abused.log")).unwrap()
}

fn tar(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, name, text.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A log with 80 MiB of nothing behind it.
fn bomb() -> Vec<u8> {
    let mut text = sample();
    text.resize(80 << 20, 0);
    text
}

#[test]
fn a_bomb_is_read_as_far_as_a_log_could_go_and_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = bomb();
    let records = sample().iter().filter(|byte| **byte == b'\n').count();
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("gzip", gzip(&bomb), ""),
        ("bzip2", bzip2(&bomb), ""),
        ("xz", xz(&bomb), ""),
        ("zstd", zstd(&bomb), ""),
        ("gzip", gzip(&zstd(&bomb)), ""),
        ("zstd", zstd(&tar(&[("mail.log".into(), bomb.clone())])), ":mail.log"),
    ];
    for (name, packed, within) in cases {
        assert!(packed.len() < 150_000, "{name}: {}", packed.len());
        std::fs::write(folder.path().join("mail"), packed).unwrap();
        let (report, status, said) = scan(folder.path(), &["mail"]);
        let what = format!("the {name} data holds more than 500 times its size, as no log does; read as far as that");
        assert!(status == Some(2) && said.contains(&what), "{name}: {said}");
        let input = &report["coverage"]["inputs"][0];
        assert_eq!(
            (input["path"].as_str(), input["records"].as_u64()),
            (Some(&*format!("mail{within}")), Some(records as u64))
        );
        let bytes = input["bytes"].as_u64().unwrap();
        assert!((64 << 20..66 << 20).contains(&bytes), "{name}: {bytes}");
    }
}

#[test]
fn a_log_that_packs_well_is_no_bomb() {
    let folder = tempfile::tempdir().unwrap();
    let line = |at: u64| {
        let (minute, second) = (at / 60 % 60, at % 60);
        format!(
            "2026-11-24T{:02}:{minute:02}:{second:02}+00:00 mx postfix/smtpd[7]: connect from a[192.0.2.1]\n",
            at / 3600 % 24
        )
    };
    let text: String = (0..1_000_000u64).map(line).collect();
    std::fs::write(folder.path().join("mail.log.zst"), zstd(text.as_bytes())).unwrap();
    let (report, status, said) = scan(folder.path(), &["mail.log.zst"]);
    assert_eq!((status, report["totals"]["sessions"].as_u64()), (Some(0), Some(1_000_000)), "{said}");
}

/// Each member of a packed archive is found again by unpacking all before it: for small ones that is spared.
#[test]
fn archives_of_many_logs_take_no_time_for_each_that_grows_with_all() {
    let folder = tempfile::tempdir().unwrap();
    let text = |number: u32| {
        let line = format!("2026-11-24T10:00:00+00:00 mx postfix/smtpd[{number}]: connect from a[192.0.2.1]\n");
        line.repeat(120).into_bytes()
    };
    let members: Vec<(String, Vec<u8>)> =
        (0..3_000).map(|number| (format!("m/{number:05}.log"), text(number))).collect();
    let archive = tar(&members);
    // Read anew from the beginning for each, it would be 45 GB.
    for bytes in [gzip(&archive), archive] {
        std::fs::write(folder.path().join("logs"), bytes).unwrap();
        let begun = std::time::Instant::now();
        let (report, status, said) = scan(folder.path(), &["logs"]);
        assert_eq!((status, report["coverage"]["inputs"].as_array().unwrap().len()), (Some(0), 3_000), "{said}");
        assert!(begun.elapsed().as_secs() < 40, "{:?}", begun.elapsed());
    }
}

#[test]
fn an_archive_of_too_many_members_is_read_as_far_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let members: Vec<(String, Vec<u8>)> = (0..10_050).map(|number| (format!("{number}"), Vec::new())).collect();
    std::fs::write(folder.path().join("logs.tgz"), gzip(&tar(&members))).unwrap();
    let (_, status, said) = scan(folder.path(), &["logs.tgz"]);
    assert!(status == Some(2) && said.contains("it holds more than 10000 files; the rest was left out"), "{said}");
}
