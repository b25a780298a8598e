//! What was read, and what is missing from it.

use super::{Run, lines};
use crate::judge::{Analysis, gaps};
use crate::ledger::{Input, Ledger, Span};
use crate::merge::Merge;
use crate::report::model::{Coverage, Gap, InputRow, UnparsedLine};

/// How many unparsed lines a report shows; `--unparsed` writes them all.
const SAMPLES: usize = 50;

/// The files in the order of their first records, and what is missing.
pub fn coverage(ledger: &Ledger, analysis: &Analysis, run: &Run) -> Coverage {
    let mut span = Span::default();
    ledger.inputs.values().for_each(|input| span.merge(input.span));
    Coverage {
        first: span.first,
        last: span.last,
        inputs: ledger.inputs.values().map(input_row).collect(),
        gaps: analysis.gaps.iter().map(|gap| gap_row(ledger, gap)).collect(),
        assumptions: run.assumptions.clone(),
        databases: analysis.directory.iter().flat_map(|directory| directory.databases.clone()).collect(),
    }
}

fn gap_row(ledger: &Ledger, gap: &gaps::Gap) -> Gap {
    Gap {
        server: gap.server.to_string(),
        from: gap.span.first,
        to: gap.span.last,
        kind: gap.kind.as_str(),
        what: gap.what.clone(),
        advice: gap.advice.clone(),
        lines_lost: gap.lines_lost,
        recipients: gap.recipients,
        evidence: lines(ledger, &gap.evidence),
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
