//! The fields of a line: `key=value`, with spaces or commas between them; values may be in double or single quotes.
//!
//! Nothing is escaped. A value ends where the next key begins, or at the end of the line: a quotation mark inside a
//! value ends it only if a key follows, so that whoever writes another key into a value makes a line with that key twice.

use crate::text::Expected;

/// Longer than any key of the log reference.
const LONGEST_KEY: usize = 40;
/// The most that stands between two fields: `,, `.
const LONGEST_GAP: usize = 3;

/// Fields, one after the other.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of a text that begins with one.
    pub fn of(rest: &'a [u8]) -> Fields<'a> {
        Fields { rest }
    }

    /// The value of a key; empty without quotation marks is empty. `None` without the key, and an error if it is there twice.
    pub fn only(self, key: &[u8]) -> Result<Option<&'a [u8]>, nom::Err<Expected<'a>>> {
        let mut found = None;
        for (name, value) in self {
            if name == key && found.replace(value).is_some() {
                return Err(self.wanted("no key twice"));
            }
        }
        Ok(found)
    }

    /// What to report for fields that are not as they should be.
    pub fn wanted(self, what: &'static str) -> nom::Err<Expected<'a>> {
        nom::Err::Error(Expected { rest: self.rest, what })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = key_of(self.rest)?;
        let quote = value.first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let start = usize::from(quote.is_some());
        let mark = |byte: u8| quote.map_or(matches!(byte, b' ' | b','), |quote| byte == quote);
        let ends = |at: &usize| mark(value[*at]) && (is_gap(&value[at + start..]) || at + start == value.len());
        let end = (start..value.len()).find(ends).unwrap_or(value.len());
        self.rest = after_gap(value.get(end + start..).unwrap_or_default()).unwrap_or_default();
        Some((key, &value[start..end]))
    }
}

/// What follows the gap between two fields, if a key does.
fn after_gap(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().take(LONGEST_GAP).take_while(|byte| matches!(byte, b' ' | b',')).count();
    let rest = &text[length..];
    (0 < length && key_of(rest).is_some()).then_some(rest)
}

fn is_gap(text: &[u8]) -> bool {
    after_gap(text).is_some()
}

/// Splits `key=` off.
fn key_of(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_letter = |byte: &&u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || **byte == b'_';
    let length = input.iter().take(LONGEST_KEY).take_while(is_letter).count();
    let rest = input.get(length..)?.strip_prefix(b"=")?;
    (0 < length).then_some((&input[..length], rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &[(&str, &str)]) {
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got: Vec<_> = Fields::of(text.as_bytes()).map(|(key, value)| (said(key), said(value))).collect();
        let want: Vec<_> = want.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn values_end_where_a_key_begins() {
        check("a=1 b=\"x y\" c=\"\"  d='z'", &[("a", "1"), ("b", "x y"), ("c", ""), ("d", "z")]);
        check("a=1,b=\"x, y\",, c=\"\"", &[("a", "1"), ("b", "x, y"), ("c", "")]);
        check("user= ui= action=none", &[("user", ""), ("ui", ""), ("action", "none")]);
        check("ui=GUI(192.0.2.1) s=some subject", &[("ui", "GUI(192.0.2.1)"), ("s", "some subject")]);
        check("from=\"\"a b\"@example.org\" to=\"x\"", &[("from", "\"a b\"@example.org"), ("to", "x")]);
        check("msg=\"to=<a@b>, stat=Sent (\"x\" ok)\"", &[("msg", "to=<a@b>, stat=Sent (\"x\" ok)")]);
        check("a=\"cut", &[("a", "cut")]);
        check("a", &[]);
        check("", &[]);
    }

    #[test]
    fn a_key_in_a_value_is_a_key_twice() {
        let fields = Fields::of(b"client_ip=\"192.0.2.9\" from=\"x\" client_ip=\"10.0.0.1\" to=\"b\"");
        assert_eq!(fields.only(b"to"), Ok(Some(b"b".as_slice())));
        assert_eq!(fields.only(b"subject"), Ok(None));
        assert!(fields.only(b"client_ip").is_err());
    }
}
