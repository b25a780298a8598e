//! JSON: the document itself (`docs/report.schema.json`). Escaping is serde_json's, by RFC 8259.

use serde::Serialize;
use std::io::{self, Write};

/// Writes a document as one indented JSON document and a line end.
///
/// Fails with the writer's error, so that a broken pipe can be told from others.
pub fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document).map_err(io::Error::from)?;
    out.write_all(b"\n")
}
