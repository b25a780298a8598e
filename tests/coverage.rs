//! What the logs do not hold is named, with what would have given it; journals are read through `journalctl`; and an
//! extraction that nobody reads any more ends.

#![allow(clippy::unwrap_used)]

mod common;

use common::root;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn scan(paths: &[&Path], format: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root()).arg("scan").args(paths);
    command.args(["--format", format, "--tz", "UTC", "--year", "2027", "--quiet"]).output().unwrap()
}

fn report(paths: &[&Path]) -> Value {
    let done = scan(paths, "json");
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)))
}

/// The gaps of a report, as `KIND what` and advice.
fn gaps(report: &Value) -> Vec<(String, String)> {
    let text = |gap: &Value, field: &str| gap[field].as_str().unwrap().to_owned();
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    gaps.iter().map(|gap| (format!("{} {}", text(gap, "kind"), text(gap, "what")), text(gap, "advice"))).collect()
}

/// A log of the lines of a sample that are wanted.
fn part_of(sample: &str, folder: &Path, wanted: impl Fn(&str) -> bool) -> PathBuf {
    let text = String::from_utf8_lossy(&common::read(&root().join("samples").join(sample))).into_owned();
    let lines: String = text.lines().filter(|line| wanted(line)).map(|line| format!("{line}\n")).collect();
    assert!(!lines.is_empty() && lines.len() < text.len(), "{sample}");
    let path = folder.join("part.log");
    std::fs::write(&path, lines).unwrap();
    path
}

#[test]
fn lost_lines_are_counted_by_hour_with_the_setting_that_lost_them() {
    let report = report(&[Path::new("samples/postfix/rate-limited.log")]);
    let got: Vec<String> = report["coverage"]["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| {
            assert_eq!((gap["kind"].as_str(), gap["server"].as_str()), (Some("lost-lines"), Some("mx1")));
            let advice = gap["advice"].as_str().unwrap();
            let setting = ["imuxsock", "imjournal", "journald.conf", "max_dgram_qlen"];
            let setting = setting.iter().find(|setting| advice.contains(*setting)).unwrap();
            let hour = |field: &str| gap[field].as_str().unwrap()[11..13].to_owned();
            format!("{}-{} {} {setting}", hour("from"), hour("to"), gap["lines_lost"])
        })
        .collect();
    let want = [
        "10-11 96 imuxsock",
        "10-12 3000 imjournal",
        "10-11 712 journald.conf",
        "10-11 8 max_dgram_qlen",
        "13-14 5 imjournal",
    ];
    assert_eq!(got, want);
    assert_eq!(report["coverage"]["gaps"][0]["evidence"][0]["line"], 10);
    // The lines themselves are ignored ones, and all are accounted for.
    let input = &report["coverage"]["inputs"][0];
    assert_eq!((&input["records"], &input["ignored"], &input["unparsed"]), (&15.into(), &10.into(), &0.into()));
    let not_seen = report["verdict"]["not_seen"].to_string();
    assert!(not_seen.contains("What 3,821 lines said that got lost"), "{not_seen}");
}

