//! The name servers that the system uses.

use std::net::{IpAddr, SocketAddr};

/// The port of DNS.
pub const PORT: u16 = 53;

/// The name servers, in the order in which the system asks them: of `/etc/resolv.conf` (resolv.conf(5)), or of the network
/// adapters that are up. Empty if none are known.
pub fn name_servers() -> Vec<SocketAddr> {
    addresses().into_iter().map(|address| SocketAddr::new(address, PORT)).collect()
}

#[cfg(not(windows))]
fn addresses() -> Vec<IpAddr> {
    in_file(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
}

#[cfg(windows)]
fn addresses() -> Vec<IpAddr> {
    let adapters = ipconfig::get_adapters().unwrap_or_default();
    let up = adapters.iter().filter(|adapter| adapter.oper_status() == ipconfig::OperStatus::IfOperStatusUp);
    let mut addresses: Vec<IpAddr> = up.flat_map(|adapter| adapter.dns_servers().iter().copied()).collect();
    // Windows fills in site-local addresses (fec0::/10, RFC 3879) where no server is set.
    addresses.retain(|address| !matches!(address, IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfec0));
    addresses.dedup();
    addresses
}

/// The lines `nameserver ADDRESS`; an address with a zone (`fe80::1%eth0`) cannot be used.
#[cfg_attr(windows, allow(dead_code))]
fn in_file(text: &str) -> Vec<IpAddr> {
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|word| *word == "nameserver").and_then(|_| words.next()?.parse().ok())
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_resolv_conf() {
        let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n\tnameserver\t2001:db8::1 # x\nnameserver fe80::1%eth0\n";
        let found: Vec<String> = in_file(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.1", "2001:db8::1"]);
        assert!(in_file("").is_empty());
    }
}
