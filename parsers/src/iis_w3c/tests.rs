//! Records through one `check`: the default columns, and then what breaks them.

use super::*;
use crate::record::{Event, Key, Peer, Refusal, Reply, When};
use chrono::NaiveDate;

const CLIENT: &str = "192.0.2.9";
/// 2006-10-09 05:00:15 UTC.
const WHEN: When = When::Utc(1_160_370_015_000_000);

fn client() -> Peer<'static> {
    Peer::from_address(CLIENT.as_bytes())
}

fn reply(code: u16, text: &str) -> Reply<'_> {
    Reply { code, text: text.as_bytes() }
}

/// Checks the event of a record of the default columns.
fn check_event(line: &str, want: Event<'_>) {
    match parse(line.as_bytes(), &Context::default()) {
        Line::Record(record) => assert_eq!(record.event, want, "{line}"),
        other => panic!("{line}: {other:?}"),
    }
}

/// Checks a client's command: EHLO name, verb, argument, reply code.
fn check(helo: &str, verb: &str, query: &str, code: &str, want: Event<'_>) {
    let head = format!("2006-10-09 05:00:15 {CLIENT} {helo} SMTPSVC1 MX01 198.51.100.1 0");
    check_event(&format!("{head} {verb} - {query} {code} 0 108 1399 1922 SMTP - - - -"), want);
}

#[test]
fn greetings_and_ends_of_sessions() {
    let (client, helo) = (client(), b"h".as_slice());
    check("h", "HELO", "+h", "250", Event::Hello { client, name: b"h" });
    check("-", "ehlo", "+a+b", "500", Event::Hello { client, name: b"a+b" });
    check("-", "EHLO", "-", "501", Event::Hello { client, name: b"" });
    check("h", "RSET", "-", "250", Event::Reset { client, helo });
    check("h", "QUIT", "h", "240", Event::Quit { client, helo });
    check("-", "TIMEOUT", "-", "0", Event::Quit { client, helo: b"" });
    check("h", "AUTH", "+LOGIN", "235", Event::AuthSucceeded { client, account: None });
    check("h", "AUTH", "+NTLM", "535", Event::AuthFailed { client, account: None });
    check("h", "AUTH", "+LOGIN", "334", Event::Other);
    check("-", "xxxx", "+rr.com", "500", Event::Other);
    check("h", "STARTTLS", "-", "220", Event::Other);
    check("h", "-", "-", "500", Event::Other);
}

