//! Lines whose tag has lost the daemon's name: which daemon wrote them, told by the statement.
//!
//! Only statements that are used need a daemon; all others are of [`Service::Silent`].

use super::{Prefix, Service};
use memchr::memmem;

/// The daemon that writes such a statement.
///
/// [`Service::Unnamed`] for a delivery: its next hop tells what is needed of the agent. A
/// warning is taken for smtpd's, which alone names a client in it; any other is understood as nothing.
pub fn service(prefix: Prefix<'_>, statement: &[u8]) -> Service {
    const SMTPD: [&[u8]; 4] = [b"connect from ", b"disconnect from ", b"warning: ", b"reject: "];
    match prefix {
        Prefix::Bare if SMTPD.iter().any(|words| statement.starts_with(words)) => Service::Smtpd,
        Prefix::Bare => Service::Silent,
        Prefix::NoQueue => refusing(statement),
        Prefix::Queue(_) => of_message(statement),
    }
}

fn of_message(statement: &[u8]) -> Service {
    const STATEMENTS: [(&[u8], Service); 8] = [
        (b"client=", Service::Smtpd),
        (b"message-id=", Service::Cleanup),
        (b"uid=", Service::Pickup),
        (b"from=<", Service::Qmgr),
        (b"removed", Service::Qmgr),
        (b"to=<", Service::Unnamed),
        (b"sender ", Service::Bounce),
        (b"postmaster ", Service::Bounce),
    ];
    let known = STATEMENTS.iter().find(|(words, _)| statement.starts_with(words));
    known.map_or_else(|| refusing(statement), |(_, service)| *service)
}

/// Who refuses: `ACTION: END-OF-MESSAGE` and `ACTION: header` are cleanup's; a client without a
/// name, `from [192.0.2.1]:4711`, is postscreen's; the rest is smtpd's.
fn refusing(statement: &[u8]) -> Service {
    let stage = memmem::find(statement, b": ").map_or(statement, |at| &statement[at + 2..]);
    let client = memchr::memchr(b' ', stage).map_or(stage, |at| &stage[at..]);
    if !stage.first().is_some_and(u8::is_ascii_uppercase) || stage.starts_with(b"END-OF-MESSAGE") {
        return Service::Cleanup;
    }
    if client.starts_with(b" from [") { Service::Postscreen } else { Service::Smtpd }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;
    use crate::record::{Event, NextHop, Offspring, Peer, Status};
    use crate::text::address;

    #[test]
    fn daemons_told_by_their_statements() {
        let check =
            |prefix, statement: &str, want| assert_eq!(service(prefix, statement.as_bytes()), want, "{statement}");
        check(Prefix::Bare, "connect from h[192.0.2.1]", Service::Smtpd);
        check(Prefix::Bare, "connect to h[192.0.2.1]:25: Connection refused", Service::Silent);
        check(Prefix::NoQueue, "reject: RCPT from h[192.0.2.1]: 554 no", Service::Smtpd);
        check(Prefix::NoQueue, "reject: RCPT from [192.0.2.1]:4711: 550 no", Service::Postscreen);
        let queue = Prefix::Queue(b"4F1A2C0012");
        check(queue, "client=h[192.0.2.1]", Service::Smtpd);
        check(queue, "reject: RCPT from h[192.0.2.1]: 554 no", Service::Smtpd);
        check(queue, "milter-reject: END-OF-MESSAGE from h[192.0.2.1]: 5.7.1 no", Service::Cleanup);
        check(queue, "reject: header Subject: x from h[192.0.2.1]", Service::Cleanup);
        check(queue, "message-id=<x@y>", Service::Cleanup);
        check(queue, "uid=0 from=<root>", Service::Pickup);
        check(queue, "removed", Service::Qmgr);
        check(queue, "sender non-delivery notification: 4F1A2C0099", Service::Bounce);
        check(queue, "to=<x@y>, relay=none", Service::Unnamed);
    }

    #[test]
    fn sessions_only_where_smtpd_speaks() {
        let client = Peer { address: address(b"192.0.2.1"), name: b"h" };
        let (session, message) = (Some(("postfix", "77")), Some(("postfix", "4F1A2C0012")));
        check("postfix", "connect from h[192.0.2.1]", Ok((session, None, Event::Connect { client, once: false })));
        check("postfix", "4F1A2C0012: message-id=<x@y>", Ok((None, message, Event::MessageId(b"x@y"))));
        check("postfix", "warning: dict_nis_init: no NIS", Ok((None, None, Event::Other)));
        check("postfix", "lost connection after DATA from h[192.0.2.1]", Ok((None, None, Event::Other)));
    }

    #[test]
    fn deliveries_told_by_their_next_hop() {
        let message = Some(("postfix", "4F1A2C0012"));
        let delivery = |next_hop, text, child| Event::Delivery {
            forward_paths: b"x@y".as_slice().into(),
            original_forward_path: None,
            expanded: false,
            envelope: b"",
            source: None,
            next_hop,
            status: Status::Sent,
            text,
            child,
        };
        let peer = Peer { address: address(b"192.0.2.1"), name: b"h" };
        let child = Some((b"9AB".as_slice(), Offspring::Reinjected));
        let want = delivery(NextHop::Host { peer, port: 25 }, b"250 queued as 9AB", child);
        check(
            "postfix",
            "4F1A2C0012: to=<x@y>, relay=h[192.0.2.1]:25, status=sent (250 queued as 9AB)",
            Ok((None, message, want)),
        );
        let child = Some((b"9AB".as_slice(), Offspring::Forwarded));
        let want = delivery(NextHop::Local, b"forwarded as 9AB", child);
        check(
            "postfix",
            "4F1A2C0012: to=<x@y>, relay=local, status=sent (forwarded as 9AB)",
            Ok((None, message, want)),
        );
    }
}
