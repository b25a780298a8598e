//! The command line of `relayaudit trace`: which arguments are keys and which are logs.

use super::args::{Colour, ReadOptions, SiteOptions};
use crate::trace::Kind;
use crate::trace::key::KINDS;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// After the options of `--help`.
pub const HELP: &str = "\
Keys come first, logs last: what exists as a file, a folder or a pattern at the
end of the command is read. A key is told by its form, and one that may be
several things (anna@example.org: an address, an account or a Message-ID) is
looked for as all of them; --as says which. For a campaign, give several clients
or accounts.

A message is followed over all servers in the logs, through content filters,
queue ids, Message-IDs, forwarding and bounces. The logs are read two to four
times; standard input can be read only once, so that ids are not followed in it.

Examples:
  relayaudit trace 33031E3 /var/log/mail.log*
  relayaudit trace 203.0.113.7 198.51.100.0/24 /var/log/mail.log*
  relayaudit trace anna /var/log --as account --since 2026-11-23 --limit 3
  relayaudit trace --received complaint.txt /var/log/mail.log*
  pbpaste | relayaudit trace - /var/log/mail.log*
  relayaudit trace anna /var/log/mail.log* --format dot | dot -Tsvg > anna.svg

Exit status: 0 found, 1 not found, 2 the run failed or is incomplete. For a pasted header, 0 means that it was us.";

/// What stands beside the positional arguments in `--help`.
pub const KEYS_HELP: &str = "Keys, then logs. A key is a queue id, a Message-ID, a session id, a client (address, network as \
                             192.0.2.0/24, or name), an account, an address, a domain, a whole Received line in quotes, or - for a \
                             header or bounce pasted to standard input. Logs are as for `scan`";

/// Options of `trace`.
#[derive(Debug, Args)]
pub struct Trace {
    /// What to read, keys before it.
    #[command(flatten)]
    pub read: ReadOptions,
    /// The site, for the verdicts.
    #[command(flatten)]
    pub site: SiteOptions,
    /// A key that might be taken for a file; then all arguments are logs. Repeatable
    #[arg(long, value_name = "KEY", help_heading = "What to look for")]
    pub key: Vec<String>,
    /// What the keys are: queue-id, message-id, session, client, account, address or domain
    #[arg(long = "as", value_name = "KIND", value_parser = kind, help_heading = "What to look for")]
    pub kind: Option<Kind>,
    /// A file with the header of a message or a bounce (- for standard input): was it us? Then all arguments are logs
    #[arg(long, value_name = "FILE", help_heading = "What to look for")]
    pub received: Option<PathBuf>,
    /// How many messages to show in full, the earliest first; the rest is counted
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Output")]
    pub limit: usize,
    /// What to print: text, json or dot (Graphviz)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Shape::Text, help_heading = "Output")]
    pub format: Shape,
    /// Colours: auto follows the terminal and NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    pub color: Colour,
}

/// What to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// For people at a terminal.
    Text,
    /// One document of schema relayaudit.trace/1.
    Json,
    /// Who handed what to whom, as a graph for Graphviz.
    Dot,
}

fn kind(name: &str) -> Result<Kind, String> {
    let known = KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind);
    known.ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|(_, name)| *name).collect();
        format!("expected {}{}", names.join(", "), super::values::did_you_mean(name, names.iter().copied()))
    })
}

/// Keys and logs, apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parted {
    /// The keys, in order; `-` is a pasted text.
    pub keys: Vec<String>,
    /// The logs.
    pub paths: Vec<String>,
}

impl Trace {
    /// Parts the arguments. Fails with what is wrong, and with the command that is right.
    pub fn part(&self) -> Result<Parted, String> {
        let arguments = &self.read.paths;
        if self.key.is_empty() && self.received.is_none() {
            return part(arguments, &leads_somewhere);
        }
        Ok(Parted { keys: self.key.clone(), paths: arguments.clone() })
    }
}

