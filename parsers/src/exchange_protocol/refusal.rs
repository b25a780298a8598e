//! Why Exchange refused, from its own wording.

use crate::record::{Refusal, Reply};

/// Wordings, each of them at the beginning of what follows the enhanced status code; the first that fits counts.
/// From Microsoft's documentation and the format note exchange-smtp-protocol.
const WORDINGS: [(Refusal, &[u8]); 13] = [
    (Refusal::RelayDenied, b"SMTP; Unable to relay"),
    (Refusal::RelayDenied, b"Unable to relay"),
    (Refusal::SenderNotAllowed, b"SMTP; Client does not have permissions to send as"),
    (Refusal::SenderNotAllowed, b"Client does not have permissions to send as"),
    (Refusal::ClientBlocked, b"External client with IP address"),
    (Refusal::ClientBlocked, b"Recipient not authorized, your IP has been found on a block list"),
    (Refusal::ClientBlocked, b"Client host rejected"),
    (Refusal::UnknownUser, b"User unknown"),
    (Refusal::UnknownUser, b"RESOLVER.ADR.RecipNotFound"),
    (Refusal::UnknownUser, b"RESOLVER.ADR.RecipientNotFound"),
    (Refusal::UnknownUser, b"Recipient not found"),
    (Refusal::BadSyntax, b"Invalid address"),
    (Refusal::BadSyntax, b"Unrecognized"),
];

/// Why a command was refused; `None` for an answer below 400.
///
/// Where the wording is not known (administrators may change it), the enhanced status code tells (RFC 3463, and
/// 5.7.54 of Exchange 2013).
pub fn refusal(reply: &Reply<'_>) -> Option<Refusal> {
    if reply.code < 400 {
        return None;
    }
    let (status, wording) = enhanced(reply.text);
    let begins = |start: &[u8]| wording.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    let known = WORDINGS.iter().find(|(_, start)| begins(start)).map(|(refusal, _)| *refusal);
    Some(known.unwrap_or(match status {
        b"5.7.54" => Refusal::RelayDenied,
        b"5.1.1" | b"5.1.10" => Refusal::UnknownUser,
        b"5.7.60" => Refusal::SenderNotAllowed,
        [b'5', b'.', b'5', b'.', ..] | b"5.1.3" | b"5.1.7" => Refusal::BadSyntax,
        _ if reply.code < 500 => Refusal::Greylisted,
        b"" if wording.is_empty() => Refusal::Unsaid,
        _ => Refusal::Other,
    }))
}

/// The enhanced status code and what follows it.
fn enhanced(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b'.')).unwrap_or(text.len());
    match text.split_at(end) {
        (status @ [b'4' | b'5', b'.', ..], rest) => (status, rest.trim_ascii_start()),
        _ => (b"", text),
    }
}
