//! Chains: the lives of one message on several servers, linked.
//!
//! An id proves nothing by itself: ids are used again, and a Message-ID is the client's text. A link needs times that fit
//! ([`NEAR`]), and what two lives say of themselves must not differ.

use super::hops::Hop;
use super::life::Life;
use super::wanted::Ids;
use crate::ledger::{Origin, Outcome, Time};
use foldhash::HashMap;
use relayaudit_parsers::record::Offspring;

/// How far the times of two servers may differ for the same moment, in microseconds: clocks are set by hand, and zones
/// of logs that name none are guessed. Queue ids are used again within hours at the earliest.
pub const NEAR: i64 = 3_600_000_000;

/// Lives of one Message-ID that are looked at to find the one that was handed on: spam may use one for thousands.
const TRIED: usize = 64;

/// How a life follows from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// The other server said under which id it took the message.
    HandedOn,
    /// The other server handed on a message with this Message-ID and a recipient of this one.
    SameMessageId,
    /// Another log of the same server tells of the same message.
    OtherLog,
    /// A recipient of the other one that was refused.
    Refused,
    /// An alias, `.forward` or list.
    Forwarded,
    /// A delivery status notification.
    Notification,
}

impl Bond {
    /// The name of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Bond::HandedOn => "handed-on",
            Bond::SameMessageId => "same-message-id",
            Bond::OtherLog => "other-log",
            Bond::Refused => "refused-recipient",
            Bond::Forwarded => "forwarded",
            Bond::Notification => "notification",
        }
    }
}

/// The life that another follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub parent: usize,
    /// How.
    pub bond: Bond,
}

/// One message through all servers: its lives in the order of time, and what each follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The lives.
    pub lives: Vec<Life>,
    /// For each life the one that it follows from, by number; `None` for the first, and where nothing shows.
    pub links: Vec<Option<Link>>,
}

/// Links lives to chains, and leaves out those in which no life matches a key. In the order of their first times.
pub fn chains(mut lives: Vec<Life>) -> Vec<Chain> {
    lives.sort_by_key(order);
    let linking = Linking::of(&lives);
    let Linking { links, mut sets, .. } = linking;
    let mut by_root: HashMap<usize, Vec<usize>> = HashMap::default();
    (0..lives.len()).for_each(|life| by_root.entry(sets.root(life)).or_default().push(life));
    let mut members: Vec<Vec<usize>> = by_root.into_values().collect();
    members.retain(|members| members.iter().any(|life| !lives[*life].matches.is_empty()));
    members.sort_unstable();
    let mut lives: Vec<Option<Life>> = lives.into_iter().map(Some).collect();
    members
        .into_iter()
        .map(|members| {
            let own = |life: usize| members.binary_search(&life).ok();
            let link = |life: &usize| {
                let link = links[*life]?;
                Some(Link { parent: own(link.parent)?, ..link })
            };
            Chain {
                links: members.iter().map(link).collect(),
                lives: members.iter().filter_map(|life| lives[*life].take()).collect(),
            }
        })
        .collect()
}

/// The ids by which more of these messages may be found.
pub fn ids(chains: &[Chain]) -> Ids {
    let mut ids = Ids::default();
    for life in chains.iter().flat_map(|chain| &chain.lives) {
        life.ids.iter().chain(&life.told).for_each(|id| ids.queue_id(id.as_bytes()));
        life.hops.iter().for_each(|hop| ids.queue_id(hop.id.as_bytes()));
        ids.queue_id(life.born_of.as_bytes());
        ids.message_id(life.message_id.as_bytes());
    }
    ids
}

/// Time, then place: a line without time comes where its file stands.
fn order(life: &Life) -> (i64, u8, crate::ledger::Place, bool) {
    let view = match life.way.origin {
        Origin::Session => 0,
        Origin::PassedOn => 1,
        _ => 2,
    };
    (life.time.map_or(i64::MIN, |time| time.0), view, life.place, life.is_refusal)
}

/// The state while lives are linked.
struct Linking<'a> {
    lives: &'a [Life],
    links: Vec<Option<Link>>,
    /// How far in time the link of a life is.
    distance: Vec<u64>,
    sets: Sets,
}

