//! Inference: the site as the logs themselves show it.
//!
//! Only what a server did as an owner counts: it put mail into mailboxes, knew its users, or
//! handed everything for a domain to one inside host. That it accepted mail, or that relaying
//! worked, shows nothing: that is what an abused server does.

use super::{Origin, Site, address_in, insert, is_domain, is_inside};
use crate::judge::words::{count, thousands};
use crate::ledger::{Client, DomainFacts, DomainKey, Ledger, Text, sorted};
use crate::merge::Merge;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Clients from which a domain looks public: mail for it comes from everywhere.
const MANY_CLIENTS: usize = 5;

/// Networks that the Internet cannot use, and why they are trusted.
const INSIDE: [(&str, &str); 8] = [
    ("127.0.0.0/8", "loopback"),
    ("::1/128", "loopback"),
    ("10.0.0.0/8", "private (RFC 1918)"),
    ("172.16.0.0/12", "private (RFC 1918)"),
    ("192.168.0.0/16", "private (RFC 1918)"),
    ("fc00::/7", "private (RFC 4193)"),
    ("169.254.0.0/16", "link-local (RFC 3927)"),
    ("fe80::/10", "link-local (RFC 4291)"),
];

/// Completes what the user stated with what the logs show.
///
/// Stated local domains replace inferred ones, stated networks replace inferred ones. The names
/// and addresses of servers are facts, not policy: those found are added to those stated.
pub fn infer(ledger: &Ledger, stated: &Site) -> Site {
    let mut site = stated.clone();
    if !stated.states_trusted_networks() {
        add_networks(&mut site);
    }
    add_servers(ledger, &mut site);
    let gateways = gateway_domains(ledger);
    let relays = trustworthy_transports(ledger);
    for (key, facts) in sorted(&ledger.domains) {
        let configured = (0 < facts.gatewayed && relays.contains(&key.server)).then(|| {
            format!(
                "{} handed {} of it to a server behind it, as its configuration says for domains it takes mail for",
                key.server,
                count(facts.gatewayed, "recipient", "recipients")
            )
        });
        let Some(why) = configured.or_else(|| why_local(key, facts, &gateways)) else { continue };
        let evidence = facts.evidence.iter().next().cloned();
        let literal = key.domain.strip_prefix('[').map(|literal| literal.trim_end_matches(']'));
        if let Some(address) = literal.and_then(address_in) {
            insert(&mut site.server_addresses, address, Origin::Inferred, why, evidence);
        } else if !stated.states_local_domains() && is_domain(&key.domain) {
            insert(&mut site.local_domains, (*key.domain).into(), Origin::Inferred, why, evidence);
        }
    }
    if !stated.states_trusted_networks() {
        add_own_hosts(ledger, &mut site);
    }
    site
}

/// Servers whose transport for their own domains (Postfix `relay`) carries the smaller part of what they hand on. Where it
/// carries the larger, somebody uses it as a way to a smarthost.
fn trustworthy_transports(ledger: &Ledger) -> BTreeSet<Text> {
    let mut sums = BTreeMap::<Text, (u64, u64)>::new();
    for (key, facts) in &ledger.domains {
        let (gatewayed, all) = sums.entry(key.server).or_default();
        gatewayed.merge(facts.gatewayed);
        all.merge(facts.handed_on);
    }
    let smaller = sums.into_iter().filter(|(_, (gatewayed, all))| gatewayed.saturating_mul(2) <= *all);
    smaller.map(|(server, _)| server).collect()
}

/// More hosts with names of ours than these, and ours is a provider's domain: the hosts are its customers'.
const OWN_HOSTS: usize = 20;

/// Formats whose client names were looked up both ways: the address has the name, and the name the address.
const VERIFIED_NAMES: [&str; 3] = ["postfix", "exim", "sendmail"];

/// Trusts outside addresses that have a name below a domain of ours, by the server's own lookup in both directions.
/// Names that are made of the address are those of a provider's customers.
fn add_own_hosts(ledger: &Ledger, site: &mut Site) {
    let verified = |server: &Text| {
        let facts = ledger.servers.get(server);
        facts.is_some_and(|facts| facts.formats.iter().any(|format| VERIFIED_NAMES.contains(&&**format)))
    };
    let mut hosts = BTreeMap::<IpAddr, Text>::new();
    for (key, facts) in ledger.clients.iter().filter(|(key, _)| verified(&key.server)) {
        let Client::Address(address) = key.client else { continue };
        let own = |name: &&Text| site.is_ours(name) && !super::is_localhost(name) && !is_made_up(name);
        if let Some(name) = facts.names.iter().find(own).filter(|_| !site.trusts(address)) {
            hosts.insert(address, *name);
        }
    }
    if hosts.len() <= OWN_HOSTS {
        for (address, name) in hosts {
            let why = format!("its name, looked up both ways, is {name}");
            insert(&mut site.trusted_networks, IpNet::from(address), Origin::Inferred, why, None);
        }
    }
}

