//! The `KEY=value` fields of a line, as far as they are Exim's own words.
//!
//! Everything a client may fill with any text stands at the end (`id=`, `T="subject"`, `C="reply"`, ` for `, the reason of a
//! refusal), so reading stops at the first thing that is no known field (src/receive.c, src/deliver.c).

use super::atoms::{Host, host, path, quoted, word};
use crate::text::{Parsed, address, number};
use memchr::memmem;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_a, tag, take_till};
use nom::character::complete::char;
use nom::combinator::{map, opt, peek, recognize, verify};
use nom::sequence::{delimited, preceded, terminated};
use std::net::IpAddr;

/// The fields that are used; those that the line lacks are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fields<'a> {
    /// `H=`: the client, or the server a delivery went to.
    pub host: Option<Host<'a>>,
    /// `I=[192.0.2.25]:25`: the address of this server at our end of the connection (selectors `incoming_interface`,
    /// `outgoing_interface`).
    pub own: Option<IpAddr>,
    /// `A=`: the account, see [`account`].
    pub account: Option<&'a [u8]>,
    /// `U=`: the local user, or what the client's ident service says.
    pub user: Option<&'a [u8]>,
    /// `P=`: the protocol of an arrival.
    pub protocol: Option<&'a [u8]>,
    /// `F=<...>`.
    pub reverse_path: Option<&'a [u8]>,
    /// `R=`: the message that a notification is for, or the router of a delivery.
    pub reference: Option<&'a [u8]>,
    /// `S=`.
    pub size_bytes: Option<u64>,
}

enum Field<'a> {
    Host(Host<'a>),
    ReversePath(&'a [u8]),
    Word(&'a [u8], &'a [u8]),
    Nothing,
}

/// Reads fields as long as there are any, each with a space before it, the first with or without.
pub fn fields(input: &[u8]) -> (Fields<'_>, &[u8]) {
    let mut found = Fields::default();
    let mut rest = input;
    while let Ok((after, field)) = field(rest) {
        match field {
            Field::Host(host) if found.host.is_none() => found.host = Some(host),
            Field::ReversePath(path) => found.reverse_path = Some(path),
            Field::Word(key, value) => found.take(key, value),
            _ => {}
        }
        rest = after;
    }
    (found, rest)
}

impl<'a> Fields<'a> {
    fn take(&mut self, key: &[u8], value: &'a [u8]) {
        match key {
            b"A" => self.account = Some(account(value)),
            b"I" => self.own = self.own.or_else(|| interface(value)),
            b"U" => self.user = Some(value),
            // The first counts: the client chooses what follows (`SNI=`).
            b"P" => self.protocol = self.protocol.or(Some(value)),
            b"R" => self.reference = Some(value),
            b"F" => self.reverse_path = Some(value),
            b"S" => self.size_bytes = number(value),
            _ => {}
        }
    }
}

/// The address of `[192.0.2.25]:25`.
fn interface(value: &[u8]) -> Option<IpAddr> {
    let inside = value.strip_prefix(b"[")?;
    address(&inside[..memchr::memchr(b']', inside)?])
}

/// The account of `driver:account` or `driver:account:authenticated-sender` (`+smtp_mailauth`).
///
/// An authenticator without `server_set_id` logs its own name only: then that stands for the account, since
/// the client did log in.
fn account(value: &[u8]) -> &[u8] {
    let mut parts = value.splitn(3, |b| *b == b':');
    let driver = parts.next().unwrap_or(value);
    parts.next().filter(|account| !account.is_empty()).unwrap_or(driver)
}

fn field(input: &[u8]) -> Parsed<'_, Field<'_>> {
    let (input, _) = opt(char(' ')).parse(input)?;
    match input.first() {
        Some(b'H') => map(preceded(tag("H="), host), Field::Host).parse(input),
        Some(b'd' | b'r') => map(postponed, |_| Field::Nothing).parse(input),
        Some(b'A'..=b'Z') => alt((in_quotes, in_brackets, key_and_word, flag)).parse(input),
        _ => Err(nom::Err::Error(crate::text::Expected { rest: input, what: "a field" })),
    }
}

/// `DN="..."`: the name in the certificate of the other side; `SNI="..."`: the server name that the client asked for
/// (without quotation marks in later releases). Both are the other side's text.
fn in_quotes(input: &[u8]) -> Parsed<'_, Field<'_>> {
    map(preceded(alt((tag("DN="), tag("SNI="))), quoted), |_| Field::Nothing).parse(input)
}

/// `F=<...>`: the reverse-path; `P=<...>`: the one that a delivery used.
fn in_brackets(input: &[u8]) -> Parsed<'_, Field<'_>> {
    alt((map(preceded(tag("F="), path), Field::ReversePath), map(preceded(tag("P="), path), |_| Field::Nothing)))
        .parse(input)
}

/// `KEY=word`. A key that is not known is read too, since a later release or a selector may put it before one that is.
fn key_and_word(input: &[u8]) -> Parsed<'_, Field<'_>> {
    let key = take_till(|b: u8| !b.is_ascii_alphanumeric());
    // A subject, `T="..."`, is the client's text: what follows it is not looked at.
    let value = verify(word, |value: &[u8]| !value.starts_with(b"\""));
    let (rest, (key, value)) = (terminated(key, char('=')), value).parse(input)?;
    if key == b"U" && !may_follow_user(rest) {
        return with_spaces(&input[2..]);
    }
    Ok((rest, Field::Word(key, value)))
}

/// What an ident service says may hold spaces (RFC 1413 section 6): it ends where the next thing of Exim's own begins.
fn with_spaces(input: &[u8]) -> Parsed<'_, Field<'_>> {
    const NEXT: [&[u8]; 4] = [b" P=", b" F=<", b" rejected ", b" temporarily rejected "];
    let end = NEXT.iter().filter_map(|next| memmem::find(input, next)).min();
    let word = || word(input).map_or(input.len(), |(_, word)| word.len());
    let (user, rest) = input.split_at(end.unwrap_or_else(word));
    Ok((rest, Field::Word(b"U", user)))
}

/// Whether something of Exim's own stands behind what was taken for all of `U=`.
fn may_follow_user(rest: &[u8]) -> bool {
    const WORDS: [&[u8]; 3] = [b" rejected ", b" temporarily rejected ", b":"];
    let key = rest.strip_prefix(b" ").unwrap_or(rest);
    let letters = key.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let is_field = key.first().is_some_and(u8::is_ascii_uppercase) && key.get(letters) == Some(&b'=');
    rest.is_empty() || is_field || WORDS.iter().any(|word| rest.starts_with(word))
}

/// A word without a value: `K`, `L`, `L-`, `L.-`, `DS`, `PRDR`, `TFO*`, `UTF8`.
fn flag(input: &[u8]) -> Parsed<'_, Field<'_>> {
    const FLAGS: [&[u8]; 7] = [b"K", b"L", b"DS", b"PRDR", b"TFO", b"UTF8", b"RTP"];
    let name = verify(take_till(|b: u8| !b.is_ascii_alphanumeric()), |name: &[u8]| FLAGS.contains(&name));
    let ends = peek(alt((recognize(char(' ')), recognize(char(':')), nom::combinator::eof)));
    map((name, opt(is_a(".-*!")), ends), |_| Field::Nothing).parse(input)
}

/// ` routing defer (-52)`, ` defer (111)`: between the fields of a delivery that is put off.
fn postponed(input: &[u8]) -> Parsed<'_, &[u8]> {
    let number = delimited(char('('), take_till(|b| b == b')'), char(')'));
    recognize((opt(tag("routing ")), tag("defer "), number)).parse(input)
}
