//! blocklisted, and how the abuse ends: who says what, after which abuse, and what is left in the queue.

use crate::log::{Log, SERVER, STRANGER, mail};
use crate::of;
use relayaudit::judge::{Cause, Rule, Severity};
use relayaudit::ledger::{Listing, ListingKey, Outcome, Time};
use relayaudit_parsers::blocklist::About;

/// 2027-01-18 06:00 UTC, when the mail of `log::mail` begins.
const START: i64 = 1_800_252_000_000_000;
const MINUTE: i64 = 60_000_000;
const OURS: &str = "192.0.2.25";

/// Some receivers say something of us, so many minutes after `START`.
fn said(mut log: Log, list: &str, about: About, address: Option<&str>, receivers: &[&str], minutes: i64) -> Log {
    let address = address.map(|address| address.parse().unwrap());
    let key = ListingKey { server: SERVER.into(), address, list: list.into(), about };
    let listing: &mut Listing = log.0.listings.entry(key).or_default();
    for receiver in receivers {
        listing.replies += 1;
        listing.bounced += 1;
        listing.span.see(Some(Time(START + minutes * MINUTE)));
        listing.receivers.insert((*receiver).into());
        listing.all_receivers.see(receiver.as_bytes());
    }
    log
}

/// Ordinary mail that came in.
fn quiet() -> Log {
    Log::new().mail(mail("203.0.113.80", "example.com", "example.org").outcome(Outcome::Delivered))
}

#[test]
fn a_claim_weighs_what_those_who_make_it_weigh() {
    let check = |about, receivers: &[&str], want| {
        let analysis = said(quiet(), "Spamhaus ZEN", about, Some(OURS), receivers, 0).judge();
        let found = of(&analysis, Rule::Blocklisted);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, want, "{about:?} {receivers:?}");
        assert_eq!((found[0].subject.kind, found[0].subject.value.as_ref()), ("server-address", OURS));
        assert_eq!(analysis.verdict.cause, Cause::Clean);
    };
    check(About::Address, &["evil.example"], Severity::Low);
    check(About::Address, &["google.com"], Severity::Medium);
    check(About::Reputation, &["a.example", "b.example"], Severity::Medium);
    check(About::Complaints, &["a.example", "b.example", "c.example"], Severity::High);
    // What is about one mail, our DNS or a policy is never grave.
    for about in [About::Content, About::Setup, About::Range, About::Policy, About::Domain] {
        check(about, &["a.example", "b.example", "c.example", "google.com"], Severity::Low);
    }
    assert!(of(&quiet().judge(), Rule::Blocklisted).is_empty());
}

#[test]
fn replies_that_name_no_address_belong_to_the_only_one_named() {
    let analysis = one_address().judge();
    let found = of(&analysis, Rule::Blocklisted);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].severity, found[0].attempts, found[0].recipients_bounced), (Severity::Medium, 2, 2));
    // With two addresses nobody can tell.
    let log = said(one_address(), "Spamhaus ZEN", About::Address, Some("192.0.2.26"), &["c.example"], 0);
    assert_eq!(of(&log.judge(), Rule::Blocklisted).len(), 3);
}

/// Two receivers, of which one names our address.
fn one_address() -> Log {
    let log = said(quiet(), "Spamhaus ZEN", About::Address, Some(OURS), &["a.example"], 0);
    said(log, "unnamed", About::Reputation, None, &["b.example"], 5)
}

#[test]
fn the_abuse_that_went_before_is_named() {
    let relay = || Log::new().mail(mail(STRANGER, "spam.example", "example.net").times(300));
    let analysis = said(relay(), "SpamCop", About::Address, Some(OURS), &["a.example", "b.example"], 190).judge();
    // The cause is that of the mail, not of the replies.
    assert_eq!(analysis.verdict.cause, Cause::OpenRelay);
    let row = &analysis.blocklistings[0];
    let before = row.preceded_by.as_ref().unwrap();
    assert_eq!((before.rule, before.subject.value.as_ref(), before.minutes), (Rule::OpenRelay, STRANGER, 190));
    assert_eq!((row.precedes.clone(), row.delist), (None, Some("https://www.spamcop.net/bl.shtml")));
    let why = of(&analysis, Rule::Blocklisted)[0].why.last().unwrap();
    assert_eq!(why, "The mail of client 203.0.113.7 (open-relay) began 3 h 10 min before the first such reply.");

    let analysis = said(relay(), "SpamCop", About::Address, Some(OURS), &["a.example", "b.example"], -60).judge();
    let row = &analysis.blocklistings[0];
    assert_eq!(row.preceded_by, None);
    assert_eq!(row.precedes.as_ref().unwrap().minutes, 60);
}

