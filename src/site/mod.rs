//! The site: what is ours. Stated by the user, or inferred from the ledger.
//!
//! Every entry knows where it comes from, and is printed with the report: a verdict is only as
//! good as the policy it was judged by.

mod file;
pub mod import;
mod infer;
mod network;
pub mod opening;

pub use file::Error;
pub use infer::infer;
pub use network::{is_inside, is_wide, neighbourhood, parse_address, parse_network};
pub use opening::{Lets, Opening, Software};

use crate::ledger::{Evidence, FileId, Input, Ledger};
use ipnet::IpNet;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Bound;
use std::path::PathBuf;

/// Where an entry of the site comes from. Ordered: the smaller is the stronger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An option of the command line.
    CommandLine,
    /// A line of a site file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A line of a mail server's own configuration.
    Config {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The logs themselves.
    Inferred,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::CommandLine => f.write_str("command line"),
            Origin::File { path, line } | Origin::Config { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Inferred => f.write_str("inferred"),
        }
    }
}

/// One entry of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// The domain, network, name or address.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
    /// Why it was inferred, in words; empty for what the user stated.
    pub why: String,
    /// The line that shows it, if it was inferred from one.
    pub evidence: Option<Evidence>,
}

/// What is ours: domains, networks, names and addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    local_domains: BTreeMap<Box<str>, Entry<Box<str>>>,
    trusted_networks: BTreeMap<IpNet, Entry<IpNet>>,
    server_names: BTreeMap<Box<str>, Entry<Box<str>>>,
    server_addresses: BTreeMap<IpAddr, Entry<IpAddr>>,
    imported: Imported,
}

/// What imported configurations say besides entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Imported {
    openings: Vec<Opening>,
    notes: Vec<Note>,
    /// The files, as inputs of the run.
    inputs: BTreeMap<FileId, Input>,
    /// Files that others refer to.
    looked_up: BTreeSet<PathBuf>,
    /// Whether networks were left out that hold inside ones: the imported networks are not all that is trusted.
    networks_open: bool,
}

/// Something to know of an imported configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What it is, without a full stop. May hold text of the file: escape for the medium.
    pub text: String,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.text)
    }
}

impl Site {
    /// Adds a domain for which mail is taken in: `example.org` alone, or the domains below it
    /// for `.example.org` and `*.example.org`. Case and a trailing dot do not matter.
    pub fn add_local_domain(&mut self, domain: &str, origin: Origin) {
        let domain = canonical(domain.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(domain));
        insert(&mut self.local_domains, domain.as_ref().into(), origin, String::new(), None);
    }

    /// Adds a network whose hosts may relay.
    pub fn add_trusted_network(&mut self, network: IpNet, origin: Origin) {
        insert(&mut self.trusted_networks, network.trunc(), origin, String::new(), None);
    }

    /// Adds a name of one of our servers.
    pub fn add_server_name(&mut self, name: &str, origin: Origin) {
        insert(&mut self.server_names, canonical(name).as_ref().into(), origin, String::new(), None);
    }

    /// Adds an address of one of our servers.
    pub fn add_server_address(&mut self, address: IpAddr, origin: Origin) {
        insert(&mut self.server_addresses, address.to_canonical(), origin, String::new(), None);
    }

    /// The local domains, in order; those with a leading dot stand for all domains below them.
    pub fn local_domains(&self) -> impl Iterator<Item = &Entry<Box<str>>> {
        self.local_domains.values()
    }

    /// The trusted networks, in order.
    pub fn trusted_networks(&self) -> impl Iterator<Item = &Entry<IpNet>> {
        self.trusted_networks.values()
    }

    /// The names of our servers, in order.
    pub fn server_names(&self) -> impl Iterator<Item = &Entry<Box<str>>> {
        self.server_names.values()
    }

    /// The addresses of our servers, in order.
    pub fn server_addresses(&self) -> impl Iterator<Item = &Entry<IpAddr>> {
        self.server_addresses.values()
    }

    /// Whether the user said which domains are local.
    pub fn states_local_domains(&self) -> bool {
        self.local_domains.values().any(|entry| entry.origin != Origin::Inferred)
    }

    /// Whether the user said which networks are trusted. A configuration that trusts a range too wide to be
    /// believed, inside networks with it, does not say so.
    pub fn states_trusted_networks(&self) -> bool {
        let imported = |origin: &Origin| matches!(origin, Origin::Config { .. });
        let open = self.imported.networks_open;
        let states = |origin: &Origin| *origin != Origin::Inferred && !(open && imported(origin));
        self.trusted_networks.values().any(|entry| states(&entry.origin))
    }

    /// The lines of imported configurations that let somebody send.
    pub fn openings(&self) -> &[Opening] {
        &self.imported.openings
    }

    /// What was left out of imported configurations, or could not be told.
    pub fn notes(&self) -> &[Note] {
        &self.imported.notes
    }

    /// Puts the imported files among the inputs of a finished ledger, so that the report shows them and their lines.
    pub fn note_inputs(&self, ledger: &mut Ledger) {
        ledger.inputs.extend(self.imported.inputs.iter().map(|(file, input)| (*file, input.clone())));
    }

    /// Whether mail for the domain is for us: a local domain, a server by name or address
    /// literal, `localhost`, or no domain at all.
    pub fn is_local(&self, domain: &str) -> bool {
        let domain = canonical(domain);
        if domain.is_empty() || is_localhost(&domain) || self.server_names.contains_key(domain.as_ref()) {
            return true;
        }
        if let Some(literal) = domain.strip_prefix('[') {
            return address_in(literal.trim_end_matches(']')).is_some_and(|address| self.is_server(address));
        }
        self.local_domains.contains_key(domain.as_ref()) || self.is_below_local(&domain)
    }

