//! Every form and every tester of the relay tests that are published, as a server logs them: what it hides is seen, and whose it is.
//!
//! `D` is the third party, `H` the tested host, `I` its address. Sources: see `address::form` and `address::testers`.

use relayaudit_parsers::address::{domain, form, hidden_domain, tester};

/// A forward-path, the form it is, and whether `example.net` is found in it: hidden, or as its plain domain.
const FORMS: &[(&str, &str, bool)] = &[
    ("u@example.net", "plain", true),
    ("u%example.net@[192.0.2.25]", "percent", true),
    ("u%example.net@mx.example.org", "percent", true),
    ("u%example.net", "percent", true),
    (r#""u@example.net""#, "quoted", true),
    (r#""u%example.net""#, "quoted", true),
    ("u@example.net@[192.0.2.25]", "at-at", true),
    (r#""u@example.net"@[192.0.2.25]"#, "at-at", true),
    ("u@example.net@mx.example.org", "at-at", true),
    (r#""u@example.net"@mx.example.org"#, "at-at", true),
    (r#""u@example.net@mx.example.org""#, "quoted", true),
    ("@[192.0.2.25]:u@example.net", "source-route", true),
    ("@mx.example.org:u@example.net", "source-route", true),
    ("mx.example.org:u@example.net", "source-route", true),
    ("example.net!u", "bang", true),
    ("example.net!u@[192.0.2.25]", "bang", true),
    ("example.net!u@mx.example.org", "bang", true),
    ("u%example.net@", "empty-domain", true),
    ("u@example.net@", "empty-domain", true),
    ("example.net!umx.example.org", "bang", true),
    ("IMCEASMTP-u+40example+2enet@mx.example.org", "imcea", true),
    ("imceasmtp-u+40EXAMPLE+2Enet@mx.example.org", "imcea", true),
    ("IMCEAX500-u+40example+2enet@mx.example.org", "imcea", true),
    ("IMCEAINVALID-u+40example+2enet@mx.example.org", "imcea", true),
    // What follows from them, though no tester sends it.
    ("@a.example,@b.example:u@example.net", "source-route", true),
    ("@mx.example.org,@[192.0.2.25]:u@example.net", "source-route", true),
    ("u%example.net%b.example@mx.example.org", "percent", true),
    ("b.example!example.net!u@mx.example.org", "bang", true),
    ("b.example!u%example.net@mx.example.org", "mixed", true),
    ("@mx.example.org:u%example.net@b.example", "mixed", true),
    ("u%example.net.@mx.example.org.", "percent", true),
    ("U%Example.NET@MX.example.org", "percent", true),
    ("u@example.net.", "plain", true),
    ("u%example.net@[IPv6:2001:db8::25]", "percent", true),
    ("@[IPv6:2001:db8::25]:u@example.net", "source-route", true),
    ("u%example.net(hi)@mx.example.org", "percent", true),
    ("u(hi)%example.net@mx.example.org", "percent", true),
    ("(hi)u@example.net@mx.example.org", "at-at", true),
    ("u@example.net(hi)@mx.example.org", "at-at", true),
    ("u@example.net(hi)", "plain", true),
    ("\"u%example.net\"@mx.example.org", "percent", true),
    ("\u{201c}u@example.net\u{201d}@mx.example.org", "at-at", true),
    // An `@` is missing, or the address is a literal: nobody's domain can be read in these.
    ("u%example.netmx.example.org", "percent", false),
    ("u@example.netmx.example.org", "plain", false),
    ("u%[example.net]@", "empty-domain", false),
    ("u@[example.net]@", "empty-domain", false),
    ("u@[192.0.2.25]", "literal", false),
];

#[test]
fn every_form_is_seen_through() {
    for (path, want, found) in FORMS {
        let bytes = path.as_bytes();
        assert_eq!(form(bytes).as_str(), *want, "{path}");
        let hidden = hidden_domain(bytes);
        let target = hidden.as_deref().or_else(|| domain(bytes));
        let is_target = target.is_some_and(|target| target.eq_ignore_ascii_case(b"example.net"));
        assert_eq!(is_target, *found, "{path}: {:?}", target.map(String::from_utf8_lossy));
    }
}

/// EHLO name, reverse-path, forward-path, and the tester.
const TESTERS: &[(&str, &str, &str, Option<&str>)] = &[
    ("nmap.scanme.org", "", "u@example.net", Some("nmap")),
    ("", "antispam@[192.0.2.25]", "relaytest%nmap.scanme.org@mx.example.org", Some("nmap")),
    ("", "spamtest@insecure.org", "relaytest@insecure.org", Some("nmap")),
    ("X", "sender@example.com", "target@example.com", Some("metasploit")),
    ("X", "", "target@example.com", Some("metasploit")),
    ("", "nessus@mx.example.org", "nobody@example.com", Some("nessus")),
    ("", "nobody@example.com", "nobody@example.edu", Some("nessus")),
    ("", "relaytest@mydnstools.info", "u@example.net", Some("mydnstools")),
    ("", "", "returntest%mydnstools.info@mx.example.org", Some("mydnstools")),
    ("mailradar.com", "", "relaytest@example.net", Some("mailradar")),
    ("www.test-smtp.com", "", "", Some("test-smtp.com")),
    ("", "test@spam.com", "test@spam.com", Some("test-smtp.com")),
    ("", "spamtest@nettools.ru", "relaytest@nettools.ru", Some("nettools.ru")),
    ("", "foo@bar.baz", "bar@foo.baz", Some("mxcheck")),
    ("WIN-4G7H2K9Q1ZB", "spameri@tiscali.it", "spameri@tiscali.it", Some("spameri bots")),
    ("", "spameri@tiscali.it", "u@example.net", Some("spameri bots")),
    ("keeper-us-east-1d.mxtoolbox.com", "", "test@example.com", Some("mxtoolbox")),
    ("", "spamtest4@[192.0.2.25]", "relaytest@protonmail.com", Some("protonmail-script")),
    // What others say too names nobody.
    ("X", "u@example.org", "u@example.net", None),
    ("", "nobody@[192.0.2.25]", "u@example.net", None),
    ("", "", "test@example.com", None),
    ("", "u@example.org", "relaytest@example.net", None),
];

#[test]
fn every_tester_is_known() {
    for (hello, from, to, want) in TESTERS {
        assert_eq!(tester(hello.as_bytes(), from.as_bytes(), to.as_bytes()), *want, "{hello} {from} {to}");
    }
}

#[test]
fn the_tester_is_known_by_each_of_its_forms() {
    // What Exchange encapsulates is not decoded for this, and one form lacks the `@` that ends the user.
    let told = |form: &str, path: &str| form != "imcea" && !path.contains("!umx");
    for (path, _, found) in FORMS.iter().filter(|(path, form, _)| told(form, path)) {
        let path = path.replace("example.net", "nmap.scanme.org").replace("EXAMPLE.NET", "nmap.scanme.org");
        let path =
            path.replace("Example.NET", "NMAP.scanme.org").replacen('u', "relaytest", 1).replacen('U', "RelayTest", 1);
        if *found {
            assert_eq!(tester(b"", b"", path.as_bytes()), Some("nmap"), "{path}");
        }
    }
}
