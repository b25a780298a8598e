//! Mail coming in: `<= SENDER H=name (helo) [192.0.2.1] P=esmtpa A=login:alice S=2345 id=x@example.org ...`
//! (Exim 4 specification, section "Logging message reception").

use super::atoms::{bare_address, path};
use super::fields::{Fields, fields};
use crate::record::Event;
use crate::text::{Expected, Parsed};
use memchr::memmem;
use nom::Parser;
use nom::branch::alt;
use nom::combinator::verify;

/// Parses what follows `<= `: the reverse-path, then fields.
///
/// The user is given only for mail that came by no connection: else `U=` is the answer of the client's ident service.
/// The message it notifies about is given for mail from the null reverse-path that the server made itself
/// (`R=` with `P=local`).
pub fn statement(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, reverse_path) = reverse_path(input)?;
    let (found, rest) = fields(rest);
    if rest.starts_with(b" H=") {
        return Err(nom::Err::Error(Expected { rest: &rest[3..], what: "a host: `name (helo) [192.0.2.1]`" }));
    }
    let is_local = found.protocol.is_some_and(|protocol| protocol.starts_with(b"local"));
    let host = found.host.unwrap_or_default();
    Ok((
        b"",
        Event::Arrived {
            client: host.peer,
            helo: host.helo,
            account: found.account.filter(|_| is_logged_in(&found, input)),
            user: found.user.filter(|_| found.host.is_none()).unwrap_or_default(),
            reverse_path,
            message_id: rest.strip_prefix(b" id=").map_or(b"".as_slice(), first_word),
            size_bytes: found.size_bytes.unwrap_or(0),
            recipients: None,
            notifies: found.reference.filter(|_| reverse_path.is_empty() && is_local),
        },
    ))
}

fn first_word(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(b' ', text).unwrap_or(text.len())]
}

/// Whether an account on the line is Exim's word and not the client's.
///
/// `DN=`, `SNI=` and the answer of an ident service (`U=`) are the client's text without any escape, and can hold an ` A=`.
/// But the protocol says whether the client logged in (`esmtpa`, `esmtpsa`, RFC 3848, `asmtp` in old releases), and only `U=` comes
/// before it: if there is one, the line must have no other ` P=`.
fn is_logged_in(found: &Fields<'_>, input: &[u8]) -> bool {
    const WITHOUT: [&[u8]; 6] = [b"smtp", b"smtps", b"esmtp", b"esmtps", b"lmtp", b"lmtps"];
    let Some(protocol) = found.protocol else { return false };
    let protocol = protocol.strip_prefix(b"utf8").unwrap_or(protocol);
    let has_ident = found.host.is_some() && found.user.is_some();
    let is_alone = || memmem::find_iter(input, b" P=").nth(1).is_none();
    !WITHOUT.contains(&protocol) && (!has_ident || is_alone())
}

/// Parses `<>` or an address without brackets. One that breaks the rule for quotation marks ends where the fields begin.
fn reverse_path(input: &[u8]) -> Parsed<'_, &[u8]> {
    let is_field = |rest: &[u8]| rest.is_empty() || FIRST.iter().any(|field| rest.starts_with(field));
    let strict = alt((path, bare_address)).parse(input);
    match strict {
        Ok((rest, found)) if is_field(rest) => Ok((rest, found)),
        _ => {
            let mut rule = verify(loose, |found: &[u8]| !found.is_empty());
            rule.parse(input)
        }
    }
}

/// The fields that can follow the reverse-path.
const FIRST: [&[u8]; 6] = [b" R=", b" H=", b" U=", b" P=", b" S=", b" DS H="];

fn loose(input: &[u8]) -> Parsed<'_, &[u8]> {
    let end = FIRST.iter().filter_map(|field| memmem::find(input, field)).min();
    let (found, rest) = input.split_at(end.unwrap_or(input.len()));
    if end.is_none() {
        return Err(nom::Err::Error(Expected { rest, what: "` H=` or ` U=` after the reverse-path" }));
    }
    Ok((rest, found))
}
