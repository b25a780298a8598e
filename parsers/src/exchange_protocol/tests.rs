//! Rows through one `check`, and what breaks them.

use super::*;
use crate::record::{Refusal, Reply, When};

const RECEIVE_HEAD: &[u8] = b"#Log-type: SMTP Receive Protocol Log";
const SEND_HEAD: &[u8] = b"#Log-type: SMTP Send Protocol Log";

fn client() -> Peer<'static> {
    Peer::from_address(b"203.0.113.9")
}

/// A row of a receive log, from `event` on.
fn row(rest: &str) -> String {
    let head = "2024-02-01T10:00:01.100Z,MX1\\Default Frontend MX1,08DC230000000001,4";
    format!("{head},192.0.2.10:25,203.0.113.9:50001,{rest}")
}

fn parsed<'a>(line: &'a str, context: &Context) -> Result<Record<'a>, (usize, &'static str)> {
    match parse(line.as_bytes(), context) {
        Line::Record(record) => Ok(record),
        Line::Unparsed(unparsed) => Err((unparsed.at, unparsed.expected)),
        other => panic!("{line}: {other:?}"),
    }
}

/// Checks the event of a row of a receive log, with a head and without.
fn check(rest: &str, want: Event<'_>) {
    let line = row(rest);
    let mut context = Context::default();
    csv::direct(RECEIVE_HEAD, &mut context);
    csv::direct(format!("#Fields: {}", COLUMNS.join(",")).as_bytes(), &mut context);
    for context in [context, Context::default()] {
        let record = parsed(&line, &context).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        assert_eq!(record.event, want, "{line}");
        assert_eq!(record.when, When::Utc(1_706_781_601_100_000), "{line}");
        assert_eq!(record.server, b"MX1", "{line}");
        let session = Key { scope: b"MX1\\Default Frontend MX1", id: b"08DC230000000001" };
        assert_eq!(record.session, Some(session), "{line}");
    }
}

fn command<'a>(verb: &'a str, argument: &'a str) -> Event<'a> {
    Event::Command { client: client(), verb: verb.as_bytes(), argument: argument.as_bytes() }
}

fn replied(code: u16, text: &str, refusal: Option<Refusal>) -> Event<'_> {
    Event::Replied { client: client(), reply: Reply { code, text: text.as_bytes() }, refusal }
}

#[test]
fn sessions_and_commands() {
    check("+,,", Event::Opened { client: client() });
    check("-,,Remote(SocketError)", Event::Closed { client: client() });
    check("<,EHLO bulk.example.net,", command("EHLO", "bulk.example.net"));
    check("<,MAIL FROM:<a@example.com> SIZE=77,", command("MAIL", "FROM:<a@example.com> SIZE=77"));
    check("<,DATA,", command("DATA", ""));
    check("<,BDAT 77 LAST,", command("BDAT", "77 LAST"));
    check("<,,", Event::Other);
    // A quotation mark of the client is doubled and stays so; its comma ends nothing.
    check("<,\"RCPT TO:<\"\"a,>,b\"\"@example.org>\",", command("RCPT", "TO:<\"\"a,>,b\"\"@example.org>"));
    check("<,\"EHLO x,*,MX1\\admin,authenticated\",", command("EHLO", "x,*,MX1\\admin,authenticated"));
}

