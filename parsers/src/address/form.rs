//! Form: the shape of a forward-path, and the domain that a trick hides in it.
//!
//! The shapes are those that public relay testers try: abuse.net's 17 tests, nmap
//! `smtp-open-relay.nse`, Metasploit `smtp_relay.rb`, Nessus 11852, Microsoft Q304897,
//! ZoneCheck, mailradar; and what follows from them (longer routes, two tricks in one).

use super::{Parts, route_colon, undotted};
use crate::text;
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
    let inner = Inner::of(parts.local);
    let route = parts.route || broken_route(&parts);
    match (parts.domain, inner.form()) {
        (Some(b""), _) => Form::EmptyDomain,
        (None, Some(_)) if parts.local.starts_with(b"\"") && !route => Form::Quoted,
        (_, Some(_)) if route || imcea(parts.local).is_some() => Form::Mixed,
        (_, Some(form)) => form,
        _ if route && imcea(parts.local).is_some() => Form::Mixed,
        _ if route => Form::SourceRoute,
        _ if imcea(parts.local).is_some() => Form::Imcea,
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
    Some(target(path)?.domain).filter(|_| form(path) != Form::Plain)
}
