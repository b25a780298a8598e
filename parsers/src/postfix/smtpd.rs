//! What smtpd says about sessions, log-ins and messages that begin.

use super::Prefix;
use super::atoms::peer;
use super::attributes::Dialect;
use super::refused;
use crate::record::{Event, Peer, Refusal, Reply};
use crate::text::{self, Parsed, expect, number};
use memchr::memmem;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag};
use nom::sequence::{delimited, terminated};

/// Parses a statement of smtpd.
pub fn statement<'a>(prefix: Prefix<'a>, input: &'a [u8]) -> Parsed<'a, Event<'a>> {
    if prefix == Prefix::Bare {
        return bare(input);
    }
    match input.strip_prefix(b"client=") {
        // A before-queue filter is tried with this client; the queue file, if any, is opened behind the filter.
        Some(_) if prefix == Prefix::NoQueue => Ok((b"", Event::Other)),
        Some(rest) => accepted(rest),
        None => refused::statement(Dialect::Smtpd, input),
    }
}

fn bare(input: &[u8]) -> Parsed<'_, Event<'_>> {
    if let Some(rest) = input.strip_prefix(b"connect from ") {
        return peer(rest).map(|(rest, client)| (rest, Event::Connect { client, once: false }));
    }
    if let Some(rest) = input.strip_prefix(b"disconnect from ") {
        return disconnect(rest);
    }
    if let Some(rest) = input.strip_prefix(b"warning: ") {
        return warning(rest);
    }
    // Old releases (1.x) write no `NOQUEUE: `.
    refused::statement(Dialect::Smtpd, input)
}

/// Parses `HOST[IP] ehlo=1 auth=0/3 quit=1 commands=2/5`; the counts exist since 3.0.
///
/// `a/b` is accepted and all commands, a single number means that all were accepted.
fn disconnect(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, client) = peer(input)?;
    let auth = rest.split(|b| *b == b' ').find_map(|word| word.strip_prefix(b"auth="));
    let auth_failures = auth.map_or(0, failures);
    Ok((b"", Event::Disconnect { client, auth_failures }))
}

fn failures(count: &[u8]) -> u32 {
    let mut parts = count.split(|b| *b == b'/').map(|part| number(part).unwrap_or(0));
    match (parts.next(), parts.next()) {
        (Some(accepted), Some(all)) => u32::try_from(all.saturating_sub(accepted)).unwrap_or(u32::MAX),
        _ => 0,
    }
}

/// The names that can follow `client=` (smtpd.c, mail_open_stream).
const NAMES: [&[u8]; 7] =
    [b"sasl_method=", b"sasl_username=", b"sasl_sender=", b"tls=", b"orig_queue_id=", b"orig_client=", b"client="];

/// Parses `HOST[IP], sasl_method=M, sasl_username=U, orig_queue_id=Q, orig_client=HOST[IP]`.
///
/// The original client, which a filter passes on with XFORWARD, replaces the one that
/// connected. An account may hold any text: it ends where a known name follows a comma.
fn accepted(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (mut rest, mut client) = peer(input)?;
    let (mut account, mut original_id) = (None, None);
    while let Some(attribute) = rest.strip_prefix(b", ") {
        let (name, value) = attribute.split_at(memchr::memchr(b'=', attribute).map_or(attribute.len(), |at| at + 1));
        let (value, behind) = value.split_at(value_length(value));
        match name {
            b"sasl_method=" => account = hidden_account(value),
            b"sasl_username=" => account = Some(value).filter(|value| !value.is_empty()),
            b"orig_queue_id=" => original_id = Some(value).filter(|value| !value.is_empty()),
            b"orig_client=" => client = peer(value)?.1,
            _ => (),
        }
        rest = behind;
    }
    Ok((b"", Event::Accepted { client, account, original_id }))
}

/// The account of a log copied from a web page that hides addresses: its script took what looked like one, the name of
/// the attribute included, and left `sasl_method=LOGIN, [email protected]`. A method stands there only after a log-in.
fn hidden_account(method: &[u8]) -> Option<&[u8]> {
    let (_, behind) = method.split_at_checked(memchr::memchr(b',', method)? + 2)?;
    text::HIDDEN_ADDRESSES.contains(&behind).then_some(behind)
}

