//! The envelopes that syslog daemons put around a line, and the daemons behind them.
//!
//! A new daemon is one module with a [`Daemon`] in it and one line in [`DAEMONS`].

mod lost;
mod month;
pub mod time;

use crate::record::{Event, Key, Line, Record, When};
use crate::text::{Expected, Parsed, expect, number, unparsed};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take, take_till1, take_while, take_while_m_n};
use nom::character::complete::{char, digit1, space1};
use nom::combinator::{opt, recognize, value};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded, terminated};

/// A line of syslog, opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// When the line was written.
    pub when: When,
    /// The host that wrote it, as its own syslog daemon names it; empty if left out.
    pub host: &'a [u8],
    /// The program, whole: `postfix/submission/smtpd`. Empty if the line names none.
    pub tag: &'a [u8],
    /// The process id; empty if not logged.
    pub pid: &'a [u8],
    /// What the program said.
    pub body: &'a [u8],
}

/// What a daemon's grammar finds in a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Body<'a> {
    /// The SMTP session that the line names.
    pub session: Option<Key<'a>>,
    /// The message that the line names.
    pub message: Option<Key<'a>>,
    /// What happened.
    pub event: Event<'a>,
}

/// One mail daemon that logs through syslog.
pub struct Daemon {
    /// Its name, for people.
    pub name: &'static str,
    /// Whether lines with this tag are its own. True of at most one daemon for any tag.
    pub claims: fn(tag: &[u8]) -> bool,
    /// Parses the body of a line whose tag it claims.
    pub parse: for<'a> fn(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>>,
}

/// Every daemon that is understood.
pub const DAEMONS: &[&Daemon] = &[
    &crate::postfix::DAEMON,
    &crate::exim::DAEMON,
    &crate::sendmail::DAEMON,
    &crate::opensmtpd::DAEMON,
    &crate::qmail::DAEMON,
    &crate::courier::DAEMON,
    &crate::proofpoint::DAEMON,
    &crate::haraka::DAEMON,
    &crate::mailscanner::DAEMON,
    &crate::logins::DOVECOT,
    &crate::logins::CYRUS,
    &crate::logins::SASLAUTHD,
];

/// Reason to ignore a line with nothing in it.
pub const BLANK: &str = "blank line";
/// Reason to ignore a line of a program that is in no way a mail server we know.
pub const ANOTHER_DAEMON: &str = "another daemon";
/// Reason to ignore a line that stands for several equal ones (syslogd, rsyslog).
pub const REPEATED: &str = "count of repeated lines";
/// Reason to ignore what `journalctl` and `grep` write between lines.
pub const BETWEEN: &str = "written between lines by journalctl or grep";
/// Reason to ignore a sign of life of the logger.
pub const MARK: &str = "mark of the logger";
/// Reason to ignore a line by which the logger says that lines are missing.
pub const LOST: &str = "lines lost by the logger";

