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
    network.map(|network| network.trunc()).ok_or_else(|| {
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

/// Whether an address cannot come from the Internet: loopback, private (RFC 1918, RFC 4193)
/// or link-local (RFC 3927, RFC 4291 section 2.5.6).
pub fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
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
