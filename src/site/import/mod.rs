//! Import: the site from the configuration of mail servers, and the lines of it that open the server.
//!
//! A kind of server is one module and one line in [`IMPORTERS`]. Nothing is read but the files that were named; no
//! program is run, and no name is looked up.

mod exchange;
mod exim;
mod files;
mod gather;
mod opensmtpd;
mod postfix;
mod sendmail;
mod xml;

pub use files::{ConfigFile, Files};

use super::Site;
use std::io;
use std::path::PathBuf;

/// A kind of server whose configuration can be read.
pub struct Importer {
    /// Its name, as inputs show it.
    pub name: &'static str,
    /// The files it takes, for people.
    pub files: &'static str,
    /// Whether a file is one of its own, by name or content.
    pub recognises: fn(&ConfigFile) -> bool,
    /// Reads all files of its kind; others may be looked up by the paths they give.
    pub import: fn(&[&ConfigFile], &Files) -> Site,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every importer. The first that recognises a file has it: those with the most telling files come first.
pub const IMPORTERS: &[Importer] = &[
    exchange::IMPORTER,
    exchange::iis::IMPORTER,
    sendmail::IMPORTER,
    exim::IMPORTER,
    opensmtpd::IMPORTER,
    postfix::IMPORTER,
];

/// Why a configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("{}: cannot read the configuration: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is longer than any configuration.
    #[error("{}: longer than 16 MiB; expected a configuration file, nothing was read", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// No importer recognises it, and no other file refers to it.
    #[error(
        "{}: no configuration that is understood, and no other file refers to it; expected {}", path.display(), kinds()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
}

/// The files that are understood, for a message.
fn kinds() -> String {
    let kinds: Vec<&str> = IMPORTERS.iter().map(|importer| importer.files).collect();
    kinds.join("; ")
}

/// Reads configuration files, and the files directly in folders.
///
/// Returns what they say, with their openings, and what could not be read: the rest is good all the same.
pub fn import(paths: &[PathBuf]) -> (Site, Vec<Error>) {
    let mut files = Files::read(paths);
    let site = import_files(&files);
    let used = |file: &ConfigFile| site.imported.looked_up.contains(&file.path);
    let strays = files.strays(&used);
    files.problems.extend(strays);
    (site, files.problems)
}

/// Runs the importers on files that were read.
pub fn import_files(files: &Files) -> Site {
    let mut site = Site::default();
    for importer in IMPORTERS {
        let is_own = |file: &&ConfigFile| file.importer.is_some_and(|own| own.name == importer.name);
        let own: Vec<&ConfigFile> = files.all.iter().filter(is_own).collect();
        if !own.is_empty() {
            site.add_all((importer.import)(&own, files));
        }
    }
    let used = |file: &&ConfigFile| file.importer.is_some() || site.imported.looked_up.contains(&file.path);
    let inputs: Vec<_> = files.all.iter().filter(used).map(ConfigFile::input).collect();
    site.imported.inputs.extend(inputs);
    site
}
