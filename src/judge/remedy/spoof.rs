//! Steps against mail that comes in under names like ours or under no name.

use super::{Kind, kind};
use crate::ledger::{Ledger, Text};

/// Steps against a domain that imitates one of ours.
pub fn lookalike(ledger: &Ledger, server: &Text) -> Vec<String> {
    let refuse = match kind(ledger, server) {
        Kind::Postfix => {
            "Refuse the domain as reverse-path: a line `DOMAIN REJECT` in a table of check_sender_access (`postmap` it), or in a \
             header check for the From header as well."
        }
        Kind::Exim => "Refuse the domain as reverse-path: `deny senders = *@DOMAIN : *@*.DOMAIN` in acl_check_rcpt.",
        Kind::Sendmail => {
            "Refuse the domain as reverse-path: `From:DOMAIN REJECT` in /etc/mail/access, then `make -C /etc/mail`."
        }
        Kind::Exchange => {
            "Refuse the domain as reverse-path: `Set-SenderFilterConfig -BlockedDomainsAndSubdomains DOMAIN`."
        }
        _ => "Refuse the domain as reverse-path, and in the From header if the filter can.",
    };
    vec![
        "Find the messages by the lines shown and warn their recipients: nobody should pay, change an account number or log in \
         because of them without asking the supposed sender by telephone."
            .to_owned(),
        refuse.to_owned(),
        "If the domain is yours, state it with --local-domain. If not, WHOIS names the registrar, whose abuse desk can take it down."
            .to_owned(),
    ]
}

/// Steps against the null reverse-path on what is no notification.
pub fn null_sender(ledger: &Ledger, server: &Text) -> Vec<String> {
    let limit = match kind(ledger, server) {
        Kind::Postfix => {
            "A notification has one recipient. Refuse the others: `reject_multi_recipient_bounce` in smtpd_data_restrictions (Postfix \
             2.1 and later)."
        }
        Kind::Exim => {
            "A notification has one recipient. Refuse the others: `deny senders = : condition = ${if >{$rcpt_count}{1}}` in the \
             ACL of DATA."
        }
        _ => {
            "A notification has one recipient. Refuse mail with a null reverse-path and several recipients, if the server can."
        }
    };
    vec![
        limit.to_owned(),
        "Never refuse the null reverse-path as such: without notifications your users do not learn that their mail was lost \
         (RFC 5321 section 4.5.5)."
            .to_owned(),
    ]
}

/// What to do when bounces of other people's mail come in.
pub fn victim(ledger: &Ledger, server: &Text) -> Vec<String> {
    let refuse = match kind(ledger, server) {
        Kind::Postfix => {
            "Refuse unknown recipients at RCPT (local_recipient_maps, relay_recipient_maps): most of these bounces are for \
             addresses that never existed. BACKSCATTER_README has header checks for the others."
        }
        _ => "Refuse unknown recipients at RCPT: most of these bounces are for addresses that never existed.",
    };
    vec![
        "Nothing is to be repaired on this server, and no password to be changed because of this alone: the mail was sent elsewhere.".to_owned(),
        "Publish SPF (`v=spf1 mx -all`, completed with every host that sends for the domain) and DMARC: receivers then refuse the \
         forged mail instead of bouncing it."
            .to_owned(),
        refuse.to_owned(),
        "If it goes on for days, sign your reverse-paths (BATV, draft-levine-smtp-batv; Exim `prvs`): bounces to unsigned ones can be \
         refused then."
            .to_owned(),
    ]
}
