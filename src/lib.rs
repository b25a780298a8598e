//! Reads the logs that mail servers write and tells, with evidence, whether a server was abused
//! to relay mail for somebody it should not have served.
//!
//! The stages, each of which knows only the one before it (see `docs/ARCHITECTURE.md`):
//! source, split, parse (crate `relayaudit-parsers`), correlate, observe, judge, report.

pub mod cli;
pub mod clock;
pub mod correlate;
pub mod extract;
pub mod fold;
pub mod follow;
pub mod geoip;
pub mod judge;
pub mod layout;
pub mod ledger;
pub mod merge;
pub mod observe;
pub mod report;
pub mod saved;
pub mod scan;
pub mod scribe;
pub mod site;
pub mod source;
pub mod spf;
pub mod sweep;
pub mod trace;
