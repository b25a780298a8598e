//! Logs with queue ids: a message's life is a pair of brackets around its queue id.
//!
//! Opened by the line that takes it in (`client=`, `uid=`, or, for mail the server makes itself, the
//! Message-ID line that a parent's line announces); closed when it leaves the queue, when it is
//! refused after DATA, or when its session goes on without it ever having had a Message-ID.
//! In logs without a closing line (Exchange tracking) it closes when every recipient has an end.

use super::births::{Birth, Births};
use super::context::is_named;
use super::edges::NEAR_LINES;
use super::family;
use super::tally::Tally;
use super::waiting;
use super::{Context, Edges, Fact, Observer, Parts, Sorts};
use crate::ledger::{Place, Text};
use foldhash::HashMap;
use relayaudit_parsers::record::{Event, NextHop, Offspring};
use smallvec::{SmallVec, smallvec};

/// Names a queue life within a stretch: server, scope, id.
pub(super) type LifeKey<'a> = (Text, &'a [u8], &'a [u8]);

/// One queue life, as far as the stretch shows it.
pub(super) struct Life<'a> {
    pub(super) server: Text,
    /// Its lines, by index.
    pub(super) facts: SmallVec<[u32; 8]>,
    /// Whether its first line is surely the first there is.
    pub(super) hard: bool,
    /// How it was born, if another message announced it.
    pub(super) birth: Option<Offspring>,
    /// The line that announced it, by index.
    pub(super) announced: Option<u32>,
    pub(super) opened: Place,
    /// Its latest line that tells what became of recipients, or its first.
    pub(super) last: Place,
    pub(super) closed: Option<Place>,
    /// Another life of the same id, whose beginning is not sure, was opened inside: what belongs to which can
    /// only be told with all lines of both.
    pub(super) entangled: bool,
    has_message_id: bool,
    /// The line of its session that closed it, if one did: see [`Queue::abandon`].
    pub(super) abandoned: Option<u32>,
    /// How many of its recipients came to an end.
    pub(super) tally: Tally<'a>,
}

/// All lives of one queue id in the stretch, and the stack of those still open (the top is; below it may be closed ones).
#[derive(Default)]
pub(super) struct Lives {
    pub(super) all: SmallVec<[u32; 2]>,
    open: SmallVec<[u32; 2]>,
}

/// The lives of a stretch.
pub(super) struct Queue<'a> {
    pub(super) lives: Vec<Life<'a>>,
    pub(super) by_key: HashMap<LifeKey<'a>, Lives>,
    /// The life that each session (server, scope, id) opened last.
    sessions: HashMap<LifeKey<'a>, Option<(LifeKey<'a>, u32)>>,
    /// The lives that started a delivery attempt of this number (server, scope, number) that has not ended, the last on
    /// top: attempts are brackets too.
    attempts: HashMap<LifeKey<'a>, SmallVec<[u32; 1]>>,
}

pub(super) fn digest<'a>(
    facts: &'a [Fact<'a>],
    sorts: &Sorts,
    context: &Context,
    edges: &Edges,
    at_end: bool,
    observer: &mut dyn Observer,
    loose: &mut [Parts],
) {
    let births = Births::of(facts, &sorts.links);
    // Growing the tables as lives come would copy each several times over; a life has some six lines.
    let lives = sorts.queue.len() / 6;
    let mut queue = Queue {
        lives: Vec::with_capacity(lives),
        by_key: HashMap::with_capacity_and_hasher(lives, Default::default()),
        sessions: HashMap::default(),
        attempts: HashMap::default(),
    };
    for index in sorts.queue.iter().copied() {
        let fact = &facts[index as usize];
        if fact.parts.has(Parts::SESSION) && queue.session(index, fact) {
            loose[index as usize].add(Parts::SESSION);
        }
        if fact.parts.has(Parts::MESSAGE) {
            queue.message(index, fact, &Surroundings { births: &births, context, edges });
            if let Event::AttemptEnded { attempt, .. } = fact.record.event
                && !queue.attempt_ended((fact.server, attempt.scope, attempt.id), index)
            {
                loose[index as usize].add(Parts::MESSAGE);
            }
        }
    }
    family::settle(facts, &queue, edges, at_end, observer, loose);
    if !at_end {
        waiting::keep_announcements(facts, &sorts.links, &queue, edges, loose);
        waiting::keep_abandoners(&queue, loose);
    } else {
        loose.iter_mut().for_each(|parts| *parts = Parts::NONE);
    }
}

/// What a line is read against.
pub(super) struct Surroundings<'a, 's> {
    pub(super) births: &'s Births<'a>,
    pub(super) context: &'s Context,
    pub(super) edges: &'s Edges,
}

