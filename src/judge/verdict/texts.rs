//! The sentences of a verdict.

use super::{ABUSE, Scope, doubt, inbound, listed, untold, volume};
use crate::judge::finding::{Cause, Finding, Rule, Severity};
use crate::judge::hints::largest;
use crate::judge::route::RouteVerdict;
use crate::judge::words::{addresses, at_line, count, list, minute, period, quoted, recipients, thousands};
use crate::ledger::{Span, Text, Time};
use std::collections::{BTreeMap, BTreeSet};

/// One sentence that answers "was it us?".
pub fn headline(scope: &Scope<'_>, cause: Cause, deciding: &[&Finding], span: Span) -> String {
    let clients = addresses(subjects(deciding));
    let servers = scope.servers();
    match cause {
        Cause::OpenRelay => relayed(scope, deciding, span),
        Cause::ProbesOnly => probed(scope, deciding, &clients),
        Cause::InboundOnly => doubt::headline(scope, "").unwrap_or_else(|| {
            format!("No relaying by strangers: {}.", inbound::what(deciding, &clients, &servers))
        }),
        Cause::InsufficientEvidence => untold::headline(scope, &servers),
        Cause::CompromisedAccount => sent("Yes, by a stolen password", "account", "sent", deciding, span),
        Cause::AbusedTrustedHost => sent("Yes, by a host you trust", "host", "sent", deciding, span),
        Cause::AbusedLocalScript => sent("Yes, by a program on the server", "user", "handed in", deciding, span),
        Cause::Backscatter => format!(
            "Yes, by bounces: {servers} sent notifications to {} who mostly never wrote{}.",
            count(volume(deciding), "outside recipient", "outside recipients"),
            period(span)
        ),
        _ => doubt::headline(scope, "").unwrap_or_else(|| {
            format!(
                "No unauthorised relay seen: {servers} took in {}{}, none of them from a stranger to an outside recipient.",
                count(scope.logged().1, "message", "messages"),
                period(span)
            )
        }),
    }
}

/// The headline of a server that was tried and refused.
fn probed(scope: &Scope<'_>, deciding: &[&Finding], clients: &str) -> String {
    let attempts: u64 = deciding.iter().map(|finding| finding.recipients_denied).sum();
    let refused = match attempts {
        1 => "the one attempt was refused".to_owned(),
        2 => "both attempts were refused".to_owned(),
        _ => format!("all {} attempts were refused", thousands(attempts)),
    };
    doubt::headline(scope, &format!("; besides, {clients} tried to relay, and {refused}")).unwrap_or_else(|| {
        format!(
            "No relaying by strangers: {clients} tried through {}, {refused}, and none of it left the server.",
            scope.servers()
        )
    })
}

/// The headline of a sender that had permission: `account marie sent mail to ...`.
fn sent(answer: &str, kind: &str, did: &str, deciding: &[&Finding], span: Span) -> String {
    let names: Vec<String> = deciding.iter().take(3).map(|finding| quoted(&finding.subject.value)).collect();
    let more = deciding.len().saturating_sub(names.len()) as u64;
    let more = if 0 < more { format!(" and {} more", thousands(more)) } else { String::new() };
    let plural = if deciding.len() == 1 { "" } else { "s" };
    format!(
        "{answer}: {kind}{plural} {}{more} {did} mail to {} through {}{}.",
        list(&names),
        recipients(volume(deciding)),
        through(deciding),
        period(span)
    )
}

/// Recipients that findings are about.
fn volume(findings: &[&Finding]) -> u64 {
    findings.iter().map(|finding| finding.recipients_accepted).fold(0, u64::saturating_add)
}

/// Recipients below which strangers and hosts of ours that were not stated look the same.
const FEW: u64 = 5;

