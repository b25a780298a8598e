//! Precision and recall of every rule on logs of real mail servers whose traffic is known. `UPDATE_SNAPSHOTS=1 cargo test --test
//! accuracy` writes docs/ACCURACY.md anew. Skipped, with a message, where the labelled logs are not beside the project.

#![allow(clippy::unwrap_used)]

#[path = "accuracy/page.rs"]
mod page;
#[path = "accuracy/truth.rs"]
mod truth;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/mta");
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ACCURACY.md");

/// What was measured over all scenarios, under one way to know the site.
#[derive(Default)]
pub struct Measured {
    /// By server program and rule.
    scores: BTreeMap<(String, &'static str), Score>,
    /// Scenarios whose verdict names another cause than the true one.
    wrong_causes: Vec<String>,
    /// Clients that relayed, by server program: how many were counted to the recipient, of how many.
    exact: BTreeMap<String, (usize, usize)>,
    /// By server program and rule, with what differs: `missed 192.0.2.1 in s1_benign`.
    differences: BTreeMap<(String, &'static str), Vec<String>>,
    /// How many there were.
    scenarios: usize,
}

/// Subjects.
#[derive(Default, Clone, Copy)]
pub struct Score {
    found: usize,
    missed: usize,
    wrong: usize,
}

impl Measured {
    fn scenario(&mut self, server: &str, folder: &Path, labels: &Value, stated: bool) {
        let scenario = folder.file_name().unwrap().to_string_lossy().into_owned();
        let report = scan(folder, labels, stated);
        let cause = report["verdict"]["cause"].as_str().unwrap();
        self.scenarios += 1;
        if !truth::is_right(&scenario, cause) {
            self.wrong_causes.push(format!("{server}/{scenario}: {cause}"));
        }
        for (rule, (must, may)) in truth::truth(labels) {
            let got = truth::found(&report, rule);
            let (missed, wrong) = (&must - &got, &got - &(&may | &must));
            let key = (server.to_owned(), rule);
            let score = self.scores.entry(key.clone()).or_default();
            score.found += (&must & &got).len();
            score.missed += missed.len();
            score.wrong += wrong.len();
            let tell = |what: &str, subjects: &BTreeSet<String>| {
                subjects.iter().map(|subject| format!("{what} {subject} in {scenario}")).collect::<Vec<_>>()
            };
            let all = [tell("missed", &missed), tell("wrong", &wrong)].concat();
            if !all.is_empty() {
                self.differences.entry(key).or_default().extend(all);
            }
        }
        let counted = truth::counted(&report);
        for (client, recipients) in truth::relayed(labels) {
            let exact = self.exact.entry(server.to_owned()).or_default();
            let got = counted.get(&client).copied();
            exact.0 += usize::from(got == Some(recipients));
            exact.1 += 1;
            if let Some(got) = got.filter(|got| *got != recipients) {
                let difference = format!("{got} recipients of {client} in {scenario} for {recipients}");
                self.differences.entry((server.to_owned(), "exact counts")).or_default().push(difference);
            }
        }
    }
}

fn scan(folder: &Path, labels: &Value, stated: bool) -> Value {
    let policy = &labels["policy"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.args(["scan", "--format", "json", "--quiet", "--tz", policy["timezone"].as_str().unwrap_or("UTC")]);
    if stated {
        command.args(["--server-name", policy["hostname"].as_str().unwrap()]);
        for (key, option) in [
            ("local_domains", "--local-domain"),
            ("relay_domains", "--local-domain"),
            ("authorised_networks", "--trusted-net"),
            ("server_ips", "--server-ip"),
        ] {
            truth::texts(&policy[key]).iter().for_each(|value| {
                command.args([option, value]);
            });
        }
    }
    let logs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        ["mail.iso.log", "mainlog", "rejectlog"].iter().any(|log| name.starts_with(log))
    };
    command.args(logs.filter(is_log));
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

#[test]
fn rules_on_labelled_servers() {
    let Ok(servers) = std::fs::read_dir(ROOT) else {
        println!("SKIPPED: no labelled logs at {ROOT}; nothing was measured");
        return;
    };
    let (mut stated, mut inferred) = (Measured::default(), Measured::default());
    for server in servers.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let name = server.file_name().unwrap().to_string_lossy().into_owned();
        let mut folders: Vec<_> = std::fs::read_dir(&server).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        for folder in folders {
            let Some(labels) = truth::labels(&folder) else { continue };
            stated.scenario(&name, &folder, &labels, true);
            inferred.scenario(&name, &folder, &labels, false);
        }
    }
    let causes = [&stated.wrong_causes, &inferred.wrong_causes];
    assert!(causes.iter().all(|wrong| wrong.is_empty()), "{causes:?}");
    let page = page::page(&stated, &inferred);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(FILE, &page).unwrap();
    }
    let missed: Vec<_> = stated.differences.iter().filter(|((_, rule), _)| *rule != "exact counts").collect();
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(std::fs::read_to_string(FILE).unwrap_or_default(), page, "write it anew with UPDATE_SNAPSHOTS=1");
}
