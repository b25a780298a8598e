//! null-sender-abuse: a stranger sends messages to many recipients with the null reverse-path, which belongs to notifications, of
//! which each has one recipient (RFC 5321 section 4.5.5; RFC 3464 section 2: to the return address of the message it is about).
//!
//! False positives: Exchange sends the mail of a distribution list so, if "do not send delivery reports" is chosen (Haraka,
//! plugin `bounce`, `single_recipient`); reverse-paths without a domain read the same.
//! Remedy: see [`remedy::null_sender`].

use super::finding::{Finding, Rule, Severity};
use super::route::{RouteVerdict, has_authority};
use super::routed::{Routed, RoutedFlow};
use super::tally::{Pair, Tally, confidence};
use super::words::{self, count, recipients};
use super::{About, remedy};
use crate::ledger::{Client, FlowKey};
use crate::merge::Merge;
use crate::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::NullSenderAbuse,
    title: "a client sends mail to many under the null reverse-path",
    meaning: "A client that is neither in a trusted network nor logged in had at least twenty recipients accepted under the null reverse-path `<>`, \
              and on average three or more in each message. The null reverse-path is for notifications (bounces, receipts), and a \
              notification has one recipient; spam software takes it because it must not be refused as such. Low, from a \
              hundred recipients with ten or more in each message medium. Bounces of one recipient each are never counted, however many: see \
              backscatter-victim.",
    sources: "RFC 5321 section 4.5.5 and 6.1; RFC 3464 section 2; Postfix postconf(5), reject_multi_recipient_bounce; Haraka, plugin bounce, single_recipient",
    false_positives: "A distribution list of an Exchange server that sends no delivery reports; a notifying program that puts many \
                      recipients into one message.",
    remedy: "Refuse mail with a null reverse-path and several recipients; never the null reverse-path as such.",
};

/// Recipients from which it is more than a list of somebody's.
const MANY: u64 = 20;
/// Recipients of a message, on average, from which it is no notification: an alias may make two of one.
const WIDE: u64 = 3;
/// From so many recipients, and so many of a message, it is spam and no list.
const FLOOD: (u64, u64) = (100, 10);

/// Finds the clients.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    found(routed).into_iter().map(|(pair, abuse)| abuse.finding(pair, routed)).collect()
}

/// The clients, without more.
pub fn abusers<'a>(routed: &Routed<'a>) -> BTreeSet<Pair<'a>> {
    found(routed).into_keys().collect()
}

/// Whether a flow is a stranger's, under the null reverse-path.
pub fn is_null(key: &FlowKey, site: &Site) -> bool {
    let stranger = key.origin.is_network() && key.client != Client::Unknown && !has_authority(key, site);
    stranger && key.reverse_domain.is_some_and(|domain| domain.is_empty())
}

fn found<'a>(routed: &Routed<'a>) -> BTreeMap<Pair<'a>, Abuse> {
    let mut clients = BTreeMap::<Pair<'a>, Abuse>::new();
    for RoutedFlow { key, flow, verdict } in routed.flows().filter(|flow| is_null(flow.key, routed.site)) {
        if key.outcome.was_accepted() {
            let abuse = clients.entry((&key.server, &key.client)).or_default();
            abuse.tally.add(key, flow);
            let relayed = verdict == RouteVerdict::RelayedUnauthorised;
            abuse.relayed.merge(if relayed { flow.recipients } else { 0 });
        }
    }
    clients.retain(|_, abuse| MANY <= abuse.tally.accepted && abuse.is_wide(WIDE));
    clients
}

/// What one client sent under the null reverse-path.
#[derive(Default)]
struct Abuse {
    tally: Tally,
    /// Of its recipients, those that were passed on to third parties.
    relayed: u64,
}

impl Abuse {
    /// Whether its messages had so many recipients on average.
    fn is_wide(&self, width: u64) -> bool {
        // Without messages, the log shows recipients alone, and nobody knows how many belong together.
        0 < self.tally.messages && self.tally.messages.saturating_mul(width) <= self.tally.accepted
    }

    fn finding(self, pair: Pair<'_>, routed: &Routed<'_>) -> Finding {
        let flood = FLOOD.0 <= self.tally.accepted && self.is_wide(FLOOD.1);
        let severity = if flood { Severity::Medium } else { Severity::Low };
        let mut why = vec![format!(
            "{} had {} accepted under the null reverse-path, in {}{}: a notification has one.",
            words::quoted(&words::client(pair.1)),
            recipients(self.tally.accepted),
            count(self.tally.messages, "message", "messages"),
            words::period(self.tally.span)
        )];
        if 0 < self.relayed {
            why.push(format!("Of these, {} went on to third parties: see open-relay.", words::thousands(self.relayed)));
        }
        let mut finding = self.tally.finding(Rule::NullSenderAbuse, severity, pair, routed.ledger);
        finding.confidence = confidence(routed.site).min(if flood { 0.85 } else { 0.6 });
        finding.why = why;
        finding.remedy = remedy::null_sender(routed.ledger, pair.0);
        finding
    }
}
