//! The answer to "was it us?", for a pasted header or notification.
//!
//! Nothing in a header is believed: whoever sends a message can write `Received:` lines as he likes, and every server puts its
//! own above them. What counts is whether our own logs have the message, and whether they cover the time.

use super::chains::Chain;
use super::key::{Key, Kind};
use super::life::Life;
use super::pasted::{Pasted, Received};
use super::words::{authority, client, second};
use crate::judge::words::{list, quoted, server};
use crate::ledger::{Ledger, ServerFacts, Span, Time};
use crate::merge::Merge;
use crate::report::model::rfc3339;
use crate::site::Site;
use serde::Serialize;

/// Whether it was us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Us {
    /// A server of these logs handled the message.
    Yes,
    /// None did, and the logs cover the time.
    No,
    /// None of these logs has it, and they need not.
    CannotTell,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Whether it was us.
    pub was_it_us: Us,
    /// The answer in a sentence.
    pub headline: String,
    /// What it rests on, sentence by sentence. Holds text of the header: escape for the medium.
    pub why: Vec<String>,
    /// The `Received:` lines, the latest first.
    pub received: Vec<Hop>,
}

/// A `Received:` line, looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// The server that the line names.
    pub by: String,
    /// The client that it names.
    pub from: String,
    /// The client's address.
    pub client: Option<String>,
    /// The id; empty if it gives none.
    pub id: String,
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub time: Option<Time>,
    /// Whether the name is that of a server of these logs or of the site.
    pub names_ours: bool,
    /// Whether the logs have the message under this id.
    pub found: bool,
    /// Whether they say that another server took it from us under this id.
    pub taken_from_us: bool,
}

/// How far the time of a header may be from that of the log on the same server: its clock is the same, but the zone of the log
/// may be a guess.
const SAME_SERVER: i64 = 26 * 3_600_000_000;
/// The same where the names of the servers differ.
const OTHER_NAME: i64 = 600_000_000;

