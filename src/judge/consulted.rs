//! Consulted: what others know of the clients in the logs, gathered before anything is judged and given to the judge as a value.
//!
//! Empty unless the user asks for it. The books hold none of it.

use crate::geoip::GeoIp;
use crate::spf::Answers;
use std::sync::Arc;

/// What was asked besides the logs.
#[derive(Debug, Clone, Default)]
pub struct Consulted {
    /// Countries and autonomous systems of addresses.
    pub geo: Arc<GeoIp>,
    /// What the owners of domains say of clients that use them.
    pub spf: Arc<Answers>,
}
