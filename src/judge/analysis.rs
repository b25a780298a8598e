//! The analysis: everything that the judge says of a ledger, for the report.

use super::blocklisted::{self, Blocklisting};
use super::finding::{Finding, Verdict};
use super::gaps::{Gap, gaps};
use super::hints::{Picture, Timeline, pictures};
use super::route::RouteVerdict;
use super::verdict::{Scope, decide};
use super::{HandOver, Options, Routed, judge};
use crate::ledger::{Ledger, Span, Text};
use crate::merge::Merge;
use crate::site::Site;
use std::collections::BTreeMap;

/// What was judged, in one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The verdict on the whole run.
    pub verdict: Verdict,
    /// The verdict on each server, by name.
    pub servers: Vec<ServerVerdict>,
    /// The findings, worst first.
    pub findings: Vec<Finding>,
    /// Sums over all servers.
    pub totals: Totals,
    /// Recipients by hour (of `Time::hour`) and verdict.
    pub timeline: Timeline,
    /// Mail that servers passed to each other, if [`super::count_once`] was asked.
    pub handovers: Vec<HandOver>,
    /// What the logs do not hold, by server.
    pub gaps: Vec<Gap>,
    /// What other servers say of ours, the gravest first.
    pub blocklistings: Vec<Blocklisting>,
}

/// The verdict on one server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerVerdict {
    /// The server.
    pub server: Text,
    /// The verdict on it alone.
    pub verdict: Verdict,
    /// When it wrote records.
    pub span: Span,
    /// Messages it took in.
    pub messages: u64,
    /// Recipients it relayed for clients without permission.
    pub relayed_recipients: u64,
}

/// Sums over all servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sessions opened.
    pub sessions: u64,
    /// Messages taken in.
    pub messages: u64,
    /// Recipients, accepted or not.
    pub recipients: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// Recipients by verdict (of `RouteVerdict::as_str`).
    pub by_verdict: BTreeMap<&'static str, u64>,
}

/// Judges a ledger by a site (which [`crate::site::infer`] has completed) with every rule.
pub fn analyse(ledger: &Ledger, site: &Site) -> Analysis {
    analyse_with(ledger, site, &Options::default())
}

/// Judges a ledger by a site.
pub fn analyse_with(ledger: &Ledger, site: &Site, options: &Options) -> Analysis {
    let routed = Routed::new(ledger, site, options.errors);
    let (findings, (all, mut by_server)) = rayon::join(|| judge(&routed, options), || pictures(&routed));
    ledger.servers.keys().for_each(|server| {
        by_server.entry(*server).or_default();
    });
    let gaps = gaps(&routed);
    let run = Scope { ledger, site, server: None, findings: findings.iter().collect(), picture: &all, gaps: &gaps };
    let verdict = decide(&run);
    let servers = by_server.iter().map(|(server, picture)| one(&run, &findings, server, picture)).collect();
    Analysis {
        verdict,
        servers,
        totals: totals(ledger, &all),
        timeline: all.timeline,
        gaps,
        blocklistings: blocklisted::rows(ledger, &findings),
        findings,
        handovers: Vec::new(),
    }
}

fn one(run: &Scope<'_>, findings: &[Finding], server: &Text, picture: &Picture) -> ServerVerdict {
    let own = findings.iter().filter(|finding| finding.server == *server).collect();
    let facts = run.ledger.servers.get(server);
    let scope = Scope { server: Some(server), findings: own, picture, ..*run };
    ServerVerdict {
        server: *server,
        verdict: decide(&scope),
        span: facts.map_or(Span::default(), |facts| facts.span),
        messages: facts.map_or(0, |facts| facts.messages),
        relayed_recipients: picture.of(RouteVerdict::RelayedUnauthorised),
    }
}

fn totals(ledger: &Ledger, picture: &Picture) -> Totals {
    let mut totals =
        Totals { recipients: picture.recipients(), by_verdict: picture.by_verdict.clone(), ..Totals::default() };
    for facts in ledger.servers.values() {
        totals.sessions.merge(facts.sessions);
        totals.messages.merge(facts.messages.saturating_sub(facts.again.messages));
        totals.bytes.merge(facts.bytes.saturating_sub(facts.again.bytes));
    }
    totals
}
