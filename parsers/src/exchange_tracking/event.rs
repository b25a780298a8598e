//! What one tracking row says about mail, by its `source` and `event-id`.

use super::row::Row;
use crate::csv::offset;
use crate::mailbox;
use crate::paths::{Paths, without_brackets};
use crate::record::{Event, NextHop, Peer, Status, Unparsed};
use crate::text::{address, number};

const SMTP: &[u8] = b"SMTP";
const STORE: &[u8] = b"STOREDRIVER";
/// Passes mail between servers and services of the organisation.
const INTERNAL_CONNECTOR: &[u8] = b"Intra-Organization SMTP Send Connector";

/// The server that wrote a row: for mail that it sends the `client`, else the `server` (Microsoft Learn, fields of
/// the message tracking log). Some events give its full name and others only the first label: that one is taken.
pub fn server<'a>(row: &Row<'a>) -> &'a [u8] {
    let sends = row.source == SMTP && matches!(row.event, b"SEND" | b"SENDEXTERNAL" | b"FAIL" | b"DEFER");
    let (first, second) = if sends { (row.client_name, row.server_name) } else { (row.server_name, row.client_name) };
    let name = if first.is_empty() { second } else { first };
    match address(name) {
        Some(_) => name,
        None => name.split(|byte| *byte == b'.').next().unwrap_or(name),
    }
}

/// Reads the event of a row. Fails where a number that it needs is none.
///
/// Events of copies for other servers (`HA*`), of agents, of moderation and all that are not known are
/// [`Event::Other`], and so is what Exchange 2013 and later log of a mailbox: `SUBMIT` before the message is taken from
/// it, `DELIVER` after the transport service has logged `SEND`.
pub fn event<'a>(line: &[u8], row: &Row<'a>) -> Result<Event<'a>, Unparsed> {
    let has_store_hop = !row.network_id.is_empty() && row.source == STORE;
    Ok(match row.event {
        b"RECEIVE" => received(line, row)?,
        b"SEND" | b"SENDEXTERNAL" => delivery(row, send_hop(row), Status::Sent),
        b"DELIVER" | b"DUPLICATEDELIVER" if !has_store_hop || is_online(row) => {
            delivery(row, NextHop::Local, Status::Sent)
        }
        b"FAIL" if row.status.starts_with(b"550 4.4.7") => delivery(row, NextHop::None, Status::Expired),
        b"FAIL" => delivery(row, remote(row), Status::Bounced),
        b"DROP" | b"BADMAIL" | b"POISONMESSAGE" => delivery(row, NextHop::None, Status::Bounced),
        b"DEFER" => delivery(row, remote(row), Status::Deferred),
        b"EXPAND" | b"REDIRECT" | b"RESOLVE" => expanded(row),
        b"DSN" => Event::Arrived {
            client: Peer::default(),
            helo: b"",
            account: None,
            user: b"",
            reverse_path: b"",
            message_id: without_brackets(row.message_id),
            size_bytes: count(line, row.bytes, "a size in `total-bytes`")?,
            recipients: Some(recipients(line, row)?),
            notifies: Some(row.reference),
        },
        _ => Event::Other,
    })
}

/// Whether the row is of Exchange Online, whose rows of one message are of many servers.
fn is_online(row: &Row<'_>) -> bool {
    row.server_name.ends_with(b".outlook.com")
}

fn received<'a>(line: &[u8], row: &Row<'a>) -> Result<Event<'a>, Unparsed> {
    Ok(Event::Received {
        client: if row.source == SMTP { client(row) } else { Peer::default() },
        reverse_path: without_brackets(row.return_path),
        // "Specified in the Sender header field, or the From header field if Sender isn't present" (Microsoft Learn).
        header_from: mailbox::address(row.sender),
        message_id: without_brackets(row.message_id),
        forward_paths: Paths::doubled_list(row.recipients, b';'),
        size_bytes: count(line, row.bytes, "a size in `total-bytes`")?,
        recipients: recipients(line, row)?,
        told_id: row.internal_id,
        // Observed values; what they mean is not documented: `Originating` is taken for a client that logged in or is
        // trusted, `Incoming` for an anonymous one.
        vouched: row.directionality == b"Originating",
    })
}

