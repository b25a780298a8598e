//! Tables of paths: those of the testers, those that follow from them, and look-alikes.

use super::form::LONGEST_DOMAIN;
use super::*;

#[test]
fn domains_of_paths() {
    let check = |path: &str, want: Option<&str>| {
        assert_eq!(domain(path.as_bytes()), want.map(str::as_bytes), "{path}");
    };
    check("u@Example.ORG", Some("Example.ORG"));
    check("u@example.org.", Some("example.org"));
    check("u@[192.0.2.1]", Some("[192.0.2.1]"));
    check("u@[IPv6:2001:db8::1]", Some("[IPv6:2001:db8::1]"));
    check("u@example.net@example.org", Some("example.org"));
    check(r#""u@example.net"@example.org"#, Some("example.org"));
    check(r#""a\"b@c"@example.org"#, Some("example.org"));
    check("@[IPv6:2001:db8::1],@b:u@example.net", Some("example.net"));
    check("@example.org:u", None);
    check("@example.org", Some("example.org"));
    check(r#"@example.org:"u@example.net""#, None);
    check(r#""u@example.net""#, None);
    check(r#""u@example.net"#, Some("example.net"));
    for none in ["", "u", "u@", "u@.", "@", "u@example.net@", "example.net!u", "u%example.net"] {
        check(none, None);
    }
}

fn check(path: &str, want: &str, hidden: Option<&str>) {
    assert_eq!(form(path.as_bytes()).as_str(), want, "{path}");
    assert_eq!(hidden_domain(path.as_bytes()).as_deref(), hidden.map(str::as_bytes), "{path}");
}

const D: Option<&str> = Some("example.net");

#[test]
fn shapes_of_the_testers() {
    check("u@example.net", "plain", None);
    check("u%example.net@[192.0.2.1]", "percent", D);
    check("u%example.net@example.org", "percent", D);
    check("u%example.net", "percent", D);
    check(r#""u@example.net""#, "quoted", D);
    check(r#""u%example.net""#, "quoted", D);
    check("u@example.net@[192.0.2.1]", "at-at", D);
    check(r#""u@example.net"@[192.0.2.1]"#, "at-at", D);
    check("u@example.net@example.org", "at-at", D);
    check(r#""u@example.net"@example.org"#, "at-at", D);
    check(r#""u@example.net@example.org""#, "quoted", D);
    check("@[192.0.2.1]:u@example.net", "source-route", D);
    check("@example.org:u@example.net", "source-route", D);
    check("example.org:u@example.net", "source-route", D);
    check("example.net!u", "bang", D);
    check("example.net!u@[192.0.2.1]", "bang", D);
    check("example.net!u@example.org", "bang", D);
    check("u%example.net@", "empty-domain", D);
    check("u@example.net@", "empty-domain", D);
    check("u%[example.net]@", "empty-domain", Some("[example.net]"));
    check("u@[example.net]@", "empty-domain", Some("[example.net]"));
    check("u%example.netmx.example.org", "percent", Some("example.netmx.example.org"));
    // An `@` is missing, and no reader can tell.
    check("u@example.netmx.example.org", "plain", None);
    check("example.net!umx.example.org", "bang", D);
    check("IMCEASMTP-u+40example+2enet@example.org", "imcea", D);
    check("u@[192.0.2.1]", "literal", None);
    check("", "null", None);
    check("u", "no-domain", None);
}

#[test]
fn shapes_that_follow() {
    check("@a.example,@b.example:u@example.net", "source-route", D);
    check("@[IPv6:2001:db8::1]:u@example.net", "source-route", D);
    check("[192.0.2.1]:u@example.net", "source-route", D);
    check("@example.org:u", "source-route", None);
    check("@example.org:u%example.net@example.com", "mixed", D);
    check("u%example.net%example.com@example.org", "percent", D);
    check("u%Example.NET.@example.org.", "percent", Some("Example.NET"));
    check("u%[198.51.100.1]@example.org", "percent", Some("[198.51.100.1]"));
    check("u%198.51.100.1@example.org", "percent", Some("198.51.100.1"));
    check("u%internal%example.net@example.org", "percent", D);
    check("example.com!u%example.net@example.org", "mixed", D);
    check("example.com!example.net!u@example.org", "bang", D);
    check("example.net!relay!u", "bang", D);
    check("example.net!u@example.com@example.org", "mixed", D);
    check(r#""example.net!u@example.com"@example.org"#, "mixed", D);
    check(r#""u@example.net%example.com"@example.org"#, "mixed", D);
    check(r#""u\@example.net"@example.org"#, "at-at", D);
    check(r#""john doe"%example.net"#, "percent", D);
    check(r#""john doe"%example.net@example.org"#, "percent", D);
    check(r#"@example.org:"u@example.net""#, "mixed", D);
    check("u@example.net@[IPv6:2001:db8::1]", "at-at", D);
    check("u@", "empty-domain", None);
    check("u@.", "empty-domain", None);
    check("imceainvalid-u+40Example+2Enet@example.org", "imcea", Some("Example.net"));
    check("IMCEAX500-u+40example+2enet@example.org", "imcea", D);
    check("IMCEASMTP-u+25example+2enet+40example+2ecom@example.org", "imcea", D);
    check("IMCEAEX-_O=ORG_OU=SITE_CN=RECIPIENTS_CN=U@example.org", "imcea", None);
    check("IMCEASMTP-u+40@example.org", "imcea", None);
    check("IMCEASMTP-u+4", "imcea", None);
}

#[test]
fn look_alikes_stay_plain() {
    for plain in [
        "user%internal@example.net",
        "50%@example.net",
        "50%off@example.net",
        "a%1.5@example.net",
        "wow!@example.net",
        "really.good!@example.net",
        "!example.net@example.org",
        "%example.net@example.org",
        "uunet!u@example.net",
        "bounce+u=example.org@list.example",
        "SRS0=ab=cd=example.org=u@fwd.example",
        "prvs=1234567890=u@example.org",
        "u+tag@example.org",
        "a/b=c@example.org",
        "mailto:u@example.org",
        "imcea-u+40example+2enet@example.org",
        "u.@example.org.",
        r#""john doe"@example.org"#,
        r#""john@home"@example.org"#,
        r#""a\"b>c"@example.org"#,
        r#""@example.net"@example.org"#,
        r#""a,b:c"@example.org"#,
    ] {
        check(plain, "plain", None);
    }
    check(r#""john doe"@[192.0.2.1]"#, "literal", None);
    check("u@[IPv6:2001:db8::1]", "literal", None);
    check(r#""john doe""#, "no-domain", None);
    check("u+tag", "no-domain", None);
    check("example.org:u", "no-domain", None);
}

#[test]
fn hostile_paths_end_soon() {
    const LONG: usize = 1 << 20;
    let unit = [
        "@", "%", "!", "\"", ":", "[", "(", ")", "()", "u(", "\\", "\0", "a.", "u@", "%a.bc", "a.bc!", "@a.bc:", "\"@",
        "+40",
    ];
    for unit in unit {
        for prefix in ["", "\"", "u@", "@[", "IMCEASMTP-"] {
            let path = format!("{prefix}{}", unit.repeat(LONG / unit.len()));
            let found = (form(path.as_bytes()), hidden_domain(path.as_bytes()), domain(path.as_bytes()));
            assert!(found.1.is_none_or(|domain| domain.len() <= LONGEST_DOMAIN), "{prefix}{unit}");
        }
    }
}
