//! Formats in which commands and answers are lines of their own: hMailServer, MDaemon, SmarterMail, CommuniGate, Exchange 5.5.

#![allow(clippy::unwrap_used)]

use relayaudit_parsers::record::{Event, Line, Peer, Record};
use relayaudit_parsers::registry::{Context, by_name};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn address(peer: &Peer<'_>) -> String {
    peer.address.map_or("-".to_owned(), |address| address.to_string())
}

fn shown(event: &Event<'_>) -> String {
    match event {
        Event::Opened { client } => format!("opened {}", address(client)),
        Event::Closed { client } => format!("closed {}", address(client)),
        Event::Begun { client, outbound } => format!("begun {}{} {outbound}", address(client), text(client.name)),
        Event::Command { client, verb, argument } => format!("{} {}|{}", address(client), text(verb), text(argument)),
        Event::Replied { client, reply, refusal } => format!("{} {} {refusal:?}", address(client), reply.code),
        Event::LoggingIn { client, account } => format!("{} logs in {}", address(client), text(account)),
        Event::Identified { client, account } => format!("{} is {}", address(client), text(account)),
        Event::LogInsFailed { client, account, times, .. } => format!("{} failed {times} {account:?}", address(client)),
        event => format!("{event:?}"),
    }
}

/// Checks what a line says, with the id of its session in front.
fn check(format: &str, line: &str, want: &str) {
    let got = match (by_name(format).unwrap().parse)(line.as_bytes(), &Context::default()) {
        Line::Record(Record { session, event, .. }) => {
            format!("{}: {}", session.map_or(String::new(), |session| text(session.id)), shown(&event))
        }
        Line::Unparsed(why) => format!("unparsed: {}", why.expected),
        line => format!("{line:?}"),
    };
    assert_eq!(got, want, "{line}");
}

#[test]
fn hmailserver() {
    let line = |service: &str, said: &str| {
        format!("\"{service}\"\t21\t17\t\"2024-02-01 10:00:00.409\"\t\"192.0.2.9\"\t\"{said}\"")
    };
    let smtp = |said: &str, want: &str| check("hmailserver", &line("SMTPD", said), want);
    smtp("SENT: 220 mx01 ESMTP", "17: opened 192.0.2.9");
    smtp("SENT: 220 Ready to start TLS", "17: 192.0.2.9 220 None");
    smtp("RECEIVED: RCPT TO:<b@example.net>", "17: 192.0.2.9 RCPT|TO:<b@example.net>");
    smtp("RECEIVED: ", "17: Other");
    smtp("SENT: 250-mx01[nl]250 SIZE", "17: 192.0.2.9 250 None");
    smtp("SENT: 530 SMTP authentication is required.", "17: 192.0.2.9 530 Some(RelayDenied)");
    smtp("SENT: 550 Delivery is not allowed to this address.", "17: 192.0.2.9 550 Some(RelayDenied)");
    smtp("SENT: 550 Unknown user", "17: 192.0.2.9 550 Some(UnknownUser)");
    smtp("SENT: 221 goodbye", "17: closed 192.0.2.9");
    // A client's text is one field, whatever it holds.
    smtp("RECEIVED: HELO \"\t\"10.0.0.1\"\t\"SENT: 221 x", "17: 192.0.2.9 HELO|\"\t\"10.0.0.1\"\t\"SENT: 221 x");
    check("hmailserver", &line("IMAPD", "SENT: a NO Invalid user name or password."), "17: 192.0.2.9 failed 1 None");
    check("hmailserver", &line("SMTPC", "SENT: EHLO mx01"), "17: Other");
    check("hmailserver", "\"DEBUG\" 2144 \"2024-02-01 10:00:00.408\" \"Creating session 19\"", ": Other");
    check(
        "hmailserver",
        "\"SMTPD\" 1 2 \"2024-02-01 10:00:00\" x",
        "unparsed: the client's address in quotation marks",
    );
    check("hmailserver", "\"SMTPD\" 1 2 \"x\"", "unparsed: a date and time: `2027-01-18T06:42:18`");
    check("hmailserver", "\"X\" 1", "unparsed: a kind of line: `\"SMTPD\"`");
    check("hmailserver", "", "Ignored(\"blank line\")");
}

#[test]
fn mdaemon() {
    let say = |said: &str, want: &str| check("mdaemon", &format!("Thu 2024-02-01 10:00:00: {said}"), want);
    say("Accepting SMTP connection from [192.0.2.9:2818] to [198.51.100.1:25]", ": opened 192.0.2.9");
    say("Accepting SMTP connection from [2001:db8::9:2818] to [2001:db8::1:25]", ": opened 2001:db8::9");
    say("--> 250-ETRN", ": Other");
    say("--> 250 SIZE 5000000", ": - 250 None");
    say("--> 550 Relaying denied", ": - 550 Some(RelayDenied)");
    say("--> 530 Authentication required", ": - 530 Some(RelayDenied)");
    say("[8439:12] <-- MAIL FROM: <a@example.org>", ": - MAIL|FROM: <a@example.org>");
    say("<-- HELO --> 250 Authenticated as x", ": - HELO|--> 250 Authenticated as x");
    say("Authenticated as anna@example.com", ": - is anna@example.com");
    say("SMTP session terminated (Bytes in/out: 1/2)", ": closed -");
    say("----------", ": Other");
    check("mdaemon", "Xyz 2024-02-01 10:00:00: x", "unparsed: a day and a time: `Mon 2010-08-30 11:03:10: `");
}

