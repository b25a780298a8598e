//! JSON objects of one line, read without copying (RFC 8259): values are slices of the line.
//!
//! Escapes in strings are left as they are. Mail addresses and names need none, and an escaped quotation mark, which does not end a
//! string, still stands behind its `\`.

use crate::text::{Expected, Parsed};
use memchr::memchr2;

/// A value, as far as it is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string, without its quotation marks.
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Bare(&'a [u8]),
    /// The inside of a list.
    List(&'a [u8]),
    /// The inside of an object.
    Object(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The text of a string or the characters of a number; empty for anything else.
    pub fn text(self) -> &'a [u8] {
        match self {
            Value::Text(text) | Value::Bare(text) => text,
            Value::List(_) | Value::Object(_) => b"",
        }
    }
}

/// Gives every member of an object that fills `input`, in order: its name and its value.
///
/// What stands behind the object, or is no value, is an error at that byte. Lists and objects inside are not looked into, but
/// their brackets and strings must match.
pub fn members<'a>(input: &'a [u8], mut each: impl FnMut(&'a [u8], Value<'a>)) -> Result<(), nom::Err<Expected<'a>>> {
    let mut rest = mark(input.trim_ascii_start(), b'{', "`{`")?.trim_ascii_start();
    if let [b'}', after @ ..] = rest {
        return end(after);
    }
    loop {
        let (after, name) = string(rest)?;
        let (after, value) = value(mark(after.trim_ascii_start(), b':', "`:`")?.trim_ascii_start())?;
        each(name, value);
        rest = match after.trim_ascii_start() {
            [b',', after @ ..] => after.trim_ascii_start(),
            after => return end(mark(after, b'}', "`,` or `}`")?),
        };
    }
}

/// The value at a path of names from the inside of an object ([`Value::Object`]), each name but the last being that of an
/// object: `["normalizedHeader", "from"]`. Of a name that comes twice the first counts. `None` without it.
pub fn find<'a>(inside: &'a [u8], path: &[&[u8]]) -> Option<Value<'a>> {
    let (first, more) = path.split_first()?;
    let mut rest = inside.trim_ascii_start();
    loop {
        let (after, name) = string(rest).ok()?;
        let (after, value) = value(after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start()).ok()?;
        if name == *first {
            return match value {
                Value::Object(inside) if !more.is_empty() => find(inside, more),
                value => more.is_empty().then_some(value),
            };
        }
        rest = after.trim_ascii_start().strip_prefix(b",")?.trim_ascii_start();
    }
}

fn end(rest: &[u8]) -> Result<(), nom::Err<Expected<'_>>> {
    if rest.trim_ascii().is_empty() { Ok(()) } else { Err(wanted(rest, "the end of the object")) }
}

fn wanted<'a>(rest: &'a [u8], what: &'static str) -> nom::Err<Expected<'a>> {
    nom::Err::Error(Expected { rest, what })
}

fn mark<'a>(input: &'a [u8], byte: u8, what: &'static str) -> Result<&'a [u8], nom::Err<Expected<'a>>> {
    input.strip_prefix(&[byte]).ok_or_else(|| wanted(input, what))
}

/// Parses a string; the result is what stands between the quotation marks.
fn string(input: &[u8]) -> Parsed<'_, &[u8]> {
    let inside = mark(input, b'"', "a string")?;
    let mut at = 0;
    while let Some(found) = inside.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if inside[at] == b'"' {
            return Ok((&inside[at + 1..], &inside[..at]));
        }
        at += 2;
    }
    Err(wanted(&input[input.len()..], "`\"` to close the string"))
}

fn value(input: &[u8]) -> Parsed<'_, Value<'_>> {
    match input.first() {
        Some(b'"') => string(input).map(|(rest, text)| (rest, Value::Text(text))),
        Some(b'[') => nested(input).map(|(rest, inside)| (rest, Value::List(inside))),
        Some(b'{') => nested(input).map(|(rest, inside)| (rest, Value::Object(inside))),
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
            let length = input.iter().position(is_end).unwrap_or(input.len());
            if length == 0 {
                return Err(wanted(input, "a value"));
            }
            Ok((&input[length..], Value::Bare(&input[..length])))
        }
    }
}

/// Parses a list or an object without looking into it; the result is what stands between its brackets.
fn nested(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (mut at, mut depth) = (0, 0usize);
    while let Some(byte) = input.get(at) {
        match byte {
            b'"' => {
                let (rest, _) = string(&input[at..])?;
                at = input.len() - rest.len();
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Ok((&input[at..], &input[1..at - 1]));
        }
    }
    Err(wanted(&input[input.len()..], "a bracket to close the value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Result<&[(&str, Value<'static>)], (usize, &str)>) {
        let mut found = Vec::new();
        let done =
            members(text.as_bytes(), |name, value| found.push((String::from_utf8_lossy(name).into_owned(), value)));
        match (done, want) {
            (Ok(()), Ok(want)) => {
                let want: Vec<_> = want.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
                assert_eq!(found, want, "{text}");
            }
            (Err(error), Err((at, what))) => {
                let got = crate::text::unparsed(text.as_bytes(), &error);
                assert_eq!((got.at, got.expected), (at, what), "{text}");
            }
            (done, _) => panic!("{text}: {done:?}"),
        }
    }

    #[test]
    fn objects() {
        check("{}", Ok(&[]));
        check(r#"{"a":"b\"c", "d" : 1.5}"#, Ok(&[("a", Value::Text(br#"b\"c"#)), ("d", Value::Bare(b"1.5"))]));
        check(
            r#"{"a":["x]","y"],"b":{"c":"}"}}"#,
            Ok(&[("a", Value::List(br#""x]","y""#)), ("b", Value::Object(br#""c":"}""#))]),
        );
        check(r#"{"a":true} "#, Ok(&[("a", Value::Bare(b"true"))]));
    }

    #[test]
    fn values_by_path() {
        let inside = br#""a":{"x":{"y":"1"},"b":"2"}, "c" : ["3"],"a":4"#;
        let check = |path: &[&[u8]], want| assert_eq!(find(inside, path), want, "{path:?}");
        check(&[b"a", b"x", b"y"], Some(Value::Text(b"1")));
        check(&[b"a", b"b"], Some(Value::Text(b"2")));
        check(&[b"c"], Some(Value::List(br#""3""#)));
        check(&[b"a"], Some(Value::Object(br#""x":{"y":"1"},"b":"2""#)));
        check(&[b"c", b"x"], None);
        check(&[b"a", b"b", b"z"], None);
        check(&[b"d"], None);
        check(&[], None);
    }

    #[test]
    fn what_is_none() {
        check("x", Err((0, "`{`")));
        check(r#"{"a"}"#, Err((4, "`:`")));
        check(r#"{"a":"b}"#, Err((8, "`\"` to close the string")));
        check(r#"{"a":"b\"#, Err((8, "`\"` to close the string")));
        check(r#"{"a":[1"#, Err((7, "a bracket to close the value")));
        check(r#"{"a":}"#, Err((5, "a value")));
        check(r#"{"a":1 "b":2}"#, Err((7, "`,` or `}`")));
        check(r#"{"a":1}x"#, Err((7, "the end of the object")));
        check(r#"{"a":1,}"#, Err((7, "a string")));
    }
}
