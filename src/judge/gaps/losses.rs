//! Lines that loggers lost: a gap for each run of hours in which they said so.

use super::{Gap, GapKind};
use crate::judge::words::{count, period, quoted, server};
use crate::ledger::{Ledger, Loss, LossKey, Span, Time};
use relayaudit_parsers::record::Logger;
use relayaudit_parsers::settings;

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// What units and programs of mail servers have in their names.
const MAIL: [&str; 14] = [
    "mail", "postfix", "exim", "smtp", "dovecot", "courier", "qmail", "cyrus", "sasl", "imap", "pop3", "zimbra", "mta",
    "amavis",
];

/// The losses on servers that wrote of mail.
pub fn find(ledger: &Ledger) -> Vec<Gap> {
    let losses = ledger.losses.iter();
    let losses = losses.filter(|(key, _)| ledger.servers.contains_key(&key.server) && may_be_mail(&key.writer));
    losses.flat_map(|(key, loss)| of(key, loss)).collect()
}

/// Whether the lines of a unit or program may have been about mail: not if it is a service or a program whose name
/// says otherwise. Slices and containers hold anything.
fn may_be_mail(writer: &str) -> bool {
    let name = writer.rsplit('/').next().unwrap_or(writer);
    let is_one_program = name.ends_with(".service") || !name.contains('.');
    name.is_empty() || !is_one_program || MAIL.iter().any(|part| writer.contains(part))
}

fn of(key: &LossKey, loss: &Loss) -> Vec<Gap> {
    let hours: Vec<(i32, u64)> = loss.hours.iter().collect();
    if key.logger == Logger::SyslogNg {
        let hours = hours.first().zip(hours.last()).map(|(first, last)| (first.0, last.0));
        return vec![gap(key, loss, hours, loss.total)];
    }
    let runs = hours.chunk_by(|(before, _), (hour, _)| before.checked_add(1) == Some(*hour));
    let counted: u64 = hours.iter().map(|(_, lines)| lines).fold(0, |sum, lines| sum.saturating_add(*lines));
    let run = |run: &[(i32, u64)]| {
        let lines = run.iter().map(|(_, lines)| lines).fold(0, |sum: u64, lines| sum.saturating_add(*lines));
        gap(key, loss, run.first().zip(run.last()).map(|(first, last)| (first.0, last.0)), lines)
    };
    let mut gaps: Vec<Gap> = runs.map(run).collect();
    // Statements without a time.
    if let Some(rest) = loss.lines.checked_sub(counted).filter(|rest| 0 < *rest) {
        gaps.push(gap(key, loss, None, rest));
    }
    // The book keeps the first statement only.
    gaps.iter_mut().skip(1).for_each(|gap| gap.evidence.clear());
    gaps
}

/// The gap of some hours, the last included.
fn gap(key: &LossKey, loss: &Loss, hours: Option<(i32, i32)>, lines: u64) -> Gap {
    let span = hours.map_or(Span::default(), |(first, last)| Span {
        first: Some(Time(i64::from(first) * HOUR)),
        last: Some(Time((i64::from(last) + 1) * HOUR)),
    });
    let (how, advice) = settings::of_logger(key.logger);
    let whose = if key.writer.is_empty() { String::new() } else { format!(" of {}", quoted(&key.writer)) };
    let at_least = if key.logger == Logger::SyslogNg { "at least " } else { "" };
    let lines_lost = count(lines, "log line", "log lines");
    let were = if lines == 1 { "was" } else { "were" };
    Gap {
        server: key.server,
        kind: GapKind::LostLines,
        span,
        lines_lost: lines,
        recipients: 0,
        what: format!(
            "On {}, {at_least}{lines_lost}{whose} {were} lost to {how}{}.",
            server(&key.server),
            period(span)
        ),
        advice: advice.to_owned(),
        evidence: loss.evidence.iter().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::Merge;

    #[test]
    fn units_that_are_surely_no_mail_servers_are_left_out() {
        for (writer, expected) in [
            ("", true),
            ("postfix@-.service", true),
            ("/system.slice/exim4.service", true),
            ("/system.slice/docker-0f.scope", true),
            ("user.slice", true),
            ("/usr/sbin/exim4", true),
            ("/usr/lib/postfix/sbin/qmgr", true),
            ("named.service", false),
            ("/system.slice/named.service", false),
            ("/usr/bin/orchagent", false),
        ] {
            assert_eq!(may_be_mail(writer), expected, "{writer}");
        }
    }

    fn ledger(logger: Logger, statements: &[(Option<i64>, u64)]) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.servers.entry("mx1".into()).or_default();
        let key = LossKey { server: "mx1".into(), logger, writer: "".into() };
        for (hour, lines) in statements {
            let mut loss = Loss::default();
            loss.see(hour.map(|hour| Time(hour * HOUR + 1)), *lines, logger == Logger::SyslogNg);
            ledger.losses.entry(key).or_default().merge(loss);
        }
        ledger
    }

    #[test]
    fn hours_side_by_side_are_one_gap() {
        let check = |logger, statements: &[(Option<i64>, u64)], expected: &[(Option<i64>, Option<i64>, u64)]| {
            let gaps = find(&ledger(logger, statements));
            let hour = |time: Option<Time>| time.map(|time| time.0 / HOUR);
            let got: Vec<_> =
                gaps.iter().map(|gap| (hour(gap.span.first), hour(gap.span.last), gap.lines_lost)).collect();
            assert_eq!(got, expected);
        };
        let limited = Logger::RsyslogJournal;
        check(limited, &[(Some(5), 10), (Some(4), 7), (Some(9), 1)], &[(Some(4), Some(6), 17), (Some(9), Some(10), 1)]);
        check(limited, &[(Some(5), 10), (None, 3)], &[(Some(5), Some(6), 10), (None, None, 3)]);
        // Totals are not added up.
        check(Logger::SyslogNg, &[(Some(5), 10), (Some(9), 12)], &[(Some(5), Some(10), 12)]);
        check(limited, &[], &[]);
    }

    #[test]
    fn a_host_that_wrote_nothing_about_mail_has_no_gap() {
        let mut ledger = ledger(Logger::Journald, &[(Some(5), 10)]);
        ledger.servers.clear();
        assert_eq!(find(&ledger), []);
    }
}
