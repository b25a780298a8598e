use super::*;
use crate::paths::Paths;
use crate::record::{NextHop, Peer, Record, Refusal, Reply, Status};
use crate::text::address;

const ID: &str = "6BOA20aa000005";

/// Fails unless the line, of process 5 of `sm-mta`, is this event, or is unparsed for this reason.
fn check(text: &str, want: Result<Event<'_>, &str>) {
    let line = format!("Nov 24 10:00:00 mx1 sm-mta[5]: {text}");
    match (syslog::line(line.as_bytes()), want) {
        (Line::Record(record), Ok(event)) => assert_eq!(record.event, event, "{text}"),
        (Line::Unparsed(unparsed), Err(expected)) => assert_eq!(unparsed.expected, expected, "{text}"),
        (got, want) => panic!("{text}: got {got:?}, want {want:?}"),
    }
}

fn of_message(text: &str, want: Result<Event<'_>, &str>) {
    check(&format!("{ID}: {text}"), want);
}

/// The session and the message that a line names.
fn keys(text: &str) -> (Option<String>, Option<String>) {
    let line = format!("Nov 24 10:00:00 mx1 sm-mta[5]: {text}");
    let said = |key: Key<'_>| format!("{}/{}", String::from_utf8_lossy(key.scope), String::from_utf8_lossy(key.id));
    match syslog::line(line.as_bytes()) {
        Line::Record(record) => (record.session.map(said), record.message.map(said)),
        other => panic!("{text}: {other:?}"),
    }
}

