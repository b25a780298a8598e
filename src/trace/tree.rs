//! The tree: who handed what to whom. Sources, the servers of ours that the mail went through, and where it ended.

use super::chains::{Bond, Chain};
use super::ends::{End, ends};
use super::life::Life;
use crate::ledger::{Client, Origin};
use crate::merge::Merge;
use crate::site::Site;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How deep a tree grows. Messages that go on further are counted where it ends.
const DEEPEST: usize = 32;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A host that handed mail in.
    Client,
    /// A user of a server that did.
    User,
    /// Nobody that these logs name.
    Unknown,
    /// A server of ours.
    Server,
    /// The same server with what it forwarded for a recipient.
    Forwarded,
    /// The same server with notifications of failure.
    Notification,
    /// A domain of recipients.
    Domain,
}

/// A node, with what went through it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it is.
    pub role: Role,
    /// Its name or address; empty if unknown.
    pub name: String,
    /// The account that the client logged in with.
    pub account: Option<String>,
    /// Messages.
    pub messages: u64,
    /// Recipients.
    pub recipients: u64,
    /// Recipients by outcome (of `extract`).
    pub by_outcome: BTreeMap<&'static str, u64>,
    /// Recipients by verdict (of `extract`).
    pub by_verdict: BTreeMap<&'static str, u64>,
    /// Where it went from here, the most recipients first.
    pub children: Vec<Node>,
}

type Name = (Role, String, Option<String>);

/// A node that grows.
#[derive(Default)]
struct Growing {
    messages: u64,
    recipients: u64,
    by_outcome: BTreeMap<&'static str, u64>,
    by_verdict: BTreeMap<&'static str, u64>,
    children: BTreeMap<Name, Growing>,
}

/// Who handed what to whom.
pub fn tree(chains: &[Chain], site: &Site) -> Vec<Node> {
    let mut root = Growing::default();
    for chain in chains {
        let planting = Planting { chain, ends: ends(chain, site) };
        for life in chain.roots() {
            let top = root.children.entry(source(&chain.lives[life])).or_default();
            let end = planting.plant(life, top, Role::Server, 0);
            top.count(&end);
        }
    }
    root.finish()
}

/// Who handed a message in.
fn source(life: &Life) -> Name {
    let account = life.account.as_deref().filter(|account| !account.is_empty()).map(str::to_owned);
    let (role, name) = match (life.way.origin, &life.way.client) {
        (Origin::Local, _) => (Role::User, life.user.to_string()),
        (Origin::System, _) => (Role::Notification, life.way.server.to_string()),
        (Origin::Forwarded, _) => (Role::Forwarded, life.way.server.to_string()),
        (_, Client::Address(address)) => (Role::Client, address.to_string()),
        (_, Client::Name(name)) => (Role::Client, name.to_string()),
        _ => (Role::Unknown, String::new()),
    };
    (role, name, account)
}

/// What a life adds to the nodes above it.
#[derive(Default, Clone)]
struct Sum {
    messages: u64,
    recipients: u64,
    by_outcome: BTreeMap<&'static str, u64>,
    by_verdict: BTreeMap<&'static str, u64>,
}

struct Planting<'a> {
    chain: &'a Chain,
    ends: Vec<Vec<End<'a>>>,
}

impl Planting<'_> {
    /// Puts a life below a node, and all that followed from it below that. Returns what came of its recipients in the end.
    fn plant(&self, life: usize, above: &mut Growing, role: Role, depth: usize) -> Sum {
        let server = self.chain.lives[life].way.server.to_string();
        let node = above.children.entry((role, server, None)).or_default();
        let sum = self.fill(life, node, depth);
        node.count(&sum);
        sum
    }

    /// Puts the ends of a life's recipients into the node of its server.
    fn fill(&self, number: usize, node: &mut Growing, depth: usize) -> Sum {
        let life = &self.chain.lives[number];
        let counts = !life.is_refusal && !life.is_second_view();
        let mut sum = Sum { messages: u64::from(counts), ..Sum::default() };
        for (child, bond) in self.chain.children(number).filter(|_| depth < DEEPEST) {
            match bond {
                // What the same server says of it elsewhere is no step further.
                Bond::OtherLog | Bond::Sent | Bond::Refused => sum.add(&self.fill(child, node, depth + 1).uncounted()),
                Bond::HandedOn | Bond::SameMessageId => {
                    sum.add(&self.plant(child, node, Role::Server, depth + 1).uncounted());
                }
                Bond::Forwarded => drop(self.plant(child, node, Role::Forwarded, depth + 1)),
                Bond::Notification => drop(self.plant(child, node, Role::Notification, depth + 1)),
            }
        }
        for end in self.ends[number].iter().filter(|end| end.verdict.is_some()) {
            let key = &end.fate.key;
            let domain = key.final_domain.unwrap_or(key.forward_domain).to_string();
            let one = Sum::of(end);
            node.children.entry((Role::Domain, domain, None)).or_default().count(&one);
            sum.add(&one);
        }
        sum
    }
}

impl Sum {
    fn of(end: &End<'_>) -> Sum {
        Sum {
            messages: 0,
            recipients: end.times,
            by_outcome: [(end.fate.outcome().as_str(), end.times)].into(),
            by_verdict: end.verdict.into_iter().map(|verdict| (verdict, end.times)).collect(),
        }
    }

    /// Without the messages: they are those of the life before.
    fn uncounted(self) -> Sum {
        Sum { messages: 0, ..self }
    }

    fn add(&mut self, other: &Sum) {
        self.messages.merge(other.messages);
        self.recipients.merge(other.recipients);
        Merge::merge(&mut self.by_outcome, other.by_outcome.clone());
        Merge::merge(&mut self.by_verdict, other.by_verdict.clone());
    }
}

impl Growing {
    fn count(&mut self, sum: &Sum) {
        self.messages.merge(sum.messages);
        self.recipients.merge(sum.recipients);
        Merge::merge(&mut self.by_outcome, sum.by_outcome.clone());
        Merge::merge(&mut self.by_verdict, sum.by_verdict.clone());
    }

    fn finish(self) -> Vec<Node> {
        let node = |((role, name, account), growing): (Name, Growing)| Node {
            role,
            name,
            account,
            messages: growing.messages,
            recipients: growing.recipients,
            by_outcome: growing.by_outcome.clone(),
            by_verdict: growing.by_verdict.clone(),
            children: growing.finish(),
        };
        let mut nodes: Vec<Node> = self.children.into_iter().map(node).collect();
        nodes.sort_by_key(|node| Reverse((node.recipients, node.messages)));
        nodes
    }
}
