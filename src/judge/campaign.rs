//! campaign: clients that were found abusive and have a mark in common, and known relay testers; found without the address.
//!
//! False positives: one operator's honest servers, all of them refused; several offenders that use one program.
//! Remedy: none of its own; see the findings on the clients and accounts.

use super::About;
use super::finding::{Finding, Rule, Severity, Subject};
use super::marks::{Mark, Marks, Seen};
use super::members::{Members, Part};
use super::origins::Networks;
use super::routed::Routed;
use super::words::{self, addresses, count, recipients};
use crate::geoip::GeoIp;
use crate::ledger::{Client, Ledger, Text};
use crate::site::neighbourhood;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule is.
pub const ABOUT: About = About {
    rule: Rule::Campaign,
    title: "several addresses that belong together, or a known relay tester",
    meaning: "Clients that were found to relay, to try to, to guess passwords or to harvest, and that have something in common \
              that strangers hardly have: an unusual EHLO name or one made up by the same rule, one reverse-path in somebody \
              else's domain, made-up users of one domain, mail from the recipient to itself, or stolen accounts used from the \
              same address. From three clients, two servers or two accounts on. A relay tester that is known by its names \
              is named once, however few addresses it came from. Low where all was refused, medium from the first recipient \
              that was taken, high from 100.",
    sources: "RFC 5321 section 4.1.1.1 (EHLO names are free text); the tell-tale names of public relay testers",
    false_positives: "Several offenders that use the same program; the servers of one provider, all refused.",
    remedy: "Nothing of its own: see the findings on its clients and accounts. A firewall rule on one address will not stop it.",
};

/// Clients from which it is a campaign.
const CLIENTS: usize = 3;
/// Recipients taken from which it is a flood.
const MANY: u64 = 100;

/// A campaign, with the finding that says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// The finding: figures, reasons, lines.
    pub finding: Finding,
    /// Shapes of the EHLO names.
    pub hellos: Vec<Text>,
    /// Reverse-paths that its clients share, in words.
    pub reverse_paths: Vec<String>,
    /// Its clients.
    pub clients: Vec<Client>,
    /// Different networks (/24, /64) of those.
    pub networks: u64,
    /// Stolen accounts.
    pub accounts: Vec<Text>,
    /// The servers it was seen on.
    pub servers: Vec<Text>,
    /// Failed log-ins of its clients.
    pub auth_failures: u64,
    /// The rules that accuse its clients and accounts.
    pub rules: Vec<Rule>,
}

/// Finds the campaigns among those whom the findings accuse, and the testers. Worst first is up to the caller.
pub fn find(routed: &Routed<'_>, findings: &[Finding]) -> Vec<Campaign> {
    let members = Members::of(routed, findings);
    let marks = Marks::of(routed, &members.seen());
    let mut campaigns: Vec<Campaign> =
        components(&members, &marks).into_iter().filter_map(|group| group.campaign(&members, routed.ledger)).collect();
    campaigns
        .extend(members.testers().into_iter().map(|(tester, seen)| of_tester(tester, &seen, &members, routed.ledger)));
    campaigns.iter_mut().for_each(|campaign| locate(campaign, &routed.consulted.geo));
    campaigns
}

/// Says in which networks and countries a campaign is, if there is a database to ask.
fn locate(campaign: &mut Campaign, geo: &GeoIp) {
    let networks: Networks = campaign.clients.iter().collect();
    if !geo.is_empty() && 0 < networks.len() {
        campaign.finding.why.push(format!("They came from {}.", networks.located(geo).said()));
    }
}

/// Clients that are linked, and by what.
#[derive(Default)]
struct Group<'a> {
    seen: BTreeSet<Seen>,
    marks: BTreeMap<&'a Mark, BTreeSet<Seen>>,
    accounts: BTreeSet<Text>,
}

/// Clients linked by marks and accounts, directly or through others.
fn components<'a>(members: &Members<'_>, marks: &'a Marks) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut join = |mark: Option<&'a Mark>, bearers: &BTreeSet<Seen>, account: Option<Text>| {
        let clients: BTreeSet<Client> = bearers.iter().map(|(client, _)| *client).collect();
        let mut joined = Group { seen: bearers.clone(), ..Group::default() };
        joined.accounts.extend(account);
        joined.marks.extend(mark.map(|mark| (mark, bearers.clone())));
        let touches = |group: &Group<'a>| group.seen.iter().any(|(client, _)| clients.contains(client));
        for group in groups.extract_if(.., |group| touches(group)) {
            joined.seen.extend(group.seen);
            joined.accounts.extend(group.accounts);
            joined.marks.extend(group.marks);
        }
        groups.push(joined);
    };
    for (mark, bearers) in marks.iter() {
        let bearers = members.bearers(mark, bearers);
        if 1 < bearers.len() {
            join(Some(mark), &bearers, None);
        }
    }
    members.accounts().iter().for_each(|(account, seen)| join(None, seen, Some(*account)));
    groups
}

