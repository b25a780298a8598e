//! The report: the published tables, made once, rendered for every medium.
//!
//! [`Report::build`] makes the document of schema `relayaudit.report/1` (`docs/report.schema.json`);
//! every renderer reads that document and nothing else, so that all media say the same. Text from
//! the logs is raw in it: each renderer neutralises it for its medium (see [`escape`]).
//!
//! A new medium is one file with a function `write(&Report, &mut dyn io::Write)`.

mod build;
pub mod csv;
pub mod escape;
pub(crate) mod figures;
mod frames;
pub mod handovers;
pub mod json;
pub mod markdown;
pub mod model;
pub(crate) mod phrases;
pub mod rows;
pub mod site_toml;
pub mod submitters;
pub mod tables;
pub mod terminal;
pub mod trace;

pub use build::Run;
pub use model::{Report, SCHEMA};
pub use tables::{Error, write_tables};
pub use terminal::Look;
