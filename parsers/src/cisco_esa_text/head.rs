//! What stands before the text: the gateway's own time or a syslog envelope, or both, and the level.

use crate::record::When;
use crate::syslog;
use chrono::NaiveDateTime;

/// A line, opened.
pub struct Head<'a> {
    /// When it was written; the gateway's own time has a year, so it counts where there are two.
    pub when: When,
    /// The host, as syslog names it; else empty.
    pub server: &'a [u8],
    /// What follows the level.
    pub text: &'a [u8],
}

/// Splits `Mon Aug 10 09:52:59 2020 Info: TEXT`, `Aug 10 09:52:59 host mail_logs: Info: TEXT`, and the first behind the
/// envelope of the second. `None` for anything else.
///
/// Observed: a relay may write one envelope before another, and some releases give address and log after the time:
/// `Mon Aug 10 09:12:39 2020 192.0.2.1 mail_logs: Info: TEXT` (corpus cisco-esa).
pub fn head(line: &[u8]) -> Option<Head<'_>> {
    const ENVELOPES: usize = 2;
    if let Some(own) = own_time(line) {
        return Some(own);
    }
    let mut rest = line;
    let mut outer: Option<(When, &[u8])> = None;
    for _ in 0..ENVELOPES {
        let (_, envelope) = syslog::envelope(rest).ok()?;
        let (when, server) = *outer.get_or_insert((envelope.when, envelope.host));
        if let Some(text) = after_level(envelope.body) {
            return Some(Head { when, server, text });
        }
        if let Some(own) = own_time(envelope.body) {
            return Some(Head { server, ..own });
        }
        rest = envelope.body;
    }
    None
}

/// `Mon Aug 10 09:52:59 2020 Info: `: the gateway's local time.
fn own_time(line: &[u8]) -> Option<Head<'_>> {
    const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    let (day, rest) = line.split_at_checked(3)?;
    DAYS.contains(&day).then_some(())?;
    let rest = rest.strip_prefix(b" ")?;
    // The month, the day (two blanks may precede it), the time and the year: four words.
    let mut end = 0;
    for _ in 0..4 {
        end += rest[end..].iter().position(|byte| *byte != b' ')?;
        end += rest[end..].iter().position(|byte| *byte == b' ')?;
    }
    let text = std::str::from_utf8(&rest[..end]).ok()?;
    // The name of the day is not asked for its date: exports that hide dates get it wrong.
    let when = NaiveDateTime::parse_from_str(text, "%b %e %H:%M:%S %Y").ok().map(When::Local)?;
    let rest = &rest[end + 1..];
    let text = after_level(rest).or_else(|| {
        let mut words = rest.splitn(3, |byte| *byte == b' ');
        let (_, log, rest) = (words.next()?, words.next()?, words.next()?);
        log.ends_with(b":").then(|| after_level(rest)).flatten()
    })?;
    Some(Head { when, server: b"", text })
}

fn after_level(text: &[u8]) -> Option<&[u8]> {
    const LEVELS: [&[u8]; 5] = [b"Info: ", b"Warning: ", b"Critical: ", b"Debug: ", b"Trace: "];
    LEVELS.iter().find_map(|level| text.strip_prefix(*level)).map(<[u8]>::trim_ascii_start)
}
