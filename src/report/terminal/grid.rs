//! Tables of the terminal: comfy-table without rules, as wide as need be.

use super::page::{Page, Style};
use crate::report::escape::terminal;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use std::io;

/// How a column is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text that may be wrapped, but not below so many columns.
    Text(u16),
    /// Text that is never wrapped.
    Whole,
    /// Figures, never wrapped, set to the right.
    Figure,
}

/// The lines of a cell, each of them raw.
pub type Lines = Vec<String>;

/// Writes a table with a head.
pub fn write(page: &mut Page<'_>, columns: &[(&str, Kind)], rows: &[Vec<Lines>]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).force_no_tty();
    table.set_width(u16::try_from(page.width).unwrap_or(200));
    table.set_header(columns.iter().map(|(head, _)| Cell::new(head)));
    for row in rows {
        table.add_row(row.iter().map(|cell| Cell::new(safe(cell))));
    }
    for ((_, kind), column) in columns.iter().zip(table.column_iter_mut()) {
        column.set_padding((2, 0));
        if *kind == Kind::Figure {
            column.set_cell_alignment(CellAlignment::Right);
        }
        column.set_constraint(match kind {
            // The padding counts.
            Kind::Text(least) => ColumnConstraint::LowerBoundary(Width::Fixed(least + 2)),
            Kind::Whole | Kind::Figure => ColumnConstraint::ContentWidth,
        });
    }
    let head = columns.iter().map(|(head, _)| head.lines().count()).max().unwrap_or(0);
    let lines: Vec<String> = table.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let style = if at < head { Style::Bold } else { Style::Plain };
        page.cut(style, "", line.trim_end())?;
    }
    Ok(())
}

/// A cell of one line.
pub fn one(text: impl Into<String>) -> Lines {
    vec![text.into()]
}

/// Neutralised line by line, so that a line end from a log stays within its line.
fn safe(cell: &Lines) -> String {
    cell.iter().map(|line| terminal(line)).collect::<Vec<_>>().join("\n")
}
