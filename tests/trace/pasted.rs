//! "Was it us?": headers and bounces of each kind of server.

use super::{root, run, texts};
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

/// Pastes a text to standard input; what comes back, and the exit status.
fn ask(pasted: &str, logs: &[&str]) -> (Value, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root()).args(["trace", "-"]).args(logs);
    command.args(["--format", "json", "--tz", "UTC", "--year", "2027", "--quiet"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(pasted.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    (serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{told}")), done.status.code().unwrap())
}

fn check(pasted: &str, log: &str, us: &str, part: &str) {
    let (found, status) = ask(pasted, &[log]);
    let answer = &found["answer"];
    assert_eq!(answer["was_it_us"], us, "{pasted}\n{answer:#}");
    assert_eq!(status, if us == "yes" { 0 } else { 1 });
    let said = format!("{} {}", answer["headline"], answer["why"]);
    assert!(said.contains(part), "{pasted}\n{said}");
}

const POSTFIX: &str = "samples/postfix/abused.log";

fn postfix(id: &str, time: &str) -> String {
    format!(
        "Received: from mx1.norbrook.example (mx1.norbrook.example [192.0.2.25])\n\tby mx.example.com (Postfix) with ESMTPS id 16099950D8\n\t\
         for <x@example.com>; {time}\nReceived: from a (dyn-198-51-100-214.isp-a.test [198.51.100.214])\n\tby mx1.norbrook.example \
         (Postfix) with ESMTP id {id}; {time}\nReceived: from bank.example by forged.example id 1; {time}\n"
    )
}

#[test]
fn a_header_of_our_server_that_its_log_has() {
    check(
        &postfix("33031E3", "Mon, 18 Jan 2027 06:30:19 +0000 (UTC)"),
        POSTFIX,
        "yes",
        "entered here, at mx1 on 2027-01-18 06:30:19 UTC",
    );
    let (found, _) = ask(&postfix("33031E3", "Mon, 18 Jan 2027 07:30:19 +0100 (CET)"), &[POSTFIX]);
    let received = &found["answer"]["received"];
    assert_eq!(texts(received, "by"), ["mx.example.com", "mx1.norbrook.example", "forged.example"]);
    let flags = |field: &str| -> Vec<bool> {
        received.as_array().unwrap().iter().map(|hop| hop[field].as_bool().unwrap()).collect()
    };
    assert_eq!((flags("found"), flags("taken_from_us")), (vec![false, true, false], vec![true, false, false]));
    let why = found["answer"]["why"].to_string();
    assert!(why.contains("taken from us as 16099950D8") && why.contains("may have made them up"), "{why}");
}

#[test]
fn forged_headers_and_times_that_the_logs_do_not_cover() {
    check(
        &postfix("DEAD01", "Mon, 18 Jan 2027 06:30:19 +0000").replace("16099950D8", "X1"),
        POSTFIX,
        "no",
        "that line is forged",
    );
    check(
        &postfix("DEAD01", "Mon, 18 Jan 2027 23:30:19 +0000").replace("16099950D8", "X1"),
        POSTFIX,
        "cannot-tell",
        "do not cover that time",
    );
    // The id is one of ours, but weeks from the time that the header says: ids are used again.
    check(
        &postfix("33031E3", "Thu, 18 Mar 2027 06:30:19 +0000").replace("16099950D8", "X1"),
        POSTFIX,
        "cannot-tell",
        "do not cover that time",
    );
    check(
        "Received: from a by mx.example.com id X1; Mon, 18 Jan 2027 06:30:19 +0000",
        POSTFIX,
        "no",
        "none of its ids",
    );
    check("Received: from a by mx1.norbrook.example with SMTP id X1", POSTFIX, "cannot-tell", "does not say when");
    check("Received: from a by mx1.norbrook.example; Mon, 18 Jan 2027 06:30:19 +0000", POSTFIX, "cannot-tell", "no id");
}

#[test]
fn headers_of_other_kinds_of_server() {
    check(
        "Received: from [198.51.100.42] (helo=chloe.okafor.test) by mx1.example.org with esmtp (Exim 4.97)\n id 1xpiFi-0006zW-1G; Mon, 18 Jan \
         2027 08:38:14 +0000",
        "samples/exim/abused.log",
        "yes",
        "dyn-198-51-100-42.dsl.test [198.51.100.42]",
    );
    check(
        "Received: from x (dyn-198-18-86-163.cable.test [198.18.86.163]) by mx1.norbrook.example (8.18.1/8.18.1) with ESMTPSA id \
         70I4kfVr030251\n; Mon, 18 Jan 2027 04:46:41 GMT",
        "samples/sendmail/abused.log",
        "yes",
        "logged in as felix",
    );
    // Exchange writes its version and no id: the Message-ID tells.
    check(
        "Received: from a (192.0.2.10) by mx01.example.com (192.0.2.10) with Microsoft SMTP Server id 15.2.1544.4; Fri, 6 Nov 2026 00:03:00 \
         +0000\nMessage-ID: <t10@example.net>",
        "samples/exchange-tracking/abused.log",
        "yes",
        "Whoever writes a message chooses that",
    );
    check(
        "Received: from mx2.d1.example.org ([203.0.113.35]) by mx01.example.com with Microsoft SMTPSVC(6.0.3790.4675); Tue, 3 Nov 2026 \
         01:30:02 +0000\nMessage-ID: <lg0supprqmzbls@d1.example.org>",
        "samples/iis-smtp-w3c/abused.log",
        "yes",
        "203.0.113.35",
    );
    check(
        "Received: (qmail 1234 invoked by uid 89); 1 Dec 2026 10:00:04 -0000",
        "samples/qmail/abused.log",
        "cannot-tell",
        "no id that could be looked for",
    );
}

#[test]
fn a_bounce_names_the_server_and_the_queue_id() {
    let bounce = "Received: by elsewhere.example (Postfix) id F00; Mon, 18 Jan 2027 09:30:19 +0000\nMessage-ID: <dsn@example.net>\n\nI'm \
                  sorry.\n\nReporting-MTA: dns; mx1.norbrook.example\nX-Postfix-Queue-ID: 33031E3\nX-Postfix-Sender: rfc822; a@example.org\n\
                  Arrival-Date: Mon, 18 Jan 2027 06:30:19 +0000 (UTC)\n\nFinal-Recipient: rfc822; jonas.ortiz41@onyx-group.co.example\n\
                  Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n";
    check(bounce, POSTFIX, "yes", "under the id of the notification, 33031E3");
    check(bounce, POSTFIX, "yes", "550 5.1.1 no such user");
    check(&bounce.replace("33031E3", "DEAD01"), POSTFIX, "no", "that line is forged");
}

#[test]
fn a_header_may_be_a_file_or_an_argument() {
    let header =
        "Received: from a by mx1.norbrook.example (Postfix) with ESMTP id 33031E3; Mon, 18 Jan 2027 06:30:19 +0000";
    let text = |arguments: &[&str]| {
        let done = run(&[&["trace"], arguments].concat());
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("header.txt");
    std::fs::write(&file, header).unwrap();
    let by_file = text(&["--received", file.to_str().unwrap(), POSTFIX]);
    assert!(by_file.starts_with("Yes: it entered here, at mx1"), "{by_file}");
    assert_eq!(text(&[header, POSTFIX]), by_file);
}
