//! What the text says.

use crate::record::{Event, Key, NextHop, Offspring, Peer, Refusal, Reply, Status};
use crate::text::{Expected, Parsed, address, expect, number, path};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_until};
use nom::character::complete::digit1;
use nom::combinator::{opt, rest};
use nom::sequence::{delimited, preceded, terminated};

/// What numbers sessions and messages. Both count up, and begin anew when the gateway is reset.
const SESSION: &[u8] = b"ICID";
const MESSAGE: &[u8] = b"MID";
/// The session of mail that the gateway writes itself (bounces, notifications).
const NO_SESSION: &[u8] = b"0";

/// An event and the ids it belongs to.
pub struct Said<'a> {
    pub session: Option<Key<'a>>,
    pub message: Option<Key<'a>>,
    pub event: Event<'a>,
}

fn of_session<'a>(id: &'a [u8], event: Event<'a>) -> Said<'a> {
    Said { session: (id != NO_SESSION).then_some(Key { scope: SESSION, id }), message: None, event }
}

fn of_message<'a>(id: &'a [u8], event: Event<'a>) -> Said<'a> {
    Said { session: None, message: Some(Key { scope: MESSAGE, id }), event }
}

/// Whether a text is one of a mail log for sure: it begins with one of the ids.
pub fn is_known(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 12] = [
        b"New SMTP ICID ",
        b"New SMTP DCID ",
        b"ICID ",
        b"MID ",
        b"DCID ",
        b"Start MID ",
        b"Delivery start DCID ",
        b"Message done DCID ",
        b"Message finished MID ",
        b"Message aborted MID ",
        b"Bounced: DCID ",
        b"SMTP Auth: (ICID ",
    ];
    let start = STARTS.iter().find_map(|start| text.strip_prefix(*start));
    start.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

/// Parses the text behind the level. Texts that are not known are [`Event::Other`].
pub fn statement(text: &[u8]) -> Parsed<'_, Said<'_>> {
    let starts = |start: &[u8]| text.starts_with(start) && text.get(start.len()).is_some_and(u8::is_ascii_digit);
    match () {
        () if starts(b"New SMTP ICID ") => connected(text),
        () if starts(b"ICID ") => session(text),
        () if starts(b"Start MID ") => started(text),
        () if starts(b"MID ") => message(text),
        () if starts(b"Message done DCID ") => preceded(tag("Message done "), attempt)
            .map(|(id, ids, text)| reached(id, ids, Status::Sent, text))
            .parse(text),
        () if starts(b"Bounced: DCID ") || starts(b"Bounced: MID ") => preceded(tag("Bounced: "), attempt)
            .map(|(id, ids, text)| reached(id, ids, Status::Bounced, text))
            .parse(text),
        () if starts(b"Delayed: DCID ") || starts(b"Delayed: MID ") => preceded(tag("Delayed: "), attempt)
            .map(|(id, ids, text)| reached(id, ids, Status::Deferred, text))
            .parse(text),
        () if starts(b"Message finished MID ") => ended(b"Message finished MID ", Event::Removed).parse(text),
        () if starts(b"Message aborted MID ") => ended(b"Message aborted MID ", Event::Dropped).parse(text),
        () if starts(b"SMTP Auth: (ICID ") => log_in(text),
        () => Ok((b"", Said { session: None, message: None, event: Event::Other })),
    }
}

/// `New SMTP ICID 5 interface Data 1 (192.0.2.10) address 203.0.113.9 reverse dns host h.example.net verified yes`.
///
/// The name of the interface is the administrator's; the host is the client's word if it is not verified.
fn connected(input: &[u8]) -> Parsed<'_, Said<'_>> {
    let (rest, id) = delimited(tag("New SMTP ICID "), digit1, tag(" ")).parse(input)?;
    let interface = (tag("interface "), take_until(" address "), tag(" address "));
    let (rest, ip) =
        expect("`interface `, ` address ` and an address", preceded(interface, is_not(" "))).parse(rest)?;
    let address = address(ip).ok_or(nom::Err::Error(Expected { rest, what: "an address" }))?;
    let host: Parsed<'_, &[u8]> = preceded(tag(" reverse dns host "), is_not(" ")).parse(rest);
    let name = host.ok().map(|(_, name)| name).filter(|name| *name != b"unknown").unwrap_or_default();
    Ok((b"", of_session(id, Event::Connect { client: Peer { address: Some(address), name }, once: true })))
}

