//! Unpack: what packed bytes hold. Packing is known by its first bytes, never by a name.

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes on their way, from wherever.
pub type Bytes = Box<dyn Read + Send>;

/// Read in pieces of this size: large enough that the system calls do not show.
const BUFFER_BYTES: usize = 256 * 1024;

/// One inside the other: a log that was packed twice is met, more is meant to harm.
const DEEPEST: usize = 3;

/// Memory for the dictionary of xz, in KiB; `xz -9` asks for half of it. zstd limits its window to the same by itself.
const XZ_MEMORY_KIB: u32 = 128 * 1024;

/// How many times its size a file may unpack to. Logs give 10 to 30, those of one line over and over 100; a
/// bomb gives 1,000 (gzip) and far more (bzip2, xz, zstd).
const MOST_TIMES: u64 = 500;

/// What any file may unpack to, however small it is: read in a second.
const ALWAYS_BYTES: u64 = 64 << 20;

/// What no file may unpack to, however large it is: 1 TiB.
const MOST_BYTES: u64 = 1 << 40;

/// One way to pack, with the bytes it begins with.
struct Packing {
    name: &'static str,
    begins: fn(&[u8]) -> bool,
    open: fn(BufReader<Bytes>) -> io::Result<Bytes>,
}

/// Every way to pack that is undone. All read on after the end of a member, frame or stream if another follows.
const PACKINGS: &[Packing] = &[
    // RFC 1952 section 2.3.1; 8 is "deflate", the only method there is.
    Packing {
        name: "gzip",
        begins: |b| b.starts_with(&[0x1f, 0x8b, 8]),
        open: |b| Ok(Box::new(MultiGzDecoder::new(b))),
    },
    Packing { name: "bzip2", begins: is_bzip2, open: |b| Ok(Box::new(MultiBzDecoder::new(b))) },
    // The .xz file format 1.2, section 2.1.1.1.
    Packing {
        name: "xz",
        begins: |b| b.starts_with(b"\xfd7zXZ\0"),
        open: |b| Ok(Box::new(XzReader::new_mem_limit(b, true, XZ_MEMORY_KIB))),
    },
    // RFC 8878 section 3.1.1.
    Packing {
        name: "zstd",
        begins: |b| b.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]),
        open: |b| Ok(Box::new(zstd::stream::read::Decoder::with_buffer(b)?)),
    },
];

/// `BZh`, the size of the blocks, then the number that begins a block, or the one that ends a stream without any.
fn is_bzip2(bytes: &[u8]) -> bool {
    let block = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    let end = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
    matches!(bytes, [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if rest.starts_with(&block) || rest.starts_with(&end))
}

/// Files that hold others and are not read, with what to say of them.
pub const NOT_READ: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive, which is not read; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive, which is not read; unpack it first"),
    (b"\x1f\x9d", "packed by compress (.Z), which is not read; unpack it with `zcat` first"),
    (
        super::journal::MAGIC,
        "a file of journald, and no `journalctl` to read it with; export it with `journalctl --file FILE -o json` first",
    ),
    (b"__CURSOR=", "journald's export format, which is not read; export with `journalctl -o json`"),
    (b"ElfFile\0", "a Windows event log, which is not read"),
];

/// How much is looked at to know what bytes are: the first block of a tar archive.
const BEGIN_BYTES: usize = 512;

/// Bytes of which the first were looked at. They are given again.
pub struct Begun {
    /// The first [`BEGIN_BYTES`], or all that there are.
    pub begin: Vec<u8>,
    /// All bytes.
    pub bytes: Bytes,
    /// The outermost packing that was undone, if any.
    pub packing: Option<&'static str>,
}

/// What was read of a file as it lies on disk: what is unpacked from it is held against that, through all layers.
#[derive(Clone, Default)]
pub struct Size(Arc<AtomicU64>);

