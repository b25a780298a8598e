//! Routed: the ledger with the verdict on every flow. Judged once, side by side; read by every rule.

use super::consulted::Consulted;
use super::route::{RouteVerdict, route};
use super::senders::{Errors, Senders};
use crate::ledger::{Flow, FlowKey, Ledger};
use crate::site::Site;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// What a rule judges: the ledger, the site, and what the site makes of every flow.
pub struct Routed<'a> {
    /// Everything that was learnt.
    pub ledger: &'a Ledger,
    /// What is ours.
    pub site: &'a Site,
    /// The error rates that behavioural rules accept.
    pub errors: Errors,
    /// What was asked besides the logs.
    pub consulted: Consulted,
    flows: Vec<RoutedFlow<'a>>,
    senders: OnceLock<Senders<'a>>,
    secondary: OnceLock<BTreeSet<&'a str>>,
}

/// A flow with its verdict.
#[derive(Clone, Copy)]
pub struct RoutedFlow<'a> {
    /// What its recipients have in common.
    pub key: &'a FlowKey,
    /// How many there were.
    pub flow: &'a Flow,
    /// What they were.
    pub verdict: RouteVerdict,
}

impl<'a> Routed<'a> {
    /// Judges every flow. Those that only show others a second time are left out.
    pub fn new(ledger: &'a Ledger, site: &'a Site, errors: Errors) -> Routed<'a> {
        let flows: Vec<(&FlowKey, &Flow)> = ledger.flows.iter().map(|(key, flow)| (key, flow.as_ref())).collect();
        let judged = |(key, flow): (&'a FlowKey, &'a Flow)| {
            let verdict = route(key, site)?;
            Some(RoutedFlow { key, flow, verdict })
        };
        let flows = flows.into_par_iter().filter_map(judged).collect();
        let consulted = Consulted::default();
        Routed { ledger, site, errors, consulted, flows, senders: OnceLock::new(), secondary: OnceLock::new() }
    }

    /// Adds what was asked besides the logs.
    pub fn consulting(self, consulted: &Consulted) -> Routed<'a> {
        Routed { consulted: consulted.clone(), ..self }
    }

    /// The flows, in no order.
    pub fn flows(&self) -> impl Iterator<Item = RoutedFlow<'a>> + '_ {
        self.flows.iter().copied()
    }

    /// Who sent with authority, and how: gathered when first asked for.
    pub fn senders(&self) -> &Senders<'a> {
        self.senders.get_or_init(|| Senders::of(self.ledger, self.site, self.flows()))
    }

    /// Domains of which we may be the secondary MX: gathered when first asked for.
    pub fn secondary(&self) -> &BTreeSet<&'a str> {
        self.secondary.get_or_init(|| super::secondary::domains(self.ledger, self.site, self.flows()))
    }

    /// The flows of one verdict, in no order.
    pub fn of(&self, verdict: RouteVerdict) -> impl Iterator<Item = RoutedFlow<'a>> + '_ {
        self.flows().filter(move |flow| flow.verdict == verdict)
    }
}
