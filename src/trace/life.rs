//! Life: one message on one server, kept with everything that its lines say.

use super::hops::{Collect, Hops, told_message_id};
use super::steps::{self, Step};
use super::store::Seen;
use super::wanted::Matches;
use crate::correlate::{Fact, Message, Recipient};
use crate::extract::next_hop;
use crate::ledger::{FlowKey, Origin, Outcome, Place, Time};
use crate::observe::names::Names;
use relayaudit_parsers::record::{Event, Refusal};

/// The longest text kept of one field: real ones are shorter.
const LONGEST: usize = 512;

/// A message on one server: one queue life, or several that a content filter connects, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Its first line.
    pub place: Place,
    /// When it came in, or when its first line was written.
    pub time: Option<Time>,
    /// Server, client, account, origin: what its recipients have in common.
    pub way: FlowKey,
    /// Whether it is no message but a recipient that was refused.
    pub is_refusal: bool,
    /// How many lines like it there were (`last message repeated`).
    pub times: u64,
    /// What is known of its beginning.
    pub beginning: Beginning,
    /// The queue ids it had, the first one first; none where the log gives none.
    pub ids: Vec<Box<str>>,
    /// The ids that the server told its client, if they are others.
    pub told: Vec<Box<str>>,
    /// The id of the session; empty if not logged.
    pub session: Box<str>,
    /// The Message-ID header, without brackets; empty if not logged.
    pub message_id: Box<str>,
    /// The client's name; empty if not logged.
    pub client_name: Box<str>,
    /// The EHLO name; empty if not logged.
    pub helo: Box<str>,
    /// The account as logged.
    pub account: Option<Box<str>>,
    /// The local user; empty if there is none.
    pub user: Box<str>,
    /// The reverse-path; `None` if not logged.
    pub reverse_path: Option<Box<str>>,
    /// Size in bytes; 0 if not logged.
    pub size_bytes: u64,
    /// Its recipients.
    pub recipients: Vec<Fate>,
    /// What happened to it, in the order of its lines.
    pub steps: Vec<Step>,
    /// Ids that lead to other messages.
    pub hops: Hops,
    /// The id of the message on the same server of which it is a notification or a forwarded copy; empty if not told.
    pub born_of: Box<str>,
    /// The keys that it matches itself; empty if only an id led to it.
    pub matches: Matches,
}

/// What is known of the beginning of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// The line by which it came in is there.
    Logged,
    /// It is not: the first line that is there tells of something later.
    Missing,
}

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// What judges it: client, domains, outcome.
    pub key: FlowKey,
    /// The forward-path as the client gave it.
    pub path: Box<str>,
    /// That of the last attempt, if it is another.
    pub final_path: Option<Box<str>>,
    /// Where it went; empty if nowhere.
    pub next_hop: Box<str>,
    /// The line that says so.
    pub place: Place,
    /// When.
    pub time: Option<Time>,
}

impl Life {
    /// Keeps a message. `lines` are those that tell of it, if they are known one by one.
    ///
    /// `born_of` is the id of the message that announced it; empty if none did.
    pub fn of(message: &Message<'_>, lines: &[&Fact<'_>], born_of: &[u8], names: &mut Names, matches: Matches) -> Life {
        let opening = message.opening;
        let way = names.way(message);
        let fates = message.recipients.iter().map(|recipient| Fate::of(way, recipient, names)).collect();
        let hops = Hops::of(message, lines);
        let told = match opening.record.event {
            Event::Received { told_id, .. } if !told_id.is_empty() => vec![text(told_id)],
            _ => hops.iter().filter(|hop| hop.is_own).map(|hop| hop.id.clone()).collect(),
        };
        Life {
            place: opening.place,
            time: opening.time,
            way,
            is_refusal: false,
            times: u64::from(opening.times),
            beginning: beginning(message),
            ids: ids(opening, lines),
            told,
            session: opening.record.session.map_or_else(Box::default, |session| text(session.id)),
            message_id: text(message_id(message)),
            client_name: text(message.client.name),
            helo: text(message.helo),
            account: message.account.map(text),
            user: text(message.user),
            reverse_path: message.reverse_path.map(text),
            size_bytes: message.size_bytes,
            recipients: fates,
            steps: steps::of(message, lines),
            hops,
            born_of: text(born_of),
            matches,
        }
    }

    /// How much room it takes.
    pub fn weight(&self) -> usize {
        1 + self.recipients.len() + self.steps.len()
    }

    /// What it counts.
    pub fn seen(&self) -> Seen {
        let counts = !self.is_second_view();
        Seen {
            messages: u64::from(counts && !self.is_refusal),
            recipients: if counts { (self.recipients.len() as u64).saturating_mul(self.times) } else { 0 },
            last: self.time,
        }
    }

    /// Whether its recipients are told of by another log too, which counts them.
    pub fn is_second_view(&self) -> bool {
        matches!(self.way.origin, Origin::Outbound | Origin::PassedOn)
    }

    /// Its first queue id, or what the server told its client.
    pub fn id(&self) -> &str {
        self.ids.first().or(self.told.first()).map_or("", |id| id)
    }

    /// Whether the server wrote it about, or made it from, another message.
    pub fn is_offspring(&self) -> bool {
        matches!(self.way.origin, Origin::System | Origin::Forwarded)
    }

    /// When its last line was written.
    pub fn last(&self) -> Option<Time> {
        self.steps.iter().filter_map(|step| step.time).max().max(self.time)
    }
}

