//! Flows: how many recipients went from whom to where, and what became of them.
//! Knows nothing of who is local or trusted: the site enters only when a detector judges.

use super::sample::Smallest;
use super::span::{Evidence, Span, Time};
use super::text::Text;
use super::words;
use crate::merge::Merge;
use relayaudit_parsers::address::Form;
use relayaudit_parsers::record::Refusal;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// Who handed in mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// A host, by address.
    Address(IpAddr),
    /// A host of which the log gives only a name (addresses hidden or redacted).
    Name(Text),
    /// A user of the server itself (sendmail(1), pickup): the numeric id or name.
    User(Text),
    /// The log does not say.
    Unknown,
}

impl Hash for Client {
    /// Every line hashes a client: as numbers of fixed length it costs a third of what is derived.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Client::Address(IpAddr::V4(address)) => state.write_u32(address.to_bits()),
            Client::Address(IpAddr::V6(address)) => state.write_u128(address.to_bits()),
            Client::Name(name) => name.hash(state),
            Client::User(user) => user.hash(state),
            Client::Unknown => state.write_u8(0),
        }
    }
}

/// How mail came to be in the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A client sent it by SMTP.
    Network,
    /// A user of the server handed it in.
    Local,
    /// The server made it from a message to a local recipient: alias, `.forward`, list.
    Forwarded,
    /// The server wrote it: a delivery status notification.
    System,
    /// The lines that would tell are not in the logs.
    Unknown,
    /// Not mail coming in but our own client side, in logs that do not link the two (IIS): a
    /// second view of recipients counted elsewhere, never to be added to them.
    Outbound,
    /// A client sent it by SMTP, as a log of the session tells. Another log of the same server (message tracking)
    /// may tell of the same mail: see [`crate::ledger::one_view`].
    Session,
    /// The same, from the log of a session that one of our own servers passed on; the log of the session that the
    /// client had may tell of the same mail too.
    PassedOn,
}

/// What became of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// In a mailbox of this server.
    Delivered,
    /// Taken by another server.
    Relayed,
    /// Still to be tried again when the log ends.
    Deferred,
    /// Another server refused it for good: we accepted it and tried.
    Bounced,
    /// We accepted it and then gave up without trying any other server.
    BouncedHere,
    /// Grew too old.
    Expired,
    /// Refused: the client may not relay.
    Denied,
    /// Refused for any other reason, or for one that the log does not give.
    Rejected,
    /// The recipient was accepted, the message never came.
    NoData,
    /// Accepted; the log does not show what became of it.
    Unknown,
}

impl Origin {
    /// Whether a client sent it by SMTP.
    pub fn is_network(self) -> bool {
        matches!(self, Origin::Network | Origin::Session | Origin::PassedOn)
    }
}

impl Outcome {
    /// Whether the server took responsibility for the recipient's mail.
    pub fn was_accepted(self) -> bool {
        !matches!(self, Outcome::Denied | Outcome::Rejected | Outcome::NoData)
    }

    /// The word of the published contracts (`extract`).
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Relayed => "relayed",
            Outcome::Deferred => "deferred",
            Outcome::Bounced | Outcome::BouncedHere => "bounced",
            Outcome::Expired => "expired",
            Outcome::Denied => "denied",
            Outcome::Rejected => "rejected",
            Outcome::NoData | Outcome::Unknown => "unknown",
        }
    }
}

/// What the recipients of one flow have in common. Names and domains are lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlowKey {
    /// The server that wrote the log.
    pub server: Text,
    /// Who handed the mail in.
    pub client: Client,
    /// The account the client logged in with.
    pub account: Option<Text>,
    /// Whether the server says that the client had logged in or is one it trusts, without saying which.
    pub vouched: bool,
    /// How the mail came in.
    pub origin: Origin,
    /// Domain of the reverse-path: empty for the null reverse-path or a path without domain,
    /// `None` where the log does not give the reverse-path.
    pub reverse_domain: Option<Text>,
    /// Domain of the forward-path as the client gave it; empty if it has none.
    pub forward_domain: Text,
    /// The shape of the forward-path as the client gave it.
    #[serde(with = "words::FormWord")]
    pub form: Form,
    /// The domain that the shape hides (`u%D@H`: `D`), if it is a trick.
    pub hidden_domain: Option<Text>,
    /// The domain the mail was finally sent to, where it differs from `forward_domain`.
    pub final_domain: Option<Text>,
    /// What became of the recipients.
    pub outcome: Outcome,
    /// Why they were refused.
    #[serde(with = "words::refusal")]
    pub refusal: Option<Refusal>,
}

