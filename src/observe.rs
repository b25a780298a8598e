//! Observe: writes what the correlator decided into the books. Knows no policy.

mod log_ins;
mod names;

use crate::correlate::{Fact, Message, Observer, Recipient, Session};
use crate::ledger::{
    AccountKey, Client, ClientFacts, ClientKey, DomainFacts, DomainKey, Evidence, FileId, FlowKey, HelloKey, Input,
    Ledger, Origin, Outcome, Place, ServerFacts, Smallest, Text, Time, UserKey,
};
use crate::merge::Merge;
use names::Names;
use relayaudit_parsers::Record;
use relayaudit_parsers::address::{self, Form};
use relayaudit_parsers::record::{Event, NextHop, Peer, Refusal};

/// A stretch of time: mail counts if it came in, or was refused, at or after `since` and before
/// `until`. Mail whose time is unknown counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// The first instant, if bounded.
    pub since: Option<Time>,
    /// The first instant after it, if bounded.
    pub until: Option<Time>,
}

impl Window {
    fn holds(&self, time: Option<Time>) -> bool {
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
}

impl Books {
    /// Empty books for mail of a stretch of time.
    pub fn new(window: Window) -> Books {
        Books { window, ..Books::default() }
    }

    /// The name of the server that wrote a record.
    pub fn server_of(&mut self, record: &Record<'_>) -> Text {
        self.names.server(record.server)
    }

    /// Counts a record for its server. Call once for every record, whatever becomes of it.
    pub fn record(&mut self, fact: &Fact<'_>, format: &Text) {
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
        book.span.see(fact.time);
        if let Some(hour) = fact.time.map(Time::hour).filter(|hour| book.hours.last() != Some(hour)) {
            book.hours.insert(hour);
        }
        keep(&mut book.evidence, fact);
        if book.formats.is_empty() {
            book.formats.insert(*format);
        }
    }

    /// Books what was read of a file. The next record may be of another file and format.
    pub fn input(&mut self, file: FileId, input: Input) {
        self.flush();
        self.ledger.inputs.entry(file).or_default().merge(input);
    }

    /// Books what was counted for the server that wrote last.
    fn flush(&mut self) {
        let (Some(server), facts) = std::mem::take(&mut self.writing) else { return };
        self.server(server).merge(facts);
    }

    /// The ledger, complete.
    pub fn into_ledger(mut self) -> Ledger {
        self.flush();
        self.ledger
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
        let Event::Refused { client, refusal, reverse_path, forward_path, helo, account, .. } = &fact.record.event
        else {
            return;
        };
        self.client_facts(fact.server, client, fact.time);
        self.hello(fact, client, helo);
        let Some(path) = forward_path else { return };
        let message = Message {
            server: fact.server,
            client: *client,
            user: b"",
            helo,
            account: *account,
            vouched: false,
            origin: Origin::Network,
            reverse_path: *reverse_path,
            size_bytes: 0,
            taken: false,
            opening: fact,
            recipients: vec![],
        };
        let outcome = if *refusal == Refusal::RelayDenied { Outcome::Denied } else { Outcome::Rejected };
        let recipient = Recipient {
            forward_path: path,
            final_path: path,
            outcome,
            refusal: Some(*refusal),
            next_hop: NextHop::None,
            fact,
        };
        let way = self.way(&message);
        self.recipient(&message, &recipient, way, false);
    }

    fn recipient(&mut self, message: &Message<'_>, recipient: &Recipient<'_>, way: FlowKey, leads: bool) {
        let key = self.flow_key(way, recipient);
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
            Origin::Local if !message.user.is_empty() => self.user_facts(message),
            _ => return,
        };
        // What a front end passed on, its own log tells too.
        if !message.taken || message.origin == Origin::PassedOn {
            return;
        }
        facts.sent.see(time, path);
        if let Some(account) = message.account {
            let key = AccountKey { server: message.server, account: self.names.text(account) };
            self.ledger.accounts.entry(key).or_default().see(time, path);
        }
    }

