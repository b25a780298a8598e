//! check_host() on zones in memory. Some cases are the examples of RFC 7208, appendix A.

#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::BTreeMap;

/// Records by kind and name: `("TXT", "example.org", "v=spf1 -all")`. `!` for a value is a server that fails.
#[derive(Default)]
struct Table {
    records: BTreeMap<(&'static str, String), Vec<String>>,
    asked: u32,
}

impl Table {
    fn of(rows: &[(&'static str, &str, &str)]) -> Table {
        let mut table = Table::default();
        for (kind, name, value) in rows {
            table.records.entry((kind, (*name).to_owned())).or_default().push((*value).to_owned());
        }
        table
    }

    fn get(&mut self, kind: &'static str, name: &str) -> Result<Vec<String>, Trouble> {
        self.asked += 1;
        let found = self.records.get(&(kind, name.to_ascii_lowercase())).cloned().unwrap_or_default();
        if found.iter().any(|value| value == "!") { Err("the server failed".to_owned()) } else { Ok(found) }
    }
}

impl Zones for Table {
    fn texts(&mut self, name: &str) -> Result<Vec<Vec<u8>>, Trouble> {
        Ok(self.get("TXT", name)?.into_iter().map(String::into_bytes).collect())
    }

    fn addresses(&mut self, name: &str, like: IpAddr) -> Result<Vec<IpAddr>, Trouble> {
        let kind = if like.is_ipv4() { "A" } else { "AAAA" };
        Ok(self.get(kind, name)?.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn exchanges(&mut self, name: &str) -> Result<Vec<String>, Trouble> {
        self.get("MX", name)
    }

    fn names(&mut self, address: IpAddr) -> Result<Vec<String>, Trouble> {
        self.get("PTR", &address.to_string())
    }
}

/// The zone of RFC 7208 appendix A.1, with addresses kept.
const EXAMPLE: &[(&str, &str, &str)] = &[
    ("MX", "example.com", "mail-a.example.com"),
    ("MX", "example.com", "mail-b.example.com"),
    ("A", "example.com", "192.0.2.10"),
    ("A", "example.com", "192.0.2.11"),
    ("A", "amy.example.com", "192.0.2.65"),
    ("A", "bob.example.com", "192.0.2.66"),
    ("A", "mail-a.example.com", "192.0.2.129"),
    ("A", "mail-b.example.com", "192.0.2.130"),
    ("A", "mail-c.example.org", "192.0.2.140"),
    ("MX", "example.org", "mail-c.example.org"),
    ("PTR", "192.0.2.10", "example.com"),
    ("PTR", "192.0.2.65", "amy.example.com"),
    ("PTR", "192.0.2.140", "mail-c.example.org"),
    ("PTR", "10.0.0.4", "bob.example.com"),
    ("A", "mobile-users._spf.example.com", "127.0.0.2"),
    ("A", "15.15.168.192.ip4._spf.example.com", "127.0.0.2"),
    ("AAAA", "example.com", "2001:db8::10"),
];

/// What the record of example.com makes of a client, with other rows beside [`EXAMPLE`].
fn ask(record: &str, client: &str, rows: &[(&'static str, &str, &str)]) -> Answer {
    let mut table = Table::of(&[EXAMPLE, &[("TXT", "example.com", record)], rows].concat());
    check(&Question { client: client.parse().unwrap(), domain: "example.com".into() }, &mut table)
}

#[track_caller]
fn expect(record: &str, client: &str, want: Outcome) {
    assert_eq!(ask(record, client, &[]).outcome, want, "{record} {client}");
}

#[test]
fn examples_of_the_rfc() {
    use Outcome::{Fail, Pass};
    expect("v=spf1 +all", "192.0.2.129", Pass);
    expect("v=spf1 a -all", "192.0.2.10", Pass);
    expect("v=spf1 a -all", "192.0.2.65", Fail);
    expect("v=spf1 a:example.org -all", "192.0.2.10", Fail);
    expect("v=spf1 mx -all", "192.0.2.129", Pass);
    expect("v=spf1 mx:example.org -all", "192.0.2.140", Pass);
    expect("v=spf1 mx mx:example.org -all", "192.0.2.130", Pass);
    expect("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.131", Pass);
    expect("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.143", Pass);
    expect("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.144", Fail);
    expect("v=spf1 ptr -all", "192.0.2.65", Pass);
    expect("v=spf1 ptr -all", "192.0.2.140", Fail);
    // Its name says so, the address of that name does not.
    expect("v=spf1 ptr -all", "10.0.0.4", Fail);
    expect("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.65", Fail);
    expect("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.129", Pass);
}

#[test]
fn results() {
    use Outcome::{Fail, Neutral, Pass, SoftFail};
    expect("v=spf1 ~all", "192.0.2.1", SoftFail);
    expect("v=spf1 ?all", "192.0.2.1", Neutral);
    expect("v=spf1", "192.0.2.1", Neutral);
    expect("V=SPF1 MX -ALL", "192.0.2.129", Pass);
    expect("v=spf1 a//64 -all", "2001:db8::7", Pass);
    expect("v=spf1 a -all", "2001:db8::7", Fail);
    expect("v=spf1 ip6:2001:db8::/32 -all", "2001:db8::7", Pass);
    expect("v=spf1 ip4:192.0.2.7 -all", "::ffff:192.0.2.7", Pass);
    assert_eq!(ask("v=spf1 -ip4:192.0.2.7 +all", "192.0.2.7", &[]).why, "-ip4:192.0.2.7");
    // Other text, and none.
    expect("google-site-verification=x", "192.0.2.1", Outcome::None);
}

#[test]
fn other_records() {
    let other = |text: &'static str| [("TXT", "other.example", text)];
    let check = |record: &str, text: &'static str, want| {
        assert_eq!(ask(record, "192.0.2.7", &other(text)).outcome, want, "{record}; {text}");
    };
    check("v=spf1 include:other.example -all", "v=spf1 ip4:192.0.2.7 -all", Outcome::Pass);
    check("v=spf1 include:other.example ~all", "v=spf1 -all", Outcome::SoftFail);
    check("v=spf1 ?include:other.example -all", "v=spf1 +all", Outcome::Neutral);
    check("v=spf1 include:other.example -all", "nothing", Outcome::PermError);
    check("v=spf1 include:other.example -all", "v=spf1 foo", Outcome::PermError);
    check("v=spf1 redirect=other.example", "v=spf1 -all", Outcome::Fail);
    check("v=spf1 redirect=other.example", "nothing", Outcome::PermError);
    // `all` comes before any redirect.
    check("v=spf1 redirect=other.example ~all", "v=spf1 -all", Outcome::SoftFail);
    check("v=spf1 include:other.example -all", "!", Outcome::TempError);
    check("v=spf1 ip4:192.0.2.7 include:other.example -all", "!", Outcome::Pass);
}

#[test]
fn macros() {
    use Outcome::{Fail, Neutral, Pass};
    expect("v=spf1 exists:mobile-users._spf.%{d2} -all", "192.0.2.1", Pass);
    expect("v=spf1 exists:%{ir}.ip4._spf.%{d} -all", "192.168.15.15", Pass);
    expect("v=spf1 exists:%{ir}.ip4._spf.%{o} -all", "192.168.15.16", Fail);
    // What logs do not hold.
    expect("v=spf1 exists:%{l}._spf.%{d} -all", "192.0.2.1", Neutral);
    expect("v=spf1 a:%{c}.example.com -all", "192.0.2.1", Outcome::PermError);
    // RFC 7208 section 7.4.
    let mut table = Table::default();
    let check = |client: &str, spec: &str, want: &str, table: &mut Table| {
        let record = record(format!("v=spf1 a:{spec}").as_bytes()).unwrap();
        let Mechanism::A(Some(spec), _) = &record.directives[0].mechanism else { panic!() };
        let check =
            Check { zones: table, client: client.parse().unwrap(), origin: "email.example.com", lookups: 0, voids: 0 };
        assert_eq!(check.target(spec, "email.example.com").ok().unwrap(), want);
    };
    for (spec, want) in [
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{D}%%x", "email.example.com%x"),
        ("%{p}.x", "unknown.x"),
    ] {
        check("192.0.2.3", spec, want, &mut table);
    }
    check(
        "2001:db8::cb01",
        "%{ir}.%{v}._spf.%{d2}",
        "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
        &mut table,
    );
    // Too long: cut from the left.
    let label = "a".repeat(60);
    let long = format!("{label}.{label}.{label}.{label}.{label}.%{{d}}");
    check("192.0.2.3", &long, &format!("{label}.{label}.{label}.email.example.com"), &mut table);
}

#[test]
fn limits() {
    // Ten look-ups are allowed; each finds something, as there are other limits.
    let many = |n: usize| format!("v=spf1 {}-all", "a:example.com ".repeat(n));
    expect(&many(10), "198.51.100.1", Outcome::Fail);
    expect(&many(11), "198.51.100.1", Outcome::PermError);
    let voids = |n: usize| format!("v=spf1 {}-all", "a:nowhere.example ".repeat(n));
    expect(&voids(2), "198.51.100.1", Outcome::Fail);
    expect(&voids(3), "198.51.100.1", Outcome::PermError);
    // Records that lead to themselves end.
    expect("v=spf1 include:example.com -all", "198.51.100.1", Outcome::PermError);
    expect("v=spf1 redirect=example.com", "198.51.100.1", Outcome::PermError);
    let two = ask("v=spf1 -all", "198.51.100.1", &[("TXT", "example.com", "v=spf1 +all")]);
    assert_eq!((two.outcome, two.why.as_str()), (Outcome::PermError, "example.com has several records"));
    let names: Vec<String> = (0..11).map(|n| format!("mx{n}.example.net")).collect();
    let rows: Vec<(&str, &str, &str)> = names.iter().map(|name| ("MX", "many.example", name.as_str())).collect();
    assert_eq!(ask("v=spf1 mx:many.example -all", "198.51.100.1", &rows).outcome, Outcome::PermError);
}

#[test]
fn names_that_are_no_domains_are_not_asked_for() {
    for name in ["localhost", "", "a..example", "exämple.org", "a b.example", &"a.".repeat(200)] {
        let mut table = Table::default();
        let answer = check(&Question { client: "192.0.2.1".parse().unwrap(), domain: name.into() }, &mut table);
        assert_eq!((answer.outcome, table.asked), (Outcome::None, 0), "{name}");
    }
}
