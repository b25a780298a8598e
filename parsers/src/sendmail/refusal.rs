//! What Sendmail refuses: by its rulesets (`ruleset=check_rcpt, arg1=<R>, relay=HOST, reject=550 5.7.1 <R>... Relaying denied`,
//! sendmail/parseaddr.c, `rscheck`), for unknown users (`<R>... User unknown`, srvrsmtp.c), and by milters
//! (`Milter: to=<R>, reject=451 4.7.1 ...`, milter.c).

use super::atoms::{addresses, bare, relay};
use crate::record::{Event, Peer, Refusal, Reply};
use crate::text::{Parsed, address, expect, reply_code, without_enhanced_code};
use nom::Parser;
use nom::bytes::complete::{tag, take_while1};

const END_OF_MESSAGE: &[u8] = b"END-OF-MESSAGE";
const REJECT: &[u8] = b", reject=";

/// Parses what follows `ruleset=`. Rulesets that only mark or discard mail say nothing of use.
///
/// The first argument is the client's text, in the client's brackets and quotation marks.
pub fn ruleset(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let name = take_while1(|b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let (rest, name) = expect("the name of a ruleset", name).parse(input)?;
    let (rest, _) = expect("`, arg1=` after the ruleset", tag(", arg1=")).parse(rest)?;
    let (rest, first) = addresses(rest)?;
    let rest = match rest.strip_prefix(b", arg2=") {
        Some(rest) => addresses(rest)?.0,
        None => rest,
    };
    let (rest, client) = match rest.strip_prefix(b", relay=") {
        Some(rest) => relay(rest).map(|(rest, relay)| (rest, relay.peer))?,
        None => (rest, Peer::default()),
    };
    let Some(text) = rest.strip_prefix(REJECT) else { return Ok((b"", Event::Other)) };
    let (stage, forward_path, reverse_path): (&[u8], _, _) = match name {
        b"check_rcpt" | b"check_compat" => (b"RCPT", Some(bare(first)), None),
        b"check_mail" => (b"MAIL", None, Some(bare(first))),
        b"check_relay" => (b"CONNECT", None, None),
        b"check_eoh" | b"check_eom" | b"check_data" => (END_OF_MESSAGE, None, None),
        _ => (name, None, None),
    };
    let (code, text) = reply_code(text);
    let refusal = if stage == b"CONNECT" { Refusal::ClientBlocked } else { classify(stage, reason(text, first)) };
    Ok((b"", refused(client, stage, Reply { code, text }, refusal, (reverse_path, forward_path))))
}

/// Parses `<R>... User unknown`, which names no client. Other wordings need not be about a recipient.
pub fn recipient(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let Some((path, text)) = object(input) else { return Ok((b"", Event::Other)) };
    match classify(b"RCPT", text) {
        refusal @ (Refusal::UnknownUser | Refusal::BadSyntax) => {
            Ok((b"", refused(Peer::default(), b"RCPT", Reply { code: 0, text }, refusal, (None, Some(bare(path))))))
        }
        _ => Ok((b"", Event::Other)),
    }
}

/// Parses what follows `Milter: `: `to=<R>, reject=...`, `from=<S>, reject=...`, `data, reject=...`, `connect: host=H, addr=A, reject=...`.
pub fn milter(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (stage, rest, argument): (&[u8], _, _) = match input {
        [b't', b'o', b'=', rest @ ..] => (b"RCPT", addresses(rest)?, true),
        [b'f', b'r', b'o', b'm', b'=', rest @ ..] => (b"MAIL", addresses(rest)?, true),
        [b'd', b'a', b't', b'a', rest @ ..] => (END_OF_MESSAGE, (rest, b"".as_slice()), false),
        [b'c', b'o', b'n', b'n', b'e', b'c', b't', b':', b' ', rest @ ..] => (b"CONNECT", addresses(rest)?, false),
        _ => return Ok((b"", Event::Other)),
    };
    let (rest, path) = rest;
    let (rest, client) = match rest.strip_prefix(b", addr=") {
        Some(rest) => addresses(rest).map(|(rest, text)| (rest, Peer { address: address(text), name: b"" }))?,
        None => (rest, Peer::default()),
    };
    let Some(text) = rest.strip_prefix(REJECT) else { return Ok((b"", Event::Other)) };
    let (code, text) = reply_code(text);
    let refusal = match (classify(stage, reason(text, path)), stage) {
        (Refusal::Greylisted, _) => Refusal::Greylisted,
        (_, b"CONNECT") => Refusal::ClientBlocked,
        (refusal, b"RCPT") if refusal != Refusal::Other => refusal,
        _ => Refusal::Content,
    };
    let of = |wanted: &[u8]| Some(bare(path)).filter(|_| argument && stage == wanted);
    Ok((b"", refused(client, stage, Reply { code, text }, refusal, (of(b"MAIL"), of(b"RCPT")))))
}

fn refused<'a>(
    client: Peer<'a>,
    stage: &'a [u8],
    reply: Reply<'a>,
    refusal: Refusal,
    (reverse_path, forward_path): (Option<&'a [u8]>, Option<&'a [u8]>),
) -> Event<'a> {
    Event::Refused { client, stage, reply, refusal, reverse_path, forward_path, helo: b"", account: None }
}

