//! A survey: books for those who only ask whose the servers and domains are.

use super::Books;
use crate::ledger::ClientFacts;

impl Books {
    /// Forgets who sent what to whom, for those who only ask whose the servers and domains are: it is most of a ledger.
    /// Of clients those stay that have a name, which may show them to be of the site.
    pub(crate) fn forget_mail(&mut self) {
        let ledger = &mut self.ledger;
        ledger.flows.clear();
        ledger.hellos.clear();
        ledger.accounts.clear();
        ledger.users.clear();
        ledger.listings.clear();
        ledger.templates = Default::default();
        ledger.log_ins = Default::default();
        ledger.clients.retain(|_, facts| !facts.names.is_empty());
        ledger.clients.values_mut().for_each(|facts| {
            *facts = ClientFacts { names: std::mem::take(&mut facts.names), ..ClientFacts::default() };
        });
    }
}
