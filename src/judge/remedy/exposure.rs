//! Steps against a line of the configuration that lets strangers send. No text of the configuration is in them.
//!
//! Sources: postconf(5), SMTPD_ACCESS_README; cf/README of Sendmail; Exim specification; smtpd.conf(5); Microsoft Learn, "Allow
//! anonymous relay on Exchange servers", "Accepted domains in Exchange Server".

use crate::site::{Lets, Software};

/// The steps, the fix first.
pub fn exposure(software: Software, lets: &Lets) -> Vec<String> {
    let mut steps = vec![fix(software, lets).to_owned()];
    steps.extend(warning(software, lets).map(str::to_owned));
    steps.push(
        "Then run `relayaudit site check` on the changed files, and test the server from an outside network."
            .to_owned(),
    );
    steps
}

fn fix(software: Software, lets: &Lets) -> &'static str {
    match software {
        Software::Postfix => postfix(lets),
        Software::Sendmail => sendmail(lets),
        Software::Exim => exim(lets),
        Software::OpenSmtpd => opensmtpd(lets),
        Software::Exchange | Software::Iis => exchange(lets),
    }
}

fn postfix(lets: &Lets) -> &'static str {
    match lets {
        Lets::AnyClient => {
            "Refuse what is not yours: `postconf -e 'smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated \
             reject_unauth_destination'`, and take bare `permit` out of smtpd_recipient_restrictions and out of `-o` lines in master.cf; \
             then `postfix reload`."
        }
        Lets::Network(_) | Lets::Neighbours { .. } => {
            "List your own networks alone: `postconf -e 'mynetworks = 127.0.0.0/8 [::1]/128'` and what else is yours; then `postfix \
             reload`. Let users elsewhere log in (permit_sasl_authenticated)."
        }
        Lets::AnyRecipient => {
            "List the domains that you take mail for by name in relay_domains, mydestination or virtual_mailbox_domains; no `*`, no \
             `static:` table, no pattern that matches all; then `postfix reload`."
        }
        Lets::ClaimedSender => {
            "Put check_sender_access and check_helo_access behind reject_unauth_destination, or take `OK` out of their tables: a \
             reverse-path proves nothing."
        }
        Lets::ClaimedAddress(_) => {
            "Narrow smtpd_authorized_xclient_hosts to your own filters and proxies; then `postfix reload`."
        }
        Lets::AnonymousLogin => "`postconf -e 'smtpd_sasl_security_options = noanonymous'`; then `postfix reload`.",
        Lets::AnyCertificate => {
            "Use permit_tls_clientcerts with relay_clientcerts, which lists your certificates, instead of permit_tls_all_clientcerts."
        }
        Lets::AnyMx => {
            "Take permit_mx_backup out and list the domains in relay_domains, or set permit_mx_backup_networks to the networks of \
             the primary MX."
        }
        Lets::Disguised => "`postconf -e 'allow_untrusted_routing = no'` (the default); then `postfix reload`.",
        _ => "Narrow the line to what is yours; then `postfix reload`.",
    }
}

fn sendmail(lets: &Lets) -> &'static str {
    match lets {
        Lets::AnyClient => {
            "Take FEATURE(promiscuous_relay), or the RELAY entry without a key, out; rebuild (`make -C /etc/mail`) and restart sendmail."
        }
        Lets::Network(_) => {
            "Keep the RELAY entries of your own addresses only in access and relay-domains; rebuild (`make -C /etc/mail`)."
        }
        Lets::AnyRecipient => {
            "List the domains that you relay to by name; a top-level domain in access or relay-domains stands for all below it. \
             Rebuild (`make -C /etc/mail`)."
        }
        Lets::ClaimedSender => {
            "Take FEATURE(relay_local_from) or FEATURE(relay_mail_from) out and let users log in (TRUST_AUTH_MECH); rebuild and restart."
        }
        Lets::AnyMx => {
            "Take FEATURE(relay_based_on_MX) or FEATURE(bestmx_is_local) out and list the domains as `To:DOMAIN RELAY` in access; \
             rebuild and restart."
        }
        Lets::Disguised => "Take FEATURE(loose_relay_check) out; rebuild (`make -C /etc/mail`) and restart sendmail.",
        Lets::Name { .. } => {
            "Let hosts relay by their addresses (`Connect:ADDRESS RELAY`) or by log-in, not by their names; rebuild and restart."
        }
        Lets::UnknownSenders => {
            "Take FEATURE(accept_unresolvable_domains) and FEATURE(accept_unqualified_senders) out, unless an inside host needs them."
        }
        _ => "Narrow the line to what is yours; rebuild (`make -C /etc/mail`) and restart sendmail.",
    }
}

