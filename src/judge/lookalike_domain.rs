//! lookalike-domain: mail that we took in from outside uses a reverse-path domain that imitates one of ours ("cousin domain":
//! RFC 7489 section 2.4 leaves them out of what DMARC is for; letters that look the same: UTS 39 section 4).
//!
//! False positives: an organisation with a similar name, another domain of our own. One that our users wrote to before it wrote
//! to us, or that they have written to for days, is a correspondent: it is told for information.
//! Remedy: see [`remedy::lookalike`].

mod index;
mod name;
mod punycode;

use super::finding::{Finding, Rule, Severity, Subject};
use super::route::{RouteVerdict, target_domain};
use super::routed::{Routed, RoutedFlow};
use super::tally::{Tally, confidence};
use super::words::{self, count, recipients};
use super::{About, remedy};
use crate::ledger::{Client, Flow, FlowKey, Hours, Origin, Span, Text};
use crate::merge::Merge;
use foldhash::{HashMap, HashSet};
use index::{Index, Likeness};
use name::Name;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::LookalikeDomain,
    title: "mail came in from a domain that imitates one of yours",
    meaning: "A client that is neither in a trusted network nor logged in sent mail to your users with a reverse-path domain that \
              passes for one of yours: letters that look the same (`examp1e.org`, also Cyrillic ones), your domain as the \
              beginning of another (`example.org.evil.test`), a word added (`example-mail.org`), one letter more, less, other \
              or exchanged (`exmaple.org`), or another ending (`example.test`). Swindlers register such domains to write as \
              your colleagues or suppliers; SPF and DMARC do not stop them. Short names are like others by chance: yours must have \
              at least five letters, six for another ending or a word without a hyphen, seven for one edit (ten under another \
              ending). Letters that look the same and your domain inside another are medium. An added word and one edit are low, \
              and medium once your users have answered; another ending is for information, and low once they have.",
    sources: "UTS 39 section 4 (skeletons of confusable text); RFC 3492 (punycode); RFC 7489 section 2.4 (cousin domains are beyond DMARC)",
    false_positives: "An organisation of a similar name, a service that puts your domain before its own, another domain of yours. A domain \
                      that your users wrote to before it wrote to you, or on three days or more while it wrote on three days or \
                      more, is taken for a correspondent and told for information only.",
    remedy: "Warn the recipients, ask the supposed sender by telephone before anybody pays or changes an account, refuse the domain. \
             If it is yours, state it with --local-domain.",
};

/// Days on which both sides write, from which they correspond.
const DAYS: usize = 3;

/// Finds the domains.
pub fn judge(routed: &Routed<'_>) -> Vec<Finding> {
    let index = Index::of(routed.site);
    let inbound = || routed.of(RouteVerdict::Inbound).filter(|flow| is_from_outside(flow.key));
    let domains: HashSet<Text> = inbound().filter_map(|flow| flow.key.reverse_domain).collect();
    let alike = |domain: Text| (!routed.site.is_local(&domain)).then(|| index.find(&domain)).flatten();
    let found: HashMap<Text, (Likeness, &str)> = domains
        .into_par_iter()
        .filter_map(|domain| Some((domain, alike(domain)?)))
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    if found.is_empty() {
        return Vec::new();
    }
    let mut cases = BTreeMap::<(Text, Text), Case<'_>>::new();
    for RoutedFlow { key, flow, .. } in inbound() {
        let Some((domain, (likeness, ours))) = key.reverse_domain.and_then(|d| Some((d, *found.get(&d)?))) else {
            continue;
        };
        let registered = Name::of(&domain).map_or("", |name| name.registered);
        let case = cases.entry((key.server, registered.into())).or_insert_with(|| Case::new(likeness, ours));
        case.add(domain, (likeness, ours), key, flow);
    }
    let registered: Vec<Text> = cases.keys().map(|(_, registered)| *registered).collect();
    let written = written(routed, &registered);
    cases
        .into_iter()
        .map(|((server, registered), case)| case.finding(server, registered, written.get(registered.as_ref()), routed))
        .collect()
}

fn is_from_outside(key: &FlowKey) -> bool {
    key.origin.is_network() && key.client != Client::Unknown
}

/// What our users wrote to some domains, over all servers.
fn written<'a>(routed: &Routed<'_>, registered: &'a [Text]) -> HashMap<&'a str, Written> {
    let ours = |verdict| {
        matches!(verdict, RouteVerdict::OutboundNetwork | RouteVerdict::OutboundAccount | RouteVerdict::LocalOrigin)
    };
    let routed_out = routed.flows().filter(|flow| ours(flow.verdict)).map(|flow| (flow.key, flow.flow));
    // A log that does not link its two sides shows what left in flows of its own.
    let apart = routed.ledger.flows.iter().filter(|(key, _)| key.origin == Origin::Outbound);
    let registered: HashSet<&str> = registered.iter().map(AsRef::as_ref).collect();
    let mut written = HashMap::<&str, Written>::default();
    for (key, flow) in routed_out.chain(apart.map(|(key, flow)| (key, flow.as_ref()))) {
        let target = Name::of(target_domain(key, routed.site)).map(|name| name.registered);
        if let Some(target) = target.and_then(|target| registered.get(target).copied()) {
            let to = written.entry(target).or_default();
            to.recipients.merge(flow.recipients);
            to.span.merge(flow.span);
            to.hours.merge(flow.hours.clone());
        }
    }
    written
}

