//! What the labels of a scenario say a good report finds, and what a report found, in the same words.

use flate2::read::GzDecoder;
use ipnet::IpNet;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

/// Subjects that must be found, and those that may be.
pub type Truth = BTreeMap<&'static str, (BTreeSet<String>, BTreeSet<String>)>;

pub fn labels(folder: &Path) -> Option<Value> {
    let plain = folder.join("labels.json");
    if let Ok(text) = std::fs::read(&plain) {
        return serde_json::from_slice(&text).ok();
    }
    let mut text = Vec::new();
    GzDecoder::new(std::fs::File::open(folder.join("labels.json.gz")).ok()?).read_to_end(&mut text).unwrap();
    serde_json::from_slice(&text).ok()
}

pub fn texts(value: &Value) -> Vec<String> {
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
pub fn truth(labels: &Value) -> Truth {
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
pub fn found(report: &Value, rule: &str) -> BTreeSet<String> {
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

/// Recipients that the server accepted for relay, by client.
pub fn relayed(labels: &Value) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::<String, u64>::new();
    for transaction in labels["transactions"].as_array().unwrap() {
        let verdict = transaction["verdict"].as_str().unwrap();
        let client = transaction["client_ip"].as_str().map(address);
        if let Some(client) = client.filter(|_| verdict.starts_with("relayed_unauthorised")) {
            *sums.entry(client).or_default() += transaction["ext_rcpts_accepted"].as_u64().unwrap_or(0);
        }
    }
    sums
}

/// The same by the report.
pub fn counted(report: &Value) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::<String, u64>::new();
    for finding in report["findings"].as_array().unwrap() {
        let is_relay = ["open-relay", "relay-trick"].iter().any(|rule| finding["rule"] == *rule);
        if is_relay && finding["subject"]["kind"] == "client" {
            let client = address(finding["subject"]["value"].as_str().unwrap());
            let sum = sums.entry(client).or_default();
            *sum = (*sum).max(finding["recipients_accepted"].as_u64().unwrap());
        }
    }
    sums
}

/// The cause that a scenario has, by its number.
pub fn is_right(scenario: &str, cause: &str) -> bool {
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
