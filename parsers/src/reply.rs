//! Replies of SMTP servers as other programs log them: `550 5.7.1 Relaying denied`.

use crate::exim::refusal::classify;
use crate::record::{Refusal, Reply};

/// Splits a reply into its code and the rest. The code is 0, and all is text, if it does not begin with one
/// (RFC 5321 section 4.2).
pub fn reply(text: &[u8]) -> Reply<'_> {
    match text {
        [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..]
            if matches!(rest.first(), None | Some(b' ' | b'-')) =>
        {
            let code = [a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0'));
            Reply { code, text: rest.get(1..).unwrap_or_default() }
        }
        _ => Reply { code: 0, text },
    }
}

/// Why a server refused RCPT, by the wording of its reply; `None` if the code is no refusal (4yz or 5yz).
///
/// The text may quote the recipient, in the client's words, so what is known to stand there is cut out first: the first
/// path in angle brackets.
pub fn refusal(reply: &Reply<'_>) -> Option<Refusal> {
    if reply.code < 400 {
        return None;
    }
    let (before, rest) = match memchr::memchr(b'<', reply.text) {
        Some(open) => reply.text.split_at(open),
        None => (reply.text, b"".as_slice()),
    };
    let after = memchr::memrchr(b'>', rest).map_or(rest, |close| &rest[close + 1..]);
    let kinds = [after, before].map(|text| classify(b"RCPT", text));
    Some(
        kinds
            .into_iter()
            .find(|kind| !matches!(kind, Refusal::Other | Refusal::Unsaid))
            .unwrap_or(if reply.text.is_empty() { Refusal::Unsaid } else { Refusal::Other }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_by_their_wording() {
        let check = |text: &str, code, want| {
            let reply = reply(text.as_bytes());
            assert_eq!((reply.code, refusal(&reply)), (code, want), "{text}");
        };
        check("250 2.1.5 Ok", 250, None);
        check("354", 354, None);
        check("554 5.7.1 <a@example.org>: Relay access denied", 554, Some(Refusal::RelayDenied));
        check("550 5.1.1 <relay denied@example.org>: no such user here", 550, Some(Refusal::UnknownUser));
        check("550 5.1.1 <a>relay denied<b>: User unknown", 550, Some(Refusal::UnknownUser));
        check("513 Relaying denied.", 513, Some(Refusal::RelayDenied));
        check("550 5.7.1 Unable to relay for a@example.org", 550, Some(Refusal::RelayDenied));
        check("550", 550, Some(Refusal::Unsaid));
        check("599 no", 599, Some(Refusal::Other));
        check("2500", 0, None);
        check("hello", 0, None);
    }
}
