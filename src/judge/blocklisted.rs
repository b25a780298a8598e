//! blocklisted: other servers refuse our mail and say that a block list, a policy or our reputation is the reason.
//!
//! False positives: a receiver that is mistaken or lies; mail of others that we forwarded.
//! Remedy: see [`remedy::delist`].

mod relation;

pub use relation::{Blocklisting, Relation, relate, rows, title};

use super::finding::{Finding, Rule, Severity, Subject};
use super::routed::Routed;
use super::tally::Tally;
use super::words::{self, count, quoted};
use super::{About, remedy};
use crate::ledger::{Client, Distinct, Ledger, Listing, ListingKey, Smallest, Text};
use crate::merge::Merge;
use relayaudit_parsers::blocklist;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::Blocklisted,
    title: "other servers say that they block this one",
    meaning: "Replies of other servers to our mail name a block list, our reputation, complaints of their users, or too much spam. \
              What a reply says is the claim of the server that gave it, so it counts by who said it: medium if two receivers, or one \
              of the large ones, say so of our address or reputation; high from three; low if one unknown receiver does, or if \
              only the content of mails, our DNS settings or a dynamic address range are the reason.",
    sources: "RFC 5782; RFC 6471; the pages of the lists and receivers that are named with each",
    false_positives: "A receiver that lists whole networks or is mistaken; spam to your users that you forward to their addresses \
                      elsewhere; somebody who owns several domains and answers as he likes.",
    remedy: "Find and stop the cause, clear the queue, then ask each list to take the address off.",
};

/// Receivers from which the claims are beyond doubt.
const MANY: u64 = 3;

/// Receivers with so many mailboxes that their claim alone is worth a look, by the domains of their hosts.
const LARGE: &[&str] = &[
    "google.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "microsoft.com",
    "yahoodns.net",
    "yahoo.com",
    "aol.com",
    "icloud.com",
    "apple.com",
    "gmx.net",
    "gmx.com",
    "web.de",
    "kundenserver.de",
    "t-online.de",
    "orange.fr",
    "wanadoo.fr",
    "free.fr",
    "laposte.net",
    "comcast.net",
    "charter.net",
    "cox.net",
    "att.net",
    "prodigy.net",
    "earthlink.net",
    "mail.ru",
    "yandex.ru",
    "yandex.net",
    "qq.com",
    "163.com",
    "netease.com",
    "libero.it",
    "tiscali.it",
    "aruba.it",
    "pphosted.com",
    "ppe-hosted.com",
    "mimecast.com",
    "messagelabs.com",
    "iphmx.com",
    "barracudanetworks.com",
    "trendmicro.com",
    "mailcontrol.com",
    "secureserver.net",
    "protonmail.ch",
    "zoho.com",
];

/// Finds our addresses that are said to be listed.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let mut groups = BTreeMap::<(Text, Option<IpAddr>), Claims<'_>>::new();
    for (key, listing) in crate::ledger::sorted(&routed.ledger.listings) {
        let address = address_of(routed.ledger, key);
        groups.entry((key.server, address)).or_default().rows.push((key, listing));
    }
    groups.into_iter().map(|((server, address), claims)| claims.finding(server, address, routed.ledger)).collect()
}

/// The address that a listing is of: if replies to the server name one address only, those that name none mean it too.
pub(super) fn address_of(ledger: &Ledger, key: &ListingKey) -> Option<IpAddr> {
    key.address.or_else(|| {
        let named = ledger.listings.keys().filter(|other| other.server == key.server).filter_map(|other| other.address);
        let named: BTreeSet<IpAddr> = named.collect();
        named.first().copied().filter(|_| named.len() == 1)
    })
}

/// Whether a listing is about what left the server, and not about one mail or how the server is set up.
fn is_grave(about: blocklist::About) -> bool {
    use blocklist::About::{Address, Complaints, Reputation, Volume};
    matches!(about, Address | Reputation | Complaints | Volume)
}

/// Whether a receiver is one of the large ones.
fn is_large(receiver: &str) -> bool {
    LARGE.contains(&receiver)
}

