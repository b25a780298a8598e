//! The cause verdict: what all findings mean together, in the words of an answer.
//!
//! It says no more than was judged. Accounts, trusted hosts and programs that sent mail without being accused are named
//! with their volume.

mod doubt;
mod ending;
mod inbound;
mod listed;
mod next;
mod texts;
mod untold;
mod volume;

use super::finding::{Cause, Finding, Rule, Severity, Verdict};
use super::gaps::{Gap, gaps};
use super::hints::{Picture, pictures};
use super::route::RouteVerdict;
use super::routed::Routed;
use super::senders::Errors;
use super::spf::is_cleared;
use super::tally::confidence;
use crate::ledger::{Evidence, Ledger, Smallest, Span, Text};
use crate::merge::Merge;
use crate::site::Site;

/// What a verdict is about: a run, or one server of it.
pub(crate) struct Scope<'a> {
    /// What was learnt.
    pub ledger: &'a Ledger,
    /// What is ours.
    pub site: &'a Site,
    /// The server; `None` for the whole run.
    pub server: Option<&'a Text>,
    /// The findings within the scope, worst first.
    pub findings: Vec<&'a Finding>,
    /// The mail within the scope.
    pub picture: &'a Picture,
    /// What the logs of all servers do not hold.
    pub gaps: &'a [Gap],
}

impl<'a> Scope<'a> {
    /// The findings of a rule.
    pub fn of(&self, rule: Rule) -> impl Iterator<Item = &'a Finding> + '_ {
        self.findings.iter().copied().filter(move |finding| finding.rule == rule)
    }

    /// The findings that make it an open relay.
    pub fn relays(&self) -> Vec<&'a Finding> {
        self.of(Rule::OpenRelay).filter(|finding| Severity::Medium <= finding.severity).collect()
    }

    /// The open-relay findings that may as well be hosts of ours.
    pub fn doubtful(&self) -> Vec<&'a Finding> {
        self.of(Rule::OpenRelay).filter(|finding| finding.severity < Severity::Medium).collect()
    }

    /// Lines that were lost within the scope before they reached the logs.
    pub fn lines_lost(&self) -> u64 {
        let gaps = self.gaps.iter().filter(|gap| self.holds(&gap.server));
        gaps.map(|gap| gap.lines_lost).fold(0, u64::saturating_add)
    }

    /// The kinds of line that are missing within the scope.
    pub fn missing(&self) -> impl Iterator<Item = &'a Gap> + '_ {
        self.gaps.iter().filter(|gap| gap.kind.is_kind_of_line() && self.holds(&gap.server))
    }

    /// The findings that say in earnest that other servers block us.
    pub fn listed(&self) -> Vec<&'a Finding> {
        self.of(Rule::Blocklisted).filter(|finding| Severity::Medium <= finding.severity).collect()
    }

    /// Whether a server is within the scope.
    fn holds(&self, server: &Text) -> bool {
        self.server.is_none_or(|only| only == server)
    }

    /// Records, messages and time of the servers within the scope.
    pub fn logged(&self) -> (u64, u64, Span) {
        let mut sum = (0u64, 0u64, Span::default());
        for (_, facts) in self.ledger.servers.iter().filter(|(server, _)| self.holds(server)) {
            sum.0.merge(facts.records);
            sum.1.merge(facts.messages);
            sum.2.merge(facts.span);
        }
        sum
    }

    /// Whether the lines are so few, and so little is known of what is ours, that where they show no abuse nothing follows.
    fn is_scanty(&self) -> bool {
        !self.site.states_local_domains() && self.logged().0 < SCANTY
    }

    /// Whether servers within the scope took in mail that others of ours had before.
    fn is_served(&self) -> bool {
        let within = self.ledger.servers.iter().filter(|(server, _)| self.holds(server));
        within.map(|(_, facts)| facts.again.recipients).any(|recipients| 0 < recipients)
    }

    /// The servers within the scope, for a sentence: `mx1`, or `3 servers`.
    pub fn servers(&self) -> String {
        let servers: Vec<&Text> = self.ledger.servers.keys().filter(|server| self.holds(server)).collect();
        match (self.server, servers.as_slice()) {
            (Some(server), _) if !server.is_empty() => super::words::quoted(server),
            (None, [only]) if !only.is_empty() => super::words::quoted(only),
            (None, [_, _, ..]) => super::words::count(servers.len() as u64, "server", "servers"),
            _ => "the server".to_owned(),
        }
    }
}

/// Lines about mail below which a log is a fragment: people paste a screen of them.
const SCANTY: u64 = 60;

/// The verdict on a whole run, from its findings.
pub fn verdict(ledger: &Ledger, site: &Site, findings: &[Finding]) -> Verdict {
    let routed = Routed::new(ledger, site, Errors::default());
    let (picture, _) = pictures(&routed);
    let gaps = gaps(&routed);
    decide(&Scope { ledger, site, server: None, findings: findings.iter().collect(), picture: &picture, gaps: &gaps })
}

