//! abused-local-script: a user of the server itself (most often that of a web server or of a cron job) hands in mail like a
//! source of spam.
//!
//! False positives: a newsletter program that runs on the server for the first time.
//! Remedy: see [`remedy::script`].

use super::finding::{Finding, Rule};
use super::routed::Routed;
use super::senders::{Sender, Who};
use super::words;
use super::{About, remedy};
use crate::ledger::{Client, Text};
use std::cmp::Reverse;

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::AbusedLocalScript,
    title: "a program on the server sends spam",
    meaning: "Mail that a user of the server handed in with sendmail(1) looks like spam: a web form or an uploaded script, \
              mostly. The signals are those of abused-trusted-host. Where the log gives only a user number, the name is \
              the one that most of its reverse-paths have.",
    sources: "A. Wald, Sequential Analysis (1947); Duan and others, Detecting Spam Zombies by Monitoring Outgoing Messages \
              (SPOT), IEEE TDSC 2012; sendmail(1); Postfix pickup(8)",
    false_positives: "A newsletter program that runs on the server and was not used before.",
    remedy: "Find the script, stop it, and clear the queue.",
};

/// Finds the users.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let users = routed.senders().iter().filter_map(|sender| match sender.who {
        Who::User(Client::User(user)) => Some((sender, user)),
        _ => None,
    });
    users.filter_map(|(sender, user)| finding(sender, user, routed)).collect()
}

fn finding(sender: &Sender<'_>, user: Text, routed: &Routed<'_>) -> Option<Finding> {
    let weighed = sender.weigh(routed, routed.errors);
    let mut finding = weighed.accuses().then(|| sender.finding(Rule::AbusedLocalScript, "user", &weighed, routed))?;
    finding.why.insert(0, sender.summary("as a user of the server"));
    if let Some(name) = name_of(routed, sender.server, user) {
        finding.why.push(match user.is_empty() {
            true => "The log does not say which user it was: the name is that of most of its reverse-paths.".to_owned(),
            false => format!("The log gives the user as number {}.", words::quoted(&user)),
        });
        finding.subject.value = name;
    }
    finding.remedy = remedy::script(routed.ledger, &sender.server, finding.queue.as_ref());
    Some(finding)
}

/// The name that a numbered user gave most often. Number 0 is root.
fn name_of(routed: &Routed<'_>, server: Text, user: Text) -> Option<Text> {
    let names = routed.ledger.users.iter().filter(|(key, _)| (key.server, key.user) == (server, user));
    names.max_by_key(|(key, messages)| (**messages, Reverse(key.name))).map(|(key, _)| key.name)
}
