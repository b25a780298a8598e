//! The words for what came in and did not go out.

use crate::judge::finding::{Finding, Rule};
use crate::judge::words::{list, quoted};

/// What came in, for the headline.
pub fn what(deciding: &[&Finding], clients: &str, servers: &str) -> String {
    let named: Vec<String> = deciding.iter().take(3).map(|finding| quoted(&finding.subject.value)).collect();
    let named = list(&named);
    match deciding.first().map(|finding| finding.rule) {
        Some(Rule::BackscatterVictim) => format!(
            "somebody sends mail elsewhere in the name of {named}, and its bounces came to {servers}; that mail did not go \
             through it"
        ),
        Some(Rule::LookalikeDomain) => {
            format!("mail under names like yours ({named}) came in to {servers}; it did not go out")
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
        Some(Rule::LookalikeDomain) => "sent mail under a name like yours",
        Some(Rule::NullSenderAbuse) => "sent to many without a reverse-path",
        _ => "used a name of yours",
    }
}