/// `ICID 5 RELAY SG RELAYLIST match 192.0.2.0/24 SBRS None`, `ICID 5 close`. REJECT and TCPREFUSE turn the client away.
fn session(input: &[u8]) -> Parsed<'_, Said<'_>> {
    let (text, id) = delimited(tag("ICID "), digit1, tag(" ")).parse(input)?;
    let event = match text.split(|byte| *byte == b' ').next() {
        Some(b"close") => Event::Disconnect { client: Peer::default(), auth_failures: 0 },
        Some(b"RELAY") => Event::Vouched,
        Some(b"REJECT" | b"TCPREFUSE") => refused(b"CONNECT", Refusal::ClientBlocked, None, text),
        _ => Event::Other,
    };
    Ok((b"", of_session(id, event)))
}

fn refused<'a>(stage: &'a [u8], refusal: Refusal, forward_path: Option<&'a [u8]>, text: &'a [u8]) -> Event<'a> {
    Event::Refused {
        client: Peer::default(),
        stage,
        reply: Reply { code: 0, text },
        refusal,
        reverse_path: None,
        forward_path,
        helo: b"",
        account: None,
    }
}

/// `Start MID 6 ICID 5`.
fn started(input: &[u8]) -> Parsed<'_, Said<'_>> {
    let (rest, (id, session)) = (preceded(tag("Start MID "), digit1), preceded(tag(" ICID "), digit1)).parse(input)?;
    Ok((rest, Said { message: of_message(id, Event::Other).message, ..of_session(session, asked(None, None)) }))
}

/// The beginning, where neither path is given; else the reverse-path, or a recipient with its id.
fn asked<'a>(reverse_path: Option<&'a [u8]>, recipient: Option<(&'a [u8], &'a [u8])>) -> Event<'a> {
    let (envelope, forward_path) = recipient.unzip();
    Event::Asked {
        client: Peer::default(),
        account: None,
        vouched: false,
        begins: reverse_path.is_none() && recipient.is_none(),
        reverse_path,
        forward_path,
        envelope: envelope.unwrap_or_default(),
    }
}

/// `MID 6 ICID 5 From: <S>`, `MID 6 ICID 5 RID 0 To: <R>`, `MID 6 ready 100 bytes from <S>`, `MID 6 Message-ID '<ID>'`,
/// `MID 6 rewritten to MID 7 by ...`.
fn message(input: &[u8]) -> Parsed<'_, Said<'_>> {
    let (text, id) = delimited(tag("MID "), digit1, tag(" ")).parse(input)?;
    if let Ok((text, session)) = session_of(text) {
        return envelope(id, session, text);
    }
    let ready: Parsed<'_, &[u8]> = delimited(tag("ready "), digit1, tag(" bytes from ")).parse(text);
    let rewritten: Parsed<'_, &[u8]> = preceded(tag("rewritten to MID "), digit1).parse(text);
    let event = match (ready, rewritten, text.strip_prefix(b"Message-ID '")) {
        (Ok((_, size)), ..) => Event::Taken { size_bytes: number(size).unwrap_or(0) },
        (_, Ok((_, child)), _) => Event::Spawned { child, how: Offspring::Reinjected, silent: false },
        (.., Some(quoted)) => {
            let quoted = quoted.strip_suffix(b"'").unwrap_or(quoted);
            let bare = quoted.strip_prefix(b"<").and_then(|bare| bare.strip_suffix(b">"));
            Event::MessageId(bare.unwrap_or(quoted))
        }
        _ => Event::Other,
    };
    Ok((b"", of_message(id, event)))
}

