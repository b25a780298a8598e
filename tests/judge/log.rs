//! Ledgers made by hand.

use relayaudit::judge::{Analysis, analyse};
use relayaudit::ledger::{
    Client, ClientFacts, ClientKey, DomainFacts, DomainKey, Evidence, Flow, FlowKey, HeaderFromKey, HelloFacts,
    HelloKey, Input, Ledger, Origin, Outcome, Place, ServerFacts, Time,
};
use relayaudit::merge::Merge;
use relayaudit::site::{self, Site, infer};
use relayaudit_parsers::address::Form;

pub const SERVER: &str = "mx1.example.org";
pub const STRANGER: &str = "203.0.113.7";
pub const TRUSTED: &str = "198.51.100.9";
/// 2027-01-18 06:00 UTC.
const START: i64 = 1_800_252_000_000_000;
const HOUR: i64 = 3_600_000_000;

/// A ledger in the making.
pub struct Log(pub Ledger);

/// A flow in the making.
pub struct Mail {
    key: FlowKey,
    recipients: u64,
    messages: u64,
    hours: i64,
    start: i64,
}

/// A recipient of a stranger, taken by another server unless changed.
pub fn mail(client: &str, reverse: &str, forward: &str) -> Mail {
    let key = FlowKey {
        server: SERVER.into(),
        client: client.parse().map_or(Client::Unknown, Client::Address),
        account: None,
        vouched: false,
        origin: Origin::Network,
        reverse_domain: Some(reverse.into()),
        forward_domain: forward.into(),
        form: Form::Plain,
        hidden_domain: None,
        final_domain: None,
        outcome: Outcome::Relayed,
        refusal: None,
    };
    Mail { key, recipients: 1, messages: 1, hours: 1, start: 0 }
}

impl Mail {
    pub fn outcome(mut self, outcome: Outcome) -> Mail {
        self.key.outcome = outcome;
        self
    }

    pub fn times(mut self, recipients: u64) -> Mail {
        self.recipients = recipients;
        self
    }

    /// In so many messages; in one unless changed.
    pub fn messages(mut self, messages: u64) -> Mail {
        self.messages = messages;
        self
    }

    /// So many hours later than other mail.
    pub fn later(mut self, hours: i64) -> Mail {
        self.start = hours;
        self
    }

    /// Spread over so many hours.
    pub fn hours(mut self, hours: i64) -> Mail {
        self.hours = hours;
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut FlowKey)) -> Mail {
        change(&mut self.key);
        self
    }
}

impl Log {
    pub fn new() -> Log {
        let mut ledger = Ledger::default();
        let facts = ServerFacts { records: 100, messages: 10, sessions: 12, ..ServerFacts::default() };
        ledger.servers.insert(SERVER.into(), facts);
        ledger.inputs.insert(Default::default(), Input { path: "mail.log".into(), ..Input::default() });
        let mut log = Log(ledger);
        log.server(|facts| {
            facts.formats.insert("postfix".into());
            facts.span.see(Some(Time(START)));
            facts.span.see(Some(Time(START + 5 * HOUR)));
        });
        log
    }

    fn server(&mut self, change: impl FnOnce(&mut ServerFacts)) {
        change(self.0.servers.get_mut(&SERVER.into()).unwrap());
    }

    pub fn mail(mut self, mail: Mail) -> Log {
        let mut flow = Flow { messages: mail.messages, bytes: 1_000, ..Flow::default() };
        for hour in 0..mail.hours {
            let share = mail.recipients / mail.hours as u64;
            let rest = if hour == 0 { mail.recipients % mail.hours as u64 } else { 0 };
            flow.see(Some(Time(START + (mail.start + hour) * HOUR)), share + rest);
        }
        let line = 1 + self.0.flows.len() as u64;
        flow.openings.insert(Evidence::of(Place { line, ..Place::default() }, b"a line"));
        self.0.flows.entry(mail.key).or_default().merge(Box::new(flow));
        self
    }

    pub fn hello(mut self, client: &str, name: &str) -> Log {
        let client = Client::Address(client.parse().unwrap());
        let mut facts = HelloFacts { times: 2, ..HelloFacts::default() };
        facts.span.see(Some(Time(START)));
        self.0.hellos.insert(HelloKey { server: SERVER.into(), client, name: name.into() }, facts);
        self
    }

    pub fn header_from(mut self, client: &str, domain: &str, reverse: &str) -> Log {
        let client = Client::Address(client.parse().unwrap());
        let key = HeaderFromKey { server: SERVER.into(), client, domain: domain.into() };
        let facts = self.0.header_froms.entry(key).or_default();
        (facts.messages, facts.recipients) = (facts.messages + 1, facts.recipients + 1);
        facts.span.see(Some(Time(START)));
        facts.reverse_domains.insert(reverse.into());
        self
    }

    pub fn client(mut self, client: &str, change: impl FnOnce(&mut ClientFacts)) -> Log {
        let client = Client::Address(client.parse().unwrap());
        change(self.0.clients.entry(ClientKey { server: SERVER.into(), client }).or_default());
        self
    }

    pub fn domain(mut self, domain: &str, change: impl FnOnce(&mut DomainFacts)) -> Log {
        change(self.0.domains.entry(DomainKey { server: SERVER.into(), domain: domain.into() }).or_default());
        self
    }

    /// Judged by a stated site.
    pub fn judge(&self) -> Analysis {
        analyse(&self.0, &infer(&self.0, &stated()))
    }

    /// Judged by a site of which only the local domains are stated.
    pub fn stated_domains(&self) -> Analysis {
        let mut site = Site::default();
        site.add_local_domain("example.org", site::Origin::CommandLine);
        analyse(&self.0, &infer(&self.0, &site))
    }

    /// Judged by what the logs show.
    pub fn guess(&self) -> Analysis {
        analyse(&self.0, &infer(&self.0, &Site::default()))
    }
}

pub fn stated() -> Site {
    let mut site = Site::default();
    site.add_local_domain("example.org", site::Origin::CommandLine);
    site.add_trusted_network("198.51.100.0/24".parse().unwrap(), site::Origin::CommandLine);
    site.add_server_address("192.0.2.25".parse().unwrap(), site::Origin::CommandLine);
    site
}
