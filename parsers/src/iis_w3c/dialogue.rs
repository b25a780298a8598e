//! What one command, or one answer of another server, says about mail.

use super::fields::Row;
use super::time;
use crate::record::{Event, Key, Peer, Record, Refusal, Reply, Unparsed};
use crate::registry::Context;
use crate::text::{Parsed, number};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag_no_case, take, take_till, take_while};
use nom::character::complete::char;
use nom::combinator::{opt, recognize};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded};

const COMMAND: &[u8] = b"OutboundConnectionCommand";
const RESPONSE: &[u8] = b"OutboundConnectionResponse";

/// Whether `cs-username` names a side of an outbound connection.
pub fn is_outbound_name(user: &[u8]) -> bool {
    user == COMMAND || user == RESPONSE
}

/// Reads a row as a record. There is no session id: the client's address has to do.
///
/// Fails if date, time or `sc-status` is present and malformed: the server writes these, not the client.
pub fn record<'a>(row: &Row<'a>, context: &Context) -> Result<Record<'a>, Unparsed> {
    let when = time::when(row, context)?;
    let session = Some(Key { scope: row.site, id: row.peer });
    Ok(Record { when, server: row.computer, session, message: None, event: event(row)? })
}

/// What a row says, in whichever of the service's formats it is written: they differ in where the columns stand, and in
/// that only some write a space as `+`.
pub fn event<'a>(row: &Row<'a>) -> Result<Event<'a>, Unparsed> {
    Ok(match row.user {
        COMMAND if !is_inbound(row) => {
            Event::OutboundCommand { server: Peer::from_address(row.peer), verb: row.method, argument: row.query }
        }
        RESPONSE if !is_inbound(row) => {
            Event::OutboundReply { server: Peer::from_address(row.peer), reply: outbound_reply(row.query) }
        }
        _ => command(row, code(row)?),
    })
}

/// Whether a row that names an outbound connection is a client's after all: one that gave this as its EHLO name.
///
/// Observed (IIS 5.0, 7.0): outbound rows have `-` in `s-ip`, a port in `s-port`, 0 in `sc-status`, and no `+` before
/// the argument; rows of clients have an address, `0`, the reply code, and the `+` that stands for the space after
/// the verb. Any one of these is enough, since columns may be missing, and a client's DATA may lack the `+`.
fn is_inbound(row: &Row<'_>) -> bool {
    let answered = !matches!(row.status, b"" | b"0");
    !row.own_address.is_empty() || row.port == b"0" || answered || row.query.starts_with(b"+")
}

/// The reply code in `sc-status`; 0 if the column is absent.
fn code(row: &Row<'_>) -> Result<u16, Unparsed> {
    if row.status.is_empty() {
        return Ok(0);
    }
    let code = number(row.status).and_then(|code| u16::try_from(code).ok());
    code.ok_or(Unparsed { at: row.at.status, expected: "a reply code in `sc-status`" })
}

/// The verbs that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Hello,
    Mail,
    Recipient,
    Data,
    Chunk,
    Reset,
    Quit,
    Auth,
    Other,
}

impl Verb {
    /// Reads a verb, which is logged as typed. `TIMEOUT` is the server's word for hanging up on an idle client.
    fn of(method: &[u8]) -> Verb {
        let is = |verb: &[u8]| method.eq_ignore_ascii_case(verb);
        match method.len() {
            4 if is(b"RCPT") => Verb::Recipient,
            4 if is(b"MAIL") => Verb::Mail,
            4 if is(b"EHLO") || is(b"HELO") => Verb::Hello,
            4 if is(b"DATA") => Verb::Data,
            4 if is(b"BDAT") => Verb::Chunk,
            4 if is(b"RSET") => Verb::Reset,
            4 if is(b"QUIT") => Verb::Quit,
            4 if is(b"AUTH") => Verb::Auth,
            7 if is(b"TIMEOUT") => Verb::Quit,
            _ => Verb::Other,
        }
    }
}