#[test]
fn answers() {
    check(
        ">,\"220 mx1.example.com Microsoft ESMTP MAIL Service ready at Thu, 1 Feb 2024 11:00:00 +0100\",",
        replied(220, "mx1.example.com Microsoft ESMTP MAIL Service ready at Thu, 1 Feb 2024 11:00:00 +0100", None),
    );
    check(">,250  mx1.example.com Hello [203.0.113.9],", replied(250, "mx1.example.com Hello [203.0.113.9]", None));
    check(">,250-PIPELINING,", Event::Other);
    check(">,354,", replied(354, "", None));
    check(">,334 <authentication response>,", replied(334, "<authentication response>", None));
    check(">,<authentication response>,", Event::Other);
    let check = |text: &str, refusal| {
        let code = text.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
        let line = format!(">,{},", text);
        check(&line, replied(code, text.get(4..).unwrap_or_default(), Some(refusal)));
    };
    check("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Refusal::RelayDenied);
    check("550 5.7.1 Unable to relay", Refusal::RelayDenied);
    check("550 5.7.54", Refusal::RelayDenied);
    check("550 5.1.1 User unknown", Refusal::UnknownUser);
    check("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Unable to relay x@example.org", Refusal::UnknownUser);
    check("550 5.7.60 SMTP; Client does not have permissions to send as this sender", Refusal::SenderNotAllowed);
    check(
        "550 5.7.1 External client with IP address 203.0.113.9 does not have permissions to submit to this server",
        Refusal::ClientBlocked,
    );
    check("501 5.5.4 Invalid arguments", Refusal::BadSyntax);
    check("501 5.1.3 Invalid address", Refusal::BadSyntax);
    check("452 4.3.1 Insufficient system resources", Refusal::Greylisted);
    check("530 5.7.1 Client was not authenticated", Refusal::Other);
    check("550", Refusal::Unsaid);
}

#[test]
fn information() {
    let account = |account: &'static str| Event::Identified { client: client(), account: account.as_bytes() };
    check("*,EXAMPLE\\anna,authenticated", account("EXAMPLE\\anna"));
    check(
        "*,,Proxy session was successfully set up. Session foranna@example.com will now be proxied",
        account("anna@example.com"),
    );
    check("*,,User Name: x@example.org", Event::AccountTried { client: client(), account: b"x@example.org" });
    check("*,,User Name: ", Event::Other);
    check("*,,authenticated", Event::Other);
    check("*,,Inbound AUTH LOGIN failed because of LogonDenied", Event::Other);
    check("*,SMTPSubmit SMTPAcceptAnyRecipient,Set Session Permissions", Event::Other);
    check("*,Tarpit for '0.00:00:05' due to '550 5.7.54 SMTP; Unable to relay',", Event::Other);
    check("*, CN=a CN=b 1 2,Sending certificate Subject Issuer name", Event::Other);
    check("*,\"a, b\",\"c, authenticated\"", Event::Other);
}

#[test]
fn sessions_that_a_front_end_passes_on() {
    let continues = |helo: &'static str, authenticated| Event::Continues {
        client: Peer::from_address(b"198.51.100.7"),
        helo: helo.as_bytes(),
        authenticated,
    };
    check(
        "<,XPROXYFROM SID=08DC230000000009 IP=198.51.100.7 PORT=2 DOMAIN=a.example SEQNUM=1 PERMS=1 AUTHSRC=x,",
        continues("a.example", false),
    );
    check("<,XPROXY SID=08DC230000000009 IP=198.51.100.7 PORT=2 DOMAIN=b.example,", continues("b.example", true));
    // What the client called itself stands behind its address.
    check("<,XPROXY SID=9 IP=198.51.100.7 DOMAIN=b IP=10.0.0.5 DOMAIN=c,", continues("b", true));
    check("<,XPROXY SID=9 DOMAIN=b,", command("XPROXY", "SID=9 DOMAIN=b"));
    check("<,XPROXY SID=9 IP=x DOMAIN=b,", command("XPROXY", "SID=9 IP=x DOMAIN=b"));
}