/// Whether an argument is a log as far as the file system tells: it exists, is a pattern, or standard input. An address in brackets
/// is no pattern.
fn leads_somewhere(argument: &str) -> bool {
    let is_pattern = argument.contains(['*', '?']) || argument.contains('[') && argument.contains(['/', '\\']);
    argument == "-" || is_pattern && !argument.starts_with('<') || Path::new(argument).exists()
}

fn part(arguments: &[String], is_log: &dyn Fn(&str) -> bool) -> Result<Parted, String> {
    let own = arguments.len() - arguments.iter().rev().take_while(|argument| is_log(argument)).count();
    // The first of several can only be a key; `-` is a text to be pasted then.
    let own =
        if own == 0 && arguments.first().is_some_and(|first| first == "-") && 1 < arguments.len() { 1 } else { own };
    let (keys, paths) = arguments.split_at(own);
    let quoted = |words: &[String]| words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
    match (keys, paths) {
        ([], [only]) => Err(format!("there is nothing to look for; type: relayaudit trace KEY {}", quote(only))),
        ([], [first, rest @ ..]) => Err(format!(
            "`{first}` is a file, so it was not taken for a key; type: relayaudit trace KEY {}\n  or, if it is the key: relayaudit trace \
             --key {} {}",
            quoted(paths),
            quote(first),
            quoted(rest)
        )),
        ([.., last], []) if 1 < keys.len() && last.contains(['/', '\\', '.']) => Err(format!(
            "{last}: no such file or folder, so there is no log to read; type: relayaudit trace {} LOGS",
            quoted(&keys[..keys.len() - 1])
        )),
        (_, []) => Err(format!(
            "no logs are named; type: relayaudit trace {} LOGS, for example /var/log/mail.log*",
            quoted(keys)
        )),
        _ => match keys[1..].iter().position(|key| key != "-" && is_log(key)) {
            Some(at) => {
                let wrong = keys.iter().skip(at + 2).find(|key| !is_log(key)).map_or("", |key| key);
                Err(format!("{wrong}: no such file or folder; keys come first, then the logs"))
            }
            None => Ok(Parted { keys: keys.to_vec(), paths: paths.to_vec() }),
        },
    }
}

/// A word as a shell takes it.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@+=,%\\~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &str, want: Result<(&str, &str), &str>) {
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        let exists = |argument: &str| argument == "-" || ["a.log", "b.log", "anna"].contains(&argument);
        match (part(&arguments, &exists), want) {
            (Ok(parted), Ok((keys, paths))) => {
                assert_eq!((parted.keys.join(" ").as_str(), parted.paths.join(" ").as_str()), (keys, paths));
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{arguments:?}: {error}"),
            (got, _) => panic!("{arguments:?}: {got:?}"),
        }
    }

    #[test]
    fn keys_and_logs() {
        check("33031E3 a.log", Ok(("33031E3", "a.log")));
        check("192.0.2.1 192.0.2.2 a.log b.log", Ok(("192.0.2.1 192.0.2.2", "a.log b.log")));
        check("- a.log", Ok(("-", "a.log")));
        check("33031E3 -", Ok(("33031E3", "-")));
        check("a.log", Err("there is nothing to look for; type: relayaudit trace KEY a.log"));
        check("anna a.log", Err("relayaudit trace --key anna a.log"));
        check("33031E3", Err("no logs are named; type: relayaudit trace 33031E3 LOGS"));
        check("33031E3 /var/log/mail.lgo", Err("/var/log/mail.lgo: no such file or folder"));
        check("33031E3 a.log b.lgo", Err("b.lgo: no such file or folder"));
        check("33031E3 a.log b.lgo b.log", Err("b.lgo: no such file or folder; keys come first"));
        check("it's", Err("relayaudit trace 'it'\\''s' LOGS"));
    }

    #[test]
    fn what_may_be_a_log() {
        for (argument, is) in [("-", true), ("no/such*", true), ("[2001:db8::1]", false), ("<a?b@example.org>", false)]
        {
            assert_eq!(leads_somewhere(argument), is, "{argument}");
        }
    }
}
