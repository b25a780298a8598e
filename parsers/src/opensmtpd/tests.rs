use super::*;
use crate::record::{NextHop, Peer, Refusal, Reply, Status};
use crate::text::address;

/// Session, message and event; or what was expected.
type Got<'a> = Result<(Option<&'a str>, Option<&'a str>, Event<'a>), &'static str>;

fn check(text: &str, want: Got<'_>) {
    let line = format!("Nov 24 10:00:00 mx1 smtpd[7]: {text}");
    match (syslog::line(line.as_bytes()), want) {
        (Line::Record(record), Ok((session, message, event))) => {
            assert_eq!(record.event, event, "{text}");
            assert_eq!(record.session.map(|key| key.id), session.map(str::as_bytes), "{text}");
            assert_eq!(record.message.map(|key| key.id), message.map(str::as_bytes), "{text}");
        }
        (Line::Unparsed(unparsed), Err(expected)) => assert_eq!(unparsed.expected, expected, "{text}"),
        (got, want) => panic!("{text}: got {got:?}, want {want:?}"),
    }
}

const SID: &str = "776830b0fe378569";

fn in_session(text: &str, event: Event<'_>) {
    check(&format!("{SID} smtp {text}"), Ok((Some(SID), None, event)));
}

fn peer(name: &'static str, text: &str) -> Peer<'static> {
    Peer { address: address(text.as_bytes()), name: name.as_bytes() }
}

#[test]
fn sessions() {
    let connect = |client| Event::Connect { client, once: true };
    let outside = peer("mx.example.net", "203.0.113.9");
    in_session("connected address=203.0.113.9 host=mx.example.net", connect(outside));
    in_session("event=connected address=203.0.113.9 host=mx.example.net", connect(outside));
    in_session("connected address=[2001:db8::9] host=<unknown>", connect(peer("", "2001:db8::9")));
    in_session("connected address=local host=mx1", connect(Peer::default()));
    let gone = Event::Disconnect { client: Peer::default(), auth_failures: 0 };
    in_session("disconnected reason=quit", gone.clone());
    in_session("event=closed address=203.0.113.9 host=h reason=quit", gone);
    in_session("tls ciphers=TLSv1.3:X:256", Event::Other);
    in_session("bad-input result=\"500 5.5.1 Invalid command: Pipelining not supported\"", Event::Other);
    check(&format!("{SID} smtp connected"), Err("` address=` and ` host=`"));
}

#[test]
fn log_ins() {
    let client = Peer::default();
    in_session("authentication user=anna result=ok", Event::AuthSucceeded { client, account: Some(b"anna") });
    in_session("authentication user=anna result=permfail", Event::AuthFailed { client, account: Some(b"anna") });
    in_session("authentication user=anna result=tempfail", Event::Other);
    in_session(
        "authentication user=x result=ok result=permfail",
        Event::AuthFailed { client, account: Some(b"x result=ok") },
    );
    check(&format!("{SID} smtp authentication user=anna"), Err("` result=` after the user"));
}

fn envelope<'a>(from: Option<&'a str>, to: Option<&'a str>, id: &'a str, size_bytes: u64) -> Event<'a> {
    let (reverse_path, forward_path) = (from.map(str::as_bytes), to.map(str::as_bytes));
    let (client, envelope) = (Peer::default(), id.as_bytes());
    Event::Envelope { client, account: None, reverse_path, forward_path, envelope, envelopes: 0, size_bytes }
}

#[test]
fn messages_and_recipients() {
    let of_message = |text: &str, event| check(&format!("{SID} smtp {text}"), Ok((Some(SID), Some("0000000b"), event)));
    of_message("message msgid=0000000b size=9 nrcpt=2 proto=ESMTP", envelope(None, None, "", 9));
    let id = "0000000b00000001";
    of_message(
        "envelope evpid=0000000b00000001 from=<a@example.com> to=<b@example.net>",
        envelope(Some("a@example.com"), Some("b@example.net"), id, 0),
    );
    of_message("envelope evpid=0000000b00000001 from=<> to=<b c@x>", envelope(Some(""), Some("b c@x"), id, 0));
    let client = peer("h", "203.0.113.9");
    let whole = Event::Envelope {
        client,
        account: None,
        reverse_path: Some(b"a@x"),
        forward_path: Some(b"b@y"),
        envelope: b"",
        envelopes: 3,
        size_bytes: 9,
    };
    of_message(
        "event=message address=203.0.113.9 host=h msgid=0000000b from=<a@x> to=<b@y> size=9 ndest=3 proto=ESMTP",
        whole,
    );
    check(&format!("{SID} smtp message msgid=b size=9"), Err("a message id"));
    check(&format!("{SID} smtp envelope evpid=b from=<> to=<>"), Err("the id of a recipient"));
    check(&format!("{SID} smtp envelope evpid=0000000b00000001 to=<>"), Err("from="));
}

