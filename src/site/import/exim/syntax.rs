//! The run time configuration file: logical lines, conditions, macros, sections.
//!
//! A backslash at the end of a line continues it in the next, without the blanks there; lines whose first character is `#` are comments,
//! between continued lines too. `NAME = text` with a capital defines a macro, which is replaced in all that follows; `.ifdef`
//! and its kin leave lines out. Source: Exim specification, chapter 6 (4.6x to 4.98).

use super::super::files::ConfigFile;

/// How long a line may grow by its macros.
const LONGEST: usize = 1 << 16;

/// A logical line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Its first physical line, from 1.
    pub number: usize,
    /// Its text, with macros replaced, trimmed.
    pub text: String,
    /// The section it is in: empty for the main section.
    pub section: String,
}

/// Reads a file into logical lines.
pub fn lines(file: &ConfigFile) -> Vec<Line> {
    let mut reader = Reader::default();
    for (number, text) in joined(&file.text) {
        reader.line(number, &text);
    }
    reader.lines
}

/// The physical line, from that of a logical line on, that shows an item.
pub fn line_with(file: &ConfigFile, first: usize, item: &str) -> usize {
    let physical = file.text.lines().zip(1..).skip(first.saturating_sub(1));
    let mut goes_on = true;
    for (text, number) in physical {
        if !goes_on {
            break;
        }
        if !item.is_empty() && text.contains(item) {
            return number;
        }
        goes_on = text.trim_end().ends_with('\\') || text.trim_start().starts_with('#');
    }
    first
}

/// Joins continued lines.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (raw, number) in text.lines().zip(1..) {
        let text = raw.trim();
        if text.starts_with('#') || text.is_empty() && !open {
            continue;
        }
        let part = text.strip_suffix('\\').unwrap_or(text);
        match out.last_mut().filter(|_| open) {
            Some((_, all)) => all.push_str(part),
            None => out.push((number, part.to_owned())),
        }
        open = text.ends_with('\\');
    }
    out
}

/// A condition that is open: whether its lines count, and whether a branch of it did already.
struct Condition {
    counts: bool,
    done: bool,
}

#[derive(Default)]
struct Reader {
    lines: Vec<Line>,
    macros: Vec<(String, String)>,
    conditions: Vec<Condition>,
    section: String,
}

impl Reader {
    fn line(&mut self, number: usize, text: &str) {
        if let Some(directive) =
            text.strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            return self.directive(directive);
        }
        if self.conditions.iter().any(|condition| !condition.counts) {
            return;
        }
        if let Some((name, value)) = definition(text) {
            let value = self.replaced(value);
            self.macros.retain(|(known, _)| known != name);
            self.macros.push((name.to_owned(), value));
            return;
        }
        let text = self.replaced(text);
        if let Some(section) = text.strip_prefix("begin ") {
            self.section = section.trim().to_owned();
            return;
        }
        self.lines.push(Line { number, text, section: self.section.clone() });
    }

    fn directive(&mut self, text: &str) {
        let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        let defined = self.macros.iter().any(|(name, _)| name == rest.trim());
        match (word, self.conditions.last_mut()) {
            ("ifdef" | "ifndef", _) => {
                let counts = defined == (word == "ifdef");
                self.conditions.push(Condition { counts, done: counts });
            }
            ("elifdef" | "elifndef", Some(last)) => {
                last.counts = !last.done && defined == (word == "elifdef");
                last.done |= last.counts;
            }
            ("else", Some(last)) => last.counts = !last.done,
            ("endif", _) => drop(self.conditions.pop()),
            _ => {}
        }
    }

    /// Replaces the macros, each in turn in the order of their definitions.
    fn replaced(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (name, value) in &self.macros {
            if out.contains(name.as_str()) && out.len() < LONGEST {
                out = out.replace(name.as_str(), value);
            }
        }
        out.truncate(out.floor_char_boundary_at(LONGEST));
        out
    }
}

/// Where a text can be cut.
trait Boundary {
    fn floor_char_boundary_at(&self, at: usize) -> usize;
}

impl Boundary for String {
    fn floor_char_boundary_at(&self, at: usize) -> usize {
        (0..=at.min(self.len())).rev().find(|at| self.is_char_boundary(*at)).unwrap_or(0)
    }
}

/// A macro's name and text.
fn definition(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (name, value.strip_prefix('=').unwrap_or(value).trim()))
}

/// The items of a list. Colons separate, or the character that `<` names at its start; twice is the character itself
/// (specification, section "List construction").
pub fn items(list: &str) -> Vec<String> {
    let list = list.trim();
    let named = list.strip_prefix('<').and_then(|rest| rest.chars().next()).filter(char::is_ascii_punctuation);
    let (separator, list) = named.map_or((':', list), |separator| (separator, &list[1 + separator.len_utf8()..]));
    let mut out = vec![String::new()];
    let mut chars = list.chars().peekable();
    while let Some(c) = chars.next() {
        if c != separator {
            out.last_mut().into_iter().for_each(|item| item.push(c));
        } else if chars.peek() == Some(&separator) {
            chars.next();
            out.last_mut().into_iter().for_each(|item| item.push(c));
        } else {
            out.push(String::new());
        }
    }
    // A separator at the end makes no item.
    if 1 < out.len() && out.last().is_some_and(|last| last.trim().is_empty()) {
        out.pop();
    }
    out.into_iter().map(|item| item.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_all_shapes() {
        for (list, expected) in [
            ("a : b:c", vec!["a", "b", "c"]),
            ("<; 127.0.0.1 ; ::1 ;10.0.0.0/8", vec!["127.0.0.1", "::1", "10.0.0.0/8"]),
            ("127.0.0.1 : ::::1", vec!["127.0.0.1", "::1"]),
            (":", vec![""]),
            ("", vec![""]),
            ("@ : @[] :", vec!["@", "@[]"]),
            ("<;", vec![""]),
        ] {
            assert_eq!(items(list), expected, "{list}");
        }
    }

    #[test]
    fn macros_conditions_and_continued_lines() {
        let text = "\
NETS = 10.0.0.0/8 : \\
   # between
   192.0.2.7
.ifdef NETS
hostlist relay_from_hosts = NETS
.else
hostlist relay_from_hosts = *
.endif
.ifndef NETS
a = 1
.elifdef NO
b = 2
.else
c = 3
.endif
begin acl
  accept
";
        let file = ConfigFile::new("exim.conf".into(), text.as_bytes(), 0, true);
        let found: Vec<String> =
            lines(&file).iter().map(|line| format!("{} [{}] {}", line.number, line.section, line.text)).collect();
        assert_eq!(
            found,
            ["5 [] hostlist relay_from_hosts = 10.0.0.0/8 : 192.0.2.7", "14 [] c = 3", "17 [acl] accept"]
        );
        assert_eq!(line_with(&file, 1, "192.0.2.7"), 3);
        assert_eq!(line_with(&file, 5, "192.0.2.7"), 5);
    }

    #[test]
    fn macros_that_grow_are_cut() {
        let mut text = String::from("AA = aaaaaaaaaaaaaaaa\n");
        for step in b'B'..=b'Z' {
            let (name, before) = (char::from(step), char::from(step - 1));
            text += &format!("{name}{name} = {}\n", format!("{before}{before}").repeat(9));
        }
        let file = ConfigFile::new("exim.conf".into(), format!("{text}x = ZZ\n").as_bytes(), 0, true);
        assert!(lines(&file).iter().all(|line| line.text.len() <= LONGEST));
    }
}