/// What is said of one address.
#[derive(Default)]
struct Claims<'a> {
    rows: Vec<(&'a ListingKey, &'a Listing)>,
}

impl Claims<'_> {
    /// How many receivers say so in earnest, and whether a large one is among them.
    fn receivers(&self) -> (u64, bool) {
        let mut all = Distinct::default();
        let mut large = false;
        for (_, listing) in self.rows.iter().filter(|(key, _)| is_grave(key.about)) {
            all.merge(listing.all_receivers.clone());
            large |= listing.receivers.iter().any(|receiver| is_large(receiver));
        }
        (all.estimate(), large)
    }

    fn severity(&self) -> Severity {
        match self.receivers() {
            (MANY.., _) => Severity::High,
            (2, _) | (_, true) => Severity::Medium,
            _ => Severity::Low,
        }
    }

    fn finding(self, server: Text, address: Option<IpAddr>, ledger: &Ledger) -> Finding {
        let mut tally = Tally::default();
        let mut named = Smallest::<Text, 8>::default();
        let (mut replies, mut all) = (0u64, Distinct::default());
        for (_, listing) in &self.rows {
            tally.span.merge(listing.span);
            tally.deferred.merge(listing.deferred);
            tally.bounced.merge(listing.bounced);
            listing.evidence.iter().for_each(|line| tally.evidence.insert(line.clone()));
            named.merge(listing.receivers.clone());
            all.merge(listing.all_receivers.clone());
            replies.merge(listing.replies);
        }
        let severity = self.severity();
        let span = tally.span;
        let mut finding = tally.finding(Rule::Blocklisted, severity, (&server, &Client::Unknown), ledger);
        finding.subject = match address {
            Some(address) => Subject { kind: "server-address", value: address.to_string().into() },
            None => Subject { kind: "server", value: words::server(&server).into() },
        };
        finding.attempts = replies;
        finding.confidence = if Severity::Low < severity { 0.9 } else { 0.5 };
        let whom =
            address.map_or_else(|| words::server(&server), |address| format!("{address} ({})", words::server(&server)));
        finding.why = vec![format!(
            "{} of {} to mail from {whom} name a reason that lies with it{}: {}.",
            count(replies, "reply", "replies"),
            count(all.estimate(), "receiver", "receivers"),
            words::period(span),
            words::list(&self.summary())
        )];
        if severity <= Severity::Low {
            finding.why.push(self.doubt().to_owned());
        }
        finding.remedy = self.remedy(&named);
        finding
    }

    /// How to get off the lists.
    fn remedy(&self, receivers: &Smallest<Text, 8>) -> Vec<String> {
        let place = |key: &ListingKey| blocklist::delist(&key.list, key.about).unwrap_or_default();
        let lists: BTreeSet<(&str, &str)> = self.rows.iter().map(|(key, _)| (key.list.as_ref(), place(key))).collect();
        let receivers: Vec<String> = receivers.iter().map(|receiver| quoted(receiver)).collect();
        remedy::delist(&lists.into_iter().collect::<Vec<_>>(), &receivers)
    }

    /// The lists by weight, five at most: `Spamhaus ZEN (12)`.
    fn summary(&self) -> Vec<String> {
        let mut rows = self.rows.clone();
        rows.sort_by_key(|(key, listing)| {
            (!is_grave(key.about), std::cmp::Reverse(listing.replies), key.list, key.about)
        });
        let word = |(key, listing): &(&ListingKey, &Listing)| {
            format!("{} ({})", relation::title(&key.list, key.about), words::thousands(listing.replies))
        };
        rows.iter().take(5).map(word).collect()
    }

    /// Why it may mean little.
    fn doubt(&self) -> &'static str {
        match self.rows.iter().any(|(key, _)| is_grave(key.about)) {
            true => {
                "Only one receiver says so, and not one of the large ones: it may be mistaken, or say what it likes."
            }
            false => "That is about single mails or how the server is set up, and not about what left it.",
        }
    }
}
