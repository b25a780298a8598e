//! Settings: where the lines lie that a log lacks, and which setting of the product makes it write them.
//!
//! Facts about products, for the advice of a report; no parser uses them. An empty text means that the product has no
//! such log, or that its log always tells.

use crate::record::Logger;

/// What to do for the evidence that the logs of one format lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The format, by its name in [`crate::registry::FORMATS`].
    pub format: &'static str,
    /// For the lines that tell who handed mail in.
    pub arrivals: &'static str,
    /// For the lines that tell what became of mail.
    pub deliveries: &'static str,
    /// For the lines of sessions: connections, refusals and failed log-ins.
    pub sessions: &'static str,
    /// The formats that tell of the sessions, where that is another log of the same server.
    pub told_by: &'static [&'static str],
    /// For the accounts that clients logged in with.
    pub accounts: &'static str,
    /// Whether log-ins are lines of their own, which a setting may leave out.
    pub log_ins_apart: bool,
    /// Whether refusals stand in a log of their own too, which holds no mail that was taken in.
    pub refusals_apart: bool,
    /// The list by which the server lets clients relay, where its log says that a client is on it.
    pub relay_list: Option<RelayList>,
}

/// A list of clients that may relay through a server, other than by the networks that a report knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayList {
    /// What it is called.
    pub name: &'static str,
    /// Whether the log says the same of clients that logged in.
    pub or_logged_in: bool,
    /// How to narrow it.
    pub narrow: &'static str,
}

const NOTHING: Settings = Settings {
    format: "",
    arrivals: "",
    deliveries: "",
    sessions: "",
    told_by: &[],
    accounts: "",
    log_ins_apart: false,
    refusals_apart: false,
    relay_list: None,
};

/// For the protocol logs of Exchange 2007 to SE. Sources: Microsoft, "Protocol logging", "Configure protocol logging",
/// "Set-ReceiveConnector".
const EXCHANGE_PROTOCOL: &str = "Give the files below TransportRoles\\Logs\\FrontEnd\\ProtocolLog\\SmtpReceive (2007, 2010: \
                                 TransportRoles\\Logs\\ProtocolLog\\SmtpReceive). If there are none, switch them on: \
                                 Get-ReceiveConnector | Set-ReceiveConnector -ProtocolLoggingLevel Verbose.";

/// For the SMTP service of Windows, which writes both directions into one file. Source: Microsoft, KB 303738.
const IIS_WHOLE: &str = "Give the other files of LogFiles\\SMTPSVC1 too. If none has OutboundConnection lines, switch them on: \
                         properties of the SMTP virtual server, General, Enable logging, Advanced, all fields.";

/// For Postfix. Source: postconf(5), `maillog_file`; the files are those of Debian and Red Hat.
const POSTFIX_WHOLE: &str = "Give the whole mail log with its older files: /var/log/mail.log*, /var/log/maillog*, or the file \
                             that `postconf maillog_file` names.";

/// For Exim. Source: the Exim specification, chapter "Log files" (`log_file_path`, `log_selector`).
const EXIM_WHOLE: &str = "Give the main log with its older files: /var/log/exim4/mainlog*, /var/log/exim/main.log*, or what \
                          `exim -bP log_file_path` names.";

