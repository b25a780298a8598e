//! Testers: programs and sites that test mail servers for open relays, told by what they say.
//!
//! Anyone can send these strings, so a match names a habit, not a culprit; and most testers let
//! their user choose other names, so no match means nothing. Names are compared whole.
//!
//! Left out, because others say the same: `EHLO X` (Metasploit), `nobody@` the tested host
//! (rlytest), `test@example.com` (older MxToolbox), a local part `relaytest` or `spamtest` alone.

use super::form::{Mailbox, mailbox};

/// A tester's mailbox: local part and domain.
type Known = (&'static str, &'static str);

/// EHLO names that only a tester uses.
const NAMES: [(&str, &str); 3] = [
    // nmap `smtp-open-relay.nse`, through `smtp.get_domain()`: the default domain.
    ("nmap.scanme.org", NMAP),
    // Named in OpenSMTPD issue 754.
    ("mailradar.com", MAILRADAR),
    // Observed: a transcript of its 28 tests, 2013-05-13.
    ("www.test-smtp.com", TEST_SMTP),
];

/// Mailboxes that are no one's but a tester's, in either path.
const MAILBOXES: [(Known, &str); 13] = [
    // nmap `smtp-open-relay.nse`: defaults since it uses `smtp.lua` (changelog of 2011-06-03).
    (("antispam", "nmap.scanme.org"), NMAP),
    (("relaytest", "nmap.scanme.org"), NMAP),
    // The same script before: its sample output, and `spamtest` until 2009-09-20 (changelog).
    (("antispam", "insecure.org"), NMAP),
    (("spamtest", "insecure.org"), NMAP),
    (("relaytest", "insecure.org"), NMAP),
    // Named in a denied session: fail2ban (sous-chefs cookbook) issue 29.
    (("relaytest", "mydnstools.info"), MYDNSTOOLS),
    (("returntest", "mydnstools.info"), MYDNSTOOLS),
    // Observed: a transcript of tests.nettools.ru, 2013-05-13.
    (("spamtest", "nettools.ru"), NETTOOLS),
    (("spamtest", "mail.nettools.ru"), NETTOOLS),
    (("relaytest", "nettools.ru"), NETTOOLS),
    // Observed: two published transcripts of mxtoolbox.com/diagnostic.aspx.
    (("supertool", "mxtoolboxsmtpdiag.com"), MXTOOLBOX),
    (("test", "mxtoolboxsmtpdiag.com"), MXTOOLBOX),
    // Bots, most often from and to this one mailbox. Observed: log in github.com/crowdsecurity/hub issue 1100.
    (("spameri", "tiscali.it"), "spameri bots"),
];

/// Reverse-path and forward-path that tell only together.
const PAIRS: [(Known, Known, &str); 5] = [
    // Observed: a transcript of its 28 tests, 2013-05-13: the first goes from and to one mailbox.
    (("test", "spam.com"), ("test", "spam.com"), TEST_SMTP),
    // mxcheck (github.com/steffenfritz/mxcheck): its defaults.
    (("foo", "bar.baz"), ("bar", "foo.baz"), "mxcheck"),
    // metasploit-framework `smtp_relay.rb`, with the addresses that `exploit/remote/smtp.rb` presets.
    (("sender", "example.com"), METASPLOIT_TO, METASPLOIT),
    // Nessus plugin 11852: its example domains.
    (("nobody", "example.com"), ("nobody", "example.edu"), NESSUS),
    (("nobody", "example.edu"), ("nobody", "example.com"), NESSUS),
];

const NMAP: &str = "nmap";
const MAILRADAR: &str = "mailradar";
const TEST_SMTP: &str = "test-smtp.com";
const MYDNSTOOLS: &str = "mydnstools";
const NETTOOLS: &str = "nettools.ru";
const MXTOOLBOX: &str = "mxtoolbox";
const NESSUS: &str = "nessus";
const METASPLOIT: &str = "metasploit";
const METASPLOIT_TO: Known = ("target", "example.com");

/// The relay tester that sends such a name and such paths; `None` if no known one does.
///
/// `helo` may be empty if not known, and so may the paths. A mailbox is also found inside a
/// trick: `relaytest%nmap.scanme.org@H`. Letter case does not count.
pub fn tester(helo: &[u8], reverse_path: &[u8], forward_path: &[u8]) -> Option<&'static str> {
    let (reverse, forward) = (mailbox(reverse_path).unwrap_or_default(), mailbox(forward_path).unwrap_or_default());
    // Its other tests change the reverse-path, and all say `EHLO X`.
    let metasploit = || (helo == b"X" && is(forward, &METASPLOIT_TO)).then_some(METASPLOIT);
    named(helo).or_else(metasploit).or_else(|| by_paths(reverse, forward))
}

fn named(helo: &[u8]) -> Option<&'static str> {
    // `keeper-us-east-1d.mxtoolbox.com`. Observed: as its mailboxes above.
    let keeper = strip_prefix(helo, b"keeper-").is_some_and(|rest| ends_with(rest, b".mxtoolbox.com"));
    let name = || NAMES.iter().find(|(name, _)| helo.eq_ignore_ascii_case(name.as_bytes()));
    if keeper { Some(MXTOOLBOX) } else { name().map(|(_, tester)| *tester) }
}

