//! The edges of a stretch of log: how near a line is to what is not known yet.

use super::Fact;
use crate::ledger::{FileId, Place, Text, Time, words};
use crate::merge::Merge;
use foldhash::HashMap;
use relayaudit_parsers::record::Event;
use serde::{Deserialize, Serialize};
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Rows", into = "Rows")]
pub struct Edges {
    servers: HashMap<Text, Edge>,
    /// The first and last times of each server's logs of a dialogue, by the scope of their session ids. A server may
    /// write several such logs side by side (a front end and a hub, virtual servers); read one after the other, only
    /// each for itself is in the order of time.
    streams: HashMap<Text, Scopes>,
    /// The highest line number of each file.
    ends: BTreeMap<FileId, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edge {
    first: Place,
    last: Place,
}

/// The times of one server's logs, by scope.
type Scopes = HashMap<Box<[u8]>, Times>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    first: Option<Time>,
    last: Option<Time>,
}

impl Edges {
    /// Widens the edges by a line of a file, whatever it says.
    pub fn see_line(&mut self, place: Place) {
        let end = self.ends.entry(place.file).or_default();
        *end = place.line.max(*end);
    }

    /// Widens the edges by a fact.
    pub fn see(&mut self, fact: &Fact<'_>) {
        if let (Some(session), true) = (fact.record.session, is_of_dialogue(&fact.record.event)) {
            self.see_stream(fact.server, session.scope, Times { first: fact.time, last: fact.time });
        }
        let edge = Edge { first: fact.place, last: fact.place };
        match self.servers.entry(fact.server) {
            Entry::Occupied(mut mine) => mine.get_mut().merge_with(edge),
            Entry::Vacant(gap) => {
                gap.insert(edge);
            }
        }
    }

    fn see_stream(&mut self, server: Text, scope: &[u8], times: Times) {
        match self.streams.get_mut(&server).and_then(|scopes| scopes.get_mut(scope)) {
            Some(mine) => mine.merge_with(times),
            None => {
                self.streams.entry(server).or_default().insert(scope.into(), times);
            }
        }
    }

    fn times(&self, server: Text, scope: &[u8]) -> Option<&Times> {
        self.streams.get(&server)?.get(scope)
    }

    /// The files of which a line was seen.
    pub fn files(&self) -> impl Iterator<Item = FileId> + '_ {
        self.ends.keys().copied()
    }

    /// Gives files other numbers. Fails on one that `new` does not know.
    pub fn refile(&mut self, new: &dyn Fn(FileId) -> Option<FileId>) -> Option<()> {
        for edge in self.servers.values_mut() {
            edge.first.file = new(edge.first.file)?;
            edge.last.file = new(edge.last.file)?;
        }
        let ends = std::mem::take(&mut self.ends).into_iter();
        self.ends = ends.map(|(file, line)| Some((new(file)?, line))).collect::<Option<_>>()?;
        Some(())
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
    pub fn recent_at_start(&self, server: Text, scope: &[u8], time: Option<Time>) -> bool {
        match (self.times(server, scope).and_then(|times| times.first), time) {
            (Some(first), Some(time)) => time.0.saturating_sub(first.0) <= IDLE_MICROS,
            _ => true,
        }
    }

    /// Whether a client idle since `time` may become active again after the stretch.
    pub fn recent_at_end(&self, server: Text, scope: &[u8], time: Option<Time>) -> bool {
        match (self.times(server, scope).and_then(|times| times.last), time) {
            (Some(last), Some(time)) => last.0.saturating_sub(time.0) <= IDLE_MICROS,
            _ => true,
        }
    }
}

/// Whether a line can belong to a transaction that ends when its client is idle.
fn is_of_dialogue(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Mail { .. }
            | Event::Recipient { .. }
            | Event::Data { .. }
            | Event::OutboundCommand { .. }
            | Event::OutboundReply { .. }
    )
}

/// Whether so much time lies between two lines of a client that they are of different transactions.
pub fn is_idle(last: Option<Time>, next: Option<Time>) -> bool {
    matches!((last, next), (Some(last), Some(next)) if IDLE_MICROS < next.0.saturating_sub(last.0))
}

impl Edge {
    fn merge_with(&mut self, other: Edge) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Times {
    fn merge_with(&mut self, other: Times) {
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
    }
}

/// Edges as they are saved: in order.
#[derive(Serialize, Deserialize)]
struct Rows {
    servers: Vec<(Text, Place, Place)>,
    streams: Vec<Stream>,
    ends: Vec<(FileId, u64)>,
}

#[derive(Serialize, Deserialize)]
struct Stream {
    server: Text,
    #[serde(with = "words::bytes")]
    scope: Box<[u8]>,
    first: Option<Time>,
    last: Option<Time>,
}

impl From<Edges> for Rows {
    fn from(edges: Edges) -> Rows {
        let mut servers: Vec<_> =
            edges.servers.into_iter().map(|(server, edge)| (server, edge.first, edge.last)).collect();
        servers.sort_unstable();
        let mut streams = Vec::new();
        for (server, scopes) in edges.streams {
            let row = |(scope, Times { first, last })| Stream { server, scope, first, last };
            streams.extend(scopes.into_iter().map(row));
        }
        streams.sort_unstable_by(|a, b| (a.server, &a.scope).cmp(&(b.server, &b.scope)));
        Rows { servers, streams, ends: edges.ends.into_iter().collect() }
    }
}

impl From<Rows> for Edges {
    fn from(rows: Rows) -> Edges {
        let servers = rows.servers.into_iter().map(|(server, first, last)| (server, Edge { first, last }));
        let mut edges = Edges { servers: servers.collect(), ends: rows.ends.into_iter().collect(), ..Edges::default() };
        for Stream { server, scope, first, last } in rows.streams {
            edges.see_stream(server, &scope, Times { first, last });
        }
        edges
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
        for (server, scopes) in other.streams {
            for (scope, times) in scopes {
                self.see_stream(server, &scope, times);
            }
        }
        for (file, line) in other.ends {
            let end = self.ends.entry(file).or_default();
            *end = line.max(*end);
        }
    }
}
