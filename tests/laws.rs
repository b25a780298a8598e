//! The laws of the fold: however a log is cut, in whatever order its parts are merged and settled,
//! the ledger is the same; and every line and byte is accounted for.

#![allow(clippy::unwrap_used)]

mod common;

use common::{corpus, samples};
use proptest::prelude::*;
use relayaudit::clock::{Clock, Zone};
use relayaudit::fold::{Chunk, Filter, Part};
use relayaudit::layout::Layout;
use relayaudit::ledger::{FileId, Ledger};
use relayaudit::merge::Merge;
use relayaudit::observe::Window;
use relayaudit_parsers::registry::{Context, FORMATS, Format, by_name};

/// A log as chunks, cut before each of the given lines (numbers from 0).
fn cut(format: &'static Format, text: &[u8], cuts: &[usize]) -> Vec<Chunk> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut starts: Vec<usize> = cuts.iter().map(|cut| cut % lines.len().max(1)).chain([0]).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut context = Context::default();
    let mut chunks = Vec::new();
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(lines.len());
        chunks.push(Chunk {
            file: FileId(7),
            path: "a.log".into(),
            format,
            context: context.clone(),
            clock: clock(format, &lines),
            layout: Layout::default(),
            first_line: *start as u64 + 1,
            torn: false,
            bytes: lines[*start..end].concat(),
        });
        for line in &lines[*start..end] {
            (format.direct)(line.trim_ascii_end(), &mut context);
        }
    }
    chunks
}

fn clock(format: &Format, lines: &[&[u8]]) -> Clock {
    let first = lines.iter().find_map(|line| match (format.parse)(line.trim_ascii_end(), &Context::default()) {
        relayaudit_parsers::Line::Record(record) => Some(record.when),
        _ => None,
    });
    Clock::new(Zone::Named(chrono_tz::UTC), first, Some(2026), "2026-12-01T00:00:00Z".parse().unwrap())
}

fn whole(format: &'static Format, text: &[u8]) -> Ledger {
    let mut ledger = Ledger::default();
    for chunk in cut(format, text, &[]) {
        ledger = Part::of(&chunk, &Filter::default()).finish(Window::default());
    }
    ledger
}

/// Joins neighbours pairwise and settles them, as a scan does.
fn joined_in_order(mut parts: Vec<Part>) -> Ledger {
    while 1 < parts.len() {
        let mut halves = Vec::new();
        let mut rest = parts.into_iter();
        while let Some(mut left) = rest.next() {
            if let Some(right) = rest.next() {
                left.merge(right);
                left.settle(Window::default(), false);
            }
            halves.push(left);
        }
        parts = halves;
    }
    parts.pop().unwrap_or_default().finish(Window::default())
}

/// Merges in the order of `keys`, without settling in between.
fn merged_in_disorder(parts: Vec<Part>, keys: &[u32]) -> Ledger {
    let mut keyed: Vec<(u32, Part)> =
        parts.into_iter().enumerate().map(|(at, part)| (keys[at % keys.len()], part)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    let mut all = Part::default();
    for (_, part) in keyed {
        all.merge(part);
    }
    all.finish(Window::default())
}

fn explain(a: &Ledger, b: &Ledger) -> String {
    let mut out = String::new();
    for (key, flow) in &a.flows {
        if b.flows.get(key) != Some(flow) {
            out += &format!("want {key:?} {flow:?}\n got {:?}\n", b.flows.get(key));
        }
    }
    for key in b.flows.keys().filter(|key| !a.flows.contains_key(key)) {
        out += &format!("extra {key:?} {:?}\n", b.flows[key]);
    }
    if a.inputs != b.inputs {
        out += &format!("inputs differ: {:?} {:?}\n", a.inputs, b.inputs);
    }
    out + &format!(
        "templates {} log-ins {} clients {} hellos {} domains {} servers {}",
        a.templates == b.templates,
        a.log_ins == b.log_ins,
        a.clients == b.clients,
        a.hellos == b.hellos,
        a.domains == b.domains,
        a.servers == b.servers
    )
}

fn check(name: &str, format: &'static Format, text: &[u8], cuts: &[usize], keys: &[u32]) {
    let want = whole(format, text);
    let parts: Vec<Part> = cut(format, text, cuts).iter().map(|chunk| Part::of(chunk, &Filter::default())).collect();
    let ordered = joined_in_order(parts.clone());
    assert!(want == ordered, "{name} cut at {cuts:?}, joined in order:\n{}", explain(&want, &ordered));
    let disordered = merged_in_disorder(parts, keys);
    assert!(want == disordered, "{name} cut at {cuts:?}, merged in disorder:\n{}", explain(&want, &disordered));
}

/// A stretch of a log that is long enough to hold whole messages and short enough to be cut at every line.
fn excerpt(text: &[u8], from: usize, lines: usize) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n').skip(from).take(lines).collect::<Vec<_>>().concat()
}

