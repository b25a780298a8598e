//! From headers beside reverse-paths, as the line with which a message came in gives both.

use super::{Books, keep};
use crate::correlate::Message;
use crate::ledger::{HeaderFromKey, Origin};
use relayaudit_parsers::address;
use relayaudit_parsers::record::Event;

impl Books {
    /// Books the From header of a message that was taken from a client without log-in, if its domain is not that of the
    /// reverse-path.
    pub(super) fn header_from(&mut self, message: &Message<'_>) {
        let header_from = match message.opening.record.event {
            Event::Received { header_from, .. }
            | Event::Whole { header_from, .. }
            | Event::Decided { header_from, .. } => header_from,
            _ => return,
        };
        let by_stranger = message.origin.is_network() && message.account.is_none() && !message.vouched;
        let (Some(header), Some(path)) = (address::domain(header_from), message.reverse_path) else { return };
        let reverse = address::domain(path).unwrap_or_default();
        if !message.taken || !by_stranger || message.origin == Origin::PassedOn || header.eq_ignore_ascii_case(reverse)
        {
            return;
        }
        let accepted = message.recipients.iter().filter(|recipient| recipient.outcome.was_accepted()).count() as u64;
        let (client, domain) = (self.names.client(&message.client), self.names.text(header));
        let reverse = self.names.text(reverse);
        let entry =
            self.ledger.header_froms.entry(HeaderFromKey { server: message.server, client, domain }).or_default();
        entry.messages += 1;
        entry.recipients += accepted;
        entry.span.see(message.opening.time);
        if entry.reverse_domains.wants(&reverse) {
            entry.reverse_domains.insert(reverse);
        }
        keep(&mut entry.evidence, message.opening);
    }
}
