//! Messages of which one line tells all: there is nothing to join.

use super::Fact;
use super::context::is_named;
use super::family::outcome;
use super::message::{Message, Recipient};
use super::recipients::pending;
use crate::ledger::Origin;
use relayaudit_parsers::record::{Event, Peer};

/// Reads a line that tells all of a message.
pub(super) fn read<'a>(fact: &'a Fact<'a>) -> Message<'a> {
    let mut message = Message {
        server: fact.server,
        client: Peer::default(),
        user: b"",
        helo: b"",
        account: None,
        vouched: false,
        origin: Origin::Unknown,
        reverse_path: None,
        message_id: b"",
        size_bytes: 0,
        taken: true,
        opening: fact,
        recipients: Vec::new(),
    };
    if let Event::Traced { client, vouched, reverse_path, size_bytes, recipients } = &fact.record.event {
        message.client = *client;
        message.vouched = *vouched;
        message.origin = if is_named(client) { Origin::Network } else { Origin::Unknown };
        message.reverse_path = Some(reverse_path);
        message.size_bytes = *size_bytes;
        message.recipients = recipients
            .iter()
            .map(|(path, fate)| match fate {
                Some((status, next_hop)) => {
                    Recipient { outcome: outcome(status, &next_hop), next_hop, ..pending(path, fact) }
                }
                None => pending(path, fact),
            })
            .collect();
    }
    message
}
