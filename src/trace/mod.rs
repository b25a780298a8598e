//! Trace: the whole life of a message, or of all messages of a client, an account, an address, across files and servers.
//!
//! The logs are read several times, each time by the same correlator as for `scan` and `extract`. The first pass keeps the
//! messages that match a key ([`Wanted`]); every further one also those that an id of a kept message leads to (`queued
//! as`, `forwarded as`, a notification, the Message-ID), until no id is new. So the memory is bounded by what matches
//! ([`store::MOST`]) and not by the log, and no index of all ids is needed.
//!
//! [`chains`] then links the lives of one message on several servers; what only shares an id, and is not linked to a
//! message that matches a key, is left out. [`document`] is what is published, and the renderers print.

pub mod answer;
pub mod chains;
pub mod document;
mod ends;
mod hops;
pub mod key;
pub mod life;
mod linking;
pub mod making;
mod missing;
pub mod pasted;
pub mod run;
mod scribe;
mod steps;
pub mod store;
pub mod tree;
mod wanted;
pub mod words;

pub use document::Document;
pub use key::{Key, Kind};
pub use life::Life;
pub use scribe::Traces;
pub use wanted::Wanted;