fn session_of(text: &[u8]) -> Parsed<'_, &[u8]> {
    delimited(tag("ICID "), digit1, tag(" ")).parse(text)
}

/// The reverse-path, or a recipient and whether it was refused: `Rejected by RAT` (the recipient access table: not a domain
/// that the gateway takes mail for), `Rejected by LDAP...` (no such user).
fn envelope<'a>(id: &'a [u8], session: &'a [u8], text: &'a [u8]) -> Parsed<'a, Said<'a>> {
    let message = of_message(id, Event::Other).message;
    if let Some(rest) = text.strip_prefix(b"From: ") {
        let (rest, reverse_path) = path(rest)?;
        return Ok((rest, Said { message, ..of_session(session, asked(Some(reverse_path), None)) }));
    }
    let rid: Parsed<'_, &[u8]> = delimited(tag("RID "), digit1, tag(" To: ")).parse(text);
    let Ok((rest, rid)) = rid else { return Ok((b"", Said { message, ..of_session(session, Event::Other) })) };
    let (rest, forward_path) = path(rest)?;
    let rejected: Parsed<'_, &[u8]> = preceded(tag(" Rejected by "), nom::combinator::rest).parse(rest);
    Ok(match rejected {
        Ok((rest, by)) => {
            let refusal = match by {
                _ if by.starts_with(b"RAT") => Refusal::RelayDenied,
                _ if by.starts_with(b"LDAP") => Refusal::UnknownUser,
                _ => Refusal::Other,
            };
            (rest, of_session(session, refused(b"RCPT", refusal, Some(forward_path), by)))
        }
        Err(_) => (rest, Said { message, ..of_session(session, asked(None, Some((rid, forward_path)))) }),
    })
}

/// Parses `DCID 8 MID 6 to RID [0, 1]` or `MID 6 to RID 0`, and what follows: message, ids of recipients, text.
fn attempt(input: &[u8]) -> Parsed<'_, (&[u8], &[u8], &[u8])> {
    let connection = opt((tag("DCID "), digit1, tag(" ")));
    let (text, id) = preceded(connection, delimited(tag("MID "), digit1, tag(" to RID "))).parse(input)?;
    let list = delimited(tag("["), is_not("]"), tag("]"));
    let (text, ids) = expect("recipients: `[0, 1]`", alt((list, digit1))).parse(text)?;
    Ok((b"", (id, ids, text.strip_prefix(b" - ").unwrap_or(text.trim_ascii_start()))))
}

fn reached<'a>(id: &'a [u8], envelopes: &'a [u8], status: Status, text: &'a [u8]) -> Said<'a> {
    let next_hop = NextHop::Host { peer: Peer::default(), port: 0 };
    of_message(id, Event::Reached { envelopes, next_hop, status, text })
}

fn ended<'a>(start: &'static [u8], event: Event<'a>) -> impl Parser<&'a [u8], Output = Said<'a>, Error = Expected<'a>> {
    terminated(preceded(tag(start), digit1), rest).map(move |id| of_message(id, event.clone()))
}

/// `SMTP Auth: (ICID 5) succeeded for user: U using AUTH mechanism: LOGIN with profile: P`. The user is the client's text.
fn log_in(input: &[u8]) -> Parsed<'_, Said<'_>> {
    const USING: &[u8] = b" using AUTH mechanism: ";
    let (text, id) = delimited(tag("SMTP Auth: (ICID "), digit1, tag(") ")).parse(input)?;
    let succeeded = text.strip_prefix(b"succeeded for user: ");
    let failed = text.strip_prefix(b"failed for user: ");
    let account = succeeded.or(failed).and_then(|rest| Some(&rest[..memchr::memmem::rfind(rest, USING)?]));
    let client = Peer::default();
    let event = match (succeeded, failed, account) {
        (Some(_), _, Some(_)) => Event::AuthSucceeded { client, account },
        (_, Some(_), Some(_)) => Event::AuthFailed { client, account },
        _ => Event::Other,
    };
    Ok((b"", of_session(id, event)))
}
