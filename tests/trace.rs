//! `relayaudit trace`: by every kind of key, over the samples of every kind of server.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "trace/dot.rs"]
mod dot;
#[path = "trace/page.rs"]
mod page;
#[path = "trace/pasted.rs"]
mod pasted;

use common::root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root()).args(arguments).args(["--tz", "UTC", "--year", "2027", "--quiet"]).output().unwrap()
}

/// The trace of some arguments, as JSON; they must be found.
fn trace(arguments: &[&str]) -> Value {
    let done = run(&[&["trace", "--format", "json", "--limit", "1000"], arguments].concat());
    assert_eq!(done.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    let document: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(document["schema"], "relayaudit.trace/1");
    document
}

fn texts<'a>(rows: &'a Value, field: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect()
}

/// The sentences of a message's steps, each with its line.
fn steps(message: &Value) -> Vec<String> {
    let steps = message["steps"].as_array().unwrap().iter();
    steps.map(|step| format!("{}: {}", step["line"], step["text"].as_str().unwrap())).collect()
}

#[test]
fn every_kind_of_key() {
    let check = |key: &str, log: &str, kind: &str, messages: u64, recipients: u64| {
        let found = trace(&[key, &format!("samples/{log}")]);
        let matched = &found["keys"][0]["matched"];
        assert_eq!(matched[kind]["messages"], messages, "{key} in {log}: {matched}");
        assert_eq!(found["summary"]["recipients"], recipients, "{key} in {log}");
    };
    check("33031E3", "postfix/abused.log", "queue-id", 1, 1);
    check("<9baa542a-294c7b46@example.org>", "postfix/abused.log", "message-id", 1, 1);
    check("198.18.14.170", "postfix/abused.log", "client", 15, 37);
    check("198.18.14.0/24", "postfix/abused.log", "client", 15, 37);
    check("tanja.novak75@example.org", "postfix/abused.log", "address", 1, 1);
    check("indigo-bank.co.example", "postfix/abused.log", "domain", 3, 12);
    check("anna", "handed-on", "account", 124, 364);
    check("1xpiFi-0006zW-1G", "exim/abused.log", "queue-id", 1, 1);
    check("dyn-198-51-100-42.dsl.test", "exim/abused.log", "client", 11, 32);
    check("70I4kfVr030251", "sendmail/abused.log", "queue-id", 1, 1);
    check("felix", "sendmail/abused.log", "account", 1, 1);
    check("70912345567010", "exchange-tracking/abused.log", "queue-id", 1, 1);
    check("t10@example.net", "exchange-tracking/abused.log", "message-id", 1, 1);
    check("08DE1F0000000104", "exchange-three-logs/FrontEnd-RECV20261107-1.log", "session", 1, 7);
    check("203.0.113.9", "iis-smtp-w3c/abused.log", "client", 7, 45);
    check("203.0.113.9", "qmail/abused.log", "client", 20, 20);
}

/// What `extract` says of a client: recipients by verdict.
fn extracted(log: &str) -> BTreeMap<String, BTreeMap<String, u64>> {
    let done = run(&["extract", "--to", "ndjson", log]);
    let mut clients = BTreeMap::<String, BTreeMap<String, u64>>::new();
    for line in String::from_utf8(done.stdout).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if let Some(client) = row["client"].as_str() {
            let verdict = row["verdict"].as_str().unwrap().to_owned();
            *clients.entry(client.to_owned()).or_default().entry(verdict).or_default() += 1;
        }
    }
    clients
}

#[test]
fn a_client_is_traced_to_what_extract_says_of_it() {
    let logs =
        ["postfix/abused.log", "postfix/probed.log", "exim/abused.log", "sendmail/abused.log", "opensmtpd/abused.log"];
    for log in logs.into_iter().chain(["exchange-tracking/abused.log", "iis-smtp-w3c/abused.log", "zeek/abused.log"]) {
        let log = format!("samples/{log}");
        let clients = extracted(&log);
        let all = clients.iter().filter(|(client, _)| *client != "127.0.0.1");
        let (client, verdicts) = all.max_by_key(|(_, verdicts)| verdicts.values().sum::<u64>()).unwrap();
        let found = trace(&[client, &log]);
        let by_verdict: BTreeMap<String, u64> = serde_json::from_value(found["summary"]["by_verdict"].clone()).unwrap();
        assert_eq!(by_verdict, *verdicts, "{client} in {log}");
    }
}

