//! The system's log: one line of the Elastic Common Schema for each piece of news.
//!
//! Through the socket that syslog daemons and journald listen on, in the form that syslog(3) writes there (RFC 3164
//! section 4.1: `<priority>tag: text`). The facility is `daemon`, not `mail`: what is said of the mail log must not
//! become a part of it.

use super::Failed;
use crate::sweep::findings::News;
use std::path::Path;

/// Where the socket is on nearly all systems.
pub const SOCKET: &str = "/dev/log";

/// Sends news, and returns how many of it were taken.
#[cfg(unix)]
pub fn send(news: &[News], socket: &Path) -> (usize, Result<(), Failed>) {
    use std::os::unix::net::UnixDatagram;
    let fail = |error: std::io::Error| format!("{}: cannot write to the system's log: {error}", socket.display());
    let connected = UnixDatagram::unbound().and_then(|log| log.connect(socket).map(|()| log));
    let log = match connected {
        Ok(log) => log,
        Err(error) => return (0, Err(fail(error))),
    };
    for (sent, news) in news.iter().enumerate() {
        if let Err(error) = log.send(message(news).as_bytes()) {
            return (sent, Err(fail(error)));
        }
    }
    (news.len(), Ok(()))
}

/// There is no such socket here.
#[cfg(not(unix))]
pub fn send(_: &[News], _: &Path) -> (usize, Result<(), Failed>) {
    (0, Err("--syslog: this system has no syslog socket; use --ndjson".to_owned()))
}

#[cfg(unix)]
fn message(news: &News) -> String {
    use crate::judge::Severity;
    use crate::sweep::findings::Why;
    /// `daemon` (RFC 5424 section 6.2.1, table 1).
    const FACILITY: u8 = 3;
    let severity = match news.finding.severity {
        _ if news.why == Why::Resolved => 5,
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low | Severity::Info => 6,
    };
    format!("<{}>relayaudit: {}", FACILITY * 8 + severity, super::ecs::line(news))
}
