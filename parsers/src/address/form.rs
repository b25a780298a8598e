//! Form: the shape of a forward-path, and the domain that a trick hides in it.
//!
//! The shapes are those that public relay testers try: abuse.net's 17 tests, nmap
//! `smtp-open-relay.nse`, Metasploit `smtp_relay.rb`, Nessus 11852, Microsoft Q304897,
//! ZoneCheck, mailradar; and what follows from them (longer routes, two tricks in one).

use super::{Parts, uncommented, undotted};
use crate::text;
use memchr::{memchr3_iter, memrchr};
use std::borrow::Cow;

/// The shape of a path. Which one it is says nothing about what the server made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A mailbox without a trick: `u@example.net`, `"john doe"@example.net`, VERP, SRS.
    Plain,
    /// A local part alone: `postmaster`.
    NoDomain,
    /// The percent hack: `u%example.net@H`, `u%example.net` (RFC 1123 section 5.2.16).
    Percent,
    /// A UUCP bang path: `example.net!u@H`, `example.net!u` (RFC 976).
    Bang,
    /// A source route: `@H:u@example.net` (RFC 5321 appendix C), or `H:u@example.net`, as
    /// some testers send it.
    SourceRoute,
    /// The whole path is one quoted string, with a trick in it: `"u@example.net"`.
    Quoted,
    /// Two mailboxes in one: `u@example.net@H`. Postfix logs it as `"u@example.net"@H`, so
    /// the two are one form.
    AtAt,
    /// An ordinary local part at an address literal: `u@[192.0.2.1]` (RFC 5321 section 4.1.3).
    Literal,
    /// An address encapsulated by Exchange: `IMCEASMTP-u+40example+2enet@H` (CVE-1999-0682,
    /// Microsoft Q237927). `IMCEAEX-` alone is also an ordinary reply to an old Exchange user.
    Imcea,
    /// An `@` and no domain after it, whatever comes before: `u%example.net@`, `u@`.
    EmptyDomain,
    /// The null reverse-path.
    Null,
    /// More than one trick: `example.net!u%example.com@H`.
    Mixed,
}

impl Form {
    /// The word of the published contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Form::Plain => "plain",
            Form::NoDomain => "no-domain",
            Form::Percent => "percent",
            Form::Bang => "bang",
            Form::SourceRoute => "source-route",
            Form::Quoted => "quoted",
            Form::AtAt => "at-at",
            Form::Literal => "literal",
            Form::Imcea => "imcea",
            Form::EmptyDomain => "empty-domain",
            Form::Null => "null",
            Form::Mixed => "mixed",
        }
    }
}

/// The shape of a path.
///
/// `%`, `!` and a second `@` are a trick only if there is a user on one side and something
/// like a domain on the other: two labels and more, or an address literal. So
/// `user%internal@example.net` and `wow!@example.net` are plain, and so is
/// `"john@home"@example.net`. A tester that forgot an `@` (`u@example.netH`) looks plain too.
pub fn form(path: &[u8]) -> Form {
    if path.is_empty() {
        return Form::Null;
    }
    if is_ordinary(path) {
        return Form::Plain;
    }
    let parts = Parts::of(path);
    let inner = Inner::of(parts.local).form();
    let coded = imcea(parts.local).is_some();
    match (parts.domain, inner) {
        (Some(b""), _) => Form::EmptyDomain,
        (None, Some(_)) if !parts.route && is_quoted(parts.local) => Form::Quoted,
        (_, Some(_)) if parts.route || coded => Form::Mixed,
        (_, Some(form)) => form,
        (_, None) if parts.route && coded => Form::Mixed,
        (_, None) if parts.route => Form::SourceRoute,
        (_, None) if coded => Form::Imcea,
        (None, None) => Form::NoDomain,
        (Some([b'[', ..]), None) => Form::Literal,
        (Some(_), None) => Form::Plain,
    }
}

