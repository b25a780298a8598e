//! Log-ins: what lines that stand alone tell of them, each teller in a sum of its own (see [`Failures`]).

use super::{Books, keep};
use crate::correlate::{Fact, LOGIN_FAILED};
use crate::ledger::{ClientFacts, Failures};
use relayaudit_parsers::record::{Event, Peer, Watch};

impl Books {
    /// Books what a line tells of a log-in, if it does.
    pub(super) fn log_in(&mut self, fact: &Fact<'_>) {
        match &fact.record.event {
            Event::AuthFailed { client, account } => {
                self.log_ins_failed(fact, client, *account).commands += u64::from(fact.times);
            }
            // Without a client, the session tells which it is.
            Event::Replied { client, reply, .. } if reply.code == LOGIN_FAILED && *client != Peer::default() => {
                self.log_ins_failed(fact, client, None).commands += 1;
            }
            Event::Disconnect { client, auth_failures: failures @ 1.. } => {
                self.log_ins_failed(fact, client, None).sessions += u64::from(*failures);
            }
            Event::LogInsFailed { client, account, times, watch } => {
                let failures = self.log_ins_failed(fact, client, *account);
                let sum = match watch {
                    Watch::Service => &mut failures.services,
                    Watch::Checker => &mut failures.checkers,
                };
                *sum += u64::from(*times) * u64::from(fact.times);
            }
            Event::AuthSucceeded { client, .. } | Event::Accepted { client, account: Some(_), .. } => {
                self.client_facts(fact.server, client, fact.time).failures.log_ins += u64::from(fact.times);
            }
            Event::AccountTried { client, account } => {
                self.account_tried(fact, client, Some(account));
            }
            _ => {}
        }
    }

    /// Notes the account that a client tried in vain, if it is logged.
    fn account_tried(&mut self, fact: &Fact<'_>, client: &Peer<'_>, account: Option<&[u8]>) -> &mut ClientFacts {
        let account = account.map(|account| self.names.text(account));
        let facts = self.client_facts(fact.server, client, fact.time);
        if let Some(account) = account.filter(|account| facts.accounts_tried.wants(account)) {
            facts.accounts_tried.insert(account);
        }
        facts
    }

    /// Notes a line that tells of failed log-ins; the caller adds how many.
    pub(super) fn log_ins_failed(
        &mut self,
        fact: &Fact<'_>,
        client: &Peer<'_>,
        account: Option<&[u8]>,
    ) -> &mut Failures {
        let facts = self.account_tried(fact, client, account);
        keep(&mut facts.auth_evidence, fact);
        &mut facts.failures
    }
}
