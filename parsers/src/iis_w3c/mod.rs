//! The SMTP service of Microsoft IIS and of Exchange 2000 and 2003, in the W3C Extended Log File Format.
//!
//! A file is directives (`#Fields: date time c-ip ...`) and records of as many fields as the latest
//! `#Fields:` names, one space between them. A space inside a field is written as `+`, and so is a `+`:
//! no client can make a field end, but nothing tells its spaces from its plus signs, so both are left as logged.
//! The file holds both directions: commands of clients, and our own commands to other servers with their answers.

pub(crate) mod dialogue;
pub(crate) mod fields;
mod time;

use crate::record::{Line, Unparsed};
use crate::registry::{Context, Format};
use crate::text::address;
use fields::{Fields, Row};

/// IIS SMTP in W3C Extended format.
pub const FORMAT: Format = Format {
    name: "iis-smtp-w3c",
    title: "Microsoft IIS SMTP service and Exchange 2000/2003 SMTP virtual servers, W3C Extended log (ex*.log)",
    versions: "checked against published logs of IIS 5.0 and 7.0 and of one unnamed release (2019), 61 records in all; \
               any selection of columns",
    yields: "EHLO names, both paths, reply codes, sizes and Message-IDs of what clients sent; our own dialogue with \
             other servers and their answers",
    lacks: "session and queue ids, accounts, the text of refusals (unknown user and relay denied are both 550), \
            and whatever columns the administrator did not select",
    source: "W3C Extended Log File Format (WD-logfile-960323); Microsoft Learn \"Log Formats\" (cc780772); observed: \
             corpus iis-smtp-w3c (OSSEC documentation, IIS 5.0; M. Hinshelwood, IIS 7.0; Convert-PKIISLog, 2019)",
    repeats: &[],
    recognises,
    parse,
    direct,
};

const FIELDS: &[u8] = b"#Fields: ";
const DATE: &[u8] = b"#Date: ";
const SOFTWARE: &[u8] = b"#Software: Microsoft Internet Information Services";

/// Whether a line is surely of an IIS SMTP log.
///
/// A record is one if its fields begin `[date] [time] c-ip [cs-username] SMTPSVC<n>`, or name an outbound
/// connection after `c-ip`: IIS writes the columns in this order, whichever of them are selected. The head of
/// a file is the same for IIS's web server, whose logs no other format here claims.
fn recognises(line: &[u8]) -> bool {
    let line = without_padding(line);
    if line.starts_with(b"#") {
        let named = |column: &[u8]| columns(line).any(|name| name == column);
        return line.starts_with(SOFTWARE) || line.starts_with(FIELDS) && named(b"c-ip") && named(b"cs-username");
    }
    let mut words = line.split(|byte| *byte == b' ').skip_while(|word| time::is_date_or_time(word));
    let client = words.next().unwrap_or_default();
    let [user, site] = [words.next().unwrap_or_default(), words.next().unwrap_or_default()];
    address(client).is_some() && (is_smtp_site(user) || is_smtp_site(site) || dialogue::is_outbound_name(user))
}

/// Parses one line: a record, a directive, or padding.
///
/// A record has exactly as many fields as `context.columns`, an empty field being one, and may end in a space.
/// Where no `#Fields:` line came before, the 21 columns that IIS can write are assumed, or all but `s-port`,
/// if the fifth field is `SMTPSVC<n>`. Records of IIS's other services are ignored.
fn parse<'a>(line: &'a [u8], context: &Context) -> Line<'a> {
    let record = without_padding(line);
    match record.first() {
        None if line.is_empty() => return Line::Ignored("blank line"),
        None => return Line::Ignored("NUL padding"),
        Some(b'#') => return Line::Directive,
        Some(_) if record.trim_ascii().is_empty() => return Line::Ignored("blank line"),
        Some(_) => {}
    }
    let row = Row::read(&Fields::split(record), &context.columns);
    if row.as_ref().is_ok_and(is_other_service) {
        return Line::Ignored("a record of another IIS service");
    }
    match row.and_then(|row| dialogue::record(&row, context)) {
        Ok(record) => Line::Record(record),
        Err(Unparsed { at, expected }) => Line::Unparsed(Unparsed { at: at + line.len() - record.len(), expected }),
    }
}

/// Takes the columns of a `#Fields:` line and the date of a `#Date: 2006-10-09 05:00:15` line.
///
/// Both may come again anywhere, with other columns: IIS writes them whenever the service starts.
fn direct(line: &[u8], context: &mut Context) {
    let line = without_padding(line);
    if line.starts_with(FIELDS) {
        context.columns = columns(line).map(Box::from).collect();
    } else if let Some(date) = line.strip_prefix(DATE) {
        let date = date.split(|byte| *byte == b' ').next();
        context.date = date.and_then(time::date).or(context.date);
    }
}

/// The names in a `#Fields:` line. In real files it ends in a space, which names nothing.
fn columns(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let names = line.strip_prefix(FIELDS).unwrap_or_default();
    names.split(u8::is_ascii_whitespace).filter(|name| !name.is_empty())
}

/// The line without the NUL bytes at its start: what IIS had allocated and not written when the machine
/// stopped. The line that it writes next follows them.
fn without_padding(line: &[u8]) -> &[u8] {
    match line.first() {
        Some(0) => &line[line.iter().position(|byte| *byte != 0).unwrap_or(line.len())..],
        _ => line,
    }
}

/// Whether this is the name of an SMTP virtual server: `SMTPSVC1`.
pub(crate) fn is_smtp_site(name: &[u8]) -> bool {
    let number = name.strip_prefix(b"SMTPSVC").unwrap_or_default();
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

/// Whether the columns show another service of IIS: web, FTP or news. What IIS's web server logs by default
/// has neither `s-sitename` nor `cs-version`, but `cs-uri-stem`, which begins with `/`.
fn is_other_service(row: &Row<'_>) -> bool {
    let services: [&[u8]; 3] = [b"W3SVC", b"MSFTPSVC", b"NNTPSVC"];
    services.iter().any(|service| row.site.starts_with(service))
        || row.version.starts_with(b"HTTP/")
        || row.stem.starts_with(b"/")
}

#[cfg(test)]
mod tests;
