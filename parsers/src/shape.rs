//! Shapes: what stays the same of an EHLO name and of a local-part when software makes up the rest.
//!
//! Mail of one campaign comes from many clients, each with names of its own making: `WIN-4G7H2K9Q1ZB`,
//! `kx83jd@example.net`. The shape keeps the literal part of such a name and puts `#` for digits and a class for what looks
//! made up. Shapes are coarse on purpose: whoever makes names up at random makes few shapes. They are written to a buffer
//! that the caller reuses; lower case, and never longer than [`LONGEST`].
//!
//! No standard defines them. RFC 5321 section 4.1.3 says what an address literal is; the rest is observed: see the tests.

use crate::text::address;
use std::net::IpAddr;

/// The longest shape: a domain's limit (RFC 5321 section 4.5.3.1.2).
pub const LONGEST: usize = 255;

/// The client's own address, as literal or bare.
pub const OWN_ADDRESS: &str = "[own address]";
/// Any other address: mail programs give that of their private network.
pub const ADDRESS: &str = "[address]";
/// A single label that looks made up.
pub const RANDOM: &str = "[random]";
/// The name that Windows gives to a server at installation: `WIN-` and random letters and digits.
pub const WINDOWS: &str = "win-*";
/// A local-part with a code in it: VERP, SRS, BATV, tags, message ids.
pub const CODED: &str = "[coded]";
/// A local-part of letters, in one word or several.
pub const WORDS: &str = "[words]";
/// The same with digits behind.
pub const NUMBERED: &str = "[words]#";
/// A local-part of digits.
pub const DIGITS: &str = "#";
/// A local-part that is none of these.
pub const OTHER: &str = "[other]";

/// Prefixes of names that an installation makes up, the least length of the rest, and their shapes.
const INSTALLED: [(&[u8], usize, &str); 3] =
    [(b"win-", 8, WINDOWS), (b"desktop-", 7, "desktop-*"), (b"laptop-", 7, "laptop-*")];

/// Writes the shape of an EHLO name that a client used: [`OWN_ADDRESS`], [`ADDRESS`], [`WINDOWS`], [`RANDOM`], or the name
/// with `#` for every run of digits. Nothing for no name.
pub fn hello(name: &[u8], client: Option<IpAddr>, out: &mut Vec<u8>) {
    out.clear();
    let name = &name[..name.len().min(LONGEST)];
    if let Some(said) = literal(name) {
        let own = client.is_some_and(|client| client.to_canonical() == said.to_canonical());
        return out.extend_from_slice(if own { OWN_ADDRESS } else { ADDRESS }.as_bytes());
    }
    let known = INSTALLED.iter().find(|(prefix, least, _)| {
        let rest = name.get(prefix.len()..).filter(|_| name[..prefix.len()].eq_ignore_ascii_case(prefix));
        rest.is_some_and(|rest| *least <= rest.len() && rest.iter().all(u8::is_ascii_alphanumeric))
    });
    match known {
        Some((_, _, shape)) => out.extend_from_slice(shape.as_bytes()),
        None if !name.contains(&b'.') && is_made_up(name) => out.extend_from_slice(RANDOM.as_bytes()),
        None => without_digits(name, out),
    }
}

/// The address that an EHLO name is: `[192.0.2.1]`, `[IPv6:2001:db8::1]`, or bare.
fn literal(name: &[u8]) -> Option<IpAddr> {
    let inside = name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(name);
    let tagged = inside.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case(b"ipv6:"));
    address(if tagged { &inside[5..] } else { inside })
}

/// The name in lower case with `#` for every run of digits.
fn without_digits(name: &[u8], out: &mut Vec<u8>) {
    for byte in name {
        match byte.is_ascii_digit() {
            true if out.last() == Some(&b'#') => {}
            true => out.push(b'#'),
            false => out.push(byte.to_ascii_lowercase()),
        }
    }
}

