//! One delivery attempt (Postfix src/global/log_adhoc.c):
//! `to=<R>, orig_to=<O>, relay=HOST[IP]:PORT, delay=.., delays=.., dsn=.., status=sent (TEXT)`.

use super::Service;
use super::atoms::{host, loose_path, path};
use crate::record::{Event, NextHop, Offspring, Peer, Status};
use crate::text::{Expected, Parsed, expect, number};
use memchr::memmem;
use nom::Parser;
use nom::bytes::complete::{tag, take_till1, take_while1};
use nom::combinator::{map_opt, opt};
use nom::sequence::preceded;

/// Parses a statement of a delivery agent: a delivery if it begins with `to=`, else anything.
///
/// Releases before 2.3 log neither `delays` nor `dsn`, and `orig_to` is logged only if it differs; what stands
/// between `relay` and `status` is skipped whatever it is. The text ends at the last `)`, since
/// it may hold parentheses of its own; a line cut short by syslog has none, and then it
/// ends with the line.
pub fn statement(service: Service, input: &[u8]) -> Parsed<'_, Event<'_>> {
    let Some(rest) = input.strip_prefix(b"to=") else {
        return Ok((b"", Event::Other));
    };
    let (rest, forward_path) = logged_path(rest)?;
    let (rest, original_forward_path) = opt(preceded(tag(", orig_to="), logged_path)).parse(rest)?;
    let (rest, relay) = preceded(expect("`, relay=`", tag(", relay=")), expect("a next hop", value())).parse(rest)?;
    let (rest, _) = attributes(rest);
    let word = take_while1(|b: u8| b.is_ascii_alphabetic() || b == b'-');
    let status = preceded(tag(", status="), map_opt(word, status));
    let (rest, status) = expect("`, status=` and a delivery status", status).parse(rest)?;
    let text = parenthesised(rest);
    let next_hop = next_hop(service, relay, text);
    let child = child(service, &next_hop, status, text);
    Ok((
        b"",
        Event::Delivery {
            forward_paths: forward_path.into(),
            original_forward_path,
            expanded: false,
            envelope: b"",
            source: None,
            next_hop,
            status,
            text,
            child,
        },
    ))
}

/// Splits off the attributes before the status; all of the line if there is none.
fn attributes(input: &[u8]) -> (&[u8], &[u8]) {
    let is_end = |at: &usize| input[*at..].starts_with(b", status=");
    let (attributes, rest) = input.split_at(memchr::memchr_iter(b',', input).find(is_end).unwrap_or(input.len()));
    (rest, attributes)
}

/// A value without commas.
fn value<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = Expected<'a>> {
    take_till1(|b| b == b',')
}

/// A forward-path, strictly quoted or (before 3.5) not at all.
fn logged_path(input: &[u8]) -> Parsed<'_, &[u8]> {
    const FOLLOWERS: [&[u8]; 2] = [b", relay=", b", orig_to=<"];
    match path(input) {
        Ok((rest, inside)) if FOLLOWERS.iter().any(|follower| rest.starts_with(follower)) => Ok((rest, inside)),
        _ => loose_path(&FOLLOWERS, input),
    }
}

fn status(word: &[u8]) -> Option<Status> {
    match word.strip_suffix(b"-but-not-cached").unwrap_or(word) {
        b"sent" => Some(Status::Sent),
        // With `soft_bounce = yes` what would have bounced stays in the queue.
        b"deferred" | b"SOFTBOUNCE" => Some(Status::Deferred),
        b"bounced" => Some(Status::Bounced),
        b"expired" | b"force-expired" => Some(Status::Expired),
        b"deliverable" | b"undeliverable" => Some(Status::Probe),
        _ => None,
    }
}

/// The inside of the outermost parentheses; all of ` (TEXT` if they are not closed.
fn parenthesised(input: &[u8]) -> &[u8] {
    let inside = input.strip_prefix(b" (").unwrap_or(input);
    inside.strip_suffix(b")").unwrap_or_else(|| &inside[..memchr::memrchr(b')', inside).unwrap_or(inside.len())])
}

/// Where the mail went.
///
/// `none` is nowhere; but from the SMTP client it may mean a server that could not be found (no such domain, no
/// address, null MX), and then the mail was for that server. Only `mail for DOMAIN loops back to
/// myself` is our own refusal (src/smtp/smtp_addr.c, smtp_connect.c). A service name without an address is an agent of this server, and so
/// is LMTP to a socket: `mx1.example.org[private/dovecot-lmtp]`, `[/run/lmtp]`.
fn next_hop<'a>(service: Service, relay: &'a [u8], text: &[u8]) -> NextHop<'a> {
    if relay == b"none" {
        let not_found = match service {
            Service::Client => !text.starts_with(b"mail for "),
            Service::Unnamed => text.starts_with(b"Host or domain name not found"),
            _ => false,
        };
        return if not_found { NextHop::Host { peer: Peer::default(), port: 0 } } else { NextHop::None };
    }
    let whole = Peer { address: None, name: relay };
    match host(relay) {
        Ok((_, (_, inside, _))) if inside.contains(&b'/') => NextHop::Local,
        Ok((_, (peer, _, port))) => {
            NextHop::Host { peer, port: number(port).and_then(|n| u16::try_from(n).ok()).unwrap_or(0) }
        }
        Err(_) if service == Service::Client && !relay.contains(&b'/') => NextHop::Host { peer: whole, port: 0 },
        Err(_) => NextHop::Local,
    }
}

