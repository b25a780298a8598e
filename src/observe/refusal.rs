//! A refusal in a line of its own, as a message with one recipient that never came to be.

use crate::correlate::{Fact, Message, Recipient};
use crate::ledger::{Origin, Outcome};
use relayaudit_parsers::record::{Event, NextHop, Refusal};

/// The message and the recipient that a line refuses; `None` if it refuses no recipient.
pub fn read<'a>(fact: &'a Fact<'a>) -> Option<(Message<'a>, Recipient<'a>)> {
    let Event::Refused { client, refusal, reverse_path, forward_path: Some(path), helo, account, .. } =
        &fact.record.event
    else {
        return None;
    };
    let message = Message {
        server: fact.server,
        client: *client,
        user: b"",
        helo,
        account: *account,
        vouched: false,
        origin: Origin::Network,
        reverse_path: *reverse_path,
        message_id: b"",
        size_bytes: 0,
        taken: false,
        opening: fact,
        recipients: vec![],
    };
    let outcome = if *refusal == Refusal::RelayDenied { Outcome::Denied } else { Outcome::Rejected };
    let recipient = Recipient {
        forward_path: path,
        final_path: path,
        outcome,
        refusal: Some(*refusal),
        next_hop: NextHop::None,
        fact,
    };
    Some((message, recipient))
}
