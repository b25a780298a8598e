//! `--spf`: what a domain's owner says of strangers that use it as reverse-path; asked of a name server in the test itself.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/name_server.rs"]
mod name_server;

use name_server::{Mood, Server, Table};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

/// A log in which each of these clients wrote to 25 of our mailboxes with a reverse-path in this domain.
fn log(clients: &[(&str, &str)]) -> String {
    let mut log = String::new();
    for (at, (client, domain)) in clients.iter().enumerate() {
        for n in 0..25 {
            let (time, id) = (
                format!("2026-11-24T10:{n:02}:00.000000+00:00 mx1 postfix"),
                format!("{:010X}", 0xA000 + at * 100 + n),
            );
            writeln!(log, "{time}/smtpd[{}]: {id}: client=unknown[{client}]", at + 100).unwrap();
            writeln!(log, "{time}/qmgr[4]: {id}: from=<anna@{domain}>, size=900, nrcpt=1 (queue active)").unwrap();
            writeln!(log, "{time}/virtual[5]: {id}: to=<b{n}@example.org>, relay=virtual, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)").unwrap();
            writeln!(log, "{time}/qmgr[4]: {id}: removed").unwrap();
        }
    }
    log
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let ours = ["--local-domain", "example.org", "--local-domain", "example.com", "--local-domain", "example.net"];
    let all = [&["scan", "mail.log", "--format", "json"], &ours[..], args].concat();
    Command::new(env!("CARGO_BIN_EXE_relayaudit")).current_dir(folder).args(all).output().unwrap()
}

/// What is said of the clients of a log: the findings and what stands on stderr.
fn scan(clients: &[(&str, &str)], server: &Server) -> (Vec<Value>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mail.log"), log(clients)).unwrap();
    let done = run(folder.path(), &["--spf", "--resolver", &server.address.to_string()]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_ne!(done.status.code(), Some(2), "{said}");
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter().filter(|one| one["rule"] == "spoofed-local-sender");
    (findings.cloned().collect(), said)
}

/// The severity of the one finding on 203.0.113.7, and its reasons in one text.
#[track_caller]
fn one(domain: &str, table: Table) -> (String, String, String) {
    let (findings, said) = scan(&[("203.0.113.7", domain)], &Server::start(table));
    assert_eq!(findings.len(), 1, "{findings:?}");
    let why: Vec<&str> = findings[0]["why"].as_array().unwrap().iter().map(|why| why.as_str().unwrap()).collect();
    (findings[0]["severity"].as_str().unwrap().to_owned(), why.join("\n"), said)
}

#[test]
fn results_and_what_follows() {
    let check = |record: &str, severity: &str, says: &[&str]| {
        let (got, why, said) = one("example.org", Table::default().text("example.org", record));
        assert_eq!((got.as_str(), said.as_str()), (severity, ""), "{record}: {why}");
        for text in says {
            assert!(why.contains(text), "{record}: {text:?} is not in {why}");
        }
        assert!(why.contains("DNS may have said something else at the time of the logs"), "{why}");
    };
    check(
        "v=spf1 ip4:203.0.113.0/24 -all",
        "info",
        &["SPF of example.org: pass (ip4:203.0.113.0/24), so the domain's owner lets this client send"],
    );
    check(
        "v=spf1 mx -all",
        "medium",
        &["SPF of example.org: fail (-all), so the domain's owner does not let this client send"],
    );
    check("v=spf1 ~all", "medium", &["SPF of example.org: softfail (~all)"]);
    check("v=spf1 ?all", "medium", &["neutral (?all), which says neither yes nor no"]);
    check("some other text", "medium", &["SPF of example.org: none, as there is no record: nothing follows"]);
    check(
        "v=spf1 foo:bar -all",
        "medium",
        &["permerror (the record of example.org is wrong at foo:bar): the record is wrong"],
    );
    // Everybody passes: that clears nobody.
    check("v=spf1 +all", "medium", &["The record allows the whole world"]);
}

#[test]
fn a_fail_makes_it_surer_and_a_pass_takes_the_blame() {
    let confidence = |record: &str| {
        let server = Server::start(Table::default().text("example.org", record));
        let (findings, _) = scan(&[("203.0.113.7", "example.org")], &server);
        (findings[0]["confidence"].as_f64().unwrap(), findings[0]["remedy"].as_array().unwrap().len())
    };
    assert_eq!(confidence("nothing").0, 0.75);
    assert_eq!(confidence("v=spf1 -all").0, 0.95);
    assert_eq!(confidence("v=spf1 ip4:203.0.113.7 -all"), (0.1, 0));
}

#[test]
fn who_is_allowed_decides_nothing() {
    let verdict = |record: &str, clients: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mail.log"), log(clients)).unwrap();
        let server = Server::start(Table::default().text("example.org", record));
        let done = run(folder.path(), &["--spf", "--resolver", &server.address.to_string()]);
        serde_json::from_slice::<Value>(&done.stdout).unwrap()["verdict"].clone()
    };
    let record = "v=spf1 ip4:203.0.113.7 -all";
    assert_eq!(verdict(record, &[("203.0.113.7", "example.org")])["cause"], "clean");
    let both = verdict(record, &[("203.0.113.7", "example.org"), ("203.0.113.8", "example.org")]);
    assert_eq!(both["cause"], "inbound-only");
    assert!(both["headline"].as_str().unwrap().contains("1 address used your names"), "{both}");
    assert!(both["next"][0].as_str().unwrap().starts_with("Your SPF record tells others already."), "{both}");
    let wrong = verdict("v=spf1 foo", &[("203.0.113.7", "example.org")]);
    assert!(wrong["next"][0].as_str().unwrap().starts_with("Correct the SPF record"), "{wrong}");
    assert!(verdict("", &[("203.0.113.7", "example.org")])["next"][0].as_str().unwrap().starts_with("Publish SPF"));
}

