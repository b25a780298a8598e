//! What is understood: every format, once.
//!
//! A new format is one module and one line in [`FORMATS`]; a new daemon that logs through
//! syslog is one module and one line in [`crate::syslog::DAEMONS`].

use crate::record::Line;
use chrono::NaiveDate;
use std::sync::Arc;

/// One log format.
pub struct Format {
    /// Stable name: the value of `--format` and of `coverage.inputs[].format`.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// Versions and files it was checked against.
    pub versions: &'static str,
    /// What can be learnt from it.
    pub yields: &'static str,
    /// What it cannot tell.
    pub lacks: &'static str,
    /// Where the facts of its grammar come from.
    pub source: &'static str,
    /// Beginnings of file names of which the first only repeats lines of the second, with more detail: where both
    /// lie in one folder, the first is not read.
    pub repeats: &'static [(&'static str, &'static str)],
    /// Whether a line is surely of this format. Used on the first lines of a file, and must
    /// be true of at most one format for any line.
    pub recognises: fn(line: &[u8]) -> bool,
    /// Parses one line, without its line end, in the context that the lines before it set.
    pub parse: for<'a> fn(line: &'a [u8], context: &Context) -> Line<'a>,
    /// Takes what a directive line (`#Fields:`) says into the context for the lines after it.
    /// Does nothing for a line that is no directive. Only the first line of a file may be a directive and not
    /// begin with `#`.
    pub direct: fn(line: &[u8], context: &mut Context),
}

/// What earlier lines of a file say about how to read the later ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Context {
    /// The columns, in order, as the latest `#Fields:` line (or a header of names) gives them.
    pub columns: Arc<[Box<[u8]>]>,
    /// The date of the latest `#Date:` line: the date of records that have none.
    pub date: Option<NaiveDate>,
    /// What the latest `#Log-type:` line says that the file is; empty if there was none.
    pub log_type: Box<[u8]>,
}

/// Every format, in the order in which `relayaudit formats` lists them.
pub const FORMATS: &[&Format] = &[
    &crate::postfix::FORMAT,
    &crate::iis_w3c::FORMAT,
    &crate::exchange2000::FORMAT,
    &crate::exchange55_ims::FORMAT,
    &crate::exchange_protocol::FORMAT,
    &crate::exchange_tracking::FORMAT,
    &crate::exchange_agent::FORMAT,
    &crate::exchange_online::FORMAT,
    &crate::exim::FORMAT,
    &crate::sendmail::FORMAT,
    &crate::opensmtpd::FORMAT,
    &crate::qmail::FORMAT,
    &crate::zeek::FORMAT,
    &crate::iis_native::FORMAT,
    &crate::iis_ncsa::FORMAT,
    &crate::courier::FORMAT,
    &crate::kerio::FORMAT,
    &crate::stalwart::FORMAT,
    &crate::domino::FORMAT,
    &crate::assp::FORMAT,
    &crate::zimbra::FORMAT,
    &crate::cisco_esa::FORMAT,
    &crate::fortimail::FORMAT,
    &crate::proofpoint::FORMAT,
    &crate::cisco_esa_text::FORMAT,
    &crate::hmailserver::FORMAT,
    &crate::mdaemon::FORMAT,
    &crate::smartermail::FORMAT,
    &crate::communigate::FORMAT,
    &crate::haraka::FORMAT,
    &crate::mailscanner::FORMAT,
    &crate::logins::FORMAT,
    &crate::nginx_mail::FORMAT,
];

/// The format of that name, if there is one.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.name == name)
}

/// The format that claims the most of the given lines, if any line is claimed.
///
/// Give it the first lines of a file. On a tie, the earlier format in [`FORMATS`] wins; a format that tells of log-ins or of
/// a filter only wins if there is no other, as its lines stand in the file of a mail server of which they may be the most.
/// Where one format claims nearly all of the first lines, the rest is not looked at: most files are like that, and every
/// format would be asked about every line.
pub fn detect<'a>(lines: impl Iterator<Item = &'a [u8]> + Clone) -> Option<&'static Format> {
    let first = lines.clone().filter(|line| !line.is_empty()).take(FIRST_LINES);
    match most(first.clone()) {
        Some((format, (true, claimed))) if first.count() * 9 <= claimed * 10 => Some(format),
        _ => most(lines).map(|(format, _)| format),
    }
}

/// Lines that may be enough to know a file by.
const FIRST_LINES: usize = 100;

/// The format that claims the most lines, whether it is one that wins over others, and how many it claims.
fn most<'a>(lines: impl Iterator<Item = &'a [u8]> + Clone) -> Option<(&'static Format, (bool, usize))> {
    let mut best: Option<(&'static Format, (bool, usize))> = None;
    for format in FORMATS {
        let claimed = lines.clone().filter(|line| (format.recognises)(line)).count();
        let stands_beside = [crate::logins::FORMAT.name, crate::mailscanner::FORMAT.name].contains(&format.name);
        let weight = (!stands_beside, claimed);
        if 0 < claimed && best.is_none_or(|(_, most)| most < weight) {
            best = Some((format, weight));
        }
    }
    best
}
