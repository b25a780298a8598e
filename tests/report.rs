//! The report and every renderer, with hostile text. `UPDATE_SNAPSHOTS=1` rewrites `tests/snapshots/`.
#![allow(clippy::unwrap_used)]

#[path = "report/tables.rs"]
mod tables;

use polars::prelude::{ParquetReader, SerReader};
use relayaudit::judge::analyse;
use relayaudit::ledger::{
    Client, ClientFacts, ClientKey, Evidence, Failures, FileId, Flow, FlowKey, HelloFacts, HelloKey, Input, Ledger,
    Origin, Outcome, Place, ServerFacts, Time, Unparsed,
};
use relayaudit::merge::Merge;
use relayaudit::report::{self, Look, Report, Run};
use relayaudit::site::{self, Site, infer};
use relayaudit_parsers::address::Form;
use serde_json::Value;
use std::path::Path;

const SERVER: &str = "mx1.example.org";
/// 2027-01-18 06:00 UTC.
const START: i64 = 1_800_252_000_000_000;
const HOUR: i64 = 3_600_000_000;
/// What a client may put where a name goes.
const HOSTILE: &str = "=cmd|'/c calc'!A0\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}gro.elpmaxe\u{200b}<script>`|**[x](http://example.com)@all\u{9b}1m\0\r\nYES";

/// Recipients of one flow.
struct Mail<'a> {
    client: &'a str,
    account: Option<&'a str>,
    forward: &'a str,
    outcome: Outcome,
    recipients: u64,
    hours: std::ops::Range<i64>,
}

fn add(ledger: &mut Ledger, server: &str, mail: Mail<'_>) {
    let line = 100 + ledger.flows.len() as u64;
    let key = FlowKey {
        server: server.into(),
        client: mail.client.parse().map_or_else(|_| Client::Name(mail.client.into()), Client::Address),
        account: mail.account.map(Into::into),
        vouched: false,
        origin: Origin::Network,
        reverse_domain: Some("example.com".into()),
        forward_domain: mail.forward.into(),
        form: Form::Plain,
        hidden_domain: None,
        final_domain: None,
        outcome: mail.outcome,
        refusal: None,
    };
    let mut flow = Flow::default();
    let share = mail.recipients / mail.hours.clone().count() as u64;
    for hour in mail.hours {
        flow.see(Some(Time(START + hour * HOUR + 55 * 60_000_000)), share);
        flow.messages += if mail.outcome.was_accepted() { share.div_ceil(3) } else { 0 };
    }
    flow.bytes = flow.messages * 8_123;
    let Mail { client, forward, .. } = mail;
    let text = format!(
        "Jan 18 06:55:02 mx1 postfix/smtpd[4711]: NOQUEUE: client=unknown[{client}], to=<user@{forward}>, helo=<{HOSTILE}>"
    );
    flow.openings.insert(Evidence::of(Place { file: FileId(1), line }, text.as_bytes()));
    ledger.flows.entry(key).or_default().merge(Box::new(flow));
}

fn client(ledger: &mut Ledger, server: &str, address: &str, name: &str, helo: &str) {
    let client = Client::Address(address.parse().unwrap());
    let facts = ledger.clients.entry(ClientKey { server: server.into(), client }).or_default();
    let failures = Failures { commands: 7, ..Failures::default() };
    facts.merge(ClientFacts { sessions: 12, failures, ..ClientFacts::default() });
    facts.names.insert(name.into());
    facts.accounts_tried.insert("anna".into());
    let hello = HelloFacts { times: 3, ..HelloFacts::default() };
    ledger.hellos.insert(HelloKey { server: server.into(), client, name: helo.into() }, hello);
}