#[test]
fn smartermail() {
    let say =
        |said: &str, want: &str| check("smartermail", &format!("[2024.02.01] 10:00:00.1 [192.0.2.9][17] {said}"), want);
    say("rsp: 220 mx01.example.com", "17: Other");
    say("connected at 01-02-2024 10:00:00", "17: opened 192.0.2.9");
    say("cmd: STARTTLS", "17: Other");
    say("cmd: MAIL From:<a@example.org>", "17: 192.0.2.9 MAIL|From:<a@example.org>");
    say("rsp: 250-mx01 Hello [192.0.2.9]250-SIZE 5250 OK", "17: 192.0.2.9 250 None");
    say("rsp: 550 <b@example.net> Relaying is not allowed", "17: 192.0.2.9 550 Some(RelayDenied)");
    say("Authenticating as anna@example.com", "17: 192.0.2.9 logs in anna@example.com");
    say("cmd: HELO [10.0.0.1][1] rsp: 250", "17: 192.0.2.9 HELO|[10.0.0.1][1] rsp: 250");
    say("disconnected at 01-02-2024 10:00:00", "17: closed 192.0.2.9");
    let wanted = "unparsed: a client and a session: `[192.0.2.1][43884679]`";
    for damaged in ["[2024.02.01] 10:00:00 [x][17] y", "[2024.02.01] 10:00:00 [192.0.2.9]", "[2024.02.01] 10:00:00 ["] {
        check("smartermail", damaged, wanted);
    }
    check("smartermail", "10:00:00 [192.0.2.9][17] y", "unparsed: a time: `[2024.02.01] 10:00:01`");
}

#[test]
fn communigate() {
    let say =
        |said: &str, want: &str| check("communigate", &format!("08:39:16.44 5 SMTPI-29001([192.0.2.9]) {said}"), want);
    say("got connection on [198.51.100.1:25](example.com) from [192.0.2.9:51534]", "29001: opened 192.0.2.9");
    say(r"out: 250 mx01 we trust you\r\n", "29001: 192.0.2.9 250 None");
    say("inp: MAIL FROM: <a@example.org>", "29001: 192.0.2.9 MAIL|FROM: <a@example.org>");
    say("inp: HELO closing connection", "29001: 192.0.2.9 HELO|closing connection");
    say("[7005098] received, 9 bytes", "29001: Other");
    say("closing connection", "29001: closed 192.0.2.9");
    check("communigate", "08:39:16.52 2 QUEUE([7005098]) from <a@example.org>, 9 bytes (<x>)", ": Other");
    check(
        "communigate",
        "08:39:16.52 2 SMTPI-x inp: RSET",
        "unparsed: a session and its client: `SMTPI-29001([192.0.2.1])`",
    );
    check("communigate", "08:39", "unparsed: a time and a level: `08:39:16.44 5`");
}

#[test]
fn exchange55_ims() {
    let line = |said: &str, want: &str| check("exchange55-ims", said, want);
    let say = |said: &str, want: &str| line(&format!("5/13/00 2:36:28 PM : {said}"), want);
    say("A connection was accepted from 192.0.2.9.", ": begun 192.0.2.9 false");
    say("A connection was accepted from mail.example.org", ": begun -mail.example.org false");
    say("A connection was accepted from ", ": begun - false");
    say("A connection to 192.0.2.9 was established.", ": begun - true");
    say("<<< IO: |MAIL FROM:<a@example.org>", ": AsItCame { ends_text: false }");
    say("<<< IO: |.", ": AsItCame { ends_text: true }");
    say("<<< MAIL FROM:<a@example.org> SIZE=7", ": - MAIL|FROM:<a@example.org> SIZE=7");
    say("<<< HELO >>> 250 OK", ": - HELO|>>> 250 OK");
    say(">>> 250-mx01 Hello [a]", ": - 250 None");
    say(">>> 550 Relaying is prohibited", ": - 550 Some(RelayDenied)");
    say(">>> 554 Mailbox is not local: a@example.org", ": - 554 Some(Other)");
    say(">>> 535 authentication failed", ": - 535 Some(Other)");
    say(">>> MAIL FROM:<a@example.org>", ": Other");
    say(">>> 221 closing connection", ": closed -");
    say(">>> 421 closing connection", ": closed -");
    say("The connection was lost", ": Other");
    line("12/31/1999 12:00:00 AM : <<< NOOP", ": - NOOP|");
    line(".", ": AsItCame { ends_text: true }");
    line("", "Ignored(\"blank line\")");
    let text = "Ignored(\"more of an answer, or the text of a message\")";
    for said in ["250-XEXCH50", "250 AUTH=LOGIN", "Subject: x", "..", ". ", "x 5/13/00 2:36:28 PM : <<< RSET"] {
        line(said, text);
    }
    // Lines of the server in another form of time are not passed over in silence.
    let time = "unparsed: a time: `5/13/00 2:36:27 PM : `";
    for said in ["13.05.00 14:36:28 : <<< RSET", "5/32/00 2:36:28 PM : <<< RSET", "5/13/00 13:36:28 PM : >>> 250 OK"] {
        line(said, time);
    }
}
