//! Missing: why the line by which a message came in is not in the logs, and what is lost with it.

use super::life::{Beginning, Life};
use super::words::second;
use crate::judge::words::{duration, server};
use crate::ledger::{Ledger, Origin, Time};
use relayaudit_parsers::settings;

/// How long a queue keeps mail as a rule (RFC 5321 section 4.5.4.1: at least 4 to 5 days).
const QUEUE_DAYS: i64 = 5;
const DAY: i64 = 86_400_000_000;
const HOUR: i64 = 3_600_000_000;
/// Hours without a line that are a hole in the log.
const HOLE: i32 = 6;

/// Why the logs do not tell how a message came in, in sentences; `None` if they do.
pub fn why(life: &Life, format: &str, ledger: &Ledger) -> Option<String> {
    let who = server(&life.way.server);
    let advice = settings::of(format).map_or("", |settings| settings.arrivals);
    let loss = "So these logs do not tell who handed it in: neither its address nor its account.";
    let text = match (life.beginning, life.way.origin) {
        (_, Origin::Outbound) => {
            format!(
                "This is the server's own session with another server, which the log of {who} does not link to the mail that came in."
            )
        }
        (Beginning::Logged, Origin::Unknown) => {
            format!("The log of {who} has the line by which it came in, but that line does not say from whom. {loss}")
        }
        (Beginning::Logged, _) => return None,
        (Beginning::Missing, _) => {
            format!("The line by which it came in is not in these logs. {} {loss}", before(life, &who, ledger))
        }
    };
    Some(if advice.is_empty() { text } else { format!("{text} {advice}") })
}

/// What lies before the first line of a message.
fn before(life: &Life, who: &str, ledger: &Ledger) -> String {
    let facts = ledger.servers.get(&life.way.server);
    let lost = ledger.losses.keys().any(|key| key.server == life.way.server);
    let (Some(facts), Some(time)) = (facts, life.time) else {
        return format!("Its lines have no time, so it cannot be told what of the log of {who} is missing.");
    };
    if facts.formats.contains(&"postfix".into()) && facts.openings == 0 && 3 < facts.messages {
        return format!("The logs of {who} have no such line for any message: they are only a part of what it writes.");
    }
    if let Some((from, to)) = hole(facts, time) {
        return format!(
            "{who} wrote nothing between {} and {} UTC: that part of its log is missing.",
            second(Some(from)),
            second(Some(to))
        );
    }
    match facts.span.first.filter(|first| time.0 - first.0 < QUEUE_DAYS * DAY) {
        Some(first) if first == time => format!(
            "The log of {who} begins with its first line, at {} UTC: what was before has been rotated away or was not given.",
            second(Some(first))
        ),
        Some(first) => format!(
            "The log of {who} begins at {} UTC, {} before the first line that is here: it came in before that and waited in the queue, and \
             the older log has been rotated away or was not given{}.",
            second(Some(first)),
            duration(first, time),
            if lost { "; or the line was lost, as the logger says that it dropped some" } else { "" }
        ),
        None if lost => format!("The logger of {who} says that it dropped lines: this may be one of them."),
        None => format!(
            "The log of {who} goes back more than {QUEUE_DAYS} days before it, so the line was lost, or was filtered out of these files."
        ),
    }
}

/// The last stretch before a time, no longer ago than mail waits, in which the server wrote nothing.
fn hole(facts: &crate::ledger::ServerFacts, time: Time) -> Option<(Time, Time)> {
    let last = time.hour();
    let first = last.saturating_sub(24 * QUEUE_DAYS as i32);
    let hours: Vec<i32> = facts.hours.range(first..=last).copied().collect();
    let busy = 12 < hours.len();
    let gap = hours.windows(2).rev().find(|pair| HOLE < pair[1] - pair[0]).filter(|_| busy)?;
    let start = |hour: i32| Time(i64::from(hour) * HOUR);
    Some((start(gap[0] + 1), start(gap[1])))
}
