//! The detectors and the verdict, on small ledgers made by hand: for each rule a situation in which
//! it fires and one in which it does not.
#![allow(clippy::unwrap_used)]

#[path = "judge/doubt.rs"]
mod doubt;
#[path = "judge/impostors.rs"]
mod impostors;
#[path = "judge/inbound.rs"]
mod inbound;
#[path = "judge/listed.rs"]
mod listed;
#[path = "judge/log.rs"]
mod log;
#[path = "judge/vouched.rs"]
mod vouched;
#[path = "judge/weight.rs"]
mod weight;

use log::{Log, Mail, SERVER, STRANGER, TRUSTED, mail, stated};
use relayaudit::judge::{self, Analysis, Cause, Finding, Rule, Severity, analyse};
use relayaudit::ledger::{Client, FlowKey, Ledger, Origin, Outcome, ServerFacts};
use relayaudit::merge::Merge;
use relayaudit::site::{self, Site};
use relayaudit_parsers::address::Form;
use relayaudit_parsers::record::Refusal;

/// The findings of a rule.
fn of(analysis: &Analysis, rule: Rule) -> Vec<&Finding> {
    analysis.findings.iter().filter(|finding| finding.rule == rule).collect()
}

/// The one finding of the analysis.
fn only(analysis: &Analysis, rule: Rule) -> &Finding {
    assert_eq!(analysis.findings.len(), 1, "{:#?}", analysis.findings);
    assert_eq!(analysis.findings[0].rule, rule);
    &analysis.findings[0]
}

fn silent(log: Log, cause: Cause) {
    let analysis = log.judge();
    assert!(analysis.findings.is_empty(), "{:#?}", analysis.findings);
    assert_eq!(analysis.verdict.cause, cause, "{:#?}", analysis.verdict);
}

#[test]
fn an_open_relay_is_named_with_exact_figures() {
    let log = Log::new()
        .mail(mail(STRANGER, "spam.example", "example.net").times(3_000).hours(2))
        .mail(mail(STRANGER, "spam.example", "example.net").times(100).outcome(Outcome::Bounced))
        .mail(mail(STRANGER, "spam.example", "example.com").times(8).outcome(Outcome::Deferred))
        .mail(mail(STRANGER, "spam.example", "example.net").times(7).outcome(Outcome::BouncedHere))
        .mail(mail(STRANGER, "spam.example", "example.com").times(2).outcome(Outcome::Denied))
        .mail(mail(STRANGER, "spam.example", "example.org").times(5).outcome(Outcome::Delivered));
    let analysis = log.judge();
    let finding = of(&analysis, Rule::OpenRelay)[0];
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.subject.value.as_ref(), STRANGER);
    assert_eq!((finding.recipients_accepted, finding.recipients_denied), (3_108, 2));
    assert_eq!(
        (finding.recipients_delivered, finding.recipients_bounced, finding.recipients_deferred),
        (3_000, 100, 8)
    );
    assert_eq!(finding.attempts, 3_110);
    assert_eq!(finding.confidence, 0.95);
    assert_eq!(finding.evidence.len(), 3);
    assert_eq!(
        finding.why[0],
        "203.0.113.7 relayed 3,108 recipients through mx1.example.org without credentials, to 2 outside domains \
         between 2027-01-18 06:00 and 2027-01-18 07:00 UTC."
    );
    assert_eq!(analysis.verdict.cause, Cause::OpenRelay);
    assert_eq!(
        analysis.verdict.headline,
        "Yes: 1 outside address relayed 3,108 recipients through mx1.example.org between 2027-01-18 06:00 and \
         2027-01-18 07:00 UTC."
    );
    assert!(analysis.verdict.why.len() >= 3, "{:#?}", analysis.verdict.why);
    assert!(analysis.verdict.why[0].contains("(mail.log:1)"), "{:?}", analysis.verdict.why);
    assert_eq!(analysis.totals.by_verdict["relayed-unauthorised"], 3_108);
    assert_eq!(analysis.totals.recipients, 3_122);
    assert_eq!(analysis.servers[0].relayed_recipients, 3_108);
}

