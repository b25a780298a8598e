//! Messages: what the correlator hands over once a life is known.

use super::Fact;
use crate::ledger::{Origin, Outcome, Text};
use relayaudit_parsers::record::{NextHop, Peer, Refusal};

/// One message: its way in, and what became of each recipient.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The server.
    pub server: Text,
    /// The client; for mail handed in locally, without address.
    pub client: Peer<'a>,
    /// The local user who handed it in; empty if it came by SMTP.
    pub user: &'a [u8],
    /// The EHLO name; empty where the log does not give it.
    pub helo: &'a [u8],
    /// The account the client logged in with.
    pub account: Option<&'a [u8]>,
    /// Whether the server says that the client had logged in or is one it trusts, without saying which.
    pub vouched: bool,
    /// How it came in.
    pub origin: Origin,
    /// The reverse-path.
    pub reverse_path: Option<&'a [u8]>,
    /// The Message-ID header, without angle brackets; empty where the log does not give it.
    pub message_id: &'a [u8],
    /// Size in bytes; 0 if unknown.
    pub size_bytes: u64,
    /// Whether the message was taken in (DATA was accepted), and not just its recipients.
    pub taken: bool,
    /// The line with which it came in.
    pub opening: &'a Fact<'a>,
    /// Its recipients.
    pub recipients: Vec<Recipient<'a>>,
}

/// One recipient of a message.
#[derive(Debug, Clone)]
pub struct Recipient<'a> {
    /// The forward-path as the client gave it, as far as the log tells.
    pub forward_path: &'a [u8],
    /// The forward-path of the last delivery attempt.
    pub final_path: &'a [u8],
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was refused, if it was.
    pub refusal: Option<Refusal>,
    /// Where it went.
    pub next_hop: NextHop<'a>,
    /// The line that says so.
    pub fact: &'a Fact<'a>,
}

impl Recipient<'_> {
    /// Whether a delivery was tried: its outcome was told by an attempt, and not by the line with which it came in.
    pub(crate) fn was_tried(&self) -> bool {
        Recipient::rank(self.outcome) != 0
    }

    /// How final an outcome is: of several attempts for one recipient the highest counts.
    pub(super) fn rank(outcome: Outcome) -> u8 {
        match outcome {
            Outcome::Delivered | Outcome::Relayed => 5,
            Outcome::Bounced => 4,
            Outcome::BouncedHere => 3,
            Outcome::Expired => 2,
            Outcome::Deferred => 1,
            Outcome::Denied | Outcome::Rejected | Outcome::NoData | Outcome::Unknown => 0,
        }
    }
}

/// One session, in logs that tell sessions apart and give commands and answers lines of their own.
#[derive(Debug, Clone)]
pub struct Session<'a> {
    /// The server.
    pub server: Text,
    /// The client; of a session that a server of ours passed on, the client of that one.
    pub client: Peer<'a>,
    /// Whether it was passed on by a server of ours.
    pub continued: bool,
    /// Its first line.
    pub opening: &'a Fact<'a>,
    /// The EHLO name, and the line that gives it.
    pub hello: Option<(&'a [u8], &'a Fact<'a>)>,
    /// Answers that say that a log-in failed and do not name the client.
    pub log_ins_failed: Vec<&'a Fact<'a>>,
}
