//! What the integration tests share: the samples of this project, and the corpus beside it.

#![allow(dead_code, clippy::unwrap_used)]

use relayaudit_parsers::registry::{self, Format};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every log below `samples/`, with its format and its text.
pub fn samples() -> Vec<(String, &'static Format, Vec<u8>)> {
    files(&root().join("samples"))
        .into_iter()
        .filter_map(|path| {
            let text = read(&path);
            let format = registry::detect(text.split(|byte| *byte == b'\n').take(200))?;
            Some((path.strip_prefix(root()).unwrap().display().to_string(), format, text))
        })
        .collect()
}

/// Every file below a folder of the corpus of real logs, with its text; `None`, said loudly, where
/// the corpus is not beside the project.
pub fn corpus(folder: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let path = root().join("../shared/corpus").join(folder);
    if !path.is_dir() {
        eprintln!("skipped: ../shared/corpus/{folder} is absent, so real logs are not tested here");
        return None;
    }
    Some(files(&path).into_iter().map(|file| (file.display().to_string(), read(&file))).collect())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .collect();
    files.sort();
    files
}

/// The text of a file, unpacked if it is gzip.
pub fn read(path: &Path) -> Vec<u8> {
    let raw = std::fs::read(path).unwrap();
    if !raw.starts_with(&[0x1f, 0x8b]) {
        return raw;
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&raw[..]).read_to_end(&mut text).unwrap();
    text
}