#[test]
fn severity_of_an_open_relay() {
    let check =
        |mail: Mail, severity| assert_eq!(only(&Log::new().mail(mail).judge(), Rule::OpenRelay).severity, severity);
    let spam = || mail(STRANGER, "spam.example", "example.net");
    check(spam(), Severity::High);
    check(spam().times(99), Severity::High);
    check(spam().times(100), Severity::Critical);
    check(spam().times(12).hours(3), Severity::Critical);
    check(spam().times(3).hours(3), Severity::High);
    check(spam().times(5).outcome(Outcome::Bounced), Severity::Medium);
    check(spam().times(500).outcome(Outcome::Deferred), Severity::High);
}

#[test]
fn a_newsletter_of_a_trusted_host_is_no_abuse() {
    let log = Log::new().mail(mail(TRUSTED, "example.org", "example.net").times(9_000).hours(4));
    let analysis = log.judge();
    assert!(analysis.findings.is_empty());
    assert_eq!(analysis.verdict.cause, Cause::Clean);
    assert!(analysis.verdict.headline.starts_with("No unauthorised relay seen: mx1.example.org took in 10 messages"));
    let hint = analysis.verdict.not_seen.join("\n");
    assert!(hint.contains("1 trusted host sent mail") && hint.contains("198.51.100.9 (9,000)"), "{hint}");
}

#[test]
fn accounts_that_are_not_accused_are_named() {
    let log = Log::new()
        .mail(mail(STRANGER, "example.org", "example.net").times(400).with(|key| key.account = Some("anna".into())));
    let verdict = log.judge().verdict;
    assert_eq!(verdict.cause, Cause::Clean);
    assert!(
        verdict
            .not_seen
            .iter()
            .any(|text| text == "1 account sent mail to outside recipients, not like a source of spam: anna (400).")
    );
    assert!(verdict.alternatives.is_empty());
}

#[test]
fn what_is_no_relay() {
    let spam = || mail(STRANGER, "spam.example", "example.net").times(50);
    // An alias or a list of a local recipient.
    silent(Log::new().mail(spam().with(|key| key.origin = Origin::Forwarded)), Cause::Clean);
    silent(
        Log::new().mail(
            mail(STRANGER, "example.com", "example.org").with(|key| key.final_domain = Some("example.net".into())),
        ),
        Cause::Clean,
    );
    // A 250, and then our own notification.
    silent(Log::new().mail(spam().outcome(Outcome::BouncedHere)), Cause::Clean);
    silent(Log::new().mail(spam().with(|key| key.origin = Origin::System)), Cause::Clean);
    // The recipient was accepted, and no message came.
    silent(Log::new().mail(spam().outcome(Outcome::NoData)), Cause::InsufficientEvidence);
    // Nobody knows who handed it in.
    silent(Log::new().mail(spam().with(|key| key.client = Client::Unknown)), Cause::InsufficientEvidence);
    silent(Log::new().mail(spam().with(|key| key.origin = Origin::Unknown)), Cause::InsufficientEvidence);
    // A filter's mailbox, or a domain that the site forgets.
    silent(Log::new().mail(spam().outcome(Outcome::Delivered)), Cause::InsufficientEvidence);
}

#[test]
fn a_secondary_mx_is_no_relay_once_its_domain_is_stated() {
    let log = Log::new().mail(mail(STRANGER, "example.com", "partner.example"));
    assert_eq!(log.judge().verdict.cause, Cause::OpenRelay);
    let mut site = stated();
    site.add_local_domain("partner.example", site::Origin::CommandLine);
    assert_eq!(analyse(&log.0, &site).verdict.cause, Cause::Clean);
}

