//! What cleanup, pickup, the queue manager and bounce say about a message.

use super::atoms::{loose_path, path};
use super::attributes::Dialect;
use super::{delivery, is_queue_id, refused};
use crate::record::{Event, Offspring};
use crate::text::{Parsed, expect, number};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till1, take_while};
use nom::character::complete::digit1;
use nom::combinator::{map_opt, verify};
use nom::sequence::preceded;

/// Parses a statement of cleanup: `message-id=<...>`, a refusal by milter or header check, a
/// recipient given up before delivery (`to=<...>, relay=none`), or anything else.
pub fn cleanup(input: &[u8]) -> Parsed<'_, Event<'_>> {
    if let Some(value) = input.strip_prefix(b"message-id=") {
        return Ok((b"", Event::MessageId(message_id(value))));
    }
    match input {
        [b't', b'o', b'=', ..] => delivery::statement(super::Service::Agent, input),
        _ => refused::statement(Dialect::Smtpd, input),
    }
}

/// The Message-ID without its angle brackets. What stands behind a bracketed one is dropped:
/// Observed: `message-id=<x@example.org> (added by postmaster@example.org)`. Without brackets it is given as it is.
fn message_id(value: &[u8]) -> &[u8] {
    let Some(inside) = value.strip_prefix(b"<") else {
        return value;
    };
    match inside.strip_suffix(b">") {
        Some(id) => id,
        None => &inside[..memchr::memchr(b'>', inside).unwrap_or(inside.len())],
    }
}

/// Parses `uid=1000 from=<alice>` of pickup: mail handed in with sendmail(1).
pub fn pickup(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let Some(rest) = input.strip_prefix(b"uid=") else {
        return Ok((b"", Event::Other));
    };
    let (rest, user) = expect("a numeric user id", digit1).parse(rest)?;
    let (rest, reverse_path) = preceded(expect("` from=<`", tag(" from=")), any_path).parse(rest)?;
    Ok((rest, Event::Submitted { user, reverse_path: Some(reverse_path) }))
}

/// Parses a statement of the queue manager: `from=<S>, size=N, nrcpt=N (queue active)`,
/// `removed`, a delivery it suspended (`to=<...>`), or anything else.
///
/// `from=<S>, status=expired, returned to sender` is [`Event::Other`]: it names no recipient, and bounce and `removed` follow.
pub fn qmgr(input: &[u8]) -> Parsed<'_, Event<'_>> {
    match input {
        b"removed" => Ok((b"", Event::Removed)),
        [b'f', b'r', b'o', b'm', b'=', rest @ ..] => queued(rest),
        [b't', b'o', b'=', ..] => delivery::statement(super::Service::Qmgr, input),
        _ => Ok((b"", Event::Other)),
    }
}

fn queued(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, reverse_path) = any_path(input)?;
    let Some(rest) = rest.strip_prefix(b", size=") else {
        let (rest, _) = expect("`, size=` or `, status=`", tag(", status=")).parse(rest)?;
        return Ok((rest, Event::Other));
    };
    let (rest, size_bytes) = expect("a size in bytes", map_opt(digit1, number)).parse(rest)?;
    let count = map_opt(digit1, |digits| number(digits).and_then(|n| u32::try_from(n).ok()));
    let (rest, recipients) =
        preceded(expect("`, nrcpt=`", tag(", nrcpt=")), expect("a number of recipients", count)).parse(rest)?;
    Ok((rest, Event::Queued { reverse_path, size_bytes, recipients }))
}

/// A path at the start of `input`, with or without quotation marks where they are due.
fn any_path(input: &[u8]) -> Parsed<'_, &[u8]> {
    const FOLLOWERS: [&[u8]; 2] = [b", size=", b", status="];
    let complete = |rest: &[u8]| rest.is_empty() || rest.starts_with(b", s");
    match path(input) {
        Ok((rest, inside)) if complete(rest) => Ok((rest, inside)),
        _ => loose_path(&FOLLOWERS, input),
    }
}

