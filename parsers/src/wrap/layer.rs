//! The layers that are a prefix: each gives what stands behind it, or `None` if the line does not have it.

use super::{begins_line, without_priority};
use crate::record::When;
use crate::syslog::{self, time};
use crate::text::Parsed;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while_m_n, take_while1};
use nom::character::complete::{char, one_of, space0};
use nom::combinator::{opt, recognize};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, terminated};

/// A line without a layer.
pub struct Peeled<'a> {
    /// The time that the layer gives, as text.
    pub stamp: Option<&'a [u8]>,
    /// What stands behind the layer.
    pub rest: &'a [u8],
}

/// One layer.
pub type Layer = for<'a> fn(&'a [u8]) -> Option<Peeled<'a>>;

/// Every layer, in the order in which they are tried; the place in the list is the bit in a `Wrapping`.
pub const LAYERS: [Layer; 8] = [indent, quote, compose, container, octets, supercomputer, nested, grep];

fn bare(rest: &[u8]) -> Option<Peeled<'_>> {
    Some(Peeled { stamp: None, rest })
}

/// Blanks before the line, as in code blocks of forums.
fn indent(line: &[u8]) -> Option<Peeled<'_>> {
    let rest = line.trim_ascii_start();
    (rest.len() < line.len() && begins_line(rest)).then_some(rest).and_then(bare)
}

/// `|  ` (fail2ban-regex lists the lines it missed behind it) or `> ` (a quoted mail).
fn quote(line: &[u8]) -> Option<Peeled<'_>> {
    let (mark, rest) = line.split_first()?;
    let rest = rest.trim_ascii_start();
    (matches!(mark, b'|' | b'>') && begins_line(rest)).then_some(rest).and_then(bare)
}

/// `mail-1  | `: the service of docker-compose, maybe in colours (`ESC [ 36m`).
fn compose(line: &[u8]) -> Option<Peeled<'_>> {
    fn prefix(input: &[u8]) -> Parsed<'_, usize> {
        let (input, _) = many0_count(colour).parse(input)?;
        let (input, _) = take_while_m_n(1, 128, is_of_name).parse(input)?;
        let (input, _) = (space0, many0_count(colour), char('|'), many0_count(colour)).parse(input)?;
        let (input, _) = opt(char(' ')).parse(input)?;
        many0_count(colour).parse(input)
    }
    prefix(line).ok().and_then(|(rest, _)| bare(rest))
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// A colour of a terminal (ECMA-48 section 8.3.117): `ESC [ 1;36m`.
fn colour(input: &[u8]) -> Parsed<'_, &[u8]> {
    let numbers = take_while(|byte: u8| byte.is_ascii_digit() || byte == b';');
    recognize(delimited(tag("\x1b["), numbers, char('m'))).parse(input)
}

/// The time before a line of `docker logs -t`, `kubectl logs --timestamps` and `docker compose logs -t`:
/// `2026-11-24T10:00:00.123456789Z `, or, in the files of containerd and CRI-O, `2026-11-24T10:00:00.123456789Z stdout
/// F ` (Kubernetes, "CRI logging format"). Without the latter, only before a line that has a time of its own.
fn container(line: &[u8]) -> Option<Peeled<'_>> {
    let (rest, when) = time::iso(line).ok()?;
    let stamp = line.get(..line.len() - rest.len())?;
    let rest = rest.strip_prefix(b" ")?;
    if !matches!(when, When::Utc(_)) {
        return None;
    }
    let stream = (alt((tag("stdout "), tag("stderr "))), one_of("FP"), char(' '));
    let is_cri: Parsed<'_, &[u8]> = recognize(stream).parse(rest);
    match is_cri {
        Ok((rest, _)) => Some(Peeled { stamp: Some(stamp), rest }),
        Err(_) => begins_line(rest).then_some(Peeled { stamp: Some(stamp), rest }),
    }
}

