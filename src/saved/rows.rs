//! Rows: the lines of a saved ledger, as they are written and read.

use super::{Assumed, Known};
use crate::correlate::Edges;
use crate::ledger::words::bytes;
use crate::ledger::{
    AccountKey, ClientFacts, ClientKey, DomainFacts, DomainKey, Failures, FileId, Flow, FlowKey, HelloFacts, HelloKey,
    Input, Listing, ListingKey, LogInFacts, Loss, LossKey, Place, Sent, ServerFacts, TemplateFacts, TemplateKey, Text,
    Time, UserKey,
};
use crate::observe::Window;
use crate::source::Failure;
use chrono::NaiveDate;
use relayaudit_parsers::registry::Context;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

/// The first line.
#[derive(Serialize, Deserialize)]
pub struct Header {
    pub schema: String,
    pub tool: Tool,
    #[serde(default)]
    pub window: Option<Window>,
    /// Whether everything in it is decided, so that no other can be put together with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub finished: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// Every line after the first, as it is read. The words are those that [`Row`] is written with.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    File(FileId, Known),
    Failure(Failure),
    Assumed(Assumed),
    Input(FileId, Input),
    Flow(FlowKey, Box<Flow>),
    Client(ClientKey, ClientFacts),
    Account(AccountKey, Sent),
    User(UserKey, u64),
    Hello(HelloKey, HelloFacts),
    Template(TemplateKey, Box<TemplateFacts>),
    Templates(Rest<u64>),
    LogIn(AccountKey, Box<LogInFacts>),
    LogIns(Rest<Failures>),
    Domain(DomainKey, DomainFacts),
    Server(Text, Box<ServerFacts>),
    Loss(LossKey, Loss),
    Listing(ListingKey, Listing),
    Edges(Edges),
    Context(Directed),
    Loose(LooseRow),
    End(u64),
}

/// What a capped book counts in entries that it dropped.
#[derive(Serialize, Deserialize)]
pub struct Rest<T> {
    pub dropped: T,
}

/// A line as it is written: `{"flow":[...]}`.
pub struct Row<'a, T>(pub &'static str, pub &'a T);

impl<T: Serialize> Serialize for Row<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, self.1)?;
        map.end()
    }
}

/// What directives said: a [`Context`], which knows nothing of saving.
#[derive(Serialize, Deserialize)]
pub struct Directed {
    columns: Vec<Column>,
    date: Option<NaiveDate>,
    #[serde(with = "bytes")]
    log_type: Box<[u8]>,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Column(#[serde(with = "bytes")] Box<[u8]>);

impl From<&Context> for Directed {
    fn from(context: &Context) -> Directed {
        let Context { columns, date, log_type } = context;
        Directed { columns: columns.iter().cloned().map(Column).collect(), date: *date, log_type: log_type.clone() }
    }
}

impl From<Directed> for Context {
    fn from(row: Directed) -> Context {
        let columns = row.columns.into_iter().map(|column| column.0).collect();
        Context { columns, date: row.date, log_type: row.log_type }
    }
}

/// A line of a log that is still open.
#[derive(Serialize, Deserialize)]
pub struct LooseRow {
    pub place: Place,
    pub time: Option<Time>,
    pub server: Text,
    /// Bits of `Parts`.
    pub parts: u8,
    pub format: Text,
    /// Which of the contexts written before, from 0.
    pub context: usize,
    #[serde(with = "bytes")]
    pub raw: Box<[u8]>,
    pub text: Option<Inner>,
}

/// What stands within a line that something was put around.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inner(#[serde(with = "bytes")] pub Box<[u8]>);
