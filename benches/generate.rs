//! Writes a log of any size to measure with: deterministic from a seed, sessions interleaved, client
//! volumes after Zipf's law, one client in a hundred abusive, and the truth beside it.
//!
//!     cargo bench --bench generate -- --format postfix --mib 1024 --out big.log
//!
//! prints the totals a scan must find (JSON) on stdout. Formats: postfix, iis-smtp-w3c.
//! All names and addresses are from the ranges reserved for documentation and benchmarks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::Ipv4Addr;

/// Distinct clients.
const CLIENTS: u64 = 200_000;
/// Local users and outside domains.
const USERS: u64 = 400;
const DOMAINS: u64 = 5_000;

/// SplitMix64 (Steele, Lea and Flood, 2014): enough to shuffle a log, the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A rank from 0 to `end`, with a probability falling like 1/rank.
    fn zipf(&mut self, end: u64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        ((end as f64).powf(unit) as u64).min(end) - 1
    }
}

/// A line that is due at a time (microseconds of the log's clock).
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due(u64, u64, String);

/// What a scan must find.
#[derive(Default)]
struct Truth {
    lines: u64,
    messages: u64,
    relayed_recipients: u64,
    denied_recipients: u64,
    relaying: std::collections::BTreeSet<Ipv4Addr>,
}

struct Generator {
    random: Random,
    now: u64,
    queue: BinaryHeap<Reverse<Due>>,
    number: u64,
    /// Server processes, with the time at which each is free again: one serves one client at a time.
    processes: Vec<u64>,
    truth: Truth,
}

/// 2026-11-01T00:00:00Z.
const START_MICROS: u64 = 1_793_491_200_000_000;

impl Generator {
    fn new(seed: u64) -> Self {
        Generator {
            random: Random(seed),
            now: START_MICROS,
            queue: BinaryHeap::new(),
            number: 0,
            processes: Vec::new(),
            truth: Truth::default(),
        }
    }

    fn at(&mut self, delay_millis: u64, line: String) {
        self.number += 1;
        self.queue.push(Reverse(Due(self.now + delay_millis * 1000, self.number, line)));
    }

    /// A client in 198.18.0.0/15, the range for benchmarks (RFC 2544).
    fn client(&mut self) -> (Ipv4Addr, bool) {
        let rank = self.random.zipf(CLIENTS);
        (Ipv4Addr::from(0xc612_0000 | (rank as u32 & 0x1_ffff) | (rank as u32 >> 17) << 8), rank % 100 == 57)
    }

    fn outside(&mut self) -> String {
        let domain = self.random.zipf(DOMAINS);
        format!("user{}@d{domain}.example.org", self.random.below(100_000))
    }

    /// A reverse-path of a client: mail servers send for few domains, spam for any.
    fn reverse_path(&mut self, client: Ipv4Addr, abusive: bool) -> String {
        if abusive || self.random.below(10) == 0 {
            return self.outside();
        }
        format!("user{}@d{}.example.org", self.random.below(1000), u64::from(u32::from(client)) % DOMAINS)
    }

    fn local(&mut self) -> String {
        format!("u{}@example.com", self.random.zipf(USERS))
    }

    /// The process id that serves a session of 100 ms.
    fn process(&mut self) -> u64 {
        let until = self.now + 100_000;
        let free = self.processes.iter().position(|busy| *busy <= self.now);
        let at = free.unwrap_or(self.processes.len());
        match free {
            Some(at) => self.processes[at] = until,
            None => self.processes.push(until),
        }
        1000 + 7 * at as u64
    }

    fn step(&mut self) {
        self.now += self.random.below(40_000);
    }
}

