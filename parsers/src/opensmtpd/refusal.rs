//! Commands that OpenSMTPD refused, in its own words and those of filters (smtp_session.c; rfc 5321 section 4.2).

use crate::record::{Event, Peer, Refusal, Reply};
use crate::text::{path, reply_code, without_enhanced_code};

/// The refusal of a MAIL or RCPT command; `None` for other commands.
///
/// `550 Invalid recipient` is said to whoever may not relay and for users that do not exist: the reason is not in the log.
pub fn of_command<'a>(command: &'a [u8], result: &'a [u8], client: Peer<'a>) -> Option<Event<'a>> {
    let is = |verb: &[u8]| command.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb));
    let (stage, argument): (&[u8], _) = match () {
        () if is(b"RCPT TO:") => (b"RCPT", &command[8..]),
        () if is(b"MAIL FROM:") => (b"MAIL", &command[10..]),
        () => return None,
    };
    let given = path_of(argument);
    let (code, text) = reply_code(result);
    let reason = without_enhanced_code(text);
    let mentions = |word: &[u8]| reason.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    let refusal = match stage {
        b"RCPT" if reason.starts_with(b"Invalid recipient") => Refusal::Unsaid,
        _ if mentions(b"address syntax error") => Refusal::BadSyntax,
        _ if mentions(b"greylist") || mentions(b"try again") || mentions(b"too many") => Refusal::Greylisted,
        _ => Refusal::Other,
    };
    let is_recipient = stage == b"RCPT";
    Some(Event::Refused {
        client,
        stage,
        reply: Reply { code, text },
        refusal,
        reverse_path: (!is_recipient).then_some(given),
        forward_path: is_recipient.then_some(given),
        helo: b"",
        account: None,
    })
}

/// The path of an argument: in brackets by the rule, or else as far as the last bracket or space.
fn path_of(argument: &[u8]) -> &[u8] {
    let argument = argument.trim_ascii();
    if let Ok((_, found)) = path(argument) {
        return found;
    }
    match argument.strip_prefix(b"<") {
        Some(inside) => memchr::memrchr(b'>', inside).map_or(inside, |end| &inside[..end]),
        None => argument.split(|b| *b == b' ').next().unwrap_or(argument),
    }
}
