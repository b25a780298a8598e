//! Our names in the mouths of strangers: spoofed-local-sender and helo-impersonation.

use crate::log::{Log, SERVER, STRANGER, TRUSTED, mail, stated};
use crate::{of, only, silent};
use relayaudit::judge::{Cause, Rule, Severity, analyse};
use relayaudit::ledger::Outcome;
use relayaudit::site;
use relayaudit_parsers::record::Refusal;

#[test]
fn our_domain_as_reverse_path_of_a_stranger() {
    let spoof = || mail(STRANGER, "example.org", "example.org").outcome(Outcome::Delivered);
    let check = |log: Log, severity| assert_eq!(only(&log.judge(), Rule::SpoofedLocalSender).severity, severity);
    check(Log::new().mail(spoof()), Severity::Low);
    check(Log::new().mail(spoof().times(20)), Severity::Medium);
    check(
        Log::new().mail(
            spoof().times(70).outcome(Outcome::Rejected).with(|key| key.refusal = Some(Refusal::SenderNotAllowed)),
        ),
        Severity::Info,
    );
    let analysis = Log::new().mail(spoof()).judge();
    assert_eq!(analysis.verdict.cause, Cause::InboundOnly);
    assert!(analysis.verdict.headline.contains("it came in, it did not go out"));
    silent(Log::new().mail(spoof().with(|key| key.account = Some("anna".into()))), Cause::Clean);
    silent(Log::new().mail(mail(TRUSTED, "example.org", "example.org").outcome(Outcome::Delivered)), Cause::Clean);
    silent(Log::new().mail(mail(STRANGER, "", "example.org").outcome(Outcome::Delivered)), Cause::Clean);
}

#[test]
fn a_forwarder_is_no_spoofer() {
    let inbound = |reverse: &str| mail(STRANGER, reverse, "example.org").outcome(Outcome::Delivered);
    let log = (0..6)
        .fold(Log::new().mail(inbound("example.org")), |log, n| log.mail(inbound(&format!("d{n}.example")).times(9)));
    let analysis = log.judge();
    let finding = only(&analysis, Rule::SpoofedLocalSender);
    assert_eq!(finding.severity, Severity::Info);
    assert!(finding.why[1].contains("6 other domains"), "{:?}", finding.why);
}

#[test]
fn a_domain_that_lives_elsewhere_may_write_to_us() {
    let mut site = stated();
    site.add_local_domain("partner.example", site::Origin::CommandLine);
    let log = Log::new()
        .mail(mail(STRANGER, "partner.example", "example.org").outcome(Outcome::Delivered))
        .hello(STRANGER, "partner.example")
        .domain("partner.example", |facts| {
            facts.handed_on = 3;
            facts.next_hops.insert("192.0.2.80".into());
        });
    assert!(analyse(&log.0, &site).findings.is_empty());
}

#[test]
fn greetings_in_our_name() {
    for (name, fires) in [
        ("example.org", true),
        ("mx1.example.org", true),
        ("[192.0.2.25]", true),
        ("192.0.2.25", true),
        ("localhost", false),
        ("localhost.localdomain", false),
        ("[127.0.0.1]", false),
        ("mail.example.com", false),
        ("[203.0.113.7]", false),
    ] {
        let analysis = Log::new().hello(STRANGER, name).judge();
        assert_eq!(!of(&analysis, Rule::HeloImpersonation).is_empty(), fires, "{name}");
    }
    assert!(Log::new().hello(TRUSTED, "mx1.example.org").judge().findings.is_empty());
    let login = mail(STRANGER, "example.org", "example.net").with(|key| key.account = Some("anna".into()));
    assert!(Log::new().hello(STRANGER, "example.org").mail(login).judge().findings.is_empty());
    let named =
        Log::new().hello(STRANGER, "mx1.example.org").client(STRANGER, |facts| facts.names.insert(SERVER.into()));
    assert!(named.judge().findings.is_empty());
}
