//! Two and three servers in a row, by hand: who counts what.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::ledger::{Origin, Time};
use crate::site::{self, Origin as Stated, Site};
use relayaudit_parsers::address::Form;

/// 2027-01-18 06:00 UTC.
const START: i64 = 1_800_252_000_000_000;
const HOUR: i64 = 3_600_000_000;

/// Servers that hand mail to each other.
#[derive(Default)]
struct Chain(Ledger);

/// Recipients of one flow: server, client, hour, how many, outcome.
#[derive(Clone, Copy)]
struct Mail {
    server: &'static str,
    client: &'static str,
    hour: i64,
    recipients: u64,
    outcome: Outcome,
    forward: &'static str,
}

const IN: Mail = Mail {
    server: "mx1",
    client: "203.0.113.9",
    hour: 0,
    recipients: 4,
    outcome: Outcome::Relayed,
    forward: "example.org",
};
const ON: Mail = Mail { server: "mail", client: "10.0.0.4", outcome: Outcome::Delivered, ..IN };

impl Mail {
    fn key(&self) -> FlowKey {
        FlowKey {
            server: self.server.into(),
            client: Client::Address(self.client.parse().unwrap()),
            account: None,
            vouched: false,
            origin: Origin::Network,
            reverse_domain: Some("example.com".into()),
            forward_domain: self.forward.into(),
            form: Form::Plain,
            hidden_domain: None,
            final_domain: None,
            outcome: self.outcome,
            refusal: None,
        }
    }
}

impl Chain {
    fn mail(mut self, mail: Mail) -> Chain {
        let flow = self.0.flows.entry(mail.key()).or_default();
        flow.see(Some(Time(START + mail.hour * HOUR)), mail.recipients);
        flow.messages += 1;
        self.0.servers.entry(mail.server.into()).or_default().messages += 1;
        let client = ClientKey { server: mail.server.into(), client: mail.key().client };
        let facts = self.0.clients.entry(client).or_default();
        facts.sent.see(Some(Time(START + mail.hour * HOUR)), None);
        self
    }

    /// Ids under which one server handed on and the other took in.
    fn queued_as(mut self, from: &str, to: Mail, ids: &[&str]) -> Chain {
        let key = ClientKey { server: to.server.into(), client: to.key().client };
        for id in ids {
            self.0.servers.entry(from.into()).or_default().handed_on.see_queue_id(id.as_bytes());
            self.0.clients.entry(key).or_default().handed_in.see_queue_id(id.as_bytes());
        }
        self
    }

    /// A Message-ID that a server handed on, and that another had from a client.
    fn message_id(mut self, from: &str, to: Mail, id: &str) -> Chain {
        let key = ClientKey { server: to.server.into(), client: to.key().client };
        self.0.servers.entry(from.into()).or_default().handed_on.see_message_id(id.as_bytes());
        self.0.clients.entry(key).or_default().handed_in.see_message_id(id.as_bytes());
        self
    }

    /// What counts afterwards: server, outcome, recipients, messages; and who handed how many recipients to whom.
    fn check(mut self, flows: &[(&str, &str, u64, u64)], hand_overs: &[(&str, &str, u64, u64)]) -> Ledger {
        let mut stated = Site::default();
        stated.add_local_domain("example.org", Stated::CommandLine);
        let site = site::infer(&self.0, &stated);
        let found = count_once(&mut self.0, &site);
        let mut left: Vec<_> = self.0.flows.iter().collect();
        left.sort_unstable_by_key(|(key, _)| **key);
        let left: Vec<_> = left
            .iter()
            .map(|(key, flow)| (&*key.server, key.outcome.as_str(), flow.recipients, flow.messages))
            .collect();
        assert_eq!(left, flows);
        let found: Vec<_> =
            found.iter().map(|over| (&*over.from, &*over.to, over.recipients, over.unauthorised)).collect();
        assert_eq!(found, hand_overs);
        self.0
    }
}

#[test]
fn mail_that_a_gateway_passed_on_counts_once() {
    let ledger = Chain::default()
        .mail(IN)
        .mail(ON)
        .queued_as("mx1", ON, &["9AB", "9AC"])
        .check(&[("mx1", "relayed", 4, 1)], &[("mx1", "mail", 4, 0)]);
    let mail = &ledger.servers[&Text::from("mail")];
    assert_eq!((mail.messages, mail.again.messages, mail.again.recipients), (1, 1, 4));
    let client = ClientKey { server: "mail".into(), client: ON.key().client };
    assert!(ledger.clients[&client].sent.messages.is_empty());
}

