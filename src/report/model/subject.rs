//! Whom a finding concerns, and where a client is.

use crate::geoip::Whereabouts;
use serde::Serialize;

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubjectRow {
    /// `client`, `account`, `server`, ...
    pub kind: &'static str,
    /// The address, the account name, ...
    pub value: String,
    /// Where a client is; left out without a database, and for others than clients.
    #[serde(flatten)]
    pub located: Option<LocatedRow>,
}

/// Where a client is, as the databases of `--geoip` know it; each is null if they do not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LocatedRow {
    /// The country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs it. Raw.
    pub as_name: Option<String>,
}

impl From<&Whereabouts> for LocatedRow {
    fn from(found: &Whereabouts) -> LocatedRow {
        LocatedRow {
            country: found.country.map(|country| country.to_string()),
            asn: found.asn,
            as_name: found.as_name.map(|name| name.to_string()),
        }
    }
}

impl LocatedRow {
    /// Country and system on one line, for a narrow column: `BR AS64500 Example Net`; empty if neither is known. Raw.
    pub fn short(&self) -> String {
        let system = self.asn.map(|asn| format!("AS{asn}"));
        let parts = [self.country.as_deref(), system.as_deref(), self.as_name.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}
