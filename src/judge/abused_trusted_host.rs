//! abused-trusted-host: a host in a trusted network sends like a source of spam: an infected computer, a web form, a printer
//! that somebody took over.
//!
//! False positives: a mail server of another site, or a gateway that hides many clients, in a trusted network.
//! Remedy: see [`remedy::host`].

use super::finding::{Finding, Rule};
use super::hidden_clients::hides_clients;
use super::routed::Routed;
use super::senders::Who;
use super::{About, remedy};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::AbusedTrustedHost,
    title: "a trusted host sends spam",
    meaning: "A host that may relay because of its address sends like a source of spam. Signals are weighed together: a burst \
              against its other days, reverse-paths in many domains that are not yours, several recipients in each of many \
              messages, many EHLO names, recipients that their servers refuse. A reverse-path of its own for each recipient, \
              as mailing-list software uses, speaks for it.",
    sources: "A. Wald, Sequential Analysis (1947); Duan and others, Detecting Spam Zombies by Monitoring Outgoing Messages \
              (SPOT), IEEE TDSC 2012; RFC 5068 section 3.2",
    false_positives: "Another mail server, or a gateway that hides many clients, within a trusted network; the first mailing \
                      of a newsletter program that writes to several recipients at once.",
    remedy: "Take the host off the network or out of the trusted networks, find the program, and clear the queue.",
};

/// Finds the hosts.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let hosts = routed.senders().iter().filter_map(|sender| match sender.who {
        Who::Host(client) if !hides_clients(routed, sender.server, client) => Some((sender, client)),
        _ => None,
    });
    let accused = hosts.filter_map(|(sender, client)| {
        let weighed = sender.weigh(routed, routed.errors);
        let mut finding =
            weighed.accuses().then(|| sender.finding(Rule::AbusedTrustedHost, "client", &weighed, routed))?;
        finding.why.insert(0, sender.summary("as a trusted host"));
        finding.remedy = remedy::host(routed.ledger, &sender.server, &client, finding.queue.as_ref());
        Some(finding)
    });
    accused.collect()
}
