//! Books of a sliding time: what was decided in each hour, so that old hours can be forgotten.
//!
//! What is decided of a message goes to the hour of the logs in which it is decided. Everything merges, so the hours that are kept,
//! put together, are the ledger of what was decided in them.

use crate::fold::Part;
use crate::ledger::{FileId, Input, Ledger, Text, Time};
use crate::merge::Merge;
use crate::observe::Window;
use std::collections::BTreeMap;

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;

/// How far ahead of this machine's clock a stamp may lie and still say what time it is: a server's clock may be wrong, and a zone.
const AHEAD_MICROS: i64 = 24 * HOUR_MICROS;

/// What was learnt lately.
#[derive(Default)]
pub struct Books {
    /// How long what was decided is kept, in microseconds; `None` for ever.
    kept: Option<i64>,
    /// What was decided, by hour (of [`Time::hour`]).
    hours: BTreeMap<i32, Ledger>,
    /// All of it.
    sum: Ledger,
    /// Path and format of every log, for the evidence that outlives the hour in which its file was read.
    names: BTreeMap<FileId, (Text, Text)>,
    /// The time of the newest record.
    newest: Option<Time>,
}

impl Books {
    /// Empty books that keep what was decided for so many microseconds; `None` for ever.
    pub fn new(kept: Option<i64>) -> Books {
        Books { kept, ..Books::default() }
    }

    /// Takes what a part has decided; what is open in it stays there. `now` is what the machine's clock shows.
    pub fn take(&mut self, part: &mut Part, now: Time) {
        let notes = std::mem::take(&mut part.notes);
        let mut last = None;
        for (file, input) in &notes.inputs {
            self.names.entry(*file).or_insert((input.path, input.format));
            last = last.max(input.span.last);
        }
        let last = last.filter(|last| is_credible(*last, now));
        self.newest = self.newest.max(last);
        // What is decided of lines that were open is decided now.
        let hour = last.or(self.newest).unwrap_or(now).hour();
        if self.kept.is_some() {
            self.hours.entry(hour).or_default().merge(notes.clone());
        }
        self.sum.merge(notes);
    }

    /// Forgets hours that are over for longer than is kept. Returns the time before which nothing is kept, if anything was forgotten.
    pub fn expire(&mut self) -> Option<Time> {
        let start = self.start()?;
        let young = self.hours.split_off(&start.hour());
        let old = std::mem::replace(&mut self.hours, young);
        if old.is_empty() {
            return None;
        }
        self.sum = Ledger::default();
        for ledger in self.hours.values() {
            self.sum.merge(ledger.clone());
        }
        for (file, (path, format)) in &self.names {
            let input = Input { path: *path, format: *format, ..Input::default() };
            self.sum.inputs.entry(*file).or_insert(input);
        }
        Some(start)
    }

    /// The time of the newest record.
    pub fn newest(&self) -> Option<Time> {
        self.newest
    }

    /// The time before which nothing is kept.
    pub fn start(&self) -> Option<Time> {
        Some(Time(self.newest?.0.saturating_sub(self.kept?)))
    }

    /// The ledger of what is kept, with what is open in these parts decided as it stands.
    pub fn ledger<'p>(&self, open: impl Iterator<Item = &'p Part>, window: Window) -> Ledger {
        let mut whole = Part { notes: self.sum.clone(), ..Part::default() };
        let parts = open.cloned().collect();
        whole.merge(Part::join(parts));
        whole.finish(window)
    }
}

/// Whether a stamp may say what time it is.
pub fn is_credible(stamp: Time, now: Time) -> bool {
    stamp.0 <= now.0.saturating_add(AHEAD_MICROS)
}

/// Decides lines that wait longer than anything is kept, as they stand: the end of what they are part of was lost.
pub fn give_up(part: &mut Part, before: Time, window: Window) {
    let is_old = |line: &crate::fold::LooseLine| line.time.is_some_and(|time| time < before);
    let (old, young) = std::mem::take(&mut part.loose).into_iter().partition(is_old);
    part.loose = young;
    let old = Part { loose: old, edges: part.edges.clone(), ..Part::default() };
    part.notes.merge(old.finish(window));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::{Clock, Zone};
    use crate::fold::{Chunk, Filter};
    use crate::layout::Layout;
    use relayaudit_parsers::registry::{Context, by_name};

    /// One refused recipient at an hour of 2026-11-24.
    fn part(hour: u32) -> Part {
        let stamp = format!("2026-11-{}T{:02}:00:00+00:00", 24 + hour / 24, hour % 24);
        let line = format!(
            "{stamp} mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.{hour}]: 454 4.7.1 <a@example.net>: Relay access \
             denied; from=<b@example.com> to=<a@example.net> proto=SMTP helo=<c>\n"
        );
        let clock = Clock::new(Zone::Named(chrono_tz::Tz::UTC), None, None, chrono::DateTime::UNIX_EPOCH);
        let chunk = Chunk {
            file: FileId(1),
            path: "mail.log".into(),
            format: by_name("postfix").unwrap(),
            context: Context::default(),
            clock,
            layout: Layout::default(),
            first_line: u64::from(hour) + 1,
            torn: false,
            bytes: line.into_bytes(),
        };
        Part::of(&chunk, &Filter::default())
    }

    fn clients(books: &Books) -> usize {
        books.ledger(std::iter::empty(), Window::default()).clients.len()
    }

    #[test]
    fn old_hours_are_forgotten_and_their_paths_are_not() {
        let now = Time(part(40).notes.inputs[&FileId(1)].span.last.unwrap().0);
        let mut books = Books::new(Some(24 * HOUR_MICROS));
        for hour in 0..30 {
            books.take(&mut part(hour), now);
        }
        assert_eq!(clients(&books), 30);
        assert_eq!(books.expire().unwrap().rfc3339(), "2026-11-24T05:00:00Z");
        assert_eq!(clients(&books), 25);
        assert_eq!(books.expire(), None);
        let ledger = books.ledger(std::iter::empty(), Window::default());
        assert_eq!((&*ledger.inputs[&FileId(1)].path, ledger.inputs[&FileId(1)].lines), ("mail.log", 25));
    }

    #[test]
    fn a_stamp_from_the_future_forgets_nothing() {
        let now = part(1).notes.inputs[&FileId(1)].span.last.unwrap();
        let mut books = Books::new(Some(HOUR_MICROS));
        books.take(&mut part(1), now);
        books.take(&mut part(100), now);
        assert_eq!(books.newest(), Some(now));
        assert_eq!(books.expire(), None);
        assert_eq!(clients(&books), 2);
    }

    #[test]
    fn without_a_limit_nothing_is_forgotten() {
        let mut books = Books::default();
        (0..100).for_each(|hour| books.take(&mut part(hour), Time(i64::MAX / 2)));
        assert_eq!((books.expire(), books.start(), clients(&books)), (None, None, 100));
    }
}