impl<'a> Linking<'a> {
    fn of(lives: &'a [Life]) -> Linking<'a> {
        let mut linking = Linking {
            lives,
            links: vec![None; lives.len()],
            distance: vec![u64::MAX; lives.len()],
            sets: Sets((0..lives.len()).collect()),
        };
        linking.by_queue_id();
        linking.by_message_id();
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
                let candidates = own.get(&*hop.id).map_or(&[][..], Vec::as_slice);
                let nearest = candidates.iter().copied().filter(|other| fits(number, hop, *other, lives));
                // Several, where one message is told of in several logs: each of them follows.
                for other in nearest.collect::<Vec<_>>() {
                    self.link(number, other, bond(hop), apart(hop.time, lives[other].time));
                }
            }
            if !life.born_of.is_empty() {
                let before = own.get(&*life.born_of).map_or(&[][..], Vec::as_slice);
                let last = before.iter().copied().rfind(|other| *other != number && bore(&lives[*other], life));
                let bond = if life.way.origin == Origin::Forwarded { Bond::Forwarded } else { Bond::Notification };
                last.into_iter().for_each(|parent| self.link(parent, number, bond, 0));
            }
            if life.is_refusal {
                let same = life.ids.first().and_then(|id| own.get(&**id)).map_or(&[][..], Vec::as_slice);
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
        while let Some(at) = up {
            if at == child {
                return;
            }
            up = self.links[at].map(|link| link.parent);
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

fn bond(hop: &Hop) -> Bond {
    match (hop.how, hop.is_own) {
        (_, true) => Bond::OtherLog,
        (Offspring::Reinjected, _) => Bond::HandedOn,
        (Offspring::Forwarded, _) => Bond::Forwarded,
        (Offspring::Notification, _) => Bond::Notification,
    }
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
struct Sets(Vec<usize>);

impl Sets {
    fn root(&mut self, mut at: usize) -> usize {
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

impl Chain {
    /// Whether it is no message, only recipients that were refused.
    pub fn is_refusal(&self) -> bool {
        self.lives.iter().all(|life| life.is_refusal)
    }

    /// The lives from which no other of the chain is known to come before.
    pub fn roots(&self) -> impl Iterator<Item = usize> {
        (0..self.lives.len()).filter(|life| self.links[*life].is_none())
    }

    /// The lives that follow from one.
    pub fn children(&self, of: usize) -> impl Iterator<Item = (usize, Bond)> {
        let links = self.links.iter().enumerate();
        links.filter_map(move |(life, link)| link.filter(|link| link.parent == of).map(|link| (life, link.bond)))
    }

    /// The life by which it came in: the first that is a message and counts.
    pub fn first(&self) -> Option<&Life> {
        let rank = |life: &&Life| (life.is_refusal, life.is_offspring() && 1 < self.lives.len());
        self.lives.iter().min_by_key(|life| (rank(life), life.is_second_view()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Kind;
    use crate::trace::life::tests::life;

    const MINUTE: i64 = 60_000_000;

    fn at(server: &str, line: u64, minute: i64, id: &str) -> Life {
        Life { time: Some(Time(minute * MINUTE)), ids: vec![id.into()], ..life(server, line) }
    }

    fn to(mut life: Life, id: &str, how: Offspring) -> Life {
        life.hops.push(Hop { id: id.into(), how, time: life.time, place: life.place, is_own: false });
        life
    }

    fn wanted(mut life: Life) -> Life {
        life.matches.push((0, Kind::QueueId));
        life
    }

    /// For each chain the lines of its lives, with the number of the life that each follows from.
    fn linked(lives: Vec<Life>) -> Vec<Vec<(u64, Option<usize>)>> {
        let of = |chain: Chain| {
            let links = chain.links.iter().map(|link| link.map(|link| link.parent));
            chain.lives.iter().map(|life| life.place.line).zip(links).collect()
        };
        chains(lives).into_iter().map(of).collect()
    }

    #[test]
    fn ids_lead_from_server_to_server() {
        let a = || to(wanted(at("mx1", 1, 0, "A")), "B", Offspring::Reinjected);
        assert_eq!(linked(vec![at("ex1", 2, 1, "B"), a()]), [[(1, None), (2, Some(0))]]);
        // Hours later the id is another message's, unless the Message-ID says that it is the same.
        assert_eq!(linked(vec![at("ex1", 2, 90, "B"), a()]), [[(1, None)]]);
        let named = |life: Life, id: &str| Life { message_id: id.into(), ..life };
        let late = vec![named(at("ex1", 2, 90, "B"), "m"), named(a(), "m")];
        assert_eq!(linked(late), [[(1, None), (2, Some(0))]]);
        assert_eq!(linked(vec![named(at("ex1", 2, 1, "B"), "n"), named(a(), "m")]), [[(1, None)]]);
    }

    #[test]
    fn notifications_stay_on_their_server() {
        let a = to(wanted(at("mx1", 1, 0, "A")), "B", Offspring::Notification);
        let lives = vec![a.clone(), at("mx1", 2, 0, "B"), at("mx2", 3, 0, "B")];
        assert_eq!(linked(lives), [[(1, None), (2, Some(0))]]);
        let lives = vec![wanted(at("mx1", 1, 0, "A")), Life { born_of: "A".into(), ..at("mx1", 2, 3, "C") }];
        assert_eq!(linked(lives), [[(1, None), (2, Some(0))]]);
    }

    #[test]
    fn ids_that_go_round_end() {
        let a = to(wanted(at("mx1", 1, 0, "A")), "B", Offspring::Reinjected);
        let b = to(at("mx2", 2, 0, "B"), "A", Offspring::Reinjected);
        assert_eq!(linked(vec![a, b]), [[(1, None), (2, Some(0))]]);
    }

    #[test]
    fn what_no_key_matches_is_left_out() {
        assert!(linked(vec![at("mx1", 1, 0, "A"), at("mx1", 2, 0, "B")]).is_empty());
    }
}
