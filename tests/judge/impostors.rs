//! Names that imitate ours, and the null reverse-path: lookalike-domain, null-sender-abuse and backscatter-victim.

use crate::log::{Log, SERVER, STRANGER, TRUSTED, mail, stated};
use crate::{of, only, silent};
use relayaudit::judge::{Analysis, Cause, Rule, Severity, analyse};
use relayaudit::ledger::Outcome;
use relayaudit::site::{self, Site};
use relayaudit_parsers::record::Refusal;

const OURS: &str = "norbrook.example";

fn site() -> Site {
    let mut site = stated();
    site.add_local_domain(OURS, site::Origin::CommandLine);
    site
}

fn judged(log: &Log) -> Analysis {
    analyse(&log.0, &site())
}

fn inbound(client: &str, reverse: &str) -> crate::log::Mail {
    mail(client, reverse, OURS).outcome(Outcome::Delivered)
}

#[test]
fn a_domain_that_imitates_ours() {
    let check = |reverse: &str, severity: Option<Severity>| {
        let analysis = judged(&Log::new().mail(inbound(STRANGER, reverse)));
        let found: Vec<_> = of(&analysis, Rule::LookalikeDomain).iter().map(|finding| finding.severity).collect();
        assert_eq!(found, severity.into_iter().collect::<Vec<_>>(), "{reverse}");
    };
    check("n0rbrook.example", Some(Severity::Medium));
    check("norbrook.example.evil.test", Some(Severity::Medium));
    check("norbrook-mail.test", Some(Severity::Low));
    check("norrbook.example", Some(Severity::Low));
    check("norbrook.test", Some(Severity::Info));
    check("mail.norbrook.example", None);
    check("northbrook.test", None);
    check("", None);
    // Of ours, only example.org and norbrook.example are known.
    check("examp1e.org", Some(Severity::Medium));
}

#[test]
fn the_finding_names_the_domain_and_who_sent() {
    let log = Log::new()
        .mail(inbound(STRANGER, "n0rbrook.example").times(2))
        .mail(inbound("203.0.113.8", "mail.n0rbrook.example"))
        .mail(inbound("203.0.113.9", "norbrook.test").outcome(Outcome::Rejected));
    let analysis = judged(&log);
    let finding = only(&analysis, Rule::LookalikeDomain);
    assert_eq!((finding.subject.kind, finding.subject.value.as_ref()), ("domain", "n0rbrook.example"));
    assert_eq!((finding.recipients_accepted, finding.confidence), (3, 0.9));
    assert_eq!(
        finding.why,
        [
            "203.0.113.7 and 203.0.113.8 sent mail without log-in from mail.n0rbrook.example and n0rbrook.example, which looks like \
             norbrook.example, to 3 recipients of yours at 2027-01-18 06:00 UTC.",
            "The logs show no mail from your users to n0rbrook.example."
        ]
    );
    assert_eq!(analysis.verdict.cause, Cause::InboundOnly);
    assert_eq!(
        analysis.verdict.headline,
        "No relaying by strangers: mail from domains that imitate yours (n0rbrook.example) came in to mx1.example.org; it did not go out."
    );
}

#[test]
fn an_encoded_name_is_told_in_its_letters() {
    let analysis = judged(&Log::new().mail(inbound(STRANGER, "xn--nrbrook-90a.example")));
    let why = &only(&analysis, Rule::LookalikeDomain).why[0];
    assert!(why.contains("may show as nörbrook.example and which looks like norbrook.example"), "{why}");
}

#[test]
fn who_is_no_stranger_imitates_nobody() {
    let reverse = "n0rbrook.example";
    for log in [
        Log::new().mail(inbound(TRUSTED, reverse)),
        Log::new().mail(inbound(STRANGER, reverse).with(|key| key.account = Some("anna".into()))),
        Log::new().mail(inbound("hidden", reverse)),
        Log::new().mail(inbound(STRANGER, reverse).outcome(Outcome::Rejected)),
    ] {
        let analysis = judged(&log);
        assert!(analysis.findings.is_empty(), "{:#?}", analysis.findings);
    }
    // Nothing is known of what is ours.
    let guessed = Log::new().mail(inbound(STRANGER, reverse));
    assert!(of(&guessed.guess(), Rule::LookalikeDomain).is_empty());
}

