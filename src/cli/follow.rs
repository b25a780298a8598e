//! `relayaudit follow`: logs are read while they are written; what is found is told at once.

use super::consult::Asking;
use super::follow_args::{Follow, Lines};
use super::follow_lines as lines;
use super::follow_rates::Meter;
use super::judging::{Basis, Judged, look};
use super::screen::Screen;
use super::{CLEAN, Error, FAILED, FOUND, complain};
use crate::clock::Zone;
use crate::fold::Filter;
use crate::follow::news::{News, Told};
use crate::follow::pace::Pace;
use crate::follow::{self, Followed, Follower};
use crate::judge::Cause;
use crate::ledger::Ledger;
use crate::report::model::{FindingRow, Report};
use crate::report::terminal::live::{self, FileRow, View, frame};
use crate::saved::Assumed;
use crate::site::Site;
use crate::source::Reading;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often logs are looked at.
const POLL: Duration = Duration::from_millis(200);

/// How often the view is drawn at least: it shows a clock.
const DRAW: Duration = Duration::from_millis(500);

/// Unread bytes at which the start counts as caught up with: of a busy log, some are always unread.
const CAUGHT_UP_BYTES: u64 = 1 << 20;

/// How long what is unread at the end is read.
const LAST: Duration = Duration::from_secs(2);

/// Findings and notices that are kept for the view: more than a screen has lines.
const SHOWN: usize = 100;

/// Follows the logs to the end that was asked for. Returns the exit status.
pub fn run(options: &Follow, out: &mut dyn Write) -> Result<u8, Error> {
    let basis = Basis::read(&options.judge)?;
    let filter = Filter { ignore: super::reading::ignored(&options.ignore)?, ..Filter::default() };
    let end = ends()?;
    super::reading::threads(options.threads);
    let zone = options.tz.unwrap_or(Zone::Machine);
    let reading = Reading { format: options.log_format.map(|format| format.0), zone, year: options.year };
    let follower = Follower::open(follow::Options {
        paths: options.paths.clone(),
        reading,
        filter,
        kept: options.window.micros(),
        new_only: options.new_only,
    });
    let wants_screen = io::stdout().is_terminal() && !options.plain && options.format == Lines::Text && !is_dumb();
    let screen = wants_screen.then(|| Screen::open(look(options.judge.color).colour, &end)).transpose()?;
    let mut run = Run {
        options,
        basis,
        follower,
        screen,
        news: News::new(options.show),
        pace: Pace::new(),
        asking: Asking::default(),
        meter: Meter::default(),
        judged: None,
        told: Vec::new(),
        notices: Vec::new(),
        begun: Instant::now(),
        drawn: None,
        at_start: None,
        found: false,
    };
    let result = run.follow(&end, out);
    run.screen = None;
    result?;
    run.finish(out)
}

/// Set when the program is asked to end.
fn ends() -> Result<Arc<AtomicBool>, Error> {
    let end = Arc::new(AtomicBool::new(false));
    let mut signals = vec![signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
    #[cfg(unix)]
    signals.push(signal_hook::consts::SIGHUP);
    for signal in signals {
        signal_hook::flag::register(signal, Arc::clone(&end))?;
    }
    Ok(end)
}

/// Whether the terminal cannot move its cursor.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

struct Run<'o> {
    options: &'o Follow,
    basis: Basis,
    follower: Follower,
    screen: Option<Screen>,
    news: News,
    pace: Pace,
    asking: Asking,
    meter: Meter,
    judged: Option<Judged>,
    told: Vec<Told>,
    notices: Vec<String>,
    begun: Instant,
    drawn: Option<Instant>,
    /// Bytes that were unread at the start, until they are read.
    at_start: Option<u64>,
    /// Whether a finding as bad as `--fail-on` was ever there.
    found: bool,
}

