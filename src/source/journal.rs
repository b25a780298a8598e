//! Journal: a file of journald is read through the program that belongs to it, `journalctl`, where there is one.
//!
//! The format of the file is private to journald and changes; what `journalctl -o json` prints is documented
//! (systemd.journal-fields(7), journalctl(1)). Its entries become the same lines of syslog as those of a file of such
//! JSON, but here at once: `journalctl` prints the fields of an entry in an order that is another each time. This is the only place where another program is run. Its arguments are
//! fixed but for the path, and it is looked for in the absolute folders of `PATH` only.

use super::split::LONGEST_LINE;
use super::unpack::Bytes;
use relayaudit_parsers::wrap::journal_entry;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

/// The bytes that a file of journald begins with (systemd's "Journal File Format", "Header").
pub const MAGIC: &[u8] = b"LPKSHHRH";

/// Which entries to print: those of mail programs, by facility (2 is mail, RFC 5424 section 6.2.1), by the name under which
/// programs write that use another one, and by unit; and those of loggers, which tell of lines that were lost.
/// A journal holds what all programs of a machine say.
const MATCHES: [&str; 13] = [
    "SYSLOG_FACILITY=2",
    "SYSLOG_IDENTIFIER=dovecot",
    "SYSLOG_IDENTIFIER=exim",
    "SYSLOG_IDENTIFIER=saslauthd",
    "SYSLOG_IDENTIFIER=smtpd",
    "SYSLOG_IDENTIFIER=systemd-journald",
    "_SYSTEMD_UNIT=dovecot.service",
    "_SYSTEMD_UNIT=exim.service",
    "_SYSTEMD_UNIT=exim4.service",
    "_SYSTEMD_UNIT=opensmtpd.service",
    "_SYSTEMD_UNIT=postfix.service",
    "_SYSTEMD_UNIT=postfix@-.service",
    "_SYSTEMD_UNIT=sendmail.service",
];

/// Bytes of what `journalctl` complains that are kept.
const COMPLAINT_BYTES: u64 = 1024;

/// The program `journalctl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journalctl {
    program: PathBuf,
}

impl Journalctl {
    /// Looks for the program in the folders of `PATH`; `None` if it is in none of them.
    pub fn find() -> Option<Journalctl> {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).find_map(|folder| Journalctl::within(&folder))
    }

    /// The program in a folder. A folder that is not absolute (empty, or `.`) depends on where one stands, perhaps among
    /// files of others, and is passed over.
    fn within(folder: &Path) -> Option<Journalctl> {
        let program = folder.join("journalctl");
        (folder.is_absolute() && is_program(&program)).then_some(Journalctl { program })
    }

    /// Starts to read a journal: a line of syslog for each entry. Fails where the file or the program is not to be had; a failure of the
    /// program itself is an error at the end of what it prints.
    pub fn read(&self, path: &str) -> io::Result<Bytes> {
        let path = std::fs::canonicalize(path)?;
        let mut command = Command::new(&self.program);
        // Without `--all`, fields over 4,096 bytes would be null.
        command.args(["--quiet", "--no-pager", "--output=json", "--all"]).arg(file_option(&path));
        for (number, entry) in MATCHES.iter().enumerate() {
            if 0 < number {
                command.arg("+");
            }
            command.arg(entry);
        }
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("{} cannot be run: {error}", self.program.display()))
        })?;
        let missing = || io::Error::other("journalctl was run without a pipe");
        let out = child.stdout.take().ok_or_else(missing)?;
        let complaints = child.stderr.take().ok_or_else(missing)?;
        let complaint = std::thread::spawn(move || first_line(complaints));
        let running = Running { child, out, complaint: Some(complaint), failed: None };
        Ok(Box::new(Lines { entries: BufReader::new(running), entry: Vec::new(), line: Vec::new(), taken: 0 }))
    }
}

/// Whether a path leads to a file that may be run.
#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// There is no journald but on Linux.
#[cfg(not(unix))]
fn is_program(_: &Path) -> bool {
    false
}

/// The option for an absolute path. `journalctl` takes a pattern of glob(7), in which braces are special too; here every
/// character stands for itself.
fn file_option(path: &Path) -> OsString {
    let mut option = OsString::from("--file=");
    match path.to_str() {
        Some(path) => {
            for character in path.chars() {
                if matches!(character, '*' | '?' | '[' | ']' | '{' | '}' | ',' | '\\') {
                    option.push("\\");
                }
                option.push(character.encode_utf8(&mut [0; 4]));
            }
        }
        None => option.push(path),
    }
    option
}