/// Whether a name looks as if a provider had made it from an address: `dyn-198-51-100-7.example.net`.
fn is_made_up(name: &str) -> bool {
    let host = name.split('.').next().unwrap_or_default();
    3 < host.bytes().filter(u8::is_ascii_digit).count()
}

/// Trusts the networks that the Internet cannot use.
fn add_networks(site: &mut Site) {
    for (network, kind) in INSIDE {
        let network: IpNet = network.parse().expect("the networks above are well-formed");
        let why = format!("{kind}: mail from there does not come from the Internet");
        insert(&mut site.trusted_networks, network, Origin::Inferred, why, None);
    }
}

/// Takes the servers that wrote the logs for ours, and the addresses that they sent mail from.
fn add_servers(ledger: &Ledger, site: &mut Site) {
    for (name, facts) in &ledger.servers {
        for own in facts.own_addresses.iter() {
            let who = if name.is_empty() { "the server" } else { &**name };
            insert(&mut site.server_addresses, *own, Origin::Inferred, format!("{who} sent mail from it"), None);
        }
        let evidence = facts.evidence.iter().next().cloned();
        let why = format!("it wrote {} of these logs", count(facts.records, "record", "records"));
        match name.parse::<IpAddr>() {
            Ok(address) => insert(&mut site.server_addresses, address, Origin::Inferred, why, evidence),
            Err(_) if name.is_empty() => {}
            Err(_) => {
                let name = super::canonical(name).as_ref().into();
                insert(&mut site.server_names, name, Origin::Inferred, why, evidence);
            }
        }
    }
}

/// Why a domain is local, if the logs show it.
fn why_local(key: &DomainKey, facts: &DomainFacts, gateways: &BTreeMap<&DomainKey, &Text>) -> Option<String> {
    // A pipe that filters looks like a mailbox, and the mail then goes on to other servers.
    let kept = facts.handed_on < facts.delivered_here || hops_inside(facts);
    if 0 < facts.delivered_here && kept {
        let recipients = count(facts.delivered_here, "recipient", "recipients");
        return Some(format!("{} delivered {recipients} of it to its own mailboxes or programs", key.server));
    }
    if 0 < facts.unknown_users && facts.delivered_here == 0 && facts.handed_on == 0 {
        let recipients = count(facts.unknown_users, "recipient", "recipients");
        return Some(format!("{} refused {recipients} of it as unknown users, and handed none on", key.server));
    }
    gateways.get(key).map(|hop| {
        format!(
            "{} handed all {} of it, sent by many clients, to the inside host {hop}",
            key.server,
            thousands(facts.handed_on)
        )
    })
}

/// Domains that many clients send to and that always go to one inside host.
///
/// An inside smarthost takes everything, and most domains it is given have few senders: it is
/// no gateway unless at least half of what it takes is of the public kind.
fn gateway_domains(ledger: &Ledger) -> BTreeMap<&DomainKey, &Text> {
    let mut domains = BTreeMap::new();
    let mut by_hop: BTreeMap<(&Text, &Text), (usize, usize)> = BTreeMap::new();
    for (key, facts) in &ledger.domains {
        for hop in facts.next_hops.iter() {
            let alone = facts.next_hops.len() == 1 && facts.delivered_here == 0;
            let public = alone && MANY_CLIENTS <= facts.clients.len() && hops_inside(facts);
            let tally = by_hop.entry((&key.server, hop)).or_default();
            tally.0 += 1;
            tally.1 += usize::from(public);
            if public {
                domains.insert(key, hop);
            }
        }
    }
    domains.retain(|key, hop| by_hop.get(&(&key.server, *hop)).is_some_and(|(all, public)| *all <= public * 2));
    domains
}

