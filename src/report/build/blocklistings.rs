//! Blocklistings: what other servers say of ours, a row for each list and address.

use super::lines;
use crate::judge::{Blocklisting, Relation};
use crate::ledger::{Evidence, Ledger};
use crate::report::model::{BlocklistingRow, RelationRow, SubjectRow};

/// The row of one listing.
pub fn row(ledger: &Ledger, row: &Blocklisting) -> BlocklistingRow {
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
        preceded_by: row.preceded_by.as_ref().map(relation),
        precedes: row.precedes.as_ref().map(relation),
        evidence: lines(ledger, &evidence),
        delist: row.delist,
        receivers_total: listing.all_receivers.estimate(),
    }
}

fn relation(relation: &Relation) -> RelationRow {
    let subject = SubjectRow { kind: relation.subject.kind, value: relation.subject.value.to_string() };
    RelationRow { rule: relation.rule, subject, minutes: relation.minutes }
}
