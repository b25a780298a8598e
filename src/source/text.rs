//! Text: UTF-16 becomes UTF-8, and a byte order mark is no text.
//!
//! Exchange Online and the tools of Windows export UTF-16; both its orders begin with a mark (Unicode 15.0
//! section 23.8).

use super::unpack::{Begun, Bytes};
use std::io::{self, BufRead, BufReader, Read};

/// Whether a text begins with a byte order mark.
pub fn is_marked(begun: &Begun) -> bool {
    matches!(begun.begin.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0xef, 0xbb, 0xbf, ..])
}

/// Gives the bytes as UTF-8, or as they are where no byte order mark says that they are UTF-16.
pub fn decode(begun: Begun) -> Bytes {
    let (mark_bytes, unit): (usize, Option<Unit>) = match begun.begin.as_slice() {
        [0xff, 0xfe, ..] => (2, Some(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => (2, Some(u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf, ..] => (3, None),
        _ => return begun.bytes,
    };
    let mut bytes = begun.bytes;
    // The mark is at hand: it was looked at.
    let _ = bytes.read_exact(&mut [0; 3][..mark_bytes]);
    match unit {
        None => bytes,
        Some(unit) => {
            Box::new(Utf16 { bytes: BufReader::new(bytes), unit, half: None, high: None, text: Vec::new(), taken: 0 })
        }
    }
}

/// Makes a unit of two bytes.
type Unit = fn([u8; 2]) -> u16;

/// Decodes UTF-16. What is no character becomes U+FFFD.
struct Utf16 {
    bytes: BufReader<Bytes>,
    unit: Unit,
    /// The first byte of a unit whose second was not there yet.
    half: Option<u8>,
    /// The first unit of a pair whose second was not there yet.
    high: Option<u16>,
    /// What is decoded and not handed out yet, from `taken` on.
    text: Vec<u8>,
    taken: usize,
}

impl Utf16 {
    /// Decodes what is at hand; no text afterwards means that the input is at its end.
    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        while self.text.is_empty() {
            let Utf16 { bytes, unit, half, high, text, .. } = self;
            let at_hand = bytes.fill_buf()?;
            let length = at_hand.len();
            if length == 0 {
                if half.take().is_some() | high.take().is_some() {
                    push(text, char::REPLACEMENT_CHARACTER);
                }
                return Ok(());
            }
            for byte in at_hand {
                match half.take() {
                    None => *half = Some(*byte),
                    Some(first) => take(text, high, unit([first, *byte])),
                }
            }
            bytes.consume(length);
        }
        Ok(())
    }
}

fn take(text: &mut Vec<u8>, high: &mut Option<u16>, unit: u16) {
    if let Some(first) = high.take() {
        match char::decode_utf16([first, unit]).next() {
            Some(Ok(char)) => return push(text, char),
            _ => push(text, char::REPLACEMENT_CHARACTER),
        }
    }
    match unit {
        0xd800..=0xdbff => *high = Some(unit),
        _ => push(text, char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}

fn push(text: &mut Vec<u8>, char: char) {
    text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

impl Read for Utf16 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.text.len() {
            self.refill()?;
        }
        let bytes = buffer.len().min(self.text.len() - self.taken);
        buffer[..bytes].copy_from_slice(&self.text[self.taken..self.taken + bytes]);
        self.taken += bytes;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::unpack::{Size, unpack};
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let bytes = buffer.len().min(3).min(self.0.len() - self.1);
            buffer[..bytes].copy_from_slice(&self.0[self.1..self.1 + bytes]);
            self.1 += bytes;
            Ok(bytes)
        }
    }

    fn check(bytes: &[u8], want: &str) {
        let slow: Bytes = Box::new(Slow(bytes.to_vec(), 0));
        let mut text = Vec::new();
        decode(unpack(slow, &Size::default()).unwrap()).read_to_end(&mut text).unwrap();
        assert_eq!(String::from_utf8_lossy(&text), want, "{bytes:?}");
    }

    #[test]
    fn marks_and_orders() {
        let text = "a\r\n\u{e4}\u{20ac}\u{1f4e7}z";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|unit| unit.to_be_bytes()).collect();
        check(&little, text);
        check(&big, text);
        check(&[b"\xef\xbb\xbf", text.as_bytes()].concat(), text);
        check(text.as_bytes(), text);
        check(b"", "");
        check(&[0xff], "\u{fffd}");
    }

    #[test]
    fn what_is_no_character_is_shown_as_such() {
        check(&[0xff, 0xfe, b'a', 0, b'b'], "a\u{fffd}");
        check(&[0xff, 0xfe, 0x3d, 0xd8, b'b', 0], "\u{fffd}b");
        check(&[0xff, 0xfe, 0x3d, 0xdc, b'b', 0], "\u{fffd}b");
        check(&[0xff, 0xfe, 0x3d, 0xd8], "\u{fffd}");
    }
}
