//! Alarms: the jumps that are too far to be chance.
//!
//! How many may be chance is shared among the kinds of jump on a server, as Bonferroni does with tests; within a kind the number to be
//! expected is told by the tail of its jumps, so that it does not matter how many senders a server has.

use super::jumps::{self, Jump, LEARNING, Measure, measure};
use super::series::{Counts, Level, Series, Whose, day_of};
use super::tail::Tail;
use crate::judge::finding::Subject;
use crate::judge::routed::Routed;
use crate::judge::senders::{Sender, Who};
use crate::ledger::{ServerFacts, Text};
use std::collections::{BTreeMap, BTreeSet};

/// A jump is worth a word if it is at least so many times the record.
const TIMES: u64 = 3;
/// Days between two such jumps from which they are a habit: a monthly newsletter.
const HABIT: i32 = 20;
/// A kind of jump: whose, what is counted, whether by hour, its share of the false alarms, the scale that its jumps usually have.
type Kind = (Level, Counts, bool, f64, f64);
/// The kinds of jump, each with its share of the false alarms and the scale that its jumps usually have.
const KINDS: [Kind; 8] = [
    (Level::Sender, Counts::Messages, true, 0.4, 0.25),
    (Level::Sender, Counts::Messages, false, 0.05, 0.25),
    (Level::Sender, Counts::Recipients, true, 0.15, 0.3),
    (Level::Sender, Counts::Recipients, false, 0.05, 0.3),
    (Level::Domain, Counts::Recipients, true, 0.1, 0.3),
    (Level::Domain, Counts::Recipients, false, 0.05, 0.3),
    (Level::Server, Counts::Recipients, true, 0.1, 0.3),
    (Level::Server, Counts::Recipients, false, 0.05, 0.3),
];
/// The same for newcomers: the records of different senders lie far apart.
const NEWCOMERS: (f64, f64) = (0.05, 0.7);
/// Recipients in an hour from which a newcomer is worth a word.
const NEWCOMER: u64 = 100;

/// Unusual volume of one subject on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// The server.
    pub server: Text,
    /// Account, client, user, domain or server.
    pub subject: Subject,
    /// The day: whole days since 1970, in UTC.
    pub day: i32,
    /// The hour (of `Time::hour`); `None` if it is the day as a whole that is unusual.
    pub hour: Option<i32>,
    /// What is counted.
    pub counts: Counts,
    /// How many there were in that hour, or on that day.
    pub number: u64,
    /// The most before: its own, or for a newcomer what nine of ten peers never passed.
    pub record: u64,
    /// How many jumps that big are to be expected by chance on this server in a quarter of a year.
    pub expected: f64,
    /// Whether the subject was not known long enough to be held against its own record.
    pub newcomer: bool,
}

impl Alarm {
    /// Whether an hour belongs to it.
    pub fn holds(&self, hour: i32) -> bool {
        self.hour.map_or(self.day == day_of(hour), |own| own == hour)
    }
}

/// The alarms of one server, each with the series it is about.
pub struct Alarms<'r, 'a> {
    /// All that was counted.
    pub series: Vec<Series<'r, 'a>>,
    /// The alarms, and the number of the series of each.
    pub alarms: Vec<(usize, Alarm)>,
}

/// Finds the alarms of a server.
pub fn find<'r, 'a>(routed: &'r Routed<'a>, server: Text, series: Vec<Series<'r, 'a>>) -> Alarms<'r, 'a> {
    let logged = logged(routed, server);
    let tested = u32::try_from(logged.len().saturating_sub(LEARNING)).unwrap_or(0);
    let judged = Judged { logged: &logged, series: &series, most: routed.errors.alarms_per_quarter, tested };
    let mut found: Vec<(usize, Alarm)> = Vec::new();
    if 0 < tested {
        found.extend(KINDS.into_iter().flat_map(|kind| judged.of(kind)));
        found.extend(judged.newcomers());
    }
    let found = told_once(routed, &series, found);
    Alarms { series, alarms: found }
}

/// The days on which a server wrote lines.
fn logged(routed: &Routed<'_>, server: Text) -> BTreeSet<i32> {
    routed.ledger.servers.get(&server).map(days).unwrap_or_default()
}

/// The days of the hours in which a server wrote lines.
pub fn days(facts: &ServerFacts) -> BTreeSet<i32> {
    facts.hours.iter().map(|hour| day_of(*hour)).collect()
}

/// A server while it is judged.
struct Judged<'j, 'r, 'a> {
    logged: &'j BTreeSet<i32>,
    series: &'j [Series<'r, 'a>],
    /// False alarms that are accepted in a quarter.
    most: f64,
    /// Days on which something could be found.
    tested: u32,
}

