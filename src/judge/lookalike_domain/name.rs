//! Names: the part of a domain that somebody registered, and what it looks like.

use super::punycode;
use std::borrow::Cow;

/// Labels under which countries register names at the third level: `example.co.uk`.
///
/// The Public Suffix List would know more, but it changes every week, and a list inside the program would be old; its crate
/// makes the program larger by megabytes. What is not here is taken one label too short: `shop.example.k12.us` is the
/// domain `k12.us`, which imitates nobody.
const SECOND_LEVEL: &[&str] = &[
    "ac", "asn", "co", "com", "edu", "gen", "go", "gob", "gouv", "gov", "govt", "gv", "id", "ltd", "me", "mil", "ne",
    "net", "nhs", "nom", "or", "org", "plc", "sch", "web",
];

/// A domain, as far as somebody registered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    /// What was registered: `example.co.uk` of `mail.example.co.uk`.
    pub registered: &'a str,
    /// Its first label: `example`.
    pub label: &'a str,
    /// What stands behind that: `co.uk`.
    pub suffix: &'a str,
    /// What stands before: `mail`. May be empty.
    pub below: &'a str,
}

impl<'a> Name<'a> {
    /// Takes a domain apart; `None` for a name without a dot, an address, and what is no domain.
    pub fn of(domain: &'a str) -> Option<Name<'a>> {
        let domain = domain.trim_end_matches('.');
        let (rest, top) = domain.rsplit_once('.')?;
        let is_address = top.is_empty() || domain.starts_with('[') || top.bytes().all(|byte| byte.is_ascii_digit());
        let third = rest.rsplit_once('.').filter(|(_, second)| top.len() == 2 && SECOND_LEVEL.contains(second));
        let rest = third.map_or(rest, |(rest, _)| rest);
        let (below, label) = rest.rsplit_once('.').unwrap_or(("", rest));
        let start = domain.len() - (domain.len() - rest.len()) - label.len();
        let name = Name { registered: &domain[start..], label, suffix: &domain[rest.len() + 1..], below };
        (!is_address && !label.is_empty()).then_some(name)
    }
}

/// What a label looks like: two labels with the same are hard to tell apart.
///
/// Unicode's skeleton (UTS 39 section 4) without accents, in small letters; and `0` is `o`, `1` and `i` are `l`, `rn` is `m`, `vv`
/// is `w`. For ASCII, nothing else of the skeleton remains: see the test.
pub fn skeleton(label: &str) -> String {
    let letters = punycode::letters(label);
    let folded = |letters: &str| letters.chars().map(fold).collect::<String>();
    let alike = match letters.is_ascii() {
        true => folded(&letters.to_ascii_lowercase()),
        false => {
            let skeleton: String = unicode_security::skeleton(&letters.to_lowercase()).collect();
            folded(&skeleton.to_lowercase().replace(is_accent, ""))
        }
    };
    match alike.contains("rn") || alike.contains("vv") {
        true => alike.replace("rn", "m").replace("vv", "w"),
        false => alike,
    }
}

fn fold(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | 'i' => 'l',
        other => other,
    }
}

/// Combining diacritical marks (Unicode block U+0300 to U+036F).
fn is_accent(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// A label in its letters.
pub fn letters(label: &str) -> Cow<'_, str> {
    punycode::letters(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_as_far_as_they_are_registered() {
        let check = |domain, want| {
            let name = Name::of(domain);
            assert_eq!(name.map(|n| (n.registered, n.label, n.suffix, n.below)), want, "{domain}");
        };
        check("example.org", Some(("example.org", "example", "org", "")));
        check("a.b.example.org.", Some(("example.org", "example", "org", "a.b")));
        check("mail.example.co.uk", Some(("example.co.uk", "example", "co.uk", "mail")));
        check("co.uk", Some(("co.uk", "co", "uk", "")));
        check("com.example.org", Some(("example.org", "example", "org", "com")));
        for other in ["", ".", "localhost", "[192.0.2.1]", "192.0.2.1", "..", ".org", "a..org", "[ipv6:2001:db8::1.2]"]
        {
            check(other, None);
        }
    }

    #[test]
    fn labels_that_look_the_same() {
        for (one, other) in [
            ("example", "examp1e"),
            ("norbrook", "n0rbr00k"),
            ("modern", "modem"),
            ("willow", "vvillow"),
            ("example", "exampie"),
            ("example", "exаmple"),
            ("example", "xn--exmple-4nf"),
            ("example", "xn--exmple-cua"),
            ("example", "ехаmрlе"),
            ("example", "EXAMPLE"),
            ("a-b", "a\u{2010}b"),
        ] {
            assert_eq!(skeleton(one), skeleton(other), "{one} {other} {}", letters(other));
        }
        for (one, other) in [("example", "exanple"), ("paypal", "paypaI-"), ("co", "c"), ("bett", "belt")] {
            assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
        }
    }

    #[test]
    fn the_short_way_of_ascii_is_the_long_one() {
        for byte in (b'a'..=b'z').chain(b'0'..=b'9').chain([b'-', b'_']) {
            let letter = char::from(byte).to_string();
            let long: String = unicode_security::skeleton(&letter).collect();
            let long = long.to_lowercase().chars().map(fold).collect::<String>().replace("rn", "m");
            assert_eq!(skeleton(&letter), long, "{letter}");
        }
    }
}
