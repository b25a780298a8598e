//! What was read, and what is missing from it.

use super::{Run, start_of};
use crate::ledger::{Input, Ledger, Span};
use crate::merge::Merge;
use crate::report::model::{Coverage, Gap, InputRow, UnparsedLine};
use std::collections::BTreeSet;

/// Hours without a record from which a hole is worth a line: shorter ones are quiet nights.
const HOLE_HOURS: usize = 3;
/// How many unparsed lines a report shows; `--unparsed` writes them all.
const SAMPLES: usize = 50;

/// The files in the order of their first records, and the holes.
pub fn coverage(ledger: &Ledger, run: &Run) -> Coverage {
    let mut span = Span::default();
    ledger.inputs.values().for_each(|input| span.merge(input.span));
    let gaps = ledger.servers.iter().flat_map(|(server, facts)| {
        holes(&facts.hours).into_iter().map(|(from, to)| Gap {
            server: server.to_string(),
            from: Some(start_of(from)),
            to: Some(start_of(to)),
        })
    });
    Coverage {
        first: span.first,
        last: span.last,
        inputs: ledger.inputs.values().map(input_row).collect(),
        gaps: gaps.collect(),
        assumptions: run.assumptions.clone(),
    }
}

fn input_row(input: &Input) -> InputRow {
    InputRow {
        path: input.path.to_string(),
        format: input.format.to_string(),
        bytes: input.bytes,
        lines: input.lines,
        records: input.records,
        directives: input.directives,
        ignored: input.ignored_lines(),
        unparsed: input.unparsed_lines(),
        first: input.span.first,
        last: input.span.last,
        problems: input.problems.iter().map(ToString::to_string).collect(),
    }
}

/// Samples of the lines that broke the grammar, by place.
pub fn unparsed_samples(ledger: &Ledger) -> Vec<UnparsedLine> {
    let mut samples = Vec::new();
    for input in ledger.inputs.values() {
        for (reason, unparsed) in &input.unparsed {
            samples.extend(unparsed.samples.iter().map(|sample| (sample, input, reason)));
        }
    }
    samples.sort_by_key(|(sample, _, _)| sample.place);
    let line = |(sample, input, reason): (&crate::ledger::Evidence, &Input, &crate::ledger::Text)| UnparsedLine {
        path: input.path.to_string(),
        line: sample.place.number(),
        text: sample.text.to_string(),
        reason: reason.to_string(),
    };
    samples.into_iter().take(SAMPLES).map(line).collect()
}

/// The holes in the hours in which a server wrote: first hour without a record, first hour with
/// one again.
///
/// A hole has three hours or more. It counts only with a server that wrote in at least half of all
/// hours, and only if three of its hours are usual ones, in which the server writes on at least half of the
/// days; so a small server that sleeps every night has none, and a log that covers less than two
/// days has no usual hours and shows every hole.
fn holes(hours: &BTreeSet<i32>) -> Vec<(i32, i32)> {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return Vec::new() };
    let span = i64::from(*last) - i64::from(*first) + 1;
    if (hours.len() as i64) * 2 < span {
        return Vec::new();
    }
    let usual = usual_hours(hours, span);
    let next = hours.iter().skip(1);
    let holes = hours.iter().zip(next).map(|(before, after)| (before + 1, *after));
    holes.filter(|(from, to)| HOLE_HOURS <= (*from..*to).filter(|hour| usual(*hour)).count()).collect()
}

/// Tells whether the server usually writes at that hour of the day.
fn usual_hours(hours: &BTreeSet<i32>, span: i64) -> impl Fn(i32) -> bool {
    let mut days = [0i64; 24];
    hours.iter().for_each(|hour| days[hour.rem_euclid(24) as usize] += 1);
    move |hour| span < 48 || span / 24 <= days[hour.rem_euclid(24) as usize] * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hours: impl Iterator<Item = i32>, expected: &[(i32, i32)]) {
        assert_eq!(holes(&hours.collect()), expected);
    }

    #[test]
    fn a_busy_server_that_falls_silent_has_a_hole() {
        check((0..100).filter(|hour| !(40..43).contains(hour)), &[(40, 43)]);
        check((0..20).filter(|hour| !(5..9).contains(hour)), &[(5, 9)]);
    }

    #[test]
    fn short_silence_quiet_nights_and_quiet_servers_have_none() {
        check((0..100).filter(|hour| !(40..42).contains(hour)), &[]);
        check((0..240).filter(|hour| 6 <= hour % 24), &[]);
        check((0..1000).step_by(7), &[]);
        check([i32::MIN, i32::MAX].into_iter(), &[]);
        check(std::iter::empty(), &[]);
    }

    #[test]
    fn a_day_without_log_shows_though_the_nights_are_quiet() {
        let hours = (0..240).filter(|hour| 6 <= hour % 24 && hour / 24 != 4);
        check(hours, &[(96, 126)]);
    }
}