fn by_paths(reverse: Mailbox<'_>, forward: Mailbox<'_>) -> Option<&'static str> {
    let either = |known: &Known| is(forward, known) || is(reverse, known);
    let pair = |from: &Known, to: &Known| is(forward, to) && is(reverse, from);
    let one = MAILBOXES.iter().find(|(known, _)| either(known)).map(|(_, tester)| *tester);
    let two = || PAIRS.iter().find(|(from, to, _)| pair(from, to)).map(|(_, _, tester)| *tester);
    one.or_else(two).or_else(|| by_habit(reverse, forward))
}

/// Testers whose reverse-path varies.
fn by_habit(reverse: Mailbox<'_>, forward: Mailbox<'_>) -> Option<&'static str> {
    // Nessus plugin 11852: `nessus@` the tested host.
    let example = is(forward, &("nobody", "example.com")) || is(forward, &("nobody", "example.edu"));
    if example && reverse.0.eq_ignore_ascii_case(b"nessus") {
        return Some(NESSUS);
    }
    // A script with 19 tests, numbered in the reverse-path: `spamtest4@[192.0.2.1]`.
    let number = strip_prefix(reverse.0, b"spamtest").unwrap_or_default();
    let numbered = matches!(number.len(), 1 | 2) && number.iter().all(u8::is_ascii_digit);
    (numbered && is(forward, &("relaytest", "protonmail.com"))).then_some("protonmail-script")
}

fn is((user, domain): Mailbox<'_>, known: &Known) -> bool {
    domain.eq_ignore_ascii_case(known.1.as_bytes()) && user.eq_ignore_ascii_case(known.0.as_bytes())
}

fn strip_prefix<'a>(name: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = name.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn ends_with(name: &[u8], ending: &[u8]) -> bool {
    let start = name.len().checked_sub(ending.len());
    start.is_some_and(|start| name[start..].eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(helo: &str, from: &str, to: &str, want: Option<&str>) {
        assert_eq!(tester(helo.as_bytes(), from.as_bytes(), to.as_bytes()), want, "{helo} {from} {to}");
    }

    #[test]
    fn testers_known() {
        check("NMAP.scanme.org", "", "rt@example.net", Some("nmap"));
        check("", "antispam@nmap.scanme.org", "u@example.net", Some("nmap"));
        check("", "antispam@[192.0.2.1]", "relaytest%nmap.scanme.org@example.org", Some("nmap"));
        check("", "", r#""relaytest@nmap.scanme.org"@[192.0.2.1]"#, Some("nmap"));
        check("", "", "@[192.0.2.1]:relaytest@nmap.scanme.org", Some("nmap"));
        check("", "", "nmap.scanme.org!relaytest", Some("nmap"));
        check("", "spamtest@insecure.org", "relaytest@insecure.org", Some("nmap"));
        check("mailradar.com", "", "u@example.net", Some("mailradar"));
        check("www.test-smtp.com", "", "", Some("test-smtp.com"));
        check("", "test@spam.com", "test@spam.com", Some("test-smtp.com"));
        check("", "returntest@mydnstools.info", "u@example.net", Some("mydnstools"));
        check("", "", "relaytest%mydnstools.info@example.org", Some("mydnstools"));
        check("", "spamtest@mail.nettools.ru", "nettools.ru!relaytest", Some("nettools.ru"));
        check("keeper-us-east-1d.mxtoolbox.com", "", "u@example.net", Some("mxtoolbox"));
        check("", "", "test@MxToolboxSmtpDiag.com", Some("mxtoolbox"));
        check("", "foo@bar.baz", "bar@foo.baz", Some("mxcheck"));
        check("", "sender@example.com", "target@example.com", Some("metasploit"));
        check("X", "sender@[192.0.2.1]", "target%example.com@example.org", Some("metasploit"));
        check("WIN-1", "spameri@tiscali.it", "spameri@tiscali.it", Some("spameri bots"));
        check("", "nessus@mx.example.org", "nobody@example.com", Some("nessus"));
        check("", "nobody@example.com", "nobody@example.edu", Some("nessus"));
        check("", "spamtest4@[192.0.2.1]", "relaytest@protonmail.com", Some("protonmail-script"));
    }

    #[test]
    fn near_misses_are_nobody() {
        check("", "", "", None);
        check("X", "nobody@example.org", "test@example.com", None);
        check("scanme.org", "", "u@example.net", None);
        check("mail.mailradar.com", "", "u@example.net", None);
        check("xnmap.scanme.org", "", "u@example.net", None);
        check("mxtoolbox.com", "", "u@example.net", None);
        check("keeper-1.mxtoolbox.com.example", "", "u@example.net", None);
        check("keeper-.mxtoolbox.com.", "", "u@example.net", None);
        check("", "spamtest@example.org", "relaytest@example.net", None);
        check("", "", "relaytests@nmap.scanme.org", None);
        check("", "", "relaytest@insecure.org.example", None);
        check("", "test@example.org", "test@spam.com", None);
        check("", "bar@foo.baz", "foo@bar.baz", None);
        check("X", "u@example.org", "xtarget@example.com", None);
        check("", "u@example.org", "target@example.com", None);
        check("", "nobody@example.com", "nobody@example.com", None);
        check("", "spamtest@example.org", "relaytest@protonmail.com", None);
    }
}
