//! Lines through one `check`, with and without commas between fields.

use super::*;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shown(event: &Event<'_>) -> String {
    match event {
        Event::Decided { client, reverse_path, forward_paths, size_bytes, taken, refusal, .. } => {
            let to: Vec<_> = forward_paths.iter().map(text).collect();
            let (name, from) = (text(client.name), reverse_path.map(text));
            format!("{:?} {name} {from:?} {to:?} {size_bytes} {taken} {refusal:?}", client.address)
        }
        Event::Refused { client, stage, refusal, .. } => format!("{:?} {} {refusal:?}", client.address, text(stage)),
        Event::Arrived { client, reverse_path, size_bytes, recipients, .. } => {
            format!("{:?} from {} {size_bytes} {recipients:?}", client.address, text(reverse_path))
        }
        Event::Delivery { forward_paths, status, next_hop, .. } => {
            let to: Vec<_> = forward_paths.iter().map(text).collect();
            format!("{to:?} {status:?} {next_hop:?}")
        }
        Event::AuthFailed { client, .. } => format!("{:?} failed", client.address),
        Event::LogInsFailed { client, account, .. } => {
            format!("{:?} failed as {:?}", client.address, account.map(text))
        }
        event => format!("{event:?}"),
    }
}

fn check(head: &str, fields: &str, want: &str) {
    let line =
        format!("date=2026-02-01 time=10:00:01.123 device_id=FE1 log_id=0200000001 {head} pri=information {fields}");
    let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
        Line::Record(record) => {
            assert!(matches!(record.when, When::Local(_)), "{line}");
            assert_eq!(text(record.server), "FE1", "{line}");
            shown(&record.event)
        }
        Line::Unparsed(why) => format!("unparsed: {}", why.expected),
        line => format!("{line:?}"),
    };
    assert_eq!(got, want, "{line}");
}

