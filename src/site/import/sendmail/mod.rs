//! Sendmail: `sendmail.mc`, `access`, `local-host-names` (class w), `relay-domains` (class R), `virtusertable`.
//!
//! Source: cf/README of Sendmail 8.12 to 8.18, "ANTI-SPAM CONFIGURATION CONTROL" and "FEATURES".

mod access;
mod mc;

use super::Importer;
use super::files::{ConfigFile, Files};
use super::gather::{At, Gather, is_top_level};
use crate::site::Site;
use crate::site::network::parse_octets;
use crate::site::opening::{Lets, Software};
use ipnet::{IpNet, Ipv6Net};
use std::net::Ipv6Addr;

/// Reads Sendmail.
pub const IMPORTER: Importer = Importer {
    name: "sendmail-configuration",
    files: "Sendmail sendmail.mc, access, local-host-names, relay-domains, virtusertable",
    recognises: |file| kind(file).is_some(),
    import,
};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Mc,
    Access,
    Local,
    Relay,
    Virtual,
}

/// Lists are known by their names alone, the others by what only Sendmail writes.
fn kind(file: &ConfigFile) -> Option<Kind> {
    let has = |prefix: fn(&str) -> bool| file.entries().any(|(_, line)| prefix(line));
    match file.name() {
        "local-host-names" | "sendmail.cw" => Some(Kind::Local),
        "relay-domains" => Some(Kind::Relay),
        "virtusertable" => Some(Kind::Virtual),
        name if name.ends_with(".mc") => Some(Kind::Mc),
        _ if has(|line| ["FEATURE(", "MAILER(", "OSTYPE("].iter().any(|word| line.starts_with(word))) => Some(Kind::Mc),
        _ if has(access::is_telling) => Some(Kind::Access),
        _ => None,
    }
}

fn import(own: &[&ConfigFile], _: &Files) -> Site {
    let mut server = Server { gather: Gather::new(Software::Sendmail), sender_relays: false, networks: Vec::new() };
    let mut files: Vec<(Kind, &ConfigFile)> = own.iter().filter_map(|file| Some((kind(file)?, *file))).collect();
    // The features decide what the tables mean.
    files.sort_by_key(|(kind, _)| *kind);
    for (kind, file) in files {
        match kind {
            Kind::Mc => mc::read(file, &mut server),
            Kind::Access => access::read(file, &mut server),
            Kind::Local => server.names(file, "listed in local-host-names"),
            Kind::Relay => server.relays(file),
            Kind::Virtual => server.virtual_users(file),
        }
    }
    server.gather.networks(&server.networks, "may relay by its address");
    server.gather.finish()
}

/// One server.
struct Server<'a> {
    gather: Gather,
    /// Whether `From:` entries of the access table let whoever claims that reverse-path relay.
    sender_relays: bool,
    networks: Vec<(At<'a>, IpNet)>,
}

impl<'a> Server<'a> {
    fn names(&mut self, file: &'a ConfigFile, why: &str) {
        for (line, text) in file.entries() {
            let name = text.split([' ', '\t', '#']).next().unwrap_or_default();
            self.gather.domain(At { file, line }, name, why);
        }
    }

    /// Class R: to and from these domains, from these addresses (cf/README, "relay-domains").
    fn relays(&mut self, file: &'a ConfigFile) {
        for (line, text) in file.entries() {
            let name = text.split([' ', '\t', '#']).next().unwrap_or_default();
            self.relay(At { file, line }, name, "listed in relay-domains");
        }
    }

    /// A name or address that relaying is allowed to and from.
    fn relay(&mut self, at: At<'a>, name: &str, why: &str) {
        match network(name) {
            Some(net) => self.networks.push((at, net)),
            None => {
                self.gather.domain_and_below(at, name, why);
                self.client_name(at, name);
            }
        }
    }

    /// Clients whose name in the DNS is that domain or below it. The site knows clients by address only.
    fn client_name(&mut self, at: At<'a>, name: &str) {
        let bare = name.trim_matches('.');
        if crate::site::is_localhost(bare) {
            return;
        }
        if !is_top_level(bare) {
            self.gather.note(at, format!("clients named `{bare}` or below may relay too; the site cannot say so"));
        } else {
            self.gather.opening(at, name, Lets::Name { top_level: true });
        }
    }

    /// Keys of the virtual user table work for domains of the server only (cf/README, "virtusertable").
    fn virtual_users(&mut self, file: &'a ConfigFile) {
        for (line, text) in file.entries() {
            let key = text.split([' ', '\t']).next().unwrap_or_default();
            if let Some((_, domain)) = key.rsplit_once('@') {
                self.gather.domain(At { file, line }, domain, "virtusertable has users in it");
            }
        }
    }
}

/// A network as the access table writes it: the first octets of an IPv4 address, or `IPv6:` with the first groups.
fn network(key: &str) -> Option<IpNet> {
    match key.get(..5).filter(|tag| tag.eq_ignore_ascii_case("ipv6:")) {
        Some(_) => groups(&key[5..]),
        None => parse_octets(key),
    }
}

/// The network below the first groups of an IPv6 address: `2001:db8:a:20` is a /64.
fn groups(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(IpNet::from(std::net::IpAddr::V6(address)));
    }
    let parts: Vec<u16> = text
        .trim_end_matches(':')
        .split(':')
        .map(|part| u16::from_str_radix(part, 16))
        .collect::<Result<_, _>>()
        .ok()?;
    let prefix = u8::try_from(parts.len() * 16).ok().filter(|prefix| *prefix <= 128)?;
    let mut all = [0u16; 8];
    all.iter_mut().zip(&parts).for_each(|(to, from)| *to = *from);
    Ipv6Net::new(all.into(), prefix).ok().map(IpNet::V6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_the_access_table() {
        for (key, expected) in [
            ("10.20", Some("10.20.0.0/16")),
            ("127.0.0.1", Some("127.0.0.1/32")),
            ("10", Some("10.0.0.0/8")),
            ("IPv6:::1", Some("::1/128")),
            ("IPv6:2001:db8:a:20", Some("2001:db8:a:20::/64")),
            ("ipv6:2001:db8::1", Some("2001:db8::1/128")),
            ("IPv6:", None),
            ("IPv6:g", None),
            ("1.2.3.4.5", None),
            ("256.1", None),
            ("example.org", None),
            ("", None),
        ] {
            assert_eq!(network(key).map(|net| net.to_string()).as_deref(), expected, "{key}");
        }
    }
}
