//! Detectors: pure functions of the finished ledger and the site. They never read a log.

pub mod finding;
