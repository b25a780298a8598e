//! What agrees, and why the rest does not.

/// What a project may say of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Client,
    Account,
    ReversePath,
    ForwardPath,
    /// A reply code, or what became of a delivery.
    Status,
}

impl Field {
    /// Its name, for people.
    #[allow(dead_code)] // Used by the page of formats.
    pub fn title(self) -> &'static str {
        match self {
            Field::Client => "client",
            Field::Account => "account",
            Field::ReversePath => "reverse-path",
            Field::ForwardPath => "recipient",
            Field::Status => "state",
        }
    }
}

/// A reason for differences.
pub struct Rule {
    /// The project.
    pub project: &'static str,
    /// How relayaudit took the line: `other`, a reason to ignore it, `no format`, `unparsed`, or `record` if it read another value.
    #[allow(dead_code)] // Used by the comparison.
    pub taken: &'static str,
    /// Parts of the file's name or of the line: one of them is there.
    #[allow(dead_code)] // Used by the comparison.
    pub parts: &'static [&'static str],
    /// How many statements differ for this reason.
    pub count: u32,
    pub why: &'static str,
}

const fn rule(
    project: &'static str,
    taken: &'static str,
    parts: &'static [&'static str],
    count: u32,
    why: &'static str,
) -> Rule {
    Rule { project, taken, parts, count, why }
}

/// Project, field, how many statements agree, and how many there are.
pub const AGREEMENTS: &[(&str, Field, u32, u32)] = &[
    ("crowdsec", Field::Client, 43, 57),
    ("crowdsec", Field::Account, 27, 32),
    ("crowdsec", Field::ReversePath, 4, 7),
    ("crowdsec", Field::Status, 4, 4),
    ("fail2ban", Field::Client, 139, 184),
    ("fail2ban", Field::Account, 1, 1),
    ("sekoia", Field::Client, 21, 153),
    ("sekoia", Field::Account, 0, 32),
    ("sekoia", Field::ReversePath, 12, 99),
    ("sekoia", Field::ForwardPath, 46, 83),
    ("sekoia", Field::Status, 30, 35),
    ("whyscream", Field::Client, 12, 50),
    ("whyscream", Field::ReversePath, 7, 13),
    ("whyscream", Field::ForwardPath, 17, 27),
    ("whyscream", Field::Status, 16, 20),
];

const FILTER_PROGRAMS: &str = "a line of postgrey, policyd-spf or spamd: it repeats client and paths of mail that Postfix logs itself, and is not read";
const BESIDE_MAIL: &str = "tells nothing of mail or log-ins: a lost connection, TLS, a time-out, a protocol error, statistics of anvil, tests of postscreen";
const HEADER_CHECK: &str = "a header check or milter quotes a header; client and paths are in the message's own lines";
const ON_TO_FILTER: &str = "the mail goes on through a filter, and the lines of its queue file tell of it";
const PROXY: &str = "what a filter before the queue answered; the message's own lines tell what became of it";
const NO_BRACKETS: &str =
    "changed by whom published it: Postfix writes recipients in angle brackets; the line is counted as unparsed";

