//! The SMTP service of Microsoft IIS, in the format that Microsoft calls its own: fixed columns, a comma and a space between them.
//!
//! `c-ip, EHLO name, date, time, SMTPSVC1, computer, own address, ms, bytes in, bytes out, reply code, win32, verb, -, argument,`.
//! Nothing is escaped. The first column is the service's own; the EHLO name may hold commas, so the columns after it
//! are found by the one place that reads `, SMTPSVC<n>, `, with a date and a time before it.

use crate::iis_w3c::dialogue::event;
use crate::iis_w3c::fields::Row;
use crate::iis_w3c::is_smtp_site;
use crate::record::{Key, Line, Record, Unparsed, When};
use crate::registry::{Context, Format};
use crate::text::{number, split_at_only};
use chrono::{NaiveDate, NaiveDateTime};
use memchr::memmem::{find, rfind};

/// IIS SMTP in Microsoft IIS format.
pub const FORMAT: Format = Format {
    name: "iis-smtp-msiis",
    title: "Microsoft IIS SMTP service, Microsoft IIS log format (in*.log, inetsv*.log)",
    versions: "checked against a published log of one unnamed release (2009)",
    yields: "EHLO names, both paths, reply codes, sizes and Message-IDs of what clients sent; our own dialogue with other servers",
    lacks: "session and queue ids, accounts, the text of refusals, the zone of its times",
    source: "Microsoft Learn \"Log Formats\" (cc780772); observed: corpus iis-smtp-msiis",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

const SEPARATOR: &[u8] = b", ";
const SITE: &[u8] = b", SMTPSVC";

fn recognises(line: &[u8]) -> bool {
    row(line).is_ok_and(|(_, row)| !row.peer.is_empty())
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Line::Ignored("blank line");
    }
    let record = row(line).and_then(|(when, row)| {
        let session = Some(Key { scope: row.site, id: row.peer });
        Ok(Record { when, server: row.computer, session, message: None, event: event(&row)? })
    });
    match record {
        Ok(record) => Line::Record(record),
        Err(unparsed) => Line::Unparsed(unparsed),
    }
}

/// Cuts a line into its columns. `-` is none.
fn row(line: &[u8]) -> Result<(When, Row<'_>), Unparsed> {
    let wanted = |at, expected| Unparsed { at, expected };
    let before = find(line, SITE).ok_or(wanted(0, "`, SMTPSVC1, ` in the fifth column"))?;
    let (head, rest) = split_at_only(line, SITE).ok_or(wanted(before, "`, SMTPSVC` only once"))?;
    let columns = "an address, a name, a date and a time before the name of the service";
    let client = find(head, SEPARATOR).ok_or(wanted(0, columns))?;
    let time = rfind(head, SEPARATOR).ok_or(wanted(0, columns))?;
    let date = rfind(&head[..time], SEPARATOR).filter(|date| client < *date).ok_or(wanted(client, columns))?;
    let when = stamp(&head[date + 2..time], &head[time + 2..])
        .ok_or(wanted(date + 2, "a date and a time: `4/23/2009, 9:47:02`"))?;
    let start = before + SEPARATOR.len();
    let number = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let site = &line[start..before + SITE.len() + number];
    let mut fields = rest[number..].strip_prefix(SEPARATOR).map(|rest| Columns { rest: Some(rest) });
    let mut next = || {
        let field = fields.as_mut()?.next()?;
        Some(if field == b"-" { b"".as_slice() } else { field })
    };
    let mut all = [b"".as_slice(); 9];
    for field in &mut all {
        *field = next().ok_or(wanted(line.len(), "15 columns"))?;
    }
    let [computer, own_address, _, bytes, _, status, _, method, _] = all;
    let query = fields.and_then(|fields| fields.rest).ok_or(wanted(line.len(), "15 columns"))?;
    let query = query.strip_suffix(b",").unwrap_or(query);
    let user = &head[client + SEPARATOR.len()..date];
    let none = |field: &'_ [u8]| field == b"-";
    let row = Row {
        peer: &head[..client],
        user: if none(user) { b"" } else { user },
        site,
        computer,
        own_address,
        method,
        query: if none(query) { b"" } else { query },
        status,
        bytes,
        ..Row::default()
    };
    if is_smtp_site(site) { Ok((when, row)) } else { Err(wanted(start, "`SMTPSVC` and a number")) }
}

