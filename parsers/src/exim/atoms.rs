//! The smallest parts of Exim lines: times, message ids, addresses, quoted text, hosts.

use crate::record::{Peer, When};
use crate::syslog::time;
use crate::text::{Expected, Parsed, address, expect};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take, take_till, take_till1};
use nom::character::complete::{char, digit1};
use nom::combinator::{opt, recognize};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded, terminated};

const MICROS_PER_MINUTE: i64 = 60_000_000;
/// Where the space stands in `2027-01-18 06:42:18`, and the `T` in the times of other programs.
const SPACE: usize = 10;

/// Parses `2027-01-18 06:42:18`, with `.123` (`+millisec`) and ` +0100` (`log_timezone`) if logged.
///
/// Without a zone the time is [`When::Local`] (Exim 4 specification, section "Logging to local files").
pub fn timestamp(input: &[u8]) -> Parsed<'_, When> {
    let what = "a date and time: `2027-01-18 06:42:18`";
    if input.get(SPACE) != Some(&b' ') {
        return Err(nom::Err::Error(Expected { rest: input, what }));
    }
    let (rest, when) = expect(what, time::iso).parse(input)?;
    Ok(match (when, rest) {
        (When::Local(local), [b' ', sign @ (b'+' | b'-'), a, b, c, d, rest @ ..])
            if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) =>
        {
            let [a, b, c, d] = [a, b, c, d].map(|digit| i64::from(digit - b'0'));
            let east = (a * 10 + b) * 60 + c * 10 + d;
            let minutes = if *sign == b'-' { -east } else { east };
            (rest, When::Utc(local.and_utc().timestamp_micros() - minutes * MICROS_PER_MINUTE))
        }
        _ => (rest, when),
    })
}

/// Parses a message id: `1RwtJa-000AFB-07`, or since 4.97 `10HmaX-000000005vi-0000`.
///
/// Three groups of letters and digits, 6-6-2 or 6-11-4 of them (Exim 4 specification, section "Message identification").
pub fn message_id(input: &[u8]) -> Parsed<'_, &[u8]> {
    const GROUPS: [[usize; 3]; 2] = [[6, 6, 2], [6, 11, 4]];
    let found = GROUPS.iter().find_map(|[a, b, c]| {
        let (first, second) = (*a, a + 1 + b);
        let (id, rest) = input.split_at_checked(second + 1 + c)?;
        let fits = |(at, byte): (usize, &u8)| match at == first || at == second {
            true => *byte == b'-',
            false => byte.is_ascii_alphanumeric(),
        };
        let ends = !rest.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-');
        (ends && id.iter().enumerate().all(fits)).then_some((rest, id))
    });
    found.ok_or(nom::Err::Error(Expected { rest: input, what: "a message id" }))
}

/// Parses a quoted string, marks included: `"a \"b\""`. Exim puts `\` before `"` and `\`.
pub fn quoted(input: &[u8]) -> Parsed<'_, &[u8]> {
    let escaped = recognize((char('\\'), take(1usize)));
    let text = many0_count(alt((is_not("\\\""), escaped)));
    expect("a quoted string", recognize(delimited(char('"'), text, char('"')))).parse(input)
}

/// Parses a path in angle brackets: `<user@example.org>`, or `<>`.
///
/// Inside quotation marks `>` is text (RFC 5321 section 4.1.2), which is how Exim logs a local-part that has one.
pub fn path(input: &[u8]) -> Parsed<'_, &[u8]> {
    let plain: Parsed<'_, _> = delimited(char('<'), take_till(|b| matches!(b, b'"' | b'>')), char('>')).parse(input);
    plain.or_else(|_| {
        let inside = recognize(many0_count(alt((is_not("\"<>"), quoted))));
        let open = expect("`<` to open the path", char('<'));
        delimited(open, inside, expect("`>` to close the path", char('>'))).parse(input)
    })
}

/// Parses an address without brackets: up to the first space that is not in quotation marks, without the colon there.
pub fn bare_address(input: &[u8]) -> Parsed<'_, &[u8]> {
    let mut text = recognize(many0_count(alt((is_not("\" "), quoted))));
    let (_, found) = text.parse(input)?;
    if found.is_empty() {
        return Err(nom::Err::Error(Expected { rest: input, what: "an address" }));
    }
    let found = found.strip_suffix(b":").unwrap_or(found);
    Ok((&input[found.len()..], found))
}

