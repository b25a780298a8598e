//! docs/FORMATS.md is what the registry says. `UPDATE_SNAPSHOTS=1 cargo test --test docs` writes it anew.

#![allow(clippy::unwrap_used)]

use relayaudit_parsers::registry::FORMATS;
use relayaudit_parsers::syslog::DAEMONS;
use std::fmt::Write;

#[path = "../parsers/tests/expectations/explained.rs"]
mod explained;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FORMATS.md");

/// The page, made from the registry.
fn page() -> String {
    let mut page = String::from(
        "# Log formats\n\nMade from the registry in `parsers/` by `UPDATE_SNAPSHOTS=1 cargo test --test docs`; `relayaudit formats` \
         prints the same.\nFormats are recognised by content. Files of syslog may mix daemons: every line is read by the daemon \
         that its tag names",
    );
    let daemons: Vec<&str> = DAEMONS.iter().map(|daemon| daemon.name).collect();
    writeln!(page, " ({}).", daemons.join(", ")).unwrap();
    for format in FORMATS {
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(page, "\n## `{}`: {}\n", format.name, one_line(format.title)).unwrap();
        for (name, text) in [
            ("Checked against", format.versions),
            ("Tells", format.yields),
            ("Cannot tell", format.lacks),
            ("Source", format.source),
        ] {
            writeln!(page, "- {name}: {}", one_line(text)).unwrap();
        }
    }
    page + &expectations()
}

/// What other projects expect of published lines, and how much of that is read.
fn expectations() -> String {
    let mut text = String::from(
        "\n## What other projects expect\n\nParsers and block tools ship lines with what they expect to be read in them. Where that is a \
         client, an account, a path, a\nreply code or the end of a delivery, `parsers/tests/expectations/` compares it with what relayaudit reads in the \
         same line. Every\ndifference is listed below with its reason.\n\n| project | field | agrees | of |\n| --- | --- | ---: | ---: |\n",
    );
    for (project, field, agreed, stated) in explained::AGREEMENTS {
        writeln!(text, "| {project} | {} | {agreed} | {stated} |", field.title()).unwrap();
    }
    let (agreed, stated) = explained::AGREEMENTS.iter().fold((0, 0), |sum, row| (sum.0 + row.2, sum.1 + row.3));
    writeln!(text, "| all | | {agreed} | {stated} |").unwrap();
    text += "\n| differences | project | why |\n| ---: | --- | --- |\n";
    let mut reasons = Vec::<(&str, &str, u32)>::new();
    for rule in explained::EXPLAINED {
        match reasons.iter_mut().find(|reason| (reason.0, reason.1) == (rule.project, rule.why)) {
            Some(reason) => reason.2 += rule.count,
            None => reasons.push((rule.project, rule.why, rule.count)),
        }
    }
    for (project, why, count) in reasons {
        writeln!(text, "| {count} | {project} | {why} |").unwrap();
    }
    text
}

#[test]
fn the_page_of_formats_is_what_the_registry_says() {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(FILE, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap_or_default(), page(), "write it anew with UPDATE_SNAPSHOTS=1");
}

#[test]
fn every_format_says_what_it_is() {
    for format in FORMATS {
        for text in [format.title, format.versions, format.yields, format.lacks, format.source] {
            assert!(!text.trim().is_empty(), "{}", format.name);
        }
        assert_eq!(FORMATS.iter().filter(|other| other.name == format.name).count(), 1, "{}", format.name);
    }
}