impl Run<'_> {
    fn follow(&mut self, end: &AtomicBool, out: &mut dyn Write) -> Result<(), Error> {
        let mut changed = true;
        self.at_start = Some(self.behind());
        self.tell_notices();
        while !end.load(Ordering::Relaxed) && !self.is_over() {
            let read = self.follower.step();
            changed |= read;
            self.tell_notices();
            if self.at_start.is_some() && (!read || self.behind() < CAUGHT_UP_BYTES) {
                self.at_start = None;
            }
            let waits = changed || self.news.is_pending();
            if waits && self.at_start.is_none() && 0 < self.follower.lines && self.pace.is_due(Instant::now()) {
                changed = false;
                self.judge(out)?;
                self.drawn = None;
            }
            self.draw()?;
            if !read {
                std::thread::sleep(POLL);
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        let is_late = self.options.length.is_some_and(|length| length <= self.begun.elapsed());
        is_late || (self.options.until_finding && self.found) || self.follower.is_over()
    }

    fn behind(&self) -> u64 {
        self.follower.followed().iter().map(|log| log.behind_bytes).sum()
    }

    /// Judges what is there, and tells what is new in it.
    fn judge(&mut self, out: &mut dyn Write) -> Result<(), Error> {
        let begun = Instant::now();
        self.follower.settle();
        let mut ledger = self.follower.ledger();
        self.judge_ledger(&mut ledger, out)?;
        self.pace.judged(begun, Instant::now());
        Ok(())
    }

    fn judge_ledger(&mut self, ledger: &mut Ledger, out: &mut dyn Write) -> Result<(), Error> {
        let assumed = self.assumed();
        let (options, asking) = (&self.options.judge, &mut self.asking);
        let ask = |ledger: &Ledger, site: &Site| asking.answers(&options.consult, ledger, site);
        let judged = self.basis.judge(ledger, options, &assumed, ask);
        let now = Instant::now();
        self.meter.see(now, &judged.report.totals);
        self.found |= judged.analysis.findings.iter().any(|finding| options.fail_on <= finding.severity);
        let told = self.news.see(&judged.report.findings, self.follower.span().0, now, follow::now());
        let before = self.judged.as_ref().map(|judged| judged.report.verdict.cause);
        if self.screen.is_none() {
            let changed = before != Some(judged.report.verdict.cause);
            self.print(&judged, &told, changed.then_some(judged.report.verdict.cause), out)?;
        }
        self.told.extend(told);
        self.told.drain(..self.told.len().saturating_sub(SHOWN));
        self.judged = Some(judged);
        Ok(())
    }

    /// Writes what is new, at once.
    fn print(&self, judged: &Judged, told: &[Told], cause: Option<Cause>, out: &mut dyn Write) -> Result<(), Error> {
        if self.options.format == Lines::Ndjson {
            told.iter().try_for_each(|told| lines::ndjson(told, out))?;
        } else {
            if cause.is_some() {
                lines::verdict(&judged.report, follow::now(), out)?;
            }
            told.iter().try_for_each(|told| lines::text(told, out))?;
        }
        Ok(out.flush()?)
    }

    fn assumed(&self) -> Assumed {
        let mut assumed = Assumed::default();
        let is_stated = self.options.year.is_some();
        let years = if is_stated { &mut assumed.years_stated } else { &mut assumed.years_guessed };
        years.extend(self.follower.years());
        assumed.machine_zone = self.options.tz.is_none() && !years.is_empty();
        assumed
    }

    /// Says what happened to the logs: in the view, or on standard error.
    fn tell_notices(&mut self) {
        let notices = self.follower.notices();
        if self.screen.is_none() && !self.options.quiet {
            notices.iter().for_each(|notice| complain(notice));
        }
        self.notices.extend(notices);
        self.notices.drain(..self.notices.len().saturating_sub(SHOWN));
    }

    fn draw(&mut self) -> Result<(), Error> {
        let Some(screen) = &mut self.screen else { return Ok(()) };
        let (now, size) = (Instant::now(), screen.size());
        if self.drawn.is_some_and(|drawn| now.saturating_duration_since(drawn) < DRAW) {
            return Ok(());
        }
        self.drawn = Some(now);
        let followed = self.follower.followed();
        let left = followed.iter().map(|log| log.behind_bytes).sum();
        let files: Vec<FileRow> = followed.iter().map(row).collect();
        let missing: Vec<String> =
            self.follower.missing().iter().map(|(path, what)| format!("{path}: {what}")).collect();
        let report = self.judged.as_ref().map(|judged| &judged.report);
        let told = latest(&self.told, report);
        let lines = frame(
            &View {
                now: follow::now(),
                report,
                start: self.follower.span().0,
                files: &files,
                missing: &missing,
                told: &told,
                notices: &self.notices,
                rates: self.meter.rates(now, self.follower.lines),
                reading: self.at_start.map(|all| (all, left)),
                end: screen.end(),
            },
            size,
        );
        Ok(screen.draw(&lines, size)?)
    }

    /// Ends the logs where they are, says the verdict, and returns the exit status.
    fn finish(&mut self, out: &mut dyn Write) -> Result<u8, Error> {
        // What was written until now is read, unless it is so much that waiting would seem like hanging.
        let last = Instant::now() + LAST;
        while self.follower.step() && Instant::now() < last {}
        self.follower.finish();
        self.news.end();
        self.tell_notices();
        let mut ledger = self.follower.ledger();
        if 0 < self.follower.lines {
            // Nothing more comes that could say otherwise: what stands now is told.
            self.judge_ledger(&mut ledger, out)?;
        }
        if let Some(judged) = &self.judged {
            if let Some(folder) = &self.options.judge.tables {
                crate::report::write_tables(&judged.report, &ledger, &judged.site, folder)?;
            }
            let summary = lines::summary(&judged.report, self.follower.lines, self.begun.elapsed());
            match self.options.format {
                Lines::Text => {
                    let columns = io::stdout().is_terminal().then(|| look(self.options.judge.color).width);
                    lines::write_summary(&summary, columns, out)?;
                }
                Lines::Ndjson if self.options.quiet => {}
                Lines::Ndjson => summary.iter().for_each(|line| complain(line)),
            }
        }
        for (path, what) in self.follower.missing() {
            complain(&format!("{path}: {what}"));
        }
        self.follower.problems.iter().for_each(|problem| complain(problem));
        let incomplete = !self.follower.missing().is_empty() || !self.follower.problems.is_empty();
        Ok(if incomplete {
            FAILED
        } else if self.found {
            FOUND
        } else {
            CLEAN
        })
    }
}

/// What was told, each finding once, as it is now.
fn latest<'r>(told: &'r [Told], report: Option<&'r Report>) -> Vec<live::Told<'r>> {
    let key = |finding: &'r FindingRow| (finding.rule, finding.subject.kind, &finding.subject.value, &finding.server);
    let now: BTreeMap<_, _> = report.iter().flat_map(|report| &report.findings).map(|row| (key(row), row)).collect();
    let mut seen = BTreeSet::new();
    let mut latest: Vec<live::Told<'_>> = told
        .iter()
        .rev()
        .filter(|told| seen.insert(key(&told.finding)))
        .map(|told| live::Told {
            kind: told.kind.as_str(),
            finding: now.get(&key(&told.finding)).copied().unwrap_or(&told.finding),
        })
        .collect();
    latest.reverse();
    latest
}

/// A log, as the view shows it.
fn row(log: &Followed) -> FileRow {
    let minutes = log.silent.as_secs() / 60;
    let state = if log.leaving {
        "moved away".to_owned()
    } else if 0 < minutes {
        format!("silent {minutes} min")
    } else {
        String::new()
    };
    FileRow {
        path: log.path.to_string(),
        format: log.format.to_owned(),
        lines: log.lines,
        behind_bytes: log.behind_bytes,
        state,
    }
}
