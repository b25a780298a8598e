//! Cyrus IMAP: `badlogin: HOST [IP] MECHANISM ...` and `login: HOST [IP] USER MECHANISM ...`.

use crate::record::{Event, Peer, Watch};
use crate::syslog::{Body, Envelope};
use crate::text::{Expected, address};
use memchr::memmem::{find, rfind};

/// Whether a tag is one of Cyrus: `cyrus/imaps`, or the bare name of the service.
pub fn claims(tag: &[u8]) -> bool {
    const SERVICES: [&[u8]; 8] = [b"imap", b"imaps", b"imapd", b"pop3", b"pop3s", b"pop3d", b"sieve", b"timsieved"];
    SERVICES.contains(&tag.strip_prefix(b"cyrus/").unwrap_or(tag))
}

/// Parses the body of a line of Cyrus.
pub fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let event = statement(envelope.body)
        .ok_or(nom::Err::Error(Expected { rest: envelope.body, what: "a client: `host.example.org [192.0.2.1] `" }))?;
    Ok(Body { session: None, message: None, event })
}

/// `None` if a log-in has no client. The name of the client is from DNS, where no name holds a bracket.
fn statement(text: &[u8]) -> Option<Event<'_>> {
    let failed = text.strip_prefix(b"badlogin: ");
    let Some(rest) = failed.or_else(|| text.strip_prefix(b"login: ")) else { return Some(Event::Other) };
    let open = memchr::memchr(b'[', rest)?;
    let close = open + memchr::memchr(b']', &rest[open..])?;
    let client = Peer { address: Some(address(&rest[open + 1..close])?), name: b"" };
    let said = rest[close + 1..].strip_prefix(b" ")?;
    Some(match failed {
        // Only the log-in in clear text names its user: `plaintext anna SASL(-13): ...`.
        Some(_) => {
            let user = said.strip_prefix(b"plaintext ").and_then(|user| Some(&user[..rfind(user, b" SASL(")?]));
            Event::LogInsFailed { client, account: user, times: 1, watch: Watch::Service }
        }
        None => Event::AuthSucceeded { client, account: find(said, b" ").map(|end| &said[..end]) },
    })
}
