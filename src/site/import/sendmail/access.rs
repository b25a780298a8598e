//! The access table: `key value` a line, keys with or without a tag (cf/README, "ACCESS DATABASE").

use super::super::files::ConfigFile;
use super::super::gather::At;
use super::{Server, network};
use crate::site::opening::Lets;

/// Tags that say which part of a transaction the key is compared with.
const TAGS: [&str; 3] = ["Connect", "From", "To"];

/// Whether only a Sendmail access table has such a line.
pub fn is_telling(line: &str) -> bool {
    let (key, value) = split(line);
    let tagged = tag(key).is_some_and(|(tag, _)| !tag.is_empty());
    let word = value.split([' ', '\t']).next().unwrap_or_default();
    word == "RELAY" || tagged && matches!(word, "OK" | "REJECT" | "DISCARD" | "SKIP")
}

/// Reads a table. Only `RELAY` lets anybody relay; `OK` does not (cf/README).
pub fn read<'a>(file: &'a ConfigFile, server: &mut Server<'a>) {
    for (line, text) in file.entries() {
        let (key, value) = split(text);
        let relays = value.split([' ', '\t']).next().is_some_and(|word| word.eq_ignore_ascii_case("relay"));
        if let Some((tag, key)) = tag(key).filter(|_| relays) {
            entry(At { file, line }, tag, key, text, server);
        }
    }
}

fn entry<'a>(at: At<'a>, tag: &str, key: &str, text: &str, server: &mut Server<'a>) {
    let why = "its access entry says RELAY";
    match (tag, network(key)) {
        // A tag alone is the default for every key.
        ("Connect", _) if key.is_empty() => server.gather.opening(at, text, Lets::AnyClient),
        ("To", _) if key.is_empty() => server.gather.opening(at, text, Lets::AnyRecipient),
        ("Connect" | "", Some(net)) => server.networks.push((at, net)),
        ("Connect", None) => server.client_name(at, key),
        ("From", _) if server.sender_relays => server.gather.opening(at, text, Lets::ClaimedSender),
        ("From", _) => {
            let note =
                format!("`{text}` counts only with FEATURE(`relay_mail_from'), which no .mc file named here has");
            server.gather.note(at, note);
        }
        // One address of another domain: neither a domain of ours nor everybody's.
        ("To" | "", _) if key.contains('@') => {
            server.gather.note(at, format!("mail to `{key}` is relayed for everybody; the site cannot say so"));
        }
        ("To", _) => server.gather.domain_and_below(at, key, why),
        _ => server.relay(at, key, why),
    }
}

fn split(line: &str) -> (&str, &str) {
    let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    (key, value.trim())
}

/// The tag and the rest of a key; no tag for one without. `None` for tags that have nothing to do with relaying.
fn tag(key: &str) -> Option<(&'static str, &str)> {
    match key.split_once(':') {
        Some((word, _)) if word.eq_ignore_ascii_case("ipv6") => Some(("", key)),
        Some((word, rest)) => TAGS.iter().find(|tag| tag.eq_ignore_ascii_case(word)).map(|tag| (*tag, rest)),
        None => Some(("", key)),
    }
}