/// Every product of which something is known.
pub const SETTINGS: &[Settings] = &[
    Settings { format: "postfix", arrivals: POSTFIX_WHOLE, deliveries: POSTFIX_WHOLE, ..NOTHING },
    Settings {
        format: "exim",
        arrivals: EXIM_WHOLE,
        deliveries: EXIM_WHOLE,
        sessions: "In the Exim configuration: log_selector = +smtp_connection +received_recipients.",
        refusals_apart: true,
        ..NOTHING
    },
    // Sendmail Installation and Operation Guide, "Log Level": 5 messages, 8 deliveries; srvrsmtp.c: log-ins above 8.
    Settings {
        format: "sendmail",
        arrivals: "Give the whole mail log with its older files: /var/log/maillog* or /var/log/mail.log*.",
        deliveries: "Give the whole mail log with its older files. If it has no such lines, set LogLevel to 9 or more: \
                     define(`confLOG_LEVEL', `9') in sendmail.mc.",
        accounts: "Set LogLevel to 9 or more: define(`confLOG_LEVEL', `9') in sendmail.mc.",
        log_ins_apart: true,
        ..NOTHING
    },
    // smtpd(8) logs to the facility mail; OpenBSD's syslog.conf(5) puts it there.
    Settings {
        format: "opensmtpd",
        arrivals: "Give the whole mail log with its older files: /var/log/maillog* or /var/log/mail.log*.",
        deliveries: "Give the whole mail log with its older files: /var/log/maillog* or /var/log/mail.log*.",
        ..NOTHING
    },
    // Life with qmail, "Logging": qmail-send and qmail-smtpd have a log each.
    Settings {
        format: "qmail",
        arrivals: "Give the log of qmail-smtpd beside that of qmail-send: /var/log/qmail/smtpd/current and the @* files there.",
        ..NOTHING
    },
    // Microsoft, "Message tracking", "Set-TransportService".
    Settings {
        format: "exchange-smtp-protocol",
        arrivals: EXCHANGE_PROTOCOL,
        deliveries: "Give the files below TransportRoles\\Logs\\MessageTracking. If there are none, switch them on: \
                     Set-TransportService NAME -MessageTrackingLogEnabled $true.",
        ..NOTHING
    },
    Settings {
        format: "exchange-tracking",
        sessions: EXCHANGE_PROTOCOL,
        told_by: &["exchange-smtp-protocol"],
        accounts: EXCHANGE_PROTOCOL,
        ..NOTHING
    },
    // Microsoft, KB 246965 (tracking logs do not show refusals), KB 303738.
    Settings {
        format: "exchange2000-tracking",
        sessions: "Give the files of LogFiles\\SMTPSVC1 below the Windows folder. If there are none, switch them on: properties of \
                   the SMTP virtual server, General, Enable logging, Advanced, all fields.",
        told_by: &["iis-smtp-w3c", "iis-smtp-msiis", "iis-smtp-ncsa"],
        ..NOTHING
    },
    Settings { format: "iis-smtp-w3c", deliveries: IIS_WHOLE, ..NOTHING },
    Settings { format: "iis-smtp-msiis", deliveries: IIS_WHOLE, ..NOTHING },
    Settings { format: "iis-smtp-ncsa", deliveries: IIS_WHOLE, ..NOTHING },
    // Microsoft, "SMTP AUTH clients report in the new EAC".
    Settings {
        format: "exchange-online-trace",
        accounts: "See the sign-in log of Entra ID, and the SMTP AUTH clients report of the Exchange admin center.",
        ..NOTHING
    },
    // Haraka, documentation of the plugin relay: `relay_acl_allow` lists the networks that may relay; `relay=Y` is logged of them
    // and of clients that logged in (connection.js, plugins/auth/auth_base.js).
    Settings {
        format: "haraka",
        relay_list: Some(RelayList {
            name: "the list of the plugin relay (config/relay_acl_allow)",
            or_logged_in: true,
            narrow: "Narrow the relay list: in Haraka's config/relay_acl_allow leave only the addresses of hosts that are yours, and let \
                     everybody else log in.",
        }),
        ..NOTHING
    },
    // AsyncOS User Guide, "Defining Which Hosts Are Allowed to Connect Using the Host Access Table": the policy $RELAYED of the
    // sender group RELAYLIST lets its senders relay.
    Settings {
        format: "cisco-esa-text",
        relay_list: Some(RelayList {
            name: "a sender group with the policy RELAY (Host Access Table)",
            or_logged_in: false,
            narrow: "Narrow the sender group: under Mail Policies, HAT Overview, take every range that is too wide out of the groups whose \
                     mail flow policy relays (RELAYLIST), and commit.",
        }),
        ..NOTHING
    },
];

/// What is known of the product that writes a format.
pub fn of(format: &str) -> Option<&'static Settings> {
    SETTINGS.iter().find(|settings| settings.format == format)
}

/// What lost lines, in a few words, and what to set against it.
///
/// Sources: rsyslog's documentation of imuxsock and imjournal; journald.conf(5), systemd.exec(5); unix(7),
/// `max_dgram_qlen`; syslog-ng's documentation of `log-fifo-size()`; OpenBSD sendsyslog(2).
pub fn of_logger(logger: Logger) -> (&'static str, &'static str) {
    match logger {
        Logger::RsyslogSocket => (
            "the rate limit of rsyslog",
            "In rsyslog.conf: module(load=\"imuxsock\" SysSock.RateLimit.Interval=\"0\"), in old versions \
             $SystemLogRateLimitInterval 0.",
        ),
        Logger::RsyslogJournal => (
            "the rate limit of rsyslog",
            "In rsyslog.conf: module(load=\"imjournal\" Ratelimit.Interval=\"0\"), in old versions \
             $imjournalRatelimitInterval 0; or give the journal itself.",
        ),
        Logger::RsyslogInput => {
            ("the rate limit of rsyslog", "In rsyslog.conf: RateLimit.Interval=\"0\" for that input.")
        }
        Logger::Journald => (
            "the rate limit of journald",
            "In journald.conf: RateLimitIntervalSec=0 (old versions: RateLimitInterval=0), or a larger RateLimitBurst=.",
        ),
        Logger::JournaldForward => (
            "a syslog daemon that did not keep up with journald",
            "They are in the journal: give that, or raise the sysctl net.unix.max_dgram_qlen.",
        ),
        Logger::SyslogNg => {
            ("a full queue of syslog-ng", "In syslog-ng.conf: a larger log-fifo-size() for the destination.")
        }
        Logger::Sendsyslog => ("syslogd not taking them", "Start syslogd before the mail server, and keep it running."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::by_name;

    #[test]
    fn every_format_is_one_and_has_something_to_say() {
        for settings in SETTINGS {
            assert!(by_name(settings.format).is_some(), "{}", settings.format);
            assert!(settings.told_by.iter().all(|format| by_name(format).is_some()), "{}", settings.format);
            assert_ne!(Settings { format: "", ..*settings }, NOTHING, "{}", settings.format);
            assert_eq!(of(settings.format), Some(settings));
            for advice in [settings.arrivals, settings.deliveries, settings.sessions, settings.accounts] {
                assert!(advice.is_empty() || advice.ends_with('.'), "{advice}");
            }
        }
    }
}
