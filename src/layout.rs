//! Layout: how the lines of a file lie, apart from what their format says. It is learnt from the file's head and holds
//! for all of it, so that a file can be cut anywhere.

use relayaudit_parsers::registry::{Context, Format};
use relayaudit_parsers::wrap::{Inside, Wrapping, begins_line};
use relayaudit_parsers::{Line, record::When};

/// How the lines of a file lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// What stands around each line.
    pub wrapping: Wrapping,
    /// The width in bytes at which a terminal broke long lines, if one did.
    pub width: Option<usize>,
    /// Whether the latest line comes first, as in tables of web interfaces.
    pub newest_first: bool,
}

/// A terminal is not narrower; shorter lines that happen to be alike prove nothing.
const NARROWEST: usize = 40;

impl Layout {
    /// Whether lines lie as a server wrote them.
    pub fn is_plain(&self) -> bool {
        *self == Layout::default()
    }

    /// The layout of a file of which these are the first lines, but for their order.
    pub fn of<'a>(head: impl Iterator<Item = &'a [u8]> + Clone) -> Layout {
        let Some(width) = width(head.clone()) else {
            return Layout { wrapping: Wrapping::detect(head), ..Layout::default() };
        };
        let broken = Layout { width: Some(width), ..Layout::default() };
        let lines = broken.arrange_all(head);
        Layout { wrapping: Wrapping::detect(lines.iter().map(Vec::as_slice)), ..broken }
    }

    /// The inner lines of the head, each a text of its own.
    pub fn arrange_all<'a>(&self, head: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
        let text = head.collect::<Vec<_>>().join(&b'\n');
        let arranged = Arranged::new(&text, *self);
        arranged.lines().map(|line| line.text.to_vec()).collect()
    }

    /// Whether a line that ends at this width may go on in the next one.
    pub fn may_go_on(&self, bytes: usize) -> bool {
        // A blank at the edge is lost when text is copied from a terminal.
        self.width.is_some_and(|width| bytes == width || bytes + 1 == width)
    }
}

/// The width at which lines were broken: that of the longest, if nearly every line that begins no log line follows one
/// of that width.
fn width<'a>(head: impl Iterator<Item = &'a [u8]> + Clone) -> Option<usize> {
    let width = head.clone().map(<[u8]>::len).max().filter(|width| NARROWEST <= *width)?;
    let (mut before, mut goes_on, mut loose) = (0, 0u32, 0u32);
    for line in head {
        if !line.is_empty() && !begins_line(line) {
            *(if before == width { &mut goes_on } else { &mut loose }) += 1;
        }
        before = line.len();
    }
    (2 <= goes_on && loose * 4 <= goes_on).then_some(width)
}

/// Whether the stamps of a file's first lines run backwards: never forwards, and at least twice backwards.
pub fn is_newest_first<'a>(format: &Format, lines: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut context = Context::default();
    let (mut later, mut steps) = (None, 0u32);
    for line in lines {
        (format.direct)(line, &mut context);
        let Line::Record(record) = (format.parse)(line, &context) else { continue };
        let Some(stamp) = order(record.when) else { continue };
        match later {
            // Stamps of other kinds cannot be compared.
            Some((kind, _)) if kind != stamp.0 => return false,
            Some((_, micros)) if micros < stamp.1 => return false,
            Some((_, micros)) if stamp.1 < micros => steps += 1,
            _ => {}
        }
        later = Some(stamp);
    }
    2 <= steps
}

/// The kind of a stamp, and a number by which stamps of that kind can be compared.
fn order(when: When) -> Option<(u8, i64)> {
    match when {
        When::Utc(micros) => Some((0, micros)),
        When::Local(stamp) => Some((1, stamp.and_utc().timestamp_micros())),
        When::Yearless(stamp) => Some((2, stamp.and_utc().timestamp_micros())),
        When::Unknown => None,
    }
}

