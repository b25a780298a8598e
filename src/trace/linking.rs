//! Linking: finds from which life another follows.
//!
//! An id proves nothing by itself: ids are used again, and a Message-ID is the client's text. A link needs times that fit
//! ([`NEAR`]), and what two lives say of themselves must not differ.

use super::chains::{Bond, Link};
use super::hops::Hop;
use super::life::Life;
use crate::ledger::{Origin, Outcome, Text, Time};
use foldhash::HashMap;
use relayaudit_parsers::record::Offspring;

/// Lives that follow one from another at most: no message goes through so many servers.
const LONGEST: usize = 200;

/// How long mail waits in a queue, in microseconds (RFC 5321 section 4.5.4.1: 4 to 5 days).
const QUEUED: i64 = 5 * 86_400_000_000;

/// Lives of one Message-ID that are looked at to find the one that was handed on: spam may use one for thousands.
const TRIED: usize = 64;

/// How far the times of two servers may differ for the same moment, in microseconds: clocks are set by hand, and zones
/// of logs that name none are guessed. Queue ids are used again within hours at the earliest.
pub const NEAR: i64 = 3_600_000_000;

/// The state while lives are linked.
pub struct Linking<'a> {
    lives: &'a [Life],
    /// For each life the one that it follows from.
    pub links: Vec<Option<Link>>,
    /// How far in time the link of a life is.
    distance: Vec<u64>,
    /// What is one message.
    pub sets: Sets,
}

impl<'a> Linking<'a> {
    /// Links lives, which stand in the order of time.
    pub fn of(lives: &'a [Life]) -> Linking<'a> {
        let mut linking = Linking {
            lives,
            links: vec![None; lives.len()],
            distance: vec![u64::MAX; lives.len()],
            sets: Sets((0..lives.len()).collect()),
        };
        linking.by_queue_id();
        linking.by_message_id();
        linking.by_paths();
        linking
    }

    fn by_queue_id(&mut self) {
        let lives = self.lives;
        let mut own: HashMap<&str, Vec<usize>> = HashMap::default();
        for (number, life) in lives.iter().enumerate() {
            let mut ids: Vec<&str> = life.ids.iter().chain(&life.told).map(AsRef::as_ref).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().for_each(|id| own.entry(id).or_default().push(number));
        }
        for (number, life) in lives.iter().enumerate() {
            for hop in &life.hops {
                let candidates = about(own.get(&*hop.id), hop.time, lives);
                let nearest = candidates.iter().copied().filter(|other| fits(number, hop, *other, lives));
                // Several, where one message is told of in several logs: each of them follows.
                for other in nearest.collect::<Vec<_>>() {
                    self.link(number, other, bond(hop), apart(hop.time, lives[other].time));
                }
            }
            if !life.born_of.is_empty() {
                let before = about(own.get(&*life.born_of), life.time, lives);
                let last = before.iter().copied().rfind(|other| *other != number && bore(&lives[*other], life));
                let bond = if life.way.origin == Origin::Forwarded { Bond::Forwarded } else { Bond::Notification };
                last.into_iter().for_each(|parent| self.link(parent, number, bond, 0));
            }
            if life.is_refusal {
                let same = about(life.ids.first().and_then(|id| own.get(&**id)), life.time, lives);
                let of = |other: &usize| !lives[*other].is_refusal && is_near(*other, number, lives);
                let nearest = same.iter().copied().filter(of).min_by_key(|other| apart(life.time, lives[*other].time));
                nearest.into_iter().for_each(|parent| self.link(parent, number, Bond::Refused, 0));
            }
        }
    }

    /// Links a life to that from which it follows, unless it has a nearer one or would follow from itself.
    fn link(&mut self, parent: usize, child: usize, bond: Bond, distance: u64) {
        if self.distance[child] <= distance && self.links[child].is_some() {
            return;
        }
        let mut up = Some(parent);
        for _ in 0..LONGEST {
            let Some(at) = up.filter(|at| *at != child) else { break };
            up = self.links[at].map(|link| link.parent);
        }
        if up.is_some() {
            return;
        }
        self.links[child] = Some(Link { parent, bond });
        self.distance[child] = distance;
        self.sets.join(parent, child);
    }

    /// Links what carries the same Message-ID, where queue ids do not tell.
    fn by_message_id(&mut self) {
        let lives = self.lives;
        let mut same: HashMap<&str, Vec<usize>> = HashMap::default();
        for (number, life) in lives.iter().enumerate().filter(|(_, life)| !life.message_id.is_empty()) {
            same.entry(&life.message_id).or_default().push(number);
        }
        let mut groups: Vec<Vec<usize>> = same.into_values().filter(|group| 1 < group.len()).collect();
        groups.sort_unstable();
        for group in groups {
            for (at, life) in group.iter().copied().enumerate() {
                let free = self.links[life].is_none() && !lives[life].is_offspring();
                let before = || group[..at].iter().rev().take(TRIED).copied();
                if let Some(view) = before().find(|other| free && is_other_log(&lives[*other], &lives[life])) {
                    self.link(view, life, Bond::OtherLog, 0);
                    continue;
                }
                let beside = |other: &usize| free && lives[*other].way.server != lives[life].way.server;
                let elsewhere: Vec<usize> = before().filter(beside).collect();
                match elsewhere.iter().copied().find(|other| handed(&lives[*other], &lives[life])) {
                    Some(parent) => self.link(parent, life, Bond::SameMessageId, 0),
                    // Which came first is not told, but it is the same message.
                    None => elsewhere.first().into_iter().for_each(|other| self.sets.join(*other, life)),
                }
            }
        }
    }
}

impl Linking<'_> {
    /// Links a server's own sessions with others to the mail that they are for: the latest of those paths before them.
    fn by_paths(&mut self) {
        let lives = self.lives;
        let mut came: HashMap<(Text, String, String), Vec<usize>> = HashMap::default();
        let keys = |life: &Life| -> Vec<_> {
            let reverse_path = life.reverse_path.as_deref().unwrap_or_default().to_lowercase();
            let paths = life.recipients.iter().map(|fate| fate.path.to_lowercase());
            paths.map(|path| (life.way.server, reverse_path.clone(), path)).collect()
        };
        for (number, life) in lives.iter().enumerate() {
            if life.way.origin == Origin::Outbound {
                let waited = |parent: &usize| apart(lives[*parent].time, life.time) <= QUEUED as u64;
                let latest = keys(life).iter().filter_map(|key| came.get(key)?.last().copied()).max();
                latest.filter(waited).into_iter().for_each(|parent| self.link(parent, number, Bond::Sent, 0));
            } else if life.ids.is_empty() && life.way.origin.is_network() && !life.is_refusal {
                keys(life).into_iter().for_each(|key| came.entry(key).or_default().push(number));
            }
        }
    }
}

