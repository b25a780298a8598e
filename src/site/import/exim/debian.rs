//! Debian's `update-exim4.conf.conf`: the answers from which the configuration is made.
//!
//! `dc_name='value'` a line; lists are separated by semicolons or, without any, by colons: update-exim4.conf(8).

use super::super::files::ConfigFile;
use super::super::gather::{At, Gather};
use crate::site::opening::Software;
use crate::site::{Site, parse_network};

/// Whether a file is one.
pub fn recognises(file: &ConfigFile) -> bool {
    file.name() == "update-exim4.conf.conf"
        || file.entries().any(|(_, line)| line.starts_with("dc_eximconfig_configtype="))
}

/// Reads a file.
pub fn read(file: &ConfigFile) -> Site {
    let mut gather = Gather::new(Software::Exim);
    let mut networks = Vec::new();
    for (line, text) in file.entries() {
        let at = At { file, line };
        let Some((name, value)) = text.split_once('=') else { continue };
        for item in items(value) {
            match name {
                "dc_other_hostnames" | "dc_relay_domains" => gather.domain(at, item, &format!("listed in {name}")),
                "dc_relay_nets" if item == "*" => {
                    networks
                        .extend(["0.0.0.0/0", "::/0"].iter().filter_map(|net| Some((at, parse_network(net).ok()?))));
                }
                "dc_relay_nets" => match parse_network(item) {
                    Ok(net) => networks.push((at, net)),
                    Err(what) => gather.note(at, what),
                },
                "dc_local_interfaces" => {
                    // With or without a port behind a dot.
                    if let Ok(address) = item.parse() {
                        gather.server_address(at, address, "listed in dc_local_interfaces");
                    }
                }
                _ => {}
            }
        }
    }
    gather.networks(&networks, "listed in dc_relay_nets");
    gather.finish()
}

fn items(value: &str) -> impl Iterator<Item = &str> {
    let value = value.trim().trim_matches(['\'', '"']).trim();
    let value = value.strip_prefix("<;").unwrap_or(value);
    let separator = if value.contains(';') { ';' } else { ':' };
    value.split(separator).map(str::trim).filter(|item| !item.is_empty())
}
