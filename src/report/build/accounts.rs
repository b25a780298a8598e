//! Accounts: who logged in and sent, from where, and how much.

use crate::judge::{Rule, Severity};
use crate::ledger::{Client, Ledger, Origin, Span, Text};
use crate::merge::Merge;
use crate::report::model::{AccountRow, FindingRow};
use crate::site::neighbourhood;
use foldhash::{HashMap, HashSet};
use ipnet::IpNet;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What one account did.
#[derive(Default)]
struct Use<'a> {
    span: Span,
    messages: u64,
    recipients: u64,
    bytes: u64,
    clients: HashSet<&'a Client>,
    networks: HashSet<IpNet>,
    auth_failures: u64,
    rules: BTreeSet<Rule>,
    severity: Option<Severity>,
}

/// The accounts that mail was accepted from: most recipients first.
pub fn accounts(ledger: &Ledger, findings: &[FindingRow]) -> Vec<AccountRow> {
    let mut uses = HashMap::<Text, Use<'_>>::default();
    for (key, flow) in ledger.flows.iter().filter(|(key, _)| key.origin != Origin::Outbound) {
        let Some(account) = key.account.filter(|_| key.outcome.was_accepted()) else { continue };
        let used = uses.entry(account).or_default();
        used.span.merge(flow.span);
        used.messages.merge(flow.messages);
        used.recipients.merge(flow.recipients);
        used.bytes.merge(flow.bytes);
        used.clients.insert(&key.client);
        if let Client::Address(address) = &key.client {
            used.networks.insert(neighbourhood(*address));
        }
    }
    for facts in ledger.clients.values().filter(|facts| 0 < facts.auth_failures()) {
        for account in facts.accounts_tried.iter() {
            if let Some(used) = uses.get_mut(account) {
                used.auth_failures.merge(facts.auth_failures());
            }
        }
    }
    for finding in findings.iter().filter(|finding| finding.subject.kind == "account") {
        let used = uses.get_mut(&finding.subject.value.as_str().into());
        used.into_iter().for_each(|used| {
            used.rules.insert(finding.rule);
            used.severity = used.severity.max(Some(finding.severity));
        });
    }
    let mut rows: Vec<AccountRow> = uses.into_iter().map(|(account, used)| used.row(&account)).collect();
    rows.sort_by_key(|row| (Reverse((row.severity, row.recipients)), row.account.clone()));
    rows
}

impl Use<'_> {
    fn row(self, account: &str) -> AccountRow {
        AccountRow {
            account: account.to_owned(),
            first: self.span.first,
            last: self.span.last,
            messages: self.messages,
            recipients: self.recipients,
            bytes: self.bytes,
            clients: self.clients.len() as u64,
            networks: self.networks.len() as u64,
            auth_failures: self.auth_failures,
            rules: self.rules.into_iter().collect(),
            severity: self.severity,
        }
    }
}
