//! Campaigns, testers, the beginning of abuse and guessing at accounts: from lines of logs to what is said, and to what is not.

#![allow(clippy::unwrap_used)]

#[path = "judge/log.rs"]
#[allow(dead_code)]
mod log;

use log::Log;
use relayaudit::clock::{Clock, Zone};
use relayaudit::fold::{Chunk, Filter, Part};
use relayaudit::judge::{Analysis, Cause, Finding, Rule, Severity, analyse};
use relayaudit::layout::Layout;
use relayaudit::ledger::{FileId, Input};
use relayaudit::merge::Merge;
use relayaudit::observe::Window;
use relayaudit::site::{self, Site, infer};
use relayaudit_parsers::registry::{Context, by_name};

/// Lines of logs in the making, one server each.
#[derive(Default)]
struct Logs(Vec<(&'static str, String)>);

/// Mail to be written: when (minutes after 06:00), from where, in which name, from whom, to whom.
#[derive(Clone, Copy)]
struct Mail<'a> {
    minute: u32,
    client: &'a str,
    helo: &'a str,
    from: &'a str,
    to: &'a str,
}

fn clock(minute: u32) -> String {
    format!("2027-01-{:02} {:02}:{:02}:00", 18 + minute / 1080, 6 + minute % 1080 / 60, minute % 60)
}

impl Logs {
    /// Exim on `server` refused to relay.
    fn refused(mut self, server: &'static str, mail: Mail<'_>) -> Logs {
        let Mail { minute, client, helo, from, to } = mail;
        let line =
            format!("{} H=({helo}) [{client}] F=<{from}> rejected RCPT <{to}>: relay not permitted", clock(minute));
        self.0.push((server, line));
        self
    }

    /// Exim on `server` took it and passed it on; with a log-in if there is an account.
    fn taken(mut self, server: &'static str, mail: Mail<'_>, recipients: u32, account: Option<&str>) -> Logs {
        let Mail { minute, client, helo, from, to } = mail;
        let time = clock(minute);
        let id = format!("1nQ{:03}-{:06}-{:02}", self.0.len(), self.0.len(), self.0.len() % 100);
        let log_in = account.map(|account| format!("a A=plain:{account}")).unwrap_or_default();
        self.0.push((server, format!("{time} {id} <= {from} H=({helo}) [{client}] P=esmtp{log_in} S=1500")));
        for n in 0..recipients {
            let line = format!("{time} {id} => r{n}{to} R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.99]");
            self.0.push((server, line));
        }
        self.0.push((server, format!("{time} {id} Completed")));
        self
    }

    /// A log-in failed.
    fn failed(mut self, server: &'static str, minute: u32, client: &str, helo: &str, account: &str) -> Logs {
        let line = format!(
            "{} plain authenticator failed for ({helo}) [{client}]: 535 Incorrect authentication data (set_id={account})",
            clock(minute)
        );
        self.0.push((server, line));
        self
    }

    fn judge(mut self) -> Analysis {
        self.0.sort_by(|a, b| a.1[..19].cmp(&b.1[..19]));
        let mut ledger = relayaudit::ledger::Ledger::default();
        for (number, server) in ["mx1", "mx2"].into_iter().enumerate() {
            let lines = self.0.iter().filter(|(of, _)| *of == server).map(|(_, line)| {
                let (date, rest) = line.split_at(19);
                format!("{}+00:00 {server} exim[7]: {rest}\n", date.replace(' ', "T")).replace("]:  ", "]: ")
            });
            let bytes = lines.collect::<String>().into_bytes();
            let file = FileId(number as u64 + 1);
            let clock = Clock::new(Zone::Named(chrono_tz::UTC), None, None, "2027-12-01T00:00:00Z".parse().unwrap());
            let chunk = Chunk {
                file,
                path: format!("{server}.log").into(),
                format: by_name("exim").unwrap(),
                context: Context::default(),
                clock,
                layout: Layout::default(),
                first_line: 1,
                torn: false,
                bytes,
            };
            ledger.merge(Part::of(&chunk, &Filter::default()).finish(Window::default()));
            ledger
                .inputs
                .entry(file)
                .or_default()
                .merge(Input { path: format!("{server}.log").into(), ..Input::default() });
        }
        let mut site = Site::default();
        site.add_local_domain("example.org", site::Origin::CommandLine);
        site.add_trusted_network("192.0.2.0/24".parse().unwrap(), site::Origin::CommandLine);
        analyse(&ledger, &infer(&ledger, &site))
    }
}

fn of(analysis: &Analysis, rule: Rule) -> Vec<&Finding> {
    analysis.findings.iter().filter(|finding| finding.rule == rule).collect()
}

const PROBE: Mail<'_> =
    Mail { minute: 5, client: "203.0.113.7", helo: "relay.example", from: "s@spam.example", to: "u@example.net" };

#[test]
fn probes_with_made_up_windows_names_belong_together() {
    let names =
        [("203.0.113.7", "WIN-4G7H2K9Q1ZB"), ("198.51.100.8", "WIN-K02I6UDC9JG"), ("198.18.0.9", "WIN-AAAA11112222")];
    let mut logs = Logs::default();
    for (n, (client, helo)) in names.into_iter().enumerate() {
        let from = format!("user{n}@d{n}.example");
        logs = logs.refused("mx1", Mail { minute: 5 + n as u32, client, helo, from: &from, ..PROBE });
    }
    let analysis = logs.judge();
    let [campaign] = analysis.campaigns.as_slice() else { panic!("{:#?}", analysis.campaigns) };
    assert_eq!(&*campaign.finding.subject.value, "HELO win-*");
    assert_eq!((campaign.finding.severity, campaign.finding.recipients_denied), (Severity::Low, 3));
    assert_eq!((campaign.clients.len(), campaign.networks, campaign.rules.as_slice()), (3, 3, &[Rule::RelayProbe][..]));
    assert_eq!(campaign.finding.why[0], "3 addresses belong together: 3 greet as win-*.");
    assert_eq!(
        campaign.finding.why[1],
        "They were refused 3 recipients between 2027-01-18 06:05 and 2027-01-18 06:07 UTC."
    );
    assert_eq!(of(&analysis, Rule::Campaign).len(), 1);
    assert_eq!(analysis.verdict.cause, Cause::ProbesOnly);
}

#[test]
fn one_mailbox_used_from_everywhere_and_taken_is_grave() {
    let mut logs = Logs::default();
    for n in 0..4u32 {
        let client = format!("203.0.{n}.7");
        let helo = format!("h{n}.example");
        let mail = Mail { minute: 5 + n, client: &client, helo: &helo, from: "win@casino.example", to: "@example.net" };
        logs = logs.taken("mx1", mail, 30, None);
    }
    let analysis = logs.judge();
    let [campaign] = analysis.campaigns.as_slice() else { panic!("{:#?}", analysis.campaigns) };
    assert_eq!(&*campaign.finding.subject.value, "from win@casino.example");
    assert_eq!((campaign.finding.severity, campaign.finding.recipients_accepted), (Severity::High, 120));
    assert_eq!(campaign.finding.messages, 4);
}

#[test]
fn what_is_no_campaign() {
    let quiet = |logs: Logs, what: &str| {
        let analysis = logs.judge();
        assert!(analysis.campaigns.is_empty(), "{what}: {:#?}", analysis.campaigns);
    };
    // A newsletter of a trusted host, one reverse-path for each recipient.
    let mut newsletter = Logs::default();
    for n in 0..60 {
        let from = format!("bounce+{n}@example.org");
        let mail = Mail { minute: n, client: "192.0.2.9", helo: "news.example.org", from: &from, to: "@example.net" };
        newsletter = newsletter.taken("mx1", mail, 1, None);
    }
    quiet(newsletter, "newsletter");
    // Users on the road: one forgets to log in, others log in.
    let mut users = Logs::default();
    for n in 0..5u32 {
        let client = format!("203.0.113.{}", 10 + n);
        let helo = format!("[192.168.1.{n}]");
        let mail = Mail { minute: n, client: &client, helo: &helo, from: "anna@example.org", to: "@example.net" };
        users = users.taken("mx1", mail, 1, Some("anna")).refused("mx1", Mail { to: "u@example.net", ..mail });
    }
    quiet(users, "users who forget to log in");
    // Outlook greets with the name of the PC.
    let mut outlook = Logs::default();
    for n in 0..5u32 {
        let client = format!("203.0.113.{}", 10 + n);
        let mail =
            Mail { minute: n, client: &client, helo: "DESKTOP-7Q2K9AB", from: "anna@example.org", to: "@example.net" };
        outlook = outlook.taken("mx1", mail, 1, Some("anna"));
    }
    quiet(outlook, "mail programs");
    // Strangers that have nothing in common but that they probe.
    let mut strangers = Logs::default();
    for n in 0..5u32 {
        let (client, helo, from) = (format!("203.0.{n}.7"), format!("mx{n}.example"), format!("user{n}@d{n}.example"));
        strangers = strangers.refused("mx1", Mail { client: &client, helo: &helo, from: &from, ..PROBE });
    }
    quiet(strangers, "strangers");
    // Two are not several; nor is one address that probes again and again.
    let two = Logs::default().refused("mx1", PROBE).refused("mx1", Mail { client: "198.51.100.8", ..PROBE });
    quiet(two.refused("mx1", PROBE), "two");
}

#[test]
fn one_address_on_two_servers_is_a_campaign() {
    let analysis = Logs::default().refused("mx1", PROBE).refused("mx2", Mail { minute: 9, ..PROBE }).judge();
    let [campaign] = analysis.campaigns.as_slice() else { panic!("{:#?}", analysis.campaigns) };
    assert_eq!((campaign.clients.len(), campaign.servers.len()), (1, 2));
}

#[test]
fn guessers_with_one_greeting_belong_together_though_each_tries_once() {
    let guess = |helo: &str| {
        let log = (0..6).fold(Log::new(), |log, n| {
            let client = format!("203.0.{n}.7");
            log.hello(&client, helo).client(&client, |facts| facts.failures.commands = 1)
        });
        log.judge().campaigns
    };
    let campaigns = guess("ylmf-pc");
    let [campaign] = campaigns.as_slice() else { panic!("{campaigns:#?}") };
    assert_eq!((&*campaign.finding.subject.value, campaign.auth_failures), ("HELO ylmf-pc", 6));
    assert_eq!(campaign.finding.severity, Severity::Low);
    // Telephones greet with the address of their network.
    assert!(guess("[192.168.1.5]").is_empty());
}

#[test]
fn a_known_tester_is_named_once() {
    let mut logs = Logs::default();
    for (n, to) in ["relaytest@nmap.scanme.org", "relaytest%nmap.scanme.org@example.org"].into_iter().enumerate() {
        for client in ["203.0.113.7", "198.51.100.8"] {
            let mail = Mail { client, helo: "nmap.scanme.org", from: "antispam@[192.0.2.25]", to, ..PROBE };
            logs = logs.refused("mx1", Mail { minute: n as u32, ..mail });
        }
    }
    let analysis = logs.judge();
    let [campaign] = analysis.campaigns.as_slice() else { panic!("{:#?}", analysis.campaigns) };
    assert_eq!(campaign.finding.severity, Severity::Info);
    assert_eq!(
        campaign.finding.why[0],
        "nmap, a known relay tester, asked for 4 recipients in 2 address forms from 2 addresses between 2027-01-18 06:00 and \
         2027-01-18 06:01 UTC; all were refused."
    );
}

/// The sentence on how it began, in the verdict.
fn beginning(analysis: &Analysis) -> Option<&str> {
    analysis.verdict.why.iter().find(|why| why.starts_with("How it began")).map(String::as_str)
}

#[test]
fn the_probe_the_door_and_the_flood() {
    let flood = Mail { minute: 200, helo: "flood.example", from: "a@b.example", to: "@example.net", ..PROBE };
    let test = Mail { minute: 60, to: "@example.com", ..PROBE };
    let check = |logs: Logs, want: Option<&str>| {
        let analysis = logs.judge();
        assert_eq!(analysis.verdict.cause, Cause::OpenRelay);
        assert_eq!(beginning(&analysis), want);
        let told = analysis.findings.iter().flat_map(|finding| &finding.why).any(|why| why.starts_with("How it began"));
        assert_eq!(told, want.is_some());
    };
    // The same address.
    check(
        Logs::default().refused("mx1", PROBE).taken("mx1", test, 1, None).taken("mx1", flood, 40, None),
        Some(
            "How it began: probe at 2027-01-18 06:05 UTC (mx1.log:1) by 203.0.113.7, refused; door opened at 2027-01-18 07:00 \
             UTC (mx1.log:2), the first recipient taken; flood from 2027-01-18 09:00 UTC by the same address.",
        ),
    );
    // The same network.
    let neighbour = Mail { client: "203.0.113.99", ..flood };
    check(
        Logs::default().refused("mx1", PROBE).taken("mx1", test, 1, None).taken("mx1", neighbour, 40, None),
        Some(
            "How it began: probe at 2027-01-18 06:05 UTC (mx1.log:1) by 203.0.113.7, refused; door opened at 2027-01-18 07:00 \
             UTC (mx1.log:2), 1 recipient; flood from 2027-01-18 09:20 UTC (mx1.log:5) by 203.0.113.99, of the same network.",
        ),
    );
    // The same template.
    let marked = Mail { client: "198.18.0.9", helo: PROBE.helo, ..flood };
    check(
        Logs::default().taken("mx1", test, 1, None).taken("mx1", marked, 40, None),
        Some(
            "How it began: probe at 2027-01-18 07:00 UTC (mx1.log:1) by 203.0.113.7, taken: the door was open, 1 recipient; \
             flood from 2027-01-18 09:20 UTC (mx1.log:4) by 198.18.0.9, with the same mark (HELO relay.example).",
        ),
    );
    // Nothing links them.
    let stranger = Mail { client: "198.18.0.9", ..flood };
    check(Logs::default().refused("mx1", PROBE).taken("mx1", test, 1, None).taken("mx1", stranger, 40, None), None);
    // A user of ours in the network of the flood, who forgot to log in.
    let user = Mail { from: "anna@example.org", ..test };
    check(Logs::default().taken("mx1", user, 1, None).taken("mx1", neighbour, 40, None), None);
    // A mail server in the network of the flood, which brings mail for us too.
    let own = Mail { minute: 30, to: "@example.org", ..test };
    check(
        Logs::default().taken("mx1", own, 1, None).taken("mx1", test, 1, None).taken("mx1", neighbour, 40, None),
        None,
    );
    // The flood came first.
    let late = Mail { minute: 300, ..test };
    check(Logs::default().taken("mx1", neighbour, 40, None).taken("mx1", late, 1, None), None);
}

/// Spam sent as anna from four networks within an hour, after another address had guessed.
fn stolen(thief: &str) -> Logs {
    let mut logs = Logs::default();
    for n in 0..12 {
        logs = logs.failed("mx1", n, "198.51.100.40", "user", ["anna", "admin", "info"][n as usize % 3]);
    }
    let mail = Mail { minute: 60, client: thief, helo: "x.example", from: "anna@example.org", to: "@example.net" };
    logs = logs.taken("mx1", mail, 1, Some("anna"));
    for n in 0..80u32 {
        let client = format!("203.0.{}.7", n % 4);
        let to = format!("@d{}.example.net", n % 20);
        let from = format!("x{n}@f{}.example", n % 6);
        let mail = Mail { minute: 70 + n % 40, client: &client, helo: "y.example", from: &from, to: &to };
        logs = logs.taken("mx1", mail, 4, Some("anna"));
    }
    logs
}

#[test]
fn the_guessing_the_log_in_and_the_flood() {
    let analysis = stolen("198.51.100.40").judge();
    assert_eq!(analysis.verdict.cause, Cause::CompromisedAccount);
    assert_eq!(
        beginning(&analysis).unwrap(),
        "How it began: guessing from 2027-01-18 06:00 UTC (mx1.log:1) by 198.51.100.40 (12 failures); log-in as anna at \
         2027-01-18 07:00 UTC (mx1.log:13) from the same address; flood from 2027-01-18 07:10 UTC (mx1.log:16) by 203.0.0.7."
    );
    let analysis = stolen("198.18.0.9").judge();
    assert_eq!(analysis.verdict.cause, Cause::CompromisedAccount);
    assert_eq!(beginning(&analysis), None);
}

#[test]
fn slow_and_distributed_guessing_is_told_from_forgetful_users() {
    // One try an address, each at other names too, on an account that exists.
    let own = Mail { minute: 1, client: "192.0.2.200", helo: "pc", from: "anna@example.org", to: "@example.net" };
    let exists = || Logs::default().taken("mx1", own, 1, Some("anna"));
    let mut spread = exists();
    for n in 0..25u32 {
        let client = format!("203.0.{n}.7");
        spread = spread.failed("mx1", 10 + n * 20, &client, "x.example", "anna");
        spread = spread.failed("mx1", 11 + n * 20, &client, "x.example", &format!("nobody{n}"));
    }
    let analysis = spread.judge();
    let accounts: Vec<_> = of(&analysis, Rule::CredentialGuessing)
        .into_iter()
        .filter(|finding| finding.subject.kind == "account")
        .map(|finding| (&*finding.subject.value, finding.attempts, finding.severity))
        .collect();
    assert_eq!(accounts, [("anna", 25, Severity::Low), ("nobody0", 25, Severity::Low)]);
    // A telephone with an old password on many networks, and users who mistype.
    let mut phone = exists();
    for n in 0..30u32 {
        phone = phone.failed("mx1", 10 + n * 20, &format!("203.0.{}.7", n % 12), "phone", "anna");
    }
    assert!(of(&phone.judge(), Rule::CredentialGuessing).is_empty());
    // A device with an old password.
    let mut device = exists();
    for n in 0..60u32 {
        device = device.failed("mx1", 10 + n * 15, "203.0.113.50", "printer", "anna");
    }
    let analysis = device.judge();
    let [finding] = of(&analysis, Rule::CredentialGuessing)[..] else { panic!("{:#?}", analysis.findings) };
    assert_eq!((finding.severity, finding.attempts), (Severity::Info, 60));
    assert!(finding.why[2].contains("a device with an old password"), "{:?}", finding.why);
    // The same on an account that nobody has, and as fast as a machine guesses.
    let mut nobody = exists();
    for n in 0..60u32 {
        nobody = nobody.failed("mx1", 10 + n * 15, "203.0.113.50", "printer", "root");
    }
    assert_eq!(of(&nobody.judge(), Rule::CredentialGuessing)[0].severity, Severity::Low);
}
