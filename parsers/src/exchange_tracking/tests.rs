//! Rows through one `check`, and what breaks them.

use super::*;
use crate::paths::Paths;
use crate::record::{Event, NextHop, Peer, Status, When};
use crate::text::address;

/// What a row holds besides time and key; columns as in Exchange 2019.
#[derive(Clone, Copy)]
struct Given {
    source: &'static str,
    event: &'static str,
    client: [&'static str; 2],
    server: [&'static str; 2],
    context: &'static str,
    connector: &'static str,
    recipients: &'static str,
    status: &'static str,
    bytes: &'static str,
    count: &'static str,
    related: &'static str,
    reference: &'static str,
    return_path: &'static str,
    directionality: &'static str,
    original: &'static str,
    custom: &'static str,
}

/// A message that a client hands to a front end.
const GIVEN: Given = Given {
    source: "SMTP",
    event: "RECEIVE",
    client: ["192.0.2.10", "mx1.example.com"],
    server: ["192.0.2.10", "MX1"],
    context: "08DC230000000002;2024-02-01T10:00:01.900Z;0",
    connector: "MX1\\Default MX1",
    recipients: "victim@example.org;b@example.net",
    status: "",
    bytes: "7229",
    count: "2",
    related: "",
    reference: "",
    return_path: "bounce@example.net",
    directionality: "Incoming",
    original: "203.0.113.9",
    custom: "S:FromEntity=Internet",
};

impl Given {
    /// The row with the columns of the version that has so many.
    fn row(&self, columns: usize) -> String {
        let network = if 26 < columns { "1e6eb197-0000," } else { "" };
        let mut row = format!(
            "2024-02-01T10:00:02.000Z,{},{},{},{},\"{}\",{},{},{},70,<m@example.net>,{network}{},{},{},{},{},{},\"Hello, \
             \"\"world\"\"\",boss@example.com,{},0cA: ",
            self.client[0],
            self.client[1],
            self.server[0],
            self.server[1],
            self.context,
            self.connector,
            self.source,
            self.event,
            self.recipients,
            self.status,
            self.bytes,
            self.count,
            self.related,
            self.reference,
            self.return_path,
        );
        if 21 < columns {
            row += &format!(",{},,{},192.0.2.10,{}", self.directionality, self.original, self.custom);
        }
        if 27 < columns {
            row += ",Email,0550,15.02.0330.005";
        }
        row
    }
}

fn parsed<'a>(line: &'a str, context: &Context) -> Result<Record<'a>, (usize, &'static str)> {
    match parse(line.as_bytes(), context) {
        Line::Record(record) => Ok(record),
        Line::Unparsed(unparsed) => Err((unparsed.at, unparsed.expected)),
        other => panic!("{line}: {other:?}"),
    }
}

/// Checks the event of a row of 30 columns, with a header and without.
fn check(given: Given, want: Event<'_>) {
    let line = given.row(30);
    let mut context = Context::default();
    let names = row::columns(30).map(|names| names.join(",")).unwrap_or_default();
    csv::direct(format!("#Fields: {names}").as_bytes(), &mut context);
    for context in [context, Context::default()] {
        let record = parsed(&line, &context).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        assert_eq!(record.event, want, "{line}");
        assert_eq!(record.when, When::Utc(1_706_781_602_000_000), "{line}");
        assert_eq!(record.message, Some(Key { scope: b"", id: b"1e6eb197-0000" }), "{line}");
    }
}

