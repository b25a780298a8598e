//! Why Postfix refused, from its own wording (smtpd_check.c, postscreen_smtpd.c) and that of common policy servers.
//!
//! Only the reason is looked at, never the `<object>` before it: that is the client's text.

use super::attributes::Attributes;
use crate::record::Refusal;
use crate::text::without_enhanced_code;

/// The reason of a reply text: what follows the enhanced status code and `<object>: `.
///
/// The object is the address, EHLO name or client that was refused, in the client's words and
/// without quotation marks, so it may hold `>: ` itself. Where it repeats one of the attributes, that tells where
/// it ends; else it ends at the first `>: `.
pub fn reason<'a>(text: &'a [u8], attributes: &Attributes<'a>) -> &'a [u8] {
    let text = without_enhanced_code(text);
    let Some(inside) = text.strip_prefix(b"<") else {
        // Observed: the object is lost where a log was copied through HTML.
        return text.strip_prefix(b": ").unwrap_or(text);
    };
    let known = [attributes.forward_path, attributes.reverse_path, Some(attributes.helo)];
    let repeated = known.iter().flatten().find_map(|path| after_object(inside, path));
    repeated.or_else(|| after_first(b">: ", inside)).unwrap_or(text)
}

/// What follows `OBJECT>: `, if `inside` begins with the same object as `path`, with or
/// without its quotation marks.
fn after_object<'a>(inside: &'a [u8], path: &[u8]) -> Option<&'a [u8]> {
    let plain = inside.strip_prefix(path).and_then(|rest| rest.strip_prefix(b">: "));
    plain.or_else(|| unquoted(inside, path)?.strip_prefix(b">: "))
}

/// What follows in `text` after the same address as the quoted `path`, but without quotation marks.
fn unquoted<'a>(text: &'a [u8], path: &[u8]) -> Option<&'a [u8]> {
    let mut rest = text;
    let mut bytes = path.iter();
    while let Some(byte) = bytes.next() {
        let plain = match byte {
            b'"' => continue,
            b'\\' => bytes.next()?,
            _ => byte,
        };
        rest = rest.strip_prefix(std::slice::from_ref(plain))?;
    }
    Some(rest)
}

fn after_first<'a>(marker: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(text, marker).map(|at| &text[at + marker.len()..])
}

/// Says what kind of refusal a reason is.
pub fn classify(reason: &[u8]) -> Refusal {
    if reason.trim_ascii().is_empty() {
        return Refusal::Unsaid;
    }
    let (subject, detail) = subject(reason);
    if begins(detail, &RELAY) {
        return Refusal::RelayDenied;
    }
    // Where a wording is followed by what another server said, only its beginning is Postfix's own.
    match subject {
        Subject::Recipient | Subject::Unnamed if begins(detail, &UNKNOWN) => Refusal::UnknownUser,
        Subject::Sender if begins(detail, &NOT_YOURS) => Refusal::SenderNotAllowed,
        Subject::Listed => Refusal::ClientBlocked,
        _ if mentions(detail, &LATER) => Refusal::Greylisted,
        Subject::Client => Refusal::ClientBlocked,
        _ if begins(detail, &SYNTAX) => Refusal::BadSyntax,
        _ => Refusal::Other,
    }
}

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Recipient,
    Sender,
    Client,
    /// The client, for being on a block list, whose own text follows.
    Listed,
    Unnamed,
}

const LATER: [&[u8]; 8] = [
    b"greylist",
    b"graylist",
    b"greylisting",
    b"try again",
    b"try later",
    b"rate limit",
    b"too much mail",
    b"too many",
];
const SYNTAX: [&[u8]; 5] = [
    b"need fully-qualified address",
    b"malformed address",
    b"bad recipient address",
    b"bad sender address",
    b"illegal address syntax",
];
const UNKNOWN: [&[u8]; 4] = [b"user unknown", b"undeliverable address", b"unverified address", b"unknown user"];
const NOT_YOURS: [&[u8]; 3] = [b"not logged in", b"not owned by user", b"user unknown in"];
const RELAY: [&[u8]; 3] = [b"relay access denied", b"relaying denied", b"relay denied"];

