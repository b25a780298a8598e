//! Forward-paths that one line lists.

use std::iter::from_fn;

/// The forward-paths of one line: nearly always one, but a list in logs that give a line per message
/// or per group of recipients (Sendmail `to=<a@x>,<b@y>`, Exchange tracking `a@x;b@y`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paths<'a> {
    text: &'a [u8],
    shape: Shape,
}

/// How the text holds the paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// It is one path.
    One,
    /// Separated; quotes and brackets guard the separator.
    List(u8),
    /// Separated, whatever else stands there.
    Split(u8),
    /// JSON strings, separated by commas.
    Strings,
}

impl<'a> From<&'a [u8]> for Paths<'a> {
    /// One path, without its angle brackets.
    fn from(path: &'a [u8]) -> Self {
        Paths { text: path, shape: Shape::One }
    }
}

impl<'a> Paths<'a> {
    /// A list as logged. A separator inside quotes or angle brackets is part of a path.
    pub fn list(text: &'a [u8], separator: u8) -> Self {
        Paths { text, shape: Shape::List(separator) }
    }

    /// A list in a log that writes a separator inside a path in some other way (Zeek: `\x2c`).
    pub fn split(text: &'a [u8], separator: u8) -> Self {
        Paths { text, shape: Shape::Split(separator) }
    }

    /// The inside of a JSON list of strings.
    pub fn strings(text: &'a [u8]) -> Self {
        Paths { text, shape: Shape::Strings }
    }

    /// The paths, in order, without angle brackets and the space around them. Empty ones are left out, but a
    /// single path may be empty.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = Some(self.text);
        from_fn(move || {
            loop {
                let text = rest?;
                let end = match self.shape {
                    Shape::One => {
                        rest = None;
                        return Some(text);
                    }
                    Shape::List(separator) => path_end(text, separator),
                    Shape::Split(separator) => memchr::memchr(separator, text).unwrap_or(text.len()),
                    Shape::Strings => path_end(text, b','),
                };
                rest = text.get(end + 1..);
                let path = text[..end].trim_ascii();
                let path = without_brackets(if self.shape == Shape::Strings { without_quotes(path) } else { path });
                if !path.is_empty() {
                    return Some(path);
                }
            }
        })
    }
}

/// Where the first path of a list ends. A quote or bracket that is never closed guards nothing: the line was cut, or
/// whoever wrote the address wished to hide the rest of the list.
fn path_end(text: &[u8], separator: u8) -> usize {
    let plain = memchr::memchr(separator, text).unwrap_or(text.len());
    let guarded = text[..plain].iter().any(|byte| matches!(byte, b'"' | b'<'));
    if guarded { guarded_end(text, separator).unwrap_or(plain) } else { plain }
}

/// The same, where quotes (with `\` before a quote) and brackets are to be heeded; `None` if one is never closed.
fn guarded_end(text: &[u8], separator: u8) -> Option<usize> {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => bracketed = true,
            b'>' if !quoted => bracketed = false,
            _ if *byte == separator && !quoted && !bracketed => return Some(at),
            _ => {}
        }
    }
    (!quoted && !bracketed).then_some(text.len())
}

fn without_brackets(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"<").and_then(|inside| inside.strip_suffix(b">")).unwrap_or(path)
}

fn without_quotes(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"\"").and_then(|inside| inside.strip_suffix(b"\"")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &[&str]) {
        let got: Vec<&[u8]> = Paths::list(text.as_bytes(), b',').iter().collect();
        let want: Vec<&[u8]> = want.iter().map(|path| path.as_bytes()).collect();
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn lists() {
        check("<a@x>,<b@y>", &["a@x", "b@y"]);
        check("a@x, \\b,c@z", &["a@x", "\\b", "c@z"]);
        check("<\"a,b\"@x>,<@r1,@r2:c@y>", &["\"a,b\"@x", "@r1,@r2:c@y"]);
        check("\"|/bin/f -a, b\",d@x", &["\"|/bin/f -a, b\"", "d@x"]);
        check("\"a\\\",b\"@x,c@y", &["\"a\\\",b\"@x", "c@y"]);
        check(",,", &[]);
        check("", &[]);
    }

    #[test]
    fn what_is_never_closed_hides_nothing() {
        check("<a@x,<b@y>,c@z", &["a@x,<b@y", "c@z"]);
        check("\"a@x,b@y,c@z", &["\"a@x", "b@y", "c@z"]);
    }

    #[test]
    fn other_shapes() {
        let split = Paths::split(b"\"a@x,b\"@y,<c@z>", b',');
        assert_eq!(split.iter().collect::<Vec<_>>(), [b"\"a@x".as_slice(), b"b\"@y", b"c@z"]);
        let strings = Paths::strings(br#""a@x", "<b,c@y>","\"d,e\"@z""#);
        assert_eq!(strings.iter().collect::<Vec<_>>(), [b"a@x".as_slice(), b"b,c@y", br#"\"d,e\"@z"#]);
    }

    #[test]
    fn one_path_is_left_as_it_is() {
        assert_eq!(Paths::from(b"a,b@x".as_slice()).iter().collect::<Vec<_>>(), [b"a,b@x"]);
        assert_eq!(Paths::from(b"".as_slice()).iter().collect::<Vec<_>>(), [b""]);
    }
}
