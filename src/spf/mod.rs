//! SPF: whether the owner of a domain lets a client use it as reverse-path (RFC 7208), asked of DNS only if the user wants it (`--spf`).
//!
//! [`check`] follows the RFC and asks through [`Zones`]; [`Resolver`] is the one place in the program that uses the network, and
//! nothing but `--spf` makes one. What comes of it is a value, [`Answers`], that is given to the judge.
//!
//! Written out here, since no crate serves: mail-auth 0.15 needs a newer compiler than ours (mail-parser 1.0 wants Rust 1.98), and its
//! versions up to 0.13 do not build without cryptography that SPF has no use for; viaspf is under the GPL. Both leave the
//! network to an asynchronous resolver.

mod answers;
mod check;
mod dns;
mod record;
mod system;
mod wire;

pub use answers::{Answer, Answers, Outcome, Question};
pub use check::{Trouble, Zones, check};
pub use dns::Resolver;
pub use system::{PORT, name_servers};
