//! `sendmail.mc`: the m4 macros from which the configuration is made.
//!
//! `dnl` ends a line, `divert(-1)` throws away what follows until the next `divert`, quotes are `` ` `` and `'`
//! (cf/README, "A BRIEF INTRODUCTION TO M4").

use super::super::files::ConfigFile;
use super::super::gather::At;
use super::Server;
use crate::site::opening::Lets;

/// Reads the file.
pub fn read<'a>(file: &'a ConfigFile, server: &mut Server<'a>) {
    let mut thrown_away = false;
    for (line, text) in file.entries() {
        for (name, arguments) in calls(text) {
            if name == "divert" {
                thrown_away = arguments.first().is_some_and(|to| *to == "-1");
            } else if !thrown_away {
                call(At { file, line }, name, &arguments, server);
            }
        }
    }
}

fn call<'a>(at: At<'a>, name: &str, arguments: &[&str], server: &mut Server<'a>) {
    let first = arguments.first().copied().unwrap_or_default();
    let second = arguments.get(1).copied().unwrap_or_default();
    match name {
        "FEATURE" => feature(at, first, server),
        "define" if first == "confDOMAIN_NAME" => {
            server.gather.server_name(at, second, "its name: confDOMAIN_NAME");
            server.gather.domain(at, second, "the server's own name is local");
        }
        "LOCAL_DOMAIN" => {
            let domains = first.split([' ', '\t', ',']).filter(|domain| !domain.is_empty());
            domains.for_each(|domain| server.gather.domain(at, domain, "listed in LOCAL_DOMAIN"));
        }
        "RELAY_DOMAIN" => {
            let domains = first.split([' ', '\t', ',']).filter(|domain| !domain.is_empty());
            domains.for_each(|domain| server.relay(at, domain, "listed in RELAY_DOMAIN"));
        }
        _ => {}
    }
}

/// What each feature lets happen: cf/README, "FEATURES".
fn feature(at: At<'_>, name: &str, server: &mut Server<'_>) {
    let lets = match name {
        "promiscuous_relay" => Lets::AnyClient,
        "relay_local_from" => Lets::ClaimedSender,
        "relay_mail_from" => {
            // It works through `From:` entries of the access table, which are reported where they stand.
            server.sender_relays = true;
            return;
        }
        "relay_based_on_MX" | "bestmx_is_local" => Lets::AnyMx,
        "loose_relay_check" => Lets::Disguised,
        "relay_entire_domain" => Lets::Name { top_level: false },
        "accept_unresolvable_domains" | "accept_unqualified_senders" => Lets::UnknownSenders,
        _ => return,
    };
    server.gather.opening(at, &format!("FEATURE(`{name}')"), lets);
}

/// The macro calls of a line, before `dnl`: name and arguments, without their quotes.
fn calls(line: &str) -> Vec<(&str, Vec<&str>)> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find('(') {
        let before = &rest[..open];
        let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        // The character before a name may have several bytes.
        let name = before.get(start..).unwrap_or_default();
        if before.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == "dnl") {
            break;
        }
        let (arguments, after) = arguments(&rest[open + 1..]);
        out.push((name, arguments));
        rest = after;
    }
    out
}

/// Arguments up to the closing parenthesis, and the text behind it.
fn arguments(text: &str) -> (Vec<&str>, &str) {
    let (mut quotes, mut nested, mut start) = (0usize, 0usize, 0);
    let mut out = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '`' => quotes += 1,
            '\'' => quotes = quotes.saturating_sub(1),
            '(' if quotes == 0 => nested += 1,
            ')' if quotes == 0 && 0 < nested => nested -= 1,
            ')' if quotes == 0 => {
                out.push(unquoted(&text[start..at]));
                return (out, &text[at + 1..]);
            }
            ',' if quotes == 0 && nested == 0 => {
                out.push(unquoted(&text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(unquoted(&text[start..]));
    (out, "")
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('`').and_then(|text| text.strip_suffix('\'')).unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macro_calls() {
        for (line, expected) in [
            ("FEATURE(`promiscuous_relay')dnl", r#"[("FEATURE", ["promiscuous_relay"])]"#),
            ("define(`A', `b, (c)')dnl define(`no')", r#"[("define", ["A", "b, (c)"])]"#),
            ("dnl FEATURE(`promiscuous_relay')", "[]"),
            ("FEATURE(access_db, `hash -T<TMPF> x')", r#"[("FEATURE", ["access_db", "hash -T<TMPF> x"])]"#),
            ("é(`x", r#"[("", ["`x"])]"#),
            ("a(b(c))d(e)", r#"[("a", ["b(c)"]), ("d", ["e"])]"#),
        ] {
            assert_eq!(format!("{:?}", calls(line)), expected, "{line}");
        }
    }
}