#[test]
fn a_message_is_followed_through_two_servers() {
    // By the id of either server, by the Message-ID and by the account: the same message, from its way in to its end.
    for key in ["1xpftz-000001-07", "4F1A2FBF03", "<1xpftz-000001-07@web1.example.org>"] {
        let found = trace(&[key, "samples/handed-on"]);
        let messages = found["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 1, "{key}");
        assert_eq!(
            steps(&messages[0]),
            [
                "1: came in from [192.0.2.20], EHLO \"laptop0\", logged in as anna, sender <anna@example.org>, 3.0 kB",
                "9: came in from web1.example.org [10.0.0.7], sender <anna@example.org>, 3.1 kB",
                "2: handed on for <customer0@partner0.example.com> to mx1.example.org[10.0.0.1], which took it as 4F1A2FBF03",
                "13: handed on for <customer0@partner0.example.com> to mx.partner0.example.com[198.51.100.121]:25, which took it \
                 as 1C875FA5F",
            ]
        );
        assert_eq!(messages[0]["authority"], "credentials");
        assert_eq!(messages[0]["lives"][1]["bond"], "handed-on");
        assert_eq!(
            (&messages[0]["lives"][1]["follows"], &messages[0]["recipients"][0]["verdict"]),
            (&0.into(), &"outbound-account".into())
        );
    }
    // The gateway hands mail from outside to the mailbox server: the id in its answer is not the one it logs first.
    let found = trace(&["70912345567001", "samples/handed-on"]);
    assert_eq!(texts(&found["messages"][0]["lives"], "server"), ["mx1", "ex1"]);
    assert_eq!(found["messages"][0]["recipients"][0]["outcome"], "delivered");
}

#[test]
fn the_thief_s_mail_is_a_tree_from_his_addresses_to_the_ends() {
    let found = trace(&["anna", "samples/handed-on"]);
    let sources = found["propagation"].as_array().unwrap();
    assert_eq!(texts(&found["propagation"], "name"), ["198.51.100.201", "203.0.113.77", "203.0.113.9", "192.0.2.20"]);
    assert!(
        sources.iter().all(|node| node["account"] == "anna" && node["children"][0]["children"][0]["name"] == "mx1")
    );
    let sum = |field: &str| sources.iter().map(|node| node[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("messages"), sum("recipients")), (124, 364));
    // As the scan of these logs counts it (tests/handovers.rs).
    assert_eq!(found["summary"]["by_outcome"]["bounced"], 95);
}

#[test]
fn content_filters_copies_and_bounces_are_of_the_message() {
    let filtered = trace(&["CFBA3132", "samples/postfix/filtered.log"]);
    let life = &filtered["messages"][0]["lives"][0];
    assert_eq!(life["queue_ids"], serde_json::json!(["65632127", "CFBA3132"]));
    assert_eq!(life["client"], "198.18.199.102");
    assert!(texts(&filtered["messages"][0]["steps"], "kind").contains(&"came-back"));
    let bonds = |key: &str, log: &str| -> Vec<Option<String>> {
        let found = trace(&[key, log]);
        assert_eq!(found["messages"].as_array().unwrap().len(), 1, "{key}");
        let lives = found["messages"][0]["lives"].as_array().unwrap().clone();
        lives.iter().map(|life| life["bond"].as_str().map(str::to_owned)).collect()
    };
    let [first, copy, bounce] = [None, Some("forwarded".to_owned()), Some("notification".to_owned())];
    // A list of a list: each copy follows from the one before, whichever is asked for.
    for key in ["48AA4EE", "5008EEF", "53B6DF2"] {
        assert_eq!(bonds(key, "samples/postfix/abused.log"), [first.clone(), copy.clone(), copy.clone()], "{key}");
    }
    for (key, log) in [
        ("70I8DsI6031316", "sendmail"),
        ("70I8HSI6031329", "sendmail"),
        ("1xxfZj-0003DY-1e", "exim"),
        ("1xxfZj-0003DU-08", "exim"),
    ] {
        let file = if log == "exim" { "probed" } else { "abused" };
        assert_eq!(bonds(key, &format!("samples/{log}/{file}.log")).last().unwrap(), &bounce, "{key}");
    }
}

const BOUNCED: &str = "\
2027-01-18T06:00:00+00:00 mx1 postfix/smtpd[1]: AAAA1: client=mail.example.net[192.0.2.9]
2027-01-18T06:00:00+00:00 mx1 postfix/cleanup[2]: AAAA1: message-id=<m1@example.net>
2027-01-18T06:00:00+00:00 mx1 postfix/qmgr[3]: AAAA1: from=<eve@example.net>, size=900, nrcpt=1 (queue active)
2027-01-20T07:00:00+00:00 mx1 postfix/smtp[4]: AAAA1: to=<bob@example.com>, relay=mx.example.com[198.51.100.7]:25, delay=1, \
delays=1/0/0/0, dsn=5.1.1, status=bounced (host mx.example.com[198.51.100.7] said: 550 5.1.1 no such user (in reply to RCPT TO command))
2027-01-20T07:00:00+00:00 mx1 postfix/cleanup[2]: BBBB2: message-id=<b1@mx1.example.org>
2027-01-20T07:00:00+00:00 mx1 postfix/bounce[5]: AAAA1: sender non-delivery notification: BBBB2
2027-01-20T07:00:00+00:00 mx1 postfix/qmgr[3]: AAAA1: removed
2027-01-20T07:00:00+00:00 mx1 postfix/qmgr[3]: BBBB2: from=<>, size=2900, nrcpt=1 (queue active)
2027-01-20T07:00:01+00:00 mx1 postfix/smtp[4]: BBBB2: to=<eve@example.net>, relay=mail.example.net[192.0.2.9]:25, delay=1, \
delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as CCCC3)
2027-01-20T07:00:01+00:00 mx1 postfix/qmgr[3]: BBBB2: removed
";

