use super::*;
use crate::record::{NextHop, Peer, Refusal, When};
use crate::text::address;

/// Fails unless the line, behind Exim's time, is this event of this message.
fn check(line: &str, message: Option<&str>, want: Event<'_>) {
    let line = format!("2027-01-18 06:42:18 {line}");
    match parse(line.as_bytes(), &Context::default()) {
        Line::Record(record) => {
            assert_eq!(record.message.map(|key| key.id), message.map(str::as_bytes), "{line}");
            assert_eq!(record.event, want, "{line}");
            assert!(matches!(record.when, When::Local(_)), "{line}");
        }
        other => panic!("{line}: {other:?}"),
    }
}

fn peer(name: &'static str, text: &str) -> Peer<'static> {
    Peer { address: address(text.as_bytes()), name: name.as_bytes() }
}

const ID: &str = "1RwtJa-000AFB-07";

fn arrived<'a>(client: Peer<'a>, helo: &'a str, account: Option<&'a str>, user: &'a str, from: &'a str) -> Event<'a> {
    Event::Arrived {
        client,
        helo: helo.as_bytes(),
        account: account.map(str::as_bytes),
        user: user.as_bytes(),
        reverse_path: from.as_bytes(),
        size_bytes: 2345,
        recipients: None,
        notifies: None,
    }
}

#[test]
fn arrivals() {
    let outside = peer("bulk.example.net", "203.0.113.9");
    let line =
        format!("{ID} <= ceo@example.com H=bulk.example.net (pc) [203.0.113.9]:4711 P=esmtp S=2345 id=x@example.com");
    check(&line, Some(ID), arrived(outside, "pc", None, "", "ceo@example.com"));
    // The EHLO name may be a literal: the last address is the client's.
    let line =
        format!("{ID} <= ceo@example.com H=([192.168.1.9]) [203.0.113.9] P=esmtpsa A=dovecot_login:alice S=2345");
    check(&line, Some(ID), arrived(peer("", "203.0.113.9"), "[192.168.1.9]", Some("alice"), "", "ceo@example.com"));
    let line = format!("{ID} <= www-data@example.org U=www-data P=local S=2345");
    check(&line, Some(ID), arrived(Peer::default(), "", None, "www-data", "www-data@example.org"));
}

#[test]
fn a_subject_cannot_pose_as_another_field() {
    let line = format!(
        "{ID} <= ceo@example.com H=bulk.example.net [203.0.113.9] P=esmtp S=2345 T=\"x\\\" H=good [10.0.0.1] A=plain:root \" for bob@example.org"
    );
    let outside = peer("bulk.example.net", "203.0.113.9");
    match parse(format!("2027-01-18 06:42:18 {line}").as_bytes(), &Context::default()) {
        Line::Record(Record { event: Event::Arrived { client, account, .. }, .. }) => {
            assert_eq!((client, account), (outside, None));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_notification_names_its_cause() {
    let line = format!("{ID} <= <> R=1RwtJZ-000AFA-06 U=Debian-exim P=local S=2345");
    match parse(format!("2027-01-18 06:42:18 {line}").as_bytes(), &Context::default()) {
        Line::Record(Record { event: Event::Arrived { notifies, reverse_path, .. }, .. }) => {
            assert_eq!((notifies, reverse_path), (Some(b"1RwtJZ-000AFA-06".as_slice()), b"".as_slice()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn deliveries() {
    let check = |line: &str, path: &str, original: Option<&str>, outside: bool, status: Status| {
        let line = format!("2027-01-18 06:42:18 {ID} {line}");
        match parse(line.as_bytes(), &Context::default()) {
            Line::Record(Record {
                event: Event::Delivery { forward_path, original_forward_path, next_hop, status: got, .. },
                ..
            }) => {
                assert_eq!(forward_path, path.as_bytes(), "{line}");
                assert_eq!(original_forward_path, original.map(str::as_bytes), "{line}");
                assert_eq!(matches!(next_hop, NextHop::Host { .. }), outside, "{line}");
                assert_eq!(got, status, "{line}");
            }
            other => panic!("{line}: {other:?}"),
        }
    };
    check(
        "=> bob@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.25] C=\"250 OK\"",
        "bob@example.org",
        None,
        true,
        Status::Sent,
    );
    check(
        "-> bob@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.25]",
        "bob@example.org",
        None,
        true,
        Status::Sent,
    );
    check(
        "== bob@example.org R=dnslookup T=remote_smtp defer (-44) H=mx.example.org [192.0.2.25]: SMTP error",
        "bob@example.org",
        None,
        true,
        Status::Deferred,
    );
    check(
        "** bob@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.25]: SMTP error: 550 no",
        "bob@example.org",
        None,
        true,
        Status::Bounced,
    );
}

#[test]
fn the_rest_of_a_life() {
    check(&format!("{ID} Completed"), Some(ID), Event::Removed);
    check("Start queue run: pid=11352", None, Event::Other);
}

#[test]
fn refusals() {
    let line =
        "2027-01-18 06:42:18 H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.org>: relay not permitted";
    match parse(line.as_bytes(), &Context::default()) {
        Line::Record(Record {
            event: Event::Refused { client, refusal, forward_path, reverse_path, helo, .. },
            ..
        }) => {
            assert_eq!(client.address, address(b"203.0.113.9"));
            assert_eq!(refusal, Refusal::RelayDenied);
            assert_eq!(
                (reverse_path, forward_path),
                (Some(b"a@example.com".as_slice()), Some(b"b@example.org".as_slice()))
            );
            assert_eq!(helo, b"pc");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_that_are_claimed() {
    let claims = |line: &str| recognises(line.as_bytes());
    assert!(claims(&format!("2027-01-18 06:42:18 {ID} <= <> U=root P=local S=1")));
    assert!(claims("2027-01-18 06:42:18 SMTP call from [203.0.113.31] dropped: too many unrecognized commands"));
    assert!(!claims(
        "2027-01-18 06:42:18 203.0.113.9 pc SMTPSVC1 MX01 192.0.2.10 0 EHLO - +pc 250 0 1 1 0 SMTP - - - -"
    ));
    assert!(!claims("2027-01-18T06:42:18.1+00:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]"));
}

#[test]
fn damaged_lines_do_not_panic() {
    let lines = [
        format!(
            "2027-01-18 06:42:18 {ID} <= ceo@example.com H=a (b) [203.0.113.9]:1 P=esmtp A=plain:x S=1 T=\"q\" for a@b"
        ),
        format!("2027-01-18 06:42:18 {ID} => a@b <c@d> R=r T=t H=h [192.0.2.1] C=\"250 x\""),
        "2027-01-18 06:42:18 H=(pc) [203.0.113.9] F=<a@b> temporarily rejected RCPT <c@d>: later".to_owned(),
    ];
    for line in lines {
        for cut in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            let _ = parse(&bytes[..cut], &Context::default());
            for byte in [0, b' ', b'"', b'<', b'[', b'=', 255] {
                bytes[cut] = byte;
                let _ = parse(&bytes, &Context::default());
            }
        }
    }
}
