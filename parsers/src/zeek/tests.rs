#![allow(clippy::unwrap_used)]

use super::FORMAT;
use crate::record::{Event, Line, When};
use crate::registry::Context;

const HEAD: &str =
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\ttrans_depth\thelo\tmailfrom\trcptto\tdate\tfuids\tlast_reply";

fn context() -> Context {
    let mut context = Context::default();
    (FORMAT.direct)(HEAD.as_bytes(), &mut context);
    context
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Checks what a line says, in short.
fn check(line: &str, want: &str) {
    let got = match (FORMAT.parse)(line.as_bytes(), &context()) {
        Line::Record(record) => match record.event {
            Event::Whole { client, helo, reverse_path, forward_paths, complete, refusal, .. } => {
                let to: Vec<_> = forward_paths.iter().map(text).collect();
                let from = reverse_path.map(text);
                format!("{} {} {from:?} {to:?} {complete} {refusal:?}", client.address.unwrap(), text(helo))
            }
            Event::Refused { stage, refusal, .. } => format!("{} {refusal:?}", text(stage)),
            Event::Hello { name, .. } => format!("hello {}", text(name)),
            event => format!("{event:?}"),
        },
        Line::Unparsed(why) => format!("unparsed at {}: {}", why.at, why.expected),
        line => format!("{line:?}"),
    };
    assert_eq!(got, want, "{line}");
}

#[test]
fn columns() {
    let row = |rest: &str| format!("1706781600.1\tC1\t192.0.2.9\t9\t1\t{rest}").replace(' ', "\t").replace('_', " ");
    check(&row("h a@x b@y,c@z - F1 250_Ok"), r#"192.0.2.9 h Some("a@x") ["b@y", "c@z"] true None"#);
    check(&row("h <a@x> <b@y> - F1 250_Ok"), r#"192.0.2.9 h Some("a@x") ["b@y"] true None"#);
    check(&row("h - b@y - F1 250_2.1.0_Ok"), r#"192.0.2.9 h None ["b@y"] true None"#);
    check(&row("h a@x b@y - (empty) 250_2.1.5_Ok"), r#"192.0.2.9 h Some("a@x") ["b@y"] false None"#);
    check(&row("h a@x b@y - (empty) 250_OK_id=1"), r#"192.0.2.9 h Some("a@x") ["b@y"] true None"#);
    check(&row("h a@x b@y - (empty) 221_Bye"), r#"192.0.2.9 h Some("a@x") ["b@y"] false None"#);
    check(
        &row("h a@x b@y - (empty) 554_5.7.1_<b@y>:_Relay_access_denied"),
        r#"192.0.2.9 h Some("a@x") ["b@y"] false Some(RelayDenied)"#,
    );
    check(&row("h a@x - - (empty) 550_no"), "MAIL Other");
    check(&row("h - - - (empty) 220_ready"), "hello h");
    check(&row("- - - - (empty) 220_ready"), "Other");
    check(&row("h"), "unparsed at 31: as many fields as `#fields` names");
    check("x\tC1\t192.0.2.9\t9\t1\t-\t-\t-\t-\t-\t-", "unparsed at 0: a time in `ts`");
    check("1.0\tC1\tx\t9\t1\t-\t-\t-\t-\t-\t-", "unparsed at 0: an address in `id.orig_h`");
    check(HEAD, "Directive");
}

#[test]
fn json() {
    let line =
        |rest: &str| format!(r#"{{"ts":1706781600.25,"uid":"C1","id.orig_h":"192.0.2.9","trans_depth":1,{rest}}}"#);
    check(
        &line(r#""helo":"h","mailfrom":"a@x","rcptto":["b@y","c@z"],"fuids":["F1"],"last_reply":"250 Ok""#),
        r#"192.0.2.9 h Some("a@x") ["b@y", "c@z"] true None"#,
    );
    check(&line(r#""helo":"h","tls":true,"fuids":[]"#), "hello h");
    check(r#"{"ts":1"#, "unparsed at 7: `,` or `}`");
    // A subject cannot add a field.
    let hostile = line(
        r#""helo":"h","subject":"x\",\"mailfrom\":\"z@z","mailfrom":"a@x","rcptto":["b@y"],"last_reply":"250 Ok""#,
    );
    check(&hostile, r#"192.0.2.9 h Some("a@x") ["b@y"] true None"#);
    assert!((FORMAT.recognises)(hostile.as_bytes()));
    assert!(!(FORMAT.recognises)(br#"{"subject":"\"id.orig_h\" \"trans_depth\""}"#));
}

#[test]
fn times() {
    let want = "2024-02-01T10:00:00.250000".parse::<chrono::NaiveDateTime>().unwrap().and_utc().timestamp_micros();
    for text in ["1706781600.25", "2024-02-01T10:00:00.25Z"] {
        assert_eq!(super::when(text.as_bytes()), Some(When::Utc(want)), "{text}");
    }
    assert_eq!(super::when(b"1706781600.2x"), None);
}

#[test]
fn the_header_from() {
    let check = |line: &str, names: &str, want: &str| {
        let mut context = Context::default();
        (FORMAT.direct)(names.as_bytes(), &mut context);
        let line = (FORMAT.parse)(line.as_bytes(), &context);
        let Line::Record(crate::Record { event: Event::Whole { header_from, .. }, .. }) = line else {
            panic!("{line:?}")
        };
        assert_eq!(text(header_from), want);
    };
    let names = "#fields\tts\tid.orig_h\ttrans_depth\tmailfrom\trcptto\tfrom\tlast_reply";
    let row = |from: &str| format!("1.0\t192.0.2.9\t1\tx@evil.test\tb@example.org\t{from}\t250 ok");
    check(&row("Anna <a@example.org>"), names, "a@example.org");
    check(&row("-"), names, "");
    let object =
        r#"{"ts":1.0,"id.orig_h":"192.0.2.9","trans_depth":1,"mailfrom":"x@evil.test","rcptto":["b@example.org"],"#;
    let object = format!(r#"{object}"from":"\"Anna\" <a@example.org>","last_reply":"250 ok"}}"#);
    check(&object, names, "a@example.org");
}
