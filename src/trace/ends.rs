//! Ends: each recipient of a message once, over all servers: what became of it in the end, and the verdict of the server that
//! took it first, which knows who handed it in.

use super::chains::{Bond, Chain};
use super::life::{Fate, Life};
use crate::judge::{RouteVerdict, route};
use crate::ledger::{Origin, Outcome};
use crate::site::Site;
use std::collections::{BTreeMap, BTreeSet};

/// What became of a recipient.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// The recipient, on the last server that tells of it.
    pub fate: &'a Fate,
    /// The verdict; `None` for a second view of what others count.
    pub verdict: Option<&'static str>,
    /// How many there are of it.
    pub times: u64,
}

/// The ends of a message's recipients, by the life that tells of each.
pub fn ends<'a>(chain: &'a Chain, site: &Site) -> Vec<Vec<End<'a>>> {
    let verdicts = verdicts(chain, site);
    let mut told = vec![Told::default(); chain.lives.len()];
    // What follows from a life stands behind it, and is looked at before it.
    for (child, link) in chain.links.iter().enumerate().rev().filter_map(|(child, link)| Some((child, (*link)?))) {
        match link.bond {
            // A front end's session tells no more than the client's; what came of it does.
            Bond::OtherLog if chain.lives[child].is_second_view() => {
                told[child].hidden = true;
                told[link.parent].all |= told[child].all;
            }
            Bond::OtherLog => told[link.parent].all = true,
            Bond::HandedOn | Bond::SameMessageId | Bond::Sent => {
                let paths = chain.lives[child].recipients.iter().map(|fate| fate.path.to_lowercase());
                told[link.parent].paths.extend(paths);
            }
            Bond::Refused | Bond::Forwarded | Bond::Notification => {}
        }
    }
    let of = |(life, told): (&'a Life, &Told)| {
        let own = life.recipients.iter().filter(|fate| !told.hidden && !told.elsewhere(fate));
        own.map(|fate| End { fate, verdict: verdict(life, fate, &verdicts, site), times: life.times }).collect()
    };
    chain.lives.iter().zip(&told).map(of).collect()
}

/// What a later life tells of the recipients of one.
#[derive(Debug, Clone, Default)]
struct Told {
    all: bool,
    /// Whether an earlier life tells all of it.
    hidden: bool,
    paths: BTreeSet<String>,
}

impl Told {
    fn elsewhere(&self, fate: &Fate) -> bool {
        let passed = matches!(fate.outcome(), Outcome::Relayed | Outcome::Unknown);
        passed && (self.all || self.paths.contains(&fate.last_path().to_lowercase()))
    }
}

/// The verdict on each forward-path that was taken in, by the server that took it first.
fn verdicts(chain: &Chain, site: &Site) -> BTreeMap<String, &'static str> {
    let mut verdicts = BTreeMap::new();
    let messages = chain.lives.iter().filter(|life| !life.is_refusal && !life.is_offspring());
    for fate in messages.flat_map(|life| &life.recipients).filter(|fate| fate.outcome().was_accepted()) {
        let Some(verdict) = route(&fate.key, site) else { continue };
        for path in [&*fate.path, fate.last_path()] {
            verdicts.entry(path.to_lowercase()).or_insert(verdict.as_str());
        }
    }
    verdicts
}

fn verdict(life: &Life, fate: &Fate, first: &BTreeMap<String, &'static str>, site: &Site) -> Option<&'static str> {
    let own = route(&fate.key, site);
    // What the first server took in and another gave up was relayed all the same, unless we refused it.
    let inherits = fate.outcome().was_accepted() && !life.is_offspring() && own != Some(RouteVerdict::Rejected);
    let first = first
        .get(&fate.path.to_lowercase())
        .copied()
        .filter(|_| inherits && (own.is_some() || life.way.origin == Origin::Outbound));
    first.or(own.map(RouteVerdict::as_str))
}
