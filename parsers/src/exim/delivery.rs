//! Deliveries: `=> FINAL (parents) <ORIGINAL> R=router T=transport H=name [192.0.2.1] C="250 ok"`, and the same with
//! `->`, `>>`, `**` and `==` (Exim 4 specification, sections "Logging deliveries" to "Delivery failures").

use super::atoms::{Host, bare_address, host, message_id, path, quoted};
use super::fields::fields;
use crate::record::{Event, NextHop, Offspring, Status};
use crate::text::{Expected, Parsed};
use memchr::memmem;
use nom::Parser;
use nom::bytes::complete::tag;
use nom::combinator::opt;
use nom::sequence::preceded;

/// Parses what follows the flag.
///
/// The original forward-path is the one of the envelope, logged if it differs. What mail for a local user ends up in need not be an address
/// (a local-part, a file, a command, `:blackhole:`): then the forward-path is the one of the envelope too.
pub fn statement(status: Status, input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, (last, original)) = recipient(input)?;
    let (found, rest) = fields(rest);
    let (text, reply) = text(rest);
    let named = found.host.or_else(|| said_by(text).filter(|_| status == Status::Bounced));
    let next_hop = match (named, status) {
        (Some(Host { peer, port, .. }), _) => NextHop::Host { peer, port },
        (None, Status::Sent) => NextHop::Local,
        (None, _) => NextHop::None,
    };
    let is_address = memchr::memchr(b'@', last).is_some() && !matches!(last.first(), Some(b'|' | b'/' | b'>'));
    let (forward_path, original) = match original {
        Some(original) if !is_address => (original, None),
        other => (last, other.filter(|original| *original != last)),
    };
    Ok((
        b"",
        Event::Delivery {
            forward_paths: forward_path.into(),
            original_forward_path: original,
            expanded: false,
            envelope: b"",
            source: found.own,
            next_hop,
            status,
            text,
            child: reply.then(|| handed_on(text)).flatten(),
        },
    ))
}

/// Parses `FINAL`, `FINAL <ORIGINAL>`, `FINAL (parent, parent) <ORIGINAL>` (src/deliver.c, `string_log_address`).
fn recipient(input: &[u8]) -> Parsed<'_, (&[u8], Option<&[u8]>)> {
    let is_special = matches!(input.first(), Some(b'|' | b'/' | b'>')) || input.starts_with(b"save ");
    let strict = if is_special { Err(()) } else { bare_address(input).map_err(|_| ()) };
    if let Ok((rest, last)) = strict {
        let (rest, original) = original(rest)?;
        if original.is_some() || ends_recipient(rest) {
            return Ok((rest, (last, original)));
        }
    }
    loose(input)
}

/// Parses ` (parent, parent) <ORIGINAL>`, either of which may be missing.
fn original(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let parents = input.strip_prefix(b" (").and_then(|inside| {
        let end = memmem::find(inside, b") <").or_else(|| memmem::find(inside, b") "))?;
        Some(&inside[end + 1..])
    });
    opt(preceded(tag(" "), path)).parse(parents.unwrap_or(input))
}

/// Whether what follows can stand behind a recipient.
fn ends_recipient(rest: &[u8]) -> bool {
    let (_, after) = fields(rest);
    rest.is_empty() || after.len() < rest.len() || [b":".as_slice(), b" :", b" C="].iter().any(|s| rest.starts_with(s))
}

/// A recipient with spaces in it (a command, a file, a local-part without its quotation marks): it ends at its
/// ` <ORIGINAL>`, or at the router.
fn loose(input: &[u8]) -> Parsed<'_, (&[u8], Option<&[u8]>)> {
    let mut starts = memmem::find_iter(input, b" <").peekable();
    let mut with_original = None;
    while let (None, Some(at)) = (with_original, starts.next()) {
        // Up to the next one only: a path has no ` <`, and the line is read but once.
        let end = starts.peek().copied().unwrap_or(input.len());
        with_original = path(&input[at + 1..end]).ok().and_then(|(unread, original)| {
            let rest = &input[end - unread.len()..];
            ends_recipient(rest).then_some((rest, (&input[..at], Some(original))))
        });
    }
    let ends = [b" R=".as_slice(), b": "].iter().filter_map(|end| memmem::find(input, end)).min();
    let alone = || ends.map(|at| (&input[at..], (&input[..at], None)));
    let wanted = Expected { rest: input, what: "a recipient and ` R=` after it" };
    with_original.or_else(alone).ok_or(nom::Err::Error(wanted))
}

/// What is said about the delivery, and whether it is the other server's reply: `C="..."`, or what follows `: `.
fn text(rest: &[u8]) -> (&[u8], bool) {
    let reply = rest.strip_prefix(b" C=").and_then(|rest| quoted(rest).ok());
    if let Some((_, reply)) = reply {
        return (reply.get(1..reply.len() - 1).unwrap_or(reply), true);
    }
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    (rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start(), false)
}

/// The server that refused: `SMTP error from remote mail server after RCPT TO:<x@y>: host mx [192.0.2.1]: 550 no`.
/// Before 4.86 it stands only there (`remote mailer` before 4.83).
fn said_by(text: &[u8]) -> Option<Host<'_>> {
    let text = text.strip_prefix(b"SMTP error from remote mail")?;
    let colon = memchr::memchr(b':', text)?;
    let after = match &text[colon + 1..] {
        rest @ [b'<', ..] => path(rest).ok()?.0,
        _ => &text[colon..],
    };
    host(after.strip_prefix(b": host ")?).ok().map(|(_, host)| host)
}

/// The id under which another Exim took the message: `250 OK id=1RwtJa-000AFB-07`. It is one of ours if a content filter
/// hands the mail back to this server.
fn handed_on(reply: &[u8]) -> Option<(&[u8], Offspring)> {
    const MARK: &[u8] = b"OK id=";
    let id = &reply[memmem::rfind(reply, MARK)? + MARK.len()..];
    message_id(id).ok().map(|(_, id)| (id, Offspring::Reinjected))
}
