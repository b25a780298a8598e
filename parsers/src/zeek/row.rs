//! The fields of a record that are used, in either form.

use crate::json::{self, Value};
use crate::paths::Paths;
use crate::record::Unparsed;
use crate::text::unparsed;

/// What a record holds; empty or `None` where a field is unset (`-`, or absent in JSON).
#[derive(Default)]
pub struct Row<'a> {
    pub time: &'a [u8],
    pub session: &'a [u8],
    pub client: &'a [u8],
    pub helo: &'a [u8],
    pub reverse_path: Option<&'a [u8]>,
    /// The From header.
    pub header_from: &'a [u8],
    pub forward_paths: Option<Paths<'a>>,
    pub last_reply: &'a [u8],
    /// Whether anything of a message was seen: a header or a body.
    pub has_data: bool,
}

const UNSET: &[u8] = b"-";
const EMPTY: &[u8] = b"(empty)";

impl<'a> Row<'a> {
    /// Reads a JSON object. Text is left escaped.
    pub fn of_object(line: &'a [u8]) -> Result<Row<'a>, Unparsed> {
        let mut row = Row::default();
        json::members(line, |name, value| match value {
            Value::List(inside) if name == b"rcptto" => row.forward_paths = Some(Paths::strings(inside)),
            Value::List(inside) => row.take(name, if inside.is_empty() { UNSET } else { inside }),
            _ => row.take(name, value.text()),
        })
        .map_err(|error| unparsed(line, &error))?;
        Ok(row)
    }

    /// Reads a line of these columns.
    pub fn of_columns(line: &'a [u8], columns: &[Box<[u8]>]) -> Result<Row<'a>, Unparsed> {
        let mut row = Row::default();
        let mut fields = line.split(|byte| *byte == b'\t');
        for name in columns {
            let wanted = Unparsed { at: line.len(), expected: "as many fields as `#fields` names" };
            let field = fields.next().ok_or(wanted)?;
            match (name.as_ref(), field) {
                (_, UNSET) => {}
                (b"rcptto", _) if field != EMPTY => row.forward_paths = Some(Paths::split(field, b',')),
                (name, _) => row.take(name, if field == EMPTY { UNSET } else { field }),
            }
        }
        match fields.next() {
            None => Ok(row),
            Some(_) => Err(Unparsed { at: 0, expected: "as many fields as `#fields` names" }),
        }
    }

    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        match name {
            b"ts" => self.time = value,
            b"uid" => self.session = value,
            b"id.orig_h" => self.client = value,
            b"helo" => self.helo = value,
            b"mailfrom" => self.reverse_path = Some(value),
            b"last_reply" => self.last_reply = value,
            b"date" | b"from" | b"to" | b"msg_id" | b"subject" | b"first_received" | b"fuids" => {
                self.has_data |= value != UNSET;
                if name == b"from" {
                    self.header_from = value;
                }
            }
            _ => {}
        }
    }
}