/// Parses a word: what stands before the next space, without a colon that ends it.
pub fn word(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (_, found) = take_till1(|b| b == b' ').parse(input)?;
    let found = found.strip_suffix(b":").unwrap_or(found);
    Ok((&input[found.len()..], found))
}

/// A host as Exim logs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Host<'a> {
    pub peer: Peer<'a>,
    /// The EHLO name; empty if it is the name or the address of the host, or there was none.
    pub helo: &'a [u8],
    /// 0 if not logged (`+incoming_port`, `+outgoing_port`).
    pub port: u16,
}

/// Parses `name (helo) [192.0.2.1]:4711`, `(helo) [192.0.2.1]`, `name [192.0.2.1]`, `[192.0.2.1]`, or a name alone.
///
/// (src/host.c, `host_build_sender_fullhost`.) The EHLO name is the client's and may be a literal, `([10.1.2.3])`; with
/// `helo_accept_junk_hosts` it is any text. So it ends at the first `) [address]` that something of Exim's
/// own follows; where none does, at the first of all. A name alone is what `-oMs` gives, without an address.
pub fn host(input: &[u8]) -> Parsed<'_, Host<'_>> {
    let (rest, name) = take_till(|b| matches!(b, b' ' | b'(' | b'[' | b':'))(input)?;
    let spaced = if name.is_empty() { Some(rest) } else { rest.strip_prefix(b" ") };
    match spaced {
        Some([b'(', inside @ ..]) => named_by_client(name, inside),
        Some([b'[', ..]) => {
            let (rest, (address, port)) = literal(spaced.unwrap_or(rest))?;
            Ok((rest, Host { peer: Peer { address, name }, helo: b"", port }))
        }
        _ if name.is_empty() => Err(nom::Err::Error(Expected { rest, what: "a host: `name (helo) [192.0.2.1]`" })),
        _ => Ok((rest, Host { peer: Peer { address: None, name }, helo: b"", port: 0 })),
    }
}

/// The rest of a host behind the `(` that opens its EHLO name.
fn named_by_client<'a>(name: &'a [u8], inside: &'a [u8]) -> Parsed<'a, Host<'a>> {
    let candidate = |at: usize| {
        let (rest, (address, port)) = literal(&inside[at + 2..]).ok()?;
        Some((rest, Host { peer: Peer { address, name }, helo: &inside[..at], port }))
    };
    let mut candidates = memchr::memmem::find_iter(inside, b") [").filter_map(candidate);
    let first = candidates.next();
    let best = first.filter(|(rest, _)| is_own(rest)).or_else(|| candidates.find(|(rest, _)| is_own(rest))).or(first);
    best.ok_or(nom::Err::Error(Expected { rest: inside, what: "`) [` and the address after the EHLO name" }))
}

/// Whether what follows a host is something that Exim puts there.
fn is_own(rest: &[u8]) -> bool {
    const WORDS: [&[u8]; 16] = [
        b"rejected ",
        b"temporarily ",
        b"sender ",
        b"RCPT ",
        b"Warning",
        b"incomplete ",
        b"closed ",
        b"lost",
        b"dropped",
        b"D=",
        b"(",
        b"malformed ",
        b"unrecognized ",
        b"input=",
        b"next ",
        b"for ",
    ];
    let Some(text) = rest.strip_prefix(b" ") else {
        return rest.is_empty() || rest.starts_with(b":");
    };
    let letters = text.iter().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
    let is_field = 0 < letters && matches!(text.get(letters), Some(b'=' | b' ') | None);
    is_field || WORDS.iter().any(|word| text.starts_with(word))
}

/// Parses `[192.0.2.1]`, `[2001:db8::1]:4711`, `[192.0.2.1]*` (a connection used again).
fn literal(input: &[u8]) -> Parsed<'_, (Option<std::net::IpAddr>, u16)> {
    let open = expect("`[` to open the address", char('['));
    let close = expect("`]` to close the address", char(']'));
    let (rest, inside) = delimited(open, is_not("[] "), close).parse(input)?;
    let (rest, port) = opt(preceded(char(':'), digit1)).parse(rest)?;
    let (rest, _) = opt(terminated(tag("*"), nom::combinator::success(()))).parse(rest)?;
    let port = port.and_then(crate::text::number).and_then(|port| u16::try_from(port).ok());
    Ok((rest, (address(inside), port.unwrap_or(0))))
}