/// The headline of an open relay.
fn relayed(scope: &Scope<'_>, deciding: &[&Finding], span: Span) -> String {
    let accepted: u64 = deciding.iter().map(|finding| finding.recipients_accepted).sum();
    let sure = match (scope.site.states_trusted_networks(), subjects(deciding), accepted) {
        (true, _, _) => "Yes",
        // So little may as well be a host or a domain of theirs that nobody stated.
        (false, 1, ..FEW) => "Perhaps, unless it is yours",
        (false, _, ..FEW) => "Perhaps, unless they are yours",
        (false, 1, _) => "Yes, unless it is yours",
        (false, _, _) => "Yes, unless they are yours",
    };
    format!(
        "{sure}: {} relayed {} through {}{}.",
        count(subjects(deciding) as u64, "outside address", "outside addresses"),
        recipients(accepted),
        through(deciding),
        period(span)
    )
}

/// The servers of the findings: the one by its name, several by their number.
fn through(findings: &[&Finding]) -> String {
    let servers: BTreeSet<&Text> = findings.iter().map(|finding| &finding.server).collect();
    match servers.first().filter(|_| servers.len() == 1) {
        Some(server) => crate::judge::words::server(server),
        None => count(servers.len() as u64, "server", "servers"),
    }
}

/// How many different subjects the findings have.
fn subjects(findings: &[&Finding]) -> usize {
    findings.iter().map(|finding| &finding.subject).collect::<BTreeSet<_>>().len()
}

/// The dated facts that decide it.
pub fn why(scope: &Scope<'_>, cause: Cause, deciding: &[&Finding]) -> Vec<String> {
    let action = match cause {
        Cause::OpenRelay => "had mail for outside recipients accepted without credentials",
        Cause::ProbesOnly => "tried to relay and was refused",
        Cause::InboundOnly => inbound::action(deciding),
        Cause::Clean | Cause::InsufficientEvidence => return quiet(scope, cause),
        _ => return flood(scope, deciding),
    };
    let mut why = Vec::new();
    let earliest = deciding
        .iter()
        .filter_map(|finding| Some((finding.span.first?, *finding)))
        .min_by_key(|(time, f)| (*time, f.subject.value));
    if let Some((time, first)) = earliest {
        why.push(format!(
            "{} UTC: {} {}{action}{}.",
            minute(time),
            quoted(&first.subject.value),
            if subjects(deciding) == 1 { "first " } else { "was the first that " },
            at_line(scope.ledger, &first.evidence)
        ));
    }
    if cause != Cause::InboundOnly {
        let verdict =
            if cause == Cause::OpenRelay { RouteVerdict::RelayedUnauthorised } else { RouteVerdict::RelayDenied };
        why.extend(peak(scope, verdict));
    }
    why.extend(deciding.first().and_then(|worst| worst.why.first().cloned()));
    let latest = deciding
        .iter()
        .filter_map(|finding| Some((finding.span.last?, *finding)))
        .max_by_key(|(time, f)| (*time, std::cmp::Reverse(f.subject.value)));
    if let Some((time, last)) = latest.filter(|_| cause == Cause::OpenRelay) {
        why.push(format!("{} UTC: the last of it, from {}.", minute(time), quoted(&last.subject.value)));
    }
    if cause != Cause::OpenRelay {
        why.extend(scope.doubtful().first().and_then(|doubted| doubted.why.first().cloned()));
    }
    why.extend(exposures(scope, true).iter().filter_map(|finding| finding.why.first().cloned()));
    why
}

/// Lines of the configuration that open the server: those that explain relaying in these logs, or the others.
pub fn exposures<'a>(scope: &Scope<'a>, explain: bool) -> Vec<&'a Finding> {
    let grave = |finding: &&Finding| Severity::Medium <= finding.severity;
    let found = scope.of(Rule::PolicyExposure).filter(grave);
    found.filter(|finding| (0 < finding.recipients_accepted) == explain).collect()
}

/// The facts on the gravest of those who had permission to send.
fn flood(scope: &Scope<'_>, deciding: &[&Finding]) -> Vec<String> {
    let Some(worst) = deciding.first() else { return Vec::new() };
    let mut why = Vec::new();
    if let Some(first) = worst.span.first {
        why.push(format!(
            "{} UTC: the first of it from {}{}.",
            minute(first),
            quoted(&worst.subject.value),
            at_line(scope.ledger, &worst.evidence)
        ));
    }
    let others = deciding.iter().skip(1).filter(|other| other.subject != worst.subject).take(2);
    why.extend(worst.why.iter().cloned());
    why.extend(others.filter_map(|other| other.why.first().cloned()));
    if let Some(last) = worst.span.last {
        why.push(format!("{} UTC: the last of it that was taken in.", minute(last)));
    }
    why
}

