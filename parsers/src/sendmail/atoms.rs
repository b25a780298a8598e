//! The smallest parts of Sendmail lines: queue ids, lists of addresses, hosts.

use crate::record::Peer;
use crate::text::{Expected, Parsed, address};
use memchr::memmem;

/// Splits `QUEUEID: ` off, if the text begins so.
pub fn split_queue_id(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, rest) = input.split_at(queue_id(input)?.len());
    Some((id, rest.strip_prefix(b": ")?))
}

/// The queue id with which the text begins (sendmail/queue.c, `assign_queueid`).
///
/// - 8.12 and later: eight letters and digits of time and sequence, and six or more digits of the process id,
/// - 8.10 and 8.11: seven, and five or more digits,
/// - before: two or three capital letters and five digits, `NAA12345`.
pub fn queue_id(input: &[u8]) -> Option<&[u8]> {
    const LONGEST: usize = 20;
    let length = input.iter().take(LONGEST + 1).take_while(|b| b.is_ascii_alphanumeric()).count();
    let id = input.get(..length)?;
    let digits = id.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let capitals = id.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let old = matches!(length, 7 | 8) && digits == 5 && capitals + digits == length;
    let new = (12..=LONGEST).contains(&length) && 5 <= digits;
    (old || new).then_some(id)
}

/// Parses an address or a list of them (separated by commas without spaces): what stands before the first comma and space
/// outside of quotation marks and angle brackets. If one of these is never closed, they do not count: addresses are cut at 200 bytes.
pub fn addresses(input: &[u8]) -> Parsed<'_, &[u8]> {
    let end = guarded_end(input).or_else(|| memmem::find(input, b", ")).unwrap_or(input.len());
    let (list, rest) = input.split_at(end);
    Ok((rest, list))
}

/// Where the first comma and space stands outside of quotation marks and angle brackets, or the text ends; `None` if one of
/// these is never closed.
pub fn guarded_end(text: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => bracketed = true,
            b'>' if !quoted => bracketed = false,
            b',' if !quoted && !bracketed && text.get(at + 1) == Some(&b' ') => return Some(at),
            _ => {}
        }
    }
    (!quoted && !bracketed).then_some(text.len())
}

/// A path without the angle brackets around it.
pub fn bare(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"<").and_then(|inside| inside.strip_suffix(b">")).unwrap_or(path)
}

/// A host at the other end, as `relay=` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relay<'a> {
    pub peer: Peer<'a>,
    /// What stands before `@`: the local user of mail handed in on the server; else the word of an ident service.
    pub user: &'a [u8],
}

/// Parses `mx.example.org [192.0.2.1]`, `mx.example.org. [192.0.2.1]`, `[192.0.2.1]`, `[192.0.2.1] [192.0.2.1]`,
/// `user@host [192.0.2.1]`, `[IPv6:2001:db8::1]`, each with ` (may be forged)` or without; or a name alone, up to the next comma and space.
///
/// The address is the last one: what comes before it is a name that the other side chose (DNS; an ident service, of
/// whose answer Sendmail keeps only what cannot end a name, daemon.c, `getauthinfo`). A name that may be forged is not given: it
/// does not lead back to the address.
pub fn relay(input: &[u8]) -> Parsed<'_, Relay<'_>> {
    let end = memmem::find(input, b", ").unwrap_or(input.len());
    let (text, rest) = input.split_at(end);
    if text.is_empty() {
        return Err(nom::Err::Error(Expected { rest: input, what: "a host: `name [192.0.2.1]`" }));
    }
    let (text, forged) = match text.strip_suffix(b" (may be forged)") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let open = text.ends_with(b"]").then(|| memchr::memrchr(b'[', text)).flatten();
    let (name, literal) = text.split_at(open.unwrap_or(text.len()));
    let (user, name) = match memchr::memrchr(b'@', name) {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => (&name[..0], name),
    };
    let name = name.strip_suffix(b" ").unwrap_or(name);
    let name = if forged || name.starts_with(b"[") { b"" } else { name.strip_suffix(b".").unwrap_or(name) };
    Ok((rest, Relay { peer: Peer { address: address(literal), name }, user }))
}
