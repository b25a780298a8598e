//! Folders, options, configurations and databases that are not what they should be.

use super::packed::{run, sample, scan};
use std::fmt::Write as _;
use std::path::Path;

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// A folder with a log and with what is none.
#[cfg(unix)]
#[test]
fn loops_pipes_and_odd_names_are_passed_over_or_named() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(here, "mail.log", &sample());
    write(here, "line\nend\u{1b}[2J.log", b"nothing of interest\n");
    symlink(here, here.join("loop")).unwrap();
    symlink("itself", here.join("itself")).unwrap();
    symlink("/dev/zero", here.join("zero")).unwrap();
    symlink("mail.log", here.join("again.log")).unwrap();
    // A socket stands for all that is no file; a pipe would need a program to be made.
    let _socket = std::os::unix::net::UnixListener::bind(here.join("socket")).unwrap();
    let (report, status, said) = scan(here, &["."]);
    let inputs = report["coverage"]["inputs"].as_array().unwrap();
    let read: Vec<_> = inputs.iter().filter(|input| 0 < input["records"].as_u64().unwrap()).collect();
    assert_eq!(read.len(), 1, "{said}");
    assert!(
        said.contains("socket: left out: not a regular file") && said.contains("line\\x0aend\\x1b[2J.log"),
        "{said}"
    );
    // A link that leads nowhere is a file that cannot be read.
    assert!(status == Some(2) && said.contains("itself: cannot read: "), "{said}");
    let (_, status, said) = scan(here, &["socket"]);
    assert!(status == Some(2) && said.contains("give `-` to read standard input"), "{said}");
}

#[test]
fn a_log_of_one_endless_line_takes_no_more_memory_than_a_line_may_be_long() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = sample();
    let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    text.resize(text.len() + (48 << 20), b'A');
    write(folder.path(), "mail.log", &text);
    let (report, _, said) = scan(folder.path(), &["mail.log"]);
    let input = &report["coverage"]["inputs"][0];
    assert_eq!(input["records"].as_u64(), Some(lines), "{said}");
    assert_eq!(input["bytes"].as_u64(), Some(text.len() as u64));
    let pieces = input["unparsed"].as_u64().unwrap();
    assert!((20..=50).contains(&pieces), "{input}");
}

/// Lines at the ends of what can be said.
#[test]
fn times_and_numbers_at_the_ends_of_the_scale_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let refused = "NOQUEUE: reject: RCPT from a[203.0.113.9]: 554 5.7.1 <u@example.net>: Relay access denied; from=<s@example.org> \
                   to=<u@example.net> proto=ESMTP helo=<h>";
    let mut text = String::new();
    for year in ["0000", "0001", "1677", "1970", "2262", "9999"] {
        writeln!(text, "{year}-01-01T00:00:00.000000+00:00 mx1 postfix/smtpd[7]: {refused}").unwrap();
        writeln!(text, "{year}-12-31T23:59:60.999999-23:59 mx1 postfix/smtpd[7]: {refused}").unwrap();
    }
    writeln!(text, "2027-01-01T00:00:00+00:00 mx1 postfix/smtpd[7]: message repeated 4294967295 times: [ {refused}]")
        .unwrap();
    writeln!(
        text,
        "2027-01-01T00:00:00+00:00 mx1 postfix/smtpd[7]: message repeated 99999999999999999999 times: [ {refused}]"
    )
    .unwrap();
    writeln!(text, "2027-01-01T00:00:00+00:00 mx1 postfix/qmgr[7]: 4F1A2C0012: from=<a@b>, size=99999999999999999999, nrcpt=4294967296").unwrap();
    write(folder.path(), "mail.log", text.as_bytes());
    let (report, _, said) = scan(folder.path(), &["mail.log"]);
    let input = &report["coverage"]["inputs"][0];
    assert_eq!(input["lines"].as_u64(), Some(15), "{said}");
    assert!(4_294_967_295 <= report["totals"]["by_verdict"]["relay-denied"].as_u64().unwrap(), "{report}");
}

