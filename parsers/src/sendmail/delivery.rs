//! Deliveries: `to=LIST, ctladdr=O (10/10), delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=31226, relay=HOST, dsn=2.0.0,
//! stat=Sent (ok)` (sendmail/deliver.c, `logdelivery`).

use super::atoms::{Relay, addresses, bare, queue_id, relay};
use crate::paths::Paths;
use crate::record::{Event, NextHop, Offspring, Status};
use crate::text::{Expected, Parsed, path};
use memchr::memmem;

/// The fields that are used.
#[derive(Default)]
struct Fields<'a> {
    /// `ctladdr=`: the user for whom an address was expanded, or a local sender.
    owner: Option<&'a [u8]>,
    mailer: &'a [u8],
    relay: Relay<'a>,
    dsn: &'a [u8],
    /// `stat=`, always the last.
    status: &'a [u8],
}

/// Parses what follows `to=`.
///
/// Recipients stand as they were given: by clients in angle brackets, by aliases and `.forward` files without. A list that
/// is too long goes on in another line, and ends in ` [more]`.
pub fn statement(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, list) = addresses(input)?;
    let list = list.strip_suffix(b" [more]").unwrap_or(list);
    let fields = fields(rest)?;
    Ok((b"", event(list, fields)))
}

/// The delivery attempt that a recipient, or a list of them, and the fields of its line tell of.
fn event<'a>(list: &'a [u8], fields: Fields<'a>) -> Event<'a> {
    let expanded = !list.starts_with(b"<") && memmem::find(list, b",<").is_none();
    let status = status(&fields);
    Event::Delivery {
        forward_paths: Paths::list(list, b','),
        original_forward_path: fields.owner.filter(|_| expanded),
        expanded,
        envelope: b"",
        source: None,
        next_hop: next_hop(&fields),
        status,
        text: fields.status,
        child: child(fields.status).filter(|_| status == Status::Sent),
    }
}

/// Parses what follows `to=` where an export has left out the commas (FortiMail): `<R> delay=00:00:06 xdelay=00:00:06
/// mailer=esmtp pri=165917 relay= [192.0.2.1] dsn=2.0.0 stat=Sent (ok)`. The path is in brackets and comes first; all
/// that follows it is Sendmail's, up to the other server's words.
pub fn without_commas(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, _) = path(input)?;
    let list = &input[..input.len() - rest.len()];
    let wanted = || nom::Err::Error(Expected { rest, what: "` delay=` after the recipient, and ` stat=` at the end" });
    let (head, status) = rest.starts_with(b" delay=").then(|| cut(rest, b" stat=")).flatten().ok_or_else(wanted)?;
    let word =
        |key: &[u8]| cut(head, key).map(|(_, value)| &value[..memchr::memchr(b' ', value).unwrap_or(value.len())]);
    let host = cut(head, b" relay=").map(|(_, host)| cut(host, b" dsn=").map_or(host, |(host, _)| host));
    let relay = host.map(relay).transpose()?.map(|(_, relay)| relay).unwrap_or_default();
    let mailer = word(b" mailer=").unwrap_or_default();
    let dsn = word(b" dsn=").unwrap_or_default();
    Ok((b"", event(list, Fields { owner: None, mailer, relay, dsn, status })))
}

