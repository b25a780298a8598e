//! The document: what `trace` publishes, schema `relayaudit.trace/1`. Additions only; text of logs is raw.

use super::answer::Answer;
use super::chains::{Chain, Link};
use super::ends::{End, ends};

use super::key::{KINDS, Key, Kind};
use super::life::{Fate, Life};
use super::missing;
use super::run::Found;
use super::steps::{Step, What};
use super::tree::{Node, tree};
use super::words::{self, Authority};
use crate::judge::{RouteVerdict, route};
use crate::ledger::{Client, FileId, FlowKey, Origin, Place, Span, Text, Time};
use crate::merge::Merge;
use crate::report::model::rfc3339;
use crate::site::Site;
use foldhash::HashMap;
use relayaudit_parsers::record::Offspring;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The name and version of the document's schema.
pub const SCHEMA: &str = "relayaudit.trace/1";

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of the program.
    pub version: &'static str,
    /// What was looked for.
    pub keys: Vec<KeyRow>,
    /// The answer to a pasted header; `None` if none was given.
    pub answer: Option<Answer>,
    /// What the logs cover.
    pub coverage: Coverage,
    /// The site that the verdicts rest on.
    pub site: SiteRows,
    /// Sums over all messages, those that are not shown too.
    pub summary: Summary,
    /// Who handed what to whom.
    pub propagation: Vec<Node>,
    /// The first messages, in the order of time.
    pub messages: Vec<MessageRow>,
    /// What is not in it, in sentences; empty if all is.
    pub incomplete: Vec<String>,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// As given.
    pub text: String,
    /// What it may be.
    pub kinds: Vec<&'static str>,
    /// What it was, by kind, and of how much.
    pub matched: BTreeMap<&'static str, Matched>,
}

/// How much a key matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Matched {
    /// Messages, each once over all servers.
    pub messages: u64,
    /// Recipients that were refused before there was a message.
    pub refusals: u64,
}

/// What the logs cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The first record.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// The last record.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// The same of each server.
    pub servers: Vec<ServerRow>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerRow {
    /// Its name; empty where the log has none.
    pub name: String,
    /// Its first record.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// Its last record.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
}

/// The site, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteRows {
    /// Local domains.
    pub local_domains: Vec<String>,
    /// Trusted networks.
    pub trusted_networks: Vec<String>,
    /// Whether the user stated the local domains, so that they are no guess.
    pub stated: bool,
}

/// Sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Messages, each once over all servers.
    pub messages: u64,
    /// Recipients, refused ones too.
    pub recipients: u64,
    /// The first line of any.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// The last.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Recipients by verdict.
    pub by_verdict: BTreeMap<&'static str, u64>,
    /// Recipients by outcome.
    pub by_outcome: BTreeMap<&'static str, u64>,
    /// Domains of recipients, the most recipients first.
    pub domains: Vec<DomainRow>,
    /// Notifications of failure that these messages caused.
    pub notifications: u64,
    /// Entries in `messages`.
    pub shown: u64,
    /// Messages and refusals that match and are not among `messages`, but are counted above.
    pub not_shown: u64,
    /// Messages that match and were not kept, as there are too many: they are counted here only.
    pub left_out_messages: u64,
    /// Their recipients.
    pub left_out_recipients: u64,
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DomainRow {
    /// Its name; empty for paths without domain.
    pub domain: String,
    /// Recipients.
    pub recipients: u64,
}

/// One message through all servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageRow {
    /// The Message-ID; empty if not logged.
    pub message_id: String,
    /// The reverse-path; empty for the null reverse-path, missing if not logged.
    pub reverse_path: Option<String>,
    /// When it came in, or was first seen.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Time>,
    /// The last line that tells of it.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Time>,
    /// Whether it is no message but a recipient that was refused.
    pub is_refusal: bool,
    /// By what right it came in.
    pub authority: &'static str,
    /// The same in a sentence.
    pub authority_text: String,
    /// Why the logs do not tell how it came in; missing if they do.
    pub injection_missing: Option<String>,
    /// Each recipient once: what became of it on the last server, and the verdict of the first. Those of notifications and of
    /// forwarded copies stand in `lives` only.
    pub recipients: Vec<RecipientRow>,
    /// Its stays on servers, in the order of time; notifications and forwarded copies too.
    pub lives: Vec<LifeRow>,
    /// All steps on all servers, in the order of time.
    pub steps: Vec<StepRow>,
}

