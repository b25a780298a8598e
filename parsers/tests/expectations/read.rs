//! What relayaudit reads in one line: every client, account, path and state that its event has.

use crate::sources::Stated;
use relayaudit_parsers::record::{Asks, Event, Line, Peer, Reply, Status};
use relayaudit_parsers::registry::{Context, by_name, detect};

#[derive(Debug, Default)]
pub struct Reading {
    pub clients: Vec<String>,
    pub accounts: Vec<String>,
    pub reverse_paths: Vec<String>,
    pub forward_paths: Vec<String>,
    pub states: Vec<String>,
    /// How the line was taken, for the message if it differs.
    pub taken: String,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Reading {
    fn client(&mut self, peer: &Peer<'_>) {
        self.clients.extend(peer.address.map(|address| address.to_string()));
    }

    fn account(&mut self, account: &Option<&[u8]>) {
        self.accounts.extend(account.map(text));
    }

    fn paths(&mut self, reverse_path: &Option<&[u8]>, forward_path: &Option<&[u8]>) {
        self.reverse_paths.extend(reverse_path.map(text));
        self.forward_paths.extend(forward_path.map(text));
    }

    fn reply(&mut self, reply: &Reply<'_>) {
        self.states.push(reply.code.to_string());
    }

    fn status(&mut self, status: &Status) {
        let word = match status {
            Status::Sent => "sent",
            Status::Deferred => "deferred",
            Status::Bounced => "bounced",
            Status::Expired => "expired",
            Status::Probe => "deliverable",
        };
        self.states.push(word.to_owned());
    }

    fn sessions(&mut self, event: &Event<'_>) {
        match event {
            Event::Connect { client, .. }
            | Event::Disconnect { client, .. }
            | Event::Hello { client, .. }
            | Event::Opened { client }
            | Event::Closed { client }
            | Event::Summed { client, .. }
            | Event::Command { client, .. } => self.client(client),
            Event::Replied { client, reply, .. } => {
                self.client(client);
                self.reply(reply);
            }
            Event::AuthFailed { client, account }
            | Event::AuthSucceeded { client, account }
            | Event::LogInsFailed { client, account, .. } => {
                self.client(client);
                self.account(account);
            }
            Event::Identified { client, account }
            | Event::LoggingIn { client, account }
            | Event::AccountTried { client, account } => {
                self.client(client);
                self.account(&Some(account));
            }
            Event::Step { asks: Asks::Mail(path), .. } => self.paths(&Some(path), &None),
            Event::Step { asks: Asks::Recipient(path), .. } => self.paths(&None, &Some(path)),
            _ => {}
        }
    }

    fn mail(&mut self, event: &Event<'_>) {
        match event {
            Event::Refused { client, reply, reverse_path, forward_path, account, .. } => {
                self.client(client);
                self.account(account);
                self.reply(reply);
                self.paths(reverse_path, forward_path);
            }
            Event::Accepted { client, account, .. } => {
                self.client(client);
                self.account(account);
            }
            Event::Arrived { client, account, reverse_path, .. } => {
                self.client(client);
                self.account(account);
                self.paths(&Some(reverse_path), &None);
            }
            Event::Submitted { reverse_path, .. } => self.paths(reverse_path, &None),
            Event::Queued { reverse_path, .. } => self.paths(&Some(reverse_path), &None),
            Event::Whole { client, account, reverse_path, forward_paths, .. } => {
                self.client(client);
                self.account(account);
                self.paths(reverse_path, &None);
                self.forward_paths.extend(forward_paths.iter().map(text));
            }
            Event::Decided { client, reverse_path, forward_paths, .. } => {
                self.client(client);
                self.paths(reverse_path, &None);
                self.forward_paths.extend(forward_paths.iter().map(text));
            }
            Event::Delivery { forward_paths, original_forward_path, status, .. } => {
                self.forward_paths.extend(forward_paths.iter().map(text));
                self.forward_paths.extend(original_forward_path.map(text));
                self.status(status);
            }
            _ => {}
        }
    }
}

/// Reads the line as the program would: by the format that the whole file is of.
pub fn read(stated: &Stated) -> Reading {
    let mut reading = Reading::default();
    let named = stated.format.and_then(by_name);
    let Some(format) = named.or_else(|| detect(std::iter::once(&stated.line[..]))) else {
        reading.taken = "no format".to_owned();
        return reading;
    };
    match (format.parse)(&stated.line, &Context::default()) {
        Line::Record(record) | Line::Repeated { record, .. } => {
            reading.sessions(&record.event);
            reading.mail(&record.event);
            reading.taken = if record.event == Event::Other { "other" } else { "record" }.to_owned();
        }
        Line::Ignored(why) => reading.taken = why.to_owned(),
        Line::Directive => reading.taken = "directive".to_owned(),
        Line::Lost(_) => reading.taken = "lost lines".to_owned(),
        Line::Unparsed(why) => reading.taken = format!("unparsed: {}", why.expected),
    }
    reading
}
