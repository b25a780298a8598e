//! Rules of `smtpd.conf`: `match ... action NAME`, `match ... reject`, and before 6.4 `accept ... relay`.

use super::words::{Statement, Word};
use std::collections::BTreeSet;

/// Whose mail a rule is about.
#[derive(Debug, PartialEq, Eq)]
pub enum Who {
    /// This machine's own.
    Local,
    /// Everybody's, or everybody's but some.
    Any,
    /// That of these networks.
    Networks(Word),
    /// That of clients that logged in.
    Auth,
}

/// Which recipients a rule is about.
#[derive(Debug, PartialEq, Eq)]
pub enum To {
    /// Those on this machine.
    Local,
    /// All, or all but some.
    Any,
    /// Those in these domains.
    Domains(Word),
    /// Certain addresses.
    Addresses,
}

/// A rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its line.
    pub line: usize,
    /// Its first line, as it stands.
    pub text: String,
    /// Whose mail.
    pub who: Who,
    /// To whom.
    pub to: To,
    /// Whether the client must have logged in.
    pub auth: bool,
    /// Whether something must match that the client says of itself: its greeting, its reverse-path.
    pub claimed: bool,
    /// Whether something else must match: a tag of the listener, the client's name.
    pub other: bool,
    /// Whether it refuses.
    pub rejects: bool,
    /// Whether it hands mail to another server.
    pub relays: bool,
}

/// Reads a statement, if it is a rule. `relays` are the actions that hand mail on.
pub fn parse(statement: &Statement, relays: &BTreeSet<String>) -> Option<Rule> {
    let [Word::Text(verb), rest @ ..] = statement.words.as_slice() else { return None };
    if !matches!(verb.as_str(), "match" | "accept" | "reject") {
        return None;
    }
    let mut rule = Rule {
        line: statement.line,
        text: statement.text.clone(),
        who: Who::Local,
        to: To::Local,
        auth: false,
        claimed: false,
        other: false,
        rejects: verb == "reject",
        relays: false,
    };
    let mut words = Words { words: rest };
    while let Some(word) = words.next() {
        let negated = *word == Word::Not;
        let word = if negated { words.next()? } else { word };
        if let Word::Text(word) = word {
            option(word, negated, &mut words, &mut rule, relays);
        }
    }
    Some(rule)
}

/// The words not yet read.
struct Words<'a> {
    words: &'a [Word],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a Word> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// Whether a `!` comes next, which is then read: before 6.4 it stood behind `from` and `for`.
    fn not(&mut self) -> bool {
        let not = matches!(self.words.first(), Some(Word::Not));
        if not {
            self.next();
        }
        not
    }

    /// The next word if it is text that `wanted` accepts.
    fn text(&mut self, wanted: &[&str]) -> Option<&'a str> {
        match self.words.first() {
            Some(Word::Text(text)) if wanted.contains(&text.as_str()) => {
                self.next();
                Some(text)
            }
            _ => None,
        }
    }
}

fn option(word: &str, negated: bool, words: &mut Words<'_>, rule: &mut Rule, relays: &BTreeSet<String>) {
    match word {
        "from" => from(negated, words, rule),
        "for" => to(negated, words, rule),
        "auth" => {
            // An optional table of users.
            rule.auth = !negated;
            if matches!(words.words.first(), Some(Word::Table(_) | Word::List(_))) {
                words.next();
            }
        }
        "helo" | "mail-from" | "sender" => {
            rule.claimed = true;
            words.next();
        }
        "tag" | "tagged" => {
            rule.other = true;
            words.next();
        }
        "reject" => rule.rejects = true,
        "relay" => rule.relays = true,
        "action" => {
            if let Some(Word::Text(name)) = words.next() {
                rule.relays = relays.contains(name);
            }
        }
        _ => {}
    }
}

fn from(negated: bool, words: &mut Words<'_>, rule: &mut Rule) {
    let negated = negated != words.not();
    let kind = words.text(&["any", "local", "socket", "auth", "src", "source", "rdns", "mail-from"]);
    let list = |words: &mut Words<'_>| words.next().cloned().unwrap_or(Word::List(Vec::new()));
    rule.who = match (kind, negated) {
        (Some("any"), false) => Who::Any,
        (Some("local" | "socket"), false) => Who::Local,
        (Some("auth"), false) => Who::Auth,
        (Some("src" | "source"), false) => Who::Networks(list(words)),
        (Some("rdns"), _) => {
            rule.other = true;
            words.next();
            Who::Any
        }
        (Some("mail-from"), _) => {
            rule.claimed = true;
            words.next();
            Who::Any
        }
        // Everybody but some is everybody else.
        (Some("src" | "source"), true) => {
            words.next();
            Who::Any
        }
        (Some("any"), true) => Who::Local,
        (Some(_), true) => Who::Any,
        (_, false) => Who::Networks(list(words)),
        (_, true) => Who::Any,
    };
}

fn to(negated: bool, words: &mut Words<'_>, rule: &mut Rule) {
    let negated = negated != words.not();
    let kind = words.text(&["any", "local", "domain", "rcpt-to", "recipient"]);
    rule.to = match (kind, negated) {
        (Some("any"), false) => To::Any,
        (Some("local"), false) => To::Local,
        (Some("domain"), false) => match words.next() {
            Some(word) => To::Domains(word.clone()),
            None => To::Local,
        },
        (Some("rcpt-to" | "recipient"), _) => {
            words.next();
            To::Addresses
        }
        (Some("domain"), true) => {
            words.next();
            To::Any
        }
        (Some("any"), true) => To::Local,
        (Some(_), true) => To::Any,
        (_, _) => To::Local,
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::words::statements;
    use super::*;

    fn check(text: &str, expected: &str) {
        let relays = BTreeSet::from(["out".to_owned()]);
        let rule = parse(&statements(text)[0], &relays).unwrap();
        let flags = [
            (rule.auth, "auth"),
            (rule.claimed, "claimed"),
            (rule.other, "other"),
            (rule.rejects, "rejects"),
            (rule.relays, "relays"),
        ];
        let flags: Vec<&str> = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        assert_eq!(format!("{:?} {:?} {}", rule.who, rule.to, flags.join(" ")), expected, "{text}");
    }

    #[test]
    fn rules_of_both_grammars() {
        check("match from any for any action \"out\"", "Any Any relays");
        check("match for any action \"out\"", "Local Any relays");
        check("match auth from any for any action \"out\"", "Any Any auth relays");
        check("match !auth from any for any reject", "Any Any rejects");
        check("match from src <nets> for any action out", "Networks(Table(\"nets\")) Any relays");
        check("match ! from src <nets> for any action out", "Any Any relays");
        check("match from any for ! domain <d> action out", "Any Any relays");
        check("match from any !for domain <d> action out", "Any Any relays");
        check("match from any mail-from \"@example.org\" for any action out", "Any Any claimed relays");
        check("match tag DKIM from any for any action out", "Any Any other relays");
        check("match from auth for any action out", "Auth Any relays");
        check("match from any for domain { \"example.org\" } action \"here\"", "Any Domains(List([\"example.org\"])) ");
        check("accept from any for any relay", "Any Any relays");
        check("accept from source <nets> for any relay via \"smtp://x\"", "Networks(Table(\"nets\")) Any relays");
        check("accept for local alias <a> deliver to mbox", "Local Local ");
        check("reject from any for any", "Any Any rejects");
        check("match", "Local Local ");
    }
}
