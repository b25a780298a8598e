//! Pasted: the header of a message, or a delivery status notification, as a complaint comes with it.
//!
//! `Received:` is written by every server that takes a message, above those before it (RFC 5321 section 4.4); a notification
//! names the server that gave up, the recipient and the reason (RFC 3464). Whoever sent the message wrote everything
//! below the first line of a server that can be trusted, so nothing here is believed: it is only looked for in the logs.
//!
//! Forms of the id seen: Postfix, Sendmail, OpenSMTPD and Exim write `id ID`; qmail `(qmail 1234 invoked ...)`, which is a
//! process id and no use; IIS and Exchange write the version of the software (`id 15.2.1544.4`), or none.

use crate::ledger::Time;
use crate::site::parse_address;
use chrono::DateTime;
use std::net::IpAddr;

/// What a pasted text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pasted {
    /// The `Received:` lines, the latest (the top one) first.
    pub hops: Vec<Received>,
    /// Message-IDs, without brackets; those of the returned message last.
    pub message_ids: Vec<String>,
    /// The server that wrote the notification; empty if it is none.
    pub reporting: String,
    /// The queue id on that server, if it says so (Postfix `X-Postfix-Queue-ID`).
    pub queue_id: String,
    /// When that server had taken the message.
    pub arrival: Option<Time>,
    /// The recipients that the notification is about.
    pub recipients: Vec<String>,
    /// Why, in the words of the server that refused.
    pub diagnostic: String,
}

/// A `Received:` line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The name that the client gave.
    pub from: String,
    /// The client's address, as the server saw it.
    pub address: Option<IpAddr>,
    /// The server.
    pub by: String,
    /// The id under which it took the message; empty if it gives none.
    pub id: String,
    /// When.
    pub time: Option<Time>,
}

/// How much of a text is read: headers are smaller.
const LONGEST: usize = 1 << 20;
/// How many `Received:` lines: servers give up after 100 at the latest (RFC 5321 section 6.3).
const MOST_HOPS: usize = 200;
/// How many Message-IDs and recipients.
const MOST_IDS: usize = 20;

impl Pasted {
    /// Reads a text. What is no header is passed over.
    pub fn read(text: &[u8]) -> Pasted {
        let text = String::from_utf8_lossy(&text[..text.len().min(LONGEST)]).into_owned();
        let mut pasted = Pasted::default();
        for (name, value) in fields(&text) {
            pasted.field(&name, &value);
        }
        pasted
    }

    /// Whether it says anything that can be looked for.
    pub fn is_empty(&self) -> bool {
        self.hops.is_empty() && self.message_ids.is_empty() && self.queue_id.is_empty() && self.reporting.is_empty()
    }

    /// Whether a text on the command line is such a header.
    pub fn looks_like(text: &str) -> bool {
        fields(text).iter().any(|(name, value)| name == "received" && value.contains("by "))
    }

    fn field(&mut self, name: &str, value: &str) {
        let typed = || value.split_once(';').map_or(value, |(_, rest)| rest).trim().to_owned();
        match name {
            "received" if self.hops.len() < MOST_HOPS => self.hops.push(Received::read(value)),
            "message-id" | "original-message-id" | "x-original-message-id" if self.message_ids.len() < MOST_IDS => {
                let id = value.trim().trim_start_matches('<').trim_end_matches('>').trim();
                if !id.is_empty() && !self.message_ids.iter().any(|known| known == id) {
                    self.message_ids.push(id.to_owned());
                }
            }
            // The fields of a notification: what stands above it is the header of the notification itself.
            "reporting-mta" => {
                self.hops.clear();
                self.reporting = typed();
            }
            "x-postfix-queue-id" => self.queue_id = value.trim().to_owned(),
            "arrival-date" => self.arrival = date(value),
            "final-recipient" | "original-recipient" if self.recipients.len() < MOST_IDS => {
                let recipient = typed();
                if !self.recipients.contains(&recipient) {
                    self.recipients.push(recipient);
                }
            }
            "diagnostic-code" => self.diagnostic = typed(),
            _ => {}
        }
    }
}

