//! Postfix, as its daemons log through syslog or postlogd.
//!
//! A body is `QUEUEID: statement`, `NOQUEUE: statement` or a bare statement. Which statements
//! there are depends on the daemon, the last element of the tag. Only a line that announces a
//! statement known here and then breaks its grammar is unparsed; the rest is [`Event::Other`].

mod atoms;
mod attributes;
mod delivery;
mod queue;
mod refusal;
mod refused;
mod smtpd;
mod unnamed;

use crate::record::{Event, Key, Line};
use crate::registry::{Context, Format};
use crate::syslog::{self, Body, Daemon, Envelope};
use crate::text::{Expected, Parsed};
use attributes::Dialect;

/// Postfix in any syslog envelope.
pub const FORMAT: Format = Format {
    name: "postfix",
    title: "Postfix mail log (a file of syslogd, rsyslog or postlogd)",
    versions: "checked against real logs of 3.7.11 (Debian 12) and published ones of 2.x and 3.x; short and long queue ids",
    yields: "sessions, failed log-ins, refusals with EHLO name and both paths, accounts, messages by queue id, \
             deliveries, re-injection, notifications",
    lacks: "the EHLO name of accepted mail, headers, the year (RFC 3164 envelopes), the daemon and so some sessions \
            (rsyslog's RFC 5424 envelope)",
    source: "postfix 3.7 src/smtpd/smtpd.c, smtpd_check.c, src/cleanup, src/global/log_adhoc.c, mail_queue.h, \
             postscreen_smtpd.c; RFC 3164, RFC 5424",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

/// Postfix, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "Postfix", claims: |tag| Service::of(tag).is_some(), parse: body };

fn recognises(line: &[u8]) -> bool {
    matches!(syslog::envelope(line), Ok((_, envelope)) if Service::of(envelope.tag).is_some())
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    syslog::line(line)
}

/// The kinds of Postfix daemon, by what they log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Smtpd,
    Postscreen,
    Cleanup,
    Pickup,
    /// The queue manager also writes delivery lines, for mail it suspends.
    Qmgr,
    Bounce,
    /// Delivers to other servers.
    Client,
    /// Delivers to the servers that `relay_domains` live on. Its tag has both names since Postfix 3.4 (master.cf).
    Relay,
    /// Delivers on this server.
    Agent,
    /// The administrator deletes mail with it: `removed`.
    Postsuper,
    /// Any of them: the tag is cut at its first slash.
    Unnamed,
    /// Logs nothing that is used.
    Silent,
}

impl Service {
    /// The daemon of a tag `<syslog_name>/<daemon>`; the syslog name may itself hold slashes:
    /// `postfix/submission/smtpd`. `None` for programs that are not part of Postfix.
    ///
    /// A tag without a slash is the instance only. Observed: rsyslog's RFC 5424 template puts its
    /// `programname` there, which ends at the first slash (mta/postfix, mail.rfc5424.log). Names of
    /// instances begin with `postfix-` (postmulti(1)).
    fn of(tag: &[u8]) -> Option<Service> {
        // Too short for a vectorised search to pay.
        let Some(slash) = tag.iter().rposition(|byte| *byte == b'/') else {
            // `journalctl -o with-unit` shows the unit of systemd instead: `postfix@-.service`.
            let is_unit = tag.starts_with(b"postfix@") && tag.ends_with(b".service") || tag == b"postfix.service";
            let is_instance = tag == b"postfix" || tag.starts_with(b"postfix-") || is_unit;
            return is_instance.then_some(Service::Unnamed);
        };
        let service = match &tag[slash + 1..] {
            b"smtpd" => Service::Smtpd,
            b"qmgr" | b"nqmgr" | b"oqmgr" => Service::Qmgr,
            b"cleanup" => Service::Cleanup,
            b"smtp" if tag[..slash].ends_with(b"/relay") => Service::Relay,
            b"relay" => Service::Relay,
            b"smtp" | b"lmtp" => Service::Client,
            b"local" | b"virtual" | b"pipe" | b"error" | b"retry" | b"discard" => Service::Agent,
            b"postscreen" => Service::Postscreen,
            b"pickup" => Service::Pickup,
            b"postsuper" => Service::Postsuper,
            b"bounce" | b"defer" | b"trace" => Service::Bounce,
            b"anvil" | b"dnsblog" | b"flush" | b"fsstone" | b"master" | b"mailq" | b"newaliases" | b"postalias"
            | b"postcat" | b"postconf" | b"postdrop" | b"postfix" | b"postfix-script" | b"postkick" | b"postlock"
            | b"postlog" | b"postlogd" | b"postmap" | b"postmulti" | b"postqueue" | b"posttls-finger" | b"proxymap"
            | b"proxywrite" | b"qmqpd" | b"rewrite" | b"scache" | b"sendmail" | b"showq" | b"spawn" | b"tlsmgr"
            | b"tlsproxy" | b"trivial-rewrite" | b"verify" => Service::Silent,
            _ => return None,
        };
        Some(service)
    }
}

