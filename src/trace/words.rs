//! Words: what the steps of a message are in sentences, and how its client was authorised. They hold text of the log: escape
//! them for the medium.

use super::life::{Beginning, Life};
use super::steps::{Attempt, Step, What};
use crate::judge::route::is_trusted;
use crate::judge::words::{count, list, quoted};
use crate::judge::{RouteVerdict, route};
use crate::ledger::{Client, Origin, Outcome, Time};
use crate::report::figures::size;
use crate::site::Site;
use relayaudit_parsers::record::Offspring;

/// By what right a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authority {
    /// The client logged in.
    Credentials,
    /// The server says that the client had logged in or is trusted, not which.
    Vouched,
    /// The client's address is trusted.
    TrustedNetwork,
    /// A user or program of the server handed it in.
    LocalUser,
    /// The server wrote it.
    Server,
    /// None was needed: it is for us.
    NotNeeded,
    /// None, and some of it was for others.
    Nothing,
    /// It was refused.
    Refused,
    /// The logs do not tell.
    Unknown,
}

impl Authority {
    /// The name of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Authority::Credentials => "credentials",
            Authority::Vouched => "vouched",
            Authority::TrustedNetwork => "trusted-network",
            Authority::LocalUser => "local-user",
            Authority::Server => "server",
            Authority::NotNeeded => "not-needed",
            Authority::Nothing => "nothing",
            Authority::Refused => "refused",
            Authority::Unknown => "unknown",
        }
    }

    /// By what right a message came in, judged by the site.
    pub fn of(life: &Life, site: &Site) -> Authority {
        let verdicts = || life.recipients.iter().filter_map(|fate| route(&fate.key, site));
        match life.way.origin {
            Origin::System => Authority::Server,
            Origin::Forwarded => Authority::Server,
            Origin::Local => Authority::LocalUser,
            Origin::Outbound | Origin::Unknown => Authority::Unknown,
            _ if life.account.is_some() => Authority::Credentials,
            _ if is_trusted(&life.way.client, site) => Authority::TrustedNetwork,
            _ if life.way.vouched => Authority::Vouched,
            _ if verdicts().any(|verdict| verdict == RouteVerdict::RelayedUnauthorised) => Authority::Nothing,
            _ if verdicts().any(|verdict| verdict == RouteVerdict::Inbound) => Authority::NotNeeded,
            _ if life.recipients.iter().all(|fate| !fate.outcome().was_accepted()) => Authority::Refused,
            _ => Authority::Unknown,
        }
    }
}

/// By what right a message came in, in a sentence without full stop.
pub fn authority(life: &Life, site: &Site) -> String {
    let account = life.account.as_deref().unwrap_or_default();
    match Authority::of(life, site) {
        Authority::Credentials if account.is_empty() => "a log-in; the log does not name the account".to_owned(),
        Authority::Credentials => format!("a log-in as {}", quoted(account)),
        Authority::Vouched => "the server says that the client had logged in or is trusted, but not which".to_owned(),
        Authority::TrustedNetwork => trusted_by(&life.way.client, site),
        Authority::LocalUser if life.user.is_empty() => "it was handed in on the server itself".to_owned(),
        Authority::LocalUser => format!("it was handed in on the server itself, by user {}", quoted(&life.user)),
        Authority::Server => "the server made it itself".to_owned(),
        Authority::NotNeeded => "nothing, and nothing was needed: it is for a domain of yours".to_owned(),
        Authority::Nothing => "nothing: no log-in and no trusted network, yet it was taken for others".to_owned(),
        Authority::Refused => "nothing; it was refused".to_owned(),
        Authority::Unknown => "the logs do not tell".to_owned(),
    }
}

fn trusted_by(client: &Client, site: &Site) -> String {
    let Client::Address(address) = client else { return "a client of yours by its name".to_owned() };
    let holds = site.trusted_networks().filter(|entry| entry.value.contains(&address.to_canonical()));
    match holds.max_by_key(|entry| entry.value.prefix_len()) {
        Some(entry) => format!("its address: {} is a trusted network ({})", entry.value, entry.origin),
        None => "its address: it is the server itself".to_owned(),
    }
}

/// A step in a sentence without full stop.
pub fn step(step: &Step, life: &Life) -> String {
    match &step.what {
        What::CameIn => came_in(life),
        What::FirstSeen => "the first line that these logs have of it; how it came in is not in them".to_owned(),
        What::CameBack => "came back from a content filter under this id".to_owned(),
        What::Accepted { paths: accepted } => format!("accepted for {}", paths(accepted)),
        What::Refused { path, reply } if path.is_empty() => format!("refused: {}", said(reply)),
        What::Refused { path, reply } => format!("refused for {}: {}", path_of(path), said(reply)),
        What::Attempt(attempt) => attempted(attempt),
        What::Spawned { id, how } => format!("{}: {}", offspring(*how), quoted(id)),
        What::Expanded { path, members } => {
            format!("{} stands for {}", path_of(path), paths(members))
        }
        What::Dropped => "given up before it was delivered".to_owned(),
    }
}

fn offspring(how: Offspring) -> &'static str {
    match how {
        Offspring::Reinjected => "went on under a new id",
        Offspring::Forwarded => "forwarded as a new message",
        Offspring::Notification => "a notification of failure (bounce) was written",
    }
}

