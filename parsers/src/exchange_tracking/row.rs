//! The columns of a tracking row, and which of them holds what.

use crate::csv::Fields;
use crate::record::Unparsed;
use crate::registry::Context;

/// The columns of Exchange 2016 and 2019 (Microsoft Learn, message tracking).
const SINCE_2016: [&str; 30] = [
    "date-time",
    "client-ip",
    "client-hostname",
    "server-ip",
    "server-hostname",
    "source-context",
    "connector-id",
    "source",
    "event-id",
    "internal-message-id",
    "message-id",
    "network-message-id",
    "recipient-address",
    "recipient-status",
    "total-bytes",
    "recipient-count",
    "related-recipient-address",
    "reference",
    "message-subject",
    "sender-address",
    "return-path",
    "message-info",
    "directionality",
    "tenant-id",
    "original-client-ip",
    "original-server-ip",
    "custom-data",
    "transport-traffic-type",
    "log-id",
    "schema-version",
];
/// Those of Exchange 2010, which has no `network-message-id`; 2007 has the first 21 of them.
const UNTIL_2010: [&str; 26] = [
    "date-time",
    "client-ip",
    "client-hostname",
    "server-ip",
    "server-hostname",
    "source-context",
    "connector-id",
    "source",
    "event-id",
    "internal-message-id",
    "message-id",
    "recipient-address",
    "recipient-status",
    "total-bytes",
    "recipient-count",
    "related-recipient-address",
    "reference",
    "message-subject",
    "sender-address",
    "return-path",
    "message-info",
    "directionality",
    "tenant-id",
    "original-client-ip",
    "original-server-ip",
    "custom-data",
];

/// The columns of the version that writes so many.
pub fn columns(count: usize) -> Option<&'static [&'static str]> {
    match count {
        30 => Some(&SINCE_2016),
        27 => SINCE_2016.get(..27),
        26 => Some(&UNTIL_2010),
        21 => UNTIL_2010.get(..21),
        _ => None,
    }
}

/// What the columns that matter hold; empty where there is no such column.
#[derive(Default)]
pub struct Row<'a> {
    pub time: &'a [u8],
    pub client_ip: &'a [u8],
    pub client_name: &'a [u8],
    pub server_ip: &'a [u8],
    pub server_name: &'a [u8],
    pub context: &'a [u8],
    pub connector: &'a [u8],
    pub source: &'a [u8],
    pub event: &'a [u8],
    pub internal_id: &'a [u8],
    pub message_id: &'a [u8],
    pub network_id: &'a [u8],
    pub recipients: &'a [u8],
    pub status: &'a [u8],
    pub bytes: &'a [u8],
    pub count: &'a [u8],
    pub related: &'a [u8],
    pub reference: &'a [u8],
    pub return_path: &'a [u8],
    pub sender: &'a [u8],
    pub directionality: &'a [u8],
    pub original_ip: &'a [u8],
    pub custom: &'a [u8],
}

impl<'a> Row<'a> {
    /// Reads a line of the columns that the header names, or of those of the version that writes so many.
    pub fn read(line: &'a [u8], context: &Context) -> Result<Row<'a>, Unparsed> {
        let mut row = Row::default();
        for (name, value) in Fields::split(line)?.named(context, columns)? {
            match name {
                // Exchange Online names it so.
                b"date-time" | b"date-time-utc" => row.time = value,
                b"client-ip" => row.client_ip = value,
                b"client-hostname" => row.client_name = value,
                b"server-ip" => row.server_ip = value,
                b"server-hostname" => row.server_name = value,
                b"source-context" => row.context = value,
                b"connector-id" => row.connector = value,
                b"source" => row.source = value,
                b"event-id" => row.event = value,
                b"internal-message-id" => row.internal_id = value,
                b"message-id" => row.message_id = value,
                b"network-message-id" => row.network_id = value,
                b"recipient-address" => row.recipients = value,
                b"recipient-status" => row.status = value,
                b"total-bytes" => row.bytes = value,
                b"recipient-count" => row.count = value,
                b"related-recipient-address" => row.related = value,
                b"reference" => row.reference = value,
                b"return-path" => row.return_path = value,
                b"sender-address" => row.sender = value,
                b"directionality" => row.directionality = value,
                b"original-client-ip" => row.original_ip = value,
                b"custom-data" => row.custom = value,
                _ => {}
            }
        }
        Ok(row)
    }
}
