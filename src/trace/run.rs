//! Run: passes over the logs, until no id leads further.

use super::chains::{self, Chain};
use super::key::Key;
use super::scribe::Traces;
use super::store::Seen;
use super::wanted::Wanted;
use crate::fold::Filter;
use crate::ledger::{Ledger, one_view};
use crate::merge::Merge;
use std::sync::Arc;

/// Passes at most. Each goes one server further in both directions, so that this follows a message over eight.
pub const MOST_PASSES: usize = 9;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The messages, each through all servers.
    pub chains: Vec<Chain>,
    /// What the logs show of servers and domains; no mail.
    pub ledger: Ledger,
    /// What matches a key, kept or not.
    pub matching: Seen,
    /// What of it was not kept: later than all that was.
    pub left_out: Seen,
    /// How often the logs were read.
    pub passes: usize,
    /// Why ids may lead to more messages; empty if all were followed.
    pub unfollowed: Vec<&'static str>,
}

/// Follows keys through the logs. `read` makes one pass; `can_repeat` says whether it can be asked again.
pub fn follow<E>(
    keys: &[Key],
    filter: &Filter,
    can_repeat: bool,
    read: &mut dyn FnMut(&Filter) -> Result<Traces, E>,
) -> Result<Found, E> {
    let mut wanted = Wanted::new(keys);
    wanted.surveys = true;
    let mut found = Found::default();
    loop {
        let filter = Filter {
            wanted: Some(Arc::new(wanted.clone())),
            collect_unparsed: filter.collect_unparsed && found.passes == 0,
            ..filter.clone()
        };
        let traces = read(&filter)?;
        found.passes += 1;
        let lost = found.take(traces);
        let is_new = wanted.ids.grow(chains::ids(&found.chains));
        if lost {
            found.unfollowed.push("more messages share their ids than can be kept; those named are the earliest");
        }
        if is_new && !can_repeat {
            found.unfollowed.push("standard input can be read once only, so ids were not followed to other messages");
        } else if is_new && MOST_PASSES <= found.passes {
            found.unfollowed.push("the message goes through more servers than are followed");
        } else if is_new {
            found.unfollowed.clear();
            wanted.surveys = false;
            continue;
        }
        one_view(&mut found.ledger);
        return Ok(found);
    }
}

impl Found {
    /// Takes what a pass found. Returns whether messages to which an id leads were left out.
    fn take(&mut self, traces: Traces) -> bool {
        let Traces { matching, followed, ledger } = traces;
        if self.passes == 1 {
            self.ledger = ledger;
        }
        self.matching = matching.seen;
        let (all, lost) = (followed.seen, followed.seen.messages);
        let mut kept = Seen::default();
        let lives = matching.into_lives();
        lives.iter().for_each(|life| kept.merge(life.seen()));
        self.left_out = Seen {
            messages: self.matching.messages - kept.messages,
            recipients: self.matching.recipients - kept.recipients,
            last: self.matching.last,
        };
        let others = followed.into_lives();
        let mut kept = Seen::default();
        others.iter().for_each(|life| kept.merge(life.seen()));
        self.chains = chains::chains(lives.into_iter().chain(others).collect());
        kept.messages < lost || kept.recipients < all.recipients
    }
}
