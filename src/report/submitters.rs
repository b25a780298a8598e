//! Who hands mail to the servers: by client, and by what gives it the right to.
//!
//! The question before a connector is closed, a password is demanded or a trusted network is taken out: whose mail would stop?
//! Rows of `relayaudit clients`; the document `relayaudit.clients/1`.

use super::model::rfc3339;
use super::rows::{Maker, Table};
use crate::judge::route::{asks_third_party, is_trusted};
use crate::judge::routed::RoutedFlow;
use crate::judge::{Errors, Routed, words};
use crate::ledger::{Client, ClientFacts, ClientKey, Ledger, Origin, Smallest, Span, Text, Time};
use crate::merge::Merge;
use crate::site::Site;
use foldhash::HashMap;
use serde::Serialize;
use std::cmp::Reverse;

/// The name and version of the document's schema.
pub const SCHEMA: &str = "relayaudit.clients/1";

/// Who handed in mail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Submitters {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// When the mail came in.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// When the last of it came in.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// One row for each client and right, most recipients first.
    pub clients: Vec<Submitter>,
}

/// What gives a client the right to hand in mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Nothing: a client without password from an address that is not trusted. To domains of ours that is how mail comes in.
    None,
    /// It logged in.
    Password,
    /// Its address is trusted.
    Address,
    /// The server says that it may relay, and not whether by password or by address.
    Vouched,
    /// It is a program of the server itself.
    Program,
}

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// On the server.
    Here,
    /// In a trusted network.
    Inside,
    /// Anywhere else.
    Outside,
    /// The log does not say.
    Unknown,
}

/// One client, as far as it had one right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Submitter {
    /// The address, or what stands for it.
    pub client: String,
    /// Its name, by the server's lookup.
    pub name: Option<String>,
    /// EHLO names that it gave, some.
    pub helo: Vec<String>,
    /// Where it is.
    #[serde(rename = "where")]
    pub place: Where,
    /// What gave it the right.
    pub right: Right,
    /// Accounts it logged in with, some.
    pub accounts: Vec<String>,
    /// Servers it handed mail to, by name.
    pub servers: Vec<String>,
    /// When it first handed in mail, or tried.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// When it last did.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Messages taken.
    pub messages: u64,
    /// Recipients taken whose mail is for us.
    pub recipients_local: u64,
    /// Recipients taken whose mail is for others.
    pub recipients_foreign: u64,
    /// Recipients refused.
    pub recipients_refused: u64,
    /// Bytes of the messages.
    pub bytes: u64,
}

impl Submitter {
    /// Recipients taken.
    pub fn recipients(&self) -> u64 {
        self.recipients_local.saturating_add(self.recipients_foreign)
    }
}

/// Accounts and servers named in a row.
const NAMED: usize = 5;

/// What is added up for a row.
#[derive(Default)]
struct Sum {
    span: Span,
    accounts: Smallest<Text, NAMED>,
    servers: Smallest<Text, NAMED>,
    messages: u64,
    local: u64,
    foreign: u64,
    refused: u64,
    bytes: u64,
}

/// Adds up who handed in mail, from a ledger that [`crate::judge::analysis::conclude`] has finished.
pub fn submitters(ledger: &Ledger, site: &Site) -> Submitters {
    let routed = Routed::new(ledger, site, Errors::default());
    let mut sums = HashMap::<(Client, Right), Sum>::default();
    for flow in routed.flows() {
        if let Some(right) = right(&flow, site) {
            sums.entry((flow.key.client, right)).or_default().see(&flow, site);
        }
    }
    let known = names(ledger);
    let mut clients: Vec<Submitter> = sums.into_iter().map(|(key, sum)| row(key, sum, &known, site)).collect();
    clients.sort_by(|a, b| {
        let key = |row: &Submitter| (Reverse(row.recipients()), Reverse(row.recipients_refused));
        key(a).cmp(&key(b)).then_with(|| (&a.client, a.right).cmp(&(&b.client, b.right)))
    });
    Submitters {
        schema: SCHEMA,
        first: clients.iter().filter_map(|row| row.first).min(),
        last: clients.iter().filter_map(|row| row.last).max(),
        clients,
    }
}

