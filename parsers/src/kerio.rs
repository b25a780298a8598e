//! Kerio Connect (Kerio MailServer): security.log and mail.log.
//!
//! `[17/Jun/2011 17:00:45] TEXT`, each line whole in itself. Paths are the client's text in angle brackets, not escaped: where
//! one repeats a mark of the line, the line is unparsed.

use crate::paths::Paths;
use crate::record::{Event, Key, Line, NextHop, Peer, Record, Refusal, Reply, Status, When};
use crate::registry::{Context, Format};
use crate::text::{Expected, address, number, split_at_only, unparsed};
use chrono::NaiveDateTime;
use memchr::memmem::{find, rfind};

/// Kerio Connect.
pub const FORMAT: Format = Format {
    name: "kerio",
    title: "Kerio Connect and Kerio MailServer (security.log, mail.log)",
    versions: "checked against published security.log lines of 2011 to 2019; mail.log is written to its description, without a sample",
    yields: "relay attempts, unknown recipients and blocked clients with both paths, failed log-ins; messages with client, \
             account, both paths and what became of them (mail.log)",
    lacks: "sessions, EHLO names, reply codes, the zone of its times, the name of the server",
    source: "observed: corpus kerio (fail2ban); Kerio Connect administrator's guide, \"Mail log\"",
    repeats: &[],
    recognises: |line| matches!(stamp(line), Some((_, text)) if STARTS.iter().any(|start| text.starts_with(start))),
    parse,
    direct: |_, _| (),
};

/// How lines begin that no other program writes behind such a time.
const STARTS: [&[u8]; 9] = [
    b"Relay attempt from IP address ",
    b"Attempt to deliver to unknown recipient <",
    b"IP address ",
    b"SMTP Spam attack detected from ",
    b"Failed SMTP login from ",
    b"SMTP: User ",
    b"Client with IP address ",
    b"Recv: Queue-ID: ",
    b"Sent: Queue-ID: ",
];

/// Splits off `[17/Jun/2011 17:00:45] `, the server's local time.
fn stamp(line: &[u8]) -> Option<(When, &[u8])> {
    const TIME: usize = 20;
    let (time, rest) = line.strip_prefix(b"[")?.split_at_checked(TIME)?;
    let time = NaiveDateTime::parse_from_str(std::str::from_utf8(time).ok()?, "%d/%b/%Y %H:%M:%S").ok()?;
    Some((When::Local(time), rest.strip_prefix(b"] ")?))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    if line.trim_ascii().is_empty() {
        return Line::Ignored("blank line");
    }
    let wanted = nom::Err::Error(Expected { rest: line, what: "a time: `[17/Jun/2011 17:00:45]`" });
    let Some((when, text)) = stamp(line) else { return Line::Unparsed(unparsed(line, &wanted)) };
    match statement(text) {
        Ok((id, event)) => {
            let message = id.map(|id| Key { scope: b"", id });
            Line::Record(Record { when, server: b"", session: None, message, event })
        }
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

type Statement<'a> = Result<(Option<&'a [u8]>, Event<'a>), nom::Err<Expected<'a>>>;

fn wanted<'a>(rest: &'a [u8], what: &'static str) -> nom::Err<Expected<'a>> {
    nom::Err::Error(Expected { rest, what })
}

fn statement(text: &[u8]) -> Statement<'_> {
    let of = STARTS.iter().enumerate().find_map(|(kind, start)| Some((kind, text.strip_prefix(*start)?)));
    let Some((kind, rest)) = of else { return Ok((None, Event::Other)) };
    let done = match kind {
        0 => relay(rest),
        1 => unknown_recipient(rest),
        2 => block_listed(rest),
        3 | 6 => turned_away(rest),
        4 => word_address(rest).map(|client| Event::AuthFailed { client, account: None }),
        5 => unknown_account(rest),
        7 => return received(rest).ok_or_else(|| wanted(rest, "the fields of a received message, once each")),
        _ => return sent(rest).ok_or_else(|| wanted(rest, "the fields of a sent message, once each")),
    };
    // A line that begins like this and goes on otherwise is not guessed at.
    let event = done.ok_or_else(|| wanted(rest, "the known end of this line, each mark once"))?;
    Ok((None, event))
}

/// A client by the address at the start of the text.
fn word_address(text: &[u8]) -> Option<Peer<'_>> {
    let end = text.iter().position(|byte| matches!(byte, b' ' | b',')).unwrap_or(text.len());
    whole_address(&text[..end])
}

fn whole_address(text: &[u8]) -> Option<Peer<'_>> {
    address(text).map(|address| Peer { address: Some(address), name: b"" })
}

fn refused<'a>(client: Peer<'a>, refusal: Refusal, from: Option<&'a [u8]>, to: Option<&'a [u8]>) -> Event<'a> {
    let stage: &[u8] = if to.is_some() { b"RCPT" } else { b"CONNECT" };
    let (reply, helo, account) = (Reply::default(), b"".as_slice(), None);
    Event::Refused { client, stage, reply, refusal, reverse_path: from, forward_path: to, helo, account }
}