/// How much of it there was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Messages, each counted in one flow only (that of the recipient named first), so that sums are exact.
    pub messages: u64,
    /// Recipients.
    pub recipients: u64,
    /// Bytes of the messages counted here.
    pub bytes: u64,
    /// When the mail came in, or was refused.
    pub span: Span,
    /// Recipients by hour.
    pub hours: Hours,
    /// The earliest lines with which the mail came in.
    pub openings: Smallest<Evidence, 1>,
    /// The earliest lines that show what became of it.
    pub outcomes: Smallest<Evidence, 1>,
    /// When a delivery was last tried. Retries may go on for days after the mail came in.
    pub last_attempt: Option<Time>,
    /// Queue ids of some of the messages of which the log shows no end, or that are to be tried again.
    pub waiting: Smallest<Box<str>, 3>,
}

impl Flow {
    /// The lines that show it, by place.
    pub fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.openings.iter().chain(self.outcomes.iter())
    }

    /// What is left of it when `gone` recipients are taken away and `hours` are the hours of the rest; `None` if that is
    /// nothing. Messages and bytes are taken to be spread as the recipients are.
    pub fn less(mut self, gone: u64, hours: Hours) -> Option<Flow> {
        let left = self.recipients.saturating_sub(gone);
        let share = |count: u64| {
            let share = (u128::from(count) * u128::from(left)).div_ceil(u128::from(self.recipients.max(1)));
            u64::try_from(share).unwrap_or(count)
        };
        (self.messages, self.bytes) = (share(self.messages), share(self.bytes));
        (self.recipients, self.hours) = (left, hours);
        (0 < left).then_some(self)
    }

    /// Cuts it in two: what stays, and `gone` recipients, the latest of it. The messages are counted with what stays, if
    /// anything does. `None` for a part without recipients.
    pub fn cut(mut self, gone: u64) -> (Option<Flow>, Option<Flow>) {
        if self.recipients <= gone {
            return (None, (0 < self.recipients).then_some(self));
        }
        let (hours, gone_hours) = std::mem::take(&mut self.hours).cut(gone);
        let go = Flow { recipients: gone, messages: 0, bytes: 0, hours: gone_hours, ..self.clone() };
        let stay = Flow { recipients: self.recipients - gone, hours, ..self };
        (Some(stay), (0 < gone).then_some(go))
    }

    /// Counts recipients at a time.
    pub fn see(&mut self, time: Option<Time>, recipients: u64) {
        self.recipients += recipients;
        self.span.see(time);
        if let Some(time) = time {
            self.hours.add(time.hour(), recipients);
        }
    }
}

impl Merge for Flow {
    fn merge(&mut self, other: Flow) {
        self.messages.merge(other.messages);
        self.recipients.merge(other.recipients);
        self.bytes.merge(other.bytes);
        self.span.merge(other.span);
        self.hours.merge(other.hours);
        self.openings.merge(other.openings);
        self.outcomes.merge(other.outcomes);
        self.last_attempt = self.last_attempt.max(other.last_attempt);
        self.waiting.merge(other.waiting);
    }
}

/// A count for each hour (of [`Time::hour`]) that has one. A sorted vector: most flows know one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hours(Vec<(i32, u64)>);

impl<'de> Deserialize<'de> for Hours {
    /// Fails if the hours are not in order: they are looked up by halving.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hours, D::Error> {
        let mut hours = Vec::<(i32, u64)>::deserialize(deserializer)?;
        hours.shrink_to_fit();
        match hours.is_sorted_by(|a, b| a.0 < b.0) {
            true => Ok(Hours(hours)),
            false => Err(D::Error::custom("hours that are not in order")),
        }
    }
}

impl Hours {
    /// Adds to the count of an hour.
    pub fn add(&mut self, hour: i32, count: u64) {
        match self.0.binary_search_by_key(&hour, |(hour, _)| *hour) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(count),
            Err(at) => {
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                self.0.insert(at, (hour, count));
            }
        }
    }

    /// Keeps only some hours.
    pub fn retain(&mut self, keep: impl Fn(i32) -> bool) {
        self.0.retain(|(hour, _)| keep(*hour));
    }

    /// Takes up to `most` of the latest counts away: what stays, and what was taken.
    fn cut(mut self, most: u64) -> (Hours, Hours) {
        let mut taken = Hours::default();
        let mut missing = most;
        while let Some((hour, count)) = self.0.last_mut().filter(|_| 0 < missing) {
            let part = missing.min(*count);
            *count -= part;
            missing -= part;
            taken.0.insert(0, (*hour, part));
            if *count == 0 {
                self.0.pop();
            }
        }
        (self, taken)
    }

    /// The hours with their counts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i32, u64)> {
        self.0.iter().copied()
    }

    /// How many hours have a count.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no hour has.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Merge for Hours {
    fn merge(&mut self, other: Hours) {
        if self.0.is_empty() {
            *self = other;
            return;
        }
        for (hour, count) in other.0 {
            self.add(hour, count);
        }
    }
}