/// Columns from left to right, as many as are asked for.
struct Columns<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let end = find(rest, SEPARATOR)?;
        self.rest = Some(&rest[end + SEPARATOR.len()..]);
        Some(&rest[..end])
    }
}

/// The server's local time, month first: `4/23/2009` or `8/18/06`, and `9:47:02`.
fn stamp(date: &[u8], time: &[u8]) -> Option<When> {
    const CENTURY: u32 = 2000;
    let [month, day, year] = three(date, b'/')?;
    let [hour, minute, second] = three(time, b':')?;
    let year = if year < 100 { year + CENTURY } else { year };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let stamp: NaiveDateTime = date.and_hms_opt(hour, minute, second)?;
    Some(When::Local(stamp))
}

fn three(text: &[u8], separator: u8) -> Option<[u32; 3]> {
    let mut parts = text.split(|byte| *byte == separator).map(|part| u32::try_from(number(part)?).ok());
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
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
            Line::Record(Record { event, .. }) => match event {
                Event::Mail { helo, reverse_path, reply, .. } => {
                    format!("{} MAIL {} {}", text(helo), text(reverse_path), reply.code)
                }
                Event::Recipient { helo, forward_path, refusal, client, .. } => {
                    format!("{} RCPT {} {refusal:?} {:?}", text(helo), text(forward_path), client.address.is_some())
                }
                Event::Data { message_id, size_bytes, .. } => format!("DATA {} {size_bytes:?}", text(message_id)),
                Event::OutboundReply { reply, .. } => format!("reply {} {}", reply.code, text(reply.text)),
                Event::OutboundCommand { verb, argument, .. } => format!("{} {}", text(verb), text(argument)),
                event => format!("{event:?}"),
            },
            Line::Unparsed(why) => format!("unparsed at {}: {}", why.at, why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn both_directions() {
        let line = |user: &str, own: &str, status: u16, rest: &str| {
            format!("192.0.2.9, {user}, 4/23/2009, 9:47:02, SMTPSVC1, MX, {own}, 0, 36, 49, {status}, 0, {rest},")
        };
        check(&line("h", "192.0.2.1", 250, "MAIL, -, FROM:<a@example.org> SIZE=9"), "h MAIL a@example.org 250");
        check(&line("h", "192.0.2.1", 250, "MAIL, -, FROM: a@example.org"), "h MAIL a@example.org 250");
        check(&line("-", "192.0.2.1", 550, "RCPT, -, TO:<\"a, b\"@x>"), " RCPT \"a, b\"@x Some(Unsaid) true");
        check(&line("h", "192.0.2.1", 250, "DATA, -, <1@h>"), "DATA 1@h Some(36)");
        check(&line("OutboundConnectionResponse", "-", 0, "-, -, 220 mx, x, y "), "reply 220 mx, x, y ");
        check(&line("OutboundConnectionCommand", "-", 0, "MAIL, -, FROM:<a@b>"), "MAIL FROM:<a@b>");
        check("", "Ignored(\"blank line\")");
        check("a, b", "unparsed at 0: `, SMTPSVC1, ` in the fifth column");
        check("192.0.2.9, h, 4/23/2009, 9:47:02, SMTPSVC1, MX, x", "unparsed at 49: 15 columns");
        check(
            "192.0.2.9, h, 4/99/2009, 9:47:02, SMTPSVC1, MX",
            "unparsed at 14: a date and a time: `4/23/2009, 9:47:02`",
        );
    }

    #[test]
    fn an_ehlo_name_cannot_add_columns() {
        let name = "x, 4/23/2009, 9:47:02, SMTPSVC1, MX, 192.0.2.1, 0, 9, 9, 250, 0, RCPT, -, TO:<v@example.net>,";
        let line =
            format!("192.0.2.9, {name}, 4/23/2009, 9:47:02, SMTPSVC1, MX, 192.0.2.1, 0, 9, 9, 250, 0, EHLO, -, x,");
        check(&line, "unparsed at 32: `, SMTPSVC` only once");
        let line = "192.0.2.9, a, b, 4/23/2009, 9:47:02, SMTPSVC1, MX, 192.0.2.1, 0, 9, 9, 250, 0, MAIL, -, FROM:<>,";
        check(line, "a, b MAIL  250");
    }
}