#[test]
fn a_secondary_mx_that_is_not_stated_is_doubted() {
    let clients = (1..=6).map(|n| format!("203.0.113.{n}"));
    let log = clients.fold(Log::new(), |log, client| log.mail(mail(&client, "example.com", "partner.example")));
    let log = log.domain("partner.example", |facts| {
        facts.handed_on = 6;
        facts.next_hops.insert("192.0.2.80".into());
    });
    let analysis = log.guess();
    assert!(analysis.findings.iter().all(|finding| finding.severity == Severity::Low), "{:#?}", analysis.findings);
    assert_eq!(analysis.verdict.cause, Cause::Clean);
    assert_eq!(analysis.verdict.alternatives[0].0, Cause::OpenRelay);
    // Spam to the same domain, and to others, is not excused by it.
    let log = log
        .mail(mail("203.0.113.99", "spam.example", "partner.example").times(2))
        .mail(mail("203.0.113.99", "spam.example", "example.net").times(2));
    assert_eq!(log.guess().verdict.cause, Cause::OpenRelay);
}

#[test]
fn an_inferred_site_lowers_confidence_and_says_so() {
    let log = Log::new()
        .mail(mail(STRANGER, "spam.example", "example.net").times(4_210))
        .domain("example.org", |facts| facts.delivered_here = 4);
    let analysis = log.guess();
    let finding = only(&analysis, Rule::OpenRelay);
    assert_eq!(finding.confidence, 0.75);
    assert!(
        finding.why.iter().any(|why| why.contains("if 203.0.113.7 is yours, add it with --trusted-net 203.0.113.7"))
    );
    assert!(analysis.verdict.headline.starts_with("Yes, unless it is yours: "), "{}", analysis.verdict.headline);
    let few = Log::new().mail(mail(STRANGER, "spam.example", "example.net")).stated_domains();
    assert!(few.verdict.headline.starts_with("Perhaps, unless it is yours: "), "{}", few.verdict.headline);
    let inside = Log::new().mail(mail("10.1.2.3", "spam.example", "example.net").times(50));
    assert!(inside.guess().findings.is_empty());
    assert_eq!(inside.judge().verdict.cause, Cause::OpenRelay);
    assert!(only(&inside.judge(), Rule::OpenRelay).remedy.iter().any(|step| step.contains("Do not ban 10.1.2.3")));
}

#[test]
fn a_host_that_sends_only_our_mail_is_doubted_while_the_site_is_inferred() {
    let log = Log::new()
        .mail(mail(STRANGER, "example.org", "example.net").times(20))
        .domain("example.org", |facts| facts.delivered_here = 4);
    let analysis = log.guess();
    assert_eq!(of(&analysis, Rule::OpenRelay)[0].severity, Severity::Low);
    assert_ne!(analysis.verdict.cause, Cause::OpenRelay);
    assert_eq!(log.judge().verdict.cause, Cause::OpenRelay);
}

#[test]
fn a_log_that_does_not_link_in_and_out_is_estimated() {
    let accepted = |client: &str| mail(client, "spam.example", "example.net").times(40).outcome(Outcome::Unknown);
    let out = |forward: &str, outcome, recipients| {
        let change = |key: &mut FlowKey| {
            key.origin = Origin::Outbound;
            key.client = Client::Unknown;
        };
        mail("", "spam.example", forward).with(change).outcome(outcome).times(recipients)
    };
    let log = Log::new().mail(accepted(STRANGER)).mail(out("example.net", Outcome::Relayed, 30)).mail(out(
        "example.net",
        Outcome::Bounced,
        30,
    ));
    let analysis = log.judge();
    let finding = only(&analysis, Rule::OpenRelay);
    assert_eq!((finding.recipients_delivered, finding.recipients_bounced), (30, 10));
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(analysis.totals.recipients, 40, "the second view is not added");

    let analysis = Log::new().mail(accepted(STRANGER)).mail(out("example.com", Outcome::Relayed, 30)).judge();
    let finding = only(&analysis, Rule::OpenRelay);
    assert_eq!((finding.severity, finding.confidence), (Severity::Medium, 0.5));
    assert!(finding.why.iter().any(|why| why.contains("no line shows any of them leaving")), "{:?}", finding.why);

    let analysis = Log::new().mail(accepted(STRANGER)).judge();
    assert_eq!(only(&analysis, Rule::OpenRelay).severity, Severity::High);
}

