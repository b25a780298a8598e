//! Origins: where clients are, in the words of findings, if the user gave a database of countries or networks (`--geoip`).
//!
//! Where somebody is accuses nobody. It only makes another signal weigh more (one account in many places at once) or less (all of them
//! of one operator, whose telephones change addresses), and says to whom an abuse report goes.

use super::finding::{Finding, Rule, Severity};
use super::words::{self, count};
use crate::geoip::{GeoIp, Whereabouts};
use crate::ledger::{Client, Text};
use crate::site::{Site, is_inside, neighbourhood};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Countries that a sentence names.
const NAMED: usize = 6;

/// The networks that something came from, each by its smallest address.
#[derive(Debug, Clone, Default)]
pub struct Networks(BTreeMap<IpNet, IpAddr>);

impl Networks {
    /// Adds the network of a client; those without an address have none.
    pub fn see(&mut self, client: &Client) {
        if let Client::Address(address) = client {
            let first = self.0.entry(neighbourhood(*address)).or_insert(*address);
            *first = (*first).min(*address);
        }
    }

    /// Adds those of another.
    pub fn extend(&mut self, other: Networks) {
        other.0.into_values().for_each(|address| self.see(&Client::Address(address)));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Looks up where they are.
    pub fn located(&self, geo: &GeoIp) -> Located {
        let found = self.0.values().filter_map(|address| geo.of(*address)).collect();
        Located { networks: self.len(), found }
    }
}

impl<'a> FromIterator<&'a Client> for Networks {
    fn from_iter<I: IntoIterator<Item = &'a Client>>(clients: I) -> Networks {
        let mut networks = Networks::default();
        clients.into_iter().for_each(|client| networks.see(client));
        networks
    }
}

/// Networks, and where they are.
pub struct Located {
    networks: usize,
    /// One for each; none without a database.
    found: Vec<Whereabouts>,
}

impl Located {
    /// The countries with the number of networks in each, the most networks first.
    fn countries(&self) -> Vec<(Text, usize)> {
        let mut countries = BTreeMap::<Text, usize>::new();
        for country in self.found.iter().filter_map(|found| found.country) {
            *countries.entry(country).or_default() += 1;
        }
        let mut countries: Vec<_> = countries.into_iter().collect();
        countries.sort_by_key(|(country, networks)| (std::cmp::Reverse(*networks), *country));
        countries
    }

    /// How many countries they are in, as far as that is known.
    pub fn spread(&self) -> usize {
        self.countries().len()
    }

    /// The one autonomous system that all of several networks belong to.
    pub fn one_system(&self) -> Option<String> {
        let systems: BTreeSet<Option<u32>> = self.found.iter().map(|found| found.asn).collect();
        let one = systems.len() == 1 && 1 < self.networks;
        self.found.first().filter(|_| one)?.system()
    }

    /// `14 networks in 9 countries (BR, CN, DE, ...)`, `5 networks in BR, all of AS64500 Example Net`; without a database, how many.
    pub fn said(&self) -> String {
        let networks = count(self.networks as u64, "network", "networks");
        let countries = self.countries();
        let known: usize = countries.iter().map(|(_, networks)| networks).sum();
        let named: Vec<&str> = countries.iter().take(NAMED).map(|(country, _)| country.as_ref()).collect();
        let rest = if NAMED < countries.len() { ", ..." } else { "" };
        let least = if known < self.networks { "at least " } else { "" };
        let places = match countries.len() {
            0 => String::new(),
            1 if known < self.networks => format!(", some of them in {}", named.join(", ")),
            1 => format!(" in {}", named.join(", ")),
            many => format!(" in {least}{} ({}{rest})", count(many as u64, "country", "countries"), named.join(", ")),
        };
        let system = self.one_system().map(|system| format!(", all of {system}")).unwrap_or_default();
        format!("{networks}{places}{system}")
    }
}

