//! Transactions that one line says whole: read and sealed at once.

use super::Fact;
use super::message::{Message, Recipient};
use super::recipients::pending;
use crate::ledger::{Origin, Outcome};
use relayaudit_parsers::paths::Paths;
use relayaudit_parsers::record::{Event, Refusal};

/// Reads such a line as a message; `None` if it is no such line.
pub(super) fn read<'a>(fact: &'a Fact<'a>) -> Option<Message<'a>> {
    let message = Message {
        server: fact.server,
        client: Default::default(),
        user: b"",
        helo: b"",
        account: None,
        vouched: false,
        origin: Origin::Network,
        reverse_path: None,
        message_id: b"",
        size_bytes: 0,
        taken: false,
        opening: fact,
        recipients: Vec::new(),
    };
    Some(match &fact.record.event {
        Event::Whole { client, helo, account, reverse_path, forward_paths, size_bytes, complete, refusal, .. } => {
            Message {
                client: *client,
                helo,
                account: *account,
                reverse_path: *reverse_path,
                size_bytes: *size_bytes,
                taken: refusal.is_none() && *complete,
                recipients: recipients(*forward_paths, *complete, *refusal, fact),
                ..message
            }
        }
        // The lines of the queue tell what became of the same mail: they count if they are there.
        Event::Decided {
            client, helo, reverse_path, forward_paths, message_id, size_bytes, taken, refusal, ..
        } => Message {
            client: *client,
            helo,
            origin: Origin::Session,
            reverse_path: *reverse_path,
            message_id,
            size_bytes: *size_bytes,
            taken: refusal.is_none() && *taken,
            recipients: recipients(*forward_paths, *taken, *refusal, fact),
            ..message
        },
        _ => return None,
    })
}

fn recipients<'a>(
    forward_paths: Paths<'a>,
    taken: bool,
    refusal: Option<Refusal>,
    fact: &'a Fact<'a>,
) -> Vec<Recipient<'a>> {
    let outcome = match refusal {
        None if taken => Outcome::Unknown,
        None => Outcome::NoData,
        Some(Refusal::RelayDenied) => Outcome::Denied,
        Some(_) => Outcome::Rejected,
    };
    forward_paths.iter().map(|path| Recipient { outcome, refusal, ..pending(path, fact) }).collect()
}
