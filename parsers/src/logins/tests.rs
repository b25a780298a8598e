#![allow(clippy::unwrap_used)]
use super::*;
use crate::record::Event;

fn shown(line: &str) -> String {
    let text = |account: Option<&[u8]>| account.map(|text| String::from_utf8_lossy(text).into_owned());
    match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
        Line::Record(Record { event, .. }) => match event {
            Event::LogInsFailed { client, account, times, watch } => {
                format!("{:?} {:?} {times} {watch:?}", client.address, text(account))
            }
            Event::AuthSucceeded { client, account } => format!("{:?} {:?} in", client.address, text(account)),
            event => format!("{event:?}"),
        },
        Line::Unparsed(why) => format!("unparsed: {}", why.expected),
        line => format!("{line:?}"),
    }
}

/// Checks a body behind the envelope of syslog.
fn check(tag: &str, body: &str, want: &str) {
    let line = format!("Feb  1 10:00:00 mx1 {tag}[7]: {body}");
    assert_eq!(shown(&line), want, "{line}");
    assert!((FORMAT.recognises)(line.as_bytes()), "{line}");
}

#[test]
fn dovecot_login_services() {
    let check = |said: &str, want: &str| check("dovecot", said, want);
    let tail = "rip=192.0.2.9, lip=198.51.100.1, TLS, session=<9ZHq02g3J8S60fan>";
    let failed = r#"Some(192.0.2.9) Some("a b") 3 Service"#;
    check(&format!("imap-login: Disconnected (auth failed, 3 attempts): user=<a b>, method=PLAIN, {tail}"), failed);
    check(
        &format!("pop3-login: Info: Disconnected: Inactivity (auth failed, 3 attempts in 9 secs): user=<a b>, {tail}"),
        failed,
    );
    check(
        &format!(
            "imap-login: Login aborted: x (auth failed, 3 attempts in 9 secs) (auth_failed): user=<a b>, method=LOGIN, {tail}"
        ),
        failed,
    );
    check(
        "imap-login: Aborted login (1 authentication attempts): user=<a>, method=PLAIN, rip=::ffff:192.0.2.9",
        r#"Some(192.0.2.9) Some("a") 1 Service"#,
    );
    check(
        "imap-login: Disconnected (auth failed, 1 attempts): method=PLAIN, rip=2001:db8::9, lip=x",
        "Some(2001:db8::9) None 1 Service",
    );
    check(
        "imap-login: Disconnected (auth failed, 1 attempts): user=<a>, method=PLAIN, rip=y.y.y.y, lip=x",
        r#"None Some("a") 1 Service"#,
    );
    check(&format!("imap-login: Login: user=<a>, method=PLAIN, {tail}"), r#"Some(192.0.2.9) Some("a") in"#);
    check(
        &format!("submission-login: Info: Logged in: user=<a>, method=PLAIN, {tail}"),
        r#"Some(192.0.2.9) Some("a") in"#,
    );
    check(&format!("imap-login: Disconnected (no auth attempts in 2 secs): user=<>, {tail}"), "Other");
    check("pop3-login: Aborted login (tried to use disallowed plaintext auth): rip=192.0.2.9", "Other");
    check("imap-login: Aborted login (0 authentication attempts): rip=192.0.2.9", "Other");
    check("imap(a): Logged out in=1 out=2", "Other");
    check("Killed with signal 15", "Other");
    check(
        "imap-login: Login: user=<a>, method=PLAIN, lip=198.51.100.1",
        "unparsed: the client's address: `rip=192.0.2.1`",
    );
}

#[test]
fn dovecot_auth_process() {
    let check = |said: &str, want: &str| check("dovecot", said, want);
    let failed = r#"Some(192.0.2.9) Some("a@b") 1 Checker"#;
    check("auth: passwd-file(a@b,192.0.2.9): unknown user", failed);
    check("auth: Info: sql(a@b,192.0.2.9,<6rXunFtu493AqJDi>): Password mismatch", failed);
    check("auth: ldap(a@b,192.0.2.9,): invalid credentials", failed);
    check("auth-worker(304): pam(a@b,192.0.2.9): pam_authenticate() failed: Permission denied", failed);
    check("dovecot: auth(default): pam(a@b,192.0.2.9): pam_authenticate() failed: x: 2 Time(s)", failed);
    check(
        "auth-worker(7): Info: conn unix:auth-worker (pid=9,uid=97): auth-worker<128>: sql(a@b,192.0.2.9): unknown user (given password: x)",
        failed,
    );
    check("auth: sql(a@b,192.0.2.9): unknown user - trying the next passdb", "Other");
    check("auth: ldap(a,192.0.2.9): ldap_search((&(uid=a))) failed: No such object", "Other");
    check("auth: Error: auth client 1 disconnected with 1 pending requests: EOF", "Other");
    check("auth(default): LDAP: ldap_result() failed: Can't contact LDAP server", "Other");
    check("auth: sql(a@b): unknown user", "unparsed: a user and a client's address: `anna,192.0.2.1`");
}

#[test]
fn cyrus_and_saslauthd() {
    let user = r#"Some(192.0.2.9) Some("a b") 1 Service"#;
    check(
        "cyrus/imaps",
        "badlogin: h.example.org [192.0.2.9] plaintext a b SASL(-13): authentication failure: x",
        user,
    );
    check("imapd", "badlogin: h[192.0.2.9] OTP [SASL(-13): authentication failure]", "Some(192.0.2.9) None 1 Service");
    check("imap", "badlogin: [192.0.2.9] plain [SASL(-13): x]", "Some(192.0.2.9) None 1 Service");
    check(
        "cyrus/imap",
        "login: h.example.org [192.0.2.9] anna PLAIN+TLS User logged in SESSIONID=<x>",
        r#"Some(192.0.2.9) Some("anna") in"#,
    );
    check("cyrus/imap", "accepted connection", "Other");
    check("imap", "badlogin: nobody", "unparsed: a client: `host.example.org [192.0.2.1] `");
    check(
        "saslauthd",
        "do_auth         : auth failure: [user=a] [service=x] [user=b] [service=smtp] [realm=] [mech=pam] [reason=PAM auth error]",
        r#"None Some("a] [service=x] [user=b") 1 Checker"#,
    );
    check("saslauthd", "do_auth : auth failure: [user=a", "unparsed: `] [service=` behind the user");
    check("saslauthd", "server_exit     : master exited: 1", "Other");
}

#[test]
fn a_user_cannot_pose_as_a_client() {
    let failed = r#"Some(192.0.2.9) Some("x>, method=PLAIN, rip=10.0.0.1, lip=<") 1 Service"#;
    check(
        "dovecot",
        "imap-login: Disconnected (auth failed, 1 attempts): user=<x>, method=PLAIN, rip=10.0.0.1, lip=<>, method=PLAIN, rip=192.0.2.9, lip=198.51.100.1",
        failed,
    );
    check(
        "dovecot",
        "imap-login: Login: user=<x (auth failed, 9 attempts): rip=10.0.0.1>, rip=192.0.2.9, lip=198.51.100.1",
        r#"Some(192.0.2.9) Some("x (auth failed, 9 attempts): rip=10.0.0.1") in"#,
    );
    check(
        "dovecot",
        "auth: sql(x,10.0.0.1): unknown user,192.0.2.9): unknown user",
        "unparsed: `): ` once, between the client and the reason",
    );
    check(
        "cyrus/imap",
        "badlogin: h [192.0.2.9] plaintext [10.0.0.1] SASL(x) SASL(-13): authentication failure: x",
        r#"Some(192.0.2.9) Some("[10.0.0.1] SASL(x)") 1 Service"#,
    );
}

#[test]
fn dovecots_own_file() {
    let failed = r#"Some(192.0.2.9) Some("a") 1 Service"#;
    let line = "Jan 29 09:33:58 pop3-login: Info: Aborted login (auth failed, 1 attempts in 2 secs): user=<a>, method=PLAIN, rip=192.0.2.9";
    assert_eq!(shown(line), failed);
    assert!((FORMAT.recognises)(line.as_bytes()));
    let line = "2026-08-11 03:56:40 auth-worker(default): Info: pam(a,192.0.2.9): pam_authenticate() failed: x";
    assert_eq!(shown(line), r#"Some(192.0.2.9) Some("a") 1 Checker"#);
    for line in ["Jan 29 09:33:58 mx1 postfix/smtpd[1]: x", "Jan 29 09:33:58 mx1: Info: x y", "x"] {
        assert_eq!((FORMAT.recognises)(line.as_bytes()), line.contains("mx1: "), "{line}");
    }
}
