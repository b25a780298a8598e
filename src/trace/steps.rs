//! Steps: what the lines of a message say of it, one after the other.

use super::life::{Beginning, beginning, text};
use crate::correlate::{Fact, Message, Recipient, outcome};
use crate::extract::next_hop;
use crate::ledger::{Origin, Outcome, Place, Time};
use foldhash::{HashMap, HashSet};
use relayaudit_parsers::record::{Event, NextHop, Offspring, Peer, Reply, Status};
use relayaudit_parsers::reply::taken_as;

/// One thing that happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The line that says so.
    pub place: Place,
    /// When it was written.
    pub time: Option<Time>,
    /// The queue id that the line names; empty if it names none.
    pub id: Box<str>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It came in: the message tells from whom.
    CameIn,
    /// Its first line tells of something later than its coming in.
    FirstSeen,
    /// A content filter handed it back, and it has a new id.
    CameBack,
    /// Recipients were accepted.
    Accepted {
        /// The forward-paths.
        paths: Vec<Box<str>>,
    },
    /// A recipient, or the whole message if there is no path, was refused.
    Refused {
        /// The forward-path; empty for the message.
        path: Box<str>,
        /// Our answer.
        reply: Box<str>,
    },
    /// A delivery was tried.
    Attempt(Box<Attempt>),
    /// It gave rise to another message.
    Spawned {
        /// The id of that.
        id: Box<str>,
        /// How.
        how: Offspring,
    },
    /// One recipient became others.
    Expanded {
        /// The recipient.
        path: Box<str>,
        /// Those in its place.
        members: Vec<Box<str>>,
    },
    /// It was given up before it was delivered.
    Dropped,
}

/// A delivery attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The forward-paths.
    pub paths: Vec<Box<str>>,
    /// The forward-path before it was rewritten, if the line says so.
    pub original: Option<Box<str>>,
    /// What came of it.
    pub outcome: Outcome,
    /// Where it went; empty if nowhere.
    pub next_hop: Box<str>,
    /// The answer, or the reason.
    pub reply: Box<str>,
    /// The id under which the other side took it; empty if it does not say.
    pub taken_as: Box<str>,
}

/// The steps of a message, in the order of their places.
pub fn of(message: &Message<'_>, lines: &[&Fact<'_>]) -> Vec<Step> {
    let is_told = Beginning::Logged == beginning(message);
    let mut steps = vec![step(message.opening, if is_told { What::CameIn } else { What::FirstSeen })];
    let mut reading = Reading::default();
    let first = message.opening.record.message.map(|message| message.id);
    let mut seen: Vec<&[u8]> = first.into_iter().collect();
    for fact in lines {
        if let Some(id) = fact.record.message.map(|message| message.id).filter(|id| !seen.contains(id)) {
            seen.push(id);
            steps.push(step(fact, What::CameBack));
        }
        steps.extend(reading.read(fact).map(|what| step(fact, what)));
    }
    let told = told(&steps);
    for recipient in &message.recipients {
        if told.contains(&text(recipient.final_path)) || told.contains(&text(recipient.forward_path)) {
            continue;
        }
        let end = end(recipient, message.opening.place).filter(|_| message.origin != Origin::PassedOn);
        match (end, steps.last_mut()) {
            (Some(Step { place, what: What::Accepted { paths: more }, .. }), Some(Step { place: last, what, .. }))
                if place == *last && matches!(what, What::Accepted { .. }) =>
            {
                if let What::Accepted { paths } = what {
                    paths.extend(more);
                }
            }
            (end, _) => steps.extend(end),
        }
    }
    // What one line says stays in the order in which it was read.
    steps.sort_by_key(|step| step.place);
    steps
}

fn step(fact: &Fact<'_>, what: What) -> Step {
    let id = fact.record.message.map_or_else(Box::default, |message| text(message.id));
    Step { place: fact.place, time: fact.time, id, what }
}

/// The paths that steps tell of.
fn told(steps: &[Step]) -> HashSet<Box<str>> {
    let mut told = HashSet::default();
    for step in steps {
        match &step.what {
            What::Attempt(attempt) => told.extend(attempt.paths.iter().cloned()),
            What::Refused { path, .. } => told.extend([path.clone()]),
            _ => {}
        }
    }
    told
}

