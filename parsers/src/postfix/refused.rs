//! What smtpd, postscreen and cleanup refuse: `reject: RCPT from HOST[IP]: 554 5.7.1 <R>: Relay access denied; from=<S> ...`.

use super::atoms::peer;
use super::attributes::{Dialect, split};
use super::refusal::{classify, reason};
use crate::record::{Event, Peer, Refusal, Reply};
use crate::text::{Parsed, expect, reply_code};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag};
use nom::combinator::{eof, peek, value};
use nom::sequence::terminated;

/// The stage at which cleanup refuses for a header or a line of the body.
const END_OF_MESSAGE: &[u8] = b"END-OF-MESSAGE";

/// The actions by which mail does not get through (access(5), header_checks(5), milters). The
/// others (`hold`, `warn`, `info`, `filter`, `redirect`, `prepend`, `reject_warning`) let it pass.
const REFUSING: [&[u8]; 6] = [b"reject", b"milter-reject", b"discard", b"milter-discard", b"hangup", b"milter-hangup"];

/// Parses `ACTION: ...`: a refusal if the action is a refusing one, else anything.
pub fn statement(dialect: Dialect, input: &[u8]) -> Parsed<'_, Event<'_>> {
    let length = input.iter().position(|b| *b == b':' || *b == b' ').unwrap_or(input.len());
    let (action, rest) = input.split_at(length);
    match rest.strip_prefix(b": ") {
        Some(rest) if REFUSING.contains(&action) => match rest {
            [b'h' | b'b' | b'n' | b'm', ..] => content(rest),
            _ => dialogue(dialect, action, rest),
        },
        _ => Ok((b"", Event::Other)),
    }
}

/// Parses `STAGE from CLIENT: TEXT; ATTRIBUTES`.
fn dialogue<'a>(dialect: Dialect, action: &[u8], input: &'a [u8]) -> Parsed<'a, Event<'a>> {
    let (input, stage) = expect("the stage of the dialogue", is_not(" :;")).parse(input)?;
    let (input, _) = expect("` from ` after the stage", tag(" from ")).parse(input)?;
    let (input, client) = source(input)?;
    let (text, _) = expect("`: ` after the client", alt((tag(": "), tag(":")))).parse(input)?;
    let (text, attributes, _) = split(dialect, text);
    let (code, text) = reply_code(text);
    let refusal = match classify(reason(text, &attributes)) {
        Refusal::Greylisted => Refusal::Greylisted,
        _ if action.starts_with(b"milter-") || stage == END_OF_MESSAGE => Refusal::Content,
        wording => wording,
    };
    Ok((
        b"",
        Event::Refused {
            client,
            stage,
            reply: Reply { code, text },
            refusal,
            reverse_path: attributes.reverse_path,
            forward_path: attributes.forward_path,
            helo: attributes.helo,
            account: attributes.account,
        },
    ))
}

/// Parses `header HEADER from CLIENT; ATTRIBUTES: TEXT` of cleanup (also `nested header`, `mime-header`, `body`).
///
/// The header is the client's and may hold anything, so the client is taken from the last ` from `.
fn content(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (before, attributes, text) = split(Dialect::Check, input);
    let marker = b" from ";
    let at = memchr::memmem::rfind(before, marker).map_or(before.len(), |at| at + marker.len());
    let client = source(&before[at..]).map_or(Peer::default(), |(_, client)| client);
    let (code, text) = reply_code(text);
    Ok((
        b"",
        Event::Refused {
            client,
            stage: END_OF_MESSAGE,
            reply: Reply { code, text },
            refusal: Refusal::Content,
            reverse_path: attributes.reverse_path,
            forward_path: attributes.forward_path,
            helo: attributes.helo,
            account: attributes.account,
        },
    ))
}

