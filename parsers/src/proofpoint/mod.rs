//! Proofpoint: the filter of the Protection Server (through syslog), and Proofpoint on Demand's log API (JSON).
//!
//! The filter sits beside a Sendmail, whose lines stand in the same syslog file or, in JSON, in events of the type `maillog`.
//! Both tell of the same mail: what the filter notes counts where Sendmail's lines are missing.

mod filter;
mod pod;

use crate::record::{Event, Line, Record, Unparsed, When};
use crate::registry::{Context, Format};
use crate::syslog::{self, Daemon};
use crate::text::{from_start_of, unparsed};

/// Proofpoint, filter log and log API.
pub const FORMAT: Format = Format {
    name: "proofpoint",
    title: "Proofpoint Protection Server filter log (syslog), Proofpoint on Demand log API (JSON, an event a line)",
    versions: "checked against published events of the log API (8.14 and 8.19) and four published lines of the filter log; its lines for \
               paths and messages are written to the parsers of others",
    yields: "client, EHLO name, both paths, From header, size and what was decided on every message (log API); sessions, clients and both paths \
             of what the filter let pass or not (filter log); deliveries, by Sendmail's lines",
    lacks: "accounts; recipients that were refused one by one; whether a client may relay: the route `allow_relay` only says \
            that the server lets it, as an open relay does. EHLO names (filter log)",
    source: "Proofpoint \"PoD Log API\" Rev. C; observed: corpus proofpoint (SEKOIA, Splunk), SumoLogic documentation, \
             tostka/verb-network (filter log), ExabeamLabs Content-Library (fields of the filter log)",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

/// The filter, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "Proofpoint filter", claims, parse: filter::body };

/// Whether a tag is the filter's: `filter_instance1`.
fn claims(tag: &[u8]) -> bool {
    const NAME: &[u8] = b"filter_instance";
    tag.strip_prefix(NAME).is_some_and(|number| number.iter().all(u8::is_ascii_digit))
}

fn recognises(line: &[u8]) -> bool {
    match line.first() {
        Some(b'{') => pod::kind(line).is_some(),
        _ => matches!(syslog::envelope(line), Ok((_, envelope)) if claims(envelope.tag)),
    }
}

/// Reason to ignore an event of an attachment or a link.
const PART: &str = "a part of a message";

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.first() != Some(&b'{') {
        return syslog::line(line);
    }
    match pod::record(line) {
        Ok(pod::Said::Message(record)) => Line::Record(record),
        Ok(pod::Said::Mail(data, server)) => match syslog::line(data) {
            Line::Record(record) if !server.is_empty() => Line::Record(Record { server, ..record }),
            Line::Unparsed(why) => {
                let before = line.len() - from_start_of(line, data).len();
                Line::Unparsed(Unparsed { at: before + why.at, ..why })
            }
            said => said,
        },
        Ok(pod::Said::Part) => Line::Ignored(PART),
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// A record without a session.
fn record<'a>(when: When, server: &'a [u8], event: Event<'a>) -> Record<'a> {
    Record { when, server, session: None, message: None, event }
}

#[cfg(test)]
mod tests;
