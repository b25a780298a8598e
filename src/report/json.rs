//! JSON: the document itself (`docs/report.schema.json`). Escaping is serde_json's, by RFC 8259; besides, what is invisible or drives a
//! terminal is written as `\u202e`, which says the same to every reader and does no harm to who looks at the text.

use super::escape::is_hidden;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// Writes a document as one indented JSON document and a line end.
///
/// Fails with the writer's error, so that a broken pipe can be told from others.
pub fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Visible(PrettyFormatter::new()));
    document.serialize(&mut serializer).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// Writes one value, without indentation or line end.
pub fn write_value(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Visible(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Lays out as another formatter does, with nothing hidden in texts.
struct Visible<F>(F);

/// Hands calls on.
macro_rules! as_before {
    ($($name:ident($($argument:ident: $kind:ty),*)),+) => {
        $(fn $name<W: ?Sized + Write>(&mut self, out: &mut W, $($argument: $kind),*) -> io::Result<()> {
            self.0.$name(out, $($argument),*)
        })+
    };
}

impl<F: Formatter> Formatter for Visible<F> {
    as_before!(
        begin_array(),
        end_array(),
        begin_array_value(first: bool),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first: bool),
        end_object_key(),
        begin_object_value(),
        end_object_value()
    );

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some((at, hidden)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
            out.write_all(&rest.as_bytes()[..at])?;
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + hidden.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str, want: &str) {
        let mut out = Vec::new();
        write_value(&text, &mut out).unwrap();
        assert_eq!(String::from_utf8(out.clone()).unwrap(), want);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }

    #[test]
    fn nothing_hidden_is_left_and_nothing_is_changed() {
        check("a\"\\\n\u{1b}é日", "\"a\\\"\\\\\\n\\u001bé日\"");
        check("\u{7f}\u{9b}x\u{202e}", "\"\\u007f\\u009bx\\u202e\"");
        check("\u{e0041}\u{feff}", "\"\\udb40\\udc41\\ufeff\"");
        check("", "\"\"");
    }

    #[test]
    fn documents_are_laid_out_as_before() {
        let document = serde_json::json!({"a": [1, {"b": "\u{200b}"}], "c": {}, "d": []});
        let mut out = Vec::new();
        write(&document, &mut out).unwrap();
        let want = serde_json::to_string_pretty(&document).unwrap().replace('\u{200b}', "\\u200b") + "\n";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
