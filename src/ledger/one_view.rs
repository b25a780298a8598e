//! One view: mail that several logs of a server tell of counts once.
//!
//! Exchange logs a message up to three times: in the log of the session that the client had with the front end, in
//! that of the session in which the front end passed it on, and in message tracking. They are files of their own, so
//! their lines cannot be joined; but all of them name the client, both domains and the hour. What the client's own
//! session shows is left out of the sessions that were passed on; what tracking shows, which knows what became of the
//! mail, is left out of the sessions, which know the account: it is handed over if all agree on it.
//!
//! Call it once, on the finished ledger: what it leaves cannot be told apart again.

use super::{Book, Client, Flow, FlowKey, Hours, Ledger, Origin, Outcome, Text};
use crate::merge::Merge;
use foldhash::HashMap;
use std::collections::BTreeSet;

/// What all logs say of the same mail.
type Link = (Client, Option<Text>, Text);

/// Hours (of `Time::hour`) in which a log tells of something.
type Covered = BTreeSet<i32>;

/// Makes every recipient count once. All mail that clients sent is [`Origin::Network`] afterwards.
pub fn one_view(ledger: &mut Ledger) {
    if !ledger.flows.keys().any(|key| matches!(key.origin, Origin::Session | Origin::PassedOn)) {
        return;
    }
    let (sessions, rest) = split(std::mem::take(&mut ledger.flows), Origin::Session);
    let (passed_on, mut flows) = split(rest, Origin::PassedOn);
    let mut by_client: HashMap<Client, Covered> = HashMap::default();
    for (key, flow) in &sessions {
        cover(by_client.entry(key.client).or_default(), flow);
    }
    let others = passed_on.into_iter().filter_map(|(key, flow)| {
        let seen = by_client.get(&key.client);
        Some((key, uncovered(*flow, seen)?))
    });
    let sessions: Vec<_> = sessions.into_iter().map(|(key, flow)| (key, *flow)).chain(others).collect();
    let mut tracked: HashMap<Link, Covered> = HashMap::default();
    for (key, flow) in flows.iter().filter(|(key, _)| key.origin == Origin::Network) {
        cover(tracked.entry(link(key)).or_default(), flow);
    }
    let mut accounts: HashMap<Link, BTreeSet<Option<Text>>> = HashMap::default();
    for (mut key, flow) in sessions {
        let seen = tracked.get(&link(&key)).filter(|_| key.outcome == Outcome::Unknown);
        if seen.is_some() {
            accounts.entry(link(&key)).or_default().insert(key.account);
        }
        let Some(flow) = uncovered(flow, seen) else { continue };
        let server = ledger.servers.entry(key.server).or_default();
        server.messages.merge(flow.messages);
        server.bytes.merge(flow.bytes);
        key.origin = Origin::Network;
        flows.entry(key).or_default().merge(Box::new(flow));
    }
    for (mut key, flow) in flows {
        if key.origin == Origin::Network && key.account.is_none() && key.outcome.was_accepted() {
            key.account = accounts.get(&link(&key)).and_then(agreed);
        }
        ledger.flows.entry(key).or_default().merge(flow);
    }
}

/// Takes the flows of one origin out of a book.
fn split(flows: Book<FlowKey, Box<Flow>>, origin: Origin) -> (Book<FlowKey, Box<Flow>>, Book<FlowKey, Box<Flow>>) {
    flows.into_iter().partition(|(key, _)| key.origin == origin)
}

fn link(key: &FlowKey) -> Link {
    (key.client, key.reverse_domain, key.forward_domain)
}

/// The account that all sessions logged in with.
fn agreed(accounts: &BTreeSet<Option<Text>>) -> Option<Text> {
    if accounts.len() == 1 { accounts.first().cloned().flatten() } else { None }
}

/// Notes the hours of a flow, and those beside them: logs name different moments of a message.
fn cover(covered: &mut Covered, flow: &Flow) {
    for (hour, _) in flow.hours.iter() {
        covered.extend([hour.saturating_sub(1), hour, hour.saturating_add(1)]);
    }
}

