//! Paths: the domain of a reverse-path or forward-path, and the shapes that hide another.
//!
//! A path is what stood between the angle brackets of MAIL or RCPT, as logged. Relay testers
//! and abusers try shapes that a server may take for local while it, or the next one, reads a
//! second domain in them. Nothing here knows which domains are local, or what the server did.
//!
//! Every function takes any bytes and reads them a fixed number of times; an ordinary address
//! costs one look and no allocation. Comments (`u@example.net(hi)`, RFC 5322 section 3.2.2) are no
//! part of an SMTP path, but some servers strip them: they are looked through at either end of a word.

mod form;
mod testers;

pub use form::{Form, form, hidden_domain};
pub use testers::tester;

use memchr::{memchr, memchr2, memrchr};

/// The domain of a path: what follows the last `@`, without trailing dots, case kept.
///
/// A leading source route is not part of the mailbox (`@a,@b:u@example.net` gives
/// `example.net`, RFC 5321 section 4.1.2 and appendix C), and an `@` in a quoted local part is
/// not the one that counts (section 4.1.2). Address literals keep their brackets (section
/// 4.1.3). `None` means that there is no domain or an empty one: the null reverse-path, `u`,
/// `u@`, `"u@example.net"`, `example.net!u`. If a quote is never closed, quotes do not count.
pub fn domain(path: &[u8]) -> Option<&[u8]> {
    Parts::of(path).domain.filter(|domain| !domain.is_empty())
}

/// A path, taken apart.
struct Parts<'a> {
    /// Whether a source route stood before the mailbox.
    route: bool,
    /// The local part as written, quotes included.
    local: &'a [u8],
    /// What follows the `@`, without trailing dots; `None` without an `@`.
    domain: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    fn of(path: &'a [u8]) -> Parts<'a> {
        if memchr2(b':', b'"', path).is_none() {
            return Parts::split(false, path, memrchr(b'@', path));
        }
        let (route, mailbox) = match after_route(path) {
            Some(mailbox) => (true, mailbox),
            None => (false, path),
        };
        Parts::split(route, mailbox, last_at(mailbox))
    }

    fn split(route: bool, mailbox: &'a [u8], at: Option<usize>) -> Parts<'a> {
        match at {
            Some(at) => Parts { route, local: &mailbox[..at], domain: Some(undotted(&mailbox[at + 1..])) },
            None => Parts { route, local: mailbox, domain: None },
        }
    }
}

/// What follows a source route, `@a,@[192.0.2.1]:`; `None` if the path has none. Some testers
/// leave out the first `@` (`mx.example:u@example.net`): that counts if a host and a mailbox are left.
fn after_route(path: &[u8]) -> Option<&[u8]> {
    let colon = route_colon(path)?;
    let (hosts, mailbox) = (&path[..colon], &path[colon + 1..]);
    let bare = || form::is_domain_like(hosts) && last_at(mailbox).is_some();
    (hosts.starts_with(b"@") || bare()).then_some(mailbox)
}

/// The first colon outside an address literal, if no quote comes before it.
fn route_colon(path: &[u8]) -> Option<usize> {
    let mut literal = false;
    for (index, byte) in path.iter().enumerate() {
        match byte {
            b'[' => literal = true,
            b']' => literal = false,
            b'"' => return None,
            b':' if !literal => return Some(index),
            _ => {}
        }
    }
    None
}

/// The last `@` outside quotes; the last of all if a quote is never closed.
fn last_at(mailbox: &[u8]) -> Option<usize> {
    if memchr(b'"', mailbox).is_none() {
        return memrchr(b'@', mailbox);
    }
    let (mut quoted, mut escaped, mut last) = (false, false, None);
    for (index, byte) in mailbox.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'@' if !quoted => last = Some(index),
            _ => {}
        }
    }
    if quoted { memrchr(b'@', mailbox) } else { last }
}

/// A word without the comments before and behind it (RFC 5322 section 3.2.2); nested ones are left.
fn uncommented(mut word: &[u8]) -> &[u8] {
    while let (Some(start), true) = (memrchr(b'(', word), word.ends_with(b")")) {
        word = &word[..start];
    }
    while let (Some(end), true) = (memchr(b')', word), word.starts_with(b"(")) {
        word = &word[end + 1..];
    }
    word
}

/// A domain without the comments and dots behind it.
fn undotted(domain: &[u8]) -> &[u8] {
    let mut domain = if domain.ends_with(b")") { uncommented(domain) } else { domain };
    while let Some(shorter) = domain.strip_suffix(b".") {
        domain = shorter;
    }
    domain
}

#[cfg(test)]
mod tests;
