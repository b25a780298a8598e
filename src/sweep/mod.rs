//! Sweep: reads what is new in logs since it last looked, and keeps what it has learnt in a state file.

pub mod books;
pub mod days;
mod error;
pub mod file;
mod find;
pub mod load;
pub mod read;
mod runs;
pub mod state;

use state::{Open, State};

pub use error::{Error, SCHEMA};

/// Reads what is new in logs into a state, all or nothing.
pub fn read_into(state: &mut State, options: &read::Options) -> Result<read::Learnt, Error> {
    let open: Open<'_> = state.change()?;
    let learnt = read::read(&open, options)?;
    open.commit()?;
    Ok(learnt)
}
