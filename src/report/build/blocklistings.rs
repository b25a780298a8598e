//! Blocklistings: what other servers say of ours, a row for each list and address.

use super::{lines, subject};
use crate::judge::{Blocklisting, Directory, Relation};
use crate::ledger::{Evidence, Ledger};
use crate::report::model::{BlocklistingRow, RelationRow};

/// The row of one listing.
pub fn row(ledger: &Ledger, row: &Blocklisting, directory: Option<&Directory>) -> BlocklistingRow {
    let listing = &row.listing;
    let evidence: Vec<Evidence> = listing.evidence.iter().cloned().collect();
    BlocklistingRow {
        list: row.list.to_string(),
        about: row.about,
        server: row.server.to_string(),
        address: row.address.map(|address| address.to_string()),
        receivers: listing.receivers.iter().map(ToString::to_string).collect(),
        first: listing.span.first,
        last: listing.span.last,
        replies: listing.replies,
        deferred: listing.deferred,
        bounced: listing.bounced,
        preceded_by: row.preceded_by.as_ref().map(|by| relation(by, directory)),
        precedes: row.precedes.as_ref().map(|by| relation(by, directory)),
        evidence: lines(ledger, &evidence),
        delist: row.delist,
        receivers_total: listing.all_receivers.estimate(),
    }
}

fn relation(relation: &Relation, directory: Option<&Directory>) -> RelationRow {
    RelationRow { rule: relation.rule, subject: subject(&relation.subject, directory), minutes: relation.minutes }
}
