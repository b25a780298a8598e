//! Events of the log API: `{"type":"message",...}`, `{"type":"maillog",...}`, `{"type":"msgParts",...}`.

use super::record as of;
use crate::json::{Value, find, members};
use crate::mailbox;
use crate::paths::{Paths, without_brackets};
use crate::record::{Event, Key, Peer, Record, Refusal, When};
use crate::syslog::time::iso;
use crate::text::{Expected, address, from_start_of, number};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message that was filtered.
    Message,
    /// A line of Sendmail.
    Mail,
    /// An attachment, or a link in a message.
    Part,
}

/// What an event says.
// It lives for the parsing of one line: boxing would allocate once a line.
#[allow(clippy::large_enum_variant)]
pub enum Said<'a> {
    /// What was decided on a message.
    Message(Record<'a>),
    /// A line of Sendmail, and the server by the name that messages have it by.
    Mail(&'a [u8], &'a [u8]),
    /// Nothing of mail.
    Part,
}

/// The members of an event that are used. Of a name that comes twice the first counts.
#[derive(Default)]
struct Members<'a> {
    kind: Option<&'a [u8]>,
    time: Option<&'a [u8]>,
    guid: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
    connection: Option<&'a [u8]>,
    envelope: Option<&'a [u8]>,
    filter: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
    origin: Option<&'a [u8]>,
    server: Option<&'a [u8]>,
}

fn read(line: &[u8]) -> Result<Members<'_>, nom::Err<Expected<'_>>> {
    let mut found = Members::default();
    members(line, |name, value| {
        let (place, value) = match (name, value) {
            (b"type", Value::Text(text)) => (&mut found.kind, text),
            (b"ts", Value::Text(text)) => (&mut found.time, text),
            (b"guid" | b"id", Value::Text(text)) => (&mut found.guid, text),
            (b"data", Value::Text(text)) => (&mut found.data, text),
            (b"connection", Value::Object(inside)) => (&mut found.connection, inside),
            (b"envelope", Value::Object(inside)) => (&mut found.envelope, inside),
            (b"filter", Value::Object(inside)) => (&mut found.filter, inside),
            (b"msg", Value::Object(inside)) => (&mut found.message, inside),
            (b"metadata", Value::Object(inside)) => (&mut found.origin, inside),
            (b"pps", Value::Object(inside)) => (&mut found.server, inside),
            _ => return,
        };
        place.get_or_insert(value);
    })?;
    Ok(found)
}

/// The kind of an event; `None` for an object that is none. Events of 2020 do not name the type `message`.
pub fn kind(line: &[u8]) -> Option<Kind> {
    kind_of(&read(line).ok()?)
}

fn kind_of(event: &Members<'_>) -> Option<Kind> {
    let is_message = event.connection.is_some() && event.envelope.is_some() && event.filter.is_some();
    let is_ours = event.guid.is_some() && event.time.is_some();
    match event.kind {
        None | Some(b"message") if is_message && is_ours => Some(Kind::Message),
        Some(b"maillog") if event.data.is_some() && is_ours => Some(Kind::Mail),
        Some(b"msgParts" | b"msgPartsUrl") if event.guid.is_some() => Some(Kind::Part),
        _ => None,
    }
}

/// Reads an event.
pub fn record(line: &[u8]) -> Result<Said<'_>, nom::Err<Expected<'_>>> {
    let wanted = |what| nom::Err::Error(Expected { rest: line, what });
    let event = read(line)?;
    Ok(match kind_of(&event).ok_or_else(|| wanted("an event of the log API: `\"type\":\"message\"`"))? {
        Kind::Part => Said::Part,
        Kind::Mail => {
            let data = event.data.unwrap_or_default();
            // Sendmail's own marks cannot be told from those that a quotation in an address holds once both are escaped.
            if data.contains(&b'\\') {
                let (rest, what) = (from_start_of(line, data), "a line of Sendmail without escapes");
                return Err(nom::Err::Error(Expected { rest, what }));
            }
            Said::Mail(data, server(&event))
        }
        Kind::Message => {
            let time = event.time.and_then(|time| iso(time).ok()).map(|(_, when)| when);
            Said::Message(message(&event, time.ok_or_else(|| wanted("a time in `ts`"))?))
        }
    })
}

fn inside<'a>(object: Option<&'a [u8]>, path: &[&[u8]]) -> Option<Value<'a>> {
    object.and_then(|object| find(object, path))
}

fn text<'a>(object: Option<&'a [u8]>, path: &[&[u8]]) -> &'a [u8] {
    inside(object, path).map(Value::text).unwrap_or_default()
}

/// The server that an event is of. Sendmail's own lines give a shorter name.
fn server<'a>(event: &Members<'a>) -> &'a [u8] {
    match text(event.origin, &[b"origin", b"data", b"agent"]) {
        b"" => text(event.server, &[b"agent"]),
        agent => agent,
    }
}

/// Reads what was decided on a message. One that was handed back to the filter was told of before.
fn message<'a>(event: &Members<'a>, when: When) -> Record<'a> {
    let list = |object, path: &[&[u8]]| match inside(object, path) {
        Some(Value::List(inside)) => Paths::strings(inside),
        _ => Paths::strings(b""),
    };
    let server = server(event);
    if text(event.filter, &[b"isMsgReinjected"]) == b"true" {
        return of(when, server, Event::Other);
    }
    let resolved = text(event.connection, &[b"resolveStatus"]) == b"ok";
    let name = if resolved { text(event.connection, &[b"host"]) } else { b"" };
    let refusal = refusal(text(event.filter, &[b"disposition"]));
    let size = [(event.filter, b"msgSizeBytes".as_slice()), (event.message, b"sizeBytes")];
    let from = list(event.message, &[b"header", b"from"]);
    // Several From headers: which one is shown depends on who reads it.
    let mut from = from.iter();
    let from = from.next().filter(|_| from.next().is_none()).unwrap_or_default();
    let decided = Event::Decided {
        client: Peer { address: address(text(event.connection, &[b"ip"])), name },
        helo: text(event.connection, &[b"helo"]),
        reverse_path: match inside(event.envelope, &[b"from"]) {
            Some(Value::Text(path)) => Some(without_brackets(path)),
            _ => None,
        },
        header_from: mailbox::address(from),
        forward_paths: list(event.envelope, &[b"rcpts"]),
        message_id: list(event.message, &[b"header", b"message-id"]).iter().next().unwrap_or_default(),
        size_bytes: size.iter().find_map(|(object, name)| number(text(*object, &[name]))).unwrap_or(0),
        taken: refusal.is_none(),
        refusal,
    };
    let id = Some(text(event.filter, &[b"qid"])).filter(|id| !id.is_empty());
    Record { message: id.map(|id| Key { scope: b"proofpoint", id }), ..of(when, server, decided) }
}

/// What the filter did with a message in the end, where it did not pass it on. Dispositions may be several: `quarantine,discard`.
pub fn refusal(disposition: &[u8]) -> Option<Refusal> {
    let mut words = disposition.split(|byte| matches!(byte, b',' | b';' | b' '));
    words.find_map(|word| match word {
        b"reject" => Some(Refusal::Other),
        b"retry" | b"tempfail" => Some(Refusal::Greylisted),
        b"discard" | b"quarantine" | b"drop" => Some(Refusal::Content),
        _ => None,
    })
}
