//! Comma-separated rows as Exchange 2007 and later writes them (RFC 4180): the fields of a line and the columns they
//! stand in.
//!
//! A field that holds a comma or a quotation mark is quoted, and a quotation mark in it is doubled. So no text of a
//! client can end its field. Fields are borrowed from the line: a doubled quotation mark stays doubled.

use crate::record::{Unparsed, When};
use crate::registry::Context;
use crate::syslog::time;
use crate::text::{address, number};
use std::net::IpAddr;

/// The most columns that are read. Exchange 2019 tracking has 30.
pub const MOST: usize = 40;
const FIELDS: &[u8] = b"#Fields:";
const LOG_TYPE: &[u8] = b"#Log-type:";
/// The UTF-8 byte order mark; some of the files begin with it.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A line cut into its fields, without their outer quotation marks.
pub struct Fields<'a> {
    line: &'a [u8],
    all: [&'a [u8]; MOST],
    /// How many there are; with more than fit, the rest is only counted.
    pub count: usize,
}

impl<'a> Fields<'a> {
    /// Cuts a line at its commas. Fails where a quote is not closed, or where something follows a closed one.
    pub fn split(line: &'a [u8]) -> Result<Fields<'a>, Unparsed> {
        let mut fields = Fields { line, all: [b""; MOST], count: 0 };
        let mut start = 0;
        loop {
            let end = match line.get(start) {
                Some(b'"') => {
                    let end = closing_quote(line, start + 1)?;
                    fields.push(&line[start + 1..end]);
                    end + 1
                }
                _ => {
                    let rest = &line[start..];
                    let length = memchr::memchr(b',', rest).unwrap_or(rest.len());
                    fields.push(&rest[..length]);
                    start + length
                }
            };
            match line.get(end) {
                None => return Ok(fields),
                Some(b',') => start = end + 1,
                Some(_) => return Err(Unparsed { at: end, expected: "`,` after the closing `\"` of a field" }),
            }
        }
    }

    fn push(&mut self, field: &'a [u8]) {
        if let Some(place) = self.all.get_mut(self.count) {
            *place = field;
        }
        self.count += 1;
    }

    /// The field of that index; empty if there is none.
    pub fn get(&self, index: usize) -> &'a [u8] {
        self.all.get(index).copied().unwrap_or_default()
    }

    /// Each field with the name of its column, in order.
    ///
    /// The names are those of the latest header, or, if there was none, `default` gives them for the number of
    /// fields. Fails if there are other fields than names: a row that is not of these columns is not guessed at.
    pub fn named<'c>(
        &self,
        context: &'c Context,
        default: impl Fn(usize) -> Option<&'static [&'static str]>,
    ) -> Result<impl Iterator<Item = (&'c [u8], &'a [u8])>, Unparsed> {
        let columns = &context.columns;
        let known = if columns.is_empty() { default(self.count) } else { None };
        let due = known.map_or(columns.len(), <[_]>::len);
        if due == 0 {
            return Err(Unparsed { at: 0, expected: "a header that names the columns, or as many as Exchange writes" });
        }
        if due != self.count || MOST < due {
            let at = self.line.len().min(offset(self.line, self.get(due.min(self.count).saturating_sub(1))));
            return Err(Unparsed { at, expected: "as many fields as the header names" });
        }
        let names = columns.iter().map(Box::as_ref).chain(known.unwrap_or_default().iter().map(|name| name.as_bytes()));
        Ok(names.zip(self.all))
    }
}

/// Where a field stands in its line.
pub fn offset(line: &[u8], field: &[u8]) -> usize {
    (field.as_ptr() as usize).saturating_sub(line.as_ptr() as usize).min(line.len())
}

/// The index of the quotation mark that closes the field whose text begins at `from`.
fn closing_quote(line: &[u8], mut from: usize) -> Result<usize, Unparsed> {
    while let Some(length) = line.get(from..).and_then(|rest| memchr::memchr(b'"', rest)) {
        match line.get(from + length + 1) {
            Some(b'"') => from += length + 2,
            _ => return Ok(from + length),
        }
    }
    Err(Unparsed { at: line.len(), expected: "`\"` to close the field" })
}

/// The line without a byte order mark.
pub fn unmarked(line: &[u8]) -> &[u8] {
    line.strip_prefix(MARK).unwrap_or(line)
}

