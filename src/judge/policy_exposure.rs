//! policy-exposure: a line of a server's configuration lets strangers send, or nearly so (RFC 5321 section 3.6.1,
//! RFC 2505 section 2.1).
//!
//! False positives: an outside range of more than eight addresses that is all one's own; say so with --trusted-net.
//! Remedy: see [`remedy::exposure`]; one paragraph per kind of server and of opening.

use super::finding::{Finding, Rule, Severity, Subject};
use super::route::{RouteVerdict, is_trick};
use super::routed::{Routed, RoutedFlow};
use super::tally::Tally;
use super::words::{addresses, list, period, quoted, recipients};
use super::{About, remedy};
use crate::ledger::{Client, Ledger, Text};
use crate::site::{Lets, Opening};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::PolicyExposure,
    title: "a line of the configuration lets strangers send",
    meaning: "A configuration file named with --config lets clients send that need not be yours: every client, a range of the \
              Internet of more than 8 addresses (IPv6: more than a /48), whoever writes a certain reverse-path, every \
              recipient domain. Critical if it opens the server to all, lower the fewer it lets in; higher where the logs show \
              relaying that the line explains. Ranges that wide are not taken for trusted, or what is relayed from them \
              would not show.",
    sources: "RFC 5321 section 3.6.1; RFC 2505 section 2.1; RFC 6177; the manuals of the servers, named in the sources of \
              each importer",
    false_positives: "An outside range that is all yours: state it with --trusted-net. Restrictions in databases, policy \
                      services and files that were not named are not seen; notes say so.",
    remedy: "Narrow the line to what is yours. Where mail for a domain of yours is refused, add the domain; never let everybody \
             relay because of it.",
};

/// Recipients from which relaying is a flood.
const MANY: u64 = 100;
/// Clients that a sentence names.
const NAMED: usize = 3;

/// Finds the lines that open the server.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let mut lines = BTreeMap::<(String, usize), Vec<&Opening>>::new();
    for opening in routed.site.openings() {
        lines.entry((opening.path.display().to_string(), opening.line)).or_default().push(opening);
    }
    lines
        .into_iter()
        .filter_map(|((path, line), openings)| finding(&format!("{path}:{line}"), &openings, routed))
        .collect()
}

/// What one line does.
fn finding(place: &str, openings: &[&Opening], routed: &Routed<'_>) -> Option<Finding> {
    let first = openings.first()?;
    let server = server(routed.ledger, first.host.as_deref());
    let explained = explained(openings, server, routed);
    let widest = openings.iter().max_by_key(|opening| severity(&opening.lets))?;
    let mut why: Vec<String> =
        openings.iter().map(|opening| format!("{}: {}", quoted(place), sentence(opening))).collect();
    why.extend(explained.sentence());
    why.extend(openings.iter().filter_map(|opening| advice(&opening.lets)));
    let severity = severity(&widest.lets).max(explained.severity());
    let confidence = if 0 < explained.tally.accepted || Severity::Critical == severity { 0.95 } else { 0.7 };
    let pair = (&server, &Client::Unknown);
    let mut finding = explained.tally.finding(Rule::PolicyExposure, severity, pair, routed.ledger);
    finding.subject = Subject { kind: "config-line", value: Text::from(place) };
    finding.confidence = confidence;
    finding.why = why;
    finding.evidence = openings.iter().flat_map(|opening| opening.evidence.iter().cloned()).collect();
    finding.evidence.sort();
    finding.evidence.dedup();
    finding.remedy = remedy::exposure(first.software, &widest.lets);
    Some(finding)
}

/// The server of the logs that a configuration is of: by its name, whole or without domain; or the only one.
fn server(ledger: &Ledger, host: Option<&str>) -> Text {
    let label = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let named = host.and_then(|host| {
        let same = |server: &&Text| server.eq_ignore_ascii_case(host);
        let alike = |server: &&Text| label(server) == label(host);
        ledger.servers.keys().find(same).or_else(|| ledger.servers.keys().find(alike))
    });
    match (named, ledger.servers.len()) {
        (Some(server), _) => *server,
        (None, 1) => ledger.servers.keys().next().copied().unwrap_or_default(),
        (None, _) => Text::default(),
    }
}

/// Relaying in the logs that a line explains.
#[derive(Default)]
struct Explained {
    tally: Tally,
    clients: BTreeSet<Text>,
}

impl Explained {
    fn severity(&self) -> Severity {
        match self.tally.accepted {
            0 => Severity::Info,
            1..MANY => Severity::High,
            _ => Severity::Critical,
        }
    }

    fn sentence(&self) -> Option<String> {
        let mut named: Vec<String> = self.clients.iter().take(NAMED).map(ToString::to_string).collect();
        let rest = self.clients.len() - named.len();
        named.extend((0 < rest).then(|| format!("{rest} more")));
        (!named.is_empty()).then(|| {
            format!(
                "It explains relaying in these logs: {} ({}) relayed {}{}; see open-relay.",
                addresses(self.clients.len()),
                list(&named),
                recipients(self.tally.accepted),
                period(self.tally.span)
            )
        })
    }
}