#[test]
fn patterns_that_would_take_for_ever_take_no_longer_than_others() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("2027-01-01T00:00:00+00:00 mx1 postfix/smtpd[7]: {}!\n", "a".repeat(20_000));
    write(folder.path(), "mail.log", line.repeat(200).as_bytes());
    let begun = std::time::Instant::now();
    for pattern in ["(a+)+$", "(a|aa)+b", "(.*)*c", "(?:a?){50}a{50}z", "(x+x+)+y"] {
        scan(folder.path(), &["--ignore", pattern, "mail.log"]);
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    for (pattern, what) in [("((a{1000}){1000}){1000}", "size limit"), ("(", "unclosed"), ("a{99999999999}", "")] {
        let (_, status, said) = scan(folder.path(), &["--ignore", pattern, "mail.log"]);
        assert!(status == Some(2) && said.contains("--ignore: ") && said.contains(what), "{pattern}: {said}");
    }
    let deep = "(".repeat(100_000);
    assert_eq!(scan(folder.path(), &["--ignore", &deep, "mail.log"]).1, Some(2));
}

#[test]
fn settings_that_are_not_ones_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "mail.log", &sample());
    let deep = format!("local_domains = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("local_domains = [\"{}\"]", "a".repeat(1 << 20));
    let cases: [(&str, &[u8]); 8] = [
        ("unknown key", b"nothing = 1\n"),
        ("nested", deep.as_bytes()),
        ("terminal", b"local_domains = [\"\x1b[2J\"]\n"),
        ("not UTF-8", b"local_domains = [\"\xff\"]\n"),
        ("cut off", b"local_domains = [\"a\n"),
        ("network", b"trusted_networks = [\"10.0.0.0/99\"]\n"),
        ("number", b"trusted_networks = 99999999999999999999999\n"),
        ("zeroes", &[0; 4096]),
    ];
    for (name, bytes) in cases {
        write(folder.path(), "site.toml", bytes);
        let (_, status, said) = scan(folder.path(), &["--site", "site.toml", "mail.log"]);
        assert!(status == Some(2) && said.contains("site.toml"), "{name}: {status:?} {said}");
        assert!(!said.contains(['\u{1b}', '\0']), "{name}: {said:?}");
    }
    write(folder.path(), "site.toml", long.as_bytes());
    assert!(scan(folder.path(), &["--site", "site.toml", "mail.log"]).1.is_some());
}

#[test]
fn configurations_and_databases_of_any_bytes_end_in_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(here, "mail.log", &sample());
    let nested = format!("<a>{}{}</a>", "<b>".repeat(50_000), "</b>".repeat(50_000));
    let include =
        "mynetworks = $mynetworks, $a\na = $b $b\nb = $a $a\nmydestination = ".to_owned() + &"$a".repeat(10_000) + "\n";
    let macros =
        "A = AAAA\nB = A A A A\nC = B B B B\ndomainlist local_domains = ".to_owned() + &"C : ".repeat(10_000) + "\n";
    let mut mmdb = vec![0xffu8; 4096];
    mmdb.extend_from_slice(b"\xab\xcd\xefMaxMind.com\xff\xff\xff\xff\xff\xff\xff\xff");
    let binary: Vec<u8> = (0..65_536u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: [(&str, &[u8]); 7] = [
        ("main.cf", include.as_bytes()),
        ("exim.conf", macros.as_bytes()),
        ("MetaBase.xml", nested.as_bytes()),
        ("main.cf", &binary),
        ("access", &[b'\n'; 100_000]),
        ("smtpd.conf", b"table a { b, c\nmatch from any for any action \"x\ninclude \"smtpd.conf\"\n"),
        ("sendmail.mc", &[0; 10_000]),
    ];
    for (name, bytes) in cases {
        write(here, name, bytes);
        let begun = std::time::Instant::now();
        for args in
            [["site", "import", name].as_slice(), &["site", "check", name], &["scan", "--config", name, "mail.log"]]
        {
            let done = run(here, args);
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.code().is_some() && !said.contains("panicked"), "{args:?}: {said}");
        }
        assert!(begun.elapsed().as_secs() < 30, "{name}: {:?}", begun.elapsed());
        std::fs::remove_file(here.join(name)).unwrap();
    }
    for bytes in [mmdb, binary, Vec::new()] {
        write(here, "x.mmdb", &bytes);
        let (_, status, said) = scan(here, &["--geoip", "x.mmdb", "mail.log"]);
        assert!(status == Some(2) && said.contains("x.mmdb"), "{status:?} {said}");
    }
}

/// More files than a system lets a program hold open.
#[test]
fn a_folder_of_thousands_of_logs_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..3_000 {
        let line = format!("2027-01-18T06:17:38+00:00 mx1 postfix/smtpd[{number}]: connect from a[203.0.113.82]\n");
        write(folder.path(), &format!("mail.log.{number}"), line.as_bytes());
    }
    let (report, status, said) = scan(folder.path(), &["."]);
    assert_eq!((status, report["totals"]["sessions"].as_u64()), (Some(0), Some(3_000)), "{said}");
}
