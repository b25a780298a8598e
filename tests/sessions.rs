//! What the lines of one session, or of one message, say for each other: who handed a message in, and as whom.

#![allow(clippy::unwrap_used)]

use relayaudit::clock::{Clock, Zone};
use relayaudit::fold::{Chunk, Filter, Part};
use relayaudit::layout::Layout;
use relayaudit::ledger::{Client, FileId, Ledger};
use relayaudit::observe::Window;
use relayaudit_parsers::registry::{Context, by_name};
use std::collections::BTreeSet;

fn ledger(text: &str) -> Ledger {
    let chunk = Chunk {
        layout: Layout::default(),
        file: FileId(1),
        path: "x".into(),
        format: by_name("sendmail").unwrap(),
        context: Context::default(),
        clock: Clock::new(Zone::Named(chrono_tz::UTC), None, Some(2026), "2026-12-01T00:00:00Z".parse().unwrap()),
        first_line: 1,
        torn: false,
        bytes: text.into(),
    };
    Part::of(&chunk, &Filter::default()).finish(Window::default())
}

/// `client account reverse-domain > forward-domain > final-domain: origin outcome refusal`, number of recipients.
fn flows(text: &str) -> BTreeSet<String> {
    let ledger = ledger(text);
    let said = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let line = |key: &relayaudit::ledger::FlowKey, recipients: u64| {
        let client = match &key.client {
            Client::Address(address) => address.to_string(),
            Client::User(user) => format!("user {user}"),
            other => format!("{other:?}"),
        };
        format!(
            "{client} {} {} > {} > {}: {:?} {:?} {} x{}",
            said(key.account.as_deref()),
            said(key.reverse_domain.as_deref()),
            key.forward_domain,
            said(key.final_domain.as_deref()),
            key.origin,
            key.outcome,
            key.refusal.map_or("-".to_owned(), |refusal| format!("{refusal:?}")),
            recipients
        )
    };
    ledger.flows.iter().map(|(key, flow)| line(key, flow.recipients)).collect()
}

fn check(text: &str, want: &[&str]) {
    let want: BTreeSet<String> = want.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(flows(text), want, "{text}");
}

const SESSIONS: &str = include_str!("common/sessions.log");

fn of(tag: &str) -> String {
    SESSIONS.lines().filter(|line| line.contains(tag)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_session_that_names_its_client_once() {
    check(
        &of("smtpd[7]"),
        &[
            "203.0.113.9 anna example.org > example.net > -: Network Relayed - x1",
            "203.0.113.9 anna example.org > example.org > example.com: Network Relayed - x1",
            "203.0.113.8 - - > example.net > -: Network Rejected Unsaid x1",
        ],
    );
}

#[test]
fn a_session_of_the_older_wording() {
    check(
        &of("smtpd[8]"),
        &[
            "203.0.113.7 - example.com > example.net > -: Network Relayed - x2",
            "user  - mx > example.net > -: Local Relayed - x1",
        ],
    );
}

#[test]
fn a_log_in_is_that_of_the_client_and_process() {
    check(
        &of("sm-mta"),
        &[
            "203.0.113.9 anna example.org > example.net > -: Network Relayed - x1",
            "203.0.113.9 anna example.org > example.net > -: Network Bounced - x1",
            "203.0.113.9 anna example.org > example.com > -: Network Denied RelayDenied x1",
            "203.0.113.9 anna example.org > example.org > -: Network Rejected UnknownUser x1",
            "Unknown - - > example.org > -: System Delivered - x1",
            "203.0.113.6 - example.com >  > example.com: Network Relayed - x1",
        ],
    );
}

const FROM: &str = "Nov 24 10:00:01 mx sm-mta[5]: 6BOA20aa000005: from=<a@example.com>, size=9, class=0, nrcpts=1, \
                    proto=ESMTP, daemon=MTA, relay=b [203.0.113.6]\n";
const TO: &str = "Nov 24 10:00:02 mx sm-mta[6]: 6BOA20aa000005: to=<b@example.net>, delay=00:00:01, mailer=esmtp, \
                  relay=m. [198.51.100.1], dsn=2.0.0, stat=Sent\n";

#[test]
fn a_log_in_of_another_client_or_process_is_not_taken() {
    let log_in = |pid: &str, client: &str| {
        format!("Nov 24 10:00:00 mx sm-mta[{pid}]: AUTH=server, relay={client}, authid=anna, mech=LOGIN, bits=0\n")
    };
    let stranger = "203.0.113.6 - example.com > example.net > -: Network Relayed - x1";
    check(&(log_in("5", "a [203.0.113.9]") + FROM + TO), &[stranger]);
    check(&(log_in("4", "b [203.0.113.6]") + FROM + TO), &[stranger]);
    check(&(FROM.to_owned() + &log_in("5", "b [203.0.113.6]") + TO), &[stranger]);
    let user = "203.0.113.6 anna example.com > example.net > -: Network Relayed - x1";
    check(&(log_in("5", "b [203.0.113.6]") + FROM + TO), &[user]);
}

#[test]
fn a_log_in_that_was_lost_still_was_one() {
    let user = "203.0.113.6  example.com > example.net > -: Network Relayed - x1";
    check(&(FROM.replace("ESMTP,", "ESMTPSA,") + TO), &[user]);
}

#[test]
fn a_transaction_without_a_message_is_none() {
    let nothing = FROM.replace("size=9", "size=0");
    check(&nothing, &[]);
    check(&FROM.replace("nrcpts=1", "nrcpts=0"), &[]);
    assert!(ledger(&nothing).servers.values().all(|server| server.messages == 0));
    // An empty message is one, if it was delivered.
    check(&(nothing + TO), &["203.0.113.6 - example.com > example.net > -: Network Relayed - x1"]);
}

#[test]
fn local_submission_in_two_steps_is_one_message() {
    let log = "\
Nov 24 10:00:00 mx sendmail[5]: 6BOA20aa000005: from=web, size=9, class=0, nrcpts=1, msgid=<x@mx>, relay=web@localhost
Nov 24 10:00:01 mx sm-mta[6]: 6BOA20ab000006: from=<web@mx>, size=9, class=0, nrcpts=1, proto=ESMTP, daemon=MTA, relay=localhost [127.0.0.1]
Nov 24 10:00:01 mx sendmail[5]: 6BOA20aa000005: to=b@example.net, ctladdr=web (33/33), delay=00:00:01, mailer=relay, pri=1, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (6BOA20ab000006 Message accepted for delivery)
Nov 24 10:00:02 mx sm-mta[7]: 6BOA20ab000006: to=<b@example.net>, ctladdr=<web@mx> (33/33), delay=00:00:01, mailer=esmtp, relay=m. [198.51.100.1], dsn=2.0.0, stat=Sent (ok)
";
    check(log, &["user web -  > example.net > -: Local Relayed - x1"]);
}
