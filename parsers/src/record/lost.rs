//! Lines that a log does not hold, as the program that writes the log tells.

use super::When;

/// A statement of a logger that it did not write some lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost<'a> {
    /// When it was written, after the loss.
    pub when: When,
    /// The server whose lines they were; empty where the log does not say.
    pub server: &'a [u8],
    /// Who lost them.
    pub logger: Logger,
    /// The unit or program that wrote them, as the logger names it; empty if it does not, or only by process id.
    pub writer: &'a [u8],
    /// How many.
    pub lines: u64,
    /// Whether the number counts from the start of the logger and not from its last such statement.
    pub is_total: bool,
}

/// Where lines get lost between a program and its log. Each has settings of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Logger {
    /// The rate limit of rsyslog's system log socket (imuxsock).
    RsyslogSocket,
    /// The rate limit of rsyslog's reader of the journal (imjournal).
    RsyslogJournal,
    /// The rate limit of another input of rsyslog.
    RsyslogInput,
    /// The rate limit of journald.
    Journald,
    /// The socket over which journald hands lines to a syslog daemon that did not take them in time.
    JournaldForward,
    /// A destination of syslog-ng that did not keep up.
    SyslogNg,
    /// The socket of OpenBSD's syslogd.
    Sendsyslog,
}
