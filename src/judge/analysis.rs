//! The analysis: everything that the judge says of a ledger, for the report.

use super::blocklisted::{self, Blocklisting};
use super::campaign::Campaign;
use super::finding::{Cause, Finding, Rule, Verdict};
use super::gaps::{Gap, gaps};
use super::hints::{Picture, Timeline, pictures};
use super::origins::Directory;
use super::route::RouteVerdict;
use super::verdict::{Scope, decide};
use super::{HandOver, Options, Routed, chain, count_once, judge_all};
use crate::ledger::{Ledger, Span, Text, Time, one_view};
use crate::merge::Merge;
use crate::site::{self, Site};
use crate::spf::Answers;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// The campaigns, worst first: each has its finding among the findings.
    pub campaigns: Vec<Campaign>,
    /// Where the clients are that findings are about; `None` if there was no database to ask.
    pub directory: Option<Directory>,
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

/// Judges a finished ledger by what the user states of the site: completes the site from the logs, makes mail that several logs or
/// servers tell of count once, and runs the rules. Call it once: what it takes out of the ledger is gone.
pub fn conclude(ledger: &mut Ledger, stated: &Site, options: &Options) -> (Site, Analysis) {
    conclude_asking(ledger, stated, options, |_, _| Answers::default())
}

/// The same, with what `ask` answers to [`super::spf_questions`]: they can only be asked when it is known what is ours. Judging itself
/// asks nobody.
pub fn conclude_asking(
    ledger: &mut Ledger,
    stated: &Site,
    options: &Options,
    ask: impl FnOnce(&Ledger, &Site) -> Answers,
) -> (Site, Analysis) {
    stated.note_inputs(ledger);
    one_view(ledger);
    let site = site::infer(ledger, stated);
    let handovers = count_once(ledger, &site);
    let mut options = options.clone();
    options.consulted.spf = Arc::new(ask(ledger, &site));
    let analysis = Analysis { handovers, ..analyse_with(ledger, &site, &options) };
    (site, analysis)
}

/// Judges a ledger by a site.
pub fn analyse_with(ledger: &Ledger, site: &Site, options: &Options) -> Analysis {
    let routed = Routed::new(ledger, site, options.errors).consulting(&options.consulted);
    let ((mut findings, campaigns), (all, mut by_server)) =
        rayon::join(|| judge_all(&routed, options), || pictures(&routed));
    ledger.servers.keys().for_each(|server| {
        by_server.entry(*server).or_default();
    });
    let gaps = gaps(&routed);
    let run = Scope { ledger, site, server: None, findings: findings.iter().collect(), picture: &all, gaps: &gaps };
    let mut verdict = decide(&run);
    let servers = by_server.iter().map(|(server, picture)| one(&run, &findings, server, picture)).collect();
    begin(&routed, &mut findings, &mut verdict);
    Analysis {
        verdict,
        servers,
        totals: totals(ledger, &all),
        timeline: all.timeline,
        gaps,
        blocklistings: blocklisted::rows(ledger, &findings),
        directory: Directory::of(&findings, &options.consulted.geo),
        findings,
        campaigns,
        handovers: Vec::new(),
    }
}

/// Says how the abuse began: with each finding, and first of all in the verdict, for the worst finding that decides it.
fn begin(routed: &Routed<'_>, findings: &mut [Finding], verdict: &mut Verdict) {
    let chains = chain::of(routed, findings);
    let rules: &[Rule] = match verdict.cause {
        Cause::OpenRelay => &[Rule::OpenRelay, Rule::RelayTrick],
        Cause::CompromisedAccount => &[Rule::CompromisedAccount],
        _ => &[],
    };
    let deciding = findings.iter().filter(|finding| rules.contains(&finding.rule));
    // What began later than the abuse as a whole is said with the finding only.
    let began = |chain: &&(Time, String)| verdict.span.first.is_some_and(|first| chain.0 <= first);
    let first = deciding.filter_map(|finding| chains.get(&chain::key(finding))).find(began);
    let first = first.map(|(_, text)| text.clone());
    verdict.why.splice(0..0, first);
    for finding in findings {
        let text = chains.get(&chain::key(finding)).map(|(_, text)| text.clone());
        let second = finding.why.len().min(1);
        finding.why.splice(second..second, text);
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
