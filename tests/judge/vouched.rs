//! Clients that the server's own list lets relay.

use crate::log::{Log, Mail, SERVER, TRUSTED, mail};
use relayaudit::judge::{Analysis, Cause, Rule, Severity};
use relayaudit::ledger::Outcome;

fn listed(client: &str, reverse: &str, number: u64) -> Mail {
    mail(client, reverse, "example.net").times(number).with(|key| key.vouched = true)
}

/// A log of a server that says who is on its list.
fn log(format: &str) -> Log {
    let mut log = Log::new();
    let facts = log.0.servers.get_mut(&SERVER.into()).unwrap();
    facts.formats = [format.into()].into();
    log
}

/// Strangers in so many networks, each with other people's reverse-paths in so many domains.
fn strangers(log: Log, networks: u64, domains: u64) -> Log {
    let all = (0..networks).flat_map(|net| (0..domains).map(move |domain| (net, domain)));
    all.fold(log, |log, (net, domain)| {
        log.mail(listed(&format!("203.0.{net}.7"), &format!("d{net}-{domain}.example"), 5))
    })
}

fn relays(analysis: &Analysis) -> Vec<(&str, Severity, f64)> {
    let found = crate::of(analysis, Rule::OpenRelay).into_iter();
    found.map(|finding| (finding.subject.value.as_ref(), finding.severity, finding.confidence)).collect()
}

fn said(analysis: &Analysis, text: &str) -> bool {
    analysis.verdict.not_seen.iter().any(|sentence| sentence.contains(text))
}

#[test]
fn a_partner_on_the_list_is_innocent_and_named_in_words_of_its_own() {
    let partner = log("cisco-esa-text").mail(listed("203.0.113.7", "partner.example", 900));
    let analysis = partner.mail(listed(TRUSTED, "example.org", 10)).judge();
    assert_eq!((relays(&analysis), analysis.verdict.cause), (vec![], Cause::Clean));
    assert!(
        said(&analysis, "1 client outside your networks was allowed to relay by the server's own list"),
        "{analysis:#?}"
    );
    assert!(said(&analysis, "not by a password: 203.0.113.7 (900)"), "{analysis:#?}");
    // Even one that forwards for many, and several partners with a domain each.
    assert!(relays(&strangers(log("cisco-esa-text"), 1, 9).judge()).is_empty());
    assert!(relays(&strangers(log("cisco-esa-text"), 7, 1).judge()).is_empty());
}

#[test]
fn a_list_that_lets_strangers_in_is_an_open_relay_of_less_certainty() {
    let analysis = strangers(log("cisco-esa-text"), 3, 3).mail(listed("203.0.113.200", "example.org", 40)).judge();
    let three = ["203.0.0.7", "203.0.1.7", "203.0.2.7"].map(|client| (client, Severity::Medium, 0.5));
    assert_eq!(relays(&analysis), three, "and not the host with reverse-paths of ours");
    assert_eq!(analysis.verdict.cause, Cause::OpenRelay);
    let finding = crate::of(&analysis, Rule::OpenRelay)[0];
    assert_eq!(finding.recipients_accepted, 15);
    assert!(
        finding.why[1].contains("sender group with the policy RELAY (Host Access Table), not by a password"),
        "{finding:#?}"
    );
    assert!(finding.remedy[0].starts_with("Narrow the sender group: "), "{finding:#?}");
    assert!(said(&analysis, "203.0.113.200 (40)") && !said(&analysis, "203.0.0.7"), "{analysis:#?}");
    // Many networks, whatever they do.
    assert_eq!(relays(&strangers(log("cisco-esa-text"), 8, 1).judge()).len(), 8);
    // Refusals are odd too.
    let bounced = (0..3).fold(log("cisco-esa-text"), |log, net| {
        log.mail(listed(&format!("203.0.{net}.7"), "one.example", 20).outcome(Outcome::Bounced))
    });
    assert_eq!(relays(&bounced.judge()).len(), 3);
}

#[test]
fn where_a_log_in_looks_the_same_only_stated_domains_tell_strangers() {
    let haraka = || strangers(log("haraka"), 9, 4);
    let analysis = haraka().judge();
    assert_eq!((relays(&analysis).len(), relays(&analysis)[0].2), (9, 0.4));
    assert!(crate::of(&analysis, Rule::OpenRelay)[0].remedy[0].contains("relay_acl_allow"));
    let analysis = haraka().guess();
    assert!(relays(&analysis).is_empty());
    assert!(said(&analysis, "or by a log-in, which this log does not tell apart"), "{analysis:#?}");
}

#[test]
fn other_servers_that_vouch_for_clients_mean_log_ins() {
    let analysis = strangers(log("exchange-smtp-protocol"), 9, 4).judge();
    assert!(relays(&analysis).is_empty());
    assert!(!said(&analysis, "own list"), "{analysis:#?}");
}
