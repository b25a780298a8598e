//! Lines in JSON objects: journald's, Docker's, and those of shippers that keep the line as it was.
//!
//! Journal: systemd.journal-fields(7) and "Journal Export Formats", section "Journal JSON Format". Docker: the
//! `json-file` logging driver. Others: `message` and `@timestamp`, as Filebeat and Logstash write them.

use crate::text::{Expected, Parsed};
use crate::wrap::dated;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, take, take_while, take_while1};
use nom::character::complete::{char, multispace0};
use nom::combinator::recognize;
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded, terminated};

/// A value, as its text in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    /// What stands between the quotes, escapes and all.
    Text(&'a [u8]),
    /// An array, with its brackets.
    Array(&'a [u8]),
    /// An object, a number or a word.
    Other(&'a [u8]),
}

/// The members of an object that say what the line was. Of a key that comes twice the first counts.
#[derive(Default)]
struct Members<'a> {
    message: Option<Value<'a>>,
    host: Option<Value<'a>>,
    identifier: Option<Value<'a>>,
    command: Option<Value<'a>>,
    syslog_pid: Option<Value<'a>>,
    pid: Option<Value<'a>>,
    realtime: Option<Value<'a>>,
    log: Option<Value<'a>>,
    time: Option<Value<'a>>,
}

/// Writes the line that an object holds to `out`: as it was, with the object's time in front if it has none, or, of a
/// journal, as syslog would have written it. Writes nothing, and gives `false`, if it is no such object.
pub fn line(object: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let written = members(object).and_then(|members| match members.realtime {
        Some(Value::Text(micros)) => journal(&members, micros, out),
        _ => shipped(&members, out),
    });
    if written.is_none() {
        out.truncate(start);
    }
    written.is_some()
}

/// Writes `SECONDS.MICROS HOST TAG[PID]: MESSAGE`.
fn journal(members: &Members<'_>, micros: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let seconds = micros.len().checked_sub(6).filter(|_| micros.iter().all(u8::is_ascii_digit))?;
    let (seconds, micros) = micros.split_at(seconds);
    out.extend_from_slice(seconds);
    out.push(b'.');
    out.extend_from_slice(micros);
    out.push(b' ');
    word(members.host, out)?;
    out.push(b' ');
    word(members.identifier.or(members.command), out)?;
    if let Some(pid) = members.syslog_pid.or(members.pid) {
        out.push(b'[');
        word(Some(pid), out)?;
        out.push(b']');
    }
    out.extend_from_slice(b": ");
    // A message too long to be shown is null.
    members.message.map_or(Some(()), |message| text(message, out))
}

/// Writes a word of the envelope. What may not stand in one is replaced: no name can pose as another field.
fn word(value: Option<Value<'_>>, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    text(value?, out)?;
    for byte in out.get_mut(start..)? {
        if !byte.is_ascii_graphic() || matches!(*byte, b'[' | b']' | b':') {
            *byte = b'_';
        }
    }
    (start < out.len()).then_some(())
}

/// Writes the line that was shipped, without its line end.
fn shipped(members: &Members<'_>, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    text(members.log?, out)?;
    let Some(Value::Text(stamp)) = members.time else { return Some(()) };
    let inner = out.get(start..)?;
    if let Some(rest) = dated(stamp, inner) {
        let stamped = inner.len() - rest.len();
        out.splice(start..start + stamped, stamp.iter().copied().chain([b' ']));
    }
    Some(())
}

fn members(object: &[u8]) -> Option<Members<'_>> {
    let mut found = Members::default();
    let (mut rest, _) = start(object).ok()?;
    loop {
        let (after, (key, value)) = member(rest).ok()?;
        let place = match key {
            b"MESSAGE" => &mut found.message,
            b"_HOSTNAME" => &mut found.host,
            b"SYSLOG_IDENTIFIER" => &mut found.identifier,
            b"_COMM" => &mut found.command,
            b"SYSLOG_PID" => &mut found.syslog_pid,
            b"_PID" => &mut found.pid,
            b"__REALTIME_TIMESTAMP" => &mut found.realtime,
            b"log" | b"message" => &mut found.log,
            b"time" | b"@timestamp" => &mut found.time,
            _ => &mut None,
        };
        if place.is_none() {
            *place = Some(value);
        }
        match after {
            [b',', after @ ..] => rest = after,
            [b'}', after @ ..] => return after.trim_ascii().is_empty().then_some(found),
            _ => return None,
        }
    }
}

