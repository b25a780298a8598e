//! Words and statements of `smtpd.conf`.
//!
//! A statement is a line; a backslash at its end, or an open brace, continues it. `#` begins a comment, `"` quotes, `$name` is a
//! macro, `<name>` a table (smtpd.conf(5)).

use std::collections::BTreeMap;

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A word or a quoted string.
    Text(String),
    /// `{ a, b }`; of `a = b`, the key.
    List(Vec<String>),
    /// `<name>`.
    Table(String),
    /// `!`.
    Not,
}

/// A statement.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its first line, from 1.
    pub line: usize,
    /// Its words.
    pub words: Vec<Word>,
    /// Its first line as it stands.
    pub text: String,
}

/// The statements of a text, with macros replaced.
pub fn statements(text: &str) -> Vec<Statement> {
    let mut out = Vec::new();
    let mut macros = BTreeMap::<String, String>::new();
    let mut lines = text.lines().zip(1..).peekable();
    while let Some((first, line)) = lines.next() {
        let mut tokens = Vec::new();
        let mut more = tokenize(first, &mut tokens);
        while more || is_open(&tokens) {
            let Some((next, _)) = lines.next() else { break };
            more = tokenize(next, &mut tokens);
        }
        if let [Token::Text(name), Token::Mark('='), Token::Text(value)] = tokens.as_slice() {
            macros.insert(name.clone(), value.clone());
            continue;
        }
        let words = words(&tokens, &macros);
        if !words.is_empty() {
            out.push(Statement { line, words, text: first.trim().to_owned() });
        }
    }
    out
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Text(String),
    Mark(char),
}

/// Characters that are words of their own.
const MARKS: [char; 6] = ['{', '}', ',', '=', '!', '<'];

/// Cuts a line into tokens; whether it goes on in the next.
fn tokenize(line: &str, tokens: &mut Vec<Token>) -> bool {
    let mut rest = line.trim_end();
    let goes_on = rest.ends_with('\\');
    rest = rest.strip_suffix('\\').unwrap_or(rest);
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return goes_on };
        if first == '#' {
            return goes_on;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            tokens.push(Token::Text(quoted[..end].to_owned()));
            rest = quoted.get(end + 1..).unwrap_or_default();
        } else if MARKS.contains(&first) || first == '>' {
            tokens.push(Token::Mark(first));
            rest = &rest[first.len_utf8()..];
        } else {
            let ends = |c: char| c.is_whitespace() || c == '"' || c == '>' || MARKS.contains(&c);
            let end = rest.find(ends).unwrap_or(rest.len());
            tokens.push(Token::Text(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
}

fn is_open(tokens: &[Token]) -> bool {
    let of = |mark: char| tokens.iter().filter(|token| **token == Token::Mark(mark)).count();
    of('}') < of('{')
}

fn words(tokens: &[Token], macros: &BTreeMap<String, String>) -> Vec<Word> {
    let value = |text: &String| match text.strip_prefix('$').and_then(|name| macros.get(name)) {
        Some(value) => value.clone(),
        None => text.clone(),
    };
    let mut out = Vec::new();
    let mut tokens = tokens.iter();
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => out.push(Word::Text(value(text))),
            Token::Mark('!') => out.push(Word::Not),
            Token::Mark('<') => {
                let name = tokens.by_ref().take_while(|token| **token != Token::Mark('>'));
                let name =
                    name.filter_map(|token| if let Token::Text(name) = token { Some(name.as_str()) } else { None });
                out.push(Word::Table(name.collect()));
            }
            Token::Mark('{') => {
                let (mut items, mut is_value) = (Vec::new(), false);
                for token in tokens.by_ref().take_while(|token| **token != Token::Mark('}')) {
                    match token {
                        Token::Text(text) if !is_value => items.push(value(text)),
                        Token::Mark(mark) => is_value = *mark == '=',
                        Token::Text(_) => {}
                    }
                }
                out.push(Word::List(items));
            }
            Token::Mark(_) => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found: Vec<String> =
            statements(text).iter().map(|statement| format!("{} {:?}", statement.line, statement.words)).collect();
        assert_eq!(found.join("; "), expected, "{text}");
    }

    #[test]
    fn statements_of_all_shapes() {
        check("a \"b c\" # d\n\n!e", "1 [Text(\"a\"), Text(\"b c\")]; 3 [Not, Text(\"e\")]");
        check("a \\\nb\nc", "1 [Text(\"a\"), Text(\"b\")]; 3 [Text(\"c\")]");
        check("t { a, \"b\",\n c = d }", "1 [Text(\"t\"), List([\"a\", \"b\", \"c\"])]");
        check("x = \"y z\"\nfor <t> $x", "2 [Text(\"for\"), Table(\"t\"), Text(\"y z\")]");
        check("a { b", "1 [Text(\"a\"), List([\"b\"])]");
        check("\"a", "1 [Text(\"a\")]");
        check("a <b", "1 [Text(\"a\"), Table(\"b\")]");
    }
}
