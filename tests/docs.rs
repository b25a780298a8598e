//! docs/FORMATS.md is what the registry says. `UPDATE_SNAPSHOTS=1 cargo test --test docs` writes it anew.

#![allow(clippy::unwrap_used)]

use relayaudit_parsers::registry::FORMATS;
use relayaudit_parsers::syslog::DAEMONS;
use std::fmt::Write;

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
    page
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