fn start(input: &[u8]) -> Parsed<'_, char> {
    char('{').parse(input)
}

/// Parses `"key": value`, and blanks around it.
fn member(input: &[u8]) -> Parsed<'_, (&[u8], Value<'_>)> {
    let key = delimited(multispace0, string, (multispace0, char(':'), multispace0));
    (key, terminated(value, multispace0)).parse(input)
}

/// Parses a string; gives what stands between its quotes (RFC 8259 section 7).
fn string(input: &[u8]) -> Parsed<'_, &[u8]> {
    let escaped = recognize(preceded(char('\\'), take(1usize)));
    let text = recognize(many0_count(alt((is_not("\\\""), escaped))));
    delimited(char('"'), text, char('"')).parse(input)
}

fn value(input: &[u8]) -> Parsed<'_, Value<'_>> {
    match input.first() {
        Some(b'"') => string.map(Value::Text).parse(input),
        Some(b'[') => nest.map(Value::Array).parse(input),
        Some(b'{') => nest.map(Value::Other).parse(input),
        _ => take_while1(|byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            .map(Value::Other)
            .parse(input),
    }
}

/// Parses an array or an object, whatever is in it; its depth costs no stack.
fn nest(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (mut rest, mut depth) = (input, 0usize);
    loop {
        let (after, _) = take_while(|byte: u8| !b"\"[]{}".contains(&byte)).parse(rest)?;
        match after {
            [b'"', ..] => rest = string(after)?.0,
            [b'[' | b'{', after @ ..] => (rest, depth) = (after, depth + 1),
            [_, after @ ..] if 1 < depth => (rest, depth) = (after, depth - 1),
            [_, after @ ..] => return Ok((after, input.get(..input.len() - after.len()).unwrap_or_default())),
            [] => return Err(nom::Err::Error(Expected { rest: after, what: "`]` or `}`" })),
        }
    }
}

/// Writes the text of a value: of a string, of an array of bytes (what is no UTF-8 in a journal), or of the first of
/// several (a field that a process set twice). `None` for anything else.
fn text(value: Value<'_>, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Text(escaped) => unescape(escaped, out),
        Value::Array(array) => {
            let inside = array.strip_prefix(b"[")?.strip_suffix(b"]")?.trim_ascii();
            if let Ok((_, first)) = string(inside) {
                return unescape(first, out);
            }
            for number in inside.split(|byte| *byte == b',') {
                let number = crate::text::number(number.trim_ascii())?;
                out.push(u8::try_from(number).ok().map(in_line)?);
            }
            Some(())
        }
        Value::Other(b"null") => Some(()),
        Value::Other(word) => {
            crate::text::number(word)?;
            out.extend_from_slice(word);
            Some(())
        }
    }
}

/// Writes a string with its escapes undone (RFC 8259 section 7), but for line ends at its end.
fn unescape(escaped: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = escaped;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(rest.get(..at)?);
        rest = rest.get(at + 1..)?;
        if matches!(rest, b"n" | b"r\\n") {
            return Some(());
        }
        let (name, after) = rest.split_first()?;
        rest = after;
        match name {
            b'n' | b'r' => out.push(b' '),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => rest = unicode(after, out)?,
            other => out.push(*other),
        }
    }
    out.extend_from_slice(rest);
    Some(())
}

/// What may stand within a line: line ends and NUL become blanks.
fn in_line(byte: u8) -> u8 {
    if matches!(byte, 0 | b'\n' | b'\r') { b' ' } else { byte }
}

/// Writes the character of `\uXXXX`, of which `digits` begins with the digits, or of two such that are a pair; gives
/// what follows.
fn unicode<'a>(digits: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (unit, rest) = hex(digits)?;
    let pair = || {
        let (low, rest) = hex(rest.strip_prefix(b"\\u")?)?;
        let char = char::decode_utf16([unit, low]).next()?.ok()?;
        Some((char, rest))
    };
    let (char, rest) = match char::from_u32(u32::from(unit)) {
        Some(char) => (char, rest),
        None => pair().unwrap_or((char::REPLACEMENT_CHARACTER, rest)),
    };
    let char = if matches!(char, '\0' | '\n' | '\r') { ' ' } else { char };
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    Some(rest)
}

fn hex(digits: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = digits.split_at_checked(4)?;
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    Some((u16::from_str_radix(text, 16).ok()?, rest))
}