/// The step that tells what became of a recipient; `None` if only its message tells of it.
fn end(recipient: &Recipient<'_>, opening: Place) -> Option<Step> {
    let path = text(recipient.forward_path);
    let (_, reply) = answer(recipient.fact);
    let what = match recipient.outcome {
        Outcome::Denied | Outcome::Rejected => What::Refused { path, reply },
        Outcome::NoData | Outcome::Unknown if recipient.fact.place == opening => return None,
        Outcome::NoData | Outcome::Unknown => What::Accepted { paths: vec![path] },
        outcome => What::Attempt(Box::new(Attempt {
            paths: vec![text(recipient.final_path)],
            original: (recipient.final_path != recipient.forward_path).then_some(path),
            outcome,
            next_hop: next_hop(&recipient.next_hop),
            reply,
            taken_as: Box::default(),
        })),
    };
    Some(step(recipient.fact, what))
}

/// Our answer on a line, or the other server's: its code, 0 if there is none, and all of it.
fn answer(fact: &Fact<'_>) -> (u16, Box<str>) {
    let reply = match fact.record.event {
        Event::Refused { reply, .. }
        | Event::Recipient { reply, .. }
        | Event::Replied { reply, .. }
        | Event::Data { reply, .. }
        | Event::Step { reply, .. }
        | Event::OutboundReply { reply, .. } => reply,
        Event::Delivery { text, .. } | Event::Reached { text, .. } | Event::AttemptEnded { text, .. } => {
            Reply { code: 0, text }
        }
        _ => Reply::default(),
    };
    let body = text(reply.text);
    let whole = if reply.code == 0 { body } else { format!("{} {body}", reply.code).trim_end().into() };
    (reply.code, whole)
}

/// What earlier lines say for later ones.
#[derive(Default)]
struct Reading<'a> {
    /// Attempts by number: the path, and whether it is for this server.
    attempts: HashMap<&'a [u8], (&'a [u8], bool)>,
    /// Recipients by their ids within the message.
    envelopes: HashMap<&'a [u8], &'a [u8]>,
}

impl<'a> Reading<'a> {
    fn read(&mut self, fact: &Fact<'a>) -> Option<What> {
        match &fact.record.event {
            Event::Delivery { status: Status::Probe, .. } => None,
            Event::Delivery { forward_paths, original_forward_path, next_hop: hop, status, text: reply, .. } => {
                let paths = forward_paths.iter().map(text).collect();
                let original = original_forward_path.map(text);
                Some(attempt(paths, original, outcome(*status, hop), hop, reply))
            }
            Event::AttemptStarted { attempt, forward_path, is_local } => {
                self.attempts.insert(attempt.id, (forward_path, *is_local));
                None
            }
            Event::AttemptEnded { attempt: key, status, server, text: reply } => {
                let (path, is_local) = self.attempts.remove(key.id)?;
                let hop = match (is_local, status, server) {
                    (true, ..) => NextHop::Local,
                    (false, _, Some(peer)) => NextHop::Host { peer: *peer, port: 0 },
                    (false, Status::Sent, None) => NextHop::Host { peer: Peer::default(), port: 0 },
                    (false, ..) => NextHop::None,
                };
                Some(attempt(vec![text(path)], None, outcome(*status, &hop), &hop, reply))
            }
            Event::Asked { envelope, forward_path: Some(path), .. } => {
                self.envelopes.insert(envelope, path);
                None
            }
            Event::Reached { envelopes, next_hop: hop, status, text: reply } => {
                let ids = envelopes.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                let paths = ids.filter_map(|id| self.envelopes.get(id).map(|path| text(path))).collect();
                Some(attempt(paths, None, outcome(*status, hop), hop, reply))
            }
            Event::Spawned { child, how, .. } => Some(What::Spawned { id: text(child), how: *how }),
            Event::Expanded { forward_path, members } => {
                Some(What::Expanded { path: text(forward_path), members: members.iter().map(text).collect() })
            }
            Event::Refused { forward_path, .. } => {
                Some(What::Refused { path: forward_path.map_or_else(Box::default, text), reply: answer(fact).1 })
            }
            Event::Dropped => Some(What::Dropped),
            _ => None,
        }
    }
}

fn attempt(
    paths: Vec<Box<str>>,
    original: Option<Box<str>>,
    outcome: Outcome,
    hop: &NextHop<'_>,
    reply: &[u8],
) -> What {
    let taken = Some(reply).filter(|_| outcome == Outcome::Relayed).and_then(taken_as);
    What::Attempt(Box::new(Attempt {
        paths,
        original,
        outcome,
        next_hop: next_hop(hop),
        reply: text(reply),
        taken_as: taken.map_or_else(Box::default, text),
    }))
}
