//! The grammar of SPF records (RFC 7208 sections 4.6.1, 5, 6 and 7.1, collected in section 12).

use super::answers::Outcome;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A record, term by term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The mechanisms, in order.
    pub directives: Vec<Directive>,
    /// Where to go on if none matches.
    pub redirect: Option<Spec>,
}

/// A mechanism, and what it means if it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The result.
    pub outcome: Outcome,
    /// What is compared.
    pub mechanism: Mechanism,
    /// The term as it stands.
    pub text: String,
}

/// What is compared with the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Everything.
    All,
    /// Another record.
    Include(Spec),
    /// The addresses of a name.
    A(Option<Spec>, Prefixes),
    /// The addresses of the hosts that take mail for a name.
    Mx(Option<Spec>, Prefixes),
    /// The names of the client's address.
    Ptr(Option<Spec>),
    /// A network.
    Net(IpNet),
    /// Whether a name has addresses.
    Exists(Spec),
}

/// How many bits of an address count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefixes {
    /// Of IPv4.
    pub v4: u8,
    /// Of IPv6.
    pub v6: u8,
}

/// A domain with macros in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec(pub Vec<Piece>);

/// A piece of a [`Spec`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// A macro: `%{ir.}`.
    Macro {
        /// Its letter, lower case.
        letter: u8,
        /// Whether it stood in upper case: what it gives is escaped as in a URL.
        escape: bool,
        /// How many of its parts count, from the right; all if `None`.
        keep: Option<usize>,
        /// Whether its parts are turned round.
        reverse: bool,
        /// What separates its parts.
        delimiters: String,
    },
}

/// Whether a TXT record is one of SPF: `v=spf1`, alone or before a blank.
pub fn is_spf(text: &[u8]) -> bool {
    let (version, rest) = text.split_at_checked(6).unwrap_or((text, b""));
    version.eq_ignore_ascii_case(b"v=spf1") && (rest.is_empty() || rest.starts_with(b" "))
}

/// Parses a record of which [`is_spf`] holds. Fails with the first term that breaks the grammar, as RFC 7208 section 4.6 wants it.
pub fn record(text: &[u8]) -> Result<Record, String> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii()).ok_or("characters other than ASCII")?;
    let mut record = Record { directives: Vec::new(), redirect: None };
    let mut seen = Vec::new();
    for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
        match modifier(term) {
            Some((name, value)) => {
                let spec = spec_only(value).ok_or_else(|| term.to_owned())?;
                let known = matches!(&*name, "redirect" | "exp");
                if known && seen.contains(&name) || name == "redirect" && value.is_empty() {
                    return Err(term.to_owned());
                }
                record.redirect = if name == "redirect" { Some(spec) } else { record.redirect };
                seen.push(name);
            }
            None => record.directives.push(directive(term).ok_or_else(|| term.to_owned())?),
        }
    }
    Ok(record)
}

/// `name=value`, with a name of letters, digits, `-`, `_` and `.` that begins with a letter. Returns the name in lower case.
fn modifier(term: &str) -> Option<(String, &str)> {
    let (name, value) = term.split_once('=')?;
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(letters);
    named.then(|| (name.to_ascii_lowercase(), value))
}

fn directive(term: &str) -> Option<Directive> {
    let (outcome, rest) = match term.as_bytes().first()? {
        b'+' => (Outcome::Pass, &term[1..]),
        b'-' => (Outcome::Fail, &term[1..]),
        b'~' => (Outcome::SoftFail, &term[1..]),
        b'?' => (Outcome::Neutral, &term[1..]),
        _ => (Outcome::Pass, term),
    };
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at(end);
    let mechanism = mechanism(&name.to_ascii_lowercase(), argument)?;
    Some(Directive { outcome, mechanism, text: term.to_owned() })
}

/// A mechanism by name. The argument is empty, or begins with `:` or `/`.
fn mechanism(name: &str, argument: &str) -> Option<Mechanism> {
    let value = argument.strip_prefix(':').filter(|value| !value.is_empty());
    let bare = argument.is_empty();
    match name {
        "all" if bare => Some(Mechanism::All),
        "include" => Some(Mechanism::Include(spec_only(value?)?)),
        "exists" => Some(Mechanism::Exists(spec_only(value?)?)),
        "ptr" if bare => Some(Mechanism::Ptr(None)),
        "ptr" => Some(Mechanism::Ptr(Some(spec_only(value?)?))),
        "a" => host(argument).map(|(spec, prefixes)| Mechanism::A(spec, prefixes)),
        "mx" => host(argument).map(|(spec, prefixes)| Mechanism::Mx(spec, prefixes)),
        "ip4" => {
            let (address, prefix) = network(value?, 32)?;
            Some(Mechanism::Net(Ipv4Net::new(address.parse::<Ipv4Addr>().ok()?, prefix).ok()?.into()))
        }
        "ip6" => {
            let (address, prefix) = network(value?, 128)?;
            Some(Mechanism::Net(Ipv6Net::new(address.parse::<Ipv6Addr>().ok()?, prefix).ok()?.into()))
        }
        _ => None,
    }
}

/// `[:domain-spec][/prefix][//prefix]`
fn host(argument: &str) -> Option<(Option<Spec>, Prefixes)> {
    let (spec, rest) = match argument.strip_prefix(':') {
        Some(value) => spec(value).filter(|(spec, _)| !spec.0.is_empty()).map(|(spec, rest)| (Some(spec), rest))?,
        None => (None, argument),
    };
    let (v4, v6) = match rest.split_once("//") {
        Some((v4, v6)) => (v4, Some(v6)),
        None => (rest, None),
    };
    let v4 = if v4.is_empty() { 32 } else { prefix(v4.strip_prefix('/')?, 32)? };
    Some((spec, Prefixes { v4, v6: v6.map_or(Some(128), |v6| prefix(v6, 128))? }))
}

