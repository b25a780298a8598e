//! The three shapes of a line (logger.js): `[NOTICE] [UUID.1] [core] text`, `level=NOTICE uuid=UUID.1 origin=core message=text
//! key=value`, and an object of JSON with the same keys.

use crate::json::{self, Value};
use crate::text::{Expected, Parsed, expect};
use nom::Parser;
use nom::bytes::complete::{is_not, tag, take_while1};
use nom::sequence::{delimited, terminated};

/// Characters of a UUID (RFC 9562 section 4).
pub const UUID: usize = 36;

const LEVELS: [&[u8]; 10] =
    [b"DATA", b"PROTOCOL", b"DEBUG", b"INFO", b"NOTICE", b"WARN", b"ERROR", b"CRIT", b"ALERT", b"EMERG"];

/// A line, opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The connection or transaction; `-` for none.
    pub uuid: &'a [u8],
    /// `core`, or the plugin.
    pub origin: &'a [u8],
    /// The text; in the default format with all keys behind it.
    pub message: &'a [u8],
    /// Where its keys are.
    pub fields: Fields<'a>,
}

impl Entry<'_> {
    /// Whether a line that looks like an entry is one for sure: it names a connection, or none.
    pub fn is_surely_one(&self) -> bool {
        const DASHES: [usize; 4] = [8, 13, 18, 23];
        let id = self.uuid.get(..UUID);
        let is_uuid = id.is_some_and(|id| {
            id.iter().enumerate().all(|(at, byte)| match DASHES.contains(&at) {
                true => *byte == b'-',
                false => byte.is_ascii_hexdigit(),
            })
        });
        is_uuid || self.uuid == b"-"
    }
}

/// The keys of a line and their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields<'a> {
    /// They follow the text (default format).
    InMessage,
    /// `key=value key="value"`.
    Pairs(&'a [u8]),
    /// Members of an object.
    Json(&'a [u8]),
}

/// Parses a line without its time. Fails where it has none of the three shapes.
pub fn entry(line: &[u8]) -> Result<Entry<'_>, nom::Err<Expected<'_>>> {
    match line.first() {
        Some(b'{') => object(line),
        Some(b'l') => logfmt(line),
        _ => default(line).map(|(_, entry)| entry),
    }
}

fn default(line: &[u8]) -> Parsed<'_, Entry<'_>> {
    let (rest, level) = expect("a level: `[NOTICE]`", delimited(tag("["), is_not("]"), tag("] "))).parse(line)?;
    if !LEVELS.contains(&level) {
        return Err(nom::Err::Error(Expected { rest: line, what: "a level: `[NOTICE]`" }));
    }
    let (rest, uuid) = expect("a connection: `[UUID]`", delimited(tag("["), is_not("]"), tag("] "))).parse(rest)?;
    let (rest, origin) = expect("an origin: `[core]`", delimited(tag("["), is_not("]"), tag("]"))).parse(rest)?;
    let message = rest.trim_ascii_start();
    Ok((b"", Entry { uuid, origin, message, fields: Fields::InMessage }))
}

fn logfmt(line: &[u8]) -> Result<Entry<'_>, nom::Err<Expected<'_>>> {
    let (rest, _) = expect("a level: `level=NOTICE `", delimited(tag("level="), level, tag(" "))).parse(line)?;
    let get = |key| value(rest, key);
    match (get(b"uuid"), get(b"origin"), get(b"message")) {
        (Some(uuid), Some(origin), Some(message)) => Ok(Entry { uuid, origin, message, fields: Fields::Pairs(rest) }),
        _ => Err(nom::Err::Error(Expected { rest, what: "`uuid=`, `origin=` and `message=`" })),
    }
}

fn level(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|byte: u8| byte.is_ascii_uppercase())(input)
}

fn object(line: &[u8]) -> Result<Entry<'_>, nom::Err<Expected<'_>>> {
    let fields = Fields::Json(line);
    let mut level = None;
    let mut entry = Entry { uuid: b"", origin: b"", message: b"", fields };
    json::members(line, |name, value| match name {
        b"level" => level = level.or(Some(value.text())),
        b"uuid" => entry.uuid = value.text(),
        b"origin" => entry.origin = value.text(),
        b"message" => entry.message = value.text(),
        _ => {}
    })?;
    match level {
        Some(level) if LEVELS.contains(&level) && !entry.uuid.is_empty() && !entry.origin.is_empty() => Ok(entry),
        _ => Err(nom::Err::Error(Expected { rest: line, what: "`level`, `uuid` and `origin`" })),
    }
}

impl<'a> Entry<'a> {
    /// The value of a key, as written: escapes stay. Of the default format `rest` is looked at, which follows the text.
    pub fn get(&self, rest: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
        match self.fields {
            Fields::InMessage => value(rest, key),
            Fields::Pairs(pairs) => value(pairs, key),
            Fields::Json(object) => {
                let mut found = None;
                let _ = json::members(object, |name, value| {
                    if name == key {
                        found = found.or(match value {
                            Value::Text(_) | Value::Bare(_) => Some(value.text()),
                            Value::List(_) | Value::Object(_) => None,
                        });
                    }
                });
                found
            }
        }
    }
}

/// The value of the first pair with that key. Haraka writes its keys in a fixed order, so that none comes before it that a
/// client wrote: what has a blank stands in quotation marks, and marks inside are escaped.
pub fn value<'a>(pairs: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut rest = pairs;
    loop {
        let (after, (name, value)) = pair(rest.trim_ascii_start()).ok()?;
        if name == key {
            return Some(value);
        }
        rest = after;
    }
}

/// Parses `key=value` or `key="value"`. A key may have a blank in it (`delivered file`).
fn pair(input: &[u8]) -> Parsed<'_, (&[u8], &[u8])> {
    let (rest, name) = terminated(is_not("=\""), tag("=")).parse(input)?;
    let Some(inside) = rest.strip_prefix(b"\"") else {
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        return Ok((&rest[end..], (name, &rest[..end])));
    };
    let mut at = 0;
    while let Some(byte) = inside.get(at) {
        match byte {
            b'"' => return Ok((&inside[at + 1..], (name, &inside[..at]))),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err(nom::Err::Error(Expected { rest: &input[input.len()..], what: "`\"` to close the value" }))
}
