//! Puts text of a client's choice where a client's text stands in a log, in the way in which the server would have written it.

use relayaudit::extract::{COLUMNS, Cell, Row, RowScribe, Rows};
use relayaudit::fold::{Filter, Part};
use relayaudit::observe::Window;
use relayaudit::scribe::Scribe;
use relayaudit::site::Site;
use relayaudit_parsers::registry::Format;
use std::collections::{BTreeMap, BTreeSet};

/// An address and a domain that stand in nothing but the text of a client.
pub const ADDRESS: &str = "203.0.113.251";
pub const DOMAIN: &str = "forged.example";

/// What a client chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Helo,
    ReversePath,
    ForwardPath,
    MessageId,
}

const FIELDS: [(Field, &str); 4] = [
    (Field::Helo, "helo"),
    (Field::ReversePath, "reverse_path"),
    (Field::ForwardPath, "forward_path"),
    (Field::MessageId, "message_id"),
];

/// A log, with the values that clients chose in it.
pub struct Sample {
    pub name: String,
    pub text: String,
    pub values: BTreeMap<Field, BTreeSet<String>>,
}

impl Sample {
    pub fn of(name: &str, format: &'static Format, text: &[u8]) -> Sample {
        let text = String::from_utf8_lossy(text).into_owned();
        let mut values = BTreeMap::<Field, BTreeSet<String>>::new();
        let rows = rows(format, text.as_bytes());
        // An account and a host name are not the client's choice, though they may be written alike.
        let of = |name: &str| -> BTreeSet<&str> { rows.iter().filter_map(|row| row.get(name)).map(|s| &**s).collect() };
        let (accounts, names) = (of("account"), of("client_name"));
        for row in &rows {
            for (field, column) in FIELDS {
                let value = row
                    .get(column)
                    .filter(|value| 4 <= value.len() && !value.contains('"') && text.contains(&***value));
                let value = value.filter(|value| !accounts.contains(&***value) && !names.contains(&***value));
                let is_path = matches!(field, Field::ReversePath | Field::ForwardPath);
                let value = value.filter(|value| !is_path || value.contains('@'));
                values.entry(field).or_default().extend(value.cloned());
            }
        }
        Sample { name: name.to_owned(), text, values }
    }

    /// Lines of the log, one of each kind, that tell of other clients and domains; whole, and from some word on.
    pub fn forgeries(&self) -> Vec<String> {
        let mut kinds = BTreeMap::<String, &str>::new();
        for line in self.text.lines().filter(|line| !line.starts_with('#')) {
            let kind = line.chars().filter(|c| c.is_alphabetic()).take(60).collect();
            kinds.entry(kind).or_insert(line);
        }
        let mut by_word = BTreeMap::<String, String>::new();
        for line in kinds.values() {
            let line = forged(line);
            let starts = line.match_indices([' ', ',', ';', '\t']).map(|(at, _)| at).chain([0]);
            for start in starts {
                let rest = &line[start..];
                by_word.entry(rest.chars().take(12).collect()).or_insert_with(|| rest.to_owned());
            }
        }
        by_word.into_values().collect()
    }

    /// The log with `text` in the place of a value; `None` where a client cannot write it there.
    pub fn with(&self, field: Field, value: &str, text: &str) -> Option<String> {
        let text = match field {
            Field::Helo => hello(&self.name, text),
            Field::MessageId => text.to_owned(),
            Field::ReversePath | Field::ForwardPath => {
                let (_, domain) = value.rsplit_once('@')?;
                let text = text.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{text}\"@{domain}")
            }
        };
        let is_haraka = self.name.contains("haraka");
        if is_haraka && field == Field::MessageId {
            // Haraka quotes it with its brackets, which are not a part of the value here.
            return None;
        }
        Some(match encoding(&self.name, &self.text) {
            Encoding::Plain if is_haraka && field == Field::Helo => replace(&self.text, value, &in_pairs(&text)),
            Encoding::Csv => in_csv(&self.text, value, &text),
            encoding => replace(&self.text, value, &encoding.of(&text)),
        })
    }
}

