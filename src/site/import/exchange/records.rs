//! Objects as PowerShell writes them: `Export-Csv`, `Format-List`, `Export-Clixml`.
//!
//! Sources: Microsoft Learn, "Export-Csv", "Format-List", "Export-Clixml"; MS-PSRP section 2.2.5 for the XML.

use super::super::files::ConfigFile;
use super::super::xml::{Piece, pieces};
use std::collections::BTreeMap;

/// An object.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its first line, from 1.
    pub line: usize,
    /// Its properties by name in lower case; those of several values have them one by one, if the file keeps them apart.
    pub fields: BTreeMap<String, Vec<String>>,
}

impl Record {
    /// Whether it has a property.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The first value of a property; empty without one.
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// The values of a property that is a list: braces removed, cut at commas, semicolons and line ends.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let values = self.fields.get(name).into_iter().flatten();
        let parts =
            values.flat_map(|value| value.trim_start_matches('{').trim_end_matches('}').split([',', ';', '\n']));
        parts.map(str::trim).filter(|part| !part.is_empty()).collect()
    }
}

/// The objects of a file.
pub fn records(file: &ConfigFile) -> Vec<Record> {
    let start = file.text.trim_start();
    if start.starts_with('<') {
        clixml(&file.text)
    } else if start.lines().take(30).any(|line| line.contains(" : ") || line.trim_end().ends_with(" :")) {
        list(&file.text)
    } else {
        csv(&file.text)
    }
}

/// `Export-Csv`: perhaps a line `#TYPE ...`, names, rows; quoted fields may hold line ends.
fn csv(text: &str) -> Vec<Record> {
    let mut rows = rows(text).into_iter().filter(|(_, row)| !row.first().is_some_and(|cell| cell.starts_with("#TYPE")));
    let Some((_, names)) = rows.next() else { return Vec::new() };
    let names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    rows.map(|(line, row)| Record {
        line,
        fields: names.iter().cloned().zip(row.into_iter().map(|cell| vec![cell])).collect(),
    })
    .collect()
}

/// The rows with their first lines. What separates, the first line with a separator decides: comma, semicolon or tab.
fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let header = text.lines().find(|line| !line.starts_with("#TYPE")).unwrap_or_default();
    let separator = [',', ';', '\t'].into_iter().max_by_key(|c| header.matches(*c).count()).unwrap_or(',');
    let mut out = vec![(1, vec![String::new()])];
    let (mut quoted, mut line) = (false, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let Some((_, row)) = out.last_mut() else { break };
        let cell = row.last_mut();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.into_iter().for_each(|cell| cell.push('"'));
            }
            '"' => quoted = !quoted,
            '\n' if !quoted => {
                line += 1;
                out.push((line, vec![String::new()]));
            }
            '\r' => {}
            c if c == separator && !quoted => row.push(String::new()),
            c => {
                line += usize::from(c == '\n');
                cell.into_iter().for_each(|cell| cell.push(c));
            }
        }
    }
    out.retain(|(_, row)| row.iter().any(|cell| !cell.is_empty()));
    out
}

/// `Format-List`: `Name : value` a line, further lines of a value set in, an empty line between objects.
fn list(text: &str) -> Vec<Record> {
    let mut out: Vec<Record> = Vec::new();
    let mut open: Option<String> = None;
    let mut current = Record::default();
    for (raw, line) in text.lines().zip(1..) {
        if raw.trim().is_empty() {
            out.push(std::mem::take(&mut current));
            open = None;
        } else if raw.starts_with([' ', '\t']) {
            let values = open.as_ref().and_then(|name| current.fields.get_mut(name));
            values.and_then(|values| values.last_mut()).into_iter().for_each(|value| value.push_str(raw.trim()));
        } else if let Some((name, value)) = raw.split_once(':') {
            let name = name.trim().to_lowercase();
            current.line = if current.fields.is_empty() { line } else { current.line };
            current.fields.insert(name.clone(), vec![value.trim().to_owned()]);
            open = Some(name);
        }
    }
    out.push(current);
    out.retain(|record| !record.fields.is_empty());
    out
}

