//! compromised-account: mail that was sent with a log-in does not fit its owner: a burst, other people's reverse-paths, many
//! networks at once, a password that was guessed shortly before.
//!
//! False positives: a mailing sent by a user from a mail program, an account that many people share.
//! Remedy: see [`remedy::account`].

use super::finding::{Finding, Rule};
use super::origins::{self, Networks};
use super::routed::Routed;
use super::senders::{Sender, Who};
use super::words;
use super::{About, remedy};
use crate::ledger::Client;

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::CompromisedAccount,
    title: "an account was used to send spam",
    meaning: "Somebody who knows the password of an account sends through it. Signals are weighed together: a burst against \
              the account's other days, reverse-paths in domains that are not yours, many reverse-paths, log-ins from \
              several networks within an hour (with --geoip: more if they are in several countries, less if one operator has \
              them all; a country by itself never counts), log-ins after guessing, several recipients in each of many messages, \
              recipients that their servers refuse. The figures and weights are shown with each finding. The reverse-path \
              alone never accuses anybody.",
    sources: "A. Wald, Sequential Analysis (1947); Duan and others, Detecting Spam Zombies by Monitoring Outgoing Messages \
              (SPOT), IEEE TDSC 2012; RFC 5068 section 3",
    false_positives: "A mailing that a user sends from a mail program; an account that several people share; a program with \
                      an account of its own.",
    remedy: "Change the password, end the sessions, and delete what is still in the queue.",
};

/// Finds the accounts.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let accounts = routed.senders().iter().filter(|sender| matches!(sender.who, Who::Account(_)));
    accounts.filter_map(|sender| finding(sender, routed)).collect()
}

fn finding(sender: &Sender<'_>, routed: &Routed<'_>) -> Option<Finding> {
    let weighed = sender.weigh(routed, routed.errors);
    let mut finding =
        weighed.accuses().then(|| sender.finding(Rule::CompromisedAccount, "account", &weighed, routed))?;
    finding.why.insert(0, sender.summary("with this account"));
    let clients: Vec<&Client> = sender.rush_clients().collect();
    let geo = &routed.consulted.geo;
    let named: Vec<String> = clients.iter().take(5).map(|client| origins::client(client, geo)).collect();
    let more = clients.len().saturating_sub(named.len()) as u64;
    let more = if 0 < more { format!(" and {} more", words::thousands(more)) } else { String::new() };
    let networks: Networks = clients.iter().copied().collect();
    let all = if geo.is_empty() || networks.len() < 2 { String::new() } else { networks.located(geo).said() + ": " };
    finding.why.insert(1, format!("It was sent from {all}{}{more}.", words::list(&named)));
    let account = finding.subject.value;
    finding.remedy = remedy::account(routed.ledger, &sender.server, &account, finding.queue.as_ref());
    finding.remedy.extend(origins::report_all(&networks, geo));
    Some(finding)
}