#[test]
fn probes_are_refused_and_nothing_more() {
    let denied = |client: &str| mail(client, "example.com", "example.net").outcome(Outcome::Denied);
    let percent = |key: &mut FlowKey| {
        key.form = Form::Percent;
        key.forward_domain = "example.org".into();
        key.hidden_domain = Some("example.net".into());
    };
    let log = Log::new()
        .mail(denied(STRANGER).times(146))
        .mail(denied(STRANGER).with(percent))
        .mail(denied("203.0.113.8"))
        .client(STRANGER, |facts| {
            facts.sessions = 3;
            facts.testers.insert("nmap smtp-open-relay".into());
        });
    let analysis = log.judge();
    let probes = of(&analysis, Rule::RelayProbe);
    assert_eq!(probes.iter().map(|probe| probe.severity).collect::<Vec<_>>(), [Severity::Low, Severity::Info]);
    assert_eq!((probes[0].recipients_denied, probes[0].recipients_accepted, probes[0].sessions), (147, 0, 3));
    let why = probes[0].why.join("\n");
    assert!(why.contains("Address forms tried: ") && why.contains("nmap smtp-open-relay"), "{why}");
    assert_eq!(analysis.verdict.cause, Cause::ProbesOnly);
    assert_eq!(
        analysis.verdict.headline,
        "No relaying by strangers: 2 addresses tried through mx1.example.org, all 148 attempts were refused, and none of \
         it left the server."
    );
}

#[test]
fn refusals_that_are_no_probes() {
    let denied = |client: &str, forward: &str| mail(client, "example.com", forward).outcome(Outcome::Denied);
    silent(Log::new().mail(denied(TRUSTED, "example.net")), Cause::Clean);
    silent(
        Log::new().mail(denied(STRANGER, "example.net").with(|key| key.account = Some("anna".into()))),
        Cause::Clean,
    );
    silent(Log::new().mail(denied(STRANGER, "example.org")), Cause::Clean);
    let greylisted = mail(STRANGER, "example.com", "example.net").outcome(Outcome::Rejected);
    silent(Log::new().mail(greylisted.with(|key| key.refusal = Some(Refusal::Greylisted))), Cause::Clean);
}

#[test]
fn a_user_who_forgot_to_log_in_is_recognised() {
    let denied = || mail(STRANGER, "example.org", "example.net").outcome(Outcome::Denied).times(3);
    let login = mail("203.0.113.200", "example.org", "example.net").with(|key| key.account = Some("anna".into()));
    let analysis = Log::new().mail(denied()).mail(login).judge();
    let probe = of(&analysis, Rule::RelayProbe)[0];
    assert_eq!(probe.severity, Severity::Info);
    assert!(probe.why.iter().any(|why| why.starts_with("It looks like a user of yours who did not log in")));
    let analysis = Log::new().mail(denied()).judge();
    let probe = of(&analysis, Rule::RelayProbe)[0];
    assert_eq!(probe.severity, Severity::Low);
    assert!(probe.why.iter().any(|why| why.contains("would look the same")));
}

#[test]
fn a_probe_by_a_client_that_also_succeeded_is_worse() {
    let log = Log::new().mail(mail(STRANGER, "spam.example", "example.net").outcome(Outcome::Denied)).mail(mail(
        STRANGER,
        "spam.example",
        "example.com",
    ));
    assert_eq!(of(&log.judge(), Rule::RelayProbe)[0].severity, Severity::Medium);
}