/// `Export-Clixml`: objects in `Obj`, their properties in `Props` or `MS` by the attribute `N`; lists in `LST`.
fn clixml(text: &str) -> Vec<Record> {
    let mut out: Vec<Record> = Vec::new();
    let mut stack: Vec<(String, Option<String>)> = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Open { name, attributes, line } => {
                let named = attributes.into_iter().find(|(key, _)| key == "N").map(|(_, value)| value.to_lowercase());
                if name == "Obj" && named.is_none() && !stack.iter().any(|(_, name)| name.is_some()) {
                    out.push(Record { line, fields: BTreeMap::new() });
                }
                let outermost = !stack.iter().any(|(_, name)| name.is_some());
                if let (Some(named), Some(record), true) = (&named, out.last_mut(), outermost) {
                    record.fields.entry(named.clone()).or_default();
                }
                stack.push((name, named));
            }
            Piece::Close => drop(stack.pop()),
            Piece::Text(text) => {
                let field = property(&stack).and_then(|name| out.last_mut()?.fields.get_mut(name));
                field.into_iter().for_each(|values| values.push(text.clone()));
            }
        }
    }
    out.retain(|record| !record.fields.is_empty());
    out
}

/// The property that a place belongs to: the outermost named element. Properties of a value's own object, and the names
/// of its types, are none of ours.
fn property(stack: &[(String, Option<String>)]) -> Option<&str> {
    let at = stack.iter().position(|(_, name)| name.is_some())?;
    let foreign = |(name, _): &(String, Option<String>)| matches!(name.as_str(), "Props" | "MS" | "TN" | "TNRef");
    match stack[at..].iter().any(foreign) {
        true => None,
        false => stack[at].1.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let file = ConfigFile::new("export".into(), text.as_bytes(), 0, true);
        let found: Vec<String> =
            records(&file).iter().map(|record| format!("{} {:?}", record.line, record.fields)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn objects_of_three_forms() {
        check(
            "#TYPE x\n\"Name\",\"Ranges\"\r\n\"a \"\"b\"\"\",\"1,\n2\"\nc,d\n",
            &[r#"3 {"name": ["a \"b\""], "ranges": ["1,\n2"]}"#, r#"5 {"name": ["c"], "ranges": ["d"]}"#],
        );
        check("Name;Type\na;b\n", &[r#"2 {"name": ["a"], "type": ["b"]}"#]);
        check(
            "\nName   : a: b\nRanges : {1,\n         2}\n\nName   : c\n",
            &[r#"2 {"name": ["a: b"], "ranges": ["{1,2}"]}"#, r#"6 {"name": ["c"]}"#],
        );
        check(
            "<Objs><Obj RefId=\"0\"><TN><T>x</T></TN><Props>\n<S N=\"Name\">a</S><Obj N=\"Ranges\"><TN><T>y</T></TN><LST><S>1</S>\
             <Obj><ToString>2</ToString><Props><S N=\"Lower\">z</S></Props></Obj></LST></Obj></Props></Obj>\n\
             <Obj><MS><B N=\"Deny\">false</B><Nil N=\"None\"/></MS></Obj></Objs>",
            &[r#"1 {"name": ["a"], "ranges": ["1", "2"]}"#, r#"3 {"deny": ["false"], "none": []}"#],
        );
        check("", &[]);
        check("<Objs", &[]);
        check("\"", &[]);
    }

    #[test]
    fn lists_of_values() {
        let record = Record { line: 1, fields: [("r".to_owned(), vec!["{1, 2}".to_owned(), "3".to_owned()])].into() };
        assert_eq!(record.list("r"), ["1", "2", "3"]);
        assert_eq!(record.list("none"), Vec::<&str>::new());
    }
}
