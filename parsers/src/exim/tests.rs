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
        message_id: b"",
        size_bytes: 2345,
        recipients: None,
        notifies: None,
    }
}

/// The same with a Message-ID.
fn with_message_id<'a>(mut event: Event<'a>, id: &'a str) -> Event<'a> {
    if let Event::Arrived { message_id, .. } = &mut event {
        *message_id = id.as_bytes();
    }
    event
}

#[test]
fn arrivals() {
    let outside = peer("bulk.example.net", "203.0.113.9");
    let line =
        format!("{ID} <= ceo@example.com H=bulk.example.net (pc) [203.0.113.9]:4711 P=esmtp S=2345 id=x@example.com");
    let with_id = with_message_id(arrived(outside, "pc", None, "", "ceo@example.com"), "x@example.com");
    check(&line, Some(ID), with_id);
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
fn our_end_of_the_connection() {
    let check = |text: &str, own: Option<&str>| {
        let (found, _) = fields::fields(text.as_bytes());
        assert_eq!(found.own, own.and_then(|own| own.parse().ok()), "{text}");
    };
    check(
        " R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.25] I=[192.0.2.10]:40112 C=\"250 OK\"",
        Some("192.0.2.10"),
    );
    check(" H=mx.example.org [192.0.2.25] I=[2001:db8::10]:25 P=esmtps I=[192.0.2.66]:1", Some("2001:db8::10"));
    check(" H=mx.example.org [192.0.2.25] C=\"250 OK I=[192.0.2.66]:1\"", None);
    check(" H=mx.example.org [192.0.2.25] I=[192.0.2.10", None);
    check(" H=mx.example.org [192.0.2.25] I=192.0.2.10", None);
}

#[test]
fn deliveries() {
    let check = |line: &str, path: &str, original: Option<&str>, outside: bool, status: Status| {
        let line = format!("2027-01-18 06:42:18 {ID} {line}");
        match parse(line.as_bytes(), &Context::default()) {
            Line::Record(Record {
                event: Event::Delivery { forward_paths, original_forward_path, next_hop, status: got, .. },
                ..
            }) => {
                assert_eq!(forward_paths, path.as_bytes().into(), "{line}");
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

/// The client and the account of an arrival.
fn who(line: &str) -> (Option<String>, Option<String>) {
    let line = format!("2027-01-18 06:42:18 {ID} <= a@example.com {line}");
    match parse(line.as_bytes(), &Context::default()) {
        Line::Record(Record { event: Event::Arrived { client, account, .. }, .. }) => (
            client.address.map(|address| address.to_string()),
            account.map(|account| String::from_utf8_lossy(account).into_owned()),
        ),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_client_cannot_give_itself_an_account_or_an_address() {
    let check = |line: &str, account: Option<&str>| {
        assert_eq!(who(line), (Some("203.0.113.9".to_owned()), account.map(str::to_owned)), "{line}");
    };
    check("H=(pc) [203.0.113.9] P=esmtpsa X=TLS1.2:A:256 CV=no A=plain:alice S=1", Some("alice"));
    check("H=(pc) [203.0.113.9] P=esmtpa A=login:alice:alice@example.com S=1", Some("alice"));
    check("H=(pc) [203.0.113.9] P=esmtpa A=cram S=1", Some("cram"));
    check("H=(pc) [203.0.113.9] P=esmtpsa X=x CV=no SNI=\"mx a\" A=plain:alice S=1", Some("alice"));
    check("H=(pc) [203.0.113.9] P=esmtpsa NEW=1 A=plain:alice S=1", Some("alice"));
    check("H=(pc) [203.0.113.9] P=esmtps X=x SNI=mx A=plain:root S=1", None);
    check("H=(pc) [203.0.113.9] P=esmtps X=x SNI=mx P=esmtpsa A=plain:root S=1", None);
    check("H=(pc) [203.0.113.9] P=esmtps X=x DN=\"CN=x\" A=plain:root S=1\" S=5", None);
    check("H=(pc) [203.0.113.9] U=x A=plain:root P=esmtp S=1", None);
    check("H=(pc) [203.0.113.9] U=x P=esmtpa A=plain:root S=1 P=esmtp S=1", None);
    check("H=(pc) [203.0.113.9] U=John Smith P=esmtpa A=plain:john S=1", Some("john"));
    check("H=(pc) [203.0.113.9] P=esmtp S=1 id=x) [10.0.0.1] P=esmtpa A=plain:root", None);
    check("H=(x) [10.0.0.1] b) [203.0.113.9] P=esmtp S=1", None);
}

#[test]
fn refusals_whose_fields_or_arguments_are_odd() {
    let check = |line: &str, client: Option<&str>, path: &str, refusal: Refusal| {
        let line = format!("2027-01-18 06:42:18 {line}");
        match parse(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event: Event::Refused { client: got, forward_path, refusal: kind, .. }, .. }) => {
                assert_eq!(got.address.map(|address| address.to_string()).as_deref(), client, "{line}");
                assert_eq!((forward_path, kind), (Some(path.as_bytes()), refusal), "{line}");
            }
            other => panic!("{line}: {other:?}"),
        }
    };
    let ip = Some("203.0.113.9");
    let denied = Refusal::RelayDenied;
    let start = "H=(pc) [203.0.113.9]";
    check(&format!("{start} X=x SNI=\"mx\" F=<a@b> rejected RCPT <q@r>: relay not permitted"), ip, "q@r", denied);
    check(&format!("{start} U=an ident F=<a@b> rejected RCPT <q@r>: relay not permitted"), ip, "q@r", denied);
    check(&format!("{start} F=<a@b> rejected RCPT Bob <q@r>: relay not permitted"), ip, "q@r", denied);
    check(&format!("{start} F=<a@b> rejected RCPT q@r: relay not permitted"), ip, "q@r", denied);
    check(&format!("{start} F=<a@b> rejected RCPT < q@r > NOTIFY=NEVER: relay not permitted"), ip, "q@r", denied);
    check(
        &format!(
            "{start} F=<\"x> rejected RCPT <y>: relay not permitted\"@z> rejected RCPT <\"a>: relay not permitted\"@r>: Unknown user"
        ),
        ip,
        "\"a>: relay not permitted\"@r",
        Refusal::UnknownUser,
    );
    let syntax = "SMTP syntax error in \"RCPT TO:<a";
    let reason = "malformed address: @c> may not follow <a@b";
    check(&format!("{syntax}@b@c>\" {start} {reason}"), ip, "a@b@c", Refusal::BadSyntax);
    check(
        &format!("{syntax}\" H=x [10.0.0.1] b>\" {start} malformed address: \" H=x [10.0.0.1] b may not follow <a"),
        None,
        "a",
        Refusal::BadSyntax,
    );
}

#[test]
fn long_lines_are_read_once() {
    let mut line = format!("2027-01-18 06:42:18 {ID} => |");
    line.push_str(&" <a".repeat(300_000));
    assert!(matches!(parse(line.as_bytes(), &Context::default()), Line::Unparsed(_)));
    let line = format!("2027-01-18 06:42:18 {ID} <= a@b H=(pc) [203.0.113.9]{}", " U=x y".repeat(300_000));
    assert!(matches!(parse(line.as_bytes(), &Context::default()), Line::Record(_)));
    let line = format!("2027-01-18 06:42:18 {ID} <= a@b H=(pc) [203.0.113.9]{}", " U=x".repeat(300_000));
    assert!(matches!(parse(line.as_bytes(), &Context::default()), Line::Record(_)));
}
