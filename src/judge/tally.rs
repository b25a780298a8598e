//! Tallies: flows of one client added up, whatever else they differ in.

use super::finding::{Finding, Queue, Rule, Severity, Subject};
use super::{remedy, words};
use crate::ledger::{
    Client, ClientFacts, ClientKey, Evidence, Flow, FlowKey, Hours, Ledger, Outcome, Smallest, Span, Text, Time,
};
use crate::merge::Merge;
use crate::site::Site;
use std::collections::BTreeSet;

/// The client and the server that a tally is of.
pub type Pair<'a> = (&'a Text, &'a Client);

/// Flows added up.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Messages.
    pub messages: u64,
    /// Recipients the server took in.
    pub accepted: u64,
    /// Recipients the server refused.
    pub refused: u64,
    /// Of the accepted: delivered, or taken by another server.
    pub delivered: u64,
    /// Of the accepted: still in the queue.
    pub deferred: u64,
    /// Of the accepted: given up.
    pub bounced: u64,
    /// Of the accepted: the log does not show what became of them.
    pub unseen: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// When.
    pub span: Span,
    /// Recipients by hour.
    pub hours: Hours,
    /// Address forms seen.
    pub forms: BTreeSet<&'static str>,
    /// The earliest lines.
    pub evidence: Smallest<Evidence, 5>,
    /// When a delivery was last tried.
    pub last_attempt: Option<Time>,
    /// Queue ids of some messages that are to be tried again.
    pub waiting: Smallest<Box<str>, 3>,
    /// Queue ids of some messages of which the log shows no end.
    pub lost: Smallest<Box<str>, 3>,
}

impl Tally {
    /// Adds a flow.
    pub fn add(&mut self, key: &FlowKey, flow: &Flow) {
        self.messages.merge(flow.messages);
        self.bytes.merge(flow.bytes);
        self.span.merge(flow.span);
        self.hours.merge(flow.hours.clone());
        self.forms.insert(key.form.as_str());
        self.last_attempt = self.last_attempt.max(flow.last_attempt);
        for line in flow.evidence() {
            if self.evidence.wants(line) {
                self.evidence.insert(line.clone());
            }
        }
        match key.outcome.was_accepted() {
            true => self.accepted.merge(flow.recipients),
            false => self.refused.merge(flow.recipients),
        }
        match key.outcome {
            Outcome::Delivered | Outcome::Relayed => self.delivered.merge(flow.recipients),
            Outcome::Deferred => {
                self.deferred.merge(flow.recipients);
                self.waiting.merge(flow.waiting.clone());
            }
            Outcome::Bounced | Outcome::BouncedHere | Outcome::Expired => self.bounced.merge(flow.recipients),
            Outcome::Unknown => {
                self.unseen.merge(flow.recipients);
                self.lost.merge(flow.waiting.clone());
            }
            Outcome::Denied | Outcome::Rejected | Outcome::NoData => {}
        }
    }

    /// Adds another tally. It is taken apart, so that no field can be forgotten.
    pub fn merge(&mut self, other: Tally) {
        let Tally {
            messages,
            accepted,
            refused,
            delivered,
            deferred,
            bounced,
            unseen,
            last_attempt,
            waiting,
            lost,
            bytes,
            span,
            hours,
            forms,
            evidence,
        } = other;
        self.messages.merge(messages);
        self.accepted.merge(accepted);
        self.refused.merge(refused);
        self.delivered.merge(delivered);
        self.deferred.merge(deferred);
        self.bounced.merge(bounced);
        self.unseen.merge(unseen);
        self.last_attempt = self.last_attempt.max(last_attempt);
        self.waiting.merge(waiting);
        self.lost.merge(lost);
        self.bytes.merge(bytes);
        self.span.merge(span);
        self.hours.merge(hours);
        self.forms.extend(forms);
        self.evidence.merge(evidence);
    }

    /// The busiest hour, and its recipients; the earlier of two equal ones.
    pub fn peak(&self) -> Option<(i32, u64)> {
        self.hours.iter().max_by_key(|(hour, n)| (*n, std::cmp::Reverse(*hour)))
    }

    /// What the queue has of it, on a server. Recipients without an end count only where the logs would show one.
    pub fn queue(&self, server: &Text, ledger: &Ledger) -> Queue {
        let tells = remedy::tells_ends(ledger, server);
        let lost = self.lost.iter().filter(|_| tells);
        Queue {
            last_entered: self.span.last,
            last_attempt: self.last_attempt,
            recipients: self.deferred,
            unseen: if tells { self.unseen } else { 0 },
            ids: self.waiting.iter().chain(lost).take(3).map(ToString::to_string).collect(),
        }
    }

    /// A finding with the figures of this tally; the rule adds its reasons and the remedy.
    pub fn finding(self, rule: Rule, severity: Severity, (server, client): Pair<'_>, ledger: &Ledger) -> Finding {
        let queue = rule.is_abuse().then(|| self.queue(server, ledger));
        Finding {
            rule,
            severity,
            confidence: 1.0,
            subject: Subject { kind: "client", value: words::client(client) },
            server: *server,
            span: self.span,
            sessions: facts(ledger, server, client).map_or(0, |facts| facts.sessions),
            messages: self.messages,
            attempts: self.accepted.saturating_add(self.refused),
            recipients_accepted: self.accepted,
            recipients_denied: self.refused,
            recipients_delivered: self.delivered,
            recipients_deferred: self.deferred,
            recipients_bounced: self.bounced,
            bytes: self.bytes,
            why: Vec::new(),
            evidence: self.evidence.iter().cloned().collect(),
            remedy: Vec::new(),
            queue,
        }
    }
}

/// What the ledger knows of a client besides its mail.
pub fn facts<'a>(ledger: &'a Ledger, server: &Text, client: &Client) -> Option<&'a ClientFacts> {
    ledger.clients.get(&ClientKey { server: *server, client: *client })
}

/// How sure a judgement is that rests on who is local and who is trusted.
pub fn confidence(site: &Site) -> f64 {
    match site.states_local_domains() && site.states_trusted_networks() {
        true => 0.95,
        false => 0.75,
    }
}