/// Parses one line: its envelope, then its body by the grammar of the daemon that claims it.
pub fn line(line: &[u8]) -> Line<'_> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored(BLANK);
    }
    let envelope = match envelope(line) {
        Ok((_, envelope)) => envelope,
        Err(_) if line == b"--" || line.starts_with(b"-- ") && line.ends_with(b" --") => return Line::Ignored(BETWEEN),
        Err(error) => return Line::Unparsed(unparsed(line, &error)),
    };
    if let Some(line) = repeated(&envelope) {
        return line;
    }
    let Some(daemon) = DAEMONS.iter().find(|daemon| (daemon.claims)(envelope.tag)) else {
        return lost::read(&envelope)
            .unwrap_or_else(|| Line::Ignored(of_the_logger(&envelope).unwrap_or(ANOTHER_DAEMON)));
    };
    match (daemon.parse)(&envelope) {
        Ok(Body { session, message, event }) => {
            Line::Record(Record { when: envelope.when, server: envelope.host, session, message, event })
        }
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// Parses the envelope of a line; nothing is left over, the body being part of the result.
///
/// - RFC 3164 section 4.1 as syslogd, rsyslog and postlogd write it to files: `Feb  1 10:00:00 host tag[pid]: body`,
/// - the same with the time of RFC 3339 (rsyslog's `RSYSLOG_FileFormat`),
/// - either with the priority in front, as sent over the network: `<22>`,
/// - RFC 5424 section 6: `<22>1 2027-01-18T06:42:18Z host tag pid msgid [data] body`.
///
/// The host may be missing. Fails where the time is none, or the line ends before the program.
pub fn envelope(line: &[u8]) -> Parsed<'_, Envelope<'_>> {
    if line.first() != Some(&b'<') {
        return in_file(line);
    }
    let (rest, _) = priority(line)?;
    match rest.strip_prefix(b"1 ") {
        Some(rest) => rfc5424(rest),
        None => in_file(rest),
    }
}

fn in_file(input: &[u8]) -> Parsed<'_, Envelope<'_>> {
    let (input, when) = time::timestamp(input)?;
    let (input, _) = expect("a space after the time", space1).parse(input)?;
    let (input, host) = host(input)?;
    let (input, (tag, pid)) = program(without_level(input))?;
    Ok((b"", Envelope { when, host, tag, pid, body: without_message_id(input) }))
}

/// Parses `<22>`: facility times 8 plus severity (RFC 5424 section 6.2.1).
fn priority(input: &[u8]) -> Parsed<'_, &[u8]> {
    let digits = take_while_m_n(1, 3, |b: u8| b.is_ascii_digit());
    expect("a priority: `<22>`", delimited(char('<'), digits, char('>'))).parse(input)
}

/// Parses the host and the space behind it. Empty, and nothing taken, if `tag[pid]:` stands in its place.
///
/// Observed: appliances and cut logs leave the host out: `Sep  3 00:00:33 postfix/smtpd[1]: ...`.
fn host(input: &[u8]) -> Parsed<'_, &[u8]> {
    let end = memchr::memchr(b' ', input).unwrap_or(input.len());
    let (word, rest) = input.split_at(end);
    if word.ends_with(b"]:") {
        return Ok((input, b""));
    }
    let (rest, _) = expect("a host and a program after the time", space1).parse(rest)?;
    Ok((rest, word))
}

/// Parses `tag[pid]: `, without the pid or the colon if need be. Both are empty, and nothing
/// is taken, if the line names no program (`last message repeated 2 times`).
fn program(input: &[u8]) -> Parsed<'_, (&[u8], &[u8])> {
    let end = input.iter().position(|b| matches!(b, b'[' | b':' | b' ')).unwrap_or(input.len());
    let (tag, rest) = input.split_at(end);
    match rest {
        [b'[', rest @ ..] => {
            let (rest, pid) = terminated(take_while(|b| b != b']'), char(']')).parse(rest)?;
            Ok((after_colon(rest), (tag, pid)))
        }
        [b':', ..] => Ok((after_colon(rest), (tag, b""))),
        _ => Ok((input, (b"", b""))),
    }
}

fn after_colon(rest: &[u8]) -> &[u8] {
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    rest.strip_prefix(b" ").unwrap_or(rest)
}

/// What follows the facility and severity that AIX puts before the program: `mail:info `.
fn without_level(input: &[u8]) -> &[u8] {
    match input.strip_prefix(b"mail:").and_then(|rest| Some(rest.split_at(memchr::memchr(b' ', rest)?))) {
        Some((level, rest)) if level.iter().all(u8::is_ascii_lowercase) && !level.is_empty() => &rest[1..],
        _ => input,
    }
}

/// The body without the message id that Solaris puts before it: `[ID 197553 mail.info] `.
fn without_message_id(body: &[u8]) -> &[u8] {
    let id = delimited(tag("[ID "), take_till1(|b| b == b']'), tag("] "));
    let mut rule = recognize::<_, Expected<'_>, _>(id);
    match body.first() {
        Some(b'[') => rule.parse(body).map_or(body, |(rest, _)| rest),
        _ => body,
    }
}

