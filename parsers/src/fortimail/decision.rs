//! The history log: what was decided on a message (`disposition`), and which feature decided it (`classifier`).
//!
//! Both are words of FortiMail's own; logs downloaded from it give the numbers that stand for them.

use super::fields::Fields;
use crate::paths::{Paths, is_whole};
use crate::record::{Event, Peer, Refusal, Reply};
use crate::text::{Expected, address, is_closed, number};

/// Reads a line of the history log. Every key that is used must be there once.
pub fn event(fields: Fields<'_>) -> Result<Event<'_>, nom::Err<Expected<'_>>> {
    let one = |key: &[u8]| fields.only(key);
    let client = client(one(b"client_ip")?.unwrap_or_default(), one(b"client_name")?.unwrap_or_default());
    let (reverse_path, to) = (one(b"from")?, one(b"to")?.unwrap_or_default());
    if ![reverse_path.unwrap_or_default(), to].into_iter().all(is_closed) {
        return Err(fields.wanted("paths with closed quotation marks"));
    }
    // A piece of a path ends where a client wrote what looks like another field.
    if !reverse_path.is_none_or(is_whole) || !Paths::list(to, b',').iter().all(is_whole) {
        return Err(fields.wanted("whole paths"));
    }
    let (disposition, classifier) = (one(b"disposition")?.unwrap_or_default(), one(b"classifier")?.unwrap_or_default());
    let (size, message_id) = (one(b"message_length")?, one(b"message_id")?.unwrap_or_default());
    let (taken, refusal) = decided(disposition, classifier);
    if refusal.is_some() && is_auth_failure(classifier) {
        return Ok(Event::AuthFailed { client, account: None });
    }
    let helo = b"".as_slice();
    Ok(match refusal {
        Some(refusal) if to.is_empty() => Event::Refused {
            client,
            stage: if reverse_path.is_some_and(|path| !path.is_empty()) { b"MAIL" } else { b"CONNECT" },
            reply: Reply::default(),
            refusal,
            reverse_path,
            forward_path: None,
            helo,
            account: None,
        },
        _ => Event::Decided {
            client,
            helo,
            reverse_path,
            // `from` is the reverse-path; the header is not logged.
            header_from: b"",
            forward_paths: Paths::list(to, b','),
            message_id,
            size_bytes: size.and_then(number).unwrap_or(0),
            taken,
            refusal,
        },
    })
}

/// The client. Before `client_ip` there was only the name, which is an address where there is none: `[192.0.2.9]`.
fn client<'a>(ip: &'a [u8], name: &'a [u8]) -> Peer<'a> {
    match (address(ip), address(name)) {
        (Some(ip), None) => Peer { address: Some(ip), name },
        (ip, named) => Peer { address: ip.or(named), name: if named.is_some() { b"" } else { name } },
    }
}

/// Whether the message was taken and handed on, and why not. Dispositions are several, as `System Quarantine;Notification`;
/// those that change the message or send it elsewhere too hand it on.
fn decided(disposition: &[u8], classifier: &[u8]) -> (bool, Option<Refusal>) {
    let has =
        |want: &dyn Fn(&[u8]) -> bool| disposition.split(|byte| *byte == b';').any(|word| want(word.trim_ascii()));
    if has(&|word| word == b"Reject") {
        (false, Some(refusal(classifier)))
    } else if has(&|word| matches!(word, b"Delay" | b"0x200")) {
        (false, Some(Refusal::Greylisted))
    } else if has(&|word| word == b"Discard" || word.ends_with(b"Quarantine")) {
        (false, Some(Refusal::Content))
    } else {
        let is_number = has(&|word| word.is_empty() || word.starts_with(b"0x"));
        (!is_number, None)
    }
}

fn is_auth_failure(classifier: &[u8]) -> bool {
    matches!(classifier, b"SMTP Auth Failure" | b"0x36")
}

/// Why a message was rejected, by the feature that did it.
fn refusal(classifier: &[u8]) -> Refusal {
    const RELAY: &[u8] = b"relay denied";
    if classifier.windows(RELAY.len()).any(|part| part.eq_ignore_ascii_case(RELAY)) {
        return Refusal::RelayDenied;
    }
    match classifier {
        b"Recipient Verification" | b"0x26" => Refusal::UnknownUser,
        b"Grey List" | b"0x12" => Refusal::Greylisted,
        b"DNSBL"
        | b"RBL"
        | b"0x05"
        | b"FortiGuard AntiSpam-IP"
        | b"FortiGuard AntiSpam Black IP"
        | b"0x31"
        | b"Endpoint Reputation"
        | b"0x28"
        | b"Sender Reputation" => Refusal::ClientBlocked,
        b"Sender Verification" | b"0x3F" => Refusal::SenderNotAllowed,
        b"" | b"Undefined" | b"0x00" => Refusal::Unsaid,
        _ => Refusal::Other,
    }
}