#[test]
fn whatever_the_server_does_the_scan_goes_on() {
    let table = |mood| Table::default().text("example.org", "v=spf1 ip4:203.0.113.7 -all").mood("example.org", mood);
    for mood in [Mood::Long, Mood::Old, Mood::Forged] {
        let (severity, why, said) = one("example.org", table(mood));
        assert_eq!((severity.as_str(), said.as_str()), ("info", ""), "{mood:?}: {why}");
    }
    for (mood, trouble) in [(Mood::Fails, "answered that it failed (SERVFAIL)"), (Mood::Silent, "did not answer")] {
        let (severity, why, said) = one("example.org", table(mood));
        assert_eq!(severity, "medium", "{mood:?}");
        assert!(why.contains("SPF of example.org: temperror (127.0.0.1:") && why.contains(trouble), "{why}");
        assert!(said.contains("relayaudit: --spf: 1 of 1 question had no answer: 127.0.0.1:"), "{said}");
    }
    // Nobody listens: the port was free a moment ago.
    let address = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (findings, said) = scan(&[("203.0.113.7", "example.org")], &Server { address, asked: Default::default() });
    assert_eq!(findings[0]["severity"], "medium");
    assert!(said.contains("--spf: 1 of 1 question had no answer"), "{said}");
}

#[test]
fn long_records_and_other_names_are_followed() {
    let many = (0..60).map(|n| format!("ip4:192.0.2.{n} ")).collect::<String>();
    let (severity, why, _) =
        one("example.org", Table::default().text("example.org", &format!("v=spf1 {many}ip4:203.0.113.7 -all")));
    assert_eq!(severity, "info", "{why}");
    let table = Table::default()
        .text("example.org", "v=spf1 include:_spf.example.net a:out.example.net -all")
        .text("_spf.example.net", "v=spf1 ip4:192.0.2.0/24 -all")
        .address("out.example.net", [203, 0, 113, 7]);
    let (severity, why, _) = one("example.org", table);
    assert!(severity == "info" && why.contains("pass (a:out.example.net)"), "{why}");
}