/// A client in words, with where it is: `203.0.113.7 (BR, AS64500 Example Net)`.
pub fn client(client: &Client, geo: &GeoIp) -> String {
    let name = words::quoted(&words::client(client));
    match client {
        Client::Address(address) => with_place(&name, geo.of(*address)),
        _ => name,
    }
}

/// A network in words, with where it is.
pub fn network(network: IpNet, geo: &GeoIp) -> String {
    with_place(&network.to_string(), geo.of(network.addr()))
}

fn with_place(name: &str, found: Option<Whereabouts>) -> String {
    match found.and_then(|found| found.said()) {
        Some(place) => format!("{name} ({place})"),
        None => name.to_owned(),
    }
}

/// Says where the clients are that findings accuse, behind their addresses, and who runs their network.
pub fn tell(findings: &mut [Finding], geo: &GeoIp, site: &Site) {
    for finding in findings.iter_mut().filter(|finding| finding.subject.kind == "client" && !geo.is_empty()) {
        let Ok(address) = finding.subject.value.parse::<IpAddr>() else { continue };
        let Some(found) = geo.of(address) else { continue };
        let value = finding.subject.value;
        for why in &mut finding.why {
            if let Some(rest) = why.strip_prefix(&*value).filter(|rest| rest.starts_with([' ', ':'])) {
                *why = format!("{}{rest}", with_place(&value, Some(found)));
            }
        }
        let outside = !site.trusts(address) && !is_inside(address);
        finding.remedy.extend(report_to(finding, found).filter(|_| outside));
    }
}

/// To whom to report a client.
fn report_to(finding: &Finding, found: Whereabouts) -> Option<String> {
    let abuse = finding.rule.is_abuse() && Severity::Medium <= finding.severity
        || matches!(finding.rule, Rule::CredentialGuessing | Rule::DirectoryHarvest | Rule::RelayProbe)
            && Severity::Low <= finding.severity;
    let system = found.system().filter(|_| abuse)?;
    Some(format!(
        "If you report it: {system} runs the network; `whois {}` names the address for abuse reports.",
        finding.subject.value
    ))
}

/// To whom to report several clients: the operators of most of their networks.
pub fn report_all(networks: &Networks, geo: &GeoIp) -> Option<String> {
    let mut systems = BTreeMap::<u32, (usize, Whereabouts)>::new();
    for found in networks.located(geo).found {
        if let Some(asn) = found.asn {
            systems.entry(asn).or_insert((0, found)).0 += 1;
        }
    }
    // Stable: of equals, the smaller number comes first.
    let mut most: Vec<_> = systems.into_values().collect();
    most.sort_by_key(|(networks, _)| std::cmp::Reverse(*networks));
    let named: Vec<String> = most.iter().take(3).filter_map(|(_, found)| found.system()).collect();
    let rest = most.len().saturating_sub(named.len()) as u64;
    let rest = if 0 < rest { format!(" ({} more)", words::thousands(rest)) } else { String::new() };
    (!named.is_empty()).then(|| {
        format!(
            "If you report it: the networks are run by {}{rest}; `whois ADDRESS` names the address for abuse reports.",
            words::list(&named)
        )
    })
}

/// Where the clients are that findings are about, and who says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// The databases that were asked, for people.
    pub databases: Vec<String>,
    /// What they know of each client, by its name.
    pub clients: BTreeMap<Text, Whereabouts>,
}

impl Directory {
    /// Looks up the clients of findings; `None` without a database.
    pub fn of(findings: &[Finding], geo: &GeoIp) -> Option<Directory> {
        let clients = findings.iter().map(|finding| &finding.subject).filter(|subject| subject.kind == "client");
        let known = |name: Text| name.parse().ok().and_then(|address| geo.of(address)).unwrap_or_default();
        let clients = clients.map(|subject| (subject.value, known(subject.value)));
        (!geo.is_empty()).then(|| Directory { databases: geo.titles(), clients: clients.collect() })
    }
}
