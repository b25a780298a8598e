//! Find: paths, folders and globs become files.

use super::Failure;
use crate::ledger::Text;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file that may be a log.
pub struct Candidate {
    /// Its path; `-` is stdin.
    pub path: Text,
    /// Whether the user named it (rather than a folder or a pattern that holds it).
    pub named: bool,
}

/// What the paths of a command line lead to.
#[derive(Default)]
pub struct Found {
    /// Files, each once, in the order of the paths and, within a folder, of their names.
    pub files: Vec<Candidate>,
    /// Paths that lead nowhere.
    pub failures: Vec<Failure>,
    /// Things in folders that are not files.
    pub skipped: Vec<Failure>,
}

/// Follows paths, folders (all the way down) and, where no such file exists, glob patterns.
pub fn find(paths: &[String]) -> Found {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        if path == "-" {
            found.add(path, Path::new("-"), true, &mut seen);
        } else if Path::new(path).is_dir() {
            found.folder(path, &mut seen);
        } else if Path::new(path).exists() {
            found.file(path, Path::new(path), true, &mut seen);
        } else if path.contains(['*', '?', '[']) {
            found.pattern(path, &mut seen);
        } else {
            found.fail(path, "no such file or folder");
        }
    }
    found
}

impl Found {
    fn fail(&mut self, path: &str, what: impl Into<String>) {
        self.failures.push(Failure { path: path.into(), what: what.into() });
    }

    fn add(&mut self, path: &str, real: &Path, named: bool, seen: &mut BTreeSet<PathBuf>) {
        if seen.insert(real.to_path_buf()) {
            self.files.push(Candidate { path: path.into(), named });
        }
    }

    fn file(&mut self, path: &str, file: &Path, named: bool, seen: &mut BTreeSet<PathBuf>) {
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => {
                let real = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
                self.add(path, &real, named, seen);
            }
            // Opening a FIFO would wait for ever; a device never ends.
            Ok(_) if named => self.fail(path, "not a regular file; give `-` to read standard input"),
            Ok(_) => self.skipped.push(Failure { path: path.into(), what: "not a regular file".into() }),
            Err(error) => self.fail(path, format!("cannot read: {error}")),
        }
    }

    fn folder(&mut self, folder: &str, seen: &mut BTreeSet<PathBuf>) {
        let before = self.files.len();
        // Links are not followed: a link to a parent folder would never end.
        for entry in walkdir::WalkDir::new(folder).follow_root_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let path = entry.path().to_string_lossy().into_owned();
                    self.file(&path, entry.path(), false, seen);
                }
                Err(error) => {
                    let path = error.path().map_or_else(|| folder.to_owned(), |p| p.to_string_lossy().into_owned());
                    self.fail(&path, format!("cannot read: {error}"));
                }
            }
        }
        if before == self.files.len() && self.failures.is_empty() {
            self.fail(folder, "the folder holds no files");
        }
    }

    fn pattern(&mut self, pattern: &str, seen: &mut BTreeSet<PathBuf>) {
        let matches = match glob::glob(pattern) {
            Ok(matches) => matches,
            Err(error) => return self.fail(pattern, format!("not a valid pattern: {error}")),
        };
        let mut any = false;
        for path in matches.flatten() {
            any = true;
            let text = path.to_string_lossy().into_owned();
            if path.is_dir() {
                self.folder(&text, seen);
            } else {
                self.file(&text, &path, false, seen);
            }
        }
        if !any {
            self.fail(pattern, "no file matches this pattern");
        }
    }
}
