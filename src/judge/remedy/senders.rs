//! Steps for senders that may send: stolen accounts, trusted hosts, programs on the server; and for guessing and bounces.

use super::{Kind, kind, queue};
use crate::judge::finding::Queue;
use crate::ledger::{Client, Ledger, Text};
use crate::site::is_inside;

/// Steps against a stolen account.
pub fn account(ledger: &Ledger, server: &Text, name: &str, waiting: Option<&Queue>) -> Vec<String> {
    let kind = kind(ledger, server);
    let name = in_command(name);
    let mut steps = vec![
        "Change the password of this account now, and every other password its owner uses. Changing relay rules does \
         not help: the thief is allowed to send."
            .to_owned(),
        "End its open sessions (restart the mail and IMAP services), and look for forwarding rules the thief may have set."
            .to_owned(),
    ];
    steps.extend(queue::waiting(kind, waiting));
    steps.push(match kind {
        // An account may be the beginning of another: the comma or the end of the line closes it.
        Kind::Postfix => format!(
            "Delete all of its messages that wait: `grep -E 'sasl_username={name}(,|$)' mail.log | sed 's/^.*smtpd\\[[0-9]*\\]: \
             \\([0-9A-Za-z]*\\): client=.*/\\1/' | sort -u | postsuper -d -`."
        ),
        Kind::Exim => format!(
            "Find its messages: `exigrep 'A=[^ :]*:{name}([ :]|$)' mainlog`, then remove those still waiting: `exim -Mrm ID`."
        ),
        _ => "Delete its messages that are still in the queue.".to_owned(),
    });
    steps.push("Scan the owner's computer for malware before the new password is typed in.".to_owned());
    steps.push("Limit how much an account may send in an hour.".to_owned());
    steps
}

/// The name of an account as a command takes it, or `ACCOUNT`: a client that logs in can give names that a shell obeys.
fn in_command(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._-".contains(c);
    if !name.is_empty() && name.chars().all(plain) { name } else { "ACCOUNT" }
}

/// Steps against a trusted host that sends spam.
pub fn host(ledger: &Ledger, server: &Text, client: &Client, waiting: Option<&Queue>) -> Vec<String> {
    let mut steps = vec![
        "Cut the host off: unplug it, or take its address out of the trusted networks. Do not block its address in a way \
         that hides it from you."
            .to_owned(),
    ];
    steps.extend(queue::stop(kind(ledger, server), client, waiting));
    steps.push(
        "If it is a web server, look for the form or script that sent: its access log in the minutes of the busiest hour. \
         If it is a workstation, it is infected: install it anew."
            .to_owned(),
    );
    steps.push(
        "Let hosts log in to send, each with an account of its own, instead of trusting a whole network.".to_owned(),
    );
    steps
}

/// Steps against a program on the server that sends spam.
pub fn script(ledger: &Ledger, server: &Text, waiting: Option<&Queue>) -> Vec<String> {
    let kind = kind(ledger, server);
    let mut steps = vec![match kind {
        Kind::Exim => "Find the script: `grep 'cwd=' mainlog` shows the directories from which mail was handed in.".to_owned(),
        _ => "Find the script: compare the times with the web server's access log (POST requests) and the user's crontab; with PHP, set \
              `mail.add_x_header = On` and `mail.log`."
            .to_owned(),
    }];
    steps.push("Stop it: take the script away, or forbid the user to send (Postfix: `postconf -e 'authorized_submit_users = !USER, static:all'`).".to_owned());
    steps.extend(queue::stop(kind, &Client::Unknown, waiting));
    steps.push("Look for other files that were put there, and bring the web application up to date.".to_owned());
    steps
}

/// Steps against guessing of passwords.
pub fn guessing(ledger: &Ledger, server: &Text, client: Option<&Client>) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(Client::Address(address)) =
        client.filter(|client| matches!(client, Client::Address(a) if is_inside(*a)))
    {
        steps.push(format!(
            "Do not ban {address}: it is an inside address. Find out which program keeps a wrong password."
        ));
    } else {
        let jail = match kind(ledger, server) {
            Kind::Postfix => " (jail `postfix-sasl`)",
            Kind::Exim => " (jail `exim`)",
            Kind::Sendmail => " (jail `sendmail-auth`)",
            _ => "",
        };
        steps.push(format!("Ban addresses after a few failures: fail2ban{jail}, or the limit your server offers."));
    }
    steps.push(
        "Offer log-in on the submission ports only (587, 465), and see that no account has a weak password.".to_owned(),
    );
    steps
}

/// Steps against harvesting of addresses.
pub fn harvest(ledger: &Ledger, server: &Text) -> Vec<String> {
    let limit = match kind(ledger, server) {
        Kind::Postfix => {
            "Limit errors: `smtpd_hard_error_limit` and `smtpd_soft_error_limit` (the defaults are 20 and 10)."
        }
        Kind::Sendmail => "Limit errors: `define(`confBAD_RCPT_THROTTLE', `3')` in sendmail.mc.",
        Kind::Exim => "Limit errors: a `ratelimit` in the RCPT ACL for recipients that fail `verify = recipient`.",
        Kind::Exchange => "Switch on recipient filtering and tarpitting (`Set-ReceiveConnector -TarpitInterval`).",
        _ => "Limit how many unknown recipients one session may ask for.",
    };
    vec![
        "Nothing left the server. Refuse unknown recipients at RCPT, never later by a bounce.".to_owned(),
        limit.to_owned(),
    ]
}

/// Steps against bounces to forged senders.
pub fn backscatter(ledger: &Ledger, server: &Text, waiting: Option<&Queue>) -> Vec<String> {
    let kind = kind(ledger, server);
    let refuse = match kind {
        Kind::Postfix => {
            "Refuse unknown recipients at RCPT: set `local_recipient_maps`, `virtual_mailbox_maps`, `relay_recipient_maps`; \
             no `luser_relay`, no catch-all `@example.org` in virtual_alias_maps."
        }
        Kind::Exim => "Refuse unknown recipients at RCPT: `verify = recipient/callout` in acl_check_rcpt.",
        Kind::Sendmail => {
            "Refuse unknown recipients at RCPT: list them in virtusertable with `@example.org error:5.1.1:550 User unknown` as last \
             line; a gateway needs LDAP routing or `FEATURE(`access_db')` with every recipient."
        }
        Kind::Exchange | Kind::Exchange2000 => {
            "Refuse unknown recipients at RCPT: switch on recipient filtering (Exchange 2003: Recipient Filter \"not in the \
             directory\" and \"Apply\" on the virtual server; later: `Set-RecipientFilterConfig -RecipientValidationEnabled $true`)."
        }
        _ => "Refuse unknown recipients at RCPT instead of taking the mail and bouncing it.",
    };
    let mut steps = vec![
        refuse.to_owned(),
        "Let filters refuse within the SMTP session, or drop silently; never bounce spam or viruses.".to_owned(),
        "Delete the notifications that still wait in the queue (null reverse-path, shown as MAILER-DAEMON or <>)."
            .to_owned(),
    ];
    steps.extend(queue::waiting(kind, waiting));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_holds_plain_names_only() {
        for (name, expected) in [
            ("anna", "anna"),
            ("anna.b@example.org", "anna.b@example.org"),
            ("EXAMPLE\\anna", "ACCOUNT"),
            ("a'; reboot; '", "ACCOUNT"),
            ("", "ACCOUNT"),
        ] {
            assert_eq!(in_command(name), expected);
        }
    }
}
