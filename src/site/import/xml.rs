//! XML as programs write it: tags, attributes, text. No entities but the five and characters by number; what breaks the grammar is text.
//!
//! Source: XML 1.0, sections 2.4, 2.7, 3.1, 4.6.

/// A piece of XML.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A start tag, or an empty element, which is closed at once.
    Open {
        /// Its name.
        name: String,
        /// Its attributes.
        attributes: Vec<(String, String)>,
        /// Its line, from 1.
        line: usize,
    },
    /// An end tag.
    Close,
    /// Text between tags that is not blank.
    Text(String),
}

/// The pieces of a text.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let (piece, after) = match rest.strip_prefix('<') {
            Some(tag) => marked(tag, line, &mut out),
            None => {
                let end = rest.find('<').unwrap_or(rest.len());
                if !rest[..end].trim().is_empty() {
                    out.push(Piece::Text(decoded(rest[..end].trim())));
                }
                (&rest[..end], &rest[end..])
            }
        };
        line += piece.matches('\n').count();
        rest = after;
    }
    out
}

/// What begins with `<`, given without it: returns its text and what follows.
fn marked<'t>(tag: &'t str, line: usize, out: &mut Vec<Piece>) -> (&'t str, &'t str) {
    for (open, close) in [("!--", "-->"), ("?", "?>"), ("![CDATA[", "]]>"), ("!", ">")] {
        if let Some(inside) = tag.strip_prefix(open) {
            let end = inside.find(close).unwrap_or(inside.len());
            if open == "![CDATA[" {
                out.push(Piece::Text(inside[..end].to_owned()));
            }
            return (inside, inside.get(end + close.len()..).unwrap_or_default()).cut();
        }
    }
    let end = end_of_tag(tag);
    let (inside, after) = (&tag[..end], tag.get(end + 1..).unwrap_or_default());
    if inside.starts_with('/') {
        out.push(Piece::Close);
    } else {
        let (inside, empty) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let end = inside.find(char::is_whitespace).unwrap_or(inside.len());
        out.push(Piece::Open { name: inside[..end].to_owned(), attributes: attributes(&inside[end..]), line });
        if empty {
            out.push(Piece::Close);
        }
    }
    (&tag[..end], after)
}

/// A text and its end, made a text without its end and its end.
trait Cut<'t> {
    fn cut(self) -> (&'t str, &'t str);
}

impl<'t> Cut<'t> for (&'t str, &'t str) {
    fn cut(self) -> (&'t str, &'t str) {
        (&self.0[..self.0.len() - self.1.len()], self.1)
    }
}

/// Where a tag ends: at the first `>` outside quotes.
fn end_of_tag(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (c, quote) {
            ('>', None) => return at,
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    tag.len()
}

fn attributes(text: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((name, value)) = rest.split_once('=') {
        let value = value.trim_start();
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else { break };
        let inside = &value[1..];
        let end = inside.find(quote).unwrap_or(inside.len());
        out.push((name.trim().to_owned(), decoded(&inside[..end])));
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    out
}

/// Replaces references to characters.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest.find(';').filter(|end| *end <= 10).and_then(|end| Some((character(&rest[1..end])?, end)));
        match reference {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let show = |piece: &Piece| match piece {
            Piece::Open { name, attributes, line } => format!("<{name} {line} {attributes:?}>"),
            Piece::Close => "</>".to_owned(),
            Piece::Text(text) => text.clone(),
        };
        assert_eq!(pieces(text).iter().map(show).collect::<Vec<_>>().join(""), expected, "{text}");
    }

    #[test]
    fn tags_text_and_wrecks() {
        check(
            "<?xml version=\"1.0\"?>\n<a b=\"1\" c='x>y'>t&amp;&#65;</a>",
            "<a 2 [(\"b\", \"1\"), (\"c\", \"x>y\")]>t&A</>",
        );
        check("<a/><!-- <b> -->\n<c\nd = \"e\" />", "<a 1 []></><c 2 [(\"d\", \"e\")]></>");
        check("<![CDATA[<x>]]>", "<x>");
        check("<a b=\"", "<a 1 [(\"b\", \"\")]>");
        check("a < b & c", "a< 1 []>");
        check("b & c &nbsp; &#xD800;", "b & c &nbsp; &#xD800;");
        check("<", "< 1 []>");
        check("<!--", "");
    }
}
