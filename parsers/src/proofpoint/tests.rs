//! Events of the log API and lines of the filter, each through one `check`.

use super::*;
use crate::record::Step;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shown(event: &Event<'_>) -> String {
    match event {
        Event::Decided { client, helo, reverse_path, forward_paths, message_id, size_bytes, refusal, .. } => {
            let to: Vec<_> = forward_paths.iter().map(text).collect();
            let (name, helo, from, id) = (text(client.name), text(helo), reverse_path.map(text), text(message_id));
            format!("{:?} {name} {helo} {from:?} {to:?} {id} {size_bytes} {refusal:?}", client.address)
        }
        Event::Opened { client } => format!("opened {:?}", client.address),
        Event::Filtered(Step::ReversePath(path)) => format!("from {}", text(path)),
        Event::Filtered(Step::ForwardPath(path)) => format!("to {}", text(path)),
        Event::Delivery { forward_paths, status, .. } => {
            format!("{:?} {status:?}", forward_paths.iter().map(text).collect::<Vec<_>>())
        }
        event => format!("{event:?}"),
    }
}

fn check(line: &str, want: &str) {
    let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
        Line::Record(Record { event, .. }) => shown(&event),
        Line::Unparsed(why) => format!("unparsed at {}: {}", why.at, why.expected),
        line => format!("{line:?}"),
    };
    assert_eq!(got, want, "{line}");
}

