//! Networks and addresses as people write them.

use ipnet::IpNet;
use std::net::IpAddr;

/// Parses a network: `192.0.2.0/24`, `2001:db8::/32`, a bare address (that host alone), or
/// the bracketed forms of Postfix, `[2001:db8::]/32`. Bits beyond the prefix are cleared.
///
/// Fails with what was expected, for a message that names the place.
pub fn parse_network(text: &str) -> Result<IpNet, String> {
    let plain: String = text.trim().chars().filter(|c| !matches!(c, '[' | ']')).collect();
    let network = match plain.contains('/') {
        true => plain.parse::<IpNet>().ok(),
        false => plain.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical())),
    };
    network.map(|network| unmapped(network.trunc())).ok_or_else(|| {
        format!(
            "`{text}` is not a network; expected one such as `192.0.2.0/24` or `2001:db8::/32`, or an address such as \
             `192.0.2.25`"
        )
    })
}

/// Parses an address, bare or as a literal: `192.0.2.25`, `[IPv6:2001:db8::25]`.
///
/// Fails with what was expected.
pub fn parse_address(text: &str) -> Result<IpAddr, String> {
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    super::address_in(&bare)
        .ok_or_else(|| format!("`{text}` is not an address; expected one such as `192.0.2.25` or `2001:db8::25`"))
}

/// An IPv4 network that is written as one of IPv6, `::ffff:127.0.0.0/104` (RFC 4291 section 2.5.5.2), as IPv4.
fn unmapped(network: IpNet) -> IpNet {
    let prefix = network.prefix_len().checked_sub(96).filter(|_| network.addr().is_ipv6());
    match (network.addr().to_canonical(), prefix) {
        (IpAddr::V4(address), Some(prefix)) => IpNet::new(address.into(), prefix).unwrap_or(network),
        _ => network,
    }
}

/// Parses the leading octets of an IPv4 address as the network below them, as access tables have it: `10.20` is
/// `10.20.0.0/16`, `192.0.2.25` that host.
pub fn parse_octets(text: &str) -> Option<IpNet> {
    let octets: Vec<u8> = text.trim_end_matches('.').split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let prefix = u8::try_from(octets.len() * 8).ok().filter(|prefix| *prefix <= 32)?;
    let mut all = [0u8; 4];
    all.iter_mut().zip(&octets).for_each(|(to, from)| *to = *from);
    IpNet::new(IpAddr::from(all), prefix).ok()
}

/// Whether an address cannot come from the Internet: loopback, private (RFC 1918, RFC 4193)
/// or link-local (RFC 3927, RFC 4291 section 2.5.6).
pub fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Networks that the Internet cannot use: loopback, private (RFC 1918, RFC 4193), link-local (RFC 3927, RFC 4291).
const INSIDE: [&str; 8] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

fn inside() -> impl Iterator<Item = IpNet> {
    INSIDE.iter().filter_map(|network| network.parse().ok())
}

/// Whether a whole network cannot be used on the Internet.
pub fn is_inside_network(network: IpNet) -> bool {
    inside().any(|inside| inside.contains(&network))
}

/// Whether a network holds one that the Internet cannot use.
pub fn holds_inside(network: IpNet) -> bool {
    inside().any(|inside| network.contains(&inside))
}

/// Prefix of the largest outside IPv4 network that is believed to be one owner's: 8 addresses, the smallest
/// block that providers give.
const OWN_V4: u8 = 29;
/// The same for IPv6: a site gets a /48 at most (RFC 6177).
const OWN_V6: u8 = 48;

/// Whether a network reaches beyond what one owner usually has: a range of the Internet of more than 8 IPv4 addresses,
/// or more than a /48 of IPv6. A server that trusts it probably trusts strangers.
pub fn is_wide(network: IpNet) -> bool {
    let own = if network.addr().is_ipv4() { OWN_V4 } else { OWN_V6 };
    network.prefix_len() < own && !is_inside_network(network)
}

/// The network of neighbours of an address: its /24, or its /64.
pub fn neighbourhood(address: IpAddr) -> IpNet {
    let prefix = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new_assert(address, prefix).trunc()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn networks() {
        for (text, network) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("192.0.2.25", "192.0.2.25/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            (" [2001:db8::]/32", "2001:db8::/32"),
            ("[::1]/128", "::1/128"),
            ("::ffff:192.0.2.25", "192.0.2.25/32"),
            ("[::ffff:127.0.0.0]/104", "127.0.0.0/8"),
            ("::ffff:0.0.0.0/96", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(parse_network(text).map(|n| n.to_string()).as_deref(), Ok(network));
        }
        for text in ["", "192.0.2.0/33", "192.0.2", "mx1.example.org", "10.0.0.0/8/9"] {
            let message = parse_network(text).unwrap_err();
            assert!(message.starts_with(&format!("`{text}` is not a network; expected")), "{message}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(parse_address("[IPv6:2001:db8::25]"), Ok("2001:db8::25".parse().unwrap()));
        assert!(parse_address("192.0.2.0/24").unwrap_err().contains("is not an address"));
    }

    #[test]
    fn wide_networks() {
        for (network, wide) in [
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("192.0.0.0/2", true),
            ("10.0.0.0/8", false),
            ("10.0.0.0/7", true),
            ("192.168.0.0/15", true),
            ("fc00::/7", false),
            ("203.0.113.32/27", true),
            ("203.0.113.32/29", false),
            ("203.0.113.7/32", false),
            ("2001:db8:a:20::/64", false),
            ("2001:db8::/48", false),
            ("2001:db8::/47", true),
        ] {
            assert_eq!(is_wide(network.parse().unwrap()), wide, "{network}");
        }
        assert!(holds_inside("0.0.0.0/0".parse().unwrap()));
        assert!(!holds_inside("203.0.113.0/24".parse().unwrap()));
    }

    #[test]
    fn inside_addresses() {
        for (address, inside) in [
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("169.254.1.1", true),
            ("fc00::1", true),
            ("fe80::1", true),
            ("100.64.0.1", false),
            ("192.0.2.1", false),
        ] {
            assert_eq!(is_inside(address.parse().unwrap()), inside, "{address}");
        }
    }
}