/// The second domain that a trick hides, without trailing dots, case kept; `None` without one.
///
/// Of several it is the one nearest to the user, where the mail ends if every server on the
/// way plays along: `example.net` in `u%example.net%H2@H` and in `H2!example.net!u@H`. The
/// ones before it are often other names of the server itself. Where both sides of the user
/// hold one, `%` binds closest, then `!`, then `@`: `example.com` in
/// `example.net!u%example.com@H`, `example.net` in `"example.net!u@example.com"@H`.
///
/// For a source route with no other trick this is the domain of the mailbox, as in
/// [`super::domain`]. Only an encapsulated address ([`Form::Imcea`]) is copied, to decode it.
pub fn hidden_domain(path: &[u8]) -> Option<Cow<'_, [u8]>> {
    if is_ordinary(path) {
        return None;
    }
    let parts = Parts::of(path);
    if let Some((_, domain)) = Inner::of(parts.local).mailbox() {
        return Some(Cow::Borrowed(domain));
    }
    if let Some(coded) = imcea(parts.local) {
        let plain = decapsulated(coded);
        return Inner::of(&plain).mailbox().map(|(_, domain)| Cow::Owned(domain.to_vec()));
    }
    parts.domain.filter(|domain| parts.route && !domain.is_empty()).map(Cow::Borrowed)
}

/// A user and a domain.
pub(super) type Mailbox<'a> = (&'a [u8], &'a [u8]);

/// The user and the domain where mail for the path ends: the hidden ones, else the plain ones.
/// What Exchange encapsulated is left as it is.
pub(super) fn mailbox(path: &[u8]) -> Option<Mailbox<'_>> {
    let parts = Parts::of(path);
    let plain = || parts.domain.map(|domain| (bare(parts.local), domain));
    let hidden = if is_ordinary(path) { None } else { Inner::of(parts.local).mailbox() };
    hidden.or_else(plain)
}

/// Whether a path is so common a sight that nothing need be taken apart: one `@` inside, and
/// none of the bytes that every trick needs.
fn is_ordinary(path: &[u8]) -> bool {
    let (mut marked, mut ats) = (false, 0_usize);
    // Without an early end and without branches this is fastest for what is nearly always short.
    for byte in path {
        marked |= MARKS[usize::from(*byte)];
        ats += usize::from(*byte == b'@');
    }
    let whole = !path.starts_with(b"@") && !matches!(path, [.., b'@' | b'.']);
    !marked && ats == 1 && whole && imcea(path).is_none()
}

/// The bytes that no ordinary path holds.
const MARKS: [bool; 256] = {
    let (mut marks, mut index) = ([false; 256], 0);
    let bytes = b"%!\":[(";
    while index < bytes.len() {
        marks[bytes[index] as usize] = true;
        index += 1;
    }
    marks
};

/// Whether a word begins and ends with a quote.
fn is_quoted(word: &[u8]) -> bool {
    matches!(word, [b'"', .., b'"'])
}

/// Bytes that part a user from a domain inside a local part.
const BANG: u8 = b'!';
const PERCENT: u8 = b'%';

/// The tricks in a local part.
#[derive(Default)]
struct Inner<'a> {
    percent: bool,
    bang: bool,
    at: bool,
    /// The last `domain!user` before any domain to the right of a user, as (user, domain).
    left: Option<Mailbox<'a>>,
    /// The first `user%domain` or `user@domain`: the byte between, and (user, domain).
    right: Option<(u8, Mailbox<'a>)>,
}

