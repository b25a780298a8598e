//! The files that were named: reading, decoding, finding one by the path that another gives.

use super::{Error, IMPORTERS, Importer};
use crate::ledger::{Evidence, FileId, Input, Place};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// No configuration is as long; a log given by mistake may be.
const LONGEST: u64 = 16 << 20;
/// The number of the first file. Logs are numbered by their first record, paths that lead nowhere downwards from the top.
const FIRST: u64 = u64::MAX - (1 << 20);

/// A file that was named.
#[derive(Debug)]
pub struct ConfigFile {
    /// Its path, as it was named or found in the folder that was; `-` for standard input.
    pub path: PathBuf,
    /// Its text; what is no UTF-8 is replaced.
    pub text: String,
    /// Its importer, if one recognises it.
    pub importer: Option<&'static Importer>,
    id: FileId,
    bytes: u64,
    /// Whether it was named itself, not found in a folder.
    named: bool,
}

impl ConfigFile {
    /// A file from its bytes: UTF-8, or UTF-16 with a byte order mark.
    pub fn new(path: PathBuf, bytes: &[u8], number: u64, named: bool) -> ConfigFile {
        let text = decode(bytes);
        let mut file =
            ConfigFile { path, text, importer: None, id: FileId(FIRST + number), bytes: bytes.len() as u64, named };
        file.importer = IMPORTERS.iter().find(|importer| (importer.recognises)(&file));
        file
    }

    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// A line of it, as evidence.
    pub fn evidence(&self, line: usize) -> Evidence {
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Evidence::of(Place { file: self.id, line: line as u64 }, text.as_bytes())
    }

    /// The lines that are not empty and no comment (`#`), trimmed, with their numbers.
    pub fn entries(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().map(str::trim).zip(1..);
        lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')).map(|(line, number)| (number, line))
    }

    /// The file as an input of the run, for the report.
    pub fn input(&self) -> (FileId, Input) {
        let lines = self.text.lines().count() as u64;
        let settings = self.entries().count() as u64;
        let mut input = Input {
            path: self.path.display().to_string().into(),
            format: self.importer.map_or("configuration-list", |importer| importer.name).into(),
            bytes: self.bytes,
            lines,
            ..Input::default()
        };
        input.ignored.insert("settings of a configuration".into(), settings);
        input.ignored.insert("comments and empty lines".into(), lines - settings);
        (self.id, input)
    }
}

/// All files of a run.
#[derive(Debug, Default)]
pub struct Files {
    /// In the order in which they were named.
    pub all: Vec<ConfigFile>,
    /// What could not be read.
    pub problems: Vec<Error>,
}

impl Files {
    /// Reads files, and the files directly in folders.
    pub fn read(paths: &[PathBuf]) -> Files {
        let mut files = Files::default();
        for path in paths {
            if let Err(error) = files.add(path) {
                files.problems.push(error);
            }
        }
        files
    }

    /// Files that were named and that nobody understands, once the importers have had theirs.
    pub fn strays(&self, used: &dyn Fn(&ConfigFile) -> bool) -> Vec<Error> {
        let strays = self.all.iter().filter(|file| file.named && file.importer.is_none() && !used(file));
        strays.map(|file| Error::Unknown { path: file.path.clone() }).collect()
    }

    fn add(&mut self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::Read { path: path.into(), source };
        if path == Path::new("-") {
            let bytes = read(&mut io::stdin().lock(), path)?;
            self.push(path.into(), &bytes, true);
        } else if path.is_dir() {
            let entries = std::fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed)?;
            let mut inside: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
            inside.sort();
            for path in inside.iter().filter(|path| path.is_file()) {
                // What cannot be read, or is no text, was not asked for.
                if let Ok(bytes) = open(path).filter_text() {
                    self.push(path.clone(), &bytes, false);
                }
            }
        } else {
            let bytes = open(path)?;
            self.push(path.into(), &bytes, true);
        }
        Ok(())
    }

    fn push(&mut self, path: PathBuf, bytes: &[u8], named: bool) {
        let number = self.all.len() as u64;
        self.all.push(ConfigFile::new(path, bytes, number, named));
    }

    /// The file that a configuration means by a path such as `/etc/mail/domains`: the one named whose path has most
    /// last parts in common, or whose name is that path with `_` for `/`.
    ///
    /// Only files that were named are looked at: a path on another machine means nothing on this one.
    pub fn find(&self, path: &str) -> Option<&ConfigFile> {
        let wanted = Path::new(path);
        let flat = path.trim_start_matches('/').replace('/', "_");
        let common = |file: &ConfigFile| {
            let both = file.path.components().rev().zip(wanted.components().rev());
            both.take_while(|(a, b)| a == b && matches!(a, Component::Normal(_))).count()
        };
        let best = self.all.iter().filter(|file| 0 < common(file)).max_by_key(|file| common(file));
        best.or_else(|| self.all.iter().find(|file| !flat.is_empty() && file.name() == flat))
    }
}

/// Keeps text only: folders hold databases beside their sources.
trait FilterText {
    fn filter_text(self) -> Result<Vec<u8>, Error>;
}

impl FilterText for Result<Vec<u8>, Error> {
    fn filter_text(self) -> Result<Vec<u8>, Error> {
        self.and_then(|bytes| match bytes.starts_with(&[0xff, 0xfe]) || !bytes.contains(&0) {
            true => Ok(bytes),
            false => Err(Error::Unknown { path: PathBuf::new() }),
        })
    }
}

fn open(path: &Path) -> Result<Vec<u8>, Error> {
    let mut file = std::fs::File::open(path).map_err(|source| Error::Read { path: path.into(), source })?;
    read(&mut file, path)
}

fn read(from: &mut dyn Read, path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = from.take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { path: path.into(), source })?;
    match bytes.len() as u64 <= LONGEST {
        true => Ok(bytes),
        false => Err(Error::TooLong { path: path.into() }),
    }
}

/// The text of a file: UTF-8, or UTF-16 in either order with a byte order mark (what PowerShell 5 writes with `>`).
fn decode(bytes: &[u8]) -> String {
    let units = |unit: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        String::from_utf16_lossy(&pairs.collect::<Vec<u16>>())
    };
    match bytes {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_the_path_that_another_gives() {
        let mut files = Files::default();
        for path in ["conf/etc_domains", "conf/networks", "a/mail/local", "b/etc/local", "x/etc/local"] {
            files.push(path.into(), b"", true);
        }
        for (path, expected) in [
            ("/etc/domains", Some("conf/etc_domains")),
            ("/etc/postfix/networks", Some("conf/networks")),
            ("/mail/local", Some("a/mail/local")),
            ("/etc/local", Some("x/etc/local")),
            ("/etc/other", None),
            ("/", None),
            ("", None),
            ("..", None),
        ] {
            let found = files.find(path).map(|file| file.path.display().to_string());
            assert_eq!(found.as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn texts_of_windows() {
        for (bytes, expected) in [
            (&b"\xff\xfea\0\xe4\0"[..], "a\u{e4}"),
            (b"\xfe\xff\0a", "a"),
            (b"\xef\xbb\xbfa", "a"),
            (b"a\xe4", "a\u{fffd}"),
            (b"\xff\xfea", ""),
            (b"", ""),
        ] {
            assert_eq!(decode(bytes), expected);
        }
    }
}