#[test]
fn a_correspondent_with_a_similar_name() {
    let reverse = "norbrock.example";
    let to = |hours| mail(TRUSTED, OURS, reverse).times(30).hours(hours);
    let severity = |log: &Log| {
        let analysis = judged(log);
        of(&analysis, Rule::LookalikeDomain)[0].severity
    };
    // Answers after the fact are the worst case; both on three days are a correspondence.
    let answered = Log::new().mail(inbound(STRANGER, reverse)).mail(to(1));
    assert_eq!(severity(&answered), Severity::Medium);
    let why = judged(&answered).findings[0].why[1].clone();
    assert!(why.contains("30 recipients") && why.contains("ask them what they sent"), "{why}");
    let both = Log::new().mail(inbound(STRANGER, reverse).times(60).hours(60)).mail(to(60));
    assert_eq!(severity(&both), Severity::Info);
    assert_eq!(judged(&both).verdict.cause, Cause::Clean);
    let one_side = Log::new().mail(inbound(STRANGER, reverse)).mail(to(60));
    assert_eq!(severity(&one_side), Severity::Medium);
    // We wrote first.
    let first = Log::new().mail(to(1)).mail(inbound(STRANGER, reverse).later(5));
    assert_eq!(severity(&first), Severity::Info);
    // The same under another ending is a stranger with the same name all too often.
    let other = Log::new().mail(inbound(STRANGER, "norbrook.test")).mail(mail(TRUSTED, OURS, "norbrook.test"));
    assert_eq!(severity(&other), Severity::Low);
}

#[test]
fn mail_to_many_under_the_null_reverse_path() {
    let null = || inbound(STRANGER, "");
    let check = |mail, severity: Option<Severity>| {
        let analysis = judged(&Log::new().mail(mail));
        let found: Vec<_> = of(&analysis, Rule::NullSenderAbuse).iter().map(|finding| finding.severity).collect();
        assert_eq!(found, severity.into_iter().collect::<Vec<_>>());
    };
    check(null().times(20), Some(Severity::Low));
    check(null().times(100), Some(Severity::Medium));
    check(null().times(20).messages(7), None);
    check(null().times(120).messages(40), Some(Severity::Low));
    check(null().times(19), None);
    // Bounces: one recipient each.
    check(null().times(5_000).messages(5_000), None);
    // Recipients that were refused, and recipients without messages.
    check(null().times(50).outcome(Outcome::Rejected), None);
    check(null().times(50).messages(0), None);
    check(inbound(STRANGER, "example.com").times(100), None);
    check(null().times(100).with(|key| key.client = relayaudit::ledger::Client::Unknown), None);
    let trusted = judged(&Log::new().mail(inbound(TRUSTED, "").times(100)));
    assert!(trusted.findings.is_empty());
}

#[test]
fn relaying_under_the_null_reverse_path_is_told_by_both_rules() {
    let analysis = judged(&Log::new().mail(mail(STRANGER, "", "example.net").times(40)));
    let finding = of(&analysis, Rule::NullSenderAbuse)[0];
    assert_eq!(
        finding.why,
        [
            "203.0.113.7 had 40 recipients accepted under the null reverse-path, in 1 message at 2027-01-18 06:00 UTC: a notification \
             has one.",
            "Of these, 40 went on to third parties: see open-relay."
        ]
    );
    assert_eq!(analysis.verdict.cause, Cause::OpenRelay);
}

/// Notifications from so many networks, each of so many recipients of one message each.
fn bounces(log: Log, networks: u8, each: u64, refusal: Option<Refusal>) -> Log {
    (0..networks).fold(log, |log, n| {
        let bounce = inbound(&format!("203.0.{n}.7"), "").times(each).messages(each);
        log.mail(match refusal {
            Some(_) => bounce.outcome(Outcome::Rejected).with(|key| key.refusal = refusal),
            None => bounce,
        })
    })
}

#[test]
fn bounces_of_what_others_sent_in_our_name() {
    let check = |log: Log, fires: bool| {
        let analysis = judged(&log);
        assert_eq!(of(&analysis, Rule::BackscatterVictim).len(), usize::from(fires), "{:#?}", analysis.findings);
    };
    let sent = |times| Log::new().mail(mail(TRUSTED, OURS, "example.net").times(times));
    check(bounces(sent(10), 10, 5, None), true);
    check(bounces(sent(249), 10, 5, None), true);
    // A mailing with a bad list: the bounces are ours.
    check(bounces(sent(250), 10, 5, None), false);
    check(bounces(sent(10), 9, 9, None), false);
    check(bounces(sent(10), 10, 4, None), false);
    // No mail is seen to leave: only addresses that do not exist tell.
    check(bounces(Log::new(), 20, 5, None), false);
    check(bounces(Log::new(), 20, 5, Some(Refusal::UnknownUser)), true);
    check(bounces(bounces(Log::new(), 10, 15, None), 10, 5, Some(Refusal::UnknownUser)), true);
    check(bounces(bounces(Log::new(), 10, 16, None), 10, 5, Some(Refusal::UnknownUser)), false);
    // Mail that strangers relayed in our name is ours to answer for.
    let relayed = Log::new().mail(mail(STRANGER, OURS, "example.net").times(250));
    check(bounces(relayed, 10, 5, None), false);
}

