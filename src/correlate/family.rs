//! Families: one message in several queue lives, because a content filter handed it back.
//!
//! The first life knows the client, the last one the outcome; each recipient counts once. A family
//! is sealed when all its lives are, and when no line beyond the edges can add to it.

use super::asked::Asked;
use super::context::is_named;
use super::message::Message;
use super::queue::{Life, LifeKey, Queue, is_after_data, is_filter};
use super::recipients::Recipients;
use super::{Edges, Fact, Observer, Parts};
use crate::ledger::{Origin, Outcome, Place};
use foldhash::HashMap;
use relayaudit_parsers::record::{Event, NextHop, Offspring, Peer, Status};

pub(super) fn settle<'a>(
    facts: &'a [Fact<'a>],
    queue: &Queue<'a>,
    edges: &Edges,
    at_end: bool,
    observer: &mut dyn Observer,
    loose: &mut [Parts],
) {
    let mut families = Families::new(queue.lives.len());
    let is_open = |life: &Life<'_>| life.closed.is_none() && !lingered_out(life, edges);
    let mut open: Vec<bool> = queue.lives.iter().map(|life| !life.hard || is_open(life) || life.entangled).collect();
    for (index, life) in queue.lives.iter().enumerate() {
        let waits = families.link(facts, queue, edges, index as u32, life);
        open[index] |= waits;
    }
    for (index, life) in queue.lives.iter().enumerate() {
        open[index] |= !families.is_child(index as u32) && may_be_handed_back(facts, edges, life);
    }
    for members in families.members().chunk_by(|a, b| a.0 == b.0) {
        if at_end || !members.iter().any(|(_, member)| open[*member as usize]) {
            if let Some(message) = read(facts, queue, members) {
                let lives = || members.iter().map(|(_, member)| &queue.lives[*member as usize]);
                let announced = lives().next().and_then(|life| life.announced.as_ref());
                let lines = announced.into_iter().chain(lives().flat_map(|life| &life.facts));
                observer.life(&message, &mut lines.map(|fact| &facts[*fact as usize]));
            }
        } else {
            for fact in members.iter().flat_map(|(_, member)| &queue.lives[*member as usize].facts) {
                keep(&facts[*fact as usize], &mut loose[*fact as usize]);
            }
        }
    }
}

/// Whether a life whose recipients all came to an end has waited long enough for more lines.
fn lingered_out(life: &Life<'_>, edges: &Edges) -> bool {
    life.tally.lingers() && life.tally.is_full() && !edges.near_end(life.server, life.last)
}

/// Keeps a line of an open family. The line that opened it also says which session may yet abandon it.
fn keep(fact: &Fact<'_>, loose: &mut Parts) {
    loose.add(Parts::MESSAGE);
    if matches!(fact.record.event, Event::Accepted { .. }) && fact.parts.has(Parts::SESSION) {
        loose.add(Parts::SESSION);
    }
}

/// Disjoint sets of lives; the root of a set is its earliest member.
struct Families {
    parent: Vec<u32>,
}

impl Families {
    fn new(lives: usize) -> Families {
        Families { parent: (0..lives as u32).collect() }
    }

    fn root(&mut self, mut life: u32) -> u32 {
        while self.parent[life as usize] != life {
            let up = self.parent[life as usize];
            self.parent[life as usize] = self.parent[up as usize];
            life = up;
        }
        life
    }

