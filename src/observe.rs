//! Observe: writes what the correlator decided into the books. Knows no policy.

mod listings;
mod log_ins;
pub(crate) mod names;
pub(crate) mod refusal;
mod templates;

use crate::correlate::{Fact, Message, Observer, Recipient, Session};
use crate::ledger::{
    AccountKey, Client, ClientFacts, ClientKey, DomainFacts, DomainKey, Evidence, FileId, FlowKey, HelloKey, Input,
    Ledger, LossKey, Origin, Outcome, Place, ServerFacts, Smallest, Text, Time, UserKey,
};
use crate::merge::Merge;
use crate::scribe::{Notes, Scribe};
use names::Names;
use relayaudit_parsers::Record;
use relayaudit_parsers::address;
use relayaudit_parsers::record::{Event, Lost, NextHop, Peer, Refusal};
use relayaudit_parsers::reply::taken_as;
use serde::{Deserialize, Serialize};

/// A stretch of time: mail counts if it came in, or was refused, at or after `since` and before
/// `until`. Mail whose time is unknown counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first instant, if bounded.
    pub since: Option<Time>,
    /// The first instant after it, if bounded.
    pub until: Option<Time>,
}

impl Window {
    /// Whether mail of a time counts.
    pub fn holds(&self, time: Option<Time>) -> bool {
        time.is_none_or(|time| {
            self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
        })
    }
}

/// Writes a ledger.
#[derive(Default)]
pub struct Books {
    ledger: Ledger,
    window: Window,
    /// The server that wrote the last record, and what was counted for it since.
    writing: (Option<Text>, ServerFacts),
    names: Names,
    /// Where shapes of names are written.
    shape: Vec<u8>,
}

impl Books {
    /// Books what was counted for the server that wrote last.
    fn flush(&mut self) {
        let (Some(server), facts) = std::mem::take(&mut self.writing) else { return };
        self.server(server).merge(facts);
    }

    fn server(&mut self, server: Text) -> &mut ServerFacts {
        self.ledger.servers.entry(server).or_default()
    }

    fn client_facts(&mut self, server: Text, peer: &Peer<'_>, time: Option<Time>) -> &mut ClientFacts {
        let key = ClientKey { server, client: self.names.client(peer) };
        let facts = self.ledger.clients.entry(key).or_default();
        facts.span.see(time);
        // A client's name is the same from line to line: it is looked up only when it is not.
        if !peer.name.is_empty() && !facts.names.iter().any(|name| *name.as_bytes() == *peer.name) {
            let name = self.names.text(peer.name);
            if facts.names.wants(&name) {
                facts.names.insert(name);
            }
        }
        facts
    }

    fn hello(&mut self, fact: &Fact<'_>, peer: &Peer<'_>, name: &[u8]) {
        if name.is_empty() {
            return;
        }
        let key = HelloKey { server: fact.server, client: self.names.client(peer), name: self.names.text(name) };
        let hello = self.ledger.hellos.entry(key).or_default();
        hello.times += u64::from(fact.times);
        hello.span.see(fact.time);
        keep(&mut hello.evidence, fact);
    }

    fn refused(&mut self, fact: &Fact<'_>) {
        let Event::Refused { client, helo, .. } = &fact.record.event else { return };
        self.client_facts(fact.server, client, fact.time);
        self.hello(fact, client, helo);
        let Some((message, recipient)) = refusal::read(fact) else { return };
        let way = self.names.way(&message);
        self.recipient(&message, &recipient, way, false);
        self.template(&message, std::slice::from_ref(&recipient), way.client);
    }

    fn recipient(&mut self, message: &Message<'_>, recipient: &Recipient<'_>, way: FlowKey, leads: bool) {
        let key = self.names.flow_key(way, recipient);
        // Testers ask for third parties: what went into a mailbox here is no test.
        let test = (recipient.outcome != Outcome::Delivered)
            .then(|| address::tester(message.helo, message.reverse_path.unwrap_or_default(), recipient.forward_path));
        if let Some(tester) = test.flatten() {
            let tester = Text::from(tester);
            self.client_facts(message.server, &message.client, message.opening.time).testers.insert(tester);
        }
        if message.origin != Origin::Outbound {
            self.locality(message, recipient, &key);
        }
        let flow = self.ledger.flows.entry(key).or_default();
        flow.see(message.opening.time, u64::from(message.opening.times));
        if leads && message.taken {
            flow.messages += 1;
            flow.bytes += message.size_bytes;
        }
        keep(&mut flow.openings, message.opening);
        flow.last_attempt = flow.last_attempt.max(recipient.fact.time.filter(|_| recipient.was_tried()));
        if matches!(recipient.outcome, Outcome::Deferred | Outcome::Unknown) {
            queue_id(&mut flow.waiting, recipient.fact);
        }
        // Mail into our own mailboxes needs no proof that it got there, and is most of the mail.
        if recipient.outcome != Outcome::Delivered && recipient.fact.place != message.opening.place {
            keep(&mut flow.outcomes, recipient.fact);
        }
    }

