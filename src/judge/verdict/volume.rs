//! What a verdict says of unusual volume: it never changes the cause.

use super::Scope;
use crate::judge::finding::Rule;
use crate::judge::volume_anomaly;
use crate::judge::words::{count, list, quoted};

/// Subjects named at most.
const NAMED: usize = 3;

/// Where it was not looked for, as the logs are too short to show what is usual.
pub fn not_judged(scope: &Scope<'_>) -> Option<String> {
    let picture = scope.picture;
    if picture.accounts.is_empty() && picture.hosts.is_empty() && picture.users.is_empty() {
        return None;
    }
    let within = scope.ledger.servers.iter().filter(|(server, _)| scope.holds(server));
    let (least, most) = within.map(|(_, facts)| volume_anomaly::days(facts)).max_by_key(|(_, days)| *days)?;
    (0 < most && most < least).then(|| {
        format!(
            "Whether anybody sent more than usual cannot be told: the logs hold {}, and what is usual shows from {least} on.",
            count(most as u64, "day", "days")
        )
    })
}

/// Whom to look at.
pub fn look(scope: &Scope<'_>) -> Option<String> {
    let found: Vec<_> = scope.of(Rule::VolumeAnomaly).collect();
    let named: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|finding| format!("{} {}", finding.subject.kind, quoted(&finding.subject.value)))
        .collect();
    let more = found.len().saturating_sub(named.len()) as u64;
    let more = if 0 < more { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| {
        format!(
            "Far more mail than usual came from {}{more}: ask whether it was a mailing (volume-anomaly among the findings).",
            list(&named)
        )
    })
}
