//! A made-up mail server of an office, with accounts that write as people do: more on workdays, in sittings, now and then to
//! many at once; with newsletters, invoices, alerts, holidays, growth and new colleagues. The same seed makes the same server.

use relayaudit::ledger::{
    AccountKey, Client, ClientKey, Flow, FlowKey, Ledger, Origin, Outcome, Sent, ServerFacts, Time,
};
use relayaudit_parsers::address::Form;
use std::collections::BTreeMap;
use std::ops::Range;

pub const SERVER: &str = "mx1.example.org";
/// A Monday: 2027-01-04, in hours since 1970.
const START: i32 = 499_728;
/// Days before the quarter, in which what is usual is learnt.
pub const HISTORY: i32 = 42;
pub const QUARTER: i32 = 91;

/// Random numbers: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, neither of them.
    pub fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// From `low` to `high`, both of them.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        low + (self.share() * f64::from(high - low + 1)) as i32
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }

    fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * (spread * self.normal()).exp()
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        if 30.0 < mean {
            return (mean + mean.sqrt() * self.normal()).max(0.0) as u64;
        }
        let (mut number, mut product, end) = (0, self.share(), (-mean).exp());
        while end < product {
            product *= self.share();
            number += 1;
        }
        number
    }
}

/// A sender: recipients and messages by hour.
pub type Mail = BTreeMap<i32, (u64, u64)>;

/// Adds a number of messages to an hour, and of their recipients.
pub fn add(mail: &mut Mail, hour: i32, recipients: u64, messages: u64) {
    let sum = mail.entry(hour).or_default();
    *sum = (sum.0 + recipients, sum.1 + messages);
}

/// An office.
pub struct Office {
    pub accounts: BTreeMap<String, Mail>,
    hosts: BTreeMap<String, Mail>,
    users: BTreeMap<String, Mail>,
    /// Accounts that send newsletters.
    pub newsletters: Vec<String>,
    /// Days of its logs.
    pub days: i32,
}

/// The hour of a day and time of day.
pub fn hour(day: i32, time: i32) -> i32 {
    START + day * 24 + time
}

/// Whether nobody works.
fn is_weekend(day: i32) -> bool {
    4 < day % 7
}

/// Recipients of a message: one mostly, now and then a team, hardly ever everybody one knows.
fn addressees(dice: &mut Dice) -> u64 {
    let (low, high) = match dice.share() {
        ..0.80 => return 1,
        ..0.95 => (2, 4),
        ..0.993 => (5, 20),
        ..0.9997 => (20, 60),
        _ => (60, 200),
    };
    u64::try_from(dice.between(low, high)).unwrap()
}

/// The working day of one who writes so many messages.
fn work(dice: &mut Dice, sent: &mut Mail, day: i32, messages: u64) {
    let mut time = dice.between(7, 16);
    for _ in 0..messages {
        // Mail is written in sittings.
        if dice.chance(0.3) {
            time = dice.between(7, 18);
        }
        add(sent, hour(day, time), addressees(dice), 1);
    }
}

impl Office {
    /// An office of so many accounts, over so many days.
    pub fn new(seed: u64, accounts: usize, days: i32) -> Office {
        let mut dice = Dice::new(seed);
        let closed = dice.between(0, days - 4);
        let growth = dice.share() * 0.3;
        let newcomers = (accounts / 25).max(1);
        let mut office = Office {
            accounts: BTreeMap::new(),
            hosts: BTreeMap::new(),
            users: BTreeMap::new(),
            newsletters: Vec::new(),
            days,
        };
        for number in 0..accounts {
            let joined = if number < newcomers { dice.between(0, days - 1) } else { 0 };
            let away = dice.between(-14, days);
            let weeks = dice.between(1, 2);
            let pace = dice.log_normal(6.0, 0.9).min(60.0);
            let weekend = if dice.chance(0.3) { 0.15 } else { 0.02 };
            let mut sent = Mail::new();
            for day in joined..days {
                if (away..away + 7 * weeks).contains(&day) || (closed..closed + 4).contains(&day) {
                    continue;
                }
                // Good days and bad days: a gamma distribution of shape 2 makes the counts negative binomial.
                let mood = -(dice.share() * dice.share()).ln() / 2.0;
                let rhythm = if is_weekend(day) { weekend } else { 1.0 };
                let mean = pace * rhythm * mood * (1.0 + growth * f64::from(day) / f64::from(QUARTER));
                let messages = dice.poisson(mean);
                work(&mut dice, &mut sent, day, messages);
            }
            office.accounts.insert(format!("user{number}"), sent);
        }
        office.newsletters(&mut dice, accounts);
        office.programs(&mut dice, accounts);
        office
    }

