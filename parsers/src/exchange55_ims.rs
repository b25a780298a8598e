//! Exchange 5.5 Internet Mail Service, SMTP protocol log: `5/13/00 2:36:28 PM : <<< MAIL FROM:<a@example.org>`.
//!
//! `<<<` came in, `>>>` went out; the sessions of a file follow one another. Of an answer, only the first line has a time. At
//! the highest level every line also stands there as it came (`<<< IO: |MAIL FROM:...`), and so does the text of messages, whose
//! further lines have no time of their own: a client can write lines there that look like the server's. Where the file
//! shows how the text ends, with a full stop alone, such lines are left out when sessions are read.

use crate::record::{Event, Key, Line, Peer, Record, When};
use crate::registry::{Context, Format};
use crate::text::{Expected, address, number, unparsed};
use crate::transcript::{answer, command};
use chrono::{NaiveDate, NaiveDateTime};
use memchr::memchr;

/// Exchange 5.5 Internet Mail Service.
pub const FORMAT: Format = Format {
    name: "exchange55-ims",
    title: "Microsoft Exchange 5.5 Internet Mail Service, SMTP protocol log (L*.LOG in imcdata\\log)",
    versions: "checked against 22 lines of one session and parts of three others in Microsoft's own articles; the text of messages \
               is in none of them",
    yields: "sessions, EHLO names, both paths, every answer, failed log-ins; whether mail came with a log-in",
    lacks: "the address of clients that have a name; the account of mail (base64 in the line after AUTH); what became of accepted \
            mail; the zone of its times, and the form of dates other than month/day; the name of the server. At the highest level \
            the text of messages is in the log: a client that knows how its text is cut into packets, or a file that does not show \
            how texts end, can make it look like lines of the server. Message tracking of 5.5 is not read: it names no client",
    source: "Microsoft KB 262945, KB 251283, and the article on PIX Mailguard of 2001 with a log (kbarchive); \"Interpreting an SMTP \
             protocol log\" (fphkb.com), for `IO: |`; observed: corpus exchange55-ims",
    repeats: &[],
    recognises: |line| stamp(line).is_ok_and(|(_, text)| STARTS.iter().any(|start| text.starts_with(start))),
    parse,
    direct: |_, _| (),
};

/// Every session of a file; the next begins when the last has ended.
const SESSION: Key<'static> = Key { scope: b"IMS", id: b"" };

const ACCEPTED: &[u8] = b"A connection was accepted from ";
const CONNECTED: &[u8] = b"A connection to ";
const RECEIVED: &[u8] = b"<<< ";
const SENT: &[u8] = b">>> ";
const AS_IT_CAME: &[u8] = b"<<< IO: |";
const STARTS: [&[u8]; 4] = [ACCEPTED, CONNECTED, RECEIVED, SENT];

/// Reason to ignore a line without a time.
const WITHOUT_TIME: &str = "more of an answer, or the text of a message";

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    let record = |when, event| Line::Record(Record { when, server: b"", session: Some(SESSION), message: None, event });
    match stamp(line) {
        Ok((when, text)) => record(when, event(text)),
        Err(_) if line.trim_ascii().is_empty() => Line::Ignored("blank line"),
        Err(_) if line == b"." => record(When::Unknown, Event::AsItCame { ends_text: true }),
        Err(_) if !is_stamped(line) => Line::Ignored(WITHOUT_TIME),
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// Whether a line may be one of the server's with another form of time: it begins with a digit, and says soon which way it went.
fn is_stamped(line: &[u8]) -> bool {
    let says_way = || line.windows(SENT.len()).take(LONGEST_TIME).any(|part| part == RECEIVED || part == SENT);
    line.first().is_some_and(u8::is_ascii_digit) && says_way()
}

/// No time is longer, with what follows it: `12/31/1999 12:59:59 PM : `.
const LONGEST_TIME: usize = 26;

/// Splits off `5/13/00 2:36:27 PM : `, the server's local time in the form of the United States.
fn stamp(line: &[u8]) -> Result<(When, &[u8]), nom::Err<Expected<'_>>> {
    let wanted = || nom::Err::Error(Expected { rest: line, what: "a time: `5/13/00 2:36:27 PM : `" });
    let at = memchr::memmem::find(&line[..line.len().min(LONGEST_TIME)], b" : ").ok_or_else(wanted)?;
    let when = time(&line[..at]).ok_or_else(wanted)?;
    Ok((When::Local(when), &line[at + 3..]))
}

/// Reads `5/13/00 2:36:27 PM`. Years of two digits are those of 1970 to 2069; the product is of 1997.
fn time(text: &[u8]) -> Option<NaiveDateTime> {
    let mut words = text.split(|byte| *byte == b' ');
    let (day, clock, half) = (words.next()?, words.next()?, words.next()?);
    let [month, day, year] = numbers(day, b'/')?;
    let year = match year {
        0..70 => 2000 + year,
        70..100 => 1900 + year,
        _ => year,
    };
    let [hour, minute, second] = numbers(clock, b':')?;
    let hour = match half {
        _ if !(1..=12).contains(&hour) || words.next().is_some() => return None,
        b"AM" => hour % 12,
        b"PM" => hour % 12 + 12,
        _ => return None,
    };
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?.and_hms_opt(hour, minute, second)
}

/// Reads three numbers of up to four digits.
fn numbers(text: &[u8], separator: u8) -> Option<[u32; 3]> {
    let mut parts = text.split(|byte| *byte == separator).map(|digits| match digits.len() {
        1..=4 => number(digits).and_then(|number| u32::try_from(number).ok()),
        _ => None,
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// Only the first line of a session names the client.
fn event(text: &[u8]) -> Event<'_> {
    let nobody = Peer::default();
    if let Some(host) = text.strip_prefix(ACCEPTED) {
        return Event::Begun { client: client(host), outbound: false };
    }
    if text.starts_with(CONNECTED) {
        return Event::Begun { client: nobody, outbound: true };
    }
    if let Some(line) = text.strip_prefix(AS_IT_CAME) {
        return Event::AsItCame { ends_text: line == b"." };
    }
    match (text.strip_prefix(RECEIVED), text.strip_prefix(SENT)) {
        (Some(line), _) => command(nobody, line),
        (_, Some([b'2', b'2', b'1', ..] | [b'4', b'2', b'1', ..])) => Event::Closed { client: nobody },
        (_, Some(line)) => answer(nobody, line),
        _ => Event::Other,
    }
}

/// Reads `mail.example.org.`, or an address: the host is followed by a full stop, in some releases.
fn client(host: &[u8]) -> Peer<'_> {
    let host = host.trim_ascii();
    let host = host.strip_suffix(b".").unwrap_or(host);
    let end = memchr(b' ', host).unwrap_or(host.len());
    match address(&host[..end]) {
        Some(address) => Peer { address: Some(address), name: b"" },
        None => Peer { address: None, name: &host[..end] },
    }
}