#[test]
fn every_single_cut_of_every_sample() {
    for (name, format, text) in samples() {
        let text = excerpt(&text, 0, 160);
        let lines = text.split_inclusive(|byte| *byte == b'\n').count();
        for line in 1..lines {
            check(&name, format, &text, &[line], &[1, 0]);
        }
        let everywhere: Vec<usize> = (0..lines).collect();
        check(&name, format, &text, &everywhere, &[5, 3, 9, 1, 7, 2]);
    }
}

#[test]
fn logs_that_lost_a_line_cut_around_it() {
    let told =
        |name: &String| name.contains("handed-on/mx1") || name.contains("postfix/filtered") || name.contains("exim/");
    for (name, format, text) in samples().into_iter().filter(|(name, ..)| told(name)) {
        let text = excerpt(&text, 0, 80);
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        for lost in 0..lines.len() {
            let rest = [&lines[..lost], &lines[lost + 1..]].concat().concat();
            for line in lost.saturating_sub(2).max(1)..(lost + 4).min(lines.len() - 1) {
                check(&format!("{name} without line {}", lost + 1), format, &rest, &[line], &[1, 0]);
            }
        }
    }
}

/// Sessions that name their client once, in both generations of OpenSMTPD's log, and log-ins of Sendmail.
const SESSIONS: &str = include_str!("common/sessions.log");

