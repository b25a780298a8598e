//! CSV on standard output: the findings, one row each, worst first, by RFC 4180 with a head line.
//!
//! No cell is a formula to a spreadsheet, and none holds a line end (see [`super::escape`]). The
//! other tables come as CSV with `--tables DIR`.

use super::rows::{Cells, Column, Table};
use super::{Report, escape, rows};
use std::io::{self, Write};

/// Writes the findings.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_table(&rows::findings(report), out)
}

/// Writes a table.
pub fn write_table(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let head: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    writeln!(out, "{}", head.join(","))?;
    for row in 0..table.rows() {
        let cells: Vec<String> = table.columns.iter().map(|column| cell(column, row)).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// One cell; empty for no value.
fn cell(column: &Column, row: usize) -> String {
    match &column.cells {
        Cells::Text(cells) => cells.get(row).and_then(Option::as_deref).map(escape::csv),
        Cells::Count(cells) => cells.get(row).map(ToString::to_string),
        Cells::Share(cells) => cells.get(row).map(ToString::to_string),
    }
    .unwrap_or_default()
}
