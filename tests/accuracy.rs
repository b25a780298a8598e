//! Precision and recall of every rule on logs of real mail servers whose traffic is known. `UPDATE_SNAPSHOTS=1 cargo test --test
//! accuracy` writes docs/ACCURACY.md anew. Skipped, with a message, where the labelled logs are not beside the project.

#![allow(clippy::unwrap_used)]

use flate2::read::GzDecoder;
use ipnet::IpNet;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/mta");
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ACCURACY.md");

/// Subjects that must be found, and those that may be.
type Truth = BTreeMap<&'static str, (BTreeSet<String>, BTreeSet<String>)>;

/// Found, missed, wrong.
type Score = (usize, usize, usize);

fn labels(folder: &Path) -> Option<Value> {
    let plain = folder.join("labels.json");
    if let Ok(text) = std::fs::read(&plain) {
        return serde_json::from_slice(&text).ok();
    }
    let mut text = Vec::new();
    GzDecoder::new(std::fs::File::open(folder.join("labels.json.gz")).ok()?).read_to_end(&mut text).unwrap();
    serde_json::from_slice(&text).ok()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_lowercase)).collect()
}

fn address(text: &str) -> String {
    let bare = text.trim_matches(['[', ']']);
    bare.parse::<IpAddr>().map_or_else(|_| bare.to_owned(), |address| address.to_canonical().to_string())
}

fn domain(path: &str) -> String {
    path.rsplit_once('@').map(|(_, domain)| domain.trim_end_matches('>').to_lowercase()).unwrap_or_default()
}

/// What a good report finds, from what the clients really did.
fn truth(labels: &Value) -> Truth {
    let policy = &labels["policy"];
    let ours: BTreeSet<String> = texts(&policy["local_domains"]).into_iter().collect();
    let nets: Vec<IpNet> = texts(&policy["authorised_networks"]).iter().filter_map(|net| net.parse().ok()).collect();
    let mut by = BTreeMap::<String, BTreeSet<String>>::new();
    let mut spoofers = BTreeSet::new();
    for transaction in labels["transactions"].as_array().unwrap() {
        let verdict = transaction["verdict"].as_str().unwrap();
        let client = transaction["client_ip"].as_str().map(address);
        by.entry(verdict.to_owned()).or_default().insert(client.clone().unwrap_or_default());
        let Some(client) = client else { continue };
        let inside = client.parse().is_ok_and(|client: IpAddr| nets.iter().any(|net| net.contains(&client)));
        let sender = transaction["mail_from"].as_str().unwrap_or_default();
        if !inside && transaction["auth_user"].is_null() && ours.contains(&domain(sender)) {
            spoofers.insert(client);
        }
    }
    let of = |names: &[&str]| -> BTreeSet<String> {
        let all = names.iter().filter_map(|name| by.get(*name)).flatten();
        all.filter(|client| !client.is_empty()).cloned().collect()
    };
    let failures = labels["observed"]["auth_failures_by_ip"].as_object();
    let failures = |least: u64| -> BTreeSet<String> {
        let all = failures.into_iter().flatten();
        all.filter(|(_, n)| least <= n.as_u64().unwrap_or(0)).map(|(client, _)| address(client)).collect()
    };
    let expect = &labels["expect"];
    let accounts: BTreeSet<String> = texts(&expect["compromised_accounts"]).into_iter().collect();
    let scripted = by.get("web_form_abuse").is_some_and(|clients| clients.contains(""));
    let script: BTreeSet<String> =
        expect["local_abuse_user"].as_str().filter(|_| scripted).map(str::to_owned).into_iter().collect();
    let scatter: BTreeSet<String> = expect["backscatter_trigger_ips"]
        .as_array()
        .filter(|clients| !clients.is_empty())
        .map(|_| "server".to_owned())
        .into_iter()
        .collect();
    let relayed = of(&["relayed_unauthorised", "relayed_unauthorised_benign"]);
    let probes = of(&["probe_denied"]);
    let near_probes = &of(&["relay_denied_benign", "rcpt_accepted_no_data"]) | &relayed;
    let hosts = of(&["compromised_host", "web_form_abuse"]);
    let spoofed = &of(&["spoofed_sender"]) & &spoofers;
    let harvest = of(&["harvest"]);
    let near_harvest = of(&["recipient_enumeration", "backscatter_trigger"]);
    BTreeMap::from([
        ("open-relay", (relayed.clone(), relayed)),
        ("relay-probe", (probes.clone(), &probes | &near_probes)),
        ("spoofed-local-sender", (spoofed, spoofers)),
        ("credential-guessing", (failures(10), failures(1))),
        ("compromised-account", (accounts.clone(), accounts)),
        ("abused-trusted-host", (hosts.clone(), hosts)),
        ("abused-local-script", (script.clone(), script)),
        ("directory-harvest", (harvest.clone(), &harvest | &near_harvest)),
        ("backscatter", (scatter.clone(), scatter)),
    ])
}