/// The verdict on a scope.
pub(crate) fn decide(scope: &Scope<'_>) -> Verdict {
    let cause = cause(scope);
    let deciding = deciding(scope, cause);
    let mut span = Span::default();
    let mut evidence = Smallest::<Evidence, 5>::default();
    for finding in &deciding {
        span.merge(finding.span);
        finding.evidence.iter().for_each(|line| evidence.insert(line.clone()));
    }
    if matches!(cause, Cause::Clean | Cause::InsufficientEvidence) {
        span = scope.logged().2;
    }
    Verdict {
        cause,
        confidence: sureness(scope, cause, &deciding),
        headline: texts::headline(scope, cause, &deciding, span),
        span,
        why: texts::why(scope, cause, &deciding),
        evidence: evidence.iter().cloned().collect(),
        not_seen: texts::not_seen(scope, cause),
        next: next::next(scope, cause, &deciding),
        alternatives: texts::alternatives(scope, cause, &deciding),
        ending: ending::ending(scope, &deciding),
    }
}

/// Causes other than an open relay, the gravest first, with the rules that show them.
const ABUSE: &[(Cause, Rule)] = &[
    (Cause::CompromisedAccount, Rule::CompromisedAccount),
    (Cause::AbusedTrustedHost, Rule::AbusedTrustedHost),
    (Cause::AbusedLocalScript, Rule::AbusedLocalScript),
    (Cause::Backscatter, Rule::Backscatter),
];

/// The cause that the findings show.
fn cause(scope: &Scope<'_>) -> Cause {
    let untold = 0 < scope.picture.of(RouteVerdict::Unknown) && scope.picture.told() == 0;
    let abused = ABUSE.iter().find(|(_, rule)| scope.of(*rule).any(|finding| Severity::Medium <= finding.severity));
    let worst = |rule: Rule| scope.of(rule).map(|finding| finding.severity).max();
    // A stranger's odd message beside a flood is not the answer, but a second one.
    let outweighs = |rule: Rule| worst(Rule::OpenRelay) < worst(rule) && worst(rule) == Some(Severity::Critical);
    if !scope.relays().is_empty() && !abused.is_some_and(|(_, rule)| outweighs(*rule)) {
        Cause::OpenRelay
    } else if let Some((cause, _)) = abused {
        *cause
    } else if untold {
        Cause::InsufficientEvidence
    } else if scope.of(Rule::RelayProbe).next().is_some() {
        Cause::ProbesOnly
    } else if scope.is_scanty() {
        Cause::InsufficientEvidence
    } else if !came_in(scope).is_empty() {
        Cause::InboundOnly
    } else if scope.picture.recipients() == 0 && !scope.is_served() {
        Cause::InsufficientEvidence
    } else {
        Cause::Clean
    }
}

/// The findings that decide it.
fn deciding<'a>(scope: &Scope<'a>, cause: Cause) -> Vec<&'a Finding> {
    match cause {
        Cause::OpenRelay => scope.relays(),
        Cause::ProbesOnly => scope.of(Rule::RelayProbe).collect(),
        _ if ABUSE.iter().any(|(abuse, _)| *abuse == cause) => {
            let rules = ABUSE.iter().filter(|(abuse, _)| *abuse == cause);
            rules.flat_map(|(_, rule)| scope.of(*rule)).collect()
        }
        Cause::InboundOnly => came_in(scope),
        _ => Vec::new(),
    }
}

/// The findings about what came in: the gravest of these groups, of two that are alike the first.
fn came_in<'a>(scope: &Scope<'a>) -> Vec<&'a Finding> {
    let named = scope.of(Rule::SpoofedLocalSender).chain(scope.of(Rule::HeloImpersonation));
    let named = named.filter(|finding| !is_cleared(finding)).collect();
    // A correspondent with a similar name (for information) says nothing of spam.
    let of = |rule: Rule| scope.of(rule).filter(|finding| Severity::Low <= finding.severity).collect::<Vec<_>>();
    let groups = [of(Rule::BackscatterVictim), named, of(Rule::LookalikeDomain), of(Rule::NullSenderAbuse)];
    let worst = |group: &Vec<&Finding>| group.iter().map(|finding| finding.severity).max();
    groups.into_iter().rev().max_by_key(worst).unwrap_or_default()
}

/// How sure it is, to two digits.
fn sureness(scope: &Scope<'_>, cause: Cause, deciding: &[&Finding]) -> f64 {
    let sure = match cause {
        Cause::OpenRelay
        | Cause::CompromisedAccount
        | Cause::AbusedTrustedHost
        | Cause::AbusedLocalScript
        | Cause::Backscatter => deciding.iter().map(|finding| finding.confidence).fold(0.0, f64::max),
        Cause::InsufficientEvidence => 0.9,
        _ => {
            let all = scope.picture.recipients().max(1) as f64;
            let untold = scope.picture.of(RouteVerdict::Unknown) as f64 / all;
            let doubt = if scope.doubtful().is_empty() { 1.0 } else { 0.7 };
            confidence(scope.site) * (1.0 - untold / 2.0) * doubt
        }
    };
    (sure * 100.0).round() / 100.0
}
