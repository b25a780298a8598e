//! Findings in the state: each is told when it is new or has become worse, now and then while it goes on, and when it
//! is over.

use super::days::{DAY_MICROS, Day, day_of};
use super::load::{self, ALL};
use super::state::Open;
use super::{Error, file};
use crate::judge::analysis::conclude;
use crate::judge::{self, Severity};
use crate::ledger::Time;
use crate::report::model::FindingRow;
use crate::report::{Report, Run};
use crate::site::Site;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How to judge, and what to tell.
pub struct Judging {
    /// What the user says of the site.
    pub stated: Site,
    /// How to judge.
    pub by: judge::Options,
    /// Days that are judged: those before are only in the report of the state.
    pub window_days: Day,
    /// The least severity that is told.
    pub least: Severity,
    /// How often a finding that goes on is told again, in microseconds.
    pub remind_micros: i64,
    /// How long nothing more may be seen of a finding until it is over, in microseconds.
    pub over_micros: i64,
    /// Who is to be told.
    pub channels: Vec<Channel>,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Standard output.
    Print,
    /// The system's log.
    Syslog,
    /// A web server.
    Webhook,
}

impl Channel {
    /// Its name in the state.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Print => "print",
            Channel::Syslog => "syslog",
            Channel::Webhook => "webhook",
        }
    }
}

/// So many times as much of the same makes a finding worse.
const TENFOLD: u64 = 10;

/// A finding that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The rule that fired.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is about.
    pub kind: String,
    /// Whom it is about.
    pub subject: String,
    /// The server it was found on.
    pub server: String,
    /// Since when.
    pub first: Option<Time>,
    /// Until when.
    pub last: Option<Time>,
    /// Messages taken in.
    pub messages: u64,
    /// Recipients asked for.
    pub attempts: u64,
    /// Recipients accepted.
    pub recipients_accepted: u64,
    /// Recipients denied.
    pub recipients_denied: u64,
    /// The first reason.
    pub why: String,
    /// The first line that proves it.
    pub evidence: Option<Proof>,
    /// What was told of it last.
    pub told: Option<Told>,
    /// Whether it is over.
    pub over: bool,
}

/// A line that proves something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The path of its file.
    pub path: String,
    /// Its number.
    pub line: u64,
    /// Its text.
    pub text: String,
}

/// What was told of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// How bad it was.
    pub severity: Severity,
    /// How much of it there was.
    pub volume: u64,
    /// When it was seen last.
    pub last: Option<Time>,
}

/// Why a finding is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// It was not known, or was over.
    New,
    /// It is worse than it was when it was told last: graver, or ten times as much.
    Worse,
    /// It goes on.
    Reminder,
    /// Nothing more was seen of it for some time.
    Resolved,
}

impl Why {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::New => "new",
            Why::Worse => "worse",
            Why::Reminder => "reminder",
            Why::Resolved => "resolved",
        }
    }
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Why.
    pub why: Why,
    /// When it was found out.
    pub at: Time,
    /// The finding.
    pub finding: Known,
}

impl Known {
    fn of(row: &FindingRow) -> Known {
        let proof = |line: &crate::report::model::Line| Proof {
            path: line.path.clone(),
            line: line.line,
            text: line.text.clone(),
        };
        Known {
            rule: row.rule.as_str().to_owned(),
            severity: row.severity,
            kind: row.subject.kind.to_owned(),
            subject: row.subject.value.clone(),
            server: row.server.clone(),
            first: row.first,
            last: row.last,
            messages: row.messages,
            attempts: row.attempts,
            recipients_accepted: row.recipients_accepted,
            recipients_denied: row.recipients_denied,
            why: row.why.first().cloned().unwrap_or_default(),
            evidence: row.evidence.first().map(proof),
            told: None,
            over: false,
        }
    }

    /// By what it is known again.
    fn id(&self) -> String {
        [&self.rule, &self.server, &self.kind, &self.subject].map(|part| part.replace(['\n', '\0'], " ")).join("\n")
    }

    fn volume(&self) -> u64 {
        self.attempts.max(self.messages).max(self.recipients_accepted)
    }

    /// Whether nothing was seen of it for so long before a time.
    fn is_over(&self, latest: Time, over_micros: i64) -> bool {
        self.last.is_some_and(|last| last.0.saturating_add(over_micros) < latest.0)
    }

    /// Why it is to be told, if it is.
    fn news(&self, told: Option<Told>, was_over: bool, judging: &Judging, now: Time) -> Option<Why> {
        let told = match told {
            Some(told) if !was_over => told,
            // What was over is new again only by what came after.
            Some(told) if self.last <= told.last => return None,
            _ => return Some(Why::New),
        };
        let is_graver = told.severity < self.severity;
        let is_more = told.volume.max(1).saturating_mul(TENFOLD) <= self.volume();
        if is_graver || is_more {
            return Some(Why::Worse);
        }
        let is_due = told.at.saturating_add(judging.remind_micros) <= now.0;
        (is_due && told.last < self.last).then_some(Why::Reminder)
    }

    fn tell(&mut self, now: Time) {
        self.told = Some(Told { at: now.0, severity: self.severity, volume: self.volume(), last: self.last });
    }
}

