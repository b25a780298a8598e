//! Rows of all three reports, by their headers.

use super::*;
use crate::fates::{Fate, Fates};
use crate::record::{Event, NextHop, Peer, Status, When};

const SUMMARY: &str = "\"Received\",\"SenderAddress\",\"RecipientAddress\",\"Subject\",\"MessageId\",\"Status\",\"ToIP\",\"FromIP\",\"Size\"";
const ENHANCED: &str = "\u{feff}origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,\
     network_message_id,original_client_ip,directionality,connector_id,delivery_priority";
const EXTENDED: &str = "date_time_utc,client_ip,client_hostname,server_ip,server_hostname,source,event_id,message_id,\
     network_message_id,recipient_address,recipient_status,total_bytes,recipient_count,return_path,directionality,\
     original_client_ip";

fn parsed<'a>(header: &str, line: &'a str) -> Result<Record<'a>, &'static str> {
    let mut context = Context::default();
    direct(header.as_bytes(), &mut context);
    assert_eq!(parse(header.as_bytes(), &context), Line::Directive, "{header}");
    assert!(recognises(header.as_bytes()), "{header}");
    match parse(line.as_bytes(), &context) {
        Line::Record(record) => Ok(record),
        Line::Unparsed(unparsed) => Err(unparsed.expected),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_summary_has_a_row_for_each_recipient() {
    let check = |time: &str, status: &str, to: &str, when, fate: Fate<'_>| {
        let line = format!(
            "\"{time}\",\"ceo@example.com\",\"victim@example.org\",\"Urgent, please\",\"<a@b>\",\"{status}\",\"{to}\",\
             \"203.0.113.9\",\"7229\""
        );
        let event = Event::Traced {
            client: Peer::from_address(b"203.0.113.9"),
            vouched: false,
            reverse_path: b"ceo@example.com",
            size_bytes: 7229,
            recipients: Fates::one(b"victim@example.org", fate),
        };
        let record = parsed(SUMMARY, &line);
        assert_eq!(record.as_ref().map(|record| (&record.event, record.when)), Ok((&event, when)), "{line}");
    };
    let when = When::Utc(1_706_781_602_123_456);
    let outside = NextHop::Host { peer: Peer::from_address(b"198.51.100.7"), port: 0 };
    check("2024-02-01T10:00:02.1234567Z", "Delivered", "198.51.100.7", when, Some((Status::Sent, outside)));
    check("2024-02-01T10:00:02.1234567Z", "Delivered", "", when, Some((Status::Sent, NextHop::Local)));
    check("2/1/2024 10:00:02 AM", "Failed", "", When::Unknown, Some((Status::Bounced, NextHop::None)));
    check("2/1/2024 10:00:02 AM", "Pending", "", When::Unknown, Some((Status::Deferred, NextHop::None)));
    check("2/1/2024 10:00:02 AM", "GettingStatus", "", When::Unknown, None);
}

#[test]
fn an_enhanced_summary_has_a_row_for_each_message() {
    let line = "2024-02-01T10:00:02.1234567Z,<>,\"a@example.org##Receive, Send;b@example.com##Receive, Deliver\",Hi,7,<a@b>,\
                81945af2,203.0.113.9,Originating,,Normal";
    let event = Event::Traced {
        client: Peer::from_address(b"203.0.113.9"),
        vouched: true,
        reverse_path: b"",
        size_bytes: 7,
        recipients: Fates::list(b"a@example.org##Receive, Send;b@example.com##Receive, Deliver"),
    };
    assert_eq!(parsed(ENHANCED, line).map(|record| record.event), Ok(event));
    let broken = line.replace('"', "");
    assert_eq!(parsed(ENHANCED, &broken).err(), Some("as many fields as the header names"));
    let late = line.replace("2024-02-01T10:00:02.1234567Z", "2/1/2024");
    assert_eq!(parsed(ENHANCED, &late).err(), Some("a time: `2024-02-01T10:00:02.1234567Z`"));
}

#[test]
fn an_extended_report_is_message_tracking() {
    let line = "2024-02-01T10:00:02.1234567Z,,a.prod.outlook.com,,b.prod.outlook.com,STOREDRIVER,DELIVER,<a@b>,81945af2,\
                b@example.com,,7,1,a@example.net,Incoming,203.0.113.9";
    let record = parsed(EXTENDED, line);
    let got = record.map(|record| (record.server, record.message.map(|key| key.id), record.event));
    let delivered = Event::Delivery {
        forward_paths: crate::paths::Paths::doubled_list(b"b@example.com", b';'),
        original_forward_path: None,
        expanded: false,
        envelope: b"",
        source: None,
        next_hop: NextHop::Local,
        status: Status::Sent,
        text: b"",
        child: None,
    };
    assert_eq!(got, Ok((SERVICE, Some(b"81945af2".as_slice()), delivered)));
}

#[test]
fn lines_without_a_header() {
    let check = |line: &str, want: Line<'_>| assert_eq!(parse(line.as_bytes(), &Context::default()), want, "{line}");
    check("", Line::Ignored("blank line"));
    let expected = "a first line that names the columns";
    check("a,b", Line::Unparsed(Unparsed { at: 0, expected }));
    check("Received,b", Line::Unparsed(Unparsed { at: 0, expected }));
    assert!(!recognises(b"Received,SenderAddress"));
    assert!(!recognises(b"#Fields: Received,RecipientAddress"));
}
