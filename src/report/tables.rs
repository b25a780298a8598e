//! `--tables DIR`: every table as a CSV and a Parquet file, through polars.
//!
//! Text is raw in Parquet, and made harmless to spreadsheets in CSV.

use super::rows;
use super::{Report, frames, handovers};
use crate::ledger::Ledger;
use crate::site::Site;
use polars::prelude::{CsvWriter, DataFrame, ParquetWriter, PolarsResult, SerWriter};
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// A file of tables that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder could not be made, or the file not be opened.
    #[error("{}: cannot write the table: {source}", path.display())]
    Open {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The rows could not be written.
    #[error("{}: cannot write the table: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: polars::prelude::PolarsError,
    },
}

/// Writes `offenders`, `findings`, `accounts`, `campaigns`, `servers`, `timeline`, `coverage`, `blocklistings`, `handovers`, `gaps`, `flows` and
/// `volume` (the flows added up by client) to a folder, which is made if need be. Files of the same
/// names are replaced. Returns the files.
pub fn write_tables(report: &Report, ledger: &Ledger, site: &Site, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    fs::create_dir_all(folder).map_err(|source| Error::Open { path: folder.to_owned(), source })?;
    let flows = rows::flows(ledger, site);
    let tables = [
        rows::offenders(report),
        rows::findings(report),
        rows::accounts(report),
        rows::campaigns(report),
        rows::servers(report),
        rows::timeline(report),
        rows::coverage(report),
        handovers::table(&report.handovers),
        rows::gaps(report),
        rows::blocklistings(report),
    ];
    let mut written = Vec::new();
    for table in tables.iter().chain([&flows]) {
        let forms = Forms { csv: frames::csv_frame(table), parquet: frames::frame(table) };
        written.extend(forms.write(folder, table.name)?);
    }
    let sums = |flows: PolarsResult<DataFrame>| flows.and_then(|flows| frames::volume(&flows));
    let volume = Forms { csv: sums(frames::csv_frame(&flows)), parquet: sums(frames::frame(&flows)) };
    written.extend(volume.write(folder, "volume")?);
    Ok(written)
}

/// One table in both forms.
struct Forms {
    csv: PolarsResult<DataFrame>,
    parquet: PolarsResult<DataFrame>,
}

impl Forms {
    fn write(self, folder: &Path, name: &str) -> Result<[PathBuf; 2], Error> {
        let csv = folder.join(format!("{name}.csv"));
        let out = create(&csv)?;
        let wrote = self.csv.and_then(|mut frame| CsvWriter::new(out).finish(&mut frame));
        wrote.map_err(|source| Error::Write { path: csv.clone(), source })?;
        let parquet = folder.join(format!("{name}.parquet"));
        let out = create(&parquet)?;
        let wrote = self.parquet.and_then(|mut frame| ParquetWriter::new(out).finish(&mut frame));
        wrote.map_err(|source| Error::Write { path: parquet.clone(), source })?;
        Ok([csv, parquet])
    }
}

fn create(path: &Path) -> Result<BufWriter<File>, Error> {
    let file = File::create(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    Ok(BufWriter::new(file))
}