#[test]
fn a_listing_without_abuse_points_beyond_the_logs() {
    let listed = said(quiet(), "SpamCop", About::Address, Some(OURS), &["a.example", "b.example"], 30).judge();
    assert_eq!(listed.verdict.cause, Cause::Clean);
    let next = listed.verdict.next.join("\n");
    assert!(next.contains("Other servers say that they block 192.0.2.25 since 2027-01-18 06:30 UTC"), "{next}");
    assert!(listed.verdict.alternatives.iter().any(|(cause, ..)| *cause == Cause::InsufficientEvidence));
    // One unknown receiver changes nothing.
    let claimed = said(quiet(), "SpamCop", About::Address, Some(OURS), &["a.example"], 30).judge();
    let quiet = quiet().judge();
    assert_eq!(claimed.verdict.next, quiet.verdict.next);
    assert_eq!(claimed.verdict.alternatives, quiet.verdict.alternatives);
}

/// An open relay whose mail was last tried so many minutes after `START`.
fn relayed(deferred: u64, tried: i64) -> Log {
    let mut log = Log::new().mail(mail(STRANGER, "spam.example", "example.net").times(300));
    if 0 < deferred {
        log = log.mail(mail(STRANGER, "spam.example", "example.net").times(deferred).outcome(Outcome::Deferred));
    }
    for (key, flow) in &mut log.0.flows {
        flow.last_attempt = Some(Time(START + tried * MINUTE));
        if key.outcome == Outcome::Deferred {
            flow.waiting.insert("4F1A2C0012".into());
        }
    }
    log
}

#[test]
fn the_old_queue_is_told_from_what_still_comes_in() {
    let check = |log: Log, want: &str| assert_eq!(log.judge().verdict.ending, want);
    check(
        relayed(7, 240),
        "The last of it came in at 2027-01-18 06:00 UTC; what leaves after that is the old queue, last tried at 2027-01-18 10:00 \
         UTC. 7 recipients still waited then.",
    );
    check(
        relayed(0, 240),
        "The last of it came in at 2027-01-18 06:00 UTC; what leaves after that is the old queue, last tried at 2027-01-18 10:00 \
         UTC. None of it waits any more when the logs end.",
    );
    check(relayed(0, 0), "The last of it came in at 2027-01-18 06:00 UTC, and the logs show none of it leaving later.");
    let goes_on = |minutes| {
        let mut log = relayed(7, 300);
        log.0.flows.values_mut().for_each(|flow| flow.span.see(Some(Time(START + minutes * MINUTE))));
        log
    };
    check(
        goes_on(291),
        "It was still coming in when the logs end, at 2027-01-18 11:00 UTC. 7 recipients still waited then.",
    );
    check(
        goes_on(250),
        "The logs end 50 min later, at 2027-01-18 11:00 UTC: it may still be coming in. 7 recipients still waited then.",
    );
    check(quiet(), "");
}

#[test]
fn a_finding_of_abuse_tells_its_queue_and_how_to_clear_it() {
    let analysis = relayed(7, 240).judge();
    let finding = of(&analysis, Rule::OpenRelay)[0];
    let queue = finding.queue.as_ref().unwrap();
    assert_eq!((queue.last_entered, queue.last_attempt), (Some(Time(START)), Some(Time(START + 240 * MINUTE))));
    assert_eq!((queue.recipients, queue.unseen, queue.ids.as_slice()), (7, 0, ["4F1A2C0012".to_owned()].as_slice()));
    let steps = finding.remedy.join("\n");
    assert!(steps.contains("`postsuper -d 4F1A2C0012`") && steps.contains("grep -F '[203.0.113.7]'"), "{steps}");
    // Probes took nothing in.
    let probed = Log::new().mail(mail(STRANGER, "spam.example", "example.net").outcome(Outcome::Denied)).judge();
    assert_eq!(of(&probed, Rule::RelayProbe)[0].queue, None);
}
