//! Cisco Secure Email Gateway (ESA, IronPort): the text mail log (`mail_logs`), `Mon Aug 10 09:52:59 2020 Info: TEXT`, also behind
//! a syslog envelope.
//!
//! ICID is a client's session, MID a message, RID a recipient of it, DCID a session with another server. The policy RELAY of a
//! sender group is what lets a client relay.

mod head;
mod statement;

use crate::record::{Line, Record};
use crate::registry::{Context, Format};
use crate::syslog;
use crate::text::unparsed;

/// Cisco ESA, text mail log.
pub const FORMAT: Format = Format {
    name: "cisco-esa-text",
    title: "Cisco Secure Email Gateway / ESA (IronPort), text mail log (mail_logs), as a file or through syslog",
    versions: "checked against 33 published lines of AsyncOS 8.7 to 14, few of which tell of mail, and written to the examples of \
               Cisco's manuals (7.x to 9.x); RELAY, log-ins and refused recipients are written to descriptions",
    yields: "sessions with client, refused recipients, messages with both paths and size, deliveries by recipient, log-ins, whether \
             the sender group lets the client relay",
    lacks: "EHLO names, the reverse-path of refused recipients, which server took a message, messages that were split by policy; the \
            zone of its times",
    source: "Cisco AsyncOS user guide, \"Logging\" (Using Text Mail Logs); Cisco TechNote 118232; observed: corpus cisco-esa (Splunk)",
    repeats: &[],
    recognises: |line| head::head(line).is_some_and(|head| statement::is_known(head.text)),
    parse,
    direct: |_, _| (),
};

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored(syslog::BLANK);
    }
    // A file of syslog holds other programs too.
    let Some(head) = head::head(line) else { return syslog::line(line) };
    match statement::statement(head.text) {
        Ok((_, said)) => Line::Record(Record {
            when: head.when,
            server: head.server,
            session: said.session,
            message: said.message,
            event: said.event,
        }),
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

#[cfg(test)]
mod tests;
