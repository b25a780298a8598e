//! The verb `site`, and real configurations.

use super::common::root;
use super::{domains, networks, openings};
use relayaudit::site::Site;
use relayaudit::site::import::import;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_relayaudit")).current_dir(root()).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Loads what a verb wrote, and returns the values by key.
fn round_trip(args: &[&str]) -> Site {
    let done = run(args);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    Site::parse_toml(&text(&done.stdout), Path::new("relayaudit.toml")).unwrap()
}

fn all(site: &Site) -> Vec<Vec<String>> {
    vec![
        domains(site),
        networks(site),
        site.server_names().map(|entry| entry.value.to_string()).collect(),
        site.server_addresses().map(|entry| entry.value.to_string()).collect(),
    ]
}

#[test]
fn what_is_written_loads_as_the_same_site() {
    for folder in
        ["postfix/closed-postconf-n.txt", "sendmail/closed", "exim/partial.conf", "opensmtpd/open", "exchange"]
    {
        let path = format!("samples/config/{folder}");
        let (site, _) = import(&[root().join(&path)]);
        assert!(!domains(&site).is_empty(), "{folder}");
        assert_eq!(all(&round_trip(&["site", "import", &path])), all(&site), "{folder}");
    }
    for log in ["samples/postfix/abused.log", "samples/exim", "samples/sendmail/clean.log"] {
        let shown = run(&["scan", log, "--format", "json", "--tz", "UTC"]);
        let report: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
        let values = |key: &str| {
            let rows = report["site"][key].as_array().unwrap();
            rows.iter().map(|row| row["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let expected: Vec<_> = ["local_domains", "trusted_networks", "server_names", "server_addresses"]
            .iter()
            .map(|key| values(key))
            .collect();
        assert_eq!(all(&round_trip(&["site", "infer", log, "--tz", "UTC"])), expected, "{log}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.cf");
    std::fs::write(
        &path,
        "mynetworks = 0.0.0.0/0 \u{1b}[2J\u{202e}\"]\nmyhostname = mx.example.org\nrelay_domains = \"a\\u0022,b\n",
    )
    .unwrap();
    let path = path.to_str().unwrap();
    for args in [&["site", "check", path][..], &["site", "import", path], &["site", "show", "--config", path]] {
        let done = run(args);
        assert!(!text(&done.stdout).contains(['\u{1b}', '\u{202e}']), "{args:?}");
        assert!(!text(&done.stderr).contains(['\u{1b}', '\u{202e}']), "{args:?}");
    }
    round_trip(&["site", "import", path]);
}

#[test]
fn exit_status_of_a_check() {
    for (args, status) in [
        (&["site", "check", "samples/config/postfix/closed-postconf-n.txt"][..], 0),
        (&["site", "check", "samples/config/postfix/open-postconf-n.txt"], 1),
        (&["site", "check", "samples/config/exim/partial.conf", "--fail-on", "critical"], 0),
        (&["site", "check", "samples/config/exim/partial.conf", "nowhere.cf"], 2),
        (&["site", "check"], 2),
        (&["site", "show"], 0),
        (&["scan", "samples/postfix/clean.log", "--config", "nowhere.cf"], 2),
    ] {
        let done = run(args);
        assert_eq!(done.status.code(), Some(status), "{args:?}: {}", text(&done.stderr));
    }
}

#[test]
fn a_check_with_logs_says_what_a_line_explains_and_what_nobody_uses() {
    let done = run(&[
        "site",
        "check",
        "samples/config/postfix/open-postconf-n.txt",
        "--logs",
        "samples/postfix/abused.log",
        "--trusted-net",
        "192.168.77.0/24",
        "--trusted-net",
        "10.20.0.0/16",
        "--local-domain",
        "partner-acme.example",
    ]);
    let shown = text(&done.stdout);
    assert!(shown.contains("It explains relaying in these logs: 3 addresses"), "{shown}");
    assert!(shown.contains("192.168.77.0/24 (command line)"), "{shown}");
    assert!(!shown.contains("10.20.0.0/16 (command line)"), "{shown}");
}

/// Entries by the administrator's intent, from `policy.toml`.
fn intended(policy: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let table: toml::Table = std::fs::read_to_string(policy).unwrap().parse().unwrap();
    let list = |key: &str| {
        table[key].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let domains = list("local_domains").into_iter().chain(list("relay_domains"));
    (domains.filter(|domain| domain != "localhost").collect(), outside_loopback(list("authorised_networks")))
}

/// The machine itself is trusted whatever a configuration says of it.
fn outside_loopback(networks: Vec<String>) -> BTreeSet<String> {
    networks.into_iter().filter(|net| !net.starts_with("127.") && net != "::1/128").collect()
}

#[test]
fn real_configurations_say_what_their_administrators_meant() {
    let corpus = root().join("../shared/corpus/mta");
    if !corpus.is_dir() {
        eprintln!("skipped: ../shared/corpus/mta is absent, so real configurations are not tested here");
        return;
    }
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(&corpus).min_depth(2).max_depth(2).sort_by_file_name().into_iter().flatten() {
        let (folder, name) = (entry.path(), entry.path().display().to_string());
        let (site, problems) = import(&[folder.join("config")]);
        assert!(problems.is_empty(), "{name}: {problems:?}");
        let (local, trusted) = intended(&folder.join("policy.toml"));
        // A relay domain of Postfix and Sendmail stands for those below it too.
        let found: BTreeSet<String> =
            domains(&site).into_iter().filter(|d| !d.starts_with('.') && !d.starts_with("localhost")).collect();
        assert_eq!(found, local, "{name}");
        let below = |domain: &String| domain.strip_prefix('.').is_none_or(|domain| local.contains(domain));
        assert!(domains(&site).iter().all(below), "{name}");
        let scenario = std::fs::read_to_string(folder.join("scenario.md")).unwrap();
        let open = !scenario.contains("\"open_relay\": false");
        let trusts = outside_loopback(networks(&site));
        // A server that trusts everybody need not list whom it means to.
        assert!(trusts == trusted || open && trusts.is_empty(), "{name}: {trusts:?}");
        assert_eq!(!site.openings().is_empty(), open, "{name}: {:?}", openings(&site));
        seen += 1;
    }
    assert!(30 < seen, "{seen}");
}
