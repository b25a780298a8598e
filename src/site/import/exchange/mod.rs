//! Exchange 2007 and later: what `Get-ReceiveConnector`, `Get-ReceiveConnector | Get-ADPermission` and `Get-AcceptedDomain` print.
//!
//! A connector relays for anonymous clients if ANONYMOUS LOGON has the right `ms-Exch-SMTP-Accept-Any-Recipient` on it, or if it takes its
//! clients for authenticated by other means (`ExternalAuthoritative` with the permission group `ExchangeServers`). The group
//! `AnonymousUsers` alone, which every Internet-facing connector has, does not relay. Sources: Microsoft Learn, "Receive connectors",
//! "Allow anonymous relay on Exchange servers", "Accepted domains in Exchange Server", "Receive connector permissions".

pub mod iis;
mod records;

use super::Importer;
use super::files::{ConfigFile, Files};
use super::gather::{At, Gather, quoted};
use crate::site::opening::{Lets, Software};
use crate::site::{Site, parse_network};
use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use records::{Record, records};
use std::net::{IpAddr, SocketAddr};

/// Reads Exchange.
pub const IMPORTER: Importer = Importer {
    name: "exchange-configuration",
    files: "Exchange: the output of Get-ReceiveConnector, Get-ReceiveConnector | Get-ADPermission, Get-AcceptedDomain (Export-Csv, \
            Format-List or Export-Clixml)",
    recognises,
    import,
};

/// The right that lets its holder send to any recipient.
const RELAY: &str = "ms-exch-smtp-accept-any-recipient";

/// The names of properties are not translated.
const TELLING: [&str; 4] = ["RemoteIPRanges", "PermissionGroups", "ExtendedRights", "DomainType"];

fn recognises(file: &ConfigFile) -> bool {
    let head: Vec<&str> = file.text.lines().take(400).collect();
    let first = head.iter().find(|line| !line.trim().is_empty() && !line.starts_with("#TYPE")).copied();
    let row =
        first.is_some_and(|line| line.contains([',', ';', '\t']) && TELLING.iter().any(|name| line.contains(name)));
    let listed = |line: &&str| {
        let name = line.split_once(':').map(|(name, _)| name.trim_end());
        name.is_some_and(|name| TELLING.contains(&name))
    };
    let xml = file.text.trim_start().starts_with("<Objs")
        && TELLING.iter().any(|name| file.text.contains(&format!("N=\"{name}\"")));
    row || xml || head.iter().any(listed)
}

