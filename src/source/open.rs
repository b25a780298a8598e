//! Open: the bytes of a file, whatever they are wrapped in.

use chrono::{DateTime, Utc};
use flate2::bufread::MultiGzDecoder;
use foldhash::fast::FixedState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file that is open, of which the first bytes were looked at.
pub struct Source {
    head: Vec<u8>,
    taken: usize,
    rest: Box<dyn Read + Send>,
    modified: DateTime<Utc>,
    size_bytes: Option<u64>,
    passed: Arc<AtomicU64>,
    compressed: bool,
    /// Size of the text modulo 2^32, as far as it is known without reading it all.
    text_bytes: Option<u32>,
}

/// Read in pieces of this size: large enough that the system calls do not show.
const BUFFER_BYTES: usize = 256 * 1024;

impl Source {
    /// Opens a file, or stdin for `-`, and reads up to `head_bytes` of what is in it. gzip is
    /// recognised by its first bytes (RFC 1952 section 2.3.1), not by the name.
    ///
    /// Fails, with a message for people, when it cannot be read.
    pub fn open(path: &str, head_bytes: usize) -> Result<Source, String> {
        let cannot = |error: io::Error| format!("cannot read: {error}");
        let passed = Arc::new(AtomicU64::new(0));
        let (raw, modified, size_bytes): (Box<dyn Read + Send>, _, _) = if path == "-" {
            (Box::new(io::stdin()), Utc::now(), None)
        } else {
            let file = File::open(path).map_err(cannot)?;
            let metadata = file.metadata().map_err(cannot)?;
            (Box::new(file), super::modified(&metadata), Some(metadata.len()))
        };
        let counted = Counted { inner: raw, passed: Arc::clone(&passed) };
        let mut plain = BufReader::with_capacity(BUFFER_BYTES, counted);
        let magic = io::BufRead::fill_buf(&mut plain).map_err(cannot)?;
        let compressed = magic.starts_with(&[0x1f, 0x8b]);
        let rest: Box<dyn Read + Send> =
            if compressed { Box::new(MultiGzDecoder::new(plain)) } else { Box::new(plain) };
        let text_bytes = if compressed { gzip_text_bytes(path) } else { size_bytes.map(|size| size as u32) };
        let mut source =
            Source { head: Vec::new(), taken: 0, rest, modified, size_bytes, passed, compressed, text_bytes };
        source.fill_head(head_bytes).map_err(cannot)?;
        Ok(source)
    }

    fn fill_head(&mut self, bytes: usize) -> io::Result<()> {
        let mut head = vec![0; bytes];
        let mut filled = 0;
        while filled < bytes {
            match self.rest.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What could be read is enough to recognise the file; the error comes again when it is read.
                Err(error) if 0 < filled => {
                    self.rest = Box::new(Broken(Some(error)));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        head.truncate(filled);
        self.head = head;
        Ok(())
    }

    /// The first bytes.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// When the file was last written.
    pub fn modified(&self) -> DateTime<Utc> {
        self.modified
    }

    /// Its size on disk; `None` for stdin.
    pub fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }

    /// How many bytes of the file on disk were read so far; shared with the reader, for progress.
    pub fn passed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.passed)
    }

    /// Tells copies of one log, compressed or not, from other logs: a hash of the first bytes, and the size of
    /// the text.
    pub fn fingerprint(&self) -> (u64, u64) {
        let size = self.text_bytes.map_or(self.head.len() as u64, u64::from);
        (FixedState::with_seed(0).hash_one(&self.head), size)
    }

    /// What to say of an error while reading on.
    pub fn explain(&self, error: &io::Error) -> String {
        if self.compressed && error.kind() == io::ErrorKind::UnexpectedEof {
            "the gzip data ends early; read as far as it goes".into()
        } else if self.compressed && error.kind() == io::ErrorKind::InvalidInput {
            "the gzip data is damaged or followed by other bytes; read as far as it goes".into()
        } else {
            format!("reading stopped: {error}")
        }
    }
}

/// The size of the text, modulo 2^32, as the last four bytes of a gzip file give it (RFC 1952 section
/// 2.3.1, ISIZE). Of a file of several members it is that of the last; then copies are not recognised.
fn gzip_text_bytes(path: &str) -> Option<u32> {
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::End(-4)).ok()?;
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes).ok()?;
    Some(u32::from_le_bytes(bytes))
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken < self.head.len() {
            let bytes = buffer.len().min(self.head.len() - self.taken);
            buffer[..bytes].copy_from_slice(&self.head[self.taken..self.taken + bytes]);
            self.taken += bytes;
            return Ok(bytes);
        }
        self.rest.read(buffer)
    }
}

/// Counts what passes.
struct Counted {
    inner: Box<dyn Read + Send>,
    passed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

/// Gives an error that was met while looking ahead.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
