//! Mail that servers of the site passed to each other: rows, sentences and table.

use super::rows::{Maker, Table};
use crate::judge::HandOver;
use crate::judge::words::{self, count, recipients, thousands};
use serde::Serialize;

/// Mail that one server passed to another, so that the logs of both tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandOverRow {
    /// The server that passed it on.
    pub from: String,
    /// The server that took it.
    pub to: String,
    /// The first one's address, as the second logs it.
    pub client: String,
    /// Messages that both tell of: they count for the first.
    pub messages: u64,
    /// Recipients that both tell of: they count for the first.
    pub recipients: u64,
    /// Recipients that the second took from that address though the site gives it no right to relay: they count for both.
    pub recipients_unauthorised: u64,
    /// Ids that both logs name, of those that were compared (some ten).
    pub shared_ids: u64,
}

impl From<&HandOver> for HandOverRow {
    fn from(over: &HandOver) -> HandOverRow {
        HandOverRow {
            from: over.from.to_string(),
            to: over.to.to_string(),
            client: words::client(&over.client).to_string(),
            messages: over.messages,
            recipients: over.recipients,
            recipients_unauthorised: over.unauthorised,
            shared_ids: (over.shared.queue_ids + over.shared.message_ids) as u64,
        }
    }
}

/// What the rows say, a sentence or two each. Holds text from the logs.
pub fn sentences(rows: &[HandOverRow]) -> Vec<String> {
    rows.iter().map(sentence).collect()
}

fn sentence(row: &HandOverRow) -> String {
    let (from, to) = (name(&row.from), name(&row.to));
    let client = words::quoted(&row.client);
    let counted = format!(
        "{} handed {} with {} to {to}, which knows it as {client}; they count once, for {from}.",
        if row.from.is_empty() { "The server without a name" } else { &from },
        count(row.messages, "message", "messages"),
        recipients(row.recipients)
    );
    let stranger = format!(
        "{to} took {} from {client} that look like relaying by a stranger. {} it handed in had been handed on by \
         {from}: if {client} is that server, say so with --server-ip {client}.",
        recipients(row.recipients_unauthorised),
        match row.shared_ids {
            1 => "A message that".to_owned(),
            ids => format!("At least {} messages that", thousands(ids.div_ceil(2))),
        }
    );
    match (row.recipients, row.recipients_unauthorised) {
        (_, 0) => counted,
        (0, _) => stranger,
        _ => format!("{counted} {stranger}"),
    }
}

fn name(server: &str) -> String {
    if server.is_empty() { "the server without a name".to_owned() } else { words::quoted(server) }
}

/// The rows as a table.
pub fn table(rows: &[HandOverRow]) -> Table {
    let make = Maker(rows);
    let columns = vec![
        make.text("from", |row| &row.from),
        make.text("to", |row| &row.to),
        make.text("client", |row| &row.client),
        make.count("messages", |row| row.messages),
        make.count("recipients", |row| row.recipients),
        make.count("recipients_unauthorised", |row| row.recipients_unauthorised),
        make.count("shared_ids", |row| row.shared_ids),
    ];
    Table { name: "handovers", columns }
}
