//! Listings: replies of other servers to our mail that name a block list, a policy or our reputation.
//!
//! Only deliveries that failed are looked at, each line once: of mail that left nothing is read.

use super::{Books, keep};
use crate::correlate::Fact;
use crate::ledger::{ListingKey, Text};
use crate::site::{is_inside, neighbourhood};
use relayaudit_parsers::blocklist::{Listing, listing, listing_of};
use relayaudit_parsers::record::{Event, NextHop, Peer, Status};

/// A reply that may be about us.
struct Said<'a> {
    peer: Peer<'a>,
    listing: Listing,
    deferred: bool,
}

impl Books {
    /// Books what a line says of a reply to our mail, if the reply is about us.
    pub(super) fn listed(&mut self, fact: &Fact<'_>) {
        let Some(Said { peer, listing, deferred }) = read(&fact.record.event) else { return };
        // The server of the reply is in it now and then, before ours.
        let address = listing.address.filter(|address| Some(*address) != peer.address);
        let receiver = self.receiver(&peer);
        let key = ListingKey { server: fact.server, address, list: listing.list.into(), about: listing.about };
        let book = self.ledger.listings.entry(key).or_default();
        let times = u64::from(fact.times);
        book.replies += times;
        *(if deferred { &mut book.deferred } else { &mut book.bounced }) += times;
        book.span.see(fact.time);
        if let Some(receiver) = receiver {
            book.all_receivers.see(receiver.as_bytes());
            if book.receivers.wants(&receiver) {
                book.receivers.insert(receiver);
            }
        }
        keep(&mut book.evidence, fact);
    }

    /// Who gave a reply: the organisation in the name of its host, else its network.
    fn receiver(&mut self, peer: &Peer<'_>) -> Option<Text> {
        match (peer.name, peer.address) {
            (b"", Some(address)) => Some(neighbourhood(address).to_string().into()),
            (b"", None) => None,
            (name, _) => Some(self.names.text(organisation(name))),
        }
    }
}

fn read<'a>(event: &Event<'a>) -> Option<Said<'a>> {
    let (peer, status, text) = match *event {
        Event::Delivery { next_hop: NextHop::Host { peer, .. }, status, text, .. }
        | Event::Reached { next_hop: NextHop::Host { peer, .. }, status, text, .. } => (peer, status, text),
        Event::AttemptEnded { server, status, text, .. } => (server.unwrap_or_default(), status, text),
        Event::OutboundReply { server, reply } if 400 <= reply.code => {
            let listing = listing_of(reply.code, reply.text).filter(|_| is_outside(&server))?;
            return Some(Said { peer: server, listing, deferred: reply.code < 500 });
        }
        _ => return None,
    };
    if !matches!(status, Status::Deferred | Status::Bounced | Status::Expired) || !is_outside(&peer) {
        return None;
    }
    Some(Said { peer, listing: listing(text)?, deferred: status == Status::Deferred })
}

/// Whether a server is not beside ours: what a content filter or a mail store of ours says is no claim of others.
fn is_outside(peer: &Peer<'_>) -> bool {
    peer.address.is_none_or(|address| !is_inside(address))
}

/// The part of a host's name that its owner registered: the last two labels, or three where registries sell names below
/// such as `co.uk` (the usual labels; a list of all of them changes every week). A name without dots is itself.
fn organisation(name: &[u8]) -> &[u8] {
    const BELOW: [&[u8]; 14] =
        [b"co", b"com", b"net", b"org", b"ac", b"gov", b"gob", b"gouv", b"edu", b"or", b"ne", b"go", b"ad", b"govt"];
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut dots = memchr::memrchr_iter(b'.', name);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return name };
    let label = &name[second + 1..last];
    let is_below = name.len() - last == 3 && BELOW.iter().any(|known| label.eq_ignore_ascii_case(known));
    let cut = if is_below { dots.next().map_or(0, |third| third + 1) } else { second + 1 };
    &name[cut..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisations() {
        let check = |name: &str, want: &str| assert_eq!(organisation(name.as_bytes()), want.as_bytes(), "{name}");
        check("mta5.am0.yahoodns.net", "yahoodns.net");
        check("mx-ha02.web.de", "web.de");
        check("mx1.example.co.uk.", "example.co.uk");
        check("example.com.br", "example.com.br");
        check("co.uk", "co.uk");
        check("mx", "mx");
        check("..", ".");
        check("", "");
    }
}
