//! Exchange: how the steps of a session become messages, and how the events of a message become its recipients' fates.

#![allow(clippy::unwrap_used)]

mod common;

use common::samples;
use relayaudit::clock::{Clock, Zone};
use relayaudit::fold::{Chunk, Filter, Part};
use relayaudit::judge::{Rule, analyse};
use relayaudit::layout::Layout;
use relayaudit::ledger::{Client, FileId, Ledger, one_view};
use relayaudit::merge::Merge;
use relayaudit::observe::Window;
use relayaudit::site::{self, Site};
use relayaudit_parsers::registry::{Context, by_name};

/// Folds a log of some format.
fn part(format: &str, file: u64, text: &str) -> Part {
    let chunk = Chunk {
        layout: Layout::default(),
        file: FileId(file),
        path: "x".into(),
        format: by_name(format).unwrap(),
        context: Context::default(),
        clock: Clock::new(Zone::Named(chrono_tz::UTC), None, None, chrono::DateTime::UNIX_EPOCH),
        first_line: 1,
        torn: false,
        bytes: text.as_bytes().to_vec(),
    };
    Part::of(&chunk, &Filter::default())
}

/// Rows of one session: each a sign, a space, and data; `*` rows have `data|context`.
fn session(connector: &str, remote: &str, rows: &[&str]) -> String {
    let row = |(number, row): (usize, &&str)| {
        let (sign, rest) = row.split_at(1);
        let (data, context) = rest.trim_start().split_once('|').unwrap_or((rest.trim_start(), ""));
        let start = format!("2026-11-24T10:00:00.{number:03}Z,{connector},08DE,{number},192.0.2.10:25,{remote}:9");
        format!("{start},{sign},{data},{context}\r\n")
    };
    rows.iter().enumerate().map(row).collect()
}

/// Client, account or `-`, whether vouched for, reverse-path domain, forward-path domain, outcome, recipients, messages.
fn flows(ledger: &Ledger) -> Vec<String> {
    let mut flows: Vec<String> = ledger
        .flows
        .iter()
        .map(|(key, flow)| {
            let client = match &key.client {
                Client::Address(address) => address.to_string(),
                other => format!("{other:?}"),
            };
            format!(
                "{client} {} {} {} {} {:?} {:?} {} {}",
                key.account.as_deref().unwrap_or("-"),
                if key.vouched { "vouched" } else { "-" },
                key.reverse_domain.as_deref().unwrap_or("-"),
                key.forward_domain,
                key.origin,
                key.outcome,
                flow.recipients,
                flow.messages
            )
        })
        .collect();
    flows.sort();
    flows
}

fn check(rows: &[&str], want: &[&str]) {
    let log = session("MX1\\A", "203.0.113.9", rows);
    let whole = part("exchange-smtp-protocol", 1, &log);
    let closed = rows.first().is_some_and(|row| row.starts_with('+')) && rows.last().is_some_and(|row| *row == "- |");
    assert_eq!(whole.loose_lines() == 0, closed, "{rows:?}: a session known from end to end is dropped");
    assert_eq!(flows(&whole.finish(Window::default())), want, "{rows:?}");
}

const MAIL: &str = "< MAIL FROM:<a@example.com> SIZE=7";
const RCPT: &str = "< RCPT TO:<v@example.org>";