fn bond(hop: &Hop) -> Bond {
    match (hop.how, hop.is_own) {
        (_, true) => Bond::OtherLog,
        (Offspring::Reinjected, _) => Bond::HandedOn,
        (Offspring::Forwarded, _) => Bond::Forwarded,
        (Offspring::Notification, _) => Bond::Notification,
    }
}

/// Of the lives that had an id, in the order of time, those about a time: of one that is used again without end, few.
fn about<'l>(had: Option<&'l Vec<usize>>, time: Option<Time>, lives: &[Life]) -> &'l [usize] {
    let had = had.map_or(&[][..], Vec::as_slice);
    let at = had.partition_point(|life| lives[*life].time <= time);
    &had[at.saturating_sub(TRIED)..had.len().min(at + TRIED)]
}

/// Whether the id in a line of one life can be that of another.
fn fits(from: usize, hop: &Hop, to: usize, lives: &[Life]) -> bool {
    let (a, b) = (&lives[from], &lives[to]);
    if from == to || b.is_refusal {
        return false;
    }
    let same_server = a.way.server == b.way.server;
    let near = apart(hop.time, b.time) <= NEAR as u64;
    let message_ids = (!a.message_id.is_empty() && !b.message_id.is_empty()).then(|| a.message_id == b.message_id);
    match hop.how {
        Offspring::Reinjected if hop.is_own => (same_server || a.way.origin == Origin::Session) && near && from < to,
        Offspring::Reinjected => !b.is_offspring() && message_ids != Some(false) && (near || message_ids == Some(true)),
        Offspring::Forwarded | Offspring::Notification => same_server && near,
    }
}

/// Whether one life is a session, and the other what another log of the server tells of the message that came in it.
fn is_other_log(session: &Life, other: &Life) -> bool {
    let rank = |life: &Life| match life.way.origin {
        Origin::Session => Some(0),
        Origin::PassedOn => Some(1),
        Origin::Network => Some(2),
        _ => None,
    };
    let follows = rank(session).filter(|rank| *rank < 2) < rank(other) && rank(session).is_some_and(|rank| rank < 2);
    follows && session.way.client == other.way.client && apart(session.time, other.time) <= NEAR as u64
}

/// Whether the first life handed a recipient of the second to another server.
fn handed(from: &Life, to: &Life) -> bool {
    let passed = from.recipients.iter().filter(|fate| matches!(fate.outcome(), Outcome::Relayed | Outcome::Unknown));
    let shared = |fate: &&super::life::Fate| {
        to.recipients.iter().take(TRIED).any(|other| other.path.eq_ignore_ascii_case(fate.last_path()))
    };
    let mut passed = passed;
    passed.any(|fate| shared(&fate))
}

/// Whether a message can have given rise to another of its server: it was there about then, perhaps for days.
fn bore(parent: &Life, child: &Life) -> bool {
    let Some((from, at)) = parent.time.zip(child.time) else { return parent.way.server == child.way.server };
    let to = parent.last().unwrap_or(from);
    parent.way.server == child.way.server && from.0 - NEAR <= at.0 && at.0 <= to.0.saturating_add(NEAR)
}

fn is_near(a: usize, b: usize, lives: &[Life]) -> bool {
    lives[a].way.server == lives[b].way.server && apart(lives[a].time, lives[b].time) <= NEAR as u64
}

/// How far apart two times are, in microseconds; 0 if one is unknown.
fn apart(a: Option<Time>, b: Option<Time>) -> u64 {
    a.zip(b).map_or(0, |(a, b)| a.0.abs_diff(b.0))
}

/// Disjoint sets.
pub struct Sets(Vec<usize>);

impl Sets {
    /// What names the set of a life.
    pub fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
