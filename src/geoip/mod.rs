//! Countries and autonomous systems of addresses, from databases in MaxMind's format that the user gives (`--geoip`).
//!
//! Only judging and reporting ask: no book holds any of it, so a saved ledger can be judged with another database. What a database
//! says is its maker's opinion of the day on which it was built, and names of networks are text of strangers: they stay
//! raw here and are escaped for each medium like the text of logs.
//!
//! Format: <https://maxmind.github.io/MaxMind-DB/> (version 2.0).

mod record;

use crate::judge::words;
use crate::ledger::Text;
use chrono::DateTime;
use maxminddb::{MaxMindDbError, Reader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Records that are looked at to see what a database tells.
const TRIED: usize = 1_000;

/// A file that cannot be used as a database of networks.
#[derive(Debug, thiserror::Error)]
#[error("--geoip {}: {what}", path.display())]
pub struct Error {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and what would do.
    pub what: String,
}

/// Where an address is, as far as the databases know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whereabouts {
    /// The country: two capital letters (ISO 3166-1 alpha-2).
    pub country: Option<Text>,
    /// The number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs that, as the database spells it. Raw: escape for the medium.
    pub as_name: Option<Text>,
}

impl Whereabouts {
    /// The autonomous system in words: `AS64500 Example Net`.
    pub fn system(&self) -> Option<String> {
        let asn = self.asn?;
        Some(match self.as_name {
            Some(name) => format!("AS{asn} {}", words::quoted(&name)),
            None => format!("AS{asn}"),
        })
    }

    /// All of it in words: `BR, AS64500 Example Net`; `None` if nothing is known.
    pub fn said(&self) -> Option<String> {
        let country = self.country.map(|country| country.to_string());
        let parts: Vec<String> = country.into_iter().chain(self.system()).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Takes over what is not known yet.
    fn complete(&mut self, other: Whereabouts) {
        self.country = self.country.or(other.country);
        // A number and its name belong together.
        if self.asn.is_none() {
            (self.asn, self.as_name) = (other.asn, other.as_name);
        }
    }
}

/// The databases that the user gave; without any, nothing is known of any address.
#[derive(Debug, Default)]
pub struct GeoIp {
    databases: Vec<Database>,
}

#[derive(Debug)]
struct Database {
    reader: Reader<Vec<u8>>,
    path: PathBuf,
}

impl GeoIp {
    /// Reads databases into memory. Of two that tell the same, the first counts.
    ///
    /// Fails for a file that cannot be read, is no such database or a damaged one, or tells neither countries nor autonomous systems.
    pub fn load(paths: &[PathBuf]) -> Result<GeoIp, Error> {
        let databases: Result<Vec<Database>, Error> = paths.iter().map(|path| Database::load(path)).collect();
        Ok(GeoIp { databases: databases? })
    }

    /// Whether the user gave none.
    pub fn is_empty(&self) -> bool {
        self.databases.is_empty()
    }

    /// Where an address is; `None` if there is no database to ask.
    pub fn of(&self, address: IpAddr) -> Option<Whereabouts> {
        let mut found = (!self.is_empty()).then(Whereabouts::default)?;
        self.databases.iter().for_each(|database| found.complete(record::whereabouts(&database.reader, address)));
        Some(found)
    }

    /// What was asked, for people: `geo.mmdb (GeoLite2-Country, made on 2026-11-24)`.
    pub fn titles(&self) -> Vec<String> {
        self.databases.iter().map(Database::title).collect()
    }
}

impl Database {
    fn load(path: &Path) -> Result<Database, Error> {
        let fault = |what: String| Error { path: path.to_owned(), what };
        let bytes = std::fs::read(path).map_err(|error| fault(format!("cannot read: {error}")))?;
        let packed = packing(&bytes);
        let reader = Reader::from_source(bytes).map_err(|error| fault(no_database(&error, packed)))?;
        let database = Database { reader, path: path.to_owned() };
        let tells = database.tells();
        match tells.map_err(|error| fault(format!("a damaged database: {error}; get the file anew")))? {
            true => Ok(database),
            false => Err(fault(database.wrong_kind())),
        }
    }

    /// Whether any of its first records tells a country or an autonomous system.
    fn tells(&self) -> Result<bool, MaxMindDbError> {
        for found in self.reader.networks(Default::default())?.take(TRIED) {
            if record::read(&found?)? != Whereabouts::default() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn wrong_kind(&self) -> String {
        format!(
            "this database ({}) tells neither countries nor autonomous systems; expected one of the kinds Country, City or ASN",
            words::quoted(&self.reader.metadata().database_type)
        )
    }

    fn title(&self) -> String {
        let metadata = self.reader.metadata();
        let made = i64::try_from(metadata.build_epoch).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let made = made.map(|made| format!(", made on {}", made.format("%Y-%m-%d"))).unwrap_or_default();
        format!("{} ({}{made})", self.path.display(), words::quoted(&metadata.database_type))
    }
}

/// What a file is that is no database itself, but may hold one.
fn packing(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 5] = [
        (b"\x1f\x8b", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
    ];
    kinds.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

fn no_database(error: &MaxMindDbError, packed: Option<&str>) -> String {
    match packed {
        Some(packed) => format!("packed with {packed}; unpack it and name the .mmdb file in it"),
        None => format!(
            "no database in MaxMind's format (.mmdb), or one that was cut off: {error}; expected the whole, unpacked file of a \
             Country, City or ASN database"
        ),
    }
}
