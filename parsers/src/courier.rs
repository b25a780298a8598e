//! Courier: courieresmtpd (SMTP server), courierd (queue), and the modules that deliver.
//!
//! `error,relay=::ffff:192.0.2.9,from=<S>,to=<R>: 513 Relaying denied.` stands alone; a message is `newmsg,id=ID: ...`, a `started`
//! and a `status` line for each recipient, and `completed,id=ID`. Addresses are the client's text, in brackets and not
//! escaped: where one repeats a mark of the line, the line is unparsed.

use crate::paths::Paths;
use crate::record::{Event, Key, Line, NextHop, Peer, Refusal, Status};
use crate::registry::{Context, Format};
use crate::reply::{refusal, reply};
use crate::syslog::{self, Body, Daemon, Envelope};
use crate::text::{Expected, address, split_at_only};
use memchr::memchr;
use memchr::memmem::{find, rfind};

/// Courier in any syslog envelope.
pub const FORMAT: Format = Format {
    name: "courier",
    title: "Courier mail server (courieresmtpd, courierd, courieresmtp, courierlocal) through syslog",
    versions: "checked against published lines of courieresmtpd; the lines of the queue are written to its source, without a sample",
    yields: "refusals with client and both paths, failed log-ins; messages by id with client, account, both paths and what \
             became of them",
    lacks: "sessions, EHLO names of refused mail, sizes, which server took a message",
    source: "svarshavchik/courier cdmsgq.C, cdmsgq3.C, module.esmtp/courieresmtpd.C, libs/comctlfile.c; observed: corpus courier",
    repeats: &[],
    recognises: |line| matches!(syslog::envelope(line), Ok((_, envelope)) if claims(envelope.tag)),
    parse,
    direct: |_, _| (),
};

/// Courier, behind the envelope.
pub const DAEMON: Daemon = Daemon { name: "Courier", claims, parse: body };

fn claims(tag: &[u8]) -> bool {
    const TAGS: [&[u8]; 8] = [
        b"courieresmtpd",
        b"courierd",
        b"courieresmtp",
        b"courierlocal",
        b"courierdsn",
        b"courieruucp",
        b"courierfax",
        b"courierfilter",
    ];
    TAGS.contains(&tag)
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    syslog::line(line)
}

type Statement<'a> = (Option<&'a [u8]>, Event<'a>);

fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    let (message, event) = match envelope.tag {
        b"courieresmtpd" => (None, server(envelope.body)?),
        b"courierd" => queue(envelope.body)?,
        b"courieresmtp" => delivery(envelope.body, NextHop::Host { peer: Peer::default(), port: 0 })?,
        b"courierlocal" => delivery(envelope.body, NextHop::Local)?,
        _ => (None, Event::Other),
    };
    Ok(Body { session: None, message: message.map(|id| Key { scope: b"courier", id }), event })
}

fn wanted<'a>(rest: &'a [u8], what: &'static str) -> nom::Err<Expected<'a>> {
    nom::Err::Error(Expected { rest, what })
}

/// Parses `started,ip=[::ffff:192.0.2.9]`, `error,relay=::ffff:192.0.2.9,msg="535 ...",cmd: ...` and
/// `error,relay=::ffff:192.0.2.9,from=<S>,to=<R>: 550 User unknown.`
fn server(input: &[u8]) -> Result<Event<'_>, nom::Err<Expected<'_>>> {
    if let Some(rest) = input.strip_prefix(b"started,ip=[") {
        let end = memchr(b']', rest).ok_or_else(|| wanted(rest, "`]` after the address"))?;
        return Ok(Event::Connect { client: Peer::from_address(&rest[..end]), once: false });
    }
    let Some(rest) = input.strip_prefix(b"error,relay=") else { return Ok(Event::Other) };
    let end = memchr(b',', rest).unwrap_or(rest.len());
    let client = Peer::from_address(&rest[..end]);
    if client.address.is_none() {
        return Err(wanted(rest, "the address of the client"));
    }
    let rest = &rest[end..];
    // What an ident service says comes between: it cannot pose as a failed log-in, for that is no more than it could do anyway.
    if find(rest, b",msg=\"535 ").is_some() && find(rest, b",from=<").is_none() {
        return Ok(Event::AuthFailed { client, account: None });
    }
    if find(rest, b",from=<").is_none() {
        return Ok(Event::Other);
    }
    let fields = split_at_only(rest, b",from=<").and_then(|(_, rest)| {
        let (reverse_path, rest) = split_at_only(rest, b">,to=<")?;
        let (forward_path, said) = split_at_only(rest, b">: ")?;
        Some((reverse_path, forward_path, said))
    });
    let one = "`,from=<`, `>,to=<` and `>: ` once each";
    let (reverse_path, forward_path, said) = fields.ok_or_else(|| wanted(rest, one))?;
    let reply = reply(said);
    let refusal = refusal(&reply).unwrap_or(Refusal::Other);
    let (reverse_path, forward_path) = (Some(reverse_path), Some(forward_path));
    Ok(Event::Refused { client, stage: b"RCPT", reply, refusal, reverse_path, forward_path, helo: b"", account: None })
}