impl Size {
    /// Counts what passes.
    pub fn of(&self, file: Bytes) -> Bytes {
        Box::new(Sized { inner: file, size: self.clone() })
    }

    /// Why `given` bytes are more than a log gives, if they are.
    fn exceeded(&self, given: u64) -> Option<io::ErrorKind> {
        let most = self.0.load(Ordering::Relaxed).saturating_mul(MOST_TIMES).max(ALWAYS_BYTES);
        let by_ratio = (most < given).then_some(io::ErrorKind::QuotaExceeded);
        by_ratio.or((MOST_BYTES < given).then_some(io::ErrorKind::FileTooLarge))
    }
}

/// A file of which the bytes are counted.
struct Sized {
    inner: Bytes,
    size: Size,
}

impl Read for Sized {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.size.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Undoes packing of what `size` counts. Fails where the bytes cannot be read at all. What unpacks to more than a log does ends
/// with an error that [`explain`] knows.
pub fn unpack(raw: Bytes, size: &Size) -> io::Result<Begun> {
    let mut begun = look(raw)?;
    for _ in 0..DEEPEST {
        let Some(packing) = PACKINGS.iter().find(|packing| (packing.begins)(&begun.begin)) else { break };
        let unpacked = (packing.open)(BufReader::with_capacity(BUFFER_BYTES, begun.bytes))?;
        let outermost = begun.packing.or(Some(packing.name));
        let unpacked = Lasting { inner: unpacked, failed: None, given: 0, size: size.clone() };
        begun = Begun { packing: outermost, ..look(Box::new(unpacked))? };
    }
    Ok(begun)
}

/// Looks at the first bytes.
pub fn look(mut bytes: Bytes) -> io::Result<Begun> {
    let mut begin = Vec::with_capacity(BEGIN_BYTES);
    match bytes.by_ref().take(BEGIN_BYTES as u64).read_to_end(&mut begin) {
        // What was read before an error is enough to look at; the error comes again when the rest is read.
        Err(error) if begin.is_empty() => Err(error),
        _ => Ok(Begun { bytes: Box::new(io::Cursor::new(begin.clone()).chain(bytes)), begin, packing: None }),
    }
}

/// What to say of an error while reading on.
pub fn explain(packing: Option<&str>, error: &io::Error) -> String {
    let Some(name) = packing else { return format!("reading stopped: {error}") };
    match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("the {name} data ends early; read as far as it goes"),
        io::ErrorKind::QuotaExceeded => format!(
            "the {name} data holds more than {MOST_TIMES} times its size, as no log does; read as far as that; if it is a log, unpack it and \
             give the text"
        ),
        io::ErrorKind::FileTooLarge => format!(
            "the {name} data holds more than 1 TiB; read as far as that; unpack it, cut it into files and give the text"
        ),
        io::ErrorKind::OutOfMemory => {
            format!("the {name} data asks for more memory than is sane; read as far as it goes")
        }
        io::ErrorKind::Unsupported => format!("the {name} data is of a kind that is not read: {error}"),
        // What decoders give for bytes that are not theirs.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
            format!("the {name} data is damaged or followed by other bytes; read as far as it goes")
        }
        _ => format!("reading stopped: {error}"),
    }
}

/// Gives what was read before an error first, and the error from then on: decoders differ in what they do when
/// they are asked again. More than a log holds is an error too.
struct Lasting {
    inner: Bytes,
    failed: Option<(io::ErrorKind, String)>,
    /// Bytes given so far.
    given: u64,
    /// The file that they come from.
    size: Size,
}

impl Read for Lasting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, what)) = &self.failed {
            return Err(io::Error::new(*kind, what.clone()));
        }
        let result = match self.size.exceeded(self.given) {
            Some(kind) => Err(kind.into()),
            None => self.inner.read(buffer),
        };
        self.given += result.as_ref().map_or(0, |read| *read as u64);
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed = Some((error.kind(), error.to_string()));
        }
        result
    }
}