fn refused<'a>(stage: &'a str, code: u16, text: &'a str, refusal: Refusal, path: &'a str) -> Event<'a> {
    let is_recipient = stage == "RCPT";
    Event::Refused {
        client: Peer::default(),
        stage: stage.as_bytes(),
        reply: Reply { code, text: text.as_bytes() },
        refusal,
        reverse_path: (!is_recipient).then_some(path.as_bytes()),
        forward_path: is_recipient.then_some(path.as_bytes()),
        helo: b"",
        account: None,
    }
}

#[test]
fn refusals() {
    let failed = |command: &str, result: &str, event| {
        in_session(&format!("failed-command command=\"{command}\" result=\"{result}\""), event);
    };
    let text = "Invalid recipient: <b@example.net>";
    let unsaid = refused("RCPT", 550, text, Refusal::Unsaid, "b@example.net");
    failed("RCPT TO:<b@example.net>", &format!("550 {text}"), unsaid.clone());
    failed("rcpt to: <b@example.net> NOTIFY=NEVER", &format!("550 {text}"), unsaid);
    let text = "5.1.3 Recipient address syntax error";
    let syntax = |path| refused("RCPT", 501, text, Refusal::BadSyntax, path);
    failed("RCPT TO:<\"b@example.net\">", &format!("501 {text}"), syntax("\"b@example.net\""));
    failed("RCPT TO:b@example.net", &format!("501 {text}"), syntax("b@example.net"));
    failed("RCPT TO:<a\"b>c@example.net>", &format!("501 {text}"), syntax("a\"b>c@example.net"));
    // A command that looks like the end of the line: its path is the client's, and so is the mistake.
    failed("RCPT TO:<x\" result=\"no>", &format!("501 {text}"), syntax("x\" result=\"no"));
    let text = "5.1.0 Sender address syntax error";
    failed(
        "MAIL FROM:<a b@x> BODY=8BITMIME",
        &format!("553 {text}"),
        refused("MAIL", 553, text, Refusal::BadSyntax, "a b@x"),
    );
    let text = "4.7.1 greylisted";
    failed("RCPT TO:<a@x>", &format!("451 {text}"), refused("RCPT", 451, text, Refusal::Greylisted, "a@x"));
    failed("RCPT TO:<a@x>", "550 no", refused("RCPT", 550, "no", Refusal::Other, "a@x"));
    failed("STARTTLS", "500 5.5.1 Invalid command", Event::Other);
    check(&format!("{SID} smtp failed-command command=\"RCPT\" result=\"\""), Err("`\" result=\"` and a reply code"));
}

fn delivery<'a>(
    to: &'a str,
    original: Option<&'a str>,
    next_hop: NextHop<'a>,
    status: Status,
    text: &'a str,
) -> Event<'a> {
    // The lines below give our address where another server was reached.
    let reached = matches!(next_hop, NextHop::Host { peer: Peer { address: Some(_), .. }, .. });
    Event::Delivery {
        forward_paths: to.as_bytes().into(),
        original_forward_path: original.map(str::as_bytes),
        expanded: false,
        envelope: b"0000000b00000001",
        source: reached.then(|| [192, 0, 2, 10].into()),
        next_hop,
        status,
        text: text.as_bytes(),
        child: None,
    }
}

#[test]
fn deliveries() {
    let of = |text: &str, event| check(&format!("{SID} {text}"), Ok((None, Some("0000000b"), event)));
    let start = "delivery evpid=0000000b00000001 from=<a@example.com> to=<b@example.net>";
    let host = NextHop::Host { peer: peer("mx.example.net", "192.0.2.25"), port: 0 };
    let relay = "source=\"192.0.2.10\" relay=\"192.0.2.25 (mx.example.net)\" delay=1h2m";
    let sent = |original| delivery("b@example.net", original, host, Status::Sent, "250 ok");
    of(&format!("mta {start} rcpt=<-> {relay} result=\"Ok\" stat=\"250 ok\""), sent(None));
    of(&format!("mta event={start} rcpt=<-> {relay} result=\"Ok\" stat=\"250 ok\""), sent(None));
    of(&format!("mta {start} rcpt=<b@example.net> {relay} result=\"Ok\" stat=\"250 ok\""), sent(None));
    of(
        &format!("mta {start} rcpt=<team@example.org> {relay} result=\"Ok\" stat=\"250 ok\""),
        sent(Some("team@example.org")),
    );
    let lies = "450 \" result=\"Ok\" stat=\"250 ok";
    of(
        &format!("mta {start} rcpt=<-> {relay} result=\"TempFail\" stat=\"450 no\""),
        delivery("b@example.net", None, host, Status::Deferred, "450 no"),
    );
    of(
        &format!("mta {start} rcpt=<-> {relay} result=\"PermFail\" stat=\"{lies}\""),
        delivery("b@example.net", None, host, Status::Bounced, "450 "),
    );
    of(
        &format!(
            "mta {start} rcpt=<-> source=\"-\" relay=\"no.example\" delay=0s result=\"PermFail\" stat=\"Domain does not exist\""
        ),
        delivery(
            "b@example.net",
            None,
            NextHop::Host { peer: Peer::default(), port: 0 },
            Status::Bounced,
            "Domain does not exist",
        ),
    );
    of(
        &format!(
            "mta {start} rcpt=<-> source=\"-\" relay=\"h\" delay=4d result=\"PermFail\" stat=\"Envelope expired\""
        ),
        delivery(
            "b@example.net",
            None,
            NextHop::Host { peer: Peer::default(), port: 0 },
            Status::Expired,
            "Envelope expired",
        ),
    );
    of(
        &format!("mda {start} rcpt=<b@example.net> user=b delay=1s result=Ok stat=Delivered"),
        delivery("b@example.net", None, NextHop::Local, Status::Sent, "Delivered"),
    );
    check(&format!("{SID} mta delivery evpid=0000000b00000001 from=<> to=<a@x>"), Err("source="));
    check(&format!("{SID} mta connecting address=smtp://192.0.2.25:25 host=h"), Ok((None, None, Event::Other)));
}