fn peer(address_text: &str, name: &'static str) -> Peer<'static> {
    Peer { address: address(address_text.as_bytes()), name: name.as_bytes() }
}

fn received(client: Peer<'static>, vouched: bool) -> Event<'static> {
    Event::Received {
        client,
        reverse_path: b"bounce@example.net",
        header_from: b"boss@example.com",
        message_id: b"m@example.net",
        forward_paths: Paths::doubled_list(b"victim@example.org;b@example.net", b';'),
        size_bytes: 7229,
        recipients: 2,
        told_id: b"70",
        vouched,
    }
}

#[test]
fn mail_that_comes_in() {
    check(GIVEN, received(peer("203.0.113.9", ""), false));
    check(Given { directionality: "Originating", ..GIVEN }, received(peer("203.0.113.9", ""), true));
    let direct = Given { client: ["203.0.113.9", "h.example"], ..GIVEN };
    check(direct, received(peer("203.0.113.9", "h.example"), false));
    check(Given { original: "", ..direct }, received(peer("203.0.113.9", "h.example"), false));
    let custom = "S:ProxyHop1=mx1(192.0.2.10);S:ProxiedClientIPAddress=203.0.113.9;S:ProxiedClientHostname=h";
    check(Given { original: "", custom, ..GIVEN }, received(peer("203.0.113.9", ""), false));
    // A client's words come before: they may hold anything.
    let custom = "S:OriginalFromAddress=\"\"a;S:ProxiedClientIPAddress=10.0.0.5\"\"@x";
    let line = Given { original: "", custom, client: ["203.0.113.9", "h"], ..GIVEN };
    check(line, received(peer("203.0.113.9", "h"), false));
    let from_mailbox = Given { source: "STOREDRIVER", client: ["fe80::5%3", "MX1"], ..GIVEN };
    check(Given { original: "", directionality: "Originating", ..from_mailbox }, received(Peer::default(), true));
    let null = Event::Received {
        client: peer("203.0.113.9", ""),
        reverse_path: b"",
        header_from: b"boss@example.com",
        message_id: b"m@example.net",
        forward_paths: Paths::doubled_list(b"<a@example.org>", b';'),
        size_bytes: 0,
        recipients: 1,
        told_id: b"70",
        vouched: false,
    };
    check(Given { return_path: "<>", recipients: "<a@example.org>", bytes: "", count: "1", ..GIVEN }, null);
}

#[test]
fn mail_that_goes_out_or_does_not() {
    let recipients = Paths::doubled_list(b"victim@example.org;b@example.net", b';');
    let delivery = |next_hop, status, text: &'static str| Event::Delivery {
        forward_paths: recipients,
        original_forward_path: None,
        expanded: false,
        envelope: b"",
        source: None,
        next_hop,
        status,
        text: text.as_bytes(),
        child: None,
    };
    let outside = NextHop::Host { peer: peer("198.51.100.7", "mx.example.org"), port: 0 };
    let send = Given {
        event: "SENDEXTERNAL",
        client: ["192.0.2.10", "MX1"],
        server: ["198.51.100.7", "mx.example.org"],
        context: ";250 2.0.0 OK queued;ClientSubmitTime:",
        connector: "To Internet",
        ..GIVEN
    };
    let internal = "Intra-Organization SMTP Send Connector";
    check(send, delivery(outside, Status::Sent, ""));
    check(Given { event: "SEND", ..send }, delivery(outside, Status::Sent, ""));
    check(Given { event: "SEND", connector: internal, ..send }, delivery(NextHop::Local, Status::Sent, ""));
    let context = ";250 2.6.0 <[250 2.0.0]@x> [InternalId=7, Hostname=mx2];ClientSubmitTime:";
    check(Given { event: "SEND", connector: internal, context, ..send }, delivery(outside, Status::Sent, ""));
    let status = "550 5.1.1 no";
    check(Given { event: "FAIL", status, ..send }, delivery(outside, Status::Bounced, status));
    check(Given { event: "DEFER", status, ..send }, delivery(outside, Status::Deferred, status));
    let routing = Given { event: "FAIL", source: "ROUTING", status, ..GIVEN };
    check(routing, delivery(NextHop::None, Status::Bounced, status));
    let status = "550 4.4.7 QUEUE.Expired;<a>";
    check(Given { status, ..routing }, delivery(NextHop::None, Status::Expired, status));
    check(Given { event: "DROP", source: "AGENT", ..GIVEN }, delivery(NextHop::None, Status::Bounced, ""));
    check(Given { event: "DELIVER", source: "STOREDRIVER", ..GIVEN }, Event::Other);
    let line = Given { event: "DELIVER", source: "STOREDRIVER", ..GIVEN }.row(26);
    let record = parsed(&line, &Context::default());
    assert_eq!(record.map(|record| record.event), Ok(delivery(NextHop::Local, Status::Sent, "")), "{line}");
}

#[test]
fn mail_that_becomes_other_mail() {
    let members = Paths::doubled_list(b"victim@example.org;b@example.net", b';');
    let expanded = Event::Expanded { forward_path: b"team@example.com", members };
    let expand = Given { source: "ROUTING", event: "EXPAND", related: "team@example.com", ..GIVEN };
    check(expand, expanded.clone());
    check(Given { event: "REDIRECT", ..expand }, expanded.clone());
    check(Given { event: "RESOLVE", ..expand }, expanded);
    check(Given { related: "", ..expand }, Event::Other);
    check(Given { related: "a@x;b@x", ..expand }, Event::Other);
    let notification = Event::Arrived {
        client: Peer::default(),
        helo: b"",
        account: None,
        user: b"",
        reverse_path: b"",
        message_id: b"m@example.net",
        size_bytes: 7229,
        recipients: Some(2),
        notifies: Some(b"<m0@example.net>"),
    };
    check(Given { source: "DSN", event: "DSN", reference: "<m0@example.net>", ..GIVEN }, notification);
    for (source, event) in [
        ("AGENT", "AGENTINFO"),
        ("SMTP", "HAREDIRECT"),
        ("SMTP", "HADISCARD"),
        ("STOREDRIVER", "SUBMIT"),
        ("ROUTING", "TRANSFER"),
        ("NEW", "NEVERSEEN"),
    ] {
        check(Given { source, event, ..GIVEN }, Event::Other);
    }
}

#[test]
fn every_version_has_its_columns_and_key() {
    for (columns, id) in
        [(30, b"1e6eb197-0000".as_slice()), (27, b"1e6eb197-0000"), (26, b"<m@example.net>"), (21, b"<m@example.net>")]
    {
        let line = GIVEN.row(columns);
        let record = parsed(&line, &Context::default());
        let got = record.map(|record| (record.server, record.message.map(|key| key.id)));
        assert_eq!(got, Ok((b"MX1".as_slice(), Some(id))), "{line}");
        assert!(recognises(line.as_bytes()), "{line}");
    }
}

#[test]
fn servers() {
    let check = |given: Given, want: &str| {
        let line = given.row(30);
        let server = parsed(&line, &Context::default()).map(|record| record.server);
        assert_eq!(server, Ok(want.as_bytes()), "{line}");
    };
    check(GIVEN, "MX1");
    check(Given { server: ["192.0.2.10", "MX1.example.com"], ..GIVEN }, "MX1");
    check(Given { server: ["", "192.0.2.10"], ..GIVEN }, "192.0.2.10");
    check(Given { event: "AGENTINFO", server: ["", ""], client: ["", "MX2"], ..GIVEN }, "MX2");
    check(Given { event: "SEND", client: ["", "MX1.example.com"], server: ["", "mx.example.org"], ..GIVEN }, "MX1");
    check(Given { event: "FAIL", source: "ROUTING", client: ["", ""], ..GIVEN }, "MX1");
}

#[test]
fn rows_that_break_the_grammar() {
    let check = |given: Given, want: &str| {
        let line = given.row(30);
        let got = parsed(&line, &Context::default()).err().map(|(_, expected)| expected);
        assert_eq!(got, Some(want), "{line}");
    };
    check(Given { event: "", ..GIVEN }, "an event in `event-id`");
    check(Given { bytes: "many", ..GIVEN }, "a size in `total-bytes`");
    check(Given { count: "-1", ..GIVEN }, "a number in `recipient-count`");
    check(Given { count: "99999999999", ..GIVEN }, "a number in `recipient-count`");
    let header = "a header that names the columns, or as many as Exchange writes";
    check(Given { recipients: "a@example.org,b@example.org", ..GIVEN }, header);
    check(Given { recipients: "\"a@example.org", ..GIVEN }, "`,` after the closing `\"` of a field");
}

#[test]
fn lines_that_are_claimed() {
    let check = |line: &str, want| assert_eq!(recognises(line.as_bytes()), want, "{line}");
    check("#Log-type: Message Tracking Log", true);
    check("#Fields: date-time,client-ip,client-hostname,server-ip", true);
    check("#Log-type: SMTP Send Protocol Log", false);
    check(&GIVEN.row(30).replace("RECEIVE", "receive"), false);
    check(&GIVEN.row(30).replace("2024-", "x-"), false);
}
