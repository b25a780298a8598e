//! Block lists: what another server's reply to our mail says about us.
//!
//! A reply is the text of the server that gave it, and whoever runs that server may write what he likes: what is found
//! here is a *claim* of that server, never a fact. It is looked for in the words of that server only: what stands before the
//! reply code is our own log's, and paths and mailboxes in it are the spammer's (RFC 5321 section 4.2 gives replies no
//! grammar but the code).
//!
//! Sources of the wordings: the pages named with each list in `lists.rs` and `providers.rs`; RFC 5782 and Postfix
//! (`default_rbl_reply`), Exim and Sendmail (`FEATURE(dnsbl)`) for what receivers say by default.

mod lists;
mod marks;
mod providers;
mod reply;
mod wording;

use std::net::IpAddr;

/// What a reply is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum About {
    /// Our address is on a list, or banned.
    Address,
    /// The reputation of our address.
    Reputation,
    /// Users of the receiver complained.
    Complaints,
    /// More mail, or more unwanted mail, than the receiver takes from us.
    Volume,
    /// A domain: that of the reverse-path, or one in the text of the mail.
    Domain,
    /// The mail itself was taken for spam.
    Content,
    /// Our address is in a range that is not meant to send mail (dial-up, dynamic).
    Range,
    /// What our DNS says of us: reverse name, SPF, DKIM, DMARC.
    Setup,
    /// A policy, and no more is said.
    Policy,
}

/// What a reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// The list or the receiver whose wording it is; [`UNNAMED`] if the reply names none.
    pub list: &'static str,
    /// What it is about.
    pub about: About,
    /// The first address in the reply: ours, mostly.
    pub address: Option<IpAddr>,
}

/// The list of a reply that names none.
pub const UNNAMED: &str = "unnamed";

/// A list, or a receiver that keeps one of its own.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// Its name.
    pub name: &'static str,
    /// Where to ask it to take an address off: a page, or a mailbox. Empty if none is known.
    pub delist: &'static str,
    /// What its replies are about.
    pub about: About,
    /// Words by which it is known, in lower case: see [`marks`].
    marks: &'static [&'static str],
}

/// A row of the tables.
const fn list(name: &'static str, delist: &'static str, about: About, marks: &'static [&'static str]) -> List {
    List { name, delist, about, marks }
}

impl About {
    /// Its name in the published contract.
    pub fn as_str(self) -> &'static str {
        match self {
            About::Address => "address",
            About::Reputation => "reputation",
            About::Complaints => "complaints",
            About::Volume => "volume",
            About::Domain => "domain",
            About::Content => "content",
            About::Range => "range",
            About::Setup => "setup",
            About::Policy => "policy",
        }
    }
}

/// Reads what a log says of a delivery that failed: `host mx.example.net[192.0.2.1] said: 554 5.7.1 ...`, as Postfix, Exim,
/// Sendmail, OpenSMTPD, qmail (with `_` for blanks) and Exchange log it.
///
/// `None` if there is no reply code 4yz or 5yz in it (a time-out), or if the reply says nothing about us: no such user, a
/// full mailbox, greylisting.
pub fn listing(text: &[u8]) -> Option<Listing> {
    let (code, rest) = reply::said(text)?;
    listing_of(code, rest)
}

/// Reads a reply: its code, and the text behind the code.
pub fn listing_of(code: u16, text: &[u8]) -> Option<Listing> {
    if !(400..600).contains(&code) || reply::is_about_recipient(text) {
        return None;
    }
    let words = reply::Words::of(code, text);
    let found = marks::first(words.as_bytes())?;
    Some(Listing { list: found.name, about: found.about, address: words.address() })
}

/// Where to ask a list of that name to take back what it says; `None` if no place is known. Some have a place for each
/// kind of reason.
pub fn delist(name: &str, about: About) -> Option<&'static str> {
    let named = marks::lists().find(|list| (list.name, list.about) == (name, about) && !list.delist.is_empty());
    named.map(|list| list.delist)
}

#[cfg(test)]
mod tests;
