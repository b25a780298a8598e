//! The smallest parts of OpenSMTPD lines: ids, words, values.

use crate::record::Peer;
use crate::text::{Parsed, address, expect, path};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until};
use nom::character::complete::char;
use nom::sequence::{delimited, preceded};

/// Digits of a session's or a recipient's id.
pub const ID: usize = 16;
/// Digits of a message's id.
pub const MESSAGE: usize = 8;

/// The id with which the text begins, and what follows it.
pub fn id(input: &[u8]) -> Option<(&[u8], &[u8])> {
    hexadecimal(ID, input)
}

/// The message id with which the text begins, and what follows it.
pub fn message_id(input: &[u8]) -> Option<(&[u8], &[u8])> {
    hexadecimal(MESSAGE, input)
}

fn hexadecimal(digits: usize, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, rest) = input.split_at_checked(digits)?;
    let more = rest.first().is_some_and(u8::is_ascii_alphanumeric);
    (id.iter().all(u8::is_ascii_hexdigit) && !more).then_some((id, rest))
}

/// Parses a word: up to the next space. May be empty.
pub fn word(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_till(|b| b == b' ').parse(input)
}

/// Parses ` KEY=` or `, KEY=`.
pub fn key<'a>(name: &'static str, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    let separator = alt((tag(", "), tag(" ")));
    let mut rule = preceded(separator, tag(name));
    expect(name, |input: &'a [u8]| rule.parse(input)).parse(input)
}

/// Parses a value: `<path>`, without the brackets; `"text"`, up to a quotation mark that a space follows or that ends the line, since
/// text is logged as it is; or a word, without a comma that ends it.
pub fn value(input: &[u8]) -> Parsed<'_, &[u8]> {
    match input.first() {
        Some(b'<') => path(input).or_else(|_| delimited(char('<'), take_until(">"), char('>')).parse(input)),
        Some(b'"') => {
            let inside = &input[1..];
            let is_end = |at: &usize| matches!(inside.get(at + 1), None | Some(b' '));
            let end = memchr::memchr_iter(b'"', inside).find(is_end).unwrap_or(inside.len());
            Ok((inside.get(end + 1..).unwrap_or_default(), &inside[..end]))
        }
        _ => {
            let (_, found) = word(input)?;
            let found = found.strip_suffix(b",").unwrap_or(found);
            Ok((&input[found.len()..], found))
        }
    }
}

/// Parses ` KEY=VALUE`.
pub fn field<'a>(name: &'static str, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    let (rest, _) = key(name, input)?;
    value(rest)
}

/// The client that an address (`192.0.2.1`, `[2001:db8::1]`, `local`) and a name (`<unknown>` if there is none) stand for. A program on
/// the server itself has neither.
pub fn client<'a>(literal: &'a [u8], name: &'a [u8]) -> Peer<'a> {
    match address(literal) {
        Some(address) => {
            let name = if matches!(name, b"<unknown>" | b"unknown") { b"" } else { name };
            Peer { address: Some(address), name }
        }
        None if literal == b"local" => Peer::default(),
        None => Peer { address: None, name },
    }
}