    /// Whether a domain is one of ours, or below one: hosts of ours write as `root@www.example.org`.
    pub fn is_ours(&self, domain: &str) -> bool {
        self.is_local(domain)
            || domain.match_indices('.').any(|(dot, _)| self.local_domains.contains_key(&domain[dot + 1..]))
    }

    /// Whether a client may relay by its address: a trusted network, loopback, or ourselves.
    pub fn trusts(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        self.is_server(client) || self.trusted_networks.keys().any(|network| network.contains(&client))
    }

    /// Whether an EHLO name is that of one of our servers or domains, or one of our addresses
    /// (bare, or as the literals `[192.0.2.25]` and `[IPv6:2001:db8::25]`).
    pub fn is_own_name(&self, helo: &str) -> bool {
        let name = canonical(helo);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        match address_in(bare) {
            Some(address) => self.server_addresses.contains_key(&address),
            None => self.server_names.contains_key(name.as_ref()) || self.local_domains.contains_key(name.as_ref()),
        }
    }

    /// Whether an address is one of our servers: stated, inferred, or loopback.
    pub fn is_server(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.server_addresses.contains_key(&address)
    }

    /// Whether the domain lies below one of the entries with a leading dot.
    fn is_below_local(&self, domain: &str) -> bool {
        // They stand together in the book, and most sites have none.
        let first = self.local_domains.range::<str, _>((Bound::Included("."), Bound::Unbounded)).next();
        first.is_some_and(|(entry, _)| entry.starts_with('.'))
            && domain.match_indices('.').any(|(dot, _)| self.local_domains.contains_key(&domain[dot..]))
    }
}

/// Whether the name is one that every host has for itself.
pub fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localdomain") || name.ends_with(".localhost")
}

/// Lower case, without a trailing dot; borrowed where nothing needs to change.
fn canonical(name: &str) -> Cow<'_, str> {
    let name = name.trim_end_matches('.');
    // Names in a ledger are lower case already, and nearly all are ASCII: every flow is asked about.
    match name.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        true => Cow::Owned(name.to_lowercase()),
        false => Cow::Borrowed(name),
    }
}

/// The address in a literal without its brackets, as in `192.0.2.25` or `ipv6:2001:db8::25`.
fn address_in(literal: &str) -> Option<IpAddr> {
    let bare = literal.strip_prefix("ipv6:").unwrap_or(literal);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Whether the text can be a domain, and not the wreck of an address.
fn is_domain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// Enters a value, unless it is there with an origin at least as strong.
fn insert<T: Ord + Clone>(
    book: &mut BTreeMap<T, Entry<T>>,
    value: T,
    origin: Origin,
    why: String,
    evidence: Option<Evidence>,
) {
    if book.get(&value).is_none_or(|present| origin < present.origin) {
        book.insert(value.clone(), Entry { value, origin, why, evidence });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn site() -> Site {
        let mut site = Site::default();
        for domain in ["Example.ORG.", ".dyn.example.org", "*.lists.example.org"] {
            site.add_local_domain(domain, Origin::CommandLine);
        }
        site.add_server_name("MX1.example.org", Origin::CommandLine);
        for address in ["192.0.2.25", "2001:db8::25"] {
            site.add_server_address(address.parse().unwrap(), Origin::CommandLine);
        }
        site.add_trusted_network(parse_network("198.51.100.9/24").unwrap(), Origin::CommandLine);
        site
    }

    #[test]
    fn local_domains() {
        let site = site();
        for (domain, local) in [
            ("example.org", true),
            ("EXAMPLE.org.", true),
            ("mx1.example.org", true),
            ("mx2.example.org", false),
            ("notexample.org", false),
            ("a.dyn.example.org", true),
            ("dyn.example.org", false),
            ("b.lists.example.org", true),
            ("[192.0.2.25]", true),
            ("[IPv6:2001:DB8::25]", true),
            ("[192.0.2.26]", false),
            ("[127.0.0.1]", true),
            ("[", false),
            ("localhost", true),
            ("localhost.localdomain", true),
            ("", true),
        ] {
            assert_eq!(site.is_local(domain), local, "{domain}");
        }
    }

    #[test]
    fn trusted_clients() {
        let site = site();
        for (client, trusted) in [
            ("198.51.100.200", true),
            ("::ffff:198.51.100.200", true),
            ("203.0.113.7", false),
            ("127.0.0.5", true),
            ("::1", true),
            ("192.0.2.25", true),
            ("10.0.0.1", false),
            ("2001:db8::26", false),
        ] {
            assert_eq!(site.trusts(client.parse().unwrap()), trusted, "{client}");
        }
    }

    #[test]
    fn own_names() {
        let site = site();
        for (name, own) in [
            ("mx1.EXAMPLE.org.", true),
            ("example.org", true),
            ("192.0.2.25", true),
            ("[192.0.2.25]", true),
            ("[IPv6:2001:db8:0:0::25]", true),
            ("[192.0.2.250]", false),
            ("a.dyn.example.org", false),
            ("mx2.example.org", false),
            ("", false),
        ] {
            assert_eq!(site.is_own_name(name), own, "{name}");
        }
    }

    #[test]
    fn the_stronger_origin_stays() {
        let mut site = Site::default();
        let file = Origin::File { path: "relayaudit.toml".into(), line: 3 };
        site.add_local_domain("example.org", Origin::Inferred);
        assert!(!site.states_local_domains());
        site.add_local_domain("example.org", file.clone());
        assert!(site.states_local_domains());
        site.add_local_domain("example.org", Origin::Inferred);
        assert_eq!(site.local_domains().next().map(|entry| &entry.origin), Some(&file));
        assert_eq!(file.to_string(), "relayaudit.toml:3");
    }
}
