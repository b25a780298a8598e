//! `--geoip`: where clients are makes signals weigh more or less, is told with every client, and never accuses by itself.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "geoip/files.rs"]
mod files;
#[path = "common/mmdb.rs"]
mod mmdb;

use mmdb::{Value, database, map, text};
use serde_json::Value as Json;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in a folder.
fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_relayaudit")).current_dir(folder).args(args).output().unwrap()
}

fn json(folder: &Path, args: &[&str]) -> Json {
    let all: Vec<&str> =
        ["scan", "mail.log", "--local-domain", "example.org", "--format", "json"].into_iter().collect();
    let done = run(folder, &[all.as_slice(), args].concat());
    assert_ne!(done.status.code(), Some(2), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// What accuses an account, and its reasons in one text.
fn account(report: &Json, rule: &str) -> Option<(String, String)> {
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == rule && finding["subject"]["kind"] == "account")?;
    let why = finding["why"].as_array().unwrap().iter().map(|why| why.as_str().unwrap());
    Some((finding["severity"].as_str().unwrap().to_owned(), why.collect::<Vec<_>>().join("\n")))
}

/// Countries of the networks `2001:db8:N::/48`, in the layout of GeoLite2-Country.
fn countries(codes: &[&str]) -> Vec<u8> {
    let networks: Vec<String> = (0..codes.len()).map(|n| format!("2001:db8:{n}::/48")).collect();
    let record = |code: &&str| map([("country", map([("iso_code", text(code)), ("geoname_id", Value::Number(1))]))]);
    database("GeoLite2-Country", &networks.iter().map(String::as_str).zip(codes.iter().map(record)).collect::<Vec<_>>())
}

/// The autonomous systems of the same networks, in the layout of GeoLite2-ASN.
fn systems(numbers: &[u32]) -> Vec<u8> {
    let networks: Vec<String> = (0..numbers.len()).map(|n| format!("2001:db8:{n}::/48")).collect();
    let record = |number: &u32| {
        let name = format!("Example Net {}", number - 64_495);
        map([("autonomous_system_number", Value::Number(*number)), ("autonomous_system_organization", text(&name))])
    };
    database("GeoLite2-ASN", &networks.iter().map(String::as_str).zip(numbers.iter().map(record)).collect::<Vec<_>>())
}

/// A log in which anna sends one message from each of so many networks within an hour, on the second day of two.
fn one_hour(networks: usize) -> String {
    let mut log = String::new();
    for n in 0..networks {
        message(&mut log, n, &format!("2001:db8:{n}::7"));
    }
    log
}

fn message(log: &mut String, n: usize, client: &str) {
    let (time, id) =
        (format!("2026-11-24T10:{:02}:00.000000+00:00 mx1 postfix", n % 60), format!("{:010X}", 0xA000 + n));
    writeln!(
        log,
        "{time}/submission/smtpd[{}]: {id}: client=unknown[{client}], sasl_method=LOGIN, sasl_username=anna",
        n + 100
    )
    .unwrap();
    writeln!(log, "{time}/cleanup[3]: {id}: message-id=<{n}@example.org>").unwrap();
    writeln!(log, "{time}/qmgr[4]: {id}: from=<anna@example.org>, size=900, nrcpt=1 (queue active)").unwrap();
    writeln!(
        log,
        "{time}/smtp[5]: {id}: to=<bob{n}@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, \
         status=sent (250 ok)"
    )
    .unwrap();
    writeln!(log, "{time}/qmgr[4]: {id}: removed").unwrap();
}

/// A folder with a log and the databases `c.mmdb` and `a.mmdb`.
fn folder(log: &str, codes: &[&str], numbers: &[u32]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mail.log"), log).unwrap();
    std::fs::write(folder.path().join("c.mmdb"), countries(codes)).unwrap();
    std::fs::write(folder.path().join("a.mmdb"), systems(numbers)).unwrap();
    folder
}

const BOTH: [&str; 4] = ["--geoip", "c.mmdb", "--geoip", "a.mmdb"];

#[test]
fn many_countries_within_an_hour_weigh_more_than_many_networks() {
    let codes = ["BR", "CN", "DE", "BR", "US", "BR"];
    let numbers = [64_496, 64_497, 64_498, 64_499, 64_500, 64_496];
    let folder = folder(&one_hour(6), &codes, &numbers);
    // Six networks alone are not enough, nor are they with a database that does not know them.
    assert_eq!(account(&json(folder.path(), &[]), "compromised-account"), None);
    let strict = json(folder.path(), &["--false-alarm", "0.02"]);
    let (_, why) = account(&strict, "compromised-account").unwrap();
    assert!(why.contains("it logged in from 6 networks. (+4.0)"), "{why}");
    assert!(why.contains("It was sent from 2001:db8::7, 2001:db8:1::7,"), "{why}");
    let (severity, why) = account(&json(folder.path(), &BOTH), "compromised-account").unwrap();
    assert_eq!(severity, "high");
    assert!(
        why.contains("it logged in from 6 networks in 4 countries (BR, CN, DE, US): nobody travels so fast. (+5.5)"),
        "{why}"
    );
    assert!(
        why.contains(
            "It was sent from 6 networks in 4 countries (BR, CN, DE, US): 2001:db8::7 (BR, AS64496 Example Net 1),"
        ),
        "{why}"
    );
    let remedy = json(folder.path(), &BOTH)["findings"][0]["remedy"].to_string();
    assert!(
        remedy.contains("run by AS64496 Example Net 1, AS64497 Example Net 2 and AS64498 Example Net 3 (2 more)"),
        "{remedy}"
    );
}

#[test]
fn a_country_or_two_accuse_nobody() {
    // Two countries: a border, a tunnel. What is not known counts for nothing.
    for codes in [&["DE", "FR", "DE", "FR"][..], &["RU", "RU", "RU", "RU"], &["BR"], &["BR", "CN", "NG"]] {
        let folder = folder(&one_hour(4), codes, &[64_496, 64_497]);
        assert_eq!(account(&json(folder.path(), &BOTH), "compromised-account"), None, "{codes:?}");
    }
    // Four countries, but one client each hour: no signal at all.
    let mut log = String::new();
    (0..4).for_each(|n| message(&mut log, n, &format!("2001:db8:{n}::7")));
    let log = log.lines().enumerate().map(|(at, line)| line.replace("T10:", &format!("T{:02}:", 8 + at / 5)) + "\n");
    let folder = folder(&log.collect::<String>(), &["BR", "CN", "DE", "US"], &[64_496, 64_497, 64_498, 64_499]);
    assert_eq!(
        account(&json(folder.path(), &[&BOTH[..], &["--false-alarm", "0.4"]].concat()), "compromised-account"),
        None
    );
}

#[test]
fn networks_of_one_operator_weigh_less() {
    let folder = folder(&one_hour(5), &["DE"; 5], &[64_500; 5]);
    let (_, why) = account(&json(folder.path(), &["--false-alarm", "0.02"]), "compromised-account").unwrap();
    assert!(why.contains("(+4.0)"), "{why}");
    assert_eq!(
        account(&json(folder.path(), &[&BOTH[..], &["--false-alarm", "0.02"]].concat()), "compromised-account"),
        None
    );
    // The same with its words: at a rate at which two nats accuse.
    let (_, why) =
        account(&json(folder.path(), &[&BOTH[..], &["--false-alarm", "0.2"]].concat()), "compromised-account").unwrap();
    assert!(
        why.contains(
            "it logged in from 5 networks in DE, all of AS64500 Example Net 5: one operator's, so it may be one telephone with changing \
             addresses. (+2.0)"
        ),
        "{why}"
    );
}

/// A log in which log-ins as anna fail from so many networks, twice each, and one succeeds.
fn guessed(networks: usize) -> String {
    let mut log = String::new();
    message(&mut log, 1, "192.0.2.9");
    for n in 0..networks * 2 {
        writeln!(
            log,
            "2026-11-24T{:02}:30:00.000000+00:00 mx1 postfix/submission/smtpd[{n}]: warning: unknown[2001:db8:{}::7]: SASL LOGIN authentication \
             failed: authentication failure, sasl_username=anna",
            n % 24,
            n % networks
        )
        .unwrap();
    }
    log
}

#[test]
fn guessing_at_an_account_says_from_where() {
    let codes = ["BR", "CN", "DE", "FR", "IN", "KR", "NG", "US", "VN"];
    let codes: Vec<&str> = codes.iter().copied().cycle().take(24).collect();
    let numbers: Vec<u32> = (0..24).map(|n| 64_496 + n % 16).collect();
    let folder = folder(&guessed(24), &codes, &numbers);
    let (severity, why) = account(&json(folder.path(), &BOTH), "credential-guessing").unwrap();
    assert_eq!(severity, "low");
    assert!(why.contains("24 networks in 9 countries (BR, CN, DE, FR, IN, KR, ...), in 24 different hours"), "{why}");
    assert!(why.contains("the password is guessed"), "{why}");
    // The same addresses of one operator may be the owner's telephone.
    let folder = self::folder(&guessed(24), &["DE"; 24], &[64_500; 24]);
    let (severity, why) = account(&json(folder.path(), &BOTH), "credential-guessing").unwrap();
    assert_eq!(severity, "info");
    assert!(
        why.contains("24 networks in DE, all of AS64500 Example Net 5") && why.contains("Ask the owner first"),
        "{why}"
    );
    assert!(!why.contains("the password is guessed"), "{why}");
}

/// What strangers may call their network.
const HOSTILE: &str = "=cmd|'/C calc'!A0 <b>\u{1b}[31m`x`|\u{202e}";

/// A log in which a stranger relays, and a database that knows it, its network named by somebody hostile.
fn relayed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::new();
    (0..3).for_each(|n| message(&mut log, n, "203.0.113.7"));
    let log =
        log.replace(", sasl_method=LOGIN, sasl_username=anna", "").replace("<anna@example.org>", "<x@spam.example>");
    std::fs::write(folder.path().join("mail.log"), log).unwrap();
    let record = map([("country_code", text("BR")), ("asn", text("AS64500")), ("as_name", text(HOSTILE))]);
    std::fs::write(folder.path().join("x.mmdb"), database("ipinfo lite", &[("203.0.113.0/24", record)])).unwrap();
    folder
}