fn subject(reason: &[u8]) -> (Subject, &[u8]) {
    const SUBJECTS: [(&[u8], Subject); 8] = [
        (b"Recipient address rejected: ", Subject::Recipient),
        (b"Sender address rejected: ", Subject::Sender),
        (b"Helo command rejected: ", Subject::Client),
        (b"Client host rejected: ", Subject::Client),
        (b"Unverified Client host rejected: ", Subject::Client),
        (b"Service unavailable; ", Subject::Listed),
        (b"Protocol error", Subject::Client),
        (b"too many connections", Subject::Client),
    ];
    let named = SUBJECTS.iter().find_map(|(words, subject)| Some((*subject, reason.strip_prefix(*words)?)));
    named.unwrap_or((Subject::Unnamed, reason))
}

fn begins(text: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
}

fn mentions(text: &[u8], words: &[&[u8]]) -> bool {
    (0..text.len()).any(|at| begins(&text[at..], words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings() {
        let check = |reason: &str, want| assert_eq!(classify(reason.as_bytes()), want, "{reason}");
        check("Relay access denied", Refusal::RelayDenied);
        check("Recipient address rejected: Relay access denied", Refusal::RelayDenied);
        check("Relaying denied", Refusal::RelayDenied);
        check("Recipient address rejected: User unknown in local recipient table", Refusal::UnknownUser);
        check("Recipient address rejected: User unknown", Refusal::UnknownUser);
        check("User unknown in virtual alias table", Refusal::UnknownUser);
        check(
            "Recipient address rejected: undeliverable address: host h said: 550 relay access denied",
            Refusal::UnknownUser,
        );
        check("Recipient address rejected: unverified address: unknown", Refusal::UnknownUser);
        check("Sender address rejected: not logged in", Refusal::SenderNotAllowed);
        check("Sender address rejected: not owned by user alice", Refusal::SenderNotAllowed);
        check("Sender address rejected: User unknown in virtual mailbox table", Refusal::SenderNotAllowed);
        check("Sender address rejected: Domain not found", Refusal::Other);
        check("Sender address rejected: need fully-qualified address", Refusal::BadSyntax);
        check("Helo command rejected: need fully-qualified hostname", Refusal::ClientBlocked);
        check("Client host rejected: cannot find your hostname, [192.0.2.1]", Refusal::ClientBlocked);
        check("Service unavailable; Client host [192.0.2.1] blocked using bl.example", Refusal::ClientBlocked);
        check("Service unavailable; client [192.0.2.1] blocked using bl.example", Refusal::ClientBlocked);
        check("Protocol error", Refusal::ClientBlocked);
        check("Recipient address rejected: Greylisted, see http://x", Refusal::Greylisted);
        check("Client host rejected: Greylisting in action, please come back later", Refusal::Greylisted);
        check("Error: too much mail from 192.0.2.1", Refusal::Greylisted);
        check("Recipient address rejected: Access denied", Refusal::Other);
        check("Data command rejected: Multi-recipient bounce", Refusal::Other);
        check("Recipient address rejected: unverified address: host h said: 450 try again", Refusal::UnknownUser);
        check("Sender address rejected: Malformed DNS server reply", Refusal::Other);
        check(
            "Service unavailable; client [192.0.2.1] blocked using bl.example; too many spams",
            Refusal::ClientBlocked,
        );
        check("", Refusal::Unsaid);
    }

    #[test]
    fn objects_cannot_pose_as_reasons() {
        let check = |text: &str, forward_path: &str, want: &str| {
            let attributes = Attributes { forward_path: Some(forward_path.as_bytes()), ..Attributes::default() };
            assert_eq!(reason(text.as_bytes(), &attributes), want.as_bytes(), "{text}");
        };
        check("5.7.1 <a@b>: Relay access denied", "a@b", "Relay access denied");
        check("<a@b>: Relay access denied", "", "Relay access denied");
        check("5.7.1 Client host rejected: x", "a@b", "Client host rejected: x");
        check("5.1.1 <x>: Relay access denied@b>: no", r#""x>: Relay access denied"@b"#, "no");
        check(r#"5.1.1 <x">: y@b>: no"#, r#""x\">: y"@b"#, "no");
        check("5.1.1 <x>: y@b>: no", "x>: y@b", "no");
        check("5.1.1 <other>: no <z>: z", "a@b", "no <z>: z");
        check("5.1.1 <cut", "a@b", "<cut");
        check("5.1.1", "a@b", "5.1.1");
        check("5.1.1 : no", "a@b", "no");
    }
}