/// The client: behind a front end, `client-ip` is that server's, and the true one in `original-client-ip` or, where
/// that is not logged, in `custom-data`.
fn client<'a>(row: &Row<'a>) -> Peer<'a> {
    let original = address(row.original_ip).or_else(|| proxied(row.custom));
    match original.or_else(|| address(row.client_ip)) {
        // The name in `client-hostname` is that of the front end then.
        Some(found) if original.is_some() && address(row.client_ip) != original => {
            Peer { address: Some(found), name: b"" }
        }
        found => Peer { address: found, name: row.client_name },
    }
}

/// Keys of `custom-data` that the server alone fills; a value of any other may hold `;` and what looks like a key.
const OWN_KEYS: [&[u8]; 9] = [
    b"S:ProxyHop",
    b"S:MessageValue",
    b"S:Replication",
    b"S:FirstForestHop",
    b"S:FromEntity",
    b"S:ToEntity",
    b"S:IncludeInSla",
    b"S:DeliveryPriority",
    b"S:AccountForest",
];

/// The address in `S:ProxiedClientIPAddress=192.0.2.1`, if only the server's own words stand before it.
fn proxied(custom: &[u8]) -> Option<std::net::IpAddr> {
    let mut items = custom.split(|byte| *byte == b';');
    let item = items.find(|item| !OWN_KEYS.iter().any(|key| item.starts_with(key)))?;
    address(item.strip_prefix(b"S:ProxiedClientIPAddress=")?)
}

/// Where mail was sent. Within the organisation it went to a mailbox if the other side answered `250 2.0.0 OK`; a
/// transport service, which queues it, answers `250 2.6.0`.
fn send_hop<'a>(row: &Row<'a>) -> NextHop<'a> {
    let answer = row.context.trim_ascii_start();
    let answer = answer.strip_prefix(b";").unwrap_or(answer);
    if row.connector == INTERNAL_CONNECTOR && answer.starts_with(b"250 2.0.0") {
        return NextHop::Local;
    }
    other_server(row)
}

/// The server that refused mail or could not be reached; nowhere if the row is not of sending.
fn remote<'a>(row: &Row<'a>) -> NextHop<'a> {
    if row.source == SMTP && !row.server_ip.is_empty() { other_server(row) } else { NextHop::None }
}

fn other_server<'a>(row: &Row<'a>) -> NextHop<'a> {
    NextHop::Host { peer: Peer { address: address(row.server_ip), name: row.server_name }, port: 0 }
}

fn delivery<'a>(row: &Row<'a>, next_hop: NextHop<'a>, status: Status) -> Event<'a> {
    let forward_paths = Paths::doubled_list(row.recipients, b';');
    Event::Delivery {
        forward_paths,
        original_forward_path: None,
        expanded: false,
        envelope: b"",
        source: None,
        next_hop,
        status,
        text: row.status,
        child: None,
    }
}

/// Recipients that stand for the one in `related-recipient-address`. Which stands for which of several is not
/// documented.
fn expanded<'a>(row: &Row<'a>) -> Event<'a> {
    let mut replaced = Paths::doubled_list(row.related, b';').iter();
    match (replaced.next(), replaced.next()) {
        (Some(forward_path), None) => {
            Event::Expanded { forward_path, members: Paths::doubled_list(row.recipients, b';') }
        }
        _ => Event::Other,
    }
}

fn recipients(line: &[u8], row: &Row<'_>) -> Result<u32, Unparsed> {
    let expected = "a number in `recipient-count`";
    let count = count(line, row.count, expected)?;
    u32::try_from(count).map_err(|_| Unparsed { at: offset(line, row.count), expected })
}

/// A number, or 0 where the log has none.
fn count(line: &[u8], digits: &[u8], expected: &'static str) -> Result<u64, Unparsed> {
    match digits {
        b"" => Ok(0),
        _ => number(digits).ok_or(Unparsed { at: offset(line, digits), expected }),
    }
}
