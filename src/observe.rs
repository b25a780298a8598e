//! Observe: writes what the correlator decided into the books. Knows no policy.

use crate::correlate::{Fact, Message, Observer, Recipient};
use crate::ledger::{
    Client, ClientFacts, ClientKey, DomainFacts, DomainKey, Evidence, FileId, FlowKey, HelloKey, Input, Ledger, Origin,
    Outcome, Place, ServerFacts, Smallest, Text, Time,
};
use crate::merge::Merge;
use foldhash::HashMap;
use relayaudit_parsers::address::{self, Form};
use relayaudit_parsers::record::{Event, NextHop, Peer, Refusal};
use std::net::IpAddr;

/// The longest name kept: longer ones are cut, so that a client cannot fill the memory with one HELO.
const LONGEST_NAME: usize = 255;

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
    writing: (Option<Box<[u8]>>, ServerFacts),
    /// The server that was named last, in bytes and as text.
    server_name: (Box<[u8]>, Text),
    texts: HashMap<Box<[u8]>, Text>,
    addresses: HashMap<IpAddr, Text>,
}

impl Books {
    /// Empty books for mail of a stretch of time.
    pub fn new(window: Window) -> Books {
        Books { window, ..Books::default() }
    }

    /// Shared, lower-case text of some bytes of a log.
    fn text(&mut self, bytes: &[u8]) -> Text {
        let bytes = &bytes[..bytes.len().min(LONGEST_NAME)];
        if let Some(text) = self.texts.get(bytes) {
            return text.clone();
        }
        let text: Text = String::from_utf8_lossy(bytes).to_lowercase().into();
        self.texts.insert(bytes.into(), text.clone());
        text
    }

    /// Shared text of a server's name: nearly always that of the server named before.
    fn server_text(&mut self, name: &[u8]) -> Text {
        if *self.server_name.0 != *name {
            self.server_name = (name.into(), self.text(name));
        }
        self.server_name.1.clone()
    }

    /// Shared text of an address: writing one out takes longer than looking it up.
    fn address(&mut self, address: IpAddr) -> Text {
        self.addresses.entry(address).or_insert_with(|| address.to_string().into()).clone()
    }

    fn domain(&mut self, path: &[u8]) -> Text {
        self.text(address::domain(path).unwrap_or_default())
    }

    fn client(&mut self, peer: &Peer<'_>) -> Client {
        match (peer.address, peer.name) {
            (Some(address), _) => Client::Address(address),
            (None, b"") => Client::Unknown,
            (None, name) => Client::Name(self.text(name)),
        }
    }

    /// Counts a record for its server. Call once for every record, whatever becomes of it.
    pub fn record(&mut self, fact: &Fact<'_>, format: &Text) {
        if !self.window.holds(fact.time) {
            return;
        }
        // Nearly always the same server writes on: it is looked up only when that changes.
        if self.writing.0.as_ref().is_none_or(|name| **name != *fact.record.server) {
            self.flush();
            self.writing.0 = Some(fact.record.server.into());
        }
        let book = &mut self.writing.1;
        book.records += 1;
        book.span.see(fact.time);
        if let Some(hour) = fact.time.map(Time::hour).filter(|hour| book.hours.last() != Some(hour)) {
            book.hours.insert(hour);
        }
        keep(&mut book.evidence, fact);
        if book.formats.is_empty() {
            book.formats.insert(format.clone());
        }
    }

    /// Books what was read of a file. The next record may be of another file and format.
    pub fn input(&mut self, file: FileId, input: Input) {
        self.flush();
        self.ledger.inputs.entry(file).or_default().merge(input);
    }

    /// Books what was counted for the server that wrote last.
    fn flush(&mut self) {
        let (Some(name), facts) = std::mem::take(&mut self.writing) else { return };
        self.server(&name).merge(facts);
    }

    /// The ledger, complete.
    pub fn into_ledger(mut self) -> Ledger {
        self.flush();
        self.ledger
    }

    fn server(&mut self, name: &[u8]) -> &mut ServerFacts {
        let server = self.server_text(name);
        self.ledger.servers.entry(server).or_default()
    }

    fn client_facts(&mut self, server: &[u8], peer: &Peer<'_>, time: Option<Time>) -> &mut ClientFacts {
        let key = ClientKey { server: self.server_text(server), client: self.client(peer) };
        let knows = |facts: &ClientFacts| facts.names.iter().any(|name| *name.as_bytes() == *peer.name);
        // A client's name is the same from line to line: it is looked up only when it is not.
        let new = !peer.name.is_empty() && !self.ledger.clients.get(&key).is_some_and(knows);
        let name = new.then(|| self.text(peer.name));
        let facts = self.ledger.clients.entry(key).or_default();
        facts.span.see(time);
        if let Some(name) = name.filter(|name| facts.names.wants(name)) {
            facts.names.insert(name);
        }
        facts
    }