/// Whether all the hosts that a domain was handed to are inside.
fn hops_inside(facts: &DomainFacts) -> bool {
    !facts.next_hops.is_empty() && facts.next_hops.iter().all(|hop| address_in(hop).is_some_and(is_inside))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::ledger::ServerFacts;

    fn facts(delivered: u64, unknown: u64, handed: u64, hops: &[&str], clients: usize) -> DomainFacts {
        let mut facts = DomainFacts {
            delivered_here: delivered,
            unknown_users: unknown,
            handed_on: handed,
            ..DomainFacts::default()
        };
        hops.iter().for_each(|hop| facts.next_hops.insert((*hop).into()));
        (0..clients).for_each(|client| facts.clients.insert(format!("203.0.113.{client}").into()));
        facts
    }

    fn ledger(domains: &[(&str, DomainFacts)]) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.servers.insert("mx1.example.org".into(), ServerFacts { records: 7, ..ServerFacts::default() });
        for (domain, facts) in domains {
            let key = DomainKey { server: "mx1.example.org".into(), domain: (*domain).into() };
            ledger.domains.insert(key, facts.clone());
        }
        ledger
    }

    fn local(domains: &[(&str, DomainFacts)]) -> Vec<String> {
        let site = infer(&ledger(domains), &Site::default());
        site.local_domains().map(|entry| entry.value.to_string()).collect()
    }

    #[test]
    fn what_makes_a_domain_local() {
        let found = local(&[
            ("example.org", facts(9, 0, 0, &[], 1)),
            ("unknown.example.org", facts(0, 3, 0, &[], 1)),
            ("gate.example.org", facts(0, 0, 40, &["10.0.0.5"], 5)),
            ("accepted.example", facts(0, 0, 500, &["192.0.2.99"], 9)),
            ("filtered.example", facts(4, 0, 4, &["192.0.2.99"], 9)),
            ("bounced.example", facts(0, 3, 2, &["192.0.2.99"], 2)),
            ("few.example", facts(0, 0, 40, &["10.0.0.5"], 4)),
            ("two.example", facts(0, 0, 40, &["10.0.0.6", "192.0.2.1"], 9)),
            ("u%example.net", facts(1, 0, 0, &[], 1)),
        ]);
        assert_eq!(found, ["example.org", "gate.example.org", "unknown.example.org"]);
    }

    #[test]
    fn an_inside_smarthost_makes_nothing_local() {
        let names: Vec<String> = (0..9).map(|n| format!("d{n}.example")).collect();
        let mut domains: Vec<_> = names.iter().map(|n| (n.as_str(), facts(0, 0, 2, &["10.0.0.5"], 1))).collect();
        domains.push(("big.example", facts(0, 0, 900, &["10.0.0.5"], 9)));
        assert!(local(&domains).is_empty());
    }

    #[test]
    fn an_address_literal_with_a_mailbox_is_our_address() {
        let site = infer(&ledger(&[("[192.0.2.25]", facts(1, 0, 0, &[], 1))]), &Site::default());
        assert!(site.is_local("[192.0.2.25]"));
        assert_eq!(site.server_addresses().count(), 1);
    }

    #[test]
    fn an_address_that_mail_was_sent_from_is_ours() {
        let mut ledger = ledger(&[]);
        let server = ledger.servers.values_mut().next().unwrap();
        server.own_addresses.insert("192.0.2.25".parse().unwrap());
        let site = infer(&ledger, &Site::default());
        assert!(site.is_local("[192.0.2.25]") && site.trusts("192.0.2.25".parse().unwrap()));
        assert_eq!(site.server_addresses().next().unwrap().why, "mx1.example.org sent mail from it");
    }

    #[test]
    fn what_is_stated_replaces_what_is_inferred() {
        let mut stated = Site::default();
        stated.add_local_domain("example.org", Origin::CommandLine);
        stated.add_trusted_network("192.0.2.0/24".parse().unwrap(), Origin::CommandLine);
        let site = infer(&ledger(&[("example.net", facts(9, 0, 0, &[], 1))]), &stated);
        assert!(!site.is_local("example.net"));
        assert!(site.is_local("mx1.example.org"));
        assert!(!site.trusts("10.0.0.1".parse().unwrap()));
        assert!(infer(&ledger(&[]), &Site::default()).trusts("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn every_inferred_entry_says_why() {
        let site = infer(&ledger(&[("example.org", facts(1_204, 0, 0, &[], 1))]), &Site::default());
        let entry = site.local_domains().next().unwrap();
        assert_eq!(entry.why, "mx1.example.org delivered 1,204 recipients of it to its own mailboxes or programs");
        assert!(site.trusted_networks().all(|entry| !entry.why.is_empty()));
        assert_eq!(site.server_names().next().unwrap().why, "it wrote 7 records of these logs");
    }
}
