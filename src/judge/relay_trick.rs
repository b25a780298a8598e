//! relay-trick: a recipient in a disguised form (`u%D@H`, `@H:u@D`, `D!u@H`, ...) was accepted from
//! a client without permission and passed on to the domain that the form hides (RFC 5321 appendix C
//! and section 3.6.1; CVE-1999-0682 for IMCEA).
//!
//! False positives: an old UUCP or X.400 gateway that is meant to take such addresses.
//! Remedy: see [`remedy::relay`], and switch the form off.

use super::finding::{Finding, Rule, Severity};
use super::route::{RouteVerdict, is_trick};
use super::routed::{Routed, RoutedFlow};
use super::tally::{Pair, Tally, confidence};
use super::words::{self, recipients};
use super::{About, remedy};
use crate::ledger::Ledger;
use crate::site::Site;
use std::collections::BTreeMap;

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::RelayTrick,
    title: "a disguised recipient was relayed",
    meaning: "A client without permission wrote a recipient in a form that looks local or malformed but hides an \
              outside address, and the server passed it on. Such a server refuses plain relaying and is an open relay \
              all the same.",
    sources: "RFC 5321 section 3.6.1 and appendix C; RFC 2505 section 2.1; CVE-1999-0682 (IMCEA)",
    false_positives: "A gateway to UUCP or X.400 that is meant to take such addresses.",
    remedy: "Switch the form off, and let the server relay for its own networks and for log-ins only.",
};

/// Finds the clients for which a trick worked.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let mut tricks = BTreeMap::<Pair<'_>, Tally>::new();
    for RoutedFlow { key, flow, .. } in routed.of(RouteVerdict::RelayedUnauthorised).filter(|flow| is_trick(flow.key)) {
        tricks.entry((&key.server, &key.client)).or_default().add(key, flow);
    }
    tricks.into_iter().map(|(pair, tally)| finding(pair, tally, routed.ledger, routed.site)).collect()
}

fn finding(pair: Pair<'_>, tally: Tally, ledger: &Ledger, site: &Site) -> Finding {
    let severity = if 0 < tally.delivered { Severity::High } else { Severity::Medium };
    let forms: Vec<&str> = tally.forms.iter().copied().collect();
    let why = format!(
        "{} had {} relayed by disguised addresses ({}){}; other servers took {}.",
        words::quoted(&words::client(pair.1)),
        recipients(tally.accepted),
        words::list(&forms),
        words::period(tally.span),
        words::thousands(tally.delivered),
    );
    let mut finding = tally.finding(Rule::RelayTrick, severity, pair, ledger);
    finding.confidence = confidence(site);
    finding.why = vec![why];
    finding.remedy = remedy::trick(ledger, pair.0, pair.1, finding.queue.as_ref());
    finding
}
