//! The words for what came in and did not go out.

use crate::judge::finding::{Finding, Rule};
use crate::judge::words::{list, quoted, thousands};

/// What came in, for the headline.
pub fn what(deciding: &[&Finding], clients: &str, servers: &str) -> String {
    const NAMED: usize = 3;
    let named = deciding.iter().take(NAMED).map(|finding| quoted(&finding.subject.value));
    let rest = deciding.len().saturating_sub(NAMED) as u64;
    let named = list(&named.chain((0 < rest).then(|| format!("{} more", thousands(rest)))).collect::<Vec<_>>());
    match deciding.first().map(|finding| finding.rule) {
        Some(Rule::BackscatterVictim) => format!(
            "somebody sends mail elsewhere in the name of {named}, and its bounces came to {servers}; that mail did not go \
             through it"
        ),
        Some(Rule::LookalikeDomain) => {
            format!("mail from domains that imitate yours ({named}) came in to {servers}; it did not go out")
        }
        Some(Rule::NullSenderAbuse) => {
            format!(
                "{clients} sent mail to many users of {servers} as if it were bounces; it came in, it did not go out"
            )
        }
        _ => format!("{clients} used your names in mail to {servers}; it came in, it did not go out"),
    }
}

/// What the first of them did.
pub fn action(deciding: &[&Finding]) -> &'static str {
    match deciding.first().map(|finding| finding.rule) {
        Some(Rule::BackscatterVictim) => "got bounces of what it had not sent",
        Some(Rule::LookalikeDomain) => "sent mail that imitates a domain of yours",
        Some(Rule::NullSenderAbuse) => "sent to many without a reverse-path",
        _ => "used a name of yours",
    }
}
