//! Which of several abuses is the answer.

use crate::log::{STRANGER, mail};
use relayaudit::judge::{Cause, Rule, Severity};
use relayaudit::ledger::{AccountKey, Outcome, Sent, Time};

#[test]
fn a_flood_by_a_stolen_account_outweighs_a_strangers_odd_message() {
    let mut log = (0..30).fold(crate::log::Log::new(), |log, n| {
        let outcome = if n % 2 == 0 { Outcome::Bounced } else { Outcome::Relayed };
        let one = mail(&format!("203.0.{n}.80"), &format!("d{n}.example.edu"), &format!("t{n}.example.net"));
        log.mail(one.times(40).outcome(outcome).with(|key| key.account = Some("marie".into())))
    });
    let mut sent = Sent::default();
    (0..600).for_each(|n| sent.see(Some(Time(1_800_252_000_000_000)), Some(format!("a{n}@example.edu").as_bytes())));
    log.0.accounts.insert(AccountKey { server: crate::log::SERVER.into(), account: "marie".into() }, sent);
    let analysis = log.mail(mail(STRANGER, "example.com", "example.net").times(2)).judge();
    let worst = |rule: Rule| crate::of(&analysis, rule).iter().map(|finding| finding.severity).max();
    assert_eq!(
        (worst(Rule::CompromisedAccount), worst(Rule::OpenRelay)),
        (Some(Severity::Critical), Some(Severity::High))
    );
    assert_eq!(analysis.verdict.cause, Cause::CompromisedAccount);
    assert!(analysis.verdict.alternatives.iter().any(|(cause, ..)| *cause == Cause::OpenRelay), "told as well");
}