/// One file of 96 hours, with a hole, and a server that wrote it.
fn logged() -> Ledger {
    let mut ledger = Ledger::default();
    let mut input = Input {
        path: "/var/log/mail.log".into(),
        format: "postfix".into(),
        bytes: 1_234_567,
        lines: 10_000,
        records: 9_600,
        ..Input::default()
    };
    input.span.see(Some(Time(START)));
    input.span.see(Some(Time(START + 96 * HOUR)));
    input.ignored.insert("not about mail".into(), 398);
    let mut unparsed = Unparsed { lines: 2, ..Unparsed::default() };
    unparsed.samples.insert(Evidence::of(Place { file: FileId(1), line: 77 }, HOSTILE.as_bytes()));
    input.unparsed.insert("`>` to close the reverse-path".into(), unparsed);
    input.problems.insert("the gzip data ends early; read as far as it goes".into());
    ledger.inputs.insert(FileId(1), input);
    let mut facts =
        ServerFacts { records: 9_600, sessions: 1_204, messages: 2_345, bytes: 19_000_000, ..Default::default() };
    let first = Time(START).hour();
    facts.hours.extend((first..first + 96).filter(|hour| !(first + 50..first + 56).contains(hour)));
    facts.span = ledger.inputs[&FileId(1)].span;
    facts.formats.insert("postfix".into());
    ledger.servers.insert(SERVER.into(), facts);
    ledger
}

/// Thirty addresses relay, one of them by IPv6 and one by a name; others try, and users send.
fn abused() -> Ledger {
    let mut ledger = logged();
    let mut put = |client: &str, account, forward: &str, outcome, recipients, hours| {
        add(&mut ledger, SERVER, Mail { client, account, forward, outcome, recipients, hours });
    };
    put("203.0.113.7", None, "example.net", Outcome::Relayed, 3_108, 0..12);
    put("203.0.113.7", None, "example.com", Outcome::Denied, 12, 2..3);
    put("2001:db8:1234:5678:9abc:def0:1234:5678", None, "example.net", Outcome::Bounced, 1_250_000, 3..13);
    put(HOSTILE, None, "example.net", Outcome::Deferred, 40, 1..5);
    for host in 1..=22 {
        put(&format!("198.51.100.{host}"), None, "example.net", Outcome::Relayed, 4 + host, 5..6);
    }
    put("203.0.113.9", None, "example.net", Outcome::Denied, 148, 1..3);
    put("192.0.2.200", Some("anna"), "example.net", Outcome::Relayed, 90, 0..9);
    put("192.0.2.201", Some(HOSTILE), "example.net", Outcome::Relayed, 3, 1..2);
    put("192.0.2.202", None, "example.org", Outcome::Delivered, 4_000, 0..90);
    client(&mut ledger, SERVER, "203.0.113.7", HOSTILE, HOSTILE);
    client(&mut ledger, SERVER, "198.51.100.22", "a-rather-long-host-name-22.dyn.access.example.net", "win-22");
    ledger
}

/// Two servers that only refused.
fn probed() -> Ledger {
    let mut ledger = logged();
    let second = ledger.servers[&SERVER.into()].clone();
    ledger.servers.insert("mx2.example.org".into(), second);
    for host in 1..=7 {
        for server in [SERVER, "mx2.example.org"] {
            let client = format!("203.0.113.{host}");
            let (forward, outcome) = ("example.net", Outcome::Denied);
            add(
                &mut ledger,
                server,
                Mail { client: &client, account: None, forward, outcome, recipients: 11, hours: 0..1 },
            );
        }
    }
    ledger
}

fn report(ledger: &Ledger) -> Report {
    let site = site(ledger);
    let run = Run { version: "0.0.0".into(), assumptions: vec!["stamps without a zone are UTC".into()] };
    Report::build(ledger, &site, &analyse(ledger, &site), &run)
}

fn site(ledger: &Ledger) -> Site {
    let mut stated = Site::default();
    stated.add_local_domain("example.org", site::Origin::CommandLine);
    infer(ledger, &stated)
}

