//! `relayaudit formats` and `relayaudit explain`.

use super::Error;
use crate::judge::{About, DETECTORS, finding::Rule};
use relayaudit_parsers::registry::FORMATS;
use std::io::Write;

/// Lists the formats.
pub fn formats(out: &mut dyn Write) -> Result<(), Error> {
    for (number, format) in FORMATS.iter().enumerate() {
        if 0 < number {
            writeln!(out)?;
        }
        writeln!(out, "{}: {}", format.name, format.title)?;
        paragraph(out, "Checked with", format.versions)?;
        paragraph(out, "Tells", format.yields)?;
        paragraph(out, "Does not tell", format.lacks)?;
        paragraph(out, "Grammar from", format.source)?;
    }
    Ok(())
}

/// Explains a rule, or lists them all.
pub fn explain(rule: Option<&str>, out: &mut dyn Write) -> Result<(), Error> {
    let Some(name) = rule else {
        for detector in DETECTORS {
            writeln!(out, "{:22} {}", detector.about.rule.as_str(), detector.about.title)?;
        }
        writeln!(out, "\nrelayaudit explain RULE says more.")?;
        return Ok(());
    };
    let rule: Rule = name.parse().map_err(Error::Rule)?;
    let about =
        crate::judge::about(rule).ok_or_else(|| Error::Rule(format!("{name}: this version does not judge it yet")))?;
    describe(about, out)
}

fn describe(about: &About, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "{}: {}", about.rule.as_str(), about.title)?;
    paragraph(out, "What it means", about.meaning)?;
    paragraph(out, "What else it may be", about.false_positives)?;
    paragraph(out, "What to do", about.remedy)?;
    paragraph(out, "Where it comes from", about.sources)
}

/// A heading and an indented text, wrapped for 80 columns.
fn paragraph(out: &mut dyn Write, heading: &str, text: &str) -> Result<(), Error> {
    const WIDTH: usize = 80;
    writeln!(out, "  {heading}:")?;
    for line in text.lines() {
        let mut column = 0;
        for word in line.split_whitespace() {
            if column == 0 {
                write!(out, "    {word}")?;
                column = 4 + word.chars().count();
            } else if WIDTH < column + 1 + word.chars().count() {
                write!(out, "\n    {word}")?;
                column = 4 + word.chars().count();
            } else {
                write!(out, " {word}")?;
                column += 1 + word.chars().count();
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
