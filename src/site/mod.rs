//! The site: what is ours. Stated by the user, or inferred from the ledger.
