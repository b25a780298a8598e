//! One recipient, in the columns of the published contract.

use crate::correlate::{Message, Recipient};
use crate::judge::route;
use crate::ledger::{Client, FlowKey, Place, Time};
use crate::site::Site;
use relayaudit_parsers::record::{Event, NextHop, Peer};

/// The columns, in order. Additions come at the end.
pub const COLUMNS: [&str; 20] = [
    "server",
    "format",
    "session",
    "queue_id",
    "message_id",
    "time",
    "client",
    "client_name",
    "helo",
    "account",
    "reverse_path",
    "forward_path",
    "original_forward_path",
    "reply_code",
    "outcome",
    "next_hop",
    "size_bytes",
    "verdict",
    "path",
    "line",
];

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Unknown: the log does not say.
    Missing,
    /// Text, raw, with replacement characters for what is no UTF-8.
    Text(String),
    /// A number.
    Number(u64),
}

/// One recipient of one message, or one refusal.
#[derive(Debug, Clone)]
pub struct Row {
    key: FlowKey,
    session: Box<str>,
    queue_id: Box<str>,
    message_id: Box<str>,
    time: Option<Time>,
    client_name: Box<str>,
    helo: Box<str>,
    account: Option<Box<str>>,
    reverse_path: Option<Box<str>>,
    forward_path: Box<str>,
    original_forward_path: Option<Box<str>>,
    reply_code: Option<u16>,
    next_hop: Box<str>,
    size_bytes: Option<u64>,
    place: Place,
}

impl Row {
    /// The row of a recipient. `key` says what it has in common with others, for the verdict.
    pub fn of(key: FlowKey, message: &Message<'_>, recipient: &Recipient<'_>) -> Row {
        let opening = message.opening;
        let rewritten = recipient.final_path != recipient.forward_path;
        Row {
            key,
            session: opening.record.session.map_or_else(Box::default, |session| text(session.id)),
            queue_id: opening.record.message.map_or_else(Box::default, |message| text(message.id)),
            message_id: text(message.message_id),
            time: opening.time,
            client_name: text(message.client.name),
            helo: text(message.helo),
            account: message.account.map(text),
            reverse_path: message.reverse_path.map(text),
            forward_path: text(recipient.final_path),
            original_forward_path: rewritten.then(|| text(recipient.forward_path)),
            reply_code: reply_code(recipient),
            next_hop: next_hop(&recipient.next_hop),
            size_bytes: Some(message.size_bytes).filter(|bytes| 0 < *bytes),
            place: opening.place,
        }
    }

    /// The file in which the message came in.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The values, in the order of [`COLUMNS`]; `None` for a second view of what other rows tell.
    pub fn cells(&self, site: &Site, path: &str, format: &str) -> Option<[Cell; COLUMNS.len()]> {
        let verdict = route(&self.key, site)?;
        let given = |text: &str| if text.is_empty() { Cell::Missing } else { Cell::Text(text.to_owned()) };
        let known = |text: Option<&str>| text.map_or(Cell::Missing, |text| Cell::Text(text.to_owned()));
        let client = match self.key.client {
            Client::Address(address) => Cell::Text(address.to_string()),
            Client::Name(_) | Client::User(_) | Client::Unknown => Cell::Missing,
        };
        Some([
            given(&self.key.server),
            given(format),
            given(&self.session),
            given(&self.queue_id),
            given(&self.message_id),
            self.time.map_or(Cell::Missing, |time| Cell::Text(time.rfc3339())),
            client,
            given(&self.client_name),
            given(&self.helo),
            known(self.account.as_deref()),
            // The empty one is the null reverse-path.
            known(self.reverse_path.as_deref()),
            Cell::Text(self.forward_path.to_string()),
            known(self.original_forward_path.as_deref()),
            self.reply_code.map_or(Cell::Missing, |code| Cell::Number(code.into())),
            Cell::Text(self.key.outcome.as_str().to_owned()),
            given(&self.next_hop),
            self.size_bytes.map_or(Cell::Missing, Cell::Number),
            Cell::Text(verdict.as_str().to_owned()),
            given(path),
            Cell::Number(self.place.number()),
        ])
    }
}

fn text(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).into()
}

/// Our answer to RCPT, where the log gives it.
fn reply_code(recipient: &Recipient<'_>) -> Option<u16> {
    let code = match &recipient.fact.record.event {
        Event::Refused { reply, .. } | Event::Recipient { reply, .. } => reply.code,
        _ => 0,
    };
    Some(code).filter(|code| *code != 0)
}

/// `local`, or the server as `name[address]:port`, as far as the log says.
pub(crate) fn next_hop(hop: &NextHop<'_>) -> Box<str> {
    match hop {
        NextHop::Local => "local".into(),
        NextHop::None => Box::default(),
        NextHop::Host { peer: Peer { address, name }, port }
        | NextHop::Gateway { peer: Peer { address, name }, port } => {
            let mut out = String::from_utf8_lossy(name).into_owned();
            if let Some(address) = address {
                out.push_str(&format!("[{address}]"));
            }
            if *port != 0 && !out.is_empty() {
                out.push_str(&format!(":{port}"));
            }
            out.into()
        }
    }
}