#[test]
fn the_older_wording() {
    let said = |text: &str, message, event| check(text, Ok((Some(SID), message, event)));
    let connect = |client| Event::Connect { client, once: true };
    said(
        &format!("smtp-in: New session {SID} from host h.example [203.0.113.9]"),
        None,
        connect(peer("h.example", "203.0.113.9")),
    );
    said(&format!("smtp-in: New session {SID} from host mx1 [local]"), None, connect(Peer::default()));
    let client = Peer::default();
    said(
        &format!("smtp-in: Accepted authentication for user anna on session {SID}"),
        None,
        Event::AuthSucceeded { client, account: Some(b"anna") },
    );
    let gone = Event::Disconnect { client, auth_failures: 0 };
    said(&format!("smtp-in: Closing session {SID}"), None, gone.clone());
    said(&format!("smtp-in: Received disconnect from session {SID}"), None, gone.clone());
    said(&format!("smtp-in: Disconnecting session {SID}: session timeout"), None, gone);
    said(
        &format!("smtp-in: Failed command on session {SID}: \"RCPT TO:<b@y>  \" => 550 Invalid recipient: <b@y>"),
        None,
        refused("RCPT", 550, "Invalid recipient: <b@y>", Refusal::Unsaid, "b@y"),
    );
    let Event::Envelope { client, account, reverse_path, forward_path, envelope, .. } =
        envelope(Some("a@x"), Some("b@y"), "", 9)
    else {
        unreachable!()
    };
    said(
        &format!(
            "smtp-in: Accepted message 0000000b on session {SID}: from=<a@x>, to=<b@y>, size=9, ndest=2, proto=ESMTP"
        ),
        Some("0000000b"),
        Event::Envelope { client, account, reverse_path, forward_path, envelope, envelopes: 2, size_bytes: 9 },
    );
    let of = |text: &str, event| check(text, Ok((None, Some("0000000b"), event)));
    let host = NextHop::Host { peer: peer("mx.example.net", "192.0.2.25"), port: 0 };
    of(
        "relay: TempFail for 0000000b00000001: session=776830b0fe378569, from=<a@x>, to=<b@y>, rcpt=<c@z>, source=192.0.2.10, \
         relay=192.0.2.25 (mx.example.net), delay=1s, stat=451 later, stat=250 ok",
        delivery("b@y", Some("c@z"), host, Status::Deferred, "451 later, stat=250 ok"),
    );
    of(
        "delivery: Ok for 0000000b00000001: from=<a@x>, to=<b@y>, user=b, method=mbox, delay=1s, stat=Delivered",
        delivery("b@y", None, NextHop::Local, Status::Sent, "Delivered"),
    );
    let other = |text: &str| check(text, Ok((None, None, Event::Other)));
    other("smtp-out: Connecting to smtp://192.0.2.25:25 (h) on session 776830b0fe378569...");
    other("info: OpenSMTPD 6.8.0p2 starting");
    other("relay: something else");
    other("");
    check("smtp-in: New session x", Err("the id of a session"));
    check(&format!("smtp-in: Accepted message x on session {SID}"), Err("a message id"));
}

#[test]
fn tags_that_are_claimed() {
    let claims = |line: &str| recognises(line.as_bytes());
    assert!(claims("Nov 24 10:00:00 mx1 smtpd[7]: x"));
    assert!(!claims("Nov 24 10:00:00 mx1 postfix/smtpd[7]: x"));
    assert!(!claims(""));
}

#[test]
fn long_lines_are_read_once() {
    for part in ["<\"", " result=\"5", "\" result=\"550", "> to=<", "\" ", ", stat=", " ["] {
        let long = part.repeat(1_000_000 / part.len());
        for start in [
            "smtp failed-command command=\"",
            "smtp envelope evpid=0000000b00000001 from=<",
            "smtp authentication user=",
            "smtp connected address=",
            "mta delivery evpid=0000000b00000001 from=<> to=<> rcpt=<-> source=\"",
        ] {
            let line = format!("Nov 24 10:00:00 mx1 smtpd[7]: {SID} {start}{long}");
            assert!(!matches!(syslog::line(line.as_bytes()), Line::Ignored(_)));
        }
    }
}
