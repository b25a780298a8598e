#![allow(clippy::unwrap_used)]
use super::*;

/// The bits of the layers by the names in `layer::LAYERS`.
const PREFIXES: Wrapping = Wrapping((1 << 8) - 1);

fn unwrapped(wrapping: Wrapping, line: &str) -> String {
    let mut room = b"before".to_vec();
    let inside = match wrapping.unwrap(line.as_bytes(), &mut room) {
        Inside::Part(part) => part.to_vec(),
        Inside::Written => room.split_off("before".len()),
    };
    String::from_utf8(inside).unwrap()
}

const LINE: &str = "Feb  1 10:00:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]";
const ISO: &str = "2027-02-01T10:00:00+01:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]";

#[test]
fn prefixes() {
    let check = |wrapped: &str, want: &str| {
        assert_eq!(unwrapped(PREFIXES, wrapped), want, "{wrapped}");
        assert_eq!(unwrapped(Wrapping::NONE, wrapped), wrapped);
    };
    for inner in [LINE, ISO] {
        for prefix in [
            "",
            "    ",
            "\t",
            "|  ",
            "> ",
            "mail-1  | ",
            "mailserver |",
            "\x1b[36mmail-1  | \x1b[0m",
            "486 ",
            "/var/log/mail.log.1:",
            "mail.log:12:",
            "./mail-20270201.log:",
            "mail-20270201.log-12-",
            "mail.log-",
            "C:\\Mail logs\\mail.log:7:",
        ] {
            // Octet counts come before a priority only.
            let inner = if prefix == "486 " { format!("<22>{inner}") } else { inner.to_owned() };
            check(&format!("{prefix}{inner}"), &inner);
        }
    }
    // What begins no line has none of the prefixes that ask for one.
    for line in ["  Subject: x", "> quoted", "|  x", "a b:c", "486 x", "", ":", "-", "postfix/smtpd[1]: x"] {
        check(line, line);
    }
    // In a file that grep wrote every line has a path.
    check("rejectlog:  Subject: x", "  Subject: x");
}

#[test]
fn stamps_around_lines_give_year_and_zone() {
    let check = |wrapped: &str, want: &str| assert_eq!(unwrapped(PREFIXES, wrapped), want, "{wrapped}");
    let stamped = "2027-02-01T09:00:00.5Z mx postfix/smtpd[1]: connect from a[192.0.2.1]";
    check(&format!("2027-02-01T09:00:00.5Z {LINE}"), stamped);
    check(&format!("2027-02-01T09:00:00.5Z <22>{LINE}"), stamped);
    check(&format!("mail-1  | 2027-02-01T09:00:00.5Z {LINE}"), stamped);
    check(&format!("2027-02-01T09:00:00.5Z stdout F {LINE}"), stamped);
    check(&format!("2027-02-01T09:00:00.5Z {ISO}"), ISO);
    check(&format!("2027-02-01T09:00:00.5Z stderr F {ISO}"), ISO);
    check("2027-02-01T09:00:00.5Z #Fields: date", "#Fields: date");
    check("2027-02-01T09:00:00Z stdout F postfix/smtpd[1]: x", "2027-02-01T09:00:00Z postfix/smtpd[1]: x");
    check("2027-02-01T09:00:00Z postfix/smtpd[1]: x", "2027-02-01T09:00:00Z postfix/smtpd[1]: x");
    check("2027-02-01 10:00:00 1abcde-000001-00 <= x", "2027-02-01 10:00:00 1abcde-000001-00 <= x");
    check(&format!("Feb  1 11:00:00 host mail[4]: {LINE}"), LINE);
    check(&format!("<22>Feb  1 11:00:00 host mail[4]: {LINE}"), LINE);
    check(
        &format!("2027-02-01T09:00:00Z host mail[4]: {LINE}"),
        "2027-02-01T09:00:00Z mx postfix/smtpd[1]: connect from a[192.0.2.1]",
    );
    check(&format!("- 1800000000 2027.01.15 mx {LINE}"), "1800000000 mx postfix/smtpd[1]: connect from a[192.0.2.1]");
    // What a mail daemon says is in part the text of clients.
    let said = format!("Feb  1 11:00:00 host postfix/smtpd[4]: {LINE}");
    check(&said, &said);
}

