//! The SMTP service of Microsoft IIS, in the NCSA Common Log File Format.
//!
//! `c-ip - EHLO-NAME [11/Oct/2006:13:16:41 -0600] "VERB -?ARGUMENT SMTP" REPLY-CODE BYTES`, a space in a field written as `+`.
//! Quotation marks in the argument are not escaped; the code and the bytes at the end are digits, so the
//! argument ends at the last quotation mark.

use crate::iis_w3c::dialogue::event;
use crate::iis_w3c::fields::Row;
use crate::record::{Key, Line, Record, When};
use crate::registry::{Context, Format};
use crate::text::{Expected, Parsed, address, expect, number, unparsed};
use chrono::DateTime;
use nom::Parser;
use nom::bytes::complete::{is_not, tag};
use nom::sequence::{delimited, terminated};

/// IIS SMTP in NCSA format.
pub const FORMAT: Format = Format {
    name: "iis-smtp-ncsa",
    title: "Microsoft IIS SMTP service, NCSA Common log format (nc*.log, ncsa*.log)",
    versions: "checked against a published log of one unnamed release (2006)",
    yields: "EHLO names, both paths, reply codes and Message-IDs of what clients sent; our own dialogue with other servers",
    lacks: "session and queue ids, accounts, the text of refusals, sizes, the name of the server",
    source: "Microsoft Learn \"Log Formats\" (cc780772); observed: corpus iis-smtp-ncsa (OSSEC documentation)",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

/// Whether a line is surely of this format. Web servers write the same with `HTTP/1.1` in the place of `SMTP`.
fn recognises(line: &[u8]) -> bool {
    matches!(row(line), Ok((_, (_, row))) if address(row.peer).is_some())
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Line::Ignored("blank line");
    }
    let (when, row) = match row(line) {
        Ok((_, found)) => found,
        Err(error) => return Line::Unparsed(unparsed(line, &error)),
    };
    let session = Some(Key { scope: row.site, id: row.peer });
    match event(&row) {
        Ok(event) => Line::Record(Record { when, server: b"", session, message: None, event }),
        Err(unparsed) => Line::Unparsed(unparsed),
    }
}

fn row(line: &[u8]) -> Parsed<'_, (When, Row<'_>)> {
    let word = || terminated(is_not(" "), tag(" "));
    let (rest, peer) = expect("an address", word()).parse(line)?;
    let (rest, _) = expect("` - `", tag("- ")).parse(rest)?;
    let (rest, user) = expect("an EHLO name", word()).parse(rest)?;
    let time = delimited(tag("["), is_not("]\""), tag("] \""));
    let (rest, stamp) = expect("a time: `[11/Oct/2006:13:16:41 -0600]`", time).parse(rest)?;
    let wanted = |rest, what| nom::Err::Error(Expected { rest, what });
    let when = when(stamp).ok_or(wanted(stamp, "a time: `[11/Oct/2006:13:16:41 -0600]`"))?;
    let end = memchr::memrchr(b'"', rest).ok_or(wanted(rest, "`\"` to close the request"))?;
    let (request, numbers) = rest.split_at(end);
    let mut numbers = numbers.get(2..).unwrap_or_default().split(|byte| *byte == b' ');
    let status = numbers.next().filter(|code| number(code).is_some());
    let status = status.ok_or(wanted(&rest[end..], "a reply code after the request"))?;
    let (query, method) = expect("a verb", word()).parse(request)?;
    let query = query.strip_suffix(b" SMTP").ok_or(wanted(request, "` SMTP` at the end of the request"))?;
    let query = query.strip_prefix(b"-").ok_or(wanted(query, "`-` after the verb"))?;
    let none = |field: &'_ [u8]| field == b"-";
    let row = Row {
        peer,
        user: if none(user) { b"" } else { user },
        method: if none(method) { b"" } else { method },
        query: query.strip_prefix(b"?").unwrap_or(query),
        status,
        ..Row::default()
    };
    Ok((b"", (when, row)))
}

/// `11/Oct/2006:13:16:41 -0600`.
fn when(text: &[u8]) -> Option<When> {
    let stamp = DateTime::parse_from_str(std::str::from_utf8(text).ok()?, "%d/%b/%Y:%H:%M:%S %z").ok()?;
    Some(When::Utc(stamp.timestamp_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Event;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn check(line: &str, want: &str) {
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event, when: When::Utc(_), .. }) => match event {
                Event::Mail { helo, reverse_path, .. } => format!("{} MAIL {}", text(helo), text(reverse_path)),
                Event::Recipient { helo, forward_path, refusal, .. } => {
                    format!("{} RCPT {} {refusal:?}", text(helo), text(forward_path))
                }
                Event::Data { message_id, .. } => format!("DATA {}", text(message_id)),
                Event::OutboundReply { reply, .. } => format!("reply {} {}", reply.code, text(reply.text)),
                event => format!("{event:?}"),
            },
            Line::Unparsed(why) => format!("unparsed at {}: {}", why.at, why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn both_directions() {
        let line = |user: &str, rest: &str| format!("192.0.2.9 - {user} [11/Oct/2006:13:16:41 -0600] {rest}");
        check(&line("h", r#""MAIL -?+FROM:+<a@example.org> SMTP" 250 46"#), "h MAIL a@example.org");
        check(&line("-", r#""RCPT -?+TO:<b@example.net> SMTP" 550 46"#), " RCPT b@example.net Some(Unsaid)");
        check(&line("h", r#""DATA -?+<1@h> SMTP" 250 124"#), "DATA 1@h");
        check(
            &line("OutboundConnectionResponse", r#""- -?354+end+with+"."+ok SMTP" 0 50"#),
            r#"reply 354 end+with+"."+ok"#,
        );
        check(
            &line("h", r#""RCPT -?+TO:<"x SMTP" 250 9"@example.net> SMTP" 550 46"#),
            r#"h RCPT "x SMTP" 250 9"@example.net Some(Unsaid)"#,
        );
        check(&line("h", r#""GET / HTTP/1.0" 404 9"#), "unparsed at 51: ` SMTP` at the end of the request");
        check(&line("h", r#""MAIL -?+FROM:<a@b> SMTP"#), "unparsed at 44: `\"` to close the request");
        check("192.0.2.9 - h x", "unparsed at 14: a time: `[11/Oct/2006:13:16:41 -0600]`");
    }
}
