//! The ledger: everything a run learns, as one value that can be merged with another in any order.
//!
//! It is made of books. A book records facts and never judges: no local domain, no trusted
//! network, no threshold is known here.

pub mod campaigns;
pub mod capped;
pub mod clients;
pub mod distinct;
pub mod flow;
pub mod hash;
pub mod header_froms;
pub mod inputs;
mod kept;
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
pub(crate) mod words;

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
pub use span::{Evidence, FileId, Place, Span, Time, unrotated};
pub use text::Text;

use crate::merge::Merge;
use foldhash::HashMap;
use kept::Kept;
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

impl Ledger {
    /// Gives files other numbers, in the same order. Fails on one that `new` does not know.
    pub fn refile(&mut self, new: &dyn Fn(FileId) -> Option<FileId>) -> Option<()> {
        let mut known = true;
        let mut change = |place: &mut Place| match new(place.file) {
            Some(file) => place.file = file,
            None => known = false,
        };
        self.change_lines(&mut |line| change(&mut line.place));
        let inputs = std::mem::take(&mut self.inputs).into_iter();
        self.inputs = inputs.map(|(file, input)| Some((new(file)?, input))).collect::<Option<_>>()?;
        known.then_some(())
    }

    /// The sum of all counts, as far as it can be said: where it is sensible, no sum of some of them is too large.
    pub fn total(&self) -> u64 {
        let mut total = 0u64;
        self.counts(&mut |count| total = total.saturating_add(count));
        total
    }
}

impl Merge for Ledger {
    fn merge(&mut self, other: Ledger) {
        // All fields are named, so that none is forgotten.
        let Ledger {
            inputs,
            flows,
            clients,
            accounts,
            users,
            hellos,
            templates,
            log_ins,
            header_froms,
            domains,
            servers,
            losses,
            listings,
        } = other;
        Merge::merge(&mut self.inputs, inputs);
        self.flows.merge(flows);
        self.clients.merge(clients);
        self.accounts.merge(accounts);
        self.users.merge(users);
        self.hellos.merge(hellos);
        self.templates.merge(templates);
        self.log_ins.merge(log_ins);
        self.header_froms.merge(header_froms);
        self.domains.merge(domains);
        Merge::merge(&mut self.servers, servers);
        Merge::merge(&mut self.losses, losses);
        self.listings.merge(listings);
    }
}
