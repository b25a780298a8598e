//! Signals: what sets a source of spam apart from an honest sender, one function each.

use super::weigh::{Errors, Signal, Weighed};
use super::{Sender, Who};
use crate::judge::origins::{self, Networks};
use crate::judge::routed::Routed;
use crate::judge::words::{self, count, minute, recipients};
use crate::ledger::{Client, ClientKey, Hours, Text, Time};
use crate::site::Site;
use std::cmp::Reverse;
use std::collections::BTreeMap;

impl Sender<'_> {
    /// Weighs everything that is known of the sender.
    pub fn weigh(&self, routed: &Routed<'_>, errors: Errors) -> Weighed {
        let signals = [
            self.burst(),
            self.recipients_per_message(),
            self.one_reverse_path_each(routed.site),
            self.foreign_domains(routed.site),
            self.many_reverse_paths(),
            self.many_networks(routed),
            self.guessed(routed),
            self.many_names(),
            self.failures(),
        ];
        Weighed::of(signals.into_iter().flatten().collect(), errors)
    }

    /// A busiest hour far above what is usual for the sender. Half as telling where the log is too short to show
    /// what is usual. A burst alone accuses nobody: newsletters and invoices come in bursts.
    fn burst(&self) -> Option<Signal> {
        const MESSAGES: u64 = 30;
        let (hour, most) = self.busiest(self.hours())?;
        let usual = self.usual(self.hours(), hour);
        let ratio = most / usual.max(1);
        let nats = match (most, ratio) {
            (MESSAGES.., 30..) => 3.0,
            (MESSAGES.., 10..) => 2.0,
            _ => return self.burst_of_recipients(),
        };
        Some(self.against_usual(nats, hour, &count(most, "message", "messages"), usual))
    }

    /// The same by recipients: few messages to very many.
    fn burst_of_recipients(&self) -> Option<Signal> {
        const RECIPIENTS: u64 = 200;
        let (hour, most) = self.busiest(&self.tally.hours)?;
        let usual = self.usual(&self.tally.hours, hour);
        let rises = RECIPIENTS <= most && 30 <= most / usual.max(1);
        rises.then(|| self.against_usual(2.0, hour, &recipients(most), usual))
    }

    fn against_usual(&self, nats: f64, hour: i32, what: &str, usual: u64) -> Signal {
        let start = minute(Time(i64::from(hour) * 3_600_000_000));
        let shown = self.logged.1.saturating_sub(self.logged.0);
        let (nats, usual) = match shown {
            ..APART => (nats / 2.0, "; the log is too short to show what is usual for it".to_owned()),
            _ => {
                (nats, format!("; its busiest hour on other days, or half a day away, had {}", words::thousands(usual)))
            }
        };
        Signal { nats, why: format!("It sent {what} in the hour from {start} UTC{usual}.") }
    }

    fn busiest(&self, hours: &Hours) -> Option<(i32, u64)> {
        hours.iter().max_by_key(|(hour, n)| (*n, Reverse(*hour)))
    }

    /// The busiest hour that is at least half a day away from another: the sender's habit.
    fn usual(&self, hours: &Hours, away_from: i32) -> u64 {
        let apart = hours.iter().filter(|(hour, _)| APART <= hour.abs_diff(away_from) as i32);
        apart.map(|(_, n)| n).max().unwrap_or(0)
    }

    /// Many messages with several recipients each, in domains that have nothing to do with each other. People who write
    /// to many do it in few messages; software that sends to many writes one message each. For an account it is
    /// half as telling, as users do send round robins.
    fn recipients_per_message(&self) -> Option<Signal> {
        let (messages, accepted) = (self.tally.messages, self.tally.accepted);
        let several = 30 <= messages && 2 * messages <= accepted && 10 <= self.targets.len();
        let nats = if matches!(self.who, Who::Account(_)) { 1.0 } else { 2.0 };
        several.then(|| Signal {
            nats,
            why: format!(
                "{} went to {} in {}: {:.1} each.",
                count(messages, "message", "messages"),
                recipients(accepted),
                count(self.targets.len() as u64, "domain", "domains"),
                accepted as f64 / messages as f64
            ),
        })
    }

    /// A reverse-path of ours for every recipient (VERP): mailing-list software, which spamware does not bother to be.
    fn one_reverse_path_each(&self, site: &Site) -> Option<Signal> {
        let (messages, accepted) = (self.tally.messages, self.tally.accepted);
        let paths = self.sent?.reverse_paths.estimate();
        let each = 50 <= messages && accepted * 10 <= messages * 11 && messages * 6 <= paths * 10;
        (each && self.foreign(site).0 == 0).then(|| Signal {
            nats: -3.0,
            why: format!(
                "Each of its {} had one recipient and a reverse-path of its own in your domain, as mailing-list software does.",
                count(messages, "message", "messages")
            ),
        })
    }

    /// Reverse-paths in other people's domains.
    fn foreign_domains(&self, site: &Site) -> Option<Signal> {
        let (foreign, domains) = self.foreign(site);
        let share = foreign as f64 / self.tally.accepted.max(1) as f64;
        let account = matches!(self.who, Who::Account(_));
        let nats = match domains {
            _ if foreign < 10 || share < 0.2 => return None,
            5.. => 3.0,
            3.. if account => 3.0,
            1.. if account && 0.5 <= share => 1.5,
            _ => return None,
        };
        Some(Signal {
            nats,
            why: format!(
                "{} of {} were sent with reverse-paths in {}.",
                words::thousands(foreign),
                recipients(self.tally.accepted),
                count(domains as u64, "domain that is not yours", "domains that are not yours")
            ),
        })
    }

    /// One account with many reverse-paths.
    fn many_reverse_paths(&self) -> Option<Signal> {
        let paths = self.sent?.reverse_paths.estimate();
        let many = matches!(self.who, Who::Account(_)) && 10 <= paths;
        let why = format!("One account used {}.", count(paths, "different reverse-path", "different reverse-paths"));
        many.then_some(Signal { nats: 2.0, why })
    }

    /// One account in several networks within an hour: a person has a telephone and a desk. Of several such hours, the one that
    /// tells most. Only how many networks there are makes it a signal; where they are makes it more or less telling.
    fn many_networks(&self, routed: &Routed<'_>) -> Option<Signal> {
        if !matches!(self.who, Who::Account(_)) {
            return None;
        }
        let mut by_hour = BTreeMap::<i32, Networks>::new();
        for (client, hours) in &self.clients {
            hours.iter().for_each(|(hour, _)| by_hour.entry(hour).or_default().see(client));
        }
        let signals = by_hour.into_iter().filter(|(_, networks)| 3 <= networks.len());
        let signals = signals.map(|(hour, networks)| (in_hour(hour, &networks, routed), networks.len(), Reverse(hour)));
        let (signal, ..) =
            signals.max_by(|a, b| a.0.nats.total_cmp(&b.0.nats).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))))?;
        Some(signal)
    }

    /// Log-ins after many that failed, from the same address. Less telling if only this account was tried: a program
    /// with an old password does that.
    fn guessed(&self, routed: &Routed<'_>) -> Option<Signal> {
        let Who::Account(account) = self.who else { return None };
        let failures = |client: &Client| {
            let facts = routed.ledger.clients.get(&ClientKey { server: self.server, client: *client })?;
            let others = facts.accounts_tried.iter().filter(|tried| !same_account(tried, &account)).count();
            Some((facts.auth_failures(), others, *client)).filter(|(failures, ..)| GUESSES <= *failures)
        };
        let (failed, others, client) = self.clients.keys().filter_map(failures).max()?;
        Some(Signal {
            nats: if 2 <= others { 4.0 } else { 2.0 },
            why: format!(
                "{} failed to log in {} times before it got in as this account.",
                origins::client(&client, &routed.consulted.geo),
                words::thousands(failed)
            ),
        })
    }

    /// One host that greets with many names: spamware makes them up. (Or an address translator: see hidden-clients.)
    fn many_names(&self) -> Option<Signal> {
        let many = matches!(self.who, Who::Host(_)) && 10 <= self.names;
        let why = format!("The one address greeted with {}.", count(self.names, "EHLO name", "EHLO names"));
        many.then_some(Signal { nats: 2.0, why })
    }

    /// Recipients that other servers refused for good: bought lists are old. An honest sender has up to 5 percent, a
    /// spammer's list a quarter and more (the failure ratios that threshold random walk detectors of mail abuse use). Few
    /// refusals prove nothing: some spammers have clean lists.
    fn failures(&self) -> Option<Signal> {
        const HONEST: f64 = 0.05;
        const SPAM: f64 = 0.25;
        let (failed, arrived) = (self.tally.bounced, self.tally.delivered);
        let nats = failed as f64 * (SPAM / HONEST).ln() + arrived as f64 * ((1.0 - SPAM) / (1.0 - HONEST)).ln();
        let telling = 20 <= failed + arrived && 0.0 < nats;
        telling.then(|| Signal {
            nats: nats.min(3.0),
            why: format!(
                "{} of {} were refused by their servers.",
                words::thousands(failed),
                recipients(failed + arrived)
            ),
        })
    }
}