#[test]
fn a_bounce_leads_back_to_the_message_days_before() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    std::fs::write(&log, BOUNCED).unwrap();
    for key in ["AAAA1", "BBBB2", "m1@example.net", "bob@example.com"] {
        let found = trace(&[key, log.to_str().unwrap()]);
        let steps = steps(&found["messages"][0]);
        assert_eq!(
            steps,
            [
                "1: came in from mail.example.net [192.0.2.9], sender <eve@example.net>, 900 B",
                "4: refused for good for <bob@example.com> at mx.example.com[198.51.100.7]:25: 550 5.1.1 no such user (in reply to \
                 RCPT TO command)",
                "5: written by the server itself: a notification (bounce), from AAAA1, sender <>, 2.9 kB",
                "9: handed on for <eve@example.net> to mail.example.net[192.0.2.9]:25, which took it as CCCC3",
            ],
            "{key}"
        );
    }
}

#[test]
fn several_logs_of_one_server_are_one_message() {
    let found = trace(&["203.0.113.9", "samples/exchange-three-logs"]);
    assert_eq!((&found["summary"]["messages"], &found["summary"]["recipients"]), (&5.into(), &35.into()));
    let message = &found["messages"][0];
    assert_eq!(
        texts(&message["lives"], "format"),
        ["exchange-smtp-protocol", "exchange-smtp-protocol", "exchange-tracking"]
    );
    assert_eq!(message["recipients"].as_array().unwrap().len(), 7);
    // A log that does not link its own sessions with others to the mail: paths and time do.
    let found = trace(&["alice@example.com", "samples/iis-smtp-w3c/abused.log"]);
    let sent =
        found["messages"].as_array().unwrap().iter().find(|message| message["lives"][1]["bond"] == "sent").unwrap();
    assert_eq!(sent["recipients"][0]["outcome"], "relayed");
}

