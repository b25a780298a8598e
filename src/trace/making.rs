//! Making the document: from lives to rows.

use super::answer::Answer;
use super::chains::{Chain, Link};
use super::document::{
    Coverage, Document, DomainRow, KeyRow, LifeRow, Matched, MessageRow, RecipientRow, SCHEMA, ServerRow, SiteRows,
    StepRow, Summary,
};
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
use crate::site::Site;
use foldhash::HashMap;
use relayaudit_parsers::record::Offspring;
use std::collections::{BTreeMap, BTreeSet};

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
