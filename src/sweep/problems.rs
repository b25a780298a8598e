//! What is wrong with logs, for people.

use super::file::LogFile;
use crate::ledger::Text;

/// A log has fewer bytes than were read of it.
pub fn shrunk(path: Text, size_bytes: u64, read_bytes: u64) -> String {
    format!(
        "{path}: shorter than it was: {size_bytes} bytes, and {read_bytes} were read of it; what was read stays counted, and \
         nothing more is read of it until it is longer than that"
    )
}

/// A log is not there any more that may have been written to.
pub fn lost(log: &LogFile) -> String {
    let path = log.path;
    let now = match std::fs::metadata(&*path) {
        Ok(metadata) if metadata.is_dir() => "is a folder now",
        Ok(metadata) if metadata.len() == 0 => "was emptied, or an empty file is in its place",
        Ok(_) => "was overwritten, or another file is in its place",
        Err(_) => "is gone",
    };
    let last = log.last().map_or_else(String::new, |time| format!(", of {}", time.rfc3339()));
    format!(
        "{path}: it {now}, and no other file is what it was; what was written to it after its last line that was read{last} \
         is not counted; if it was rotated, give the rotated files too"
    )
}
