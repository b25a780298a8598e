//! Marks: what clients have in common that hardly two strangers would, found without their addresses.
//!
//! Ordinary greetings (an address literal, `localhost`, a name that a provider numbers) and ordinary reverse-paths (people's
//! names in somebody's domain) are no marks, and nothing of ours is: forgers use it, and so do our users.

use super::routed::Routed;
use crate::ledger::{Client, HelloKey, Taken, TemplateFacts, TemplateKey, Text};
use crate::site::{Site, is_localhost};
use foldhash::HashSet;
use relayaudit_parsers::shape;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One thing in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The shape of the EHLO name.
    Hello(Text),
    /// One mailbox of somebody else's as reverse-path.
    Mailbox(Text),
    /// Made-up local-parts in one domain of somebody else's.
    MadeUp(Text),
    /// A reverse-path that is the forward-path too.
    ToItself,
}

impl fmt::Display for Mark {
    /// For a name: `HELO win-*`, `from u@example.net`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::Hello(shape) => write!(f, "HELO {shape}"),
            Mark::Mailbox(mailbox) => write!(f, "from {mailbox}"),
            Mark::MadeUp(domain) => write!(f, "from made-up users of {domain}"),
            Mark::ToItself => write!(f, "from the recipient itself"),
        }
    }
}

/// A client at a server.
pub type Seen = (Client, Text);

/// Who bears which mark.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<Mark, BTreeSet<Seen>>);

impl Marks {
    /// The marks of some clients.
    pub fn of(routed: &Routed<'_>, clients: &HashSet<Seen>) -> Marks {
        let mut marks = Marks::default();
        for (key, facts) in routed.ledger.templates.iter().filter(|(key, _)| key.taken != Taken::LoggedIn) {
            let bearers = facts.clients.iter().filter(|seen| clients.contains(*seen));
            let bearers: Vec<Seen> = bearers.copied().collect();
            let of_template = if bearers.is_empty() { Vec::new() } else { of_template(key, facts, routed.site) };
            of_template.into_iter().for_each(|mark| marks.0.entry(mark).or_default().extend(&bearers));
        }
        let mut shape = Vec::new();
        for key in routed.ledger.hellos.keys().filter(|key| clients.contains(&(key.client, key.server))) {
            if let Some(mark) = of_hello(key, routed.site, &mut shape) {
                marks.0.entry(mark).or_default().insert((key.client, key.server));
            }
        }
        marks.0.retain(|_, bearers| 1 < bearers.len());
        marks
    }

    /// The marks that at least two have, with them.
    pub fn iter(&self) -> impl Iterator<Item = (&Mark, &BTreeSet<Seen>)> {
        self.0.iter()
    }

    /// The first mark that two clients of a server share.
    pub fn shared(&self, server: Text, one: Client, other: Client) -> Option<&Mark> {
        let both = |bearers: &BTreeSet<Seen>| [one, other].iter().all(|client| bearers.contains(&(*client, server)));
        self.0.iter().find(|(_, bearers)| both(bearers)).map(|(mark, _)| mark)
    }
}

/// The marks in a template.
fn of_template(key: &TemplateKey, facts: &TemplateFacts, site: &Site) -> Vec<Mark> {
    let mut marks = Vec::new();
    let domain = key.domain.filter(|domain| !domain.is_empty() && !site.is_ours(domain));
    if let (Some(domain), Some(local), 1) = (domain, facts.locals.iter().next(), facts.locals.len()) {
        marks.push(Mark::Mailbox(format!("{local}@{domain}").into()));
    }
    if let Some(domain) = domain.filter(|_| matches!(&*key.local, shape::RANDOM | shape::DIGITS)) {
        marks.push(Mark::MadeUp(domain));
    }
    if key.to_itself && domain.is_some() {
        marks.push(Mark::ToItself);
    }
    let said_ours = facts.names.iter().any(|name| site.is_own_name(name));
    marks.extend(Some(key.hello).filter(|hello| !said_ours && is_telling(hello)).map(Mark::Hello));
    marks
}

fn of_hello(key: &HelloKey, site: &Site, shape: &mut Vec<u8>) -> Option<Mark> {
    if site.is_own_name(&key.name) {
        return None;
    }
    let address = match key.client {
        Client::Address(address) => Some(address),
        _ => None,
    };
    shape::hello(key.name.as_bytes(), address, shape);
    let shape = String::from_utf8_lossy(shape);
    is_telling(&shape).then(|| Mark::Hello(shape.as_ref().into()))
}

/// Whether the shape of an EHLO name sets its bearer apart.
fn is_telling(shape: &str) -> bool {
    let class = matches!(shape, "" | shape::OWN_ADDRESS | shape::ADDRESS | shape::RANDOM);
    let numbered = shape.contains('#') && (shape.contains('.') || !shape.contains(|c: char| c.is_alphabetic()));
    !class && !numbered && !is_localhost(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_that_tell() {
        for telling in ["win-*", "ylmf-pc", "user", "relay-tester.example", "pc#"] {
            assert!(is_telling(telling), "{telling}");
        }
        for ordinary in
            ["", "[own address]", "[address]", "[random]", "#", "localhost", "localhost.localdomain", "dsl-#-#.example"]
        {
            assert!(!is_telling(ordinary), "{ordinary}");
        }
    }
}
