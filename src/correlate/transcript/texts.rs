//! Logs that may hold the text of messages, as it came (Exchange 5.5): which lines are the server's own.
//!
//! Text follows the answer 354 up to a full stop alone (RFC 5321 section 4.1.1.4). It is there if the lines of the session
//! stand in the log as they came; and where a file never shows a full stop alone, it does not show texts to their end, so that
//! nothing can be left out. A client that makes its full stop look like one, by the way it cuts its text into packets, is
//! not found out.

use super::{Fact, SessionKey};
use crate::ledger::FileId;
use foldhash::{HashMap, HashSet};
use relayaudit_parsers::record::Event;
use std::borrow::Cow;

/// The answer that asks for the text.
const SEND_TEXT: u16 = 354;

/// What is known of a file behind a line.
#[derive(Default)]
struct State {
    /// Whether this session's lines stand in the log as they came.
    as_it_came: bool,
    in_text: bool,
}

/// Leaves out the lines that stand in texts. All lines of a file must be there.
pub(super) fn without<'l>(facts: &[Fact<'_>], lines: &'l [u32]) -> Cow<'l, [u32]> {
    let files: HashSet<_> = lines.iter().filter_map(|line| ended_in(&facts[*line as usize])).collect();
    if files.is_empty() {
        return Cow::Borrowed(lines);
    }
    let mut states: HashMap<(SessionKey<'_>, FileId), State> = HashMap::default();
    let is_own = |line: &u32| {
        let fact = &facts[*line as usize];
        let Some(key) = key(fact).filter(|key| files.contains(key)) else { return true };
        let state = states.entry(key).or_default();
        if state.in_text {
            state.in_text = !matches!(fact.record.event, Event::AsItCame { ends_text: true });
            return false;
        }
        match &fact.record.event {
            Event::Begun { .. } => *state = State::default(),
            Event::AsItCame { .. } => state.as_it_came = true,
            Event::Replied { reply, .. } => state.in_text = state.as_it_came && reply.code == SEND_TEXT,
            _ => {}
        }
        true
    };
    Cow::Owned(lines.iter().copied().filter(is_own).collect())
}

fn key<'a>(fact: &Fact<'a>) -> Option<(SessionKey<'a>, FileId)> {
    let session = fact.record.session?;
    Some(((fact.server, session.scope, session.id), fact.place.file))
}

/// The file, and the sessions in it, of which a line shows how a text ends.
fn ended_in<'a>(fact: &Fact<'a>) -> Option<(SessionKey<'a>, FileId)> {
    matches!(fact.record.event, Event::AsItCame { ends_text: true }).then(|| key(fact)).flatten()
}