/// A delivery to another server, made by the transport for domains that are ours.
pub fn to_gateway(mut event: Event<'_>) -> Event<'_> {
    if let Event::Delivery { next_hop, .. } = &mut event
        && let NextHop::Host { peer, port } = *next_hop
    {
        *next_hop = NextHop::Gateway { peer, port };
    }
    event
}

/// The id under which the mail lives on.
///
/// `queued as ID` is the other server's answer and free text: it counts only from the agents that talk to
/// servers, and only the last one, since a filter repeats the answers of those behind it.
/// `forwarded as ID` is Postfix's own (src/local/forward.c).
fn child<'a>(
    service: Service,
    next_hop: &NextHop<'a>,
    status: Status,
    text: &'a [u8],
) -> Option<(&'a [u8], Offspring)> {
    if status != Status::Sent {
        return None;
    }
    match (service, next_hop) {
        (Service::Client, _) | (Service::Unnamed, NextHop::Host { .. }) => {
            last_word_after(b"queued as ", text).map(|id| (id, Offspring::Reinjected))
        }
        (Service::Agent, _) | (Service::Unnamed, NextHop::Local) => {
            let id = text.strip_prefix(b"forwarded as ")?;
            first_word(id).map(|id| (id, Offspring::Forwarded))
        }
        _ => None,
    }
}

fn last_word_after<'a>(marker: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    // Nearly always the id is the last word, and no search is needed.
    let last = memchr::memrchr(b' ', text)? + 1;
    let start = if text[..last].ends_with(marker) { last } else { memmem::rfind(text, marker)? + marker.len() };
    first_word(&text[start..])
}

