//! Remedies: what to do, step by step, for the kind of server that wrote the log.
//!
//! Commands hold addresses only, never text that a client sent.
//!
//! Sources: postconf(5), postsuper(1), SMTPD_ACCESS_README (Postfix 2.10 and later); Microsoft
//! KB 324958 and the IIS 6.0 documentation ("Setting Relay Restrictions"), KB 196626 and KB 315687 (Exchange 5.5), and
//! Microsoft Learn, "New-NetFirewallRule".

mod delist;
mod exposure;
mod queue;
mod senders;
mod spoof;

pub use delist::delist;
pub use exposure::exposure;
pub use queue::tells_ends;
pub use senders::{account, backscatter, guessing, harvest, host, script};
pub use spoof::{lookalike, null_sender, victim};

use super::finding::Queue;
use crate::ledger::{Client, Ledger, Text};
use crate::site::is_inside;
use std::net::IpAddr;

/// The kinds of server whose configuration we can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postfix,
    /// IIS SMTP service, with or without Exchange 2000 or 2003 on top.
    Iis,
    Exchange2000,
    Exchange55,
    /// Exchange 2007 and later.
    Exchange,
    Exim,
    Sendmail,
    OpenSmtpd,
    Qmail,
    Other,
}

/// The kind of a server, by the formats of its logs.
fn kind(ledger: &Ledger, server: &Text) -> Kind {
    let wrote = |name: &str| {
        let facts = ledger.servers.get(server);
        facts.is_some_and(|facts| facts.formats.iter().any(|format| format.starts_with(name)))
    };
    let kinds = [
        ("postfix", Kind::Postfix),
        ("exchange2000", Kind::Exchange2000),
        ("exchange55", Kind::Exchange55),
        ("exchange", Kind::Exchange),
        ("iis-smtp", Kind::Iis),
        ("exim", Kind::Exim),
        ("sendmail", Kind::Sendmail),
        ("opensmtpd", Kind::OpenSmtpd),
        ("qmail", Kind::Qmail),
    ];
    kinds.iter().find(|(name, _)| wrote(name)).map_or(Kind::Other, |(_, kind)| *kind)
}

/// Steps against relaying by a client: close the relay, stop the queue, shut the client out.
pub fn relay(ledger: &Ledger, server: &Text, client: &Client, queue: Option<&Queue>) -> Vec<String> {
    let kind = kind(ledger, server);
    let mut steps = close(kind);
    steps.extend(queue::stop(kind, client, queue));
    steps.push(shut_out(kind, client));
    steps.push("Test the server from an outside network afterwards, and scan the log again.".to_owned());
    steps
}

/// Steps against relaying by a disguised address.
pub fn trick(ledger: &Ledger, server: &Text, client: &Client, queue: Option<&Queue>) -> Vec<String> {
    let switch = match kind(ledger, server) {
        Kind::Postfix => {
            "Take disguised addresses for what they say: `postconf -e 'allow_untrusted_routing = no' \
             'allow_percent_hack = yes' 'swap_bangpath = yes'` (the defaults), then `postfix reload`. Then look for a \
             host behind this one that unpacks them."
        }
        Kind::Iis | Kind::Exchange2000 => {
            "Install the last service pack: encapsulated (IMCEA) addresses were relayed by unpatched servers \
             (Microsoft MS99-027)."
        }
        _ => "Switch off source routes, the percent hack and bang paths for clients that did not log in.",
    };
    std::iter::once(switch.to_owned()).chain(relay(ledger, server, client, queue)).collect()
}

/// Steps against our domains as reverse-path of strangers.
pub fn spoofing(ledger: &Ledger, server: &Text) -> Vec<String> {
    let mut steps = vec![
        "Publish SPF (`v=spf1 mx -all`, completed with every host that sends for the domain) and DMARC.".to_owned(),
    ];
    steps.push(match kind(ledger, server) {
        Kind::Postfix => {
            "List your domains in /etc/postfix/own_domains as `example.org REJECT log in first`, run `postmap \
                          /etc/postfix/own_domains`, and put `permit_mynetworks, permit_sasl_authenticated, \
                          check_sender_access hash:/etc/postfix/own_domains` into smtpd_sender_restrictions. Forwarded \
                          mail of your own users is then refused too."
                .to_owned()
        }
        _ => "Accept your own domains as reverse-path from trusted networks and log-ins only.".to_owned(),
    });
    steps
}

