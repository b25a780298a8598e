//! What is logged around qmail-smtpd: by tcpserver and rblsmtpd before it, by the CHKUSER patch in it, by spamdyke in front of it.
//!
//! Paths, EHLO names and ident answers are the client's text and are not quoted. Where one of them repeats a mark of the
//! log, nothing tells the two apart: the line is unparsed, and no client is taken from it.

use crate::paths::Paths;
use crate::record::{Event, Peer, Refusal, Reply};
use crate::reply::reply;
use crate::text::{Expected, Parsed, address, split_at_only};
use memchr::memchr;

const ONE_OF_EACH: &str = "each mark of the line exactly once";

fn wanted<'a>(rest: &'a [u8], what: &'static str) -> nom::Err<Expected<'a>> {
    nom::Err::Error(Expected { rest, what })
}

/// Parses `2101 from 203.0.113.9`: a connection. All services behind tcpserver log it (ucspi-tcp 0.88, tcpserver.c).
pub fn tcpserver(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let from = split_at_only(input, b" from ").and_then(|(_, from)| address(from));
    let address = from.ok_or_else(|| wanted(input, "`PID from ADDRESS`"))?;
    Ok((b"", Event::Connect { client: Peer { address: Some(address), name: b"" }, once: false }))
}

/// Parses `203.0.113.9 pid 2101: 451 http://...`: rblsmtpd answers every command with that (rblsmtpd.c). Other shapes are older
/// or patched ones, and say nothing that is used.
pub fn rblsmtpd(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let space = memchr(b' ', input).unwrap_or(input.len());
    let said = input[space..].strip_prefix(b" pid ").and_then(|rest| Some(&rest[memchr(b':', rest)? + 1..]));
    let (Some(address), Some(said)) = (address(&input[..space]), said) else {
        return Ok((b"", Event::Other));
    };
    // Patched ones name the list before the reply: ` sbl.example.net: 451 ...`.
    let said = said.trim_ascii_start();
    let answer = match (reply(said), memchr(b':', said)) {
        (Reply { code: 0, .. }, Some(colon)) => reply(said[colon + 1..].trim_ascii_start()),
        (answer, _) => answer,
    };
    Ok((b"", refused(Peer { address: Some(address), name: b"" }, b"CONNECT", answer, Refusal::ClientBlocked)))
}

fn refused<'a>(client: Peer<'a>, stage: &'static [u8], reply: Reply<'a>, refusal: Refusal) -> Event<'a> {
    Event::Refused { client, stage, reply, refusal, reverse_path: None, forward_path: None, helo: b"", account: None }
}

/// Parses what follows `CHKUSER `: `BRIEF: from <S:ACCOUNT:X> remote <HELO:HOST:ADDRESS> rcpt <R> : EXTENDED`.
///
/// (CHKUSER 2.0.9, CHKUSER.log_format.) ACCOUNT is who logged in, or else what the client's ident service says, if tcpserver asks
/// it; HOST is `unknown` without a name. A host name has no `:`, an account none before the one that ends it.
pub fn chkuser(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let fields = split_at_only(input, b": from <").and_then(|(brief, rest)| {
        let (from, rest) = split_at_only(rest, b"> remote <")?;
        let (remote, rest) = split_at_only(rest, b"> rcpt <")?;
        let (forward_path, extended) = split_at_only(rest, b"> : ")?;
        Some((brief, from, remote, forward_path, extended))
    });
    let (brief, from, remote, forward_path, extended) = fields.ok_or_else(|| wanted(input, ONE_OF_EACH))?;
    let (from, _) = last_field(from).ok_or_else(|| wanted(from, "`SENDER:ACCOUNT:X`"))?;
    let (reverse_path, account) = last_field(from).ok_or_else(|| wanted(from, "`SENDER:ACCOUNT:X`"))?;
    let (helo, client) = remote_host(remote).ok_or_else(|| wanted(remote, "`HELO:HOST:ADDRESS`"))?;
    let account = Some(account).filter(|account| !account.is_empty());
    let refuse = |stage: &'static [u8], refusal, forward_path| Event::Refused {
        client,
        stage,
        reply: Reply { code: 0, text: extended },
        refusal,
        reverse_path: Some(reverse_path),
        forward_path,
        helo,
        account,
    };
    let event = match (brief, extended) {
        (b"accepted rcpt" | b"relaying rcpt", _) => Event::Whole {
            client,
            helo,
            account,
            reverse_path: Some(reverse_path),
            header_from: b"",
            forward_paths: Paths::from(forward_path),
            size_bytes: 0,
            complete: true,
            refusal: None,
        },
        (b"rejected relaying", _) => refuse(b"RCPT", Refusal::RelayDenied, Some(forward_path)),
        (b"rejected rcpt", b"not existing recipient") => refuse(b"RCPT", Refusal::UnknownUser, Some(forward_path)),
        (b"rejected rcpt", b"invalid rcpt address format") => refuse(b"RCPT", Refusal::BadSyntax, Some(forward_path)),
        (b"must auth" | b"no auth resource", _) => refuse(b"MAIL", Refusal::SenderNotAllowed, None),
        (b"rejected sender", _) => refuse(b"MAIL", Refusal::Other, None),
        (b"rejected rcpt" | b"mbx overquota" | b"rejected intrusion" | b"intrusion threshold", _) => {
            refuse(b"RCPT", Refusal::Other, Some(forward_path))
        }
        _ => Event::Other,
    };
    Ok((b"", event))
}

