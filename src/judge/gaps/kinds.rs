//! Kinds of line that are missing, judged by the formats that a server wrote and by how many of its recipients lack
//! something.
//!
//! A format counts only with the settings of its product (`relayaudit_parsers::settings`): where nothing could be done,
//! nothing is said.

use super::{Gap, GapKind};
use crate::judge::route::{self, RouteVerdict};
use crate::judge::routed::Routed;
use crate::judge::words::{recipients, server};
use crate::ledger::{FlowKey, Ledger, Origin, Outcome, ServerFacts, Text};
use relayaudit_parsers::settings::{self, Settings};
use std::collections::{BTreeMap, BTreeSet};

/// Recipients below which what is missing may be chance: the mail in the queue when a log begins or ends.
const FEW: u64 = 3;

/// What the flows of a server show and do not show. Recipients, but for the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    accepted: u64,
    refused: u64,
    /// Accepted, from whom is not told.
    of_nobody: u64,
    /// Accepted, and not told what became of them.
    without_end: u64,
    /// Accepted from a client that logged in, which account is told.
    named: u64,
    /// The same, but not told.
    vouched: u64,
    /// Relayed for clients that may have logged in without the log telling.
    unauthorised: u64,
    /// Whether our own client side shows.
    outbound: bool,
}

impl Tally {
    fn add(&mut self, key: &FlowKey, number: u64, verdict: RouteVerdict) {
        if !key.outcome.was_accepted() {
            self.refused += number;
            return;
        }
        self.accepted += number;
        // An empty name: the client logged in, and the line that names the account is missing.
        let named = key.account.is_some_and(|account| !account.is_empty());
        let counts = [
            (&mut self.of_nobody, key.origin == Origin::Unknown),
            (&mut self.without_end, key.outcome == Outcome::Unknown),
            (&mut self.named, named),
            (&mut self.vouched, !named && route::is_authenticated(key)),
            (&mut self.unauthorised, verdict == RouteVerdict::RelayedUnauthorised),
        ];
        counts.into_iter().filter(|(_, concerns)| *concerns).for_each(|(count, _)| *count += number);
    }
}

/// The kinds of line that servers lack.
pub fn find(routed: &Routed<'_>) -> Vec<Gap> {
    let ledger = routed.ledger;
    let machines = machines(ledger);
    let mut tallies = BTreeMap::<Text, Tally>::new();
    for routed in routed.flows() {
        tallies.entry(routed.key.server).or_default().add(routed.key, routed.flow.recipients, routed.verdict);
    }
    for key in ledger.flows.keys().filter(|key| key.origin == Origin::Outbound) {
        tallies.entry(key.server).or_default().outbound = true;
    }
    let logged_in: BTreeSet<Text> =
        ledger.clients.iter().filter(|(_, facts)| 0 < facts.failures.log_ins).map(|(key, _)| key.server).collect();
    let mut gaps = Vec::new();
    for (name, facts) in &ledger.servers {
        let tally = tallies.get(name).copied().unwrap_or_default();
        let view = View { name, facts, tally, beside: beside(&machines, name), log_ins: logged_in.contains(name) };
        let settings = facts.formats.iter().filter_map(|format| settings::of(format));
        for settings in settings {
            gaps.extend([arrivals, deliveries, sessions, accounts].iter().filter_map(|gap| gap(&view, settings)));
        }
    }
    gaps.dedup_by(|a, b| (a.server, a.kind) == (b.server, b.kind));
    gaps
}

/// The formats of each machine, by the first label of its name: logs of one may name it in short or in full. Those of
/// logs that name none may be of any.
fn machines(ledger: &Ledger) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut machines = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (name, facts) in &ledger.servers {
        machines.entry(label(name)).or_default().extend(facts.formats.iter().map(AsRef::<str>::as_ref));
    }
    machines
}