fn peer(name: &'static str, text: &str) -> Peer<'static> {
    Peer { address: address(text.as_bytes()), name: name.as_bytes() }
}

fn arrived<'a>(client: Peer<'a>, account: Option<&'a str>, user: &'a str, from: &'a str) -> Event<'a> {
    Event::Arrived {
        client,
        helo: b"",
        account: account.map(str::as_bytes),
        user: user.as_bytes(),
        reverse_path: from.as_bytes(),
        message_id: b"",
        size_bytes: 2345,
        recipients: Some(2),
        notifies: None,
    }
}

const OUTSIDE: &str = "203.0.113.9";

/// The same with a Message-ID.
fn with_message_id<'a>(mut event: Event<'a>, id: &'a str) -> Event<'a> {
    if let Event::Arrived { message_id, .. } = &mut event {
        *message_id = id.as_bytes();
    }
    event
}

#[test]
fn arrivals() {
    let outside = peer("bulk.example.net", OUTSIDE);
    let rest = "size=2345, class=0, nrcpts=2, msgid=<x@example.com>, bodytype=8BITMIME, proto=ESMTP, daemon=MTA, \
                relay=bulk.example.net [203.0.113.9]";
    of_message(
        &format!("from=<a@example.com>, {rest}"),
        Ok(with_message_id(arrived(outside, None, "", "a@example.com"), "x@example.com")),
    );
    of_message(&format!("from=<>, {rest}"), Ok(with_message_id(arrived(outside, None, "", ""), "x@example.com")));
    of_message(
        "from=<a@example.com>, size=2345, class=-60, pri=1, nrcpts=2, relay=[IPv6:2001:db8:0:0:0:0:0:9]",
        Ok(arrived(peer("", "2001:db8::9"), None, "", "a@example.com")),
    );
    let forged = format!("from=<a@example.com>, {rest} (may be forged)");
    of_message(&forged, Ok(with_message_id(arrived(peer("", OUTSIDE), None, "", "a@example.com"), "x@example.com")));
    let logged_in = format!("from=<a@example.com>, {rest}").replace("ESMTP", "ESMTPSA");
    of_message(&logged_in, Ok(with_message_id(arrived(outside, Some(""), "", "a@example.com"), "x@example.com")));
    let vendor = format!("from=<a@example.com>, {rest}").replace("daemon=MTA", "daemon=MTA, tls_verify=NO, auth=LOGIN");
    of_message(&vendor, Ok(with_message_id(arrived(outside, Some(""), "", "a@example.com"), "x@example.com")));
    of_message(
        "from=web, size=2345, class=0, nrcpts=2, msgid=<x@mx1>, relay=web@localhost",
        Ok(with_message_id(arrived(Peer::default(), None, "web", "web"), "x@mx1")),
    );
    of_message("from=<a@example.com>", Err("`, size=` after the sender"));
    of_message("from=<a@example.com>, size=x", Err("a number"));
    of_message("from=<a@example.com>, size=1, nrcpts=1", Err("`, class=` after the size"));
    of_message("from=<a@example.com>, size=1, class=0", Err("`, nrcpts=` after the class"));
}

#[test]
fn what_a_client_writes_poses_as_nothing_else() {
    let outside = peer("", OUTSIDE);
    let fields = ", size=1, class=0, nrcpts=9, proto=ESMTPA, relay=root@localhost";
    let own = "size=2345, class=0, nrcpts=2, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]";
    let quoted = format!("\"a{fields}\"@example.com");
    of_message(&format!("from=<{quoted}>, {own}"), Ok(arrived(outside, None, "", &quoted)));
    // Cut at 200 bytes, the quoted local-part has no end.
    let cut = format!("<\"a{fields}");
    of_message(&format!("from={cut}, {own}"), Ok(arrived(outside, None, "", &cut)));
    let own = "proto=SMTP, daemon=MTA, relay=[203.0.113.9]";
    of_message(
        &format!("from=<a@example.com>, size=2345, class=0, nrcpts=2, msgid=<x{fields}, {own}"),
        Ok(arrived(outside, None, "", "a@example.com")),
    );
}

#[test]
fn keys_of_lines() {
    let message = Some(format!("sendmail/{ID}"));
    let from = |proto: &str| format!("{ID}: from=<>, size=1, class=0, nrcpts=1, proto={proto}, relay=[203.0.113.9]");
    let session = Some("sm-mta/5".to_owned());
    assert_eq!(keys(&from("ESMTP")), (session.clone(), message.clone()));
    assert_eq!(keys(&from("ESMTPSA")), (session.clone(), message.clone()));
    assert_eq!(keys(&from("ESMTPS")), (None, message.clone()));
    assert_eq!(keys(&from("SMTP")), (None, message.clone()));
    assert_eq!(keys("AUTH=server, relay=[203.0.113.9], authid=a, mech=PLAIN, bits=0"), (session, None));
    assert_eq!(keys(&format!("{ID}: <a@b>... User unknown")), (None, message));
    assert_eq!(keys("NOQUEUE: connect from [203.0.113.9]"), (None, None));
}

#[test]
fn queue_ids() {
    let check = |text: &str, want: Option<&str>| {
        assert_eq!(atoms::queue_id(text.as_bytes()), want.map(str::as_bytes), "{text}");
    };
    check("6BOA20aa000005: x", Some(ID));
    check("13O9Ixhq1275631: x", Some("13O9Ixhq1275631"));
    check("g8U2LVi03161: x", Some("g8U2LVi03161"));
    check("NAA12345: x", Some("NAA12345"));
    check("AA12345: x", Some("AA12345"));
    check("starting daemon", None);
    check("NOQUEUE: x", None);
    check("a012345678901234567890: x", None);
    check("", None);
}

fn delivery<'a>(list: &'a str, owner: Option<&'a str>, expanded: bool) -> (Paths<'a>, Option<&'a [u8]>, bool) {
    (Paths::list(list.as_bytes(), b','), owner.map(str::as_bytes), expanded)
}

