//! What volume-anomaly says, and what it leaves to stronger rules.

use crate::office::{self, HISTORY, Office, QUARTER, SERVER, hour};
use crate::site;
use relayaudit::judge::{Cause, Finding, Rule, Severity, analyse};
use relayaudit::ledger::{Client, Evidence, Flow, FlowKey, Ledger, Outcome, Place, Time};

const DAY: i32 = HISTORY + QUARTER - 1;

fn office() -> Office {
    Office::new(3, 20, HISTORY + QUARTER)
}

fn found(ledger: &Ledger) -> Vec<Finding> {
    let findings = analyse(ledger, &site()).findings.into_iter();
    findings.filter(|finding| finding.rule == Rule::VolumeAnomaly).collect()
}

/// Mail of an account in one hour, to a domain of its own, so that the line of it is known.
fn burst(ledger: &mut Ledger, account: &str, time: i32, number: u64, change: impl Fn(&mut FlowKey)) {
    let of_account = |key: &&FlowKey| key.account == Some(account.into());
    let mut key = *ledger.flows.keys().filter(of_account).min().unwrap();
    key.forward_domain = "example.edu".into();
    change(&mut key);
    let mut flow = Flow { messages: number, ..Flow::default() };
    flow.see(Some(Time(i64::from(time) * 3_600_000_000)), number);
    flow.openings.insert(Evidence::of(Place { line: 7, ..Place::default() }, b"the line"));
    ledger.flows.insert(key, Box::new(flow));
    let sent = ledger.accounts.iter_mut().find(|(key, _)| key.account.as_ref() == account).unwrap().1;
    sent.messages.add(time, number);
}

#[test]
fn a_burst_is_told_with_its_figures_and_its_line() {
    let mut ledger = office().ledger(0);
    assert!(found(&ledger).is_empty(), "{:#?}", found(&ledger));
    burst(&mut ledger, "user4", hour(DAY, 10), 400, |_| ());
    let [finding] = &found(&ledger)[..] else { panic!("{:#?}", found(&ledger)) };
    assert_eq!((finding.subject.kind, finding.subject.value.as_ref()), ("account", "user4"));
    assert_eq!(finding.severity, Severity::Low);
    assert!(400 <= finding.recipients_accepted && finding.recipients_accepted < 450, "{finding:#?}");
    assert_eq!(&*finding.evidence[0].text, "the line");
    let (first, last) = (finding.span.first.unwrap(), finding.span.last.unwrap());
    assert_eq!((first.hour(), last.hour()), (hour(DAY, 10), hour(DAY, 10)));
    assert!(finding.why[0].contains("In the 132 days before, its busiest hour had "), "{:#?}", finding.why);
    assert!(finding.why[1].contains("By chance, such a jump is to be expected"), "{:#?}", finding.why);
    let analysis = analyse(&ledger, &site());
    assert_eq!(analysis.verdict.cause, Cause::Clean, "volume alone is no abuse");
    assert!(analysis.verdict.next[0].contains("account user4"), "{:?}", analysis.verdict.next);
}

#[test]
fn what_else_is_unusual_makes_it_worth_more() {
    let mut ledger = office().ledger(0);
    let outside = Client::Address("203.0.113.9".parse().unwrap());
    // At night, from a network of its own.
    burst(&mut ledger, "user4", hour(DAY, 1), 90, |key| key.client = outside);
    let [finding] = &found(&ledger)[..] else { panic!("{:#?}", found(&ledger)) };
    assert_eq!(finding.severity, Severity::Medium);
    assert!(finding.why.iter().any(|why| why.starts_with("It came from 203.0.113.9 (90 recipients)")), "{finding:#?}");
    assert!(finding.why.iter().any(|why| why.starts_with("It had never sent at that time")), "{finding:#?}");
}

#[test]
fn what_a_stronger_rule_says_is_not_told_again() {
    let mut ledger = office().ledger(0);
    for (number, reverse) in ["a.example", "b.example", "c.example", "d.example", "e.example"].into_iter().enumerate() {
        burst(&mut ledger, "user4", hour(DAY, 1), 400, |key| {
            key.client = Client::Address(format!("203.0.{}.9", 113 + number).parse().unwrap());
            key.reverse_domain = Some(reverse.into());
            key.outcome = if number % 2 == 0 { Outcome::Bounced } else { Outcome::Relayed };
        });
    }
    let analysis = analyse(&ledger, &site());
    assert_eq!(analysis.verdict.cause, Cause::CompromisedAccount);
    assert!(found(&ledger).is_empty(), "{:#?}", found(&ledger));
}

#[test]
fn many_small_jumps_are_a_jump_of_the_domain() {
    let mut ledger = office().ledger(0);
    // At night, when nobody sends: no account stands out by itself.
    for number in 0..18 {
        burst(&mut ledger, &format!("user{number}"), hour(DAY, 2), 25, |_| ());
    }
    let found = found(&ledger);
    let subjects: Vec<_> = found.iter().map(|finding| (finding.subject.kind, finding.subject.value.as_ref())).collect();
    assert_eq!(subjects, [("domain", "example.org")], "{found:#?}");
    assert!(found[0].why.iter().any(|why| why.starts_with("Most of it by: user")), "{found:#?}");
}

#[test]
fn a_newcomer_is_held_against_its_peers() {
    let mut office = office();
    let mut newcomer = office::Mail::new();
    office::add(&mut newcomer, hour(DAY, 10), 2_500, 2_500);
    office.accounts.insert("first".to_owned(), newcomer);
    let found = found(&office.ledger(0));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].why[0].ends_with("and never before."), "{found:#?}");
    assert!(found[0].why[1].starts_with("It is new: nine of ten senders"), "{found:#?}");
    let mut quiet = office::Mail::new();
    office::add(&mut quiet, hour(DAY, 10), 60, 60);
    office.accounts.insert("first".to_owned(), quiet);
    assert!(self::found(&office.ledger(0)).is_empty());
}

#[test]
fn too_short_a_log_is_not_judged_and_says_so() {
    let office = office();
    let mut ledger = office.ledger(DAY - 12);
    burst(&mut ledger, "user4", hour(DAY, 10), 900, |_| ());
    assert!(found(&ledger).is_empty());
    let not_seen = analyse(&ledger, &site()).verdict.not_seen;
    assert!(
        not_seen.iter().any(|text| text.contains("the logs hold 13 days, and what is usual shows from 15")),
        "{not_seen:#?}"
    );
    assert_eq!(ledger.servers.keys().next().unwrap().as_ref(), SERVER);
    let not_seen = analyse(&office.ledger(0), &site()).verdict.not_seen;
    assert!(!not_seen.iter().any(|text| text.contains("cannot be told")), "{not_seen:#?}");
}