/// What our users wrote to a domain.
#[derive(Default)]
struct Written {
    recipients: u64,
    span: Span,
    hours: Hours,
}

/// Days with mail.
fn days(hours: &Hours) -> usize {
    hours.iter().map(|(hour, _)| hour.div_euclid(24)).collect::<BTreeSet<_>>().len()
}

/// What came from one registered domain.
struct Case<'a> {
    /// The plainest likeness, and the domain of ours.
    likeness: (Likeness, &'a str),
    tally: Tally,
    names: BTreeSet<Text>,
    clients: BTreeSet<Client>,
}

impl<'a> Case<'a> {
    fn new(likeness: Likeness, ours: &'a str) -> Case<'a> {
        let (names, clients) = (BTreeSet::new(), BTreeSet::new());
        Case { likeness: (likeness, ours), tally: Tally::default(), names, clients }
    }

    fn add(&mut self, name: Text, likeness: (Likeness, &'a str), key: &FlowKey, flow: &Flow) {
        self.likeness = self.likeness.min(likeness);
        self.tally.add(key, flow);
        self.names.insert(name);
        self.clients.insert(key.client);
    }

    /// Whether it is somebody with whom we correspond.
    fn corresponds(&self, written: &Written) -> bool {
        let first = |span: Span| span.first.map_or(i64::MAX, |time| time.0);
        let before = first(written.span) < first(self.tally.span);
        before || (DAYS <= days(&written.hours) && DAYS <= days(&self.tally.hours))
    }

    fn severity(&self, written: Option<&Written>) -> Severity {
        match (self.likeness.0, written) {
            (_, Some(written)) if self.corresponds(written) => Severity::Info,
            (Likeness::Letters | Likeness::Inside, _) | (Likeness::Word | Likeness::Edit, Some(_)) => Severity::Medium,
            // Under another ending, the same name is a namesake more often than not.
            (Likeness::Suffix, None) => Severity::Info,
            _ => Severity::Low,
        }
    }

    fn finding(self, server: Text, registered: Text, written: Option<&Written>, routed: &Routed<'_>) -> Finding {
        let severity = self.severity(written);
        let why = vec![self.told(&registered), self.answered(&registered, written)];
        let sure = match self.likeness.0 {
            Likeness::Letters => 0.9,
            Likeness::Inside => 0.8,
            Likeness::Word => 0.6,
            Likeness::Edit => 0.5,
            Likeness::Suffix => 0.4,
        };
        let place = (&server, &Client::Unknown);
        let mut finding = self.tally.finding(Rule::LookalikeDomain, severity, place, routed.ledger);
        finding.subject = Subject { kind: "domain", value: registered };
        finding.confidence = if severity == Severity::Info { 0.3 } else { confidence(routed.site).min(sure) };
        finding.why = why;
        finding.remedy = remedy::lookalike(routed.ledger, &server);
        finding
    }

    /// What came, and how it imitates us.
    fn told(&self, registered: &str) -> String {
        let (likeness, ours) = self.likeness;
        let names: Vec<String> = self.names.iter().take(3).map(|name| words::quoted(name)).collect();
        let ours = words::quoted(ours);
        let how = match likeness {
            Likeness::Letters => match shown(registered) {
                Some(shown) => {
                    format!("which mail programs may show as {} and which looks like {ours}", words::quoted(&shown))
                }
                None => format!("which looks like {ours}"),
            },
            Likeness::Inside => format!("which begins with {ours} and belongs to {}", words::quoted(registered)),
            Likeness::Word => format!("which is {ours} with something added"),
            Likeness::Edit => format!("which is one letter away from {ours}"),
            Likeness::Suffix => format!("which is {ours} under another ending"),
        };
        const NAMED: usize = 3;
        let clients: Vec<String> =
            self.clients.iter().take(NAMED).map(|client| words::quoted(&words::client(client))).collect();
        let who = match self.clients.len() {
            ..=NAMED => words::list(&clients),
            all => count(all as u64, "client", "clients"),
        };
        format!(
            "{who} sent mail without log-in from {}, {how}, to {} of yours{}.",
            words::list(&names),
            recipients(self.tally.accepted),
            words::period(self.tally.span)
        )
    }

    /// Whether our users wrote there.
    fn answered(&self, registered: &str, written: Option<&Written>) -> String {
        let name = words::quoted(registered);
        match written {
            None => format!("The logs show no mail from your users to {name}."),
            Some(written) => {
                let wrote = format!(
                    "Your users wrote to {name} too: {}{}",
                    recipients(written.recipients),
                    words::period(written.span)
                );
                match self.corresponds(written) {
                    true => format!("{wrote}. It looks like a correspondent with a similar name."),
                    false => format!("{wrote}, after it had written to them: ask them what they sent."),
                }
            }
        }
    }
}

/// An encoded name in its letters.
fn shown(registered: &str) -> Option<String> {
    let name = Name::of(registered)?;
    let letters = name::letters(name.label);
    (letters != name.label).then(|| format!("{letters}.{}", name.suffix))
}
