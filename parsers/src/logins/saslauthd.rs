//! saslauthd: `do_auth         : auth failure: [user=U] [service=smtp] [realm=R] [mech=pam] [reason=...]`.
//!
//! It checks passwords for others and does not know their clients. The user is the client's text.

use crate::record::{Event, Peer, Watch};
use crate::syslog::{Body, Envelope};
use crate::text::Expected;
use memchr::memmem::{find, rfind};

/// Parses the body of a line of saslauthd.
pub fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    const FAILURE: &[u8] = b": auth failure: [user=";
    let text = envelope.body;
    let is_check = text.starts_with(b"do_auth ");
    let Some(at) = find(text, FAILURE).filter(|_| is_check) else {
        return Ok(Body { session: None, message: None, event: Event::Other });
    };
    let rest = &text[at + FAILURE.len()..];
    let end =
        rfind(rest, b"] [service=").ok_or(nom::Err::Error(Expected { rest, what: "`] [service=` behind the user" }))?;
    let account = Some(&rest[..end]).filter(|user| !user.is_empty());
    let event = Event::LogInsFailed { client: Peer::default(), account, times: 1, watch: Watch::Checker };
    Ok(Body { session: None, message: None, event })
}
