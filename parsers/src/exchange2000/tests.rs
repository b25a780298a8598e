//! Records through one `check`, and what breaks them.

use super::*;
use crate::record::When;

const HEADER_LINE: &[u8] = b"# Date\tTime\tclient-ip\tClient-hostname\tPartner-Name\tServer-hostname\tserver-IP\t\
    Recipient-Address\tEvent-ID\tMSGID\tPriority\tRecipient-Report-Status\ttotal-bytes\tNumber-Recipients\t\
    Origination-Time\tEncryption\tservice-Version\tLinked-MSGID\tMessage-Subject\tSender-Address";

/// A record: client address, client name and partner, the event, and the reverse-path.
fn line(client: &str, event: &str, sender: &str) -> String {
    let head = format!("2004-5-7\t3:9:5 GMT\t{client}\tMX01\t198.51.100.1\tvictim@example.org");
    format!("{head}\t{event}\t1@bulk.example\t0\t0\t4281\t2\t2004-5-7 3:9:5 GMT\t0\t-\t-\t Hello\t{sender}")
}

fn parsed<'a>(line: &'a str, context: &Context) -> Result<Record<'a>, (usize, &'static str)> {
    match parse(line.as_bytes(), context) {
        Line::Record(record) => Ok(record),
        Line::Unparsed(unparsed) => Err((unparsed.at, unparsed.expected)),
        other => panic!("{line}: {other:?}"),
    }
}

/// Checks the event of a record, with and without the empty column behind it, with and without a header.
fn check(client: &str, event: &str, sender: &str, want: Event<'_>) {
    let mut context = Context::default();
    direct(HEADER_LINE, &mut context);
    for end in ["", "\t", "\t-"] {
        let line = line(client, event, sender) + end;
        for context in [&context, &Context::default()] {
            let record = parsed(&line, context).unwrap_or_else(|error| panic!("{line}: {error:?}"));
            assert_eq!(record.event, want, "{line}");
            assert_eq!(record.when, When::Utc(1_083_899_345_000_000), "{line}");
            assert_eq!(record.server, b"MX01", "{line}");
            assert_eq!(record.session, None, "{line}");
            assert_eq!(record.message, Some(Key { scope: b"", id: b"1@bulk.example" }), "{line}");
        }
    }
}

#[test]
fn mail_that_comes_in() {
    let received = |client, reverse_path| {
        let forward_paths = b"victim@example.org".as_slice().into();
        let message_id = b"1@bulk.example";
        Event::Received {
            client,
            reverse_path,
            header_from: b"",
            message_id,
            forward_paths,
            size_bytes: 4281,
            recipients: 2,
            told_id: b"",
            vouched: false,
        }
    };
    let named = Peer { address: address(b"192.0.2.9"), name: b"bulk.example" };
    let sender = b"ceo@example.com".as_slice();
    check("192.0.2.9\tbulk.example\t-", "1019", "ceo@example.com", received(named, sender));
    check("192.0.2.9\t-\t-", "1019", "<ceo@example.com>", received(Peer::from_address(b"192.0.2.9"), sender));
    check("192.0.2.9\t-\t-", "1019", "<>", received(Peer::from_address(b"192.0.2.9"), b""));
    check("-\t-\t-", "1019", "ceo@example.com", Event::Other);
    check("-\t-\tSTORE", "1027", "ceo@example.com", received(Peer::default(), sender));
}

#[test]
fn mail_that_goes_out_or_does_not() {
    let delivery = |next_hop, status, text| {
        let forward_paths = b"victim@example.org".as_slice().into();
        Event::Delivery {
            forward_paths,
            original_forward_path: None,
            expanded: false,
            envelope: b"",
            source: None,
            next_hop,
            status,
            text,
            child: None,
        }
    };
    let host = |address: Option<&str>, name| {
        let address = address.and_then(|text| crate::text::address(text.as_bytes()));
        delivery(NextHop::Host { peer: Peer { address, name }, port: 0 }, Status::Sent, b"")
    };
    let check = |client: &str, event: &str, want| check(client, event, "a@example.com", want);
    check("-\t-\tSTORE", "1028", delivery(NextHop::Local, Status::Sent, b""));
    check("-\t-\tmx.example.org", "1031", host(None, b"mx.example.org"));
    check("-\tmx.example.org\t-", "1031", host(None, b"mx.example.org"));
    check("-\t-\t203.0.113.7", "1031", host(Some("203.0.113.7"), b""));
    check("-\t-\t-", "1031", host(None, b""));
    check("-\t-\t-", "1030", delivery(NextHop::None, Status::Bounced, b"NDR generated"));
    check("-\t-\t-", "1021", delivery(NextHop::None, Status::Bounced, b"bad mail"));
    check("-\t-\tmx.example.org", "1020", Event::Other);
    check("-\t-\t-", "1033", Event::Other);
    check("-\t-\t-", "99999", Event::Other);
}

