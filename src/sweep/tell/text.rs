//! What cron mails: a few lines for each piece of news, and nothing without news.

use crate::report::escape::terminal;
use crate::sweep::findings::{Known, News, Why};
use std::io::{self, Write};

/// How many findings are told one by one. The worst come first.
const SHOWN: usize = 20;

/// How much of a line is shown.
const LINE_CHARS: usize = 200;

/// Writes the news, worst first.
pub fn write(news: &[News], state: &str, out: &mut dyn Write) -> io::Result<()> {
    if news.is_empty() {
        return Ok(());
    }
    let mut order: Vec<&News> = news.iter().collect();
    order.sort_by_key(|news| (news.why == Why::Resolved, std::cmp::Reverse(news.finding.severity)));
    for news in order.iter().take(SHOWN) {
        one(news, out)?;
    }
    if let Some(more) = order.len().checked_sub(SHOWN).filter(|more| 0 < *more) {
        writeln!(out, "... and {more} more\n")?;
    }
    writeln!(out, "All of it, with the reasons and what to do now: relayaudit report --state {}", terminal(state))
}

fn one(news: &News, out: &mut dyn Write) -> io::Result<()> {
    let finding = &news.finding;
    let what = match news.why {
        Why::New if finding.over => "found, over by now",
        Why::New => "new",
        Why::Worse => "worse",
        Why::Reminder => "goes on",
        Why::Resolved => "nothing more seen",
    };
    writeln!(out, "{what}: {}", terminal(&headline(finding)))?;
    if news.why != Why::Resolved {
        if !finding.why.is_empty() {
            writeln!(out, "  {}", terminal(&finding.why))?;
        }
        if let Some(proof) = &finding.evidence {
            let text: String = proof.text.chars().take(LINE_CHARS).collect();
            writeln!(out, "  {}:{}: {}", terminal(&proof.path), proof.line, terminal(&text))?;
        }
    }
    writeln!(out)
}

/// A finding in one line: what, who, where, how bad, since when.
pub fn headline(finding: &Known) -> String {
    let Known { rule, severity, kind, subject, server, .. } = finding;
    let place = if server.is_empty() || server == subject { String::new() } else { format!(" on {server}") };
    let times = match (finding.first, finding.last) {
        (Some(first), Some(last)) if first == last => format!(", {}", first.rfc3339()),
        (Some(first), Some(last)) => format!(", {} to {}", first.rfc3339(), last.rfc3339()),
        _ => String::new(),
    };
    format!("{rule} ({}), {kind} {subject}{place}{times}", severity.as_str())
}
