//! What other lines of a session or of a message say for a line that does not say it itself.
//!
//! - A session in which only the first line names the client (OpenSMTPD, Cisco ESA): the line that began it, its latest
//!   log-in and the line that lets its client relay speak for every line up to the one that ends it. Such ids are 64 random
//!   bits or count up, and are not used again soon; so what follows the end of a session is not looked for.
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
use relayaudit_parsers::record::{Event, Key, Peer};

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
    vouched: Option<u32>,
    end: Option<u32>,
}

impl Session {
    /// Notes a line that speaks for the session, or ends it.
    fn speaks(&mut self, at: u32, event: &Event<'_>) {
        *self = match event {
            Event::Connect { .. } => Session { start: Some(at), ..Session::default() },
            Event::Disconnect { .. } => Session { end: Some(at), ..*self },
            Event::Vouched if self.end.is_some() => Session { vouched: Some(at), ..Session::default() },
            Event::Vouched => Session { vouched: Some(at), ..*self },
            _ if self.end.is_some() => Session { log_in: Some(at), ..Session::default() },
            _ => Session { log_in: Some(at), ..*self },
        };
    }
}

/// What was found so far: sessions, and refusals by message that no arrival answered yet.
#[derive(Default)]
struct Found<'a> {
    sessions: HashMap<LifeKey<'a>, Session>,
    refusals: HashMap<LifeKey<'a>, Vec<u32>>,
}

/// Where the stretch ends, and whether there is anything beyond.
#[derive(Clone, Copy)]
struct Bounds<'e> {
    edges: &'e Edges,
    at_end: bool,
}

impl Bounds<'_> {
    /// Whether what stands before the stretch may still concern a line.
    fn may_follow(&self, fact: &Fact<'_>) -> bool {
        !self.at_end && self.edges.near_start(fact.server, fact.place)
    }

    /// Whether what stands after the stretch may still concern a line.
    fn may_precede(&self, fact: &Fact<'_>) -> bool {
        !self.at_end && self.edges.near_end(fact.server, fact.place)
    }

    fn are_near(&self, first: &Fact<'_>, second: &Fact<'_>) -> bool {
        self.edges.lines_between(first.place, second.place) <= NEAR_LINES
    }
}

