//! What the last line of a session tells of all of it, for the lines before it (Haraka).
//!
//! Haraka logs a recipient for whom no plugin speaks, and whom it refuses for that (`550 I cannot deliver mail for ...`), in
//! the words of one that it accepts: `code=OK` (connection.js, `rcpt_respond`). But it counts the recipients that it
//! accepted, for each message and for the session, and these counts are right.

use super::super::message::Recipient;
use crate::correlate::Fact;
use crate::ledger::Outcome;
use relayaudit_parsers::record::{Asks, Event, Peer, Refusal};

/// What the last line tells, and what of it is not told by a message.
#[derive(Default)]
pub(super) struct Sum<'a> {
    /// The client, by its name: the first line of a session comes before it is looked up.
    pub(super) client: Peer<'a>,
    /// Whether the client was allowed to relay.
    pub(super) vouched: bool,
    /// The EHLO name, and the line that gives it.
    pub(super) hello: Option<(&'a [u8], &'a Fact<'a>)>,
    /// Recipients that were accepted in transactions that brought no message; `None` if nobody counted.
    without_message: Option<u32>,
}

impl<'a> Sum<'a> {
    /// Looks through a session.
    pub(super) fn of(facts: impl Iterator<Item = &'a Fact<'a>>) -> Sum<'a> {
        let mut sum = Sum::default();
        let mut with_message = 0u32;
        for fact in facts {
            match fact.record.event {
                Event::Step { asks: Asks::Message { accepted: Some(accepted), .. }, .. } => {
                    with_message = with_message.saturating_add(accepted);
                }
                Event::Summed { client, helo, vouched, accepted } => {
                    sum.client = client;
                    sum.vouched = vouched;
                    sum.hello = (!helo.is_empty()).then_some((helo, fact));
                    sum.without_message = accepted.map(|all| all.saturating_sub(with_message));
                }
                _ => {}
            }
        }
        sum
    }

    /// Corrects recipients of a transaction that look accepted, by the server's count: `accepted` is that of its message, if
    /// it brought one. If none was accepted, all were refused because nobody speaks for them: to deliver to them would be
    /// to relay. If some were, nothing tells which, and nobody is accused.
    pub(super) fn settle(&self, recipients: &mut [Recipient<'_>], accepted: Option<u32>) {
        let Some(accepted) = accepted.or(self.without_message) else { return };
        let is_in_doubt = |recipient: &&mut Recipient<'_>| recipient.refusal.is_none();
        let looked_accepted = recipients.iter_mut().filter(is_in_doubt).count();
        if looked_accepted <= accepted as usize {
            return;
        }
        for recipient in recipients.iter_mut().filter(is_in_doubt) {
            match accepted {
                0 => {
                    recipient.outcome = Outcome::Denied;
                    recipient.refusal = Some(Refusal::RelayDenied);
                }
                _ => recipient.outcome = Outcome::NoData,
            }
        }
    }
}
