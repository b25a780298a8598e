//! A `relayaudit follow` that runs, and what it has said so far.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is stated of the server in `samples/postfix/abused.log`.
pub const SITE: &[&str] = &[
    "--local-domain",
    "norbrook.example",
    "--local-domain",
    "norbrook-labs.example",
    "--local-domain",
    "partner-acme.example",
    "--trusted-net",
    "10.20.0.0/16",
    "--trusted-net",
    "2001:db8:a:20::/64",
];

/// How long something is waited for: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes at the end of a file.
pub fn write(folder: &Path, name: &str, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

type Said = Arc<Mutex<String>>;

/// A program that runs.
pub struct Running {
    child: Child,
    stdout: Said,
    stderr: Said,
    readers: Vec<JoinHandle<()>>,
}

/// What became of it.
pub struct Done {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Running {
    /// Starts it in a folder.
    pub fn start(folder: &Path, arguments: &[&str]) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_relayaudit"))
            .current_dir(folder)
            .arg("follow")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, out) = listen(child.stdout.take().unwrap());
        let (stderr, err) = listen(child.stderr.take().unwrap());
        Running { child, stdout, stderr, readers: vec![out, err] }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn said(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    /// Waits for a line with this in it, and returns the line.
    pub fn wait(&self, part: &str) -> String {
        self.wait_in(&self.stdout, part)
    }

    /// The same on standard error.
    pub fn wait_for_error(&self, part: &str) -> String {
        self.wait_in(&self.stderr, part)
    }

    fn wait_in(&self, said: &Said, part: &str) -> String {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let line = said.lock().unwrap().lines().find(|line| line.contains(part)).map(str::to_owned);
            if let Some(line) = line {
                return line;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {part:?} in {:?} and {:?}", self.said(), self.stderr.lock().unwrap());
    }

    /// Writes to its standard input.
    pub fn write(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Closes its standard input.
    pub fn close(&mut self) {
        self.child.stdin = None;
    }

    /// Waits for its end.
    pub fn end(mut self) -> Done {
        let status = self.child.wait().unwrap().code();
        std::mem::take(&mut self.readers).into_iter().for_each(|reader| reader.join().unwrap());
        let (stdout, stderr) = (self.said(), self.stderr.lock().unwrap().clone());
        Done { status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stream: impl Read + Send + 'static) -> (Said, JoinHandle<()>) {
    let said = Said::default();
    let hears = Arc::clone(&said);
    let listen = move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| 0 < read) {
            hears.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    };
    (said, std::thread::spawn(listen))
}