impl Group<'_> {
    fn campaign(self, members: &Members<'_>, ledger: &Ledger) -> Option<Campaign> {
        let clients: BTreeSet<Client> = self.seen.iter().map(|(client, _)| *client).collect();
        let servers: BTreeSet<Text> = self.seen.iter().map(|(_, server)| *server).collect();
        let several = CLIENTS <= clients.len() || 1 < servers.len();
        if (self.marks.is_empty() || !several) && self.accounts.len() < 2 {
            return None;
        }
        let name = self.name();
        let part = members.part(&self.seen, ledger);
        let mut why = vec![format!("{} belong together: {}.", subject(clients.len(), &servers), self.links())];
        why.push(part.summary());
        let mut campaign = part.campaign(&name, (clients, servers), ledger);
        campaign.hellos = self.marks.keys().filter_map(|mark| hello(mark)).collect();
        campaign.reverse_paths =
            self.marks.keys().filter(|mark| hello(mark).is_none()).map(ToString::to_string).collect();
        campaign.accounts = self.accounts.into_iter().collect();
        if !campaign.accounts.is_empty() {
            let names: Vec<String> = campaign.accounts.iter().take(5).map(|name| words::quoted(name)).collect();
            why.push(format!("They sent with stolen accounts: {}.", words::list(&names)));
        }
        campaign.finding.severity = severity(campaign.finding.recipients_accepted, Severity::Low);
        campaign.finding.why = why;
        Some(campaign)
    }

    /// The mark that most bear, or the accounts.
    fn name(&self) -> String {
        let most = self.marks.iter().max_by_key(|(mark, seen)| (seen.len(), std::cmp::Reverse(**mark)));
        match most {
            Some((mark, _)) => words::quoted(&mark.to_string()),
            None => {
                let names: Vec<String> = self.accounts.iter().take(3).map(|name| words::quoted(name)).collect();
                format!("accounts {}", words::list(&names))
            }
        }
    }

    /// What links them, in words: `3 greet as win-*, 2 send from u@example.net`.
    fn links(&self) -> String {
        let mut marks: Vec<_> = self.marks.iter().collect();
        marks.sort_by_key(|(mark, seen)| (std::cmp::Reverse(seen.len()), **mark));
        let clients = |seen: &BTreeSet<Seen>| seen.iter().map(|(client, _)| client).collect::<BTreeSet<_>>().len();
        let mut links: Vec<String> =
            marks.iter().take(3).map(|(mark, seen)| format!("{} {}", clients(seen), what(mark))).collect();
        if links.is_empty() {
            links.push("the same addresses used the accounts".to_owned());
        }
        words::list(&links)
    }
}

fn what(mark: &Mark) -> String {
    match mark {
        Mark::Hello(shape) => format!("greet as {}", words::quoted(shape)),
        Mark::Mailbox(mailbox) => format!("send from {}", words::quoted(mailbox)),
        Mark::MadeUp(domain) => format!("send from made-up users of {}", words::quoted(domain)),
        Mark::ToItself => "send from the recipient's own address".to_owned(),
    }
}

fn hello(mark: &Mark) -> Option<Text> {
    match mark {
        Mark::Hello(shape) => Some(*shape),
        _ => None,
    }
}

/// `4 addresses on 2 servers`.
fn subject(clients: usize, servers: &BTreeSet<Text>) -> String {
    match servers.len() {
        0 | 1 => addresses(clients),
        many => format!("{} on {many} servers", addresses(clients)),
    }
}

/// How bad it is, by what was taken.
fn severity(accepted: u64, harmless: Severity) -> Severity {
    match accepted {
        0 => harmless,
        MANY.. => Severity::High,
        _ => Severity::Medium,
    }
}

/// The note on a tester.
fn of_tester(tester: Text, seen: &BTreeSet<Seen>, members: &Members<'_>, ledger: &Ledger) -> Campaign {
    let clients: BTreeSet<Client> = seen.iter().map(|(client, _)| *client).collect();
    let servers: BTreeSet<Text> = seen.iter().map(|(_, server)| *server).collect();
    let part = members.part(seen, ledger);
    let forms: Vec<&str> = part.tally.forms.iter().copied().collect();
    let taken = match part.tally.accepted {
        0 => "all were refused".to_owned(),
        accepted => format!("the server took {}", words::thousands(accepted)),
    };
    let why = vec![
        format!(
            "{}, a known relay tester, asked for {} in {} from {}{}; {taken}.",
            words::quoted(&tester),
            recipients(part.tally.accepted.saturating_add(part.tally.refused)),
            count(forms.len() as u64, "address form", "address forms"),
            subject(clients.len(), &servers),
            words::period(part.tally.span),
        ),
        format!("Address forms tried: {}.", words::list(&forms)),
        "Somebody tested whether the server relays: you, a service you asked, or a stranger with the same program."
            .to_owned(),
    ];
    let mut campaign = part.campaign(&format!("relay tester {tester}"), (clients, servers), ledger);
    campaign.finding.severity = severity(campaign.finding.recipients_accepted, Severity::Info);
    campaign.finding.confidence = 0.95;
    campaign.finding.why = why;
    campaign
}

impl Part {
    /// A campaign with the figures of its members; the caller adds what links them.
    fn campaign(self, name: &str, (clients, servers): (BTreeSet<Client>, BTreeSet<Text>), ledger: &Ledger) -> Campaign {
        let server = servers.first().copied().unwrap_or_default();
        let networks: BTreeSet<_> = clients
            .iter()
            .filter_map(|client| match client {
                Client::Address(address) => Some(neighbourhood(*address)),
                _ => None,
            })
            .collect();
        let (failures, sessions) = (self.auth_failures, self.sessions);
        let rules = self.rules.into_iter().collect();
        let mut finding = self.tally.finding(Rule::Campaign, Severity::Low, (&server, &Client::Unknown), ledger);
        finding.subject = Subject { kind: "campaign", value: name.into() };
        finding.confidence = 0.7;
        finding.sessions = sessions;
        finding.attempts = finding.attempts.saturating_add(failures);
        finding.remedy = vec![
            "Nothing of its own: do what the findings on its addresses and accounts say. Blocking single addresses will not \
             stop it."
                .to_owned(),
        ];
        Campaign {
            finding,
            hellos: Vec::new(),
            reverse_paths: Vec::new(),
            clients: clients.into_iter().collect(),
            networks: networks.len() as u64,
            accounts: Vec::new(),
            servers: servers.into_iter().collect(),
            auth_failures: failures,
            rules,
        }
    }
}
