#![allow(clippy::unwrap_used)]
use super::*;

fn check(line: &str, want: Result<[&str; 4], (usize, &str)>) {
    let got = envelope(line.as_bytes());
    let got = got.map(|(_, e)| [e.host, e.tag, e.pid, e.body].map(|part| std::str::from_utf8(part).unwrap()));
    let got = got.map_err(|error| unparsed(line.as_bytes(), &error)).map_err(|u| (u.at, u.expected));
    assert_eq!(got, want, "{line}");
}

#[test]
fn lines_in_files() {
    let want = Ok(["mx1", "postfix/smtpd", "12", "connect from x[192.0.2.1]"]);
    check("Feb  1 10:00:00 mx1 postfix/smtpd[12]: connect from x[192.0.2.1]", want);
    check("<22>Feb 01 10:00:00 mx1 postfix/smtpd[12]: connect from x[192.0.2.1]", want);
    check("2027-01-18T06:42:18.435175+00:00 mx1 postfix/smtpd[12]: connect from x[192.0.2.1]", want);
    check("2027-01-18 06:42:18 mx1 postfix/smtpd[12]: connect from x[192.0.2.1]", want);
    check("Feb  1 10:00:00 mx1 postfix/smtpd[12]: [ID 197553 mail.info] connect from x[192.0.2.1]", want);
    check("Feb  1 10:00:00 mx1 postfix/smtpd[12] connect from x[192.0.2.1]", want);
    check("Feb  1 10:00:00 mx1 mail:info postfix/smtpd[12]: connect from x[192.0.2.1]", want);
    check("Mon 2027-01-18 06:42:18 CET mx1 postfix/smtpd[12]: connect from x[192.0.2.1]", want);
    check("1800000000.123456 mx1 postfix/smtpd[12]: connect from x[192.0.2.1]", want);
    check("Feb  1 10:00:00 mx1 mail: hello", Ok(["mx1", "mail", "", "hello"]));
    check("Feb  1 10:00:00 mx1 postfix/smtpd: hello", Ok(["mx1", "postfix/smtpd", "", "hello"]));
    check("Feb  1 10:00:00 postfix/smtpd[1]: hello", Ok(["", "postfix/smtpd", "1", "hello"]));
    check("Feb  1 10:00:00 2001:db8::1 a[1]: [ID x", Ok(["2001:db8::1", "a", "1", "[ID x"]));
    check("Feb  1 10:00:00 mx1 no program here", Ok(["mx1", "", "", "no program here"]));
    check("Feb  1 10:00:00 mx1", Err((19, "a host and a program after the time")));
    check("connect from x[192.0.2.1]", Err((0, "a date and time: `Feb  1 10:00:00`")));
    check("<abc>Feb  1 10:00:00 mx1 a: b", Err((1, "a priority: `<22>`")));
}

#[test]
fn lines_of_rfc5424() {
    check("<22>1 2027-01-18T06:42:18Z mx1 a/b 12 - - hello", Ok(["mx1", "a/b", "12", "hello"]));
    check("<22>1 - h a 1 - -  hello", Ok(["h", "a", "1", "hello"]));
    check("<22>1 - - a - - - \u{feff}hello", Ok(["", "a", "", "hello"]));
    check(r#"<22>1 - h a 1 ID [x@1 k="\"]\]"][y] hello"#, Ok(["h", "a", "1", "hello"]));
    check("<22>1 - h a 1 - -", Ok(["h", "a", "1", ""]));
    check("<22>1 - h a 1 - [x hello", Err((24, "`]` to close the structured data")));
    check("<22>1 - h a", Err((11, "a field of the header")));
}

#[test]
fn lines_about_no_mail_say_why() {
    let check = |text: &str, want| assert_eq!(line(text.as_bytes()), Line::Ignored(want), "{text}");
    check("", BLANK);
    check(" \t", BLANK);
    check("Feb  1 10:00:00 mx1 last message repeated 2 times", REPEATED);
    check("Feb  1 10:00:00 mx1 postfix/smtpd[1]: message repeated 2 times: [ connect from x[192.0.2.1]", REPEATED);
    check(
        "Feb  1 10:00:00 mx1 postfix/smtpd[1]: message repeated 99999999999 times: [ connect from x[192.0.2.1]]",
        REPEATED,
    );
    check("Feb  1 10:00:00 mx1 postfix/qmgr[1]: message repeated 2 times: [ ABCDEF1: removed]", REPEATED);
    check("Feb  1 10:00:00 mx1 sshd[1]: message repeated 2 times: [ connect from x[192.0.2.1]]", REPEATED);
    check("-- Boot 2c58c0a1a5b84ee3a8f3d2b8d8d5f0a1 --", BETWEEN);
    check("-- Logs begin at Mon 2027-01-18 06:42:18 CET, end at Tue 2027-01-19 06:42:18 CET. --", BETWEEN);
    check("--", BETWEEN);
    check("Feb  1 10:00:00 mx1 -- MARK --", MARK);
    check("Feb  1 10:00:00 mx1 rsyslogd: -- MARK --", MARK);
    check("Feb  1 10:00:00 mx1 systemd-journald[1]: Missed 20 kernel messages", LOST);
    check("Feb  1 10:00:00 mx1 sshd[1]: Accepted publickey", ANOTHER_DAEMON);
    check("Feb  1 10:00:00 mx1 postfwd[1]: connect from x[192.0.2.1]", ANOTHER_DAEMON);
}

#[test]
fn repetitions_of_what_stands_alone_are_counted() {
    let check = |body: &str, want: u32| {
        let text = format!("Feb  1 10:00:00 mx1 postfix/smtpd[1]: message repeated {want} times: [ {body}]");
        let plain = format!("Feb  1 10:00:00 mx1 postfix/smtpd[1]: {body}");
        match (line(text.as_bytes()), line(plain.as_bytes())) {
            (Line::Repeated { record, times }, Line::Record(one)) => assert_eq!((record, times), (one, want)),
            other => panic!("{text}: {other:?}"),
        }
    };
    check("connect from x[192.0.2.1]", 2);
    check(
        "NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 <b@example.net>: Relay access denied; \
         from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<[x]>",
        7,
    );
}
