//! Two servers that write, rotate and pack logs, and a state that follows them.

#![allow(dead_code)]

use super::common::root;
use relayaudit::clock::Zone;
use relayaudit::fold::{Filter, Rejected};
use relayaudit::ledger::{Ledger, Time};
use relayaudit::scan::{Plan, Watch, scan};
use relayaudit::source::{self, Reading};
use relayaudit::sweep::read::{Learnt, Options};
use relayaudit::sweep::state::State;
use relayaudit::sweep::{load, read_into};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

pub struct Quiet;

impl Watch for Quiet {
    fn folded(&mut self, _: u64) {}
    fn rejected(&mut self, _: &str, _: &[Rejected]) {}
}

/// SplitMix64, as in `benches/generate.rs`.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// How a log is rotated (logrotate(8)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is renamed, and a new one begins.
    Create,
    /// It is copied, then emptied.
    CopyTruncate,
    /// The same, with a sweep between the two.
    CopySweepTruncate,
}

/// A server's log.
struct Stream {
    path: PathBuf,
    text: Vec<u8>,
    written: usize,
    /// The rotated logs, newest first: whether each is packed.
    rotated: Vec<bool>,
}

impl Stream {
    fn name(&self, number: usize, packed: bool) -> PathBuf {
        PathBuf::from(format!("{}.{}{}", self.path.display(), number + 1, if packed { ".gz" } else { "" }))
    }

    fn shift(&mut self) {
        for (number, packed) in self.rotated.iter().enumerate().rev() {
            std::fs::rename(self.name(number, *packed), self.name(number + 1, *packed)).unwrap();
        }
        self.rotated.insert(0, false);
    }
}

/// Logs on a disk, and a state.
pub struct World {
    folder: tempfile::TempDir,
    streams: Vec<Stream>,
    copies: Vec<PathBuf>,
    random: Random,
    short_bytes: usize,
    now: i64,
    pub state: State,
}

impl World {
    pub fn new(seed: u64, short_bytes: usize) -> World {
        let folder = tempfile::tempdir().unwrap();
        let stream = |folder: &Path, name: &str, sample: &str| {
            let path = folder.join("log").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = std::fs::read(root().join("samples").join(sample)).unwrap();
            Stream { path, text, written: 0, rotated: Vec::new() }
        };
        let streams = vec![
            stream(folder.path(), "mx/mail.log", "handed-on/mx1-mail.log"),
            stream(folder.path(), "web/mainlog", "handed-on/web1-mainlog"),
        ];
        let state = State::create(&folder.path().join("state")).unwrap();
        let now = chrono::Utc::now().timestamp_micros();
        World { folder, streams, copies: Vec::new(), random: Random(seed), short_bytes, now, state }
    }

    fn paths(&self) -> Vec<String> {
        vec![self.folder.path().join("log").to_str().unwrap().to_owned()]
    }

    fn reading() -> Reading {
        Reading { format: None, zone: Zone::Named(chrono_tz::UTC), year: None }
    }

    /// Something that happens to logs.
    pub fn step(&mut self) {
        let stream = self.random.below(2) as usize;
        match self.random.below(16) {
            0..6 => {
                let bytes = self.random.below(9000) as usize;
                self.append(stream, bytes);
            }
            6 => self.rotate(stream, Kind::Create),
            7 => self.rotate(stream, Kind::CopyTruncate),
            8 => self.rotate(stream, Kind::CopySweepTruncate),
            9 => self.pack(stream),
            10 => self.copy(stream),
            _ => {
                self.sweep();
            }
        }
    }

    /// A server writes, perhaps not to the end of a line.
    pub fn append(&mut self, stream: usize, bytes: usize) {
        let stream = &mut self.streams[stream];
        let end = (stream.written + bytes).min(stream.text.len());
        let mut file = OpenOptions::new().append(true).create(true).open(&stream.path).unwrap();
        file.write_all(&stream.text[stream.written..end]).unwrap();
        stream.written = end;
    }

    pub fn rotate(&mut self, stream: usize, kind: Kind) {
        // Logs of one name that begin in the same second are in no order: a rotated one holds more than that.
        let holds_enough = std::fs::metadata(&self.streams[stream].path).is_ok_and(|metadata| 3000 < metadata.len());
        if !holds_enough {
            return;
        }
        let this = &mut self.streams[stream];
        this.shift();
        let (from, to) = (this.path.clone(), this.name(0, false));
        if kind == Kind::Create {
            std::fs::rename(&from, &to).unwrap();
            if self.random.below(2) == 0 {
                std::fs::write(&from, "").unwrap();
            }
            return;
        }
        std::fs::copy(&from, &to).unwrap();
        if kind == Kind::CopySweepTruncate {
            self.sweep();
        }
        OpenOptions::new().write(true).truncate(true).open(&from).unwrap();
    }

