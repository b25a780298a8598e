//! What other lines of a session or of a message say for a line that does not say it itself.
//!
//! - A session in which only the first line names the client (OpenSMTPD): the line that began it and its latest log-in
//!   speak for every line up to the one that ends it. Its id is not used again while that matters.
//! - A log-in line (Sendmail) speaks for the mail that the same client hands in by the same process, within
//!   [`NEAR_LINES`]: process ids are used again, and no line says that a session ended.
//! - The line by which a message came in (Sendmail `from=`) follows the refusals of its recipients, and names the
//!   client and the reverse-path for them.
//!
//! A line whose speaker may stand beyond the edges of the stretch waits. A line that stays loose keeps its speakers, so
//! that the next digest comes to the same result.

use super::edges::NEAR_LINES;
use super::queue::{LifeKey, is_after_data};
use super::{Edges, Fact, Parts};
use foldhash::{HashMap, HashSet};
use relayaudit_parsers::record::{Event, Peer};

/// What the lines of a stretch say for each other.
#[derive(Default)]
pub(super) struct Context {
    /// Lines that wait for a neighbouring stretch.
    waiting: HashSet<u32>,
    /// Lines whose session began in the stretch.
    begun: HashSet<u32>,
    /// A line and one that spoke for it, in the order in which they were found.
    spoken: Vec<(u32, u32)>,
    /// Lines that may speak for others beyond the edges.
    kept: Vec<u32>,
}

/// A session as far as the stretch shows it.
#[derive(Default)]
struct Session {
    start: Option<u32>,
    log_in: Option<u32>,
    end: Option<u32>,
}

