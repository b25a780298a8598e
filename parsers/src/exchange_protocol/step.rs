//! What one row of a session says.

use super::Row;
use super::refusal::refusal;
use crate::record::{Event, Peer, Reply};
use crate::text::{address, number};

/// A row of a receive log; `None` if its sign is none.
pub fn received<'a>(row: &Row<'a>, client: Peer<'a>) -> Option<Event<'a>> {
    Some(match row.event {
        b"+" => Event::Opened { client },
        b"-" => Event::Closed { client },
        b"<" => command(row.data, client),
        b">" => match reply(row.data) {
            Some(reply) => Event::Replied { client, reply, refusal: refusal(&reply) },
            None => Event::Other,
        },
        b"*" => information(row, client),
        _ => return None,
    })
}

/// A row of a send log; `None` if its sign is none.
pub fn sent<'a>(row: &Row<'a>, server: Peer<'a>) -> Option<Event<'a>> {
    Some(match row.event {
        b">" => match split(row.data) {
            (b"", _) => Event::Other,
            (verb, argument) => Event::OutboundCommand { server, verb, argument },
        },
        b"<" => reply(row.data).map_or(Event::Other, |reply| Event::OutboundReply { server, reply }),
        b"+" | b"-" | b"*" => Event::Other,
        _ => return None,
    })
}

/// A verb and its argument.
fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let data = data.trim_ascii();
    let end = data.iter().position(u8::is_ascii_whitespace).unwrap_or(data.len());
    (&data[..end], data[end..].trim_ascii_start())
}

/// A client's command. What a server of ours says of the client that it speaks for is `XPROXY SID=.. IP=.. PORT=..
/// DOMAIN=.. CAPABILITIES=..` after a log-in, and else `XPROXYFROM SID=.. IP=.. PORT=.. DOMAIN=.. SEQNUM=.. PERMS=..
/// AUTHSRC=..` (observed: format note exchange-smtp-protocol). DOMAIN is the client's text: the words before it
/// count.
fn command<'a>(data: &'a [u8], client: Peer<'a>) -> Event<'a> {
    let (verb, argument) = split(data);
    let authenticated = verb.eq_ignore_ascii_case(b"XPROXY");
    if verb.is_empty() {
        return Event::Other;
    }
    if !authenticated && !verb.eq_ignore_ascii_case(b"XPROXYFROM") {
        return Event::Command { client, verb, argument };
    }
    match word(b"IP=", argument).and_then(address) {
        Some(true_client) => Event::Continues {
            client: Peer { address: Some(true_client), name: b"" },
            helo: word(b"DOMAIN=", argument).unwrap_or_default(),
            authenticated,
        },
        None => Event::Command { client, verb, argument },
    }
}

/// The value of the first word that begins so.
fn word<'a>(name: &[u8], argument: &'a [u8]) -> Option<&'a [u8]> {
    argument.split(u8::is_ascii_whitespace).find_map(|word| word.strip_prefix(name))
}

/// The last line of an answer; `None` for an earlier one (`250-SIZE`, a row of its own until Exchange 2010; later
/// versions fold all of them into one row `250  host Hello ...`) and for what is no answer.
fn reply(data: &[u8]) -> Option<Reply<'_>> {
    let (code, rest) = data.split_at_checked(3)?;
    let code = number(code).and_then(|code| u16::try_from(code).ok()).filter(|code| (200..600).contains(code))?;
    match rest {
        [] => Some(Reply { code, text: b"" }),
        [b' ', text @ ..] => Some(Reply { code, text: text.trim_ascii() }),
        _ => None,
    }
}

const PROXIED: &[u8] = b"Proxy session was successfully set up. Session for";
const PROXIED_END: &[u8] = b" will now be proxied";

/// A row of information. Who logged in is `*,DOMAIN\user,authenticated` (observed: Exchange 2010), on a front
/// end that hands the session on `*,,Proxy session was successfully set up. Session for<user> will now be
/// proxied`; the account of a failure is `*,,User Name: user@example.org` (observed: Exchange 2016).
fn information<'a>(row: &Row<'a>, client: Peer<'a>) -> Event<'a> {
    let proxied = || row.context.strip_prefix(PROXIED)?.strip_suffix(PROXIED_END);
    let account = if row.context == b"authenticated" { row.data } else { proxied().unwrap_or_default() };
    let tried = row.context.strip_prefix(b"User Name:").unwrap_or_default();
    match (account.trim_ascii(), tried.trim_ascii()) {
        (b"", b"") => Event::Other,
        (b"", account) => Event::AccountTried { client, account },
        (account, _) => Event::Identified { client, account },
    }
}