/// Splits a text at the first mark.
fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// Parses the fields in the order of the line: what other servers said (`reply=`, `stat=`) comes last.
fn fields(input: &[u8]) -> Result<Fields<'_>, nom::Err<Expected<'_>>> {
    let mut found = Fields::default();
    let mut rest = input;
    loop {
        let wanted = |rest| nom::Err::Error(Expected { rest, what: "`, stat=` at the end" });
        let field = rest.strip_prefix(b", ").ok_or_else(|| wanted(rest))?;
        let equals = memchr::memchr(b'=', field).ok_or_else(|| wanted(rest))?;
        let (key, value) = (&field[..equals], &field[equals + 1..]);
        match key {
            b"stat" => {
                found.status = value;
                return Ok(found);
            }
            b"reply" => {
                let at = memmem::find(value, b", stat=").ok_or_else(|| wanted(rest))?;
                found.status = &value[at + 7..];
                return Ok(found);
            }
            b"ctladdr" => {
                let (after, owner) = addresses(value)?;
                found.owner = Some(without_ids(owner));
                rest = after;
            }
            b"relay" => (rest, found.relay) = relay(value)?,
            b"delay" | b"xdelay" | b"mailer" | b"tls_verify" | b"tls_version" | b"cipher" | b"pri" | b"dsn"
            | b"ntries" | b"stage" | b"quarantine" | b"bodytype" => {
                let (value, after) = value.split_at(memmem::find(value, b", ").unwrap_or(value.len()));
                match key {
                    b"mailer" => found.mailer = value,
                    b"dsn" => found.dsn = value,
                    _ => {}
                }
                rest = after;
            }
            _ => return Err(nom::Err::Error(Expected { rest: field, what: "a field: `delay=`" })),
        }
    }
}

/// `<user@example.org> (1001/1001)` without the ids of user and group, and without brackets.
fn without_ids(owner: &[u8]) -> &[u8] {
    let is_ids = |text: &[u8]| text.iter().all(|b| b.is_ascii_digit() || *b == b'/');
    let ids = owner.strip_suffix(b")").and_then(|text| Some((text, memmem::rfind(text, b" (")?)));
    let owner = ids.filter(|(text, at)| is_ids(&text[at + 2..])).map_or(owner, |(_, at)| &owner[..at]);
    bare(owner)
}

/// The class of the enhanced status code tells (RFC 3463); before 8.10, and for mail that only was queued, there is none.
fn status(fields: &Fields<'_>) -> Status {
    let begins = |words: &[u8]| fields.status.starts_with(words);
    match fields.dsn {
        _ if begins(b"queued") || begins(b"quarantined") => Status::Deferred,
        b"5.4.7" => Status::Expired,
        [b'2', ..] => Status::Sent,
        [b'4', ..] => Status::Deferred,
        [b'5', ..] => Status::Bounced,
        _ if begins(b"Sent") => Status::Sent,
        _ if begins(b"Deferred") => Status::Deferred,
        _ => Status::Bounced,
    }
}

/// The mailers of cf/mailer/{smtp,uucp}.m4 go to other hosts; one that is not known does if it names a host other than this one.
fn next_hop<'a>(fields: &Fields<'a>) -> NextHop<'a> {
    const TO_HOSTS: [&[u8]; 5] = [b"esmtp", b"smtp", b"dsmtp", b"relay", b"ddn"];
    const HERE: [&[u8]; 5] = [b"local", b"prog", b"*file*", b"*include*", b"procmail"];
    let peer = fields.relay.peer;
    let outside = peer.address.is_some_and(|address| !address.is_loopback());
    let is_smtp = TO_HOSTS.iter().any(|name| fields.mailer.starts_with(name));
    match fields.mailer {
        b"" => NextHop::None,
        mailer if HERE.contains(&mailer) => NextHop::Local,
        _ if fields.status.starts_with(b"queued") => NextHop::None,
        _ if is_smtp || outside => NextHop::Host { peer, port: 0 },
        _ => NextHop::Local,
    }
}

/// The id in `Sent (ID Message accepted for delivery)`, which is what another Sendmail answers, and in `queued as ID`.
fn child(status: &[u8]) -> Option<(&[u8], Offspring)> {
    const ACCEPTED: &[u8] = b" Message accepted for delivery";
    let text = status.strip_prefix(b"Sent (")?;
    let whole = |text| queue_id(text).map(|id| (id, &text[id.len()..]));
    let first = whole(text).filter(|(_, rest)| rest.starts_with(ACCEPTED));
    let queued = || memmem::rfind(text, b"queued as ").and_then(|at| whole(&text[at + 10..]));
    first.or_else(queued).map(|(id, _)| (id, Offspring::Reinjected))
}
