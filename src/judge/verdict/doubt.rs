//! The words for mail that was passed on, and is relaying unless its senders or its domain are ours.
//!
//! A headline that leaves it out would say "no" where the truth is "that depends on you".

use super::Scope;
use crate::judge::finding::Finding;
use crate::judge::words::{addresses, count, quoted, recipients};
use std::collections::BTreeSet;

/// Recipients from clients that were not stated from which it may be abuse as well as a forgotten host.
const FEW: u64 = 5;
/// Clients or domains to name at most.
const NAMED: usize = 3;

/// The headline where nothing is certain but such mail; `None` without any. `besides` says what else was seen.
pub fn headline(scope: &Scope<'_>, besides: &str) -> Option<String> {
    let doubtful = scope.doubtful();
    let (from, to) = (of(&doubtful, "client"), of(&doubtful, "domain"));
    let own = match (from.len(), to.len()) {
        (0, 0) => return None,
        (1, 0) => "that host is yours",
        (0, 1) => "that domain is yours",
        (_, 0) => "those hosts are yours",
        (0, _) => "those domains are yours",
        _ => "the hosts or the domains are yours",
    };
    let by_clients = doubtful.iter().filter(|finding| finding.subject.kind == "client");
    let sure = match by_clients.map(|finding| finding.recipients_accepted).fold(0, u64::saturating_add) {
        ..FEW => "Probably not",
        _ => "Perhaps",
    };
    Some(format!(
        "{sure}: {} went out through {} without log-in, which is relaying unless {own}{besides}.",
        recipients_of(&doubtful),
        scope.servers()
    ))
}

/// Such mail in words: `12 recipients (of 203.0.113.7, and in partner.example)`.
pub fn recipients_of(findings: &[&Finding]) -> String {
    let (clients, domains) = (of(findings, "client"), of(findings, "domain"));
    let from = match clients.iter().collect::<Vec<_>>().as_slice() {
        [] => None,
        [only] => Some(format!("of {}", quoted(only))),
        several => Some(format!("of {}", addresses(several.len()))),
    };
    let to = match domains.iter().collect::<Vec<_>>().as_slice() {
        [] => None,
        [only] => Some(format!("in {}", quoted(only))),
        several => Some(format!("in {}", count(several.len() as u64, "domain", "domains"))),
    };
    let parts: Vec<String> = from.into_iter().chain(to).collect();
    let volume = findings.iter().map(|finding| finding.recipients_accepted).fold(0, u64::saturating_add);
    format!("{} ({})", recipients(volume), parts.join(", and "))
}

/// The first step: to say whose they are; `None` without such mail.
pub fn settle(scope: &Scope<'_>) -> Option<String> {
    let doubtful = scope.doubtful();
    let state = |kind: &str, option: &str| -> Vec<String> {
        // A command holds nothing that a stranger could have written.
        let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || ".:-".contains(c));
        of(&doubtful, kind).into_iter().filter(plain).take(NAMED).map(|name| format!("{option} {name}")).collect()
    };
    let options = [state("client", "--trusted-net"), state("domain", "--local-domain")].concat();
    let how = if options.is_empty() { String::new() } else { format!(", for example `{}`", options.join(" ")) };
    (!doubtful.is_empty()).then(|| {
        format!(
            "First settle whose mail was passed on without log-in. If it is yours, state that and scan again{how}. If not, \
             strangers relay through this server: `relayaudit explain open-relay` says what to do."
        )
    })
}

/// The subjects of one kind.
fn of<'a>(findings: &[&'a Finding], kind: &str) -> BTreeSet<&'a str> {
    findings
        .iter()
        .filter(|finding| finding.subject.kind == kind)
        .map(|finding| finding.subject.value.as_ref())
        .collect()
}
