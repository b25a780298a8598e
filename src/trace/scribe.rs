//! The scribe of a pass: keeps the messages that are wanted.

use super::hops::{Collect, Hops, born_of};
use super::life::Life;
use super::store::Store;
use super::wanted::{Matches, Wanted};
use crate::correlate::{Fact, Message, Observer, Session};
use crate::fold::Filter;
use crate::ledger::{FileId, Input, Ledger, Origin, Place, Text, Time};
use crate::merge::Merge;
use crate::observe::names::Names;
use crate::observe::{Books, Window, refusal};
use crate::scribe::{Notes, Scribe};
use relayaudit_parsers::Record;
use relayaudit_parsers::record::Lost;
use std::sync::Arc;

/// What a pass finds.
#[derive(Debug, Default)]
pub struct Traces {
    /// Messages that match a key.
    pub matching: Store,
    /// Messages that only an id led to.
    pub followed: Store,
    /// What the logs show of the site and of what they cover, if the pass surveys. It holds no mail.
    pub ledger: Ledger,
}

impl Merge for Traces {
    fn merge(&mut self, other: Traces) {
        self.matching.merge(other.matching);
        self.followed.merge(other.followed);
        self.ledger.merge(other.ledger);
    }
}

impl Notes for Traces {
    type Scribe = TraceScribe;
}

/// How many names are remembered.
const NAMES: usize = 100_000;

/// Keeps the messages that are wanted.
#[derive(Default)]
pub struct TraceScribe {
    window: Window,
    wanted: Arc<Wanted>,
    names: Names,
    found: Traces,
    books: Option<Books>,
}

impl TraceScribe {
    fn take<'a>(&mut self, message: &Message<'a>, lines: &[&Fact<'a>]) {
        if !self.window.holds(message.opening.time) {
            return;
        }
        let born_of = born_of(message, lines.first().copied());
        // The line that announces it is another message's.
        let lines = if born_of.is_empty() || !is_of_other(message, lines) { lines } else { &lines[1..] };
        let mut matches = self.wanted.matches(message);
        let led = self.ids(message, lines, &mut matches) || self.wanted.ids.has_queue_id(born_of);
        if matches.is_empty() && !led {
            return;
        }
        let is_match = !matches.is_empty();
        let life = Life::of(message, lines, born_of, &mut self.names, matches);
        self.keep(life, is_match);
    }

    fn keep(&mut self, life: Life, is_match: bool) {
        match is_match {
            true => self.found.matching.add(life),
            false => self.found.followed.add(life),
        }
    }

    /// Adds the keys that the ids of its lines match. Returns whether an id leads to it.
    fn ids(&self, message: &Message<'_>, lines: &[&Fact<'_>], matches: &mut Matches) -> bool {
        let ids = &self.wanted.ids;
        let mut led = ids.has_message_id(message.message_id);
        led |= message.origin == Origin::Outbound && ids.has_sent(message);
        for fact in lines.iter().copied().chain([message.opening]) {
            self.wanted.fact(fact, matches);
            led |= fact.record.message.is_some_and(|message| ids.has_queue_id(message.id));
        }
        for hop in Hops::of(message, lines) {
            self.wanted.told(hop.id.as_bytes(), matches);
            led |= ids.has_queue_id(hop.id.as_bytes());
        }
        if let relayaudit_parsers::record::Event::Received { told_id, .. } = message.opening.record.event {
            self.wanted.told(told_id, matches);
            led |= ids.has_queue_id(told_id);
        }
        led
    }
}

/// Whether the first of some lines is of another message.
fn is_of_other(message: &Message<'_>, lines: &[&Fact<'_>]) -> bool {
    let id = |fact: &Fact<'_>| fact.record.message.map(|message| message.id.to_vec());
    lines.first().is_some_and(|first| id(first) != id(message.opening))
}

impl Scribe for TraceScribe {
    type Notes = Traces;

    fn new(window: Window) -> TraceScribe {
        TraceScribe { window, ..TraceScribe::default() }
    }

    fn of(filter: &Filter) -> TraceScribe {
        let wanted = filter.wanted.clone().unwrap_or_default();
        let books = wanted.surveys.then(|| Books::new(filter.window));
        TraceScribe { wanted, books, ..TraceScribe::new(filter.window) }
    }

    fn server_of(&mut self, record: &Record<'_>) -> Text {
        self.names.server(record.server)
    }

    fn record(&mut self, fact: &Fact<'_>, format: &Text) {
        if let Some(books) = &mut self.books {
            books.record(fact, format);
        }
    }

    fn lost(&mut self, lost: &Lost<'_>, time: Option<Time>, place: Place, raw: &[u8]) {
        if let Some(books) = &mut self.books {
            books.lost(lost, time, place, raw);
        }
    }

    fn input(&mut self, file: FileId, input: Input) {
        if let Some(books) = &mut self.books {
            books.input(file, input);
        }
    }

    fn hand_on(&mut self) -> Traces {
        self.names.forget(NAMES);
        if let Some(books) = &mut self.books {
            books.forget_mail();
        }
        std::mem::take(&mut self.found)
    }

    fn finish(mut self) -> Traces {
        let mut found = self.hand_on();
        if let Some(books) = self.books {
            found.ledger = books.finish();
        }
        found
    }
}

impl Observer for TraceScribe {
    fn alone(&mut self, fact: &Fact<'_>) {
        if let Some(books) = &mut self.books {
            books.alone(fact);
        }
        if !self.window.holds(fact.time) {
            return;
        }
        let Some((message, recipient)) = refusal::read(fact) else { return };
        let message = Message { recipients: vec![recipient], ..message };
        let matches = self.wanted.matches(&message);
        let led = fact.record.message.is_some_and(|message| self.wanted.ids.has_queue_id(message.id));
        if !matches.is_empty() || led {
            let is_match = !matches.is_empty();
            let life = Life { is_refusal: true, ..Life::of(&message, &[], b"", &mut self.names, matches) };
            self.keep(life, is_match);
        }
    }

    fn session(&mut self, session: &Session<'_>) {
        if let Some(books) = &mut self.books {
            books.session(session);
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        if let Some(books) = &mut self.books {
            books.message(message);
        }
        self.take(message, &[]);
    }

    fn life<'f>(&mut self, message: &Message<'f>, lines: &mut dyn Iterator<Item = &'f Fact<'f>>) {
        if let Some(books) = &mut self.books {
            books.message(message);
        }
        let lines: smallvec::SmallVec<[&Fact<'f>; 16]> = lines.collect();
        self.take(message, &lines);
    }
}