/// The fields of a header (RFC 5322 section 2.2), names in lower case, unfolded. Lines of a paste may be quoted with `>` and may
/// have lost the blank by which a continuation is known.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    // Nothing behind a blank line goes on with what was before.
    let mut open = false;
    for line in text.lines() {
        let line = line.trim_start_matches("> ").trim_end();
        let folded = line.starts_with([' ', '\t']);
        let name = line.trim_start().split_once(':').filter(|(name, _)| is_name(name));
        match (name, fields.last_mut()) {
            (Some((name, value)), last) if !folded || last.is_none() || is_known(name) => {
                fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                open = true;
            }
            _ if line.trim().is_empty() => open = false,
            (_, Some((_, value))) if open => {
                value.push(' ');
                value.push_str(line.trim());
            }
            _ => {}
        }
    }
    fields
}

/// Whether it can be the name of a field: printable, without blanks.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A field that is looked for: even if it is set in.
fn is_known(name: &str) -> bool {
    let names = ["received", "message-id", "reporting-mta", "final-recipient", "diagnostic-code", "x-postfix-queue-id"];
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

impl Received {
    /// Reads the value of the field.
    pub fn read(value: &str) -> Received {
        let mut received = Received::default();
        let (clauses, stamp) = split_stamp(value);
        received.time = date(stamp);
        let mut clause = "";
        for word in words(clauses) {
            let comment = word.starts_with('(');
            match (clause, word) {
                (_, "from" | "by" | "with" | "id" | "for" | "via") => clause = word,
                ("from", _) if comment => received.address = received.address.or_else(|| address(word)),
                ("from", _) if received.from.is_empty() => {
                    received.address = address(word);
                    received.from = word.to_owned();
                }
                ("by", _) if !comment && received.by.is_empty() => received.by = word.to_owned(),
                ("id", _) if !comment && received.id.is_empty() && is_id(word) => {
                    received.id = word.trim_matches(['<', '>']).to_owned();
                }
                _ => {}
            }
        }
        received
    }
}

/// Whether a word is the id of a message, and not the version of the software.
fn is_id(word: &str) -> bool {
    let bare = word.trim_matches(['<', '>']);
    let is_version = bare.contains('.') && bare.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    !bare.is_empty() && !is_version
}

/// The address in a word or comment: `[192.0.2.1]`, `(unknown [IPv6:2001:db8::1])`, `(192.0.2.1)`, `([192.0.2.1] helo=x)`.
/// Of several the last: the name before it is what the client's own DNS says.
fn address(text: &str) -> Option<IpAddr> {
    let parts = text.split(['(', ')', '[', ']', ' ']);
    let bare = |part: &str| {
        let part = part.trim_start_matches("IPv6:").trim_start_matches("ipv6:");
        parse_address(part).ok()
    };
    parts.filter_map(bare).next_back()
}

/// The clauses, and the date behind the last `;` that is in no comment.
fn split_stamp(value: &str) -> (&str, &str) {
    let mut depth = 0usize;
    let mut end = None;
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => end = Some(at),
            _ => {}
        }
    }
    // A comment that is never closed hides no date.
    let end = end.or_else(|| value.rfind(';'));
    end.map_or((value, ""), |at| (&value[..at], &value[at + 1..]))
}