/// A stay on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LifeRow {
    /// The server.
    pub server: String,
    /// The format of the log.
    pub format: String,
    /// Its queue ids there, the first one first.
    pub queue_ids: Vec<String>,
    /// The session; empty if not logged.
    pub session: String,
    /// The Message-ID; empty if not logged.
    pub message_id: String,
    /// The entry of `lives` that it follows from.
    pub follows: Option<usize>,
    /// How: handed-on, same-message-id, other-log, refused-recipient, forwarded or notification.
    pub bond: Option<&'static str>,
    /// How it came in: network, local, system, forwarded, outbound or unknown.
    pub origin: &'static str,
    /// The client's address.
    pub client: Option<String>,
    /// The client's name; empty if not logged.
    pub client_name: String,
    /// The EHLO name; empty if not logged.
    pub helo: String,
    /// The account.
    pub account: Option<String>,
    /// The local user; empty if none.
    pub user: String,
    /// The reverse-path.
    pub reverse_path: Option<String>,
    /// Size in bytes; 0 if not logged.
    pub size_bytes: u64,
    /// By what right it came in.
    pub authority: &'static str,
    /// The recipients.
    pub recipients: Vec<RecipientRow>,
}

/// A recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipientRow {
    /// The forward-path as the client gave it.
    pub forward_path: String,
    /// That of the last attempt, if it is another.
    pub final_path: Option<String>,
    /// What became of it (as in `extract`).
    pub outcome: &'static str,
    /// The verdict (as in `extract`); missing for a second view of what other rows tell.
    pub verdict: Option<&'static str>,
    /// Where it went; empty if nowhere.
    pub next_hop: String,
    /// When the line that says so was written.
    #[serde(serialize_with = "rfc3339")]
    pub time: Option<Time>,
    /// The file.
    pub path: String,
    /// The line.
    pub line: u64,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepRow {
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub time: Option<Time>,
    /// The entry of `lives`.
    pub life: usize,
    /// The queue id on the line; empty if it names none.
    pub queue_id: String,
    /// came-in, first-seen, came-back, accepted, refused, attempt, forwarded, notification, reinjected, expanded or dropped.
    pub kind: &'static str,
    /// The outcome of an attempt.
    pub outcome: Option<&'static str>,
    /// The id that it leads to; empty if none.
    pub leads_to: String,
    /// The answer of the server that was asked; empty if not logged.
    pub reply: String,
    /// All of it in a sentence.
    pub text: String,
    /// The file.
    pub path: String,
    /// The line.
    pub line: u64,
}

/// What a document is made with.
pub struct Making<'a> {
    /// The keys, in order.
    pub keys: &'a [Key],
    /// What the user stated of the site.
    pub stated: &'a Site,
    /// Paths and formats of the files.
    pub files: &'a HashMap<FileId, (Text, &'static str)>,
    /// How many messages are shown in full.
    pub limit: usize,
}