/// A line, told of somebody else.
fn forged(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let before = out.chars().last();
        let word = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || ".-:".contains(c)).len();
        let address = rest[..word].trim_end_matches([':', '.', '-']);
        if before == Some('@') && 0 < word {
            out.push_str(DOMAIN);
            rest = &rest[word..];
        } else if !before.is_some_and(|c| c.is_ascii_alphanumeric()) && address.parse::<std::net::IpAddr>().is_ok() {
            out.push_str(ADDRESS);
            rest = &rest[address.len()..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// What servers make of an EHLO name. Postfix writes `?` for what is special in paths and for blanks (smtpd.c, `NEUTER_CHARACTERS`); Exim
/// (`helo_allow_chars`) and Sendmail (srvrsmtp.c) take no name with blanks.
fn hello(sample: &str, text: &str) -> String {
    let is = |format: &str| sample.contains(format);
    match () {
        () if is("postfix") || is("mailscanner") => text.replace([' ', '<', '>', '(', ')', '\\', '"', ';', '@'], "?"),
        () if is("exim") || is("sendmail") || is("handed-on") => text.replace(' ', "_"),
        () => text.to_owned(),
    }
}

/// How a format writes a text.
#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Json,
    Csv,
    Plus,
    Tabs,
    Cef,
}

impl Encoding {
    fn of(self, text: &str) -> String {
        match self {
            Encoding::Json => {
                let quoted = serde_json::to_string(text).unwrap();
                quoted[1..quoted.len() - 1].to_owned()
            }
            // A blank is `+` in the columns of IIS.
            Encoding::Plus => text.replace(' ', "+"),
            // Zeek writes what would separate as `\x09`, `\x2c`; Exchange has no tabs in its columns.
            Encoding::Tabs => text.replace('\t', "\\x09").replace(',', "\\x2c"),
            // Common Event Format, "Character encoding".
            Encoding::Cef => text.replace('\\', "\\\\").replace('=', "\\="),
            Encoding::Plain | Encoding::Csv => text.to_owned(),
        }
    }
}

fn encoding(sample: &str, text: &str) -> Encoding {
    let is = |format: &str| sample.contains(format);
    match () {
        () if text.starts_with('{') || text.lines().any(|line| line.contains(" {\"level\"")) => Encoding::Json,
        () if is("exchange2000") || is("zeek") => Encoding::Tabs,
        () if is("exchange") => Encoding::Csv,
        () if is("iis-smtp-w3c") || is("iis-smtp-ncsa") => Encoding::Plus,
        () if is("cisco-esa/") => Encoding::Cef,

        () => Encoding::Plain,
    }
}

/// A value as Haraka writes it (logger.js, `stringify`).
fn in_pairs(text: &str) -> String {
    match text.contains([' ', '=', '"', '\\']) {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => text.to_owned(),
    }
}

/// Replaces a value wherever it stands as a word of its own.
fn replace(text: &str, value: &str, by: &str) -> String {
    let mut out = String::new();
    let mut from = 0;
    let within = |c: char| c.is_ascii_alphanumeric() || "_@%!-".contains(c);
    for (at, _) in text.match_indices(value) {
        let before = text[..at].chars().last().is_some_and(|c| within(c) || c == '.');
        // Within quotation marks of its own it is the inside of a quoted local-part.
        let before = before || text[..at].ends_with("<\"");
        let after = text[at + value.len()..].chars().next().is_some_and(within);
        if from <= at && !before && !after {
            out.push_str(&text[from..at]);
            out.push_str(by);
            from = at + value.len();
        }
    }
    out + &text[from..]
}

/// The same in comma-separated values: a field that needs it is put in quotation marks (RFC 4180).
fn in_csv(text: &str, value: &str, by: &str) -> String {
    let line = |line: &str| -> String {
        if line.starts_with('#') || !line.contains(value) {
            return line.to_owned();
        }
        let fields = cells(line).into_iter().map(|field| replace(&field, value, by));
        let quoted = |field: String| match field.contains(['"', ',']) {
            true => format!("\"{}\"", field.replace('"', "\"\"")),
            false => field,
        };
        fields.map(quoted).collect::<Vec<_>>().join(",")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// The fields of a line of comma-separated values.
pub fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cells.last_mut().unwrap().push(chars.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// The rows of a log, by column.
fn rows(format: &'static Format, text: &[u8]) -> Vec<BTreeMap<&'static str, String>> {
    let chunk = super::forged::chunk(format, text);
    let mut scribe = RowScribe::new(Window::default());
    let part = Part::<Rows>::read(&chunk, &Filter::default(), &mut scribe);
    let mut rows = part.finish_for(&Filter::default());
    rows.0.extend(scribe.finish().0);
    let of = |row: &Row| {
        let cells = row.cells(&Site::default(), "", "")?;
        let texts = COLUMNS.iter().zip(cells).filter_map(|(name, cell)| match cell {
            Cell::Text(text) => Some((*name, text)),
            _ => None,
        });
        Some(texts.collect())
    };
    rows.0.iter().filter_map(of).collect()
}