/// By what right a flow came in; `None` for what no client handed in, or a log does not tell of.
fn right(flow: &RoutedFlow<'_>, site: &Site) -> Option<Right> {
    let key = flow.key;
    match key.origin {
        Origin::Local => Some(Right::Program),
        Origin::Network | Origin::Session if key.account.is_some() => Some(Right::Password),
        Origin::Network | Origin::Session if key.vouched => Some(Right::Vouched),
        Origin::Network | Origin::Session if is_trusted(&key.client, site) => Some(Right::Address),
        Origin::Network | Origin::Session => Some(Right::None),
        Origin::Forwarded | Origin::System | Origin::Unknown | Origin::Outbound | Origin::PassedOn => None,
    }
}

impl Sum {
    fn see(&mut self, flow: &RoutedFlow<'_>, site: &Site) {
        let (key, flow) = (flow.key, flow.flow);
        self.span.merge(flow.span);
        key.account.iter().for_each(|account| self.accounts.insert(*account));
        self.servers.insert(key.server);
        self.messages.merge(flow.messages);
        self.bytes.merge(flow.bytes);
        let sum = match (key.outcome.was_accepted(), asks_third_party(key, site)) {
            (true, false) => &mut self.local,
            (true, true) => &mut self.foreign,
            (false, _) => &mut self.refused,
        };
        sum.merge(flow.recipients);
    }
}

/// What is known of a client on all servers.
#[derive(Default)]
struct Known {
    name: Smallest<Text, 1>,
    helo: Smallest<Text, 3>,
}

fn names(ledger: &Ledger) -> HashMap<Client, Known> {
    let mut known = HashMap::<Client, Known>::default();
    for (ClientKey { client, .. }, ClientFacts { names, .. }) in &ledger.clients {
        names.iter().for_each(|name| known.entry(*client).or_default().name.insert(*name));
    }
    for key in ledger.hellos.keys() {
        known.entry(key.client).or_default().helo.insert(key.name);
    }
    known
}

fn row((client, right): (Client, Right), sum: Sum, known: &HashMap<Client, Known>, site: &Site) -> Submitter {
    let texts = |texts: &mut dyn Iterator<Item = &Text>| texts.map(ToString::to_string).collect::<Vec<_>>();
    let known = known.get(&client);
    Submitter {
        client: words::client(&client).to_string(),
        name: known.and_then(|known| known.name.iter().next()).map(ToString::to_string),
        helo: known.map(|known| texts(&mut known.helo.iter())).unwrap_or_default(),
        place: place(&client, site),
        right,
        accounts: texts(&mut sum.accounts.iter()),
        servers: texts(&mut sum.servers.iter()),
        first: sum.span.first,
        last: sum.span.last,
        messages: sum.messages,
        recipients_local: sum.local,
        recipients_foreign: sum.foreign,
        recipients_refused: sum.refused,
        bytes: sum.bytes,
    }
}

fn place(client: &Client, site: &Site) -> Where {
    match client {
        Client::User(_) => Where::Here,
        Client::Unknown => Where::Unknown,
        Client::Address(address) if site.is_server(*address) => Where::Here,
        client if is_trusted(client, site) => Where::Inside,
        _ => Where::Outside,
    }
}

impl Where {
    /// The word of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Where::Here => "here",
            Where::Inside => "inside",
            Where::Outside => "outside",
            Where::Unknown => "unknown",
        }
    }
}

impl Right {
    /// The word of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Right::None => "none",
            Right::Password => "password",
            Right::Address => "address",
            Right::Vouched => "vouched",
            Right::Program => "program",
        }
    }
}

/// The rows as a table.
pub fn table(rows: &[Submitter]) -> Table {
    let make = Maker(rows);
    let columns = vec![
        make.text("client", |row| &row.client),
        make.optional("name", |row| row.name.clone()),
        make.list("helo", |row| row.helo.clone()),
        make.text("where", |row| row.place.as_str()),
        make.text("right", |row| row.right.as_str()),
        make.list("accounts", |row| row.accounts.clone()),
        make.list("servers", |row| row.servers.clone()),
        make.time("first", |row| row.first),
        make.time("last", |row| row.last),
        make.count("messages", |row| row.messages),
        make.count("recipients_local", |row| row.recipients_local),
        make.count("recipients_foreign", |row| row.recipients_foreign),
        make.count("recipients_refused", |row| row.recipients_refused),
        make.count("bytes", |row| row.bytes),
    ];
    Table { name: "clients", columns }
}