/// The time of a line as `rsyslog` writes it.
fn stamp(micros: u64) -> String {
    let time = chrono::DateTime::from_timestamp_micros(micros as i64).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// One Postfix session: mostly mail coming in, some going out with credentials, some abuse.
fn postfix(g: &mut Generator) {
    g.step();
    let (client, abusive) = g.client();
    let pid = g.process();
    let name = format!("host{}.example.net[{client}]", u32::from(client) & 0xffff);
    g.at(0, format!("mx1 postfix/smtpd[{pid}]: connect from {name}"));
    if abusive && g.random.below(3) == 0 {
        let to = g.outside();
        g.truth.denied_recipients += 1;
        g.at(40, format!("mx1 postfix/smtpd[{pid}]: NOQUEUE: reject: RCPT from {name}: 554 5.7.1 <{to}>: Relay access denied; from=<probe@example.net> to=<{to}> proto=ESMTP helo=<ADMIN>"));
        g.at(
            60,
            format!("mx1 postfix/smtpd[{pid}]: disconnect from {name} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"),
        );
        return;
    }
    let login = !abusive && g.random.below(6) == 0;
    let id = format!("{:05X}{:06X}", g.random.below(1 << 20), g.number & 0xff_ffff);
    // A user has a few addresses, not the whole Internet.
    let user = u64::from(u32::from(client) & 0x1_ffff) / 4;
    let account = if login { format!(", sasl_method=PLAIN, sasl_username=u{user}") } else { String::new() };
    let recipients = 1 + g.random.zipf(if abusive { 40 } else { 6 });
    let from = if login { format!("u{user}@example.com") } else { g.reverse_path(client, abusive) };
    let size = 700 + g.random.zipf(200_000);
    g.at(30, format!("mx1 postfix/smtpd[{pid}]: {id}: client={name}{account}"));
    g.at(70, format!("mx1 postfix/cleanup[{}]: {id}: message-id=<{:x}.{}@mail.example.net>", pid + 1, g.now, g.number));
    g.at(90, format!("mx1 postfix/qmgr[900]: {id}: from=<{from}>, size={size}, nrcpt={recipients} (queue active)"));
    g.at(95, format!("mx1 postfix/smtpd[{pid}]: disconnect from {name} ehlo=1 mail=1 rcpt={recipients} data=1 quit=1 commands={}", recipients + 4));
    let mut last = 0;
    for _ in 0..recipients {
        let delay = 150 + g.random.below(3000);
        last = last.max(delay);
        let outside = abusive || login;
        let to = if outside { g.outside() } else { g.local() };
        let line = if outside {
            let hop = to.rsplit('@').next().unwrap_or_default().to_owned();
            format!(
                "mx1 postfix/smtp[{}]: {id}: to=<{to}>, relay=mx.{hop}[203.0.113.{}]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {:X})",
                pid + 2,
                g.random.below(254),
                g.number
            )
        } else {
            format!(
                "mx1 postfix/local[{}]: {id}: to=<{to}>, relay=local, delay=0.2, delays=0.1/0/0/0.1, dsn=2.0.0, status=sent (delivered to mailbox)",
                pid + 2
            )
        };
        g.at(delay, line);
    }
    g.at(last + 1, format!("mx1 postfix/qmgr[900]: {id}: removed"));
    g.truth.messages += 1;
    if abusive {
        g.truth.relayed_recipients += recipients;
        g.truth.relaying.insert(client);
    }
}

/// One session with IIS SMTP.
fn iis(g: &mut Generator) {
    g.step();
    let (client, abusive) = g.client();
    let helo = format!("host{}", u32::from(client) & 0xffff);
    let line = |verb: &str, argument: &str, status: u16, bytes: u64| {
        format!("{client} {helo} SMTPSVC1 MX01 192.0.2.10 0 {verb} - {argument} {status} 0 60 {bytes} 0 SMTP - - - -")
    };
    g.at(0, line("EHLO", &format!("+{helo}"), 250, 20));
    let from = g.reverse_path(client, abusive);
    g.at(100, line("MAIL", &format!("+FROM:<{from}>"), 250, 33));
    let denied = abusive && g.random.below(3) == 0;
    let recipients = if denied { 1 } else { 1 + g.random.zipf(if abusive { 40 } else { 6 }) };
    for number in 0..recipients {
        let to = if abusive { g.outside() } else { g.local() };
        g.at(200 + number, line("RCPT", &format!("+TO:<{to}>"), if denied { 550 } else { 250 }, 31));
    }
    if denied {
        g.truth.denied_recipients += recipients;
    } else {
        let size = 700 + g.random.zipf(200_000);
        g.at(900, line("DATA", &format!("+<{:x}.{}@mail.example.net>", g.now, g.number), 250, size));
        g.truth.messages += 1;
        if abusive {
            g.truth.relayed_recipients += recipients;
            g.truth.relaying.insert(client);
        }
    }
    g.at(1000, line("QUIT", &helo, 240, 4));
}

fn main() -> io::Result<()> {
    let options: Vec<String> = std::env::args().collect();
    let option = |name: &str| options.iter().position(|o| o == name).and_then(|at| options.get(at + 1)).cloned();
    let Some(out) = option("--out") else {
        // `cargo bench` runs every benchmark; without a file to write there is nothing to do here.
        eprintln!("generate: give --out FILE [--format postfix|iis-smtp-w3c] [--mib N] [--seed N]");
        return Ok(());
    };
    let bytes = option("--mib").and_then(|n| n.parse::<u64>().ok()).unwrap_or(10) << 20;
    let is_iis = option("--format").as_deref() == Some("iis-smtp-w3c");
    let mut g = Generator::new(option("--seed").and_then(|n| n.parse().ok()).unwrap_or(1));
    let mut file = BufWriter::new(File::create(out)?);
    let mut written = 0u64;
    if is_iis {
        writeln!(
            file,
            "#Software: Microsoft Internet Information Services 6.0\n#Version: 1.0\n#Date: 2026-11-01 00:00:00\n#Fields: date time c-ip cs-username s-sitename s-computername s-ip s-port cs-method cs-uri-stem cs-uri-query sc-status sc-win32-status sc-bytes cs-bytes time-taken cs-version cs-host cs(User-Agent) cs(Cookie) cs(Referer) "
        )?;
        g.truth.lines += 4;
    }
    while written < bytes || !g.queue.is_empty() {
        if written < bytes {
            if is_iis { iis(&mut g) } else { postfix(&mut g) }
        }
        while g.queue.peek().is_some_and(|Reverse(due)| due.0 <= g.now || bytes <= written) {
            let Some(Reverse(Due(micros, _, line))) = g.queue.pop() else { break };
            let stamp = stamp(micros);
            let text = if is_iis {
                format!("{} {} {line}\n", &stamp[..10], &stamp[11..19])
            } else {
                format!("{stamp} {line}\n")
            };
            file.write_all(text.as_bytes())?;
            written += text.len() as u64;
            g.truth.lines += 1;
        }
    }
    file.flush()?;
    let t = &g.truth;
    println!(
        "{{\"bytes\": {written}, \"lines\": {}, \"messages\": {}, \"relaying_clients\": {}, \"relayed_recipients\": {}, \"denied_recipients\": {}}}",
        t.lines,
        t.messages,
        t.relaying.len(),
        t.relayed_recipients,
        t.denied_recipients
    );
    Ok(())
}