/// Length of an attribute's value: up to the next comma that a known name follows.
fn value_length(value: &[u8]) -> usize {
    let is_end = |at: &usize| {
        let behind = value[*at..].strip_prefix(b", ");
        behind.is_some_and(|behind| NAMES.iter().any(|name| behind.starts_with(name)))
    };
    memchr::memchr_iter(b',', value).find(is_end).unwrap_or(value.len())
}

/// Parses what follows `warning: `: a failed log-in, an address that Postfix cannot parse, or anything else.
fn warning(input: &[u8]) -> Parsed<'_, Event<'_>> {
    if let Some(rest) = input.strip_prefix(b"Illegal address syntax from ") {
        return illegal_address(rest);
    }
    Ok(auth_failed(input).unwrap_or((b"", Event::Other)))
}

/// Parses `HOST[IP]: SASL LOGIN authentication failed: REASON, sasl_username=U`; old releases log no account.
///
/// The reason is the server's, the account the client's, so the first `, sasl_username=`
/// begins the account and all the rest is the account. `(unavailable)` stands for none.
/// Observed: Postfix 3.7.11, when Dovecot hung up before it said the name.
fn auth_failed(input: &[u8]) -> Parsed<'_, Event<'_>> {
    const ACCOUNT: &[u8] = b", sasl_username=";
    let (rest, client) = terminated(peer, tag(": ")).parse(input)?;
    let (rest, _) = delimited(tag("SASL "), is_not(" "), tag(" authentication failed")).parse(rest)?;
    let account = memmem::find(rest, ACCOUNT).map(|at| &rest[at + ACCOUNT.len()..]);
    let account = account.filter(|account| !account.is_empty() && *account != b"(unavailable)");
    Ok((b"", Event::AuthFailed { client, account }))
}

/// Parses `HOST[IP] in RCPT command: <a@b@c>`: smtpd answered 501 (smtpd.c, mail_cmd and rcpt_cmd).
/// The address is what the client sent, without the outer angle brackets if it had them.
fn illegal_address(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, client) = peer(input)?;
    let stage = expect(
        "the command: ` in RCPT command`",
        delimited(tag(" in "), alt((tag("MAIL"), tag("RCPT"))), tag(" command")),
    );
    let (rest, stage) = terminated(stage, expect("`: ` and the address", tag(": "))).parse(rest)?;
    let address = rest.strip_prefix(b"<").and_then(|inside| inside.strip_suffix(b">")).unwrap_or(rest);
    let is_forward = stage == b"RCPT";
    Ok((b"", syntax_error(client, stage, (!is_forward).then_some(address), is_forward.then_some(address))))
}

