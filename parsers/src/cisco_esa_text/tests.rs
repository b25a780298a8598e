use super::FORMAT;
use crate::record::{Event, Line, Record};
use crate::registry::Context;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn told(line: &str) -> String {
    match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
        Line::Record(Record { event, session, message, .. }) => {
            let said = match event {
                Event::Connect { client, .. } => format!("{:?} {}", client.address, text(client.name)),
                Event::Asked { begins, reverse_path, forward_path, envelope, .. } => {
                    let (from, to) = (reverse_path.map(text), forward_path.map(text));
                    format!("asked {begins} {from:?} {to:?} {}", text(envelope))
                }
                Event::Refused { stage, refusal, forward_path, .. } => {
                    format!("{} {refusal:?} {:?}", text(stage), forward_path.map(text))
                }
                Event::Reached { envelopes, status, text: said, .. } => {
                    format!("{status:?} [{}] {}", text(envelopes), text(said))
                }
                Event::Spawned { child, how, .. } => format!("{how:?} {}", text(child)),
                Event::MessageId(id) => format!("id {}", text(id)),
                Event::AuthSucceeded { account, .. } => format!("in {:?}", account.map(text)),
                Event::AuthFailed { account, .. } => format!("not in {:?}", account.map(text)),
                Event::Disconnect { .. } => "end".to_owned(),
                event => format!("{event:?}"),
            };
            let id = |key: Option<crate::record::Key<'_>>| key.map_or("-".to_owned(), |key| text(key.id));
            format!("{}/{} {said}", id(session), id(message))
        }
        Line::Unparsed(why) => format!("unparsed: {}", why.expected),
        line => format!("{line:?}"),
    }
}

fn check(said: &str, want: &str) {
    assert_eq!(told(&format!("Mon Feb  1 09:00:00 2027 Info: {said}")), want, "{said}");
}

#[test]
fn sessions() {
    check(
        "New SMTP ICID 5 interface Data 1 (192.0.2.10) address 203.0.113.9 reverse dns host h.example.net verified yes",
        "5/- Some(203.0.113.9) h.example.net",
    );
    check(
        "New SMTP ICID 5 interface M (192.0.2.10) address 203.0.113.9 reverse dns host unknown verified no",
        "5/- Some(203.0.113.9) ",
    );
    check("New SMTP ICID 5 interface M", "unparsed: `interface `, ` address ` and an address");
    check("New SMTP ICID 5 interface M address x", "unparsed: an address");
    check("ICID 5 ACCEPT SG UNKNOWNLIST match sbrs[-1.0:10.0] SBRS -0.9", "5/- Other");
    check("ICID 5 RELAY SG RELAYLIST match 203.0.113.9 SBRS None", "5/- Vouched");
    check("ICID 5 REJECT SG BLOCKEDLIST match x", "5/- CONNECT ClientBlocked None");
    check("ICID 5 close", "5/- end");
    check("ICID 5 RELAYX", "5/- Other");
    check(
        "SMTP Auth: (ICID 5) succeeded for user: a@x using AUTH mechanism: LOGIN with profile: p",
        "5/- in Some(\"a@x\")",
    );
    let name = "SMTP Auth: (ICID 5) failed for user: b using AUTH mechanism: X using AUTH mechanism: PLAIN";
    check(name, "5/- not in Some(\"b using AUTH mechanism: X\")");
    check("SMTP Auth: (ICID 5) is odd", "5/- Other");
}

#[test]
fn messages() {
    check("Start MID 6 ICID 5", "5/6 asked true None None ");
    check("MID 6 ICID 5 From: <a@x>", "5/6 asked false Some(\"a@x\") None ");
    check("MID 6 ICID 0 From: <>", "-/6 asked false Some(\"\") None ");
    check("MID 6 ICID 5 RID 1 To: <b@x>", "5/6 asked false None Some(\"b@x\") 1");
    check("MID 6 ICID 5 RID 1 To: <b@x> Rejected by RAT", "5/- RCPT RelayDenied Some(\"b@x\")");
    check("MID 6 ICID 5 RID 1 To: <b@x> Rejected by LDAPACCEPT", "5/- RCPT UnknownUser Some(\"b@x\")");
    check("MID 6 ICID 5 RID 1 To: <b@x> Rejected by filter", "5/- RCPT Other Some(\"b@x\")");
    let quoted = "MID 6 ICID 5 RID 1 To: <\"b> Rejected by RAT\"@x>";
    check(quoted, "5/6 asked false None Some(\"\\\"b> Rejected by RAT\\\"@x\") 1");
    check("MID 6 ICID 5 RID 1 To: b@x", "unparsed: `<` to open the path");
    check("MID 6 ICID 5 SPF: helo", "5/6 Other");
    check("MID 6 Message-ID '<m@x>'", "-/6 id m@x");
    check("MID 6 Subject 'Message done DCID 8 MID 7 to RID [0]'", "-/6 Other");
    check("MID 6 ready 100 bytes from <a@x>", "-/6 Taken { size_bytes: 100 }");
    check("MID 6 rewritten to MID 7 by antispam", "-/6 Reinjected 7");
    check("Message aborted MID 6 Dropped by antivirus", "-/6 Dropped");
    check("Message finished MID 6 done", "-/6 Removed");
}

#[test]
fn deliveries() {
    check("Message done DCID 8 MID 6 to RID [0, 1] [('X-SBRS', 'None')]", "-/6 Sent [0, 1] [('X-SBRS', 'None')]");
    check("Bounced: DCID 3 MID 6 to RID 0 - 5.1.0 - Unknown", "-/6 Bounced [0] 5.1.0 - Unknown");
    check("Bounced: MID 6 to RID 0 - x", "-/6 Bounced [0] x");
    check("Delayed: DCID 3 MID 6 to RID 0 - 4.1.0 - later", "-/6 Deferred [0] 4.1.0 - later");
    check("Message done DCID 8 MID 6 to RID all", "unparsed: recipients: `[0, 1]`");
    check("Delivery start DCID 8 MID 6 to RID [0]", "-/- Other");
    check("DCID 8 close", "-/- Other");
}

#[test]
fn heads() {
    let want = "5/- end";
    for head in [
        "Mon Mar 5 14:21:04 2018 Info: ",
        "Thu Aug 07 11:57:16 2020 Info: ",
        "Aug  7 11:57:16 esa1 mail_logs: Info: ",
        "<22>Aug  7 11:57:16 esa1 mail_logs: Info: ",
        "Aug  7 11:57:16 esa1 x: Mon Aug 10 09:12:39 2020 Info: ",
        "Aug  7 11:57:16 relay x: Aug  2 23:59:52 192.0.2.1 mail_logs: Info: ",
        "Mon Aug 10 09:12:39 2020 192.0.2.1 mail_logs: Warning: ",
    ] {
        let line = format!("{head}ICID 5 close");
        assert_eq!(told(&line), want, "{line}");
        assert!((FORMAT.recognises)(line.as_bytes()), "{line}");
    }
    for line in
        ["Mon Aug 10 09:12:39 2020 Info: Begin Logfile", "Aug  7 11:57:16 esa1 x: Info: MID none", "Mon Aug 10 x"]
    {
        assert!(!(FORMAT.recognises)(line.as_bytes()), "{line}");
    }
    assert_eq!(told("Aug  7 11:57:16 mx cron[1]: x"), "Ignored(\"another daemon\")");
    assert_eq!(told("nothing"), "unparsed: a date and time: `Feb  1 10:00:00`");
    assert_eq!(told(" "), "Ignored(\"blank line\")");
}
