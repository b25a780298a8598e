//! What syslog daemons and journald say of lines that they lost.
//!
//! - rsyslog (runtime/ratelimit.c): `imjournal: 236 messages lost due to rate-limiting`, in newer versions with
//!   `(20000 allowed within 600 seconds)` behind it, and with the process where the input is the system log socket:
//!   `imuxsock[pid: 57, name: /usr/sbin/exim4]: ...`. Older ones: `imuxsock lost 96 messages from pid 433 due to
//!   rate-limiting`.
//! - journald (src/journal/journald-server.c, journald-syslog.c): `Suppressed 7124 messages from postfix.service`,
//!   `Forwarding to syslog missed 8 messages.` RHEL 7 names it `journal`. `Missed 12 kernel messages` is not about mail.
//! - syslog-ng (`stats_freq()`): `Log statistics; dropped='dst.file(d_mail#0,/var/log/mail.log)=12', processed=...`, each
//!   a total since it was started.
//! - OpenBSD (sys/kern/subr_log.c): `sendsyslog: dropped 2 messages, error 57, pid 123`.

use super::Envelope;
use crate::record::{Line, Logger, Lost};
use crate::text::{Expected, Parsed, number};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till1, take_until};
use nom::character::complete::digit1;
use nom::combinator::{map_opt, opt, rest};
use nom::sequence::{delimited, preceded, terminated};

/// Who lost how many lines of whom.
struct Loss<'a> {
    logger: Logger,
    writer: &'a [u8],
    lines: u64,
    is_total: bool,
}

/// Reads a line by which a logger says that lines are missing, and how many; `None` if it is none.
pub fn read<'a>(envelope: &Envelope<'a>) -> Option<Line<'a>> {
    let body = envelope.body;
    let parsed = match envelope.tag {
        tag if tag.starts_with(b"rsyslog") => alt((by_pid, by_input)).parse(body),
        tag if is_journald(tag) => alt((suppressed, missed)).parse(body),
        b"syslog-ng" => statistics(body),
        b"sendsyslog" => dropped(body),
        _ => return None,
    };
    let (_, Loss { logger, writer, lines, is_total }) = parsed.ok()?;
    let (when, server) = (envelope.when, envelope.host);
    (0 < lines).then_some(Line::Lost(Lost { when, server, logger, writer, lines, is_total }))
}

/// Whether a line of a logger is about lost lines without saying how many, or about none of a mail server.
pub fn is_about(envelope: &Envelope<'_>) -> bool {
    const LOSSES: [&[u8]; 4] = [b"imuxsock", b"imjournal", b"Suppressed ", b"Missed "];
    let from_logger = envelope.tag.starts_with(b"rsyslog") || is_journald(envelope.tag);
    from_logger && LOSSES.iter().any(|loss| envelope.body.starts_with(loss))
}

/// Whether a tag is journald's own; RHEL 7 writes `journal` into syslog files.
fn is_journald(tag: &[u8]) -> bool {
    tag.starts_with(b"systemd-journal") || tag == b"journal"
}

fn count(input: &[u8]) -> Parsed<'_, u64> {
    map_opt(digit1, number).parse(input)
}

fn one<'a>(logger: Logger, writer: &'a [u8], lines: u64) -> Loss<'a> {
    Loss { logger, writer, lines, is_total: false }
}

/// Parses `imuxsock lost 96 messages from pid 433 due to rate-limiting`.
fn by_pid(input: &[u8]) -> Parsed<'_, Loss<'_>> {
    let middle = (tag(" messages from pid "), digit1, tag(" due to rate-limiting"));
    delimited(tag("imuxsock lost "), count, middle).map(|lines| one(Logger::RsyslogSocket, b"", lines)).parse(input)
}

/// Parses `imjournal: 236 messages lost due to rate-limiting`, with or without a process behind the input's name.
fn by_input(input: &[u8]) -> Parsed<'_, Loss<'_>> {
    let (input, name) = take_till1(|byte| matches!(byte, b':' | b'[' | b' ')).parse(input)?;
    let program = delimited(tag("[pid: "), preceded((digit1, tag(", name: ")), take_until("]: ")), tag("]: "));
    let (input, writer) = alt((
        program,
        delimited(tag("["), take_until("]: "), tag("]: ")).map(|_| &b""[..]),
        tag(": ").map(|_| &b""[..]),
    ))
    .parse(input)?;
    let (input, lines) = terminated(count, tag(" messages lost due to rate-limiting")).parse(input)?;
    let logger = match name {
        b"imuxsock" => Logger::RsyslogSocket,
        b"imjournal" => Logger::RsyslogJournal,
        _ => Logger::RsyslogInput,
    };
    Ok((input, one(logger, writer, lines)))
}

/// Parses `Suppressed 7124 messages from postfix.service`; the unit may be a path of control groups.
fn suppressed(input: &[u8]) -> Parsed<'_, Loss<'_>> {
    let (input, lines) = delimited(tag("Suppressed "), count, tag(" messages from ")).parse(input)?;
    rest.map(|unit| one(Logger::Journald, unit, lines)).parse(input)
}

/// Parses `Forwarding to syslog missed 8 messages.`
fn missed(input: &[u8]) -> Parsed<'_, Loss<'_>> {
    let mut rule = delimited(tag("Forwarding to syslog missed "), count, tag(" messages"));
    let (input, lines) = rule.parse(input)?;
    Ok((input, one(Logger::JournaldForward, b"", lines)))
}

