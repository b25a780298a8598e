//! Beginning: by what a log is known again, on another day or another machine, whatever it is called and however
//! much of it there is by then.

use crate::ledger::hash;
use relayaudit_parsers::Line;
use relayaudit_parsers::registry::{Context, Format};
use serde::{Deserialize, Serialize};

/// Fingerprints of how the text of a log begins. A log that was rotated, packed or written on has the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Beginning {
    /// Of the first 1, 2, 4, 8, ... lines from the first record on, as far as they are whole and were looked at: so many
    /// lines of two logs can be compared as both have. What stands before (`#Fields:`) may be the same in many logs.
    lines: Vec<u64>,
    /// Of all bytes that were looked at.
    head: u64,
}

impl Beginning {
    /// The beginning of a text of which `head` is known, and its lines as `format` reads them.
    pub fn of(head: &[u8], lines: &[&[u8]], format: &Format) -> Beginning {
        // The server may be about to write the last one.
        let whole = if head.ends_with(b"\n") { lines.len() } else { lines.len().saturating_sub(1) };
        let first = first_record(lines, format);
        let mut steps = Vec::new();
        let mut sum = 0u64;
        for (line, number) in lines[..whole].iter().skip(first).zip(1usize..) {
            sum = hash::stable([sum.to_le_bytes(), hash::stable(line).to_le_bytes()].as_flattened());
            if number.is_power_of_two() {
                steps.push(sum);
            }
        }
        Beginning { lines: steps, head: hash::stable(head) }
    }

    /// Whether two logs, of which so many bytes were read, begin with the same lines; then the shorter is most likely an
    /// earlier state of the longer.
    pub fn is_shared(&self, bytes: u64, other: &Beginning, other_bytes: u64) -> bool {
        let is_known = !self.lines.is_empty() && !other.lines.is_empty();
        let has_grown = bytes != other_bytes && is_known && self.lines.iter().zip(&other.lines).all(|(a, b)| a == b);
        self.is_copy(bytes, other, other_bytes) || has_grown
    }

    /// Whether two logs, of which so many bytes were read, are the same, as far as they were looked at.
    pub fn is_copy(&self, bytes: u64, other: &Beginning, other_bytes: u64) -> bool {
        bytes == other_bytes && self.head == other.head
    }

    /// What all logs with this beginning have in common.
    pub fn likeness(&self) -> u64 {
        self.lines.first().copied().unwrap_or(self.head)
    }
}

/// The index of the first line that is a record, or else of the first that holds anything.
fn first_record(lines: &[&[u8]], format: &Format) -> usize {
    let mut context = Context::default();
    let record = lines.iter().position(|line| match (format.parse)(line, &context) {
        Line::Record(_) => true,
        Line::Directive => {
            (format.direct)(line, &mut context);
            false
        }
        _ => false,
    });
    record.or_else(|| lines.iter().position(|line| !line.is_empty())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use relayaudit_parsers::registry::by_name;

    fn check(first: &str, second: &str, want: bool) {
        let of = |text: &str| {
            let lines: Vec<&[u8]> = text.split('\n').map(str::as_bytes).collect();
            Beginning::of(text.as_bytes(), &lines, by_name("iis-smtp-w3c").unwrap())
        };
        let (a, b) = ((of(first), first.len() as u64), (of(second), second.len() as u64));
        assert_eq!(a.0.is_shared(a.1, &b.0, b.1), want, "{first:?} {second:?}");
        assert_eq!(b.0.is_shared(b.1, &a.0, a.1), want, "{second:?} {first:?}");
        assert!(!want || a.0.likeness() == b.0.likeness());
    }

    #[test]
    fn a_log_is_known_again_when_it_has_grown() {
        let header = "#Software: x\n#Fields: date time c-ip cs-method cs-uri-query sc-status\n";
        let line = |number: &u32| format!("2026-11-24 10:00:00 192.0.2.{number} EHLO +a 250\n");
        let log = |numbers: &[u32]| header.to_owned() + &numbers.iter().map(line).collect::<String>();
        check(&log(&[1, 2]), &log(&[1, 2]), true);
        check(&log(&[1, 2]), &log(&[1, 2, 3]), true);
        check(&log(&[1, 2, 3, 4]), &(log(&[1, 2, 3]) + "2026-11-"), true);
        check(&log(&[1, 2]), &log(&[1, 3]), false);
        check(&log(&[1, 2]), &log(&[1, 3, 4]), false);
        check(&log(&[1]), &log(&[2, 1]), false);
        check(header, &log(&[1]), false);
        let long: Vec<u32> = (1..200).collect();
        check(&log(&long), &log(&long[..100]), true);
        check(&log(&long), &log(&[&long[..20], &[7; 100]].concat()), false);
    }
}
