//! OpenSMTPD: `smtpd.conf`, with `match` and `action` (6.4 and later) or `accept` (before), and its tables.
//!
//! Rules are tried in order and the first that matches decides; without `from` they are about mail of this machine, without `for`
//! about recipients on it. Source: smtpd.conf(5) of OpenSMTPD 5.9, 6.8 and 7.5, table(5).

mod rules;
mod words;

use super::Importer;
use super::files::{ConfigFile, Files};
use super::gather::{At, Gather};
use crate::site::opening::{Lets, Software};
use crate::site::{Site, parse_network};
use ipnet::IpNet;
use rules::{Rule, To, Who};
use std::collections::{BTreeMap, BTreeSet};
use words::{Statement, Word, statements};

/// Reads OpenSMTPD.
pub const IMPORTER: Importer =
    Importer { name: "opensmtpd-configuration", files: "OpenSMTPD smtpd.conf and its tables", recognises, import };

fn recognises(file: &ConfigFile) -> bool {
    // Cyrus SASL has a smtpd.conf too.
    file.entries().any(|(_, line)| {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("match"), Some("from" | "for" | "auth" | "!" | "tag" | "!from" | "!for")) => true,
            (Some("accept" | "reject"), Some("from" | "for" | "tagged")) => true,
            (Some("listen"), Some("on")) => true,
            (Some("action"), Some(name)) => name.starts_with('"'),
            _ => false,
        }
    })
}

fn import(own: &[&ConfigFile], files: &Files) -> Site {
    let mut site = Site::default();
    for file in own {
        let gather = Gather::new(Software::OpenSmtpd);
        let server =
            Server { file, files, gather, tables: BTreeMap::new(), relays: BTreeSet::new(), networks: Vec::new() };
        site.add_all(server.read());
    }
    site
}

/// The items of a table, each with its place.
type Items<'a> = Vec<(At<'a>, String)>;

/// One server.
struct Server<'a> {
    file: &'a ConfigFile,
    files: &'a Files,
    gather: Gather,
    /// Tables by name; `None` for one whose items are not at hand.
    tables: BTreeMap<String, Option<Items<'a>>>,
    /// Actions that hand mail to other servers.
    relays: BTreeSet<String>,
    networks: Vec<(At<'a>, IpNet)>,
}

impl<'a> Server<'a> {
    fn read(mut self) -> Site {
        let statements = statements(&self.file.text);
        // Rules may stand before the actions and tables they name.
        for statement in &statements {
            self.define(statement);
        }
        let rules: Vec<Rule> =
            statements.iter().filter_map(|statement| rules::parse(statement, &self.relays)).collect();
        for rule in &rules {
            self.site_of(rule);
        }
        self.judge(&rules);
        self.gather.networks(&self.networks, "may relay by its address");
        self.gather.finish()
    }

    fn at(&self, line: usize) -> At<'a> {
        At { file: self.file, line }
    }

    /// Takes in a table, an action, or the name that a listener greets with.
    fn define(&mut self, statement: &Statement) {
        let at = self.at(statement.line);
        match statement.words.as_slice() {
            [Word::Text(word), Word::Text(name), rest @ ..] if word == "table" => {
                let items = self.table(at, rest);
                self.tables.insert(name.clone(), items);
            }
            [Word::Text(word), Word::Text(name), Word::Text(kind), ..] if word == "action" && kind == "relay" => {
                self.relays.insert(name.clone());
            }
            [Word::Text(word), rest @ ..] if word == "listen" => {
                let pairs = rest.windows(2);
                for pair in pairs {
                    if let [Word::Text(key), Word::Text(value)] = pair {
                        match (key.as_str(), value.parse()) {
                            ("hostname", _) => self.gather.server_name(at, value, "a listener greets with it"),
                            ("on", Ok(address)) => self.gather.server_address(at, address, "a listener is on it"),
                            _ => {}
                        }
                    }
                }
            }
            [Word::Text(word), Word::Text(path), ..] if word == "include" => {
                self.gather.note(at, format!("`{path}` is included, and was not read"));
            }
            _ => {}
        }
    }

    /// The items of a table: in braces, or in a file.
    fn table(&mut self, at: At<'a>, definition: &[Word]) -> Option<Items<'a>> {
        match definition {
            [Word::List(items)] => Some(items.iter().map(|item| (at, item.clone())).collect()),
            [Word::Text(source)] => {
                let path = source.strip_prefix("file:").unwrap_or(source);
                let file = self.files.find(path)?;
                self.gather.looked_up(file);
                let item = |(line, text): (usize, &str)| {
                    // Of a table with keys and values, the keys.
                    (At { file, line }, text.split([' ', '\t']).next().unwrap_or_default().to_owned())
                };
                Some(file.entries().map(item).collect())
            }
            _ => None,
        }
    }

    /// The items that a rule names.
    fn items(&mut self, at: At<'a>, word: &Word) -> Items<'a> {
        match word {
            Word::Text(item) => vec![(at, item.clone())],
            Word::List(items) => items.iter().map(|item| (at, item.clone())).collect(),
            Word::Table(name) => match self.tables.get(name) {
                Some(Some(items)) => items.clone(),
                _ => {
                    self.gather.note(at, format!("table <{name}> was not read; if it is a file, name it too"));
                    Vec::new()
                }
            },
            Word::Not => Vec::new(),
        }
    }

    /// The domains and networks of a rule.
    fn site_of(&mut self, rule: &Rule) {
        let at = self.at(rule.line);
        if rule.rejects {
            return;
        }
        if let (To::Domains(word), Who::Any) = (&rule.to, &rule.who) {
            let why = if rule.relays { "a rule relays to it for everybody" } else { "a rule delivers it here" };
            for (at, domain) in self.items(at, word) {
                self.gather.domain(at, &domain, why);
            }
        }
        if let (Who::Networks(word), To::Any, true) = (&rule.who, &rule.to, rule.relays) {
            for (at, item) in self.items(at, word) {
                match parse_network(&item) {
                    Ok(net) => self.networks.push((at, net)),
                    Err(what) => self.gather.note(at, what),
                }
            }
        }
    }

    /// Tries the rules for a stranger's recipient elsewhere.
    fn judge(&mut self, rules: &[Rule]) {
        for rule in rules.iter().filter(|rule| rule.who == Who::Any && rule.to == To::Any && !rule.auth) {
            let at = self.at(rule.line);
            match (rule.rejects, rule.claimed, rule.other) {
                (true, false, false) => return,
                (true, ..) => {}
                (false, _, true) if rule.relays => {
                    self.gather
                        .note(at, "relays for clients that a tag or name singles out; which, is not told".into());
                }
                (false, true, _) if rule.relays => self.gather.opening(at, &rule.text, Lets::ClaimedSender),
                (false, ..) if rule.relays => return self.gather.opening(at, &rule.text, Lets::AnyClient),
                (false, claimed, other) => {
                    if !claimed && !other {
                        return;
                    }
                }
            }
        }
    }
}
