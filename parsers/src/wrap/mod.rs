//! What others put around the lines of a log: grep, Docker, Kubernetes, journald, quoting, web pages.
//!
//! A wrapped line is unwrapped before a format sees it, so that no format knows of it. Which layers a file's lines
//! have is decided once, by its head ([`Wrapping::detect`]); each line is then checked by itself, and one that has
//! none of them stays as it is. That the decision is the file's matters: lines hold what clients sent, and a client can
//! write anything but the beginning of a line.

mod json;
mod layer;

use crate::record::When;
use crate::registry::{FORMATS, Format};
use crate::syslog::time;
use layer::LAYERS;

/// The layers that the lines of a file may have around them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Wrapping(u16);

/// What is inside a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside<'a> {
    /// A part of the line, or all of it.
    Part(&'a [u8]),
    /// What was written at the end of the room that was given.
    Written,
}

/// JSON objects, a line each.
const JSON: u16 = 1 << 14;
/// HTML entities for `<`, `>`, `&` and quotes.
const ENTITIES: u16 = 1 << 15;
/// Layers in layers: compose, a stamp, the syslog of a host, that of a container. More is none of those.
const DEEPEST: usize = 5;

impl Wrapping {
    /// No layer: lines are what their format says.
    pub const NONE: Wrapping = Wrapping(0);

    /// Every layer there is.
    const ALL: Wrapping = Wrapping(u16::MAX);

    /// Whether lines are as their format says.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The layers of a file of which these are the first lines: those with which some format recognises lines, if
    /// none recognises any as it is.
    ///
    /// One line that needs no unwrapping is enough to rule wrapping out: the reject log of Exim holds headers of mail,
    /// and the sender of that can fill any number of indented lines.
    pub fn detect<'a>(lines: impl Iterator<Item = &'a [u8]> + Clone) -> Wrapping {
        let is_known = |line: &[u8]| FORMATS.iter().any(|format: &&Format| (format.recognises)(line));
        let mut layers = 0;
        let mut room = Vec::new();
        for line in lines.clone() {
            if is_known(line) {
                layers = 0;
                break;
            }
            room.clear();
            let (inside, used) = Wrapping(Wrapping::ALL.0 & !ENTITIES).peel(line, &mut room);
            let inside = match inside {
                Inside::Part(part) => part,
                Inside::Written => &room,
            };
            if used != 0 && is_known(inside) {
                layers |= used;
            }
        }
        Wrapping(layers | if is_escaped(lines) { ENTITIES } else { 0 })
    }

    /// What is inside a line, `room` being where to write what is not a part of it.
    ///
    /// A stamp that stands around the line takes the place of one inside that names no year, and stands before a line
    /// that has none.
    pub fn unwrap<'a>(self, line: &'a [u8], room: &mut Vec<u8>) -> Inside<'a> {
        let start = room.len();
        match self.peel(line, room).0 {
            Inside::Part(part) if self.0 & ENTITIES != 0 && has_entities(part) => {
                decode_entities(part, room);
                Inside::Written
            }
            Inside::Written if self.0 & ENTITIES != 0 && room.get(start..).is_some_and(has_entities) => {
                let escaped = room.split_off(start);
                decode_entities(&escaped, room);
                Inside::Written
            }
            inside => inside,
        }
    }

    /// What is inside all layers but the entities, and which layers there were.
    fn peel<'a>(self, line: &'a [u8], room: &mut Vec<u8>) -> (Inside<'a>, u16) {
        let (mut rest, mut stamp, mut used): (&'a [u8], Option<&'a [u8]>, u16) = (line, None, 0);
        for _ in 0..DEEPEST {
            if self.0 & JSON != 0 && rest.first() == Some(&b'{') && json::line(rest, room) {
                return (Inside::Written, used | JSON);
            }
            let mut layers = LAYERS.iter().enumerate().filter(|(bit, _)| self.0 & (1 << bit) != 0);
            let Some((bit, peeled)) = layers.find_map(|(bit, layer)| Some((bit, layer(rest)?))) else { break };
            used |= 1 << bit;
            stamp = stamp.or(peeled.stamp);
            rest = peeled.rest;
        }
        let Some(stamp) = stamp else { return (Inside::Part(rest), used) };
        match dated(stamp, rest) {
            Some(rest) => {
                room.extend_from_slice(stamp);
                room.push(b' ');
                room.extend_from_slice(rest);
                (Inside::Written, used)
            }
            None => (Inside::Part(rest), used),
        }
    }
}

/// Writes an entry of the journal, as `journalctl -o json` prints it on a line, as a line of syslog without line end.
/// Whether it could: else nothing is written.
pub fn journal_entry(object: &[u8], out: &mut Vec<u8>) -> bool {
    object.first() == Some(&b'{') && json::line(object, out)
}

/// What is to stand behind `stamp`, if it is to stand before `line`: a stamp around a line says year and zone, which
/// that of syslog does not.
fn dated<'a>(stamp: &[u8], line: &'a [u8]) -> Option<&'a [u8]> {
    if !matches!(time::timestamp(stamp), Ok((_, When::Utc(_)))) {
        return None;
    }
    let inner = without_priority(line);
    match time::timestamp(inner) {
        Ok((rest, When::Yearless(_))) => Some(rest.trim_ascii_start()),
        Ok(_) => None,
        // A program's name. Directives have no time, and other formats one of their own shape.
        Err(_) if inner.first().is_some_and(u8::is_ascii_alphabetic) => Some(line),
        Err(_) => None,
    }
}

/// The line without the priority of a network capture in front: `<22>`.
fn without_priority(line: &[u8]) -> &[u8] {
    match line {
        [b'<', rest @ ..] => match rest.iter().take(4).position(|byte| *byte == b'>') {
            Some(end) => rest.get(end + 1..).unwrap_or_default(),
            None => line,
        },
        _ => line,
    }
}

/// Whether a line begins as those of logs do: with a time, maybe behind a priority, a year, or as a directive or a JSON
/// object.
pub fn begins_line(line: &[u8]) -> bool {
    match line {
        [b'#' | b'{', ..] => true,
        // Exchange 2000 writes `2003-8-12`.
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', b'0'..=b'9', ..] => true,
        _ => time::timestamp(without_priority(line)).is_ok(),
    }
}

/// Whether the text is the source of a web page: pointed brackets only as entities.
fn is_escaped<'a>(lines: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut any = false;
    for line in lines {
        any |= memchr::memmem::find(line, b"=&lt;").is_some();
        if memchr::memchr2(b'<', b'>', line).is_some() {
            return false;
        }
    }
    any
}

/// Whether a line of an escaped file is escaped itself.
fn has_entities(line: &[u8]) -> bool {
    memchr::memchr2(b'<', b'>', line).is_none() && memchr::memchr(b'&', line).is_some()
}

/// Writes a line with its entities replaced, once: `&amp;lt;` becomes `&lt;` (HTML, "Named character references").
fn decode_entities(line: &[u8], out: &mut Vec<u8>) {
    const ENTITY: [(&[u8], u8); 8] = [
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&amp;", b'&'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&#39;", b'\''),
        (b"&#34;", b'"'),
        (b"&nbsp;", b' '),
    ];
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        let (name, byte) = ENTITY.iter().find(|(name, _)| from.starts_with(name)).copied().unwrap_or((b"&", b'&'));
        out.push(byte);
        rest = from.get(name.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests;
