//! Names as the logs write them, and as the books keep them.

use crate::ledger::{Client, Text};
use foldhash::HashMap;
use relayaudit_parsers::address;
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
}
