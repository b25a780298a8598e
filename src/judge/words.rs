//! Figures, times and names as the sentences of a report use them.

use crate::ledger::{Client, Evidence, Ledger, Place, Span, Text, Time};

/// How much text from the logs a sentence quotes.
const LONGEST: usize = 80;

/// A number with thousands separators: `3,108`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if 0 < at && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with its noun: `1 recipient`, `3,108 recipients`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A number of recipients.
pub fn recipients(number: u64) -> String {
    count(number, "recipient", "recipients")
}

/// A number of client addresses.
pub fn addresses(number: usize) -> String {
    count(number as u64, "address", "addresses")
}

/// A time to the minute: `2027-01-18 06:55`.
pub fn minute(time: Time) -> String {
    time.rfc3339().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// The time of a span, with a leading blank: ` between ... and ... UTC`, ` at ... UTC`, or nothing.
pub fn period(span: Span) -> String {
    match (span.first.map(minute), span.last.map(minute)) {
        (Some(first), Some(last)) if first == last => format!(" at {first} UTC"),
        (Some(first), Some(last)) => format!(" between {first} and {last} UTC"),
        _ => String::new(),
    }
}

/// How long from one time to another, to the minute: `3 h 10 min`, `2 days 4 h`, `less than a minute`.
pub fn duration(from: Time, to: Time) -> String {
    let minutes = u64::try_from(to.0.saturating_sub(from.0) / 60_000_000).unwrap_or(0);
    let parts = [(minutes / 1_440, "day"), (minutes % 1_440 / 60, "h"), (minutes % 60, "min")];
    let named: Vec<String> = parts
        .iter()
        .filter(|(number, _)| 0 < *number)
        .map(|(number, unit)| if *unit == "day" { count(*number, "day", "days") } else { format!("{number} {unit}") })
        .take(2)
        .collect();
    if named.is_empty() { "less than a minute".to_owned() } else { named.join(" ") }
}

/// What was seen last shortly before the logs end: whether it was still `coming in`, or only may be.
pub fn still(last: Time, end: Time, what: &str) -> String {
    match end.0.saturating_sub(last.0) < A_FEW_MINUTES {
        true => format!("It was still {what} when the logs end, at {} UTC.", minute(end)),
        false => format!("The logs end {} later, at {} UTC: it may still be {what}.", duration(last, end), minute(end)),
    }
}

/// So shortly before the end of the logs, something goes on: ten minutes, in microseconds.
const A_FEW_MINUTES: i64 = 600_000_000;

/// Text from the logs, cut to a length that fits a sentence. It is not escaped.
pub fn quoted(text: &str) -> String {
    match text.chars().nth(LONGEST) {
        Some(_) => text.chars().take(LONGEST - 3).chain("...".chars()).collect(),
        None => text.to_owned(),
    }
}

/// A server by its name, or in words where the log does not name it.
pub fn server(name: &str) -> String {
    if name.is_empty() { "the server".to_owned() } else { quoted(name) }
}

/// A list of names: `a, b and c`.
pub fn list<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [start @ .., last] => {
            let start: Vec<&str> = start.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", start.join(", "), last.as_ref())
        }
    }
}

/// A client as a subject of findings.
pub fn client(client: &Client) -> Text {
    match client {
        Client::Address(address) => address.to_string().into(),
        Client::Name(name) | Client::User(name) => *name,
        Client::Unknown => "unknown".into(),
    }
}

/// Where a line stands, for people: `mail.log:128`.
pub fn place(ledger: &Ledger, place: Place) -> String {
    let path = ledger.inputs.get(&place.file).map_or("line", |input| input.path.as_ref());
    format!("{}:{}", quoted(path), place.number())
}

/// The place of the first of some lines, in brackets and with a leading blank; nothing without lines.
pub fn at_line(ledger: &Ledger, evidence: &[Evidence]) -> String {
    evidence.first().map(|line| format!(" ({})", place(ledger, line.place))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(recipients(1), "1 recipient");
        assert_eq!(addresses(2), "2 addresses");
    }

    #[test]
    fn times() {
        let first = Time(1_800_255_300_000_000);
        assert_eq!(minute(first), "2027-01-18 06:55");
        assert_eq!(period(Span { first: Some(first), last: Some(first) }), " at 2027-01-18 06:55 UTC");
        let last = Some(Time(first.0 + 3_600_000_000));
        assert_eq!(period(Span { first: Some(first), last }), " between 2027-01-18 06:55 and 2027-01-18 07:55 UTC");
        assert_eq!(period(Span::default()), "");
        for (minutes, text) in [
            (0, "less than a minute"),
            (190, "3 h 10 min"),
            (120, "2 h"),
            (1_500, "1 day 1 h"),
            (4_325, "3 days 5 min"),
        ] {
            assert_eq!(duration(first, Time(first.0 + minutes * 60_000_000)), text);
        }
        assert_eq!(duration(first, Time(0)), "less than a minute");
    }

    #[test]
    fn what_was_seen_last_may_go_on() {
        let last = Time(1_800_255_300_000_000);
        let end = |minutes: i64| Time(last.0 + minutes * 60_000_000);
        assert_eq!(
            still(last, end(9), "going on"),
            "It was still going on when the logs end, at 2027-01-18 07:04 UTC."
        );
        assert_eq!(
            still(last, end(55), "coming in"),
            "The logs end 55 min later, at 2027-01-18 07:50 UTC: it may still be coming in."
        );
    }

    #[test]
    fn names() {
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(quoted(&"A".repeat(1_000)).len(), 80);
    }
}
