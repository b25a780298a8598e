//! Who blocks the server, since when, and how to get off.

use super::page::{Page, Style};
use super::sections::more;
use crate::report::Report;
use crate::report::phrases;
use std::io;

/// Listings shown.
const ROWS: usize = 12;

/// What other servers say of ours.
pub fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.blocklistings.is_empty() {
        return Ok(());
    }
    page.heading("Who blocks you, since when, and how to get off (as their replies say)")?;
    let mut told = None;
    for row in report.blocklistings.iter().take(ROWS) {
        page.text(Style::Plain, "  - ", &phrases::listing(row))?;
        page.text(Style::Plain, "    ", &phrases::listing_figures(row))?;
        // Mostly one flood is behind all of them, seen by all in the same minutes: it is told once.
        let cause = phrases::listing_cause(row).filter(|cause| told.as_ref() != Some(cause));
        if let Some(cause) = cause {
            page.text(Style::Plain, "    ", &cause)?;
            told = Some(cause);
        }
        if let Some(off) = phrases::off(row) {
            page.text(Style::Plain, "    ", &off)?;
        }
    }
    more(page, report.blocklistings.len(), ROWS)
}