/// The subjects of a rule's findings, as the labels spell them.
fn found(report: &Value, rule: &str) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let of_rule = findings.filter(|finding| finding["rule"] == rule);
    let subject = |finding: &Value| {
        let value = finding["subject"]["value"].as_str().unwrap();
        match (rule, finding["subject"]["kind"].as_str().unwrap()) {
            ("backscatter", _) => Some("server".to_owned()),
            ("compromised-account", _) => Some(value.to_lowercase().split('@').next().unwrap().to_owned()),
            ("abused-local-script", _) => Some(value.to_owned()),
            (_, "client") => Some(address(value)),
            _ => None,
        }
    };
    of_rule.filter_map(subject).collect()
}

fn scan(folder: &Path, labels: &Value) -> Value {
    let policy = &labels["policy"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.args(["scan", "--format", "json", "--quiet", "--tz", policy["timezone"].as_str().unwrap_or("UTC")]);
    command.args(["--server-name", policy["hostname"].as_str().unwrap()]);
    for (key, option) in [
        ("local_domains", "--local-domain"),
        ("relay_domains", "--local-domain"),
        ("authorised_networks", "--trusted-net"),
        ("server_ips", "--server-ip"),
    ] {
        texts(&policy[key]).iter().for_each(|value| {
            command.args([option, value]);
        });
    }
    let logs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        ["mail.iso.log", "mainlog", "rejectlog"].iter().any(|log| name.starts_with(log))
    };
    command.args(logs.filter(is_log));
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

/// The cause that a scenario has, by its number.
fn is_right(scenario: &str, cause: &str) -> bool {
    let quiet = ["clean", "probes-only", "inbound-only"];
    match scenario.split('_').next().unwrap() {
        "s1" | "s8" => quiet.contains(&cause),
        "s2" | "s7" => cause == "open-relay",
        "s3" => cause == "probes-only",
        "s4" => cause == "compromised-account",
        "s5" => ["abused-trusted-host", "abused-local-script"].contains(&cause),
        "s6" => cause == "backscatter",
        _ => true,
    }
}

#[test]
fn rules_on_labelled_servers() {
    let Ok(servers) = std::fs::read_dir(ROOT) else {
        println!("SKIPPED: no labelled logs at {ROOT}; nothing was measured");
        return;
    };
    let mut scores = BTreeMap::<(String, &'static str), Score>::new();
    let (mut scenarios, mut wrong) = (0, Vec::new());
    for server in servers.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let name = server.file_name().unwrap().to_string_lossy().into_owned();
        for folder in std::fs::read_dir(&server).unwrap().map(|entry| entry.unwrap().path()) {
            let Some(labels) = labels(&folder) else { continue };
            let scenario = folder.file_name().unwrap().to_string_lossy().into_owned();
            let report = scan(&folder, &labels);
            let cause = report["verdict"]["cause"].as_str().unwrap().to_owned();
            scenarios += 1;
            if !is_right(&scenario, &cause) {
                wrong.push(format!("{name}/{scenario}: {cause}"));
            }
            for (rule, (must, may)) in truth(&labels) {
                let got = found(&report, rule);
                let score = scores.entry((name.clone(), rule)).or_default();
                score.0 += (&must & &got).len();
                score.1 += (&must - &got).len();
                score.2 += (&got - &(&may | &must)).len();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    let page = page(&scores, scenarios);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(FILE, &page).unwrap();
    }
    let missed: Vec<_> = scores.iter().filter(|(_, score)| 0 < score.1 + score.2).collect();
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(std::fs::read_to_string(FILE).unwrap_or_default(), page, "write it anew with UPDATE_SNAPSHOTS=1");
}

fn page(scores: &BTreeMap<(String, &'static str), Score>, scenarios: usize) -> String {
    let mut page = format!(
        "# Accuracy\n\nWritten by `UPDATE_SNAPSHOTS=1 cargo test --test accuracy` from logs of real mail servers under scripted traffic, of \
         which every\ntransaction is known. {scenarios} scenarios; the site is stated as the administrator meant it; the verdict names the right \
         cause in\nall of them. Found, missed and wrong are subjects (clients, accounts, users, servers). The same logs served to make the \
         rules:\non other servers the figures will be lower.\n\n| rule | server | found | missed | wrong | precision | recall |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
    );
    let ratio = |part: usize, rest: usize| if part + rest == 0 { 1.0 } else { part as f64 / (part + rest) as f64 };
    let mut rows: Vec<_> = scores.iter().map(|((server, rule), score)| (*rule, server.as_str(), *score)).collect();
    rows.sort_unstable();
    for (rule, server, (hit, miss, wrong)) in rows.into_iter().filter(|(_, _, score)| 0 < score.0 + score.1 + score.2) {
        let (precision, recall) = (ratio(hit, wrong), ratio(hit, miss));
        writeln!(page, "| {rule} | {server} | {hit} | {miss} | {wrong} | {precision:.3} | {recall:.3} |").unwrap();
    }
    page
}
