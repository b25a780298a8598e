//! Chains: the lives of one message on several servers, linked.

use super::life::Life;
use super::linking::Linking;
use super::wanted::Ids;
use crate::ledger::{Origin, Outcome};
use foldhash::HashMap;

/// How a life follows from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// The other server said under which id it took the message.
    HandedOn,
    /// The other server handed on a message with this Message-ID and a recipient of this one.
    SameMessageId,
    /// Another log of the same server tells of the same message.
    OtherLog,
    /// The server's own session with the next one, in logs that do not link the two: by server, paths and time.
    Sent,
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
            Bond::Sent => "sent",
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
        for fate in life.recipients.iter().filter(|fate| life.ids.is_empty() && fate.outcome() == Outcome::Unknown) {
            ids.sent(&life.way.server, life.reverse_path.as_deref().unwrap_or_default(), &fate.path);
        }
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
    use crate::ledger::Time;
    use crate::trace::Kind;
    use crate::trace::hops::Hop;
    use crate::trace::life::tests::life;
    use relayaudit_parsers::record::Offspring;

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