#[test]
fn without_ids_in_common_nothing_is_joined() {
    Chain::default().mail(IN).mail(ON).check(&[("mail", "delivered", 4, 1), ("mx1", "relayed", 4, 1)], &[]);
}

#[test]
fn what_the_next_server_could_not_deliver_is_told() {
    let bounced = Mail { outcome: Outcome::Bounced, recipients: 1, ..ON };
    let both = Mail { recipients: 3, ..ON };
    Chain::default()
        .mail(IN)
        .mail(bounced)
        .mail(both)
        .queued_as("mx1", ON, &["9AB"])
        .check(&[("mx1", "relayed", 3, 1), ("mx1", "bounced", 1, 0)], &[("mx1", "mail", 4, 0)]);
    // Two clients sent between the same domains: whose recipient it was, nobody can say.
    let other = Mail { client: "203.0.113.10", ..IN };
    Chain::default()
        .mail(IN)
        .mail(other)
        .mail(bounced)
        .mail(both)
        .queued_as("mx1", ON, &["9AB"])
        .check(&[("mx1", "relayed", 4, 1), ("mx1", "relayed", 4, 1)], &[("mx1", "mail", 4, 0)]);
}

#[test]
fn no_more_is_joined_than_was_handed_on_by_then() {
    // The gateway's log is missing for a day: what it passed on then counts where it shows.
    let early = Mail { hour: -30, ..ON };
    Chain::default()
        .mail(IN)
        .mail(ON)
        .mail(early)
        .queued_as("mx1", ON, &["9AB"])
        .check(&[("mail", "delivered", 4, 1), ("mx1", "relayed", 4, 1)], &[("mx1", "mail", 4, 0)]);
    // Mail waits in queues; clocks differ.
    for hour in [-1, 0, 40] {
        Chain::default()
            .mail(IN)
            .mail(Mail { hour, ..ON })
            .queued_as("mx1", ON, &["9AB"])
            .check(&[("mx1", "relayed", 4, 1)], &[("mx1", "mail", 4, 0)]);
    }
    // Other hosts use the same address.
    let more = Mail { recipients: 10, ..ON };
    Chain::default()
        .mail(IN)
        .mail(more)
        .queued_as("mx1", ON, &["9AB"])
        .check(&[("mail", "delivered", 6, 1), ("mx1", "relayed", 4, 1)], &[("mx1", "mail", 4, 0)]);
}

#[test]
fn a_stranger_cannot_hide_relaying_behind_ids() {
    let stranger = Mail { client: "198.51.100.7", forward: "example.net", outcome: Outcome::Relayed, ..ON };
    let passed = Mail { forward: "example.net", client: "10.0.0.8", ..IN };
    Chain::default()
        .mail(passed)
        .mail(stranger)
        .queued_as("mx1", stranger, &["9AB"])
        .check(&[("mail", "relayed", 4, 1), ("mx1", "relayed", 4, 1)], &[("mx1", "mail", 0, 4)]);
}

#[test]
fn three_in_a_row_count_for_the_first_with_the_end_of_the_last() {
    let last = Mail { server: "store", client: "10.0.0.5", outcome: Outcome::Bounced, ..ON };
    let passed = Mail { outcome: Outcome::Relayed, ..ON };
    let chain = Chain::default().mail(IN).mail(passed).mail(last);
    let chain = chain.queued_as("mx1", ON, &["9AB"]).queued_as("mail", last, &["77C"]);
    chain.check(&[("mx1", "bounced", 4, 1)], &[("mail", "store", 4, 0), ("mx1", "mail", 4, 0)]);
    // The last logs Message-IDs only (Exchange): both servers before it handed that one on.
    let chain = Chain::default().mail(IN).mail(passed).mail(last).queued_as("mx1", ON, &["9AB"]);
    let chain = chain.message_id("mx1", ON, "m@example.com").message_id("mail", last, "m@example.com");
    chain.check(&[("mx1", "bounced", 4, 1)], &[("mail", "store", 4, 0), ("mx1", "mail", 4, 0)]);
}

#[test]
fn a_client_that_hands_copies_to_two_servers_is_neither() {
    let host = Mail { client: "10.0.0.9", forward: "example.net", ..IN };
    let copy = Mail { server: "mx2", ..host };
    Chain::default()
        .mail(host)
        .mail(copy)
        .message_id("mx1", copy, "m@example.org")
        .message_id("mx2", host, "m@example.org")
        .check(&[("mx1", "relayed", 4, 1), ("mx2", "relayed", 4, 1)], &[]);
}
