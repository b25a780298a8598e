//! What to do now, step by step.

use super::texts::exposures;
use super::{Scope, doubt};
use crate::judge::finding::{Cause, Finding};
use crate::judge::words::{list, minute, quoted};
use std::collections::BTreeSet;

/// Settings and files to name at most: more would not be read.
const STEPS: usize = 4;

/// What to do now.
pub fn next(scope: &Scope<'_>, cause: Cause, deciding: &[&Finding]) -> Vec<String> {
    let mut next: Vec<String> = match cause {
        Cause::OpenRelay if !exposures(scope, true).is_empty() => {
            let told = exposures(scope, true).into_iter().take(1);
            let steps = told.flat_map(|finding| {
                finding.remedy.iter().take(1).map(|step| format!("{}: {step}", quoted(&finding.subject.value)))
            });
            return steps.chain(deciding.first().into_iter().flat_map(|worst| worst.remedy.iter().cloned())).collect();
        }
        Cause::OpenRelay
        | Cause::CompromisedAccount
        | Cause::AbusedTrustedHost
        | Cause::AbusedLocalScript
        | Cause::Backscatter => return deciding.first().map(|worst| worst.remedy.clone()).unwrap_or_default(),
        Cause::ProbesOnly => vec!["Against the probes: nothing. The server refused them.".to_owned()],
        Cause::InboundOnly => deciding.first().map(|worst| worst.remedy.clone()).unwrap_or_default(),
        Cause::InsufficientEvidence => for_evidence(scope),
        _ => Vec::new(),
    };
    next.splice(0..0, doubt::settle(scope));
    next.extend(blocked(scope));
    next.extend(super::volume::look(scope));
    next.extend(exposures(scope, false).first().map(|worst| {
        format!(
            "The configuration opens the server, though these logs show nobody who uses it: {}. See policy-exposure among the findings.",
            quoted(&worst.subject.value)
        )
    }));
    if cause != Cause::InsufficientEvidence {
        let names = [
            (&scope.picture.accounts, "accounts"),
            (&scope.picture.hosts, "trusted hosts"),
            (&scope.picture.users, "local users"),
        ];
        let seen: Vec<&str> = names.iter().filter(|(book, _)| !book.is_empty()).map(|(_, name)| *name).collect();
        if !seen.is_empty() {
            let condition =
                if scope.listed().is_empty() { "If you were block-listed all the same, first" } else { "Then" };
            next.push(format!("{condition} look at the {} that sent most.", list(&seen)));
        }
        next.push(
            "Look at the firewall's log for hosts that connect to port 25 outside by themselves: they do not show here."
                .to_owned(),
        );
    }
    next
}

/// What to give or to switch on so that the logs tell.
fn for_evidence(scope: &Scope<'_>) -> Vec<String> {
    let mut next: Vec<String> = Vec::new();
    if scope.is_scanty() && 0 < scope.picture.told() {
        next.push(
            "Give the whole log with its older files, from before the trouble began, and say what is yours: \
             --local-domain, --trusted-net."
                .to_owned(),
        );
        return next;
    }
    for gap in scope.missing() {
        if !next.contains(&gap.advice) {
            next.push(gap.advice.clone());
        }
    }
    next.truncate(STEPS);
    if next.is_empty() {
        next.push(
            "Give the logs that show mail coming in: older rotated files, the other daemons' files, or all servers."
                .to_owned(),
        );
        next.push(
            "If there are none, switch on SMTP logging with client addresses, wait a day, and scan again.".to_owned(),
        );
    } else {
        next.push("If it had to be switched on, wait a day. Then scan all of it together again.".to_owned());
    }
    next
}

/// What to do where others block the server, and no abuse shows.
fn blocked(scope: &Scope<'_>) -> Option<String> {
    let listed = scope.listed();
    let first = listed.iter().filter_map(|finding| finding.span.first).min()?;
    let names: BTreeSet<&str> = listed.iter().map(|finding| finding.subject.value.as_ref()).collect();
    let begins = scope.logged().2.first.map(|time| format!(" ({} UTC)", minute(time))).unwrap_or_default();
    Some(format!(
        "Other servers say that they block {} since {} UTC at the latest, and these logs show no abuse: scan older logs, as it may have \
         happened before these begin{begins}, and look at the firewall's log, as it may bypass the mail server. How to get off the \
         lists is told with each.",
        list(&names.into_iter().map(quoted).collect::<Vec<_>>()),
        minute(first)
    ))
}
