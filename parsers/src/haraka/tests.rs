use super::FORMAT;
use crate::record::{Asks, Event, Line, Record, When};
use crate::registry::Context;

const ID: &str = "3E6A027F-8307-4DA4-B105-2A39EC4B58D4";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn told(line: &str) -> String {
    match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
        Line::Record(Record { event, session, .. }) => {
            let said = match event {
                Event::Opened { client } => format!("opened {:?}", client.address),
                Event::Summed { client, helo, vouched, accepted } => {
                    format!("{:?} {} {} {vouched} {accepted:?}", client.address, text(client.name), text(helo))
                }
                Event::Step { asks, reply, refusal } => {
                    let asks = match asks {
                        Asks::Mail(path) => format!("mail {}", text(path)),
                        Asks::Recipient(path) => format!("to {}", text(path)),
                        Asks::Message { message_id, size_bytes, accepted } => {
                            format!("message {} {size_bytes} {accepted:?}", text(message_id))
                        }
                        Asks::Queue => "queue".to_owned(),
                    };
                    format!("{asks}: {} {refusal:?}", reply.code)
                }
                Event::Replied { reply, .. } => format!("answer {}", reply.code),
                event => format!("{event:?}"),
            };
            format!("{}{said}", if session.is_some_and(|key| key.id == ID.as_bytes()) { "" } else { "- " })
        }
        Line::Unparsed(why) => format!("unparsed: {}", why.expected),
        line => format!("{line:?}"),
    }
}

/// Checks a text of the origin `core` in the default format.
fn check(said: &str, want: &str) {
    assert_eq!(told(&format!("[NOTICE] [{ID}.1] [core] {said}")), want, "{said}");
}

#[test]
fn steps_of_a_session() {
    check("connect ip=203.0.113.9 port=1 local_ip=192.0.2.10 local_port=25", "opened Some(203.0.113.9)");
    check("connect port=1", "unparsed: `ip=` and an address");
    check("sender <a@example.org> code=CONT msg=\"\"", "mail a@example.org: 250 None");
    check("sender <> code=OK msg=", "mail : 250 None");
    check("sender <a@x> code=DENY msg=\"no\"", "mail a@x: 550 Some(Other)");
    check("recipient <b@x> code=OK msg=\"\" sender=a@x", "to b@x: 250 None");
    check("recipient <b@x> code=DENY msg=\"Sorry - no mailbox here by that name.\"", "to b@x: 550 Some(UnknownUser)");
    check("recipient <b@x> code=DENYSOFT msg=\"busy\"", "to b@x: 450 Some(Greylisted)");
    check("recipient <b@x", "unparsed: `>` to close the path");
    check("recipient <b@x> msg=x", "unparsed: `code=`");
    check("message mid=\"<m@x>\" size=7 rcpts=1/0/2 delay=0.1 code=CONT msg=\"\"", "message m@x 7 Some(1): 250 None");
    check("message mid=<m@x> size=7 delay=1 code=DENY msg=virus", "message m@x 7 None: 550 Some(Content)");
    check("message mid=\"\" code=CONT", "unparsed: `size=` and a number");
    check("queue code=OK msg=\"ok\"", "queue: 250 None");
    check("queue code=CONT msg=\"Message Queued\"", "Other");
    check("queue code=DENYSOFTDISCONNECT msg=\"\"", "queue: 450 Some(Greylisted)");
    check("queue code=STOP", "Other");
    check(
        "disconnect ip=203.0.113.9 rdns=h.example.net helo=\"a \\\" relay=Y\" relay=N early=N rcpts=2/0/1 msgs=1/0/0",
        "Some(203.0.113.9) h.example.net a \\\" relay=Y false Some(2)",
    );
    check("disconnect ip=203.0.113.9 rdns=NXDOMAIN helo=\"\" relay=Y", "Some(203.0.113.9)   true None");
    check("disconnect ip=203.0.113.9 rdns=x helo=\"y relay=Y", "unparsed: `relay=Y` or `relay=N`");
    check("messages waiting", "Other");
}

#[test]
fn other_shapes_say_the_same() {
    let same = [
        format!("[NOTICE] [{ID}.1] [core] recipient <\"c d\"@x> code=OK msg=\"\""),
        format!("2027-02-01T10:00:01.125Z [NOTICE] [{ID}.1] [core] recipient <\"c d\"@x> code=OK msg=\"\""),
        format!("Feb  1 10:00:01 mx haraka: [NOTICE] [{ID}.1] [core] recipient <\"c d\"@x> code=OK msg=\"\""),
    ];
    for line in &same {
        assert_eq!(told(line), "to \"c d\"@x: 250 None", "{line}");
        assert!((FORMAT.recognises)(line.as_bytes()), "{line}");
    }
    // Escapes stay, as nothing is copied.
    for line in [
        format!("level=NOTICE uuid={ID}.1 origin=core message=\"recipient <\\\"c d\\\"@x>\" code=OK msg=\"\""),
        format!(
            "{{\"level\":\"NOTICE\",\"uuid\":\"{ID}.1\",\"origin\":\"core\",\"message\":\"recipient <\\\"c d\\\"@x>\",\"code\":\"OK\"}}"
        ),
    ] {
        assert_eq!(told(&line), "to \\\"c d\\\"@x: 250 None", "{line}");
        assert!((FORMAT.recognises)(line.as_bytes()), "{line}");
    }
}

#[test]
fn only_the_core_speaks_of_sessions() {
    let of = |origin: &str, said: &str| told(&format!("[INFO] [{ID}] [{origin}] {said}"));
    assert_eq!(of("auth/flat_file", "delaying for 2 seconds"), "answer 535");
    assert_eq!(of("auth/flat_file", "delaying for ever seconds"), "Other");
    assert_eq!(of("karma", "delaying for 2 seconds"), "Other");
    assert_eq!(of("spf", "connect ip=10.0.0.1"), "Other");
    assert_eq!(told("[NOTICE] [-] [core] connect ip=10.0.0.1"), "- opened Some(10.0.0.1)");
}

#[test]
fn times_and_other_lines() {
    let when = |line: &str| match (FORMAT.parse)(line.as_bytes(), &Context::default()) {
        Line::Record(record) => record.when,
        _ => When::Utc(0),
    };
    assert_eq!(when("[NOTICE] [-] [core] x"), When::Unknown);
    assert!(matches!(when("2027-02-01T10:00:01.125Z [NOTICE] [-] [core] x"), When::Utc(1..)));
    for line in
        ["[NOTICE] [x] [core] connect ip=10.0.0.1", "[LOUD] [-] [core] x", "{\"level\":\"NOTICE\"}", "level=NOTICE x=1"]
    {
        assert!(!(FORMAT.recognises)(line.as_bytes()), "{line}");
    }
    assert_eq!(told("Feb  1 10:00:01 mx haraka[7]: of a text of several lines"), "- Other");
    assert_eq!(told("Feb  1 10:00:01 mx cron[7]: x"), "Ignored(\"another daemon\")");
    assert_eq!(told("nothing of the kind"), "unparsed: a date and time: `Feb  1 10:00:00`");
}
