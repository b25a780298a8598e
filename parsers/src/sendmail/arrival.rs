//! Mail coming in: `from=<S>, size=2345, class=0, nrcpts=1, msgid=<x@example.org>, proto=ESMTP, daemon=MTA, relay=HOST`
//! (sendmail/headers.c, `logsender`).

use super::atoms::{bare, guarded_end, relay};
use crate::record::{Event, Peer};
use crate::text::{Expected, Parsed, expect, number, path};
use memchr::memmem;
use nom::Parser;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::opt;
use nom::sequence::preceded;

/// Longest logged sender, with what a log daemon's own escapes may add.
const SENDER: usize = 240;

/// Parses what follows `from=`.
///
/// The account is given as empty where the protocol says that the client logged in (`ESMTPA`, `ESMTPSA`, RFC 3848; 8.15 and
/// later): the line of the log-in names it. `relay=user@localhost` is mail handed in on the server.
pub fn statement(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, reverse_path) = sender(input)?;
    let (rest, size_bytes) = preceded(expect("`, size=` after the sender", tag(", size=")), digits).parse(rest)?;
    let sign = opt(tag("-"));
    let (rest, _) = (expect("`, class=` after the size", tag(", class=")), sign, digits).parse(rest)?;
    let (rest, _) = opt((tag(", pri="), opt(tag("-")), digits)).parse(rest)?;
    let (rest, recipients) = preceded(expect("`, nrcpts=` after the class", tag(", nrcpts=")), digits).parse(rest)?;
    let tail = Tail::of(rest);
    Ok((b"", event(reverse_path, size_bytes, recipients, &tail)?))
}

fn event<'a>(
    reverse_path: &'a [u8],
    size_bytes: u64,
    recipients: u64,
    tail: &Tail<'a>,
) -> Result<Event<'a>, nom::Err<Expected<'a>>> {
    let host = match tail.relay {
        Some(text) => relay(text)?.1,
        None => Default::default(),
    };
    let is_local = host.peer.address.is_none() && matches!(host.peer.name, b"" | b"localhost");
    Ok(Event::Arrived {
        client: if is_local { Peer::default() } else { host.peer },
        helo: b"",
        account: tail.logged_in().then_some(b"".as_slice()),
        user: if is_local { host.user } else { b"" },
        reverse_path: bare(reverse_path),
        message_id: tail.message_id,
        size_bytes,
        recipients: Some(u32::try_from(recipients).unwrap_or(u32::MAX)),
        notifies: None,
    })
}

/// Parses what follows `from=` where an export has left out the commas (FortiMail): `<S> size=2345 class=0 nrcpts=1
/// msgid=<...> proto=ESMTP daemon=MTA relay=HOST`. The path is in brackets; the message id, also the client's, stands
/// before the last ` proto=`.
pub fn without_commas(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, reverse_path) = path(input)?;
    let (rest, size_bytes) = preceded(expect("` size=` after the sender", tag(" size=")), digits).parse(rest)?;
    let (rest, _) = (expect("` class=` after the size", tag(" class=")), opt(tag("-")), digits).parse(rest)?;
    let (rest, recipients) = preceded(expect("` nrcpts=` after the class", tag(" nrcpts=")), digits).parse(rest)?;
    let fields = memmem::rfind(rest, b" proto=").map_or(rest, |at| &rest[at + 1..]);
    let mut tail = Tail::default();
    for field in fields.split(|byte| *byte == b' ') {
        tail.protocol = field.strip_prefix(b"proto=").or(tail.protocol);
        tail.auth = field.strip_prefix(b"auth=").or(tail.auth);
    }
    tail.message_id = message_id(rest, b" msgid=<");
    tail.relay = memmem::rfind(fields, b" relay=").map(|at| &fields[at + 7..]);
    Ok((b"", event(reverse_path, size_bytes, recipients, &tail)?))
}

/// The Message-ID of `, msgid=<ID>, ...`: up to the first `>`, since it is the client's text and may look like anything.
fn message_id<'a>(rest: &'a [u8], key: &[u8]) -> &'a [u8] {
    let id = rest.strip_prefix(key).unwrap_or_default();
    &id[..memchr::memchr(b'>', id).unwrap_or(0)]
}

/// Whether the client of a `from=` line may have logged in: not by plain SMTP, nor where the protocol would say so.
/// Before 8.15 it is `ESMTP` in any case.
pub fn may_have_logged_in(statement: &[u8]) -> bool {
    let tail = Tail::of(statement);
    tail.logged_in() || tail.protocol == Some(b"ESMTP")
}

/// Parses the sender, which is the client's text: up to the `, size=` outside of quotation marks. A quoted local-part that
/// was cut has no end: then up to the last one within the length that is logged.
fn sender(input: &[u8]) -> Parsed<'_, &[u8]> {
    const NEXT: &[u8] = b", size=";
    let whole = guarded_end(input).filter(|end| input[*end..].starts_with(NEXT));
    let end = whole.or_else(|| memmem::rfind(&input[..input.len().min(SENDER + NEXT.len())], NEXT));
    let (found, rest) = input.split_at(end.unwrap_or(input.len()));
    if end.is_none() {
        return Err(nom::Err::Error(Expected { rest, what: "`, size=` after the sender" }));
    }
    Ok((rest, found))
}

fn digits(input: &[u8]) -> Parsed<'_, u64> {
    let (rest, digits) = expect("a number", take_while1(|b: u8| b.is_ascii_digit())).parse(input)?;
    Ok((rest, number(digits).unwrap_or(u64::MAX)))
}

/// What follows the message id. That is the client's text and may look like anything, so the fields are read from the end.
#[derive(Default)]
struct Tail<'a> {
    message_id: &'a [u8],
    relay: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
    /// `auth=`, in builds that log it (`_FFR_LOG_MORE1`): a mechanism or `NONE`.
    auth: Option<&'a [u8]>,
}

impl<'a> Tail<'a> {
    fn of(text: &'a [u8]) -> Tail<'a> {
        let mut tail = Tail { message_id: message_id(text, b", msgid=<"), ..Tail::default() };
        let mut rest = text;
        while let Some(at) = memmem::rfind(rest, b", ") {
            let field = &rest[at + 2..];
            let Some(equals) = memchr::memchr(b'=', field) else { break };
            let value = &field[equals + 1..];
            match &field[..equals] {
                b"relay" if tail.relay.is_none() => tail.relay = Some(value),
                b"proto" => tail.protocol = Some(value),
                b"auth" => tail.auth = Some(value),
                b"daemon" | b"tls_verify" | b"tls_version" | b"cipher" | b"bodytype" => {}
                _ => break,
            }
            rest = &rest[..at];
            // Nothing of Sendmail's own stands before these but the message id.
            if tail.protocol.is_some() {
                break;
            }
        }
        tail
    }

    fn logged_in(&self) -> bool {
        let by_protocol = matches!(self.protocol, Some(b"ESMTPA" | b"ESMTPSA" | b"LMTPA" | b"LMTPSA"));
        by_protocol || self.auth.is_some_and(|mechanism| mechanism != b"NONE")
    }
}
