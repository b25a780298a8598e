//! Nothing counts twice, and what cannot be put together is refused.

use super::{ALIKE, expect, log, run, scan_to};
use std::io::Write;

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
        let said = match first == second {
            true => format!("{other}.ledger: given twice; counted once"),
            false => format!("{other}.ledger: left out: all its logs are in mail.log.ledger too; counted once"),
        };
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
    let said = ["mail.log.ledger: left out: all its logs are in out.ledger too; counted once"];
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
fn ledgers_that_count_other_mail_are_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("a.log"), log(0..40)).unwrap();
    std::fs::write(here.join("b.log"), log(50..80)).unwrap();
    run(here, &["scan", "a.log", "--ledger-out", "a", "--since", "2026-11-01"]);
    run(here, &["scan", "b.log", "--ledger-out", "b"]);
    expect(&run(here, &["report", "a", "b"]), 2, &["a: scanned with another --since or --until than b"]);
}
