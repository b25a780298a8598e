//! Exim: the run time configuration file, and Debian's `update-exim4.conf.conf`.
//!
//! Sources: Exim specification 4.6x to 4.98, chapters "The Exim runtime configuration file", "Domain, host, address, and local part
//! lists", "Access control lists", "The redirect router"; Debian's update-exim4.conf(8).

mod acl;
mod debian;
mod syntax;

use super::Importer;
use super::files::{ConfigFile, Files};
use super::gather::{At, Gather};
use crate::site::opening::{Lets, Software};
use crate::site::{Site, parse_network};
use acl::{Lists, Truth};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use syntax::{Line, items, line_with};

/// Reads Exim.
pub const IMPORTER: Importer = Importer {
    name: "exim-configuration",
    files: "Exim's configuration file, Debian's update-exim4.conf.conf",
    recognises: |file| debian::recognises(file) || recognises(file),
    import,
};

fn recognises(file: &ConfigFile) -> bool {
    let telling = ["domainlist ", "hostlist ", "begin acl", "begin routers", "begin transports", "primary_hostname ="];
    file.entries().any(|(_, line)| telling.iter().any(|start| line.starts_with(start)))
}

fn import(own: &[&ConfigFile], files: &Files) -> Site {
    let mut site = Site::default();
    for file in own {
        site.add_all(match debian::recognises(file) {
            true => debian::read(file),
            false => Server::new(file, files).read(),
        });
    }
    site
}

/// Lists within lists.
const DEEPEST: usize = 16;
/// Names that the lists of local domains, of domains relayed to, and of clients have by default and in Debian.
const DOMAIN_LISTS: [&str; 4] = ["local_domains", "relay_to_domains", "relay_domains", "virtual_domains"];
const HOST_LISTS: [&str; 2] = ["relay_from_hosts", "relay_hosts"];

/// A named list: its first line, and its text.
type List = (usize, String);

/// One server.
struct Server<'a> {
    file: &'a ConfigFile,
    files: &'a Files,
    gather: Gather,
    lines: Vec<Line>,
    domains: BTreeMap<String, List>,
    hosts: BTreeMap<String, List>,
    options: BTreeMap<String, List>,
}

