//! Tell: what a sweep has found out, for people and for programs.

pub mod ecs;
pub mod nagios;
pub mod prometheus;
pub mod syslog;
pub mod text;
pub mod webhook;

/// What could not be told, and why, for people.
pub type Failed = String;
