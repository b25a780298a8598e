//! `relayaudit trace`: keys and logs in, the life of messages out.

use super::progress::Progress;
use super::trace_args::{Parted, Shape, Trace};
use super::{CLEAN, Error, FAILED, FOUND, complain, judging, reading};
use crate::fold::{Filter, Rejected};
use crate::ledger::{FileId, Ledger, Text};
use crate::merge::Merge;
use crate::report;
use crate::scan::{Plan, Watch, read_all};
use crate::site;
use crate::trace::answer::{self, Answer, Us};
use crate::trace::making::Making;
use crate::trace::pasted::Pasted;
use crate::trace::run::{Found, follow};
use crate::trace::{Key, Traces};
use foldhash::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// Found: as grep has it.
const MET: u8 = CLEAN;
/// Not found.
const NOT_MET: u8 = FOUND;

/// Follows the keys and prints what was found. Returns the exit status.
pub fn run(options: &Trace, out: &mut dyn Write) -> Result<u8, Error> {
    let wrong = |what| Error::Option { option: "trace", what };
    let Parted { keys: words, paths } = options.part().map_err(wrong)?;
    let pasted = pasted(options, &words, &paths)?;
    let keys = keys(options, &words, pasted.as_ref()).map_err(wrong)?;
    let stated = reading::stated_site(&options.site)?;
    let filter = reading::filter(&options.read)?;
    let mut passes = Passes { options, paths: &paths, files: HashMap::default(), incomplete: false, number: 0 };
    let mut found = match keys.is_empty() {
        // A header without any id: the logs are read for what they cover.
        true => follow(&[], &filter, false, &mut |filter| passes.read(filter))?,
        false => follow(&keys, &filter, !paths.iter().any(|path| path == "-"), &mut |filter| passes.read(filter))?,
    };
    let site = site::infer(&found.ledger, &stated);
    let own = keys.len() - pasted.as_ref().map_or(0, |pasted| answer::keys(pasted).len());
    let answer = pasted.map(|pasted| reply(&pasted, own, &mut found, &site));
    let met = answer.as_ref().map_or(!found.chains.is_empty(), |answer| answer.was_it_us == Us::Yes);
    let making = Making { keys: &keys, stated: &stated, files: &passes.files, limit: options.limit };
    let document = making.document(&found, &site, answer);
    match options.format {
        Shape::Text => report::terminal::write_trace(&document, &judging::look(options.color), out)?,
        Shape::Json => report::trace::write_json(&document, out)?,
        Shape::Dot => report::trace::write_dot(&document, out)?,
    }
    std::mem::forget(found);
    Ok(match (passes.incomplete, met) {
        (true, _) => FAILED,
        (false, true) => MET,
        (false, false) => NOT_MET,
    })
}

/// Answers "was it us?", and leaves out what only shares an id.
fn reply(pasted: &Pasted, own: usize, found: &mut Found, site: &site::Site) -> Answer {
    answer::retain(pasted, u32::try_from(own).unwrap_or(u32::MAX), &mut found.chains);
    answer::answer(pasted, &found.chains, &found.ledger, site)
}

/// The text that was pasted, if one was given.
fn pasted(options: &Trace, words: &[String], paths: &[String]) -> Result<Option<Pasted>, Error> {
    let from_stdin = words.iter().any(|word| word == "-") || options.received.as_deref() == Some(Path::new("-"));
    if from_stdin && paths.iter().any(|path| path == "-") {
        let what = "standard input can be the pasted text or the logs, not both".to_owned();
        return Err(Error::Option { option: "trace", what });
    }
    /// Headers are smaller.
    const LONGEST: u64 = 1 << 20;
    let mut text = Vec::new();
    if from_stdin {
        io::stdin().lock().take(LONGEST).read_to_end(&mut text).map_err(|error| Error::Option {
            option: "trace",
            what: format!("cannot read the pasted text from standard input: {error}"),
        })?;
    } else if let Some(path) = &options.received {
        let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text));
        read.map_err(|error| Error::Option {
            option: "--received",
            what: format!("{}: cannot read: {error}", path.display()),
        })?;
    }
    for word in words.iter().filter(|word| Pasted::looks_like(word)) {
        text.extend_from_slice(word.as_bytes());
        text.push(b'\n');
    }
    if text.is_empty() && !from_stdin && options.received.is_none() {
        return Ok(None);
    }
    let pasted = Pasted::read(&text);
    match pasted.is_empty() {
        false => Ok(Some(pasted)),
        true => Err(Error::Option {
            option: "trace",
            what: "the pasted text has neither a Received line nor a Message-ID nor the fields of a bounce; paste the whole header \
                   of the message (\"show source\", \"view headers\")"
                .to_owned(),
        }),
    }
}

/// The keys of the command line, and those in the pasted text.
fn keys(options: &Trace, words: &[String], pasted: Option<&Pasted>) -> Result<Vec<Key>, String> {
    let own = words.iter().filter(|word| *word != "-" && !Pasted::looks_like(word));
    let mut keys: Vec<Key> = own.map(|word| Key::read(word, options.kind)).collect::<Result<_, _>>()?;
    keys.extend(pasted.map(answer::keys).unwrap_or_default());
    Ok(keys)
}

/// Reads the logs, as often as is asked.
struct Passes<'a> {
    options: &'a Trace,
    paths: &'a [String],
    files: HashMap<FileId, (Text, &'static str)>,
    incomplete: bool,
    number: usize,
}

impl Passes<'_> {
    fn read(&mut self, filter: &Filter) -> Result<Traces, Error> {
        let options = &self.options.read;
        let is_first = self.number == 0;
        let logs = reading::logs_of(options, self.paths, options.log_format.map(|format| format.0), is_first);
        let unparsed = options.unparsed.as_deref().filter(|_| is_first).map(reading::create).transpose()?;
        let progress = Progress::new(&logs.logs, options.quiet, unparsed);
        progress.stage(if is_first { "looking for it" } else { "following its ids" });
        self.files.extend(logs.logs.iter().map(|log| (log.file, (log.path, log.format.name))));
        let mut watching = Watching { progress, found: Traces::default() };
        let (rest, problems) = read_all::<Traces>(logs.logs, Plan::default(), filter, &mut watching);
        watching.progress.finish();
        if let (Some(source), Some(path)) = (watching.progress.error.take(), &options.unparsed) {
            return Err(Error::Write { path: path.display().to_string(), source });
        }
        if is_first {
            for (file, problem) in &problems {
                let path = self.files.get(file).map_or("", |(path, _)| path);
                complain(&format!("{path}: {problem}"));
            }
            self.incomplete = !problems.is_empty() || !logs.failures.is_empty();
        }
        self.number += 1;
        let mut found = watching.found;
        found.merge(rest);
        Ok(found)
    }
}

/// Takes what is found as it is found.
struct Watching {
    progress: Progress,
    found: Traces,
}

impl Watch<Traces> for Watching {
    fn folded(&mut self, bytes: u64) {
        Watch::<Ledger>::folded(&mut self.progress, bytes);
    }

    fn rejected(&mut self, path: &str, lines: &[Rejected]) {
        Watch::<Ledger>::rejected(&mut self.progress, path, lines);
    }

    fn decided(&mut self, found: &mut Traces) {
        self.found.merge(std::mem::take(found));
    }
}
