//! The behavioural rules on ledgers made by hand: who is accused, and who must not be.

#![allow(clippy::unwrap_used)]

#[path = "judge/log.rs"]
#[allow(dead_code)]
mod log;

use log::{Log, SERVER, STRANGER, TRUSTED, mail};
use relayaudit::judge::{Analysis, Cause, Finding, Rule, Severity};
use relayaudit::ledger::{AccountKey, Client, ClientKey, Origin, Outcome, Sent, Time, UserKey};
use relayaudit_parsers::record::Refusal;

/// 2027-01-18 06:00 UTC.
const START: i64 = 1_800_252_000_000_000;
const HOUR: i64 = 3_600_000_000;

/// Mail of one sender: messages in the first hour, recipients of each, domains they go to, reverse-path domains.
#[derive(Clone, Copy)]
struct Run {
    messages: u64,
    each: u64,
    targets: u64,
    reverse: &'static [&'static str],
    /// Different reverse-paths.
    paths: u64,
    outcome: Outcome,
}

const QUIET: Run =
    Run { messages: 5, each: 1, targets: 5, reverse: &["example.org"], paths: 1, outcome: Outcome::Relayed };

#[derive(Clone, Copy)]
enum Who {
    Host,
    Account(&'static str),
    User(&'static str),
}

impl Run {
    /// Puts it into a log.
    fn into_log(self, mut log: Log, who: Who, client: &str) -> Log {
        let kinds = self.targets * self.reverse.len() as u64;
        for (at, (target, reverse)) in
            (0..self.targets).flat_map(|target| self.reverse.iter().map(move |reverse| (target, reverse))).enumerate()
        {
            let total = self.messages * self.each;
            let share = total / kinds + u64::from((at as u64) < total % kinds);
            let one = mail(client, reverse, &format!("target{target}.example.net")).times(share).outcome(self.outcome);
            log = log.mail(one.with(|key| match who {
                Who::Host => {}
                Who::Account(account) => key.account = Some(account.into()),
                Who::User(user) => (key.origin, key.client) = (Origin::Local, Client::User(user.into())),
            }));
        }
        // `Log::mail` counts a message a flow.
        let flows = kinds.min(self.messages * self.each);
        let key = log.0.flows.keys().copied().max_by_key(|key| (key.forward_domain, key.reverse_domain)).unwrap();
        log.0.flows.get_mut(&key).unwrap().messages += self.messages.saturating_sub(flows);
        let mut sent = Sent::default();
        (0..self.messages).for_each(|n| {
            sent.see(Some(Time(START)), Some(format!("sender{}@{}", n % self.paths, self.reverse[0]).as_bytes()));
        });
        let server = SERVER.into();
        match who {
            Who::Account(account) => {
                log.0.accounts.insert(AccountKey { server, account: account.into() }, sent);
            }
            Who::Host => {
                let client = Client::Address(client.parse().unwrap());
                log.0.clients.entry(ClientKey { server, client }).or_default().sent = sent;
            }
            Who::User(user) => {
                let client = Client::User(user.into());
                log.0.clients.entry(ClientKey { server, client }).or_default().sent = sent;
            }
        }
        log
    }
}

/// A log of two days.
fn days() -> Log {
    let mut log = Log::new();
    let facts = log.0.servers.get_mut(&SERVER.into()).unwrap();
    facts.span.see(Some(Time(START - 24 * HOUR)));
    facts.span.see(Some(Time(START + 24 * HOUR)));
    log
}

fn of(analysis: &Analysis, rule: Rule) -> Vec<&Finding> {
    analysis.findings.iter().filter(|finding| finding.rule == rule).collect()
}

const FOREIGN: &[&str] = &["a.example", "b.example", "c.example", "d.example", "e.example"];
const SENDERS: [Rule; 3] = [Rule::CompromisedAccount, Rule::AbusedTrustedHost, Rule::AbusedLocalScript];

#[track_caller]
fn accused(log: Log, rule: Rule, subject: &str, cause: Cause) -> Analysis {
    let analysis = log.judge();
    let found: Vec<(Rule, &str)> = analysis
        .findings
        .iter()
        .filter(|finding| SENDERS.contains(&finding.rule))
        .map(|finding| (finding.rule, finding.subject.value.as_ref()))
        .collect();
    assert_eq!(found, [(rule, subject)], "{:?}", analysis.findings);
    assert_eq!(analysis.verdict.cause, cause);
    analysis
}

#[track_caller]
fn nobody_accused(log: Log) {
    let analysis = log.judge();
    let found: Vec<&Finding> = analysis.findings.iter().filter(|f| Severity::Medium <= f.severity).collect();
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(analysis.verdict.cause, Cause::Clean);
}

#[test]
fn a_stolen_account_is_told_by_burst_and_foreign_reverse_paths() {
    let spam = Run { messages: 400, each: 4, targets: 20, reverse: FOREIGN, paths: 50, ..QUIET };
    let log = spam.into_log(days(), Who::Account("anna"), STRANGER);
    let analysis = accused(log, Rule::CompromisedAccount, "anna", Cause::CompromisedAccount);
    let finding = of(&analysis, Rule::CompromisedAccount)[0];
    assert_eq!(finding.severity, Severity::High);
    assert_eq!((finding.messages, finding.recipients_accepted), (400, 1_600));
    let why = finding.why.join("\n");
    for part in ["400 messages in the hour from 2027-01-18 06:00 UTC", "5 domains that are not yours", "203.0.113.7"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(analysis.verdict.headline.starts_with("Yes, by a stolen password: account anna sent mail to 1,600"));
    assert!(finding.remedy[0].contains("password"));
}

#[test]
fn a_guessed_password_counts_only_with_what_follows() {
    let guess = |log: Log, accounts: &[&str]| {
        log.client(STRANGER, |facts| {
            facts.failures.commands = 40;
            accounts.iter().for_each(|account| facts.accounts_tried.insert((*account).into()));
        })
    };
    let burst = Run { messages: 40, ..QUIET };
    let log = guess(burst.into_log(days(), Who::Account("anna"), STRANGER), &["root", "info", "anna"]);
    accused(log, Rule::CompromisedAccount, "anna", Cause::CompromisedAccount);
    // A program with an old password tries one account, and then sends little.
    let log = guess(QUIET.into_log(days(), Who::Account("anna"), STRANGER), &["anna"]);
    let analysis = log.judge();
    assert!(of(&analysis, Rule::CompromisedAccount).is_empty());
    assert_eq!(of(&analysis, Rule::CredentialGuessing)[0].severity, Severity::Medium);
}

#[test]
fn one_account_in_many_networks_at_once() {
    let clients = ["203.0.113.7", "198.18.1.1", "198.18.2.1", "192.0.2.99", "198.18.3.1"];
    let mut log = days();
    for (at, client) in clients.iter().enumerate() {
        let run = Run { messages: 8, targets: 3 + at as u64, ..QUIET };
        log = run.into_log(log, Who::Account("anna"), client);
    }
    let all = Run { messages: 40, ..QUIET };
    let log = all.into_log(log, Who::Account("anna"), STRANGER);
    let analysis = accused(log, Rule::CompromisedAccount, "anna", Cause::CompromisedAccount);
    assert!(of(&analysis, Rule::CompromisedAccount)[0].why.iter().any(|why| why.contains("logged in from 5 networks")));
}

#[test]
fn a_host_and_a_script_that_send_spam() {
    let form = Run { messages: 120, each: 7, targets: 25, ..QUIET };
    accused(form.into_log(days(), Who::Host, TRUSTED), Rule::AbusedTrustedHost, TRUSTED, Cause::AbusedTrustedHost);
    let infected = Run { messages: 60, each: 2, reverse: FOREIGN, paths: 60, ..QUIET };
    accused(infected.into_log(days(), Who::Host, TRUSTED), Rule::AbusedTrustedHost, TRUSTED, Cause::AbusedTrustedHost);
    let script = Run { messages: 60, each: 4, targets: 20, ..QUIET };
    let mut log = script.into_log(days(), Who::User("33"), STRANGER);
    let user = |name: &str| UserKey { server: SERVER.into(), user: "33".into(), name: name.into() };
    log.0.users.insert(user("root"), 2);
    log.0.users.insert(user("www-data"), 58);
    accused(log, Rule::AbusedLocalScript, "www-data", Cause::AbusedLocalScript);
}

#[test]
fn volume_alone_accuses_nobody() {
    // A newsletter with a reverse-path for each recipient.
    let newsletter = Run { messages: 2_000, targets: 30, paths: 2_000, ..QUIET };
    nobody_accused(newsletter.into_log(days(), Who::Host, TRUSTED));
    // Invoices at the end of the month: one sender, one recipient each.
    nobody_accused(Run { messages: 500, targets: 40, ..QUIET }.into_log(days(), Who::Host, TRUSTED));
    nobody_accused(Run { messages: 300, targets: 40, ..QUIET }.into_log(days(), Who::Account("billing"), STRANGER));
    // A user's round robin: few messages to many.
    nobody_accused(Run { messages: 12, each: 30, targets: 28, ..QUIET }.into_log(
        days(),
        Who::Account("carla"),
        STRANGER,
    ));
    // A bad address list by itself.
    nobody_accused(Run { messages: 25, targets: 20, outcome: Outcome::Bounced, ..QUIET }.into_log(
        days(),
        Who::Host,
        TRUSTED,
    ));
    // Few messages in the name of a second domain.
    nobody_accused(Run { messages: 15, reverse: &["other.example"], ..QUIET }.into_log(
        days(),
        Who::Account("anna"),
        STRANGER,
    ));
}

#[test]
fn a_gateway_that_hides_the_internet_is_no_spammer() {
    let mut log = days();
    for (at, domain) in FOREIGN.iter().enumerate() {
        log = log.mail(mail(TRUSTED, domain, "example.org").times(20).outcome(Outcome::Delivered));
        log = log.hello(TRUSTED, &format!("mx{at}.{domain}"));
    }
    let analysis = log.judge();
    let finding = of(&analysis, Rule::HiddenClients)[0];
    assert_eq!((finding.severity, &*finding.subject.value), (Severity::Medium, TRUSTED));
    assert!(finding.remedy[0].starts_with("Do not ban"));
    assert!(of(&analysis, Rule::AbusedTrustedHost).is_empty());
    // One of ours that only writes to us in our own name is none.
    let log =
        log::Log::new().mail(mail(TRUSTED, "example.org", "example.org").times(20)).hello(TRUSTED, "a.example.org");
    assert!(of(&log.judge(), Rule::HiddenClients).is_empty());
}

#[test]
fn guessing_by_address_and_by_network() {
    let failed = |log: Log, client: &str, times: u64| log.client(client, |facts| facts.failures.commands = times);
    assert!(of(&failed(days(), STRANGER, 9).judge(), Rule::CredentialGuessing).is_empty());
    let analysis = failed(days(), STRANGER, 10).judge();
    let finding = of(&analysis, Rule::CredentialGuessing)[0];
    assert_eq!((finding.severity, finding.attempts), (Severity::Low, 10));
    let slow = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].iter().fold(days(), |log, client| failed(log, client, 7));
    let analysis = slow.judge();
    let found: Vec<(&str, &str)> = of(&analysis, Rule::CredentialGuessing)
        .iter()
        .map(|finding| (finding.subject.kind, finding.subject.value.as_ref()))
        .collect();
    assert_eq!(found, [("network", "203.0.113.0/24")]);
}

#[test]
fn harvesting_is_mostly_unknown_recipients() {
    let unknown = |times: u64| {
        mail(STRANGER, "spam.example", "example.org").times(times).outcome(Outcome::Rejected).with(|key| {
            key.refusal = Some(Refusal::UnknownUser);
        })
    };
    let known = |times: u64| mail(STRANGER, "spam.example", "example.org").times(times).outcome(Outcome::Delivered);
    assert_eq!(of(&days().mail(unknown(10)).judge(), Rule::DirectoryHarvest)[0].recipients_denied, 10);
    assert!(of(&days().mail(unknown(9)).judge(), Rule::DirectoryHarvest).is_empty());
    assert_eq!(of(&days().mail(unknown(20)).mail(known(10)).judge(), Rule::DirectoryHarvest).len(), 1);
    assert!(of(&days().mail(unknown(20)).mail(known(30)).judge(), Rule::DirectoryHarvest).is_empty());
}

#[test]
fn a_server_that_returns_mail_is_no_harvester() {
    let judged = |path: &str, sessions: u64| {
        let mut log =
            days().mail(mail(STRANGER, path, "example.org").times(30).outcome(Outcome::Rejected).with(|key| {
                key.refusal = Some(Refusal::UnknownUser);
            }));
        let key = ClientKey { server: SERVER.into(), client: Client::Address(STRANGER.parse().unwrap()) };
        log.0.clients.entry(key).or_default().sessions += sessions;
        of(&log.judge(), Rule::DirectoryHarvest).len()
    };
    assert_eq!(judged("", 30), 0, "one notification a session");
    assert_eq!(judged("", 1), 1, "thirty in one session");
    assert_eq!(judged("spam.example", 30), 1, "one a session, but no notifications");
}

#[test]
fn backscatter_is_bounces_about_mail_that_was_taken_in() {
    let notices = |times: u64| mail(STRANGER, "", "example.net").times(times).with(|key| key.origin = Origin::System);
    let given_up =
        |times: u64| mail(STRANGER, "spam.example", "example.org").times(times).outcome(Outcome::BouncedHere);
    let known = |times: u64| mail(STRANGER, "a.example", "example.org").times(times).outcome(Outcome::Delivered);
    let analysis = days().mail(notices(25)).mail(given_up(25)).mail(known(100)).judge();
    assert_eq!(of(&analysis, Rule::Backscatter)[0].subject.value.as_ref(), SERVER);
    assert_eq!(analysis.verdict.cause, Cause::Backscatter);
    // Notices about mail of our own, and the odd mistyped address of many.
    assert!(of(&days().mail(notices(25)).mail(known(100)).judge(), Rule::Backscatter).is_empty());
    assert!(of(&days().mail(notices(25)).mail(given_up(25)).mail(known(900)).judge(), Rule::Backscatter).is_empty());
}