#[test]
fn recipients_of_deliveries() {
    let check = |text: &str, (paths, owner, is_expanded): (Paths<'_>, Option<&[u8]>, bool)| {
        let line = format!(
            "Nov 24 10:00:00 mx1 sm-mta[5]: {ID}: to={text}, delay=1+02:03:04, xdelay=00:00:01, mailer=esmtp, pri=9, \
             relay=mx.example.org. [192.0.2.25], dsn=2.0.0, stat=Sent (ok)"
        );
        match syslog::line(line.as_bytes()) {
            Line::Record(Record {
                event: Event::Delivery { forward_paths, original_forward_path, expanded, .. },
                ..
            }) => {
                assert!(forward_paths.iter().eq(paths.iter()), "{text}");
                assert_eq!((original_forward_path, expanded), (owner, is_expanded), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    };
    check("<a@x>", delivery("a@x", None, false));
    check("<a@x>,<b@y>", delivery("a@x,b@y", None, false));
    check("<a@x>,<b@y> [more]", delivery("a@x,b@y", None, false));
    check("a@x,b@y", delivery("a@x,b@y", None, true));
    check("a@x,<b@y>", delivery("a@x,b@y", None, false));
    check("a@x, ctladdr=<anna@example.org> (1001/1001)", delivery("a@x", Some("anna@example.org"), true));
    check("<a@x>, ctladdr=<anna@example.org> (1001/1001)", delivery("a@x", None, false));
    check("a@x, ctladdr=owner-list", delivery("a@x", Some("owner-list"), true));
    check("\"|/bin/f -a, b\", ctladdr=anna (1/1)", delivery("\"|/bin/f -a, b\"", Some("anna"), true));
    let hostile = "\"a, delay=1, mailer=local, dsn=2.0.0, stat=Sent\"@x";
    check(&format!("<{hostile}>"), (Paths::from(hostile.as_bytes()), None, false));
}

#[test]
fn ends_of_deliveries() {
    let check = |fields: &str, want: (Status, NextHop<'_>, &str, Option<&str>)| {
        let line = format!("Nov 24 10:00:00 mx1 sm-mta[5]: {ID}: to=<a@x>, delay=00:00:01, {fields}");
        match syslog::line(line.as_bytes()) {
            Line::Record(Record { event: Event::Delivery { status, next_hop, text, child, .. }, .. }) => {
                let got = (status, next_hop, String::from_utf8_lossy(text), child.map(|(id, _)| id));
                assert_eq!(got, (want.0, want.1, want.2.into(), want.3.map(str::as_bytes)), "{fields}");
            }
            other => panic!("{fields}: {other:?}"),
        }
    };
    let host = |name, text| NextHop::Host { peer: peer(name, text), port: 0 };
    let mx = host("mx.example.org", "192.0.2.25");
    let relay = "mailer=esmtp, pri=9, relay=mx.example.org. [192.0.2.25]";
    check(&format!("{relay}, dsn=2.0.0, stat=Sent (ok)"), (Status::Sent, mx, "Sent (ok)", None));
    check(
        &format!("{relay}, dsn=4.2.2, reply=452 4.2.2 full, stat=Deferred: 452"),
        (Status::Deferred, mx, "Deferred: 452", None),
    );
    // What the other server says is its own text.
    let lies = "dsn=5.1.1, reply=550 5.1.1 no, dsn=2.0.0, stat=Sent (ok), stat=User unknown";
    check(&format!("{relay}, {lies}"), (Status::Bounced, mx, "Sent (ok), stat=User unknown", None));
    check(&format!("{relay}, dsn=5.4.7, stat=Cannot send"), (Status::Expired, mx, "Cannot send", None));
    check("mailer=local, pri=9, dsn=2.0.0, stat=Sent", (Status::Sent, NextHop::Local, "Sent", None));
    check("mailer=cyrusv2, pri=9, relay=localhost, dsn=2.0.0, stat=Sent", (Status::Sent, NextHop::Local, "Sent", None));
    check("mailer=mine, pri=9, relay=mx.example.org. [192.0.2.25], stat=Sent", (Status::Sent, mx, "Sent", None));
    let here = host("", "127.0.0.1");
    let accepted = "Sent (6BOA20ab000006 Message accepted for delivery)";
    check(
        &format!("mailer=relay, pri=9, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat={accepted}"),
        (Status::Sent, here, accepted, Some("6BOA20ab000006")),
    );
    check("mailer=relay, pri=9, stat=queued", (Status::Deferred, NextHop::None, "queued", None));
    check("pri=9, stat=Please try later", (Status::Bounced, NextHop::None, "Please try later", None));
    check(
        "mailer=esmtp, pri=9, relay=no.example, dsn=5.1.2, stat=Host unknown",
        (Status::Bounced, host("no.example", ""), "Host unknown", None),
    );
    of_message("to=<a@x>, delay=00:00:01", Err("`, stat=` at the end"));
    of_message("to=<a@x>, colour=red, stat=Sent", Err("a field: `delay=`"));
}

fn refused<'a>(client: Peer<'a>, stage: &'a str, code: u16, text: &'a str, refusal: Refusal) -> Event<'a> {
    let (reverse_path, forward_path) = (None, None);
    let reply = Reply { code, text: text.as_bytes() };
    Event::Refused {
        client,
        stage: stage.as_bytes(),
        reply,
        refusal,
        reverse_path,
        forward_path,
        helo: b"",
        account: None,
    }
}

/// The same with a forward-path (stage RCPT) or a reverse-path.
fn refused_path<'a>(event: Event<'a>, path: &'a str) -> Event<'a> {
    match event {
        Event::Refused { client, stage, reply, refusal, helo, account, .. } => {
            let is_recipient = stage == b"RCPT";
            let path = path.as_bytes();
            let (reverse_path, forward_path) = ((!is_recipient).then_some(path), is_recipient.then_some(path));
            Event::Refused { client, stage, reply, refusal, reverse_path, forward_path, helo, account }
        }
        other => other,
    }
}

#[test]
fn refusals_of_rulesets() {
    let outside = peer("bulk.example.net", OUTSIDE);
    let relay = "relay=bulk.example.net [203.0.113.9]";
    let text = "5.7.1 <v@example.org>... Relaying denied";
    let denied = refused(outside, "RCPT", 550, text, Refusal::RelayDenied);
    of_message(
        &format!("ruleset=check_rcpt, arg1=<v@example.org>, {relay}, reject=550 {text}"),
        Ok(refused_path(denied.clone(), "v@example.org")),
    );
    let hostile = "\"x, relay=[10.0.0.1], reject=550 5.7.1 <y>... User unknown\"@example.org";
    let text = format!("5.7.1 <{hostile}>... Relaying denied");
    of_message(
        &format!("ruleset=check_rcpt, arg1=<{hostile}>, {relay}, reject=550 {text}"),
        Ok(refused_path(refused(outside, "RCPT", 550, &text, Refusal::RelayDenied), hostile)),
    );
    let text = "5.1.8 <a@b.example>... Domain of sender address a@b.example does not exist";
    of_message(
        &format!("ruleset=check_mail, arg1=<a@b.example>, {relay}, reject=553 {text}"),
        Ok(refused_path(refused(outside, "MAIL", 553, text, Refusal::Other), "a@b.example")),
    );
    check(
        &format!("ruleset=check_relay, arg1=h, arg2=127.0.0.2, {relay}, reject=554 5.7.1 Rejected"),
        Ok(refused(outside, "CONNECT", 554, "5.7.1 Rejected", Refusal::ClientBlocked)),
    );
    of_message(&format!("ruleset=check_rcpt, arg1=<a@b>, {relay}, discard"), Ok(Event::Other));
    of_message("ruleset=check_rcpt", Err("`, arg1=` after the ruleset"));
    of_message("ruleset=check_rcpt, arg1=<a@b>, relay=", Err("a host: `name [192.0.2.1]`"));
}

#[test]
fn refusals_that_name_no_client() {
    let nobody = Peer::default();
    let unknown = refused(nobody, "RCPT", 0, "User unknown", Refusal::UnknownUser);
    of_message("<a@example.org>... User unknown", Ok(refused_path(unknown, "a@example.org")));
    let syntax = refused(nobody, "RCPT", 0, "Invalid route address", Refusal::BadSyntax);
    of_message("<a@b@c>... Invalid route address", Ok(refused_path(syntax, "a@b@c")));
    of_message("<a@example.org>... Sender ok", Ok(Event::Other));
    of_message("<a@example.org> and more", Ok(Event::Other));
    let text = "4.7.1 Greylisting in action, please come back later";
    let later = refused(nobody, "RCPT", 451, text, Refusal::Greylisted);
    of_message(&format!("Milter: to=<a@b>, reject=451 {text}"), Ok(refused_path(later, "a@b")));
    let content = refused(nobody, "MAIL", 550, "5.7.1 no", Refusal::Content);
    of_message("Milter: from=<a@b>, reject=550 5.7.1 no", Ok(refused_path(content, "a@b")));
    let content = refused(nobody, "END-OF-MESSAGE", 550, "5.7.1 spam", Refusal::Content);
    of_message("Milter: data, reject=550 5.7.1 spam", Ok(content));
    let blocked = refused(peer("", OUTSIDE), "CONNECT", 554, "5.7.1 no", Refusal::ClientBlocked);
    of_message("Milter: connect: host=h, addr=203.0.113.9, reject=554 5.7.1 no", Ok(blocked));
    of_message("Milter: init success to negotiate", Ok(Event::Other));
    of_message("Milter: data, discard", Ok(Event::Other));
}

#[test]
fn log_ins() {
    let client = peer("pc.example.net", OUTSIDE);
    check(
        "AUTH=server, relay=pc.example.net [203.0.113.9], authid=anna@example.org, mech=LOGIN, bits=0",
        Ok(Event::AuthSucceeded { client, account: Some(b"anna@example.org") }),
    );
    check("AUTH=client, relay=mx.example.org [192.0.2.25], mech=LOGIN, bits=0", Ok(Event::Other));
    check("AUTH=server, relay=[203.0.113.9], user=x", Err("`, authid=` after the client"));
    let reason =
        "AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed";
    let failed = |account| Ok(Event::AuthFailed { client, account });
    of_message(&format!("{reason}, user=anna, relay=pc.example.net [203.0.113.9]"), failed(Some(b"anna".as_slice())));
    of_message(&format!("{reason}, relay=pc.example.net [203.0.113.9]"), failed(None));
    let hostile = b"x, relay=[10.0.0.1]".as_slice();
    of_message(
        &format!("{reason}, user=x, relay=[10.0.0.1], relay=pc.example.net [203.0.113.9]"),
        failed(Some(hostile)),
    );
    of_message("AUTH failure (LOGIN): no client", Ok(Event::Other));
}

#[test]
fn messages_that_give_rise_to_others() {
    let child = b"6BOA25aa000006".as_slice();
    let spawned = |how| Ok(Event::Spawned { child, how, silent: true });
    of_message("6BOA25aa000006: DSN: User unknown", spawned(Offspring::Notification));
    of_message(
        "6BOA25aa000006: sender notify: Warning: could not send message for past 4 hours",
        spawned(Offspring::Notification),
    );
    of_message("6BOA25aa000006: clone: owner=anna", spawned(Offspring::Forwarded));
}

#[test]
fn lines_that_say_nothing_of_use() {
    for text in [
        "bulk.example.net [203.0.113.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
        "lost input channel from bulk.example.net [203.0.113.9] to MTA after rcpt",
        "STARTTLS=server, relay=[203.0.113.9], version=TLSv1.3, verify=NO, cipher=X, bits=256/256",
        "[203.0.113.9]: possible SMTP attack: command=AUTH, count=5",
        "collect: premature EOM: unexpected close",
    ] {
        of_message(text, Ok(Event::Other));
    }
    check("starting daemon (8.17.1.9): SMTP+queueing@00:30:00", Ok(Event::Other));
    check("", Ok(Event::Other));
}

#[test]
fn tags_that_are_claimed() {
    let claims = |tag: &str| is_sendmail(tag.as_bytes());
    assert!(["sendmail", "sm-mta", "sm-msp-queue", "sendmail-in", "sm-acceptingconnections"].into_iter().all(claims));
    assert!(!["postfix/sendmail", "smtpd", "sendmailer", "smf-sav", ""].into_iter().any(claims));
}

#[test]
fn long_lines_are_read_once() {
    for part in [", relay=[x]", "<\"", ", size=1", "... ", ",<a", ", stat=", "\\\"", " (may be forged)"] {
        let long = part.repeat(1_000_000 / part.len());
        for start in [
            "from=",
            "to=<a>, delay=1",
            "to=",
            "ruleset=check_rcpt, arg1=",
            "<",
            "Milter: to=",
            "AUTH=server, relay=",
            "AUTH failure (",
        ] {
            let line = format!("Nov 24 10:00:00 mx1 sm-mta[5]: {ID}: {start}{long}");
            assert!(!matches!(syslog::line(line.as_bytes()), Line::Ignored(_)));
        }
    }
}
