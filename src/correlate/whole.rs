//! Transactions that one line says whole: read and sealed at once.

use super::Fact;
use super::message::{Message, Recipient};
use super::recipients::pending;
use crate::ledger::{Origin, Outcome};
use relayaudit_parsers::record::{Event, Refusal};

/// Reads such a line as a message; `None` if it is no such line.
pub(super) fn read<'a>(fact: &'a Fact<'a>) -> Option<Message<'a>> {
    let Event::Whole { client, helo, account, reverse_path, forward_paths, size_bytes, complete, refusal } =
        &fact.record.event
    else {
        return None;
    };
    let taken = refusal.is_none() && *complete;
    let outcome = match refusal {
        None if taken => Outcome::Unknown,
        None => Outcome::NoData,
        Some(Refusal::RelayDenied) => Outcome::Denied,
        Some(_) => Outcome::Rejected,
    };
    let recipient = |path| Recipient { outcome, refusal: *refusal, ..pending(path, fact) };
    Some(Message {
        server: fact.server,
        client: *client,
        user: b"",
        helo,
        account: *account,
        vouched: false,
        origin: Origin::Network,
        reverse_path: *reverse_path,
        message_id: b"",
        size_bytes: *size_bytes,
        taken,
        opening: fact,
        recipients: forward_paths.iter().map(recipient).collect(),
    })
}