impl<'a> Queue<'a> {
    /// A line that ends whatever its session did before. Returns whether it must stay loose, because
    /// the session may have begun before the stretch.
    fn session(&mut self, index: u32, fact: &Fact<'a>) -> bool {
        let Some(session) = fact.record.session else { return false };
        match &fact.record.event {
            Event::Connect { once: false, .. } | Event::Accepted { .. } => {}
            Event::Disconnect { client, .. } if is_named(client) => {}
            // Sessions that name their client once give nothing up half-way: see `context`.
            _ => return false,
        }
        let key = (fact.server, session.scope, session.id);
        match self.sessions.insert(key, None) {
            None => true,
            Some(None) => false,
            Some(Some((life_key, life))) => {
                self.abandon(life_key, life, index, fact.place);
                false
            }
        }
    }

    /// Closes a life that never had a Message-ID: its client gave up before DATA, and the server logs no more of it.
    fn abandon(&mut self, key: LifeKey<'a>, life: u32, by: u32, at: Place) {
        let life = &mut self.lives[life as usize];
        if life.has_message_id || life.closed.is_some() {
            return;
        }
        life.closed = Some(at);
        life.abandoned = Some(by);
        self.shut(&key);
    }

    fn message(&mut self, index: u32, fact: &Fact<'a>, around: &Surroundings<'a, '_>) {
        let Some(message) = fact.record.message else { return };
        let key = (fact.server, message.scope, message.id);
        match &fact.record.event {
            Event::Accepted { .. } => {
                let life = self.open(key, index, fact, true);
                if let (Some(session), true) = (fact.record.session, fact.parts.has(Parts::SESSION)) {
                    self.sessions.insert((fact.server, session.scope, session.id), Some((key, life)));
                }
            }
            Event::Submitted { .. } | Event::Enqueued { .. } => {
                self.open(key, index, fact, true);
            }
            Event::AttemptStarted { attempt, .. } => {
                let life = self.attach(key, index, fact);
                self.attempts.entry((fact.server, attempt.scope, attempt.id)).or_default().push(life);
            }
            Event::Arrived { recipients, notifies, size_bytes, .. } => {
                let life = self.open(key, index, fact, true);
                let waits = around.context.waits(index);
                let opened = &mut self.lives[life as usize];
                opened.birth = notifies.map(|_| Offspring::Notification);
                opened.entangled = waits;
                opened.tally.announce(*recipients, *size_bytes);
                if *recipients == Some(0) {
                    self.end(key, life, fact.place);
                }
            }
            Event::Envelope { envelope, envelopes, .. } => {
                let life = match self.top(&key) {
                    Some(life) => {
                        self.lives[life as usize].facts.push(index);
                        life
                    }
                    None => self.open(key, index, fact, around.context.has_begun(index)),
                };
                self.lives[life as usize].tally.expect(envelope, *envelopes);
            }
            Event::Asked { .. } => self.asked(key, index, fact, around),
            Event::MessageId(_) => self.message_id(key, index, fact, around),
            Event::Received { recipients, forward_paths, .. } => {
                self.received(key, index, fact, *recipients, forward_paths.iter().count() as u32);
            }
            Event::Delivery { .. } => self.delivery(key, index, fact, around),
            Event::Expanded { members, .. } => self.expanded(key, index, fact, members.iter().count() as u32),
            Event::Removed => self.close(key, index, fact),
            Event::Refused { stage, .. } if is_after_data(stage) => self.close(key, index, fact),
            Event::Queued { .. } | Event::Taken { .. } | Event::Dropped | Event::Reached { .. } => {
                self.attach_or_bear(key, index, fact, around);
            }
            Event::Spawned { how: Offspring::Reinjected, .. } => self.goes_on(key, index, fact),
            // Recipients went on under another id; how many, the line does not say.
            Event::Spawned { how: Offspring::Forwarded, .. } => {
                let life = self.attach(key, index, fact);
                self.lives[life as usize].tally.hand_on();
            }
            _ => {}
        }
    }

    pub(super) fn open(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>, hard: bool) -> u32 {
        let life = self.lives.len() as u32;
        self.lives.push(Life {
            server: key.0,
            facts: smallvec![index],
            hard,
            birth: None,
            announced: None,
            opened: fact.place,
            last: fact.place,
            closed: None,
            entangled: false,
            has_message_id: matches!(fact.record.event, Event::MessageId(_)),
            abandoned: None,
            tally: Tally::default(),
        });
        let lives = self.by_key.entry(key).or_default();
        lives.all.push(life);
        lives.open.push(life);
        life
    }

    /// The innermost open life of a key.
    pub(super) fn top(&self, key: &LifeKey<'a>) -> Option<u32> {
        self.by_key.get(key)?.open.last().copied()
    }

    /// Adds a line to the innermost open life, or to one whose beginning is not in the stretch.
    pub(super) fn attach(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>) -> u32 {
        match self.top(&key) {
            Some(life) => {
                self.lives[life as usize].facts.push(index);
                life
            }
            None => self.open(key, index, fact, false),
        }
    }

    fn close(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>) {
        let life = self.attach(key, index, fact);
        self.end(key, life, fact.place);
    }

    fn end(&mut self, key: LifeKey<'a>, life: u32, at: Place) {
        self.lives[life as usize].closed = Some(at);
        self.shut(&key);
    }