/// The first line that is not blank, and nothing of the rest; but all is read, so that the program does not wait.
fn first_line(complaints: ChildStderr) -> String {
    let mut complaints = BufReader::new(complaints);
    let mut line = String::new();
    while line.is_empty() {
        let mut bytes = Vec::new();
        match complaints.by_ref().take(COMPLAINT_BYTES).read_until(b'\n', &mut bytes) {
            Ok(1..) => line = String::from_utf8_lossy(&bytes).trim().to_owned(),
            Ok(0) | Err(_) => break,
        }
    }
    let _ = io::copy(&mut complaints, &mut io::sink());
    line
}

/// The entries that are printed, as lines of syslog.
struct Lines<R> {
    entries: BufReader<R>,
    entry: Vec<u8>,
    /// What is not handed out yet, from `taken` on.
    line: Vec<u8>,
    taken: usize,
}

impl<R: Read> Lines<R> {
    /// Reads an entry; no line afterwards means that there is none. What is no entry stays as it is.
    fn refill(&mut self) -> io::Result<()> {
        self.line.clear();
        self.taken = 0;
        self.entry.clear();
        self.entries.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut self.entry)?;
        let object = self.entry.strip_suffix(b"\n").unwrap_or(&self.entry);
        if !journal_entry(object, &mut self.line) {
            std::mem::swap(&mut self.entry, &mut self.line);
            return Ok(());
        }
        // An entry is one line, whatever a program wrote into it.
        self.line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        self.line.push(b'\n');
        Ok(())
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.line.len() {
            self.refill()?;
        }
        let bytes = buffer.len().min(self.line.len() - self.taken);
        buffer[..bytes].copy_from_slice(&self.line[self.taken..self.taken + bytes]);
        self.taken += bytes;
        Ok(bytes)
    }
}

/// What a running `journalctl` prints.
struct Running {
    child: Child,
    out: ChildStdout,
    complaint: Option<JoinHandle<String>>,
    /// Why it failed; said again however often it is asked.
    failed: Option<String>,
}

impl Running {
    /// Waits for the end of the program, which has printed all. Notes if it failed.
    fn end(&mut self) -> io::Result<()> {
        let Some(complaint) = self.complaint.take() else { return Ok(()) };
        let status = self.child.wait()?;
        let complaint = complaint.join().unwrap_or_default();
        if !status.success() {
            let why = if complaint.is_empty() { status.to_string() } else { complaint };
            self.failed = Some(format!("journalctl failed: {why}"));
        }
        Ok(())
    }
}

impl Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed.is_none() {
            let bytes = self.out.read(buffer)?;
            if 0 < bytes || buffer.is_empty() {
                return Ok(bytes);
            }
            self.end()?;
        }
        self.failed.as_ref().map_or(Ok(0), |why| Err(io::Error::other(why.clone())))
    }
}

impl Drop for Running {
    /// Ends a program of which no more is wanted.
    fn drop(&mut self) {
        if self.complaint.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_path_is_no_pattern_and_no_option() {
        for (path, expected) in [
            ("/var/log/journal/0f/system.journal", "--file=/var/log/journal/0f/system.journal"),
            ("/a/-x*?.journal~", "--file=/a/-x\\*\\?.journal~"),
            ("/a/{b,c}[d]\\.journal", "--file=/a/\\{b\\,c\\}\\[d\\]\\\\.journal"),
        ] {
            assert_eq!(file_option(Path::new(path)), OsString::from(expected));
        }
    }

    #[test]
    fn entries_become_lines() {
        let head = r#"{"_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"postfix/smtpd","_PID":"7","__REALTIME_TIMESTAMP":"1789228152650438""#;
        let text = format!("{head},\"MESSAGE\":\"one\"}}\n{head},\"MESSAGE\":\"two\\nthree\"}}\n-- none --\n{head}");
        let mut lines =
            Lines { entries: BufReader::new(text.as_bytes()), entry: Vec::new(), line: Vec::new(), taken: 0 };
        let mut out = String::new();
        lines.read_to_string(&mut out).unwrap();
        let got: Vec<&str> = out.lines().map(|line| line.split("]: ").last().unwrap()).collect();
        assert_eq!(got, ["one", "two three", "-- none --", head]);
        assert!(out.starts_with("1789228152.650438 mx postfix/smtpd[7]: one\n"), "{out}");
    }

    #[test]
    fn folders_that_depend_on_where_one_stands_are_passed_over() {
        for folder in ["", ".", "bin", "../bin", "/no/such/folder"] {
            assert_eq!(Journalctl::within(Path::new(folder)), None, "{folder}");
        }
    }
}
