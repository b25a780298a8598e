//! The files: layouts of several makers, what is no database, what is damaged.

use super::mmdb::{Value, database, map, text};
use super::{countries, folder, one_hour, run};
use relayaudit::geoip::GeoIp;
use std::net::IpAddr;

/// Databases of several makers that know 203.0.113.7, and what each makes of it.
#[test]
fn layouts_of_several_makers() {
    let check = |record: Value, country: Option<&str>, system: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.mmdb");
        // The other record makes it a database of the right kind, whatever the first says.
        let other = map([("country_code", text("ZZ"))]);
        std::fs::write(&path, database("X", &[("203.0.113.0/24", record), ("198.51.100.0/24", other)])).unwrap();
        let found = GeoIp::load(&[path]).unwrap().of("203.0.113.7".parse().unwrap()).unwrap();
        assert_eq!((found.country.as_deref(), found.system().as_deref()), (country, system));
    };
    let code = |code: &str| map([("iso_code", text(code)), ("names", map([("en", text("Somewhere"))]))]);
    check(map([("country", code("BR")), ("registered_country", code("US"))]), Some("BR"), None);
    check(map([("continent", map([("code", text("SA"))])), ("registered_country", code("US"))]), Some("US"), None);
    check(
        map([
            ("autonomous_system_number", Value::Number(64_500)),
            ("autonomous_system_organization", text("Example Net")),
        ]),
        None,
        Some("AS64500 Example Net"),
    );
    check(map([("autonomous_system_number", Value::Number(64_500))]), None, Some("AS64500"));
    let traits = [("autonomous_system_number", Value::Number(64_500)), ("autonomous_system_organization", text("E"))];
    check(map([("country", code("BR")), ("traits", map(traits))]), Some("BR"), Some("AS64500 E"));
    // IPinfo Lite, and its older layouts.
    check(
        map([
            ("country", text("Brazil")),
            ("country_code", text("BR")),
            ("asn", text("AS64500")),
            ("as_name", text("Example Net")),
            ("as_domain", text("example.net")),
        ]),
        Some("BR"),
        Some("AS64500 Example Net"),
    );
    check(map([("country", text("BR")), ("country_name", text("Brazil"))]), Some("BR"), None);
    check(map([("asn", text("AS64500")), ("name", text("Example Net"))]), None, Some("AS64500 Example Net"));
    // ip-location-db.
    check(map([("country_code", text("br"))]), Some("BR"), None);
    // What tells nothing.
    check(map([("country", text("Brazil"))]), None, None);
    check(map([("asn", text("none")), ("as_name", text("x"))]), None, None);
    check(map([("autonomous_system_number", Value::Number(0)), ("name", text("x"))]), None, None);
    check(text("BR"), None, None);
    check(map([]), None, None);
}

#[test]
fn what_is_no_database_is_said_before_anything_is_read() {
    let folder = folder(&one_hour(1), &["BR"], &[64_500]);
    let here = folder.path();
    let whole = std::fs::read(here.join("c.mmdb")).unwrap();
    std::fs::write(here.join("cut.mmdb"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(here.join("text.mmdb"), "start_ip,end_ip,country\n").unwrap();
    std::fs::write(here.join("packed.mmdb.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
    // The data gone, the end still there.
    let marker = whole.windows(14).position(|at| at == b"\xab\xcd\xefMaxMind.com").unwrap();
    std::fs::write(here.join("hole.mmdb"), [&whole[..40], &whole[marker..]].concat()).unwrap();
    let domains = database("GeoIP2-Domain", &[("203.0.113.0/24", map([("domain", text("example.net"))]))]);
    std::fs::write(here.join("domain.mmdb"), domains).unwrap();
    std::fs::write(here.join("empty.mmdb"), database("GeoLite2-Country", &[])).unwrap();
    for (file, said) in [
        ("gone.mmdb", "--geoip gone.mmdb: cannot read: "),
        (".", "--geoip .: cannot read: "),
        ("cut.mmdb", "--geoip cut.mmdb: no database in MaxMind's format (.mmdb), or one that was cut off: "),
        ("hole.mmdb", "--geoip hole.mmdb: no database in MaxMind's format (.mmdb), or one that was cut off: "),
        ("text.mmdb", "--geoip text.mmdb: no database in MaxMind's format"),
        ("packed.mmdb.gz", "--geoip packed.mmdb.gz: packed with gzip; unpack it and name the .mmdb file in it"),
        (
            "domain.mmdb",
            "--geoip domain.mmdb: this database (GeoIP2-Domain) tells neither countries nor autonomous systems; expected one of the kinds \
             Country, City or ASN",
        ),
        ("empty.mmdb", "tells neither countries nor autonomous systems"),
    ] {
        let done = run(here, &["scan", "mail.log", "--geoip", "c.mmdb", "--geoip", file]);
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{file}: {stderr}");
        assert!(stderr.contains(said), "{said:?} is not in {stderr:?}");
        assert!(done.stdout.is_empty(), "{file}");
    }
}

/// Whatever is cut off or changed, nothing panics: the file is refused, or knows less.
#[test]
fn damaged_databases_cannot_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mmdb");
    let whole = countries(&["BR", "CN", "DE"]);
    let address: IpAddr = "2001:db8:1::7".parse().unwrap();
    std::fs::write(&path, &whole).unwrap();
    let sound = GeoIp::load(std::slice::from_ref(&path)).unwrap();
    assert_eq!(sound.of(address).unwrap().country.as_deref(), Some("CN"));
    for at in 0..whole.len() {
        for damaged in [whole[..at].to_vec(), [&whole[..at], &[whole[at] ^ 0xff], &whole[at + 1..]].concat()] {
            std::fs::write(&path, damaged).unwrap();
            if let Ok(geo) = GeoIp::load(std::slice::from_ref(&path)) {
                let country = geo.of(address).unwrap().country;
                assert!(country.is_none_or(|country| country.len() == 2));
            }
        }
    }
}
