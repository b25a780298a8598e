//! Log-ins: what lines that stand alone tell of them, each teller in a sum of its own (see [`Failures`]).

use super::{Books, keep};
use crate::correlate::{Fact, LOGIN_FAILED};
use crate::ledger::{AccountKey, Client, ClientFacts, Failures, LogInFacts};
use relayaudit_parsers::record::{Event, Peer, Watch};

impl Books {
    /// Books what a line tells of a log-in, if it does.
    pub(super) fn log_in(&mut self, fact: &Fact<'_>) {
        self.account_log_in(fact);
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
        facts.failed.see(fact.time);
        if let Some(time) = fact.time {
            facts.failed_hours.add(time.hour(), u64::from(fact.times));
        }
        keep(&mut facts.auth_evidence, fact);
        &mut facts.failures
    }

    /// Books what a line that names the account tells of a log-in, under the account.
    fn account_log_in(&mut self, fact: &Fact<'_>) {
        let times = u64::from(fact.times);
        match &fact.record.event {
            Event::AuthFailed { client, account: Some(account) } => {
                self.account_failed(fact, client, account).failures.commands += times;
            }
            Event::LogInsFailed { client, account: Some(account), times: failed, watch } => {
                let failures = &mut self.account_failed(fact, client, account).failures;
                let sum = match watch {
                    Watch::Service => &mut failures.services,
                    Watch::Checker => &mut failures.checkers,
                };
                *sum += u64::from(*failed) * times;
            }
            Event::AuthSucceeded { client, account: Some(account) }
            | Event::Accepted { client, account: Some(account), .. } => {
                let client = self.names.client(client);
                let facts = self.account(fact, account);
                facts.failures.log_ins += times;
                let first = facts.entered.entry(client).or_default();
                first.span.see(fact.time);
                keep(&mut first.line, fact);
            }
            _ => {}
        }
    }

    fn account(&mut self, fact: &Fact<'_>, account: &[u8]) -> &mut LogInFacts {
        let account = self.names.text(account);
        self.ledger.log_ins.entry(AccountKey { server: fact.server, account })
    }

    fn account_failed(&mut self, fact: &Fact<'_>, client: &Peer<'_>, account: &[u8]) -> &mut LogInFacts {
        let client = self.names.client(client);
        let facts = self.account(fact, account);
        facts.span.see(fact.time);
        if let Some(time) = fact.time {
            facts.hours.add(time.hour(), u64::from(fact.times));
        }
        if client != Client::Unknown && facts.clients.wants(&client) {
            facts.clients.insert(client);
        }
        keep(&mut facts.evidence, fact);
        facts
    }
}
