//! The fields of a record, and which column each of them stands in.

use super::is_smtp_site;
use crate::record::Unparsed;

/// The most columns a `#Fields:` line may name; IIS has 21 for SMTP.
const MOST: usize = 32;

/// Every column that IIS can write for SMTP, in its order.
const DEFAULT: [&[u8]; 21] = [
    b"date",
    b"time",
    b"c-ip",
    b"cs-username",
    b"s-sitename",
    b"s-computername",
    b"s-ip",
    S_PORT,
    b"cs-method",
    b"cs-uri-stem",
    b"cs-uri-query",
    b"sc-status",
    b"sc-win32-status",
    b"sc-bytes",
    b"cs-bytes",
    b"time-taken",
    b"cs-version",
    b"cs-host",
    b"cs(User-Agent)",
    b"cs(Cookie)",
    b"cs(Referer)",
];
const S_PORT: &[u8] = b"s-port";
/// Index of `s-sitename` among them.
const SITE: usize = 4;

/// A line cut at its spaces.
pub struct Fields<'a> {
    fields: [&'a [u8]; MOST],
    /// How many there are: with more than [`MOST`], the rest is only counted.
    count: usize,
    line: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Cuts a line at every space: two spaces have an empty field between them.
    pub fn split(line: &'a [u8]) -> Fields<'a> {
        let (mut fields, mut count, mut start) = ([b"".as_slice(); MOST], 0, 0);
        let mut push = |end: usize| {
            if let Some(field) = fields.get_mut(count) {
                *field = &line[start..end];
            }
            count += 1;
            start = end + 1;
        };
        each_space(line, &mut push);
        push(line.len());
        Fields { fields, count, line }
    }

    /// Where the field of that index begins, or the line ends if it has no such field.
    fn offset(&self, index: usize) -> usize {
        let before = self.fields.iter().take(index).map(|field| field.len() + 1).sum::<usize>();
        before.min(self.line.len())
    }

    /// Whether the line ends in a space, after which nothing stands.
    fn ends_in_space(&self) -> bool {
        self.line.ends_with(b" ")
    }
}

/// Calls `found` with the index of every space, in order.
///
/// Fields are a few bytes long: looking at eight bytes at once takes a third of the time that a search
/// (memchr) for each next space does, and this is most of what there is to parse.
fn each_space(line: &[u8], mut found: impl FnMut(usize)) {
    const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
    const LOW_BITS: u64 = u64::from_le_bytes([0x7f; 8]);
    let (words, rest) = line.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // A byte is 0 here where the line has a space; adding the low bits then leaves its high bit unset.
        let differing = u64::from_le_bytes(*word) ^ SPACES;
        let mut spaces = !(((differing & LOW_BITS) + LOW_BITS) | differing | LOW_BITS);
        while spaces != 0 {
            found(index * 8 + spaces.trailing_zeros() as usize / 8);
            spaces &= spaces - 1;
        }
    }
    let start = words.len() * 8;
    rest.iter().enumerate().filter(|(_, byte)| **byte == b' ').for_each(|(index, _)| found(start + index));
}

/// What the columns that matter hold; empty where the column is absent or holds `-`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row<'a> {
    pub date: &'a [u8],
    pub time: &'a [u8],
    /// The other side: the client, or the server of an outbound connection.
    pub peer: &'a [u8],
    /// The EHLO name (not an account), or which side of an outbound connection speaks.
    pub user: &'a [u8],
    pub site: &'a [u8],
    pub computer: &'a [u8],
    /// The address of ours that the client connected to; empty for outbound connections.
    pub own_address: &'a [u8],
    /// `0` for clients, the other server's port for outbound connections.
    pub port: &'a [u8],
    pub method: &'a [u8],
    /// Always empty for SMTP; the path of a URL for the web server.
    pub stem: &'a [u8],
    pub query: &'a [u8],
    pub status: &'a [u8],
    /// Bytes received.
    pub bytes: &'a [u8],
    pub version: &'a [u8],
    /// Where date, time and status begin in the line.
    pub at: At,
}

/// Where columns begin that can be wrong, as bytes from the start of the line.
#[derive(Debug, Clone, Copy, Default)]
pub struct At {
    pub date: usize,
    pub time: usize,
    pub status: usize,
}

impl<'a> Row<'a> {
    /// Reads a record of these columns, or of the default ones if there are none.
    pub fn read(fields: &Fields<'a>, columns: &[Box<[u8]>]) -> Result<Row<'a>, Unparsed> {
        if columns.is_empty() {
            return Self::without_header(fields);
        }
        if MOST < columns.len() {
            return Err(Unparsed { at: 0, expected: "at most 32 columns in the latest `#Fields:` line" });
        }
        if fields.count == columns.len() || fields.count == columns.len() + 1 && fields.ends_in_space() {
            return Ok(Self::of(fields, columns.iter().map(Box::as_ref)));
        }
        let expected = "as many fields as the latest `#Fields:` line names";
        Err(Unparsed { at: fields.offset(columns.len()), expected })
    }

    /// Reads a record of a fragment that has lost its head.
    fn without_header(fields: &Fields<'a>) -> Result<Row<'a>, Unparsed> {
        let expected = "a `#Fields:` line before the first record, or all 21 columns of IIS";
        let is_smtp = is_smtp_site(fields.fields[SITE]);
        match fields.count - usize::from(fields.ends_in_space()) {
            21 if is_smtp => Ok(Self::of(fields, DEFAULT.into_iter())),
            20 if is_smtp => Ok(Self::of(fields, DEFAULT.into_iter().filter(|name| *name != S_PORT))),
            _ => Err(Unparsed { at: 0, expected }),
        }
    }

    fn of<'c>(fields: &Fields<'a>, columns: impl Iterator<Item = &'c [u8]>) -> Row<'a> {
        let (mut row, mut at) = (Row::default(), 0);
        for (name, field) in columns.zip(&fields.fields) {
            let value: &[u8] = if *field == b"-" { b"" } else { field };
            match name {
                b"date" => (row.date, row.at.date) = (value, at),
                b"time" => (row.time, row.at.time) = (value, at),
                b"c-ip" => row.peer = value,
                b"cs-username" => row.user = value,
                b"s-sitename" => row.site = value,
                b"s-computername" => row.computer = value,
                b"s-ip" => row.own_address = value,
                S_PORT => row.port = value,
                b"cs-method" => row.method = value,
                b"cs-uri-stem" => row.stem = value,
                b"cs-uri-query" => row.query = value,
                b"sc-status" => (row.status, row.at.status) = (value, at),
                b"cs-bytes" => row.bytes = value,
                b"cs-version" => row.version = value,
                _ => {}
            }
            at += field.len() + 1;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_found_where_they_are() {
        let check = |line: &[u8]| {
            let mut found = Vec::new();
            each_space(line, |index| found.push(index));
            let want: Vec<usize> = (0..line.len()).filter(|index| line[*index] == b' ').collect();
            assert_eq!(found, want, "{line:?}");
        };
        check(b"");
        check(b" ");
        check(b"2006-10-09 05:00:15 192.0.2.9  SMTPSVC1 - ");
        // Neighbours of a space in value, and every byte beside one.
        check(b" ! !\x1f \x1f\xa0 \xa0\x21\x20\x20\xff \0");
        for byte in 0..=u8::MAX {
            check(&[byte, b' ', byte, byte, b' ', b' ', byte, b' ', b' ', byte]);
        }
    }
}
