//! `relayaudit.toml`: the site in a file.
//!
//! ```toml
//! local_domains = ["example.org", ".dyn.example.org"]
//! trusted_networks = ["192.0.2.0/24", "2001:db8::/32"]
//! server_names = ["mx1.example.org"]
//! server_addresses = ["192.0.2.25"]
//! ```

use super::{Origin, Site, parse_address, parse_network};
use std::io;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of the file.
const KEYS: [&str; 4] = ["local_domains", "trusted_networks", "server_names", "server_addresses"];

/// Why a site file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("{}: cannot read the site file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of it is wrong.
    #[error("{}:{line}: {what}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what was expected.
        what: String,
    },
}

impl Site {
    /// Reads a site file. See the module for its four keys, each a list of strings.
    pub fn load_toml(path: &Path) -> Result<Site, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Site::parse_toml(&text, path)
    }

    /// Parses the text of a site file; the path is for messages and for the entries' origin.
    pub fn parse_toml(text: &str, path: &Path) -> Result<Site, Error> {
        let file = File { text, path };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            file.error(at, format!("not valid TOML: {}", error.message()))
        })?;
        let mut site = Site::default();
        for (key, value) in table.get_ref() {
            let known = KEYS.contains(&key.get_ref().as_ref());
            if !known {
                return Err(file.error(key.span().start, unknown_key(key.get_ref())));
            }
            for item in file.items(key.get_ref(), value)? {
                file.enter(&mut site, key.get_ref(), item)?;
            }
        }
        Ok(site)
    }

    /// Takes in the entries of another source; where both have one, the stronger origin stays.
    pub fn add_all(&mut self, other: Site) {
        for (_, entry) in other.local_domains {
            super::insert(&mut self.local_domains, entry.value, entry.origin, entry.why, entry.evidence);
        }
        for (_, entry) in other.trusted_networks {
            super::insert(&mut self.trusted_networks, entry.value, entry.origin, entry.why, entry.evidence);
        }
        for (_, entry) in other.server_names {
            super::insert(&mut self.server_names, entry.value, entry.origin, entry.why, entry.evidence);
        }
        for (_, entry) in other.server_addresses {
            super::insert(&mut self.server_addresses, entry.value, entry.origin, entry.why, entry.evidence);
        }
        self.imported.openings.extend(other.imported.openings);
        self.imported.notes.extend(other.imported.notes);
        self.imported.inputs.extend(other.imported.inputs);
        self.imported.looked_up.extend(other.imported.looked_up);
        self.imported.networks_open |= other.imported.networks_open;
    }
}

/// The file being read.
struct File<'a> {
    text: &'a str,
    path: &'a Path,
}

impl File<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    fn error(&self, at: usize, what: String) -> Error {
        Error::Line { path: self.path.into(), line: self.line(at), what }
    }

    /// The items of a list.
    fn items<'v, 'i>(&self, key: &str, value: &'v Spanned<DeValue<'i>>) -> Result<&'v [Spanned<DeValue<'i>>], Error> {
        match value.get_ref() {
            DeValue::Array(items) => Ok(items),
            _ => Err(self.error(value.span().start, format!("`{key}` takes a list of strings, such as [\"...\"]"))),
        }
    }

    /// Enters one item under its key.
    fn enter(&self, site: &mut Site, key: &str, item: &Spanned<DeValue<'_>>) -> Result<(), Error> {
        let at = item.span().start;
        let DeValue::String(text) = item.get_ref() else {
            return Err(self.error(at, format!("`{key}` takes a list of strings; put the value in quotes")));
        };
        let origin = Origin::File { path: self.path.into(), line: self.line(at) };
        match key {
            "local_domains" => site.add_local_domain(text, origin),
            "server_names" => site.add_server_name(text, origin),
            "trusted_networks" => {
                site.add_trusted_network(parse_network(text).map_err(|what| self.error(at, what))?, origin);
            }
            _ => site.add_server_address(parse_address(text).map_err(|what| self.error(at, what))?, origin),
        }
        Ok(())
    }
}

/// What to say of a key that is not one of ours.
fn unknown_key(key: &str) -> String {
    let nearest = KEYS.iter().max_by(|a, b| strsim::jaro_winkler(key, a).total_cmp(&strsim::jaro_winkler(key, b)));
    match nearest.filter(|nearest| 0.8 <= strsim::jaro_winkler(key, nearest)) {
        Some(nearest) => format!("unknown key `{key}`; did you mean `{nearest}`?"),
        None => format!("unknown key `{key}`; the keys are {}", KEYS.map(|key| format!("`{key}`")).join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(text: &str, expected: Result<usize, &str>) {
        let site = Site::parse_toml(text, Path::new("relayaudit.toml"));
        match (site, expected) {
            (Ok(site), Ok(entries)) => {
                let found = site.local_domains().count()
                    + site.trusted_networks().count()
                    + site.server_names().count()
                    + site.server_addresses().count();
                assert_eq!(found, entries, "{text}");
            }
            (Err(error), Err(message)) => assert_eq!(error.to_string(), message),
            (site, expected) => panic!("{text}: {site:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn site_files() {
        check("", Ok(0));
        check(
            "local_domains = [\"example.org\", \"*.example.org\"]\ntrusted_networks = [\n  \"192.0.2.0/24\"]\nserver_names=[\"mx1\"]\nserver_addresses=[\"[IPv6:2001:db8::1]\"]",
            Ok(5),
        );
        check(
            "\nlocal_domain = []",
            Err("relayaudit.toml:2: unknown key `local_domain`; did you mean `local_domains`?"),
        );
        check(
            "x = 1",
            Err(
                "relayaudit.toml:1: unknown key `x`; the keys are `local_domains`, `trusted_networks`, `server_names`, `server_addresses`",
            ),
        );
        check(
            "trusted_networks = [\n\"192.0.2.0/24\",\n\"10.0.0.0/99\"]",
            Err(
                "relayaudit.toml:3: `10.0.0.0/99` is not a network; expected one such as `192.0.2.0/24` or `2001:db8::/32`, or an address such as `192.0.2.25`",
            ),
        );
        check(
            "server_names = \"mx1\"",
            Err("relayaudit.toml:1: `server_names` takes a list of strings, such as [\"...\"]"),
        );
        check(
            "server_names = [7]",
            Err("relayaudit.toml:1: `server_names` takes a list of strings; put the value in quotes"),
        );
    }

    #[test]
    fn broken_toml_names_the_line() {
        let error = Site::parse_toml("local_domains = []\nserver_names = [", Path::new("s.toml")).unwrap_err();
        assert!(error.to_string().starts_with("s.toml:2: not valid TOML: "), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Site::load_toml(Path::new("/nonexistent/relayaudit.toml")).unwrap_err();
        assert_eq!(error.to_string(), "/nonexistent/relayaudit.toml: cannot read the site file");
    }

    #[test]
    fn an_entry_knows_its_line() {
        let site = Site::parse_toml("local_domains = [\n\"example.org\"]", Path::new("s.toml")).unwrap();
        assert_eq!(site.local_domains().next().unwrap().origin.to_string(), "s.toml:2");
    }
}
