//! Rows through one `check`.

use super::*;
use crate::record::When;

fn row(remote: &str, entered: &str, rest: &str) -> String {
    format!(
        "2022-09-13T14:38:59.177Z,08DA95A1B2C3D4E5,192.0.2.10:25,{remote},{entered},<m@example.net>,<a@example.net>,\
         a@example.net;,b@example.com,1,{rest}"
    )
}

fn check(line: &str, want: Event<'_>) {
    for suffix in ["", ",diagnostics,81945af2,,Incoming"] {
        let line = format!("{line}{suffix}");
        assert!(recognises(line.as_bytes()), "{line}");
        match parse(line.as_bytes(), &Context::default()) {
            Line::Record(record) => {
                assert_eq!((record.event, record.when), (want.clone(), When::Utc(1_663_079_939_177_000)), "{line}");
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}

fn refused(stage: &'static [u8], reply: Reply<'static>, refusal: Refusal) -> Event<'static> {
    Event::Refused {
        client: Peer::from_address(b"203.0.113.9"),
        stage,
        reply,
        refusal,
        reverse_path: Some(b"a@example.net"),
        forward_path: Some(b"b@example.com"),
        helo: b"",
        account: None,
    }
}

#[test]
fn what_agents_do() {
    let behind = |rest: &str| row("10.0.0.9:4000", "203.0.113.9", rest);
    let direct = |rest: &str| row("203.0.113.9:4000", "", rest);
    check(&behind("Inbound Trust Agent,OnEndOfHeaders,ModifyHeaders,,,"), Event::Other);
    check(
        &behind("Content Filter Agent,OnEndOfData,QuarantineMessage,,SclAtOrAboveQuarantineThreshold,7"),
        Event::Other,
    );
    let reply = Reply { code: 550, text: b"5.1.1 User unknown" };
    let line = "Recipient Filter Agent,OnRcptCommand,RejectCommand,550 5.1.1 User unknown,RecipientDoesNotExist,";
    check(&behind(line), refused(b"RCPT", reply, Refusal::UnknownUser));
    check(&direct(line), refused(b"RCPT", reply, Refusal::UnknownUser));
    let listed = Reply { code: 550, text: b"5.7.1 listed, sorry" };
    let line = "Connection Filtering Agent,OnRcptCommand,RejectCommand,\"550 5.7.1 listed, sorry\",BlockListProvider,x";
    check(&direct(line), refused(b"RCPT", listed, Refusal::ClientBlocked));
    let line = "Content Filter Agent,OnEndOfData,RejectMessage,no code,SclAtOrAboveRejectThreshold,9";
    check(&direct(line), refused(b"END-OF-MESSAGE", Reply { code: 0, text: b"no code" }, Refusal::Content));
    let line = "Sender Id Agent,OnMailCommand,RejectCommand,,Fail,";
    check(&direct(line), refused(b"MAIL", Reply::default(), Refusal::SenderNotAllowed));
    let failed = Event::AuthFailed { client: Peer::from_address(b"203.0.113.9"), account: None };
    check(&direct("Some Agent,OnAuthCommand,RejectAuthentication,535,,"), failed);
}

#[test]
fn rows_that_break_the_grammar() {
    let check = |line: &str, expected: &str| match parse(line.as_bytes(), &Context::default()) {
        Line::Unparsed(unparsed) => assert_eq!(unparsed.expected, expected, "{line}"),
        other => panic!("{line}: {other:?}"),
    };
    check("a,b", "a header that names the columns, or as many as Exchange writes");
    check(&",".repeat(15), "a time: `2022-09-13T14:38:59.177Z`");
    check("\"a", "`\"` to close the field");
}

#[test]
fn lines_that_are_claimed() {
    let check = |line: &str, want| assert_eq!(recognises(line.as_bytes()), want, "{line}");
    check("#Log-Type: Agent Log", true);
    check("#Fields: Timestamp,SessionId,LocalEndpoint,RemoteEndpoint", true);
    check("#Software: Microsoft Exchange Server", false);
    check(&row("", "", "A,OffConnect,B,,,"), false);
}
