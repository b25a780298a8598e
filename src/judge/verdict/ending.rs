//! The ending: whether the abuse goes on, or what still leaves is the old queue.

use super::Scope;
use crate::judge::finding::{Finding, Queue};
use crate::judge::words::{minute, recipients, still};
use crate::ledger::Time;

/// Mail that came in within so long before the end of the logs was still coming in: an hour, in microseconds.
const GOES_ON: i64 = 3_600_000_000;

/// One or two sentences on how the abuse of some findings ends; empty if their times are not known.
pub fn ending(scope: &Scope<'_>, deciding: &[&Finding]) -> String {
    let queues: Vec<&Queue> = deciding.iter().filter_map(|finding| finding.queue.as_ref()).collect();
    let last = |of: fn(&Queue) -> Option<Time>| queues.iter().filter_map(|queue| of(queue)).max();
    let sum = |of: fn(&Queue) -> u64| queues.iter().map(|queue| of(queue)).fold(0, u64::saturating_add);
    let (Some(entered), Some(end)) = (last(|queue| queue.last_entered), scope.logged().2.last) else {
        return String::new();
    };
    let attempt = last(|queue| queue.last_attempt).filter(|attempt| minute(entered) < minute(*attempt));
    let waiting = waits(sum(|queue| queue.recipients), sum(|queue| queue.unseen));
    if end.0.saturating_sub(entered.0) < GOES_ON {
        let waiting = waiting.map(|waiting| format!(" {waiting}")).unwrap_or_default();
        return format!("{}{waiting}", still(entered, end, "coming in"));
    }
    let entered = minute(entered);
    match (attempt, waiting) {
        (None, None) => format!("The last of it came in at {entered} UTC, and the logs show none of it leaving later."),
        (attempt, waiting) => {
            let attempt = attempt.map(|attempt| format!(", last tried at {} UTC", minute(attempt))).unwrap_or_default();
            let waiting = waiting.unwrap_or_else(|| "None of it waits any more when the logs end.".to_owned());
            format!(
                "The last of it came in at {entered} UTC; what leaves after that is the old queue{attempt}. {waiting}"
            )
        }
    }
}

/// What waits when the logs end; `None` if nothing does.
fn waits(deferred: u64, unseen: u64) -> Option<String> {
    Some(match (deferred, unseen) {
        (0, 0) => return None,
        (deferred, 0) => format!("{} still waited then.", recipients(deferred)),
        (0, unseen) => format!("Of {} the logs show no end: they may still wait.", recipients(unseen)),
        (deferred, unseen) => {
            format!(
                "{} still waited then, and of {} more the logs show no end.",
                recipients(deferred),
                recipients(unseen)
            )
        }
    })
}