fn reports() -> [(&'static str, Report); 3] {
    [("abused", report(&abused())), ("probed", report(&probed())), ("empty", report(&Ledger::default()))]
}

fn text(report: &Report, look: &Look) -> String {
    rendered(|out| report::terminal::write(report, look, out))
}

fn rendered(write: impl Fn(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).map(|()| String::from_utf8(out)).unwrap().unwrap()
}

fn snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(expected == text, "{name} differs; look at it with UPDATE_SNAPSHOTS=1 and git diff");
}

#[test]
fn every_medium_is_as_it_was() {
    for (name, report) in &reports() {
        for width in [80, 120] {
            snapshot(&format!("{name}-{width}.txt"), &text(report, &Look { colour: false, width }));
        }
        snapshot(&format!("{name}.md"), &rendered(|out| report::markdown::write(report, out)));
        snapshot(&format!("{name}.csv"), &rendered(|out| report::csv::write(report, out)));
        snapshot(&format!("{name}.json"), &rendered(|out| report::json::write(report, out)));
    }
}

#[test]
fn the_terminal_is_never_driven_by_a_log_and_no_line_is_too_wide() {
    for (name, report) in &reports() {
        for width in [0, 80, 81, 97, 120, 200, 1_000] {
            let text = text(report, &Look { colour: false, width });
            for line in text.lines() {
                assert!(line.chars().count() <= width.clamp(80, 200), "{name} {width}: {line}");
                assert_eq!(report::escape::terminal(line), line, "{name} {width}");
                assert!(line.trim() != "YES", "{name} {width}: a log broke a line");
            }
        }
    }
}

#[test]
fn colours_change_nothing_else() {
    for (_, report) in &reports() {
        let mut coloured = text(report, &Look { colour: true, width: 80 });
        for code in ["1", "2", "36", "1;31", "1;32", "1;33", "0"] {
            coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert!(coloured.lines().map(str::trim_end).eq(text(report, &Look::default()).lines()));
    }
}

#[test]
fn the_answer_comes_first() {
    let report = report(&abused());
    let text = text(&report, &Look::default());
    assert!(text.starts_with("YES"), "{text}");
    assert!(text.contains("and 5 more (use --format json or --tables DIR)"), "{text}");
    assert!(text.contains("148 refused relay attempts from 203.0.113.9: nothing to do"), "{text}");
}

#[test]
fn offenders_are_ranked_and_described() {
    let report = report(&abused());
    let [first, second, ..] = report.offenders.as_slice() else { panic!("two offenders") };
    let volume = (first.messages, first.recipients_accepted, first.recipients_denied);
    assert_eq!((first.client.as_str(), volume), ("203.0.113.7", (1_044, 3_108, 12)));
    let helo = [HOSTILE.to_owned()];
    assert_eq!((first.name.as_deref(), first.helo.as_slice(), first.sessions), (Some(HOSTILE), &helo[..], 12));
    // More, but none of it left: less severe.
    assert_eq!(second.recipients_accepted, 1_250_000);
    assert_eq!(report.offenders.last().unwrap().client, "203.0.113.9");
    let anna = report.accounts.iter().find(|row| row.account == "anna").unwrap();
    assert_eq!((anna.recipients, anna.clients, anna.networks, anna.auth_failures), (90, 1, 1, 14));
    assert_eq!(report.coverage.gaps.len(), 1);
    // One client on two servers is one offender.
    let probed = self::report(&probed());
    assert_eq!((probed.offenders.len(), probed.findings.len(), probed.offenders[0].recipients_denied), (7, 14, 22));
}

#[test]
fn json_keeps_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../docs/report.schema.json")).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, report) in &reports() {
        let document: Value = serde_json::from_str(&rendered(|out| report::json::write(report, out))).unwrap();
        let errors = validator.iter_errors(&document).map(|error| format!("{error} at {}", error.instance_path()));
        assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new(), "{name}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"schema": "relayaudit.report/1"})));
}