fn syntax_error<'a>(
    client: Peer<'a>,
    stage: &'a [u8],
    reverse_path: Option<&'a [u8]>,
    forward_path: Option<&'a [u8]>,
) -> Event<'a> {
    Event::Refused {
        client,
        stage,
        reply: Reply { code: 501, text: b"" },
        refusal: Refusal::BadSyntax,
        reverse_path,
        forward_path,
        helo: b"",
        account: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;
    use crate::text::address;

    fn client<'a>(name: &'a str, ip: &str) -> Peer<'a> {
        Peer { address: address(ip.as_bytes()), name: name.as_bytes() }
    }

    fn bare(text: &str, event: Event<'_>) {
        check("postfix/smtps/smtpd", text, Ok((Some(("postfix/smtps/smtpd", "77")), None, event)));
    }

    #[test]
    fn sessions() {
        let peer = client("h.example", "192.0.2.1");
        bare("connect from h.example[192.0.2.1]", Event::Connect { client: peer, once: false });
        bare(
            "connect from unknown[2001:db8::1]:4711",
            Event::Connect { client: client("", "2001:db8::1"), once: false },
        );
        let end = |auth_failures| Event::Disconnect { client: peer, auth_failures };
        bare("disconnect from h.example[192.0.2.1]", end(0));
        bare("disconnect from h.example[192.0.2.1] ehlo=2 auth=0/3 quit=1 commands=3/6", end(3));
        bare("disconnect from h.example[192.0.2.1] ehlo=2 auth=1/3 commands=3/5", end(2));
        bare("disconnect from h.example[192.0.2.1] ehlo=2 auth=1 commands=3", end(0));
        bare("lost connection after DATA (123 bytes) from h.example[192.0.2.1]", Event::Other);
        bare("warning: hostname h does not resolve to address 192.0.2.1", Event::Other);
        check("postfix/smtpd", "connect from ", Err("`[` to open the address of the host"));
    }

    #[test]
    fn messages_that_begin() {
        let case = |text: &str, event| {
            let keys = (Some(("postfix/smtpd", "77")), Some(("postfix", "4F1A2C0012")));
            check("postfix/smtpd", &format!("4F1A2C0012: client={text}"), Ok((keys.0, keys.1, event)));
        };
        let peer = client("", "198.51.100.77");
        let accepted = |client, account: Option<&'static str>, original_id: Option<&'static str>| Event::Accepted {
            client,
            account: account.map(str::as_bytes),
            original_id: original_id.map(str::as_bytes),
        };
        case("unknown[198.51.100.77]", accepted(peer, None, None));
        case("unknown[198.51.100.77], sasl_method=LOGIN, sasl_username=alice", accepted(peer, Some("alice"), None));
        case(
            "unknown[198.51.100.77], sasl_method=X, sasl_username=a, b=c, sasl_sender=d",
            accepted(peer, Some("a, b=c"), None),
        );
        case("unknown[198.51.100.77], sasl_method=PLAIN, sasl_username=", accepted(peer, None, None));
        case(
            "unknown[198.51.100.77], sasl_method=PLAIN, [email protected]",
            accepted(peer, Some("[email protected]"), None),
        );
        case("unknown[198.51.100.77], sasl_method=PLAIN, x", accepted(peer, None, None));
        case("unknown[198.51.100.77], sasl_method=PLAIN,", accepted(peer, None, None));
        // An address that was made unreadable.
        let nobody = Peer { address: None, name: b"" };
        for hidden in ["xxx.xxx.202.132", "x.x.x.x", "***", "1.2.x.x"] {
            case(&format!("unknown[{hidden}]"), accepted(nobody, None, None));
        }
        let original = client("h.example", "192.0.2.1");
        case(
            "localhost[127.0.0.1], orig_queue_id=4F1A2C0001, orig_client=h.example[192.0.2.1]",
            accepted(original, None, Some("4F1A2C0001")),
        );
        case("unknown[198.51.100.77], new, later=1", accepted(peer, None, None));
        let session = Some(("postfix/smtpd", "77"));
        check("postfix/smtpd", "NOQUEUE: client=h[192.0.2.1]", Ok((session, None, Event::Other)));
        check("postfix/smtpd", "4F1A2C0012: client=h", Err("`[` to open the address of the host"));
    }

    #[test]
    fn failed_log_ins() {
        let peer = client("", "203.0.113.9");
        let failed =
            |account: Option<&'static str>| Event::AuthFailed { client: peer, account: account.map(str::as_bytes) };
        let start = "warning: unknown[203.0.113.9]: SASL LOGIN authentication failed";
        bare(&format!("{start}: UGFzc3dvcmQ6"), failed(None));
        bare(&format!("{start}: (reason unavailable), sasl_username=admin"), failed(Some("admin")));
        bare(&format!("{start}: Connection lost to authentication server, sasl_username=(unavailable)"), failed(None));
        bare(&format!("{start}: x, sasl_username=a, sasl_username=b"), failed(Some("a, sasl_username=b")));
        bare(start, failed(None));
        bare("warning: SASL authentication failure: Password verification failed", Event::Other);
        bare("warning: unknown[203.0.113.9]: SASL LOGIN authentication aborted", Event::Other);
    }

    #[test]
    fn addresses_that_are_none() {
        let peer = client("h", "203.0.113.9");
        let start = "warning: Illegal address syntax from h[203.0.113.9] in";
        bare(
            &format!("{start} RCPT command: <a%b@c@[192.0.2.1]>"),
            syntax_error(peer, b"RCPT", None, Some(b"a%b@c@[192.0.2.1]")),
        );
        bare(&format!("{start} MAIL command: <a>b>"), syntax_error(peer, b"MAIL", Some(b"a>b"), None));
        bare(&format!("{start} RCPT command: a b"), syntax_error(peer, b"RCPT", None, Some(b"a b")));
        check(
            "postfix/smtpd",
            "warning: Illegal address syntax from h[203.0.113.9]",
            Err("the command: ` in RCPT command`"),
        );
        check("postfix/smtpd", &format!("{start} RCPT command"), Err("`: ` and the address"));
    }
}
