#![allow(clippy::unwrap_used)]

use super::FORMAT;
use crate::record::{Event, Line};
use crate::registry::Context;
use std::fmt::Write;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a line says, in one line of text.
fn said(line: &str) -> String {
    let record = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
        Line::Record(record) => record,
        Line::Unparsed(why) => return format!("unparsed at {}: {}", why.at, why.expected),
        other => return format!("{other:?}"),
    };
    let mut said = record.message.map_or(String::new(), |message| format!("[{}] ", text(message.id)));
    let client = |peer: &crate::record::Peer<'_>| {
        peer.address.map_or_else(|| "?".into(), |address| address.to_string()) + &format!("({})", text(peer.name))
    };
    match record.event {
        Event::Enqueued { user, reverse_path, size_bytes } => {
            write!(said, "enqueued uid {} <{}> {size_bytes}", text(user), text(reverse_path)).unwrap();
        }
        Event::AttemptStarted { attempt, forward_path, is_local } => {
            write!(said, "start {} <{}> {is_local}", text(attempt.id), text(forward_path)).unwrap();
        }
        Event::AttemptEnded { attempt, status, server, .. } => {
            write!(said, "end {} {status:?} {}", text(attempt.id), server.as_ref().map_or("-".into(), client)).unwrap();
        }
        Event::Whole { client: peer, helo, account, reverse_path, forward_paths, refusal: None, .. } => {
            let to: Vec<_> = forward_paths.iter().map(text).collect();
            let (helo, account) = (text(helo), account.map(text));
            let from = reverse_path.map(text);
            write!(said, "taken {} {helo} {account:?} {from:?} {to:?}", client(&peer)).unwrap();
        }
        Event::Refused { client: peer, stage, refusal, forward_path, .. } => {
            let to = forward_path.map(text);
            write!(said, "refused {} {} {refusal:?} {to:?}", client(&peer), text(stage)).unwrap();
        }
        Event::AuthFailed { client: peer, account } => {
            write!(said, "failed {} {:?}", client(&peer), account.map(text)).unwrap();
        }
        Event::AuthSucceeded { client: peer, account } => {
            write!(said, "log-in {} {:?}", client(&peer), account.map(text)).unwrap();
        }
        Event::Connect { client: peer, .. } => write!(said, "connect {}", client(&peer)).unwrap(),
        event => write!(said, "{event:?}").unwrap(),
    }
    said
}

/// Checks a statement behind a multilog label.
fn check(statement: &str, want: &str) {
    let line = format!("@400000004bdf95342c638c5c {statement}");
    assert_eq!(said(&line), want, "{statement}");
}

#[test]
fn queue_lines() {
    check("new msg 7", "Other");
    check("info msg 7: bytes 9 from <a@example.org> qp 2 uid 89", "[7] enqueued uid 89 <a@example.org> 9");
    check("info msg 7: bytes 9 from <> qp 2 uid 89", "[7] enqueued uid 89 <> 9");
    check("starting delivery 3: msg 7 to remote b@example.net", "[7] start 3 <b@example.net> false");
    check("starting delivery 3: msg 7 to local d-b@d", "[7] start 3 <d-b@d> true");
    check("delivery 3: success: did_0+0+1/", "end 3 Sent -");
    check("delivery 3: success: 192.0.2.7_accepted_message./Remote_host_said:_250_ok/", "end 3 Sent 192.0.2.7()");
    check("delivery 3: failure: Connected_to_192.0.2.7_but_sender_was_rejected./", "end 3 Bounced 192.0.2.7()");
    check("delivery 3: deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/", "end 3 Deferred -");
    check("delivery 3: report mangled, will defer", "end 3 Deferred -");
    check("bounce msg 7 qp 9", "Other");
    check("end msg 7", "[7] Removed");
    check("status: local 0/10 remote 34/35", "Other");
    check("delivery x: success: ", "unparsed at 35: a number");
    check("starting delivery 3: msg 7 to nowhere x", "unparsed at 56: `local` or `remote`");
    check("info msg 7: bytes 9 from <a", "unparsed at 52: `> qp N uid N` at the end");
}

#[test]
fn a_reverse_path_cannot_name_the_user() {
    check("info msg 7: bytes 9 from <a> qp 1 uid 0 <b> qp 2 uid 89", "[7] enqueued uid 89 <a> qp 1 uid 0 <b> 9");
}

