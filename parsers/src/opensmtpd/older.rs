//! OpenSMTPD 5.x: sentences, `smtp-in: New session SID from host NAME [192.0.2.1]`, `relay: Ok for EVPID: session=SID, from=<S>, ...`
//! (5.4 smtp_session.c, mta.c, mda.c).

use super::Statement;
use super::atoms::{client, field, id, key, message_id};
use super::delivery::{Done, next_hop};
use super::refusal;
use crate::record::{Event, NextHop, Peer};
use crate::text::{Expected, Parsed, address, expect, number};
use memchr::memmem;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;

/// Parses a body that does not begin with a session id.
pub fn statement(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    match input {
        [b's', b'm', b't', b'p', b'-', b'i', b'n', b':', b' ', rest @ ..] => incoming(rest),
        [b'r', b'e', b'l', b'a', b'y', b':', b' ', rest @ ..] => delivery(true, rest),
        [b'd', b'e', b'l', b'i', b'v', b'e', b'r', b'y', b':', b' ', rest @ ..] => delivery(false, rest),
        _ => Ok((b"", Statement::default())),
    }
}

fn incoming(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    const ENDS: [&[u8]; 3] = [b"Received disconnect from session ", b"Closing session ", b"Disconnecting session "];
    if let Some(rest) = input.strip_prefix(b"New session ") {
        return connected(rest);
    }
    if let Some(rest) = ENDS.iter().find_map(|end| input.strip_prefix(*end)) {
        let (_, session) = session(rest)?;
        return Ok((b"", said(session, Event::Disconnect { client: Peer::default(), auth_failures: 0 })));
    }
    if let Some(rest) = input.strip_prefix(b"Accepted authentication for user ") {
        // The user is the client's text.
        let at = memmem::rfind(rest, ON_SESSION).ok_or(nom::Err::Error(Expected { rest, what: "` on session `" }))?;
        let (_, session) = session(&rest[at + ON_SESSION.len()..])?;
        let account = Some(&rest[..at]);
        return Ok((b"", said(session, Event::AuthSucceeded { client: Peer::default(), account })));
    }
    if let Some(rest) = input.strip_prefix(b"Failed command on session ") {
        return failed_command(rest);
    }
    match input.strip_prefix(b"Accepted message ").or_else(|| input.strip_prefix(b"New message ")) {
        Some(rest) => message(rest),
        None => Ok((b"", Statement::default())),
    }
}

const ON_SESSION: &[u8] = b" on session ";

fn said<'a>(session: &'a [u8], event: Event<'a>) -> Statement<'a> {
    Statement { session: Some(session), event: Some(event), message: None }
}

fn session(input: &[u8]) -> Parsed<'_, &[u8]> {
    let what = "the id of a session";
    id(input).map(|(id, rest)| (rest, id)).ok_or(nom::Err::Error(Expected { rest: input, what }))
}

/// `SID from host NAME [192.0.2.1]`, `[local]`.
fn connected(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    let (rest, session) = session(input)?;
    let (rest, _) = expect("` from host ` after the session", tag(" from host ")).parse(rest)?;
    let open = memmem::rfind(rest, b" [").ok_or(nom::Err::Error(Expected { rest, what: "` [` and the address" }))?;
    let literal = rest[open + 2..].strip_suffix(b"]").unwrap_or(&rest[open + 2..]);
    Ok((b"", said(session, Event::Connect { client: client(literal, &rest[..open]), once: true })))
}

/// `MSGID on session SID: from=<S>, to=<R>, size=N, ndest=N, proto=ESMTP`, once for each recipient.
fn message(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    let wanted = nom::Err::Error(Expected { rest: input, what: "a message id" });
    let (message, rest) = message_id(input).ok_or(wanted)?;
    let (rest, _) = expect("` on session ` after the message", tag(ON_SESSION)).parse(rest)?;
    let (rest, session) = session(rest)?;
    let (rest, _) = expect("`:` after the session", tag(":")).parse(rest)?;
    let (rest, reverse_path) = field("from=", rest)?;
    let (rest, forward_path) = field("to=", rest)?;
    let (rest, size) = field("size=", rest)?;
    let (_, count) = field("ndest=", rest)?;
    let event = Event::Envelope {
        client: Peer::default(),
        account: None,
        reverse_path: Some(reverse_path),
        forward_path: Some(forward_path),
        envelope: b"",
        envelopes: number(count).and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        size_bytes: number(size).unwrap_or(0),
    };
    Ok((b"", Statement { session: Some(session), message: Some(message), event: Some(event) }))
}

/// `SID: "COMMAND" => ANSWER`.
fn failed_command(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    const ARROW: &[u8] = b"\" => ";
    let (rest, session) = session(input)?;
    let (rest, _) = expect("`: \"` after the session", tag(": \"")).parse(rest)?;
    let at = memmem::find(rest, ARROW).ok_or(nom::Err::Error(Expected { rest, what: "`\" => ` after the command" }))?;
    let event = refusal::of_command(&rest[..at], &rest[at + ARROW.len()..], Peer::default());
    Ok((b"", Statement { session: Some(session), event, message: None }))
}

/// `Ok for EVPID: session=SID, from=<S>, to=<R>, rcpt=<O>, source=A, relay=A (H), delay=1s, stat=250 ok`, and for mailboxes
/// `Ok for EVPID: from=<S>, to=<R>, user=U, method=M, delay=1s, stat=Delivered`.
fn delivery(outside: bool, input: &[u8]) -> Parsed<'_, Statement<'_>> {
    let results = alt((tag("Ok"), tag("TempFail"), tag("PermFail"), tag("LoopDetected")));
    let mut start = (results, tag(" for "));
    let begun: Parsed<'_, _> = start.parse(input);
    let Ok((rest, (result, _))) = begun else { return Ok((b"", Statement::default())) };
    let wanted = nom::Err::Error(Expected { rest, what: "the id of a recipient" });
    let (envelope, rest) = id(rest).ok_or(wanted)?;
    let (rest, _) = expect("`:` after the id", tag(":")).parse(rest)?;
    let rest = field("session=", rest).map_or(rest, |(rest, _)| rest);
    let (rest, _) = field("from=", rest)?;
    let (rest, forward_path) = field("to=", rest)?;
    let (rest, original) = field("rcpt=", rest).map_or((rest, None), |(rest, original)| (rest, Some(original)));
    let (source, next_hop, rest) = match outside {
        true => {
            let (rest, source) = field("source=", rest)?;
            let (rest, _) = key("relay=", rest)?;
            let end = memmem::find(rest, b", ").unwrap_or(rest.len());
            (address(source), next_hop(&rest[..end]), &rest[end..])
        }
        false => (None, NextHop::Local, rest),
    };
    // What follows `stat=` is the other server's text, and what stands before it here is our own.
    let text = memmem::find(rest, b", stat=").map_or(b"".as_slice(), |at| &rest[at + 7..]);
    let done = Done { envelope, forward_path, original, source, next_hop, result, text };
    Ok((b"", done.statement().unwrap_or_default()))
}
