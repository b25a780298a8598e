//! Block lists and the old queue from end to end: logs in, report out.

#![allow(clippy::unwrap_used)]

mod common;

use common::root;
use serde_json::Value;
use std::process::Command;

/// The report on a log below the root.
fn scan(log: &str, format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root()).args(["scan", log, "--format", format, "--tz", "UTC", "--year", "2027", "--quiet"]);
    command.args(["--local-domain", "example.org", "--trusted-net", "10.0.0.0/8"]);
    let done = command.output().unwrap();
    assert!(matches!(done.status.code(), Some(0 | 1)), "{log}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn json(log: &str) -> Value {
    serde_json::from_str(&scan(log, "json")).unwrap()
}

/// The report on lines of Postfix, each a delivery of its own message; the name keeps tests apart.
fn replies(name: &str, lines: &[String]) -> Value {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, lines.concat()).unwrap();
    json(path.to_str().unwrap())
}

/// A message of a trusted host, and what became of it.
fn delivery(minute: u32, relay: &str, status: &str, text: &str) -> String {
    let head = |daemon: &str| format!("Jan 18 06:{minute:02}:00 mx1 postfix/{daemon}: 4F1A2C00{minute:02}: ");
    format!(
        "{}client=pc[10.0.0.5]\n{}message-id=<{minute}@example.org>\n{}from=<anna@example.org>, size=900, nrcpt=1 (queue active)\n\
         {}to=<bob@d{minute}.example>, relay={relay}, delay=1, delays=0/0/0/1, dsn=5.0.0, status={status} ({text})\n",
        head("smtpd[100]"),
        head("cleanup[101]"),
        head("qmgr[102]"),
        head("smtp[103]"),
    )
}

#[test]
fn the_sample_tells_who_blocks_since_when_and_after_what() {
    let report = json("samples/postfix/blocklisted.log");
    let rows = report["blocklistings"].as_array().unwrap();
    let said: Vec<(&str, &str, u64, u64)> = rows
        .iter()
        .map(|row| {
            assert_eq!(row["address"], "203.0.113.5", "{row}");
            assert_eq!(row["preceded_by"]["subject"]["value"], "anna");
            assert_eq!(row["preceded_by"]["minutes"], 190);
            let figures = (row["deferred"].as_u64().unwrap(), row["bounced"].as_u64().unwrap());
            (row["list"].as_str().unwrap(), row["about"].as_str().unwrap(), figures.0, figures.1)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("T-Online", "address", 8, 0),
            ("Gmail", "volume", 6, 0),
            ("Spamhaus ZEN", "address", 0, 4),
            ("Yahoo", "complaints", 4, 0),
            ("Outlook.com", "address", 0, 3),
        ]
    );
    let finding = report["findings"].as_array().unwrap().iter().find(|row| row["rule"] == "blocklisted").unwrap();
    assert_eq!((&finding["severity"], &finding["subject"]["kind"]), (&"high".into(), &"server-address".into()));
    assert_eq!(report["verdict"]["cause"], "compromised-account");
}

#[test]
fn the_sample_tells_the_old_queue() {
    let report = json("samples/postfix/blocklisted.log");
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "compromised-account");
    assert_eq!(
        (&finding["last_entered"], &finding["last"]),
        (&"2027-01-18T05:58:10Z".into(), &finding["last_entered"])
    );
    assert_eq!(finding["last_attempt"], "2027-01-18T10:20:42Z");
    assert_eq!((&finding["queued"]["recipients"], &finding["queued"]["unseen"]), (&9.into(), &0.into()));
    assert_eq!(finding["queued"]["ids"].as_array().unwrap().len(), 3);
    for text in [scan("samples/postfix/blocklisted.log", "text"), scan("samples/postfix/blocklisted.log", "markdown")] {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("what leaves after that is the old queue"), "{text}");
        assert!(flat.contains("Who blocks you"), "{text}");
    }
}

#[test]
fn one_receiver_that_nobody_knows_is_only_a_claim() {
    let relay = "mx.evil.example[203.0.113.66]:25";
    let text =
        "host mx.evil.example[203.0.113.66] said: 554 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org";
    let lines: Vec<String> = (0..20).map(|minute| delivery(minute, relay, "bounced", text)).collect();
    let report = replies("claim.log", &lines);
    let finding = &report["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"blocklisted".into(), &"low".into()));
    assert_eq!(report["blocklistings"][0]["receivers_total"], 1);
    assert_eq!(report["verdict"]["cause"], "clean");
}

#[test]
fn mail_that_was_taken_and_servers_beside_ours_claim_nothing() {
    let report = replies(
        "nothing.log",
        &[
            // What is said about mail that was taken.
            delivery(1, "mx.example.net[192.0.2.40]:25", "sent", "250 2.0.0 not blocked using zen.spamhaus.org"),
            // A content filter of ours.
            delivery(
                2,
                "127.0.0.1[127.0.0.1]:10024",
                "bounced",
                "host 127.0.0.1[127.0.0.1] said: 554 5.7.0 Reject, id=1 - SPAM",
            ),
            // The spammer's words.
            delivery(
                3,
                "mx.example.net[192.0.2.40]:25",
                "bounced",
                "host mx.example.net[192.0.2.40] said: 550 5.0.0 <zen.spamhaus.org@d3.example>: no",
            ),
            delivery(
                4,
                "spamhaus.example[192.0.2.41]:25",
                "deferred",
                "connect to spamhaus.example[192.0.2.41]:25: Connection timed out",
            ),
        ],
    );
    assert_eq!(report["blocklistings"].as_array().unwrap().len(), 0, "{}", report["blocklistings"]);
}