#[test]
fn answers_belong_to_commands_in_order() {
    let taken = ["203.0.113.9 - - example.com example.org Session Unknown 1 1"];
    let data = "> 354 go on";
    let ok = "> 250 2.1.0 Ok";
    check(&["+ |", MAIL, ok, RCPT, ok, "< DATA", data, "> 250 2.6.0 <m>", "- |"], &taken);
    check(&["+ |", MAIL, RCPT, "< DATA", ok, ok, data, "> 250 2.6.0 <m>", "- |"], &taken);
    check(&["+ |", MAIL, ok, RCPT, ok, "< BDAT 3", ok, "< BDAT 4 LAST", ok, "- |"], &taken);
    // The log begins in the middle of the session, or ends there.
    check(&[MAIL, ok, RCPT, ok, "< DATA", data, "> 250 2.6.0 <m>", "- |"], &taken);
    check(&["+ |", MAIL, ok, RCPT, ok, "< DATA", data, "> 250 2.6.0 <m>"], &taken);
    check(&[RCPT, "> 550 5.7.1 Unable to relay", "- |"], &["203.0.113.9 - - - example.org Session Denied 1 0"]);
    check(
        &["+ |", MAIL, ok, RCPT, "*|Tarpit", "> 550 5.7.54 no", "< RCPT TO:<b@example.com>", ok, "< RSET", ok, "- |"],
        &[
            "203.0.113.9 - - example.com example.com Session NoData 1 0",
            "203.0.113.9 - - example.com example.org Session Denied 1 0",
        ],
    );
    let late = ["203.0.113.9 - - example.com example.org Session Denied 1 0"];
    check(&["+ |", MAIL, ok, RCPT, ok, "< DATA", data, "> 550 5.7.1 Unable to relay", "- |"], &late);
    check(&["+ |", MAIL, "> 530 5.7.1 no", RCPT, "> 503 5.5.2 Need mail command", "- |"], &[]);
    check(&["+ |", "< NOOP", ok, "> 451 4.7.0 Timeout", "- |"], &[]);
    // EHLO and a new MAIL end the transaction before.
    let both = ["203.0.113.9 - - example.com example.org Session NoData 2 0"];
    check(&["+ |", MAIL, ok, RCPT, ok, MAIL, ok, RCPT, ok, "< EHLO a", ok, "< DATA", "> 503 no", "- |"], &both);
}

