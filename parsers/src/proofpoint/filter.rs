//! The filter log: `rprt s=2hdryp02r6 m=1 x=2hdryp02r6-1 mod=mail cmd=env_rcpt r=1 value=b@example.net verified= routes=`.
//!
//! `s` is the session. Values are not quoted, and paths are the client's text: a line in which one of the keys that are used
//! stands twice is unparsed. What follows a path is the filter's, and keys are read from where the filter writes them.

use super::pod::refusal;
use crate::record::{Event, Key, Peer, Step};
use crate::syslog::{Body, Envelope};
use crate::text::{Expected, address, is_closed, number, value_of_key};
use memchr::memchr;

/// What stands before the fields of a command.
struct Head<'a> {
    session: &'a [u8],
    module: &'a [u8],
    command: &'a [u8],
    fields: &'a [u8],
}

/// Parses the body of a line of the filter. Only reports (`rprt`) tell of mail.
pub fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let Some(rest) = envelope.body.strip_prefix(b"rprt ") else {
        return Ok(Body { session: None, message: None, event: Event::Other });
    };
    let wanted =
        || nom::Err::Error(Expected { rest, what: "a session and a command: `s=2hdryp02r6 mod=mail cmd=msg`" });
    let head = head(rest).ok_or_else(wanted)?;
    let event = event(&head)?;
    // All instances of the filter number sessions together.
    let session = Some(Key { scope: b"filter", id: head.session });
    Ok(Body { session, message: None, event })
}

/// Reads `s=`, `m=`, `x=`, `mod=` and `cmd=`, which come first and in this order; the second to fourth may be missing.
fn head(text: &[u8]) -> Option<Head<'_>> {
    let mut head = Head { session: b"", module: b"", command: b"", fields: text };
    while head.command.is_empty() {
        let end = memchr(b' ', head.fields).unwrap_or(head.fields.len());
        let (word, rest) = head.fields.split_at(end);
        let (key, value) = word.split_at(memchr(b'=', word)? + 1);
        match key {
            b"s=" => head.session = value,
            b"m=" | b"x=" => {}
            b"mod=" => head.module = value,
            b"cmd=" => head.command = value,
            _ => return None,
        }
        head.fields = rest.strip_prefix(b" ").unwrap_or(rest);
        if value.is_empty() {
            return None;
        }
    }
    (!head.session.is_empty()).then_some(head)
}

fn event<'a>(head: &Head<'a>) -> Result<Event<'a>, nom::Err<Expected<'a>>> {
    let wanted = |what| nom::Err::Error(Expected { rest: head.fields, what });
    let one = |key: &[u8]| value_of_key(head.fields, key, is_of_key).map_err(|()| wanted("no key twice"));
    let path = |what| one(b"value")?.map(without_brackets).filter(|path| is_closed(path)).ok_or(wanted(what));
    Ok(match (head.module, head.command) {
        (b"session", b"connect") => {
            let client = one(b"ip")?.and_then(address).ok_or(wanted("the client: `ip=192.0.2.1`"))?;
            Event::Opened { client: Peer { address: Some(client), name: b"" } }
        }
        (b"session", b"disconnect") => Event::Closed { client: Peer::default() },
        (b"mail", b"env_from") => Event::Filtered(Step::ReversePath(path("the reverse-path: `value=`")?)),
        (b"mail", b"env_rcpt") => Event::Filtered(Step::ForwardPath(path("the forward-path: `value=`")?)),
        (b"mail", b"msg") => {
            // The subject is the client's text and stands behind both.
            let size_bytes = one(b"size")?.and_then(number).unwrap_or(0);
            let refusal = one(b"action")?.and_then(refusal);
            Event::Filtered(Step::Message { size_bytes, refusal })
        }
        _ => Event::Other,
    })
}

/// Keys of the filter: small letters, digits and `_`.
fn is_of_key(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')
}

/// A path, in brackets or not.
fn without_brackets(path: &[u8]) -> &[u8] {
    crate::paths::without_brackets(path.trim_ascii())
}
