//! Split: a file becomes chunks, cut at line ends, each with the context to its left.

use super::Log;
use crate::fold::Chunk;
use crate::layout::Arranged;
use chrono::{DateTime, Utc};
use relayaudit_parsers::registry::Context;
use std::io::{self, Read};

/// A longer line is not a log line. Sendmail and Postfix cut theirs at some 2,000 bytes, rsyslog at
/// 8 KiB, Exchange at 64 KiB.
pub const LONGEST_LINE: usize = 1 << 20;

/// Room made for a chunk before it is read; a larger one grows as it comes.
const LARGEST_RESERVE: usize = 16 << 20;

/// How far a log was read: all that is needed to read on from there. Lines are whole up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// Bytes of the text before it.
    pub offset_bytes: u64,
    /// The number of the next line, from 1.
    pub next_line: u64,
    /// Whether the next line began before: it is longer than [`LONGEST_LINE`].
    pub in_long_line: bool,
    /// What directives before it said.
    pub context: Context,
}

impl Default for Bookmark {
    /// The beginning.
    fn default() -> Bookmark {
        Bookmark { offset_bytes: 0, next_line: 1, in_long_line: false, context: Context::default() }
    }
}

/// Cuts a log into chunks.
pub struct Splitter {
    log: Log,
    at: Bookmark,
    /// The beginning of a line that was not whole yet.
    carry: Vec<u8>,
    chunk_bytes: usize,
    ended: bool,
    /// Whether more may be written: then a last line without line end is not one yet.
    goes_on: bool,
    /// What went wrong, for people.
    pub problem: Option<String>,
}

impl Splitter {
    /// Cuts `log` into chunks of about `chunk_bytes`.
    pub fn new(log: Log, chunk_bytes: usize) -> Splitter {
        Splitter {
            log,
            at: Bookmark::default(),
            carry: Vec::new(),
            chunk_bytes: chunk_bytes.max(1),
            ended: false,
            goes_on: false,
            problem: None,
        }
    }

    /// Goes on to cut `log`, which may still be written to, where an earlier run stopped.
    ///
    /// To cut lines longer than [`LONGEST_LINE`] where one run would, `chunk_bytes` must be as long.
    pub fn resume(mut log: Log, chunk_bytes: usize, at: Bookmark) -> Splitter {
        let skipped = log.source.skip_to(at.offset_bytes);
        let problem = skipped.err().map(|error| log.source.explain(&error));
        Splitter { at, ended: problem.is_some(), goes_on: true, problem, ..Splitter::new(log, chunk_bytes) }
    }

    /// Cuts `log`, which is being written to: at the end of what is there, [`Splitter::next_chunk`] gives `None`, until
    /// [`Splitter::wake`] says that there may be more.
    pub fn follow(log: Log, chunk_bytes: usize) -> Splitter {
        Splitter { goes_on: true, ..Splitter::new(log, chunk_bytes) }
    }

    /// Goes on with a log that was written to since its end was met, at `written`.
    pub fn wake(&mut self, written: DateTime<Utc>) {
        self.ended = false;
        self.log.clock = self.log.clock.written(written);
    }

    /// Bytes of a line that was begun and is not whole yet.
    pub fn begun_bytes(&self) -> usize {
        self.carry.len()
    }

    /// How far the log is read.
    pub fn bookmark(&self) -> &Bookmark {
        &self.at
    }

    /// What was read behind the bookmark: the beginning of a line, as it is if nothing more comes.
    pub fn into_tail(mut self) -> Option<Chunk> {
        let bytes = std::mem::take(&mut self.carry);
        let torn = self.at.in_long_line;
        (!bytes.is_empty()).then(|| self.chunk(bytes, torn))
    }

