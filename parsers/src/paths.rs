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
    /// The same, each quotation mark standing there twice.
    Doubled(u8),
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

    /// A list in a quoted field of comma-separated values, in which each quotation mark is doubled (RFC 4180) and
    /// stays so in the paths.
    pub fn doubled_list(text: &'a [u8], separator: u8) -> Self {
        Paths { text, shape: Shape::Doubled(separator) }
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
                    Shape::List(separator) => path_end(text, separator, false),
                    Shape::Doubled(separator) => path_end(text, separator, true),
                    Shape::Split(separator) => memchr::memchr(separator, text).unwrap_or(text.len()),
                    Shape::Strings => path_end(text, b',', false),
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
fn path_end(text: &[u8], separator: u8, doubled: bool) -> usize {
    let plain = memchr::memchr(separator, text).unwrap_or(text.len());
    let guarded = text[..plain].iter().any(|byte| matches!(byte, b'"' | b'<'));
    if guarded { guarded_end(text, separator, doubled).unwrap_or(plain) } else { plain }
}

/// The same, where quotes (with `\` before a quote) and brackets are to be heeded; `None` if one is never closed.
fn guarded_end(text: &[u8], separator: u8, doubled: bool) -> Option<usize> {
    let (mut at, mut quoted, mut bracketed) = (0, false, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => quoted = !quoted,
            b'<' if !quoted => bracketed = true,
            b'>' if !quoted => bracketed = false,
            _ if *byte == separator && !quoted && !bracketed => return Some(at),
            _ => {}
        }
        at += width(&text[at..], quoted, doubled);
    }
    (!quoted && !bracketed).then_some(text.len())
}

/// How many bytes stand for the first character: an escaped one has its `\` before it, and a quotation mark may be
/// doubled.
fn width(rest: &[u8], quoted: bool, doubled: bool) -> usize {
    let mark = |rest: &[u8]| if doubled && rest.starts_with(b"\"\"") { 2 } else { 1 };
    match rest {
        [b'\\', escaped @ ..] if quoted && !escaped.is_empty() => 1 + mark(escaped),
        _ => mark(rest),
    }
}

/// A path without its brackets; `<>`, the null reverse-path, is empty.
pub(crate) fn without_brackets(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"<").and_then(|inside| inside.strip_suffix(b">")).unwrap_or(path)
}

/// The path in the argument of MAIL or RCPT, without brackets, and the parameters behind it.
///
/// `keyword` is `FROM:` or `TO:` (RFC 5321 sections 4.1.1.2 and 4.1.1.3); clients also send `FROM: <a@b>` and
/// `FROM:a@b`. In brackets, a `>` in a quoted local-part, or in one whose quotation marks a log has doubled, ends
/// nothing. `None` where the keyword or the path is missing.
pub fn of_command<'a>(keyword: &[u8], argument: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (head, rest) = argument.trim_ascii_start().split_at_checked(keyword.len())?;
    let rest = head.eq_ignore_ascii_case(keyword).then(|| rest.trim_ascii_start())?;
    match rest.strip_prefix(b"<") {
        Some(inside) => {
            let end = bracket_end(inside);
            Some((undoubled(&inside[..end]), inside.get(end + 1..).unwrap_or_default()))
        }
        None if rest.is_empty() => None,
        None => Some(rest.split_at(rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len()))),
    }
}

/// A path that is one quoted string, with its quotation marks doubled by a log, as the client sent it. In other paths
/// they stay doubled: no part of the line is what the client sent.
fn undoubled(path: &[u8]) -> &[u8] {
    match path {
        [b'"', inside @ .., b'"'] if inside.starts_with(b"\"") && inside.ends_with(b"\"") && 1 < inside.len() => inside,
        _ => path,
    }
}

/// Whether a path is no piece of one: one that begins with a quotation mark has its local-part closed, and a domain behind it without a
/// further mark (RFC 5321 section 4.1.2). For logs that escape nothing, where a client can write what looks like the end of a path.
pub fn is_whole(path: &[u8]) -> bool {
    let Some(inside) = path.strip_prefix(b"\"") else { return true };
    let (mut at, marks) = (0, memchr::memchr_iter(b'"', inside));
    for mark in marks {
        let escapes = inside[at..mark].iter().rev().take_while(|byte| **byte == b'\\').count();
        at = mark + 1;
        if escapes.is_multiple_of(2) {
            let domain = inside[at..].strip_prefix(b"@");
            return domain.is_some_and(|domain| !domain.contains(&b'"'));
        }
    }
    false
}

