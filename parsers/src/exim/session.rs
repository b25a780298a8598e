//! Connections and log-ins: `SMTP connection from HOST (TCP/IP connection count = 1)` and
//! `login authenticator failed for HOST: 535 Incorrect authentication data (set_id=alice)`.

use super::atoms::host;
use super::fields::fields;
use crate::record::Event;
use crate::text::Parsed;
use nom::Parser;
use nom::bytes::complete::{is_not, tag};
use nom::combinator::opt;

/// Parses `SMTP connection from HOST`: a connection that begins (`+smtp_connection`), if only its count follows. Ends of
/// connections are not used, since nothing on the line says which of several to the same host it is.
pub fn connection(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, _) = tag("SMTP connection from ").parse(input)?;
    let Ok((rest, client)) = host(rest) else { return Ok((b"", Event::Other)) };
    let (_, rest) = fields(rest);
    let begins = rest.is_empty() || rest.starts_with(b" (TCP/IP connection count");
    if !begins || client.peer.address.is_none() {
        return Ok((b"", Event::Other));
    }
    Ok((b"", Event::Connect { client: client.peer, once: false }))
}

/// Parses `NAME authenticator failed for HOST: 535 Incorrect authentication data (set_id=ACCOUNT)`.
///
/// Only 535 is a wrong password: 435 is a failure of the server. The account is the client's text, up to the last `)`.
pub fn log_in(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, _) = (is_not(" "), tag(" authenticator failed for "), opt(tag("H="))).parse(input)?;
    let (rest, client) = host(rest)?;
    let (_, rest) = fields(rest);
    let Some(text) = rest.strip_prefix(b": 535 ") else { return Ok((b"", Event::Other)) };
    let account = text.strip_prefix(b"Incorrect authentication data (set_id=");
    let account = account.and_then(|account| Some(&account[..memchr::memrchr(b')', account)?]));
    let account = account.filter(|account| !account.is_empty());
    Ok((b"", Event::AuthFailed { client: client.peer, account }))
}
