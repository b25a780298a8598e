//! Logs, archives and files that somebody wrote who means harm: nothing forged reaches a finding, nothing harmful comes out, and nothing takes
//! more time or memory than what is read.

#![allow(clippy::unwrap_used)]

mod common;

#[path = "hostile/files.rs"]
mod files;
#[path = "hostile/forged.rs"]
mod forged;
#[path = "hostile/inject.rs"]
mod inject;
#[path = "hostile/outputs.rs"]
mod outputs;
#[path = "hostile/packed.rs"]
mod packed;
#[path = "common/packing.rs"]
mod packing;