impl Making<'_> {
    /// Makes the document. `answer` is asked once the site is known.
    pub fn document(&self, found: &Found, site: &Site, answer: Option<Answer>) -> Document {
        let propagation = tree(&found.chains, site);
        // Messages first: refusals may be many, and tell less.
        let mut shown: Vec<&Chain> = found.chains.iter().collect();
        shown.sort_by_key(|chain| chain.is_refusal());
        let messages: Vec<MessageRow> =
            shown.into_iter().take(self.limit).map(|chain| self.message(chain, found, site)).collect();
        Document {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            keys: self.keys(&found.chains),
            answer,
            coverage: coverage(found),
            site: SiteRows {
                local_domains: site.local_domains().map(|entry| entry.value.to_string()).collect(),
                trusted_networks: site.trusted_networks().map(|entry| entry.value.to_string()).collect(),
                stated: self.stated.states_local_domains(),
            },
            summary: summary(found, &propagation, messages.len(), site),
            propagation,
            messages,
            incomplete: incomplete(found),
        }
    }

    fn keys(&self, chains: &[Chain]) -> Vec<KeyRow> {
        let mut counts = BTreeMap::<(u32, Kind), Matched>::new();
        for chain in chains {
            let (refusals, messages): (Vec<&Life>, Vec<&Life>) = chain.lives.iter().partition(|life| life.is_refusal);
            let found: BTreeSet<_> = messages.iter().flat_map(|life| &life.matches).collect();
            found.into_iter().for_each(|found| counts.entry(*found).or_default().messages += 1);
            for (life, found) in refusals.iter().flat_map(|life| life.matches.iter().map(move |found| (life, found))) {
                counts.entry(*found).or_default().refusals += life.times;
            }
        }
        let row = |(number, key): (u32, &Key)| KeyRow {
            text: key.text.clone(),
            kinds: key.kinds.iter().map(|kind| kind.as_str()).collect(),
            matched: KINDS.iter().filter_map(|(kind, name)| Some((*name, *counts.get(&(number, *kind))?))).collect(),
        };
        (0..).zip(self.keys).map(row).collect()
    }

    fn message(&self, chain: &Chain, found: &Found, site: &Site) -> MessageRow {
        let mut steps: Vec<(Option<Time>, usize, &Step)> = Vec::new();
        for (number, life) in chain.lives.iter().enumerate() {
            steps.extend(life.steps.iter().map(|step| (step.time, number, step)));
        }
        // A line without time stays behind the lines of its life before it.
        steps.sort_by_key(|(time, life, step)| (*time, *life, step.place));
        let first = chain.first();
        let ids = chain.lives.iter().filter(|life| !life.is_offspring());
        let mut span = Span::default();
        steps.iter().for_each(|(time, ..)| span.see(*time));
        MessageRow {
            message_id: ids
                .map(|life| &life.message_id)
                .find(|id| !id.is_empty())
                .map_or_else(String::new, |id| id.to_string()),
            reverse_path: first.and_then(|life| life.reverse_path.as_deref()).map(str::to_owned),
            first: span.first,
            last: span.last,
            is_refusal: chain.is_refusal(),
            authority: first.map_or(Authority::Unknown, |life| Authority::of(life, site)).as_str(),
            authority_text: first.map_or_else(String::new, |life| words::authority(life, site)),
            injection_missing: first.and_then(|life| missing::why(life, self.file(life.place).1, &found.ledger)),
            recipients: self.ends(chain, site),
            lives: chain.lives.iter().zip(&chain.links).map(|(life, link)| self.life(life, *link, site)).collect(),
            steps: steps.into_iter().map(|(_, life, step)| self.step(step, life, &chain.lives[life])).collect(),
        }
    }

    fn ends(&self, chain: &Chain, site: &Site) -> Vec<RecipientRow> {
        let ends = ends(chain, site);
        let alone = chain.lives.iter().all(Life::is_offspring);
        let own = chain.lives.iter().zip(&ends).filter(|(life, _)| alone || !life.is_offspring());
        let row = |end: &End<'_>| RecipientRow { verdict: end.verdict, ..self.recipient(end.fate, site) };
        own.flat_map(|(_, ends)| ends).map(row).collect()
    }

    fn file(&self, place: Place) -> (&str, &'static str) {
        self.files.get(&place.file).map_or(("", ""), |(path, format)| (path, *format))
    }

    fn life(&self, life: &Life, link: Option<Link>, site: &Site) -> LifeRow {
        LifeRow {
            server: life.way.server.to_string(),
            format: self.file(life.place).1.to_owned(),
            queue_ids: life.ids.iter().map(ToString::to_string).collect(),
            session: life.session.to_string(),
            message_id: life.message_id.to_string(),
            follows: link.map(|link| link.parent),
            bond: link.map(|link| link.bond.as_str()),
            origin: origin(life.way.origin),
            client: match life.way.client {
                Client::Address(address) => Some(address.to_string()),
                _ => None,
            },
            client_name: life.client_name.to_string(),
            helo: life.helo.to_string(),
            account: life.account.as_deref().map(str::to_owned),
            user: life.user.to_string(),
            reverse_path: life.reverse_path.as_deref().map(str::to_owned),
            size_bytes: life.size_bytes,
            authority: Authority::of(life, site).as_str(),
            recipients: life.recipients.iter().map(|fate| self.recipient(fate, site)).collect(),
        }
    }

    fn recipient(&self, fate: &Fate, site: &Site) -> RecipientRow {
        RecipientRow {
            forward_path: fate.path.to_string(),
            final_path: fate.final_path.as_deref().map(str::to_owned),
            outcome: fate.outcome().as_str(),
            verdict: route(&fate.key, site).map(RouteVerdict::as_str),
            next_hop: fate.next_hop.to_string(),
            time: fate.time,
            path: self.file(fate.place).0.to_owned(),
            line: fate.place.number(),
        }
    }

    fn step(&self, step: &Step, number: usize, life: &Life) -> StepRow {
        let (kind, outcome, leads_to, reply) = match &step.what {
            What::CameIn => ("came-in", None, "", ""),
            What::FirstSeen => ("first-seen", None, "", ""),
            What::CameBack => ("came-back", None, "", ""),
            What::Accepted { .. } => ("accepted", None, "", ""),
            What::Refused { reply, .. } => ("refused", None, "", &**reply),
            What::Attempt(attempt) => ("attempt", Some(attempt.outcome.as_str()), &*attempt.taken_as, &*attempt.reply),
            What::Spawned { id, how: Offspring::Forwarded } => ("forwarded", None, &**id, ""),
            What::Spawned { id, how: Offspring::Notification } => ("notification", None, &**id, ""),
            What::Spawned { id, how: Offspring::Reinjected } => ("reinjected", None, &**id, ""),
            What::Expanded { .. } => ("expanded", None, "", ""),
            What::Dropped => ("dropped", None, "", ""),
        };
        StepRow {
            time: step.time,
            life: number,
            queue_id: step.id.to_string(),
            kind,
            outcome,
            leads_to: leads_to.to_owned(),
            reply: reply.to_owned(),
            text: words::step(step, life),
            path: self.file(step.place).0.to_owned(),
            line: step.place.number(),
        }
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Network | Origin::Session | Origin::PassedOn => "network",
        Origin::Local => "local",
        Origin::Forwarded => "forwarded",
        Origin::System => "system",
        Origin::Unknown => "unknown",
        Origin::Outbound => "outbound",
    }
}

