//! Keys: by what a message is looked for, told by their grammar.

use crate::site::parse_network;
use ipnet::IpNet;

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The id of a message in the queue of a server.
    QueueId,
    /// The Message-ID header.
    MessageId,
    /// The id of an SMTP session, as logged: with Postfix the process id.
    Session,
    /// The address, network or name of whoever handed mail in.
    Client,
    /// The account that a client logged in with, or a user of the server.
    Account,
    /// The reverse-path or a forward-path.
    Address,
    /// The domain of one of them.
    Domain,
}

/// All kinds with their names on the command line.
pub const KINDS: [(Kind, &str); 7] = [
    (Kind::QueueId, "queue-id"),
    (Kind::MessageId, "message-id"),
    (Kind::Session, "session"),
    (Kind::Client, "client"),
    (Kind::Account, "account"),
    (Kind::Address, "address"),
    (Kind::Domain, "domain"),
];

impl Kind {
    /// The name of the contract.
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The name in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Kind::QueueId => "queue id",
            Kind::MessageId => "Message-ID",
            other => other.as_str(),
        }
    }
}

/// A key of one or more kinds: `anna@example.org` may be an address, an account or a Message-ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// As the user wrote it, without what is around it.
    pub text: String,
    /// What it may be.
    pub kinds: Vec<Kind>,
    /// The network, if it is an address or network.
    pub network: Option<IpNet>,
}

/// The longest queue id of a server: Exchange 2000 has 37 characters, all others fewer.
const LONGEST_ID: usize = 64;

impl Key {
    /// Recognises a key by its grammar, or reads it as what the user says it is. Fails with what is wrong, for people.
    pub fn read(text: &str, stated: Option<Kind>) -> Result<Key, String> {
        let bare = bare(text);
        if bare.is_empty() {
            return Err("a key is empty".to_owned());
        }
        let network = parse_network(bare.trim_start_matches('[').trim_end_matches(']')).ok();
        let kinds = stated.map_or_else(|| kinds(text.trim(), bare, network.is_some()), |kind| vec![kind]);
        if kinds.is_empty() {
            return Err(format!(
                "`{text}` is neither a file nor a key: expected a queue id, Message-ID, session id, client address or network, \
                 account, address or domain (--as says which)"
            ));
        }
        let network = network.filter(|_| kinds.contains(&Kind::Client));
        Ok(Key { text: bare.to_owned(), kinds, network })
    }
}

/// What stands in the brackets that logs and headers put around addresses and Message-IDs.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inside = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inside.unwrap_or(text).trim()
}

fn kinds(written: &str, bare: &str, is_network: bool) -> Vec<Kind> {
    if is_network {
        return vec![Kind::Client];
    }
    if bare.contains('@') {
        return vec![Kind::MessageId, Kind::Address, Kind::Account];
    }
    let is_word = |extra: &str| bare.chars().all(|c| c.is_alphanumeric() || extra.contains(c));
    // A down-level log-on name of Windows, `DOMAIN\user`: at most one backslash, and no path begins so.
    if bare.contains('\\') {
        let one = bare.matches('\\').count() == 1 && !bare.starts_with('\\') && !bare.contains(':');
        return if one && is_word("\\._-$") { vec![Kind::Account] } else { Vec::new() };
    }
    if !is_word("._-+$=:") || bare.starts_with(['.', '-']) {
        return Vec::new();
    }
    let mut kinds = Vec::new();
    // Exchange 5.5 and some others write Message-IDs without `@`, always in brackets.
    if written.starts_with('<') {
        kinds.push(Kind::MessageId);
    }
    if !bare.contains('.') && bare.len() <= LONGEST_ID {
        kinds.extend([Kind::QueueId, Kind::Session]);
    }
    if bare.contains('.') && !bare.contains([':', '=', '+', '$']) {
        kinds.extend([Kind::Session, Kind::Client, Kind::Domain]);
    }
    kinds.push(Kind::Account);
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_grammar() {
        let check = |text: &str, want: Result<(&str, &str), &str>| match (Key::read(text, None), want) {
            (Ok(key), Ok((bare, kinds))) => {
                let names: Vec<&str> = key.kinds.iter().map(|kind| kind.as_str()).collect();
                assert_eq!((key.text.as_str(), names.join(" ").as_str()), (bare, kinds), "{text}");
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
            (got, _) => panic!("{text}: {got:?}"),
        };
        check("33031E3", Ok(("33031E3", "queue-id session account")));
        check("1RwtJa-000AFB-07", Ok(("1RwtJa-000AFB-07", "queue-id session account")));
        check(" <a.b@example.org> ", Ok(("a.b@example.org", "message-id address account")));
        check("anna@example.org", Ok(("anna@example.org", "message-id address account")));
        check("203.0.113.7", Ok(("203.0.113.7", "client")));
        check("[2001:db8::1]", Ok(("[2001:db8::1]", "client")));
        check("203.0.113.0/24", Ok(("203.0.113.0/24", "client")));
        check("example.org", Ok(("example.org", "session client domain account")));
        check("EXAMPLE\\anna", Ok(("EXAMPLE\\anna", "account")));
        check("<0f1e-local>", Ok(("0f1e-local", "message-id queue-id session account")));
        check("/var/log/mail.lgo", Err("neither a file nor a key"));
        check("C:\\logs\\ex.log", Err("neither a file nor a key"));
        check("a b", Err("neither a file nor a key"));
        check("<>", Err("a key is empty"));
    }

    #[test]
    fn a_stated_kind_is_taken() {
        let key = Key::read("anna b", Some(Kind::Account));
        assert_eq!(key.map(|key| key.kinds), Ok(vec![Kind::Account]));
    }
}
