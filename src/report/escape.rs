//! Escaping: makes text that an attacker may have written harmless in each medium.
//!
//! JSON (`json.rs`) asks only what is hidden, and Parquet is binary.

use std::borrow::Cow;
use std::fmt::Write;

/// Text in which nothing is invisible or moves the cursor: controls (C0, DEL, C1), line separators,
/// marks of direction, zero-width characters, variation selectors and tags become `\x1b` or `\u{202e}`.
///
/// What comes back is one line. A backslash stays as it is, for paths: text from a log that looks
/// like an escape is harmless.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Writing to a `String` cannot fail.
        let _ = match (is_hidden(c), c as u32) {
            (false, _) => out.write_char(c),
            (true, code @ ..=0xff) => write!(out, "\\x{code:02x}"),
            (true, code) => write!(out, "\\u{{{code:x}}}"),
        };
    }
    Cow::Owned(out)
}

/// Whether a character shows nothing, or changes how others show.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A sentence for Markdown. Everything that could be markup shows as itself; only text between two
/// backticks, as our own steps use it for commands, becomes a code span, in which nothing is markup.
pub fn markdown(text: &str) -> String {
    let text = terminal(text);
    let parts: Vec<&str> = text.split('`').collect();
    let out: String = match parts.len().is_multiple_of(2) {
        true => markdown_plain(&text),
        false => {
            let parts = parts.iter().enumerate();
            parts.map(|(at, part)| if at % 2 == 0 { markdown_plain(part) } else { markdown_code(part) }).collect()
        }
    };
    // Marks of lists, and lines below a title.
    let digits = out.trim_start_matches(|c: char| c.is_ascii_digit());
    match digits.starts_with(['-', '+', '=']) && digits.len() == out.len()
        || digits.starts_with(". ")
        || digits.starts_with(") ")
    {
        true => format!("{}\\{digits}", &out[..out.len() - digits.len()]),
        false => out,
    }
}

/// A value for Markdown, as a code span: no link, no mention, no markup. Nothing for no text.
pub fn markdown_code(text: &str) -> String {
    let text = terminal(text);
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(1 + longest_run(&text, '`'));
    // A blank on both sides is taken away again by the reader, and keeps the backticks apart.
    let blank = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// A value for a cell of a Markdown table, where even a code span ends at `|`.
pub fn markdown_cell(text: &str) -> String {
    markdown_code(text).replace('|', "\\|")
}

/// A fence that the lines of a code block cannot close.
pub fn markdown_fence<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    "`".repeat(3.max(1 + lines.map(|line| longest_run(line, '`')).max().unwrap_or(0)))
}

/// Escapes every character that CommonMark or GitHub gives a meaning to within a line.
fn markdown_plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '|' | '~' | '$' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // No mention, and no link from a bare address.
            '@' => out.push_str("&#64;"),
            _ => out.push(c),
        }
    }
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

fn longest_run(text: &str, wanted: char) -> usize {
    let runs = text.split(|c| c != wanted);
    runs.map(|run| run.chars().count()).max().unwrap_or(0)
}

/// Text that no spreadsheet takes for a formula: one that begins like a formula gets a leading
/// `'`. It is [`terminal`] too, and so has no line ends.
pub fn csv_text(text: &str) -> Cow<'_, str> {
    let formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    match text.trim_start_matches([' ', '"', '\'']).starts_with(formula) {
        true => Cow::Owned(format!("'{}", terminal(text))),
        false => terminal(text),
    }
}

/// A cell by RFC 4180: [`csv_text`], in quotes where it holds a separator or a quote.
pub fn csv(text: &str) -> String {
    let text = csv_text(text);
    match text.contains([',', ';', '"', ' ']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_is_left_visible() {
        for (text, expected) in [
            ("plain é 日本", "plain é 日本"),
            ("\x1b[2J\x07", "\\x1b[2J\\x07"),
            ("a\nb\rc\td\0", "a\\x0ab\\x0dc\\x09d\\x00"),
            ("\u{7f}\u{9b}31m", "\\x7f\\x9b31m"),
            ("\u{202e}cod\u{2066}", "\\u{202e}cod\\u{2066}"),
            ("\u{200b}\u{200e}\u{61c}\u{feff}\u{2028}\u{ad}", "\\u{200b}\\u{200e}\\u{61c}\\u{feff}\\u{2028}\\xad"),
            ("\u{e0041}", "\\u{e0041}"),
            ("C:\\Logs", "C:\\Logs"),
        ] {
            assert_eq!(terminal(text), expected);
        }
    }

    #[test]
    fn markup_shows_as_itself() {
        for (text, expected) in [
            ("a|b", "a\\|b"),
            ("<script>&", "&lt;script&gt;&amp;"),
            ("![x](http://e)", "\\!\\[x\\](http&#58;//e)"),
            ("@root www.e", "&#64;root www&#46;e"),
            ("- item", "\\- item"),
            ("12. item", "12\\. item"),
            ("203.0.113.7 relayed", "203.0.113.7 relayed"),
            ("# head\n> quote", "\\# head\\\\x0a&gt; quote"),
            ("run `a|b` now", "run `a|b` now"),
            ("odd ` tick", "odd \\` tick"),
        ] {
            assert_eq!(markdown(text), expected);
        }
    }

    #[test]
    fn code_spans_cannot_be_closed_from_within() {
        for (text, expected) in
            [("a`b", "``a`b``"), ("``", "``` `` ```"), ("x|y", "`x\\|y`"), ("a\u{1b}", "`a\\x1b`"), ("", "")]
        {
            assert_eq!(markdown_cell(text), expected);
        }
        assert_eq!(markdown_fence(["````", "a"].into_iter()), "`````");
        assert_eq!(markdown_fence(std::iter::empty()), "```");
    }

    #[test]
    fn spreadsheets_see_no_formula() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\x09=1"),
            ("\r=1", "'\\x0d=1"),
            (" =cmd|' /C calc'!A0", "\"' =cmd|' /C calc'!A0\""),
            ("\"=1", "\"'\"\"=1\""),
            ("a;=1", "\"a;=1\""),
            ("say \"hi\", x", "\"say \"\"hi\"\", x\""),
            ("a\r\nb", "a\\x0d\\x0ab"),
            ("203.0.113.7", "203.0.113.7"),
            ("", ""),
        ] {
            assert_eq!(csv(text), expected);
        }
    }
}
