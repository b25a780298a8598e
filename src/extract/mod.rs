//! Extract: a row per recipient, as the correlator decides on it. Nothing is kept: what the rows need is
//! in the lines of one message.

mod partition;
mod row;
mod write;

pub use partition::Partitioned;
pub use row::{COLUMNS, Cell, Row};
pub use write::{Csv, Ndjson, Parquet, RowWriter};

use crate::correlate::{Fact, Message, Observer, Recipient, Session};
use crate::ledger::{Origin, Text};
use crate::merge::Merge;
use crate::observe::Window;
use crate::observe::names::Names;
use crate::observe::refusal;
use crate::scribe::{Notes, Scribe};
use relayaudit_parsers::Record;

/// Rows, in the order in which they were decided.
#[derive(Debug, Clone, Default)]
pub struct Rows(pub Vec<Row>);

impl Merge for Rows {
    fn merge(&mut self, mut other: Rows) {
        if self.0.is_empty() {
            *self = other;
        } else {
            self.0.append(&mut other.0);
        }
    }
}

impl Notes for Rows {
    type Scribe = RowScribe;
}

/// Writes a row for every recipient.
#[derive(Default)]
pub struct RowScribe {
    window: Window,
    names: Names,
    rows: Vec<Row>,
}

impl RowScribe {
    fn row(&mut self, message: &Message<'_>, recipient: &Recipient<'_>) {
        let way = self.names.way(message);
        let key = self.names.flow_key(way, recipient);
        self.rows.push(Row::of(key, message, recipient));
    }
}

/// How many names are remembered: they are forgotten now and then, so that no log fills the memory with them.
const NAMES: usize = 100_000;

impl Scribe for RowScribe {
    type Notes = Rows;

    fn new(window: Window) -> RowScribe {
        RowScribe { window, ..RowScribe::default() }
    }

    fn server_of(&mut self, record: &Record<'_>) -> Text {
        self.names.server(record.server)
    }

    fn hand_on(&mut self) -> Rows {
        self.names.forget(NAMES);
        Rows(std::mem::take(&mut self.rows))
    }

    fn finish(mut self) -> Rows {
        self.hand_on()
    }
}

impl Observer for RowScribe {
    fn alone(&mut self, fact: &Fact<'_>) {
        if !self.window.holds(fact.time) {
            return;
        }
        if let Some((message, recipient)) = refusal::read(fact) {
            for _ in 0..fact.times {
                self.row(&message, &recipient);
            }
        }
    }

    fn session(&mut self, _session: &Session<'_>) {}

    fn message(&mut self, message: &Message<'_>) {
        // Our own client side in logs that do not link the two shows the same recipients a second time.
        if self.window.holds(message.opening.time) && message.origin != Origin::Outbound {
            message.recipients.iter().for_each(|recipient| self.row(message, recipient));
        }
    }
}
