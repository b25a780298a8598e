//! `relayaudit sweep`: what is new in the logs goes into the state; news go out.

use super::sweep_args::Sweep;
use super::{CLEAN, Error, FAILED, FOUND, complain, reading};
use crate::clock::Zone;
use crate::fold::Filter;
use crate::judge::{self, Errors};
use crate::ledger::Time;
use crate::report::escape::terminal;
use crate::source::Reading;
use crate::sweep::file::{self, LogFile, Standing};
use crate::sweep::findings::{self, Channel, Judging, News, Why};
use crate::sweep::read::Options;
use crate::sweep::state::State;
use crate::sweep::{self, Done, Last, tell};
use std::io::Write;
use std::path::Path;

/// The address that is told of news, where the command line does not say.
const WEBHOOK: &str = "RELAYAUDIT_WEBHOOK";

/// How many open findings `--status` names, worst first.
const SHOWN: usize = 20;

const HOUR_MICROS: i64 = 3_600_000_000;

/// Sweeps. Returns the exit status.
pub fn run(options: &Sweep, out: &mut dyn Write) -> Result<u8, Error> {
    let now = Time(chrono::Utc::now().timestamp_micros());
    let swept = if options.status {
        return status(&options.state, out);
    } else if options.forget {
        let mut state = State::open(&options.state)?;
        return Ok(sweep::forget(&mut state, now).map(|()| CLEAN)?);
    } else {
        sweep_once(options, now, out)
    };
    match swept {
        Err(error) if options.nagios => Ok(tell::nagios::failed(&error.to_string(), out)?),
        swept => swept,
    }
}

fn sweep_once(options: &Sweep, now: Time, out: &mut dyn Write) -> Result<u8, Error> {
    let webhook = options.webhook.clone().or_else(|| std::env::var(WEBHOOK).ok()).filter(|url| !url.is_empty());
    let judging = judging(options, webhook.is_some())?;
    let read = read_options(options, now)?;
    let mut state = State::create(&options.state)?;
    let done = sweep::sweep(&mut state, &read, &judging, options.rebuild)?;
    if !options.nagios {
        done.learnt.problems.iter().for_each(|problem| complain(problem));
    }
    let mut status = status_of(&done);
    let mut failures = Vec::new();
    if options.nagios {
        status = tell::nagios::write(&done, out)?;
    } else {
        let printed = deliver(&mut state, Channel::Print, |news| {
            let path = options.state.to_string_lossy();
            let written = match options.ndjson {
                true => tell::ecs::write(news, out),
                false => tell::text::write(news, &path, out),
            };
            // What is told is only forgotten when it is surely written.
            match written.and_then(|()| out.flush()) {
                Ok(()) => (news.len(), Ok(())),
                Err(error) => (0, Err(format!("cannot write to standard output: {error}"))),
            }
        });
        failures.extend(printed?);
    }
    if let Some(socket) = &options.syslog {
        failures.extend(deliver(&mut state, Channel::Syslog, |news| tell::syslog::send(news, socket))?);
    }
    if let Some(url) = &webhook {
        failures.extend(deliver(&mut state, Channel::Webhook, |news| match tell::webhook::post(news, url) {
            Ok(()) => (news.len(), Ok(())),
            Err(why) => (0, Err(why)),
        })?);
    }
    if let Some(path) = &options.prometheus {
        failures.extend(tell::prometheus::write(&done, now, path).err());
    }
    failures.iter().for_each(|failure| complain(failure));
    Ok(if failures.is_empty() || options.nagios { status } else { FAILED })
}

fn status_of(done: &Done) -> u8 {
    if !done.learnt.problems.is_empty() {
        FAILED
    } else if done.news.iter().any(|news| news.why != Why::Resolved) {
        FOUND
    } else {
        CLEAN
    }
}

