//! Small things that several grammars share: what was expected, numbers, hosts.

use crate::record::{Peer, Unparsed};
use nom::{IResult, Parser, error::ErrorKind, error::ParseError};
use std::net::{IpAddr, Ipv6Addr};

/// What stands in the place of an address in text copied from pages that hide addresses from harvesters (Cloudflare,
/// "Email Address Obfuscation"), with a blank or one that does not break.
pub const HIDDEN_ADDRESSES: [&[u8]; 2] = [b"[email protected]", "[email\u{a0}protected]".as_bytes()];

/// Where a parser failed and what it wanted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The input from the failing byte on.
    pub rest: &'a [u8],
    /// What was wanted; empty if no rule named it.
    pub what: &'static str,
}

impl<'a> ParseError<&'a [u8]> for Expected<'a> {
    fn from_error_kind(rest: &'a [u8], _: ErrorKind) -> Self {
        Expected { rest, what: "" }
    }
    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// The result of a grammar rule: the rest of the line and what was found.
pub type Parsed<'a, T> = IResult<&'a [u8], T, Expected<'a>>;

/// Names what `parser` wants, for the message if it fails. An inner name is kept.
pub fn expect<'a, T>(
    what: &'static str,
    mut parser: impl Parser<&'a [u8], Output = T, Error = Expected<'a>>,
) -> impl Parser<&'a [u8], Output = T, Error = Expected<'a>> {
    move |input: &'a [u8]| {
        parser.parse(input).map_err(|error| {
            error.map(|inner: Expected<'a>| match inner.what {
                "" => Expected { rest: inner.rest, what },
                _ => inner,
            })
        })
    }
}

/// What to report for a failed rule: the byte of `line` at which it stood, and what it wanted.
pub fn unparsed<'a>(line: &'a [u8], error: &nom::Err<Expected<'a>>) -> Unparsed {
    match error {
        nom::Err::Error(e) | nom::Err::Failure(e) => Unparsed {
            at: line.len().saturating_sub(e.rest.len()),
            expected: if e.what.is_empty() { "another shape of line" } else { e.what },
        },
        nom::Err::Incomplete(_) => Unparsed { at: line.len(), expected: "more of the line" },
    }
}

/// Splits at a mark that stands in the text exactly once. `None` if it is absent, and if it is there twice: where
/// what a client wrote stands before and after a mark of the log, nothing tells which of two is the log's own.
pub fn split_at_only<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, mark)?;
    let rest = &text[at + mark.len()..];
    memchr::memmem::find(rest, mark).is_none().then_some((&text[..at], rest))
}

/// Reads an unsigned decimal number that fills `digits` entirely; `None` if it does not or overflows.
pub fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || 19 < digits.len() {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, byte| match byte {
        b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// Reads an address as mail logs write it: `192.0.2.1`, `2001:db8::1`, `IPv6:2001:db8::1`, in
/// square brackets or not. IPv4-mapped IPv6 (`::ffff:192.0.2.1`) is given as IPv4, since
/// dual-stack sockets log one client in both ways. `None` for anything else.
pub fn address(text: &[u8]) -> Option<IpAddr> {
    let bare = text.strip_prefix(b"[").and_then(|t| t.strip_suffix(b"]")).unwrap_or(text);
    let bare = match bare.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case(b"IPv6:") => &bare[5..],
        _ => bare,
    };
    // A zone index (`fe80::1%eth0`) names an interface of the server, not the client.
    let bare = bare.split(|b| *b == b'%').next().unwrap_or(bare);
    match std::str::from_utf8(bare).ok()?.parse::<IpAddr>().ok()? {
        IpAddr::V6(v6) => Some(v4_or_v6(v6)),
        v4 => Some(v4),
    }
}

fn v4_or_v6(address: Ipv6Addr) -> IpAddr {
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

impl<'a> Peer<'a> {
    /// A peer of which only the address text is known.
    pub fn from_address(text: &'a [u8]) -> Peer<'a> {
        Peer { address: address(text), name: b"" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_every_dress() {
        let check = |text: &str, want: Option<&str>| {
            assert_eq!(address(text.as_bytes()).map(|a| a.to_string()).as_deref(), want, "{text}");
        };
        check("192.0.2.1", Some("192.0.2.1"));
        check("[192.0.2.1]", Some("192.0.2.1"));
        check("IPv6:2001:db8:0:0:0:0:0:bbad", Some("2001:db8::bbad"));
        check("[IPv6:2001:db8::1]", Some("2001:db8::1"));
        check("::ffff:192.0.2.1", Some("192.0.2.1"));
        check("fe80::1%eth0", Some("fe80::1"));
        check("xxx.xxx.202.132", None);
        check("unknown", None);
        check("", None);
    }

    #[test]
    fn numbers_fill_their_field() {
        assert_eq!(number(b"4281"), Some(4281));
        assert_eq!(number(b""), None);
        assert_eq!(number(b"-1"), None);
        assert_eq!(number(b"12a"), None);
        assert_eq!(number(b"99999999999999999999"), None);
    }
}
