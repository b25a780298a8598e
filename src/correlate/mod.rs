//! Correlate: joins the lines of a stretch of log into messages.
//!
//! A stretch (a chunk, or several chunks side by side) is digested as a whole. Every life — a
//! queue file, a transaction — is a pair of brackets in the order of the lines: a line that
//! *opens* one, lines that belong to it, a line that *closes* it. A line belongs to the innermost
//! life of its key that can take it, so brackets opened and closed within the stretch are the same
//! whatever stands before or after, even where ids are used again or a closing line was lost.
//! Those lives are *sealed*: observed and dropped. The lines of all others stay *loose*, with their
//! places, and are digested again once a neighbouring stretch is known, until nothing changes or the
//! input is at its end. Hence the law that `tests/laws.rs` checks: cutting the input anywhere gives
//! the same books.
//!
//! Nothing here knows a format (the words of `relayaudit_parsers::record` are all it sees) or the site.

mod asked;
mod births;
mod context;
mod dialogue;
mod edges;
mod family;
mod message;
mod outbound;
mod queue;
mod recipients;
mod tally;
mod traced;
mod transcript;
mod waiting;
mod whole;

pub use edges::Edges;
pub(crate) use family::outcome;
pub use message::{Message, Recipient, Session};

use crate::ledger::{Place, Text, Time};
use context::Context;
use relayaudit_parsers::Record;
use relayaudit_parsers::record::{Event, Offspring};

/// The reply code of a log-in that failed (RFC 4954 section 6).
pub const LOGIN_FAILED: u16 = 535;

/// The statement of one line, with its place and its resolved time.
#[derive(Debug, Clone)]
pub struct Fact<'a> {
    /// Where the line stands.
    pub place: Place,
    /// When it was written, if it says so.
    pub time: Option<Time>,
    /// The server that wrote it, by the name in the record: kept once, as every line is looked up by it.
    pub server: Text,
    /// The whole line, for evidence.
    pub raw: &'a [u8],
    /// What it says.
    pub record: Record<'a>,
    /// What of it is still to be used.
    pub parts: Parts,
    /// How many lines it stands for: 1, unless it only stands alone.
    pub times: u32,
}

/// What a line is good for. Each part is used once: by the stretch that can decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts(u8);

impl Parts {
    /// Facts that stand alone: connections, refusals, failed log-ins.
    pub const ALONE: Parts = Parts(1);
    /// The part in a message's life.
    pub const MESSAGE: Parts = Parts(2);
    /// The end of whatever its session did before.
    pub const SESSION: Parts = Parts(4);
    /// The announcement of another message (a notification, a forwarded copy).
    pub const LINK: Parts = Parts(8);
    /// What it says for other lines of its session or message.
    pub const CONTEXT: Parts = Parts(16);
    /// Everything: a line that no stretch has digested yet.
    pub const ALL: Parts = Parts(31);
    /// Nothing.
    pub const NONE: Parts = Parts(0);

    /// Whether all of `part` is in it.
    pub fn has(self, part: Parts) -> bool {
        self.0 & part.0 == part.0 && part.0 != 0
    }

    /// Adds a part.
    pub fn add(&mut self, part: Parts) {
        self.0 |= part.0;
    }

    /// The parts as bits, for a saved line.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The parts of a saved line; `None` if there are bits of no part.
    pub fn from_bits(bits: u8) -> Option<Parts> {
        (bits & !Parts::ALL.0 == 0).then_some(Parts(bits))
    }