/// Parses what follows `<22>1 `: time, host, program, process, message type, data, body
/// (RFC 5424 section 6). `-` is nil: it gives [`When::Unknown`] or an empty field.
fn rfc5424(input: &[u8]) -> Parsed<'_, Envelope<'_>> {
    let (input, when) = terminated(alt((value(When::Unknown, char('-')), time::iso)), char(' ')).parse(input)?;
    let (input, (host, program, pid, _)) = (field, field, field, field).parse(input)?;
    let (input, _) = alt((recognize(char('-')), recognize((element, many0_count(element))))).parse(input)?;
    // rsyslog's template adds to the space of the standard the one that RFC 3164 has after the colon.
    let (input, _) = (opt(char(' ')), opt(tag("\u{feff}")), opt(char(' '))).parse(input)?;
    Ok((b"", Envelope { when, host, tag: program, pid, body: input }))
}

fn field(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, word) = expect("a field of the header", terminated(is_not(" "), char(' '))).parse(input)?;
    Ok((rest, if word == b"-" { b"" } else { word }))
}

/// Parses one element of structured data, `[origin ip="192.0.2.1"]`, whose quoted values hold
/// `\]`, `\"` and `\\` (RFC 5424 section 6.3.3).
fn element(input: &[u8]) -> Parsed<'_, usize> {
    let escaped = recognize(preceded(char('\\'), take(1usize)));
    let text = many0_count(alt((escaped, is_not("\\\""))));
    let quoted = recognize(delimited(char('"'), text, char('"')));
    let inside = many0_count(alt((quoted, is_not("\"]"))));
    expect("`]` to close the structured data", delimited(char('['), inside, char(']'))).parse(input)
}

/// Reads a line that counts others, or `None` if it is none.
///
/// rsyslog repeats what they say: `message repeated 2 times: [ connect from ...]`, with the program's tag, where the
/// first was written and two more were not (runtime/ratelimit.c, which cuts the text after 800 bytes). syslogd does
/// not: `last message repeated 2 times`.
fn repeated<'a>(envelope: &Envelope<'a>) -> Option<Line<'a>> {
    if !matches!(envelope.body.first(), Some(b'l' | b'm')) {
        return None;
    }
    let mut start = recognize::<_, Expected<'_>, _>(pair(opt(tag("last ")), tag("message repeated ")));
    let (rest, _) = start.parse(envelope.body).ok()?;
    Some(expand(envelope, rest).unwrap_or(Line::Ignored(REPEATED)))
}

/// Parses `2 times: [ BODY]`, and the body by the grammar of its daemon, if the repetition of what it says can be
/// counted.
fn expand<'a>(envelope: &Envelope<'a>, input: &'a [u8]) -> Option<Line<'a>> {
    let count: Parsed<'a, &[u8]> = terminated(digit1, tag(" times: [ ")).parse(input);
    let (rest, digits) = count.ok()?;
    let times = u32::try_from(number(digits)?).ok()?;
    let envelope = Envelope { body: rest.strip_suffix(b"]")?, ..*envelope };
    let daemon = DAEMONS.iter().find(|daemon| (daemon.claims)(envelope.tag))?;
    let Body { session, message, event } = (daemon.parse)(&envelope).ok()?;
    let stands_alone = matches!(
        event,
        Event::Refused { .. }
            | Event::AuthFailed { .. }
            | Event::LogInsFailed { .. }
            | Event::Connect { .. }
            | Event::Hello { .. }
    );
    let record = Record { when: envelope.when, server: envelope.host, session, message, event };
    (stands_alone && message.is_none()).then_some(Line::Repeated { record, times })
}

/// Why to ignore a line of the logger itself.
fn of_the_logger(envelope: &Envelope<'_>) -> Option<&'static str> {
    if envelope.body.starts_with(b"-- MARK --") {
        return Some(MARK);
    }
    lost::is_about(envelope).then_some(LOST)
}

#[cfg(test)]
mod tests;
