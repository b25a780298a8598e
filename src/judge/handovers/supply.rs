//! Supply: what a server handed on between two domains, by hour, of which another server's recipients are taken.

use super::{FlowKeyEnds, sent_to};
use crate::ledger::{Flow, Hours, Ledger, Origin, Outcome, Text};
use foldhash::HashMap;
use std::collections::BTreeMap;

/// Hours that clocks of two servers may differ, and by which an hour may be named differently for one message.
const SKEW: i32 = 1;

/// Recipients that a server handed on.
#[derive(Default)]
pub struct Supply(HashMap<FlowKeyEnds, Stock>);

/// Recipients between two domains that nobody has taken yet.
#[derive(Default)]
struct Stock {
    /// By the hour in which they came in.
    hours: BTreeMap<i32, u64>,
    /// Those whose hour is not known.
    untimed: u64,
}

impl Supply {
    /// What a server took in and may have handed on.
    pub fn of(ledger: &Ledger, server: Text) -> Supply {
        let mut supply = Supply::default();
        let own = ledger.flows.iter().filter(|(key, _)| key.server == server && key.origin != Origin::Outbound);
        for (key, flow) in own.filter(|(key, _)| key.outcome.was_accepted()) {
            let stock = supply.0.entry((key.reverse_domain, sent_to(key))).or_default();
            // What it kept, or gave up itself, it did not hand on; of the rest, what became of it may not be logged.
            if !matches!(key.outcome, Outcome::Relayed | Outcome::Unknown) {
                continue;
            }
            let mut timed = 0;
            for (hour, recipients) in flow.hours.iter() {
                *stock.hours.entry(hour).or_default() += recipients;
                timed += recipients;
            }
            stock.untimed += flow.recipients.saturating_sub(timed);
        }
        supply
    }

    /// Whether the server had mail between these domains.
    pub fn knows(&self, ends: FlowKeyEnds) -> bool {
        self.0.contains_key(&ends)
    }

    /// Takes as many of a flow's recipients as came in by the hour of each. Returns how many, and the hours of the rest.
    pub fn take(&mut self, ends: FlowKeyEnds, flow: &Flow) -> (u64, Hours) {
        let mut rest = Hours::default();
        let Some(stock) = self.0.get_mut(&ends) else { return (0, flow.hours.clone()) };
        let mut gone = 0;
        let mut timed = 0;
        for (hour, recipients) in flow.hours.iter() {
            let taken = stock.take(hour.saturating_add(SKEW), recipients);
            if taken < recipients {
                rest.add(hour, recipients - taken);
            }
            gone += taken;
            timed += recipients;
        }
        gone += stock.take(i32::MAX, flow.recipients.saturating_sub(timed));
        (gone, rest)
    }
}

impl Stock {
    /// Takes up to `wanted` recipients that came in by an hour, the oldest first: mail waits in queues for days.
    fn take(&mut self, until: i32, wanted: u64) -> u64 {
        let mut missing = wanted;
        while 0 < missing {
            let Some(mut oldest) = self.hours.first_entry().filter(|oldest| *oldest.key() <= until) else { break };
            let taken = missing.min(*oldest.get());
            *oldest.get_mut() -= taken;
            missing -= taken;
            if *oldest.get() == 0 {
                oldest.remove();
            }
        }
        let taken = missing.min(self.untimed);
        self.untimed -= taken;
        wanted - (missing - taken)
    }
}