#[test]
fn json_of_journald() {
    let check = |object: &str, want: &str| assert_eq!(unwrapped(Wrapping(JSON), object), want, "{object}");
    let want = "1789228152.650438 mx postfix/smtpd[7]: connect from a[192.0.2.1]";
    check(
        r#"{"MESSAGE":"connect from a[192.0.2.1]","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"postfix/smtpd","SYSLOG_PID":"7","__REALTIME_TIMESTAMP":"1789228152650438"}"#,
        want,
    );
    check(r#" {"x":1}"#, r#" {"x":1}"#);
    check(
        r#"{ "__REALTIME_TIMESTAMP" : "1789228152650438", "_PID":"7", "X":[{"a":"]}"},2,null,true], "_COMM":"no", "SYSLOG_IDENTIFIER":"postfix/smtpd","_HOSTNAME":"mx","MESSAGE":[99,111,110,110,101,99,116,32,102,114,111,109,32,97,91,49,57,50,46,48,46,50,46,49,93]} "#,
        want,
    );
    let head = r#"{"__REALTIME_TIMESTAMP":"1789228152650438","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"a","MESSAGE":"#;
    check(&format!(r#"{head}"x\"\\\/\u00e4\ud83d\udce7\tz"}}"#), "1789228152.650438 mx a: x\"\\/\u{e4}\u{1f4e7}\tz");
    check(&format!(r#"{head}"a\nb\u0000c\ud83d"}}"#), "1789228152.650438 mx a: a b c\u{fffd}");
    check(&format!(r#"{head}["first","second"]}}"#), "1789228152.650438 mx a: first");
    check(&format!(r#"{head}null}}"#), "1789228152.650438 mx a: ");
    check(&format!(r#"{head}[10,97]}}"#), "1789228152.650438 mx a:  a");
    // A key that comes again, names that pose as other fields.
    check(&format!(r#"{head}"x","MESSAGE":"y"}}"#), "1789228152.650438 mx a: x");
    check(
        r#"{"__REALTIME_TIMESTAMP":"1789228152650438","_HOSTNAME":"mx x[1]:","SYSLOG_IDENTIFIER":"a[9]: b","MESSAGE":"m"}"#,
        "1789228152.650438 mx_x_1__ a_9___b: m",
    );
    for broken in [
        "{",
        "{}",
        r#"{"MESSAGE":"x"}"#,
        r#"{"MESSAGE":"x""#,
        r#"{"MESSAGE":"x"} y"#,
        r#"{"MESSAGE"}"#,
        r#"{"a":[}"#,
        r#"{"__REALTIME_TIMESTAMP":"x","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"a","MESSAGE":"x"}"#,
        r#"{"__REALTIME_TIMESTAMP":"1789228152650438","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"a","MESSAGE":[256]}"#,
        r#"{"__REALTIME_TIMESTAMP":"1789228152650438","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"a","MESSAGE":"\u12"}"#,
        r#"{"__REALTIME_TIMESTAMP":"1789228152650438","_HOSTNAME":"","SYSLOG_IDENTIFIER":"a","MESSAGE":"x"}"#,
    ] {
        check(broken, broken);
    }
}

#[test]
fn json_of_docker_and_shippers() {
    let check = |object: &str, want: &str| assert_eq!(unwrapped(Wrapping(JSON), object), want, "{object}");
    let time = r#""stream":"stdout","time":"2027-02-01T09:00:00.123456789Z""#;
    let stamped = "2027-02-01T09:00:00.123456789Z mx postfix/smtpd[1]: connect from a[192.0.2.1]";
    check(&format!(r#"{{"log":"{LINE}\n",{time}}}"#), stamped);
    check(&format!(r#"{{"log":"{LINE}\r\n",{time}}}"#), stamped);
    check(&format!(r#"{{"log":"{ISO}\n",{time}}}"#), ISO);
    check(
        &format!(r#"{{"log":"postfix/smtpd[1]: x\\n",{time}}}"#),
        r"2027-02-01T09:00:00.123456789Z postfix/smtpd[1]: x\n",
    );
    check(&format!(r#"{{"message":"{LINE}","host":{{"name":"x"}}}}"#), LINE);
    check(&format!(r#"{{"@timestamp":"2027-02-01T09:00:00.123456789Z","message":"{LINE}"}}"#), stamped);
    check(&format!(r#"{{"log":"{LINE}\n","time":"yesterday"}}"#), LINE);
}

#[test]
fn entities_of_web_pages() {
    let check = |line: &str, want: &str| assert_eq!(unwrapped(Wrapping(ENTITIES), line), want, "{line}");
    check("from=&lt;a@example.org&gt;, &amp;lt; &quot;x&#39; &x &", "from=<a@example.org>, &lt; \"x' &x &");
    // A line with brackets of its own is not the source of a page.
    check("from=<a&lt;b@example.org>", "from=<a&lt;b@example.org>");
}

#[test]
fn the_head_decides() {
    let plain = vec![LINE; 3];
    let wrap = |prefix: &str| format!("{prefix}{LINE}");
    let check = |lines: &[String], want: bool| {
        let wrapping = Wrapping::detect(lines.iter().map(|line| line.as_bytes()));
        assert_eq!(!wrapping.is_none(), want, "{lines:?}");
    };
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>();
    check(&owned(&plain), false);
    check(&owned(&["", "some text", "  | x"]), false);
    check(&vec![wrap("mail-1 | "); 3], true);
    // Text of a client on its own line, in a log that has no prefixes.
    check(&[vec![wrap("  "); 5], owned(&[LINE]), vec![wrap("  "); 5]].concat(), false);
    check(&[format!("{LINE} =&lt;x&gt;")], true);
    check(&[format!("{LINE} =&lt;x&gt;"), format!("{LINE} <y>")], false);
}

#[test]
fn long_and_hostile_lines_take_linear_time() {
    let start = std::time::Instant::now();
    for piece in [
        "-",
        ":",
        "|",
        "a-",
        "{\"a\":[",
        "[",
        "\\\"",
        "2027-02-01T09:00:00Z ",
        "Feb  1 10:00:00 h a: ",
        "&lt;",
        " ",
        "<22>",
    ] {
        for begin in ["", "{\"MESSAGE\":\"", "a"] {
            let line = format!("{begin}{}", piece.repeat((1 << 20) / piece.len()));
            unwrapped(Wrapping::ALL, &line);
            Wrapping::detect(std::iter::once(line.as_bytes()));
        }
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