fn import(own: &[&ConfigFile], _: &Files) -> Site {
    let mut gather = Gather::new(Software::Exchange);
    let all: Vec<(At<'_>, Record)> = own
        .iter()
        .flat_map(|file| records(file).into_iter().map(|record| (At { file, line: record.line }, record)))
        .collect();
    let of = |name: &'static str| all.iter().filter(move |(_, record)| record.has(name));
    let connectors: Vec<&(At<'_>, Record)> = of("permissiongroups").collect();
    let rights: Vec<&(At<'_>, Record)> =
        of("extendedrights").filter(|(_, record)| relays_anonymously(record)).collect();
    for (at, domain) in of("domaintype") {
        accepted(*at, domain, &mut gather);
    }
    let told = of("extendedrights").next().is_some();
    let mut networks = Vec::new();
    for (at, connector) in &connectors {
        let granted = rights.iter().any(|(_, right)| is_same(connector, right));
        read_connector(*at, connector, granted, told, &mut networks, &mut gather);
    }
    for (at, right) in &rights {
        if !connectors.iter().any(|(_, connector)| is_same(connector, right)) {
            gather.opening(*at, right.text("identity"), Lets::Connector);
        }
    }
    gather.networks(&networks, "a receive connector relays for anonymous clients there");
    gather.finish()
}

/// Whether a permission lets ANONYMOUS LOGON (S-1-5-7) relay. The account's name is translated; the word in it is not, but for
/// its ending.
fn relays_anonymously(right: &Record) -> bool {
    let user = right.text("user").to_lowercase();
    let anonymous = user.contains("anonym") || user == "s-1-5-7";
    let denied = right.text("deny").eq_ignore_ascii_case("true");
    anonymous && !denied && right.list("extendedrights").iter().any(|right| right.eq_ignore_ascii_case(RELAY))
}

/// Whether a permission is one on a connector: both by `SERVER\Name`, or by the name alone where one has no more.
fn is_same(connector: &Record, right: &Record) -> bool {
    let (of, on) = (connector.text("identity"), right.text("identity"));
    let name = |identity: &str| identity.rsplit('\\').next().unwrap_or_default().to_lowercase();
    match of.contains('\\') && on.contains('\\') {
        true => of.eq_ignore_ascii_case(on),
        false => {
            let own = if of.is_empty() { connector.text("name") } else { of };
            name(own) == name(on)
        }
    }
}

fn accepted(at: At<'_>, domain: &Record, gather: &mut Gather) {
    let name = domain.text("domainname");
    let why = format!("an accepted domain ({})", quoted(domain.text("domaintype")));
    match domain.text("matchsubdomains").eq_ignore_ascii_case("true") {
        true => gather.domain_and_below(at, name, &why),
        false => gather.domain(at, name, &why),
    }
}

fn read_connector<'a>(
    at: At<'a>,
    connector: &Record,
    granted: bool,
    told: bool,
    networks: &mut Vec<(At<'a>, IpNet)>,
    gather: &mut Gather,
) {
    gather.server_name(at, connector.text("fqdn"), "a receive connector's name");
    for binding in connector.list("bindings") {
        if let Ok(binding) = binding.parse::<SocketAddr>() {
            gather.server_address(at, binding.ip(), "a receive connector is bound to it");
        }
    }
    let says = |name: &str, word: &str| connector.list(name).iter().any(|value| value.eq_ignore_ascii_case(word));
    let external = says("authmechanism", "ExternalAuthoritative") && says("permissiongroups", "ExchangeServers");
    if connector.text("enabled").eq_ignore_ascii_case("false") {
        return;
    }
    if !granted && !external {
        let custom = says("permissiongroups", "AnonymousUsers") || says("permissiongroups", "Custom");
        if custom && !told {
            let text = "whether it relays for anonymous clients is not told; name the output of `Get-ReceiveConnector | \
                        Get-ADPermission` too";
            gather.note(at, text.to_owned());
        }
        return;
    }
    let (found, lost) = ranges(connector);
    for text in &lost {
        gather.note(at, format!("`{}` of RemoteIPRanges was not understood; {EXPORT}", quoted(text)));
    }
    if found.is_empty() {
        gather.opening(at, connector.text("name"), Lets::Connector);
    }
    networks.extend(found.into_iter().map(|net| (at, net)));
}

/// How to export lists so that their values are kept: `Export-Csv` writes the name of their type.
const EXPORT: &str = "export with `Export-Clixml`, or with `Format-List` after `$FormatEnumerationLimit = -1`";

/// The networks of a connector's clients, and the texts that are none.
fn ranges(connector: &Record) -> (Vec<IpNet>, Vec<String>) {
    let (mut found, mut lost) = (Vec::new(), Vec::new());
    for text in connector.list("remoteipranges") {
        match range(text) {
            Some(nets) => found.extend(nets),
            None => lost.push(text.to_owned()),
        }
    }
    (found, lost)
}

/// A range as Exchange writes it: `10.0.0.1-10.0.0.9`, `10.0.0.0/8`, `10.0.0.0(255.0.0.0)`, or an address.
fn range(text: &str) -> Option<Vec<IpNet>> {
    if let Some((address, mask)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let net = IpNet::with_netmask(address.trim().parse().ok()?, mask.trim().parse().ok()?).ok()?;
        return Some(vec![net.trunc()]);
    }
    let Some((first, last)) = text.split_once('-') else { return parse_network(text).ok().map(|net| vec![net]) };
    match (first.trim().parse().ok()?, last.trim().parse().ok()?) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            Some(Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect())
        }
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            Some(Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_connectors() {
        for (text, expected) in [
            ("0.0.0.0-255.255.255.255", Some("0.0.0.0/0")),
            ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("::/0")),
            ("192.0.2.10-192.0.2.12", Some("192.0.2.10/31 192.0.2.12/32")),
            ("10.0.0.0/8", Some("10.0.0.0/8")),
            ("10.1.0.0(255.255.0.0)", Some("10.1.0.0/16")),
            ("192.0.2.10", Some("192.0.2.10/32")),
            ("192.0.2.12-192.0.2.10", None),
            ("Microsoft.Exchange.Data.IPRange", None),
            ("10.0.0.0(x)", None),
            ("", None),
        ] {
            let found = range(text);
            let found = found.map(|nets| nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