    /// The log that is cut.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The next chunk: whole lines, and at the end of the file what is left. `None` when all is read.
    ///
    /// A read error ends the file; [`Splitter::problem`] then says what went wrong.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        if self.ended && self.goes_on {
            return None;
        }
        let mut bytes = std::mem::take(&mut self.carry);
        let mut wanted = self.chunk_bytes;
        let began_before = std::mem::take(&mut self.at.in_long_line);
        while !self.ended {
            self.read(&mut bytes, wanted);
            match self.end_of_lines(&bytes) {
                Some(end) if !self.ended || self.goes_on => {
                    self.carry = bytes.split_off(end + 1);
                    break;
                }
                // A line longer than the longest is cut; its pieces are unparsed, and counted.
                None if LONGEST_LINE <= bytes.len() => {
                    self.at.in_long_line = true;
                    break;
                }
                None if self.ended && self.goes_on => {
                    self.at.in_long_line = began_before;
                    self.carry = std::mem::take(&mut bytes);
                }
                _ => wanted = bytes.len().saturating_mul(2).clamp(4096, LONGEST_LINE),
            }
        }
        let torn = began_before || self.at.in_long_line;
        (!bytes.is_empty()).then(|| self.chunk(bytes, torn))
    }

    /// The last line end in `bytes` behind which another line surely begins.
    fn end_of_lines(&self, bytes: &[u8]) -> Option<usize> {
        let layout = &self.log.layout;
        if layout.width.is_none() {
            return memchr::memrchr(b'\n', bytes);
        }
        memchr::memrchr_iter(b'\n', bytes).find(|end| {
            let start = memchr::memrchr(b'\n', &bytes[..*end]).map_or(0, |before| before + 1);
            let line = &bytes[start..*end];
            !layout.may_go_on(line.strip_suffix(b"\r").unwrap_or(line).len())
        })
    }

    /// Reads on until `bytes` is `wanted` long, or the file ends.
    fn read(&mut self, bytes: &mut Vec<u8>, wanted: usize) {
        let want = wanted.saturating_sub(bytes.len()).max(1) as u64;
        let before = bytes.len();
        // One allocation a chunk; growing it while reading would copy it several times over.
        bytes.reserve(wanted.saturating_sub(before).min(LARGEST_RESERVE));
        let result = self.log.source.by_ref().take(want).read_to_end(bytes);
        match result {
            Ok(_) if (bytes.len() - before) as u64 == want => {}
            Ok(_) => self.ended = true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.problem = Some(self.log.source.explain(&error));
                self.ended = true;
            }
        }
    }

    fn chunk(&mut self, bytes: Vec<u8>, torn: bool) -> Chunk {
        let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64 + u64::from(!bytes.ends_with(b"\n"));
        let chunk = Chunk {
            file: self.log.file,
            path: self.log.path,
            format: self.log.format,
            context: self.at.context.clone(),
            clock: self.log.clock,
            layout: self.log.layout,
            first_line: self.at.next_line,
            torn,
            bytes,
        };
        self.at.next_line += lines;
        self.at.offset_bytes += chunk.bytes.len() as u64;
        self.direct(&chunk.bytes, chunk.first_line == 1);
        chunk
    }

    /// Takes what the directives of a chunk say into the context of the next one. All formats with directives
    /// begin them with `#`, after NUL bytes where a crash left a file padded; but for a first line that names columns.
    fn direct(&mut self, bytes: &[u8], is_first: bool) {
        if !self.log.layout.is_plain() {
            if is_first || memchr::memchr(b'#', bytes).is_some() {
                let arranged = Arranged::new(bytes, self.log.layout);
                arranged.lines().for_each(|line| (self.log.format.direct)(line.text, &mut self.at.context));
            }
            return;
        }
        if is_first && !bytes.starts_with(b"#") {
            self.direct_line(bytes);
        }
        for mark in memchr::memchr_iter(b'#', bytes) {
            let start = bytes[..mark].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if start != 0 && bytes[start - 1] != b'\n' {
                continue;
            }
            self.direct_line(&bytes[start..]);
        }
    }

    /// Takes what the first line of `bytes` says.
    fn direct_line(&mut self, bytes: &[u8]) {
        let line = &bytes[..memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (self.log.format.direct)(line, &mut self.at.context);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::{Clock, Zone};
    use crate::layout::Layout;
    use crate::ledger::FileId;
    use crate::source::{Beginning, Content, Source};
    use relayaudit_parsers::registry::by_name;
    use std::io::Write;

    /// A log of a known format.
    fn log(format: &str, path: &std::path::Path) -> Log {
        let Ok(Content::Text(source)) = Source::open(path.to_str().unwrap(), 10) else { panic!() };
        Log {
            file: FileId(1),
            path: "x".into(),
            format: by_name(format).unwrap(),
            clock: Clock::new(Zone::Machine, None, None, chrono::DateTime::UNIX_EPOCH),
            layout: Layout::default(),
            beginning: Beginning::default(),
            source,
        }
    }

    /// Cuts a text into chunks of at least so many bytes.
    fn chunks(format: &str, text: &[u8], chunk_bytes: usize) -> Vec<Chunk> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        let mut splitter = Splitter::new(log(format, file.path()), chunk_bytes);
        std::iter::from_fn(|| splitter.next_chunk()).collect()
    }

    #[test]
    fn chunks_end_at_line_ends_and_lose_nothing() {
        let text = b"one\ntwo two\n\nfour\nlast without line end";
        for size in 1..text.len() + 2 {
            let chunks = chunks("postfix", text, size);
            assert_eq!(chunks.iter().flat_map(|chunk| chunk.bytes.clone()).collect::<Vec<_>>(), text, "{size}");
            let mut line = 1;
            for chunk in &chunks {
                assert_eq!(chunk.first_line, line, "{size}");
                line += memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
            }
            assert!(chunks.iter().rev().skip(1).all(|chunk| chunk.bytes.ends_with(b"\n")), "{size}");
        }
    }

    #[test]
    fn a_log_that_grows_is_cut_as_it_comes() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"one\ntw").unwrap();
        let mut splitter = Splitter::follow(log("postfix", file.path()), LONGEST_LINE);
        let mut check = |written: &str, first_line: u64, want: Option<&str>| {
            file.write_all(written.as_bytes()).unwrap();
            splitter.wake(Utc::now());
            let chunk = splitter.next_chunk();
            let text = chunk.as_ref().map(|chunk| String::from_utf8_lossy(&chunk.bytes).into_owned());
            assert_eq!(text.as_deref(), want, "{written:?}");
            assert!(chunk.is_none_or(|chunk| chunk.first_line == first_line), "{written:?}");
        };
        check("", 1, Some("one\n"));
        check("", 2, None);
        check("o", 2, None);
        check("\nthree\n", 2, Some("two\nthree\n"));
        check("four", 4, None);
        assert_eq!(splitter.begun_bytes(), 4);
        assert_eq!(splitter.into_tail().unwrap().bytes, b"four");
    }

    #[test]
    fn columns_reach_the_next_chunk() {
        let text = [
            b"#Fields: date time\n".to_vec(),
            b"a\n".repeat(4000),
            b"\0\0#Fields: c-ip\n".to_vec(),
            b"b #Fields: no\n".repeat(4000),
        ]
        .concat();
        let columns: Vec<usize> =
            chunks("iis-smtp-w3c", &text, 1).iter().map(|chunk| chunk.context.columns.len()).collect();
        assert_eq!(columns.first(), Some(&0));
        assert_eq!(columns.last(), Some(&1));
    }

    #[test]
    fn a_first_line_that_names_columns_reaches_the_next_chunk() {
        let text = [b"Received,SenderAddress,RecipientAddress\r\n".to_vec(), b"a,b,c\n".repeat(4000)].concat();
        let chunks = chunks("exchange-online-trace", &text, 1);
        assert!(2 < chunks.len());
        assert!(chunks[1..].iter().all(|chunk| chunk.context.columns.len() == 3));
    }

    #[test]
    fn a_line_without_end_is_cut_into_torn_pieces() {
        let text = [vec![b'A'; 3 * LONGEST_LINE], b"\nshort\n".to_vec()].concat();
        let chunks = chunks("postfix", &text, 64 * 1024);
        assert_eq!(chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>(), text.len());
        assert!(2 < chunks.len() && chunks.iter().all(|chunk| chunk.bytes.len() <= 2 * LONGEST_LINE));
        assert!(chunks[0].torn && chunks[1].torn && !chunks.last().unwrap().bytes.is_empty());
    }
}
