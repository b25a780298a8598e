//! What qmail-send says of its queue (qmail-log(5), qmail-send.c).

use super::{Statement, key};
use crate::record::{Event, Peer, Status};
use crate::text::{Expected, Parsed, address, expect, number};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::value;
use nom::sequence::{delimited, preceded, terminated};

/// Parses one statement of qmail-send. Whatever it says besides is [`Event::Other`].
///
/// A message is named by the inode of its file, which is used again at once: its life is from `info msg` to `end msg`.
pub fn statement(text: &[u8]) -> Parsed<'_, Statement<'_>> {
    match text.first() {
        Some(b'i') if text.starts_with(b"info msg ") => info(text),
        Some(b's') if text.starts_with(b"starting delivery ") => start(text),
        Some(b'd') if text.starts_with(b"delivery ") => end(text),
        Some(b'e') if text.starts_with(b"end msg ") => {
            let (rest, message) = preceded(tag("end msg "), digits).parse(text)?;
            Ok((rest, (Some(message), Event::Removed)))
        }
        _ => Ok((b"", (None, Event::Other))),
    }
}

/// Parses `info msg 2638346: bytes 2345 from <alice@example.com> qp 2120 uid 89`.
///
/// The reverse-path may hold any text. What follows it has one shape and ends the line, so it is read from there.
fn info(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    let head = (delimited(tag("info msg "), digits, tag(": bytes ")), terminated(digits, tag(" from <")));
    let (rest, (message, size)) = expect("a message, its size and `from <`", head).parse(input)?;
    let wanted = nom::Err::Error(Expected { rest, what: "`> qp N uid N` at the end" });
    let close = memchr::memmem::rfind(rest, b"> qp ").ok_or(wanted)?;
    let (_, (_, user)) = (delimited(tag("> qp "), digits, tag(" uid ")), expect("`> qp N uid N` at the end", digits))
        .map(|(_, user)| ((), user))
        .parse(&rest[close..])?;
    let event = Event::Enqueued { user, reverse_path: &rest[..close], size_bytes: number(size).unwrap_or(0) };
    Ok((b"", (Some(message), event)))
}

/// Parses `starting delivery 17: msg 2638346 to remote victim@example.org`, or `to local example.com-bob@example.com`.
fn start(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    let head = (delimited(tag("starting delivery "), digits, tag(": msg ")), terminated(digits, tag(" to ")));
    let (rest, (attempt, message)) = expect("an attempt, a message and ` to `", head).parse(input)?;
    let place = alt((value(true, tag("local ")), value(false, tag("remote "))));
    let (path, is_local) = expect("`local` or `remote`", place).parse(rest)?;
    let event = Event::AttemptStarted { attempt: key(attempt), forward_path: path, is_local };
    Ok((b"", (Some(message), event)))
}

/// Parses `delivery 17: success: 192.0.2.25_accepted_message./Remote_host_said:_250_Ok/`.
fn end(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    let head = delimited(tag("delivery "), digits, tag(": "));
    let (rest, attempt) = expect("the number of an attempt", head).parse(input)?;
    let status = alt((
        value(Status::Sent, tag("success: ")),
        value(Status::Bounced, tag("failure: ")),
        value(Status::Deferred, tag("deferral: ")),
        value(Status::Deferred, tag("report mangled, will defer")),
    ));
    let (text, status) = expect("`success`, `failure` or `deferral`", status).parse(rest)?;
    let event = Event::AttemptEnded { attempt: key(attempt), status, server: server(text), text };
    Ok((b"", (None, event)))
}

/// The server that answered, by the words of qmail-remote.c: `192.0.2.25_accepted_message.`, `192.0.2.25_does_not_like_recipient.`,
/// `192.0.2.25_failed_...`, `Connected_to_192.0.2.25_but_...`.
fn server(text: &[u8]) -> Option<Peer<'_>> {
    let text = text.strip_prefix(b"Connected_to_").unwrap_or(text);
    let word = text.split(|byte| *byte == b'_').next()?;
    address(word).map(|address| Peer { address: Some(address), name: b"" })
}

fn digits(input: &[u8]) -> Parsed<'_, &[u8]> {
    expect("a number", take_while1(|byte: u8| byte.is_ascii_digit())).parse(input)
}
