//! What SPF says of clients that use our domains: given as a value, see [`crate::spf::Answers`].
//!
//! A forgery and a forwarder that keeps the reverse-path look the same to SPF: both fail.

use super::finding::{Finding, Rule, Severity};
use super::spoofed_local_sender::uses;
use super::words::{list, quoted};
use crate::ledger::{Client, Ledger, Text};
use crate::site::Site;
use crate::spf::{Answer, Answers, Outcome, Question};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// How sure a finding of forgery is that SPF confirms.
const CONFIRMED: f64 = 0.95;
/// Below this a client looks like a forwarder.
const DOUBTED: f64 = 0.5;
/// How sure a finding is at most that SPF takes back.
const CLEARED: f64 = 0.1;

/// What to ask: each client and domain of ours that it used as a stranger, once; the most recipients first.
pub fn questions(ledger: &Ledger, site: &Site) -> Vec<Question> {
    let address = |client: Client| match client {
        Client::Address(address) => Some(address),
        _ => None,
    };
    let uses = uses(ledger, site).into_iter();
    let mut questions: Vec<(u64, Question)> = uses
        .filter_map(|((client, domain), recipients)| Some((recipients, Question { client: address(client)?, domain })))
        .collect();
    questions.sort_by_key(|(recipients, question)| (std::cmp::Reverse(*recipients), *question));
    questions.into_iter().map(|(_, question)| question).collect()
}

/// A finding on a client that used some domains of ours, with what their owners say of it. Where all of them allow it, it is for information.
pub fn weigh(mut finding: Finding, client: &Client, domains: &BTreeSet<&str>, answers: &Answers) -> Finding {
    let (Some(asked), Client::Address(address)) = (answers.asked, client) else { return finding };
    let day: String = asked.rfc3339().chars().take(10).collect();
    let given: Vec<(&str, &Answer)> =
        domains.iter().filter_map(|domain| Some((*domain, answers.given.get(&question(*address, domain))?))).collect();
    let outcomes: BTreeSet<Outcome> = given.iter().map(|(_, answer)| answer.outcome).collect();
    let forwards = finding.confidence < DOUBTED;
    let anybody = given.iter().any(|(_, answer)| allows_anybody(answer));
    if outcomes.contains(&Outcome::Fail) && !forwards {
        finding.confidence = finding.confidence.max(CONFIRMED);
    } else if outcomes.iter().all(|outcome| *outcome == Outcome::Pass) && given.len() == domains.len() && !anybody {
        finding.severity = Severity::Info;
        finding.confidence = finding.confidence.min(CLEARED);
        finding.remedy.clear();
    }
    finding.why.extend(sentences(&given, forwards));
    correct_steps(&mut finding.remedy, &outcomes);
    if anybody {
        finding.why.push("The record allows the whole world (all): that clears nobody. End it with -all.".to_owned());
    }
    let left: Vec<String> = domains
        .iter()
        .filter(|domain| answers.left_out.contains(&question(*address, domain)))
        .map(|domain| quoted(domain))
        .collect();
    if !left.is_empty() {
        finding.why.push(format!("SPF of {} was not asked: there were too many questions.", list(&left)));
    }
    if !given.is_empty() {
        finding.why.push(format!("SPF was asked on {day}: DNS may have said something else at the time of the logs."));
    }
    finding
}

/// Whether SPF took a finding back: the client may use our domains, and decides nothing.
pub fn is_cleared(finding: &Finding) -> bool {
    finding.rule == Rule::SpoofedLocalSender && finding.confidence <= CLEARED
}

/// Nobody needs to be told to publish what is published.
fn correct_steps(remedy: &mut [String], outcomes: &BTreeSet<Outcome>) {
    let step = if outcomes.contains(&Outcome::PermError) {
        "Correct the SPF record: what is wrong with it is told with the finding."
    } else if outcomes.contains(&Outcome::Fail) || outcomes.contains(&Outcome::SoftFail) {
        "Your SPF record tells others already. Let your own server look at it, too: check SPF for mail from outside, and refuse or \
         mark what fails. Publish DMARC for what people see as the sender."
    } else {
        return;
    };
    if let Some(publish) = remedy.iter_mut().find(|text| text.starts_with("Publish SPF")) {
        *publish = step.to_owned();
    }
}

fn question(client: IpAddr, domain: &str) -> Question {
    Question { client, domain: Text::from(domain) }
}

/// Whether a record lets everybody pass, so that nothing follows for this client.
fn allows_anybody(answer: &Answer) -> bool {
    answer.outcome == Outcome::Pass && answer.why.trim_start_matches('+').eq_ignore_ascii_case("all")
}

/// A sentence for each result, with the domains that gave it.
fn sentences(given: &[(&str, &Answer)], forwards: bool) -> Vec<String> {
    let outcomes: BTreeSet<Outcome> = given.iter().map(|(_, answer)| answer.outcome).collect();
    let one = |outcome: Outcome| {
        let of: Vec<&(&str, &Answer)> = given.iter().filter(|(_, answer)| answer.outcome == outcome).collect();
        let domains: Vec<String> = of.iter().take(3).map(|(domain, _)| quoted(domain)).collect();
        let why = of.iter().map(|(_, answer)| quoted(&answer.why)).find(|why| !why.is_empty());
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("SPF of {}: {}{why}{}.", list(&domains), outcome.as_str(), meaning(outcome, forwards))
    };
    outcomes.into_iter().map(one).collect()
}

/// What follows from a result.
fn meaning(outcome: Outcome, forwards: bool) -> &'static str {
    match outcome {
        Outcome::Pass => {
            ", so the domain's owner lets this client send: a host or a service of yours, or one that you allow"
        }
        Outcome::Fail | Outcome::SoftFail if forwards => ", as for every forwarder that keeps the reverse-path",
        Outcome::Fail => {
            ", so the domain's owner does not let this client send: a forgery, or a forwarder that keeps the reverse-path"
        }
        Outcome::SoftFail => {
            ", so the domain's owner does not expect this client to send: most likely a forgery, or a forwarder that keeps the reverse-path"
        }
        Outcome::Neutral => ", which says neither yes nor no",
        Outcome::None => {
            ", as there is no record: nothing follows. A record would tell receivers which hosts may send for it"
        }
        Outcome::TempError => ", as DNS did not answer: nothing follows",
        Outcome::PermError => ": the record is wrong, and nobody can use it. Correct it",
    }
}
