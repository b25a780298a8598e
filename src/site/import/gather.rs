//! Gather: what an importer finds becomes entries of the site, openings or notes.
//!
//! A network wider than one owner's, and a domain that is all domains, never become part of the site: what is relayed
//! through them would no longer show. They become openings.

use super::files::ConfigFile;
use crate::ledger::Evidence;
use crate::site::opening::{Lets, Opening, Software};
use crate::site::{Note, Origin, Site, canonical, insert, is_domain, is_localhost, is_wide, network};
use ipnet::IpNet;
use std::net::IpAddr;

/// Lines shown of a range that many lines make up.
const SHOWN: usize = 5;
/// Longest text of a configuration that a note quotes.
const QUOTED: usize = 80;

/// A line of a file.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// The file.
    pub file: &'a ConfigFile,
    /// The line, from 1.
    pub line: usize,
}

impl At<'_> {
    fn origin(&self) -> Origin {
        Origin::Config { path: self.file.path.clone(), line: self.line }
    }

    fn evidence(&self) -> Evidence {
        self.file.evidence(self.line)
    }
}

/// What one server's configuration says.
pub struct Gather {
    /// The site so far.
    pub site: Site,
    /// The server's name, once it is known.
    pub host: Option<Box<str>>,
    software: Software,
}

impl Gather {
    /// Nothing yet.
    pub fn new(software: Software) -> Gather {
        Gather { site: Site::default(), host: None, software }
    }

    /// A name of the server.
    pub fn server_name(&mut self, at: At<'_>, name: &str, why: &str) {
        let name = canonical(name.trim());
        if is_domain(&name) && name.contains('.') {
            self.host.get_or_insert_with(|| name.as_ref().into());
            let evidence = Some(at.evidence());
            insert(&mut self.site.server_names, name.as_ref().into(), at.origin(), why.to_owned(), evidence);
        }
    }

    /// An address of the server; those that stand for all addresses, or for itself, tell nothing.
    pub fn server_address(&mut self, at: At<'_>, address: IpAddr, why: &str) {
        let address = address.to_canonical();
        if !address.is_unspecified() && !address.is_loopback() {
            let evidence = Some(at.evidence());
            insert(&mut self.site.server_addresses, address, at.origin(), why.to_owned(), evidence);
        }
    }

