//! What the lines of a session say (connection.js), and the delay by which the plugins that check passwords tell of one that
//! was wrong (plugins/auth/auth_base.js).

use super::entry::{Entry, Fields};
use crate::record::{Asks, Event, Peer, Refusal, Reply};
use crate::reply;
use crate::text::{Expected, address, number, path};

/// What a line says.
///
/// Only lines of the origin `core` are read, and one kind of the plugins `auth/...`: all others write what they please.
pub fn of<'a>(entry: &Entry<'a>) -> Result<Event<'a>, nom::Err<Expected<'a>>> {
    const WRONG_PASSWORD: Reply<'static> = Reply { code: 535, text: b"" };
    if entry.origin.starts_with(b"auth/") && is_delay(entry.message) {
        return Ok(Event::Replied { client: Peer::default(), reply: WRONG_PASSWORD, refusal: None });
    }
    if entry.origin != b"core" {
        return Ok(Event::Other);
    }
    let (word, rest) = first_word(entry.message);
    match word {
        b"connect" => connect(entry, rest),
        b"disconnect" => disconnect(entry, rest),
        b"sender" if rest.starts_with(b"<") => {
            let (path, rest) = path_of(entry, rest)?;
            step(entry, rest, Asks::Mail(path))
        }
        b"recipient" if rest.starts_with(b"<") => {
            let (path, rest) = path_of(entry, rest)?;
            step(entry, rest, Asks::Recipient(path))
        }
        b"message" => message(entry, rest),
        b"queue" => step(entry, rest, Asks::Queue),
        _ => Ok(Event::Other),
    }
}

fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

/// `delaying for 2 seconds`: each failure of a connection makes it wait longer.
fn is_delay(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"delaying for ").and_then(|rest| rest.strip_suffix(b" seconds"));
    digits.and_then(number).is_some()
}

/// The path, and what follows it. In the default format it ends by its own grammar; else it is all that the text has.
fn path_of<'a>(entry: &Entry<'a>, text: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), nom::Err<Expected<'a>>> {
    if entry.fields == Fields::InMessage {
        let (rest, found) = path(text)?;
        return Ok((found, rest));
    }
    let inside = text.strip_prefix(b"<").and_then(|text| text.strip_suffix(b">"));
    inside.map(|path| (path, b"".as_slice())).ok_or(wanted(text, "a path in angle brackets"))
}

fn wanted<'a>(rest: &'a [u8], what: &'static str) -> nom::Err<Expected<'a>> {
    nom::Err::Error(Expected { rest, what })
}

/// `connect ip=I port=P local_ip=I local_port=P`.
fn connect<'a>(entry: &Entry<'a>, rest: &'a [u8]) -> Result<Event<'a>, nom::Err<Expected<'a>>> {
    let ip = entry.get(rest, b"ip").and_then(address).ok_or(wanted(rest, "`ip=` and an address"))?;
    Ok(Event::Opened { client: Peer { address: Some(ip), name: b"" } })
}

/// `disconnect ip=I rdns=N helo=H relay=Y ... rcpts=1/0/0 ...`. A client whose name is not known is `NXDOMAIN` or `DNSERROR`.
fn disconnect<'a>(entry: &Entry<'a>, rest: &'a [u8]) -> Result<Event<'a>, nom::Err<Expected<'a>>> {
    let get = |key: &[u8]| entry.get(rest, key);
    let ip = get(b"ip").and_then(address).ok_or(wanted(rest, "`ip=` and an address"))?;
    let relay = get(b"relay").filter(|relay| matches!(*relay, b"Y" | b"N"));
    let name = get(b"rdns").filter(|name| !matches!(*name, b"Unknown" | b"NXDOMAIN" | b"DNSERROR"));
    Ok(Event::Summed {
        client: Peer { address: Some(ip), name: name.unwrap_or_default() },
        helo: get(b"helo").unwrap_or_default(),
        vouched: relay.ok_or(wanted(rest, "`relay=Y` or `relay=N`"))? == b"Y",
        accepted: accepted(get(b"rcpts")),
    })
}

/// Reads `1/0/2`: recipients accepted, put off and refused.
fn accepted(counts: Option<&[u8]>) -> Option<u32> {
    let first = counts?.split(|byte| *byte == b'/').next()?;
    u32::try_from(number(first)?).ok()
}

/// `message mid="<ID>" size=N rcpts=1/0/0 delay=S code=CONT msg=""`.
fn message<'a>(entry: &Entry<'a>, rest: &'a [u8]) -> Result<Event<'a>, nom::Err<Expected<'a>>> {
    let mid = entry.get(rest, b"mid").unwrap_or_default();
    let mid = mid.strip_prefix(b"<").unwrap_or(mid);
    let size = entry.get(rest, b"size").and_then(number).ok_or(wanted(rest, "`size=` and a number"))?;
    let asks = Asks::Message {
        message_id: mid.strip_suffix(b">").unwrap_or(mid),
        size_bytes: size,
        accepted: accepted(entry.get(rest, b"rcpts")),
    };
    step(entry, rest, asks)
}

/// Reads `code=CONT msg=""`, by which the server answers. The names are those of haraka-constants.
///
/// To the queue, `CONT` is no answer: either Haraka goes on to queue the message itself and logs `OK` next, or nobody would
/// have it, and the client is told to come back.
fn step<'a>(entry: &Entry<'a>, rest: &'a [u8], asks: Asks<'a>) -> Result<Event<'a>, nom::Err<Expected<'a>>> {
    let code = entry.get(rest, b"code").ok_or(wanted(rest, "`code=`"))?;
    let text = entry.get(rest, b"msg").unwrap_or_default();
    let code = match code {
        b"OK" => 250,
        b"CONT" if asks == Asks::Queue => return Ok(Event::Other),
        b"CONT" => 250,
        b"DENY" | b"DENYDISCONNECT" => 550,
        b"DENYSOFT" | b"DENYSOFTDISCONNECT" => 450,
        _ => return Ok(Event::Other),
    };
    let reply = Reply { code, text };
    let refusal = reply::refusal(&reply).map(|refusal| match (asks, refusal) {
        (Asks::Message { .. }, Refusal::Other | Refusal::Unsaid) => Refusal::Content,
        (_, Refusal::Other | Refusal::Unsaid) if code == 450 => Refusal::Greylisted,
        (_, refusal) => refusal,
    });
    Ok(Event::Step { asks, reply, refusal })
}