/// Reads a client's command. MAIL and RCPT are [`Event::Other`] where the argument is not logged: a
/// made-up path would be the null reverse-path.
fn command<'a>(row: &Row<'a>, code: u16) -> Event<'a> {
    let (client, helo, reply) = (Peer::from_address(row.peer), row.user, Reply { code, text: b"" });
    let argument = argument(row.query);
    match (Verb::of(row.method), code) {
        (Verb::Hello, _) => Event::Hello { client, name: if argument.is_empty() { helo } else { argument } },
        (Verb::Mail | Verb::Recipient, _) if argument.is_empty() => Event::Other,
        (Verb::Mail, _) => Event::Mail { client, helo, reverse_path: path(b"FROM:", argument), reply },
        (Verb::Recipient, _) => {
            let forward_path = path(b"TO:", argument);
            Event::Recipient { client, helo, forward_path, reply, refusal: refusal(code) }
        }
        (Verb::Chunk, _) if !is_last_chunk(argument) => Event::Other,
        (verb @ (Verb::Data | Verb::Chunk), _) => {
            Event::Data { client, helo, message_id: message_id(verb, argument), size_bytes: number(row.bytes), reply }
        }
        (Verb::Reset, _) => Event::Reset { client, helo },
        (Verb::Quit, _) => Event::Quit { client, helo },
        (Verb::Auth, 235) => Event::AuthSucceeded { client, account: None },
        (Verb::Auth, 500..=599) => Event::AuthFailed { client, account: None },
        (Verb::Auth | Verb::Other, _) => Event::Other,
    }
}

/// The argument without the `+` of the space after the verb, or of several.
fn argument(query: &[u8]) -> &[u8] {
    &query[query.iter().position(|byte| !is_space(*byte)).unwrap_or(query.len())..]
}

/// A space, as one of the formats writes it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'+' | b' ')
}

/// The path in the argument of MAIL or RCPT, without brackets; the argument as it is if it does not
/// begin with `keyword`.
///
/// Observed: `FROM:<a@b>`, `From:+<a@b>`, `FROM:a@b`, `TO:<a@b>+NOTIFY=NEVER`, `FROM:<>`.
fn path<'a>(keyword: &'static [u8], argument: &'a [u8]) -> &'a [u8] {
    let mut address = preceded((tag_no_case(keyword), take_while(is_space)), alt((bracketed, bare)));
    address.parse(argument).map_or(argument, |(_, path)| path)
}

/// Parses `<user@example.org>` up to the first `>` outside of a quoted local-part (RFC 5321 section 4.1.2),
/// or to the end of the argument if none comes: the service refused such a path, but logged it.
fn bracketed(input: &[u8]) -> Parsed<'_, &[u8]> {
    let route = (char('@'), is_not(":\"<>"), char(':'));
    let escaped = recognize((char('\\'), take(1usize)));
    let text = many0_count(alt((is_not("\\\""), escaped)));
    let quoted = delimited(char('"'), text, char('"'));
    preceded(char('<'), recognize((opt(route), opt(quoted), take_till(|byte| byte == b'>')))).parse(input)
}

/// Parses a path without brackets: it ends at the first `+` after the `@`, for domains have none, or at the
/// first one of all if there is no `@`.
fn bare(input: &[u8]) -> Parsed<'_, &[u8]> {
    let domain = memchr::memchr(b'@', input).unwrap_or(0);
    let end = memchr::memchr2(b'+', b' ', &input[domain..]).map_or(input.len(), |length| domain + length);
    Ok((&input[end..], &input[..end]))
}

/// Whether BDAT brings the end of the message: `1024 LAST` (RFC 3030), or, as for DATA, the Message-ID.
fn is_last_chunk(argument: &[u8]) -> bool {
    let last = argument.rsplit(|byte| is_space(*byte)).next().unwrap_or_default();
    last.eq_ignore_ascii_case(b"LAST") || argument.contains(&b'<')
}

/// The Message-ID in the argument of DATA or BDAT, without its angle brackets; empty if there is none.
///
/// DATA has no argument of its own, so all that is logged is the Message-ID, with brackets or without.
fn message_id(verb: Verb, argument: &[u8]) -> &[u8] {
    match memchr::memchr(b'<', argument) {
        Some(open) => argument[open + 1..].strip_suffix(b">").unwrap_or(&argument[open + 1..]),
        None if verb == Verb::Data => argument,
        None => b"",
    }
}

/// Why RCPT was refused, as far as a bare code tells: relay denied and unknown user share 550.
fn refusal(code: u16) -> Option<Refusal> {
    match code {
        0 | 200..=299 => None,
        530 | 550 | 551 | 553 | 554 | 571 => Some(Refusal::Unsaid),
        500..=504 => Some(Refusal::BadSyntax),
        _ => Some(Refusal::Other),
    }
}

/// Another server's answer: `250+2.1.0+Ok`, `250-mx.example.org` (of several lines only the first is logged).
///
/// What does not begin with a reply code has the code 0 and is all text.
fn outbound_reply(query: &[u8]) -> Reply<'_> {
    match query {
        [b'2'..=b'5', _, _] | [b'2'..=b'5', _, _, b'+' | b'-' | b' ', ..] => {
            let code = number(&query[..3]).and_then(|code| u16::try_from(code).ok());
            let text = if code.is_some() { query.get(4..).unwrap_or_default() } else { query };
            Reply { code: code.unwrap_or(0), text }
        }
        _ => Reply { code: 0, text: query },
    }
}