/// `203.0.113.9, mail from <S> to <R> rejected`.
fn relay(rest: &[u8]) -> Option<Event<'_>> {
    let (client, paths) = split_at_only(rest, b", mail from <")?;
    let (from, to) = split_at_only(paths.strip_suffix(b"> rejected")?, b"> to <")?;
    Some(refused(whole_address(client)?, Refusal::RelayDenied, Some(from), Some(to)))
}

/// `R>, from <S>, IP address 203.0.113.9`: the address ends the line.
fn unknown_recipient(rest: &[u8]) -> Option<Event<'_>> {
    const END: &[u8] = b">, IP address ";
    let at = rfind(rest, END)?;
    let (to, from) = split_at_only(&rest[..at], b">, from <")?;
    Some(refused(whole_address(&rest[at + END.len()..])?, Refusal::UnknownUser, Some(from), Some(to)))
}

/// `203.0.113.9 found in DNS blacklist NAME, mail from <S> to <R>`.
fn block_listed(rest: &[u8]) -> Option<Event<'_>> {
    let (client, rest) = split_at_only(rest, b" found in DNS blacklist ")?;
    let client = whole_address(client)?;
    let Some((_, paths)) = split_at_only(rest, b", mail from <") else {
        // Twice: one of them is the client's.
        find(rest, b", mail from <").is_none().then_some(())?;
        return Some(refused(client, Refusal::ClientBlocked, None, None));
    };
    let (from, to) = split_at_only(paths.strip_suffix(b">")?, b"> to <")?;
    Some(refused(client, Refusal::ClientBlocked, Some(from), Some(to)))
}

/// `203.0.113.9, client sent data before SMTP greeting`; `203.0.113.9 has no reverse DNS entry, connection rejected ...`.
fn turned_away(rest: &[u8]) -> Option<Event<'_>> {
    Some(refused(word_address(rest)?, Refusal::ClientBlocked, None, None))
}

/// `bob@example.com doesn't exist. Attempt from IP address 203.0.113.9.`: the account is the client's text.
fn unknown_account(rest: &[u8]) -> Option<Event<'_>> {
    const END: &[u8] = b" doesn't exist. Attempt from IP address ";
    let at = rfind(rest, END)?;
    let client = rest[at + END.len()..].strip_suffix(b".").and_then(whole_address)?;
    Some(Event::AuthFailed { client, account: Some(&rest[..at]) })
}

/// `ID, Service: SMTP, From: <S>, To: <R>, Size: N, Sender-Host: ADDRESS[, User: U][, SSL: yes], Subject: "...", ...`.
///
/// The subject is the client's text and comes last of what is used: it is cut off first.
fn received(rest: &[u8]) -> Option<(Option<&[u8]>, Event<'_>)> {
    let head = find(rest, b", Subject: \"").map_or(rest, |at| &rest[..at]);
    let (id, head) = split_at_only(head, b", Service: ")?;
    let (_, head) = split_at_only(head, b", From: <")?;
    let (reverse_path, head) = split_at_only(head, b">, To: <")?;
    let (recipients, head) = split_at_only(head, b">, Size: ")?;
    let (size, head) = split_at_only(head, b", Sender-Host: ")?;
    let mut fields = head.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let client = whole_address(fields.next()?)?;
    let account = fields.find_map(|field| field.strip_prefix(b"User: "));
    let recipients = Paths::list(recipients, b',').iter().count();
    let event = Event::Arrived {
        client,
        helo: b"",
        account,
        user: b"",
        reverse_path,
        message_id: b"",
        size_bytes: number(size)?,
        recipients: u32::try_from(recipients).ok(),
        notifies: None,
    };
    Some((Some(id), event))
}

