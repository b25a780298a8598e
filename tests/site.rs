//! Configurations: what is imported from them, what of them opens the server, and the verb `site`.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "site/verb.rs"]
mod verb;

use common::root;
use relayaudit::site::import::import;
use relayaudit::site::{Site, infer};
use std::path::PathBuf;

/// Writes files into a folder and imports them in the order given.
fn imported(files: &[(&str, &str)]) -> (Site, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.path().join(name)).collect();
    for ((_, text), path) in files.iter().zip(&paths) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let (site, problems) = import(&paths);
    (site, problems.iter().map(ToString::to_string).collect())
}

fn domains(site: &Site) -> Vec<String> {
    site.local_domains().map(|entry| entry.value.to_string()).collect()
}

fn networks(site: &Site) -> Vec<String> {
    site.trusted_networks().map(|entry| entry.value.to_string()).collect()
}

/// The openings as `line item Lets`.
fn openings(site: &Site) -> Vec<String> {
    let word = |lets: &dyn std::fmt::Debug| format!("{lets:?}").split([' ', '(']).next().unwrap_or_default().to_owned();
    site.openings().iter().map(|opening| format!("{} {} {}", opening.line, word(&opening.lets), opening.item)).collect()
}

/// Fails unless the files give these domains, networks and openings.
fn check(files: &[(&str, &str)], wanted_domains: &str, wanted_networks: &str, wanted_openings: &[&str]) {
    let (site, problems) = imported(files);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(domains(&site).join(" "), wanted_domains, "{files:?}");
    assert_eq!(networks(&site).join(" "), wanted_networks, "{files:?}");
    assert_eq!(openings(&site), wanted_openings, "{files:?}");
}

#[test]
fn postfix() {
    let base = "myhostname = mx1.example.org\nmydestination = $myhostname, ${mydomain}\n";
    let main = |rest: &str| format!("{base}{rest}\n");
    check(&[("main.cf", base)], "example.org mx1.example.org", "", &[]);
    check(
        &[("main.cf", &main("mynetworks = 127.0.0.0/8 10.0.0.0/8,\n  # more\n  0.0.0.0/0\n"))],
        "example.org mx1.example.org",
        "10.0.0.0/8 127.0.0.0/8",
        &["5 Network 0.0.0.0/0"],
    );
    check(
        &[
            ("main.cf", &main("relay_domains = hash:/etc/postfix/relay\nmynetworks = /etc/postfix/nets")),
            ("relay", "# c\nexample.com x\n"),
            ("nets", "192.0.2.7\n198.51.100.0/24\n"),
        ],
        ".example.com example.com example.org mx1.example.org",
        "192.0.2.7/32",
        &["2 Network 198.51.100.0/24"],
    );
    check(
        &[("main.cf", &main("relay_domains = example.com\nparent_domain_matches_subdomains =\n"))],
        "example.com example.org mx1.example.org",
        "",
        &[],
    );
    check(
        &[("main.cf", &main("relay_domains = static:all"))],
        "example.org mx1.example.org",
        "",
        &["3 AnyRecipient static:all"],
    );
    check(
        &[("main.cf", &main("smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit_mynetworks"))],
        "example.org mx1.example.org",
        "",
        &["3 AnyClient smtpd_relay_restrictions without reject_unauth_destination"],
    );
    check(
        &[("main.cf", &main("smtpd_relay_restrictions = permit_mynetworks,\n permit\n"))],
        "example.org mx1.example.org",
        "",
        &["4 AnyClient smtpd_relay_restrictions: permit"],
    );
    check(
        &[
            (
                "main.cf",
                &main("smtpd_relay_restrictions = check_sender_access hash:/x/friends, reject_unauth_destination"),
            ),
            ("friends", "example.net OK\n"),
        ],
        "example.org mx1.example.org",
        "",
        &["3 ClaimedSender smtpd_relay_restrictions: check_sender_access hash:/x/friends"],
    );
    check(
        &[(
            "main.cf",
            &main(
                "mynetworks_style = class\nallow_untrusted_routing = yes\nsmtpd_authorized_xclient_hosts = 0.0.0.0/0\n\
            smtpd_sasl_auth_enable = yes\nsmtpd_sasl_security_options =\n",
            ),
        )],
        "example.org mx1.example.org",
        "",
        &[
            "3 Neighbours mynetworks_style = class",
            "4 Disguised allow_untrusted_routing = yes",
            "7 AnonymousLogin smtpd_sasl_security_options",
            "5 ClaimedAddress 0.0.0.0/0",
        ],
    );
    let here = main("inet_interfaces = loopback-only\nsmtpd_relay_restrictions = permit");
    check(&[("main.cf", &here)], "example.org mx1.example.org", "", &[]);
    let debian = main("mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128");
    check(&[("main.cf", &debian)], "example.org mx1.example.org", "127.0.0.0/8 ::1/128", &[]);
    let service = "submission inet n - n - - smtpd\n -o smtpd_relay_restrictions=permit\n127.0.0.1:10026 inet n - n - - smtpd -o mynetworks=0.0.0.0/0 -o smtpd_relay_restrictions=\n";
    check(
        &[("main.cf", base), ("master.cf", service)],
        "example.org mx1.example.org",
        "",
        &["1 AnyClient smtpd_relay_restrictions: permit"],
    );
}

