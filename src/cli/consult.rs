//! What judging is given besides logs and site: read or asked before anything is judged.

use super::Error;
use super::args::ConsultOptions;
use crate::geoip::GeoIp;
use crate::judge::Consulted;
use std::sync::Arc;

/// Reads what the options name. Call it before the logs are read: a wrong file must not cost a scan.
pub fn load(options: &ConsultOptions) -> Result<Consulted, Error> {
    Ok(Consulted { geo: Arc::new(GeoIp::load(&options.geoip)?) })
}
