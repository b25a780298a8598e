//! What happens in an SMTP session (smtp_session.c): `connected address=192.0.2.1 host=NAME`, `authentication user=U result=ok`,
//! `message msgid=M size=N nrcpt=N proto=ESMTP`, `envelope evpid=E from=<S> to=<R>`, `failed-command command="C" result="R"`,
//! `disconnected reason=quit`.

use super::Statement;
use super::atoms::{client, field, id, key, message_id, value, word};
use super::refusal;
use crate::record::{Event, Peer};
use crate::text::{Expected, Parsed, number};
use memchr::memmem;

/// Parses what follows the name of the event.
pub fn statement<'a>(event: &[u8], input: &'a [u8]) -> Parsed<'a, Statement<'a>> {
    let (rest, peer) = named(input);
    match event {
        b"connected" => {
            let client = peer.ok_or(nom::Err::Error(Expected { rest: input, what: "` address=` and ` host=`" }))?;
            Ok((b"", said(Event::Connect { client, once: true })))
        }
        b"disconnected" | b"closed" => Ok((b"", said(Event::Disconnect { client: Peer::default(), auth_failures: 0 }))),
        b"authentication" => authentication(rest, peer.unwrap_or_default()),
        b"message" => message(rest, peer.unwrap_or_default()),
        b"envelope" => envelope(rest),
        b"failed-command" => failed_command(rest, peer.unwrap_or_default()),
        _ => Ok((b"", Statement::default())),
    }
}

fn said(event: Event<'_>) -> Statement<'_> {
    Statement { event: Some(event), ..Statement::default() }
}

/// ` address=A host=H`, which 6.0 to 6.3 repeat in every line.
fn named(input: &[u8]) -> (&[u8], Option<Peer<'_>>) {
    let parsed = field("address=", input).and_then(|(rest, literal)| {
        // The name stands as it is: `<unknown>` keeps its brackets.
        let (rest, _) = key("host=", rest)?;
        let (rest, name) = word(rest)?;
        Ok((rest, client(literal, name)))
    });
    match parsed {
        Ok((rest, peer)) => (rest, Some(peer)),
        Err(_) => (input, None),
    }
}

/// The user is the client's text, up to the last ` result=`.
fn authentication<'a>(input: &'a [u8], client: Peer<'a>) -> Parsed<'a, Statement<'a>> {
    const RESULT: &[u8] = b" result=";
    let (rest, _) = key("user=", input)?;
    let at = memmem::rfind(rest, RESULT);
    let at = at.ok_or(nom::Err::Error(Expected { rest, what: "` result=` after the user" }))?;
    let (account, result) = (Some(&rest[..at]).filter(|user| !user.is_empty()), &rest[at + RESULT.len()..]);
    Ok((
        b"",
        said(match result {
            b"ok" => Event::AuthSucceeded { client, account },
            b"tempfail" => Event::Other,
            _ => Event::AuthFailed { client, account },
        }),
    ))
}

/// Since 6.4 the message as a whole; before, a line for each recipient, with all there is.
fn message<'a>(input: &'a [u8], client: Peer<'a>) -> Parsed<'a, Statement<'a>> {
    let (rest, message) = field("msgid=", input)?;
    if message_id(message).is_none() {
        return Err(nom::Err::Error(Expected { rest: input, what: "a message id" }));
    }
    let (rest, reverse_path) = optional("from=", rest);
    let (rest, forward_path) = optional("to=", rest);
    let (rest, size) = field("size=", rest)?;
    let (_, count) = optional("ndest=", rest);
    let count = count.filter(|_| forward_path.is_some()).and_then(number).unwrap_or(0);
    let event = Event::Envelope {
        client,
        account: None,
        reverse_path,
        forward_path,
        envelope: b"",
        envelopes: u32::try_from(count).unwrap_or(u32::MAX),
        size_bytes: number(size).unwrap_or(0),
    };
    Ok((b"", Statement { message: Some(message), event: Some(event), session: None }))
}

fn optional<'a>(name: &'static str, input: &'a [u8]) -> (&'a [u8], Option<&'a [u8]>) {
    field(name, input).map_or((input, None), |(rest, value)| (rest, Some(value)))
}

fn envelope(input: &[u8]) -> Parsed<'_, Statement<'_>> {
    let (rest, envelope) = field("evpid=", input)?;
    if id(envelope).is_none() {
        return Err(nom::Err::Error(Expected { rest: input, what: "the id of a recipient" }));
    }
    let (rest, reverse_path) = field("from=", rest)?;
    let (_, forward_path) = field("to=", rest)?;
    let event = Event::Envelope {
        client: Peer::default(),
        account: None,
        reverse_path: Some(reverse_path),
        forward_path: Some(forward_path),
        envelope,
        envelopes: 0,
        size_bytes: 0,
    };
    Ok((b"", Statement { message: Some(envelope), event: Some(event), session: None }))
}

/// Both command and answer are logged as they are, and the answer may repeat the command's path: the command ends at the first
/// `" result="` that a reply code follows.
fn failed_command<'a>(input: &'a [u8], client: Peer<'a>) -> Parsed<'a, Statement<'a>> {
    const RESULT: &[u8] = b"\" result=\"";
    let (rest, _) = key("command=\"", input)?;
    let has_code = |at: &usize| rest[at + RESULT.len()..].iter().take(3).filter(|b| b.is_ascii_digit()).count() == 3;
    let Some(at) = memmem::find_iter(rest, RESULT).find(has_code) else {
        return Err(nom::Err::Error(Expected { rest, what: "`\" result=\"` and a reply code" }));
    };
    let (_, result) = value(&rest[at + RESULT.len() - 1..])?;
    Ok((b"", Statement { event: refusal::of_command(&rest[..at], result, client), ..Statement::default() }))
}