fn exim(lets: &Lets) -> &'static str {
    match lets {
        Lets::AnyClient => {
            "In the ACL for RCPT put `require message = relay not permitted` with `domains = +local_domains : +relay_to_domains` before \
             the statement; before it only `hosts = +relay_from_hosts` and `authenticated = *` may accept. Then reload."
        }
        Lets::Network(_) => {
            "List your own networks alone in `hostlist relay_from_hosts` (Debian: dc_relay_nets, then `update-exim4.conf`); reload. Let \
             users elsewhere log in."
        }
        Lets::AnyRecipient => {
            "List the domains by name in `relay_to_domains` and `local_domains` (Debian: dc_relay_domains, dc_other_hostnames); reload."
        }
        Lets::ClaimedSender => {
            "Take the `senders` condition's accept out, or put it behind the relay check: a reverse-path proves nothing."
        }
        Lets::AnyMx => "List the domains by name instead of `@mx_any` and its kin; reload.",
        Lets::Disguised => {
            "Take the router that replaces `%` by `@` out, and refuse such local parts in the ACL for RCPT: `deny domains = +local_domains` \
             with `local_parts = ^[.] : ^.*[@%!/|]`. Then reload."
        }
        _ => "Narrow the line to what is yours; reload.",
    }
}

fn opensmtpd(lets: &Lets) -> &'static str {
    match lets {
        Lets::AnyClient => {
            "Let only `match auth from any for any` and `match from src <your networks> for any` reach a relay action; take the rule \
             out, check with `smtpd -n`, restart smtpd."
        }
        Lets::Network(_) => {
            "List your own networks alone in the table of the `from src` rule; `smtpctl update table` or restart smtpd."
        }
        Lets::AnyRecipient => {
            "List the domains by name in the `for domain` table; check with `smtpd -n`, restart smtpd."
        }
        Lets::ClaimedSender => {
            "A reverse-path or greeting proves nothing: require `auth` or `from src` in this rule; restart smtpd."
        }
        _ => "Narrow the line to what is yours; restart smtpd.",
    }
}

fn exchange(lets: &Lets) -> &'static str {
    match lets {
        Lets::AnyRecipient => {
            "Remove the accepted domain `*` (`Remove-AcceptedDomain`), and add the domains that you take mail for by name: \
             `New-AcceptedDomain -Name NAME -DomainName DOMAIN -DomainType Authoritative` (or InternalRelay)."
        }
        _ => {
            "Narrow the connector to the single hosts that need it: `Set-ReceiveConnector \"NAME\" -RemoteIPRanges ADDRESS,ADDRESS`. If none \
             does, take the right away: `Get-ReceiveConnector \"NAME\" | Remove-ADPermission -User \"NT AUTHORITY\\ANONYMOUS LOGON\" \
             -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient`, and take ExternalAuthoritative off."
        }
    }
}

/// Against the fix that suggests itself and opens the server.
fn warning(software: Software, lets: &Lets) -> Option<&'static str> {
    match (software, lets) {
        (Software::Exchange, Lets::Network(_) | Lets::Connector | Lets::AnyRecipient) => Some(
            "If this was done because mail for a domain of yours was refused (550 5.7.1, Unable to relay): the cure is an accepted \
             domain. Do not grant anonymous relay for it, nor the accepted domain `*`.",
        ),
        (_, Lets::Network(_) | Lets::Neighbours { .. }) => Some(
            "If it was widened because roaming users or a provider's hosts were refused: let them log in instead. If behind a proxy \
             or container gateway all clients show its address, never trust that address: pass the real one on.",
        ),
        (_, Lets::AnyClient | Lets::AnyRecipient) => Some(
            "If it was opened because mail for a domain of yours was refused: add that domain to the local or relay domains; nothing \
             else is needed.",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_has_its_own_fix() {
        for (software, expected) in [
            (Software::Postfix, "reject_unauth_destination"),
            (Software::Sendmail, "promiscuous_relay"),
            (Software::Exim, "relay not permitted"),
            (Software::OpenSmtpd, "match auth from any"),
            (Software::Exchange, "Set-ReceiveConnector"),
        ] {
            let steps = exposure(software, &Lets::AnyClient);
            assert!(steps[0].contains(expected), "{}", steps[0]);
            assert!(steps.last().is_some_and(|last| last.contains("relayaudit site check")));
        }
    }

    #[test]
    fn the_obvious_fix_that_opens_the_server_is_warned_of() {
        let steps = exposure(Software::Exchange, &Lets::AnyRecipient).join("\n");
        assert!(steps.contains("Do not grant anonymous relay"), "{steps}");
    }
}