#[test]
fn send_logs() {
    let server = Peer::from_address(b"198.51.100.25");
    let check = |connector: &str, head: &[u8], rest: &str, want: Event<'_>| {
        let line = format!("2024-02-01T10:00:01.1Z,{connector},08DC230000000001,0,,198.51.100.25:25,{rest}");
        let mut context = Context::default();
        csv::direct(head, &mut context);
        let record = parsed(&line, &context).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        assert_eq!((record.event, record.server), (want, b"".as_slice()), "{line}");
    };
    let sent = Event::OutboundCommand { server, verb: b"MAIL", argument: b"FROM:<a@example.com> SIZE=1" };
    let answered = Event::OutboundReply { server, reply: Reply { code: 250, text: b"2.1.0 Ok" } };
    for (connector, head) in [("To Internet", b"".as_slice()), ("To Internet", SEND_HEAD), ("A\\B", SEND_HEAD)] {
        check(connector, head, ">,MAIL FROM:<a@example.com> SIZE=1,", sent.clone());
        check(connector, head, "<,250 2.1.0 Ok,", answered.clone());
        check(connector, head, "<,250-SIZE,", Event::Other);
        check(connector, head, "+,,", Event::Other);
        check(connector, head, "*,,attempting to connect", Event::Other);
    }
    for connector in ["Inbound Proxy Internal Send Connector", "Intra-Organization SMTP Send Connector"] {
        check(connector, b"", ">,MAIL FROM:<a@example.com> SIZE=1,", Event::Other);
    }
}

#[test]
fn endpoints() {
    let check = |text: &str, want: Option<&str>| {
        let got = csv::endpoint(text.as_bytes()).map(|address| address.to_string());
        assert_eq!(got.as_deref(), want, "{text}");
    };
    check("192.0.2.1:25", Some("192.0.2.1"));
    check("[2001:db8::1]:25", Some("2001:db8::1"));
    check("[::ffff:192.0.2.1]:25", Some("192.0.2.1"));
    check("[fe80::1%3]:25", Some("fe80::1"));
    check("2001:db8::1", Some("2001:db8::1"));
    check("192.0.2.1", Some("192.0.2.1"));
    check("x.x.x.x:25", None);
    check("", None);
}

#[test]
fn rows_that_break_the_grammar() {
    let check = |line: &str, want: Option<(usize, &str)>| {
        assert_eq!(parsed(line, &Context::default()).err(), want, "{line}");
    };
    check(&row("+,,"), None);
    check(&row("?,,"), Some((101, "`+`, `-`, `<`, `>` or `*` in `event`")));
    check(&row("<,\"EHLO a,"), Some((111, "`\"` to close the field")));
    check(&row("<,\"EHLO a\"b,"), Some((111, "`,` after the closing `\"` of a field")));
    check(&row("+,"), Some((0, "a header that names the columns, or as many as Exchange writes")));
    check(&row("+,,,"), Some((0, "a header that names the columns, or as many as Exchange writes")));
    check("yesterday,MX1\\A,08,0,,,+,,", Some((0, "a time: `2024-02-01T10:00:01.100Z`")));
    check("2024-02-01T10:00:01,MX1\\A,08,0,,,+,,", Some((0, "a time: `2024-02-01T10:00:01.100Z`")));
    check("2024-02-01T10:00:01Z,MX1\\A,08,x,,,+,,", Some((30, "a number in `sequence-number`")));
    let mut context = Context::default();
    csv::direct(b"#Fields: date-time,session-id,event,data", &mut context);
    assert_eq!(parsed("2024-02-01T10:00:01Z,08,+", &context).err(), Some((24, "as many fields as the header names")));
}

#[test]
fn lines_that_are_no_records() {
    let check = |line: &[u8], want: Line<'_>| assert_eq!(parse(line, &Context::default()), want);
    check(b"\xef\xbb\xbf#Software: Microsoft Exchange Server", Line::Directive);
    check(b"", Line::Ignored("blank line"));
    check(b" \r", Line::Ignored("blank line"));
}

#[test]
fn lines_that_are_claimed() {
    let check = |line: &str, want| assert_eq!(recognises(line.as_bytes()), want, "{line}");
    check("#Log-type: SMTP Receive Protocol Log", true);
    check("#Log-type: SMTP Send Protocol Log", true);
    check("\u{feff}#Log-Type: SMTP Send Protocol Log", true);
    check("#Fields: date-time,connector-id,session-id,sequence-number", true);
    check("#Software: Microsoft Exchange Server", false);
    check("#Log-type: Message Tracking Log", false);
    check(&row("+,,"), true);
    check(&row("?,,"), false);
    check(&row("+,"), false);
}
