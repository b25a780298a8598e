//! What Exim refuses: `H=name (helo) [192.0.2.1] F=<S> rejected RCPT <R>: relay not permitted`, and the
//! shapes beside it (src/smtp_in.c, `smtp_handle_acl_fail`; src/receive.c).

use super::atoms::{host, path, word};
use super::fields::{Fields, fields};
use super::refusal::{classify, code};
use crate::record::{Event, Refusal, Reply};
use crate::text::{Expected, Parsed, expect};
use memchr::memmem;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag};
use nom::combinator::{map, opt, value};
use nom::sequence::{delimited, preceded, terminated};

/// The stage of refusals for a whole message.
pub const END_OF_MESSAGE: &[u8] = b"END-OF-MESSAGE";

/// What was refused, and why.
#[derive(Default)]
struct What<'a> {
    stage: &'a [u8],
    reverse_path: Option<&'a [u8]>,
    forward_path: Option<&'a [u8]>,
    helo: &'a [u8],
    reason: &'a [u8],
}

/// Parses a line that begins with fields (`H=`, `U=`, `F=`) or with the refusal itself. It is a refusal if
/// `rejected` follows them, else anything: warnings, failed verifications (a refusal follows those), ACL text.
pub fn statement(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (found, rest) = fields(input);
    let rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    if rest.starts_with(b"H=") && memmem::find(rest, b" rejected ").is_some() {
        host(&rest[2..])?;
    }
    let mut verb = preceded(opt(tag("temporarily ")), tag::<_, _, Expected<'_>>("rejected "));
    match verb.parse(rest) {
        Ok((rest, _)) => what(rest).map(|(rest, (what, late))| (rest, refused(merge(found, late), what))),
        Err(_) => Ok((b"", Event::Other)),
    }
}

/// Parses what follows `rejected `; the fields are those of the shapes that name the client behind the command.
fn what(input: &[u8]) -> Parsed<'_, (What<'_>, Fields<'_>)> {
    let alone = |what| (what, Fields::default());
    let named = alt((
        map(preceded(tag("RCPT "), argument), move |(path, reason)| {
            alone(What { stage: b"RCPT", forward_path: Some(path), reason, ..What::default() })
        }),
        from_client,
        map(preceded(tag("MAIL "), argument), move |(path, reason)| {
            alone(What { stage: b"MAIL", reverse_path: Some(path), reason, ..What::default() })
        }),
        map(preceded(tag("EHLO or HELO "), name_and_reason), move |(helo, reason)| {
            alone(What { stage: b"HELO", helo, reason, ..What::default() })
        }),
        too_big,
        map((stage, reason), move |(stage, reason)| alone(What { stage, reason, ..What::default() })),
    ));
    expect("what was rejected", named).parse(input)
}

/// Parses the argument of RCPT or MAIL as the client sent it, parameters and all, and the reason.
///
/// Exim takes what RFC 5322 allows, a phrase before the path or no brackets: then the argument ends at the first `: `.
fn argument(input: &[u8]) -> Parsed<'_, (&[u8], &[u8])> {
    let (path, rest) = path(input).map_or_else(
        |_| {
            let (argument, rest) = input.split_at(memmem::find(input, b": ").unwrap_or(input.len()));
            (in_brackets(argument), rest)
        },
        |(rest, path)| (path, rest),
    );
    let (rest, reason) = reason(rest)?;
    Ok((rest, (path.trim_ascii(), reason)))
}

/// What stands between the first `<` and the last `>`, else all.
fn in_brackets(argument: &[u8]) -> &[u8] {
    let Some(open) = memchr::memchr(b'<', argument) else { return argument.strip_suffix(b":").unwrap_or(argument) };
    let inside = &argument[open + 1..];
    memchr::memrchr(b'>', inside).map_or(inside, |close| &inside[..close])
}

/// Parses `EHLO from HOST: syntactically invalid argument(s)`, `MAIL from HOST: no HELO/EHLO given`.
fn from_client(input: &[u8]) -> Parsed<'_, (What<'_>, Fields<'_>)> {
    let (rest, stage) = terminated(is_not(" <:"), tag(" from ")).parse(input)?;
    let (rest, _) = opt(tag("H=")).parse(rest)?;
    let (rest, client) = host(rest)?;
    let (found, rest) = fields(rest);
    let (rest, reason) = reason(rest)?;
    Ok((rest, (What { stage, reason, ..What::default() }, Fields { host: Some(client), ..found })))
}

/// Parses `from <S> H=HOST: message too big`.
fn too_big(input: &[u8]) -> Parsed<'_, (What<'_>, Fields<'_>)> {
    let (rest, path) = preceded(tag("from "), path).parse(input)?;
    let (found, rest) = fields(rest);
    let (rest, reason) = reason(rest)?;
    Ok((rest, (What { stage: END_OF_MESSAGE, reverse_path: Some(path), reason, ..What::default() }, found)))
}

fn name_and_reason(input: &[u8]) -> Parsed<'_, (&[u8], &[u8])> {
    let end = memmem::find(input, b": ").unwrap_or(input.len());
    let (name, rest) = input.split_at(end);
    reason(rest).map(|(rest, reason)| (rest, (name, reason)))
}