/// Parses `newmsg,id=ID, auth=USER: dns; HELO (HOST [::ffff:192.0.2.9])`, `started,id=ID,from=<S>,module=...` and `completed,id=ID`.
fn queue(input: &[u8]) -> Result<Statement<'_>, nom::Err<Expected<'_>>> {
    if let Some(rest) = input.strip_prefix(b"newmsg,id=") {
        let (id, rest) = identity(rest)?;
        return Ok((Some(id), arrival(rest)));
    }
    if let Some(rest) = input.strip_prefix(b"completed,id=") {
        let (id, _) = identity(rest)?;
        return Ok((Some(id), Event::Removed));
    }
    let Some(rest) = input.strip_prefix(b"started,id=") else { return Ok((None, Event::Other)) };
    let (id, rest) = identity(rest)?;
    let path = rest.strip_prefix(b",from=<").and_then(|rest| split_at_only(rest, b">,module="));
    let (reverse_path, _) = path.ok_or_else(|| wanted(rest, "`,from=<S>,module=`"))?;
    Ok((Some(id), Event::Queued { reverse_path, size_bytes: 0, recipients: 0 }))
}

/// The id of a message: letters, digits and dots.
fn identity(input: &[u8]) -> Result<(&[u8], &[u8]), nom::Err<Expected<'_>>> {
    let end = input.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'.').unwrap_or(input.len());
    if end == 0 { Err(wanted(input, "the id of a message")) } else { Ok(input.split_at(end)) }
}

/// Parses `[, auth=USER]: dns; HELO (HOST [ADDRESS])`. The EHLO name is the client's text; address and host end the line.
/// Anything but `dns` was not handed in by SMTP.
fn arrival(rest: &[u8]) -> Event<'_> {
    let (account, rest) = match rest.strip_prefix(b", auth=") {
        Some(rest) => {
            let end = find(rest, b": ").unwrap_or(rest.len());
            (Some(&rest[..end]), &rest[end..])
        }
        None => (None, rest),
    };
    let Some(mta) = rest.strip_prefix(b": dns; ") else {
        return Event::Submitted { user: b"", reverse_path: None };
    };
    let (before, host) = rfind(mta, b"[").map_or((mta, b"".as_slice()), |at| (&mta[..at], &mta[at + 1..]));
    let (before, host) = (before.trim_ascii_end(), host.strip_suffix(b"])").and_then(address));
    let name = before.rsplit(|byte| matches!(byte, b' ' | b'(')).next().unwrap_or_default();
    Event::Accepted { client: Peer { address: host, name }, account, original_id: None }
}