fn coverage(found: &Found) -> Coverage {
    let mut span = Span::default();
    found.ledger.servers.values().for_each(|facts| span.merge(facts.span));
    let row = |(name, facts): (&Text, &crate::ledger::ServerFacts)| ServerRow {
        name: name.to_string(),
        first: facts.span.first,
        last: facts.span.last,
    };
    Coverage { first: span.first, last: span.last, servers: found.ledger.servers.iter().map(row).collect() }
}

fn summary(found: &Found, propagation: &[Node], shown: usize, site: &Site) -> Summary {
    let mut summary = Summary {
        shown: shown as u64,
        not_shown: found.chains.len().saturating_sub(shown) as u64,
        left_out_messages: found.left_out.messages,
        left_out_recipients: found.left_out.recipients,
        ..Summary::default()
    };
    for node in propagation {
        summary.messages.merge(node.messages);
        summary.recipients.merge(node.recipients);
        Merge::merge(&mut summary.by_verdict, node.by_verdict.clone());
        Merge::merge(&mut summary.by_outcome, node.by_outcome.clone());
    }
    let mut span = Span::default();
    let mut domains = BTreeMap::<&str, u64>::new();
    for chain in &found.chains {
        for life in &chain.lives {
            life.steps.iter().for_each(|step| span.see(step.time));
            summary.notifications += u64::from(life.way.origin == Origin::System && 1 < chain.lives.len());
        }
        let ends = ends(chain, site).into_iter().zip(&chain.lives).filter(|(_, life)| !life.is_offspring());
        for end in ends.flat_map(|(ends, _)| ends).filter(|end| end.verdict.is_some()) {
            *domains.entry(domain(&end.fate.key)).or_default() += end.times;
        }
    }
    (summary.first, summary.last) = (span.first, span.last);
    let rows = domains.into_iter().map(|(domain, recipients)| DomainRow { domain: domain.to_owned(), recipients });
    summary.domains = rows.collect();
    summary.domains.sort_by_key(|row| std::cmp::Reverse(row.recipients));
    summary
}

/// What is not in the document, in sentences.
fn incomplete(found: &Found) -> Vec<String> {
    let mut said = Vec::new();
    if 0 < found.left_out.messages + found.left_out.recipients {
        said.push(format!(
            "There are too many messages to keep: {} with {} came after those that are told of, up to {} UTC. Narrow it down with --since \
             and --until.",
            crate::judge::words::count(found.left_out.messages, "message", "messages"),
            crate::judge::words::recipients(found.left_out.recipients),
            words::second(found.left_out.last)
        ));
    }
    said.extend(found.unfollowed.iter().map(|why| {
        let mut chars = why.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        format!("{}{}.", first.into_iter().collect::<String>(), chars.as_str())
    }));
    said
}

/// The domain that a recipient's mail went to in the end.
fn domain(key: &FlowKey) -> &str {
    key.final_domain.as_ref().unwrap_or(&key.forward_domain)
}
