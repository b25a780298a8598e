//! What logs have in common in which commands and answers are lines of their own, as they were sent.

use crate::record::{Event, Peer, Refusal};
use crate::reply::{refusal, reply};

/// `530 Authentication required` (RFC 4954 section 6): the client may not do this without a log-in. Of a recipient, that
/// is to relay.
const NO_LOG_IN: u16 = 530;

/// A client's command, whole.
pub fn command<'a>(client: Peer<'a>, line: &'a [u8]) -> Event<'a> {
    let line = line.trim_ascii();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (verb, argument) = (&line[..end], line[end..].trim_ascii_start());
    if verb.is_empty() { Event::Other } else { Event::Command { client, verb, argument } }
}

/// Our answer, whole, in a log that gives each answer one line.
pub fn answer<'a>(client: Peer<'a>, line: &'a [u8]) -> Event<'a> {
    let reply = reply(line.trim_ascii());
    match reply.code {
        0 => Event::Other,
        NO_LOG_IN if reply.text.windows(14).any(|words| words.eq_ignore_ascii_case(b"authentication")) => {
            Event::Replied { client, reply, refusal: Some(Refusal::RelayDenied) }
        }
        _ => Event::Replied { client, reply, refusal: refusal(&reply) },
    }
}

/// One line of our answer, in a log that gives each of its lines one: only the last one answers (RFC 5321 section 4.2.1).
pub fn answer_line<'a>(client: Peer<'a>, line: &'a [u8]) -> Event<'a> {
    const CODE: usize = 3;
    if line.get(CODE) == Some(&b'-') { Event::Other } else { answer(client, line) }
}