/// The message that it is about or from.
fn about(life: &Life) -> String {
    if life.born_of.is_empty() { String::new() } else { format!(", from {}", quoted(&life.born_of)) }
}

/// How a message came in: `came in from a.example.net [192.0.2.1], EHLO "a", from <x@example.net>, 1.3 kB`.
fn came_in(life: &Life) -> String {
    let mut text = match life.way.origin {
        Origin::System => format!("written by the server itself: a notification (bounce){}", about(life)),
        Origin::Forwarded => format!("made by the server for an alias, .forward or list{}", about(life)),
        Origin::Local if life.user.is_empty() => "handed in on the server itself".to_owned(),
        Origin::Local => format!("handed in on the server itself by user {}", quoted(&life.user)),
        Origin::Outbound => "the server's own session with another server began".to_owned(),
        Origin::Unknown => "came in; the log does not say from whom".to_owned(),
        _ if life.is_refusal => format!("{} asked", client(life)),
        Origin::PassedOn => format!("passed on by a front end, for {}", client(life)),
        _ => format!("came in from {}", client(life)),
    };
    if !life.helo.is_empty() {
        text.push_str(&format!(", EHLO \"{}\"", quoted(&life.helo)));
    }
    if let Some(account) = life.account.as_deref().filter(|account| !account.is_empty()) {
        text.push_str(&format!(", logged in as {}", quoted(account)));
    }
    if let Some(path) = &life.reverse_path {
        text.push_str(&format!(", sender {}", path_of(path)));
    }
    if 0 < life.size_bytes {
        text.push_str(&format!(", {}", size(life.size_bytes)));
    }
    text
}

/// A client: `a.example.net [192.0.2.1]`.
pub fn client(life: &Life) -> String {
    match (&life.way.client, &*life.client_name) {
        (Client::Address(address), "") => format!("[{address}]"),
        (Client::Address(address), name) => format!("{} [{address}]", quoted(name)),
        (Client::Name(name), _) | (Client::User(name), _) => quoted(name),
        (Client::Unknown, _) => "a client that the log does not name".to_owned(),
    }
}

/// A path in angle brackets.
pub fn path_of(path: &str) -> String {
    format!("<{}>", quoted(path))
}

fn paths(of: &[Box<str>]) -> String {
    const NAMED: usize = 3;
    let mut named: Vec<String> = of.iter().take(NAMED).map(|path| path_of(path)).collect();
    if let Some(more) = of.len().checked_sub(NAMED).filter(|more| 0 < *more) {
        named.push(count(more as u64, "other", "others"));
    }
    if named.is_empty() { "a recipient that these logs do not name".to_owned() } else { list(&named) }
}

fn attempted(attempt: &Attempt) -> String {
    let whom = match &attempt.original {
        Some(original) if !attempt.paths.iter().any(|path| path == original) => {
            format!("{} (asked for as {})", paths(&attempt.paths), path_of(original))
        }
        _ => paths(&attempt.paths),
    };
    let hop = match &*attempt.next_hop {
        "" => String::new(),
        "local" => " here".to_owned(),
        hop => format!(" at {}", quoted(hop)),
    };
    let taken = match &*attempt.taken_as {
        "" => String::new(),
        id => format!(", which took it as {}", quoted(id)),
    };
    let reply = said(&attempt.reply);
    match attempt.outcome {
        Outcome::Delivered => format!("delivered for {whom} to a mailbox, program or file of this server"),
        Outcome::Relayed => {
            let to = if hop.is_empty() { "to another server" } else { hop.trim_start_matches(" at ") };
            format!("handed on for {whom} to {}{taken}", to.trim_start_matches("to "))
        }
        Outcome::Deferred => format!("put off for {whom}{hop}: {reply}"),
        Outcome::Bounced => format!("refused for good for {whom}{hop}: {reply}"),
        Outcome::BouncedHere => format!("given up for {whom}: {reply}"),
        Outcome::Expired => format!("given up for {whom}, too old: {reply}"),
        Outcome::Denied | Outcome::Rejected => format!("refused for {whom}: {reply}"),
        Outcome::NoData | Outcome::Unknown => format!("tried for {whom}{hop}: {reply}"),
    }
}

/// What was answered, or that it is not told. The name of the server that answered is said already.
fn said(reply: &str) -> String {
    const LONGEST: usize = 240;
    let behind = reply.strip_prefix("host ").and_then(|rest| rest.split_once(" said: ")).map(|(_, rest)| rest);
    let reply = behind.unwrap_or(reply).trim();
    match reply.chars().nth(LONGEST) {
        None if reply.is_empty() => "the log gives no reason".to_owned(),
        None => reply.to_owned(),
        Some(_) => reply.chars().take(LONGEST).chain("...".chars()).collect(),
    }
}

/// A time to the second: `2027-01-18 06:30:19`.
pub fn second(time: Option<Time>) -> String {
    let shown = |time: Time| time.rfc3339().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect();
    time.map_or_else(|| "time unknown".to_owned(), shown)
}

/// Whether it is known how a message came in.
pub fn is_known(life: &Life) -> bool {
    life.beginning == Beginning::Logged && life.way.origin != Origin::Unknown
}