impl<'a> Server<'a> {
    fn new(file: &'a ConfigFile, files: &'a Files) -> Server<'a> {
        let lines = syntax::lines(file);
        let gather = Gather::new(Software::Exim);
        let mut server = Server {
            file,
            files,
            gather,
            lines: Vec::new(),
            domains: BTreeMap::new(),
            hosts: BTreeMap::new(),
            options: BTreeMap::new(),
        };
        for line in lines.iter().filter(|line| line.section.is_empty()) {
            let text = line.text.strip_prefix("hide ").unwrap_or(&line.text);
            let Some((left, value)) = text.split_once('=') else { continue };
            let (kind, name) = left.trim().split_once([' ', '\t']).unwrap_or(("", left.trim()));
            let book = match kind {
                "domainlist" => &mut server.domains,
                "hostlist" => &mut server.hosts,
                "" => &mut server.options,
                _ => continue,
            };
            book.insert(name.trim().to_owned(), (line.number, value.trim().to_owned()));
        }
        server.lines = lines;
        server
    }

    fn read(mut self) -> Site {
        self.names();
        let (domains, hosts) = self.audit();
        for name in DOMAIN_LISTS.iter().map(|name| format!("+{name}")).chain(domains) {
            self.domain_list((0, name), "", 0, &mut BTreeSet::new());
        }
        let mut networks = Vec::new();
        for name in HOST_LISTS.iter().map(|name| (0, format!("+{name}"))).chain(hosts) {
            self.host_list(name, "", 0, &mut BTreeSet::new(), &mut networks);
        }
        networks.sort_by_key(|(at, net)| (at.line, *net));
        networks.dedup_by_key(|(at, net)| (at.line, *net));
        self.gather.networks(&networks, "in a list of hosts that may relay");
        self.gather.finish()
    }

    fn at(&self, line: usize, item: &str) -> At<'a> {
        At { file: self.file, line: line_with(self.file, line, item) }
    }

    fn names(&mut self) {
        if let Some((line, name)) = self.options.get("primary_hostname").cloned() {
            self.gather.server_name(self.at(line, ""), &name, "its name: primary_hostname");
        }
        if let Some((line, list)) = self.options.get("local_interfaces").cloned() {
            for item in items(&list) {
                if let Ok(address) = item.parse() {
                    self.gather.server_address(self.at(line, &item), address, "listed in local_interfaces");
                }
            }
        }
    }

    /// The items of a domain list become local domains. Those of a named list once only.
    fn domain_list(&mut self, (line, list): List, name: &str, depth: usize, seen: &mut BTreeSet<String>) {
        for item in items(&list) {
            if let Some(other) = item.strip_prefix('+') {
                let known = self.domains.get(other).cloned();
                if let Some(list) = known.filter(|_| depth < DEEPEST && seen.insert(other.to_owned())) {
                    self.domain_list(list, other, depth + 1, seen);
                }
            } else if !item.is_empty() && 0 < line {
                self.domain(self.at(line, &item), &item, name);
            }
        }
    }

    fn domain(&mut self, at: At<'a>, item: &str, list: &str) {
        let why = format!("listed in {list}");
        if item == "@" {
            match self.options.get("primary_hostname").map(|(_, name)| name.clone()) {
                Some(name) => self.gather.domain(at, &name, &why),
                None => self
                    .gather
                    .note(at, format!("{list} holds the server's own name (@), which the file does not give")),
            }
        } else if item == "@[]" || item.starts_with('!') {
            // Its own addresses are local anyway, and what is left out of a list is seldom named.
        } else if item.starts_with("@mx") {
            self.gather.opening(at, &format!("{list}: {item}"), Lets::AnyMx);
        } else if let Some(path) = path_of(item) {
            match self.files.find(path) {
                Some(file) => {
                    self.gather.looked_up(file);
                    for (line, text) in file.entries() {
                        let key = text.split([' ', '\t', ':']).next().unwrap_or_default();
                        self.gather.domain(At { file, line }, key, &why);
                    }
                }
                None => self.gather.absent(at, list, item),
            }
        } else if is_pattern(item) {
            self.gather.note(at, format!("{list}: `{item}` is decided when mail comes in, and was left out"));
        } else {
            self.gather.domain(at, item, &why);
        }
    }

    /// The items of a host list become networks.
    fn host_list(
        &mut self,
        (line, list): List,
        name: &str,
        depth: usize,
        seen: &mut BTreeSet<String>,
        out: &mut Vec<(At<'a>, IpNet)>,
    ) {
        for item in items(&list) {
            if let Some(other) = item.strip_prefix('+') {
                let known = self.hosts.get(other).cloned();
                if let Some(list) = known.filter(|_| depth < DEEPEST && seen.insert(other.to_owned())) {
                    self.host_list(list, other, depth + 1, seen, out);
                }
            } else if !item.is_empty() && 0 < line {
                self.host(self.at(line, &item), &item, name, out);
            }
        }
    }

    fn host(&mut self, at: At<'a>, item: &str, list: &str, out: &mut Vec<(At<'a>, IpNet)>) {
        if item == "*" {
            out.extend(["0.0.0.0/0", "::/0"].iter().filter_map(|net| Some((at, parse_network(net).ok()?))));
        } else if let Ok(net) = parse_network(item) {
            out.push((at, net));
        } else if let Some(path) = path_of(item) {
            match self.files.find(path) {
                Some(file) => {
                    self.gather.looked_up(file);
                    for (line, text) in file.entries() {
                        let key = text.split([' ', '\t']).next().unwrap_or_default().trim_end_matches(':');
                        match parse_network(key) {
                            Ok(net) => out.push((At { file, line }, net)),
                            Err(what) => self.gather.note(At { file, line }, what),
                        }
                    }
                }
                None => self.gather.absent(at, list, item),
            }
        } else if !item.starts_with(['@', '!']) {
            self.gather.note(at, format!("{list}: `{item}` is no address; the site knows clients by address only"));
        }
    }

    /// Walks the ACL for RCPT. Returns the domain lists of the statement that refuses, and the host lists of those that accept before.
    fn audit(&mut self) -> (Vec<String>, Vec<List>) {
        let Some((line, name)) = self.options.get("acl_smtp_rcpt").cloned() else { return Default::default() };
        let statements = acl::statements(&self.lines, &name);
        if statements.is_empty() {
            match name.as_str() {
                "accept" => self.gather.opening(self.at(line, ""), "acl_smtp_rcpt = accept", Lets::AnyClient),
                _ => self.gather.note(self.at(line, ""), "the ACL for RCPT is not in this file".to_owned()),
            }
            return Default::default();
        }
        let walk = acl::walk(&statements, &*self);
        let open = walk.open.and_then(|open| statements.get(open));
        // One that accepts by a list of hosts that holds everybody: the list is to blame, and is reported.
        let by_list = |(negated, name, value): &acl::Condition| !negated && name == "hosts" && !value.contains('!');
        if let Some(open) = open.filter(|open| !open.conditions.iter().any(by_list)) {
            let item = format!("{name}: {} without a relay check before it", open.verb);
            self.gather.opening(self.at(open.line, ""), &item, Lets::AnyClient);
        }
        for claimed in walk.claimed.iter().filter_map(|number| statements.get(*number)) {
            self.gather.opening(self.at(claimed.line, ""), &format!("{name}: accept senders"), Lets::ClaimedSender);
        }
        let last = walk.open.or(walk.closed).unwrap_or(statements.len());
        self.disguised(&statements[..last.min(statements.len())]);
        let of = |number: &usize, wanted: &str| {
            let statement = statements.get(*number);
            let conditions = statement.into_iter().flat_map(|statement| &statement.conditions);
            let wanted = conditions.filter(|(negated, name, _)| !negated && name == wanted);
            let line = statement.map_or(0, |statement| statement.line);
            wanted.map(|(_, _, value)| (line, value.clone())).collect::<Vec<List>>()
        };
        // Written the other way round: `deny domains = ! +local_domains : ! +relay_to_domains`.
        let domains = walk.closed.iter().flat_map(|number| of(number, "domains"));
        let domains = domains.map(|(_, list)| list.replace(['!', ' '], ""));
        let hosts = walk.some.iter().chain(&walk.open).flat_map(|number| of(number, "hosts")).collect();
        (domains.filter(|list| list.contains('+')).collect(), hosts)
    }

    /// A redirect router that makes `user@elsewhere` of `user%elsewhere@here`, if no statement refuses `%` before.
    fn disguised(&mut self, before: &[acl::Statement]) {
        let refuses = |statement: &acl::Statement| {
            let mut conditions = statement.conditions.iter();
            statement.verb == "deny" && conditions.any(|(_, name, value)| name == "local_parts" && value.contains('%'))
        };
        if before.iter().any(refuses) {
            return;
        }
        let unpacks = |line: &&Line| {
            let data = line.text.strip_prefix("data").map(str::trim_start).and_then(|text| text.strip_prefix('='));
            data.is_some_and(|data| data.contains("$local_part") && data.contains('%') && data.contains("{@}"))
        };
        let routers = self.lines.iter().filter(|line| line.section == "routers");
        let found: Vec<(usize, String)> =
            routers.filter(unpacks).map(|line| (line.number, line.text.clone())).collect();
        for (line, text) in found {
            self.gather.opening(self.at(line, ""), &text, Lets::Disguised);
        }
    }

    /// Whether a list matches, item by item. A list that ends with a negated item holds all others.
    fn matches(&self, list: &str, depth: usize, hosts: bool) -> Truth {
        let (mut untold, mut negated) = (false, false);
        for item in items(list) {
            negated = item.starts_with('!');
            let item = item.trim_start_matches('!').trim();
            let found = match item.strip_prefix('+') {
                Some(name) => {
                    let book = if hosts { &self.hosts } else { &self.domains };
                    match book.get(name).filter(|_| depth < DEEPEST) {
                        Some((_, list)) => self.matches(list, depth + 1, hosts),
                        None => Truth::Untold,
                    }
                }
                None if item == "*" || hosts && is_everything(item) => Truth::Holds,
                // Nobody puts strangers into tables of his hosts; of domains likewise.
                None if item.starts_with('^') || hosts && is_pattern(item) => Truth::Untold,
                None => Truth::Fails,
            };
            match (found, negated) {
                (Truth::Holds, true) => return Truth::Fails,
                (Truth::Holds, false) => return Truth::Holds,
                (Truth::Untold, _) => untold = true,
                _ => {}
            }
        }
        match (untold, negated) {
            (true, _) => Truth::Untold,
            (false, true) => Truth::Holds,
            (false, false) => Truth::Fails,
        }
    }
}

impl Lists for Server<'_> {
    fn stranger(&self, list: &str) -> Truth {
        self.matches(list, 0, true)
    }

    fn elsewhere(&self, list: &str) -> Truth {
        self.matches(list, 0, false)
    }
}

/// Whether a network is all addresses.
fn is_everything(item: &str) -> bool {
    parse_network(item).is_ok_and(|net| net.prefix_len() == 0)
}

/// The file of a lookup in a text file, or of a list in a file.
fn path_of(item: &str) -> Option<&str> {
    let lookups = ["lsearch;", "wildlsearch;", "nwildlsearch;", "iplsearch;", "partial-lsearch;", "net-iplsearch;"];
    let path = lookups.iter().find_map(|lookup| item.strip_prefix(lookup));
    path.or_else(|| item.starts_with('/').then_some(item))
}

/// Whether an item is decided at run time: a lookup, an expansion, an expression.
fn is_pattern(item: &str) -> bool {
    item.contains(';') || item.contains('$') || item.starts_with('^')
}