    fn join(&mut self, parent: u32, child: u32) {
        let (a, b) = (self.root(parent), self.root(child));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    fn is_child(&mut self, life: u32) -> bool {
        self.root(life) != life
    }

    /// Joins a life with those it was handed on as. Returns whether one may stand beyond the edges.
    fn link(&mut self, facts: &[Fact<'_>], queue: &Queue<'_>, edges: &Edges, index: u32, life: &Life<'_>) -> bool {
        let mut waits = false;
        for fact in life.facts.iter().map(|fact| &facts[*fact as usize]) {
            let Some(message) = fact.record.message else { continue };
            match &fact.record.event {
                Event::Accepted { original_id: Some(id), .. } => {
                    let key = (fact.server, message.scope, *id);
                    let fits = |other: &Life<'_>| other.closed.is_none_or(|closed| fact.place < closed);
                    match find(queue, &key, fact.place, fits) {
                        Some(parent) if parent != index => self.join(parent, index),
                        _ => waits = true,
                    }
                }
                Event::Delivery { child: Some((id, Offspring::Reinjected)), next_hop, .. } if is_filter(next_hop) => {
                    let key = (fact.server, message.scope, *id);
                    let fits = |other: &Life<'_>| {
                        other.closed.is_none_or(|closed| {
                            fact.place < closed || edges.lines_between(closed, fact.place) <= super::edges::NEAR_LINES
                        })
                    };
                    match find(queue, &key, fact.place, fits) {
                        Some(child) if child != index => self.join(index, child),
                        _ => waits |= edges.near_start(key.0, fact.place),
                    }
                }
                Event::Spawned { child, how: Offspring::Reinjected, .. } => {
                    match find_beside(queue, &(fact.server, message.scope, child), fact.place, edges) {
                        Some(child) if child != index => self.join(index, child),
                        _ => {
                            waits |=
                                edges.near_start(fact.server, fact.place) || edges.near_end(fact.server, fact.place)
                        }
                    }
                }
                _ => {}
            }
        }
        waits
    }

    /// The lives, set by set, each set in the order of its members' opening lines: (root, life).
    fn members(&mut self) -> Vec<(u32, u32)> {
        let mut members: Vec<(u32, u32)> = (0..self.parent.len() as u32).map(|life| (self.root(life), life)).collect();
        members.sort_unstable();
        members
    }
}

/// How many lives of one id are looked at to find the one that a line means: ids are not used again so fast.
const LIVES_TRIED: usize = 64;

/// The latest life of a key that was opened before `place` and fits.
fn find(queue: &Queue<'_>, key: &LifeKey<'_>, place: Place, fits: impl Fn(&Life<'_>) -> bool) -> Option<u32> {
    let lives = &queue.by_key.get(key)?.all;
    let before = lives.partition_point(|life| queue.lives[*life as usize].opened < place);
    lives[..before].iter().rev().take(LIVES_TRIED).copied().find(|life| fits(&queue.lives[*life as usize]))
}

/// The life of a key that was opened nearest to `place`, shortly before it or after.
fn find_beside(queue: &Queue<'_>, key: &LifeKey<'_>, place: Place, edges: &Edges) -> Option<u32> {
    let lives = &queue.by_key.get(key)?.all;
    let opened = |life: &u32| queue.lives[*life as usize].opened;
    let before = lives.partition_point(|life| opened(life) < place);
    let distance = |life: &u32| edges.lines_between(place.min(opened(life)), place.max(opened(life)));
    let is_near = |life: &u32| distance(life) <= super::edges::NEAR_LINES;
    let beside = lives[..before].last().into_iter().chain(lives.get(before));
    beside.copied().filter(is_near).min_by_key(distance)
}

/// Whether a life came from this host itself without saying for whom, so that a line soon after it
/// may still name the message it continues.
fn may_be_handed_back(facts: &[Fact<'_>], edges: &Edges, life: &Life<'_>) -> bool {
    let Some(first) = life.facts.first().map(|fact| &facts[*fact as usize]) else { return false };
    let (Event::Accepted { client, account: None, original_id: None } | Event::Arrived { client, account: None, .. }) =
        &first.record.event
    else {
        return false;
    };
    let here = is_filter(&NextHop::Host { peer: *client, port: 1 });
    here && life.closed.is_none_or(|closed| edges.near_end(life.server, closed))
}

/// Reads a family as one message; `None` if it never became one.
fn read<'a>(facts: &'a [Fact<'a>], queue: &Queue<'a>, members: &[(u32, u32)]) -> Option<Message<'a>> {
    let lives = || members.iter().map(|(_, member)| &queue.lives[*member as usize]);
    let first = lives().next()?;
    let opening = &facts[*first.facts.first()? as usize];
    let mut message = Message {
        server: opening.server,
        client: Peer::default(),
        user: b"",
        helo: b"",
        account: None,
        vouched: false,
        origin: match first.birth {
            Some(Offspring::Notification) => Origin::System,
            Some(_) => Origin::Forwarded,
            None => Origin::Unknown,
        },
        reverse_path: None,
        message_id: b"",
        size_bytes: 0,
        taken: false,
        opening,
        recipients: Vec::new(),
    };
    let mut recipients = Recipients::default();
    let mut asked = Asked::default();
    for (generation, life) in lives().enumerate() {
        let mut own = Recipients::default();
        let mut attempts = Attempts::default();
        let first = (generation == 0).then_some(life);
        for fact in life.facts.iter().map(|fact| &facts[*fact as usize]) {
            read_fact(fact, first, &mut message, &mut own);
            read_attempt(fact, &mut attempts, &mut own);
            asked.read(fact, first, &mut message, &mut own);
        }
        own.name_unreached();
        recipients.hand_on(own);
    }
    message.recipients = recipients.into_vec();
    message.taken |= !message.recipients.is_empty();
    asked.settle(&mut message);
    // Nobody is named who handed it in, and nobody shall have an answer: the server wrote it (OpenSMTPD's notifications).
    if message.origin == Origin::Local && message.user.is_empty() && message.reverse_path == Some(b"") {
        message.origin = Origin::System;
    }
    (message.taken || message.origin == Origin::Network).then_some(message)
}

/// Reads one line; `first` is the life that it belongs to, if it is the family's first.
fn read_fact<'a>(fact: &'a Fact<'a>, first: Option<&Life<'a>>, message: &mut Message<'a>, own: &mut Recipients<'a>) {
    let is_first = first.is_some();
    match &fact.record.event {
        Event::Accepted { client, account, .. } if is_first => {
            message.client = *client;
            message.account = *account;
            message.origin = Origin::Network;
        }
        Event::Enqueued { user, reverse_path, size_bytes } => {
            message.user = user;
            message.reverse_path = Some(reverse_path);
            message.size_bytes = *size_bytes;
            message.taken = true;
        }
        Event::Submitted { user, reverse_path } if is_first => {
            message.user = user;
            message.origin = Origin::Local;
            message.reverse_path = message.reverse_path.or(*reverse_path);
        }
        Event::Arrived { client, helo, account, user, reverse_path, message_id, size_bytes, recipients, notifies }
            if is_first =>
        {
            message.client = *client;
            message.helo = helo;
            message.account = *account;
            message.user = user;
            message.reverse_path = Some(reverse_path);
            message.message_id = message_id;
            message.size_bytes = *size_bytes;
            message.taken = recipients.is_none_or(|recipients| 0 < recipients && 0 < *size_bytes);
            message.origin = match (notifies, is_named(client)) {
                (Some(_), _) => Origin::System,
                (None, true) => Origin::Network,
                (None, false) => Origin::Local,
            };
        }
        Event::Envelope { client, account, reverse_path, forward_path, size_bytes, .. } => {
            message.taken = true;
            if let Some(life) = first {
                message.client = if is_named(&message.client) { message.client } else { *client };
                message.account = message.account.or(*account);
                message.reverse_path = message.reverse_path.or(*reverse_path);
                message.size_bytes = message.size_bytes.max(*size_bytes);
                message.origin = match (is_named(&message.client), life.hard) {
                    (true, _) => Origin::Network,
                    (false, true) => Origin::Local,
                    (false, false) => Origin::Unknown,
                };
            }
            own.expect(forward_path.as_deref(), fact);
        }
        Event::Refused { stage, .. } if is_after_data(stage) => message.taken = false,
        Event::Received { client, reverse_path, message_id, forward_paths, size_bytes, vouched, .. } => {
            message.client = *client;
            message.message_id = message_id;
            message.vouched = *vouched;
            message.origin = if is_named(client) { Origin::Network } else { Origin::Local };
            message.reverse_path = Some(reverse_path);
            message.size_bytes = *size_bytes;
            message.taken = true;
            forward_paths.iter().for_each(|path| {
                own.named(path, fact);
            });
        }
        Event::MessageId(id) if message.message_id.is_empty() => message.message_id = id,
        Event::Queued { reverse_path, size_bytes, .. } => {
            message.taken = true;
            // A filter that took the message out of the queue before it was active: the first life does not say it.
            if is_first || message.reverse_path.is_none() {
                message.reverse_path = Some(reverse_path);
                message.size_bytes = *size_bytes;
            }
        }
        Event::Expanded { forward_path, members } => {
            members.iter().for_each(|member| own.stand_in(member, forward_path))
        }
        Event::Delivery { status: Status::Probe, .. } => {}
        Event::Delivery { forward_paths, original_forward_path, expanded, next_hop, status, child, .. } => {
            let filtered = is_filter(next_hop) && matches!(child, Some((_, Offspring::Reinjected)));
            for forward_path in forward_paths.iter() {
                let given = match (expanded, message.origin) {
                    // What the client asked for is an alias of ours, and not logged unless its owner is.
                    (true, Origin::Network) => {
                        original_forward_path.filter(|owner| Some(*owner) != message.reverse_path).unwrap_or_default()
                    }
                    (true, _) => forward_path,
                    (false, _) => original_forward_path.unwrap_or(forward_path),
                };
                let known = own.named(given, fact);
                if known.note(outcome(*status, next_hop), forward_path, *next_hop, fact) {
                    known.filtered = filtered;
                }
            }
        }
        _ => {}
    }
}

/// The attempts of one life, by number: the forward-path, and whether it is for this server.
type Attempts<'a> = HashMap<&'a [u8], (&'a [u8], bool)>;

/// Reads the beginning or the end of a delivery attempt. The end names only the number that the beginning had.
fn read_attempt<'a>(fact: &'a Fact<'a>, attempts: &mut Attempts<'a>, own: &mut Recipients<'a>) {
    match &fact.record.event {
        Event::AttemptStarted { attempt, forward_path, is_local } => {
            attempts.insert(attempt.id, (forward_path, *is_local));
            own.named(forward_path, fact);
        }
        Event::AttemptEnded { attempt, status, server, .. } => {
            let Some((path, is_local)) = attempts.remove(attempt.id) else { return };
            let next_hop = match (is_local, status, server) {
                (true, ..) => NextHop::Local,
                (false, _, Some(peer)) => NextHop::Host { peer: *peer, port: 0 },
                (false, Status::Sent, None) => NextHop::Host { peer: Peer::default(), port: 0 },
                (false, ..) => NextHop::None,
            };
            own.named(path, fact).note(outcome(*status, &next_hop), path, next_hop, fact);
        }
        _ => {}
    }
}

pub(crate) fn outcome(status: Status, next_hop: &NextHop<'_>) -> Outcome {
    match (status, next_hop) {
        (Status::Sent, NextHop::Host { .. } | NextHop::Gateway { .. }) => Outcome::Relayed,
        (Status::Sent, _) => Outcome::Delivered,
        (Status::Deferred, _) => Outcome::Deferred,
        (Status::Bounced, NextHop::Host { .. } | NextHop::Gateway { .. }) => Outcome::Bounced,
        (Status::Bounced, _) => Outcome::BouncedHere,
        (Status::Expired, _) => Outcome::Expired,
        (Status::Probe, _) => Outcome::Unknown,
    }
}
