//! Programs beside the mail server that clients log in to, or that check passwords for it: Dovecot, Cyrus IMAP, saslauthd.
//!
//! They log through syslog, often into the mail server's own file; Dovecot may write a file of its own, in which the
//! name of the service stands where syslog has the host.

mod cyrus;
mod dovecot;
mod saslauthd;

use crate::qmail::time::stamp as multilog;
use crate::record::{Line, Record};
use crate::registry::{Context, Format};
use crate::syslog::{self, Body, Daemon, Envelope, time};
use crate::text::unparsed;

/// Log-ins, in any syslog envelope or in Dovecot's own file.
pub const FORMAT: Format = Format {
    name: "logins",
    title: "Log-ins beside the mail server: Dovecot, Cyrus IMAP, saslauthd (syslog, or Dovecot's own log file)",
    versions: "checked against published lines of Dovecot 1.0 to 2.4 and of Cyrus 2.x, and our own of Dovecot 2.3; saslauthd is \
               written to its source",
    yields: "failed log-ins with client and account, and successful ones, of IMAP, POP3, ManageSieve and Dovecot's submission \
             proxy; what Dovecot's auth process says of the passwords that it checks for the mail server",
    lacks: "mail; the client (saslauthd); the service that a password was checked for (Dovecot's auth process)",
    source: "Dovecot 2.3 src/login-common/client-common.c, src/auth/auth-request.c; Cyrus imap/imapd.c, imap/pop3d.c; \
             cyrus-sasl saslauthd/saslauthd-main.c; observed: corpus dovecot, cyrus (fail2ban, CrowdSec hub, OSSEC), mta/postfix",
    repeats: &[],
    recognises,
    parse,
    direct: |_, _| (),
};

/// Dovecot, behind the envelope.
pub const DOVECOT: Daemon = Daemon { name: "Dovecot", claims: |tag| tag == b"dovecot", parse: dovecot::body };

/// Cyrus IMAP, behind the envelope.
pub const CYRUS: Daemon = Daemon { name: "Cyrus IMAP", claims: cyrus::claims, parse: cyrus::body };

/// saslauthd, behind the envelope.
pub const SASLAUTHD: Daemon = Daemon { name: "saslauthd", claims: |tag| tag == b"saslauthd", parse: saslauthd::body };

fn recognises(line: &[u8]) -> bool {
    own_file(line).is_some()
        || matches!(syslog::envelope(line), Ok((_, envelope))
            if [DOVECOT, CYRUS, SASLAUTHD].iter().any(|daemon| (daemon.claims)(envelope.tag)))
}

fn parse<'a>(line: &'a [u8], _: &Context) -> Line<'a> {
    let Some(envelope) = own_file(line) else { return syslog::line(line) };
    match dovecot::body(&envelope) {
        Ok(Body { session, message, event }) => {
            Line::Record(Record { when: envelope.when, server: b"", session, message, event })
        }
        Err(error) => Line::Unparsed(unparsed(line, &error)),
    }
}

/// Reads `Jan 29 09:33:58 pop3-login: Info: TEXT`: a line of the file that Dovecot writes itself (`log_path`), or of multilog.
fn own_file(line: &[u8]) -> Option<Envelope<'_>> {
    let (body, when) = match line.first() {
        Some(b'@') => multilog(line).ok()?,
        _ => time::timestamp(line).ok().and_then(|(rest, when)| Some((rest.strip_prefix(b" ")?, when)))?,
    };
    let (service, said) = body.split_at(memchr::memchr(b' ', body)?);
    let is_service = service.ends_with(b":") && service.first().is_some_and(u8::is_ascii_lowercase);
    let is_line = is_service && (dovecot::level(&said[1..]).is_some() || service == b"dovecot-auth:");
    is_line.then_some(Envelope { when, host: b"", tag: b"dovecot", pid: b"", body })
}

#[cfg(test)]
mod tests;