#[test]
fn the_text_has_one_line_for_each_kind() {
    for format in ["text", "markdown"] {
        let done =
            scan(&[Path::new("samples/postfix/rate-limited.log"), Path::new("samples/exchange-tracking")], format);
        let text =
            String::from_utf8(done.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ").replace('\\', "");
        assert_eq!(text.matches("Missing: ").count(), 3, "{text}");
        assert!(text.contains("3,000 log lines were lost to the rate limit of rsyslog"), "{text}");
        assert!(text.contains("(And 4 like it.) In rsyslog.conf: module(load=\"imjournal\""), "{text}");
        assert!(text.contains("Set-ReceiveConnector -ProtocolLoggingLevel Verbose."), "{text}");
        assert!(text.contains("but not as whom. The same would show it."), "{text}");
    }
}

#[test]
fn kinds_of_line_that_are_missing_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let check = |sample: &str, wanted: &dyn Fn(&str) -> bool, want: &[(&str, &str)]| {
        let got = gaps(&report(&[&part_of(sample, folder.path(), wanted)]));
        assert_eq!(got.len(), want.len(), "{sample}: {got:?}");
        for ((what, advice), (what_wanted, advice_wanted)) in got.iter().zip(want) {
            assert!(what.starts_with(what_wanted) && advice.contains(advice_wanted), "{sample}: {what}, {advice}");
        }
    };
    let files = "postconf maillog_file";
    let abused = "postfix/abused.log";
    check(
        abused,
        &|line| line.contains("/smtpd["),
        &[("no-deliveries The logs of mx1 show that it took in mail", files)],
    );
    check(abused, &|line| !line.contains("/smtpd["), &[("no-arrivals The logs of mx1 do not show who", files)]);
    check(abused, &|line| !line.contains("warning: file system clock"), &[]);
    let refused = ("no-arrivals The logs of the server show refusals only", "exim -bP log_file_path");
    let connections = ("no-sessions The logs of the server show no connections", "+smtp_connection");
    check("exim/probed.log", &|line| line.contains("rejected RCPT"), &[refused, connections]);
    check("exim/abused.log", &|line| line.contains("<=") || line.contains("=>"), &[connections]);
    let outbound = ("no-deliveries The logs of mx01 do not show what became", "OutboundConnection");
    check("iis-smtp-w3c/abused.log", &|line| !line.contains("OutboundConnection"), &[outbound]);
    let sendmail = "sendmail/abused.log";
    let level = "`confLOG_LEVEL', `9'";
    check(
        sendmail,
        &|line| !line.contains(" stat="),
        &[("no-deliveries The logs of mx1 show that it took in mail", level)],
    );
    check(sendmail, &|line| !line.contains("AUTH="), &[("no-accounts Clients of mx1 logged in to send", level)]);
}

#[test]
fn a_log_of_exchange_without_its_sister_names_it() {
    let check = |folder: &str, want: &[(&str, &str)]| {
        let got = gaps(&report(&[&root().join("samples").join(folder)]));
        let kinds: Vec<&str> = got.iter().map(|(what, _)| what.split(' ').next().unwrap()).collect();
        assert_eq!(kinds, want.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), "{folder}");
        got.iter().zip(want).for_each(|((_, advice), (_, part))| assert!(advice.contains(part), "{folder}: {advice}"));
    };
    check("exchange-three-logs", &[]);
    check("exchange-smtp-protocol", &[("no-deliveries", "MessageTracking")]);
    let protocol = "-ProtocolLoggingLevel Verbose";
    check("exchange-tracking", &[("no-sessions", protocol), ("no-accounts", protocol)]);
    check("exchange2000-tracking", &[("no-sessions", "SMTPSVC1")]);
    check("exchange-online-trace", &[("no-accounts", "Entra ID")]);
}

#[test]
fn a_verdict_without_evidence_names_the_file_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(&[&part_of("postfix/abused.log", folder.path(), |line| line.contains("/smtpd["))]);
    assert_eq!(report["verdict"]["cause"], "insufficient-evidence");
    assert!(report["verdict"]["next"][0].as_str().unwrap().contains("postconf maillog_file"), "{report}");
    assert!(report["verdict"]["not_seen"][0].as_str().unwrap().contains("not for whom"), "{report}");
}

#[test]
fn gaps_are_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.current_dir(root()).args(["scan", "samples/postfix/rate-limited.log", "--year", "2027", "--tz", "UTC"]);
    assert!(command.arg("--tables").arg(folder.path()).output().unwrap().status.success());
    let csv = std::fs::read_to_string(folder.path().join("gaps.csv")).unwrap();
    assert_eq!(csv.lines().count(), 6, "{csv}");
    assert_eq!(csv.lines().next(), Some("server,kind,from,to,lines_lost,recipients,what,advice"));
}

