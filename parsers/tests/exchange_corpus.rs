//! Real logs of Exchange 2007 and later, where they are at hand, and damaged lines, always.

#![allow(clippy::unwrap_used)]

use relayaudit_parsers::record::{Event, Line, Record};
use relayaudit_parsers::registry::{Context, FORMATS, Format, by_name, detect};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");

/// The files of a folder that are logs, each with its text; empty, and said, where the corpus is absent.
fn logs(folder: &str) -> Vec<(String, Vec<u8>)> {
    let listed = fs::read_dir(Path::new(CORPUS).join(folder)).into_iter().flatten().flatten();
    let mut paths: Vec<_> = listed.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("log")));
    paths.sort();
    if paths.is_empty() {
        println!("SKIPPED: ../shared/corpus/{folder} is absent");
    }
    paths.into_iter().map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

/// The lines of a file, without their ends.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    content.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Reads a file as the program does and hands every record to `each`; returns records and unparsed lines.
fn read(format: &Format, name: &str, content: &[u8], mut each: impl FnMut(&Record<'_>)) -> (usize, usize) {
    let (mut context, mut records, mut unparsed) = (Context::default(), 0, 0);
    for line in lines(content) {
        (format.direct)(line, &mut context);
        match (format.parse)(line, &context) {
            Line::Record(record) | Line::Repeated { record, .. } => {
                records += 1;
                each(&record);
            }
            Line::Directive | Line::Ignored(_) | Line::Lost(_) => {}
            Line::Unparsed(why) => {
                println!("{name}: {why:?}: {}", String::from_utf8_lossy(line));
                unparsed += 1;
            }
        }
    }
    (records, unparsed)
}

#[test]
fn real_logs_are_understood() {
    for (format, folder) in [
        ("exchange-smtp-protocol", "exchange-smtp-protocol"),
        ("exchange-tracking", "exchange-message-tracking"),
        ("exchange-agent", "exchange-agent-log"),
    ] {
        for (name, content) in logs(folder) {
            let detected = detect(lines(&content).take(100)).map(|format| format.name);
            assert_eq!(detected, Some(format), "{name}");
            let (records, unparsed) = read(by_name(format).unwrap(), &name, &content, |_| {});
            println!("{name}: {records} records, {unparsed} unparsed");
            assert!(0 < records && unparsed == 0, "{name}");
        }
    }
}

#[test]
fn what_others_read_in_the_same_logs() {
    let mut seen = 0;
    let format = by_name("exchange-smtp-protocol").unwrap();
    for (name, content) in logs("exchange-smtp-protocol") {
        let (mut clients, mut failures, mut accounts) = (BTreeSet::new(), 0, BTreeSet::new());
        read(format, &name, &content, |record| match record.event {
            Event::Replied { client, reply, .. } if reply.code == 535 => {
                failures += 1;
                clients.extend(client.address.map(|address| address.to_string()));
            }
            Event::AccountTried { account, .. } => {
                accounts.insert(String::from_utf8_lossy(account).into_owned());
            }
            _ => {}
        });
        let clients: Vec<String> = clients.into_iter().collect();
        if name.contains("exchange-smtp-bf") {
            // crowdsec's scenario.assert has this address as the one source of its overflow. It looks at the first
            // events only; every line of the file is a failure.
            assert_eq!((clients, failures), (vec!["192.168.9.212".to_owned()], lines(&content).count()), "{name}");
            seen += 1;
        } else if name.contains("RECV2023011116") {
            assert_eq!(accounts.into_iter().collect::<Vec<_>>(), ["username@domain.com"], "{name}");
            seen += 1;
        }
    }
    for (name, content) in logs("exchange-message-tracking") {
        let format = by_name("exchange-tracking").unwrap();
        let mut clients = BTreeSet::new();
        read(format, &name, &content, |record| {
            if let Event::Received { client, .. } = record.event {
                clients.extend(client.address.map(|address| address.to_string()));
            }
        });
        if name.contains("elastic") {
            // Behind the front end 10.11.12.14, as elastic's `proxied_client_ip_address` has it.
            assert_eq!(clients.into_iter().collect::<Vec<_>>(), ["10.11.12.13", "10.11.12.15"], "{name}");
            seen += 1;
        }
    }
    println!("{seen} of 3 compared");
}

/// A line of each format and of each kind of row.
const LINES: [(&str, &str); 9] = [
    (
        "exchange-smtp-protocol",
        r#"2024-02-01T10:00:01.100Z,MX1\Default MX1,08DC230000000001,4,192.0.2.10:25,[2001:db8::9]:50001,<,"RCPT TO:<""a>,b""@example.org> NOTIFY=NEVER","#,
    ),
    (
        "exchange-smtp-protocol",
        r"2024-02-01T10:00:01.100Z,MX1\Default MX1,08DC230000000001,5,192.0.2.10:25,203.0.113.9:1,>,550 5.7.54 SMTP; Unable to relay,",
    ),
    (
        "exchange-smtp-protocol",
        r"2024-02-01T10:00:01.100Z,MX1\Default MX1,08DC230000000001,6,192.0.2.10:2525,192.0.2.10:1,<,XPROXYFROM SID=1 IP=203.0.113.9 PORT=2 DOMAIN=a,",
    ),
    (
        "exchange-smtp-protocol",
        r"2024-02-01T10:00:01.100Z,MX1\Default MX1,08DC230000000001,7,192.0.2.10:25,203.0.113.9:1,*,EXAMPLE\anna,authenticated",
    ),
    (
        "exchange-smtp-protocol",
        "2024-02-01T10:00:01.100Z,To Internet,08DC230000000001,3,192.0.2.10:9,198.51.100.7:25,>,MAIL FROM:<a@example.com>,",
    ),
    (
        "exchange-tracking",
        r#"2024-02-01T10:00:02.000Z,192.0.2.10,mx1.example.com,192.0.2.10,MX1,08DC;2024;0,MX1\Relay,SMTP,RECEIVE,7,<a@example.com>,1e6e,"""a;b""@example.org;<c@example.org>",,7229,2,,,"Hello, world",b@example.com,<>,0cA: ,Incoming,,203.0.113.9,192.0.2.10,S:ProxiedClientIPAddress=203.0.113.9,Email,05,15.02"#,
    ),
    (
        "exchange-tracking",
        "2024-02-01T10:00:03.000Z,192.0.2.10,MX1,198.51.100.7,mx.example.org,;250 2.0.0 OK,To Internet,SMTP,SEND,7,<a@example.com>,c@example.org,250 Ok,7,1,,,Hi,b@example.com,b@example.net,x",
    ),
    (
        "exchange-agent",
        "2022-09-13T14:38:59.177Z,1234,192.0.2.10,203.0.113.9:4,203.0.113.9,,a@example.net,a@example.net;,b@example.com,1,Recipient Filter Agent,OnRcptCommand,RejectCommand,550 5.1.1 User unknown,RecipientDoesNotExist,",
    ),
    ("exchange-online-trace", "origin_timestamp_utc,sender_address,recipient_status,total_bytes,original_client_ip"),
];
/// Heads, so that lines are also read by columns that they do not have.
const HEADS: [&[u8]; 5] = [
    b"",
    b"#Log-type: SMTP Receive Protocol Log",
    b"#Fields: date-time,session-id,event,data,context,remote-endpoint,connector-id,sequence-number,x",
    b"origin_timestamp_utc,sender_address,recipient_status,total_bytes,original_client_ip,a,b,c,d",
    b"date_time_utc,event_id,recipient_address,source,return_path,custom_data,total_bytes,recipient_count,x",
];

#[test]
fn one_format_claims_a_line() {
    for (name, line) in LINES {
        let claims = FORMATS.iter().filter(|format| (format.recognises)(line.as_bytes())).map(|format| format.name);
        assert_eq!(claims.collect::<Vec<_>>(), [name], "{line}");
    }
}

#[test]
fn damaged_lines_do_not_panic() {
    for name in ["exchange-smtp-protocol", "exchange-tracking", "exchange-agent", "exchange-online-trace"] {
        let format = by_name(name).unwrap();
        for head in HEADS {
            let mut context = Context::default();
            (format.direct)(head, &mut context);
            for (_, line) in LINES {
                damage(line.as_bytes(), |damaged| {
                    (format.recognises)(damaged);
                    use_up(&(format.parse)(damaged, &context));
                    (format.direct)(damaged, &mut Context::default());
                });
            }
        }
    }
}

/// Looks at everything that a record only reads when it is asked.
fn use_up(line: &Line<'_>) {
    let Line::Record(record) = line else { return };
    match record.event {
        Event::Received { forward_paths, .. } | Event::Delivery { forward_paths, .. } => {
            forward_paths.iter().for_each(drop);
        }
        Event::Traced { recipients, .. } => recipients.iter().for_each(drop),
        Event::Command { argument, .. } => {
            let _ = relayaudit_parsers::paths::of_command(b"TO:", argument);
        }
        _ => {}
    }
}

/// Cuts a line and changes, repeats and removes every byte of it.
fn damage(line: &[u8], mut try_out: impl FnMut(&[u8])) {
    for at in 0..=line.len() {
        try_out(&line[..at]);
        try_out(&line[at..]);
    }
    for at in 0..line.len() {
        for byte in *b"\0,\";<>=:@#\\ \xff0" {
            let mut damaged = line.to_vec();
            damaged[at] = byte;
            try_out(&damaged);
            damaged.insert(at, byte);
            try_out(&damaged);
            damaged.drain(at..at + 2);
            try_out(&damaged);
        }
    }
}

#[test]
fn a_line_of_a_megabyte_takes_no_longer_than_its_length() {
    let head = "2024-02-01T10:00:01.100Z,MX1\\Default MX1,08DC230000000001,4,192.0.2.10:25,203.0.113.9:50001,<,";
    for filling in ["\"\"", ",", "A", "<", "\\\"", "##;", " IP="] {
        for quote in ["", "\""] {
            let line = format!("{head}{quote}RCPT TO:<{}{quote},", filling.repeat(1 << 20));
            let started = std::time::Instant::now();
            for format in FORMATS.iter().filter(|format| format.name.starts_with("exchange-")) {
                use_up(&(format.parse)(line.as_bytes(), &Context::default()));
                (format.recognises)(line.as_bytes());
            }
            // A quadratic reading would take minutes.
            assert!(started.elapsed().as_secs() < 5, "{filling}");
        }
    }
}
