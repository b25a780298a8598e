//! Sweep: reads what is new in logs since it last looked, and keeps what it has learnt in a state file.

pub mod days;
