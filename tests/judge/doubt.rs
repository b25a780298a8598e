//! Mail that may be relaying or ours, while nobody stated what is ours.

use crate::log::{Log, STRANGER, mail};
use crate::of;
use relayaudit::judge::{Analysis, Cause, Rule, Severity};
use relayaudit::ledger::{Origin, Outcome};

const OTHERS: [&str; 3] = ["203.0.113.1", "203.0.113.2", "203.0.113.3"];

/// Strangers who write to one domain that always goes to the same host.
fn secondary(recipients: u64, outcome: Outcome) -> Log {
    let log = OTHERS.iter().fold(Log::new(), |log, client| {
        log.mail(mail(client, "example.edu", "partner.example").times(recipients).outcome(outcome))
    });
    log.domain("partner.example", |facts| {
        facts.handed_on = 3 * recipients;
        facts.next_hops.insert("192.0.2.80".into());
    })
}

/// What rule open-relay says: kind and name of each subject, and how bad it is.
fn relays(analysis: &Analysis) -> Vec<(&str, &str, Severity)> {
    let found = of(analysis, Rule::OpenRelay);
    found.iter().map(|f| (f.subject.kind, f.subject.value.as_ref(), f.severity)).collect()
}

#[test]
fn a_domain_we_may_be_secondary_for_is_one_doubt_and_accuses_nobody() {
    let analysis = secondary(7, Outcome::Relayed).guess();
    assert_eq!(relays(&analysis), [("domain", "partner.example", Severity::Low)]);
    assert_eq!(of(&analysis, Rule::OpenRelay)[0].recipients_accepted, 21);
    assert_eq!(analysis.verdict.cause, Cause::Clean);
    assert!(analysis.verdict.headline.starts_with("Probably not: 21 recipients (in partner.example) went out"));
    // A flood is no doubt, and neither is it once the domains are stated.
    assert_eq!(relays(&secondary(100, Outcome::Relayed).guess()).len(), 3);
    let stated = secondary(7, Outcome::Relayed).stated_domains();
    assert!(stated.findings.iter().all(|f| f.subject.kind == "client"), "{:#?}", stated.findings);
}

#[test]
fn a_little_mail_to_one_domain_accuses_only_on_a_server_that_is_open() {
    let little = || Log::new().mail(mail(OTHERS[0], "example.edu", "d1.example").times(2));
    assert_eq!(relays(&little().guess()), [("domain", "d1.example", Severity::Low)]);
    let open = little().mail(mail(STRANGER, "example.edu", "d2.example").times(90)).guess();
    let client = |name, severity| ("client", name, severity);
    assert_eq!(relays(&open), [client(STRANGER, Severity::High), client(OTHERS[0], Severity::Low)]);
}

#[test]
fn bounces_of_mail_for_a_domain_we_may_be_secondary_for_are_backscatter() {
    let notices = mail(STRANGER, "", "example.edu").times(60).with(|key| key.origin = Origin::System);
    let analysis = secondary(20, Outcome::Bounced).mail(notices).guess();
    assert_eq!(analysis.verdict.cause, Cause::Backscatter);
}

#[test]
fn no_headline_says_no_while_mail_was_passed_on_that_may_be_relaying() {
    let passed_on = |recipients| Log::new().mail(mail(STRANGER, "example.org", "example.net").times(recipients));
    let check = |log: Log, cause: Cause, headline: &str| {
        let verdict = log.stated_domains().verdict;
        assert_eq!((verdict.cause, verdict.headline.as_str()), (cause, headline));
        assert!(verdict.next[0].contains("`--trusted-net 203.0.113.7`"), "{:?}", verdict.next);
    };
    check(
        passed_on(20),
        // It wrote in the name of our domain, from outside.
        Cause::InboundOnly,
        "Perhaps: 20 recipients (of 203.0.113.7) went out through mx1.example.org without log-in, which is relaying unless that host \
         is yours.",
    );
    check(
        passed_on(4).mail(mail(OTHERS[0], "example.edu", "example.net").times(3).outcome(Outcome::Denied)),
        Cause::ProbesOnly,
        "Probably not: 4 recipients (of 203.0.113.7) went out through mx1.example.org without log-in, which is relaying unless that \
         host is yours; besides, 1 address tried to relay, and all 3 attempts were refused.",
    );
}

#[test]
fn a_command_holds_no_domain_that_a_stranger_could_have_made_up() {
    let log = Log::new().mail(mail(OTHERS[0], "example.edu", "d1.example`;id;`").times(2));
    let next = log.guess().verdict.next;
    assert!(next[0].starts_with("First settle") && !next[0].contains("id;"), "{next:?}");
}