    /// Who sent a message, and when.
    fn sender(&mut self, message: &Message<'_>) {
        let (time, path) = (message.opening.time, message.reverse_path);
        let facts = match message.origin {
            origin if origin.is_network() => self.client_facts(message.server, &message.client, time),
            Origin::Local => self.user_facts(message),
            _ => return,
        };
        // What a front end passed on, its own log tells too.
        if !message.taken || message.origin == Origin::PassedOn {
            return;
        }
        facts.sent.see(time, path);
        if message.origin.is_network() {
            facts.handed_in.see_queue_id(told_id(message.opening));
            facts.handed_in.see_message_id(message.message_id);
        }
        if let Some(account) = message.account {
            let key = AccountKey { server: message.server, account: self.names.text(account) };
            self.ledger.accounts.entry(key).or_default().see(time, path);
        }
    }

    fn user_facts(&mut self, message: &Message<'_>) -> &mut ClientFacts {
        let user = self.names.text(message.user);
        let server = message.server;
        // Postfix logs the number of the user only, OpenSMTPD nothing; the reverse-path mostly has the name.
        if let (true, Some(path)) = (user.bytes().all(|byte| byte.is_ascii_digit()), message.reverse_path) {
            let end = memchr::memrchr(b'@', path).unwrap_or(path.len());
            let key = UserKey { server, user, name: self.names.text(&path[..end]) };
            self.ledger.users.entry(key).or_default().merge(1);
        }
        let facts = self.ledger.clients.entry(ClientKey { server, client: Client::User(user) }).or_default();
        facts.span.see(message.opening.time);
        facts
    }

    /// By what the next server's log can be seen to tell of the same message.
    fn handed_on(&mut self, message: &Message<'_>) {
        let taken = message.recipients.iter().filter(|recipient| recipient.outcome == Outcome::Relayed);
        let mut last = None;
        for recipient in taken {
            let text = match recipient.fact.record.event {
                Event::Delivery { text, .. } | Event::AttemptEnded { text, .. } => text,
                _ => b"",
            };
            let id = taken_as(text);
            // Recipients of one message that went to one server together were taken under one id.
            if last.replace(id) != Some(id) {
                let marks = &mut self.server(message.server).handed_on;
                marks.see_queue_id(id.unwrap_or_default());
                marks.see_message_id(message.message_id);
            }
        }
    }

    /// What the recipient shows of who is local here.
    fn locality(&mut self, message: &Message<'_>, recipient: &Recipient<'_>, flow: &FlowKey) {
        let last = *flow.final_domain.as_ref().unwrap_or(&flow.forward_domain);
        let outside = message.account.is_none() && !message.vouched && message.origin.is_network();
        let client = outside.then(|| match &flow.client {
            Client::Address(address) => Some(self.names.address(*address)),
            Client::Name(name) => Some(*name),
            _ => None,
        });
        let hop = match recipient.next_hop {
            NextHop::Host { peer: Peer { address: Some(address), .. }, .. }
            | NextHop::Gateway { peer: Peer { address: Some(address), .. }, .. } => Some(self.names.address(address)),
            NextHop::Host { peer, .. } | NextHop::Gateway { peer, .. } if !peer.name.is_empty() => {
                Some(self.names.text(peer.name))
            }
            _ => None,
        };
        let facts = self.ledger.domains.entry(DomainKey { server: flow.server, domain: last }).or_default();
        if let Some(client) = client.flatten().filter(|client| facts.clients.wants(client)) {
            facts.clients.insert(client);
        }
        note_place(facts, recipient, hop);
    }
}

/// The id of a message that the server told its client, as far as it is logged.
fn told_id<'a>(opening: &Fact<'a>) -> &'a [u8] {
    match opening.record.event {
        Event::Received { told_id, .. } => told_id,
        _ => opening.record.message.map_or(b"", |key| key.id),
    }
}

fn note_place(facts: &mut DomainFacts, recipient: &Recipient<'_>, hop: Option<Text>) {
    match (recipient.outcome, recipient.refusal) {
        (Outcome::Delivered, _) => {
            facts.delivered_here += 1;
            keep(&mut facts.evidence, recipient.fact);
        }
        (_, Some(Refusal::UnknownUser)) => {
            facts.unknown_users += 1;
            keep(&mut facts.evidence, recipient.fact);
        }
        _ => {
            if matches!(recipient.next_hop, NextHop::Gateway { .. }) {
                facts.gatewayed += 1;
                keep(&mut facts.evidence, recipient.fact);
            }
            if let Some(hop) = hop {
                facts.handed_on += 1;
                facts.next_hops.insert(hop);
            }
        }
    }
}

/// Notes the queue id of a message that may still wait.
fn queue_id<const N: usize>(sample: &mut Smallest<Box<str>, N>, fact: &Fact<'_>) {
    let id = fact.record.message.and_then(|message| std::str::from_utf8(message.id).ok());
    if let Some(id) = id.filter(|id| is_queue_id(id) && sample.wants::<str>(id)) {
        sample.insert(id.into());
    }
}