#[test]
fn tricks_that_work_and_tricks_that_do_not() {
    let trick = |outcome| {
        mail(STRANGER, "spam.example", "example.org").outcome(outcome).with(|key| {
            key.form = Form::Percent;
            key.hidden_domain = Some("example.net".into());
        })
    };
    let worked = trick(Outcome::Relayed).with(|key| key.final_domain = Some("example.net".into()));
    let analysis = Log::new().mail(worked).judge();
    assert_eq!(of(&analysis, Rule::RelayTrick)[0].severity, Severity::High);
    assert_eq!(of(&analysis, Rule::OpenRelay)[0].recipients_accepted, 1);
    assert_eq!(analysis.verdict.cause, Cause::OpenRelay);
    silent(Log::new().mail(trick(Outcome::Delivered)), Cause::Clean);
    assert!(of(&Log::new().mail(mail(STRANGER, "spam.example", "example.net")).judge(), Rule::RelayTrick).is_empty());
}

#[test]
fn no_mail_is_no_answer() {
    let analysis = analyse(&Ledger::default(), &Site::default());
    assert_eq!(analysis.verdict.cause, Cause::InsufficientEvidence);
    assert_eq!(analysis.verdict.headline, "Cannot tell: nothing about mail could be read.");
    assert!(analysis.servers.is_empty());
    silent(Log::new(), Cause::InsufficientEvidence);
}

#[test]
fn each_server_has_its_own_verdict() {
    let mut log = Log::new().mail(mail(STRANGER, "spam.example", "example.net").times(5));
    log = log.mail(
        mail(STRANGER, "example.com", "example.org").outcome(Outcome::Delivered).with(|key| key.server = "mx2".into()),
    );
    log.0.servers.insert("mx2".into(), ServerFacts { records: 9, messages: 1, ..ServerFacts::default() });
    let analysis = log.judge();
    let causes: Vec<_> = analysis.servers.iter().map(|one| (one.server.as_ref(), one.verdict.cause)).collect();
    assert_eq!(causes, [(SERVER, Cause::OpenRelay), ("mx2", Cause::Clean)]);
    assert_eq!(analysis.verdict.cause, Cause::OpenRelay);
    assert!(analysis.verdict.headline.contains("through mx1.example.org"), "{}", analysis.verdict.headline);
}

#[test]
fn findings_come_worst_first_whatever_the_order_of_the_ledger() {
    let parts = || {
        [("203.0.113.9", 5), ("203.0.113.7", 5), ("203.0.113.8", 500)]
            .map(|(client, n)| Log::new().mail(mail(client, "spam.example", "example.net").times(n)).0)
    };
    let judged = |mut parts: Vec<Ledger>| {
        let mut all = parts.remove(0);
        parts.into_iter().for_each(|part| all.merge(part));
        judge::judge(&judge::Routed::new(&all, &stated(), judge::Errors::default()), &judge::Options::default())
    };
    let forth = judged(parts().into());
    let back = judged(parts().into_iter().rev().collect());
    assert_eq!(forth, back);
    let subjects: Vec<_> = forth.iter().map(|finding| finding.subject.value.as_ref()).collect();
    assert_eq!(subjects, ["203.0.113.8", "203.0.113.7", "203.0.113.9"]);
    let mut skip = judge::Options::default();
    skip.skip.insert(Rule::OpenRelay);
    assert!(judge::judge(&judge::Routed::new(&log_of(parts()), &stated(), judge::Errors::default()), &skip).is_empty());
}

fn log_of(parts: [Ledger; 3]) -> Ledger {
    let mut all = Ledger::default();
    parts.into_iter().for_each(|part| all.merge(part));
    all
}

#[test]
fn text_from_the_log_is_cut_and_kept_as_it_is() {
    let long = "A".repeat(5_000);
    let log = Log::new().mail(mail(STRANGER, "example.org", "example.org").outcome(Outcome::Delivered));
    let log = log.mail(mail(STRANGER, "spam.example", &long).times(2));
    for finding in log.judge().findings {
        assert!(finding.why.iter().all(|why| why.len() < 600), "{:?}", finding.why);
    }
}