#[test]
fn messages() {
    let event = |connection: &str, envelope: &str, filter: &str, want: &str| {
        let msg = r#""msg":{"header":{"message-id":["<1@example.org>"]},"sizeBytes":7}"#;
        let rest =
            r#""ts":"2026-02-01T10:00:01.5-0700","guid":"g","metadata":{"origin":{"data":{"agent":"m1.example.com"}}}"#;
        let line = format!(
            r#"{{"connection":{{{connection}}},"envelope":{{{envelope}}},"filter":{{{filter}}},{msg},{rest},"type":"message"}}"#
        );
        assert!(recognises(line.as_bytes()), "{line}");
        check(&line, want);
    };
    let connection = r#""ip":"192.0.2.9","host":"mx.example.org","resolveStatus":"ok","helo":"h""#;
    let envelope = r#""from":"a@example.org","rcpts":["b@example.net","c@example.net"]"#;
    let all =
        r#"Some(192.0.2.9) mx.example.org h Some("a@example.org") ["b@example.net", "c@example.net"] 1@example.org"#;
    let filter = r#""msgSizeBytes":9,"qid":"q1","routes":["allow_relay","outbound"]"#;
    event(connection, envelope, &format!(r#"{filter},"disposition":"continue""#), &format!("{all} 9 None"));
    event(connection, envelope, r#""disposition":"accept""#, &format!("{all} 7 None"));
    event(connection, envelope, r#""disposition":"reject""#, &format!("{all} 7 Some(Other)"));
    event(connection, envelope, r#""disposition":"quarantine,discard""#, &format!("{all} 7 Some(Content)"));
    event(connection, envelope, r#""disposition":"retry""#, &format!("{all} 7 Some(Greylisted)"));
    event(connection, envelope, r#""isMsgReinjected":true"#, "Other");
    event(
        r#""ip":"192.0.2.9","host":"mx.example.org","resolveStatus":"[unknown]""#,
        r#""from":"","rcpts":["\"a,b\\\"\"@example.net"]"#,
        r#""disposition":"continue""#,
        r#"Some(192.0.2.9)   Some("") ["\\\"a,b\\\\\\\"\\\"@example.net"] 1@example.org 7 None"#,
    );
    // What a client wrote is one value, whatever it holds.
    event(
        r#""helo":"x\",\"ip\":\"10.0.0.1","ip":"192.0.2.9""#,
        envelope,
        r#""disposition":"continue""#,
        r#"Some(192.0.2.9)  x\",\"ip\":\"10.0.0.1 Some("a@example.org") ["b@example.net", "c@example.net"] 1@example.org 7 None"#,
    );
}

#[test]
fn lines_of_sendmail() {
    let event = |data: &str, want: &str| {
        let line = format!(
            r#"{{"data":"{data}","sm":{{"qid":"x"}},"ts":"2026-02-01T10:00:01-0700","id":"i","type":"maillog"}}"#
        );
        assert!(recognises(line.as_bytes()), "{line}");
        check(&line, want);
    };
    let head = "2026-02-01T10:00:01.935763-07:00 m1 sendmail[22003]: 27PNO8ta032355: ";
    let sent = "to=<b@example.net>, delay=00:00:01, mailer=esmtp, tls_verify=OK, tls_version=TLSv1.2, cipher=X, pri=1, dsn=2.0.0, stat=Sent";
    event(&format!("{head}{sent}"), r#"["b@example.net"] Sent"#);
    let line = format!(
        r#"{{"data":"{head}{sent}","pps":{{"agent":"m1.example.com"}},"ts":"2026-02-01T10:00:01-0700","id":"i","type":"maillog"}}"#
    );
    let said = (FORMAT.parse)(line.as_bytes(), &Context::default());
    assert!(matches!(said, Line::Record(Record { server: b"m1.example.com", .. })), "{said:?}");
    event(&format!("{head}to=<b@example.net>, odd=1, stat=x"), "unparsed at 98: a field: `delay=`");
    event(
        &format!(r#"{head}to=<\"a, stat=Sent\"@example.net>, delay=1, stat=x"#),
        "unparsed at 9: a line of Sendmail without escapes",
    );
}

#[test]
fn other_objects() {
    check(r#"{"type":"msgParts","guid":"g","msgParts":{}}"#, &format!("Ignored({PART:?})"));
    check(r#"{"type":"msgPartsUrl","guid":"g","url":"http://example.org/"}"#, &format!("Ignored({PART:?})"));
    let wanted = "unparsed at 0: an event of the log API: `\"type\":\"message\"`";
    check(r#"{"type":"other"}"#, wanted);
    check(r#"{"type":"message","guid":"g"}"#, wanted);
    check(r#"{"a":1"#, "unparsed at 6: `,` or `}`");
    check(
        r#"{"type":"message","guid":"g","ts":"x","connection":{},"envelope":{},"filter":{}}"#,
        "unparsed at 0: a time in `ts`",
    );
    assert!(!recognises(br#"{"ts":1.5,"uid":"C","id.orig_h":"192.0.2.1","trans_depth":1}"#));
    assert!(!recognises(br#"{"message":"x","@timestamp":"y"}"#));
}

#[test]
fn the_filter_log() {
    let said = |body: &str, want: &str| check(&format!("Feb  1 10:00:01 gw1 filter_instance1[5]: {body}"), want);
    let session = "rprt s=2hdryp02r6";
    said(
        &format!(
            "{session} mod=session cmd=connect ip=192.0.2.9 country=us lip=192.0.2.10 prot=smtp:smtp hops_active=f routes= notroutes=tls perlwait=0.003"
        ),
        "opened Some(192.0.2.9)",
    );
    said(
        &format!(
            "{session} m=1 x=2hdryp02r6-1 mod=mail cmd=env_from value=a@example.org qid=q tls= routes= host=h ip=192.0.2.9"
        ),
        "from a@example.org",
    );
    said(&format!("{session} m=1 x=2hdryp02r6-1 mod=mail cmd=env_from value= qid=q tls="), "from ");
    said(
        &format!("{session} m=1 x=2hdryp02r6-1 mod=mail cmd=env_rcpt r=1 value=<b@example.net> verified= routes="),
        "to b@example.net",
    );
    said(
        &format!(
            "{session} m=1 x=2hdryp02r6-1 mod=mail cmd=msg module= rule= action=continue attachments=0 rcpts=1 routes=x size=9 subject=\"a\""
        ),
        "Filtered(Message { size_bytes: 9, refusal: None })",
    );
    said(
        &format!("{session} m=1 x=2hdryp02r6-1 mod=mail cmd=msg action=reject size=9"),
        "Filtered(Message { size_bytes: 9, refusal: Some(Other) })",
    );
    said(
        &format!(
            "{session} mod=session cmd=disconnect module= rule= action= helo=h msgs=1 rcpts=1 routes=x duration=0.1 elapsed=0.5"
        ),
        "Closed { client: Peer { address: None, name: [] } }",
    );
    said(
        &format!("{session} m=1 x=2hdryp02r6-1 cmd=send profile=mail qid=w3HMWjG3039079 rcpts=b@example.net"),
        "Other",
    );
    said("info eid=1 text", "Other");
    let wanted = "a session and a command: `s=2hdryp02r6 mod=mail cmd=msg`";
    said("rprt mod=mail cmd=env_from value=a", &format!("unparsed at 46: {wanted}"));
    said("rprt s=x value=a", &format!("unparsed at 46: {wanted}"));
    said(&format!("{session} mod=session cmd=connect ip=x"), "unparsed at 83: the client: `ip=192.0.2.1`");
    said(&format!("{session} mod=mail cmd=env_rcpt r=1"), "unparsed at 81: the forward-path: `value=`");
}

#[test]
fn a_client_cannot_write_another_key() {
    let said = |fields: &str, want: &str| {
        check(&format!("Feb  1 10:00:01 gw1 filter_instance1[5]: rprt s=x mod=mail cmd=env_rcpt {fields}"), want);
    };
    said("r=1 value=\"a value=b@example.com c\"@example.net verified=", "unparsed at 72: no key twice");
    // Another key cuts a path short, but its quotation mark stays open.
    said("r=1 value=\"b@example.com x= \"@example.net verified=", "unparsed at 72: the forward-path: `value=`");
    said("r=1 value=\"a b\"@example.net verified=", "to \"a b\"@example.net");
}

#[test]
fn tags() {
    for (tag, want) in
        [("filter_instance1", true), ("filter_instance12", true), ("filter_instanceX", false), ("filter", false)]
    {
        assert_eq!(claims(tag.as_bytes()), want, "{tag}");
    }
}

#[test]
fn the_header_from() {
    let check = |header: &str, want: &str| {
        let line = format!(
            r#"{{"connection":{{"ip":"192.0.2.9"}},"envelope":{{"from":"x@evil.test","rcpts":["b@example.org"]}},"filter":{{}},"msg":{{"header":{{{header}}}}},"ts":"2026-02-01T10:00:01.5-0700","guid":"g"}}"#
        );
        let line = (FORMAT.parse)(line.as_bytes(), &Context::default());
        let Line::Record(Record { event: Event::Decided { header_from, .. }, .. }) = line else { panic!("{line:?}") };
        assert_eq!(text(header_from), want, "{header}");
    };
    check(r#""from":["\"Anna\" <a@example.org>"]"#, "a@example.org");
    check(r#""from":["<a@example.org>","<x@evil.test>"]"#, "");
    check(r#""subject":["hi"]"#, "");
}