impl Fate {
    fn of(way: FlowKey, recipient: &Recipient<'_>, names: &mut Names) -> Fate {
        let rewritten = recipient.final_path != recipient.forward_path;
        Fate {
            key: names.flow_key(way, recipient),
            path: text(recipient.forward_path),
            final_path: rewritten.then(|| text(recipient.final_path)),
            next_hop: next_hop(&recipient.next_hop),
            place: recipient.fact.place,
            time: recipient.fact.time,
        }
    }

    /// What became of it.
    pub fn outcome(&self) -> Outcome {
        self.key.outcome
    }

    /// Why it was refused.
    pub fn refusal(&self) -> Option<Refusal> {
        self.key.refusal
    }

    /// The path that the next server was given.
    pub fn last_path(&self) -> &str {
        self.final_path.as_deref().unwrap_or(&self.path)
    }
}

/// Text of a log as UTF-8, with replacement characters, cut where no honest text goes on.
pub fn text(bytes: &[u8]) -> Box<str> {
    let kept = &bytes[..bytes.len().min(LONGEST)];
    String::from_utf8_lossy(kept).into()
}

/// The Message-ID: of a session, as the server repeats it in its answer.
fn message_id<'a>(message: &Message<'a>) -> &'a [u8] {
    let told = || message.recipients.iter().find_map(|recipient| told_message_id(recipient.fact));
    if message.message_id.is_empty() { told().unwrap_or_default() } else { message.message_id }
}

/// The queue ids of a message, each once, the opening line's first.
fn ids(opening: &Fact<'_>, lines: &[&Fact<'_>]) -> Vec<Box<str>> {
    let mut ids = Vec::<Box<str>>::new();
    for key in std::iter::once(opening).chain(lines.iter().copied()).filter_map(|fact| fact.record.message) {
        if !ids.iter().any(|id| id.as_bytes() == key.id) {
            ids.push(text(key.id));
        }
    }
    ids
}

/// Whether the line that opens a message tells how it came in.
pub fn beginning(message: &Message<'_>) -> Beginning {
    if matches!(message.origin, Origin::System | Origin::Forwarded | Origin::Local) {
        return Beginning::Logged;
    }
    match message.opening.record.event {
        Event::Delivery { .. }
        | Event::Queued { .. }
        | Event::MessageId(_)
        | Event::Removed
        | Event::Reached { .. }
        | Event::AttemptStarted { .. }
        | Event::AttemptEnded { .. }
        | Event::Spawned { .. }
        | Event::Expanded { .. }
        | Event::Taken { .. }
        | Event::Dropped => Beginning::Missing,
        _ => Beginning::Logged,
    }
}

/// Lives for tests of what is built on them.
#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::ledger::{Client, FileId};
    use relayaudit_parsers::address::Form;

    /// A message of a server without anything.
    pub fn life(server: &str, line: u64) -> Life {
        let way = FlowKey {
            server: server.into(),
            client: Client::Unknown,
            account: None,
            vouched: false,
            origin: Origin::Network,
            reverse_domain: None,
            forward_domain: Default::default(),
            form: Form::Plain,
            hidden_domain: None,
            final_domain: None,
            outcome: Outcome::Unknown,
            refusal: None,
        };
        Life {
            place: Place { file: FileId(1), line },
            time: None,
            way,
            is_refusal: false,
            times: 1,
            beginning: Beginning::Logged,
            ids: Vec::new(),
            told: Vec::new(),
            session: Box::default(),
            message_id: Box::default(),
            client_name: Box::default(),
            helo: Box::default(),
            account: None,
            user: Box::default(),
            reverse_path: None,
            size_bytes: 0,
            recipients: Vec::new(),
            steps: Vec::new(),
            hops: Hops::default(),
            born_of: Box::default(),
            matches: Matches::new(),
        }
    }
}
