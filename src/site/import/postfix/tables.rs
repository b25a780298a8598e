//! Lookup tables and lists in files, as far as their sources are at hand.
//!
//! `type:/path` names a table, `/path` a file with a list. The sources of indexed tables are text, `key value` a line
//! (postmap(1)); those of cidr tables have networks as keys (cidr_table(5)). Databases and patterns are not read.

use super::super::files::{ConfigFile, Files};

/// Types of tables with a source in text, one key a line.
const TEXT: [&str; 8] = ["hash", "texthash", "btree", "lmdb", "cdb", "dbm", "sdbm", "cidr"];

/// The path of the table's source, if it has one that can be read: `hash:/etc/postfix/relay` is `/etc/postfix/relay`.
pub fn source(reference: &str) -> Option<&str> {
    let reference = reference.strip_prefix("proxy:").unwrap_or(reference);
    match reference.split_once(':') {
        Some((kind, path)) => TEXT.contains(&kind).then_some(path),
        None => reference.starts_with('/').then_some(reference),
    }
}

/// Whether an item of a list refers to something outside the list.
pub fn is_reference(item: &str) -> bool {
    item.starts_with('/') || item.split_once(':').is_some_and(|(kind, _)| kind.bytes().all(|b| b.is_ascii_lowercase()))
}

/// The entries of a table or list: its file with the line, the key, the value (empty in a list).
type Entry<'a> = ((&'a ConfigFile, usize), &'a str, &'a str);

/// Reads a table; `None` if its source is not among the files.
pub fn entries<'a>(reference: &str, files: &'a Files) -> Option<Vec<Entry<'a>>> {
    let file = files.find(source(reference)?)?;
    let entry = |(line, text): (usize, &'a str)| {
        let (key, value) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        ((file, line), key, value.trim())
    };
    Some(file.entries().map(entry).collect())
}

/// Whether the value of an access table lets the client pass: `OK`, or digits alone (access(5)), or a restriction that permits.
pub fn permits(value: &str) -> bool {
    let word = value.split([' ', '\t', ',']).next().unwrap_or_default();
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    word.eq_ignore_ascii_case("ok") || word.eq_ignore_ascii_case("permit") || digits && !is_refusal(word)
}

/// Whether digits are a reply code that refuses: 4nn or 5nn (access(5)).
fn is_refusal(word: &str) -> bool {
    word.len() == 3 && (word.starts_with('4') || word.starts_with('5'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_tables() {
        for (reference, path) in [
            ("hash:/etc/postfix/relay", Some("/etc/postfix/relay")),
            ("proxy:lmdb:/a", Some("/a")),
            ("/etc/domains", Some("/etc/domains")),
            ("mysql:/etc/sql.cf", None),
            ("example.org", None),
        ] {
            assert_eq!(source(reference), path, "{reference}");
        }
        assert!(is_reference("pcre:/x"));
        assert!(!is_reference("[2001:db8::]/32"));
    }

    #[test]
    fn values_of_access_tables() {
        for (value, expected) in [
            ("OK", true),
            ("permit_mynetworks, reject", false),
            ("permit", true),
            ("12345", true),
            ("550 no", false),
            ("REJECT", false),
            ("", false),
        ] {
            assert_eq!(permits(value), expected, "{value}");
        }
    }
}
