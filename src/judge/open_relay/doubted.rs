//! Domains that may be ours though nobody said so: one finding each, instead of one for every stranger who wrote to them.

use super::Relay;
use crate::judge::finding::{Finding, Rule, Severity, Subject};
use crate::judge::remedy;
use crate::judge::routed::Routed;
use crate::judge::tally::Tally;
use crate::judge::words::{self, count, recipients};
use crate::ledger::{Client, Text};
use std::cmp::Reverse;

/// Why a domain may be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// Hardly any mail was relayed to it.
    Few,
    /// Several clients write to it and to no other, and it always goes to the same host.
    Secondary,
}

/// What to do about so little mail to one domain that it may as well be mail for a domain of ours.
pub fn advice(domain: &str) -> String {
    let domain = words::quoted(domain);
    format!(
        "So few recipients, all in {domain}, may as well be mail for a domain that you serve. If so, add it with \
         --local-domain {domain}."
    )
}

/// What strangers had relayed to one domain.
#[derive(Default)]
pub struct Doubted {
    tally: Tally,
    clients: Vec<(u64, Client)>,
    doubt: Option<Doubt>,
}

impl Doubted {
    /// Adds the mail of a client.
    pub fn add(&mut self, client: &Client, relay: Relay<'_>, doubt: Doubt) {
        self.clients.push((relay.tally.accepted, *client));
        self.tally.merge(relay.tally);
        self.doubt = self.doubt.max(Some(doubt));
    }

    /// The finding about the domain on a server.
    pub fn finding(mut self, (server, domain): (&Text, &str), routed: &Routed<'_>) -> Finding {
        let name = words::quoted(domain);
        self.clients.sort_by_key(|(accepted, client)| (Reverse(*accepted), *client));
        let most: Vec<String> = self
            .clients
            .iter()
            .take(3)
            .map(|(accepted, client)| {
                format!("{} ({})", words::quoted(&words::client(client)), words::thousands(*accepted))
            })
            .collect();
        let clients = self.clients.len() as u64;
        let summary = format!(
            "{} without credentials had {} in {name} passed on by {}{}.",
            count(clients, "client", "clients"),
            recipients(self.tally.accepted),
            words::server(server),
            words::period(self.tally.span),
        );
        let doubt = match self.doubt {
            Some(Doubt::Secondary) => {
                "They wrote to no other outside domain, and it always goes to the same host: you may be its secondary MX."
            }
            _ => "So little may as well be mail for a domain that you serve.",
        };
        let advice = format!(
            "If you take mail for {name}, add it with --local-domain {name}. If not, these clients relay through you: {}.",
            words::list(&most)
        );
        let first = self.clients.first().map_or(Client::Unknown, |(_, client)| *client);
        let mut finding = self.tally.finding(Rule::OpenRelay, Severity::Low, (server, &Client::Unknown), routed.ledger);
        finding.subject = Subject { kind: "domain", value: domain.into() };
        finding.confidence = 0.3;
        finding.why = vec![summary, doubt.to_owned(), advice];
        finding.remedy = remedy::relay(routed.ledger, server, &first, finding.queue.as_ref());
        finding
    }
}