/// Splits off what follows the last `:`.
fn last_field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memrchr(b':', text)?;
    Some((&text[..colon], &text[colon + 1..]))
}

/// Splits `HELO:HOST:ADDRESS`. An IPv6 address has colons itself: it is what follows the only `:HOST:` that leaves an address,
/// and where more than one does, the EHLO name may have been made to: `None`.
fn remote_host(text: &[u8]) -> Option<(&[u8], Peer<'_>)> {
    // The longest address, ::ffff:255.255.255.255 aside, is 39 long: only there can one begin.
    const LONGEST: usize = 46;
    let start = text.len().saturating_sub(LONGEST);
    let starts = text.iter().enumerate().skip(start).filter(|(_, byte)| **byte == b':').map(|(at, _)| at);
    let mut found = None;
    for at in starts {
        let Some(address) = address(&text[at + 1..]) else { continue };
        let Some((helo, name)) = last_field(&text[..at]) else { continue };
        // Inside an address, what stands before a colon are hexadecimal digits, or nothing: no host name is so short.
        let is_name = name == b"unknown" || name.is_empty() || memchr(b'.', name).is_some();
        if is_name && (found.is_none() || !address.is_ipv6()) {
            let name: &[u8] = if name == b"unknown" { b"" } else { name };
            found = Some((helo, Peer { address: Some(address), name }));
        }
    }
    found
}

/// Parses what spamdyke says: `DENIED_RBL_MATCH from: S to: R origin_ip: ADDRESS origin_rdns: HOST auth: ACCOUNT ...`, with
/// `(unknown)` for what there is not (spamdyke README, "Logging"; no sample seen).
pub fn spamdyke(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let Some((code, _)) = split_word(input).filter(|(code, _)| code.starts_with(b"DENIED_") || *code == b"ALLOWED")
    else {
        return Ok((b"", Event::Other));
    };
    let fields = split_at_only(input, b" from: ").and_then(|(_, rest)| {
        let (reverse_path, rest) = split_at_only(rest, b" to: ")?;
        let (forward_path, rest) = split_at_only(rest, b" origin_ip: ")?;
        let (address, rest) = split_at_only(rest, b" origin_rdns: ")?;
        let (name, rest) = split_at_only(rest, b" auth: ")?;
        Some((reverse_path, forward_path, address, name, rest))
    });
    let (reverse_path, forward_path, ip, name, rest) = fields.ok_or_else(|| wanted(input, ONE_OF_EACH))?;
    let known = |text: &'_ [u8]| text != b"(unknown)";
    let address = address(ip).ok_or_else(|| wanted(ip, "an address"))?;
    let client = Peer { address: Some(address), name: if known(name) { name } else { b"" } };
    let account = split_word(rest).map(|(account, _)| account).filter(|account| known(account));
    let reverse_path = Some(reverse_path).filter(|path| known(path));
    let (reply, helo) = (Reply { code: 0, text: code }, b"".as_slice());
    let refusal = match code {
        b"ALLOWED" => {
            let forward_paths = Paths::from(forward_path);
            let event = Event::Whole {
                client,
                helo,
                account,
                reverse_path,
                header_from: b"",
                forward_paths,
                size_bytes: 0,
                complete: true,
                refusal: None,
            };
            return Ok((b"", event));
        }
        b"DENIED_RELAYING" | b"DENIED_UNQUALIFIED_RELAYING" => Refusal::RelayDenied,
        b"DENIED_INVALID_RECIPIENT" | b"DENIED_RECIPIENT_MAILBOX" => Refusal::UnknownUser,
        b"DENIED_GRAYLISTED" | b"DENIED_TOO_MANY_RECIPIENTS" => Refusal::Greylisted,
        _ if code.starts_with(b"DENIED_RBL") || code.starts_with(b"DENIED_RDNS") => Refusal::ClientBlocked,
        _ => Refusal::Other,
    };
    let forward_path = Some(forward_path).filter(|path| known(path));
    let event = Event::Refused { client, stage: b"RCPT", reply, refusal, reverse_path, forward_path, helo, account };
    Ok((b"", event))
}

fn split_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b' ', text).unwrap_or(text.len());
    (0 < end).then(|| text.split_at(end))
}