#[test]
fn what_is_lost_with_the_line_by_which_a_message_came_in_is_said() {
    let text = std::fs::read_to_string(root().join("samples/postfix/abused.log")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    let check = |text: String, part: &str| {
        std::fs::write(&log, text).unwrap();
        let found = trace(&["33031E3", log.to_str().unwrap()]);
        let message = &found["messages"][0];
        assert_eq!((&message["authority"], &message["steps"][0]["kind"]), (&"unknown".into(), &"first-seen".into()));
        let why = message["injection_missing"].as_str().unwrap();
        assert!(why.contains(part) && why.contains("neither its address nor its account"), "{why}");
    };
    let without = |line: &str| {
        text.lines().filter(|other| !other.contains(line)).map(|line| format!("{line}\n")).collect::<String>()
    };
    let rest: String = text.lines().skip(10).map(|line| format!("{line}\n")).collect();
    check(rest, "begins with its first line, at 2027-01-18 06:30:19 UTC");
    check(without("33031E3: client="), "begins at 2027-01-18 06:17:38 UTC, 12 min before");
    check(without(": client="), "no such line for any message");
    // Where the line is there, nothing is said to be missing.
    let found = trace(&["33031E3", "samples/postfix/abused.log"]);
    assert!(found["messages"][0]["injection_missing"].is_null());
}

#[test]
fn what_is_not_there_is_not_found_and_says_what_was_looked_through() {
    for key in ["NOSUCH1", "nobody@nowhere.example", "192.0.2.254"] {
        let done = run(&["trace", key, "samples/postfix/abused.log"]);
        assert_eq!(done.status.code(), Some(1), "{key}");
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(text.contains(&format!("{key}: not found as")), "{text}");
        assert!(text.contains("mx1: 2027-01-18 06:17 UTC to 2027-01-18 09:00 UTC"), "{text}");
    }
}

#[test]
fn wrong_commands_name_the_right_one() {
    let check = |arguments: &[&str], part: &str| {
        let done = run(&[&["trace"], arguments].concat());
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{told}");
        assert!(told.contains(part), "{arguments:?}: {told}");
    };
    check(&["33031E3"], "no logs are named; type: relayaudit trace 33031E3 LOGS");
    check(&["samples/postfix/abused.log"], "type: relayaudit trace KEY samples/postfix/abused.log");
    check(&["README.md", "samples/postfix/abused.log"], "relayaudit trace --key README.md samples/postfix/abused.log");
    check(&["33031E3", "samples/postfix/abused.lgo"], "samples/postfix/abused.lgo: no such file or folder");
    check(&["a b", "samples/postfix/abused.log"], "`a b` is neither a file nor a key");
    check(&["anna", "samples/postfix/abused.log", "--as", "acount"], "did you mean `account`?");
    check(&["--received", "README.md", "samples/postfix/abused.log"], "neither a Received line nor a Message-ID");
    // A file's name as a key, and a kind that is stated.
    assert_eq!(run(&["trace", "--key", "README.md", "samples/postfix/abused.log"]).status.code(), Some(1));
    assert_eq!(run(&["trace", "33031E3", "samples/postfix/abused.log", "--as", "account"]).status.code(), Some(1));
}

#[test]
fn neither_threads_nor_the_cut_of_the_input_change_anything() {
    for (key, log) in [
        ("anna", "samples/handed-on"),
        ("198.18.0.0/15", "samples/postfix"),
        ("203.0.113.0/24", "samples/exchange-three-logs"),
    ] {
        let with = |threads: &str| run(&["trace", key, log, "--format", "json", "--threads", threads]).stdout;
        assert_eq!(with("1"), with("3"), "{key}");
        assert!(!with("1").is_empty());
    }
    assert_eq!(cut(1 << 20), cut(700));
    assert_eq!(cut(1 << 20), cut(5_000));
}

/// The trace of a domain by chunks of so many bytes.
fn cut(chunk_bytes: usize) -> String {
    use relayaudit::scan::{Plan, Watch, read_all};
    use relayaudit::source::{Reading, open};
    use relayaudit::trace::{Key, Traces, making::Making, run::follow};
    struct Silent;
    impl Watch<Traces> for Silent {
        fn folded(&mut self, _bytes: u64) {}
        fn rejected(&mut self, _path: &str, _lines: &[relayaudit::fold::Rejected]) {}
    }
    let paths = ["postfix/abused.log", "sendmail/abused.log", "exim/probed.log"]
        .map(|log| format!("{}/samples/{log}", root().display()));
    let zone = relayaudit::clock::Zone::Named(chrono_tz::UTC);
    let reading = Reading { format: None, zone, year: Some(2027) };
    let keys: Vec<Key> = ["example.com", "norbrook.example", "mx1"].map(|key| Key::read(key, None).unwrap()).into();
    let plan = Plan { chunk_bytes, ahead: 3 };
    let read = &mut |filter: &relayaudit::fold::Filter| {
        Ok::<_, ()>(read_all::<Traces>(open(&paths, &reading).logs, plan, filter, &mut Silent).0)
    };
    let found = follow(&keys, &Default::default(), true, read).unwrap();
    let site = relayaudit::site::infer(&found.ledger, &Default::default());
    let files = open(&paths, &reading).logs.iter().map(|log| (log.file, (log.path, log.format.name))).collect();
    let making = Making { keys: &keys, stated: &Default::default(), files: &files, limit: 100_000 };
    serde_json::to_string_pretty(&making.document(&found, &site, None)).unwrap()
}