#[test]
fn who_a_session_is_of() {
    let rest = [MAIL, "> 250 Ok", RCPT, "> 250 Ok", "< DATA", "> 354 go on", "> 250 Ok", "- |"];
    let with = |first: &[&'static str]| [&["+ |"], first, &rest].concat();
    let login = ["< AUTH LOGIN", "> 334 <authentication response>", "*EXAMPLE\\anna|authenticated", "> 235 2.7.0 yes"];
    check(&with(&login), &["203.0.113.9 example\\anna vouched example.com example.org Session Unknown 1 1"]);
    check(
        &with(&["< AUTH LOGIN", "> 235 2.7.0 yes"]),
        &["203.0.113.9 - vouched example.com example.org Session Unknown 1 1"],
    );
    check(&with(&["< AUTH LOGIN", "> 535 5.7.3 no"]), &["203.0.113.9 - - example.com example.org Session Unknown 1 1"]);
    let from = "< XPROXYFROM SID=1 IP=198.51.100.7 PORT=2 DOMAIN=h.example";
    check(&with(&[from, "> 250 Ok"]), &["198.51.100.7 - - example.com example.org PassedOn Unknown 1 1"]);
    check(&with(&[from, "> 500 5.3.3 no"]), &["203.0.113.9 - - example.com example.org Session Unknown 1 1"]);
    let login = "< XPROXY SID=1 IP=198.51.100.7 PORT=2 DOMAIN=h.example";
    let server = ["< X-EXPS EXCHANGEAUTH", "*EXAMPLE\\MX1$|authenticated", "> 235 yes"];
    check(
        &with(&[&server[..], &[login, "> 250 Ok"]].concat()),
        &["198.51.100.7 - vouched example.com example.org PassedOn Unknown 1 1"],
    );
}

#[test]
fn log_ins_that_fail_are_counted_by_their_answer() {
    let rows = [
        "+ |",
        "< AUTH LOGIN",
        "*|Inbound AUTH LOGIN failed because of LogonDenied",
        "*|Inbound AUTH LOGIN failed because of LogonDenied",
        "*|User Name: Anna@example.com",
        "> 535 5.7.3 Authentication unsuccessful",
        "< AUTH LOGIN",
        "> 535 5.7.3 Authentication unsuccessful",
        "- |",
    ];
    let ledger = part("exchange-smtp-protocol", 1, &session("MX1\\A", "203.0.113.9", &rows)).finish(Window::default());
    let facts = ledger.clients.values().next().unwrap();
    assert_eq!((facts.auth_failures(), facts.sessions), (2, 1));
    assert_eq!(facts.accounts_tried.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["anna@example.com"]);
}

#[test]
fn a_front_end_is_no_client_of_its_own_hub() {
    let passed_on =
        ["+ |", "< EHLO mx1.example.com", "> 250 Ok", "< XPROXYFROM IP=198.51.100.7 DOMAIN=h", "> 250 Ok", "- |"];
    let ledger =
        part("exchange-smtp-protocol", 1, &session("MX1\\A", "192.0.2.10", &passed_on)).finish(Window::default());
    let clients: Vec<&Client> = ledger.clients.keys().map(|key| &key.client).collect();
    assert_eq!(clients, [&Client::Address("198.51.100.7".parse().unwrap())]);
    assert_eq!(ledger.servers.values().map(|facts| facts.sessions).sum::<u64>(), 0);
}

#[test]
fn the_send_log_tells_what_became_of_relayed_mail() {
    let receive = ["+ |", MAIL, "> 250 Ok", RCPT, "> 250 Ok", "< DATA", "> 354 go on", "> 250 Ok", "- |"];
    let send = [
        "> MAIL FROM:<a@example.com>",
        "< 250 Ok",
        "> RCPT TO:<v@example.org>",
        "< 250 Ok",
        "> DATA",
        "< 354 go on",
        "< 250 taken",
        "> QUIT",
    ];
    let mut both = part("exchange-smtp-protocol", 1, &session("MX1\\A", "203.0.113.9", &receive));
    both.merge(part("exchange-smtp-protocol", 2, &session("To Internet", "198.51.100.7", &send)));
    let mut ledger = both.finish(Window::default());
    one_view(&mut ledger);
    let mut stated = Site::default();
    stated.add_local_domain("example.net", site::Origin::CommandLine);
    let analysis = analyse(&ledger, &site::infer(&ledger, &stated));
    let relays: Vec<_> = analysis.findings.iter().filter(|finding| finding.rule == Rule::OpenRelay).collect();
    assert_eq!(relays.len(), 1);
    assert_eq!((relays[0].recipients_accepted, relays[0].recipients_delivered), (1, 1));
}

/// Rows of tracking with the columns of Exchange 2007: source, event, recipients, number of them, related recipient.
fn tracked(rows: &[[&str; 5]]) -> Vec<String> {
    let row = |(number, [source, event, recipients, count, related]): (usize, &[&str; 5])| {
        let ends = match *event {
            "SEND" => "192.0.2.10,MX1,198.51.100.7,mx.example.org",
            _ => "203.0.113.9,h.example,192.0.2.10,MX1",
        };
        format!(
            "2026-11-24T10:00:00.{number:03}Z,{ends},,A,{source},{event},1,<m@example.com>,{recipients},,7,{count},{related},\
             ,Hi,a@example.com,a@example.com,\r\n"
        )
    };
    let log: String = rows.iter().enumerate().map(row).collect();
    let part = part("exchange-tracking", 1, &log);
    assert_eq!(part.loose_lines(), 0, "{rows:?}: a message whose recipients all came to an end is dropped");
    flows(&part.finish(Window::default()))
}

#[test]
fn every_recipient_comes_to_an_end() {
    let ends = tracked(&[
        ["SMTP", "RECEIVE", "a@example.org;b@example.org;c@example.net", "3", ""],
        ["SMTP", "SEND", "a@example.org;b@example.org", "2", ""],
        ["ROUTING", "FAIL", "c@example.net", "1", ""],
    ]);
    assert_eq!(
        ends,
        [
            "203.0.113.9 - - example.com example.net Network BouncedHere 1 0",
            "203.0.113.9 - - example.com example.org Network Relayed 2 1",
        ]
    );
    // A list counts as the one recipient that the client named.
    let list = tracked(&[
        ["SMTP", "RECEIVE", "team@example.net", "1", ""],
        ["ROUTING", "EXPAND", "a@example.net;b@example.org", "2", "team@example.net"],
        ["STOREDRIVER", "DELIVER", "a@example.net", "1", ""],
        ["SMTP", "SEND", "b@example.org", "1", ""],
    ]);
    assert_eq!(list, ["203.0.113.9 - - example.com example.net Network Relayed 1 1"]);
}

#[test]
fn a_trace_is_a_whole_message_on_one_line() {
    let text = "origin_timestamp_utc,sender_address,recipient_status,total_bytes,original_client_ip,directionality\r\n\
                2026-11-24T10:00:00.1234567Z,a@example.com,\"v@example.org##Receive, Send;b@example.net##Receive, Fail\",7,\
                203.0.113.9,Incoming\r\n";
    let part = part("exchange-online-trace", 1, text);
    assert_eq!(part.loose_lines(), 0);
    assert_eq!(
        flows(&part.finish(Window::default())),
        [
            "203.0.113.9 - - example.com example.net Network BouncedHere 1 0",
            "203.0.113.9 - - example.com example.org Network Relayed 1 1",
        ]
    );
}

#[test]
fn samples_are_of_the_formats_that_they_show() {
    let mut formats: Vec<&str> =
        samples().iter().map(|(_, format, _)| format.name).filter(|name| name.starts_with("exchange-")).collect();
    formats.sort_unstable();
    formats.dedup();
    assert_eq!(formats, ["exchange-agent", "exchange-online-trace", "exchange-smtp-protocol", "exchange-tracking"]);
}

/// The lines of a session of Exchange 5.5 at its highest level, with the text of a message, and the flows that it gives.
fn check_text(text: &[&str], want: &[&str]) {
    let stamp = "11/24/26 10:00:00 AM : ";
    let both = |command: &str, answer: &str| {
        format!("{stamp}<<< IO: |{command}\r\n{stamp}<<< {command}\r\n{stamp}>>> {answer}\r\n\r\n")
    };
    let mut log = format!("{stamp}A connection was accepted from 203.0.113.9.\r\n");
    for (command, answer) in [
        ("HELO h", "250 OK"),
        ("MAIL FROM:<a@example.com>", "250 OK"),
        ("RCPT TO:<b@example.net>", "250 OK"),
        ("DATA", "354 Send data.  End with CRLF.CRLF"),
    ] {
        log += &both(command, answer);
    }
    for line in text {
        log += &line.replace("@@", stamp);
        log += "\r\n";
    }
    log += &format!("{stamp}>>> 250 OK\r\n{}", both("QUIT", "221 bye"));
    // Cut at any line it is the same: what is text is known at the end.
    let whole = part("exchange55-ims", 1, &log);
    assert_eq!(flows(&whole.finish(Window::default())), want, "{text:?}");
}

#[test]
fn text_that_poses_as_lines_of_the_server_is_left_out() {
    let taken = "203.0.113.9 - - example.com example.net Session Unknown 1 1";
    let pose = [
        "@@<<< IO: |Subject: x",
        "@@>>> 250 OK",
        "@@A connection was accepted from 198.51.100.7.",
        "@@<<< MAIL FROM:<v@example.org>",
        "@@>>> 250 OK",
        "@@<<< RCPT TO:<t@example.net>",
        "@@>>> 250 OK",
        "@@<<< DATA",
        "@@>>> 354 Send data",
        "@@>>> 250 OK",
        "@@>>> 221 bye",
    ];
    check_text(&["@@<<< IO: |Subject: x", "", "hello", "."], &[taken]);
    check_text(&["@@<<< IO: |Subject: x", "@@<<< IO: |."], &[taken]);
    check_text(&[&pose[..], &["."]].concat(), &[taken]);
    check_text(&[&pose[..], &["..", " .", ". ", "x.", "."]].concat(), &[taken]);
    // A file that never shows how a text ends is read as if it held none: what poses then counts, as `relayaudit formats` says.
    let forged = "198.51.100.7 - - example.org example.net Session Unknown 1 1";
    check_text(&pose, &[forged, taken]);
}