/// The busiest hour of a verdict.
fn peak(scope: &Scope<'_>, verdict: RouteVerdict) -> Option<String> {
    let by_hour =
        scope.picture.timeline.iter().filter_map(|(hour, verdicts)| Some((*hour, *verdicts.get(verdict.as_str())?)));
    let by_hour: BTreeMap<i32, u64> = by_hour.collect();
    let (hour, number) = by_hour.iter().max_by_key(|(hour, number)| (**number, std::cmp::Reverse(**hour)))?;
    let what = if verdict == RouteVerdict::RelayDenied { "refused" } else { "relayed" };
    let start = minute(Time(i64::from(*hour) * 3_600_000_000));
    (1 < by_hour.len() && 1 < *number)
        .then(|| format!("The busiest hour was that from {start} UTC, with {} {what}.", recipients(*number)))
}

/// Why nothing is found.
fn quiet(scope: &Scope<'_>, cause: Cause) -> Vec<String> {
    let (records, messages, span) = scope.logged();
    let mut why = vec![format!(
        "The logs hold {} and {}{}.",
        count(records, "record", "records"),
        count(messages, "message", "messages"),
        period(span)
    )];
    if cause == Cause::InsufficientEvidence && 0 < scope.picture.recipients() && scope.picture.told() == 0 {
        why.push(
            "No line shows a client handing in mail: the lines that would are rotated away, or logged elsewhere."
                .to_owned(),
        );
    }
    why
}

/// What was looked for and not seen, and what was not looked for.
pub fn not_seen(scope: &Scope<'_>, cause: Cause) -> Vec<String> {
    let mut out = Vec::new();
    let doubtful = scope.doubtful();
    match cause {
        Cause::OpenRelay | Cause::InsufficientEvidence => {}
        _ if doubtful.is_empty() => out.push("No recipient of a stranger was relayed.".to_owned()),
        _ => out.push(format!(
            "{} went out without log-in: whether that is relaying depends on what is yours.",
            doubt::recipients_of(&doubtful)
        )),
    }
    if cause != Cause::InsufficientEvidence && scope.of(Rule::RelayTrick).next().is_none() {
        out.push("No disguised address (percent, bang, source route, ...) got through.".to_owned());
    }
    out.extend(unaccused(scope));
    out.extend(listed::unaccused(scope));
    if !is_abuse(cause) && cause != Cause::InsufficientEvidence {
        out.extend(volume::not_judged(scope));
    }
    out.extend(untold::recipients_of(scope));
    if cause == Cause::InsufficientEvidence {
        out.extend(scope.missing().map(|gap| gap.what.clone()));
    }
    let lost = scope.lines_lost();
    if 0 < lost {
        out.push(format!("What {} said that got lost on the way into the logs.", count(lost, "line", "lines")));
    }
    if !scope.picture.strays.is_empty() {
        out.push(format!(
            "The server keeps mail for domains that are not stated as local: {}. If they are yours, add them with \
             --local-domain.",
            largest(&scope.picture.strays)
        ));
    }
    out
}

