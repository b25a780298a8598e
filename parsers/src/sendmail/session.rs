//! Log-ins: `AUTH=server, relay=HOST, authid=alice, mech=LOGIN, bits=0` and
//! `AUTH failure (LOGIN): user not found (-20) ..., user=alice, relay=HOST` (sendmail/srvrsmtp.c).

use super::atoms::relay;
use crate::record::Event;
use crate::text::{Parsed, expect};
use memchr::memmem;
use nom::Parser;
use nom::bytes::complete::tag;

/// Parses a line that begins with `AUTH`. Our own log-ins at other servers (`AUTH=client`) say nothing of use.
pub fn log_in(input: &[u8]) -> Parsed<'_, Event<'_>> {
    if let Some(rest) = input.strip_prefix(b"AUTH=server, ") {
        return succeeded(rest);
    }
    match input.starts_with(b"AUTH failure (") {
        true => Ok((b"", failed(input))),
        false => Ok((b"", Event::Other)),
    }
}

/// The account is what the mechanism verified, up to the last `, mech=`.
fn succeeded(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, client) = (expect("`relay=` and the client", tag("relay=")), relay).parse(input)?;
    let (rest, _) = expect("`, authid=` after the client", tag(", authid=")).parse(rest)?;
    let account = &rest[..memmem::rfind(rest, b", mech=").unwrap_or(rest.len())];
    Ok((b"", Event::AuthSucceeded { client: client.1.peer, account: Some(account) }))
}

/// The client is the last thing on the line; what it gave as user, logged since 8.16, comes before.
fn failed(input: &[u8]) -> Event<'_> {
    const RELAY: &[u8] = b", relay=";
    let Some(at) = memmem::rfind(input, RELAY) else { return Event::Other };
    let Ok((b"", host)) = relay(&input[at + RELAY.len()..]) else { return Event::Other };
    let account = memmem::rfind(&input[..at], b", user=").map(|user| &input[user + 7..at]);
    Event::AuthFailed { client: host.peer, account: account.filter(|account| !account.is_empty()) }
}