    fn user_facts(&mut self, message: &Message<'_>) -> &mut ClientFacts {
        let user = self.names.text(message.user);
        let server = message.server;
        // Postfix logs the number of the user only; the reverse-path mostly has the name.
        if let (true, Some(path)) = (user.bytes().all(|byte| byte.is_ascii_digit()), message.reverse_path) {
            let end = memchr::memrchr(b'@', path).unwrap_or(path.len());
            let key = UserKey { server, user, name: self.names.text(&path[..end]) };
            self.ledger.users.entry(key).or_default().merge(1);
        }
        let facts = self.ledger.clients.entry(ClientKey { server, client: Client::User(user) }).or_default();
        facts.span.see(message.opening.time);
        facts
    }

    /// What all recipients of a message have in common; the rest is filled in for each.
    fn way(&mut self, message: &Message<'_>) -> FlowKey {
        FlowKey {
            server: message.server,
            client: match message.origin {
                origin if origin.is_network() => self.names.client(&message.client),
                Origin::Local => Client::User(self.names.text(message.user)),
                _ => Client::Unknown,
            },
            account: message.account.map(|account| self.names.text(account)),
            vouched: message.vouched,
            origin: message.origin,
            reverse_domain: message.reverse_path.map(|path| self.names.domain(path)),
            forward_domain: Text::default(),
            form: Form::Plain,
            hidden_domain: None,
            final_domain: None,
            outcome: Outcome::Unknown,
            refusal: None,
        }
    }

    fn flow_key(&mut self, way: FlowKey, recipient: &Recipient<'_>) -> FlowKey {
        let forward_domain = self.names.domain(recipient.forward_path);
        let rewritten = recipient.final_path != recipient.forward_path;
        let final_domain =
            rewritten.then(|| self.names.domain(recipient.final_path)).filter(|last| *last != forward_domain);
        let hidden = address::hidden_domain(recipient.forward_path);
        FlowKey {
            form: address::form(recipient.forward_path),
            hidden_domain: hidden.map(|domain| self.names.text(&domain)),
            forward_domain,
            final_domain,
            outcome: recipient.outcome,
            refusal: recipient.refusal,
            ..way
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
            NextHop::Host { peer: Peer { address: Some(address), .. }, .. } => Some(self.names.address(address)),
            NextHop::Host { peer, .. } if !peer.name.is_empty() => Some(self.names.text(peer.name)),
            _ => None,
        };
        let facts = self.ledger.domains.entry(DomainKey { server: flow.server, domain: last }).or_default();
        if let Some(client) = client.flatten().filter(|client| facts.clients.wants(client)) {
            facts.clients.insert(client);
        }
        note_place(facts, recipient, hop);
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
            if let Some(hop) = hop {
                facts.handed_on += 1;
                facts.next_hops.insert(hop);
            }
        }
    }
}

/// Keeps a line as evidence, if it is among the earliest: others are not even copied.
fn keep<const N: usize>(sample: &mut Smallest<Evidence, N>, fact: &Fact<'_>) {
    if sample.wants::<Place>(&fact.place) {
        sample.insert(Evidence::of(fact.place, fact.raw));
    }
}

impl Observer for Books {
    fn alone(&mut self, fact: &Fact<'_>) {
        if !self.window.holds(fact.time) {
            return;
        }
        let server = fact.server;
        match &fact.record.event {
            Event::Connect { client } => {
                self.client_facts(server, client, fact.time).sessions += u64::from(fact.times);
                self.server(server).sessions += u64::from(fact.times);
            }
            Event::Hello { client, name } => {
                self.client_facts(server, client, fact.time).sessions += u64::from(fact.times);
                self.server(server).sessions += u64::from(fact.times);
                self.hello(fact, client, name);
            }
            Event::Refused { .. } => self.refused(fact),
            Event::Whole { client, helo, .. } => self.hello(fact, client, helo),
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
        let way = self.way(message);
        for (index, recipient) in message.recipients.iter().enumerate() {
            self.recipient(message, recipient, way, Some(index) == lead);
        }
    }
}