#[test]
fn an_extraction_ends_when_nobody_reads_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
    command.args(["extract", "-", "--to", "ndjson", "--local-domain", "example.org", "--tz", "UTC", "--year", "2027"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = common::read(&root().join("samples/postfix/rate-limited.log"));
    // Far more than is on its way at any time; whoever reads on to the end reads all of it.
    let all = 512 << 20;
    let writer = std::thread::spawn(move || {
        let block = text.repeat((1 << 20) / text.len());
        let mut written = 0;
        while written < all && stdin.write_all(&block).is_ok() {
            written += block.len();
        }
        written
    });
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut row = String::new();
    out.read_line(&mut row).unwrap();
    assert!(row.contains("\"verdict\":\"inbound\""), "{row}");
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(writer.join().unwrap() < all / 2);
}

#[cfg(unix)]
mod journal {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const MAGIC: &[u8] = b"LPKSHHRH";

    /// A `journalctl` that prints two entries and then does `then`, and writes down its arguments.
    fn fake(folder: &Path, then: &str) {
        let entry = |pid: u32, message: &str| {
            format!(
                r#"echo '{{"__REALTIME_TIMESTAMP":"1800000000000000","_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/smtpd","_PID":"{pid}","MESSAGE":"{message}"}}'"#
            )
        };
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" > {}/arguments\n{}\n{}\n{then}\n",
            folder.display(),
            entry(7, "connect from a.example.net[192.0.2.1]"),
            entry(7, "disconnect from a.example.net[192.0.2.1]"),
        );
        let program = folder.join("journalctl");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn scan(folder: &Path, path: &str, search: &str) -> (Option<i32>, Value, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relayaudit"));
        command.current_dir(folder).env("PATH", search).args(["scan", "--format", "json", "--", path]);
        let done = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code(), serde_json::from_slice(&done.stdout).unwrap(), stderr)
    }

    #[test]
    fn a_journal_is_read_through_its_program() {
        let (tools, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fake(tools.path(), "exit 0");
        let search = tools.path().to_str().unwrap();
        std::fs::write(logs.path().join("-o{x}.journal"), MAGIC).unwrap();
        let (status, report, stderr) = scan(logs.path(), "-o{x}.journal", search);
        let input = &report["coverage"]["inputs"][0];
        assert_eq!((status, &input["format"], &input["records"]), (Some(0), &"postfix".into(), &2.into()), "{stderr}");
        assert_eq!(report["totals"]["sessions"], 1);
        let arguments = std::fs::read_to_string(tools.path().join("arguments")).unwrap();
        let arguments: Vec<&str> = arguments.lines().collect();
        assert_eq!(arguments[..4], ["--quiet", "--no-pager", "--output=json", "--all"]);
        let path = logs.path().canonicalize().unwrap().join("-o\\{x\\}.journal");
        assert_eq!(arguments[4], format!("--file={}", path.display()));
        assert!(arguments[5..].iter().all(|argument| *argument == "+" || argument.contains('=')), "{arguments:?}");
    }

    #[test]
    fn a_program_that_fails_is_a_problem_of_the_journal() {
        let (tools, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let search = tools.path().to_str().unwrap();
        std::fs::write(logs.path().join("system.journal"), MAGIC).unwrap();
        fake(tools.path(), "echo 'Bad message' >&2; echo more >&2; exit 1");
        let (status, report, stderr) = scan(logs.path(), ".", search);
        let input = &report["coverage"]["inputs"][0];
        assert_eq!((status, &input["records"]), (Some(2), &2.into()), "{stderr}");
        assert_eq!(input["problems"][0], "reading stopped: journalctl failed: Bad message");
        assert!(stderr.contains("system.journal: reading stopped: journalctl failed: Bad message"), "{stderr}");
        // Before it has printed anything.
        let program = tools.path().join("journalctl");
        std::fs::write(&program, "#!/bin/sh\necho 'Failed to open files' >&2\nexit 1\n").unwrap();
        let (status, _, stderr) = scan(logs.path(), ".", search);
        assert_eq!(status, Some(2));
        assert!(stderr.contains("system.journal: cannot read: journalctl failed: Failed to open files"), "{stderr}");
        std::fs::write(&program, "#!/bin/sh\nexit 0\n").unwrap();
        let (status, _, stderr) = scan(logs.path(), "system.journal", search);
        assert_eq!(status, Some(2));
        assert!(stderr.contains("system.journal: a file of journald that holds no mail log"), "{stderr}");
    }

    #[test]
    fn without_a_program_that_can_be_trusted_a_journal_is_named() {
        let logs = tempfile::tempdir().unwrap();
        std::fs::write(logs.path().join("system.journal"), MAGIC).unwrap();
        fake(logs.path(), "exit 0");
        for search in ["", ".", "/no/such/folder"] {
            let (status, _, stderr) = scan(logs.path(), "system.journal", search);
            assert_eq!(status, Some(2), "{search}");
            assert!(stderr.contains("system.journal: a file of journald, and no `journalctl`"), "{search}: {stderr}");
            assert!(!logs.path().join("arguments").exists(), "{search}");
        }
    }
}