impl Judged<'_, '_, '_> {
    fn of(&self, (level, counts, hourly, share, scale): Kind) -> Vec<(usize, Alarm)> {
        let measure = measure(level, counts, hourly);
        let of_level = self.series_of(level, counts);
        let jumps: Vec<Jump> = of_level.flat_map(|(number, series)| jumps::own(number, series, measure)).collect();
        let tail = Tail::of(jumps.iter().map(|jump| jump.size).collect(), self.tested, scale);
        self.far(&jumps, measure, tail, share).into_iter().map(|jump| self.alarm(jump, tail, false)).collect()
    }

    fn series_of(&self, level: Level, counts: Counts) -> impl Iterator<Item = (usize, &Series<'_, '_>)> {
        let wanted = move |(_, series): &(usize, &Series<'_, '_>)| (series.level(), series.counts) == (level, counts);
        self.series.iter().enumerate().filter(wanted)
    }

    fn newcomers(&self) -> Vec<(usize, Alarm)> {
        let measure = Measure { floor: NEWCOMER, ..measure(Level::Sender, Counts::Recipients, true) };
        let senders: Vec<(usize, &Series<'_, '_>)> = self.series_of(Level::Sender, Counts::Recipients).collect();
        let Some((mut jumps, beyond)) = jumps::newcomers(&senders, measure) else { return Vec::new() };
        // What was there from the first days on is not new: only the log is.
        jumps.retain(|jump| LEARNING <= self.logged.range(..jump.day).count());
        let new: BTreeSet<usize> = jumps.iter().map(|jump| jump.series).collect();
        let scale = Tail::of(beyond, self.tested, NEWCOMERS.1).scale;
        let tail = Tail { from: 0.0, per_quarter: Tail::of(vec![0.0; new.len()], self.tested, 0.0).per_quarter, scale };
        self.far(&jumps, measure, tail, NEWCOMERS.0).into_iter().map(|jump| self.alarm(jump, tail, true)).collect()
    }

    /// The jumps that chance does not explain, of each series the farthest of a day.
    fn far(&self, jumps: &[Jump], measure: Measure, tail: Tail, share: f64) -> Vec<Jump> {
        let mut far = BTreeMap::<(usize, i32), Jump>::new();
        for jump in jumps {
            let is_far = measure.floor <= jump.value
                && jump.record.saturating_mul(TIMES) <= jump.value
                && tail.expected(jump.size) <= self.most * share
                && !self.is_habit(jump);
            let farther = |known: &Jump| known.size < jump.size;
            if is_far && far.get(&(jump.series, jump.day)).is_none_or(farther) {
                far.insert((jump.series, jump.day), *jump);
            }
        }
        far.into_values().collect()
    }

    /// Whether as much, or half of it, was sent on a day weeks later as well. (Weeks before it would be the record.)
    fn is_habit(&self, jump: &Jump) -> bool {
        let later = self.series[jump.series].days.iter().filter(|day| HABIT <= day.day - jump.day);
        let mut most = later.map(|day| if jump.hour.is_some() { day.peak().1 } else { day.sum() });
        most.any(|most| jump.value <= most.saturating_mul(2))
    }

    fn alarm(&self, jump: Jump, tail: Tail, newcomer: bool) -> (usize, Alarm) {
        let series = &self.series[jump.series];
        let alarm = Alarm {
            server: series.server,
            subject: series.subject(),
            day: jump.day,
            hour: jump.hour,
            counts: series.counts,
            number: jump.value,
            record: jump.record,
            expected: tail.expected(jump.size),
            newcomer,
        };
        (jump.series, alarm)
    }
}

/// Leaves out what is told already: days of which an hour is told, senders that a stronger rule accuses, and domains and servers
/// whose jump such senders make, or senders of which an alarm tells, or a domain.
fn told_once(routed: &Routed<'_>, series: &[Series<'_, '_>], found: Vec<(usize, Alarm)>) -> Vec<(usize, Alarm)> {
    let hours: BTreeSet<(usize, i32)> =
        found.iter().filter(|(_, alarm)| alarm.hour.is_some()).map(|(number, alarm)| (*number, alarm.day)).collect();
    let mut kept = Vec::<(usize, Alarm)>::new();
    // The order is that of the series: senders, domains, the server.
    let mut found = found;
    found.sort_by_key(|(number, alarm)| (*number, alarm.day, alarm.hour.is_none()));
    for (number, alarm) in found {
        let told = match series[number].whose {
            _ if alarm.hour.is_none() && hours.contains(&(number, alarm.day)) => true,
            Whose::Sender(sender) => is_accused(routed, sender),
            Whose::Domain(_) => is_explained(routed, series, &kept, &alarm),
            Whose::Server => {
                let domain =
                    |(other, told): &(usize, Alarm)| series[*other].level() == Level::Domain && told.day == alarm.day;
                kept.iter().any(domain) || is_explained(routed, series, &kept, &alarm)
            }
        };
        if !told {
            kept.push((number, alarm));
        }
    }
    kept
}

/// Whether a stronger rule accuses a sender.
pub fn is_accused(routed: &Routed<'_>, sender: &Sender<'_>) -> bool {
    let hidden = match sender.who {
        Who::Host(client) => crate::judge::hidden_clients::hides_clients(routed, sender.server, client),
        _ => false,
    };
    hidden || sender.weigh(routed, routed.errors).accuses()
}

/// Whether senders that are accused, or of which an alarm tells, sent half of what is too much.
fn is_explained(routed: &Routed<'_>, series: &[Series<'_, '_>], told: &[(usize, Alarm)], alarm: &Alarm) -> bool {
    let mut explained = 0u64;
    for one in series {
        let Whose::Sender(sender) = one.whose else { continue };
        if one.counts != Counts::Recipients {
            continue;
        }
        let within = sent_in(one, alarm);
        // Most senders sent a little: nobody needs to ask who they are.
        if within.saturating_mul(50) < alarm.number {
            continue;
        }
        let subject = one.subject();
        let is_told = told.iter().any(|(_, known)| known.subject == subject && known.day == alarm.day);
        if is_told || is_accused(routed, sender) {
            explained = explained.saturating_add(within);
        }
    }
    alarm.number.saturating_sub(alarm.record) <= explained.saturating_mul(2)
}

/// What a series has within the time of an alarm.
pub fn sent_in(series: &Series<'_, '_>, alarm: &Alarm) -> u64 {
    let Ok(at) = series.days.binary_search_by_key(&alarm.day, |day| day.day) else { return 0 };
    let hours = series.days[at].hours.iter().filter(|(hour, _)| alarm.holds(*hour));
    hours.map(|(_, number)| number).fold(0, |sum, number| sum.saturating_add(*number))
}