/// Words and comments, each comment as one.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut depth) = (None, 0usize);
    for (at, c) in text.char_indices() {
        match c {
            '(' => {
                if depth == 0 {
                    words.extend(start.take().map(|start| &text[start..at]));
                    start = Some(at);
                }
                depth += 1;
            }
            ')' if 0 < depth => {
                depth -= 1;
                if depth == 0 {
                    words.extend(start.take().map(|start| &text[start..=at]));
                }
            }
            c if depth == 0 && c.is_whitespace() => words.extend(start.take().map(|start| &text[start..at])),
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

/// A date of a header (RFC 5322 section 3.3), comments left out.
fn date(text: &str) -> Option<Time> {
    let plain = text.split('(').next().unwrap_or_default().trim();
    // The name of the day says nothing, and a wrong one would make the date invalid.
    let plain = plain.split_once(',').map_or(plain, |(_, rest)| rest).trim();
    DateTime::parse_from_rfc2822(plain).ok().map(|time| Time(time.timestamp_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, want: [&str; 5]) {
        let got = Received::read(value);
        let address = got.address.map_or_else(String::new, |address| address.to_string());
        let time = got.time.map_or_else(String::new, Time::rfc3339);
        assert_eq!([got.from.as_str(), &address, &got.by, &got.id, &time], want, "{value}");
    }

    #[test]
    fn received_of_each_server() {
        let at = "2027-01-18T06:30:19Z";
        check(
            "from a.example.net (a.example.net [198.51.100.7]) (using TLSv1.3 with cipher X (256/256 bits)) by mx1.example.org \
             (Postfix) with ESMTPS id 33031E3 for <bob@example.org>; Mon, 18 Jan 2027 07:30:19 +0100 (CET)",
            ["a.example.net", "198.51.100.7", "mx1.example.org", "33031E3", at],
        );
        check(
            "from [198.51.100.7] (helo=a) by mx1.example.org with esmtp (Exim 4.97) (envelope-from <a@example.net>) id \
             1RwtJa-000000AFB07-1XyZ; Mon, 18 Jan 2027 06:30:19 +0000",
            ["[198.51.100.7]", "198.51.100.7", "mx1.example.org", "1RwtJa-000000AFB07-1XyZ", at],
        );
        check(
            "from a (a.example.net [IPv6:2001:db8::7]) by mx1.example.org (8.18.1/8.18.1) with ESMTP id 70I6UJ3x012345 for \
             <b@example.org>; Mon, 18 Jan 2027 06:30:19 GMT",
            ["a", "2001:db8::7", "mx1.example.org", "70I6UJ3x012345", at],
        );
        check(
            "from EX1.example.org (10.0.0.1) by EX2.example.org (10.0.0.2) with Microsoft SMTP Server (TLS) id 15.2.1544.4; \
             Mon, 18 Jan 2027 06:30:19 +0000",
            ["EX1.example.org", "10.0.0.1", "EX2.example.org", "", at],
        );
        check(
            "from a ([198.51.100.7]) by mx1.example.org with Microsoft SMTPSVC(6.0.3790.3959);\t Mon, 18 Jan 2027 06:30:19 +0000",
            ["a", "198.51.100.7", "mx1.example.org", "", at],
        );
        check(
            "from unknown (HELO a) (198.51.100.7) by mx1.example.org with SMTP; 18 Jan 2027 06:30:19 -0000",
            ["unknown", "198.51.100.7", "mx1.example.org", "", at],
        );
        check("(qmail 1234 invoked by uid 89); 18 Jan 2027 06:30:19 -0000", ["", "", "", "", at]);
        check("by mx1.example.org (Postfix, from userid 33) id 4F1; x", ["", "", "mx1.example.org", "4F1", ""]);
        check("from (((( by x; (", ["", "", "", "", ""]);
    }

    #[test]
    fn a_notification() {
        let text = b"Received: from x by own.example.net id OTHER; Mon, 18 Jan 2027 06:40:00 +0000\n\
            Message-ID: <dsn@example.net>\n\nThis is the mail system.\n\nReporting-MTA: dns; mx1.example.org\n\
            X-Postfix-Queue-ID: 33031E3\nArrival-Date: Mon, 18 Jan 2027 06:30:19 +0000 (UTC)\n\n\
            Final-Recipient: rfc822; bob@example.com\nDiagnostic-Code: smtp; 550 5.1.1 no such\n    user\n\n\
            Received: from a ([198.51.100.7])\n\tby mx1.example.org (Postfix) with SMTP id 33031E3;\n\tMon, 18 Jan 2027 06:30:19 \
            +0000 (UTC)\nMessage-ID: <m@example.net>\n";
        let pasted = Pasted::read(text);
        assert_eq!(pasted.hops.len(), 1);
        assert_eq!((pasted.hops[0].by.as_str(), pasted.hops[0].id.as_str()), ("mx1.example.org", "33031E3"));
        assert_eq!(pasted.message_ids, ["dsn@example.net", "m@example.net"]);
        assert_eq!((pasted.reporting.as_str(), pasted.queue_id.as_str()), ("mx1.example.org", "33031E3"));
        assert_eq!(
            (pasted.recipients.as_slice(), pasted.diagnostic.as_str()),
            (&["bob@example.com".to_owned()][..], "550 5.1.1 no such user")
        );
        assert_eq!(pasted.arrival, pasted.hops[0].time);
    }

    #[test]
    fn pastes_that_lost_their_shape() {
        let pasted =
            Pasted::read(b"> Received: from a\n> by mx1 with SMTP\n> id AB1; Mon, 18 Jan 2027 06:30:19 +0000\n");
        assert_eq!((pasted.hops[0].by.as_str(), pasted.hops[0].id.as_str()), ("mx1", "AB1"));
        assert!(pasted.hops[0].time.is_some());
        assert!(Pasted::read(b"\xff\xfe\0hello\n: x").is_empty());
        assert!(Pasted::looks_like("Received: from a by b; x") && !Pasted::looks_like("a@b"));
    }
}
