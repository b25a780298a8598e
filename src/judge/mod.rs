//! Detectors: pure functions of the finished ledger and the site. They never read a log.
//!
//! A rule is one file and one line in [`DETECTORS`]. What a recipient was is decided in
//! [`route()`] alone; what the findings mean together, in [`verdict()`].

mod abused_local_script;
mod abused_trusted_host;
pub mod analysis;
mod backscatter;
mod backscatter_victim;
mod blocklisted;
pub mod campaign;
pub mod chain;
mod compromised_account;
pub mod consulted;
mod credential_guessing;
mod directory_harvest;
pub mod finding;
pub mod gaps;
pub mod handovers;
mod helo_impersonation;
mod hidden_clients;
pub(crate) mod hints;
mod lookalike_domain;
mod marks;
mod members;
mod null_sender_abuse;
mod open_relay;
mod origins;
mod outbound;
mod policy_exposure;
mod relay_probe;
mod relay_trick;
mod remedy;
pub mod route;
pub mod routed;
mod secondary;
pub mod senders;
mod spf;
mod spoofed_local_sender;
mod tally;
pub mod verdict;
pub mod volume_anomaly;
pub(crate) mod words;

pub use analysis::{Analysis, ServerVerdict, Totals, analyse};
pub use blocklisted::{Blocklisting, Relation, title as blocklisting_title};
pub use campaign::Campaign;
pub use consulted::Consulted;
pub use finding::{Cause, Finding, Queue, Rule, Severity, Subject, Verdict};
pub use handovers::{HandOver, count_once};
pub use open_relay::{Candidate, Kind as CandidateKind, candidates};
pub use origins::Directory;
pub use route::{RouteVerdict, route};
pub use routed::Routed;
pub use senders::Errors;
pub use spf::questions as spf_questions;
pub use verdict::verdict;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What a rule is, for people: the text of `relayaudit explain RULE`.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The rule.
    pub rule: Rule,
    /// What it is, in a few words.
    pub title: &'static str,
    /// When it fires, and what that means.
    pub meaning: &'static str,
    /// Where the criterion comes from.
    pub sources: &'static str,
    /// What else may look like it.
    pub false_positives: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// One rule.
pub struct Detector {
    /// What it is.
    pub about: &'static About,
    /// Finds it.
    pub judge: fn(&Routed<'_>) -> Vec<Finding>,
}

/// Every rule, in the order in which `relayaudit explain` lists them.
pub const DETECTORS: &[Detector] = &[
    Detector { about: &open_relay::ABOUT, judge: open_relay::judge },
    Detector { about: &relay_trick::ABOUT, judge: relay_trick::judge },
    Detector { about: &relay_probe::ABOUT, judge: relay_probe::judge },
    Detector { about: &spoofed_local_sender::ABOUT, judge: spoofed_local_sender::judge },
    Detector { about: &lookalike_domain::ABOUT, judge: lookalike_domain::judge },
    Detector { about: &null_sender_abuse::ABOUT, judge: null_sender_abuse::judge },
    Detector { about: &backscatter_victim::ABOUT, judge: backscatter_victim::judge },
    Detector { about: &helo_impersonation::ABOUT, judge: helo_impersonation::judge },
    Detector { about: &compromised_account::ABOUT, judge: compromised_account::judge },
    Detector { about: &abused_trusted_host::ABOUT, judge: abused_trusted_host::judge },
    Detector { about: &abused_local_script::ABOUT, judge: abused_local_script::judge },
    Detector { about: &hidden_clients::ABOUT, judge: hidden_clients::judge },
    Detector { about: &credential_guessing::ABOUT, judge: credential_guessing::judge },
    Detector { about: &directory_harvest::ABOUT, judge: directory_harvest::judge },
    Detector { about: &backscatter::ABOUT, judge: backscatter::judge },
    Detector { about: &blocklisted::ABOUT, judge: blocklisted::judge },
    Detector { about: &policy_exposure::ABOUT, judge: policy_exposure::judge },
    Detector { about: &volume_anomaly::ABOUT, judge: volume_anomaly::judge },
    // Judges the findings of the others: see `judge`.
    Detector { about: &campaign::ABOUT, judge: |_| Vec::new() },
];

/// What to judge.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Rules to leave out.
    pub skip: BTreeSet<Rule>,
    /// The error rates that behavioural rules accept.
    pub errors: Errors,
    /// What was asked besides the logs.
    pub consulted: Consulted,
}

/// Runs the detectors. The findings come worst first: by severity, volume, subject.
pub fn judge(routed: &Routed<'_>, options: &Options) -> Vec<Finding> {
    judge_all(routed, options).0
}

/// Runs the detectors, and finds the campaigns among those whom they accuse.
pub(crate) fn judge_all(routed: &Routed<'_>, options: &Options) -> (Vec<Finding>, Vec<Campaign>) {
    // Detectors are pure functions: running them side by side changes nothing but the time it takes.
    let wanted = DETECTORS.par_iter().filter(|detector| !options.skip.contains(&detector.about.rule));
    let mut findings: Vec<Finding> = wanted.flat_map_iter(|detector| (detector.judge)(routed)).collect();
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    origins::tell(&mut findings, &routed.consulted.geo, routed.site);
    blocklisted::relate(&mut findings);
    let wanted = !options.skip.contains(&Rule::Campaign);
    let mut campaigns = if wanted { campaign::find(routed, &findings) } else { Vec::new() };
    campaigns.sort_by(|a, b| order(&a.finding).cmp(&order(&b.finding)));
    findings.extend(campaigns.iter().map(|campaign| campaign.finding.clone()));
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    (findings, campaigns)
}

