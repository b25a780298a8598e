//! What other projects say of lines of their tests, compared with what relayaudit reads in them: clients, accounts, paths
//! and states. Every difference must be one that `explained.rs` gives a reason for, so many times and no more. Skipped, and
//! said, where the corpus is not beside the project.

#![allow(clippy::unwrap_used)]

mod explained;
mod read;
mod sources;

use explained::{AGREEMENTS, EXPLAINED, Field};
use read::{Reading, read};
use sources::Stated;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");

/// What a project says, and where relayaudit differs.
struct Difference {
    stated: Stated,
    read: Reading,
}

/// Whether a reading says what is stated.
fn agrees(stated: &Stated, reading: &Reading) -> bool {
    let value = stated.value.as_str();
    match stated.field {
        Field::Client => reading.clients.iter().any(|client| client == value),
        Field::Account => reading.accounts.iter().any(|account| account == value),
        Field::ReversePath => reading.reverse_paths.iter().any(|path| path.eq_ignore_ascii_case(value)),
        Field::ForwardPath => reading.forward_paths.iter().any(|path| path.eq_ignore_ascii_case(value)),
        Field::Status => reading.states.iter().any(|state| state == value),
    }
}

/// Every file below a folder but for our own logs, with its text.
fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true if path.ends_with("mta") => {}
            true => files(&path, found),
            false => {
                found.insert(path.display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
}

#[test]
fn what_others_expect_is_read_or_explained() {
    let mut found = BTreeMap::new();
    files(Path::new(CORPUS), &mut found);
    if found.is_empty() {
        println!("SKIPPED: ../shared/corpus is absent, so nothing is compared with what other projects expect");
        return;
    }
    let (mut agreed, mut differences) = (BTreeMap::<(&str, Field), (u32, u32)>::new(), Vec::new());
    for stated in sources::all(&found) {
        let reading = read(&stated);
        let count = agreed.entry((stated.project, stated.field)).or_default();
        count.1 += 1;
        match agrees(&stated, &reading) {
            true => count.0 += 1,
            false => differences.push(Difference { read: reading, stated }),
        }
    }
    let mut explained = vec![0; EXPLAINED.len()];
    let mut unexplained = 0;
    for Difference { stated, read } in &differences {
        let text = format!("{}: {}", stated.file, String::from_utf8_lossy(&stated.line));
        let fits = |rule: &&explained::Rule| {
            rule.project == stated.project
                && read.taken.starts_with(rule.taken)
                && rule.parts.iter().any(|part| text.contains(part))
        };
        match EXPLAINED.iter().position(|rule| fits(&rule)) {
            Some(rule) => explained[rule] += 1,
            None => {
                unexplained += 1;
                eprintln!("{} {:?} {:?} in {text}\n    read {read:?}", stated.project, stated.field, stated.value);
            }
        }
    }
    let agreed: Vec<_> =
        agreed.into_iter().map(|((project, field), (agreed, stated))| (project, field, agreed, stated)).collect();
    eprintln!("agreed: {agreed:#?}");
    for (rule, count) in EXPLAINED.iter().zip(&explained) {
        eprintln!("{count} of {}: {}", rule.project, rule.why);
    }
    assert_eq!(unexplained, 0);
    assert_eq!(explained, EXPLAINED.iter().map(|rule| rule.count).collect::<Vec<_>>());
    assert_eq!(agreed, AGREEMENTS);
}