    /// Takes closed lives off the top of a stack. Those that were closed below the top wait there for their turn, so
    /// that an id that is used again without end costs no search.
    fn shut(&mut self, key: &LifeKey<'a>) {
        let Some(lives) = self.by_key.get_mut(key) else { return };
        while lives.open.last().is_some_and(|top| self.lives[*top as usize].closed.is_some()) {
            lives.open.pop();
        }
    }

    fn message_id(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>, around: &Surroundings<'a, '_>) {
        if let Some(birth) = around.births.near(&key, fact.place, around.edges) {
            let life = self.open(key, index, fact, true);
            self.bear(life, birth);
            return;
        }
        match self.top(&key) {
            Some(life) if !self.lives[life as usize].has_message_id => {
                let life = &mut self.lives[life as usize];
                life.has_message_id = true;
                life.facts.push(index);
            }
            _ => {
                self.open_inside(key, index, fact);
            }
        }
    }

    /// Opens a life that is not surely new, perhaps inside another.
    fn open_inside(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>) -> u32 {
        if let Some(around) = self.top(&key) {
            self.lives[around as usize].entangled = true;
        }
        self.open(key, index, fact, false)
    }

    /// Mail coming in, logged with some or all of its recipients: the life has begun for sure when all are seen.
    fn received(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>, recipients: u32, named: u32) {
        let life = match self.top(&key) {
            Some(life) if !self.lives[life as usize].tally.is_all_in() => {
                self.lives[life as usize].facts.push(index);
                life
            }
            _ => self.open_inside(key, index, fact),
        };
        let life = &mut self.lives[life as usize];
        life.tally.came_in(recipients, named);
        life.hard = life.tally.is_all_in();
    }

    /// One recipient became several: as many more must come to an end.
    fn expanded(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>, members: u32) {
        let life = self.attach(key, index, fact) as usize;
        self.lives[life].tally.expand(members);
    }

    /// Gives the end of an attempt to the open life that started the last attempt of this number. Returns whether
    /// there is one; if not, the attempt may have begun before the stretch.
    fn attempt_ended(&mut self, attempt: LifeKey<'a>, index: u32) -> bool {
        let started = self.attempts.entry(attempt).or_default();
        while let Some(life) = started.pop() {
            let life = &mut self.lives[life as usize];
            if life.closed.is_none() {
                life.facts.push(index);
                return true;
            }
        }
        false
    }

    fn delivery(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>, around: &Surroundings<'a, '_>) {
        let mut top = self.top(&key);
        if let Some(over) = top.filter(|top| self.is_over(*top, fact.place, around.edges)) {
            self.end(key, over, self.lives[over as usize].last);
            top = self.top(&key);
        }
        let at = match (top, around.births.silent_before(&key, fact.place, around.edges)) {
            (Some(top), Some(birth)) if self.lives[top as usize].opened < birth.place => {
                self.born(key, index, fact, birth)
            }
            (Some(top), _) => {
                self.lives[top as usize].facts.push(index);
                top
            }
            (None, Some(birth)) => self.born(key, index, fact, birth),
            (None, None) => self.open(key, index, fact, false),
        };
        let life = &mut self.lives[at as usize];
        life.last = fact.place;
        life.tally.delivery(&fact.record.event);
        if life.hard && life.tally.is_full() && !life.tally.lingers() {
            self.end(key, at, fact.place);
        }
    }

    /// Opens a life with a delivery: that of a message announced before, which logs no line of its own.
    fn born(&mut self, key: LifeKey<'a>, index: u32, fact: &Fact<'a>, birth: Birth) -> u32 {
        let life = self.open(key, index, fact, true);
        self.bear(life, birth);
        self.lives[life as usize].tally.announce(Some(1), 1);
        life
    }

    /// Whether a life that lingered is over by the time of a line.
    fn is_over(&self, life: u32, place: Place, edges: &Edges) -> bool {
        let life = &self.lives[life as usize];
        let gone = || NEAR_LINES < edges.lines_between(life.last, place);
        life.hard && life.tally.lingers() && life.tally.is_full() && gone()
    }
}

/// Whether a refusal at this stage ends the message, and not just one recipient.
pub(super) fn is_after_data(stage: &[u8]) -> bool {
    !matches!(stage, b"CONNECT" | b"HELO" | b"EHLO" | b"AUTH" | b"MAIL" | b"RCPT" | b"VRFY" | b"ETRN" | b"UNKNOWN")
}

/// Whether a next hop looks like a content filter on or beside the server: loopback, or a private
/// address on a port that is no mail service (25, 465, 587, 2525, LMTP 24).
pub(super) fn is_filter(next_hop: &NextHop<'_>) -> bool {
    let NextHop::Host { peer, port } = next_hop else { return false };
    match peer.address {
        Some(std::net::IpAddr::V4(v4)) => {
            v4.is_loopback() || v4.is_private() && !matches!(port, 0 | 24 | 25 | 465 | 587 | 2525)
        }
        Some(std::net::IpAddr::V6(v6)) => {
            v6.is_loopback() || v6.is_unique_local() && !matches!(port, 0 | 24 | 25 | 465 | 587 | 2525)
        }
        None => false,
    }
}