fn network(value: &str, most: u8) -> Option<(&str, u8)> {
    match value.split_once('/') {
        Some((address, bits)) => Some((address, prefix(bits, most)?)),
        None => Some((value, most)),
    }
}

/// Bits in decimal, without leading zeros.
fn prefix(digits: &str, most: u8) -> Option<u8> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|bits| plain && *bits <= most)
}

/// A domain-spec that is all there is.
fn spec_only(value: &str) -> Option<Spec> {
    spec(value).filter(|(_, rest)| rest.is_empty()).map(|(spec, _)| spec)
}

/// A domain-spec, and what follows it from a `/` on that is in no macro.
fn spec(value: &str) -> Option<(Spec, &str)> {
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some(byte) = rest.bytes().next().filter(|byte| *byte != b'/') {
        if byte != b'%' {
            let end = rest.find(['%', '/']).unwrap_or(rest.len());
            let visible = rest[..end].bytes().all(|byte| byte.is_ascii_graphic());
            pieces.push(visible.then(|| Piece::Text(rest[..end].to_owned()))?);
            rest = &rest[end..];
            continue;
        }
        let plain = [("%%", "%"), ("%_", " "), ("%-", "%20")].into_iter().find(|(mark, _)| rest.starts_with(mark));
        if let Some((mark, text)) = plain {
            pieces.push(Piece::Text(text.to_owned()));
            rest = &rest[mark.len()..];
            continue;
        }
        let (inside, after) = rest.strip_prefix("%{")?.split_once('}')?;
        pieces.push(expansion(inside)?);
        rest = after;
    }
    Some((Spec(pieces), rest))
}

/// What stands between `%{` and `}`: a letter, digits, `r`, delimiters.
fn expansion(inside: &str) -> Option<Piece> {
    let letter = *inside.as_bytes().first().filter(|letter| letter.is_ascii_alphabetic())?;
    let rest = &inside[1..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = rest.split_at(digits);
    let keep = if digits.is_empty() { None } else { Some(digits.parse().ok().filter(|keep| 0 < *keep)?) };
    let (reverse, delimiters) = match rest.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let known = b"slodiphcrtv".contains(&letter.to_ascii_lowercase());
    let valid = known && delimiters.bytes().all(|byte| b".-+,/_=".contains(&byte));
    valid.then(|| Piece::Macro {
        letter: letter.to_ascii_lowercase(),
        escape: letter.is_ascii_uppercase(),
        keep,
        reverse,
        delimiters: if delimiters.is_empty() { ".".to_owned() } else { delimiters.to_owned() },
    })
}

impl Prefixes {
    /// Whether two addresses of one family agree in the bits that count.
    pub fn agree(self, one: IpAddr, other: IpAddr) -> bool {
        let bits = if one.is_ipv4() { self.v4 } else { self.v6 };
        IpNet::new(one, bits).is_ok_and(|net| net.contains(&other))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_a_record() {
        for (text, is) in [
            ("v=spf1", true),
            ("V=SPF1 -all", true),
            ("v=spf10 -all", false),
            ("v=spf2.0/pra", false),
            ("", false),
            ("v=spf1\t-all", false),
        ] {
            assert_eq!(is_spf(text.as_bytes()), is, "{text}");
        }
    }

    /// Parses the terms; of a record that breaks the grammar, the term that does.
    fn check(terms: &str, want: Result<usize, &str>) {
        let got = record(format!("v=spf1 {terms}").as_bytes()).map(|record| record.directives.len());
        assert_eq!(got, want.map_err(str::to_owned), "{terms}");
    }

    #[test]
    fn grammar() {
        check("", Ok(0));
        check("mx -all", Ok(2));
        check("  a  mx   ~ALL ", Ok(3));
        check("ip4:192.0.2.0/24 ip6:2001:db8::/32 ip4:192.0.2.1", Ok(3));
        check("a/24 a//64 a/24//64 mx:example.org/30 a:%{d}/24", Ok(5));
        check("include:_spf.example.net exists:%{ir}.%{v}._spf.%{d2} ?ptr:example.org", Ok(3));
        check("redirect=_spf.example.net exp=why.%{d} unknown=x", Ok(0));
        for wrong in [
            "all:x",
            "include",
            "include:",
            "ip4:192.0.2.256",
            "ip4:192.0.2.0/33",
            "ip4:192.0.2.0/024",
            "ip4:2001:db8::",
            "ip6:192.0.2.1",
            "a/33",
            "a/",
            "a//129",
            "foo",
            "-",
            "exists",
            "a:%{x}",
            "a:%{d0}",
            "a:%{d",
            "a:%x",
            "a:",
            "include:example.org/24",
            "redirect=",
            "ip4",
        ] {
            check(wrong, Err(wrong));
            check(&format!("-all {wrong}"), Err(wrong));
        }
        check("redirect=a.example redirect=b.example", Err("redirect=b.example"));
        check("a\u{e4}", Err("characters other than ASCII"));
    }

    #[test]
    fn bits_that_count() {
        let prefixes = Prefixes { v4: 24, v6: 64 };
        let check = |one: &str, other: &str, agree| {
            assert_eq!(prefixes.agree(one.parse().unwrap(), other.parse().unwrap()), agree, "{one} {other}");
        };
        check("192.0.2.1", "192.0.2.200", true);
        check("192.0.2.1", "192.0.3.1", false);
        check("2001:db8::1", "2001:db8::ffff:1", true);
        check("2001:db8::1", "192.0.2.1", false);
    }
}
