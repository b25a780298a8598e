//! The ledger: everything a run learns, as one value that can be merged with another in any order.
//!
//! It is made of books. A book records facts and never judges: no local domain, no trusted
//! network, no threshold is known here.

pub mod campaigns;
pub mod capped;
pub mod clients;
pub mod distinct;
pub mod flow;
pub mod header_froms;
pub mod inputs;
pub mod listings;
pub mod log_ins;
pub mod losses;
pub mod marks;
mod one_view;
pub mod places;
pub mod sample;
pub mod senders;
pub mod span;
pub mod text;

pub use campaigns::{Taken, TemplateFacts, TemplateKey, Templates};
pub use clients::{ClientFacts, ClientKey, Failures, HelloFacts, HelloKey};
pub use distinct::Distinct;
pub use flow::{Client, Flow, FlowKey, Hours, Origin, Outcome};
pub use header_froms::{HeaderFrom, HeaderFromKey};
pub use inputs::{Input, Unparsed};
pub use listings::{Listing, ListingKey};
pub use log_ins::{First, LogInFacts, LogIns};
pub use losses::{Loss, LossKey};
pub use marks::{HandedIn, HandedOn, Shared};
pub use one_view::one_view;
pub use places::{Again, DomainFacts, DomainKey, ServerFacts};
pub use sample::Smallest;
pub use senders::{AccountKey, Sent, UserKey};
pub use span::{Evidence, FileId, Place, Span, Time};
pub use text::Text;

use crate::merge::Merge;
use foldhash::HashMap;
use std::collections::BTreeMap;

/// A book: facts by key. Unordered, for speed; read it through [`sorted`] where order shows.
pub type Book<K, V> = HashMap<K, V>;

/// The entries of a book in the order of their keys.
pub fn sorted<K: Ord, V>(book: &Book<K, V>) -> Vec<(&K, &V)> {
    let mut entries: Vec<_> = book.iter().collect();
    entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
    entries
}

/// Everything learnt from some logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What was read.
    pub inputs: BTreeMap<FileId, Input>,
    /// Recipients, by who sent them where and what became of them.
    /// Boxed, since a hash table is up to half empty and flows are many and large.
    pub flows: Book<FlowKey, Box<Flow>>,
    /// Clients.
    pub clients: Book<ClientKey, ClientFacts>,
    /// What was sent by account.
    pub accounts: Book<AccountKey, Sent>,
    /// Messages by the names that numbered users gave.
    pub users: Book<UserKey, u64>,
    /// EHLO names.
    pub hellos: Book<HelloKey, HelloFacts>,
    /// What messages of one maker have in common.
    pub templates: Templates,
    /// Log-ins by account.
    pub log_ins: LogIns,
    /// Domains in From headers that are not those of the reverse-paths, where the log has both.
    pub header_froms: Book<HeaderFromKey, HeaderFrom>,
    /// Domains of recipients.
    pub domains: Book<DomainKey, DomainFacts>,
    /// Servers.
    pub servers: BTreeMap<Text, ServerFacts>,
    /// Lines that are not in the logs, as the loggers say.
    pub losses: BTreeMap<LossKey, Loss>,
    /// What other servers said of us.
    pub listings: Book<ListingKey, Listing>,
}

impl Merge for Ledger {
    fn merge(&mut self, other: Ledger) {
        Merge::merge(&mut self.inputs, other.inputs);
        self.flows.merge(other.flows);
        self.clients.merge(other.clients);
        self.accounts.merge(other.accounts);
        self.users.merge(other.users);
        self.hellos.merge(other.hellos);
        self.templates.merge(other.templates);
        self.log_ins.merge(other.log_ins);
        self.header_froms.merge(other.header_froms);
        self.domains.merge(other.domains);
        Merge::merge(&mut self.servers, other.servers);
        Merge::merge(&mut self.losses, other.losses);
        self.listings.merge(other.listings);
    }
}
