//! What lies in folders.