/// Takes the names of a `#Fields: date-time,client-ip` line, in lower case, and the title of a `#Log-type:` line.
pub fn direct(line: &[u8], context: &mut Context) {
    let line = unmarked(line);
    if let Some(names) = after(FIELDS, line) {
        context.columns = names.split(|byte| *byte == b',').map(column).collect();
    } else if let Some(title) = after(LOG_TYPE, line) {
        context.log_type = title.into();
    }
}

/// The name of a column: lower case, and with `-` where Exchange Online has `_`.
pub fn column(name: &[u8]) -> Box<[u8]> {
    let plain = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.trim_ascii().iter().map(plain).collect()
}

/// The title of a `#Log-type:` line, or the names of a `#Fields:` line; `None` for other lines.
pub fn title(line: &[u8]) -> Option<&[u8]> {
    after(LOG_TYPE, line).or_else(|| after(FIELDS, line))
}

/// What stands behind a directive's name. `#Log-Type` is written in both ways.
fn after<'a>(name: &[u8], line: &'a [u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name).then(|| rest.trim_ascii())
}

/// A time that fills a field: `2024-02-01T10:00:01.100Z`, in UTC.
pub fn utc(field: &[u8]) -> Option<When> {
    match time::iso(field) {
        Ok((b"", when @ When::Utc(_))) => Some(when),
        _ => None,
    }
}

/// The host of `192.0.2.1:25`, `[2001:db8::1]:25`, or an address without port.
pub fn endpoint(text: &[u8]) -> Option<IpAddr> {
    let host = memchr::memrchr(b':', text).filter(|end| number(&text[end + 1..]).is_some()).map(|end| &text[..end]);
    host.and_then(address).or_else(|| address(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: Result<&[&str], (usize, &str)>) {
        let got = Fields::split(line.as_bytes());
        let got = got.as_ref().map(|f| (0..f.count).map(|at| String::from_utf8_lossy(f.get(at))).collect::<Vec<_>>());
        match (got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{line}"),
            (Err(got), Err(want)) => assert_eq!((got.at, got.expected), want, "{line}"),
            (got, want) => panic!("{line}: {got:?}, not {want:?}"),
        }
    }

    #[test]
    fn rows() {
        check("", Ok(&[""]));
        check("a,b,,", Ok(&["a", "b", "", ""]));
        check("a,\"b,c\",d", Ok(&["a", "b,c", "d"]));
        check("\"\",\"a\"\"b\"", Ok(&["", "a\"\"b"]));
        check("\"a\"\"\"", Ok(&["a\"\""]));
        check("a\"b\",c", Ok(&["a\"b\"", "c"]));
        check("a,\"b", Err((4, "`\"` to close the field")));
        check("a,\"b\"\",c", Err((8, "`\"` to close the field")));
        check("\"a\"b,c", Err((3, "`,` after the closing `\"` of a field")));
    }

    #[test]
    fn more_fields_than_fit_are_counted() {
        let line = ",".repeat(99);
        assert_eq!(Fields::split(line.as_bytes()).map(|fields| fields.count), Ok(100));
    }

    #[test]
    fn columns_come_from_the_header_or_from_the_number_of_fields() {
        let two = |count| (count == 2).then_some(["x", "y"].as_slice());
        let names = |line: &str, context: &Context| {
            let fields = Fields::split(line.as_bytes()).map_err(|unparsed| unparsed.at)?;
            let named = fields.named(context, two).map_err(|unparsed| unparsed.at)?;
            Ok(named.map(|(name, field)| String::from_utf8_lossy(&[name, b"=", field].concat()).into_owned()).collect())
        };
        let mut context = Context::default();
        assert_eq!(names("1,2", &context), Ok(vec!["x=1".to_owned(), "y=2".to_owned()]));
        assert_eq!(names("1,2,3", &context), Err(0));
        direct(b"\xef\xbb\xbf#Fields: A,b_c,d", &mut context);
        direct(b"#Log-Type: Agent Log", &mut context);
        assert_eq!(names("1,2,3", &context), Ok(vec!["a=1".to_owned(), "b-c=2".to_owned(), "d=3".to_owned()]));
        assert_eq!(names("1,2", &context), Err(2));
        assert_eq!(*context.log_type, *b"Agent Log");
    }
}
