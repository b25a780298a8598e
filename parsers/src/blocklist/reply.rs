//! The words of a reply: what the other server itself said, in one shape.

use crate::text::{address, path};
use std::net::IpAddr;

/// How much of a reply is read. The longest known ones (Gmail, five lines) have 500 bytes.
const LONGEST: usize = 1024;

/// Mailboxes that receivers give as their own in replies: all others in a reply are those of sender and recipient.
const CONTACTS: [&[u8]; 7] = [
    b"tosa@rx.t-online.de",
    b"toda@rx.t-online.de",
    b"abuse_rbl@abuse-att.net",
    b"delist@messaging.microsoft.com",
    b"blockedbyearthlink@abuse.earthlink.net",
    b"unblock@charter.net",
    b"icloudadmin@apple.com",
];

/// The first reply code 4yz or 5yz of a text, and what follows it.
///
/// Paths in angle brackets are skipped: they are logged before the reply (Exim, `after RCPT TO:<...>:`), and a quoted
/// local-part may hold anything.
pub fn said(text: &[u8]) -> Option<(u16, &[u8])> {
    let mut rest = text;
    let mut before = b' ';
    loop {
        match rest {
            [b'<', ..] if !is_boundary_only(rest) => {
                rest = behind_path(rest);
                before = b'>';
            }
            [a @ (b'4' | b'5'), b @ b'0'..=b'9', c @ b'0'..=b'9', end, ..]
                if matches!(before, b' ' | b'_' | b':' | b'"' | b'\'' | b'=' | b'(' | b'{')
                    && matches!(end, b' ' | b'_' | b'-') =>
            {
                let code = [a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0'));
                return Some((code, rest.get(4..).unwrap_or_default()));
            }
            [byte, more @ ..] => {
                before = *byte;
                rest = more;
            }
            [] => return None,
        }
    }
}

/// Whether a `<` opens no path, as in `<<<`.
fn is_boundary_only(rest: &[u8]) -> bool {
    matches!(rest, [b'<', b'<' | b' ', ..])
}

/// What follows a path in angle brackets; the rest without its `<` if it is not closed.
fn behind_path(rest: &[u8]) -> &[u8] {
    match path(rest) {
        Ok((behind, _)) => behind,
        Err(_) => memchr::memchr(b'>', rest).map_or(&rest[1..], |end| &rest[end + 1..]),
    }
}

/// Whether the enhanced status code says that it is about the recipient's mailbox: X.1.1 to X.1.3 and X.1.10 (bad
/// address), X.2.1 and X.2.2 (disabled, full) (RFC 3463 section 3.2 and 3.3, RFC 7505 section 4).
pub fn is_about_recipient(text: &[u8]) -> bool {
    let end = text.iter().position(|b| !(b.is_ascii_digit() || *b == b'.')).unwrap_or(text.len());
    matches!(text[..end].get(1..), Some(b".1.1" | b".1.2" | b".1.3" | b".1.10" | b".2.1" | b".2.2"))
}

/// A reply in lower case on one line, without paths, mailboxes and the codes that begin its further lines.
pub struct Words {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Words {
    /// The words behind a reply code. Logs of Postfix join the lines of a reply by blanks, so that `550-5.7.1` or `554-`
    /// may stand anywhere in it.
    pub fn of(code: u16, text: &[u8]) -> Words {
        let mut words = Words { bytes: [0; LONGEST], length: 0 };
        // qmail-remote logs no blanks.
        let blank = |b: u8| b.is_ascii_whitespace() || b == b'_' && !text.contains(&b' ');
        let code = code.to_string();
        let mut enhanced: Option<&[u8]> = None;
        let mut rest = text;
        while let Some(start) = rest.iter().position(|b| !blank(*b)) {
            rest = &rest[start..];
            if rest.first() == Some(&b'<') && !is_boundary_only(rest) && is_mailbox(rest) {
                rest = behind_path(rest);
                continue;
            }
            let end = rest.iter().position(|b| blank(*b)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            // `host <path>:` ends where the path begins.
            let opens = memchr::memchr(b'<', word).filter(|at| 0 < *at && is_mailbox(&rest[*at..]));
            let (word, behind) = opens.map_or((word, behind), |at| rest.split_at(at));
            rest = behind;
            let is_code = word.starts_with(code.as_bytes()) && matches!(word.get(code.len()), None | Some(b'-'));
            let word = if is_code { word.get(code.len() + 1..).unwrap_or_default() } else { word };
            if is_enhanced(word) && *enhanced.get_or_insert(word) == word && 0 < words.length {
                continue;
            }
            if !word.is_empty() && (!word.contains(&b'@') || CONTACTS.iter().any(|known| holds(word, known))) {
                words.push(word);
            }
        }
        words
    }

    fn push(&mut self, word: &[u8]) {
        let gap = usize::from(0 < self.length);
        let room = LONGEST.saturating_sub(self.length + gap);
        let word = &word[..word.len().min(room)];
        if word.is_empty() {
            return;
        }
        if 0 < gap {
            self.bytes[self.length] = b' ';
        }
        let start = self.length + gap;
        self.bytes[start..start + word.len()].copy_from_slice(word);
        self.bytes[start..start + word.len()].make_ascii_lowercase();
        self.length = start + word.len();
    }

    /// The words, separated by one blank each.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The first address in them that may be that of a host on the Internet. Answers of block lists (127.0.0.2, RFC 5782
    /// section 2.1) are none, nor are the numbers of Yahoo's reasons (`- 4.16.55.1`, observed since 2009).
    pub fn address(&self) -> Option<IpAddr> {
        let is_part = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
        let runs = self.as_bytes().split(|b| !is_part(b));
        runs.filter(|run| 6 < run.len()).find_map(|run| {
            let run = run.trim_ascii_end();
            let end = run.iter().rposition(|b| b.is_ascii_hexdigit()).map_or(0, |at| at + 1);
            let start = run.iter().position(|b| *b != b'.').unwrap_or(0);
            let found = address(run.get(start..end)?)?;
            is_public(found).then_some(found)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_unspecified() || matches!(v4.octets(), [4, 16, ..] | [0, ..])),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unspecified()) && 0x0100 <= v6.segments()[0],
    }
}

/// Whether what `<` opens is a path: it has an `@` before it ends.
fn is_mailbox(rest: &[u8]) -> bool {
    let length = rest.len() - behind_path(rest).len();
    rest[..length].contains(&b'@')
}

/// Whether a word is an enhanced status code: `5.7.1`.
fn is_enhanced(word: &[u8]) -> bool {
    let mut parts = word.split(|b| *b == b'.');
    let class = matches!(parts.next(), Some(b"4" | b"5"));
    let is_number = |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    class && is_number(parts.next()) && is_number(parts.next()) && parts.next().is_none()
}

fn holds(word: &[u8], known: &[u8]) -> bool {
    word.windows(known.len()).any(|part| part.eq_ignore_ascii_case(known))
}
