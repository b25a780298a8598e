//! `relayaudit extract`: a row per recipient, the same in every form and by any number of threads.

#![allow(clippy::unwrap_used)]

use polars::prelude::{ParquetReader, SerReader};
use relayaudit::extract::COLUMNS;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

const SITE: &[&str] = &["--local-domain", "norbrook.example", "--trusted-net", "10.0.0.0/8"];

fn run(arguments: &[&str]) -> std::process::Output {
    let root = concat!(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root).args(arguments).args(SITE).args(["--tz", "UTC", "--year", "2027"]).output().unwrap()
}

fn rows(arguments: &[&str]) -> Vec<Value> {
    let output = run(&[&["extract", "--to", "ndjson"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_are_what_the_report_counts() {
    for log in ["samples/postfix", "samples/exim", "samples/iis-smtp-w3c", "samples/qmail", "samples/zeek"] {
        let report: Value = serde_json::from_slice(&run(&["scan", "--format", "json", log]).stdout).unwrap();
        let mut by_verdict = BTreeMap::<String, u64>::new();
        for row in rows(&[log]) {
            let names: Vec<&String> = row.as_object().unwrap().keys().collect();
            assert_eq!(names.len(), COLUMNS.len());
            assert!(COLUMNS.iter().all(|name| row.get(name).is_some()), "{row}");
            *by_verdict.entry(row["verdict"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let counted: BTreeMap<String, u64> = serde_json::from_value(report["totals"]["by_verdict"].clone()).unwrap();
        assert!(!counted.is_empty(), "{log}");
        assert_eq!(by_verdict, counted, "{log}");
    }
}

#[test]
fn a_row_says_what_the_lines_say() {
    let rows = rows(&["samples/postfix/abused.log"]);
    let relayed: Vec<&Value> = rows.iter().filter(|row| row["verdict"] == "relayed-unauthorised").collect();
    let row = relayed.iter().find(|row| row["client"] == "198.18.108.64").unwrap();
    assert_eq!(row["queue_id"], "DF566ED");
    assert_eq!(row["forward_path"], "weiss_yusuf@freemail.example");
    assert_eq!((row["outcome"].as_str(), row["account"].as_str()), (Some("relayed"), None));
    assert_eq!(row["next_hop"], "mx-in.freemail.example[198.19.250.34]:25");
    assert_eq!(row["time"], "2027-01-18T06:55:32Z");
    assert_eq!((row["path"].as_str(), row["line"].as_u64()), (Some("samples/postfix/abused.log"), Some(60)));
    assert!(rows.iter().any(|row| row["account"].is_string() && row["verdict"] == "outbound-account"));
    assert!(rows.iter().any(|row| row["original_forward_path"].is_string()));
}

#[test]
fn every_form_and_any_number_of_threads_give_the_same() {
    let one = run(&["extract", "samples", "--threads", "1"]);
    let csv = String::from_utf8(one.stdout.clone()).unwrap();
    assert!(csv.starts_with(&(COLUMNS.join(",") + "\n")));
    assert_eq!(run(&["extract", "samples", "--threads", "3"]).stdout, one.stdout);
    let lines = rows(&["samples"]).len();
    // No sample has a line end within an address.
    assert_eq!(csv.lines().count(), lines + 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.parquet");
    let output = run(&["extract", "samples", "--to", "parquet", "--out", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let frame = ParquetReader::new(std::fs::File::open(&path).unwrap()).finish().unwrap();
    assert_eq!((frame.height(), frame.width()), (lines, COLUMNS.len()));
}

#[test]
fn what_cannot_be_done_is_said() {
    let output = run(&["extract", "samples/postfix", "--to", "parquet"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs a file: --out FILE"));
    assert_eq!(run(&["extract", "no-such-file.log"]).status.code(), Some(2));
}

#[test]
fn a_folder_by_day_and_server_holds_every_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("mail").display().to_string();
    let write =
        || run(&["extract", "samples/postfix", "samples/zeek", "--to", "parquet", "--partition", "--out", &out]);
    assert!(write().status.success());
    let files = walkdir::WalkDir::new(&out).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let mut found = 0;
    for file in files {
        let frame = ParquetReader::new(std::fs::File::open(file.path()).unwrap()).finish().unwrap();
        let days = frame.column("time").unwrap().str().unwrap();
        let path = file.path().display().to_string();
        assert!(days.iter().flatten().all(|time| path.contains(&format!("day={}", &time[..10]))), "{path}");
        found += frame.height();
    }
    assert_eq!(found, rows(&["samples/postfix", "samples/zeek"]).len());
    let again = write();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("would count twice"));
    assert_eq!(
        run(&["extract", "samples/postfix", "--to", "csv", "--partition", "--out", &out]).status.code(),
        Some(2)
    );
}