/// The shape of a local-part: one of the classes of this module; empty for an empty one.
pub fn local_part(local: &[u8]) -> &'static str {
    let digits = local.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || 128 <= *byte;
    match local {
        [] => "",
        _ if local.iter().any(|byte| matches!(byte, b'=' | b'+' | b'~' | b'/')) || 64 < local.len() => CODED,
        _ if digits == local.len() => DIGITS,
        _ if !local.iter().all(|b| is_letter(b) || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_')) => OTHER,
        _ if local.split(|byte| matches!(byte, b'.' | b'-' | b'_')).any(is_made_up) => RANDOM,
        _ if digits == 0 => WORDS,
        _ => NUMBERED,
    }
}

/// Letters of a word from which it can be told whether somebody made it up.
const TELLING: usize = 6;
/// Consonants in a row that no name has: `jschwartz` has five, `angstschweiss` eight, but that is rare.
const CONSONANTS: usize = 6;
/// Changes between letters and digits that no name has: `mx2out1` has three.
const CHANGES: usize = 4;

/// Whether a word looks made up by a machine: too many consonants in a row, no vowel at all, or letters and digits by turns.
fn is_made_up(word: &[u8]) -> bool {
    if word.len() < TELLING || word.iter().any(|byte| !byte.is_ascii_alphanumeric()) {
        return false;
    }
    let (mut run, mut longest, mut vowels, mut changes) = (0, 0, 0, 0);
    for (at, byte) in word.iter().enumerate() {
        let vowel = matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
        vowels += usize::from(vowel);
        run = if vowel || byte.is_ascii_digit() { 0 } else { run + 1 };
        longest = longest.max(run);
        changes += usize::from(0 < at && word[at - 1].is_ascii_digit() != byte.is_ascii_digit());
    }
    let letters = word.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    CONSONANTS <= longest || CHANGES <= changes || (vowels == 0 && TELLING <= letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts() {
        let check = |name: &str, want: &str| {
            let mut out = b"left over".to_vec();
            hello(name.as_bytes(), "192.0.2.7".parse().ok(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want, "{name}");
        };
        check("", "");
        check("WIN-4G7H2K9Q1ZB", "win-*");
        check("win-k02i6udc9jg", "win-*");
        check("WIN-1", "win-#");
        check("DESKTOP-7Q2K9AB", "desktop-*");
        check("[192.0.2.7]", "[own address]");
        check("192.0.2.7", "[own address]");
        check("[::ffff:192.0.2.7]", "[own address]");
        check("[192.168.1.5]", "[address]");
        check("[IPv6:2001:db8::1]", "[address]");
        check("ylmf-pc", "ylmf-pc");
        check("User", "user");
        check("localhost", "localhost");
        check("mx12.Example.org", "mx#.example.org");
        check("dyn-203-0-113-7.example.net", "dyn-#-#-#-#.example.net");
        check("xkqzjw", "[random]");
        check("a1b2c3d4", "[random]");
        check("4711", "#");
        // A name with a dot is somebody's, whatever its labels look like.
        check("xkqzjw.example.net", "xkqzjw.example.net");
        check("schwartz", "schwartz");
        check("mx2out1", "mx#out#");
        check("\u{0}\u{1b}[31m", "\u{0}\u{1b}[#m");
        check(&"A".repeat(1 << 20), &"a".repeat(LONGEST));
    }

    #[test]
    fn local_parts() {
        let check = |local: &str, want: &str| assert_eq!(local_part(local.as_bytes()), want, "{local}");
        check("", "");
        check("anna", WORDS);
        check("anna.berg-maier_x", WORDS);
        check("krzysztof", WORDS);
        check("jürgen", WORDS);
        check("jschwartz", WORDS);
        check("lschmidt84", NUMBERED);
        check("anna84", NUMBERED);
        check("info2", NUMBERED);
        check("4711", DIGITS);
        check("xkqzjwpt", RANDOM);
        check("kx83jd9q", RANDOM);
        check("5f3a9c0e77b1", RANDOM);
        check("bounce+u=example.org", CODED);
        check("SRS0=ab=cd=example.org=u", CODED);
        check(&"a".repeat(65), CODED);
        check("\"john doe\"", OTHER);
        check("u%example.net", OTHER);
    }
}
