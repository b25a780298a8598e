//! `relayaudit extract`: logs in, a row per recipient out.

use super::args::{Extract, Form};
use super::progress::Progress;
use super::{CLEAN, Error, FAILED, complain, reading};
use crate::extract::{Csv, Ndjson, Parquet, Partitioned, Row, RowWriter, Rows};
use crate::fold::{Filter, Rejected};
use crate::ledger::{FileId, Text, one_view};
use crate::scan::{Plan, Watch, read_all, scan};
use crate::site::{self, Site};
use foldhash::HashMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

/// Runs the extraction. Returns the exit status.
pub fn run(options: &Extract) -> Result<u8, Error> {
    let filter = reading::filter(&options.read)?;
    let site = site_of(options, &filter)?;
    let logs = reading::logs(&options.read, options.read.log_format.map(|format| format.0));
    let unparsed = options.read.unparsed.as_deref().map(reading::create).transpose()?;
    let progress = Progress::new(&logs.logs, options.read.quiet, unparsed);
    let files = logs.logs.iter().map(|log| (log.file, (log.path, log.format.name))).collect();
    let mut writing = Writing { progress, site, files, out: writer(options)?, error: None };
    let (rest, problems) = read_all::<Rows>(logs.logs, Plan::default(), &filter, &mut writing);
    writing.write(&rest.0);
    writing.progress.finish();
    if let (Some(source), Some(path)) = (writing.progress.error.take(), &options.read.unparsed) {
        return Err(Error::Write { path: path.display().to_string(), source });
    }
    let done = writing.error.take().map_or_else(|| writing.out.finish(), Err);
    done.map_err(|source| at(options.out.as_deref(), source))?;
    for (file, problem) in &problems {
        let path = writing.files.get(file).map_or("", |(path, _)| path);
        complain(&format!("{path}: {problem}"));
    }
    Ok(if problems.is_empty() && logs.failures.is_empty() { CLEAN } else { FAILED })
}

/// The site for the verdicts: as stated, completed by what the logs show if they can be read twice.
fn site_of(options: &Extract, filter: &Filter) -> Result<Site, Error> {
    let stated = reading::stated_site(&options.site)?;
    if stated.states_local_domains() {
        return Ok(stated);
    }
    if options.read.paths.iter().any(|path| path == "-") {
        complain("standard input cannot be read twice: without --local-domain the verdicts take no domain for yours");
        return Ok(stated);
    }
    // What could not be opened is said when the logs are read for good.
    let logs = reading::open(&options.read, options.read.log_format.map(|format| format.0));
    let mut progress = Progress::new(&logs.logs, options.read.quiet, None);
    progress.stage("inferring your site");
    let filter = Filter { collect_unparsed: false, ..filter.clone() };
    let mut ledger = scan(logs.logs, Plan::default(), &filter, &mut progress);
    progress.finish();
    one_view(&mut ledger);
    Ok(site::infer(&ledger, &stated))
}

fn writer(options: &Extract) -> Result<Box<dyn RowWriter>, Error> {
    if options.partition {
        let what = "writes parquet only: --to parquet";
        return match (options.to, options.out.as_deref()) {
            (Form::Parquet, Some(folder)) => {
                Ok(Box::new(Partitioned::new(folder).map_err(|source| at(Some(folder), source))?))
            }
            _ => Err(Error::Option { option: "--partition", what: what.to_owned() }),
        };
    }
    let file =
        || options.out.as_deref().map(|path| File::create(path).map_err(|source| at(Some(path), source))).transpose();
    Ok(match (options.to, file()?) {
        (Form::Parquet, Some(file)) => {
            Box::new(Parquet::new(file).map_err(|source| at(options.out.as_deref(), source))?)
        }
        (Form::Parquet, None) => {
            return Err(Error::Option { option: "--to parquet", what: "needs a file: --out FILE".to_owned() });
        }
        (Form::Csv, Some(file)) => Box::new(Csv::new(BufWriter::new(file))),
        (Form::Csv, None) => Box::new(Csv::new(BufWriter::new(io::stdout()))),
        (Form::Ndjson, Some(file)) => Box::new(Ndjson(BufWriter::new(file))),
        (Form::Ndjson, None) => Box::new(Ndjson(BufWriter::new(io::stdout()))),
    })
}

fn at(path: Option<&Path>, source: io::Error) -> Error {
    match path {
        Some(path) => Error::Write { path: path.display().to_string(), source },
        None => Error::Output(source),
    }
}

/// Writes rows as they are decided.
struct Writing {
    progress: Progress,
    site: Site,
    files: HashMap<FileId, (Text, &'static str)>,
    out: Box<dyn RowWriter>,
    /// The first error; nothing is written after it.
    error: Option<io::Error>,
}

impl Writing {
    fn write(&mut self, rows: &[Row]) {
        for row in rows {
            let (path, format) = self.files.get(&row.place().file).map_or(("", ""), |(path, format)| (path, *format));
            let Some(cells) = row.cells(&self.site, path, format) else { continue };
            if self.error.is_some() {
                return;
            }
            self.error = self.out.row(&cells).err();
        }
    }
}

impl Watch<Rows> for Writing {
    fn folded(&mut self, bytes: u64) {
        Watch::<crate::ledger::Ledger>::folded(&mut self.progress, bytes);
    }

    fn rejected(&mut self, path: &str, lines: &[Rejected]) {
        Watch::<crate::ledger::Ledger>::rejected(&mut self.progress, path, lines);
    }

    fn decided(&mut self, rows: &mut Rows) {
        let rows = std::mem::take(rows);
        self.write(&rows.0);
    }

    /// Where nothing more can be written (`| head` has gone), nothing more need be read.
    fn has_enough(&self) -> bool {
        self.error.is_some()
    }
}
