//! `main.cf` and the output of `postconf -n`: parameters and what their values refer to.
//!
//! Logical lines, comments, `$name` and its forms: postconf(5), "DESCRIPTION" (Postfix 2.2 to 3.9). A line that begins with
//! white space continues the one before; comments and empty lines may stand between. The last of several settings counts.

use super::super::files::ConfigFile;
use super::super::gather::At;
use std::collections::BTreeMap;

/// References within references; Postfix stops at some depth too.
const DEEPEST: usize = 20;
/// Bytes that one value may grow to by its references.
const LONGEST: usize = 1 << 18;

/// What a parameter is set to.
struct Setting<'a> {
    at: At<'a>,
    /// The parts of the value by physical line.
    parts: Vec<(usize, &'a str)>,
}

/// The parameters of one server.
#[derive(Default)]
pub struct Parameters<'a> {
    settings: BTreeMap<&'a str, Setting<'a>>,
    /// Settings of one service in `master.cf`, which win.
    overrides: BTreeMap<String, (At<'a>, String)>,
}

impl<'a> Parameters<'a> {
    /// Reads a file.
    pub fn read(file: &'a ConfigFile) -> Parameters<'a> {
        let mut settings = BTreeMap::<&str, Setting<'_>>::new();
        let mut current: Option<&str> = None;
        for (raw, line) in file.text.lines().zip(1..) {
            let text = raw.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if raw.starts_with([' ', '\t']) {
                let setting = current.and_then(|name| settings.get_mut(name));
                setting.into_iter().for_each(|setting| setting.parts.push((line, text)));
                continue;
            }
            current = text.split_once('=').map(|(name, value)| {
                let name = name.trim_end();
                settings.insert(name, Setting { at: At { file, line }, parts: vec![(line, value.trim())] });
                name
            });
        }
        Parameters { settings, overrides: BTreeMap::new() }
    }

    /// The same for a service with settings of its own.
    pub fn with(&self, at: At<'a>, own: &[(String, String)]) -> Parameters<'a> {
        let settings = self
            .settings
            .iter()
            .map(|(name, setting)| (*name, Setting { at: setting.at, parts: setting.parts.clone() }));
        let overrides = own.iter().map(|(name, value)| (name.clone(), (at, value.clone())));
        Parameters { settings: settings.collect(), overrides: overrides.collect() }
    }

    /// Whether a parameter is set.
    pub fn is_set(&self, name: &str) -> bool {
        self.overrides.contains_key(name) || self.settings.contains_key(name)
    }

    /// Where a parameter is set: at the line of an item of its value, if a line shows it.
    pub fn place(&self, name: &str, item: &str) -> Option<At<'a>> {
        if let Some((at, _)) = self.overrides.get(name) {
            return Some(*at);
        }
        let setting = self.settings.get(name)?;
        let shows = |text: &&str| text.split([',', ' ', '\t']).any(|word| word == item);
        let line = setting.parts.iter().find(|(_, text)| !item.is_empty() && shows(text));
        Some(At { line: line.map_or(setting.at.line, |(line, _)| *line), ..setting.at })
    }

    /// The value of a parameter, with everything replaced that it refers to; its default if it is not set.
    pub fn value(&self, name: &str) -> String {
        self.value_at(name, 0)
    }

    fn value_at(&self, name: &str, depth: usize) -> String {
        let raw = match (self.overrides.get(name), self.settings.get(name)) {
            (Some((_, value)), _) => value.clone(),
            (None, Some(setting)) => setting.parts.iter().map(|(_, text)| *text).collect::<Vec<_>>().join(" "),
            (None, None) => self.default(name, depth),
        };
        self.expand(&raw, depth)
    }

    /// The defaults that matter here (postconf(5)). `myhostname` is the machine's own name, which nobody told.
    fn default(&self, name: &str, depth: usize) -> String {
        match name {
            "mydomain" if depth < DEEPEST => {
                let host = self.value_at("myhostname", depth + 1);
                host.split_once('.').map_or("", |(_, domain)| domain).to_owned()
            }
            "myorigin" => "$myhostname".to_owned(),
            "mydestination" => "$myhostname, localhost.$mydomain, localhost".to_owned(),
            "virtual_alias_maps" => "$virtual_maps".to_owned(),
            "virtual_alias_domains" => "$virtual_alias_maps".to_owned(),
            "virtual_mailbox_domains" => "$virtual_mailbox_maps".to_owned(),
            "smtpd_sasl_security_options" => "noanonymous".to_owned(),
            "smtpd_relay_restrictions" => {
                "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination".to_owned()
            }
            _ => String::new(),
        }
    }

    /// Replaces `$name`, `${name}`, `$(name)`, `${name?value}`, `${name:value}`, `${name?{a}:{b}}` and
    /// `${{a} == {b} ? {c} : {d}}`; `$$` is a dollar.
    fn expand(&self, text: &str, depth: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if DEEPEST < depth || LONGEST < out.len() {
                return out;
            }
            let (value, after) = self.reference(rest, depth);
            out.push_str(&value);
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// One reference, behind its dollar: its value, and the text after it.
    fn reference<'t>(&self, text: &'t str, depth: usize) -> (String, &'t str) {
        if let Some(rest) = text.strip_prefix('$') {
            return ("$".to_owned(), rest);
        }
        if let Some((inside, rest)) = bracketed(text, '(', ')') {
            return (self.value_at(inside.trim(), depth + 1), rest);
        }
        if let Some((inside, rest)) = bracketed(text, '{', '}') {
            return (self.conditional(inside.trim(), depth + 1), rest);
        }
        let end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
        match end {
            0 => ("$".to_owned(), text),
            _ => (self.value_at(&text[..end], depth + 1), &text[end..]),
        }
    }

    /// The value of `name`, `name?value`, `name:value`, `name?{a}:{b}` or `{a} op {b} ? {c} : {d}`.
    fn conditional(&self, inside: &str, depth: usize) -> String {
        if let Some((left, rest)) = bracketed(inside, '{', '}') {
            return self.comparison(left, rest, depth);
        }
        let end = inside.find(|c: char| !is_name(c)).unwrap_or(inside.len());
        let (name, rest) = (&inside[..end], inside[end..].trim_start());
        let value = self.value_at(name, depth);
        let chosen = if let Some(choices) = rest.strip_prefix('?') {
            choice(choices, !value.is_empty())
        } else if let Some(other) = rest.strip_prefix(':') {
            if value.is_empty() { unbraced(other) } else { "" }
        } else {
            return value;
        };
        self.expand(chosen, depth)
    }

    fn comparison(&self, left: &str, rest: &str, depth: usize) -> String {
        let rest = rest.trim_start();
        let end = rest.find('{').unwrap_or(rest.len());
        let operator = rest[..end].split_whitespace().last().unwrap_or_default();
        let Some((right, choices)) = bracketed(&rest[end..], '{', '}') else { return String::new() };
        let (left, right) = (self.expand(left, depth), self.expand(right, depth));
        let (left, right) = (left.trim(), right.trim());
        // Compatibility levels compare like versions; as whole numbers and fractions they do so here.
        let order = match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(left), Ok(right)) => left.partial_cmp(&right),
            // The default level is 0.
            (Err(_), Ok(right)) if left.is_empty() => 0f64.partial_cmp(&right),
            _ => Some(left.cmp(right)),
        };
        let holds = order.is_some_and(|order| match operator {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            "<" | "<level" => order.is_lt(),
            "<=" | "<=level" => order.is_le(),
            ">" | ">level" => order.is_gt(),
            _ => order.is_ge(),
        });
        let choices = choices.trim_start().strip_prefix('?').unwrap_or_default();
        self.expand(choice(choices, holds), depth)
    }
}

