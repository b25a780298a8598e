//! Scribes: who writes down what the correlator decides. One keeps books ([`crate::observe::Books`]), one writes a row
//! per recipient ([`crate::extract`]); the fold and the scan serve both alike.

use crate::correlate::{Fact, Observer};
use crate::fold::Filter;
use crate::ledger::{FileId, Input, Place, Text, Time};
use crate::merge::Merge;
use crate::observe::Window;
use relayaudit_parsers::Record;
use relayaudit_parsers::record::Lost;

/// Writes down what is decided.
pub trait Scribe: Observer + Sized {
    /// What it writes.
    type Notes;

    /// A scribe for mail of a stretch of time.
    fn new(window: Window) -> Self;

    /// A scribe for what a filter lets pass and asks for.
    fn of(filter: &Filter) -> Self {
        Self::new(filter.window)
    }

    /// The name of the server that wrote a record.
    fn server_of(&mut self, record: &Record<'_>) -> Text;

    /// Takes note of a record. Called once for every record, whatever becomes of it.
    fn record(&mut self, _fact: &Fact<'_>, _format: &Text) {}

    /// Takes note that lines were lost, as the line at `place` says, written at `time`.
    fn lost(&mut self, _lost: &Lost<'_>, _time: Option<Time>, _place: Place, _raw: &[u8]) {}

    /// Takes note of what was read of a file. The next record may be of another file and format.
    fn input(&mut self, _file: FileId, _input: Input) {}

    /// What was written since the last call and is to be handed on with the chunk just read, in its order.
    /// A scribe whose notes have no order keeps them to the end.
    fn hand_on(&mut self) -> Self::Notes;

    /// What was written and not handed on.
    fn finish(self) -> Self::Notes;
}

/// What a scribe writes, and who writes it.
pub trait Notes: Merge + Default + Send {
    /// Who writes it.
    type Scribe: Scribe<Notes = Self> + Send;
}