#[test]
fn records_that_are_broken() {
    let good = line("192.0.2.9\tbulk.example\t-", "1019", "a@example.com");
    let check = |from: &str, to: &str, want: (usize, &str)| {
        let bad = good.replacen(from, to, 1);
        assert_eq!(parsed(&bad, &Context::default()), Err(want), "{bad}");
    };
    check("2004-5-7", "2004-13-7", (0, "a date: `2003-8-12`"));
    check("2004-5-7", "5/7/2004", (0, "a date: `2003-8-12`"));
    check("2004-5-7", "-", (0, "a date: `2003-8-12`"));
    check("3:9:5 GMT", "3:9:5", (9, "a time of day: `0:58:14 GMT`"));
    check("3:9:5 GMT", "24:9:5 GMT", (9, "a time of day: `0:58:14 GMT`"));
    check("1019", "RECEIVE", (81, "a number in `Event-ID`"));
    check("4281", "-1", (105, "a size in `total-bytes`"));
    check("\t2\t", "\t99999999999\t", (110, "a number in `Number-Recipients`"));
    let expected = "as many columns as the header names, or 20";
    check("\t Hello", "", (good.len() - 7, expected));
    // A TAB in the subject must not put another reverse-path in place of the real one.
    check(" Hello", "Hello\tforged@example.net", (good.len() + 5, expected));
}

#[test]
fn fields_that_are_empty() {
    let empty = line("192.0.2.9\tbulk.example\t-", "1019", "a@example.com").replace("\t4281\t2\t", "\t-\t-\t");
    let event = parsed(&empty, &Context::default()).map(|record| record.event);
    assert!(matches!(event, Ok(Event::Received { size_bytes: 0, recipients: 0, .. })), "{event:?}");
    let nameless = line("-\t-\t-", "1028", "a@example.com").replace("1@bulk.example", "-");
    assert_eq!(parsed(&nameless, &Context::default()).map(|record| record.message), Ok(None));
}

#[test]
fn lines_that_are_no_records() {
    let check = |line: &str, want| assert_eq!(parse(line.as_bytes(), &Context::default()), want, "{line:?}");
    check("# Message Tracking Log File", Line::Directive);
    check("# Exchange System Attendant Version 6.5.7638.1", Line::Directive);
    check("", Line::Ignored("blank line"));
    check("\0\0\t", Line::Ignored("blank line"));
}

#[test]
fn headers_change_the_columns() {
    let mut context = Context::default();
    direct(b"# Exchange System Attendant Version 6.5.7638.1", &mut context);
    assert_eq!(context, Context::default());
    direct(b"# Date\tTime\tEvent-ID\tMSGID\tSERVER-hostname\t", &mut context);
    assert_eq!(context.columns.len(), 5);
    let record = parsed("2004-5-7\t3:9:5 GMT\t1024\tid\tMX02", &context);
    assert_eq!(record.map(|record| record.server), Ok(b"MX02".as_slice()));
    // A subject is no header.
    let before = context.clone();
    direct(line("-\t-\t-", "1028", "a").replace("Hello", "# Date\tTime\tMSGID").as_bytes(), &mut context);
    assert_eq!(context, before);
}

#[test]
fn lines_that_are_claimed() {
    let check = |line: &str, want| assert_eq!(recognises(line.as_bytes()), want, "{line}");
    check("# Message Tracking Log File", true);
    check("# Message Tracking System Log File", true);
    check("# Date\tTime\tclient-ip", true);
    check(&line("-\t-\t-", "1033", "a"), true);
    check(&line("-\t-\t-", "SEND", "a"), false);
    check(&line("-\t-\t-", "1033", "a").replace("GMT", "UTC"), false);
    check("2004-5-7\t3:9:5 GMT\tx", false);
    check("# comment", false);
    check("", false);
}