fn first_word(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().position(|b| !(b.is_ascii_alphanumeric() || b"-_.".contains(b))).unwrap_or(text.len());
    (0 < length).then_some(&text[..length])
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;
    use crate::text::address;

    const NOT_FOUND: NextHop<'_> = NextHop::Host { peer: Peer { address: None, name: b"" }, port: 0 };

    fn base() -> Event<'static> {
        delivered(b"bob@example.org", None, NOT_FOUND, Status::Deferred, b"x", None)
    }

    fn delivered<'a>(
        forward_path: &'a [u8],
        original_forward_path: Option<&'a [u8]>,
        next_hop: NextHop<'a>,
        status: Status,
        text: &'a [u8],
        child: Option<(&'a [u8], Offspring)>,
    ) -> Event<'a> {
        Event::Delivery {
            forward_paths: forward_path.into(),
            original_forward_path,
            expanded: false,
            envelope: b"",
            source: None,
            next_hop,
            status,
            text,
            child,
        }
    }

    fn to_host<'a>(name: &'a [u8], ip: &str, port: u16) -> NextHop<'a> {
        NextHop::Host { peer: Peer { address: address(ip.as_bytes()), name }, port }
    }

    fn case(agent: &str, text: &str, want: Event<'_>) {
        check(
            &format!("postfix/{agent}"),
            &format!("4F1A2C0012: {text}"),
            Ok((None, Some(("postfix", "4F1A2C0012")), want)),
        );
    }

    #[test]
    fn deliveries_to_servers() {
        let sent = |text, child| {
            delivered(b"v@example.org", None, to_host(b"mx.example.org", "192.0.2.25", 25), Status::Sent, text, child)
        };
        let start = "to=<v@example.org>, relay=mx.example.org[192.0.2.25]:25, delay=2.1, delays=0.1/0/0.9/1.1, dsn=2.0.0, status=sent";
        let queued = Some((b"9AB".as_slice(), Offspring::Reinjected));
        case("smtp", &format!("{start} (250 2.0.0 Ok: queued as 9AB)"), sent(b"250 2.0.0 Ok: queued as 9AB", queued));
        case("smtp", &format!("{start} (250 OK (queued as 9AB))"), sent(b"250 OK (queued as 9AB)", queued));
        case(
            "smtp",
            &format!("{start} (250 from MTA(smtp:[127.0.0.1]): 250 Ok: queued as 1, queued as 9AB in 3 s)"),
            sent(b"250 from MTA(smtp:[127.0.0.1]): 250 Ok: queued as 1, queued as 9AB in 3 s", queued),
        );
        case("smtp", &format!("{start} (250 Ok)"), sent(b"250 Ok", None));
        case("smtp", &format!("{start} (250 queued as )"), sent(b"250 queued as ", None));
        case("smtp", &format!("{start} (250 cut sho"), sent(b"250 cut sho", None));
        case("smtp", start, sent(b"", None));
        // Only an agent that talks to a server gets an answer from one.
        case("pipe", &format!("{start} (queued as 9AB)"), sent(b"queued as 9AB", None));
    }

    #[test]
    fn next_hops() {
        let with = |next_hop| delivered(b"bob@example.org", None, next_hop, Status::Deferred, b"x", None);
        let hop = |agent, relay: &str, want| {
            case(agent, &format!("to=<bob@example.org>, relay={relay}, delay=1, status=deferred (x)"), with(want));
        };
        hop("smtp", "none", NOT_FOUND);
        hop("qmgr", "none", NextHop::None);
        hop("cleanup", "none", NextHop::None);
        let loops: &[u8] = b"mail for example.org loops back to myself";
        let ours = delivered(b"bob@example.org", None, NextHop::None, Status::Bounced, loops, None);
        case(
            "smtp",
            "to=<bob@example.org>, relay=none, status=bounced (mail for example.org loops back to myself)",
            ours,
        );
        hop("local", "local", NextHop::Local);
        hop("pipe", "spamfilter", NextHop::Local);
        hop("lmtp", "mx1.example.org[private/dovecot-lmtp]", NextHop::Local);
        hop("lmtp", "[/run/lmtp]", NextHop::Local);
        hop("lmtp", "/run/lmtp", NextHop::Local);
        hop("lmtp", "127.0.0.1[127.0.0.1]:24", to_host(b"127.0.0.1", "127.0.0.1", 24));
        hop("smtp", "mx.example.org[2001:db8::1]:25", to_host(b"mx.example.org", "2001:db8::1", 25));
        hop("smtp", "mx.example.org[192.0.2.1]", to_host(b"mx.example.org", "192.0.2.1", 0));
        hop("smtp", "mx.example.org", to_host(b"mx.example.org", "", 0));
        hop("smtp", "mx.example.org[192.0.2.1]:99999", to_host(b"mx.example.org", "192.0.2.1", 0));
    }

    #[test]
    fn statuses() {
        let status = |word: &str, want| {
            let mut event = base();
            if let Event::Delivery { status, .. } = &mut event {
                *status = want;
            }
            case("smtp", &format!("to=<bob@example.org>, relay=none, conn_use=2, status={word} (x)"), event);
        };
        status("deferred", Status::Deferred);
        status("SOFTBOUNCE", Status::Deferred);
        status("bounced", Status::Bounced);
        status("expired", Status::Expired);
        status("deliverable", Status::Probe);
        status("undeliverable", Status::Probe);
        status("undeliverable-but-not-cached", Status::Probe);
    }

    #[test]
    fn local_deliveries() {
        let sent =
            |original, text, child| delivered(b"bob@example.org", original, NextHop::Local, Status::Sent, text, child);
        let forwarded = Some((b"4F1A2C0099".as_slice(), Offspring::Forwarded));
        let attributes = "relay=local, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent";
        case(
            "local",
            &format!("to=<bob@example.org>, orig_to=<root>, {attributes} (forwarded as 4F1A2C0099)"),
            sent(Some(b"root"), b"forwarded as 4F1A2C0099", forwarded),
        );
        case(
            "local",
            &format!("to=<bob@example.org>, {attributes} (delivered to command: /bin/x (y))"),
            sent(None, b"delivered to command: /bin/x (y)", None),
        );
        case(
            "virtual",
            &format!("to=<bob@example.org>, {attributes} (delivered to maildir)"),
            sent(None, b"delivered to maildir", None),
        );
    }

    #[test]
    fn forward_paths_that_look_like_attributes() {
        let to = |forward_path| delivered(forward_path, None, NOT_FOUND, Status::Deferred, b"x", None);
        let quoted = br#""a>, relay=evil[192.0.2.1]:25, status=sent (x)"@example.org"#;
        case(
            "smtp",
            r#"to=<"a>, relay=evil[192.0.2.1]:25, status=sent (x)"@example.org>, relay=none, status=deferred (x)"#,
            to(quoted),
        );
        case("smtp", r#"to=<a b, c@example.org>, relay=none, status=deferred (x)"#, to(b"a b, c@example.org"));
        // Not quoted (before 3.5): the first `>` that an attribute follows ends the path.
        case("smtp", r#"to=<a"b>c@example.org>, relay=none, status=deferred (x)"#, to(br#"a"b>c@example.org"#));
    }

    #[test]
    fn broken_deliveries_are_not_guessed_at() {
        let broken = |text: &str, want| check("postfix/smtp", &format!("4F1A2C0012: {text}"), Err(want));
        broken("to=bob, relay=none, status=sent (x)", "`<` to open the path");
        broken("to=<bob@example.org>, delay=1", "`, relay=`");
        broken("to=<bob@example.org>, relay=, status=sent (x)", "a next hop");
        broken("to=<bob@example.org>, relay=none, delay=1", "`, status=` and a delivery status");
        broken("to=<bob@example.org>, relay=none, status=lost (x)", "`, status=` and a delivery status");
        case("smtp", "host mx.example.org[192.0.2.1] said: 450 x (in reply to RCPT TO command)", Event::Other);
        let text = "connect to mx.example.org[192.0.2.1]:25: Connection refused";
        check("postfix/smtp", text, Ok((None, None, Event::Other)));
    }
}
