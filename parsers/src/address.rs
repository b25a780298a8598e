//! Addresses in the envelope: their domain, and the tricks by which relay probes hide a second one.
