//! Why Exim refused, from the wording of its own messages, of Debian's and cPanel's configuration, and of common ACLs.

use crate::record::Refusal;

/// What a wording means: the first row with a wording that the reason mentions counts. All have a
/// space or a mark that no host name holds, or are words that no one takes for a relay refusal.
const WORDINGS: [(Refusal, &[&[u8]]); 7] = [
    // A recipient that another server was asked about, in that server's words (`verify = recipient/callout`).
    (Refusal::UnknownUser, &[b"response to \"", b"recipient verify fail"]),
    (
        Refusal::RelayDenied,
        &[
            b"relay not permitted",
            b"relay access denied",
            b"relaying denied",
            b"relay denied",
            b"relaying not",
            b"relaying is",
            b"permitted to relay",
            b"authorised to relay",
            b"authorized to relay",
            b"allowed to relay",
            b"not relay",
            b"relaying through",
            b"relay through",
            b"open relay",
            b"relaying prohibited",
            b"unable to relay",
        ],
    ),
    (Refusal::BadSyntax, &[b"restricted characters", b"unqualified", b"malformed address", b"bad address syntax"]),
    (
        Refusal::UnknownUser,
        &[
            b"unknown user",
            b"user unknown",
            b"unrouteable address",
            b"unroutable address",
            b"unrouteable mail domain",
            b"no such user",
            b"no such recipient",
            b"no such person",
            b"no such mailbox",
            b"unknown local",
            b"unknown recipient",
            b"unknown address",
            b"invalid recipient",
            b"does not exist",
            b"no mailbox",
            b"mailbox unavailable",
        ],
    ),
    (
        Refusal::Greylisted,
        &[
            b"greylist",
            b"grey list",
            b"graylist",
            b"try again",
            b"try later",
            b"rate limit",
            b"too many",
            b"too fast",
            b"come back",
        ],
    ),
    (
        Refusal::ClientBlocked,
        &[
            b"blacklist",
            b"black list",
            b"blocklist",
            b"blocked",
            b"dnsbl",
            b" rbl",
            b"listed in",
            b"listed at",
            b"spamhaus",
            b"helo",
            b"reverse dns",
            b"no ptr",
            b"dynamic ip",
        ],
    ),
    (
        Refusal::SenderNotAllowed,
        &[b"spf ", b"allowed to send", b"allowed to use", b"not owned by", b"sender address rejected"],
    ),
];

/// Says what kind of refusal a reason is, at this stage of the dialogue.
///
/// The text of an ACL is the administrator's and may repeat what the client said, so only wordings of several words, or
/// words that tell a milder thing than a relay attempt, are looked for.
pub fn classify(stage: &[u8], reason: &[u8]) -> Refusal {
    let known = WORDINGS.iter().find(|(_, words)| words.iter().any(|word| mentions(reason, word)));
    match (stage, known.map(|(refusal, _)| *refusal)) {
        (_, Some(Refusal::Greylisted)) => Refusal::Greylisted,
        (super::refused::END_OF_MESSAGE, _) => Refusal::Content,
        (b"CONNECT" | b"EHLO" | b"HELO", _) => Refusal::ClientBlocked,
        (_, Some(refusal)) => refusal,
        (_, None) if reason.is_empty() => Refusal::Unsaid,
        (_, None) => Refusal::Other,
    }
}

fn mentions(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Splits `451 4.7.1 try again` into the code and the rest; the code is 0 where an ACL gives none.
pub fn code(text: &[u8]) -> (u16, &[u8]) {
    match text {
        [a @ b'4'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ' | b'-', rest @ ..] => {
            ([a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0')), rest)
        }
        _ => (0, text),
    }
}