#[test]
fn sessions_cut_everywhere() {
    let format = by_name("sendmail").unwrap();
    let lines = SESSIONS.lines().count();
    for first in 1..lines {
        for second in first..lines {
            check("sessions", format, SESSIONS.as_bytes(), &[first, second], &[1, 0, 2]);
        }
    }
    check("sessions", format, SESSIONS.as_bytes(), &(0..lines).collect::<Vec<_>>(), &[5, 3, 9, 1, 7, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_cuts_of_whole_samples(cuts in prop::collection::vec(any::<usize>(), 1..12),
                                 keys in prop::collection::vec(any::<u32>(), 1..12), which in any::<prop::sample::Index>()) {
        let all = samples();
        prop_assume!(!all.is_empty());
        let (name, format, text) = which.get(&all);
        check(name, format, text, &cuts, &keys);
    }

    #[test]
    fn any_cuts_of_lines_in_any_order(lines in prop::collection::vec(prop::sample::select(hostile_pieces()), 1..40),
                                      cuts in prop::collection::vec(any::<usize>(), 1..8)) {
        let text = lines.into_iter().map(|line| line.trim_ascii_start()).collect::<Vec<_>>().concat();
        for format in FORMATS {
            check("lines in any order", format, &text, &cuts, &[3, 1, 2]);
        }
    }

    #[test]
    fn any_bytes_are_accounted_for(bytes in prop::collection::vec(prop_oneof![
        3 => any::<u8>().prop_map(|byte| vec![byte]),
        1 => Just(b"\n".to_vec()),
        1 => prop::sample::select(hostile_pieces()).prop_map(|piece| piece.to_vec()),
    ], 0..200), cuts in prop::collection::vec(any::<usize>(), 0..6)) {
        let text = bytes.concat();
        for format in FORMATS {
            let ledger = whole(format, &text);
            conserved("random bytes", &text, &ledger);
            check("random bytes", format, &text, &cuts, &[3, 1, 2]);
        }
    }
}

/// Lines of qmail in which two messages and two numbers of attempts stand for all that can be used again.
fn qmail_pieces() -> Vec<String> {
    let label = "@400000006b0ecd2a00000000";
    let mut pieces = Vec::new();
    for id in 1..=2 {
        pieces.push(format!("{label} info msg {id}: bytes 9 from <a@example.org> qp 1 uid 89\n"));
        pieces.push(format!("{label} end msg {id}\n"));
        pieces.push(format!("{label} delivery {id}: success: 198.51.100.1_accepted_message./\n"));
        pieces.push(format!("{label} delivery {id}: deferral: x/\n"));
        for attempt in 1..=2 {
            pieces.push(format!("{label} starting delivery {attempt}: msg {id} to remote b{attempt}@example.net\n"));
        }
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn qmail_lines_in_any_order(lines in prop::collection::vec(prop::sample::select(qmail_pieces()), 1..30),
                                cuts in prop::collection::vec(any::<usize>(), 1..6)) {
        check("qmail lines", by_name("qmail").unwrap(), lines.concat().as_bytes(), &cuts, &[3, 1, 2]);
    }
}

fn hostile_pieces() -> Vec<&'static [u8]> {
    vec![
        b"\nNov 24 10:00:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]\n",
        b"\nNov 24 10:00:00 mx postfix/smtpd[1]: AAAAAA1: client=a[192.0.2.1]\n",
        b"\nNov 24 10:00:00 mx postfix/cleanup[2]: AAAAAA1: message-id=<x@example.org>\n",
        b"\nNov 24 10:00:00 mx postfix/qmgr[3]: AAAAAA1: from=<a@example.org>, size=1, nrcpt=1 (queue active)\n",
        b"\nNov 24 10:00:00 mx postfix/smtp[4]: AAAAAA1: to=<b@example.net>, relay=m[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n",
        b"\nNov 24 10:00:00 mx postfix/qmgr[3]: AAAAAA1: removed\n",
        b"\nNov 24 10:00:00 mx postfix/smtpd[1]: disconnect from a[192.0.2.1]\n",
        b"\nNov 24 10:00:00 mx sm-mta[5]: AUTH=server, relay=a [192.0.2.1], authid=anna, mech=LOGIN, bits=0\n",
        b"\nNov 24 10:00:00 mx sm-mta[5]: 6BOA00aa000005: from=<a@example.org>, size=1, class=0, nrcpts=2, proto=ESMTPA, relay=a [192.0.2.1]\n",
        b"\nNov 24 10:00:00 mx sm-mta[5]: 6BOA00aa000005: from=<a@example.org>, size=0, class=0, nrcpts=1, proto=ESMTP, relay=b [192.0.2.2]\n",
        b"\nNov 24 10:00:00 mx sm-mta[5]: 6BOA00aa000005: from=<>, size=0, class=0, nrcpts=0, proto=SMTP, relay=b [192.0.2.2]\n",
        b"\nNov 24 10:00:00 mx sm-mta[5]: 6BOA00aa000005: <b@example.net>... User unknown\n",
        b"\nNov 24 10:00:00 mx sm-mta[6]: 6BOA00aa000005: to=<b@example.net>, delay=00:00:01, mailer=esmtp, relay=m. [198.51.100.1], dsn=2.0.0, stat=Sent\n",
        b"\nNov 24 10:00:00 mx sm-mta[6]: 6BOA00aa000005: to=c@example.net, delay=00:00:01, mailer=esmtp, relay=m. [198.51.100.1], dsn=4.0.0, stat=Deferred\n",
        b"\nNov 24 10:00:00 mx sm-mta[6]: 6BOA00aa000006: to=<a@example.org>, delay=00:00:01, mailer=local, dsn=2.0.0, stat=Sent\n",
        b"\nNov 24 10:00:00 mx sm-mta[6]: 6BOA00aa000005: 6BOA00aa000006: DSN: User unknown\n",
        b"\nNov 24 10:00:00 mx sm-mta[6]: 6BOA00aa000005: 6BOA00aa000006: clone: owner=anna\n",
        b"\nNov 24 10:00:00 mx smtpd[7]: 00000000000000aa smtp connected address=192.0.2.1 host=a\n",
        b"\nNov 24 10:00:00 mx smtpd[7]: 00000000000000aa smtp message msgid=0000000b size=1 nrcpt=1 proto=ESMTP\n",
        b"\nNov 24 10:00:00 mx smtpd[7]: 00000000000000aa smtp envelope evpid=0000000b00000001 from=<a@example.org> to=<b@example.net>\n",
        b"\nNov 24 10:00:00 mx smtpd[7]: 00000000000000aa smtp failed-command command=\"RCPT TO:<c@example.net>\" result=\"550 Invalid recipient: <c@example.net>\"\n",
        b"\nNov 24 10:00:00 mx smtpd[7]: 00000000000000cc mta delivery evpid=0000000b00000001 from=<a@example.org> to=<d@example.net> rcpt=<b@example.net> source=\"-\" relay=\"198.51.100.1 (m)\" delay=1s result=\"Ok\" stat=\"250 ok\"\n",
        b"\nNov 24 10:00:00 mx smtpd[7]: 00000000000000cc mda delivery evpid=0000000b00000002 from=<a@example.org> to=<b@example.net> rcpt=<b@example.net> user=b delay=1s result=TempFail stat=later\n",
        b"\n#Fields: date time c-ip cs-username s-sitename s-computername cs-method cs-uri-query sc-status\n",
        b"\n2026-11-24 10:00:00 192.0.2.1 h SMTPSVC1 MX MAIL +FROM:<a@example.org> 250\n",
        b"\n2026-11-24 10:00:00 192.0.2.1 h SMTPSVC1 MX RCPT +TO:<b@example.net> 250\n",
        b"\n2026-11-24 10:00:00 192.0.2.1 h SMTPSVC1 MX DATA +<m@example.org> 250\n",
        b"\n2026-11-24T10:00:00.000Z,MX\\A,01,0,192.0.2.10:25,192.0.2.1:9,+,,\n",
        b"\n2026-11-24T10:00:00.000Z,MX\\A,01,1,192.0.2.10:25,192.0.2.1:9,<,MAIL FROM:<a@example.org>,\n",
        b"\n2026-11-24T10:00:00.000Z,MX\\A,01,2,192.0.2.10:25,192.0.2.1:9,<,RCPT TO:<b@example.net>,\n",
        b"\n2026-11-24T10:00:00.000Z,MX\\A,01,3,192.0.2.10:25,192.0.2.1:9,<,BDAT 7 LAST,\n",
        b"\n2026-11-24T10:00:00.000Z,MX\\A,01,4,192.0.2.10:25,192.0.2.1:9,>,250 Ok,\n",
        b"\n2026-11-24T10:00:00.000Z,MX\\A,01,5,192.0.2.10:25,192.0.2.1:9,-,,Remote\n",
        b"\n2026-11-24T10:30:00.000Z,MX\\A,01,5,192.0.2.10:25,192.0.2.1:9,>,535 5.7.3 no,\n",
        b"\n2026-11-24T10:00:00.000Z,192.0.2.1,h,192.0.2.10,MX,,A,SMTP,RECEIVE,1,<m@x>,b@x;c@x,,7,2,,,s,a@x,a@x,i\n",
        b"\n2026-11-24T10:00:00.000Z,,MX,,MX,,,ROUTING,EXPAND,1,<m@x>,d@x;e@x,,7,2,b@x,,s,a@x,a@x,i\n",
        b"\n2026-11-24T10:00:00.000Z,,MX,192.0.2.7,h,,A,SMTP,SEND,1,<m@x>,d@x;e@x,,7,2,,,s,a@x,a@x,i\n",
        b"\n2026-11-24T10:00:00.000Z,,MX,,MX,,,STOREDRIVER,DELIVER,1,<m@x>,c@x,,7,1,,,s,a@x,a@x,i\n",
        b"\n2026-11-24T10:00:00.000Z,,,,MX,,,DSN,DSN,1,<m@x>,a@x,,7,1,,<n@x>,s,,<>,i\n",
        b"\n@400000006b0ecd2a00000000 info msg 7: bytes 9 from <a@example.org> qp 1 uid 89\n",
        b"\n@400000006b0ecd2a00000000 starting delivery 1: msg 7 to remote b@example.net\n",
        b"\n@400000006b0ecd2a00000000 delivery 1: success: 198.51.100.1_accepted_message./\n",
        b"\n@400000006b0ecd2a00000000 delivery 1: deferral: x/\n",
        b"\n@400000006b0ecd2a00000000 end msg 7\n",
        b"\nMon 2026-11-23 10:00:00: Accepting SMTP connection from [192.0.2.1:9] to [192.0.2.10:25]\n",
        b"\nMon 2026-11-23 10:00:00: <-- AUTH LOGIN\n",
        b"\nMon 2026-11-23 10:00:00: --> 334 x\n",
        b"\nMon 2026-11-23 10:00:00: --> 535 no\n",
        b"\nMon 2026-11-23 10:00:00: <-- RCPT TO:<b@example.net>\n",
        b"\nMon 2026-11-23 10:00:00: SMTP session terminated\n",
        b"\nNov 24 10:00:00 mx dovecot: auth: sql(a,192.0.2.1): unknown user\n",
        b"\nNov 24 10:00:00 mx dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.1\n",
        b"\nNov 24 10:00:00 mx postfix/smtpd[1]: disconnect from a[192.0.2.1] auth=0/3 commands=0/3\n",
    ]
}

/// `lines = records + directives + ignored + unparsed`, and no byte is missing.
fn conserved(name: &str, text: &[u8], ledger: &Ledger) {
    let lines = text.split_inclusive(|byte| *byte == b'\n').count() as u64;
    let (mut seen, mut bytes) = (0, 0);
    for input in ledger.inputs.values() {
        let parts = input.records + input.directives + input.ignored_lines() + input.unparsed_lines();
        assert_eq!(input.lines, parts, "{name}: {input:?}");
        seen += input.lines;
        bytes += input.bytes;
    }
    assert_eq!((seen, bytes), (lines, text.len() as u64), "{name}");
}

/// The logs of one server, as files of a folder in the order of their first records: each cut in the middle of its
/// sessions and lives, and joined as a scan does.
#[test]
fn logs_that_tell_of_the_same_mail_cut_anywhere() {
    let mut files: Vec<_> = samples().into_iter().filter(|(name, ..)| name.contains("exchange-three-logs")).collect();
    files.sort_by_key(|(name, _, text)| (text.split(|byte| *byte == b'\n').nth(5).map(<[u8]>::to_vec), name.clone()));
    assert_eq!(files.len(), 3);
    let parts = |pieces: usize, seed: usize| -> Vec<Part> {
        let chunks = files.iter().enumerate().flat_map(|(file, (_, format, text))| {
            let lines = text.split_inclusive(|byte| *byte == b'\n').count();
            let cuts: Vec<usize> = (1..pieces).map(|at| (at * 7919 + seed * 104_729) % lines).collect();
            cut(format, text, &cuts).into_iter().map(move |chunk| Chunk { file: FileId(file as u64 + 1), ..chunk })
        });
        chunks.map(|chunk| Part::of(&chunk, &Filter::default())).collect()
    };
    let want = joined_in_order(parts(1, 0));
    for seed in 0..60 {
        let parts = parts(2 + seed % 9, seed);
        let ordered = joined_in_order(parts.clone());
        assert!(want == ordered, "{seed}, joined in order:\n{}", explain(&want, &ordered));
        let disordered = merged_in_disorder(parts, &[4, 1, 3, 2, 0]);
        assert!(want == disordered, "{seed}, merged in disorder:\n{}", explain(&want, &disordered));
    }
}

#[test]
fn samples_are_accounted_for() {
    for (name, format, text) in samples() {
        conserved(&name, &text, &whole(format, &text));
    }
}

#[test]
fn an_empty_ledger_is_neutral() {
    for (_, format, text) in samples() {
        let ledger = whole(format, &text);
        let mut left = ledger.clone();
        left.merge(Ledger::default());
        let mut right = Ledger::default();
        right.merge(ledger.clone());
        assert!(left == ledger && right == ledger);
    }
}

#[test]
fn real_servers_cut_at_random() {
    for name in ["postfix", "sendmail", "opensmtpd"] {
        let Some(logs) = corpus(&format!("mta/{name}")) else { return };
        let format = by_name(name).unwrap();
        let logs = logs.into_iter().filter(|(name, _)| name.contains("mail.iso.log") && !name.contains("s10_"));
        let logs: Vec<(String, Vec<u8>)> = logs.collect();
        logs.iter().for_each(|(name, text)| cut_at_random(name, format, text));
        // One after the other they are long enough for lines to be out of each other's reach, and ids are used again.
        if name != "postfix" {
            let all = logs.into_iter().map(|(_, text)| text).collect::<Vec<_>>().concat();
            cut_at_random(&format!("all of {name}"), format, &all);
        }
    }
}

#[test]
fn real_qmail_queues_cut_at_random() {
    let Some(logs) = corpus("qmail") else { return };
    let qmail = by_name("qmail").unwrap();
    for (name, text) in logs.into_iter().filter(|(name, _)| name.ends_with("qmail-send")) {
        let text = excerpt(&text, 0, 6000);
        conserved(&name, &text, &whole(qmail, &text));
        let lines = text.split_inclusive(|byte| *byte == b'\n').count();
        for seed in 0..4usize {
            let cuts: Vec<usize> = (1..8).map(|at| (at * 7919 + seed * 104_729) * 31 % lines).collect();
            check(&name, qmail, &text, &cuts, &[4, 1, 3, 2, 0]);
        }
    }
}

fn cut_at_random(name: &str, format: &'static Format, text: &[u8]) {
    conserved(name, text, &whole(format, text));
    let lines = text.split_inclusive(|byte| *byte == b'\n').count();
    // More on demand: LAWS_SEEDS=100 cargo test --release --test laws
    let seeds = std::env::var("LAWS_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3usize);
    for seed in 0..seeds {
        let cuts: Vec<usize> = (1..8).map(|at| (at * 7919 + seed * 104_729) * 31 % lines).collect();
        check(name, format, text, &cuts, &[4, 1, 3, 2, 0]);
    }
}
