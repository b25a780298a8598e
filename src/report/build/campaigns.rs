//! Campaigns: clients that belong together, and relay testers.

use super::lines;
use crate::judge::{Campaign, words};
use crate::ledger::{Ledger, Text};
use crate::report::model::CampaignRow;

/// The row of a campaign.
pub fn row(ledger: &Ledger, campaign: &Campaign) -> CampaignRow {
    let finding = &campaign.finding;
    let texts = |texts: &[Text]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    CampaignRow {
        name: finding.subject.value.to_string(),
        helo: texts(&campaign.hellos),
        reverse_paths: campaign.reverse_paths.clone(),
        clients: campaign.clients.len() as u64,
        networks: campaign.networks,
        addresses: campaign.clients.iter().map(|client| words::client(client).to_string()).collect(),
        accounts: texts(&campaign.accounts),
        servers: texts(&campaign.servers),
        first: finding.span.first,
        last: finding.span.last,
        messages: finding.messages,
        recipients_accepted: finding.recipients_accepted,
        recipients_denied: finding.recipients_denied,
        auth_failures: campaign.auth_failures,
        rules: campaign.rules.clone(),
        severity: finding.severity,
        why: finding.why.clone(),
        evidence: lines(ledger, &finding.evidence),
    }
}
