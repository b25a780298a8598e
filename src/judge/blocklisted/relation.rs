//! Which abuse went before a listing, and by how long: the one thing that needs the findings of other rules.

use super::address_of;
use crate::judge::finding::{Finding, Rule, Severity, Subject};
use crate::judge::words;
use crate::ledger::{Ledger, Listing, ListingKey, Text, Time, sorted};
use relayaudit_parsers::blocklist::{About, UNNAMED, delist};
use std::cmp::Reverse;
use std::net::IpAddr;

/// A finding of abuse, seen from a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its rule.
    pub rule: Rule,
    /// Whom it concerns.
    pub subject: Subject,
    /// When the abuse began.
    pub began: Time,
    /// Minutes between its beginning and the first reply.
    pub minutes: u64,
}

/// One list, or one receiver's own judgement, with all replies that name it for one of our addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocklisting {
    /// The server that got the replies.
    pub server: Text,
    /// Our address, as replies name it.
    pub address: Option<IpAddr>,
    /// The list.
    pub list: Text,
    /// What it is about.
    pub about: About,
    /// The replies.
    pub listing: Listing,
    /// Where to ask for removal, if a place is known.
    pub delist: Option<&'static str>,
    /// The abuse that began before the first reply.
    pub preceded_by: Option<Relation>,
    /// If there is none: the first abuse that began after it.
    pub precedes: Option<Relation>,
}

/// The listings of a ledger, the gravest first.
pub fn rows(ledger: &Ledger, findings: &[Finding]) -> Vec<Blocklisting> {
    let row = |(key, listing): (&ListingKey, &Listing)| {
        let (before, after) = abuse(findings, key.server, listing.span.first);
        Blocklisting {
            server: key.server,
            address: address_of(ledger, key),
            list: key.list,
            about: key.about,
            listing: listing.clone(),
            delist: delist(&key.list, key.about),
            precedes: after.filter(|_| before.is_none()),
            preceded_by: before,
        }
    };
    let mut rows: Vec<Blocklisting> = sorted(&ledger.listings).into_iter().map(row).collect();
    rows.sort_by_key(|row| (!super::is_grave(row.about), Reverse(row.listing.replies)));
    rows
}

/// Tells each blocklisted finding which abuse went before it.
pub fn relate(findings: &mut [Finding]) {
    let told: Vec<(usize, String)> = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.rule == Rule::Blocklisted)
        .filter_map(|(at, listed)| {
            Some((at, sentence(abuse(findings, listed.server, listed.span.first), listed.span.first?)))
        })
        .collect();
    for (at, sentence) in told {
        findings[at].why.push(sentence);
    }
}

/// The gravest abuse that began before a time, and that which began first after it. That of the same server goes first.
fn abuse(findings: &[Finding], server: Text, first: Option<Time>) -> (Option<Relation>, Option<Relation>) {
    let Some(first) = first else { return (None, None) };
    let grave = findings.iter().filter(|finding| finding.rule.is_abuse() && Severity::Medium <= finding.severity);
    let dated = grave.filter_map(|finding| Some((finding, finding.span.first?)));
    let (before, after): (Vec<_>, Vec<_>) = dated.partition(|(_, began)| *began <= first);
    let before = before.into_iter().max_by_key(|(finding, began)| {
        (
            finding.server == server,
            finding.severity,
            finding.recipients_accepted,
            *began,
            Reverse(finding.subject.value),
        )
    });
    let after =
        after.into_iter().min_by_key(|(finding, began)| (finding.server != server, *began, finding.subject.value));
    let relation = |(finding, began): (&Finding, Time)| Relation {
        rule: finding.rule,
        subject: finding.subject.clone(),
        began,
        minutes: began.0.abs_diff(first.0) / 60_000_000,
    };
    (before.map(relation), after.map(relation))
}

fn sentence((before, after): (Option<Relation>, Option<Relation>), first: Time) -> String {
    match (before, after) {
        (Some(before), _) => format!("{} before the first such reply.", began(&before, before.began, first)),
        (None, Some(after)) => format!(
            "{} after the first such reply: there must have been a reason before.",
            began(&after, first, after.began)
        ),
        (None, None) => {
            "No abuse shows in these logs before the first such reply: it may have happened before they begin, or \
                         bypassed this server (a host that connects to port 25 outside by itself)."
                .to_owned()
        }
    }
}

/// `The mail of account anna (compromised-account) began 3 h 10 min`.
fn began(relation: &Relation, from: Time, to: Time) -> String {
    let Subject { kind, value } = &relation.subject;
    format!(
        "The mail of {kind} {} ({}) began {}",
        words::quoted(value),
        relation.rule.as_str(),
        words::duration(from, to)
    )
}

/// A list by its name, or in words where the reply names none.
pub fn title(list: &str, about: About) -> String {
    let what = match about {
        About::Address => "address listed",
        About::Reputation => "poor reputation",
        About::Complaints => "complaints of users",
        About::Volume => "too much unwanted mail",
        About::Domain => "a domain listed",
        About::Content => "mail taken for spam",
        About::Range => "range not meant to send mail",
        About::Setup => "SPF, DKIM, DMARC or reverse name",
        About::Policy => "policy",
    };
    if list == UNNAMED { format!("No list named, {what}") } else { format!("{list}, {what}") }
}
