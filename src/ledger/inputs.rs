//! Inputs: what was read, and what became of every line of it.

use super::sample::Smallest;
use super::span::{Evidence, Span};
use super::text::Text;
use crate::merge::Merge;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One file (or stdin). `lines = records + directives + ignored + unparsed`, always.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The path as it was found; `-` for stdin. The same in every part of one file.
    pub path: Text,
    /// Name of the format; empty if none was recognised.
    pub format: Text,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines that say something about mail.
    pub records: u64,
    /// Lines that describe the log.
    pub directives: u64,
    /// Lines understood to say nothing about mail, by reason.
    pub ignored: BTreeMap<Text, u64>,
    /// Lines that break the grammar, by what was expected.
    pub unparsed: BTreeMap<Text, Unparsed>,
    /// When the records were written.
    pub span: Span,
    /// What went wrong, for people: "the gzip data ends early; read as far as it goes".
    pub problems: BTreeSet<Text>,
}

/// Lines that broke the grammar in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unparsed {
    /// How many.
    pub lines: u64,
    /// The first of them.
    pub samples: Smallest<Evidence, 3>,
}

impl Merge for Unparsed {
    fn merge(&mut self, other: Unparsed) {
        self.lines.merge(other.lines);
        self.samples.merge(other.samples);
    }
}

impl Input {
    /// Lines ignored, for whatever reason.
    pub fn ignored_lines(&self) -> u64 {
        self.ignored.values().sum()
    }

    /// Lines that broke the grammar.
    pub fn unparsed_lines(&self) -> u64 {
        self.unparsed.values().map(|u| u.lines).sum()
    }
}

impl Merge for Input {
    fn merge(&mut self, other: Input) {
        // Parts of one file agree on these; the neutral element has none.
        self.path = std::mem::take(&mut self.path).max(other.path);
        self.format = std::mem::take(&mut self.format).max(other.format);
        self.bytes.merge(other.bytes);
        self.lines.merge(other.lines);
        self.records.merge(other.records);
        self.directives.merge(other.directives);
        Merge::merge(&mut self.ignored, other.ignored);
        Merge::merge(&mut self.unparsed, other.unparsed);
        self.span.merge(other.span);
        Merge::merge(&mut self.problems, other.problems);
    }
}
