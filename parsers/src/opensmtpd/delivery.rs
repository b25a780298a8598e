//! Deliveries: `mta delivery evpid=E from=<S> to=<R> rcpt=<O> source="A" relay="A (H)" delay=2s result="Ok" stat="250 ok"` (mta.c) and
//! `mda delivery evpid=E from=<S> to=<R> rcpt=<O> user=U delay=1s result=Ok stat=Delivered` (mda.c).

use super::Statement;
use super::atoms::{client, field, id};
use crate::record::{Event, NextHop, Peer, Status};
use crate::text::{Expected, Parsed, address};
use std::net::IpAddr;

/// Parses what follows `mta delivery` or `mda delivery`.
pub fn statement<'a>(kind: &[u8], input: &'a [u8]) -> Parsed<'a, Statement<'a>> {
    let (rest, envelope) = field("evpid=", input)?;
    let (rest, _) = field("from=", rest)?;
    let (rest, forward_path) = field("to=", rest)?;
    let (rest, original) = field("rcpt=", rest).map_or((rest, None), |(rest, original)| (rest, Some(original)));
    let (rest, (source, next_hop)) = match kind {
        b"mta" => {
            let (rest, source) = field("source=", rest)?;
            let (rest, relay) = field("relay=", rest)?;
            (rest, (address(source), next_hop(relay)))
        }
        _ => (field("user=", rest)?.0, (None, NextHop::Local)),
    };
    let (rest, _) = field("delay=", rest)?;
    let (rest, result) = field("result=", rest)?;
    let (_, text) = field("stat=", rest)?;
    let done = Done { envelope, forward_path, original, source, next_hop, result, text };
    Ok((b"", done.statement().ok_or(nom::Err::Error(Expected { rest: input, what: "the id of a recipient" }))?))
}

/// A delivery attempt, in either wording.
pub struct Done<'a> {
    pub envelope: &'a [u8],
    pub forward_path: &'a [u8],
    /// The forward-path as given; `-` if it was not rewritten.
    pub original: Option<&'a [u8]>,
    /// The address that it was made from.
    pub source: Option<IpAddr>,
    pub next_hop: NextHop<'a>,
    pub result: &'a [u8],
    pub text: &'a [u8],
}

impl<'a> Done<'a> {
    /// The statement; `None` if the id is none.
    pub fn statement(self) -> Option<Statement<'a>> {
        id(self.envelope)?;
        let rewritten = |original: &&[u8]| !matches!(*original, b"-" | b"") && *original != self.forward_path;
        let event = Event::Delivery {
            forward_paths: self.forward_path.into(),
            original_forward_path: self.original.filter(rewritten),
            expanded: false,
            envelope: self.envelope,
            source: self.source,
            next_hop: self.next_hop,
            status: status(self.result, self.text),
            text: self.text,
            child: None,
        };
        Some(Statement { message: Some(self.envelope), event: Some(event), session: None })
    }
}

fn status(result: &[u8], text: &[u8]) -> Status {
    match result {
        b"Ok" => Status::Sent,
        b"TempFail" => Status::Deferred,
        // (queue.c: a message that is too old fails with these words.)
        _ if text.starts_with(b"Envelope expired") => Status::Expired,
        _ => Status::Bounced,
    }
}

/// Parses `192.0.2.1 (mx.example.org)`; a domain alone is one for which no server was found.
pub fn next_hop(relay: &[u8]) -> NextHop<'_> {
    let (literal, name) = match memchr::memchr(b' ', relay) {
        Some(at) => (&relay[..at], &relay[at + 1..]),
        None => (relay, b"".as_slice()),
    };
    let name = name.strip_prefix(b"(").and_then(|name| name.strip_suffix(b")")).unwrap_or(name);
    let peer = client(literal, name);
    NextHop::Host { peer: if peer.address.is_none() { Peer::default() } else { peer }, port: 0 }
}