    fn hello(&mut self, fact: &Fact<'_>, peer: &Peer<'_>, name: &[u8]) {
        if name.is_empty() {
            return;
        }
        let key =
            HelloKey { server: self.server_text(fact.record.server), client: self.client(peer), name: self.text(name) };
        let hello = self.ledger.hellos.entry(key).or_default();
        hello.times += 1;
        hello.span.see(fact.time);
        keep(&mut hello.evidence, fact);
    }

    fn refused(&mut self, fact: &Fact<'_>) {
        let Event::Refused { client, refusal, reverse_path, forward_path, helo, account, .. } = &fact.record.event
        else {
            return;
        };
        self.client_facts(fact.record.server, client, fact.time);
        self.hello(fact, client, helo);
        let Some(path) = forward_path else { return };
        let message = Message {
            server: fact.record.server,
            client: *client,
            user: b"",
            helo,
            account: *account,
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
        flow.see(message.opening.time, 1);
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

    /// What all recipients of a message have in common; the rest is filled in for each.
    fn way(&mut self, message: &Message<'_>) -> FlowKey {
        FlowKey {
            server: self.server_text(message.server),
            client: match message.origin {
                Origin::Network => self.client(&message.client),
                Origin::Local => Client::User(self.text(message.user)),
                _ => Client::Unknown,
            },
            account: message.account.map(|account| self.text(account)),
            origin: message.origin,
            reverse_domain: message.reverse_path.map(|path| self.domain(path)),
            forward_domain: Text::default(),
            form: Form::Plain,
            hidden_domain: None,
            final_domain: None,
            outcome: Outcome::Unknown,
            refusal: None,
        }
    }

    fn flow_key(&mut self, way: FlowKey, recipient: &Recipient<'_>) -> FlowKey {
        let forward_domain = self.domain(recipient.forward_path);
        let rewritten = recipient.final_path != recipient.forward_path;
        let final_domain = rewritten.then(|| self.domain(recipient.final_path)).filter(|last| *last != forward_domain);
        let hidden = address::hidden_domain(recipient.forward_path);
        FlowKey {
            form: address::form(recipient.forward_path),
            hidden_domain: hidden.map(|domain| self.text(&domain)),
            forward_domain,
            final_domain,
            outcome: recipient.outcome,
            refusal: recipient.refusal,
            ..way
        }
    }

    /// What the recipient shows of who is local here.
    fn locality(&mut self, message: &Message<'_>, recipient: &Recipient<'_>, flow: &FlowKey) {
        let last = flow.final_domain.as_ref().unwrap_or(&flow.forward_domain).clone();
        let outside = message.account.is_none() && message.origin == Origin::Network;
        let client = outside.then(|| match &flow.client {
            Client::Address(address) => Some(self.address(*address)),
            Client::Name(name) => Some(name.clone()),
            _ => None,
        });
        let hop = match recipient.next_hop {
            NextHop::Host { peer: Peer { address: Some(address), .. }, .. } => Some(self.address(address)),
            NextHop::Host { peer, .. } if !peer.name.is_empty() => Some(self.text(peer.name)),
            _ => None,
        };
        let facts = self.ledger.domains.entry(DomainKey { server: flow.server.clone(), domain: last }).or_default();
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
        let server = fact.record.server;
        match &fact.record.event {
            Event::Connect { client, .. } => {
                self.client_facts(server, client, fact.time).sessions += 1;
                self.server(server).sessions += 1;
            }
            Event::Hello { client, name } => {
                self.client_facts(server, client, fact.time).sessions += 1;
                self.server(server).sessions += 1;
                self.hello(fact, client, name);
            }
            Event::AuthFailed { client, account } => {
                let account = account.map(|account| self.text(account));
                let facts = self.client_facts(server, client, fact.time);
                facts.auth_failures += 1;
                if let Some(account) = account.filter(|account| facts.accounts_tried.wants(account)) {
                    facts.accounts_tried.insert(account);
                }
                keep(&mut facts.auth_evidence, fact);
            }
            Event::Refused { .. } => self.refused(fact),
            _ => {}
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        if !self.window.holds(message.opening.time) {
            return;
        }
        if message.origin == Origin::Network {
            self.client_facts(message.server, &message.client, message.opening.time);
        }
        if message.taken && message.origin != Origin::Outbound {
            let server = self.server(message.server);
            server.messages += 1;
            server.bytes += message.size_bytes;
        }
        // The message counts with its first accepted recipient.
        let lead = message.recipients.iter().position(|recipient| recipient.refusal.is_none());
        let way = self.way(message);
        for (index, recipient) in message.recipients.iter().enumerate() {
            self.recipient(message, recipient, way.clone(), Some(index) == lead);
        }
    }
}