impl<'a> Inner<'a> {
    /// Quotes and escapes are looked through: a server that unquotes sees the same trick.
    fn of(local: &'a [u8]) -> Inner<'a> {
        let mut inner = Inner::default();
        let mut before = None;
        let mut start = 0;
        for end in memchr3_iter(PERCENT, BANG, b'@', local).chain([local.len()]) {
            let word = bare(&local[start..end]);
            if let Some((parting, previous)) = before {
                inner.see(parting, previous, word);
            }
            before = local.get(end).map(|parting| (*parting, word));
            start = end + 1;
        }
        inner
    }

    fn see(&mut self, parting: u8, before: &'a [u8], after: &'a [u8]) {
        let (user, domain) = if parting == BANG { (after, before) } else { (before, after) };
        if user.is_empty() || !is_domain_like(undotted(domain)) {
            return;
        }
        let found = (user, undotted(domain));
        match parting {
            BANG => self.bang = true,
            PERCENT => self.percent = true,
            _ => self.at = true,
        }
        if parting != BANG {
            self.right.get_or_insert((parting, found));
        } else if self.right.is_none() {
            self.left = Some(found);
        }
    }

    fn form(&self) -> Option<Form> {
        match (self.percent, self.bang, self.at) {
            (false, false, false) => None,
            (true, false, false) => Some(Form::Percent),
            (false, true, false) => Some(Form::Bang),
            (false, false, true) => Some(Form::AtAt),
            _ => Some(Form::Mixed),
        }
    }

    /// The pair nearest to the user: see [`hidden_domain`].
    fn mailbox(&self) -> Option<Mailbox<'a>> {
        match (self.right, self.left) {
            (Some((PERCENT, right)), _) => Some(right),
            (_, Some(left)) => Some(left),
            (right, None) => right.map(|(_, right)| right),
        }
    }
}

/// Quotes of typesetters, as UTF-8: some testers' pages were typed in a word processor.
const CURLY: [&[u8]; 3] = ["\u{201c}".as_bytes(), "\u{201d}".as_bytes(), "\u{201e}".as_bytes()];

/// A word of a local part without comments, quotes, escapes and space around it.
fn bare(word: &[u8]) -> &[u8] {
    let mut word = uncommented(word);
    loop {
        let curly = CURLY.iter().find_map(|quote| word.strip_prefix(*quote).or_else(|| word.strip_suffix(*quote)));
        word = match (word, curly) {
            (_, Some(rest)) => rest,
            ([b'"' | b'\\' | b' ', rest @ ..] | [rest @ .., b'"' | b'\\' | b' '], None) => rest,
            _ => return word,
        };
    }
}

/// The longest domain: RFC 5321 section 4.5.3.1.2.
pub(super) const LONGEST_DOMAIN: usize = 255;

/// Whether a word can be meant as a domain on the Internet: two labels or more of which the last
/// is not a number, an IPv4 address, or an address literal. Octets from 128 on may be an
/// internationalised name (RFC 6531), and underscores occur.
pub(super) fn is_domain_like(word: &[u8]) -> bool {
    if let [b'[', inside @ .., b']'] = word {
        return !inside.is_empty();
    }
    if LONGEST_DOMAIN < word.len() {
        return false;
    }
    let is_label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | 128..))
    };
    let Some(dot) = memrchr(b'.', word) else { return false };
    let top = &word[dot + 1..];
    let named = 2 <= top.len() && top.iter().any(|b| b.is_ascii_alphabetic() || 128 <= *b);
    word.split(|b| *b == b'.').all(is_label) && (named || text::address(word).is_some())
}

/// The kinds of address that Exchange encapsulates with this prefix: Microsoft Q237927 for SMTP;
/// the others are seen in addresses of mail that Exchange sends.
const ENCAPSULATED: [&[u8]; 4] = [b"IMCEASMTP-", b"IMCEAX500-", b"IMCEAEX-", b"IMCEAINVALID-"];

/// What follows the prefix of an encapsulated address.
fn imcea(local: &[u8]) -> Option<&[u8]> {
    let local = local.strip_prefix(b"\"").unwrap_or(local);
    if !matches!(local.first(), Some(b'I' | b'i')) {
        return None;
    }
    let starts = |prefix: &&&[u8]| local.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    let prefix = ENCAPSULATED.iter().find(starts)?;
    Some(&local[prefix.len()..])
}

/// An encapsulated address, decoded: `+` and two hexadecimal digits are a byte.
fn decapsulated(coded: &[u8]) -> Vec<u8> {
    let digit = |index: usize| coded.get(index).and_then(|b| char::from(*b).to_digit(16));
    let mut plain = Vec::with_capacity(coded.len());
    let mut index = 0;
    while let Some(byte) = coded.get(index) {
        match (byte, digit(index + 1), digit(index + 2)) {
            (b'+', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                index += 3;
            }
            _ => {
                plain.push(*byte);
                index += 1;
            }
        }
    }
    plain
}
