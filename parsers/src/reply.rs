//! Replies of SMTP servers as other programs log them: `550 5.7.1 Relaying denied`.

use crate::exim::refusal::classify;
use crate::record::{Refusal, Reply};
use memchr::memmem;

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

/// The id under which the server that answers took a message: `Ok: queued as ID` (Postfix), `OK id=ID` (Exim), `ID Message
/// accepted for delivery` (Sendmail, OpenSMTPD), `[InternalId=ID, Hostname=...]` (Exchange 2010 and later). Of several the last: a filter repeats the answer of the server behind it.
///
/// The text is that server's, which may say what it likes. qmail logs `_` for spaces.
pub fn taken_as(text: &[u8]) -> Option<&[u8]> {
    let is_id = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    let behind = [b"queued as ".as_slice(), b"queued_as_", b"OK id=", b"OK_id=", b" [InternalId="];
    let behind = behind.iter().find_map(|mark| Some(&text[memmem::rfind(text, mark)? + mark.len()..]));
    let id = match behind {
        Some(rest) => &rest[..rest.iter().position(|b| !is_id(b)).unwrap_or(rest.len())],
        None => {
            let before = &text[..memmem::rfind(text, b" Message accepted for delivery")?];
            &before[before.iter().rposition(|b| !is_id(b)).map_or(0, |at| at + 1)..]
        }
    };
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_answers() {
        let check = |text: &str, want: &str| {
            assert_eq!(taken_as(text.as_bytes()).unwrap_or_default(), want.as_bytes(), "{text}");
        };
        check("250 2.0.0 Ok: queued as 4F1A2C0012", "4F1A2C0012");
        check("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4C2", "4C2");
        check("250 OK (queued as 9AB)", "9AB");
        check("250 OK id=1RwtJa-000AFB-07", "1RwtJa-000AFB-07");
        check("Sent (62B9t3xS012345 Message accepted for delivery)", "62B9t3xS012345");
        check("250 2.0.0 bd3f2e11 Message accepted for delivery", "bd3f2e11");
        check("192.0.2.1_accepted_message./Remote_host_said:_250_2.0.0_Ok:_queued_as_9AB/", "9AB");
        check("250 2.6.0 <m@example.com> [InternalId=709, Hostname=EX1.example.org] 15 bytes Queued mail", "709");
        check("250 2.0.0 OK 1699 a1-20020a170902 - gsmtp", "");
        check("250 queued as ", "");
        check(" Message accepted for delivery", "");
        check("", "");
    }

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