/// `ID, Recipient: <R>, Result: delivered, Status: 2.0.0 , Remote-Host: ADDRESS, Msg-Id: <...>`. Without a remote host the
/// message went to a mailbox.
fn sent(rest: &[u8]) -> Option<(Option<&[u8]>, Event<'_>)> {
    let (id, rest) = split_at_only(rest, b", Recipient: <")?;
    let (forward_path, rest) = split_at_only(rest, b">, Result: ")?;
    let result = rest.split(|byte| *byte == b',').next()?;
    let status = match result {
        b"delivered" => Status::Sent,
        b"failed" => Status::Bounced,
        b"delayed" => Status::Deferred,
        _ => return None,
    };
    let remote = split_at_only(rest, b", Remote-Host: ").and_then(|(_, rest)| word_address(rest));
    let next_hop = match remote {
        Some(peer) => NextHop::Host { peer, port: 0 },
        None if status == Status::Sent => NextHop::Local,
        None => NextHop::None,
    };
    let event = Event::Delivery {
        forward_paths: Paths::from(forward_path),
        original_forward_path: None,
        expanded: false,
        envelope: b"",
        source: None,
        next_hop,
        status,
        text: rest,
        child: None,
    };
    Some((Some(id), event))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn check(statement: &str, want: &str) {
        let line = format!("[01/Feb/2024 10:00:01] {statement}");
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event, .. }) => match event {
                Event::Refused { client, refusal, reverse_path, forward_path, .. } => {
                    let paths = [reverse_path, forward_path].map(|path| path.map(text));
                    format!("{:?} {refusal:?} {paths:?}", client.address)
                }
                Event::AuthFailed { client, account } => format!("{:?} failed {:?}", client.address, account.map(text)),
                Event::Arrived { client, account, reverse_path, size_bytes, recipients, .. } => {
                    let account = account.map(text);
                    format!("{:?} {account:?} {} {size_bytes} {recipients:?}", client.address, text(reverse_path))
                }
                Event::Delivery { forward_paths, status, next_hop, .. } => {
                    let to: Vec<_> = forward_paths.iter().map(text).collect();
                    format!("{to:?} {status:?} {}", next_hop == NextHop::Local)
                }
                event => format!("{event:?}"),
            },
            Line::Unparsed(why) => format!("unparsed: {}", why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{statement}");
    }

    #[test]
    fn the_security_log() {
        check(
            "Relay attempt from IP address 192.0.2.9, mail from <a@example.org> to <b@example.net> rejected",
            r#"Some(192.0.2.9) RelayDenied [Some("a@example.org"), Some("b@example.net")]"#,
        );
        check(
            "Attempt to deliver to unknown recipient <b@example.com>, from <a@example.org>, IP address 192.0.2.9",
            r#"Some(192.0.2.9) UnknownUser [Some("a@example.org"), Some("b@example.com")]"#,
        );
        check(
            "IP address 192.0.2.9 found in DNS blacklist X, mail from <a@example.org> to <b@example.com>",
            r#"Some(192.0.2.9) ClientBlocked [Some("a@example.org"), Some("b@example.com")]"#,
        );
        check(
            "IP address 192.0.2.9 found in DNS blacklist X, mail from <\"a, mail from <b@x> to <c\"@example.org> to <d@example.com>",
            "unparsed: the known end of this line, each mark once",
        );
        check(
            "SMTP Spam attack detected from 192.0.2.9, client sent data",
            "Some(192.0.2.9) ClientBlocked [None, None]",
        );
        check("Failed SMTP login from 192.0.2.9 with SASL method CRAM-MD5.", "Some(192.0.2.9) failed None");
        check(
            "SMTP: User a@b doesn't exist. Attempt from IP address 192.0.2.9.",
            r#"Some(192.0.2.9) failed Some("a@b")"#,
        );
        check("Administration login from 192.0.2.9 failed", "Other");
    }

    #[test]
    fn the_mail_log() {
        let head = "Recv: Queue-ID: 4f-1, Service: SMTP, From: <a@example.com>, To: <b@example.net>, Size: 9, Sender-Host: 192.0.2.9";
        check(
            &format!("{head}, User: a, SSL: yes, Subject: \"x, User: z\", Msg-Id: <1>"),
            r#"Some(192.0.2.9) Some("a") a@example.com 9 Some(1)"#,
        );
        check(&format!("{head}, Subject: \">, To: <x>\", Msg-Id: <1>"), "Some(192.0.2.9) None a@example.com 9 Some(1)");
        check(
            "Sent: Queue-ID: 4f-1, Recipient: <b@example.net>, Result: delivered, Status: 2.0.0 , Remote-Host: 192.0.2.7, Msg-Id: <1>",
            r#"["b@example.net"] Sent false"#,
        );
        check(
            "Sent: Queue-ID: 4f-1, Recipient: <b@example.net>, Result: delivered, Status: 2.0.0 , Msg-Id: <1>",
            r#"["b@example.net"] Sent true"#,
        );
        check("Sent: Queue-ID: 4f-1, Recipient: <b>, Result: odd", "unparsed: the fields of a sent message, once each");
    }

    #[test]
    fn a_path_cannot_pose_as_another_field() {
        let marks = "unparsed: the known end of this line, each mark once";
        check("Relay attempt from IP address 192.0.2.9, mail from <a> to <x> to <y> rejected", marks);
        check(
            "Attempt to deliver to unknown recipient <b>, from <a>, IP address 10.0.0.1>, IP address 192.0.2.9",
            r#"Some(192.0.2.9) UnknownUser [Some("a>, IP address 10.0.0.1"), Some("b")]"#,
        );
        check(
            "SMTP: User x doesn't exist. Attempt from IP address 10.0.0.1. doesn't exist. Attempt from IP address 192.0.2.9.",
            r#"Some(192.0.2.9) failed Some("x doesn't exist. Attempt from IP address 10.0.0.1.")"#,
        );
    }
}