/// The keys in a pasted text.
pub fn keys(pasted: &Pasted) -> Vec<Key> {
    let mut keys = Vec::<Key>::new();
    let ids = pasted.hops.iter().map(|hop| &hop.id).chain([&pasted.queue_id]);
    let ids = ids.map(|id| (id, Kind::QueueId)).chain(pasted.message_ids.iter().map(|id| (id, Kind::MessageId)));
    for (id, kind) in ids.filter(|(id, _)| !id.is_empty()) {
        let key = Key { text: id.clone(), kinds: vec![kind], network: None };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Leaves out chains that only share an id with the pasted text, hours or days apart: ids are used again. Those that one of the first
/// `own` keys matches, which are not of the text, stay.
pub fn retain(pasted: &Pasted, own: u32, chains: &mut Vec<Chain>) {
    let is_asked = |life: &Life| life.matches.iter().any(|(key, _)| *key < own);
    chains.retain(|chain| chain.lives.iter().any(|life| is_asked(life) || is_meant(pasted, life)));
}

/// Whether a life is the message of the pasted text.
fn is_meant(pasted: &Pasted, life: &Life) -> bool {
    let by_message_id = !life.message_id.is_empty() && pasted.message_ids.iter().any(|id| *id == *life.message_id);
    by_message_id || pasted.hops.iter().any(|hop| is_of(hop, life)) || is_of(&reported(pasted), life)
}

/// What a notification says of the server that wrote it, as if it were a line of the header.
fn reported(pasted: &Pasted) -> Received {
    Received { by: pasted.reporting.clone(), id: pasted.queue_id.clone(), time: pasted.arrival, ..Received::default() }
}

/// Whether a line of a header tells of this life.
fn is_of(hop: &Received, life: &Life) -> bool {
    let has_id = life.ids.iter().chain(&life.told).any(|id| **id == *hop.id);
    if hop.id.is_empty() || !has_id {
        return false;
    }
    let same_name = is_same_host(&hop.by, &life.way.server);
    match hop.time.zip(life.time) {
        Some((a, b)) => a.0.abs_diff(b.0) <= if same_name { SAME_SERVER } else { OTHER_NAME } as u64,
        None => same_name || life.way.server.is_empty(),
    }
}

/// Whether two names are of one server: the same, or one of them the first label of the other.
pub fn is_same_host(a: &str, b: &str) -> bool {
    let label = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    let short = |name: &str| !name.contains('.');
    !a.is_empty() && (a.eq_ignore_ascii_case(b) || (short(a) || short(b)) && label(a) == label(b))
}

/// Answers, from the chains that are left.
pub fn answer(pasted: &Pasted, chains: &[Chain], ledger: &Ledger, site: &Site) -> Answer {
    let asking = Asking { pasted, chains, ledger, site };
    let received: Vec<Hop> = pasted.hops.iter().map(|hop| asking.hop(hop)).collect();
    let (was_it_us, headline, mut why) = match asking.entry() {
        Some(life) => asking.yes(life),
        None => asking.no(),
    };
    why.extend(asking.warnings(was_it_us));
    Answer { was_it_us, headline, why, received }
}

struct Asking<'a> {
    pasted: &'a Pasted,
    chains: &'a [Chain],
    ledger: &'a Ledger,
    site: &'a Site,
}

impl Asking<'_> {
    fn hop(&self, hop: &Received) -> Hop {
        let lives = || self.chains.iter().flat_map(|chain| &chain.lives);
        Hop {
            by: hop.by.clone(),
            from: hop.from.clone(),
            client: hop.address.map(|address| address.to_string()),
            id: hop.id.clone(),
            time: hop.time,
            names_ours: self.is_ours(&hop.by),
            found: lives().any(|life| is_of(hop, life)),
            taken_from_us: lives().flat_map(|life| &life.hops).any(|next| !next.is_own && *next.id == *hop.id),
        }
    }

    fn is_ours(&self, name: &str) -> bool {
        let of_site = self.site.server_names().any(|entry| is_same_host(name, &entry.value));
        let bare = name.trim_matches(['[', ']']);
        let address = crate::site::parse_address(bare).ok();
        of_site
            || self.facts(name).is_some()
            || address.is_some_and(|address| self.site.server_addresses().any(|entry| entry.value == address))
    }

    /// What was seen of the server of this name.
    fn facts(&self, name: &str) -> Option<&ServerFacts> {
        self.ledger.servers.iter().find(|(server, _)| is_same_host(name, server)).map(|(_, facts)| facts)
    }

    /// The life by which the message came to us first.
    fn entry(&self) -> Option<&Life> {
        let meant = |chain: &&Chain| chain.lives.iter().any(|life| is_meant(self.pasted, life));
        self.chains.iter().filter(meant).find_map(Chain::first)
    }

    fn yes(&self, life: &Life) -> (Us, String, Vec<String>) {
        let at = server(&life.way.server);
        let when = second(life.time);
        let headline = match super::words::is_known(life) {
            true => format!("Yes: it entered here, at {at} on {when} UTC, by {}.", by(life)),
            false => format!("Yes: {at} handled it, first seen on {when} UTC. How it came in is not in these logs."),
        };
        let mut why = vec![format!("By what right it came in: {}.", authority(life, self.site))];
        let named: Vec<String> = self
            .pasted
            .hops
            .iter()
            .filter(|hop| self.hop(hop).found)
            .map(|hop| format!("`by {} ... id {}`", quoted(&hop.by), quoted(&hop.id)))
            .collect();
        match named.is_empty() {
            false => why.push(format!("The logs have the message of {}.", list(&named))),
            true if is_of(&reported(self.pasted), life) => {
                why.push(format!("The logs have the message under the id of the notification, {}.", quoted(&self.pasted.queue_id)));
            }
            true => why.push(
                "The logs have its Message-ID. Whoever writes a message chooses that, so compare time and recipients below."
                    .to_owned(),
            ),
        }
        if let Some(hop) = self.pasted.hops.iter().find(|hop| self.hop(hop).taken_from_us) {
            why.push(format!(
                "Our log says that it was taken from us as {}, as the line of {} has it.",
                quoted(&hop.id),
                server(&hop.by)
            ));
        }
        (Us::Yes, headline, why)
    }

    fn no(&self) -> (Us, String, Vec<String>) {
        let covered = self.covered();
        let period = match (covered.first, covered.last) {
            (Some(first), Some(last)) => format!("{} to {} UTC", second(Some(first)), second(Some(last))),
            _ => "no time at all".to_owned(),
        };
        if keys(self.pasted).is_empty() {
            let what = "the text has no id that could be looked for".to_owned();
            return self.cannot(
                &what,
                vec!["Give the whole header, with all its Received lines and its Message-ID.".to_owned()],
            );
        }
        let ours: Vec<Received> = self.pasted.hops.iter().filter(|hop| self.is_ours(&hop.by)).cloned().collect();
        let own = Some(reported(self.pasted)).filter(|hop| self.is_ours(&hop.by));
        let ours: Vec<Received> = ours.into_iter().chain(own).collect();
        let asked = if ours.is_empty() { self.pasted.hops.clone() } else { ours.clone() };
        let times: Vec<(&str, Time)> = asked.iter().filter_map(|hop| Some((hop.by.as_str(), hop.time?))).collect();
        if times.is_empty() {
            let why = vec![format!("The logs cover {period}.")];
            return self.cannot("the text does not say when the message was handled", why);
        }
        let outside: Vec<&(&str, Time)> = times.iter().filter(|(by, time)| !self.covers(by, *time)).collect();
        // Of the hops of strangers, one within the period is enough to have been seen here.
        let is_outside = if ours.is_empty() { outside.len() == times.len() } else { !outside.is_empty() };
        if let Some((by, time)) = outside.first().filter(|_| is_outside) {
            let why =
                vec![format!("The line of {} says {} UTC; the logs cover {period}.", server(by), second(Some(*time)))];
            return self.cannot("the logs do not cover that time", why);
        }
        let headline = format!("No: our servers handled no such message in the period that the logs cover ({period}).");
        let mut why = Vec::new();
        match ours.first() {
            Some(hop) => why.push(format!(
                "The header names {}, but its log of that time has no message with this id{}: that line is forged, unless lines of the \
                 log were lost.",
                server(&hop.by),
                if self.pasted.message_ids.is_empty() { "" } else { " or Message-ID" }
            )),
            None => why.push("No line of the header names a server of these logs, and none of its ids is in them.".to_owned()),
        }
        (Us::No, headline, why)
    }

    fn cannot(&self, what: &str, why: Vec<String>) -> (Us, String, Vec<String>) {
        (Us::CannotTell, format!("Cannot tell: {what}."), why)
    }

    /// The period of all logs.
    fn covered(&self) -> Span {
        let mut span = Span::default();
        self.ledger.servers.values().for_each(|facts| span.merge(facts.span));
        span
    }

    /// Whether the logs of a server cover a time: it lies in its period, and the server wrote something about then. For a server that
    /// is none of ours, the logs of any.
    fn covers(&self, by: &str, time: Time) -> bool {
        let covers = |facts: &ServerFacts| {
            let within =
                facts.span.first.is_some_and(|first| first <= time) && facts.span.last.is_some_and(|last| time <= last);
            let hour = time.hour();
            within && facts.hours.range(hour.saturating_sub(1)..=hour.saturating_add(1)).next().is_some()
        };
        match self.facts(by) {
            Some(facts) => covers(facts),
            None => self.ledger.servers.values().any(covers),
        }
    }

    /// What to know of headers.
    fn warnings(&self, us: Us) -> Vec<String> {
        let hops = &self.pasted.hops;
        let mut warnings = Vec::new();
        if !hops.is_empty() && (1 < hops.len() || us != Us::Yes) {
            warnings.push(
                "A sender can put forged Received lines below his own: read from the top, only the lines above the first server that you \
                 do not trust count. What decides here is the log, not the header."
                    .to_owned(),
            );
        }
        let found: Vec<usize> = (0..hops.len()).filter(|at| self.hop(&hops[*at]).found).collect();
        let below = found.last().map_or(0, |last| hops.len() - 1 - last);
        if us == Us::Yes && 0 < below {
            warnings.push(format!(
                "The {} below that of our server came with the message: whoever handed it in may have made them up.",
                if below == 1 { "line".to_owned() } else { format!("{below} lines") }
            ));
        }
        if !self.pasted.recipients.is_empty() {
            let whom: Vec<String> = self.pasted.recipients.iter().take(3).map(|path| quoted(path)).collect();
            let why = match self.pasted.diagnostic.as_str() {
                "" => String::new(),
                text => format!(": {}", quoted(text)),
            };
            warnings.push(format!("The notification is about {}{why}.", list(&whom)));
        }
        warnings
    }
}

/// Who handed it in.
fn by(life: &Life) -> String {
    match (&life.account, &*life.user) {
        (Some(account), _) if !account.is_empty() => format!("{}, logged in as {}", client(life), quoted(account)),
        (_, "") => client(life),
        (_, user) => format!("local user {}", quoted(user)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_by_name() {
        let check = |a: &str, b: &str, same: bool| assert_eq!(is_same_host(a, b), same, "{a} {b}");
        check("mx1.example.org", "mx1", true);
        check("MX1", "mx1.example.org", true);
        check("mx1.example.com", "mx1.example.org", false);
        check("mx2.example.org", "mx1", false);
        check("", "mx1", false);
    }
}