    /// Packs the newest rotated log that is not packed.
    pub fn pack(&mut self, stream: usize) {
        let stream = &mut self.streams[stream];
        let Some(number) = stream.rotated.iter().position(|packed| !packed) else { return };
        let (from, to) = (stream.name(number, false), stream.name(number, true));
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&std::fs::read(&from).unwrap()).unwrap();
        std::fs::write(&to, packer.finish().unwrap()).unwrap();
        std::fs::remove_file(&from).unwrap();
        stream.rotated[number] = true;
    }

    /// Somebody keeps a copy of a log.
    fn copy(&mut self, stream: usize) {
        let from = &self.streams[stream].path;
        // A copy that holds no record yet is not known again elsewhere.
        if std::fs::metadata(from).is_ok_and(|metadata| 3000 < metadata.len()) {
            let to = self.folder.path().join(format!("log/copy{}", self.copies.len()));
            std::fs::copy(from, &to).unwrap();
            self.copies.push(to);
        }
    }

    pub fn options(&self) -> Options {
        Options { short_bytes: self.short_bytes, ..Options::new(self.paths(), World::reading(), Time(self.now)) }
    }

    /// Sweeps, some hours after the last time.
    pub fn sweep(&mut self) -> Learnt {
        self.now += 6 * 3_600_000_000;
        let options = self.options();
        read_into(&mut self.state, &options).unwrap()
    }

    pub fn known(&mut self) -> Ledger {
        load::load(&self.state.read().unwrap(), load::ALL).unwrap().finish()
    }

    pub fn scanned(&self) -> Ledger {
        let logs = source::open(&self.paths(), &World::reading());
        scan(logs.logs, Plan::default(), &Filter::default(), &mut Quiet)
    }

    /// The state must know what a scan of all bytes learns, and learn nothing more when nothing is new.
    pub fn check(&mut self, what: &str) {
        self.copies.drain(..).for_each(|copy| std::fs::remove_file(copy).unwrap());
        if self.streams.iter().all(|stream| stream.written == 0) {
            return;
        }
        let learnt = self.sweep();
        assert_eq!(learnt.problems, [""; 0], "{what}");
        let (mut known, scanned) = (self.known(), self.scanned());
        renumber(&mut known, &scanned);
        same(&known, &scanned, what);
        let again = self.sweep();
        assert_eq!((again.text_bytes, again.lines), (0, 0), "{what}");
        let mut known = self.known();
        renumber(&mut known, &scanned);
        same(&known, &scanned, what);
    }
}

/// Gives logs that were met first as a copy the numbers that they have by their names. The order stays.
fn renumber(known: &mut Ledger, scanned: &Ledger) {
    let by_path: BTreeMap<_, _> = scanned.inputs.iter().map(|(file, input)| (input.path, *file)).collect();
    let paths: BTreeMap<_, _> = known.inputs.iter().map(|(file, input)| (*file, input.path)).collect();
    let new = |file| Some(paths.get(&file).and_then(|path| by_path.get(path)).copied().unwrap_or(file));
    known.refile(&new).unwrap();
}

/// Says where two ledgers differ, rather than how.
pub fn same(known: &Ledger, scanned: &Ledger, what: &str) {
    let inputs = |ledger: &Ledger| -> Vec<_> {
        ledger.inputs.iter().map(|(file, input)| (*file, input.path, input.bytes, input.lines)).collect()
    };
    assert_eq!(inputs(known), inputs(scanned), "{what}: inputs");
    assert!(known.inputs == scanned.inputs, "{what}: inputs, within");
    for (key, flow) in relayaudit::ledger::sorted(&known.flows) {
        assert_eq!(Some(flow), scanned.flows.get(key), "{what}: {key:?}");
    }
    for (key, flow) in relayaudit::ledger::sorted(&scanned.flows) {
        assert_eq!(Some(flow), known.flows.get(key), "{what}: {key:?}");
    }
    assert!(known.flows == scanned.flows, "{what}: flows");
    assert!(known.clients == scanned.clients, "{what}: clients");
    for (name, facts) in &known.servers {
        assert_eq!(Some(facts), scanned.servers.get(name), "{what}: {name}");
    }
    assert!(known.servers == scanned.servers, "{what}: servers");
    assert!(known == scanned, "{what}");
}