/// Judges what is known since a few days, and says what is to be told. It is put into the state with that.
pub fn judge(state: &Open<'_>, judging: &Judging, now: Time) -> Result<Vec<News>, Error> {
    let today = day_of(now);
    let spans = file::load(state)?;
    let latest =
        spans.values().filter_map(|log| log.last()).filter(|time| time.0 <= now.0.saturating_add(DAY_MICROS)).max();
    let latest = latest.unwrap_or(now);
    // All is judged once, so that what happened before the first sweep is told too.
    let is_first = state.get::<bool>("judged")?.is_none();
    let last_day = day_of(latest).min(today);
    let days = if is_first { ALL } else { last_day.saturating_sub(judging.window_days - 1)..=today.saturating_add(1) };
    let found = found(state, judging, days)?;
    let mut known = load_known(state)?;
    let mut news = Vec::new();
    for mut finding in found {
        let before = known.remove(&finding.id());
        finding.told = before.as_ref().and_then(|before| before.told);
        let was_over = before.is_some_and(|before| before.over);
        let why = finding.news(finding.told, was_over, judging, now);
        finding.over = if why.is_some() { false } else { was_over };
        if let Some(why) = why {
            finding.tell(now);
            // It was over before it was found: it is told once.
            finding.over = finding.is_over(latest, judging.over_micros);
            news.push(News { why, at: now, finding: finding.clone() });
        }
        known.insert(finding.id(), finding);
    }
    for finding in known.values_mut().filter(|finding| !finding.over && finding.told.is_some()) {
        if finding.is_over(latest, judging.over_micros) {
            finding.over = true;
            news.push(News { why: Why::Resolved, at: now, finding: finding.clone() });
        }
    }
    store(state, &known, &news, judging)?;
    state.set("judged", &true)?;
    Ok(news)
}

fn found(state: &Open<'_>, judging: &Judging, days: std::ops::RangeInclusive<Day>) -> Result<Vec<Known>, Error> {
    let mut ledger = load::load(state, days)?.finish();
    let (site, analysis) = conclude(&mut ledger, &judging.stated, &judging.by);
    let report = Report::build(&ledger, &site, &analysis, &Run::default());
    Ok(report.findings.iter().filter(|row| judging.least <= row.severity).map(Known::of).collect())
}

/// The findings that were told and are not over, worst first.
pub fn open(state: &Open<'_>) -> Result<Vec<Known>, Error> {
    let mut open: Vec<Known> =
        load_known(state)?.into_values().filter(|finding| !finding.over && finding.told.is_some()).collect();
    open.sort_by_cached_key(|finding| (std::cmp::Reverse(finding.severity), finding.id()));
    Ok(open)
}

fn load_known(state: &Open<'_>) -> Result<BTreeMap<String, Known>, Error> {
    let rows = state.rows("SELECT id, value FROM finding", (), |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.into_iter().map(|(id, text)| Ok((id, state.parse(&text)?))).collect()
}

fn store(state: &Open<'_>, known: &BTreeMap<String, Known>, news: &[News], judging: &Judging) -> Result<(), Error> {
    for (id, finding) in known {
        let text = state.text(finding)?;
        state.execute("INSERT OR REPLACE INTO finding (id, value) VALUES (?1, ?2)", (id, text))?;
    }
    for news in news {
        let text = state.text(news)?;
        for channel in &judging.channels {
            let sql = "INSERT INTO news (channel, value, tries) VALUES (?1, ?2, 0)";
            state.execute(sql, (channel.as_str(), &text))?;
        }
    }
    Ok(())
}

/// Forgets findings that are over since before a day.
pub fn forget(state: &Open<'_>, first: Day) -> Result<(), Error> {
    for (id, finding) in load_known(state)? {
        if finding.over && finding.last.is_none_or(|last| day_of(last) < first) {
            state.execute("DELETE FROM finding WHERE id = ?1", [id])?;
        }
    }
    Ok(())
}

/// What is still to be told to somebody, oldest first, with its number.
pub fn pending(state: &Open<'_>, channel: Channel) -> Result<Vec<(i64, News)>, Error> {
    let sql = "SELECT id, value FROM news WHERE channel = ?1 ORDER BY id";
    let rows = state.rows(sql, [channel.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    rows.into_iter().map(|(id, text)| Ok((id, state.parse(&text)?))).collect()
}

/// Takes note that something was told.
pub fn told(state: &Open<'_>, ids: &[i64]) -> Result<(), Error> {
    ids.iter().try_for_each(|id| state.execute("DELETE FROM news WHERE id = ?1", [*id]).map(drop))
}

/// Takes note that something could not be told, and lets go of the oldest if there is more than `most` of it. Returns how
/// much was let go.
pub fn keep_for_later(state: &Open<'_>, channel: Channel, most: usize) -> Result<usize, Error> {
    state.execute("UPDATE news SET tries = tries + 1 WHERE channel = ?1", [channel.as_str()])?;
    let sql = "DELETE FROM news WHERE channel = ?1 AND id NOT IN (SELECT id FROM news WHERE channel = ?1 ORDER BY id DESC LIMIT ?2)";
    state.execute(sql, (channel.as_str(), most as i64))
}