/// What it tells that an account was used in three networks or more within an hour.
///
/// Networks in several countries are no roaming telephone; two countries may be a border, or a tunnel. Networks that are all of one
/// operator may be one telephone, whose address changes as it moves.
fn in_hour(hour: i32, networks: &Networks, routed: &Routed<'_>) -> Signal {
    let located = networks.located(&routed.consulted.geo);
    let start = minute(Time(i64::from(hour) * 3_600_000_000));
    let nats = if 4 <= networks.len() { 4.0 } else { 2.0 };
    let said = format!("In the hour from {start} UTC it logged in from {}", located.said());
    match (located.one_system(), located.spread()) {
        (Some(_), _) => Signal {
            nats: nats / 2.0,
            why: format!("{said}: one operator's, so it may be one telephone with changing addresses."),
        },
        (None, 4..) => Signal { nats: nats + 1.5, why: format!("{said}: nobody travels so fast.") },
        (None, 2..) => Signal { nats: nats + 0.5, why: format!("{said}.") },
        _ => Signal { nats, why: format!("{said}.") },
    }
}

/// Hours between an hour and what is taken for another day.
const APART: i32 = 12;

/// Failed log-ins from which somebody guesses.
const GUESSES: u64 = 10;

/// Whether two log-in names are the same account: some daemons log the realm, some do not.
fn same_account(a: &Text, b: &Text) -> bool {
    let name = |text: &Text| text.split('@').next().unwrap_or_default().to_owned();
    name(a) == name(b)
}