/// The text on a rule.
pub fn about(rule: Rule) -> Option<&'static About> {
    DETECTORS.iter().map(|detector| detector.about).find(|about| about.rule == rule)
}

impl Rule {
    /// Its name in the published contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::OpenRelay => "open-relay",
            Rule::RelayProbe => "relay-probe",
            Rule::RelayTrick => "relay-trick",
            Rule::SpoofedLocalSender => "spoofed-local-sender",
            Rule::LookalikeDomain => "lookalike-domain",
            Rule::NullSenderAbuse => "null-sender-abuse",
            Rule::BackscatterVictim => "backscatter-victim",
            Rule::HeloImpersonation => "helo-impersonation",
            Rule::CompromisedAccount => "compromised-account",
            Rule::AbusedTrustedHost => "abused-trusted-host",
            Rule::AbusedLocalScript => "abused-local-script",
            Rule::HiddenClients => "hidden-clients",
            Rule::CredentialGuessing => "credential-guessing",
            Rule::DirectoryHarvest => "directory-harvest",
            Rule::Backscatter => "backscatter",
            Rule::Blocklisted => "blocklisted",
            Rule::PolicyExposure => "policy-exposure",
            Rule::VolumeAnomaly => "volume-anomaly",
            Rule::Campaign => "campaign",
        }
    }

    /// Whether it is about mail that came in and did not go out: names that strangers took, bounces of what others sent.
    pub fn is_inbound(self) -> bool {
        matches!(
            self,
            Rule::SpoofedLocalSender
                | Rule::LookalikeDomain
                | Rule::NullSenderAbuse
                | Rule::BackscatterVictim
                | Rule::HeloImpersonation
        )
    }

    /// Whether it is about mail that left, or was to leave, through the server and should not have.
    pub fn is_abuse(self) -> bool {
        matches!(
            self,
            Rule::OpenRelay
                | Rule::RelayTrick
                | Rule::CompromisedAccount
                | Rule::AbusedTrustedHost
                | Rule::AbusedLocalScript
                | Rule::Backscatter
        )
    }
}

impl std::str::FromStr for Rule {
    type Err = String;

    /// The rule of that name; fails with the nearest name, or with all of them.
    fn from_str(name: &str) -> Result<Rule, String> {
        let names = || DETECTORS.iter().map(|detector| detector.about.rule);
        if let Some(rule) = names().find(|rule| rule.as_str() == name) {
            return Ok(rule);
        }
        let near = |rule: &Rule| strsim::jaro_winkler(name, rule.as_str());
        match names().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|rule| 0.8 <= near(rule)) {
            Some(rule) => Err(format!("no rule `{name}`; did you mean `{}`?", rule.as_str())),
            None => {
                let all: Vec<&str> = names().map(Rule::as_str).collect();
                Err(format!("no rule `{name}`; the rules are {}", words::list(&all)))
            }
        }
    }
}

impl Severity {
    /// Its name in the published contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

impl Cause {
    /// Its name in the published contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::OpenRelay => "open-relay",
            Cause::CompromisedAccount => "compromised-account",
            Cause::AbusedTrustedHost => "abused-trusted-host",
            Cause::AbusedLocalScript => "abused-local-script",
            Cause::Backscatter => "backscatter",
            Cause::ProbesOnly => "probes-only",
            Cause::InboundOnly => "inbound-only",
            Cause::Clean => "clean",
            Cause::InsufficientEvidence => "insufficient-evidence",
        }
    }
}

/// The place of a finding among others.
fn order(finding: &Finding) -> impl Ord {
    let volume = Reverse((finding.recipients_accepted, finding.attempts));
    let subject = (finding.subject.value, finding.server);
    (Reverse(finding.severity), volume, subject, finding.rule)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_rule_is_registered_once_and_named_as_published() {
        for detector in DETECTORS {
            let rule = detector.about.rule;
            assert_eq!(rule.as_str().parse(), Ok(rule));
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
            assert_eq!(DETECTORS.iter().filter(|other| other.about.rule == rule).count(), 1);
            for text in [detector.about.title, detector.about.meaning, detector.about.sources, detector.about.remedy] {
                assert!(!text.is_empty(), "{}", rule.as_str());
            }
        }
    }

    #[test]
    fn an_unknown_rule_is_answered_with_the_nearest() {
        assert_eq!(Rule::from_str("open-relays"), Err("no rule `open-relays`; did you mean `open-relay`?".to_owned()));
        assert!(Rule::from_str("zzz").unwrap_err().starts_with("no rule `zzz`; the rules are open-relay, "));
    }

    #[test]
    fn published_names() {
        for cause in [Cause::OpenRelay, Cause::ProbesOnly, Cause::InsufficientEvidence] {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
        for severity in [Severity::Info, Severity::Critical] {
            assert_eq!(serde_json::to_value(severity).unwrap(), severity.as_str());
        }
    }

    use std::str::FromStr;
}