/// A client, or a word for where else mail comes from: `local` (sendmail(1)), `internal`.
fn source(input: &[u8]) -> Parsed<'_, Peer<'_>> {
    let word = alt((tag("local"), tag("internal"), tag("unknown")));
    let end = peek(alt((tag(":"), tag(";"), eof)));
    alt((value(Peer::default(), terminated(word, end)), peer)).parse(input)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;
    use crate::text::address;

    /// Client name and address, stage, code, reply text, kind, both paths, EHLO name.
    type Row<'a> = (&'a str, &'a str, &'a str, u16, &'a str, Refusal, Option<&'a str>, Option<&'a str>, &'a str);

    fn event<'a>((name, ip, stage, code, text, refusal, from, to, helo): Row<'a>) -> Event<'a> {
        Event::Refused {
            client: Peer { address: address(ip.as_bytes()), name: name.as_bytes() },
            stage: stage.as_bytes(),
            reply: Reply { code, text: text.as_bytes() },
            refusal,
            reverse_path: from.map(str::as_bytes),
            forward_path: to.map(str::as_bytes),
            helo: helo.as_bytes(),
            account: None,
        }
    }

    const SESSION: Option<(&str, &str)> = Some(("postfix/smtpd", "77"));

    fn noqueue(text: &str, want: Row<'_>) {
        check("postfix/smtpd", &format!("NOQUEUE: {text}"), Ok((SESSION, None, event(want))));
    }

    #[test]
    fn refusals_of_smtpd() {
        let relay = (
            "bulk.example.net",
            "203.0.113.9",
            "RCPT",
            554,
            "5.7.1 <v@example.org>: Relay access denied",
            Refusal::RelayDenied,
            Some("c@example.com"),
            Some("v@example.org"),
            "bulk",
        );
        let attributes = "from=<c@example.com> to=<v@example.org> proto=ESMTP helo=<bulk>";
        let text = format!(
            "reject: RCPT from bulk.example.net[203.0.113.9]: 554 5.7.1 <v@example.org>: Relay access denied; {attributes}"
        );
        noqueue(&text, relay);
        check("postfix/smtpd", &text, Ok((SESSION, None, event(relay))));
        check(
            "postfix/smtpd",
            &format!("4F1A2C0012: {text}"),
            Ok((SESSION, Some(("postfix", "4F1A2C0012")), event(relay))),
        );
        noqueue(
            "reject: RCPT from unknown[203.0.113.9]: 554 <v@example.org>: Relay access denied; from=<c@example.com> to=<v@example.org>",
            (
                "",
                "203.0.113.9",
                "RCPT",
                554,
                "<v@example.org>: Relay access denied",
                Refusal::RelayDenied,
                Some("c@example.com"),
                Some("v@example.org"),
                "",
            ),
        );
        noqueue(
            "reject: CONNECT from unknown[203.0.113.9]:4711: 554 5.7.1 <unknown[203.0.113.9]>: Client host rejected: Access denied; proto=SMTP",
            (
                "",
                "203.0.113.9",
                "CONNECT",
                554,
                "5.7.1 <unknown[203.0.113.9]>: Client host rejected: Access denied",
                Refusal::ClientBlocked,
                None,
                None,
                "",
            ),
        );
        noqueue(
            "milter-reject: RCPT from unknown[203.0.113.9]: 451 4.7.1 Greylisting in action; from=<> to=<v@example.org> proto=ESMTP helo=<h>",
            (
                "",
                "203.0.113.9",
                "RCPT",
                451,
                "4.7.1 Greylisting in action",
                Refusal::Greylisted,
                Some(""),
                Some("v@example.org"),
                "h",
            ),
        );
    }

    #[test]
    fn objects_that_pose_as_reasons() {
        noqueue(
            r#"reject: RCPT from unknown[203.0.113.9]: 550 5.1.1 <x>: Relay access denied@d>: Recipient address rejected: User unknown; from=<> to=<"x>: Relay access denied"@d> proto=SMTP helo=<h>"#,
            (
                "",
                "203.0.113.9",
                "RCPT",
                550,
                "5.1.1 <x>: Relay access denied@d>: Recipient address rejected: User unknown",
                Refusal::UnknownUser,
                Some(""),
                Some(r#""x>: Relay access denied"@d"#),
                "h",
            ),
        );
    }

    #[test]
    fn refusals_of_cleanup() {
        let check = |text: &str, want| {
            check("postfix/cleanup", &format!("4F1A2C0012: {text}"), Ok((None, Some(("postfix", "4F1A2C0012")), want)));
        };
        let refused = |text, helo| {
            ("h", "192.0.2.1", "END-OF-MESSAGE", 0, text, Refusal::Content, Some("a@b"), Some("c@d"), helo)
        };
        let attributes = "from=<a@b> to=<c@d> proto=ESMTP helo=<h>";
        check(
            &format!("milter-reject: END-OF-MESSAGE from h[192.0.2.1]: 5.7.1 Spam; {attributes}"),
            event(refused("5.7.1 Spam", "h")),
        );
        check(
            &format!(
                "reject: header Subject: a from x[198.51.100.1]; from=<e> to=<f> from h[192.0.2.1]; {attributes}: 5.7.1 no"
            ),
            event(refused("5.7.1 no", "h")),
        );
        check(
            "reject: body x from local; from=<root>",
            event(("", "", "END-OF-MESSAGE", 0, "", Refusal::Content, Some("root"), None, "")),
        );
        check(&format!("hold: header Subject: x from h[192.0.2.1]; {attributes}"), Event::Other);
    }

    #[test]
    fn refusals_of_postscreen() {
        let text = "NOQUEUE: reject: RCPT from [203.0.113.9]:51000: 550 5.7.1 Service unavailable; client [203.0.113.9] blocked using bl.example; from=<a@b>, to=<c@d>, proto=ESMTP, helo=<x, y>";
        let reply = "5.7.1 Service unavailable; client [203.0.113.9] blocked using bl.example";
        let want = ("", "203.0.113.9", "RCPT", 550, reply, Refusal::ClientBlocked, Some("a@b"), Some("c@d"), "x, y");
        check("postfix/postscreen", text, Ok((None, None, event(want))));
        let text = "NOQUEUE: reject: CONNECT from [203.0.113.9]:51000: too many connections";
        let want = ("", "203.0.113.9", "CONNECT", 0, "too many connections", Refusal::ClientBlocked, None, None, "");
        check("postfix/postscreen", text, Ok((None, None, event(want))));
    }

    #[test]
    fn actions_that_let_mail_pass() {
        for action in ["hold", "warn", "info", "filter", "redirect", "prepend", "reject_warning", "proxy-accept"] {
            let text =
                format!("NOQUEUE: {action}: RCPT from h[192.0.2.1]: <a@b>: text; from=<> to=<a@b> proto=SMTP helo=<h>");
            check("postfix/smtpd", &text, Ok((SESSION, None, Event::Other)));
        }
    }

    #[test]
    fn broken_refusals_are_not_guessed_at() {
        let broken = |text: &str, want| check("postfix/smtpd", &format!("NOQUEUE: {text}"), Err(want));
        broken("reject: RCPT", "` from ` after the stage");
        broken("reject: ", "the stage of the dialogue");
        broken("reject: RCPT from h[192.0.2.1", "`]` to close the address of the host");
        broken("reject: RCPT from h[192.0.2.1]", "`: ` after the client");
    }
}
