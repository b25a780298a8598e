//! Records: the country and the autonomous system in one entry of a database, whoever made it.
//!
//! Layouts, as their makers publish them:
//! - MaxMind GeoIP2 and GeoLite2 Country and City: `country.iso_code`, `registered_country.iso_code`; ASN and ISP:
//!   `autonomous_system_number`, `autonomous_system_organization`; Enterprise: the same below `traits`
//!   (<https://dev.maxmind.com/geoip/docs/databases>).
//! - DB-IP Country, City and ASN Lite: as MaxMind (<https://db-ip.com/db/format/ip-to-country-lite/mmdb.html>).
//! - IPinfo Lite: `country` (a name), `country_code`, `asn` (`AS64500`), `as_name`
//!   (<https://ipinfo.io/developers/ipinfo-lite-database>); its older country and ASN files: `country` (the code), `asn`,
//!   `as_name` or `name` (<https://ipinfo.io/developers/ip-to-country-asn-database>).
//! - ip-location-db: `country_code`; `autonomous_system_number`, `autonomous_system_organization`
//!   (<https://github.com/sapics/ip-location-db>).

use super::Whereabouts;
use crate::ledger::Text;
use maxminddb::{LookupResult, MaxMindDbError, PathElement, Reader};
use serde::Deserialize;
use std::net::IpAddr;

/// Where the country stands. That of the registration comes last: it is where the owner of the network sits.
const COUNTRY: &[&[&str]] =
    &[&["country", "iso_code"], &["country_code"], &["country"], &["registered_country", "iso_code"]];
/// Where the number of the autonomous system stands.
const NUMBER: &[&[&str]] = &[&["autonomous_system_number"], &["traits", "autonomous_system_number"], &["asn"]];
/// Where its name stands.
const NAME: &[&[&str]] =
    &[&["autonomous_system_organization"], &["traits", "autonomous_system_organization"], &["as_name"], &["name"]];

type Found<'a> = LookupResult<'a, Vec<u8>>;

/// A value of a record, as far as it is of use.
#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(u32),
    Text(String),
    Other(serde::de::IgnoredAny),
}

/// What a database knows of an address: nothing if it has no record of it, or one that cannot be read.
pub fn whereabouts(reader: &Reader<Vec<u8>>, address: IpAddr) -> Whereabouts {
    // A database of IPv4 refuses to be asked for IPv6.
    reader.lookup(address).and_then(|found| read(&found)).unwrap_or_default()
}

/// What a record says. Fails if the database is damaged there.
pub fn read(found: &Found<'_>) -> Result<Whereabouts, MaxMindDbError> {
    let mut told = Whereabouts { country: first(found, COUNTRY, country)?, ..Whereabouts::default() };
    told.asn = first(found, NUMBER, number)?;
    if told.asn.is_some() {
        told.as_name = first(found, NAME, name)?;
    }
    Ok(told)
}

/// The first of some fields that says something.
fn first<T>(
    found: &Found<'_>,
    paths: &[&[&str]],
    meaning: fn(Value) -> Option<T>,
) -> Result<Option<T>, MaxMindDbError> {
    for path in paths {
        let path: Vec<PathElement<'_>> = path.iter().map(|key| PathElement::Key(key)).collect();
        match found.decode_path::<Value>(&path) {
            Ok(value) => match value.and_then(meaning) {
                Some(meant) => return Ok(Some(meant)),
                None => continue,
            },
            // The path leads through something that has no fields: another layout.
            Err(MaxMindDbError::Decoding { .. }) => continue,
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Two letters; a name of a country is none.
fn country(value: Value) -> Option<Text> {
    match value {
        Value::Text(code) if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Some(code.to_ascii_uppercase().into())
        }
        _ => None,
    }
}

/// `64500`, or `AS64500`. 0 stands for none (RFC 7607).
fn number(value: Value) -> Option<u32> {
    let number = match value {
        Value::Number(number) => number,
        Value::Text(text) => text.strip_prefix("AS").unwrap_or(&text).parse().ok()?,
        Value::Other(_) => return None,
    };
    (0 < number).then_some(number)
}

fn name(value: Value) -> Option<Text> {
    match value {
        Value::Text(text) if !text.trim().is_empty() => Some(text.trim().into()),
        _ => None,
    }
}
