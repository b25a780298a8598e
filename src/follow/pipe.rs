//! Pipe: standard input, read by a thread of its own, so that waiting for a line does not hold up the rest.

use crate::ledger::Text;
use crate::source::{self, HEAD_BYTES, Log, Reading, Source};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, TryRecvError};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Buffers that may wait: a writer that is faster than the fold waits too.
const AHEAD: usize = 64;

/// What comes on standard input, before it is known what log it is.
pub struct Pipe {
    coming: Receiver<io::Result<Vec<u8>>>,
    head: Vec<u8>,
    ended: bool,
}

/// What became of standard input.
pub enum Begun {
    /// Not enough came yet to know what it is.
    Waiting(Pipe),
    /// It is a log; the flag says when nothing more can come.
    Log(Box<Log>, Arc<AtomicBool>),
    /// It is none, with a message for people; or it ended without a line.
    Failed(String),
}

impl Pipe {
    /// Begins to read standard input.
    pub fn open() -> Pipe {
        let (send, coming) = mpsc::sync_channel(AHEAD);
        std::thread::spawn(move || {
            let mut input = io::stdin();
            loop {
                let mut bytes = vec![0; BUFFER_BYTES];
                let read = match input.read(&mut bytes) {
                    Ok(0) => return,
                    Ok(length) => {
                        bytes.truncate(length);
                        Ok(bytes)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if send.send(read).is_err() || failed {
                    return;
                }
            }
        });
        Pipe { coming, head: Vec::new(), ended: false }
    }

    /// Looks whether enough came to know what log it is.
    pub fn begin(mut self, reading: &Reading) -> Begun {
        let before = self.head.len();
        while self.head.len() < HEAD_BYTES && !self.ended {
            match self.coming.try_recv() {
                Ok(Ok(bytes)) => self.head.extend(bytes),
                Ok(Err(error)) => return Begun::Failed(format!("cannot read: {error}")),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.ended = true,
            }
        }
        let whole = memchr::memrchr(b'\n', &self.head).map_or(0, |end| end + 1);
        let is_all = self.ended || HEAD_BYTES <= self.head.len();
        if (whole == 0 || before == self.head.len()) && !is_all {
            return Begun::Waiting(self);
        }
        let whole = if is_all { self.head.len() } else { whole };
        let rest = self.head[whole..].to_vec();
        let source = Source::growing(self.head[..whole].to_vec(), Box::new(io::empty()));
        match source::recognise(&Text::from("-"), source, reading) {
            Ok(log) => {
                let closed = Arc::new(AtomicBool::new(false));
                let coming = Coming { left: rest, taken: 0, coming: self.coming, closed: Arc::clone(&closed) };
                let source = Source::growing(log.source.head().to_vec(), Box::new(coming));
                Begun::Log(Box::new(Log { source, ..log }), closed)
            }
            Err(what) if is_all => Begun::Failed(what),
            Err(_) => Begun::Waiting(self),
        }
    }
}

/// What came, without waiting for more.
struct Coming {
    left: Vec<u8>,
    taken: usize,
    coming: Receiver<io::Result<Vec<u8>>>,
    /// Whether whoever wrote has closed it.
    closed: Arc<AtomicBool>,
}

impl Read for Coming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.left.len() {
            match self.coming.try_recv() {
                Ok(bytes) => (self.left, self.taken) = (bytes?, 0),
                Err(TryRecvError::Empty) => return Ok(0),
                Err(TryRecvError::Disconnected) => {
                    self.closed.store(true, Ordering::Relaxed);
                    return Ok(0);
                }
            }
        }
        let bytes = buffer.len().min(self.left.len() - self.taken);
        buffer[..bytes].copy_from_slice(&self.left[self.taken..self.taken + bytes]);
        self.taken += bytes;
        Ok(bytes)
    }
}