impl Context {
    /// Completes the lines of a stretch from each other.
    pub(super) fn complete(facts: &mut [Fact<'_>], edges: &Edges, at_end: bool) -> Context {
        let bounds = Bounds { edges, at_end };
        let mut context = Context::default();
        let mut found = Found::default();
        for at in 0..facts.len() as u32 {
            if takes_part(&facts[at as usize].record.event) {
                context.line(facts, at, &mut found, bounds);
            }
        }
        let unanswered = found.refusals.into_values().flatten();
        context.waiting.extend(unanswered.filter(|refusal| bounds.may_precede(&facts[*refusal as usize])));
        found.sessions.into_values().for_each(|session| context.keep(facts, &session, bounds));
        context
    }

    fn line<'a>(&mut self, facts: &mut [Fact<'a>], at: u32, found: &mut Found<'a>, bounds: Bounds<'_>) {
        let Found { sessions, refusals } = found;
        let fact = &facts[at as usize];
        let record = &fact.record;
        let fact = &facts[at as usize];
        let (session, message) = (key_of(fact, record.session), key_of(fact, record.message));
        match (&record.event, session, message) {
            (
                Event::Connect { .. } | Event::AuthSucceeded { .. } | Event::Vouched | Event::Disconnect { .. },
                Some(session),
                _,
            ) => {
                sessions.entry(session).or_default().speaks(at, &record.event);
            }
            (Event::Arrived { .. }, session, message) => {
                if let Some(session) = session {
                    self.ask_log_in(facts, at, sessions.get(&session), bounds);
                }
                let asking = message.and_then(|message| refusals.remove(&message));
                asking.into_iter().flatten().for_each(|refusal| self.ask_arrival(facts, refusal, at, bounds));
                self.kept.extend(bounds.may_follow(&facts[at as usize]).then_some(at));
            }
            (event, Some(session), _) if !matches!(event, Event::Refused { client, .. } if is_named(client)) => {
                self.ask_session(facts, at, sessions.get(&session), bounds);
            }
            (event, None, Some(message)) if fact.parts.has(Parts::ALONE) && lacks_arrival(event) => {
                refusals.entry(message).or_default().push(at);
            }
            _ => {}
        }
    }

    /// Takes client and account from the line that began the session, and its log-in.
    fn ask_session(&mut self, facts: &mut [Fact<'_>], at: u32, session: Option<&Session>, bounds: Bounds<'_>) {
        let speakers = session.map(|s| [s.start, s.log_in, s.vouched, s.end]).unwrap_or_default();
        self.spoken.extend(speakers.into_iter().flatten().map(|speaker| (at, speaker)));
        let start = match session {
            Some(Session { start: Some(start), end: None, .. }) => *start,
            Some(Session { end: Some(_), .. }) => return,
            _ => return self.waiting.extend((!bounds.at_end).then_some(at)),
        };
        self.begun.insert(at);
        let speaker = match facts[start as usize].record.event {
            Event::Connect { client, .. } => client,
            _ => Peer::default(),
        };
        let named = session.and_then(|s| s.log_in).and_then(|log_in| account(&facts[log_in as usize]));
        let may_relay = session.is_some_and(|s| s.vouched.is_some());
        match &mut facts[at as usize].record.event {
            Event::Envelope { client, account, .. } | Event::Refused { client, account, .. } => {
                *client = if is_named(client) { *client } else { speaker };
                *account = account.or(named);
            }
            Event::Asked { client, account, vouched, .. } => {
                *client = if is_named(client) { *client } else { speaker };
                *account = account.or(named);
                *vouched |= may_relay;
            }
            Event::AuthFailed { client, .. } => *client = speaker,
            _ => {}
        }
    }

    /// Takes the account from the log-in of the same client in the same process.
    fn ask_log_in(&mut self, facts: &mut [Fact<'_>], at: u32, session: Option<&Session>, bounds: Bounds<'_>) {
        let fact = &facts[at as usize];
        let Event::Arrived { client, account: named, .. } = &fact.record.event else { return };
        if named.is_some_and(|account| !account.is_empty()) {
            return;
        }
        let Some(log_in) = session.and_then(|session| session.log_in) else {
            return self.waiting.extend(bounds.may_follow(fact).then_some(at));
        };
        self.spoken.push((at, log_in));
        let speaker = &facts[log_in as usize];
        let other = match &speaker.record.event {
            Event::AuthSucceeded { client, .. } => client.address,
            _ => None,
        };
        let is_same = client.address.is_some() && client.address == other && bounds.are_near(speaker, fact);
        let found = account(speaker).filter(|_| is_same);
        if let (Event::Arrived { account, .. }, Some(found)) = (&mut facts[at as usize].record.event, found) {
            *account = Some(found);
        }
    }

    /// Gives a refusal what the line by which its message came in says.
    fn ask_arrival(&mut self, facts: &mut [Fact<'_>], refusal: u32, arrival: u32, bounds: Bounds<'_>) {
        let speaker = &facts[arrival as usize];
        if !bounds.are_near(&facts[refusal as usize], speaker) {
            return;
        }
        self.spoken.push((refusal, arrival));
        if self.waiting.contains(&arrival) {
            self.waiting.insert(refusal);
            return;
        }
        let Event::Arrived { client: from, account: named, reverse_path: path, .. } = speaker.record.event else {
            return;
        };
        if let Event::Refused { client, account, reverse_path, .. } = &mut facts[refusal as usize].record.event {
            *client = if is_named(client) { *client } else { from };
            *account = account.or(named);
            *reverse_path = reverse_path.or(Some(path));
        }
    }

    /// Keeps what speaks for lines that may follow the stretch, and an end whose beginning may stand before it.
    fn keep(&mut self, facts: &[Fact<'_>], session: &Session, bounds: Bounds<'_>) {
        match *session {
            Session { start: Some(_), end: None, log_in, vouched } => {
                self.kept.extend(session.start.into_iter().chain(log_in).chain(vouched));
            }
            Session { start: None, end: None, log_in: None, vouched } => self.kept.extend(vouched),
            Session { start: None, end: None, log_in: Some(log_in), vouched } => {
                self.kept.extend(vouched);
                let fact = &facts[log_in as usize];
                let names = matches!(&fact.record.event, Event::AuthSucceeded { client, .. } if is_named(client));
                self.kept.extend((!names || bounds.may_precede(fact)).then_some(log_in));
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

/// Whether a line says something for others, or may lack what others say: few do.
fn takes_part(event: &Event<'_>) -> bool {
    match event {
        Event::Connect { once, .. } => *once,
        Event::Disconnect { client, .. } | Event::AuthFailed { client, .. } => !is_named(client),
        Event::Arrived { recipients, .. } => recipients.is_some(),
        Event::Refused { .. } => true,
        _ => {
            matches!(event, Event::AuthSucceeded { .. } | Event::Vouched | Event::Envelope { .. } | Event::Asked { .. })
        }
    }
}

/// Whether a refusal leaves it to another line to say who was refused.
fn lacks_arrival(event: &Event<'_>) -> bool {
    matches!(event, Event::Refused { client, reverse_path, stage, .. }
        if (!is_named(client) || reverse_path.is_none()) && !is_after_data(stage))
}

fn key_of<'a>(fact: &Fact<'a>, key: Option<Key<'a>>) -> Option<LifeKey<'a>> {
    key.map(|key| (fact.server, key.scope, key.id))
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
