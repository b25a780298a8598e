//! Days: a ledger kept apart by day, so that old days can be forgotten and recent ones judged alone.
//!
//! All that is told of one message goes to the day on which it came in. Which day holds what does not matter to the
//! whole: the days merged are the ledger that [`Books`] would have written.

use crate::correlate::{Fact, Message, Observer, Session};
use crate::ledger::{FileId, Input, Ledger, Place, Text, Time};
use crate::merge::Merge;
use crate::observe::names::Names;
use crate::observe::{Books, Window};
use crate::scribe::{Notes, Scribe};
use relayaudit_parsers::Record;
use relayaudit_parsers::record::Lost;
use std::collections::BTreeMap;

/// A day in UTC, counted from 1970-01-01.
pub type Day = i32;

/// The day of what has no time, until it is put down under the day on which it was read.
pub const UNDATED: Day = i32::MIN;

/// Microseconds of a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// The day that holds a time.
pub fn day_of(time: Time) -> Day {
    Day::try_from(time.0.div_euclid(DAY_MICROS)).unwrap_or(UNDATED)
}

/// What was learnt, by day, and what was read of each file.
#[derive(Default)]
pub struct Days {
    /// The books of each day, without inputs.
    pub books: BTreeMap<Day, Ledger>,
    /// What became of the lines of each file.
    pub inputs: BTreeMap<FileId, Input>,
}

impl Merge for Days {
    fn merge(&mut self, other: Days) {
        Merge::merge(&mut self.books, other.books);
        Merge::merge(&mut self.inputs, other.inputs);
    }
}

impl Notes for Days {
    type Scribe = DayBooks;
}

/// Keeps the books of every day.
pub struct DayBooks {
    window: Window,
    names: Names,
    books: BTreeMap<Day, Books>,
    /// The books that were written in last, and their day; not among the others.
    open: (Day, Books),
    inputs: BTreeMap<FileId, Input>,
}

impl DayBooks {
    fn of(&mut self, time: Option<Time>) -> &mut Books {
        let day = time.map_or(UNDATED, day_of);
        if day != self.open.0 {
            let books = self.books.remove(&day).unwrap_or_else(|| Books::new(self.window));
            let (last, closed) = std::mem::replace(&mut self.open, (day, books));
            self.books.insert(last, closed);
        }
        &mut self.open.1
    }
}

impl Scribe for DayBooks {
    type Notes = Days;

    fn new(window: Window) -> DayBooks {
        DayBooks {
            window,
            names: Names::default(),
            books: BTreeMap::new(),
            open: (UNDATED, Books::new(window)),
            inputs: BTreeMap::new(),
        }
    }

    fn server_of(&mut self, record: &Record<'_>) -> Text {
        self.names.server(record.server)
    }

    fn record(&mut self, fact: &Fact<'_>, format: &Text) {
        self.of(fact.time).record(fact, format);
    }

    fn lost(&mut self, lost: &Lost<'_>, time: Option<Time>, place: Place, raw: &[u8]) {
        self.of(time).lost(lost, time, place, raw);
    }

    fn input(&mut self, file: FileId, input: Input) {
        // The next record may be of another format.
        for books in self.books.values_mut().chain([&mut self.open.1]) {
            books.input(file, Input::default());
        }
        self.inputs.entry(file).or_default().merge(input);
    }

    fn hand_on(&mut self) -> Days {
        Days::default()
    }

    fn finish(self) -> Days {
        let mut days = Days { books: BTreeMap::new(), inputs: self.inputs };
        for (day, books) in self.books.into_iter().chain([self.open]) {
            let mut ledger = books.finish();
            ledger.inputs = BTreeMap::new();
            if ledger != Ledger::default() {
                days.books.insert(day, ledger);
            }
        }
        days
    }
}

impl Observer for DayBooks {
    fn alone(&mut self, fact: &Fact<'_>) {
        self.of(fact.time).alone(fact);
    }

    fn message(&mut self, message: &Message<'_>) {
        self.of(message.opening.time).message(message);
    }

    fn session(&mut self, session: &Session<'_>) {
        self.of(session.opening.time).session(session);
    }
}