/// What stands before the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix<'a> {
    /// No queue id.
    Bare,
    /// `NOQUEUE: `: about a transaction that has no queue file.
    NoQueue,
    /// A queue id.
    Queue(&'a [u8]),
}

/// Parses the body of a line with a Postfix tag.
fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let tag = envelope.tag;
    let named = Service::of(tag).unwrap_or(Service::Silent);
    let (prefix, statement) = prefix(envelope.body);
    let service = if named == Service::Unnamed { unnamed::service(prefix, statement) } else { named };
    let (_, event) = statement_of(service, prefix, statement)?;
    // One smtpd process serves one client at a time; postscreen and the others serve many at once.
    let is_smtpd = service == Service::Smtpd && (named == service || event != Event::Other);
    let has_session = is_smtpd && !envelope.pid.is_empty();
    let instance = &tag[..tag.iter().position(|byte| *byte == b'/').unwrap_or(tag.len())];
    Ok(Body {
        session: has_session.then_some(Key { scope: tag, id: envelope.pid }),
        message: match prefix {
            Prefix::Queue(id) => Some(Key { scope: instance, id }),
            Prefix::Bare | Prefix::NoQueue => None,
        },
        event,
    })
}

fn statement_of<'a>(service: Service, prefix: Prefix<'a>, statement: &'a [u8]) -> Parsed<'a, Event<'a>> {
    match (service, prefix) {
        (Service::Smtpd, _) => smtpd::statement(prefix, statement),
        (Service::Postscreen, Prefix::NoQueue) => refused::statement(Dialect::Postscreen, statement),
        (Service::Cleanup, Prefix::Queue(_)) => queue::cleanup(statement),
        (Service::Pickup, Prefix::Queue(_)) => queue::pickup(statement),
        (Service::Qmgr, Prefix::Queue(_)) => queue::qmgr(statement),
        (Service::Postsuper, Prefix::Queue(_)) if statement == b"removed" => Ok((b"", Event::Removed)),
        (Service::Bounce, Prefix::Queue(_)) => queue::bounce(statement),
        (Service::Relay, Prefix::Queue(_)) => {
            let (rest, event) = delivery::statement(Service::Client, statement)?;
            Ok((rest, delivery::to_gateway(event)))
        }
        (Service::Client | Service::Agent | Service::Unnamed, Prefix::Queue(_)) => {
            delivery::statement(service, statement)
        }
        _ => Ok((b"", Event::Other)),
    }
}

/// Splits `QUEUEID: ` or `NOQUEUE: ` off the body.
fn prefix(body: &[u8]) -> (Prefix<'_>, &[u8]) {
    let length = body.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(body.len());
    let (word, rest) = body.split_at(length);
    match rest.strip_prefix(b": ") {
        Some(statement) if word == b"NOQUEUE" => (Prefix::NoQueue, statement),
        Some(statement) if is_queue_id(word) => (Prefix::Queue(word), statement),
        _ => (Prefix::Bare, body),
    }
}

/// Whether a word is a queue id (Postfix src/global/mail_queue.h).
///
/// - short: upper-case hexadecimal, five digits of microseconds and an inode number; with a small inode
///   number, as few as five or six digits in all,
/// - long (`enable_long_queue_ids`, 2.9): at least ten digits of time in a base 52 without vowels, `z`, an
///   inode number in the same digits. The missing vowels keep words such as `warning` from being ids.
fn is_queue_id(word: &[u8]) -> bool {
    const SHORT: usize = 5;
    const LONG_TIME: usize = 10;
    let class = word.iter().fold(HEXADECIMAL | CONSONANTS, |class, byte| class & ID_DIGITS[usize::from(*byte)]);
    if class & HEXADECIMAL != 0 {
        return SHORT <= word.len();
    }
    LONG_TIME < word.len() && class & CONSONANTS != 0 && word[LONG_TIME..word.len() - 1].contains(&b'z')
}

/// A digit of short queue ids.
const HEXADECIMAL: u8 = 1;
/// A digit of long queue ids.
const CONSONANTS: u8 = 2;
/// What each byte is a digit of: nearly every line has an id, and every word before a colon may be one.
const ID_DIGITS: [u8; 256] = {
    let mut digits = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let text = byte as u8;
        if matches!(text, b'0'..=b'9' | b'A'..=b'F') {
            digits[byte] |= HEXADECIMAL;
        }
        let vowel = matches!(text, b'A' | b'E' | b'I' | b'O' | b'U' | b'a' | b'e' | b'i' | b'o' | b'u');
        if text.is_ascii_alphanumeric() && !vowel {
            digits[byte] |= CONSONANTS;
        }
        byte += 1;
    }
    digits
};

#[cfg(test)]
mod tests;