/// Parses `id=ID,from=<S>,addr=<R>,status: success`, or with `,success: TEXT` (local deliveries). Other lines repeat what the other
/// server said.
fn delivery<'a>(input: &'a [u8], next_hop: NextHop<'a>) -> Result<Statement<'a>, nom::Err<Expected<'a>>> {
    let Some(rest) = input.strip_prefix(b"id=") else { return Ok((None, Event::Other)) };
    let (id, line) = identity(rest)?;
    let rest = line;
    let ends: [(&[u8], Status); 4] = [
        (b">,status: success", Status::Sent),
        (b">,status: failure", Status::Bounced),
        (b">,status: deferred", Status::Deferred),
        (b">,success", Status::Sent),
    ];
    let found = ends.iter().find_map(|(end, status)| Some((rest.strip_suffix(*end)?, *status)));
    let with_text = || {
        let (rest, _) = split_at_only(rest, b",success: ")?;
        let size = rfind(rest, b">,size=").map_or(rest, |at| &rest[..at]);
        Some((size.strip_suffix(b">").unwrap_or(size), Status::Sent))
    };
    let Some((rest, status)) = found.or_else(with_text) else { return Ok((Some(id), Event::Other)) };
    let paths = rest.strip_prefix(b",from=<").and_then(|rest| split_at_only(rest, b">,addr=<"));
    // Only of the whole line is it known: `,success: ` in a path is the client's, and so is what stands before it.
    let paths = paths.filter(|_| split_at_only(line, b">,addr=<").is_some());
    let whole = |path: &[u8]| memchr::memchr_iter(b'"', path).count().is_multiple_of(2);
    let paths = paths.filter(|(_, forward_path)| whole(forward_path));
    let (_, forward_path) = paths.ok_or_else(|| wanted(rest, "`,from=<S>,addr=<R>` once"))?;
    let event = Event::Delivery {
        forward_paths: Paths::from(forward_path),
        original_forward_path: None,
        expanded: false,
        envelope: b"",
        source: None,
        next_hop,
        status,
        text: b"",
        child: None,
    };
    Ok((Some(id), event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Checks what a body says.
    fn check(tag: &str, body: &str, want: &str) {
        let line = format!("Feb  1 10:00:00 mx {tag}: {body}");
        let got = match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
            Line::Record(Record { event, message, .. }) => {
                let id = message.map_or(String::new(), |key| text(key.id) + " ");
                let peer = |peer: &Peer<'_>| format!("{:?} {}", peer.address, text(peer.name));
                id + &match event {
                    Event::Refused { client, refusal, reverse_path, forward_path, .. } => {
                        let paths = [reverse_path, forward_path].map(|path| path.map(text));
                        format!("refused {} {refusal:?} {paths:?}", peer(&client))
                    }
                    Event::AuthFailed { client, .. } => format!("failed {}", peer(&client)),
                    Event::Accepted { client, account, .. } => {
                        format!("accepted {} {:?}", peer(&client), account.map(text))
                    }
                    Event::Queued { reverse_path, .. } => format!("from {}", text(reverse_path)),
                    Event::Delivery { forward_paths, status, .. } => {
                        format!("to {:?} {status:?}", forward_paths.iter().map(text).collect::<Vec<_>>())
                    }
                    event => format!("{event:?}"),
                }
            }
            Line::Unparsed(why) => format!("unparsed: {}", why.expected),
            line => format!("{line:?}"),
        };
        assert_eq!(got, want, "{body}");
    }

    #[test]
    fn the_server() {
        let refused = |paths: &str| format!("refused Some(192.0.2.9)  {paths}");
        check(
            "courieresmtpd",
            "error,relay=::ffff:192.0.2.9,port=9,from=<a@example.org>,to=<b@example.net>: 513 Relaying denied.",
            &refused(r#"RelayDenied [Some("a@example.org"), Some("b@example.net")]"#),
        );
        check(
            "courieresmtpd[7]",
            "error,relay=192.0.2.9,ident=x,from=<>,to=<b@x>: 550 User <b> unknown",
            &refused(r#"Other [Some(""), Some("b@x")]"#),
        );
        check(
            "courieresmtpd",
            "error,relay=192.0.2.9,from=<>,to=<b@x>: 550 User unknown.",
            &refused(r#"UnknownUser [Some(""), Some("b@x")]"#),
        );
        check(
            "courieresmtpd",
            "error,relay=192.0.2.9,msg=\"535 Authentication failed.\",cmd: AUTH LOGIN x",
            "failed Some(192.0.2.9) ",
        );
        check("courieresmtpd", "error,relay=192.0.2.9,msg=\"502 Unknown command\",cmd: X", "Other");
        check("courieresmtpd", "error,relay=x,from=<>,to=<>: 550 no", "unparsed: the address of the client");
        check(
            "courieresmtpd",
            "error,relay=192.0.2.9,from=<a>,to=<x>: 250 ok>,to=<y>: 513 Relaying denied.",
            "unparsed: `,from=<`, `>,to=<` and `>: ` once each",
        );
        check(
            "courieresmtpd",
            "started,ip=[::ffff:192.0.2.9],port=[25]",
            "Connect { client: Peer { address: Some(192.0.2.9), name: [] }, once: false }",
        );
    }

    #[test]
    fn the_queue() {
        check(
            "courierd",
            "newmsg,id=4.5.A, auth=a@b: dns; h (x.example.net [::ffff:192.0.2.9])",
            "4.5.A accepted Some(192.0.2.9) x.example.net Some(\"a@b\")",
        );
        check(
            "courierd",
            "newmsg,id=4.5.A: dns; h (y [10.0.0.1]) ([192.0.2.9])",
            "4.5.A accepted Some(192.0.2.9)  None",
        );
        check("courierd", "newmsg,id=4.5.A: dns; , auth=x: ([192.0.2.9])", "4.5.A accepted Some(192.0.2.9)  None");
        check("courierd", "newmsg,id=4.5.A: uucp; x", "4.5.A Submitted { user: [], reverse_path: None }");
        check("courierd", "started,id=4.5.A,from=<a@b>,module=esmtp,host=x,addr=<c@d>", "4.5.A from a@b");
        check("courierd", "completed,id=4.5.A", "4.5.A Removed");
        check("courierd", "newmsg,id=", "unparsed: the id of a message");
        check("courieresmtp", "id=4.5.A,from=<a@b>,addr=<c@d>,status: success", r#"4.5.A to ["c@d"] Sent"#);
        check("courieresmtp", "id=4.5.A,from=<a@b>,addr=<c@d>,status: failure", r#"4.5.A to ["c@d"] Bounced"#);
        check("courieresmtp", "id=4.5.A,from=<a@b>,addr=<c@d>: 550 no", "4.5.A Other");
        check(
            "courierlocal",
            "id=4.5.A,from=<a@b>,addr=<c@d>,size=9,success: Message delivered.",
            r#"4.5.A to ["c@d"] Sent"#,
        );
        check(
            "courieresmtp",
            "id=4.5.A,from=<a>,addr=<x>,addr=<c@d>,status: success",
            "unparsed: `,from=<S>,addr=<R>` once",
        );
        let once = "unparsed: `,from=<S>,addr=<R>` once";
        check("courieresmtp", "id=4.5.A,from=<\"@x>,addr=<a@b>,success: .\"@y>,addr=<c@d>: 250 Ok", once);
        check("courieresmtp", "id=4.5.A,from=<a@b>,addr=<\"@b>,success: .\"@d>: 250 Ok", once);
        check("courierfilter", "x", "Other");
    }
}
