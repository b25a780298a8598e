//! A page of lines, none wider than the terminal, all of them neutralised.

use super::Look;
use crate::report::escape::terminal;
use std::io::{self, Write};

/// Prose is wrapped here even on wider terminals: long lines tire.
const PROSE: usize = 110;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// Headings.
    Bold,
    /// Log text.
    Dim,
    /// Places in logs.
    Place,
    /// Bad news.
    Bad,
    /// Good news.
    Good,
    /// No news.
    Doubt,
}

impl Style {
    /// The parameters of the escape sequence (ECMA-48 SGR) that begins it; none for plain.
    fn code(self) -> Option<&'static str> {
        match self {
            Style::Plain => None,
            Style::Bold => Some("1"),
            Style::Dim => Some("2"),
            Style::Place => Some("36"),
            Style::Bad => Some("1;31"),
            Style::Good => Some("1;32"),
            Style::Doubt => Some("1;33"),
        }
    }
}

/// Where the report goes, line by line.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    colour: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Lines written.
    pub lines: usize,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(look: &Look, out: &'a mut dyn Write) -> Page<'a> {
        Page { out, colour: look.colour, width: look.width.clamp(80, 200), lines: 0 }
    }

    /// An empty line.
    pub fn blank(&mut self) -> io::Result<()> {
        self.lines += 1;
        writeln!(self.out)
    }

    /// An empty line and a heading.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.blank()?;
        self.text(Style::Bold, "", text)
    }

    /// Text, wrapped. It follows `lead`, and its further lines are set in as far as the first.
    pub fn text(&mut self, style: Style, lead: &str, text: &str) -> io::Result<()> {
        let indent = width(lead);
        let lines = wrap(&terminal(text), self.width.min(PROSE).saturating_sub(indent).max(1));
        for (at, line) in lines.iter().enumerate() {
            let lead = if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
            self.line(style, &lead, line)?;
        }
        Ok(())
    }

    /// Text on one line, cut where the terminal ends.
    pub fn cut(&mut self, style: Style, lead: &str, text: &str) -> io::Result<()> {
        let room = self.width.saturating_sub(width(lead));
        self.line(style, lead, &cut(&terminal(text), room))
    }

    /// The start of a text on so many lines at most, broken at a blank of the last third of a line, else anywhere.
    pub fn head(&mut self, style: Style, lead: &str, text: &str, lines: usize) -> io::Result<()> {
        let text = terminal(text);
        let room = self.width.saturating_sub(width(lead)).max(2);
        let mut rest: &str = &text;
        for _ in 1..lines {
            let end = fitting(rest, room);
            let blank = rest[..end].rfind(' ').filter(|blank| end < rest.len() && end / 3 * 2 < *blank);
            let (start, more) = rest.split_at(blank.map_or(end, |blank| blank + 1));
            self.line(style, lead, start)?;
            rest = more;
            if rest.is_empty() {
                return Ok(());
            }
        }
        self.line(style, lead, &cut(rest, room))
    }

    /// Sentences, each with a dash.
    pub fn bullets<'b>(&mut self, texts: impl Iterator<Item = &'b String>) -> io::Result<()> {
        for text in texts {
            self.text(Style::Plain, "  - ", text)?;
        }
        Ok(())
    }

    /// Sentences, each with its number.
    pub fn numbered(&mut self, texts: &[String]) -> io::Result<()> {
        for (at, text) in texts.iter().enumerate() {
            self.text(Style::Plain, &format!("{:>3}. ", at + 1), text)?;
        }
        Ok(())
    }

    fn line(&mut self, style: Style, lead: &str, text: &str) -> io::Result<()> {
        self.lines += 1;
        match style.code().filter(|_| self.colour && !text.is_empty()) {
            Some(code) => writeln!(self.out, "{lead}\x1b[{code}m{text}\x1b[0m"),
            None => writeln!(self.out, "{}", format!("{lead}{text}").trim_end()),
        }
    }
}

/// Columns that text takes: at most so many. Marks that join the character before count one.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Columns of a character. East Asian scripts and pictures take two; so does, to be sure, whatever
/// else is not known to take one.
fn columns(c: char) -> usize {
    match c {
        '\0'..='\u{10ff}' | '\u{1200}'..='\u{2328}' | '\u{2400}'..='\u{25fc}' | '\u{fffd}' => 1,
        _ => 2,
    }
}

/// The text, or its start and `…` if it is wider.
pub fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    format!("{}…", &text[..fitting(text, room.saturating_sub(1))])
}

/// The text, or `…` and its end if it is wider: the end of a host name tells whose it is.
pub fn cut_start(text: &str, room: usize) -> String {
    let backwards: String = text.chars().rev().collect();
    cut(&backwards, room).chars().rev().collect()
}

/// The bytes of the longest start of a text that fits.
fn fitting(text: &str, room: usize) -> usize {
    let mut used = 0;
    let too_wide = text.char_indices().find(|(_, c)| {
        used += columns(*c);
        room < used
    });
    too_wide.map_or(text.len(), |(at, _)| at)
}

/// Breaks text at blanks, and words that are wider than a line anywhere.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = word;
        let wanted = width(word);
        if 0 < used && room < used + 1 + wanted {
            lines.push(String::new());
            used = 0;
        }
        while room < width(word) {
            let (start, rest) = word.split_at(fitting(word, room).max(word.chars().next().map_or(0, char::len_utf8)));
            lines.last_mut().into_iter().for_each(|line| line.push_str(start));
            lines.push(String::new());
            word = rest;
        }
        let line = lines.last_mut();
        line.into_iter().for_each(|line| {
            if 0 < used {
                line.push(' ');
            }
            line.push_str(word);
            used = width(line);
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping() {
        for (text, room, expected) in [
            ("one two three", 7, vec!["one two", "three"]),
            ("abcdefgh ij", 3, vec!["abc", "def", "gh", "ij"]),
            ("", 5, vec![""]),
            ("日本語", 4, vec!["日本", "語"]),
            ("日", 1, vec!["日", ""]),
        ] {
            assert_eq!(wrap(text, room), expected);
        }
    }

    #[test]
    fn cutting() {
        for (text, room, expected) in [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 5, "日本…"), ("", 0, "")]
        {
            assert_eq!(cut(text, room), expected);
        }
        assert_eq!(cut_start("host.example.net", 12), "…example.net");
    }
}
