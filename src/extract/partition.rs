//! A folder of Parquet files by day and server, laid out as Hive, Spark, DuckDB and polars read it:
//! `day=2026-11-24/server=mx1.example.org/part-0.parquet`.
//!
//! Rows come in the order of the logs, so few partitions are filled at a time; but logs of many servers, or damaged stamps,
//! may fill thousands. So no file stays open: what waits is held up to a limit, then the fullest partition is written as a file.

use super::row::{COLUMNS, Cell};
use super::write::{Cells, Parquet, RowWriter};
use foldhash::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What stands for a value that is missing (Apache Hive, `hive.exec.default.partition.name`).
const MISSING: &str = "__HIVE_DEFAULT_PARTITION__";

/// Bytes of a folder's name that come from a log. File systems take 255.
const LONGEST: usize = 180;

/// Rows that wait in all, at a few hundred bytes each.
const WAITING: usize = 128 * 1024;

/// Writes the partitions.
pub struct Partitioned {
    root: PathBuf,
    waiting: HashMap<PathBuf, Vec<Cells>>,
    rows: usize,
    limit: usize,
    /// Files written in each partition.
    parts: HashMap<PathBuf, u32>,
}

impl Partitioned {
    /// Writes below a folder, which is made if need be. One that holds something already is refused: rows of an earlier
    /// run would count twice.
    pub fn new(root: &Path) -> io::Result<Partitioned> {
        fs::create_dir_all(root)?;
        if fs::read_dir(root)?.next().is_some() {
            let what = "the folder is not empty; rows that are in it already would count twice. Name a new one";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        let root = root.to_owned();
        Ok(Partitioned { root, waiting: HashMap::default(), rows: 0, limit: WAITING, parts: HashMap::default() })
    }

    /// Writes what waits for one partition as a file of its own.
    fn write(&mut self, partition: &Path) -> io::Result<()> {
        let Some(rows) = self.waiting.remove(partition) else { return Ok(()) };
        self.rows -= rows.len();
        let folder = self.root.join(partition);
        fs::create_dir_all(&folder)?;
        let part = self.parts.entry(partition.to_owned()).or_default();
        let mut file = Parquet::new(File::create_new(folder.join(format!("part-{part}.parquet")))?)?;
        *part += 1;
        rows.iter().try_for_each(|row| file.row(row))?;
        file.finish()
    }
}

impl RowWriter for Partitioned {
    fn row(&mut self, cells: &Cells) -> io::Result<()> {
        self.waiting.entry(partition(cells)).or_default().push(cells.clone());
        self.rows += 1;
        while self.limit <= self.rows {
            // The path decides among equals, so that the same logs give the same files.
            let fullest =
                self.waiting.iter().max_by_key(|(path, rows)| (rows.len(), *path)).map(|(path, _)| path.clone());
            fullest.map_or(Ok(()), |path| self.write(&path))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut left: Vec<PathBuf> = self.waiting.keys().cloned().collect();
        left.sort();
        left.iter().try_for_each(|partition| self.write(partition))
    }
}

/// The folder of a row, below the root.
fn partition(cells: &Cells) -> PathBuf {
    let text = |name: &str| match COLUMNS.iter().position(|column| *column == name).map(|at| &cells[at]) {
        Some(Cell::Text(text)) if !text.is_empty() => Some(text.as_str()),
        _ => None,
    };
    let day = text("time").and_then(|time| time.get(..10));
    [format!("day={}", day.unwrap_or(MISSING)), format!("server={}", text("server").map_or(MISSING.into(), folder))]
        .iter()
        .collect()
}

/// A text as the name of a folder: bytes that may mean something to a file system as `%2F`, which readers turn back.
fn folder(text: &str) -> String {
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
        if LONGEST <= name.len() {
            break;
        }
    }
    // Windows drops a full stop at the end.
    match name.strip_suffix('.') {
        Some(start) => format!("{start}%2E"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cells(server: &str, time: &str) -> Cells {
        let mut cells: Cells = std::array::from_fn(|_| Cell::Missing);
        let at = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
        cells[at("server")] = Cell::Text(server.to_owned());
        if !time.is_empty() {
            cells[at("time")] = Cell::Text(time.to_owned());
        }
        cells
    }

    #[test]
    fn folders() {
        let check = |server: &str, time: &str, want: &str| {
            let wanted: PathBuf = want.split('/').collect();
            assert_eq!(partition(&cells(server, time)), wanted, "{server}");
        };
        check("mx1.example.org", "2026-11-24T08:00:00Z", "day=2026-11-24/server=mx1.example.org");
        check("", "", "day=__HIVE_DEFAULT_PARTITION__/server=__HIVE_DEFAULT_PARTITION__");
        check("../../etc", "2026-11-24T08:00:00Z", "day=2026-11-24/server=..%2F..%2Fetc");
        check("C:\\x\0.", "2026-11-24T08:00:00Z", "day=2026-11-24/server=C%3A%5Cx%00%2E");
        check("mx=1\u{e9}", "2026-11-24T08:00:00Z", "day=2026-11-24/server=mx%3D1%C3%A9");
        let long = "a".repeat(1 << 20);
        check(&long, "2026-11-24T08:00:00Z", &format!("day=2026-11-24/server={}", "a".repeat(LONGEST)));
    }

    #[test]
    fn rows_that_wait_are_bounded_and_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Partitioned { limit: 4, ..Partitioned::new(folder.path()).unwrap() };
        for day in 1..=9 {
            out.row(&cells("mx1", &format!("2026-11-0{day}T00:00:00Z"))).unwrap();
            out.row(&cells("mx2", "2026-11-01T00:00:00Z")).unwrap();
            assert!(out.rows < 4);
        }
        out.finish().unwrap();
        let files = walkdir::WalkDir::new(folder.path()).into_iter().flatten();
        let rows: usize = files
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                use polars::prelude::{ParquetReader, SerReader};
                ParquetReader::new(File::open(entry.path()).unwrap()).finish().unwrap().height()
            })
            .sum();
        assert_eq!(rows, 18);
        assert!(1 < out.parts[&partition(&cells("mx2", "2026-11-01T00:00:00Z"))]);
        assert_eq!(Partitioned::new(folder.path()).err().map(|error| error.kind()), Some(io::ErrorKind::AlreadyExists));
    }
}