#[test]
fn every_output_names_country_and_network_and_none_is_harmed() {
    let folder = relayed();
    let here = folder.path();
    let report = json(here, &["--geoip", "x.mmdb"]);
    let offender = &report["offenders"][0];
    for place in [offender, &report["findings"][0]["subject"]] {
        assert_eq!((&place["country"], &place["asn"]), (&"BR".into(), &64_500.into()));
        assert_eq!(place["as_name"], HOSTILE);
    }
    let schema = std::fs::read_to_string(common::root().join("docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(
        validator.is_valid(&report),
        "{:?}",
        validator.iter_errors(&report).map(|e| e.to_string()).collect::<Vec<_>>()
    );
    let wrong = serde_json::to_string(&report).unwrap().replace("\"asn\":64500", "\"asn\":\"AS64500\"");
    assert!(!validator.is_valid(&serde_json::from_str(&wrong).unwrap()), "the schema does not look at asn");
    assert_eq!(report["coverage"]["databases"][0], "x.mmdb (ipinfo lite, made on 2026-11-24)");
    assert!(
        report["findings"][0]["why"][0].as_str().unwrap().starts_with("203.0.113.7 (BR, AS64500 =cmd|"),
        "{report}"
    );
    let next = report["verdict"]["next"].to_string();
    assert!(next.contains("`whois 203.0.113.7` names the address for abuse reports"), "{next}");

    let scan = |args: &[&str]| {
        let all =
            [&["scan", "mail.log", "--local-domain", "example.org", "--geoip", "x.mmdb", "--tables", "out"], args]
                .concat();
        String::from_utf8(run(here, &all).stdout).unwrap()
    };
    let page = scan(&[]);
    assert!(page.contains("BR AS64500 =cmd|'/C calc'!A0"), "{page}");
    assert!(page.contains("Countries and networks of addresses are those of x.mmdb"), "{page}");
    let ticket = scan(&["--format", "markdown"]);
    assert!(ticket.contains("| BR | ``AS64500 =cmd\\|"), "{ticket}");
    let findings = scan(&["--format", "csv"]);
    assert!(findings.lines().next().unwrap().ends_with("queued_ids,country,asn,as_name"), "{findings}");
    assert!(findings.contains(",BR,64500,"), "{findings}");
    let offenders = std::fs::read_to_string(here.join("out/offenders.csv")).unwrap();
    for text in [&page, &ticket, &findings, &offenders] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    for table in [&findings, &offenders] {
        assert!(table.contains("'=cmd|") && !table.contains(",=cmd") && !table.contains(",\"=cmd"), "{table}");
    }
}

#[test]
fn without_a_database_nothing_changes() {
    let folder = relayed();
    let report = json(folder.path(), &[]);
    assert_eq!(report["offenders"][0].get("country"), None);
    assert_eq!(report["findings"][0]["subject"].as_object().unwrap().len(), 2);
    assert_eq!(report["coverage"].get("databases"), None);
    let done = run(folder.path(), &["scan", "mail.log", "--local-domain", "example.org", "--format", "csv"]);
    assert!(String::from_utf8(done.stdout).unwrap().lines().next().unwrap().ends_with("queued_ids"));
}

/// An address that no database knows is told as such.
#[test]
fn an_unknown_address_has_nulls() {
    let folder = relayed();
    std::fs::write(folder.path().join("x.mmdb"), countries(&["BR"])).unwrap();
    let report = json(folder.path(), &["--geoip", "x.mmdb"]);
    let subject = report["findings"][0]["subject"].as_object().unwrap();
    assert!(["country", "asn", "as_name"].iter().all(|field| subject[*field].is_null()), "{subject:?}");
    assert!(report["findings"][0]["why"][0].as_str().unwrap().starts_with("203.0.113.7 relayed"));
}

/// Three strangers that greet alike try to relay, and are refused.
#[test]
fn a_campaign_says_where_its_clients_are() {
    let refused = |n: usize| {
        format!(
            "2026-11-24T10:{n:02}:00.000000+00:00 mx1 postfix/smtpd[{n}]: NOQUEUE: reject: RCPT from unknown[2001:db8:{n}::7]: 554 5.7.1 \
             <bob@example.net>: Relay access denied; from=<u@spam.example> to=<bob@example.net> proto=ESMTP helo=<win-k3f7q2>\n"
        )
    };
    let folder = folder(&(0..3).map(refused).collect::<String>(), &["BR", "CN", "BR"], &[64_496, 64_497, 64_496]);
    let report = json(folder.path(), &BOTH);
    let why = report["campaigns"][0]["why"].to_string();
    assert!(why.contains("They came from 3 networks in 2 countries (BR, CN)."), "{report}");
    assert!(!json(folder.path(), &[])["campaigns"][0]["why"].to_string().contains("They came from"));
}