/// A line of a log, as it is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// How many lines of the file stand before it.
    pub before: u64,
    /// How many lines of the file it is made of.
    pub pieces: u64,
    /// The line as it stands in the file, put together again if a terminal broke it.
    pub raw: &'a [u8],
    /// What its format is to read.
    pub text: &'a [u8],
}

/// The lines of a stretch of a file, arranged as its layout says.
pub struct Arranged<'a> {
    /// What does not stand in the file as it is.
    room: Vec<u8>,
    lines: Vec<Row<'a>>,
}

struct Row<'a> {
    before: u64,
    pieces: u64,
    raw: Text<'a>,
    /// `None`: the same as `raw`.
    text: Option<Text<'a>>,
}

#[derive(Clone, Copy)]
enum Text<'a> {
    Line(&'a [u8]),
    Room(usize, usize),
}

impl<'a> Arranged<'a> {
    /// Arranges the lines of a stretch that begins and ends with whole ones.
    pub fn new(bytes: &'a [u8], layout: Layout) -> Arranged<'a> {
        let mut arranged = Arranged { room: Vec::new(), lines: Vec::new() };
        let mut lines = lines(bytes).peekable();
        let mut before = 0;
        while let Some(first) = lines.next() {
            let (mut pieces, mut last) = (1, first);
            let start = arranged.room.len();
            while layout.may_go_on(last.len()) {
                let Some(next) = lines.next_if(|next| !next.is_empty() && !begins_line(next)) else { break };
                if pieces == 1 {
                    arranged.room.extend_from_slice(first);
                }
                if layout.width.is_some_and(|width| last.len() < width) {
                    arranged.room.push(b' ');
                }
                arranged.room.extend_from_slice(next);
                (pieces, last) = (pieces + 1, next);
            }
            let raw = if pieces == 1 { Text::Line(first) } else { Text::Room(start, arranged.room.len()) };
            let text = arranged.unwrap(raw, layout.wrapping);
            arranged.lines.push(Row { before, pieces, raw, text });
            before += pieces;
        }
        arranged
    }

    fn unwrap(&mut self, raw: Text<'a>, wrapping: Wrapping) -> Option<Text<'a>> {
        let start = self.room.len();
        let inside = match raw {
            _ if wrapping.is_none() => return None,
            Text::Line(line) => match wrapping.unwrap(line, &mut self.room) {
                Inside::Part(part) => return Some(Text::Line(part)),
                Inside::Written => Text::Room(start, self.room.len()),
            },
            Text::Room(from, to) => {
                let line = self.room.get(from..to).unwrap_or_default().to_vec();
                let mut room = Vec::new();
                let inside = match wrapping.unwrap(&line, &mut room) {
                    Inside::Part(part) => part,
                    Inside::Written => &room,
                };
                self.room.extend_from_slice(inside);
                Text::Room(start, self.room.len())
            }
        };
        Some(inside)
    }

    fn text(&self, text: Text<'a>) -> &[u8] {
        match text {
            Text::Line(line) => line,
            Text::Room(from, to) => self.room.get(from..to).unwrap_or_default(),
        }
    }

    /// The lines, in the order of the file.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = LogLine<'_>> {
        self.lines.iter().map(|row| {
            let raw = self.text(row.raw);
            let text = row.text.map_or(raw, |text| self.text(text));
            LogLine { before: row.before, pieces: row.pieces, raw, text }
        })
    }
}

/// The lines of a stretch, without their line ends (LF or CR LF).
pub fn lines(bytes: &[u8]) -> Lines<'_> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    Lines { rest: (!bytes.is_empty()).then_some(body) }
}

/// See [`lines`].
pub struct Lines<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let line = match memchr::memchr(b'\n', rest) {
            Some(end) => {
                self.rest = Some(&rest[end + 1..]);
                &rest[..end]
            }
            None => {
                self.rest = None;
                rest
            }
        };
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}