fn label(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// The formats of a machine, and those that may be of it.
fn beside<'m>(machines: &BTreeMap<&'m str, BTreeSet<&'m str>>, name: &str) -> BTreeSet<&'m str> {
    [label(name), ""].iter().filter_map(|label| machines.get(label)).flatten().copied().collect()
}

/// A server, for those who look for what it lacks.
struct View<'a> {
    name: &'a Text,
    facts: &'a ServerFacts,
    tally: Tally,
    /// The formats of the machine.
    beside: BTreeSet<&'a str>,
    /// Whether any log-in shows.
    log_ins: bool,
}

impl View<'_> {
    fn gap(&self, kind: GapKind, recipients: u64, what: String, advice: &str) -> Option<Gap> {
        (!advice.is_empty()).then(|| Gap {
            server: *self.name,
            kind,
            span: self.facts.span,
            lines_lost: 0,
            recipients,
            what,
            advice: advice.to_owned(),
            evidence: Vec::new(),
        })
    }
}

/// Whether something is missing as a rule and not by chance.
fn mostly(part: u64, all: u64) -> bool {
    FEW <= part && all < part.saturating_mul(2)
}

fn arrivals(view: &View<'_>, settings: &Settings) -> Option<Gap> {
    let Tally { accepted, refused, of_nobody, outbound, .. } = view.tally;
    let who = server(view.name);
    let what = if mostly(of_nobody, accepted) {
        format!("The logs of {who} do not show who handed in the mail for {} of {}.", of_nobody, recipients(accepted))
    } else if accepted == 0 && outbound && view.facts.sessions == 0 {
        format!("The logs of {who} show only the mail that it sent to other servers, not who handed it in.")
    } else if accepted == 0 && FEW <= refused && settings.refusals_apart && view.facts.sessions == 0 {
        format!("The logs of {who} show refusals only, no mail that it took in.")
    } else {
        return None;
    };
    view.gap(GapKind::NoArrivals, of_nobody, what, settings.arrivals)
}

fn deliveries(view: &View<'_>, settings: &Settings) -> Option<Gap> {
    let Tally { accepted, without_end, outbound, .. } = view.tally;
    let who = server(view.name);
    let what = if mostly(without_end, accepted) && !outbound {
        format!("The logs of {who} do not show what became of the mail for {without_end} of {}.", recipients(accepted))
    } else if accepted == 0 && FEW <= view.facts.openings.max(view.facts.messages) {
        format!("The logs of {who} show that it took in mail, but not for whom and what became of it.")
    } else {
        return None;
    };
    view.gap(GapKind::NoDeliveries, without_end, what, settings.deliveries)
}

fn sessions(view: &View<'_>, settings: &Settings) -> Option<Gap> {
    let Tally { accepted, refused, .. } = view.tally;
    let told = settings.told_by.iter().any(|format| view.beside.contains(format)) || 0 < view.facts.sessions;
    if told || accepted + refused == 0 {
        return None;
    }
    let who = server(view.name);
    let what = match settings.told_by {
        [] => format!("The logs of {who} show no connections, so attempts that ended early do not show."),
        _ => format!("The log of the sessions of {who} is missing: refused relaying and failed log-ins do not show."),
    };
    view.gap(GapKind::NoSessions, 0, what, settings.sessions)
}

fn accounts(view: &View<'_>, settings: &Settings) -> Option<Gap> {
    let Tally { named, vouched, unauthorised, .. } = view.tally;
    let who = server(view.name);
    if named < vouched {
        let what = format!("Clients of {who} logged in to send mail to {}, but not as whom.", recipients(vouched));
        return view.gap(GapKind::NoAccounts, vouched, what, settings.accounts);
    }
    let untold = 0 < unauthorised && named == 0 && !view.log_ins && settings.log_ins_apart;
    let what = format!(
        "The logs of {who} show no log-ins at all: some of the {} relayed without one may have had one.",
        recipients(unauthorised)
    );
    untold.then(|| view.gap(GapKind::NoAccounts, unauthorised, what, settings.accounts)).flatten()
}
