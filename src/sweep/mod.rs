//! Sweep: reads what is new in logs since it last looked, and keeps what it has learnt in a state file.

pub mod books;
pub mod days;
mod error;
pub mod file;
mod find;
pub mod findings;
pub mod load;
mod options;
mod problems;
pub mod read;
mod runs;
pub mod state;

pub mod tell;

use crate::ledger::{Input, Time};
use serde::{Deserialize, Serialize};
use state::{Open, State};

pub use error::{Error, SCHEMA};

/// What a sweep has done.
#[derive(Debug)]
pub struct Done {
    /// What it has read.
    pub learnt: read::Learnt,
    /// What it has found out.
    pub news: Vec<findings::News>,
    /// The findings that were told and are not over.
    pub open: Vec<findings::Known>,
    /// Bytes of the state.
    pub state_bytes: u64,
}

/// A sweep, as the state remembers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Last {
    /// When it was, in microseconds since 1970.
    pub at: Time,
    /// New lines.
    pub lines: u64,
    /// Bytes that were read.
    pub text_bytes: u64,
    /// What was wrong.
    pub problems: Vec<String>,
}

/// Reads what is new in logs into a state, all or nothing.
pub fn read_into(state: &mut State, options: &read::Options) -> Result<read::Learnt, Error> {
    let open: Open<'_> = state.change()?;
    let learnt = read::read(&open, options)?;
    open.commit()?;
    Ok(learnt)
}

/// Reads what is new, and judges it: all or nothing. What is to be told waits in the state until it is. With `anew`, all
/// that was known is forgotten first.
pub fn sweep(
    state: &mut State,
    options: &read::Options,
    judging: &findings::Judging,
    anew: bool,
) -> Result<Done, Error> {
    let open = state.change()?;
    if anew {
        open.clear()?;
    }
    let learnt = read::read(&open, options)?;
    let is_known = learnt.lines == 0 && open.get::<bool>("judged")?.is_some();
    let news = if is_known { Vec::new() } else { findings::judge(&open, judging, options.now)? };
    findings::forget(&open, days::day_of(options.now).saturating_sub(options.retention_days))?;
    let read::Learnt { lines, text_bytes, ref problems, .. } = learnt;
    open.set("last", &Last { at: options.now, lines, text_bytes, problems: problems.clone() })?;
    let done = Done { news, open: findings::open(&open)?, state_bytes: open.used_bytes()?, learnt };
    open.commit()?;
    Ok(done)
}

/// Forgets what happened so far, and what was found, but not how far the logs were read: what comes is counted from here on.
pub fn forget(state: &mut State, now: Time) -> Result<(), Error> {
    let open = state.change()?;
    books::forget_all(&open)?;
    let mut files = file::load(&open)?;
    for (file, log) in &mut files {
        log.input = Input { path: log.path, format: log.input.format, span: log.input.span, ..Input::default() };
        log.run.get_or_insert(*file);
        log.problem = None;
        file::store(&open, *file, log)?;
    }
    open.set("forgotten_before", &days::day_of(now))?;
    open.commit()
}
