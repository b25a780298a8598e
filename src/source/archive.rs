//! Archive: the members of a tar archive, each a file of its own.
//!
//! An archive is gone through once, from its beginning to its end, to see what is in it; what is a log is read later
//! from where it stands. Nothing is ever written to disk, so a member's name is no more than a text.

use super::unpack::{Begun, Bytes};
use chrono::{DateTime, Utc};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use tar::{Archive, EntryType, Header};

/// More files than this in one archive are not logs of a mail server.
const MOST_MEMBERS: usize = 10_000;

/// A file in an archive.
pub struct Member {
    /// Its name as the archive has it.
    pub name: String,
    /// Where it stands.
    pub at: Stretch,
    /// When it was last written.
    pub modified: DateTime<Utc>,
    /// Its first bytes, packed or not.
    pub head: Vec<u8>,
}

/// A stretch of an unpacked archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Bytes before it.
    pub offset: u64,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// Whether a file is a tar archive, POSIX or GNU: by the magic of its first header and by that header's sum, so
/// that no client can make an archive of a log (POSIX.1-2017, pax, "ustar Interchange Format").
pub fn is_archive(begun: &Begun) -> bool {
    let Some((header, _)) = begun.begin.split_first_chunk::<512>() else { return false };
    let is_sum = |at: &usize| (148..156).contains(at);
    let sum: u32 = header.iter().enumerate().map(|(at, byte)| if is_sum(&at) { 32 } else { u32::from(*byte) }).sum();
    header[257..262] == *b"ustar" && Header::from_byte_slice(header).cksum().ok() == Some(sum)
}

/// Goes through an archive and hands out each file in it. Returns what went wrong, if anything did: then the
/// members before it were handed out.
pub fn members(archive: Bytes, head_bytes: u64, take: &mut dyn FnMut(Member)) -> io::Result<()> {
    let mut archive = Archive::new(archive);
    for (number, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        // Links, devices, folders and sparse files are no logs.
        if !matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous) {
            continue;
        }
        if MOST_MEMBERS <= number {
            return Err(io::Error::other(format!("it holds more than {MOST_MEMBERS} files; the rest was left out")));
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let at = Stretch { offset: entry.raw_file_position(), size_bytes: entry.size() };
        let seconds = entry.header().mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
        let modified = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or_else(Utc::now);
        let mut head = Vec::new();
        let read = entry.by_ref().take(head_bytes).read_to_end(&mut head);
        take(Member { name, at, modified, head });
        read?;
    }
    Ok(())
}

/// The bytes of a stretch of an archive. If the archive ends before, so do they, with an error.
pub fn stretch(mut archive: Bytes, at: Stretch) -> io::Result<Bytes> {
    io::copy(&mut archive.by_ref().take(at.offset), &mut io::sink())?;
    Ok(Box::new(Bounded { inner: archive, left: at.size_bytes }))
}

/// The bytes of a stretch of an archive on disk that nothing is packed around: `within` archives in it, the outermost first. What stands
/// before is passed over, not read. A stretch goes no further than those around it; where it should, the bytes end with an error.
pub fn stretch_on_disk(path: &str, within: &[Stretch]) -> io::Result<Bytes> {
    let (mut start, mut end) = (0u64, u64::MAX);
    for at in within {
        start = start.saturating_add(at.offset);
        end = end.min(start.saturating_add(at.size_bytes));
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let left = within.last().map_or(0, |at| at.size_bytes);
    Ok(Box::new(Bounded { inner: Box::new(file.take(end.saturating_sub(start))), left }))
}

/// Gives so many bytes, or an error where there are fewer.
struct Bounded {
    inner: Bytes,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.inner.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}