#[test]
fn paths_in_every_form() {
    let check = |query: &str, path: &str| {
        let (reverse_path, reply) = (path.as_bytes(), reply(250, ""));
        check("h", "MAIL", query, "250", Event::Mail { client: client(), helo: b"h", reverse_path, reply });
    };
    check("+FROM:<a@example.org>", "a@example.org");
    check("+FROM:+<a@example.org>", "a@example.org");
    check("++From:++<a@example.org>", "a@example.org");
    check("FROM:<a@example.org>", "a@example.org");
    check("+FROM:<>", "");
    check("+FROM:<>+SIZE=1", "");
    check("+FROM:<a+tag@example.org>+SIZE=1722+AUTH=<>", "a+tag@example.org");
    check(r#"+FROM:<"a>b+TO:<c@d>"@example.org>+SIZE=1"#, r#""a>b+TO:<c@d>"@example.org"#);
    check(r#"+FROM:<"a\">b"@example.org>"#, r#""a\">b"@example.org"#);
    check(r#"+FROM:<@x.example,@y.example:"a>b"@example.org>"#, r#"@x.example,@y.example:"a>b"@example.org"#);
    // A quotation mark inside of a word opens nothing, nor does one that is never closed.
    check(r#"+FROM:<a"b@example.org>+X="c>"#, r#"a"b@example.org"#);
    check(r#"+FROM:<"ab@example.org>+SIZE=1"#, r#""ab@example.org"#);
    check("+FROM:<a@example.org", "a@example.org");
    check("+FROM:a@example.org", "a@example.org");
    check("+FROM:a+tag@example.org+SIZE=1", "a+tag@example.org");
    check("+FROM:postmaster+SIZE=1", "postmaster");
    check("+FROM:", "");
    check("+a@example.org", "a@example.org");
}

#[test]
fn recipients_and_why_they_were_refused() {
    let check = |code: &str, refusal: Option<Refusal>| {
        let number = code.parse().unwrap_or(0);
        let (helo, forward_path, reply) = (b"h".as_slice(), b"c@example.net".as_slice(), reply(number, ""));
        let want = Event::Recipient { client: client(), helo, forward_path, reply, refusal };
        super::tests::check("h", "RCPT", "+To:+<c@example.net>+NOTIFY=NEVER", code, want);
    };
    check("250", None);
    check("251", None);
    check("0", None);
    check("-", None);
    check("550", Some(Refusal::Unsaid));
    check("554", Some(Refusal::Unsaid));
    check("530", Some(Refusal::Unsaid));
    check("501", Some(Refusal::BadSyntax));
    check("504", Some(Refusal::BadSyntax));
    check("452", Some(Refusal::Other));
    check("552", Some(Refusal::Other));
    super::tests::check("h", "RCPT", "-", "501", Event::Other);
}

#[test]
fn ends_of_messages() {
    let check = |verb: &str, query: &str, message_id: &str| {
        let (helo, message_id, reply) = (b"h".as_slice(), message_id.as_bytes(), reply(250, ""));
        let want = Event::Data { client: client(), helo, message_id, size_bytes: Some(1399), reply };
        super::tests::check("h", verb, query, "250", want);
    };
    check("DATA", "+<1@example.org>", "1@example.org");
    check("DATA", "<MX01abc0000015e@mx.example.org>", "MX01abc0000015e@mx.example.org");
    check("data", "+1@example.org", "1@example.org");
    check("DATA", "-", "");
    check("BDAT", "+1399+LAST", "");
    check("BDAT", "+1399+last", "");
    check("BDAT", "+<1@example.org>", "1@example.org");
    super::tests::check("h", "BDAT", "+1399", "250", Event::Other);
}

#[test]
fn outbound_connections() {
    let server = client();
    let check = |side: &str, verb: &str, query: &str, want| {
        let head = format!("2006-10-09 05:00:15 {CLIENT} OutboundConnection{side} SMTPSVC1 MX01 - 25");
        check_event(&format!("{head} {verb} - {query} 0 0 4 0 62 SMTP - - - -"), want);
    };
    let command = |verb, argument| Event::OutboundCommand { server, verb, argument };
    let answer = |code, text| Event::OutboundReply { server, reply: reply(code, text) };
    check("Command", "MAIL", "FROM:<a@b>+SIZE=2884", command(b"MAIL", b"FROM:<a@b>+SIZE=2884"));
    check("Command", "RSET", "-", command(b"RSET", b""));
    check("Response", "-", "250+2.1.0+Ok", answer(250, "2.1.0+Ok"));
    check("Response", "-", "250-mx.example.org", answer(250, "mx.example.org"));
    check("Response", "-", "220+******", answer(220, "******"));
    check("Response", "-", "354", answer(354, ""));
    check("Response", "-", "2500+x", answer(0, "2500+x"));
    check("Response", "-", "25x+y", answer(0, "25x+y"));
    check("Response", "-", "-", answer(0, ""));
}

#[test]
fn clients_that_call_themselves_an_outbound_connection() {
    let helo = b"OutboundConnectionCommand".as_slice();
    let (client, reply) = (client(), reply(250, ""));
    let want = Event::Recipient { client, helo, forward_path: b"c@example.net", reply, refusal: None };
    check("OutboundConnectionCommand", "RCPT", "+TO:<c@example.net>", "250", want);
    check(
        "OutboundConnectionResponse",
        "RSET",
        "-",
        "250",
        Event::Reset { client, helo: b"OutboundConnectionResponse" },
    );
}

#[test]
fn keys_of_a_record() {
    let line = b"2006-10-09 05:00:15 192.0.2.9 h SMTPSVC2 MX01 198.51.100.1 0 NOOP - - 250 0 1 1 0 SMTP - - - - ";
    let Line::Record(record) = parse(line, &Context::default()) else { panic!("no record") };
    assert_eq!(record.when, WHEN);
    assert_eq!(record.server, b"MX01");
    assert_eq!(record.session, Some(Key { scope: b"SMTPSVC2", id: CLIENT.as_bytes() }));
    assert_eq!(record.message, None);
}

#[test]
fn clients_that_do_so_where_few_columns_are_logged() {
    let context = context("c-ip cs-username cs-method cs-uri-query sc-status", false);
    let check = |verb: &str, query: &str, code: &str, is_outbound: bool| {
        let line = format!("{CLIENT} OutboundConnectionCommand {verb} {query} {code}");
        let Line::Record(record) = parse(line.as_bytes(), &context) else { panic!("{line}") };
        assert_eq!(matches!(record.event, Event::OutboundCommand { .. }), is_outbound, "{line}");
    };
    check("DATA", "<MX01abc0000015e@mx.example.com>", "250", false);
    check("RSET", "-", "250", false);
    check("QUIT", "OutboundConnectionCommand", "240", false);
    check("RCPT", "+TO:<c@example.net>", "0", false);
    check("DATA", "-", "0", true);
    check("RCPT", "TO:<c@example.net>", "0", true);
}

#[test]
fn records_of_the_web_server() {
    let columns = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status";
    let check = |line: &str| {
        let want = Line::Ignored("a record of another IIS service");
        assert_eq!(parse(line.as_bytes(), &context(columns, false)), want, "{line}");
    };
    check("2006-10-09 05:00:15 198.51.100.1 GET /index.html - 80 - 192.0.2.9 200");
    check("2006-10-09 05:00:15 198.51.100.1 RCPT / TO:<c@example.net> 80 - 192.0.2.9 200");
}

/// A context with these columns, and the date of a `#Date:` line.
fn context(fields: &str, date: bool) -> Context {
    let mut context = Context::default();
    direct(format!("#Fields: {fields} ").as_bytes(), &mut context);
    if date {
        direct(b"#Date: 2006-10-09 04:00:00", &mut context);
    }
    context
}

#[test]
fn times_from_columns_and_directives() {
    let check = |fields: &str, line: &str, date: bool, want: Result<When, (usize, &str)>| {
        let got = match parse(line.as_bytes(), &context(fields, date)) {
            Line::Record(record) => Ok(record.when),
            Line::Unparsed(unparsed) => Err((unparsed.at, unparsed.expected)),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(got, want, "{line}");
    };
    check("date time c-ip", "2006-10-09 05:00:15 192.0.2.9", false, Ok(WHEN));
    check("time c-ip", "05:00:15 192.0.2.9", true, Ok(WHEN));
    check("time c-ip", "05:00:15 192.0.2.9", false, Ok(When::Unknown));
    let midnight = When::Utc(1_160_352_000_000_000);
    check("c-ip cs-method", "192.0.2.9 RSET", true, Ok(midnight));
    check("c-ip date", "192.0.2.9 2006-10-09", false, Ok(midnight));
    check("c-ip cs-method", "192.0.2.9 RSET", false, Ok(When::Unknown));
    check("c-ip date", "192.0.2.9 2006-13-09", false, Err((10, "a date: `2006-10-09`")));
    check("c-ip time", "192.0.2.9 5:00:15", false, Err((10, "a time of day: `05:00:15`")));
    check("c-ip sc-status", "192.0.2.9 ok", false, Err((10, "a reply code in `sc-status`")));
}

#[test]
fn numbers_of_fields() {
    let check = |line: &str, want: Option<(usize, &str)>| {
        let got = match parse(line.as_bytes(), &context("c-ip cs-method s-sitename", false)) {
            Line::Unparsed(unparsed) => Some((unparsed.at, unparsed.expected)),
            _ => None,
        };
        assert_eq!(got, want, "{line}");
    };
    let expected = "as many fields as the latest `#Fields:` line names";
    check("192.0.2.9 RSET SMTPSVC1", None);
    check("192.0.2.9 RSET SMTPSVC1 ", None);
    check("192.0.2.9  SMTPSVC1", None);
    check("192.0.2.9 RSET ", None);
    check("192.0.2.9 RSET", Some((14, expected)));
    check("192.0.2.9 RSET SMTPSVC1 x", Some((24, expected)));
    check("192.0.2.9 RSET SMTPSVC1  ", Some((24, expected)));
    check(&"x ".repeat(40), Some((6, expected)));
    let many = context(&"c-ip ".repeat(33), false);
    let expected = "at most 32 columns in the latest `#Fields:` line";
    assert_eq!(parse(b"192.0.2.9", &many), Line::Unparsed(Unparsed { at: 0, expected }));
}

#[test]
fn fragments_without_a_head() {
    let expected = "a `#Fields:` line before the first record, or all 21 columns of IIS";
    let check = |line: &str, is_record: bool| match parse(line.as_bytes(), &Context::default()) {
        Line::Record(record) => assert!(is_record && matches!(record.event, Event::Quit { .. }), "{line}"),
        got => assert_eq!((is_record, got), (false, Line::Unparsed(Unparsed { at: 0, expected })), "{line}"),
    };
    let head = "2006-10-09 05:00:15 192.0.2.9 h";
    check(&format!("{head} SMTPSVC1 MX01 198.51.100.1 0 QUIT - h 240 0 68 4 0 SMTP - - - -"), true);
    check(&format!("{head} SMTPSVC1 MX01 198.51.100.1 QUIT - h 240 0 68 4 0 SMTP - - - - "), true);
    check(&format!("{head} W3SVC1 MX01 198.51.100.1 0 QUIT - h 240 0 68 4 0 SMTP - - - -"), false);
    check(&format!("{head} SMTPSVC1 MX01 198.51.100.1 0 QUIT - h 240"), false);
    check("x", false);
}

#[test]
fn lines_that_are_no_records() {
    let check = |line: &[u8], want: Line<'_>| {
        let context = context("c-ip cs-method s-sitename cs-version", false);
        assert_eq!(parse(line, &context), want, "{}", String::from_utf8_lossy(line));
    };
    check(b"#Software: Microsoft Internet Information Services 5.0", Line::Directive);
    check(b"#Fields: c-ip ", Line::Directive);
    check(b"\0\0#Date: 2006-10-09 05:00:15", Line::Directive);
    check(b"", Line::Ignored("blank line"));
    check(b"  ", Line::Ignored("blank line"));
    check(b"\0\0\0", Line::Ignored("NUL padding"));
    check(b"192.0.2.9 GET W3SVC1 HTTP/1.1", Line::Ignored("a record of another IIS service"));
    let expected = "as many fields as the latest `#Fields:` line names";
    check(b"\0\0x", Line::Unparsed(Unparsed { at: 3, expected }));
}

#[test]
fn directives_change_the_context() {
    let names = |context: &Context| -> Vec<String> {
        context.columns.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    };
    let mut found = context("date c-ip", true);
    assert_eq!(names(&found), ["date", "c-ip"]);
    assert_eq!(found.date, NaiveDate::from_ymd_opt(2006, 10, 9));
    direct(b"\0\0#Fields: time cs(User-Agent)", &mut found);
    assert_eq!(names(&found), ["time", "cs(User-Agent)"]);
    let before = found.clone();
    // A client's words are no directive, nor is a broken date one.
    direct(b"2006-10-09 05:00:15 192.0.2.9 #Fields:+date SMTPSVC1 MX01", &mut found);
    direct(b"192.0.2.9 - SMTPSVC1 MX01 198.51.100.1 0 EHLO - +#Fields:+date+c-ip", &mut found);
    direct(b" #Fields: date", &mut found);
    direct(b"#Date: yesterday", &mut found);
    direct(b"#Version: 1.0", &mut found);
    assert_eq!(found, before);
}

#[test]
fn lines_that_are_claimed() {
    let check = |line: &str, want| assert_eq!(recognises(line.as_bytes()), want, "{line}");
    check("#Software: Microsoft Internet Information Services 6.0", true);
    check("#Fields: time c-ip cs-username cs-method ", true);
    check("2006-10-09 05:00:15 192.0.2.9 h SMTPSVC1 MX01 198.51.100.1 0 NOOP - -", true);
    check("05:00:15 192.0.2.9 SMTPSVC1 NOOP", true);
    check("2001:db8::1 OutboundConnectionResponse - 25", true);
    check("2006-10-09 05:00:15 192.0.2.9 - W3SVC1 WEB 198.51.100.1 80 GET / - 200 0 HTTP/1.1", false);
    check("2006-10-09 05:00:15 198.51.100.1 GET /?q=SMTPSVC1 SMTPSVC1 80 - 192.0.2.9 Mozilla 200", false);
    check("#Software: Microsoft Exchange Server", false);
    check("#Fields: date-time,connector-id,session-id", false);
    check("#Fields: date time s-ip cs-method", false);
    check("2027-01-18 06:42:18 mx1 postfix/smtp[77]: SMTPSVC1 x", false);
    check("Feb  1 10:00:00 mx1 postfix/smtpd[77]: 192.0.2.9 SMTPSVC1", false);
    check("192.0.2.9, h, 3/1/2006, 1:00:12, SMTPSVC1, MX01, 198.51.100.1", false);
    check("", false);
}