/// The length before a message on a TCP connection: `486 <22>1 ...` (RFC 6587 section 3.4.1).
fn octets(line: &[u8]) -> Option<Peeled<'_>> {
    let digits = take_while_m_n(1, 6, |byte: u8| byte.is_ascii_digit());
    let prefix: Parsed<'_, (&[u8], char)> = (digits, char(' ')).parse(line);
    prefix.ok().filter(|(rest, _)| without_priority(rest).len() < rest.len()).and_then(|(rest, _)| bare(rest))
}

/// `- 1131566491 2005.11.09 admin1 Nov 9 12:01:31 src@admin1 sendmail[4306]: ...`: an alert, the time in seconds, the
/// date and the host. Observed: loghub's Thunderbird log (corpus `sendmail`).
fn supercomputer(line: &[u8]) -> Option<Peeled<'_>> {
    fn prefix(input: &[u8]) -> Parsed<'_, &[u8]> {
        let word = |input| take_while1(|byte: u8| byte != b' ').parse(input);
        let date = take_while_m_n(10, 10, |byte: u8| byte.is_ascii_digit() || byte == b'.');
        let seconds = take_while_m_n(9, 11, |byte: u8| byte.is_ascii_digit());
        let (input, _) = pair(word, char(' ')).parse(input)?;
        let (input, stamp) = terminated(seconds, char(' ')).parse(input)?;
        let (input, _) = (date, char(' '), word, char(' ')).parse(input)?;
        Ok((input, stamp))
    }
    let (rest, stamp) = prefix(line).ok()?;
    begins_line(rest).then_some(Peeled { stamp: Some(stamp), rest })
}

/// The syslog line of a container within one of its host: `Dec 15 13:15:02 srv mail[406]: Dec 15 05:15:02 mx
/// postfix/qmgr[376]: ...`. Observed: Mailu. Not within a line of a mail daemon, whose text is in part that of clients.
fn nested(line: &[u8]) -> Option<Peeled<'_>> {
    let bare_line = without_priority(line);
    let (after, _) = time::timestamp(bare_line).ok()?;
    let stamp = bare_line.get(..bare_line.len() - after.len())?;
    let (_, envelope) = syslog::envelope(line).ok()?;
    let is_ours = syslog::DAEMONS.iter().any(|daemon| (daemon.claims)(envelope.tag));
    let rest = envelope.body;
    let is_nested = !is_ours && !envelope.tag.is_empty() && syslog::envelope(rest).is_ok();
    is_nested.then_some(Peeled { stamp: Some(stamp), rest })
}

/// Longer paths are none that an administrator has logs in.
const LONGEST_PATH: usize = 512;

/// `path:` or `path:12:` (`grep -H`, `grep -n`), and `path-` before lines of context (`grep -C`).
///
/// The path ends at its first colon, that of a drive aside. A line that begins as those of logs do has none.
fn grep(line: &[u8]) -> Option<Peeled<'_>> {
    fn number(input: &[u8]) -> Parsed<'_, &[u8]> {
        recognize(pair(take_while1(|byte: u8| byte.is_ascii_digit()), one_of(":-"))).parse(input)
    }
    if begins_line(line) {
        return None;
    }
    let is_drive = matches!(line, [b'A'..=b'Z' | b'a'..=b'z', b':', b'\\' | b'/', ..]);
    let start = if is_drive { 2 } else { 0 };
    // Windows has blanks in its paths; elsewhere they would rather be words of a text. A bracket is that of a process
    // id.
    let is_of_path = |byte: &u8| is_drive || !matches!(byte, b' ' | b'\t' | b'[');
    let without_number = |rest| match number(rest) {
        Ok((inner, _)) if begins_line(inner) => inner,
        _ => rest,
    };
    let rest = line.get(start..)?;
    let rest_of_path = rest.iter().take(LONGEST_PATH).position(|byte| !is_of_path(byte)).unwrap_or(LONGEST_PATH);
    for at in memchr::memchr2_iter(b':', b'-', rest).take_while(|at| (1..rest_of_path).contains(at)) {
        let behind = rest.get(at..)?;
        let inner = without_number(behind.get(1..)?);
        // A path may itself hold `-`: it ends there only where a line begins.
        if behind.starts_with(b":") || begins_line(inner) {
            return bare(inner);
        }
    }
    None
}
