//! Progress on a terminal: bytes, rate and time left, per stage. Nothing anywhere else.

use crate::fold::Rejected;
use crate::scan::Watch;
use crate::source::Log;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shows how far a scan is, and writes down what could not be parsed.
pub struct Progress {
    bar: ProgressBar,
    /// Bytes read of each file on disk: what the bar runs along, since sizes of compressed files say
    /// nothing of the text in them.
    passed: Vec<Arc<AtomicU64>>,
    folded: u64,
    unparsed: Option<Box<dyn Write + Send>>,
    /// The first error in writing `--unparsed`.
    pub error: Option<io::Error>,
}

impl Progress {
    /// Progress over these logs; silent if `quiet` or stderr is no terminal.
    pub fn new(logs: &[Log], quiet: bool, unparsed: Option<Box<dyn Write + Send>>) -> Progress {
        let total = logs.iter().map(|log| log.source.size_bytes()).sum::<Option<u64>>();
        let bar = if quiet || !io::stderr().is_terminal() { ProgressBar::hidden() } else { Progress::bar(total) };
        let passed = logs.iter().map(|log| log.source.passed()).collect();
        Progress { bar, passed, folded: 0, unparsed, error: None }
    }

    fn bar(total: Option<u64>) -> ProgressBar {
        let (bar, shape) = match total {
            Some(total) => {
                (ProgressBar::new(total), "{msg} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
            }
            None => (ProgressBar::no_length(), "{spinner} {msg} {bytes}, {bytes_per_sec}"),
        };
        bar.set_style(ProgressStyle::with_template(shape).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message("reading");
        bar
    }

    /// Shows that the reading is over and something else goes on.
    pub fn stage(&self, name: &'static str) {
        self.bar.set_message(name);
        self.bar.tick();
    }

    /// Removes the progress from the terminal and completes `--unparsed`.
    pub fn finish(&mut self) {
        self.bar.finish_and_clear();
        if let Some(file) = &mut self.unparsed {
            self.error = self.error.take().or(file.flush().err());
        }
    }
}

impl Watch for Progress {
    fn folded(&mut self, bytes: u64) {
        self.folded += bytes;
        self.bar.set_position(self.passed.iter().map(|passed| passed.load(Ordering::Relaxed)).sum());
    }

    fn rejected(&mut self, path: &str, lines: &[Rejected]) {
        let Some(file) = &mut self.unparsed else { return };
        for line in lines {
            let mut write = || {
                write!(file, "{path}:{}:{}: expected {}: ", line.place.number(), line.column, line.expected)?;
                file.write_all(&line.line)?;
                file.write_all(b"\n")
            };
            if let Err(error) = write() {
                self.error.get_or_insert(error);
            }
        }
    }
}
