//! Small things that several grammars share: what was expected, numbers, hosts.

use crate::record::{Peer, Unparsed};
use nom::branch::alt;
use nom::bytes::complete::{take, take_till, take_till1};
use nom::character::complete::char;
use nom::combinator::{cut, recognize};
use nom::multi::many0_count;
use nom::sequence::delimited;
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

/// What of a line begins where a part of it does; nothing if it is no part of it.
pub fn from_start_of<'a>(line: &'a [u8], part: &[u8]) -> &'a [u8] {
    let at = part.as_ptr().addr().wrapping_sub(line.as_ptr().addr());
    line.get(at..).unwrap_or_default()
}

/// Splits at a mark that stands in the text exactly once. `None` if it is absent, and if it is there twice: where
/// what a client wrote stands before and after a mark of the log, nothing tells which of two is the log's own.
pub fn split_at_only<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, mark)?;
    let rest = &text[at + mark.len()..];
    memchr::memmem::find(rest, mark).is_none().then_some((&text[..at], rest))
}

/// Whether the quotation marks of a path are closed. In the value of a key they are not if something in it that looks
/// like another key has cut it short.
pub fn is_closed(path: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for byte in path {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    !quoted && !escaped
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

/// Parses a path in angle brackets: `<user@example.org>`, or `<>`.
///
/// Returns the bytes between the brackets. Postfix 3.5 and later, and Sendmail, quote local-parts as RFC 5321
/// section 4.1.2 does (Postfix: `info_log_address_format = external`), so inside quotation marks `>` and
/// escaped `"` are text: `<"a\"b>c"@example.org>`. Outside of them neither `"`, `<` nor `\` can
/// stand: that is what keeps a quoted string from being read as if it began in its middle.
pub fn path(input: &[u8]) -> Parsed<'_, &[u8]> {
    // Nearly every path is plain, and this is most of what there is to parse.
    let plain: Parsed<'_, _> = delimited(char('<'), take_till(is_special), char('>')).parse(input);
    plain.or_else(|_| quoted_path(input))
}

/// What ends a run of plain text in a path.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'\\')
}

fn quoted_path(input: &[u8]) -> Parsed<'_, &[u8]> {
    let escaped = recognize((char('\\'), take(1usize)));
    let text = many0_count(alt((take_till1(|b| matches!(b, b'\\' | b'"')), escaped)));
    let end_of_quotes = cut(expect("`\"` to close the quoted local-part", char('"')));
    let quoted = recognize(delimited(char('"'), text, end_of_quotes));
    let inside = recognize(many0_count(alt((take_till1(is_special), quoted))));
    let open = expect("`<` to open the path", char('<'));
    let close = expect("`>` to close the path", char('>'));
    delimited(open, inside, close).parse(input)
}

/// Splits `550 5.1.1 <object>: reason` into the code (0 if there is none) and what follows it.
pub fn reply_code(text: &[u8]) -> (u16, &[u8]) {
    match text {
        [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..]
            if !rest.first().is_some_and(u8::is_ascii_digit) =>
        {
            let code = [a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0'));
            (code, rest.strip_prefix(b" ").unwrap_or(rest))
        }
        _ => (0, text),
    }
}

/// Drops `5.7.1 ` (RFC 3463), if it is there.
pub fn without_enhanced_code(text: &[u8]) -> &[u8] {
    match text {
        [b'2' | b'4' | b'5', b'.', rest @ ..] => {
            let length = rest.iter().position(|b| !(b.is_ascii_digit() || *b == b'.')).unwrap_or(rest.len());
            rest[length..].strip_prefix(b" ").unwrap_or(text)
        }
        _ => text,
    }
}

impl<'a> Peer<'a> {
    /// A peer of which only the address text is known.
    pub fn from_address(text: &'a [u8]) -> Peer<'a> {
        Peer { address: address(text), name: b"" }
    }
}

/// The value of `key=VALUE` among fields with a space between them, whose values may hold spaces: up to the next ` key=`, where a
/// key is made of bytes that `is_of_key` takes. `None` without the key, and an error if it is there twice.
pub(crate) fn value_of_key<'a>(
    fields: &'a [u8],
    key: &[u8],
    is_of_key: fn(u8) -> bool,
) -> Result<Option<&'a [u8]>, ()> {
    let mut found = None;
    for at in memchr::memmem::find_iter(fields, key) {
        let begins = at == 0 || fields.get(at - 1) == Some(&b' ');
        let Some(rest) = fields[at + key.len()..].strip_prefix(b"=").filter(|_| begins) else { continue };
        if found.replace(rest).is_some() {
            return Err(());
        }
    }
    Ok(found.map(|rest| &rest[..before_key(rest, is_of_key)]))
}

/// Where the next ` key=` begins.
fn before_key(rest: &[u8], is_of_key: fn(u8) -> bool) -> usize {
    let mut space = None;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b' ' => space = Some(at),
            b'=' => match space {
                Some(space) if space + 1 < at => return space,
                _ => {}
            },
            _ if is_of_key(*byte) => {}
            _ => space = None,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn parts_of_a_line() {
        let line = b"abcdef";
        assert_eq!(from_start_of(line, &line[2..4]), b"cdef");
        assert_eq!(from_start_of(line, line), line);
        assert_eq!(from_start_of(&line[2..], &line[..1]), b"");
    }

    #[test]
    fn quotation_marks() {
        let check = |path: &str, want| assert_eq!(is_closed(path.as_bytes()), want, "{path}");
        check("a@b", true);
        check(r#""a b"@c"#, true);
        check(r#""a\"b"@c"#, true);
        check(r#""a"#, false);
        check(r#""a\""#, false);
        check(r"a\", false);
    }

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

    #[test]
    fn paths() {
        let check = |input: &str, want: Result<(&str, &str), (usize, &str)>| {
            let got = path(input.as_bytes()).map(|(rest, path)| (said(path), said(rest)));
            let got = got.map_err(|error| unparsed(input.as_bytes(), &error)).map_err(|u| (u.at, u.expected));
            assert_eq!(got, want, "{input}");
        };
        check("<bob@example.org>, size=9", Ok(("bob@example.org", ", size=9")));
        check("<>", Ok(("", "")));
        check(r#"<"a>b"@example.org>"#, Ok((r#""a>b"@example.org"#, "")));
        check(r#"<"a\"b>c"@example.org>, x"#, Ok((r#""a\"b>c"@example.org"#, ", x")));
        check("<a b@example.org>", Ok(("a b@example.org", "")));
        check(r#"<a\"b@example.org>"#, Err((2, "`>` to close the path")));
        check(r#"<"a@example.org>"#, Err((16, "`\"` to close the quoted local-part")));
        check("<bob@example.org", Err((16, "`>` to close the path")));
        check("bob", Err((0, "`<` to open the path")));
    }

    #[test]
    fn codes() {
        let check = |text: &str, want: (u16, &str)| {
            assert_eq!(reply_code(text.as_bytes()), (want.0, want.1.as_bytes()), "{text}")
        };
        check("554 5.7.1 x", (554, "5.7.1 x"));
        check("454", (454, ""));
        check("5.7.1 x", (0, "5.7.1 x"));
        check("5544 x", (0, "5544 x"));
        check("", (0, ""));
    }
}