/// What of a flow lies in other hours than those; `None` if that is nothing.
fn uncovered(flow: Flow, covered: Option<&Covered>) -> Option<Flow> {
    let Some(covered) = covered else { return Some(flow) };
    let mut hours = Hours::default();
    let mut gone = 0u64;
    for (hour, recipients) in flow.hours.iter() {
        match covered.contains(&hour) {
            true => gone.merge(recipients),
            false => hours.add(hour, recipients),
        }
    }
    flow.less(gone, hours)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::ledger::Time;
    use relayaudit_parsers::address::Form;

    const HOUR: i64 = 3_600_000_000;

    /// A flow of `recipients` in messages of two, in one hour.
    fn add(ledger: &mut Ledger, origin: Origin, outcome: Outcome, account: Option<&str>, hour: i64, recipients: u64) {
        let key = FlowKey {
            server: "mx1".into(),
            client: Client::Address("203.0.113.9".parse().unwrap()),
            account: account.map(Into::into),
            vouched: false,
            origin,
            reverse_domain: Some("example.com".into()),
            forward_domain: "example.org".into(),
            form: Form::Plain,
            hidden_domain: None,
            final_domain: None,
            outcome,
            refusal: None,
        };
        let flow = ledger.flows.entry(key).or_default();
        flow.see(Some(Time(hour * HOUR)), recipients);
        flow.messages += recipients / 2;
    }

    /// Account, outcome, recipients and messages of every flow.
    fn seen(mut ledger: Ledger) -> Vec<(Option<String>, &'static str, u64, u64)> {
        one_view(&mut ledger);
        assert!(ledger.flows.keys().all(|key| key.origin == Origin::Network));
        let flows = ledger.flows.iter();
        let mut seen: Vec<_> = flows
            .map(|(key, flow)| {
                (key.account.as_deref().map(Into::into), key.outcome.as_str(), flow.recipients, flow.messages)
            })
            .collect();
        seen.sort();
        seen
    }

    #[test]
    fn one_log_counts_as_it_is() {
        for origin in [Origin::Session, Origin::PassedOn, Origin::Network] {
            let mut ledger = Ledger::default();
            add(&mut ledger, origin, Outcome::Unknown, None, 5, 8);
            assert_eq!(seen(ledger), [(None, "unknown", 8, 4)], "{origin:?}");
        }
    }

    #[test]
    fn three_logs_count_as_tracking_says_with_the_account_of_the_session() {
        let mut ledger = Ledger::default();
        add(&mut ledger, Origin::Session, Outcome::Unknown, Some("anna"), 5, 8);
        add(&mut ledger, Origin::PassedOn, Outcome::Unknown, None, 5, 8);
        add(&mut ledger, Origin::Network, Outcome::Relayed, None, 6, 8);
        add(&mut ledger, Origin::Session, Outcome::Denied, None, 5, 2);
        add(&mut ledger, Origin::PassedOn, Outcome::Denied, None, 5, 2);
        assert_eq!(seen(ledger), [(None, "denied", 2, 1), (Some("anna".into()), "relayed", 8, 4)]);
    }

    #[test]
    fn accounts_that_differ_are_not_handed_over() {
        let mut ledger = Ledger::default();
        add(&mut ledger, Origin::Session, Outcome::Unknown, Some("anna"), 5, 4);
        add(&mut ledger, Origin::Session, Outcome::Unknown, None, 5, 4);
        add(&mut ledger, Origin::Network, Outcome::Relayed, None, 5, 8);
        assert_eq!(seen(ledger), [(None, "relayed", 8, 4)]);
    }

    #[test]
    fn hours_that_only_one_log_has_stay() {
        let mut ledger = Ledger::default();
        add(&mut ledger, Origin::Session, Outcome::Unknown, None, 5, 8);
        add(&mut ledger, Origin::Session, Outcome::Unknown, None, 50, 4);
        add(&mut ledger, Origin::Network, Outcome::Relayed, None, 5, 8);
        assert_eq!(seen(ledger), [(None, "relayed", 8, 4), (None, "unknown", 4, 2)]);
    }
}