/// The fields of `relayaudit.report/1` as they were first published, in order.
const PUBLISHED: &[(&str, &str)] = &[
    (
        "",
        "schema tool coverage site verdict servers totals findings offenders accounts timeline blocklistings campaigns \
         unparsed_samples",
    ),
    ("/tool", "name version"),
    ("/coverage", "first last inputs gaps"),
    ("/coverage/inputs/0", "path format bytes lines records directives ignored unparsed first last problems"),
    ("/coverage/gaps/0", "server from to kind what advice lines_lost recipients evidence"),
    ("/site", "local_domains trusted_networks server_names server_addresses"),
    ("/site/local_domains/0", "value origin evidence"),
    ("/verdict", "cause confidence headline first last why not_seen next alternatives"),
    ("/verdict/alternatives/0", "cause confidence why"),
    ("/servers/0", "server cause confidence first last messages relayed_recipients"),
    ("/totals", "sessions messages recipients bytes by_verdict"),
    (
        "/findings/0",
        "rule severity confidence subject first last sessions messages attempts recipients_accepted recipients_denied \
         recipients_delivered recipients_deferred recipients_bounced bytes why evidence remedy",
    ),
    ("/findings/0/subject", "kind value"),
    ("/findings/0/evidence/0", "path line text"),
    (
        "/offenders/0",
        "client name helo first last sessions messages recipients_accepted recipients_denied bytes accounts rules severity",
    ),
    ("/accounts/0", "account first last messages recipients bytes clients networks auth_failures rules severity"),
    ("/timeline/0", "hour by_verdict"),
    ("/unparsed_samples/0", "path line text"),
];

/// The fields of an object in indented JSON, in order.
fn fields<'a>(text: &'a str, pointer: &str) -> Vec<&'a str> {
    let mut lines = text.lines();
    let mut depth = 1;
    for segment in pointer.split('/').skip(1) {
        let start = format!("{}\"{segment}\":", "  ".repeat(depth));
        // The first element of an array begins on the next line.
        assert!(segment == "0" || lines.by_ref().any(|line| line.starts_with(&start)), "{pointer}");
        depth += 1;
    }
    let (own, end) = (format!("{}\"", "  ".repeat(depth)), format!("{}}}", "  ".repeat(depth - 1)));
    let own_lines = lines.take_while(|line| !line.starts_with(&end));
    own_lines.filter_map(|line| line.strip_prefix(&own)?.split('"').next()).collect()
}

#[test]
fn published_fields_stay_in_front_and_in_order() {
    let text = rendered(|out| report::json::write(&report(&abused()), out));
    for (pointer, published) in PUBLISHED {
        let published: Vec<&str> = published.split_whitespace().collect();
        assert!(fields(&text, pointer).starts_with(&published), "{pointer}: {:?}", fields(&text, pointer));
    }
}

/// Cells of a CSV text by RFC 4180.
fn cells(text: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

fn assert_harmless(csv: &str) {
    for cell in cells(csv) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        assert_eq!(report::escape::terminal(&cell), cell);
    }
}

#[test]
fn no_csv_cell_is_a_formula() {
    for (_, report) in &reports() {
        let csv = rendered(|out| report::csv::write(report, out));
        assert_harmless(&csv);
        assert_eq!(csv.lines().count(), 1 + report.findings.len());
    }
}

#[test]
fn markdown_holds_no_markup_from_a_log() {
    let text = rendered(|out| report::markdown::write(&report(&abused()), out));
    let outside: String = text.split("```text").map(|part| part.split("\n```").last().unwrap()).collect();
    for (at, _) in outside.match_indices("<script>") {
        // Within a code span: an odd number of fences before it on its line.
        let line = outside[..at].rsplit('\n').next().unwrap();
        assert_eq!(line.matches("``").count() % 2, 1, "{line}");
    }
    assert!(text.lines().all(|line| report::escape::terminal(line) == line));
}
