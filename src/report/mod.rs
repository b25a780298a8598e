//! The report: the published tables, made once, rendered for every medium.