/// The reason of a reply text: what follows the enhanced status code and the object, `<R>... `, which is the client's text.
fn reason<'a>(text: &'a [u8], argument: &[u8]) -> &'a [u8] {
    let text = without_enhanced_code(text);
    let known = text.strip_prefix(argument).and_then(|rest| rest.strip_prefix(b"... "));
    known.or_else(|| object(text).map(|(_, rest)| rest)).unwrap_or(text)
}

/// Splits `<R>... TEXT` at the first `... ` outside of quotation marks and brackets.
fn object(text: &[u8]) -> Option<(&[u8], &[u8])> {
    const DOTS: &[u8] = b"... ";
    if !matches!(text.first(), Some(b'<' | b'"')) {
        return None;
    }
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => bracketed = true,
            b'>' if !quoted => bracketed = false,
            b'.' if !quoted && !bracketed && text[at..].starts_with(DOTS) => {
                return Some((&text[..at], &text[at + 4..]));
            }
            _ => {}
        }
    }
    None
}

/// Says what kind of refusal a reason is, by Sendmail's own wordings (cf/m4/proto.m4) and those of common milters.
fn classify(stage: &[u8], reason: &[u8]) -> Refusal {
    const RELAY: [&[u8]; 2] = [b"Relaying denied", b"Relaying temporarily denied"];
    const UNKNOWN: [&[u8]; 4] = [b"User unknown", b"No such user", b"Unknown user", b"Recipient unknown"];
    const SYNTAX: [&[u8]; 4] =
        [b"Invalid route address", b"Domain name required", b"User address required", b"Colon illegal"];
    const LATER: [&[u8]; 5] = [b"greylist", b"try again", b"try later", b"rate limit", b"too many"];
    let begins = |words: &[&[u8]]| words.iter().any(|word| reason.starts_with(word));
    let mentions = |word: &[u8]| reason.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    match stage {
        b"RCPT" if begins(&RELAY) => Refusal::RelayDenied,
        b"RCPT" if begins(&UNKNOWN) => Refusal::UnknownUser,
        _ if begins(&SYNTAX) => Refusal::BadSyntax,
        _ if LATER.iter().any(|word| mentions(word)) => Refusal::Greylisted,
        END_OF_MESSAGE => Refusal::Content,
        _ if reason.is_empty() => Refusal::Unsaid,
        _ if begins(&[b"Fix reverse DNS", b"Access denied"]) || mentions(b"dnsbl") || mentions(b"blocked") => {
            Refusal::ClientBlocked
        }
        _ => Refusal::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_cannot_pose_as_reasons() {
        let check = |text: &str, argument: &str, want: &str| {
            assert_eq!(reason(text.as_bytes(), argument.as_bytes()), want.as_bytes(), "{text}");
        };
        check("5.7.1 <a@b>... Relaying denied", "<a@b>", "Relaying denied");
        check("5.7.1 a@b... Relaying denied", "a@b", "Relaying denied");
        check(r#"5.1.1 <"x... Relaying denied"@b>... User unknown"#, r#"<"x... Relaying denied"@b>"#, "User unknown");
        check(r#"5.1.1 <"x... Relaying denied"@b>... User unknown"#, "cut", "User unknown");
        check("5.7.1 Rejected", "<a@b>", "Rejected");
    }

    #[test]
    fn wordings() {
        let check = |reason: &str, want| assert_eq!(classify(b"RCPT", reason.as_bytes()), want, "{reason}");
        check("Relaying denied", Refusal::RelayDenied);
        check("Relaying denied. IP name lookup failed [192.0.2.1]", Refusal::RelayDenied);
        check("Relaying denied. IP name possibly forged [192.0.2.1]", Refusal::RelayDenied);
        check("Relaying denied. Proper authentication required.", Refusal::RelayDenied);
        check("User unknown", Refusal::UnknownUser);
        check("Invalid route address", Refusal::BadSyntax);
        check("Greylisting in action, please come back later", Refusal::Greylisted);
        check("Domain of sender address a@b does not exist", Refusal::Other);
        check("Fix reverse DNS for 192.0.2.1", Refusal::ClientBlocked);
        check("", Refusal::Unsaid);
    }
}
