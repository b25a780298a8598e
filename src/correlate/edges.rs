//! The edges of a stretch of log: how near a line is to what is not known yet.

use super::Fact;
use crate::ledger::{FileId, Place, Text, Time};
use crate::merge::Merge;
use foldhash::HashMap;
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

/// Lines within which a message and the line that announces it stand, on one server.
///
/// A content filter answers `queued as` right after it handed the message back, and an alias or a
/// bounce names its new queue id at once; in between stand the lines of other messages, some
/// thousands on the busiest servers.
pub const NEAR_LINES: u64 = 10_000;

/// Time after which a server gives up on an idle client: nothing joins a transaction later.
/// Ten minutes is the default of IIS and the minimum of RFC 5321 section 4.5.3.2.
pub const IDLE_MICROS: i64 = 600_000_000;

/// Where a stretch begins and ends, server by server, and how long its files are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edges {
    servers: HashMap<Text, Edge>,
    /// The highest line number of each file.
    ends: BTreeMap<FileId, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edge {
    first: Place,
    last: Place,
    first_time: Option<Time>,
    last_time: Option<Time>,
}

impl Edges {
    /// Widens the edges by a line of a file, whatever it says.
    pub fn see_line(&mut self, place: Place) {
        let end = self.ends.entry(place.file).or_default();
        *end = place.line.max(*end);
    }

    /// Widens the edges by a fact.
    pub fn see(&mut self, fact: &Fact<'_>) {
        let edge = Edge { first: fact.place, last: fact.place, first_time: fact.time, last_time: fact.time };
        match self.servers.entry(fact.server) {
            Entry::Occupied(mut mine) => mine.get_mut().merge_with(edge),
            Entry::Vacant(gap) => {
                gap.insert(edge);
            }
        }
    }

    /// Lines between two places, the earlier first; those of files in between are not counted.
    pub fn lines_between(&self, a: Place, b: Place) -> u64 {
        if a.file == b.file {
            return b.line.saturating_sub(a.line);
        }
        let end = self.ends.get(&a.file).copied().unwrap_or(a.line);
        end.saturating_sub(a.line).saturating_add(b.line)
    }

    /// Whether what stands before the stretch may still concern a line at `place`.
    pub fn near_start(&self, server: Text, place: Place) -> bool {
        self.servers.get(&server).is_none_or(|edge| self.lines_between(edge.first, place) <= NEAR_LINES)
    }

    /// Whether what stands after the stretch may still concern a line at `place`.
    pub fn near_end(&self, server: Text, place: Place) -> bool {
        self.servers.get(&server).is_none_or(|edge| self.lines_between(place, edge.last) <= NEAR_LINES)
    }

    /// Whether a client idle since `time` may have been active before the stretch began.
    pub fn recent_at_start(&self, server: Text, time: Option<Time>) -> bool {
        match (self.servers.get(&server).and_then(|edge| edge.first_time), time) {
            (Some(first), Some(time)) => time.0.saturating_sub(first.0) <= IDLE_MICROS,
            _ => true,
        }
    }

    /// Whether a client idle since `time` may become active again after the stretch.
    pub fn recent_at_end(&self, server: Text, time: Option<Time>) -> bool {
        match (self.servers.get(&server).and_then(|edge| edge.last_time), time) {
            (Some(last), Some(time)) => last.0.saturating_sub(time.0) <= IDLE_MICROS,
            _ => true,
        }
    }
}

impl Edge {
    fn merge_with(&mut self, other: Edge) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.first_time = match (self.first_time, other.first_time) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last_time = self.last_time.max(other.last_time);
    }
}

impl Merge for Edges {
    fn merge(&mut self, other: Edges) {
        for (server, edge) in other.servers {
            match self.servers.entry(server) {
                Entry::Occupied(mut mine) => mine.get_mut().merge_with(edge),
                Entry::Vacant(gap) => {
                    gap.insert(edge);
                }
            }
        }
        for (file, line) in other.ends {
            let end = self.ends.entry(file).or_default();
            *end = line.max(*end);
        }
    }
}