    /// One account in fifty, and one at least, writes to its readers: most of them monthly, some weekly.
    fn newsletters(&mut self, dice: &mut Dice, accounts: usize) {
        for number in 0..(accounts / 50).max(1) {
            let name = format!("user{}", accounts - 1 - number);
            let mut readers = dice.log_normal(800.0, 0.8).clamp(100.0, 8_000.0);
            let every = if dice.chance(0.25) { 7 } else { 30 };
            let by_hand = dice.chance(0.3);
            let mut day = dice.between(0, every - 1);
            let sent = self.accounts.get_mut(&name).unwrap();
            while day < self.days {
                let time = dice.between(8, 15);
                let second = if dice.chance(0.3) { readers / 3.0 } else { 0.0 };
                // By a program, a message for each; by hand, a hundred readers in each.
                let each = if by_hand { 100 } else { 1 };
                for (time, part) in [(time, readers - second), (time + 1, second)] {
                    if 0.0 < part {
                        add(sent, hour(day, time), part as u64, (part as u64).div_ceil(each));
                    }
                }
                readers *= 0.99 + dice.share() * 0.06;
                day += every + if every == 30 { dice.between(-2, 2) } else { 0 };
            }
            self.newsletters.push(name);
        }
    }

    /// Invoices at the end of each month from a trusted host, and the alerts of a program on the server, with storms.
    fn programs(&mut self, dice: &mut Dice, accounts: usize) {
        let customers = 40.0 + accounts as f64 * (0.5 + dice.share() * 2.0);
        let (mut invoices, mut alerts) = (Mail::new(), Mail::new());
        for day in 0..self.days {
            if !is_weekend(day) {
                work(dice, &mut invoices, day, 3);
            }
            if (0..2).contains(&(day % 30 - 27)) {
                for time in 18..21 {
                    let number = dice.poisson(customers / 6.0);
                    add(&mut invoices, hour(day, time), number, number);
                }
            }
            for _ in 0..dice.poisson(4.0) {
                add(&mut alerts, hour(day, dice.between(0, 23)), 1, 1);
            }
            if dice.chance(0.03) {
                let number = dice.between(5, 60) as u64;
                add(&mut alerts, hour(day, dice.between(0, 23)), number, number);
            }
        }
        self.hosts.insert("198.51.100.9".to_owned(), invoices);
        self.users.insert("nagios".to_owned(), alerts);
    }

    /// The ledger that the logs of its server would give, from a day on to the last.
    pub fn ledger(&self, from: i32) -> Ledger {
        let mut ledger = Ledger::default();
        let mut facts = ServerFacts { records: 100_000, messages: 10_000, sessions: 10_000, ..ServerFacts::default() };
        facts.formats.insert("postfix".into());
        let span = hour(from, 0)..hour(self.days, 0);
        facts.hours = span.clone().collect();
        facts.span.see(Some(time(hour(from, 0))));
        facts.span.see(Some(time(hour(self.days, 0) - 1)));
        ledger.servers.insert(SERVER.into(), facts);
        for (name, sent) in &self.accounts {
            let who = |key: &mut FlowKey| key.account = Some(name.as_str().into());
            enter(&mut ledger, sent, span.clone(), who);
            let key = AccountKey { server: SERVER.into(), account: name.as_str().into() };
            ledger.accounts.insert(key, messages(sent, &span));
        }
        for (address, sent) in &self.hosts {
            let client = Client::Address(address.parse().unwrap());
            enter(&mut ledger, sent, span.clone(), |key| key.client = client);
            ledger.clients.entry(ClientKey { server: SERVER.into(), client }).or_default().sent = messages(sent, &span);
        }
        for (user, sent) in &self.users {
            let client = Client::User(user.as_str().into());
            enter(&mut ledger, sent, span.clone(), |key| (key.client, key.origin) = (client, Origin::Local));
            ledger.clients.entry(ClientKey { server: SERVER.into(), client }).or_default().sent = messages(sent, &span);
        }
        ledger
    }
}

fn time(hour: i32) -> Time {
    Time(i64::from(hour) * 3_600_000_000)
}

fn messages(mail: &Mail, span: &Range<i32>) -> Sent {
    let mut sent = Sent::default();
    sent.reverse_paths.see(b"one@example.org");
    mail.range(span.clone()).for_each(|(hour, (_, messages))| sent.messages.add(*hour, *messages));
    sent
}

fn enter(ledger: &mut Ledger, sent: &Mail, span: Range<i32>, who: impl Fn(&mut FlowKey)) {
    for (part, domain) in ["example.net", "example.com"].into_iter().enumerate() {
        let mut key = FlowKey {
            server: SERVER.into(),
            client: Client::Address("198.51.100.20".parse().unwrap()),
            account: None,
            vouched: false,
            origin: Origin::Network,
            reverse_domain: Some("example.org".into()),
            forward_domain: domain.into(),
            form: Form::Plain,
            hidden_domain: None,
            final_domain: None,
            outcome: Outcome::Relayed,
            refusal: None,
        };
        who(&mut key);
        let mut flow = Flow::default();
        for (hour, (number, _)) in sent.range(span.clone()) {
            let share = if part == 0 { number - number / 3 } else { number / 3 };
            if 0 < share {
                flow.see(Some(time(*hour)), share);
            }
        }
        if 0 < flow.recipients {
            flow.messages = 1 + flow.recipients / 10;
            ledger.flows.insert(key, Box::new(flow));
        }
    }
}