/// The first that fits a difference is its reason.
pub const EXPLAINED: &[Rule] = &[
    rule(
        "crowdsec",
        "record",
        &["exim-logs"],
        4,
        "CrowdSec takes the recipient for the user; relayaudit reads it as recipient",
    ),
    rule("crowdsec", "other", &["sender verify fail"], 2, "a warning of Exim: the refusal has a line of its own"),
    rule(
        "crowdsec",
        "other",
        &["MailScanner["],
        4,
        "a verdict of MailScanner: the mail is in the mail server's own lines, and would be counted twice",
    ),
    rule("crowdsec", "other", &["connected to 0.0.0.0"], 4, "nginx: a client connected, which tells of no log-in yet"),
    rule("crowdsec", "other", &["non-SMTP command", "PREGREET", "Too many bad commands"], 6, BESIDE_MAIL),
    rule("crowdsec", "other", &["zimbra-logs"], 2, "an exception whose text is in lines that were not published"),
    rule(
        "fail2ban",
        "another daemon",
        &["pam_unix("],
        1,
        "PAM, asked by Dovecot, whose log-in process tells of the failure too",
    ),
    rule(
        "fail2ban",
        "other",
        &["pam_unix("],
        3,
        "PAM, asked by Dovecot, whose log-in process tells of the failure too",
    ),
    rule(
        "fail2ban",
        "other",
        &["plaintext auth)"],
        2,
        "no password was tried: Dovecot refused to ask for one without TLS",
    ),
    rule(
        "fail2ban",
        "other",
        &["mx1.fqdn.local exim["],
        1,
        "a failed log-in behind a mix of Exim's own time and a syslog header: not read",
    ),
    rule(
        "fail2ban",
        "unparsed",
        &["mail.example.com exim["],
        1,
        "a failed log-in behind a host without a time in front: not read",
    ),
    rule("fail2ban", "other", &["sender verify fail"], 3, "a warning of Exim: the refusal has a line of its own"),
    rule(
        "fail2ban",
        "other",
        &[
            "SMTP protocol",
            "SMTP call from",
            "no MAIL in SMTP",
            "command pipelining",
            "too many errors",
            "pre-greeting traffic",
        ],
        20,
        BESIDE_MAIL,
    ),
    rule(
        "fail2ban",
        "other",
        &["possible SMTP attack: command=AUTH"],
        6,
        "Sendmail counts AUTH commands here, and not those that failed",
    ),
    rule(
        "fail2ban",
        "other",
        &["EXPN", "expn", "VRFY", "vrfy"],
        5,
        "EXPN and VRFY ask for names and hand over no mail",
    ),
    rule(
        "fail2ban",
        "other",
        &["badiprbl", "rblsmtpd: relays"],
        3,
        "tools of qmail turn a client away at once, in wordings that are not read",
    ),
    rule(
        "sekoia",
        "no format",
        &["policydspf", "postgrey", "spamd", "field_with_mask", "__pass"],
        117,
        FILTER_PROGRAMS,
    ),
    rule(
        "sekoia",
        "other",
        &["policydspf", "postgrey", "spamd", "field_with_mask", "appname_pass"],
        117,
        FILTER_PROGRAMS,
    ),
    rule(
        "sekoia",
        "a log of spam, viruses",
        &["fortimail"],
        3,
        "FortiMail's log of spam: its history log tells of the same mail",
    ),
    rule("sekoia", "no format", &["fortimail"], 1, "a value of FortiMail's `msg` without the line around it"),
    rule("sekoia", "record", &["proofpoint"], 2, "SEKOIA takes the header's addresses; relayaudit reads the envelope"),
    rule("sekoia", "no format", &["__local5", "__smtp3"], 4, "the test names no program of Postfix"),
    rule("sekoia", "other", &["anvil", "lost connection", "TLS connection established"], 6, BESIDE_MAIL),
    rule("sekoia", "other", &["header From:", "_no_spam_cleanup"], 18, HEADER_CHECK),
    rule("sekoia", "other", &["NOQUEUE: filter:"], 12, ON_TO_FILTER),
    rule("sekoia", "other", &["proxy-accept"], 4, PROXY),
    rule(
        "sekoia",
        "other",
        &["ingest_log6"],
        2,
        "the gateway's event is cut before the client's address, so that nobody can be accused of it: it is not read",
    ),
    rule("sekoia", "unparsed", &["local5", "local6"], 6, NO_BRACKETS),
    rule(
        "sekoia",
        "record",
        &["smtp7"],
        1,
        "SEKOIA takes the next hop for the source; relayaudit reads it as next hop",
    ),
    rule(
        "whyscream",
        "other",
        &[
            "anvil",
            "dnsblog",
            "postscreen",
            "lost connection",
            "timeout after",
            "TLS connection",
            "pipelining",
            "SSL_accept",
            "tlsproxy",
        ],
        37,
        BESIDE_MAIL,
    ),
    rule("whyscream", "other", &["milter-header-redirect", "info: header"], 6, HEADER_CHECK),
    rule("whyscream", "other", &["NOQUEUE: filter:"], 3, ON_TO_FILTER),
    rule("whyscream", "other", &["proxy-accept", "proxy-reject"], 4, PROXY),
    rule("whyscream", "another daemon", &["tls_features"], 4, "the test names no program of Postfix"),
    rule(
        "whyscream",
        "other",
        &["status=expired"],
        2,
        "the whole message grew too old: each recipient has a line of its own",
    ),
    rule(
        "whyscream",
        "record",
        &["undeliverable-but-not-cached"],
        1,
        "an address probe: its result is read as a probe, whatever it is",
    ),
    rule("whyscream", "unparsed", &["local_0002"], 1, NO_BRACKETS),
];