/// The first of `{a}:{b}` or the second; of `a` alone, that or nothing.
fn choice(choices: &str, first: bool) -> &str {
    match (bracketed(choices.trim_start(), '{', '}'), first) {
        (Some((inside, _)), true) => inside,
        (Some((_, rest)), false) => rest.trim_start().strip_prefix(':').map_or("", unbraced),
        (None, true) => choices,
        (None, false) => "",
    }
}

fn unbraced(text: &str) -> &str {
    bracketed(text.trim_start(), '{', '}').map_or(text, |(inside, _)| inside)
}

/// The text between a pair of brackets at the start, which may hold others, and the text after them.
pub fn bracketed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let inside = text.strip_prefix(open)?;
    let mut depth = 1usize;
    for (at, c) in inside.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some((&inside[..at], &inside[at + close.len_utf8()..]));
            }
        }
    }
    None
}

/// The items of a list: separated by commas or white space; what stands in braces is one item.
pub fn items(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' | ' ' | '\t' if depth == 0 || at == list.len() => {
                items.push(&list[start..at]);
                start = (at + 1).min(list.len());
            }
            _ => {}
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "\
# a comment
myhostname = mx1.example.org
empty =
mydestination = $myhostname,
    localhost.$mydomain
  # in between
    ${other}
other = example.net
other = example.com
compatibility_level = 3.6
loop = a$loop
";

    fn check(value: &str, expected: &str) {
        let text = format!("{MAIN}tested = {value}\n");
        let file = ConfigFile::new("main.cf".into(), text.as_bytes(), 0, true);
        assert_eq!(Parameters::read(&file).value("tested"), expected, "{value}");
    }

    #[test]
    fn references() {
        check("$myhostname", "mx1.example.org");
        check("$(myhostname) ${mydomain}", "mx1.example.org example.org");
        check("$mydestination", "mx1.example.org, localhost.example.org example.com");
        check("${empty?yes}-${empty:no}", "-no");
        check("${other?$mydomain}", "example.org");
        check("${other?{a b}:{c}} ${empty?{a}:{c}}", "a b c");
        check("${{$compatibility_level} <level {1} ? {old} : {new}}", "new");
        check("${{$other} == {example.com} ? {same}}", "same");
        check("$$x $nosuch. $", "$x . $");
        check("${other", "${other");
        check("${{a}", "${{a}");
        check("${{a} ==}", "");
    }

    #[test]
    fn a_reference_to_itself_ends() {
        let file = ConfigFile::new("main.cf".into(), MAIN.as_bytes(), 0, true);
        assert!(Parameters::read(&file).value("loop").len() < 100);
    }

    #[test]
    fn an_item_is_found_on_its_line() {
        let file = ConfigFile::new("main.cf".into(), MAIN.as_bytes(), 0, true);
        let parameters = Parameters::read(&file);
        let line = |item: &str| parameters.place("mydestination", item).map(|at| at.line);
        assert_eq!(line("localhost.$mydomain"), Some(5));
        assert_eq!(line("elsewhere"), Some(4));
        assert_eq!(parameters.place("nosuch", "").map(|at| at.line), None);
    }

    #[test]
    fn lists() {
        assert_eq!(items("a, b\tc,,inline:{ d=e, f=g } h"), ["a", "b", "c", "inline:{ d=e, f=g }", "h"]);
        assert_eq!(items(" "), Vec::<&str>::new());
        assert_eq!(items("{ a b"), ["{ a b"]);
    }
}
