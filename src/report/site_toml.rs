//! The site as a `relayaudit.toml` to look through: every entry with its reason as a comment, what is in doubt commented out.
//!
//! Values are TOML basic strings (TOML 1.0, "String"); comments hold no control characters, and so cannot end early.

use super::escape::terminal;
use super::model::{SiteRow, SiteTable};
use crate::judge::{Candidate, CandidateKind};
use crate::ledger::{Evidence, Ledger};
use crate::site::{Lets, Opening, Site};
use std::io::{self, Write};

/// Longest comment; log lines are longer.
const LONGEST: usize = 200;

/// Writes the file. The table must be that of the site; `from` says what was read.
pub fn write(
    table: &SiteTable,
    site: &Site,
    ledger: &Ledger,
    candidates: &[Candidate],
    from: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    comment(out, "", &format!("relayaudit.toml: what is yours. Made from {from}."))?;
    comment(
        out,
        "",
        "Look through every line: the verdicts are only as good as this file. Lines in comments are in doubt.",
    )?;
    let wide = |opening: &&Opening| matches!(opening.lets, Lets::Network(_) | Lets::AnyRecipient);
    let doubts = |kind: CandidateKind| {
        let candidates = candidates.iter().filter(move |candidate| candidate.kind == kind);
        let openings = site.openings().iter().filter(wide).filter(move |opening| of_kind(opening) == kind);
        let found =
            candidates.map(|candidate| (candidate.value.clone(), candidate.why.clone(), candidate.evidence.first()));
        let open = openings.map(|opening| (opening.item.clone(), vec![too_wide(opening)], opening.evidence.first()));
        found.chain(open).collect::<Vec<_>>()
    };
    list(
        out,
        ledger,
        "Domains you take mail for. A leading dot stands for all below. Those you are secondary MX for belong here too.",
        ("local_domains", &table.local_domains),
        doubts(CandidateKind::Domain),
    )?;
    list(
        out,
        ledger,
        "Networks and hosts that may send through you without log-in.",
        ("trusted_networks", &table.trusted_networks),
        doubts(CandidateKind::Client),
    )?;
    list(out, ledger, "Names of your servers.", ("server_names", &table.server_names), Vec::new())?;
    list(out, ledger, "Addresses of your servers.", ("server_addresses", &table.server_addresses), Vec::new())
}

fn of_kind(opening: &Opening) -> CandidateKind {
    if matches!(opening.lets, Lets::Network(_)) { CandidateKind::Client } else { CandidateKind::Domain }
}

fn too_wide(opening: &Opening) -> String {
    format!("{}:{} trusts it, and it is wider than one owner's: left out.", opening.path.display(), opening.line)
}

/// An entry in doubt: its value, the reasons, a line.
type Doubt<'a> = (String, Vec<String>, Option<&'a Evidence>);

fn list(
    out: &mut dyn Write,
    ledger: &Ledger,
    title: &str,
    (key, rows): (&str, &[SiteRow]),
    doubts: Vec<Doubt<'_>>,
) -> io::Result<()> {
    writeln!(out)?;
    comment(out, "", title)?;
    writeln!(out, "{key} = [")?;
    for row in rows {
        let why = if row.why.is_empty() { "stated".to_owned() } else { row.why.clone() };
        comment(out, "    ", &format!("{} ({})", why.trim_start(), row.origin))?;
        if let Some(line) = &row.evidence {
            comment(out, "    ", &format!("  {}:{}: {}", line.path, line.line, line.text))?;
        }
        writeln!(out, "    {},", string(&row.value))?;
    }
    for (value, why, evidence) in doubts {
        for sentence in std::iter::once("Perhaps:".to_owned()).chain(why) {
            comment(out, "    ", &sentence)?;
        }
        if let Some(evidence) = evidence {
            let path = ledger.inputs.get(&evidence.place.file).map_or("", |input| input.path.as_ref());
            comment(out, "    ", &format!("  {path}:{}: {}", evidence.place.number(), evidence.text))?;
        }
        comment(out, "    ", &format!("{},", string(&value)))?;
    }
    writeln!(out, "]")
}

/// A comment on one line, whatever the text holds.
fn comment(out: &mut dyn Write, indent: &str, text: &str) -> io::Result<()> {
    let text = terminal(text);
    let cut: String = text.chars().take(LONGEST).collect();
    let more = if cut.len() < text.len() { "..." } else { "" };
    writeln!(out, "{indent}# {cut}{more}")
}

/// A basic string.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