/// Parses the stage, in Exim's words (src/acl.c, `acl_wherenames`).
fn stage(input: &[u8]) -> Parsed<'_, &[u8]> {
    let whole = alt((
        tag("after DATA PRDR"),
        tag("after DATA"),
        tag("during MIME ACL checks"),
        tag("by local_scan()"),
        tag("by non-SMTP"),
        tag("DKIM"),
    ));
    let connection = terminated(tag("connection"), opt(tag(" in \"connect\" ACL")));
    let word = terminated(word, opt(is_not(":")));
    alt((value(END_OF_MESSAGE, whole), value(b"CONNECT".as_slice(), connection), word)).parse(input)
}

/// What follows the first `: `; empty if nothing does.
fn reason(input: &[u8]) -> Parsed<'_, &[u8]> {
    let at = memmem::find(input, b": ").map_or(input.len(), |at| at + 2);
    Ok((b"", &input[at..]))
}

/// Parses `unqualified recipient rejected: <R> H=HOST ...` (also `sender`).
pub fn unqualified(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let who = alt((tag("recipient"), tag("sender")));
    let (rest, who) = delimited(tag("unqualified "), who, tag(" rejected: ")).parse(input)?;
    let (rest, path) = path(rest)?;
    let (found, _) = fields(rest);
    let reason = &input[..input.len() - rest.len()];
    let what = match who {
        b"sender" => What { stage: b"MAIL", reverse_path: Some(path), reason, ..What::default() },
        _ => What { stage: b"RCPT", forward_path: Some(path), reason, ..What::default() },
    };
    Ok((b"", refused(found, what)))
}

/// Parses `SMTP syntax error in "RCPT TO:<a@b@c>" H=HOST malformed address: ...`.
///
/// The command is the client's text, without any escape for `"`, and so is much of the reason. Where that makes
/// several `" H=` of one, nothing tells which is Exim's, and no client is given rather than one of the client's choice.
/// Commands that are not of the envelope say nothing of use.
pub fn syntax_error(input: &[u8]) -> Parsed<'_, Event<'_>> {
    const MARK: &[u8] = b"\" H=";
    let (rest, _) = tag("SMTP syntax error in \"").parse(input)?;
    let candidate = |at: usize| Some((at, host(&rest[at + MARK.len()..]).ok()?));
    let mut candidates = memmem::find_iter(rest, MARK).filter_map(candidate);
    let Some((at, (reason, client))) = candidates.next() else {
        return Ok((b"", Event::Other));
    };
    let is_alone = candidates.next().is_none();
    let command = &rest[..at];
    let (found, reason) = fields(reason);
    let found = Fields { host: is_alone.then_some(client), ..found };
    let reason = reason.trim_ascii_start();
    let is = |verb: &[u8]| command.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb));
    let path = path_of(command);
    let what = match (is(b"RCPT"), is(b"MAIL")) {
        (true, _) => What { stage: b"RCPT", forward_path: Some(path), reason, ..What::default() },
        (_, true) => What { stage: b"MAIL", reverse_path: Some(path), reason, ..What::default() },
        _ => return Ok((b"", Event::Other)),
    };
    Ok((b"", with(Refusal::BadSyntax, found, what)))
}

/// The path of a command.
fn path_of(command: &[u8]) -> &[u8] {
    let colon = memchr::memchr(b':', command).map_or(command.len(), |at| at + 1);
    in_brackets(command[colon..].trim_ascii())
}

/// Parses `Connection from HOST refused: too many connections`, `refused connection from HOST`.
pub fn connection(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let (rest, _) = alt((tag("Connection from "), tag("refused connection from "))).parse(input)?;
    let (rest, _) = opt(tag("H=")).parse(rest)?;
    let (rest, client) = host(rest)?;
    let (found, rest) = fields(rest);
    if input.starts_with(b"Connection") && !rest.starts_with(b" refused") {
        return Ok((b"", Event::Other));
    }
    let (_, reason) = reason(rest)?;
    let found = Fields { host: Some(client), ..found };
    Ok((b"", refused(found, What { stage: b"CONNECT", reason, ..What::default() })))
}

/// Parses `refused relay (host) to <R> from <S> H=HOST` (Exim 3, src/verify.c).
pub fn relay(input: &[u8]) -> Parsed<'_, Event<'_>> {
    let kind = delimited(tag("refused relay ("), is_not(")"), tag(") to "));
    let (rest, (_, forward_path)) = (kind, path).parse(input)?;
    let (rest, reverse_path) = opt(preceded(tag(" from "), path)).parse(rest)?;
    let (found, _) = fields(rest);
    let what = What { stage: b"RCPT", forward_path: Some(forward_path), reverse_path, ..What::default() };
    Ok((b"", with(Refusal::RelayDenied, found, what)))
}

fn merge<'a>(early: Fields<'a>, late: Fields<'a>) -> Fields<'a> {
    Fields { host: early.host.or(late.host), ..early }
}

fn refused<'a>(found: Fields<'a>, what: What<'a>) -> Event<'a> {
    with(classify(what.stage, what.reason), found, what)
}

fn with<'a>(refusal: Refusal, found: Fields<'a>, what: What<'a>) -> Event<'a> {
    let host = found.host.unwrap_or_default();
    let (code, text) = code(what.reason);
    Event::Refused {
        client: host.peer,
        stage: what.stage,
        reply: Reply { code, text },
        refusal,
        reverse_path: what.reverse_path.or(found.reverse_path),
        forward_path: what.forward_path,
        helo: if what.helo.is_empty() { host.helo } else { what.helo },
        account: found.account,
    }
}