/// Parses `Log statistics; ` and adds up its counters `dropped='NAME=12'`. A counter that the line's end cuts is left out.
fn statistics(input: &[u8]) -> Parsed<'_, Loss<'_>> {
    let (mut input, _) = tag("Log statistics; ").parse(input)?;
    let mut lines = 0u64;
    while let Ok((rest, (key, counter))) = statistic(input) {
        input = rest;
        let digits = counter.iter().rposition(|byte| *byte == b'=').map_or(counter, |at| &counter[at + 1..]);
        if key == b"dropped" {
            lines = lines.saturating_add(number(digits).unwrap_or(0));
        }
    }
    Ok((input, Loss { logger: Logger::SyslogNg, writer: b"", lines, is_total: true }))
}

/// Parses `dropped='NAME=12', `.
fn statistic(input: &[u8]) -> Parsed<'_, (&[u8], &[u8])> {
    let key = take_till1::<_, _, Expected<'_>>(|byte| byte == b'=');
    let counter = delimited(tag("='"), take_until("'"), tag("'"));
    terminated((key, counter), opt(tag(", "))).parse(input)
}

/// Parses `dropped 2 messages, error 57, pid 123`, the tag being `sendsyslog`.
fn dropped(input: &[u8]) -> Parsed<'_, Loss<'_>> {
    let mut rule = delimited(tag("dropped "), count, tag(" message"));
    let (input, lines) = rule.parse(input)?;
    Ok((input, one(Logger::Sendsyslog, b"", lines)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syslog::{ANOTHER_DAEMON, LOST, line};
    use Logger::{Journald, JournaldForward, RsyslogInput, RsyslogJournal, RsyslogSocket, Sendsyslog, SyslogNg};

    fn check(said: &str, logger: Logger, lines: u64, writer: &str) {
        let text = format!("Feb  1 10:00:00 mx1 {said}");
        match line(text.as_bytes()) {
            Line::Lost(lost) => {
                assert_eq!((lost.logger, lost.lines, lost.writer), (logger, lines, writer.as_bytes()), "{said}");
                assert_eq!((lost.server, lost.is_total), (&b"mx1"[..], logger == SyslogNg), "{said}");
            }
            other => panic!("{said}: {other:?}"),
        }
    }

    #[test]
    fn losses_of_rsyslog() {
        check("rsyslogd-2177: imuxsock lost 96 messages from pid 433 due to rate-limiting", RsyslogSocket, 96, "");
        check("rsyslogd-2177: imuxsock: 12 messages lost due to rate-limiting", RsyslogSocket, 12, "");
        check("rsyslogd[1]: imjournal: 236 messages lost due to rate-limiting", RsyslogJournal, 236, "");
        check(
            "rsyslogd: imjournal: 236 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
            RsyslogJournal,
            236,
            "",
        );
        check(
            "rsyslogd: imuxsock[pid: 57, name: /usr/sbin/exim4]: 9 messages lost due to rate-limiting (200 allowed within 5 \
             seconds)",
            RsyslogSocket,
            9,
            "/usr/sbin/exim4",
        );
        check("rsyslogd: imuxsock[pid: 57]: 9 messages lost due to rate-limiting", RsyslogSocket, 9, "");
        check("rsyslogd: imptcp: 5 messages lost due to rate-limiting", RsyslogInput, 5, "");
    }

    #[test]
    fn losses_of_other_loggers() {
        check("systemd-journald[31]: Suppressed 20 messages from postfix.service", Journald, 20, "postfix.service");
        check(
            "journal: Suppressed 7124 messages from /system.slice/exim.service",
            Journald,
            7124,
            "/system.slice/exim.service",
        );
        check("systemd-journald[31]: Forwarding to syslog missed 8 messages.", JournaldForward, 8, "");
        check(
            "syslog-ng[7]: Log statistics; dropped='dst.file(d_mail#0,/var/log/mail.log)=12', \
             processed='center(queued)=900', dropped='dst.tcp(d_net#0,192.0.2.1:514)=3', stored='x=",
            SyslogNg,
            15,
            "",
        );
        check("sendsyslog: dropped 2 messages, error 57, pid 123", Sendsyslog, 2, "");
        check("sendsyslog: dropped 1 message, error 57", Sendsyslog, 1, "");
    }

    #[test]
    fn lines_that_tell_no_number_and_lines_of_others() {
        let check = |said: &str, want| {
            let text = format!("Feb  1 10:00:00 mx1 {said}");
            assert_eq!(line(text.as_bytes()), Line::Ignored(want), "{said}");
        };
        check("rsyslogd-2177: imuxsock begins to drop messages from pid 433 due to rate-limiting", LOST);
        check("rsyslogd: imjournal: begin to drop messages due to rate-limiting", LOST);
        check("systemd-journald[31]: Missed 12 kernel messages", LOST);
        check("rsyslogd: imjournal: 99999999999999999999 messages lost due to rate-limiting", LOST);
        check("syslog-ng[7]: Log statistics; dropped='dst.file(d_mail#0,/var/log/mail.log)=0'", ANOTHER_DAEMON);
        // What another program writes is no statement of the logger.
        check("sshd[1]: imjournal: 236 messages lost due to rate-limiting", ANOTHER_DAEMON);
        check("sshd[1]: Suppressed 20 messages from postfix.service", ANOTHER_DAEMON);
    }
}
