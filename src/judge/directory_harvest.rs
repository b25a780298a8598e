//! directory-harvest: a client asks for many recipients that do not exist, to learn which do, or because its list is made up.
//!
//! False positives: a newsletter that we subscribed to with addresses that are gone; a misdirected mail server.
//! Remedy: see [`remedy::harvest`].

use super::finding::{Finding, Rule, Severity};
use super::route::has_authority;
use super::routed::{Routed, RoutedFlow};
use super::tally::{Pair, Tally};
use super::words::{self, recipients};
use super::{About, remedy};
use crate::ledger::{Client, ClientKey, Flow, FlowKey, Origin, Outcome};
use crate::merge::Merge;
use crate::site::Site;
use relayaudit_parsers::record::Refusal;
use std::collections::BTreeMap;

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::DirectoryHarvest,
    title: "a client tries out which of your addresses exist",
    meaning: "A client without log-in asked for at least ten recipients in your domains that do not exist, and they were more than \
              half of what it asked for. Refused at RCPT it is noise; where the server first takes such mail and then sends it \
              back, see backscatter.",
    sources: "RFC 5321 section 7.3; Exim's BlockCracking refuses at 100 nonexistent recipients an hour, for log-ins",
    false_positives: "A mailing list that still has addresses of yours that are gone. A server that returns mail which others sent in \
                      your name is none: it asks with the null reverse-path, for one recipient a session.",
    remedy: "Refuse unknown recipients at RCPT, and limit the number of errors in a session.",
};

/// Unknown recipients from which it is a harvest.
const MANY: u64 = 10;

/// Recipients in a session of a server that returns mail.
const PER_SESSION: u64 = 2;

/// Finds who asks.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let mut asked = BTreeMap::<Pair<'_>, Asked>::new();
    for RoutedFlow { key, flow, .. } in routed.flows() {
        let stranger = key.origin == Origin::Network && key.client != Client::Unknown && key.account.is_none();
        if stranger && is_unknown(key, routed.site) {
            asked.entry((&key.server, &key.client)).or_default().add(key, flow);
        }
    }
    asked.retain(|_, asked| MANY <= asked.unknown());
    if asked.is_empty() {
        return Vec::new();
    }
    for RoutedFlow { key, flow, .. } in routed.flows() {
        if let Some(asked) = asked.get_mut(&(&key.server, &key.client)) {
            asked.all.merge(flow.recipients);
            asked.trusted |= has_authority(key, routed.site);
        }
    }
    asked.retain(|_, asked| !asked.trusted && asked.all < asked.unknown() * 2);
    asked.retain(|pair, asked| !asked.are_bounces(pair, routed));
    asked.into_iter().map(|(pair, asked)| asked.finding(pair, routed)).collect()
}

/// Whether the recipients of a flow are ours and do not exist. Some servers do not say why they refuse (OpenSMTPD); of a domain
/// of ours that a stranger writes to, hardly anything else remains.
fn is_unknown(key: &FlowKey, site: &Site) -> bool {
    let refused = key.refusal == Some(Refusal::UnknownUser)
        || key.outcome == Outcome::BouncedHere
        || (key.outcome, key.refusal) == (Outcome::Rejected, Some(Refusal::Unsaid));
    refused && site.is_local(&key.forward_domain)
}

/// What one client asked for.
#[derive(Default)]
struct Asked {
    tally: Tally,
    /// Of the unknown recipients, those asked for with the null reverse-path.
    notified: u64,
    all: u64,
    trusted: bool,
}

impl Asked {
    fn add(&mut self, key: &FlowKey, flow: &Flow) {
        self.tally.add(key, flow);
        if key.reverse_domain.as_ref().is_some_and(|domain| domain.is_empty()) {
            self.notified.merge(flow.recipients);
        }
    }

    /// Whether a server sends back, one by one, what somebody sent it in the names of made up users of ours
    /// (RFC 5321 section 6.1: such a notification has the null reverse-path and one recipient).
    fn are_bounces(&self, (server, client): &Pair<'_>, routed: &Routed<'_>) -> bool {
        let key = ClientKey { server: **server, client: **client };
        let sessions = routed.ledger.clients.get(&key).map_or(0, |facts| facts.sessions);
        self.notified == self.unknown() && self.unknown() <= sessions.saturating_mul(PER_SESSION)
    }

    fn unknown(&self) -> u64 {
        self.tally.accepted.saturating_add(self.tally.refused)
    }

    fn finding(self, pair: Pair<'_>, routed: &Routed<'_>) -> Finding {
        let mut why = vec![format!(
            "{} asked for {} that do not exist here, of {} in all{}.",
            words::quoted(&words::client(pair.1)),
            recipients(self.unknown()),
            words::thousands(self.all),
            words::period(self.tally.span)
        )];
        if 0 < self.tally.accepted {
            why.push(format!(
                "The server took {} of them in and gave up later.",
                words::thousands(self.tally.accepted)
            ));
        }
        let mut finding = self.tally.finding(Rule::DirectoryHarvest, Severity::Low, pair, routed.ledger);
        finding.confidence = 0.9;
        finding.why = why;
        finding.remedy = remedy::harvest(routed.ledger, pair.0);
        finding
    }
}