/// Where the bracket closes that was opened before `inside`. A quote that is never closed guards nothing. Quotation marks
/// are doubled where the first one is: no local-part has two side by side but an empty one. Elsewhere `\""` is a mark that is
/// escaped and one that ends the quote, which a client must not make look like another.
fn bracket_end(inside: &[u8]) -> usize {
    let first = memchr::memchr(b'"', inside).map_or(b"".as_slice(), |at| &inside[at..]);
    let doubled = matches!(first, [b'"', b'"', next, ..] if *next != b'@');
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = inside.get(at) {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at,
            _ => {}
        }
        at += width(&inside[at..], quoted, doubled);
    }
    memchr::memchr(b'>', inside).unwrap_or(inside.len())
}

fn without_quotes(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"\"").and_then(|inside| inside.strip_suffix(b"\"")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_paths() {
        for whole in ["a@x", "", "a\"b@x", "\"a b\"@x", "\"a\\\" b=\\\"c\"@x", "\"\\\\\"@x"] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
        }
        for piece in ["\"", "\"a", "\"a\"", "\"a\\\"@x", "\"a b=\"c", "\"a\"@x\"@y", "\"@x"] {
            assert!(!is_whole(piece.as_bytes()), "{piece}");
        }
    }

    fn check_command(argument: &str, want: Option<(&str, &str)>) {
        let got = of_command(b"TO:", argument.as_bytes());
        assert_eq!(got, want.map(|(path, rest)| (path.as_bytes(), rest.as_bytes())), "{argument}");
    }

    #[test]
    fn paths_of_commands() {
        check_command("TO:<a@x>", Some(("a@x", "")));
        check_command("to: <a@x> NOTIFY=NEVER", Some(("a@x", " NOTIFY=NEVER")));
        check_command("TO:<>", Some(("", "")));
        check_command("TO:a@x NOTIFY=<b@y>", Some(("a@x", " NOTIFY=<b@y>")));
        check_command("TO:<\"a> <b\"@x> Z", Some(("\"a> <b\"@x", " Z")));
        check_command("TO:<\"a>@x> Z", Some(("\"a", "@x> Z")));
        check_command("TO:<\"\"a@x\"\">", Some(("\"a@x\"", "")));
        check_command("TO:<\"\"a>b\"\"@x> Z", Some(("\"\"a>b\"\"@x", " Z")));
        check_command("TO:<\"\"a\\\"\">b\"\"@x> Z", Some(("\"\"a\\\"\">b\"\"@x", " Z")));
        check_command("TO:<\"a\\\">b\"@x> Z", Some(("\"a\\\">b\"@x", " Z")));
        check_command("TO:<\"\"@x> Z", Some(("\"\"@x", " Z")));
        check_command("TO:<\" FROM:<p@y>\\\"\"@x> Z", Some(("\" FROM:<p@y>\\\"\"@x", " Z")));
        check_command("TO:<\"\">", Some(("\"\"", "")));
        check_command("TO:<a@x", Some(("a@x", "")));
        check_command("FROM:<a@x>", None);
        check_command("TO:", None);
        check_command("T", None);
    }

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
    fn lists_with_doubled_quotation_marks() {
        let check = |text: &str, want: &[&str]| {
            let got: Vec<&[u8]> = Paths::doubled_list(text.as_bytes(), b';').iter().collect();
            let want: Vec<&[u8]> = want.iter().map(|path| path.as_bytes()).collect();
            assert_eq!(got, want, "{text}");
        };
        check("a@x;\"\"b;c\"\"@y;d@z", &["a@x", "\"\"b;c\"\"@y", "d@z"]);
        check("\"\"a\\\"\";b\"\"@x;c@y", &["\"\"a\\\"\";b\"\"@x", "c@y"]);
        check("\"\"\"\"@x;b@y", &["\"\"\"\"@x", "b@y"]);
        check("\"\"a@x;b@y", &["\"\"a@x", "b@y"]);
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