/// What sent mail with permission and is not accused, with its volume.
fn unaccused(scope: &Scope<'_>) -> Vec<String> {
    let picture = scope.picture;
    let kinds = [
        (Rule::CompromisedAccount, &picture.accounts, "account", "accounts"),
        (Rule::AbusedTrustedHost, &picture.hosts, "trusted host", "trusted hosts"),
        (Rule::AbusedLocalScript, &picture.users, "local user", "local users"),
    ];
    let sentence = |(rule, book, one, many): (Rule, &BTreeMap<Text, u64>, &str, &str)| {
        let accused: BTreeSet<&Text> = scope.of(rule).map(|finding| &finding.subject.value).collect();
        let number = book.len().saturating_sub(accused.len());
        let others: BTreeMap<Text, u64> =
            book.iter().filter(|(name, _)| !accused.contains(name)).map(|(name, sent)| (*name, *sent)).collect();
        // A numbered user is accused by the name that it gave: then the book does not tell which it is.
        let told = if others.len() == number { most(&others) } else { String::new() };
        (0 < number).then(|| {
            let other = if accused.is_empty() { "" } else { "other " };
            format!(
                "{} sent mail to outside recipients, {} like a source of spam{told}.",
                count(number as u64, &format!("{other}{one}"), &format!("{other}{many}")),
                if number == 1 { "not" } else { "none of them" },
            )
        })
    };
    let mut out: Vec<String> = kinds.into_iter().filter_map(sentence).collect();
    if 0 < picture.notified && scope.of(Rule::Backscatter).next().is_none() {
        out.push(format!(
            "The server wrote notifications to {}: ordinary bounces, as far as the logs show.",
            count(picture.notified, "outside recipient", "outside recipients")
        ));
    }
    out
}

/// Who of those that are not accused sent most: `: ben (7)`; nothing where the log does not name them.
fn most(book: &BTreeMap<Text, u64>) -> String {
    match (book.len(), book.keys().any(|name| name.is_empty())) {
        (1, true) => String::new(),
        (1, false) => format!(": {}", largest(book)),
        _ => format!(". Most of all: {}", largest(book)),
    }
}

/// Other explanations, likeliest first.
pub fn alternatives(scope: &Scope<'_>, cause: Cause, deciding: &[&Finding]) -> Vec<(Cause, f64, Vec<String>)> {
    let mut out: Vec<(Cause, f64, Vec<String>)> = Vec::new();
    if cause == Cause::OpenRelay {
        let stated = scope.site.states_trusted_networks() && scope.site.states_local_domains();
        let most = deciding.first().map(|worst| quoted(&worst.subject.value)).unwrap_or_default();
        let whose = match subjects(deciding) {
            1 => format!("If {most} is a host of yours, or the domains it wrote to are yours"),
            _ => format!("If {most} and the others are hosts of yours, or the domains they wrote to are yours"),
        };
        let why = format!("{whose}, state them: --trusted-net, --local-domain.");
        out.push((Cause::Clean, if stated { 0.05 } else { 0.25 }, vec![why]));
    }
    let relays = scope.relays();
    if let Some(worst) = relays.first().filter(|_| cause != Cause::OpenRelay) {
        let why = worst.why.first().cloned().into_iter();
        out.push((Cause::OpenRelay, 0.6, why.chain(["This was found besides.".to_owned()]).collect()));
    }
    let doubtful = scope.doubtful();
    if cause != Cause::OpenRelay && relays.is_empty() && !doubtful.is_empty() {
        let why = doubtful.iter().take(3).filter_map(|finding| finding.why.first().cloned()).collect();
        out.push((Cause::OpenRelay, 0.3, why));
    }
    for (other, rule) in ABUSE.iter().filter(|(other, _)| *other != cause) {
        let found: Vec<&Finding> = scope.of(*rule).filter(|finding| Severity::Medium <= finding.severity).collect();
        if let Some(worst) = found.first() {
            let why = worst.why.first().cloned().into_iter();
            out.push((*other, worst.confidence.min(0.6), why.chain(["This was found besides.".to_owned()]).collect()));
        }
    }
    if let Some(listed) = scope.listed().first().filter(|_| !is_abuse(cause) && cause != Cause::InsufficientEvidence) {
        let why = listed.why.first().cloned().into_iter();
        let how = "There must be a reason: abuse before these logs begin, or mail that bypasses this server (directly to port 25).";
        out.push((Cause::InsufficientEvidence, BLOCKED, why.chain([how.to_owned()]).collect()));
    }
    out.sort_by(|a, b| b.1.total_cmp(&a.1));
    out
}

/// How likely it is that logs without abuse do not show enough, if several others say that they block the server.
const BLOCKED: f64 = 0.5;

/// Whether a cause is abuse of the server.
fn is_abuse(cause: Cause) -> bool {
    cause == Cause::OpenRelay || ABUSE.iter().any(|(abuse, _)| *abuse == cause)
}