/// Whether an id is such that it can stand in a command: letters, digits and `-`. Those that are no queue ids (Message-IDs,
/// which clients choose) hold `@`.
fn is_queue_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The longest queue id kept. Those of Exim 4.97 have 23 characters, those of Exchange 32.
const LONGEST_ID: usize = 40;

/// Keeps a line as evidence, if it is among the earliest: others are not even copied.
fn keep<const N: usize>(sample: &mut Smallest<Evidence, N>, fact: &Fact<'_>) {
    if sample.wants::<Place>(&fact.place) {
        sample.insert(Evidence::of(fact.place, fact.raw));
    }
}

impl Scribe for Books {
    type Notes = Ledger;

    fn new(window: Window) -> Books {
        Books { window, ..Books::default() }
    }

    fn server_of(&mut self, record: &Record<'_>) -> Text {
        self.names.server(record.server)
    }

    fn record(&mut self, fact: &Fact<'_>, format: &Text) {
        if !self.window.holds(fact.time) {
            return;
        }
        // Nearly always the same server writes on: it is looked up only when that changes.
        if self.writing.0 != Some(fact.server) {
            self.flush();
            self.writing.0 = Some(fact.server);
        }
        let book = &mut self.writing.1;
        book.records += 1;
        book.openings += u64::from(matches!(fact.record.event, Event::Accepted { .. }));
        book.span.see(fact.time);
        if let Some(hour) = fact.time.map(Time::hour).filter(|hour| book.hours.last() != Some(hour)) {
            book.hours.insert(hour);
        }
        keep(&mut book.evidence, fact);
        if book.formats.is_empty() {
            book.formats.insert(*format);
        }
    }

    fn lost(&mut self, lost: &Lost<'_>, time: Option<Time>, place: Place, raw: &[u8]) {
        if !self.window.holds(time) {
            return;
        }
        let key = LossKey {
            server: self.names.server(lost.server),
            logger: lost.logger,
            writer: self.names.text(lost.writer),
        };
        let loss = self.ledger.losses.entry(key).or_default();
        loss.see(time, lost.lines, lost.is_total);
        if loss.evidence.wants::<Place>(&place) {
            loss.evidence.insert(Evidence::of(place, raw));
        }
    }

    fn input(&mut self, file: FileId, input: Input) {
        self.flush();
        self.ledger.inputs.entry(file).or_default().merge(input);
    }

    fn hand_on(&mut self) -> Ledger {
        Ledger::default()
    }

    fn finish(mut self) -> Ledger {
        self.flush();
        self.ledger.templates.trim();
        self.ledger.log_ins.trim();
        self.ledger
    }
}

impl Notes for Ledger {
    type Scribe = Books;
}

impl Observer for Books {
    fn alone(&mut self, fact: &Fact<'_>) {
        if !self.window.holds(fact.time) {
            return;
        }
        let server = fact.server;
        match &fact.record.event {
            Event::Connect { client, .. } => {
                self.client_facts(server, client, fact.time).sessions += u64::from(fact.times);
                self.server(server).sessions += u64::from(fact.times);
            }
            Event::Hello { client, name } => {
                self.client_facts(server, client, fact.time).sessions += u64::from(fact.times);
                self.server(server).sessions += u64::from(fact.times);
                self.hello(fact, client, name);
            }
            Event::Refused { .. } => self.refused(fact),
            Event::Whole { client, helo, .. } | Event::Decided { client, helo, .. } => self.hello(fact, client, helo),
            Event::Delivery { source, .. } => {
                if let Some(own) = source.filter(|own| !own.is_loopback()) {
                    self.server(server).own_addresses.insert(own);
                }
                self.listed(fact);
            }
            Event::Reached { .. } | Event::AttemptEnded { .. } | Event::OutboundReply { .. } => self.listed(fact),
            _ => self.log_in(fact),
        }
    }

    fn session(&mut self, session: &Session<'_>) {
        if !self.window.holds(session.opening.time) {
            return;
        }
        // A session that was passed on is part of one that the client had.
        let counted = u64::from(!session.continued);
        self.client_facts(session.server, &session.client, session.opening.time).sessions += counted;
        self.server(session.server).sessions += counted;
        if let Some((name, fact)) = session.hello {
            self.hello(fact, &session.client, name);
        }
        for fact in &session.log_ins_failed {
            self.log_ins_failed(fact, &session.client, None).commands += 1;
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        if !self.window.holds(message.opening.time) {
            return;
        }
        self.sender(message);
        // Mail that another log may tell of too is counted for its server when that is known.
        if message.taken && !matches!(message.origin, Origin::Outbound | Origin::Session | Origin::PassedOn) {
            let server = self.server(message.server);
            server.messages += 1;
            server.bytes += message.size_bytes;
        }
        // The message counts with its first accepted recipient.
        let lead = message.recipients.iter().position(|recipient| recipient.refusal.is_none());
        self.handed_on(message);
        let way = self.names.way(message);
        for (index, recipient) in message.recipients.iter().enumerate() {
            self.recipient(message, recipient, way, Some(index) == lead);
        }
        self.template(message, &message.recipients, way.client);
    }
}
