//! docs/TRACE.md is made of what the program prints. `UPDATE_SNAPSHOTS=1 cargo test --test trace` writes it anew.

use super::{root, run, trace};
use serde_json::Value;
use std::collections::BTreeSet;

const TEXT: &str = include_str!("trace.md");

/// The page: each line `$ relayaudit ...` of the text is run, and what it prints put below it.
fn page() -> String {
    let mut page = String::new();
    for line in TEXT.lines() {
        page.push_str(line);
        page.push('\n');
        let Some(command) = line.strip_prefix("$ relayaudit ") else { continue };
        let words: Vec<&str> = command.split(' ').collect();
        let done = run(&words);
        page.push_str(&String::from_utf8(done.stdout).unwrap());
        page.push_str(&String::from_utf8(done.stderr).unwrap());
    }
    page
}

#[test]
fn the_page_is_what_the_program_prints() {
    let file = root().join("docs/TRACE.md");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), page(), "write it anew with UPDATE_SNAPSHOTS=1");
}

/// All names of fields below a value.
fn fields(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                names.insert(name.clone());
                // The names in these are those of other contracts.
                if !["by_verdict", "by_outcome", "matched"].contains(&name.as_str()) {
                    fields(value, names);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, names)),
        _ => {}
    }
}

#[test]
fn every_field_of_the_document_is_explained() {
    let mut names = BTreeSet::new();
    fields(&trace(&["anna", "samples/handed-on"]), &mut names);
    let header = "Received: from a by mx1 id 33031E3; Mon, 18 Jan 2027 06:30:19 +0000";
    fields(&trace(&[header, "samples/postfix/abused.log"]), &mut names);
    let missing: Vec<&String> = names.iter().filter(|name| !TEXT.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
