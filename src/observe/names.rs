//! Names as the logs write them, and as the books keep them.

use crate::correlate::{Message, Recipient};
use crate::ledger::{Client, FlowKey, Origin, Outcome, Text};
use foldhash::HashMap;
use relayaudit_parsers::address::{self, Form};
use relayaudit_parsers::record::Peer;
use std::net::IpAddr;

/// The longest name kept: longer ones are cut, so that a client cannot fill the memory with one HELO.
const LONGEST_NAME: usize = 255;

/// What was named before: looking a name up by its bytes is cheaper than to make text of it again.
#[derive(Default)]
pub struct Names {
    /// The server that was named last, in bytes and as text.
    server: (Box<[u8]>, Text),
    texts: HashMap<Box<[u8]>, Text>,
    addresses: HashMap<IpAddr, Text>,
}

impl Names {
    /// The lower-case text of some bytes of a log.
    pub fn text(&mut self, bytes: &[u8]) -> Text {
        let bytes = &bytes[..bytes.len().min(LONGEST_NAME)];
        if let Some(text) = self.texts.get(bytes) {
            return *text;
        }
        let text = Text::from(String::from_utf8_lossy(bytes).to_lowercase());
        self.texts.insert(bytes.into(), text);
        text
    }

    /// Forgets the names, if there are more than `most`: they are the same texts when they come again.
    pub fn forget(&mut self, most: usize) {
        if most < self.texts.len() {
            self.texts.clear();
        }
    }

    /// A server's name: nearly always that of the server named before.
    pub fn server(&mut self, name: &[u8]) -> Text {
        if *self.server.0 != *name {
            self.server = (name.into(), self.text(name));
        }
        self.server.1
    }

    /// The text of an address: writing one out takes longer than looking it up.
    pub fn address(&mut self, address: IpAddr) -> Text {
        *self.addresses.entry(address).or_insert_with(|| address.to_string().into())
    }

    /// The domain of a path; empty if it has none.
    pub fn domain(&mut self, path: &[u8]) -> Text {
        self.text(address::domain(path).unwrap_or_default())
    }

    /// A client by its address or, where the log hides that, by its name.
    pub fn client(&mut self, peer: &Peer<'_>) -> Client {
        match (peer.address, peer.name) {
            (Some(address), _) => Client::Address(address),
            (None, b"") => Client::Unknown,
            (None, name) => Client::Name(self.text(name)),
        }
    }

    /// What all recipients of a message have in common; the rest is filled in for each.
    pub fn way(&mut self, message: &Message<'_>) -> FlowKey {
        FlowKey {
            server: message.server,
            client: match message.origin {
                origin if origin.is_network() => self.client(&message.client),
                Origin::Local => Client::User(self.text(message.user)),
                _ => Client::Unknown,
            },
            account: message.account.map(|account| self.text(account)),
            vouched: message.vouched,
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

    /// The key of a recipient's flow.
    pub fn flow_key(&mut self, way: FlowKey, recipient: &Recipient<'_>) -> FlowKey {
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
}