/// Steps against greetings in our name.
pub fn greeting(ledger: &Ledger, server: &Text) -> Vec<String> {
    let step = match kind(ledger, server) {
        Kind::Postfix => {
            "Harmless in itself. To refuse it: list your names in /etc/postfix/own_names as `mx1.example.org REJECT that \
             is my name`, run `postmap /etc/postfix/own_names`, and set smtpd_helo_required = yes and \
             smtpd_helo_restrictions = permit_mynetworks, permit_sasl_authenticated, check_helo_access \
             hash:/etc/postfix/own_names."
        }
        _ => "Harmless in itself. A filter may refuse clients that greet with your own name.",
    };
    vec![step.to_owned()]
}

/// How to close the relay.
fn close(kind: Kind) -> Vec<String> {
    let steps: &[&str] = match kind {
        Kind::Postfix => &[
            "See who may relay now: `postconf mynetworks mynetworks_style relay_domains smtpd_relay_restrictions \
             smtpd_recipient_restrictions`. Look for a network that is too wide, and for a permit before \
             reject_unauth_destination.",
            "Close it: `postconf -e 'mynetworks = 127.0.0.0/8 [::1]/128'` (add your own networks), `postconf -e \
             'smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated reject_unauth_destination'`, \
             then `postfix reload`. Before Postfix 2.10, write the same into smtpd_recipient_restrictions.",
        ],
        Kind::Iis => &[
            "IIS 6.0 Manager > SMTP Virtual Server > Properties > Access > Relay: choose \"Only the list below\" and \
             leave only your own addresses in the list.",
            "On the same page, untick \"Allow all computers which successfully authenticate to relay, regardless of the \
             list above\" unless users send through this server; check that the Guest account is disabled.",
        ],
        Kind::Exchange2000 => &[
            "Exchange System Manager > Servers > (server) > Protocols > SMTP > Default SMTP Virtual Server > Properties > \
             Access > Relay: choose \"Only the list below\" and leave only your own addresses in the list.",
            "On the same page, untick \"Allow all computers which successfully authenticate to relay, regardless of the \
             list above\" unless users send through this server; check that the Guest account is disabled.",
            "Look at every SMTP connector: on its Address Space page, \"Allow messages to be relayed to these domains\" must \
             be off for the address space `*`.",
        ],
        Kind::Exchange55 => &[
            "Exchange Administrator > Connections > Internet Mail Service > Routing: with \"Reroute incoming SMTP mail\", list your \
             own domains; then \"Routing Restrictions\" (Service Pack 1 and later): only clients that log in, or with addresses of \
             yours, may route mail.",
        ],
        Kind::Exchange => &[
            "List who may relay: `Get-ReceiveConnector | Get-ADPermission | where {$_.ExtendedRights -like \
             '*accept-any-recipient*'}`. Anonymous logon must not be among them on a connector that the Internet reaches.",
            "Take it away: `Get-ReceiveConnector \"NAME\" | Remove-ADPermission -User \"NT AUTHORITY\\ANONYMOUS LOGON\" \
             -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient`, and narrow RemoteIPRanges of relay connectors to single hosts.",
        ],
        Kind::Exim => &[
            "See who may relay now: `exim -bP hostlist` and `exim -bP domainlist`: `relay_from_hosts` must hold your own networks \
             only, `relay_to_domains` only domains you are a secondary MX for.",
            "In acl_check_rcpt, nothing but `hosts = +relay_from_hosts` and `authenticated = *` may accept before `require message \
             = relay not permitted domains = +local_domains : +relay_to_domains`. Then reload.",
        ],
        Kind::Sendmail => &[
            "Look for what opens it: RELAY lines in /etc/mail/access that are too wide, /etc/mail/relay-domains, and in sendmail.mc \
             FEATURE(`promiscuous_relay'), `relay_entire_domain', `relay_local_from', `relay_based_on_MX'.",
            "Take them out, rebuild (`make -C /etc/mail`), and restart. Since 8.9 sendmail refuses to relay by default.",
        ],
        Kind::OpenSmtpd => &[
            "Look at smtpd.conf for `match from any for any action ...`: only `match auth from any for any` and `match from src \
             <own networks> for any` may reach a relay action. Then `smtpctl pause mta`, and restart smtpd.",
        ],
        Kind::Qmail => &[
            "Look at /etc/tcp.smtp: `RELAYCLIENT=\"\"` may stand behind your own networks only. After a change: `tcprules \
             /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp < /etc/tcp.smtp`.",
            "Check that /var/qmail/control/rcpthosts exists and lists your own domains only: without it qmail relays for everybody.",
        ],
        Kind::Other => &[
            "Let the server relay for its own networks and for clients that logged in, and refuse every other recipient \
             outside its own domains.",
        ],
    };
    steps.iter().map(|step| (*step).to_owned()).collect()
}