    /// Whether nothing is left.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Takes what the correlator has decided.
pub trait Observer {
    /// A fact that stands alone.
    fn alone(&mut self, fact: &Fact<'_>);
    /// A message whose life is known as far as the logs tell.
    fn message(&mut self, message: &Message<'_>);
    /// The same, where the lines that tell of the message are known one by one: first the line of another message that
    /// announces it, if there is one, then its own, life by life. Whoever has no use for the lines takes the message alone.
    fn life<'f>(&mut self, message: &Message<'f>, _lines: &mut dyn Iterator<Item = &'f Fact<'f>>) {
        self.message(message);
    }
    /// A session that is known from end to end, as far as the logs tell.
    fn session(&mut self, session: &Session<'_>);
}

/// Digests a stretch: `facts` in the order of their places, which are completed from each other.
///
/// Gives `observer` all that is decided and returns, fact by fact, the parts that stay loose. With
/// `at_end`, nothing more will come on either side: everything is decided and nothing stays loose.
pub fn digest(facts: &mut [Fact<'_>], edges: &Edges, at_end: bool, observer: &mut dyn Observer) -> Vec<Parts> {
    let context = Context::complete(facts, edges, at_end);
    let facts = &*facts;
    let mut loose = vec![Parts::NONE; facts.len()];
    let sorts = Sorts::of(facts, &context, observer, &mut loose);
    queue::digest(facts, &sorts, &context, edges, at_end, observer, &mut loose);
    dialogue::digest(facts, &sorts.dialogue, edges, at_end, observer, &mut loose);
    outbound::digest(facts, &sorts.outbound, edges, at_end, observer, &mut loose);
    transcript::digest(facts, &sorts.transcript, at_end, observer, &mut loose);
    if !at_end {
        context.keep_speakers(&mut loose);
    }
    loose
}

/// The lines of a stretch by who has to read them, as indices.
#[derive(Default)]
struct Sorts {
    queue: Vec<u32>,
    links: Vec<u32>,
    dialogue: Vec<u32>,
    outbound: Vec<u32>,
    transcript: Vec<u32>,
}

impl Sorts {
    /// Sorts the lines in one pass; those that stand alone are observed at once, unless they wait.
    fn of(facts: &[Fact<'_>], context: &Context, observer: &mut dyn Observer, loose: &mut [Parts]) -> Sorts {
        let mut sorts = Sorts::default();
        for (index, fact) in facts.iter().enumerate() {
            // A stretch holds far fewer lines than 2^32: the splitter sees to it.
            let index = index as u32;
            match &fact.record.event {
                Event::Connect { .. } | Event::Disconnect { .. } | Event::Refused { .. } => sorts.queue.push(index),
                Event::Mail { .. } | Event::Recipient { .. } | Event::Data { .. } => sorts.dialogue.push(index),
                Event::OutboundCommand { .. } | Event::OutboundReply { .. } => sorts.outbound.push(index),
                Event::Opened { .. }
                | Event::Closed { .. }
                | Event::Begun { .. }
                | Event::AsItCame { .. }
                | Event::Filtered(_)
                | Event::Command { .. }
                | Event::Replied { .. }
                | Event::Continues { .. }
                | Event::Step { .. }
                | Event::Summed { .. }
                | Event::LoggingIn { .. }
                | Event::Identified { .. } => sorts.transcript.push(index),
                Event::Hello { .. }
                | Event::AuthFailed { .. }
                | Event::LogInsFailed { .. }
                | Event::AuthSucceeded { .. }
                | Event::Vouched
                | Event::AccountTried { .. } => {}
                Event::Traced { .. } => {
                    if fact.parts.has(Parts::MESSAGE) {
                        observer.message(&traced::read(fact));
                    }
                    continue;
                }
                Event::Whole { .. } | Event::Decided { .. } => {
                    if let Some(message) = whole::read(fact).filter(|_| fact.parts.has(Parts::MESSAGE)) {
                        observer.message(&message);
                    }
                }
                Event::Reset { .. } | Event::Quit { .. } | Event::Other => continue,
                Event::Spawned { .. } | Event::Delivery { child: Some((_, Offspring::Forwarded)), .. } => {
                    sorts.queue.push(index);
                    if fact.parts.has(Parts::LINK) {
                        sorts.links.push(index);
                    }
                }
                _ => sorts.queue.push(index),
            }
            if fact.parts.has(Parts::ALONE) {
                match context.waits(index) {
                    true => loose[index as usize].add(Parts::ALONE),
                    false => observer.alone(fact),
                }
            }
        }
        sorts
    }
}
