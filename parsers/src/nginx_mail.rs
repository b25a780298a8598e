//! nginx as a mail proxy: the log-ins in its error log.
//!
//! `2026/02/01 10:00:01 [info] 8#8: *15950 client login failed: "REASON" while in http auth state, client: IP, server: IP:PORT,
//! login: "U"`. The login is the client's text and stands last.

use crate::record::{Event, Line, Peer, Record, Watch, When};
use crate::registry::{Context, Format};
use crate::text::{Expected, address, unparsed};
use chrono::NaiveDateTime;
use memchr::memchr;
use memchr::memmem::find;

/// nginx as a mail proxy.
pub const FORMAT: Format = Format {
    name: "nginx-mail",
    title: "nginx as a proxy for IMAP, POP3 and SMTP (error log, level info)",
    versions: "checked against published lines of 2022 and 2023 (1.2x)",
    yields: "failed and successful log-ins with client and account",
    lacks: "mail; why a log-in failed, other than in the words of the authentication server; the zone of its times; the name of the server",
    source: "nginx src/mail/ngx_mail_auth_http_module.c, ngx_mail_handler.c (ngx_mail_log_error); observed: corpus nginx-mail (CrowdSec hub)",
    repeats: &[],
    recognises: |line| matches!(stamp(line), Some((_, text)) if is_mail(text)),
    parse,
    direct: |_, _| (),
};

const FAILED: &[u8] = b"client login failed: \"";
const IN: &[u8] = b"client logged in, client: ";

fn is_mail(text: &[u8]) -> bool {
    [FAILED, IN, b"proxied session done, client: "].iter().any(|start| text.starts_with(start))
}

/// Splits off `2026/02/01 10:00:01 [info] 8#8: *15950 `, or the same without the number of the connection.
fn stamp(line: &[u8]) -> Option<(When, &[u8])> {
    const TIME: usize = 19;
    let (time, rest) = line.split_at_checked(TIME)?;
    let time = NaiveDateTime::parse_from_str(std::str::from_utf8(time).ok()?, "%Y/%m/%d %H:%M:%S").ok()?;
    let rest = rest.strip_prefix(b" [")?;
    let rest = rest[memchr(b']', rest)?..].strip_prefix(b"] ")?;
    let (process, rest) = rest.split_at(find(rest, b": ")?);
    let is_process = process.iter().all(|byte| byte.is_ascii_digit() || *byte == b'#');
    let rest = is_process.then_some(&rest[2..])?;
    let text = rest.strip_prefix(b"*").and_then(|number| Some(&number[memchr(b' ', number)? + 1..]));
    Some((When::Local(time), text.unwrap_or(rest)))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let Some((when, text)) = stamp(line) else {
        // The access log of the web server often lies in the same stream.
        return Line::Ignored("not a line of nginx's error log");
    };
    match event(text) {
        Ok(event) => Line::Record(Record { when, server: b"", session: None, message: None, event }),
        Err(rest) => {
            let wanted = Expected { rest, what: "a client: ` while in http auth state, client: 192.0.2.1`" };
            Line::Unparsed(unparsed(line, &nom::Err::Error(wanted)))
        }
    }
}

/// The reason is the authentication server's; the first state behind it is nginx's.
fn event(text: &[u8]) -> Result<Event<'_>, &[u8]> {
    const STATE: &[u8] = b"\" while in http auth state, client: ";
    let failed = text.strip_prefix(FAILED);
    let rest = match (failed, text.strip_prefix(IN)) {
        (Some(said), _) => find(said, STATE).map(|at| &said[at + STATE.len()..]).ok_or(said)?,
        (None, Some(rest)) => rest,
        _ => return Ok(Event::Other),
    };
    // `client: 192.0.2.9 using starttls, server: ...`
    let end = rest.iter().position(|byte| matches!(byte, b' ' | b',')).unwrap_or(rest.len());
    let client = Peer { address: Some(address(&rest[..end]).ok_or(rest)?), name: b"" };
    let account = login(rest, failed.is_some());
    Ok(match failed {
        Some(_) => Event::LogInsFailed { client, account, times: 1, watch: Watch::Service },
        None => Event::AuthSucceeded { client, account },
    })
}

/// The login, which ends the line, or stands before the upstream server.
fn login(rest: &[u8], is_last: bool) -> Option<&[u8]> {
    const LOGIN: &[u8] = b", login: \"";
    let user = &rest[find(rest, LOGIN)? + LOGIN.len()..];
    let user = user.strip_suffix(b"\"").filter(|_| is_last).or_else(|| {
        let end = memchr::memmem::rfind(user, b"\", upstream: ");
        end.map(|end| &user[..end]).or_else(|| user.strip_suffix(b"\""))
    });
    user.filter(|user| !user.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &str) {
        let line = format!("2026/02/01 10:00:01 [info] 8#8: *15950 {text}");
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event, .. }) => match event {
                Event::LogInsFailed { client, account, times, .. } => {
                    format!("{:?} {:?} {times}", client.address, account.map(String::from_utf8_lossy))
                }
                Event::AuthSucceeded { client, account } => {
                    format!("{:?} {:?} in", client.address, account.map(String::from_utf8_lossy))
                }
                event => format!("{event:?}"),
            },
            Line::Unparsed(why) => format!("unparsed: {}", why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn log_ins() {
        let state = "\"no\" while in http auth state, client: 192.0.2.9";
        check(
            &format!("client login failed: {state} using starttls, server: 0.0.0.0:587, login: \"a@b\""),
            r#"Some(192.0.2.9) Some("a@b") 1"#,
        );
        check(&format!("client login failed: {state}, server: 0.0.0.0:25"), "Some(192.0.2.9) None 1");
        check(
            "client logged in, client: 192.0.2.9, server: 0.0.0.0:587, login: \"a\", upstream: 10.0.0.1:25",
            r#"Some(192.0.2.9) Some("a") in"#,
        );
        check("client logged in, client: 192.0.2.9, server: 0.0.0.0:25", "Some(192.0.2.9) None in");
        check("client 192.0.2.9:53044 connected to 0.0.0.0:25", "Other");
        check("client login failed: \"no\"", "unparsed: a client: ` while in http auth state, client: 192.0.2.1`");
    }

    #[test]
    fn a_login_cannot_pose_as_a_client() {
        let state = "\"no\" while in http auth state, client: 192.0.2.9, server: 0.0.0.0:25";
        check(
            &format!("client login failed: {state}, login: \"x\", client: 10.0.0.1, login: \"y\""),
            r#"Some(192.0.2.9) Some("x\", client: 10.0.0.1, login: \"y") 1"#,
        );
    }

    #[test]
    fn other_lines() {
        let parse = |line: &str| format!("{:?}", (FORMAT.parse)(line.as_bytes(), &Context::default()));
        assert_eq!(parse(""), "Ignored(\"blank line\")");
        assert!(parse("192.0.2.1 - - [x] \"GET / HTTP/1.1\" 403").starts_with("Ignored"));
        assert!(!(FORMAT.recognises)(b"2026/02/01 10:00:01 [error] 8#8: *1 directory index is forbidden"));
    }
}