#[test]
fn the_history_log() {
    let base = r#"session_id="1-2" client_name="mx.example.org" client_ip="192.0.2.9" from="a@example.org" to="b@example.net""#;
    let decided = |end: &str, want: &str| {
        check("type=statistics", &format!(r#"{base} {end} message_length="9""#), want);
    };
    let all = r#"Some(192.0.2.9) mx.example.org Some("a@example.org") ["b@example.net"] 9"#;
    decided(r#"disposition="Accept" classifier="Not Spam""#, &format!("{all} true None"));
    decided(r#"disposition="Tag Subject;Defer Delivery" classifier="DKIM""#, &format!("{all} true None"));
    decided(
        r#"disposition="Reject" classifier="Access Control-Relay Denied""#,
        &format!("{all} false Some(RelayDenied)"),
    );
    decided(r#"disposition="Reject" classifier="Relay denied""#, &format!("{all} false Some(RelayDenied)"));
    decided(r#"disposition="Reject" classifier="Recipient Verification""#, &format!("{all} false Some(UnknownUser)"));
    decided(r#"disposition="Reject" classifier="DNSBL""#, &format!("{all} false Some(ClientBlocked)"));
    decided(r#"disposition="Reject" classifier="Sender Verification""#, &format!("{all} false Some(SenderNotAllowed)"));
    decided(r#"disposition="Reject" classifier="Grey List""#, &format!("{all} false Some(Greylisted)"));
    decided(r#"disposition="Reject" classifier="""#, &format!("{all} false Some(Unsaid)"));
    decided(r#"disposition="Reject" classifier="Banned Word""#, &format!("{all} false Some(Other)"));
    decided(r#"disposition="Delay" classifier="Session Limits""#, &format!("{all} false Some(Greylisted)"));
    decided(r#"disposition="System Quarantine;Notification" classifier="X""#, &format!("{all} false Some(Content)"));
    decided(r#"disposition="Discard" classifier="X""#, &format!("{all} false Some(Content)"));
    decided(r#"disposition="0x1" classifier="0x17""#, &format!("{all} false None"));
    decided(r#"disposition="0x200" classifier="0x17""#, &format!("{all} false Some(Greylisted)"));
    decided(r#"disposition="Reject" classifier="SMTP Auth Failure""#, "Some(192.0.2.9) failed");
    check("type=statistics subtype=update", base, "Other");
}

#[test]
fn clients_and_recipients() {
    let line = |client: &str, paths: &str, want: &str| {
        check("type=statistics", &format!(r#"{client} {paths} disposition="Accept" classifier="X""#), want);
    };
    line(r#"client_name="192.0.2.9""#, r#"from="" to="b@x""#, r#"Some(192.0.2.9)  Some("") ["b@x"] 0 true None"#);
    line(
        r#"client_name="[192.0.2.9]" client_ip="192.0.2.9""#,
        r#"to="b@x""#,
        r#"Some(192.0.2.9)  None ["b@x"] 0 true None"#,
    );
    line(
        r#"client_name="h""#,
        r#"from="a@x" to="b@x,"c,d"@x""#,
        r#"None h Some("a@x") ["b@x", "\"c,d\"@x"] 0 true None"#,
    );
    check(
        "type=statistics",
        r#"client_ip="192.0.2.9" from="" to="" disposition="Reject" classifier="DNSBL""#,
        "Some(192.0.2.9) CONNECT ClientBlocked",
    );
    check(
        "type=statistics",
        r#"client_ip="192.0.2.9" from="a@x" to="" disposition="Reject" classifier="RBL""#,
        "Some(192.0.2.9) MAIL ClientBlocked",
    );
}

#[test]
fn a_client_cannot_write_another_key() {
    let twice = "unparsed: no key twice";
    let end = r#"disposition="Reject" classifier="Relay denied""#;
    check("type=statistics", &format!(r#"client_ip="192.0.2.9" from="x" client_ip="10.0.0.1" to="b" {end}"#), twice);
    check(
        "type=statistics",
        &format!(r#"client_ip="192.0.2.9" from="x" disposition="Accept" y="z" to="b" {end}"#),
        twice,
    );
    check("type=statistics", &format!(r#"client_ip="192.0.2.9" from="x" to="b" {end} subject="hi" to="c"#), twice);
    check("type=event subtype=smtp", r#"msg="from=<x" msg="y>, size=1""#, twice);
    // A key that no line has would cut a path short.
    let open = "unparsed: paths with closed quotation marks";
    check("type=statistics", &format!(r#"client_ip="192.0.2.9" to=""b@example.com" x="y"@example.net" {end}"#), open);
    check(
        "type=statistics",
        &format!(r#"client_ip="192.0.2.9" to=""\"b@example.com\" x=\"y"@example.net" {end}"#),
        open,
    );
    check("type=statistics", &format!(r#"client_ip="192.0.2.9" from=""a" x="b"@y" to="b" {end}"#), open);
}

#[test]
fn what_sendmail_says() {
    let said =
        |msg: &str, want: &str| check("type=event subtype=smtp", &format!("session_id=\"1-2\" msg=\"{msg}\""), want);
    said(
        "from=<a@x>, size=9, class=0, nrcpts=1, msgid=<1@x>, proto=ESMTP, daemon=SMTP_MTA, relay=h [192.0.2.9]",
        "Some(192.0.2.9) from a@x 9 Some(1)",
    );
    said(
        "from=<a@x> size=9 class=0 nrcpts=1 msgid=<1@x> proto=ESMTP daemon=SMTP_MTA relay=h [192.0.2.9]",
        "Some(192.0.2.9) from a@x 9 Some(1)",
    );
    let sent = r#"["b@y"] Sent Host { peer: Peer { address: Some(192.0.2.7), name: [] }, port: 0 }"#;
    said(
        "to=<b@y>, delay=00:00:06, xdelay=00:00:06, mailer=esmtp, pri=1, relay= [192.0.2.7], dsn=2.0.0, stat=Sent (Ok, 1,2)",
        sent,
    );
    said(
        "to=<b@y> delay=00:00:06 xdelay=00:00:06 mailer=esmtp pri=1 relay= [192.0.2.7] dsn=2.0.0 stat=Sent (Ok)",
        sent,
    );
    said(
        "to=postmaster, delay=00:00:50, mailer=local, pri=1, dsn=5.1.1, stat=User unknown",
        r#"["postmaster"] Bounced Local"#,
    );
    said(
        "to=<b@y>, delay=1, scan_delay=3, data_delay=5, from_ip=192.0.2.9, to_ip=192.0.2.7, mailer=proxy, stat=X",
        "Other",
    );
    said("to=<b@y>, delay=1, odd=3, stat=X", "unparsed: a field: `delay=`");
    said("STARTTLS=server, relay=h [192.0.2.9], version=TLSv1.2", "Other");
    said("ruleset=check_rcpt, arg1=<b@y>, relay=[192.0.2.9], reject=550 5.7.1 <b@y>... Relaying denied", "Other");
    // The words of a client stay in their field.
    said(
        "to=<\"x, stat=Sent\"@y>, delay=1, mailer=esmtp, pri=1, dsn=5.1.1, stat=User unknown",
        r#"["\"x, stat=Sent\"@y"] Bounced Host { peer: Peer { address: None, name: [] }, port: 0 }"#,
    );
    said(
        "to=<\"x stat=Sent\"@y> delay=1 mailer=local pri=1 dsn=5.1.1 stat=User unknown",
        r#"["\"x stat=Sent\"@y"] Bounced Local"#,
    );
    said(
        "from=<a@x> size=9 class=0 nrcpts=1 msgid=< relay=[10.0.0.1] proto=> proto=ESMTP daemon=D relay=[192.0.2.9]",
        "Some(192.0.2.9) from a@x 9 Some(1)",
    );
}

#[test]
fn other_lines() {
    check(
        "type=event subtype=webmail",
        r#"msg="WebMail: Login for 'x' from 10.0.0.1 failed' from 192.0.2.9 failed""#,
        r#"Some(192.0.2.9) failed as Some("x' from 10.0.0.1 failed")"#,
    );
    check("type=event subtype=webmail", r#"msg="WebMail: User a from 192.0.2.9 logged in.""#, "Other");
    check("type=event subtype=imap", r#"msg="mailbox x is updated""#, "Other");
    check("type=kevent subtype=dns", r#"msg="x""#, &format!("Ignored({OTHER_LOG:?})"));
    check("type=spam subtype=default", r#"from="a" to="b""#, &format!("Ignored({OTHER_LOG:?})"));
}

#[test]
fn headers() {
    let check = |line: &str, want: Option<(&str, bool)>| {
        let got = head(line.as_bytes()).map(|head| (text(head.server), matches!(head.when, When::Utc(_))));
        assert_eq!(got, want.map(|(server, utc)| (server.to_owned(), utc)), "{line}");
    };
    let body = "log_id=0200000001 type=statistics pri=information";
    check(
        &format!("<190>date=2026-02-01,time=10:00:01,device_id=FE1,{}", body.replace(' ', ",")),
        Some(("FE1", false)),
    );
    check(
        &format!("2021-07-08T13:45:20-03:00 192.0.2.10 time=10:00:01 device_id=FE1 {body}"),
        Some(("192.0.2.10", true)),
    );
    check(&format!("Feb  1 10:00:01 gw1 date=2026-02-01 time=10:00:01 device_id=FE1 {body}"), Some(("gw1", false)));
    check(&format!("<190>1 2026-02-01T10:00:01Z gw1 - - - - time=10:00:01 {body}"), Some(("gw1", true)));
    check(&format!("2026-02-01 10:00:01.041 {body}"), Some(("", false)));
    check(&format!("2026-02-01 10:00:01.041 eventtime=1 tz=\"-0400\" {body}"), Some(("", false)));
    check(&format!("date=2026-02-01 time=10:00:01 tz=\"-0400\" device_id=FE1 {body}"), Some(("FE1", true)));
    check(&format!("date=2026-02-31 time=10:00:01 device_id=FE1 {body}"), None);
    check("date=2026-02-01 time=10:00:01 devname=FG1 logid=0000000013 type=traffic", None);
    check("date=2026-02-01 time=10:00:01 log_id=1 type=traffic", None);
    check("Feb  1 10:00:01 gw1 sendmail[1]: log_id=1 type=event", None);
    check("", None);
}