    /// A domain that mail is taken for; one with a leading dot or `*.` stands for those below it.
    pub fn domain(&mut self, at: At<'_>, domain: &str, why: &str) {
        let plain = domain.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(domain);
        let plain = canonical(plain.trim());
        let bare = plain.trim_start_matches('.');
        if let Some(literal) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if let Some(address) = crate::site::address_in(literal) {
                self.server_address(at, address, why);
            }
        } else if matches!(plain.as_ref(), "*" | "." | "") || plain.starts_with('.') && is_top_level(bare) {
            self.left_out(at, domain, "it would make every domain yours");
            self.opening(at, domain, Lets::AnyRecipient);
        } else if is_domain(&plain) {
            let evidence = Some(at.evidence());
            insert(&mut self.site.local_domains, plain.as_ref().into(), at.origin(), why.to_owned(), evidence);
        } else {
            self.note(at, format!("`{}` is no domain name, and was left out", quoted(domain)));
        }
    }

    /// A domain and all below it.
    pub fn domain_and_below(&mut self, at: At<'_>, domain: &str, why: &str) {
        let bare = domain.trim().trim_start_matches('.');
        if !is_localhost(bare) {
            self.domain(at, &format!(".{bare}"), why);
        }
        // A top-level domain was reported once, by the entry above.
        if !domain.starts_with('.') && !is_top_level(bare) {
            self.domain(at, bare, why);
        }
    }

    /// Networks whose hosts may relay. Outside ones that lie side by side count as one: a range is as wide in thirty
    /// lines as in one.
    pub fn networks(&mut self, entries: &[(At<'_>, IpNet)], why: &str) {
        let (inside, outside): (Vec<_>, Vec<_>) =
            entries.iter().copied().partition(|(_, net)| network::is_inside_network(*net));
        let ranges = IpNet::aggregate(&outside.iter().map(|(_, net)| *net).collect::<Vec<_>>());
        let wide: Vec<IpNet> = ranges.into_iter().filter(|range| is_wide(*range)).collect();
        let believed = outside.iter().filter(|(_, net)| !wide.iter().any(|range| range.contains(net)));
        for (at, net) in inside.iter().chain(believed) {
            insert(&mut self.site.trusted_networks, net.trunc(), at.origin(), why.to_owned(), Some(at.evidence()));
        }
        for range in wide {
            self.wide(&outside, range);
        }
    }

    /// A range that is too wide to be trusted.
    fn wide(&mut self, outside: &[(At<'_>, IpNet)], range: IpNet) {
        let mut lines: Vec<&(At<'_>, IpNet)> = outside.iter().filter(|(_, net)| range.contains(net)).collect();
        lines.dedup_by_key(|(at, _)| (at.file.path.clone(), at.line));
        let Some((first, _)) = lines.first() else { return };
        self.left_out(*first, &range.to_string(), "it is wider than the addresses of one owner usually are");
        self.site.imported.networks_open |= network::holds_inside(range);
        let evidence = lines.iter().take(SHOWN).map(|(at, _)| at.evidence()).collect();
        self.open(*first, &range.to_string(), Lets::Network(range), evidence);
    }

    /// A line that lets somebody send.
    pub fn opening(&mut self, at: At<'_>, item: &str, lets: Lets) {
        self.open(at, item, lets, vec![at.evidence()]);
    }

    fn open(&mut self, at: At<'_>, item: &str, lets: Lets, evidence: Vec<Evidence>) {
        let path = at.file.path.clone();
        let (software, line) = (self.software, at.line);
        let opening = Opening { software, host: None, path, line, evidence, item: quoted(item), lets };
        // Several services share what main.cf says.
        if !self.site.imported.openings.contains(&opening) {
            self.site.imported.openings.push(opening);
        }
    }

    fn left_out(&mut self, at: At<'_>, item: &str, why: &str) {
        self.note(at, format!("`{}` was left out of the site: {why}", quoted(item)));
    }

    /// Remembers that another file was looked up.
    pub fn looked_up(&mut self, file: &ConfigFile) {
        self.site.imported.looked_up.insert(file.path.clone());
    }

    /// Notes that a list refers to something that is not at hand.
    pub fn absent(&mut self, at: At<'_>, list: &str, item: &str) {
        self.note(at, format!("{list}: `{}` was not read; if it is a file, name it too", quoted(item)));
    }

    /// Something the reader should know: what was left out, or could not be told.
    pub fn note(&mut self, at: At<'_>, text: String) {
        let note = Note { path: at.file.path.clone(), line: at.line, text };
        if !self.site.imported.notes.contains(&note) {
            self.site.imported.notes.push(note);
        }
    }

    /// The site, with the server's name in its openings.
    pub fn finish(mut self) -> Site {
        let host = self.host;
        self.site.imported.openings.iter_mut().for_each(|opening| opening.host.clone_from(&host));
        self.site
    }
}

/// Top-level domains of more than two letters in which many have domains. Names without a dot that are none are those of inside
/// hosts and domains (`mailhost`, `lan`).
const TOP_LEVEL: [&str; 20] = [
    "com", "net", "org", "edu", "gov", "mil", "int", "arpa", "info", "biz", "name", "pro", "mobi", "asia", "xyz",
    "top", "online", "site", "shop", "club",
];

/// Whether a name is a top-level domain: a country's two letters (RFC 1591), or one of those above.
pub fn is_top_level(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic()) || TOP_LEVEL.contains(&name.as_str())
}

/// Text of a configuration, cut to a length that fits a sentence.
pub fn quoted(text: &str) -> String {
    match text.chars().nth(QUOTED) {
        Some(_) => text.chars().take(QUOTED - 3).chain("...".chars()).collect(),
        None => text.to_owned(),
    }
}
