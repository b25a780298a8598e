//! Dovecot: `SERVICE: [LEVEL: ]TEXT`, of the login services and of the auth process.
//!
//! The login services tell of whole connections (`auth failed, 3 attempts`), the auth process of each password that a
//! passdb did not take, whoever asked. Users are the clients' text.

use crate::record::{Event, Peer, Watch};
use crate::syslog::{Body, Envelope};
use crate::text::{Expected, address, number, split_at_only};
use memchr::memmem::{find, rfind};

/// Parses the body of a line of Dovecot.
pub fn body<'a>(envelope: &Envelope<'a>) -> Result<Body<'a>, nom::Err<Expected<'a>>> {
    // Observed: some setups log the name twice (`dovecot[442]: dovecot: auth(default): ...`).
    let text = envelope.body.strip_prefix(b"dovecot: ").unwrap_or(envelope.body);
    let event = statement(text).map_err(|(rest, what)| nom::Err::Error(Expected { rest, what }))?;
    Ok(Body { session: None, message: None, event })
}

/// What was wanted, and where.
type Wanted<'a> = (&'a [u8], &'static str);

fn statement(text: &[u8]) -> Result<Event<'_>, Wanted<'_>> {
    let Some(end) = find(text, b": ") else { return Ok(Event::Other) };
    let (service, rest) = (&text[..end], &text[end + 2..]);
    let said = level(rest).unwrap_or(rest);
    match service {
        b"imap-login" | b"pop3-login" | b"submission-login" | b"managesieve-login" => login(said),
        _ if is_auth(service) => auth(said),
        _ => Ok(Event::Other),
    }
}

/// What follows the level of a line: `Info: TEXT`. `None` if it has none.
pub fn level(text: &[u8]) -> Option<&[u8]> {
    const LEVELS: [&[u8]; 6] = [b"Info: ", b"Warning: ", b"Error: ", b"Debug: ", b"Fatal: ", b"Panic: "];
    LEVELS.iter().find_map(|level| text.strip_prefix(*level))
}

/// Whether a service is the auth process or a worker of it: `auth`, `auth(default)`, `auth-worker(304)`.
fn is_auth(service: &[u8]) -> bool {
    let rest = service.strip_prefix(b"auth").map(|rest| rest.strip_prefix(b"-worker").unwrap_or(rest));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"(") && rest.ends_with(b")"))
}

/// Parses `STATE: [user=<U>, ][method=M, ]rip=IP[, lip=IP, ...]`.
///
/// User and method are the client's text, the state and all behind `rip=` are the server's: the fields begin at the first
/// mark of a field, and the last `rip=` is the server's.
fn login(said: &[u8]) -> Result<Event<'_>, Wanted<'_>> {
    const MARKS: [&[u8]; 3] = [b": user=<", b": method=", b": rip="];
    let Some(end) = MARKS.iter().filter_map(|mark| find(said, mark)).min() else { return Ok(Event::Other) };
    let (state, fields) = (&said[..end], &said[end + 2..]);
    let failures = match state {
        b"Login" | b"Logged in" => 0,
        _ => match failures(state) {
            0 => return Ok(Event::Other),
            failures => failures,
        },
    };
    let wanted = (fields, "the client's address: `rip=192.0.2.1`");
    let (before, rest) = match rfind(fields, b", rip=") {
        Some(at) => (&fields[..at], &fields[at + 6..]),
        None => (b"".as_slice(), fields.strip_prefix(b"rip=").ok_or(wanted)?),
    };
    let client = peer(&rest[..memchr::memchr(b',', rest).unwrap_or(rest.len())]);
    let account = user(before);
    Ok(match failures {
        0 => Event::AuthSucceeded { client, account },
        times => Event::LogInsFailed { client, account, times, watch: Watch::Service },
    })
}

/// The number in `(auth failed, 3 attempts in 16 secs)`, or in `(1 authentication attempts)` as Dovecot 1.0 has it.
fn failures(state: &[u8]) -> u32 {
    let new = split_once(state, b"(auth failed, ").and_then(|(_, rest)| count(rest));
    let old = || {
        let (_, rest) = split_once(state, b"(")?;
        count(rest).filter(|(_, rest)| rest.starts_with(b" authentication attempts)"))
    };
    new.or_else(old).map_or(0, |(count, _)| count)
}

/// Splits off a number.
fn count(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    Some((u32::try_from(number(&text[..digits])?).ok()?, &text[digits..]))
}

/// The user of `user=<U>` or `user=<U>, method=M`.
fn user(fields: &[u8]) -> Option<&[u8]> {
    let rest = fields.strip_prefix(b"user=<")?;
    let end = rfind(rest, b">, method=").or_else(|| rest.len().checked_sub(1).filter(|_| rest.ends_with(b">")))?;
    Some(&rest[..end]).filter(|user| !user.is_empty())
}

/// Text that is a client's address; a client without one if it is made unreadable.
fn peer(text: &[u8]) -> Peer<'_> {
    Peer { address: address(text), name: b"" }
}

/// Parses `[conn unix:auth-worker (pid=1,uid=9): auth-worker<6>: ]PASSDB(U,IP[,<SESSION>]): REASON`.
///
/// Dovecot lets no comma and no bracket into a user unless `auth_username_chars` is emptied; then, and in logged
/// passwords, `): ` may stand twice and nothing tells which is the server's.
fn auth(said: &[u8]) -> Result<Event<'_>, Wanted<'_>> {
    let inner = said.strip_prefix(b"conn unix:auth-worker (").and_then(|rest| {
        let (_, rest) = split_once(rest, b"): auth-worker<")?;
        Some(split_once(rest, b">: ")?.1)
    });
    let said = inner.unwrap_or(said);
    let passdb = said.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'-').count();
    let Some(b'(') = said.get(passdb) else { return Ok(Event::Other) };
    if passdb == 0 {
        return Ok(Event::Other);
    }
    let inside = &said[passdb + 1..];
    let Some((who, reason)) = split_at_only(inside, b"): ") else {
        let is_other = find(inside, b"): ").is_none();
        return if is_other {
            Ok(Event::Other)
        } else {
            Err((inside, "`): ` once, between the client and the reason"))
        };
    };
    if !is_failure(reason) {
        return Ok(Event::Other);
    }
    let who = match rfind(who, b",<") {
        Some(at) if who.ends_with(b">") => &who[..at],
        _ => who.strip_suffix(b",").unwrap_or(who),
    };
    let wanted = (who, "a user and a client's address: `anna,192.0.2.1`");
    let comma = memchr::memrchr(b',', who).ok_or(wanted)?;
    let account = Some(&who[..comma]).filter(|user| !user.is_empty());
    Ok(Event::LogInsFailed { client: peer(&who[comma + 1..]), account, times: 1, watch: Watch::Checker })
}

fn split_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    find(text, mark).map(|at| (&text[..at], &text[at + mark.len()..]))
}

/// Whether a passdb's reason says that the log-in failed, and that no other passdb is asked.
fn is_failure(reason: &[u8]) -> bool {
    const REASONS: [&[u8]; 5] = [
        b"unknown user",
        b"password mismatch",
        b"pam_authenticate() failed",
        b"invalid credentials",
        b"empty password",
    ];
    let begins = |start: &[u8]| reason.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    REASONS.iter().any(|start| begins(start)) && find(reason, b" - trying the next passdb").is_none()
}
