//! `relayaudit site`: what is yours, and whether the server's configuration keeps to it.

use super::args::Output;
use super::site_args::{Check, Import, Infer, Show, SiteVerb};
use super::{CLEAN, Error, FAILED, FOUND, complain, judging, reading};
use crate::judge::analysis::conclude;
use crate::judge::{self, Analysis, Errors, Routed, Rule, analyse, candidates};
use crate::ledger::{Client, Ledger};
use crate::report::{self, Report, Run, site_toml};
use crate::site::Site;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::IpAddr;

/// Runs a verb. Returns the exit status.
pub fn run(verb: &SiteVerb, out: &mut dyn Write) -> Result<u8, Error> {
    match verb {
        SiteVerb::Show(options) => show(options, out),
        SiteVerb::Infer(options) => infer(options, out),
        SiteVerb::Import(options) => import(options, out),
        SiteVerb::Check(options) => check(options, out),
    }
}

fn show(options: &Show, out: &mut dyn Write) -> Result<u8, Error> {
    let stated = reading::stated_site(&options.site)?;
    let read = reading::ledger(&options.read)?;
    let judged = Judged::new(read.ledger, &stated);
    report::terminal::write_site(&judged.report, &judging::look(options.color), out)?;
    Ok(read.status)
}

fn infer(options: &Infer, out: &mut dyn Write) -> Result<u8, Error> {
    let stated = reading::stated_site(&options.site)?;
    let read = reading::ledger(&options.read)?;
    if read.is_nothing() {
        return Ok(read.status);
    }
    let judged = Judged::new(read.ledger, &stated);
    let candidates = candidates(&Routed::new(&judged.ledger, &judged.site, Errors::default()));
    let paths = options.read.paths.join(" ");
    site_toml::write(&judged.report.site, &judged.site, &judged.ledger, &candidates, &paths, out)?;
    Ok(read.status)
}

fn import(options: &Import, out: &mut dyn Write) -> Result<u8, Error> {
    let (site, problems) = reading::import(&options.configs);
    problems.iter().for_each(|problem| complain(&problem.to_string()));
    // Not inferred: what the configuration does not say is left to the logs.
    let mut ledger = Ledger::default();
    site.note_inputs(&mut ledger);
    let report = build(&ledger, &site, &analyse(&ledger, &site));
    let paths: Vec<String> = options.configs.iter().map(|path| path.display().to_string()).collect();
    site_toml::write(&report.site, &site, &ledger, &[], &paths.join(" "), out)?;
    Ok(if problems.is_empty() { CLEAN } else { FAILED })
}

fn check(options: &Check, out: &mut dyn Write) -> Result<u8, Error> {
    let mut stated = reading::stated_site(&options.site)?;
    let (imported, problems) = reading::import(&options.configs);
    problems.iter().for_each(|problem| complain(&problem.to_string()));
    stated.add_all(imported);
    let read = reading::ledger(&options.read)?;
    let judged = Judged::new(read.ledger, &stated);
    let unused = if options.read.paths.is_empty() { Vec::new() } else { unused(&judged.ledger, &stated) };
    match options.format {
        Output::Text => {
            report::terminal::write_check(&judged.report, &unused, &judging::look(options.color), out)?;
        }
        Output::Json => report::json::write(&judged.report, out)?,
        Output::Csv => report::csv::write(&judged.report, out)?,
        Output::Markdown => report::markdown::write(&judged.report, out)?,
    }
    let grave = judged.report.findings.iter().filter(|finding| finding.rule == Rule::PolicyExposure);
    Ok(match (problems.is_empty(), read.status) {
        (true, CLEAN) if grave.clone().any(|finding| options.fail_on <= finding.severity) => FOUND,
        (true, status) => status,
        (false, _) => FAILED,
    })
}

/// A ledger with the site that it and the user make, and the report on both.
struct Judged {
    ledger: Ledger,
    site: Site,
    report: Report,
}

impl Judged {
    fn new(mut ledger: Ledger, stated: &Site) -> Judged {
        let (site, analysis) = conclude(&mut ledger, stated, &judge::Options::default());
        let report = build(&ledger, &site, &analysis);
        Judged { ledger, site, report }
    }
}

fn build(ledger: &Ledger, site: &Site, analysis: &Analysis) -> Report {
    let run = Run { version: env!("CARGO_PKG_VERSION").into(), assumptions: Vec::new() };
    Report::build(ledger, site, analysis, &run)
}

/// Trusted networks from which no client came, but for those of the machine itself. As text, with their origins.
fn unused(ledger: &Ledger, stated: &Site) -> Vec<String> {
    let clients: BTreeSet<IpAddr> = ledger
        .clients
        .keys()
        .filter_map(|key| if let Client::Address(address) = key.client { Some(address.to_canonical()) } else { None })
        .collect();
    let idle = |net: &IpNet| !net.addr().is_loopback() && !clients.iter().any(|client| net.contains(client));
    let entries = stated.trusted_networks().filter(|entry| idle(&entry.value));
    entries.map(|entry| format!("{} ({})", entry.value, entry.origin)).collect()
}
