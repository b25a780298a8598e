//! The smallest parts of Postfix statements: clients, paths, ids.

use crate::record::Peer;
pub use crate::text::path;
use crate::text::{Parsed, address, expect};
use nom::Parser;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::{char, digit1};
use nom::combinator::opt;
use nom::sequence::preceded;

/// Parses a host: `mx.example.org[192.0.2.1]`, `unknown[2001:db8::1]:587`, `[192.0.2.1]:25`.
///
/// The name is empty for `unknown`, which is what Postfix writes where the address has no
/// name or the name does not lead back to the address. The address is absent where what
/// stands in the brackets is none: a socket, `unknown`, or a mask set by whoever published the log.
/// The port is returned as its digits, empty if not logged (`smtpd_client_port_logging`, 2.5).
pub fn host(input: &[u8]) -> Parsed<'_, (Peer<'_>, &[u8], &[u8])> {
    let (input, name) = take_till(|b| matches!(b, b'[' | b' ' | b','))(input)?;
    let (input, _) = expect("`[` to open the address of the host", char('[')).parse(input)?;
    let (input, inside) = take_till(|b| b == b']')(input)?;
    let (input, _) = expect("`]` to close the address of the host", char(']')).parse(input)?;
    let (input, port) = opt(preceded(char(':'), digit1)).parse(input)?;
    let name = if name == b"unknown" { b"" } else { name };
    Ok((input, (Peer { address: address(inside), name }, inside, port.unwrap_or_default())))
}

/// Parses a host of which only name and address matter.
pub fn peer(input: &[u8]) -> Parsed<'_, Peer<'_>> {
    host(input).map(|(rest, (peer, ..))| (rest, peer))
}

/// Parses a path that breaks the rule for quotation marks: it ends at the first `>` before one of `followers`, or at the last
/// `>` of the line if none of them comes.
///
/// Before 3.5, and with `info_log_address_format = internal`, local-parts are logged without
/// quotation marks, and nothing then tells a `>` of the client from that of Postfix.
pub fn loose_path<'a>(followers: &[&[u8]], input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    let (inside, _) = expect("`<` to open the path", char('<')).parse(input)?;
    let is_end = |at: &usize| followers.iter().any(|follower| inside[at + 1..].starts_with(follower));
    let end = memchr::memchr_iter(b'>', inside).find(is_end).or_else(|| memchr::memrchr(b'>', inside));
    let (path, rest) = inside.split_at(end.unwrap_or(inside.len()));
    let (rest, _) = expect("`>` to close the path", tag(">")).parse(rest)?;
    Ok((rest, path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::text::unparsed;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn paths_without_quotation_marks() {
        let check = |input: &str, want: Option<(&str, &str)>| {
            let got = loose_path(&[b" to=<"], input.as_bytes()).ok();
            assert_eq!(got.map(|(rest, path)| (text(path), text(rest))), want, "{input}");
        };
        check(r#"<a"b>c@example.org> to=<x>"#, Some((r#"a"b>c@example.org"#, " to=<x>")));
        check("<a>b@example.org> helo=<x>", Some(("a>b@example.org> helo=<x", "")));
        check("<a", None);
        check("", None);
    }

    #[test]
    fn hosts() {
        let check = |input: &str, want: Result<(&str, &str, &str, &str), (usize, &str)>| {
            let got = host(input.as_bytes());
            let got = got.map_err(|error| unparsed(input.as_bytes(), &error)).map_err(|u| (u.at, u.expected));
            let address = |peer: Peer| peer.address.map(|a| a.to_string()).unwrap_or_default();
            let got = got.map(|(rest, (peer, _, port))| (text(peer.name), address(peer), text(port), text(rest)));
            let want = want.map(|(name, address, port, rest)| (name, address.to_owned(), port, rest));
            assert_eq!(got, want, "{input}");
        };
        check("mx.example.org[192.0.2.1]: x", Ok(("mx.example.org", "192.0.2.1", "", ": x")));
        check("unknown[2001:db8::1]:587, x", Ok(("", "2001:db8::1", "587", ", x")));
        check("[192.0.2.1]:25", Ok(("", "192.0.2.1", "25", "")));
        check("h[*.*.*.*]", Ok(("h", "", "", "")));
        check("mx.example.org", Err((14, "`[` to open the address of the host")));
        check("mx [192.0.2.1]", Err((2, "`[` to open the address of the host")));
        check("mx[192.0.2.1", Err((12, "`]` to close the address of the host")));
    }
}
