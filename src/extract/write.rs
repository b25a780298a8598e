//! Rows as CSV, JSON lines or Parquet, written as they come.

use super::row::{COLUMNS, Cell};
use crate::report::{escape, json};
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{Column, DataFrame, DataType, Field, ParquetWriter, PolarsError, Schema};
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// The values of one row, in the order of [`COLUMNS`].
pub type Cells = [Cell; COLUMNS.len()];

/// Columns that hold numbers.
const NUMBERS: [&str; 3] = ["reply_code", "size_bytes", "line"];

/// Takes rows one after the other.
pub trait RowWriter: Send {
    /// Writes a row.
    fn row(&mut self, cells: &Cells) -> io::Result<()>;
    /// Completes the output.
    fn finish(&mut self) -> io::Result<()>;
}

/// Comma-separated values (RFC 4180) with a line of names; text is harmless to spreadsheets.
pub struct Csv<W> {
    out: W,
    begun: bool,
}

impl<W: Write + Send> Csv<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Csv { out, begun: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            writeln!(self.out, "{}", COLUMNS.join(","))?;
        }
        Ok(())
    }
}

impl<W: Write + Send> RowWriter for Csv<W> {
    fn row(&mut self, cells: &Cells) -> io::Result<()> {
        self.begin()?;
        for (at, cell) in cells.iter().enumerate() {
            if 0 < at {
                self.out.write_all(b",")?;
            }
            match cell {
                Cell::Missing => {}
                // An empty text in quotes tells it from a missing one.
                Cell::Text(text) if text.is_empty() => self.out.write_all(b"\"\"")?,
                Cell::Text(text) => self.out.write_all(escape::csv(text).as_bytes())?,
                Cell::Number(number) => write!(self.out, "{number}")?,
            }
        }
        self.out.write_all(b"\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.begin()?;
        self.out.flush()
    }
}

/// One JSON object a line (ndjson); what is missing is null.
pub struct Ndjson<W>(pub W);

impl<W: Write + Send> RowWriter for Ndjson<W> {
    fn row(&mut self, cells: &Cells) -> io::Result<()> {
        for (at, (name, cell)) in COLUMNS.iter().zip(cells).enumerate() {
            write!(self.0, "{}\"{name}\":", if at == 0 { '{' } else { ',' })?;
            match cell {
                Cell::Missing => self.0.write_all(b"null")?,
                Cell::Text(text) => json::write_value(text, &mut self.0)?,
                Cell::Number(number) => write!(self.0, "{number}")?,
            }
        }
        self.0.write_all(b"}\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Parquet, through polars, a row group at a time.
pub struct Parquet {
    writer: BatchedWriter<BufWriter<File>>,
    group: Vec<Cells>,
}

/// Rows of a group: enough for columns to compress well, few enough to be held.
const GROUP: usize = 64 * 1024;

impl Parquet {
    /// Writes to a file.
    pub fn new(file: File) -> io::Result<Parquet> {
        let field = |name: &&str| {
            let kind = if NUMBERS.contains(name) { DataType::UInt64 } else { DataType::String };
            Field::new((*name).into(), kind)
        };
        let schema: Schema = COLUMNS.iter().map(field).collect();
        let writer = ParquetWriter::new(BufWriter::new(file)).batched(&schema).map_err(other)?;
        Ok(Parquet { writer, group: Vec::new() })
    }

    fn write_group(&mut self) -> io::Result<()> {
        if self.group.is_empty() {
            return Ok(());
        }
        let column = |(at, name): (usize, &&str)| -> Column {
            let cells = self.group.iter().map(|row| &row[at]);
            if NUMBERS.contains(name) {
                let numbers: Vec<Option<u64>> =
                    cells.map(|cell| if let Cell::Number(number) = cell { Some(*number) } else { None }).collect();
                return Column::new((*name).into(), numbers);
            }
            let texts: Vec<Option<&str>> =
                cells.map(|cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None }).collect();
            Column::new((*name).into(), texts)
        };
        let columns = COLUMNS.iter().enumerate().map(column).collect();
        let frame = DataFrame::new(self.group.len(), columns).map_err(other)?;
        self.writer.write_batch(&frame).map_err(other)?;
        self.group.clear();
        Ok(())
    }
}

impl RowWriter for Parquet {
    fn row(&mut self, cells: &Cells) -> io::Result<()> {
        self.group.push(cells.clone());
        if self.group.len() < GROUP { Ok(()) } else { self.write_group() }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_group()?;
        self.writer.finish().map(|_| ()).map_err(other)
    }
}

fn other(error: PolarsError) -> io::Error {
    io::Error::other(error.to_string())
}
