//! Templates: what a message has in common with others of the same maker.

use super::{Books, keep};
use crate::correlate::{Message, Recipient};
use crate::ledger::{Client, Origin, Outcome, Smallest, Taken, TemplateFacts, TemplateKey};
use relayaudit_parsers::record::Refusal;
use relayaudit_parsers::{address, shape};

impl Books {
    /// Books the template of a message, once for the recipients that were taken and once for those that were refused.
    pub(super) fn template(&mut self, message: &Message<'_>, recipients: &[Recipient<'_>], client: Client) {
        let by_network = message.origin.is_network() && message.origin != Origin::PassedOn;
        if !by_network || (message.helo.is_empty() && message.reverse_path.is_none()) {
            return;
        }
        let refused = recipients.iter().filter(|recipient| is_denied(recipient)).count() as u64;
        let accepted = recipients.iter().filter(|recipient| recipient.outcome.was_accepted());
        let (mut passed_on, mut kept) = (0, true);
        accepted.for_each(|recipient| {
            passed_on += 1;
            kept &= recipient.outcome == Outcome::Delivered;
        });
        let log_in = if message.account.is_some() || message.vouched { Taken::LoggedIn } else { Taken::Accepted };
        for (taken, number) in [(Taken::Refused, refused), (log_in, if kept { 0 } else { passed_on })] {
            if 0 < number {
                self.add(message, recipients, (client, taken), number);
            }
        }
    }

    fn add(
        &mut self,
        message: &Message<'_>,
        recipients: &[Recipient<'_>],
        (client, taken): (Client, Taken),
        number: u64,
    ) {
        let key = self.template_key(message, recipients, taken);
        let account = message.account.map(|account| self.names.text(account));
        let times = u64::from(message.opening.times);
        let facts = self.ledger.templates.entry(key);
        facts.messages += if taken == Taken::Refused { times } else { u64::from(message.taken) };
        facts.recipients += number * times;
        facts.sizes |= bit(message.size_bytes);
        facts.widths |= bit(number);
        facts.span.see(message.opening.time);
        if let Some(time) = message.opening.time {
            facts.hours.add(time.hour(), number * times);
        }
        let who = (client, message.server);
        if facts.clients.wants(&who) {
            facts.clients.insert(who);
        }
        if let Some(account) = account.filter(|account| facts.accounts.wants(account)) {
            facts.accounts.insert(account);
        }
        note_names(facts, message);
        keep(&mut facts.evidence, message.opening);
    }

    fn template_key(&mut self, message: &Message<'_>, recipients: &[Recipient<'_>], taken: Taken) -> TemplateKey {
        let path = message.reverse_path;
        let domain = path.map(|path| self.names.domain(path));
        let local = path.map_or("", |path| shape::local_part(local_part(path)));
        let to_itself = path.is_some_and(|path| {
            !path.is_empty() && recipients.iter().any(|recipient| recipient.forward_path.eq_ignore_ascii_case(path))
        });
        shape::hello(message.helo, message.client.address, &mut self.shape);
        let (hello, local) = (self.names.text(&self.shape), self.names.text(local.as_bytes()));
        TemplateKey { hello, local, domain, to_itself, taken }
    }
}

/// Whether the server refused to relay to a recipient, or did not say why it refused.
fn is_denied(recipient: &Recipient<'_>) -> bool {
    let unsaid = matches!(recipient.refusal, None | Some(Refusal::Unsaid));
    recipient.outcome == Outcome::Denied || (recipient.outcome == Outcome::Rejected && unsaid)
}

/// The power of two below a number, as a bit; none for 0.
fn bit(number: u64) -> u64 {
    number.checked_ilog2().map_or(0, |power| 1 << power)
}

/// What stands before the last `@`.
fn local_part(path: &[u8]) -> &[u8] {
    let domain = address::domain(path).map_or(0, <[u8]>::len);
    path.get(..path.len().saturating_sub(domain + 1)).filter(|_| 0 < domain).unwrap_or(path)
}

/// Notes the EHLO name and the local-part, if they are among the smallest.
fn note_names(facts: &mut TemplateFacts, message: &Message<'_>) {
    note(&mut facts.names, message.helo);
    note(&mut facts.locals, message.reverse_path.map(local_part).unwrap_or_default());
}

fn note<const N: usize>(sample: &mut Smallest<Box<str>, N>, name: &[u8]) {
    // Nearly always it is there already.
    if sample.iter().any(|kept| kept.as_bytes().eq_ignore_ascii_case(name)) {
        return;
    }
    let name = String::from_utf8_lossy(&name[..name.len().min(shape::LONGEST)]).to_lowercase();
    if !name.is_empty() && sample.wants::<str>(&name) {
        sample.insert(name.into());
    }
}