#[test]
fn the_victim_is_told_that_it_is_no_fault_of_the_server() {
    let log = bounces(Log::new(), 12, 5, Some(Refusal::UnknownUser));
    let log = log.mail(mail(TRUSTED, OURS, "example.net").times(3)).mail(inbound(STRANGER, "").times(40));
    let analysis = judged(&log);
    let finding = of(&analysis, Rule::BackscatterVictim)[0];
    assert_eq!((finding.subject.kind, finding.subject.value.as_ref()), ("domain", OURS));
    assert_eq!((finding.severity, finding.attempts), (Severity::Low, 60));
    assert_eq!(
        finding.why,
        [
            "60 notifications from 12 servers in 12 networks came to mx1.example.org for norbrook.example at 2027-01-18 06:00 UTC; 60 of \
             them for addresses that do not exist here.",
            "Mail in the name of norbrook.example left for no more than 3 recipients.",
            "Somebody sends mail elsewhere in the name of norbrook.example, and its bounces come here. It is no fault of this server, \
             and that mail did not go through it."
        ]
    );
    // The client that misuses the null reverse-path is another matter.
    assert_eq!(of(&analysis, Rule::NullSenderAbuse)[0].subject.value.as_ref(), STRANGER);
    assert_eq!(analysis.verdict.cause, Cause::InboundOnly);
    assert!(
        analysis.verdict.headline.contains(&format!("its bounces came to {SERVER}")),
        "{}",
        analysis.verdict.headline
    );
    silent(Log::new().mail(mail(STRANGER, "", "example.org").outcome(Outcome::Delivered)), Cause::Clean);
}

/// Messages of a stranger with a domain in the From header and another one as reverse-path.
fn headed(log: Log, client: &str, header: &str, reverse: &str) -> Log {
    let mail = inbound(client, reverse).outcome(Outcome::Delivered);
    log.mail(mail).header_from(client, header, reverse)
}

#[test]
fn our_domain_in_the_from_header_of_a_stranger() {
    let check = |log: Log, severity: Option<Severity>| {
        let analysis = judged(&log);
        let found: Vec<_> = of(&analysis, Rule::SpoofedLocalSender).iter().map(|finding| finding.severity).collect();
        assert_eq!(found, severity.into_iter().collect::<Vec<_>>(), "{:#?}", analysis.findings);
    };
    let sends = || Log::new().mail(mail(TRUSTED, OURS, "example.net"));
    let spoof = |log| headed(log, STRANGER, OURS, "evil.test");
    check(spoof(sends()), Some(Severity::Low));
    check(headed(sends(), STRANGER, OURS, ""), Some(Severity::Low));
    // Without outgoing mail, nobody can tell it from a list.
    check(spoof(Log::new()), Some(Severity::Info));
    // A list that ours write to, at a neighbour of the reverse-path; one with many authors; hosts of ours; other people's names.
    check(spoof(Log::new().mail(mail(TRUSTED, OURS, "evil.test"))), None);
    check(headed(Log::new().mail(mail(TRUSTED, OURS, "lists.test")), STRANGER, OURS, "bounces.lists.test"), None);
    let authors = ["a.test", "b.test", "c.test"].into_iter();
    check(authors.fold(spoof(sends()), |log, author| headed(log, STRANGER, author, "evil.test")), None);
    check(headed(sends(), TRUSTED, OURS, "evil.test"), None);
    check(headed(sends(), STRANGER, OURS, "news.norbrook.example"), None);
    check(headed(sends(), STRANGER, "example.com", "evil.test"), None);
}

#[test]
fn from_header_and_reverse_path_make_one_finding() {
    let log = headed(Log::new().mail(mail(TRUSTED, OURS, "example.net")), STRANGER, OURS, "evil.test");
    let analysis = judged(&log);
    let alone = only(&analysis, Rule::SpoofedLocalSender);
    assert_eq!((alone.messages, alone.recipients_accepted, alone.confidence), (1, 1, 0.5));
    assert_eq!(
        alone.why[0],
        "203.0.113.7 sent 1 message with norbrook.example in the From header, under other reverse-paths (evil.test), to 1 recipient \
         at 2027-01-18 06:00 UTC."
    );
    let both = judged(&log.mail(inbound(STRANGER, OURS).times(20)));
    let both = only(&both, Rule::SpoofedLocalSender);
    assert_eq!((both.severity, both.why.len()), (Severity::Medium, 3));
    assert!(both.why[1].contains("in the From header"), "{:?}", both.why);
}