#[test]
fn each_name_is_asked_for_once_and_every_domain_counts() {
    let table = Table::default()
        .text("example.org", "v=spf1 ip4:203.0.113.7 -all")
        .text("example.com", "v=spf1 ip4:203.0.113.8 -all");
    let server = Server::start(table);
    let clients = [
        ("203.0.113.7", "example.org"),
        ("203.0.113.8", "example.org"),
        ("203.0.113.8", "example.com"),
        ("203.0.113.9", "example.com"),
        ("203.0.113.9", "elsewhere.example"),
    ];
    let (findings, _) = scan(&clients, &server);
    let of = |client: &str| {
        let finding = findings.iter().find(|finding| finding["subject"]["value"] == client).unwrap();
        (finding["severity"].as_str().unwrap(), finding["why"].to_string())
    };
    assert_eq!(of("203.0.113.7").0, "info");
    // Allowed for one of two domains: that clears nobody.
    let (severity, why) = of("203.0.113.8");
    assert_eq!(severity, "medium");
    assert!(why.contains("SPF of example.com: pass") && why.contains("SPF of example.org: fail"), "{why}");
    assert_eq!(of("203.0.113.9").0, "medium");
    let mut asked = server.questions();
    asked.sort();
    assert_eq!(asked, [("example.com".to_owned(), 16), ("example.org".to_owned(), 16)]);
}

#[test]
fn no_more_than_two_hundred_pairs_are_asked() {
    let server = Server::start(Table::default().text("example.org", "v=spf1 -all"));
    let clients: Vec<String> = (0..203).map(|n| format!("2001:db8::{n:x}")).collect();
    let pairs: Vec<(&str, &str)> = clients.iter().map(|client| (client.as_str(), "example.org")).collect();
    let (findings, said) = scan(&pairs, &server);
    let of = |text: &str| findings.iter().filter(|finding| finding["why"].to_string().contains(text)).count();
    assert_eq!((of("SPF of example.org: fail"), of("SPF of example.org was not asked")), (200, 3));
    assert!(
        said.contains("--spf: 3 questions were not asked (200 are at most, within 60 seconds), such as 2001:db8::"),
        "{said}"
    );
}

#[test]
fn without_the_option_nobody_is_asked() {
    let server = Server::start(Table::default().text("example.org", "v=spf1 -all"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mail.log"), log(&[("203.0.113.7", "example.org")])).unwrap();
    let done = run(folder.path(), &[]);
    assert!(!String::from_utf8_lossy(&done.stdout).contains("SPF of"));
    let wrong = run(folder.path(), &["--resolver", &server.address.to_string()]);
    assert_eq!(wrong.status.code(), Some(2), "--resolver alone asks nobody and says so");
    assert!(server.questions().is_empty());
    for address in ["localhost", "192.0.2.53:x", "192.0.2", ""] {
        let wrong = run(folder.path(), &["--spf", "--resolver", address]);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&wrong.stderr).contains("expected an address"), "{address}");
    }
}

/// The law: sockets are made in one file, and what makes a resolver asks first whether the user wants it.
#[test]
fn one_file_uses_the_network() {
    let sockets = ["UdpSocket", "TcpStream", "TcpListener", "ToSocketAddrs", "to_socket_addrs"];
    let local = ["UnixStream", "UnixDatagram"];
    let mut files = 0;
    for root in ["src", "parsers/src"] {
        for entry in walkdir::WalkDir::new(common::root().join(root))
            .into_iter()
            .flatten()
            .filter(|entry| entry.file_type().is_file())
        {
            let path = entry.path().strip_prefix(common::root()).unwrap().to_owned();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let uses = sockets.iter().any(|socket| text.contains(socket));
            assert_eq!(uses, path == Path::new("src/spf/dns.rs"), "{}", path.display());
            // `sweep --syslog`, to the logger of this machine.
            let uses = local.iter().any(|socket| text.contains(socket));
            assert_eq!(uses, path == Path::new("src/sweep/tell/syslog.rs"), "{}", path.display());
            let makes = text.contains("Resolver::new(");
            assert_eq!(makes, path == Path::new("src/cli/consult.rs"), "{}", path.display());
            files += 1;
        }
    }
    assert!(200 < files, "{files}");
    let text = std::fs::read_to_string(common::root().join("src/cli/consult.rs")).unwrap();
    let (guard, make) = (text.find("if !options.spf {\n        return").unwrap(), text.find("Resolver::new(").unwrap());
    assert!(guard < make);
}