/// How to shut the client out, or why not to.
fn shut_out(kind: Kind, client: &Client) -> String {
    let Client::Address(address) = client else {
        return "The log gives no address to shut out.".to_owned();
    };
    if is_inside(*address) {
        return format!(
            "Do not ban {address}: it is an inside address, perhaps a gateway behind which everybody's real address is hidden."
        );
    }
    match (kind, address) {
        (Kind::Iis | Kind::Exchange2000, _) => {
            format!(
                "Until then, shut it out: the same Access page > Connection > \"All except the list below\" > {address}."
            )
        }
        (Kind::Exchange55, _) => format!(
            "Until then, shut it out: the same Routing Restrictions, clients that can never route mail: {address}, mask \
             255.255.255.255."
        ),
        (Kind::Exchange, _) => format!(
            "Until then, shut it out: `New-NetFirewallRule -DisplayName 'relay abuse' -Direction Inbound -Protocol TCP -LocalPort 25 \
             -RemoteAddress {address} -Action Block`."
        ),
        (Kind::Other, _) => format!("Until then, shut {address} out of port 25 by the firewall."),
        (_, IpAddr::V4(_)) => {
            format!("Until then, shut it out: `iptables -I INPUT -s {address} -p tcp --dport 25 -j DROP`.")
        }
        (_, IpAddr::V6(_)) => {
            format!("Until then, shut it out: `ip6tables -I INPUT -s {address} -p tcp --dport 25 -j DROP`.")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::ledger::ServerFacts;

    fn steps(format: &str, client: &str) -> String {
        let mut ledger = Ledger::default();
        let mut facts = ServerFacts::default();
        facts.formats.insert(format.into());
        ledger.servers.insert("mx1".into(), facts);
        relay(&ledger, &"mx1".into(), &Client::Address(client.parse().unwrap()), None).join("\n")
    }

    #[test]
    fn each_kind_of_server_has_its_own_steps() {
        for (format, client, expected) in [
            ("postfix", "203.0.113.7", "postsuper -h ALL"),
            ("postfix", "203.0.113.7", "`iptables -I INPUT -s 203.0.113.7 "),
            ("postfix", "2001:db8::7", "`ip6tables -I INPUT -s 2001:db8::7 "),
            ("iis-smtp-w3c", "203.0.113.7", "net stop smtpsvc"),
            ("exchange2000-tracking", "203.0.113.7", "Exchange System Manager"),
            ("exchange-tracking", "203.0.113.7", "-RemoteAddress 203.0.113.7 "),
            ("exchange55-ims", "203.0.113.7", "never route mail: 203.0.113.7,"),
            ("something-new", "203.0.113.7", "Hold the queue"),
            ("something-new", "203.0.113.7", "shut 203.0.113.7 out of port 25"),
        ] {
            assert!(steps(format, client).contains(expected), "{format}: {}", steps(format, client));
        }
    }

    #[test]
    fn an_inside_address_is_never_banned() {
        for client in ["172.18.0.1", "127.0.0.1", "fd00::1"] {
            let steps = steps("postfix", client);
            assert!(steps.contains("Do not ban") && !steps.contains("DROP"), "{steps}");
        }
    }
}
