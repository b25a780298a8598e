//! What a recipient shows of who is local to a server.

use super::{Books, keep};
use crate::correlate::{Message, Recipient};
use crate::ledger::{Client, DomainFacts, DomainKey, FlowKey, Outcome, Text};
use relayaudit_parsers::record::{NextHop, Peer, Refusal};

impl Books {
    /// What the recipient shows of who is local here.
    pub(super) fn locality(&mut self, message: &Message<'_>, recipient: &Recipient<'_>, flow: &FlowKey) {
        let last = *flow.final_domain.as_ref().unwrap_or(&flow.forward_domain);
        let outside = message.account.is_none() && !message.vouched && message.origin.is_network();
        let client = outside.then(|| match &flow.client {
            Client::Address(address) => Some(self.names.address(*address)),
            Client::Name(name) => Some(*name),
            _ => None,
        });
        let hop = match recipient.next_hop {
            NextHop::Host { peer: Peer { address: Some(address), .. }, .. }
            | NextHop::Gateway { peer: Peer { address: Some(address), .. }, .. } => Some(self.names.address(address)),
            NextHop::Host { peer, .. } | NextHop::Gateway { peer, .. } if !peer.name.is_empty() => {
                Some(self.names.text(peer.name))
            }
            _ => None,
        };
        let facts = self.ledger.domains.entry(DomainKey { server: flow.server, domain: last }).or_default();
        if let Some(client) = client.flatten().filter(|client| facts.clients.wants(client)) {
            facts.clients.insert(client);
        }
        note_place(facts, recipient, hop);
    }
}

fn note_place(facts: &mut DomainFacts, recipient: &Recipient<'_>, hop: Option<Text>) {
    match (recipient.outcome, recipient.refusal) {
        (Outcome::Delivered, _) => {
            facts.delivered_here += 1;
            keep(&mut facts.evidence, recipient.fact);
        }
        (_, Some(Refusal::UnknownUser)) => {
            facts.unknown_users += 1;
            keep(&mut facts.evidence, recipient.fact);
        }
        _ => {
            if matches!(recipient.next_hop, NextHop::Gateway { .. }) {
                facts.gatewayed += 1;
                keep(&mut facts.evidence, recipient.fact);
            }
            if let Some(hop) = hop {
                facts.handed_on += 1;
                facts.next_hops.insert(hop);
            }
        }
    }
}
