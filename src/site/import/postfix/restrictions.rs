//! Access restrictions: what becomes of a recipient elsewhere that a stranger asks for.
//!
//! Lists are evaluated in the order client, HELO, sender, relay, recipient; within one, the first that decides ends the list.
//! A refusal in any list is final; `permit` ends its own list only (SMTPD_ACCESS_README, postconf(5)). A list that ends undecided permits.

use super::super::files::Files;
use super::parameters::{Parameters, items};
use super::tables;
use crate::site::opening::Lets;

/// The lists, in the order of evaluation; all are evaluated at RCPT TO, as `smtpd_delay_reject` has it by default.
pub const LISTS: [&str; 5] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
];

/// Classes within classes.
const DEEPEST: usize = 8;

/// What one list does to a stranger's outside recipient.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The item that lets everybody pass; none if the list is left by its end.
    pub permit: Option<String>,
    /// Whether it refuses.
    pub closed: bool,
    /// Items before the decision that let some pass: the item, and whom.
    pub some: Vec<(String, Lets)>,
    /// Items before the decision of which the files do not tell whom they let pass.
    pub untold: Vec<String>,
}

impl Walk {
    fn is_decided(&self) -> bool {
        self.closed || self.permit.is_some()
    }
}

/// Walks a list.
pub fn walk(parameters: &Parameters<'_>, list: &str, files: &Files) -> Walk {
    let mut walk = Walk::default();
    step(parameters, &parameters.value(list), files, 0, &mut walk);
    walk
}

fn step(parameters: &Parameters<'_>, list: &str, files: &Files, depth: usize, walk: &mut Walk) {
    let classes = parameters.value("smtpd_restriction_classes");
    let classes = items(&classes);
    let mut words = items(list).into_iter().peekable();
    while let Some(word) = words.next() {
        match word {
            // What follows only warns.
            "warn_if_reject" => drop(words.next()),
            "reject" | "defer" | "defer_if_permit" | "reject_unauth_destination" | "defer_unauth_destination" => {
                walk.closed = true;
            }
            "permit" | "permit_naked_ip_address" => walk.permit = Some(word.to_owned()),
            "permit_tls_all_clientcerts" => walk.some.push((word.to_owned(), Lets::AnyCertificate)),
            "permit_mx_backup" if !parameters.is_set("permit_mx_backup_networks") => {
                walk.some.push((word.to_owned(), Lets::AnyMx));
            }
            "check_sender_access" | "check_helo_access" | "check_ehlo_access" => {
                let table = words.next().unwrap_or_default();
                claimed(word, table, files, walk);
            }
            "check_policy_service" | "permit_dnswl_client" | "permit_rhswl_client" => {
                walk.untold.push(format!("{word} {}", words.next().unwrap_or_default()));
            }
            class if classes.contains(&class) && depth < DEEPEST => {
                step(parameters, &parameters.value(class), files, depth + 1, walk);
            }
            _ => {}
        }
        if walk.is_decided() {
            return;
        }
    }
}

/// A table that is asked about what the client claims of itself: an `OK` in it lets everybody who claims the same pass.
fn claimed(word: &str, table: &str, files: &Files, walk: &mut Walk) {
    let item = format!("{word} {table}");
    match tables::entries(table, files) {
        Some(entries) => {
            if entries.iter().any(|(_, _, value)| tables::permits(value)) {
                walk.some.push((item, Lets::ClaimedSender));
            }
        }
        None => walk.untold.push(item),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::files::ConfigFile;
    use super::*;

    fn check(list: &str, expected: &str) {
        let text = format!(
            "smtpd_restriction_classes = strict, open\nstrict = reject_unauth_destination\nopen = permit\ntested = {list}\n"
        );
        let file = ConfigFile::new("main.cf".into(), text.as_bytes(), 0, true);
        let mut files = Files::default();
        files.all.push(ConfigFile::new("senders".into(), b"boss@example.org OK\n", 1, true));
        files.all.push(ConfigFile::new("bad".into(), b"# none OK\nspam.example REJECT\n", 2, true));
        let walk = walk(&Parameters::read(&file), "tested", &files);
        let some: Vec<String> = walk.some.iter().map(|(item, lets)| format!("{item}={lets:?}")).collect();
        let found = format!("{} {:?} {some:?} {:?}", walk.closed, walk.permit, walk.untold);
        assert_eq!(found, expected, "{list}");
    }

    #[test]
    fn who_passes_a_list() {
        check("permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination", "true None [] []");
        check("permit_mynetworks permit_sasl_authenticated", "false None [] []");
        check("permit_mynetworks, permit, reject_unauth_destination", "false Some(\"permit\") [] []");
        check("permit_mynetworks, warn_if_reject reject_unauth_destination", "false None [] []");
        check("permit_mynetworks, strict", "true None [] []");
        check("open, reject", "false Some(\"permit\") [] []");
        check(
            "check_sender_access hash:/etc/postfix/senders, reject",
            "true None [\"check_sender_access hash:/etc/postfix/senders=ClaimedSender\"] []",
        );
        check("check_sender_access hash:/etc/postfix/bad, reject", "true None [] []");
        check(
            "check_helo_access pcre:/etc/postfix/absent, reject",
            "true None [] [\"check_helo_access pcre:/etc/postfix/absent\"]",
        );
        check("permit_mx_backup, reject", "true None [\"permit_mx_backup=AnyMx\"] []");
        check("check_policy_service unix:p, reject", "true None [] [\"check_policy_service unix:p\"]");
        check("", "false None [] []");
    }
}
