//! Log-ins that failed: told by several programs, counted once; and what a client answers to AUTH is no command.

#![allow(clippy::unwrap_used)]

use relayaudit::clock::{Clock, Zone};
use relayaudit::fold::{Chunk, Filter, Part};
use relayaudit::layout::Layout;
use relayaudit::ledger::{Client, FileId, Ledger};
use relayaudit::observe::Window;
use relayaudit_parsers::registry::{Context, by_name};

fn read(format: &str, lines: &[String]) -> Ledger {
    let clock = Clock::new(Zone::Named(chrono_tz::UTC), None, Some(2026), "2026-12-01T00:00:00Z".parse().unwrap());
    let chunk = Chunk {
        file: FileId(1),
        path: "a.log".into(),
        format: by_name(format).unwrap(),
        context: Context::default(),
        clock,
        layout: Layout::default(),
        first_line: 1,
        torn: false,
        bytes: lines.join("\n").into_bytes(),
    };
    Part::of(&chunk, &Filter::default()).finish(Window::default())
}

/// Checks how many log-ins of each client failed.
fn check(format: &str, lines: &[String], want: &[(&str, u64)]) -> Ledger {
    let ledger = read(format, lines);
    let failing = ledger.clients.iter().filter(|(_, facts)| 0 < facts.auth_failures());
    let mut got: Vec<(String, u64)> = failing
        .map(|(key, facts)| match key.client {
            Client::Address(address) => (address.to_string(), facts.auth_failures()),
            client => (format!("{client:?}"), facts.auth_failures()),
        })
        .collect();
    got.sort();
    assert_eq!(got, want.iter().map(|(client, n)| ((*client).to_owned(), *n)).collect::<Vec<_>>(), "{lines:#?}");
    ledger
}

fn postfix(said: &str) -> String {
    format!("Feb  1 10:00:00 mx1 postfix/smtpd[7]: {said}")
}

fn dovecot(said: &str) -> String {
    format!("Feb  1 10:00:00 mx1 dovecot: {said}")
}

#[test]
fn a_failure_that_three_lines_tell_of_counts_once() {
    let smtp = [
        dovecot("auth: passwd-file(anna,192.0.2.9): Password mismatch"),
        postfix("warning: h[192.0.2.9]: SASL LOGIN authentication failed: x, sasl_username=anna"),
        postfix("disconnect from h[192.0.2.9] ehlo=1 auth=0/1 quit=1 commands=2/3"),
    ];
    check("postfix", &smtp, &[("192.0.2.9", 1)]);
    check("postfix", &smtp[..1], &[("192.0.2.9", 1)]);
    check("postfix", &smtp[2..], &[("192.0.2.9", 1)]);
    let imap = dovecot("imap-login: Disconnected (auth failed, 2 attempts): user=<anna>, method=PLAIN, rip=192.0.2.9");
    check("postfix", &[smtp.to_vec(), vec![imap]].concat(), &[("192.0.2.9", 3)]);
}

#[test]
fn the_first_of_two_stores_of_passwords_accuses_nobody() {
    let lines = [
        dovecot("auth: passwd-file(anna,192.0.2.9): unknown user"),
        dovecot("imap-login: Login: user=<anna>, method=PLAIN, rip=192.0.2.9"),
        dovecot("auth: passwd-file(anna,192.0.2.9): unknown user"),
        postfix("AAAAAA1: client=h[192.0.2.9], sasl_method=PLAIN, sasl_username=anna"),
    ];
    check("postfix", &lines, &[]);
}

/// A session of MDaemon, in which only the first line names the client.
fn mdaemon(answer: &str) -> Vec<String> {
    let lines = [
        "Accepting SMTP connection from [192.0.2.9:5] to [198.51.100.1:25]",
        "<-- AUTH LOGIN",
        "--> 334 VXNlcm5hbWU6",
        answer,
        "--> 535 Authentication failed",
        "<-- MAIL FROM:<a@example.org>",
        "--> 250 ok",
        "<-- RCPT TO:<b@example.net>",
        "--> 250 ok",
        "<-- DATA",
        "--> 354 go on",
        "--> 250 ok",
        "SMTP session successful, 9 bytes transferred!",
    ];
    lines.map(|said| format!("Sun 2026-02-01 10:00:00: {said}")).to_vec()
}

#[test]
fn an_answer_to_auth_is_no_command() {
    for answer in ["<-- YW5uYQ==", "<-- DATA", "<-- *"] {
        let ledger = check("mdaemon", &mdaemon(answer), &[("192.0.2.9", 1)]);
        let flows: Vec<_> =
            ledger.flows.iter().map(|(key, flow)| (key.account, flow.messages, flow.recipients)).collect();
        assert_eq!(flows, [(None, 1, 1)], "{answer}");
    }
}
