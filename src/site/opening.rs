//! Openings: lines of a server's configuration that let somebody send who perhaps should not. Facts only; how bad one
//! is, `judge::policy_exposure` decides.

use crate::ledger::Evidence;
use ipnet::IpNet;
use std::path::PathBuf;

/// A kind of server software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Software {
    /// Postfix.
    Postfix,
    /// Sendmail.
    Sendmail,
    /// Exim.
    Exim,
    /// OpenSMTPD.
    OpenSmtpd,
    /// Exchange 2007 and later.
    Exchange,
    /// The SMTP service of IIS, which Exchange 2000 and 2003 use too.
    Iis,
}

/// Whom a line lets send, or where to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lets {
    /// Every client, to every recipient: nothing checks whether it may relay.
    AnyClient,
    /// The clients of a network that is wider than one owner's.
    Network(IpNet),
    /// Clients near the server, without saying which: its subnet, or for `class` its whole class A, B or C network.
    Neighbours {
        /// Whether the old classes of networks are meant.
        class: bool,
    },
    /// Every client, to every recipient in a domain that is all domains, or a whole top-level domain.
    AnyRecipient,
    /// Whoever writes a certain reverse-path, which is whatever the client says.
    ClaimedSender,
    /// Whoever claims a certain client address by XCLIENT, from a network that is wider than one owner's.
    ClaimedAddress(IpNet),
    /// Clients that log in as nobody.
    AnonymousLogin,
    /// Clients with a certificate of any authority that the server knows.
    AnyCertificate,
    /// Clients with a certain name in the DNS: a whole domain, perhaps a top-level one.
    Name {
        /// Whether the name has no dot, as in `com`.
        top_level: bool,
    },
    /// Every client, to any domain whose owner names this server as MX.
    AnyMx,
    /// Every client, by a disguised address such as `victim%example.net@us`.
    Disguised,
    /// Clients that an anonymous receive connector answers; which, the files do not say.
    Connector,
    /// Reverse-paths that cannot exist: spam comes in more easily. Nothing is relayed.
    UnknownSenders,
}

/// A line that lets somebody send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The server software.
    pub software: Software,
    /// The name of the server, if its configuration gives it.
    pub host: Option<Box<str>>,
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The line and, of a range that many lines make up, some of the others.
    pub evidence: Vec<Evidence>,
    /// What of the line it is, in the words of the file: `0.0.0.0/0`. Not escaped.
    pub item: String,
    /// Whom it lets send.
    pub lets: Lets,
}