/// Tells somebody what waits for them. What was told is taken out of the state; the rest waits. Returns why it does.
fn deliver(
    state: &mut State,
    channel: Channel,
    tell: impl FnOnce(&[News]) -> (usize, Result<(), String>),
) -> Result<Option<String>, Error> {
    let waiting = findings::pending(&state.read()?, channel)?;
    if waiting.is_empty() {
        return Ok(None);
    }
    let (ids, news): (Vec<i64>, Vec<News>) = waiting.into_iter().unzip();
    let (told, result) = tell(&news);
    let open = state.change_later()?;
    findings::told(&open, &ids[..told])?;
    let mut failed = result.err();
    if let Some(why) = &mut failed {
        let let_go = findings::keep_for_later(&open, channel, tell::webhook::MOST)?;
        why.push_str("; it is kept for the next sweep");
        if 0 < let_go {
            why.push_str(&format!(", but for the {let_go} oldest of too many"));
        }
    }
    open.commit()?;
    Ok(failed)
}

fn judging(options: &Sweep, webhook: bool) -> Result<Judging, Error> {
    let errors = Errors { false_alarm: options.false_alarm, missed: options.missed, ..Errors::default() };
    let channels =
        [(Channel::Print, !options.nagios), (Channel::Syslog, options.syslog.is_some()), (Channel::Webhook, webhook)];
    Ok(Judging {
        stated: reading::stated_site(&options.site)?,
        by: judge::Options { errors, ..judge::Options::default() },
        window_days: options.window,
        least: options.fail_on,
        remind_micros: options.remind_every * HOUR_MICROS,
        over_micros: options.over_after * HOUR_MICROS,
        channels: channels.into_iter().filter(|(_, wanted)| *wanted).map(|(channel, _)| channel).collect(),
    })
}

fn read_options(options: &Sweep, now: Time) -> Result<Options, Error> {
    reading::threads(options.threads);
    let reading = Reading {
        format: options.log_format.map(|format| format.0),
        zone: options.tz.unwrap_or(Zone::Machine),
        year: options.year,
    };
    let filter = Filter { ignore: reading::ignored(&options.ignore)?, ..Filter::default() };
    let retention_days = options.retention;
    Ok(Options { filter, retention_days, ..Options::new(options.paths.clone(), reading, now) })
}

/// Says what the state knows.
fn status(path: &Path, out: &mut dyn Write) -> Result<u8, Error> {
    let mut state = State::open(path)?;
    let open = state.read()?;
    if let Some(Last { at, lines, text_bytes, problems }) = open.get("last")? {
        writeln!(out, "last sweep: {}, {lines} new lines, {text_bytes} bytes read", at.rfc3339())?;
        for problem in problems {
            writeln!(out, "  {}", terminal(&problem))?;
        }
    }
    writeln!(out, "state: {} bytes", open.used_bytes()?)?;
    let known = findings::open(&open)?;
    writeln!(out, "open findings: {}", known.len())?;
    for finding in known.iter().take(SHOWN) {
        writeln!(out, "  {}", terminal(&tell::text::headline(finding)))?;
    }
    if SHOWN < known.len() {
        writeln!(out, "  and {} more", known.len() - SHOWN)?;
    }
    let files = file::load(&open)?;
    writeln!(out, "logs: {}", files.len())?;
    files.values().try_for_each(|log| writeln!(out, "  {}", terminal(&log_line(log))))?;
    Ok(CLEAN)
}

fn log_line(log: &LogFile) -> String {
    let standing = match log.standing {
        Standing::Open => "",
        Standing::Over => ", rotated or left behind",
        Standing::Removed => ", no longer there",
        Standing::Lost => ", lost before its end was read",
    };
    let last = log.last().map_or_else(String::new, |time| format!(", to {}", time.rfc3339()));
    let (lines, bytes) = (log.input.lines, log.mark.bookmark.offset_bytes);
    format!("{} ({}): {lines} lines, {bytes} bytes{last}{standing}", log.path, log.format)
}