impl Context {
    /// Completes the lines of a stretch from each other.
    pub(super) fn complete(facts: &mut [Fact<'_>], edges: &Edges, at_end: bool) -> Context {
        let mut context = Context::default();
        let mut sessions = HashMap::<LifeKey<'_>, Session>::default();
        let mut refusals = HashMap::<LifeKey<'_>, Vec<u32>>::default();
        for index in 0..facts.len() {
            let at = index as u32;
            let record = &facts[index].record;
            let session = record.session.map(|key| (record.server, key.scope, key.id));
            match (&record.event, session) {
                (Event::Connect { once: true, .. }, Some(key)) => {
                    sessions.insert(key, Session { start: Some(at), ..Session::default() });
                }
                (Event::AuthSucceeded { .. }, Some(key)) => {
                    let session = sessions.entry(key).or_default();
                    let start = session.start.filter(|_| session.end.is_none());
                    *session = Session { start, log_in: Some(at), end: None };
                }
                (Event::Disconnect { client, .. }, Some(key)) if !is_named(client) => {
                    sessions.entry(key).or_default().end = Some(at);
                }
                (Event::Envelope { .. }, Some(key)) => context.from_session(facts, at, sessions.get(&key), at_end),
                (Event::Refused { client, .. } | Event::AuthFailed { client, .. }, Some(key)) if !is_named(client) => {
                    context.from_session(facts, at, sessions.get(&key), at_end);
                }
                (Event::Refused { client, reverse_path, stage, .. }, None) => {
                    let lacks = (!is_named(client) || reverse_path.is_none()) && !is_after_data(stage);
                    if let Some(key) = record.message.filter(|_| lacks && facts[index].parts.has(Parts::ALONE)) {
                        refusals.entry((record.server, key.scope, key.id)).or_default().push(at);
                    }
                }
                (Event::Arrived { recipients: Some(_), .. }, _) => {
                    let key = record.message.map(|key| (record.server, key.scope, key.id));
                    context.from_log_in(
                        facts,
                        at,
                        session.and_then(|key| sessions.get(&key)),
                        edges,
                        at_end,
                        session.is_some(),
                    );
                    let refused = key.and_then(|key| refusals.remove(&key)).unwrap_or_default();
                    refused.into_iter().for_each(|refusal| context.from_arrival(facts, refusal, at, edges));
                    if edges.near_start(facts[index].record.server, facts[index].place) {
                        context.kept.push(at);
                    }
                }
                _ => {}
            }
        }
        if !at_end {
            for refusal in refusals.into_values().flatten() {
                let fact = &facts[refusal as usize];
                if edges.near_end(fact.record.server, fact.place) {
                    context.waiting.insert(refusal);
                }
            }
            sessions.into_values().for_each(|session| context.keep(facts, edges, &session));
        }
        context
    }

    /// Takes client and account from the line that began the session, and its log-in.
    fn from_session(&mut self, facts: &mut [Fact<'_>], at: u32, session: Option<&Session>, at_end: bool) {
        let speakers = session.map(|s| [s.start, s.log_in, s.end]).unwrap_or_default();
        self.spoken.extend(speakers.into_iter().flatten().map(|speaker| (at, speaker)));
        let start = match session {
            Some(Session { start: Some(start), end: None, .. }) => *start,
            Some(Session { end: Some(_), .. }) => return,
            _ => {
                if !at_end {
                    self.waiting.insert(at);
                }
                return;
            }
        };
        self.begun.insert(at);
        let speaker = match facts[start as usize].record.event {
            Event::Connect { client, .. } => client,
            _ => Peer::default(),
        };
        let named = session.and_then(|s| s.log_in).and_then(|log_in| account(&facts[log_in as usize]));
        match &mut facts[at as usize].record.event {
            Event::Envelope { client, account, .. } | Event::Refused { client, account, .. } => {
                *client = if is_named(client) { *client } else { speaker };
                *account = account.or(named);
            }
            Event::AuthFailed { client, .. } => *client = speaker,
            _ => {}
        }
    }

    /// Takes the account from the log-in of the same client in the same process.
    fn from_log_in(
        &mut self,
        facts: &mut [Fact<'_>],
        at: u32,
        session: Option<&Session>,
        edges: &Edges,
        at_end: bool,
        may: bool,
    ) {
        let fact = &facts[at as usize];
        let Event::Arrived { client, account: named, .. } = &fact.record.event else { return };
        if !may || named.is_some_and(|account| !account.is_empty()) {
            return;
        }
        let Some(log_in) = session.and_then(|session| session.log_in) else {
            if !at_end && edges.near_start(fact.record.server, fact.place) {
                self.waiting.insert(at);
            }
            return;
        };
        self.spoken.push((at, log_in));
        let speaker = &facts[log_in as usize];
        let is_same = matches!(&speaker.record.event, Event::AuthSucceeded { client: other, .. } if other.address == client.address);
        let near = edges.lines_between(speaker.place, fact.place) <= NEAR_LINES;
        let found = account(speaker).filter(|_| is_same && near && client.address.is_some());
        if let (Event::Arrived { account, .. }, Some(found)) = (&mut facts[at as usize].record.event, found) {
            *account = Some(found);
        }
    }

    /// Gives a refusal what the line by which its message came in says.
    fn from_arrival(&mut self, facts: &mut [Fact<'_>], refusal: u32, arrival: u32, edges: &Edges) {
        if NEAR_LINES < edges.lines_between(facts[refusal as usize].place, facts[arrival as usize].place) {
            return;
        }
        self.spoken.push((refusal, arrival));
        if self.waiting.contains(&arrival) {
            self.waiting.insert(refusal);
            return;
        }
        let Event::Arrived { client: speaker, account: named, reverse_path: path, .. } =
            facts[arrival as usize].record.event
        else {
            return;
        };
        if let Event::Refused { client, account, reverse_path, .. } = &mut facts[refusal as usize].record.event {
            *client = if is_named(client) { *client } else { speaker };
            *account = account.or(named);
            *reverse_path = reverse_path.or(Some(path));
        }
    }

    /// Keeps what speaks for lines that may follow the stretch; an end that speaks against what may stand before it.
    fn keep(&mut self, facts: &[Fact<'_>], edges: &Edges, session: &Session) {
        match *session {
            Session { start: Some(_), end: None, log_in } => self.kept.extend(session.start.into_iter().chain(log_in)),
            Session { start: None, end: None, log_in: Some(log_in) } => {
                let fact = &facts[log_in as usize];
                let names = matches!(&fact.record.event, Event::AuthSucceeded { client, .. } if is_named(client));
                if !names || edges.near_end(fact.record.server, fact.place) {
                    self.kept.push(log_in);
                }
            }
            Session { start: None, end, .. } => self.kept.extend(end),
            _ => {}
        }
    }

    /// Whether a line waits for its speaker.
    pub(super) fn waits(&self, index: u32) -> bool {
        self.waiting.contains(&index)
    }

    /// Whether the session of a line began within the stretch, so that nothing of it stands before.
    pub(super) fn has_begun(&self, index: u32) -> bool {
        self.begun.contains(&index)
    }

    /// Keeps the lines that speak for loose ones, and those that may speak for others.
    pub(super) fn keep_speakers(&self, loose: &mut [Parts]) {
        self.kept.iter().for_each(|kept| loose[*kept as usize].add(Parts::CONTEXT));
        // A line that was spoken for may speak itself: it was spoken for before it spoke.
        for (line, speaker) in self.spoken.iter().rev() {
            if !loose[*line as usize].is_empty() {
                loose[*speaker as usize].add(Parts::CONTEXT);
            }
        }
    }
}

fn account<'a>(fact: &Fact<'a>) -> Option<&'a [u8]> {
    match fact.record.event {
        Event::AuthSucceeded { account, .. } => account,
        _ => None,
    }
}

/// Whether a line names a client at all.
pub(super) fn is_named(client: &Peer<'_>) -> bool {
    client.address.is_some() || !client.name.is_empty()
}
