//! One `check` for every statement, and the cases that belong to no one daemon.

use super::*;

/// Session, message (scope and id) and event; or what was expected.
pub type Got<'a> = Result<(Option<(&'a str, &'a str)>, Option<(&'a str, &'a str)>, Event<'a>), &'static str>;

fn key<'a>((scope, id): (&'a str, &'a str)) -> Key<'a> {
    Key { scope: scope.as_bytes(), id: id.as_bytes() }
}

/// Parses `text` as the body of a line with this tag and process id 77.
pub fn check(tag: &str, text: &str, want: Got<'_>) {
    let line = format!("Feb  1 10:00:00 mx1 {tag}[77]: {text}");
    match (syslog::line(line.as_bytes()), want) {
        (Line::Record(record), Ok((session, message, event))) => {
            assert_eq!(record.event, event, "{text}");
            assert_eq!(record.session, session.map(key), "{text}");
            assert_eq!(record.message, message.map(key), "{text}");
        }
        (Line::Unparsed(unparsed), Err(expected)) => assert_eq!(unparsed.expected, expected, "{text}"),
        (got, want) => panic!("{text}: got {got:?}, want {want:?}"),
    }
}

#[test]
fn tags_of_postfix() {
    let check = |tag: &str, want| assert_eq!(Service::of(tag.as_bytes()), want, "{tag}");
    check("postfix/smtpd", Some(Service::Smtpd));
    check("postfix/submission/smtpd", Some(Service::Smtpd));
    check("postfix-out/smtp", Some(Service::Client));
    check("mx-in/postfix-script", Some(Service::Silent));
    check("postfix", Some(Service::Unnamed));
    check("postfix-out", Some(Service::Unnamed));
    check("postfix/policyd-spf", None);
    check("smtpd", None);
    check("postfix/", None);
    check("", None);
}

#[test]
fn queue_ids() {
    let check = |word: &str, want| assert_eq!(is_queue_id(word.as_bytes()), want, "{word}");
    check("4F1A2C0012", true);
    check("12345", true);
    check("1234", false);
    check("3mPVKl0Mhjz7sXv", true);
    check("4FgPVKl0Mhj7sXv", false);
    check("4f1a2c0012", false);
    check("warning", false);
    check("statistics", false);
    check("3mPVK0Mhbbbz", false);
    check("", false);
}

#[test]
fn instances_have_their_own_ids() {
    check("postfix-out/qmgr", "4F1A2C0012: removed", Ok((None, Some(("postfix-out", "4F1A2C0012")), Event::Removed)));
    check(
        "postfix/scan/qmgr",
        "3mPVKf0Mhjz7sXv: removed",
        Ok((None, Some(("postfix", "3mPVKf0Mhjz7sXv")), Event::Removed)),
    );
}

#[test]
fn mail_deleted_by_the_administrator_is_removed() {
    check("postfix/postsuper", "4F1A2C0012: removed", Ok((None, Some(("postfix", "4F1A2C0012")), Event::Removed)));
    check(
        "postfix/postsuper",
        "4F1A2C0012: released from hold",
        Ok((None, Some(("postfix", "4F1A2C0012")), Event::Other)),
    );
}

#[test]
fn daemons_that_say_nothing_of_use() {
    check("postfix/anvil", "statistics: max cache size 1 at Feb  1 10:00:00", Ok((None, None, Event::Other)));
    check(
        "postfix/master",
        "warning: process /usr/lib/postfix/smtpd pid 1 exit status 1",
        Ok((None, None, Event::Other)),
    );
    check("postfix/postsuper", "4F1A2C0012: requeued", Ok((None, Some(("postfix", "4F1A2C0012")), Event::Other)));
    check("postfix/postscreen", "CONNECT from [192.0.2.1]:1 to [192.0.2.9]:25", Ok((None, None, Event::Other)));
}

#[test]
fn format_recognises_only_postfix() {
    let check = |line: &str, want| assert_eq!((FORMAT.recognises)(line.as_bytes()), want, "{line}");
    check("Feb  1 10:00:00 mx1 postfix/smtpd[1]: x", true);
    check("Feb  1 10:00:00 mx1 dovecot[1]: x", false);
    check("#Fields: date time", false);
    check("", false);
}