#[test]
fn sendmail() {
    check(
        &[
            (
                "sendmail.mc",
                "define(`confDOMAIN_NAME', `mx.example.org')dnl\nFEATURE(`relay_entire_domain')dnl\nFEATURE(`relay_mail_from')\n\
              dnl FEATURE(`promiscuous_relay')\ndivert(-1)\nFEATURE(`promiscuous_relay')\ndivert(0)\nFEATURE(`relay_based_on_MX')\n",
            ),
            (
                "access",
                "Connect:10.20\tRELAY\nConnect:203.0.113.8 OK\nFrom:boss@example.org RELAY\nTo:example.com RELAY\nTo:com RELAY\n\
              spammer.example REJECT\n192.0.2.7 RELAY\nConnect: RELAY\n",
            ),
            ("local-host-names", "# ours\nexample.org\n[192.0.2.25]\n"),
            ("relay-domains", "example.net\n198.51.100\n"),
        ],
        ".example.com .example.net example.com example.net example.org mx.example.org",
        "10.20.0.0/16 192.0.2.7/32",
        &[
            "2 Name FEATURE(`relay_entire_domain')",
            "8 AnyMx FEATURE(`relay_based_on_MX')",
            "3 ClaimedSender From:boss@example.org RELAY",
            "5 AnyRecipient .com",
            "8 AnyClient Connect: RELAY",
            "2 Network 198.51.100.0/24",
        ],
    );
    check(
        &[("access", "Connect:localhost RELAY\nlocalhost.localdomain RELAY\nTo:lan RELAY\nConnect:de RELAY\n")],
        ".lan lan localhost.localdomain",
        "",
        &["4 Name de"],
    );
    let many: String = (32..64).map(|host| format!("Connect:203.0.113.{host} RELAY\n")).collect();
    check(&[("access", &many)], "", "", &["1 Network 203.0.113.32/27"]);
}

#[test]
fn exim() {
    let acl = "begin acl\nrcpt:\n  accept hosts = +relay_from_hosts\n  require domains = +local_domains\n  accept\n";
    let main = "primary_hostname = mx.example.org\nNETS = 10.0.0.0/8\ndomainlist local_domains = @ : +more : *.example.net\n\
                domainlist more = lsearch;/etc/domains\nhostlist relay_from_hosts = NETS : 192.0.2.7\nacl_smtp_rcpt = rcpt\n";
    let text = format!("{main}{acl}");
    check(
        &[("exim.conf", &text), ("domains", "example.com\n")],
        ".example.net example.com mx.example.org",
        "10.0.0.0/8 192.0.2.7/32",
        &[],
    );
    let open = text.replace("  require domains = +local_domains\n", "").replace("192.0.2.7", "\\\n  203.0.113.0/24");
    check(
        &[("exim.conf", &open), ("domains", "example.com\n")],
        ".example.net example.com mx.example.org",
        "10.0.0.0/8",
        &["11 AnyClient rcpt: accept without a relay check before it", "6 Network 203.0.113.0/24"],
    );
    let claimed = text.replace("  require", "  accept senders = *@example.org\n  require");
    check(
        &[("exim.conf", &claimed), ("domains", "")],
        ".example.net mx.example.org",
        "10.0.0.0/8 192.0.2.7/32",
        &["10 ClaimedSender rcpt: accept senders"],
    );
    check(
        &[(
            "update-exim4.conf.conf",
            "dc_eximconfig_configtype='internet'\ndc_other_hostnames='example.org;example.com'\n\
            dc_relay_domains='*'\ndc_relay_nets='10.0.0.0/8 ; *'\ndc_local_interfaces='127.0.0.1 ; 192.0.2.25'\n",
        )],
        "example.com example.org",
        "10.0.0.0/8",
        &["3 AnyRecipient *", "4 Network 0.0.0.0/0", "4 Network ::/0"],
    );
}

