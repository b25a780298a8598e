//! The anti-spam agent log of Exchange 2007 to 2019 and SE: `AGENTLOG*.LOG`.
//!
//! A row for each action of an agent on a session, a message or a recipient. Only what was refused matters here;
//! agents never refuse because a client may not relay. Times are UTC.

use crate::csv::{self, Fields, offset};
use crate::paths::without_brackets;
use crate::record::{Event, Line, Peer, Record, Refusal, Reply, Unparsed};
use crate::registry::{Context, Format};
use crate::text::{address, number};

/// The agent log of Exchange.
pub const FORMAT: Format = Format {
    name: "exchange-agent",
    title: "Microsoft Exchange 2007-2019/SE anti-spam agent log (AGENTLOG*.LOG)",
    versions: "checked against the documented columns of 2013 and a published extract of 2016",
    yields: "clients, both paths, and why an agent refused a connection, a recipient or a message",
    lacks: "accepted mail, relay refusals, the name of the server",
    source: "Microsoft Learn, anti-spam agent logging (Exchange 2013); observed: corpus exchange-agent-log",
    repeats: &[],
    recognises,
    parse,
    direct: csv::direct,
};

/// The columns of Exchange 2016; until 2013 the last four are missing.
const COLUMNS: [&str; 20] = [
    "timestamp",
    "sessionid",
    "localendpoint",
    "remoteendpoint",
    "enteredorgfromip",
    "messageid",
    "p1fromaddress",
    "p2fromaddresses",
    "recipient",
    "numrecipients",
    "agent",
    "event",
    "action",
    "smtpresponse",
    "reason",
    "reasondata",
    "diagnostics",
    "networkmsgid",
    "tenantid",
    "directionality",
];
const TITLE: &[u8] = b"Agent Log";

/// What the columns that matter hold.
#[derive(Default)]
struct Row<'a> {
    time: &'a [u8],
    remote: &'a [u8],
    entered_from: &'a [u8],
    reverse_path: &'a [u8],
    recipient: &'a [u8],
    agent: &'a [u8],
    event: &'a [u8],
    action: &'a [u8],
    response: &'a [u8],
    reason: &'a [u8],
}

fn columns(count: usize) -> Option<&'static [&'static str]> {
    matches!(count, 16 | 20).then(|| COLUMNS.get(..count)).flatten()
}

/// Whether a line is surely of this format: the title, the names of its columns, or 16 or 20 fields of which the
/// first is a time and the twelfth an event of a session.
fn recognises(line: &[u8]) -> bool {
    let line = csv::unmarked(line);
    if line.starts_with(b"#") {
        let title = csv::title(line).unwrap_or_default();
        return title == TITLE || title.starts_with(b"Timestamp,SessionId,LocalEndpoint,");
    }
    let Ok(fields) = Fields::split(line) else { return false };
    columns(fields.count).is_some() && csv::utc(fields.get(0)).is_some() && fields.get(11).starts_with(b"On")
}

/// Parses one line, with the columns of the latest `#Fields:` line, or the 16 or 20 that Exchange writes.
fn parse<'a>(line: &'a [u8], context: &Context) -> Line<'a> {
    let plain = csv::unmarked(line);
    match plain.first() {
        Some(b'#') => return Line::Directive,
        _ if plain.trim_ascii().is_empty() => return Line::Ignored("blank line"),
        _ => {}
    }
    match read(plain, context) {
        Ok(record) => Line::Record(record),
        Err(Unparsed { at, expected }) => Line::Unparsed(Unparsed { at: at + line.len() - plain.len(), expected }),
    }
}

fn read<'a>(line: &'a [u8], context: &Context) -> Result<Record<'a>, Unparsed> {
    let mut row = Row::default();
    for (name, value) in Fields::split(line)?.named(context, columns)? {
        match name {
            b"timestamp" => row.time = value,
            b"remoteendpoint" => row.remote = value,
            b"enteredorgfromip" => row.entered_from = value,
            b"p1fromaddress" => row.reverse_path = value,
            b"recipient" => row.recipient = value,
            b"agent" => row.agent = value,
            b"event" => row.event = value,
            b"action" => row.action = value,
            b"smtpresponse" => row.response = value,
            b"reason" => row.reason = value,
            _ => {}
        }
    }
    let expected = "a time: `2022-09-13T14:38:59.177Z`";
    let when = csv::utc(row.time).ok_or(Unparsed { at: offset(line, row.time), expected })?;
    Ok(Record { when, server: b"", session: None, message: None, event: event(&row) })
}

/// What an agent did. `EnteredOrgFromIP` is the client; where it is empty, the other end of the connection.
fn event<'a>(row: &Row<'a>) -> Event<'a> {
    let client = Peer { address: address(row.entered_from).or_else(|| csv::endpoint(row.remote)), name: b"" };
    match row.action {
        b"RejectAuthentication" => Event::AuthFailed { client, account: None },
        b"RejectCommand" | b"RejectConnection" | b"RejectMessage" | b"RejectRecipients" | b"Disconnect" => {
            let path = |path: &'a [u8]| (!path.is_empty()).then_some(path);
            Event::Refused {
                client,
                stage: stage(row.event),
                reply: reply(row.response),
                refusal: refusal(row),
                reverse_path: path(row.reverse_path).map(without_brackets),
                forward_path: path(row.recipient).map(without_brackets),
                helo: b"",
                account: None,
            }
        }
        _ => Event::Other,
    }
}

/// The stage of the dialogue at which an agent acts.
fn stage(event: &[u8]) -> &'static [u8] {
    match event {
        b"OnConnect" => b"CONNECT",
        b"OnHeloCommand" | b"OnEhloCommand" => b"EHLO",
        b"OnMailCommand" => b"MAIL",
        b"OnRcptCommand" => b"RCPT",
        _ => b"END-OF-MESSAGE",
    }
}

/// Why an agent refused (Microsoft Learn, anti-spam agent logging: agents and their reasons).
fn refusal(row: &Row<'_>) -> Refusal {
    match (row.agent, row.reason) {
        (_, b"RecipientDoesNotExist") => Refusal::UnknownUser,
        (b"Connection Filtering Agent" | b"Protocol Analysis Agent" | b"Protocol Filter Agent", _) => {
            Refusal::ClientBlocked
        }
        (b"Content Filter Agent" | b"Malware Agent" | b"Attachment Filtering Agent", _) => Refusal::Content,
        (b"Sender Filter Agent" | b"Sender Id Agent" | b"Sender ID Agent", _) => Refusal::SenderNotAllowed,
        _ => Refusal::Other,
    }
}

fn reply(response: &[u8]) -> Reply<'_> {
    let code = response.get(..3).and_then(number).and_then(|code| u16::try_from(code).ok());
    match code.filter(|code| (200..600).contains(code)) {
        Some(code) => Reply { code, text: response.get(3..).unwrap_or_default().trim_ascii() },
        None => Reply { code: 0, text: response },
    }
}

#[cfg(test)]
mod tests;