/// Parses `sender non-delivery notification: NEWID` of bounce, and its kin.
pub fn bounce(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let whom = alt((tag("sender "), tag("postmaster ")));
    let what =
        alt((tag("non-delivery notification: "), tag("delay notification: "), tag("delivery status notification: ")));
    let Ok((rest, _)) = (whom, what).parse(input) as Parsed<'_, _> else {
        return Ok((b"", Event::Other));
    };
    let word = take_till1(|b| b == b' ');
    let (rest, child) = expect("a queue id", verify(word, is_queue_id)).parse(rest)?;
    let (rest, _) = take_while(|_| true)(rest)?;
    Ok((rest, Event::Spawned { child, how: Offspring::Notification, silent: false }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Got, check};
    use super::*;

    fn ok(event: Event<'_>) -> Got<'_> {
        Ok((None, Some(("postfix", "4F1A2C0012")), event))
    }

    #[test]
    fn cleanup_statements() {
        let check = |text, want| check("postfix/cleanup", text, want);
        check("4F1A2C0012: message-id=<x1@example.com>", ok(Event::MessageId(b"x1@example.com")));
        check("4F1A2C0012: message-id=<>", ok(Event::MessageId(b"")));
        check("4F1A2C0012: message-id=", ok(Event::MessageId(b"")));
        check("4F1A2C0012: message-id=a b c", ok(Event::MessageId(b"a b c")));
        check("4F1A2C0012: message-id=<a@b> (added by x@y)", ok(Event::MessageId(b"a@b")));
        check("4F1A2C0012: resent-message-id=<a@b>", ok(Event::Other));
        check("4F1A2C0012: warning: header Subject: x from h[192.0.2.1]; from=<a@b>", ok(Event::Other));
    }

    #[test]
    fn pickup_statements() {
        let check = |text, want| check("postfix/pickup", text, want);
        let submitted = Event::Submitted { user: b"1000", reverse_path: Some(b"alice") };
        check("4F1A2C0012: uid=1000 from=<alice>", ok(submitted));
        let hostile = Event::Submitted { user: b"33", reverse_path: Some(br#"a"> from=<b"#) };
        check(r#"4F1A2C0012: uid=33 from=<a"> from=<b>"#, ok(hostile));
        check("4F1A2C0012: uid=x from=<alice>", Err("a numeric user id"));
        check("warning: maildrop/1: Permission denied", Ok((None, None, Event::Other)));
    }

    #[test]
    fn queue_manager_statements() {
        let check = |text, want| check("postfix/qmgr", text, want);
        let queued = |reverse_path| ok(Event::Queued { reverse_path, size_bytes: 2345, recipients: 1 });
        check("4F1A2C0012: from=<a@b.c>, size=2345, nrcpt=1 (queue active)", queued(b"a@b.c"));
        check("4F1A2C0012: from=<>, size=2345, nrcpt=1 (queue active)", queued(b""));
        let quoted = br#""x>, size=9, nrcpt=9 (\""@b.c"#;
        check(r#"4F1A2C0012: from=<"x>, size=9, nrcpt=9 (\""@b.c>, size=2345, nrcpt=1 (queue active)"#, queued(quoted));
        check(r#"4F1A2C0012: from=<"a b>c@b.c>, size=2345, nrcpt=1 (queue active)"#, queued(br#""a b>c@b.c"#));
        check("4F1A2C0012: removed", ok(Event::Removed));
        check("4F1A2C0012: from=<a@b.c>, status=expired, returned to sender", ok(Event::Other));
        check("4F1A2C0012: skipped, still being delivered", ok(Event::Other));
        check("4F1A2C0012: from=<a@b.c>, size=x", Err("a size in bytes"));
        check("4F1A2C0012: from=<a@b.c>, size=1, nrcpt=99999999999", Err("a number of recipients"));
        check("4F1A2C0012: from=<a@b.c> (queue active)", Err("`, size=` or `, status=`"));
    }

    #[test]
    fn notifications() {
        let check = |text, want| check("postfix/bounce", text, want);
        let spawned = ok(Event::Spawned { child: b"4F1A2C0099", how: Offspring::Notification, silent: false });
        check("4F1A2C0012: sender non-delivery notification: 4F1A2C0099", spawned.clone());
        check("4F1A2C0012: sender delay notification: 4F1A2C0099", spawned.clone());
        check("4F1A2C0012: sender delivery status notification: 4F1A2C0099", spawned.clone());
        check("4F1A2C0012: postmaster non-delivery notification: 4F1A2C0099", spawned);
        check("4F1A2C0012: sender non-delivery notification: ?", Err("a queue id"));
        check("warning: x", Ok((None, None, Event::Other)));
    }
}