#[test]
fn chkuser_lines() {
    let line = |brief: &str, from: &str, remote: &str, rcpt: &str, why: &str| {
        format!("CHKUSER {brief}: from <{from}> remote <{remote}> rcpt <{rcpt}> : {why}")
    };
    check(
        &line(
            "relaying rcpt",
            "a@example.com:a@example.com:",
            "h:unknown:192.0.2.9",
            "b@example.org",
            "client allowed to relay",
        ),
        r#"taken 192.0.2.9() h Some("a@example.com") Some("a@example.com") ["b@example.org"]"#,
    );
    check(
        &line("accepted rcpt", "::", "h:mx.example.net:2001:db8::9", "b@example.com", "found existing recipient"),
        r#"taken 2001:db8::9(mx.example.net) h None Some("") ["b@example.com"]"#,
    );
    check(
        &line(
            "rejected relaying",
            "a@example.org::",
            "h:unknown:192.0.2.9",
            "b@example.net",
            "client not allowed to relay",
        ),
        r#"refused 192.0.2.9() RCPT RelayDenied Some("b@example.net")"#,
    );
    check(
        &line("rejected rcpt", "a@example.org::", "h:unknown:192.0.2.9", "b@example.net", "not existing recipient"),
        r#"refused 192.0.2.9() RCPT UnknownUser Some("b@example.net")"#,
    );
    check(
        &line("rejected sender", "a::", "h:unknown:192.0.2.9", "", "invalid sender MX domain"),
        "refused 192.0.2.9() MAIL Other None",
    );
    check(&line("accepted sender", "a::", "h:unknown:192.0.2.9", "", "sender accepted"), "Other");
}

#[test]
fn a_client_cannot_pose_as_another() {
    let line = "CHKUSER relaying rcpt: from <x::> remote <h:unknown:10.0.0.1> rcpt <y> : ok::> remote <h:unknown:192.0.2.9> \
                rcpt <b@example.net> : client allowed to relay";
    check(line, "unparsed at 34: each mark of the line exactly once");
    // An EHLO name that looks like an address, a name and an address.
    check(
        "CHKUSER relaying rcpt: from <x::> remote <a.b:10.0.0.1:h:unknown:192.0.2.9> rcpt <y@example.org> : client allowed to relay",
        r#"taken 192.0.2.9() a.b:10.0.0.1:h None Some("x") ["y@example.org"]"#,
    );
    check(
        "spamdyke: ALLOWED from: a to: b origin_ip: 10.0.0.1 origin_rdns: x auth: y origin_ip: 192.0.2.9 origin_rdns: h auth: (unknown)",
        "unparsed at 36: each mark of the line exactly once",
    );
}

#[test]
fn lines_of_the_programs_around() {
    check("tcpserver: pid 2101 from 203.0.113.9", "connect 203.0.113.9()");
    check("tcpserver: status: 1/20", "Other");
    check(
        "rblsmtpd: 203.0.113.9 pid 2101: 451 http://example.net/",
        "refused 203.0.113.9() CONNECT ClientBlocked None",
    );
    check("vchkpw-smtp: password fail a@example.com:192.0.2.9", r#"failed 192.0.2.9() Some("a@example.com")"#);
    check(
        "vchkpw-smtp: password fail (pass: 'x') a@example.com:192.0.2.9",
        r#"failed 192.0.2.9() Some("a@example.com")"#,
    );
    check("vchkpw-smtp: password fail (pass: 'x') y') a:192.0.2.9", "failed 192.0.2.9() None");
    check("vchkpw-pop3: vpopmail user not found x:10.0.0.1:192.0.2.9", r#"failed 192.0.2.9() Some("x:10.0.0.1")"#);
    check(
        "vchkpw-smtp: (PLAIN) login success a@example.com:::ffff:192.0.2.9",
        r#"log-in 192.0.2.9() Some("a@example.com")"#,
    );
    check("vchkpw-smtp: null password given a:2001:db8::1", r#"failed ?() Some("a:2001:db8:")"#);
    check(
        "spamdyke: DENIED_RELAYING from: a@example.org to: b@example.net origin_ip: 192.0.2.9 origin_rdns: (unknown) auth: (unknown) encryption: (none)",
        r#"refused 192.0.2.9() RCPT RelayDenied Some("b@example.net")"#,
    );
    check("spamdyke: TIMEOUT from: x", "Other");
    check("qmail-smtpd: 421 badiprbl: ip 192.0.2.9 rbl: example.com", "Other");
}

#[test]
fn through_syslog() {
    let check = |line: &str, want: &str| assert_eq!(said(line), want, "{line}");
    check("Sep 14 09:58:09 mx qmail: 1063526289.292776 end msg 27", "[27] Removed");
    check(
        "Sep 14 09:58:09 mx vpopmail[9]: vchkpw-pop3: password fail a@b:192.0.2.1",
        r#"failed 192.0.2.1() Some("a@b")"#,
    );
    check("Sep 14 09:58:09 mx rblsmtpd: relays.example.net blocked 192.0.2.1 x -", "Other");
    check("Sep 14 09:58:09 mx cron[1]: x", r#"Ignored("another daemon")"#);
    check("@4000 x", "unparsed at 0: a time: `@400000004bdf95342c638c5c`");
}
