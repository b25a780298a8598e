//! Placeholder until the grammar is written.
use crate::record::Line;
use crate::registry::{Context, Format};

/// Placeholder.
pub const FORMAT: Format = Format {
    name: "postfix",
    title: "",
    versions: "",
    yields: "",
    lacks: "",
    source: "",
    recognises: |_| false,
    parse,
    direct: |_, _| (),
};

fn parse<'a>(_line: &'a [u8], _context: &Context) -> Line<'a> {
    Line::Ignored("placeholder")
}
