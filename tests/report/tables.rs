//! `--tables DIR`.

use super::*;

#[test]
fn tables_hold_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = abused();
    let report = report(&ledger);
    let files = report::write_tables(&report, &ledger, &site(&ledger), &folder.path().join("new/tables")).unwrap();
    let tables = [
        ("offenders", report.offenders.len()),
        ("gaps", report.coverage.gaps.len()),
        ("findings", report.findings.len()),
        ("accounts", 2),
        ("campaigns", report.campaigns.len()),
        ("servers", 1),
        ("blocklistings", 0),
        ("timeline", report.timeline.iter().map(|hour| hour.by_verdict.len()).sum()),
        ("coverage", 1),
        ("handovers", 0),
        ("flows", ledger.flows.len()),
        ("volume", 30),
    ];
    assert_eq!(files.len(), 2 * tables.len());
    for (name, rows) in tables {
        let of = |ending: &str| files.iter().find(|path| path.ends_with(format!("{name}.{ending}"))).unwrap();
        let frame = ParquetReader::new(std::fs::File::open(of("parquet")).unwrap()).finish().unwrap();
        assert_eq!(frame.height(), rows, "{name}");
        let csv = std::fs::read_to_string(of("csv")).unwrap();
        assert_eq!(csv.lines().count(), 1 + rows, "{name}");
        assert_harmless(&csv);
        match name {
            "volume" => {
                assert!(csv.lines().nth(1).unwrap().contains(",2001:db8:1234:5678:9abc:def0:1234:5678,relayed-"))
            }
            "flows" => {
                assert!(frame.column("client").unwrap().str().unwrap().iter().flatten().any(|text| text == HOSTILE))
            }
            _ => {}
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let ledger = Ledger::default();
    let error = report::write_tables(&report(&ledger), &ledger, &Site::default(), &file).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: cannot write the table: ", file.display())), "{error}");
}
