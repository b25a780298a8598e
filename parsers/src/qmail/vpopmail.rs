//! Log-ins that vpopmail checks, for SMTP, POP3 and IMAP: `vchkpw-smtp: password fail alice@example.com:192.0.2.9` (vchkpw.c).

use crate::record::{Event, Peer};
use crate::text::{Parsed, address};
use memchr::{memchr, memrchr};
use std::net::IpAddr;

/// How the texts of failed log-ins begin; the name follows. The last form may have the password in front of the name.
const FAILURES: [&[u8]; 6] = [
    b"vpopmail user not found ",
    b"system user not found ",
    b"null password given ",
    b"system password fail ",
    b"password fail ",
    b"virtual domain not found ",
];

/// Parses a statement of vchkpw. Anything but the end of a log-in is [`Event::Other`].
pub fn statement(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let text = memchr(b':', input).map_or(b"".as_slice(), |colon| input[colon + 1..].trim_ascii_start());
    if let Some(rest) = FAILURES.iter().find_map(|start| text.strip_prefix(*start)) {
        let (name, client) = name_and_client(rest);
        let account = match name.starts_with(b"(pass: '") {
            true => after_password(name),
            false => Some(name),
        };
        return Ok((b"", Event::AuthFailed { client, account: account.filter(|name| !name.is_empty()) }));
    }
    // `(PLAIN) login success`, `password login success`, `login success`.
    let method = match text.first() {
        Some(b'(') => memchr(b')', text).map_or(0, |close| close + 1),
        _ => 0,
    };
    let text = text.get(method..).unwrap_or_default().trim_ascii_start();
    let starts: [&[u8]; 3] = [b"login success ", b"password login success ", b"system password login success "];
    let success = starts.iter().find_map(|start| text.strip_prefix(*start));
    Ok((
        b"",
        success.map_or(Event::Other, |rest| {
            let (account, client) = name_and_client(rest);
            Event::AuthSucceeded { client, account: Some(account).filter(|name| !name.is_empty()) }
        }),
    ))
}

/// Splits `NAME:ADDRESS` at the last colon. The name is the client's text and may hold colons: an IPv6 address, but for one
/// that stands for an IPv4 address, cannot be told from it, and the client stays unknown.
fn name_and_client(text: &[u8]) -> (&[u8], Peer<'_>) {
    let (name, host) = memrchr(b':', text).map_or((text, b"".as_slice()), |colon| (&text[..colon], &text[colon + 1..]));
    let name = name.strip_suffix(b":::ffff").unwrap_or(name);
    let v4 = address(host).filter(IpAddr::is_ipv4);
    (name, Peer { address: v4, name: b"" })
}

/// The name behind `(pass: 'PASSWORD') `; `None` if the text could be split in two places.
fn after_password(text: &[u8]) -> Option<&[u8]> {
    crate::text::split_at_only(text, b"') ").map(|(_, name)| name)
}
