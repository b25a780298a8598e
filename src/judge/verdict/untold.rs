//! The words for what the logs do not tell.

use super::{Scope, doubt};
use crate::judge::route::RouteVerdict;
use crate::judge::words::{count, recipients};

/// The headline of logs that do not show enough.
pub fn headline(scope: &Scope<'_>, servers: &str) -> String {
    match scope.picture.recipients() {
        _ if scope.logged().0 == 0 => unread(scope),
        0 => "Cannot tell: the logs show no mail at all.".to_owned(),
        _ if scope.is_scanty() && 0 < scope.picture.told() => scanty(scope),
        all if all == scope.picture.of(RouteVerdict::Rejected) => format!(
            "Cannot tell: the logs of {servers} show {} and no mail that was taken in.",
            count(all, "refused recipient", "refused recipients")
        ),
        all => format!(
            "Cannot tell: the logs of {servers} show {} but not who handed {} in.",
            recipients(all),
            if all == 1 { "it" } else { "them" }
        ),
    }
}

/// Recipients of which the logs show one side only; `None` without any.
pub fn recipients_of(scope: &Scope<'_>) -> Option<String> {
    let untold = scope.picture.of(RouteVerdict::Unknown);
    let them = if untold == 1 { "it" } else { "them" };
    (0 < untold).then(|| {
        format!("Of {}, the logs do not tell who handed {them} in or what became of {them}.", recipients(untold))
    })
}

/// The headline of logs without any line about mail, or without one of the time that was asked for.
fn unread(scope: &Scope<'_>) -> String {
    match scope.ledger.inputs.values().any(|input| 0 < input.records) {
        true => "Cannot tell: the logs hold no mail of the time that was asked for.".to_owned(),
        false => "Cannot tell: nothing about mail could be read.".to_owned(),
    }
}

/// The headline of a few lines.
fn scanty(scope: &Scope<'_>) -> String {
    let lines = count(scope.logged().0, "line", "lines");
    let doubtful = scope.doubtful();
    match doubtful.is_empty() {
        true => format!(
            "Cannot tell from so little: {lines} about mail show no relaying by strangers, but they are only a piece of the log."
        ),
        false => format!(
            "Cannot tell from so little: {} went out without log-in, and {lines} {} not show whether that is relaying.",
            doubt::recipients_of(&doubtful),
            if scope.logged().0 == 1 { "does" } else { "do" }
        ),
    }
}
