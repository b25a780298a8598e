//! News: which findings are to be told, and which were told before.
//!
//! A finding is told when it has stood for a moment: half of a message may look like another thing than all of it.

use crate::judge::{Rule, Severity};
use crate::ledger::Time;
use crate::report::model::FindingRow;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a finding must stand before it is told. Longer than mail servers take to write the lines of one step, short enough
/// for two seconds in all.
const HOLD: Duration = Duration::from_millis(600);

/// How long a finding must be gone before that is told.
const GONE: Duration = Duration::from_secs(5);

/// A finding that was told is told again when it has grown by this factor.
const GROWTH: u64 = 10;

/// Why a finding is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It stood already when the following began.
    Standing,
    /// It is new.
    New,
    /// It is graver than when it was last told, or ten times as large.
    Worse,
    /// Later lines explain what it was about.
    Withdrawn,
}

impl Kind {
    /// Its name, which is part of the published contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Standing => "standing",
            Kind::New => "new",
            Kind::Worse => "worse",
            Kind::Withdrawn => "withdrawn",
        }
    }
}

/// A finding that is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Why.
    pub kind: Kind,
    /// When, by this machine's clock.
    pub at: Time,
    /// The finding, as it was then.
    pub finding: FindingRow,
}

/// What one finding is about. There is one finding of a rule on a subject on a server.
type Key = (Rule, &'static str, String, String);

struct Known {
    finding: FindingRow,
    /// When it was first seen.
    since: Instant,
    /// When it was last seen.
    seen: Instant,
    /// How bad and how large it was when it was told; `None` until it is.
    told: Option<(Severity, u64)>,
}

/// The findings that are known.
pub struct News {
    /// Findings below are not told.
    least: Severity,
    known: BTreeMap<Key, Known>,
    /// When it was last looked at what was found.
    looked: Option<Instant>,
    hold: Duration,
}

impl News {
    /// Nothing is known yet; findings less bad than `least` will not be told.
    pub fn new(least: Severity) -> News {
        News { least, known: BTreeMap::new(), looked: None, hold: HOLD }
    }

    /// Looks at what was found at `now` (`at` by the clock), judged on what happened since `start`. Returns what is to be told.
    pub fn see(&mut self, findings: &[FindingRow], start: Option<Time>, now: Instant, at: Time) -> Vec<Told> {
        let mut told = Vec::new();
        for finding in findings.iter().filter(|finding| self.least <= finding.severity) {
            let known = self.known.entry(key(finding)).or_insert_with(|| Known {
                finding: finding.clone(),
                since: now,
                seen: now,
                told: None,
            });
            known.seen = now;
            known.finding.clone_from(finding);
            let figure = figure(finding);
            let kind = match known.told {
                None if self.looked.is_none() => Kind::Standing,
                None if self.hold <= now.saturating_duration_since(known.since) => Kind::New,
                Some((severity, before)) if is_worse(finding, severity, before) => Kind::Worse,
                _ => continue,
            };
            known.told = Some((finding.severity, figure));
            told.push(Told { kind, at, finding: finding.clone() });
        }
        self.looked = Some(now);
        let mut gone = Vec::new();
        self.known.retain(|_, known| {
            let silent = now.saturating_duration_since(known.seen);
            // What was not told yet and is gone needs no word.
            let stays = if known.told.is_some() { silent < GONE } else { silent.is_zero() };
            // What is only forgotten was right when it was told.
            let is_forgotten = known.finding.last < start;
            if !stays && known.told.is_some() && !is_forgotten {
                gone.push(Told { kind: Kind::Withdrawn, at, finding: known.finding.clone() });
            }
            stays
        });
        told.extend(gone);
        told
    }

    /// Nothing more comes: what stands is told without waiting.
    pub fn end(&mut self) {
        self.hold = Duration::ZERO;
    }

    /// Whether judging again may tell more although nothing was read.
    pub fn is_pending(&self) -> bool {
        self.known.values().any(|known| known.told.is_none() || Some(known.seen) < self.looked)
    }
}

fn key(finding: &FindingRow) -> Key {
    (finding.rule, finding.subject.kind, finding.subject.value.clone(), finding.server.clone())
}

/// How large a finding is, whatever it counts.
fn figure(finding: &FindingRow) -> u64 {
    let recipients = finding.recipients_accepted.saturating_add(finding.recipients_denied);
    recipients.max(finding.attempts).max(finding.messages)
}

fn is_worse(finding: &FindingRow, severity: Severity, figure_before: u64) -> bool {
    severity < finding.severity || figure_before.max(1).saturating_mul(GROWTH) <= figure(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::SubjectRow;

    fn finding(severity: Severity, attempts: u64) -> FindingRow {
        FindingRow {
            rule: Rule::OpenRelay,
            severity,
            confidence: 0.9,
            subject: SubjectRow { kind: "client", value: "192.0.2.1".into(), located: None },
            first: Some(Time(1_000)),
            last: Some(Time(2_000)),
            sessions: 0,
            messages: 0,
            attempts,
            recipients_accepted: 0,
            recipients_denied: 0,
            recipients_delivered: 0,
            recipients_deferred: 0,
            recipients_bounced: 0,
            bytes: 0,
            why: Vec::new(),
            evidence: Vec::new(),
            remedy: Vec::new(),
            server: "mx".into(),
            last_entered: None,
            last_attempt: None,
            queued: None,
        }
    }

    /// Judgings, each with its milliseconds, what is found, and what is to be told.
    fn check(start: Option<Time>, steps: &[(u64, &[FindingRow], &[Kind])]) {
        let begun = Instant::now();
        let mut news = News::new(Severity::Medium);
        for (millis, findings, want) in steps {
            let told = news.see(findings, start, begun + Duration::from_millis(*millis), Time(0));
            assert_eq!(told.iter().map(|told| told.kind).collect::<Vec<_>>(), *want, "at {millis} ms");
        }
    }

    #[test]
    fn a_finding_is_told_once_when_it_has_stood() {
        let found = [finding(Severity::High, 5)];
        check(
            None,
            &[
                (0, &[], &[]),
                (500, &found, &[]),
                (1_000, &found, &[]),
                (1_100, &found, &[Kind::New]),
                (1_600, &found, &[]),
            ],
        );
    }

    #[test]
    fn what_only_half_a_message_shows_is_not_told() {
        let found = [finding(Severity::High, 5)];
        check(None, &[(0, &[], &[]), (500, &found, &[]), (1_000, &[], &[]), (1_500, &found, &[]), (2_000, &[], &[])]);
    }

    #[test]
    fn what_stood_before_is_told_as_such_at_once() {
        let found = [finding(Severity::High, 5)];
        check(None, &[(0, &found, &[Kind::Standing]), (500, &found, &[])]);
    }

    #[test]
    fn growth_is_told_by_powers_of_ten_and_by_severity() {
        check(
            None,
            &[
                (0, &[finding(Severity::High, 5)], &[Kind::Standing]),
                (500, &[finding(Severity::High, 49)], &[]),
                (1_000, &[finding(Severity::High, 50)], &[Kind::Worse]),
                (1_500, &[finding(Severity::High, 499)], &[]),
                (2_000, &[finding(Severity::Critical, 499)], &[Kind::Worse]),
                (2_500, &[finding(Severity::High, 499)], &[]),
            ],
        );
    }

    #[test]
    fn judging_again_is_asked_for_as_long_as_there_is_something_to_tell() {
        let begun = Instant::now();
        let mut news = News::new(Severity::Medium);
        let mut check = |millis: u64, findings: &[FindingRow], want: bool| {
            news.see(findings, None, begun + Duration::from_millis(millis), Time(0));
            assert_eq!(news.is_pending(), want, "at {millis} ms");
        };
        let found = [finding(Severity::High, 5)];
        check(0, &[], false);
        check(500, &found, true);
        check(1_200, &found, false);
        check(2_000, &[], true);
        check(7_000, &[], false);
    }

    #[test]
    fn what_is_below_the_least_severity_is_told_when_it_reaches_it() {
        check(
            None,
            &[
                (0, &[finding(Severity::Low, 5)], &[]),
                (500, &[finding(Severity::Medium, 5)], &[]),
                (1_200, &[finding(Severity::Medium, 5)], &[Kind::New]),
            ],
        );
    }

    #[test]
    fn what_later_lines_explain_is_withdrawn_and_what_is_forgotten_is_not() {
        let found = [finding(Severity::High, 5)];
        let steps: [(u64, &[FindingRow], &[Kind]); 4] =
            [(0, &found, &[Kind::Standing]), (1_000, &[], &[]), (5_000, &[], &[Kind::Withdrawn]), (6_000, &[], &[])];
        check(Some(Time(1_500)), &steps);
        check(Some(Time(2_500)), &[(0, &found, &[Kind::Standing]), (1_000, &[], &[]), (5_000, &[], &[])]);
    }
}