fn explained(openings: &[&Opening], server: Text, routed: &Routed<'_>) -> Explained {
    let mut explained = Explained::default();
    let here = |flow: &RoutedFlow<'_>| server.is_empty() || flow.key.server == server;
    for flow in routed.of(RouteVerdict::RelayedUnauthorised).filter(here) {
        if openings.iter().any(|opening| explains(&opening.lets, &flow, routed)) {
            explained.tally.add(flow.key, flow.flow);
            explained.clients.insert(super::words::client(&flow.key.client));
        }
    }
    explained
}

/// Whether a line is why the recipients of a flow were taken.
fn explains(lets: &Lets, flow: &RoutedFlow<'_>, routed: &Routed<'_>) -> bool {
    let address = match flow.key.client {
        Client::Address(address) => Some(address.to_canonical()),
        _ => None,
    };
    match lets {
        Lets::AnyClient | Lets::AnyRecipient => true,
        Lets::Network(net) | Lets::ClaimedAddress(net) => address.is_some_and(|address| net.contains(&address)),
        Lets::Disguised => is_trick(flow.key),
        Lets::ClaimedSender => flow.key.reverse_domain.as_ref().is_some_and(|domain| routed.site.is_ours(domain)),
        _ => false,
    }
}

/// How bad it is by itself.
fn severity(lets: &Lets) -> Severity {
    match lets {
        Lets::AnyClient | Lets::AnyRecipient => Severity::Critical,
        Lets::Network(net) => of_network(*net),
        Lets::ClaimedAddress(_) | Lets::ClaimedSender | Lets::AnonymousLogin | Lets::Connector => Severity::High,
        Lets::Neighbours { class: true } | Lets::Name { top_level: true } => Severity::High,
        Lets::Neighbours { class: false } | Lets::AnyCertificate | Lets::AnyMx | Lets::Disguised => Severity::Medium,
        Lets::Name { top_level: false } | Lets::UnknownSenders => Severity::Low,
    }
}

/// A part of the Internet that is open to all; the networks of many owners; or of a few.
fn of_network(net: IpNet) -> Severity {
    let (part, many) = if net.addr().is_ipv4() { (8, 24) } else { (16, 32) };
    match net.prefix_len() {
        length if length < part => Severity::Critical,
        length if length < many => Severity::High,
        _ => Severity::Medium,
    }
}

/// What a line does, without the place.
fn sentence(opening: &Opening) -> String {
    let item = &opening.item;
    match &opening.lets {
        Lets::AnyClient => format!("every client may send to every recipient ({item})."),
        Lets::Network(net) if net.prefix_len() == 0 => {
            let kind = if net.addr().is_ipv4() { "IPv4" } else { "IPv6" };
            format!("every {kind} address of the Internet may send without log-in ({item}).")
        }
        Lets::Network(net) => format!("every address in {net} may send without log-in, and that is {}.", size(*net)),
        Lets::Neighbours { class: true } => {
            format!("the whole class A, B or C network around the server may send without log-in ({item}).")
        }
        Lets::Neighbours { class: false } => {
            format!(
                "the whole subnet of the server may send without log-in, a provider's other customers with it ({item})."
            )
        }
        Lets::AnyRecipient => {
            format!("mail for every domain, or a whole top-level domain, is relayed for everybody ({item}).")
        }
        Lets::ClaimedSender => {
            format!("whoever writes the right reverse-path may send, and anybody can write it ({item}).")
        }
        Lets::ClaimedAddress(net) => {
            format!("clients in {net} may claim any client address, a trusted one too ({item}).")
        }
        Lets::AnonymousLogin => format!("clients that log in as nobody count as logged in ({item})."),
        Lets::AnyCertificate => format!("a certificate of any authority that the server knows lets send ({item})."),
        Lets::Name { top_level: true } => {
            format!("clients may send whose name ends in a whole top-level domain ({item}).")
        }
        Lets::Name { top_level: false } => {
            format!("every host of the server's domain may send, by its name in the DNS ({item}).")
        }
        Lets::AnyMx => format!("mail is relayed to any domain whose owner names this server as MX ({item})."),
        Lets::Disguised => {
            format!("disguised addresses such as `victim%example.net@you` are taken for what they hide ({item}).")
        }
        Lets::Connector => {
            format!("anonymous clients may send to every recipient; which clients, the files do not tell ({item}).")
        }
        Lets::UnknownSenders => {
            format!("reverse-paths that cannot exist are taken, so more spam comes in; nothing is relayed ({item}).")
        }
    }
}

/// How many addresses a network has.
fn size(net: IpNet) -> String {
    match net {
        IpNet::V4(net) => {
            format!("{} addresses of the Internet", super::words::thousands(1u64 << (32 - net.prefix_len())))
        }
        IpNet::V6(_) => "more than one site gets (a /48)".to_owned(),
    }
}

/// What to say if it is meant so.
fn advice(lets: &Lets) -> Option<String> {
    match lets {
        Lets::Network(net) if 0 < net.prefix_len() => Some(format!(
            "It is not taken for trusted here. If all of {net} is yours, say so: --trusted-net {net}, or in relayaudit.toml."
        )),
        _ => None,
    }
}