#[test]
fn opensmtpd() {
    let text = "nets = \"10.0.0.0/8\"\ntable ours file:/etc/mail/ours\ntable inner { $nets, 203.0.113.0/25 }\nlisten on eth0 hostname mx.example.org\n\
        action \"in\" mbox\naction \"out\" relay\nmatch from any for domain <ours> action \"in\"\n\
        match from src <inner> for any action \"out\"\nmatch auth from any for any action \"out\"\n";
    check(
        &[("smtpd.conf", text), ("ours", "example.org\n")],
        "example.org",
        "10.0.0.0/8",
        &["3 Network 203.0.113.0/25"],
    );
    let open = format!(
        "{text}match from any mail-from \"@example.org\" for any action \"out\"\nmatch from any for any action \"out\"\n"
    );
    check(
        &[("smtpd.conf", &open), ("ours", "example.org\n")],
        "example.org",
        "10.0.0.0/8",
        &[
            "10 ClaimedSender match from any mail-from \"@example.org\" for any action \"out\"",
            "11 AnyClient match from any for any action \"out\"",
            "3 Network 203.0.113.0/25",
        ],
    );
    let refused =
        text.replace("match auth", "match from any for any reject\nmatch from any for any action \"out\"\nmatch auth");
    check(&[("smtpd.conf", &refused), ("ours", "")], "", "10.0.0.0/8", &["3 Network 203.0.113.0/25"]);
    check(
        &[(
            "smtpd.conf",
            "accept from any for domain \"example.org\" deliver to mbox\naccept from any for any relay\n",
        )],
        "example.org",
        "",
        &["2 AnyClient accept from any for any relay"],
    );
}

#[test]
fn exchange_and_iis() {
    let folder = root().join("samples/config/exchange");
    let (site, problems) = import(&[folder]);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(domains(&site), [".example.org", "example.com"]);
    assert_eq!(networks(&site), ["10.1.2.3/32", "10.1.2.10/31", "10.1.2.12/32", "198.51.100.7/32"]);
    assert_eq!(openings(&site), ["20 Network 203.0.113.0/24"]);
    assert!(site.is_own_name("mx01.example.com"));
    let wide = "Identity,User,ExtendedRights\nMX\\Gone,NT-AUTORIT\u{c4}T\\ANONYMOUS-ANMELDUNG,{ms-Exch-SMTP-Accept-Any-Recipient}\n";
    let units: Vec<u8> = std::iter::once(0xfeff).chain(wide.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), units).unwrap();
    assert_eq!(openings(&import(&[file.path().into()]).0), ["2 Connector MX\\Gone"]);
    check(&[("d.csv", "DomainName;DomainType\n*;InternalRelay\n")], "", "", &["2 AnyRecipient *"]);
    let lost = "Name,PermissionGroups,AuthMechanism,RemoteIPRanges\nR,ExchangeServers,ExternalAuthoritative,Microsoft.Exchange.Data.MultiValuedProperty`1[x]\n";
    check(&[("c.csv", lost)], "", "", &["2 Connector R"]);
    let (site, problems) = import(&[root().join("samples/config/iis/MetaBase.xml")]);
    assert!(problems.is_empty());
    assert_eq!(domains(&site), ["example.com"]);
    assert!(site.notes().iter().any(|note| note.text.starts_with("RelayIpList")), "{:?}", site.notes());
}

#[test]
fn files_that_are_none_are_named() {
    let (site, problems) = imported(&[("letter.txt", "Dear admin\n"), ("main.cf", "mynetworks = 10.0.0.0/8\n")]);
    assert_eq!(networks(&site), ["10.0.0.0/8"]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("letter.txt: no configuration that is understood"), "{problems:?}");
    let (_, problems) = import(&["/nonexistent/main.cf".into()]);
    assert!(problems[0].to_string().starts_with("/nonexistent/main.cf: cannot read the configuration"));
}

#[test]
fn a_range_that_is_left_out_leaves_inside_networks_to_inference() {
    let (site, _) = imported(&[("main.cf", "mynetworks = 127.0.0.0/8 0.0.0.0/0\n")]);
    let effective = infer(&Default::default(), &site);
    assert!(effective.trusts("10.1.1.1".parse().unwrap()));
    assert!(!effective.trusts("203.0.113.7".parse().unwrap()));
    let (site, _) = imported(&[("main.cf", "mynetworks = 127.0.0.0/8 203.0.113.0/24\n")]);
    assert!(!infer(&Default::default(), &site).trusts("10.1.1.1".parse().unwrap()));
}

#[test]
fn no_bytes_break_an_importer() {
    let folder = root().join("samples/config");
    let files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .collect();
    assert!(12 < files.len());
    let work = tempfile::tempdir().unwrap();
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % below
    };
    let marks = b"{}()[]<>\"'`$\\:;,=!\n\t \0\xff\xc3%#*.-";
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let name = work.path().join(file.file_name().unwrap());
        for _ in 0..60 {
            let mut broken = bytes.clone();
            for _ in 0..1 + random(8) {
                let at = random(broken.len());
                broken[at] = marks[random(marks.len())];
            }
            broken.truncate(1 + random(bytes.len() * 2).min(broken.len() - 1));
            std::fs::write(&name, &broken).unwrap();
            let _ = import(std::slice::from_ref(&name));
        }
    }
}
