//! The ACL for RCPT: what becomes of a stranger's recipient elsewhere.
//!
//! Statements are tried in order; one whose conditions all hold decides; at the end everything is denied. `require` denies when a
//! condition fails, and so does `accept` behind `endpass`. Source: Exim specification, chapter "Access control lists".

use super::syntax::Line;

/// A statement.
#[derive(Debug)]
pub struct Statement {
    /// Its first line, from 1.
    pub line: usize,
    /// Its verb.
    pub verb: String,
    /// Conditions and modifiers: whether negated, name, value.
    pub conditions: Vec<Condition>,
}

/// A condition or modifier: whether negated, name, value.
pub type Condition = (bool, String, String);

const VERBS: [&str; 7] = ["accept", "defer", "deny", "discard", "drop", "require", "warn"];

/// The statements of one ACL.
pub fn statements(lines: &[Line], name: &str) -> Vec<Statement> {
    let acl = lines.iter().filter(|line| line.section == "acl");
    let mut inside = false;
    let mut out: Vec<Statement> = Vec::new();
    for line in acl {
        if let Some(label) = line.text.strip_suffix(':').filter(|label| is_label(label)) {
            inside = label == name;
            continue;
        }
        if !inside {
            continue;
        }
        let (first, rest) = line.text.split_once([' ', '\t']).unwrap_or((&line.text, ""));
        let condition = match VERBS.contains(&first) {
            true => {
                out.push(Statement { line: line.number, verb: first.to_owned(), conditions: Vec::new() });
                rest.trim()
            }
            false => line.text.as_str(),
        };
        if let (Some(statement), false) = (out.last_mut(), condition.is_empty()) {
            let negated = condition.starts_with('!');
            let condition = condition.trim_start_matches('!').trim_start();
            let (name, value) = condition.split_once('=').unwrap_or((condition, ""));
            statement.conditions.push((negated, name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    out
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a condition holds for a stranger and a recipient elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It does, or the client can see to it.
    Holds,
    /// It does not.
    Fails,
    /// It does if the client claims a certain reverse-path.
    Claimed,
    /// Nobody can tell from the file.
    Untold,
}

impl Truth {
    fn not(self) -> Truth {
        match self {
            Truth::Holds => Truth::Fails,
            Truth::Fails => Truth::Holds,
            other => other,
        }
    }
}

/// Tells whether lists hold everybody, or every domain.
pub trait Lists {
    /// Whether a stranger is in a host list.
    fn stranger(&self, list: &str) -> Truth;
    /// Whether a domain elsewhere is in a domain list.
    fn elsewhere(&self, list: &str) -> Truth;
}

/// What an ACL does.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The statement (by number) that accepts everything, if one is reached.
    pub open: Option<usize>,
    /// The statement that refuses; none if the end of the ACL does.
    pub closed: Option<usize>,
    /// Statements before that accept whoever claims a certain reverse-path.
    pub claimed: Vec<usize>,
    /// Statements before that accept some clients for every recipient.
    pub some: Vec<usize>,
}

/// Walks an ACL.
pub fn walk(statements: &[Statement], lists: &dyn Lists) -> Walk {
    let mut walk = Walk::default();
    for (number, statement) in statements.iter().enumerate() {
        let (before, behind) = split(statement);
        let holds = all(before.iter().chain(behind.iter()).copied(), lists);
        match statement.verb.as_str() {
            "accept" => {
                let reached = all(before.iter().copied(), lists) == Truth::Holds;
                match holds {
                    Truth::Holds => {
                        walk.open = Some(number);
                        return walk;
                    }
                    Truth::Claimed => walk.claimed.push(number),
                    Truth::Fails if reached && !behind.is_empty() => {
                        walk.closed = Some(number);
                        return walk;
                    }
                    _ if !statement.conditions.iter().any(|(_, name, _)| is_of_recipient(name)) => {
                        walk.some.push(number);
                    }
                    _ => {}
                }
            }
            "require" if holds == Truth::Fails => {
                walk.closed = Some(number);
                return walk;
            }
            "deny" | "drop" | "defer" | "discard" if holds == Truth::Holds => {
                walk.closed = Some(number);
                return walk;
            }
            _ => {}
        }
    }
    walk
}

/// The conditions before `endpass`, and those behind it.
fn split(statement: &Statement) -> (Vec<&Condition>, Vec<&Condition>) {
    let at = statement.conditions.iter().position(|(_, name, _)| name == "endpass");
    let at = at.unwrap_or(statement.conditions.len());
    (statement.conditions[..at].iter().collect(), statement.conditions[at..].iter().collect())
}

fn all<'a>(conditions: impl Iterator<Item = &'a Condition>, lists: &dyn Lists) -> Truth {
    let mut result = Truth::Holds;
    for condition in conditions {
        match (truth(condition, lists), result) {
            (Truth::Fails, _) => return Truth::Fails,
            (Truth::Untold, _) => result = Truth::Untold,
            (Truth::Claimed, Truth::Holds) => result = Truth::Claimed,
            _ => {}
        }
    }
    result
}

fn is_of_recipient(name: &str) -> bool {
    matches!(name, "domains" | "recipients" | "local_parts")
}

fn truth((negated, name, value): &Condition, lists: &dyn Lists) -> Truth {
    let plain = match name.as_str() {
        "hosts" => lists.stranger(value),
        "domains" => lists.elsewhere(value),
        "authenticated" | "dnslists" | "ratelimit" | "malware" | "spam" | "regex" | "local_parts" | "recipients" => {
            Truth::Fails
        }
        "senders" | "sender_domains" => return Truth::Claimed,
        // A client that takes the trouble passes these.
        "encrypted" => Truth::Holds,
        "verify" if !value.starts_with("certificate") => Truth::Holds,
        "condition" => match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Truth::Holds,
            "false" | "no" | "0" | "" => Truth::Fails,
            _ => Truth::Untold,
        },
        "acl" | "verify" | "seen" => Truth::Untold,
        // Modifiers always hold, negated or not.
        _ => return Truth::Holds,
    };
    if *negated { plain.not() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::super::super::files::ConfigFile;
    use super::super::syntax::lines;
    use super::*;

    struct Simple;

    impl Lists for Simple {
        fn stranger(&self, list: &str) -> Truth {
            if list == "*" || list.starts_with('!') { Truth::Holds } else { Truth::Fails }
        }
        fn elsewhere(&self, list: &str) -> Truth {
            if list == "*" || list.starts_with('!') { Truth::Holds } else { Truth::Fails }
        }
    }

    fn check(acl: &str, expected: &str) {
        let text = format!("begin acl\nother:\n  accept\nrcpt:\n{acl}\nlast:\n  deny\n");
        let file = ConfigFile::new("exim.conf".into(), text.as_bytes(), 0, true);
        let walk = walk(&statements(&lines(&file), "rcpt"), &Simple);
        let found = format!("{:?} {:?} {:?} {:?}", walk.open, walk.closed, walk.claimed, walk.some);
        assert_eq!(found, expected, "{acl}");
    }

    #[test]
    fn who_passes_an_acl() {
        check("  accept hosts = +relay\n  require domains = +local\n  accept", "None Some(1) [] [0]");
        check("  accept\n  deny", "Some(0) None [] []");
        check("  deny message = x\n       domains = !+local\n  accept", "None Some(0) [] []");
        check("  deny !domains = +local\n  accept", "None Some(0) [] []");
        check("  accept domains = +local\n  endpass\n  verify = recipient\n  accept", "Some(1) None [] []");
        check("  accept hosts = *\n  endpass\n  domains = +local\n  accept", "None Some(0) [] []");
        check("  accept senders = *@example.org\n  require domains = +local", "None Some(1) [0] []");
        check("  accept authenticated = *\n  accept domains = +local", "None None [] [0]");
        check("  accept hosts = *\n condition = ${if eq{a}{b}}\n  deny", "None Some(1) [] [0]");
        check("  deny dnslists = x\n  accept hosts = !+relay", "Some(1) None [] []");
        check("  warn\n  accept condition = yes", "Some(1) None [] []");
        check("", "None None [] []");
    }
}
