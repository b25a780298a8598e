//! `relayaudit clients`: who hands in mail, and by what right.

use super::args::{Colour, ReadOptions, SiteOptions};
use super::{Error, judging, reading};
use crate::judge;
use crate::judge::analysis::conclude;
use crate::report::{self, submitters};
use clap::{Args, ValueEnum};
use std::io::Write;

/// Help below the options.
pub const HELP: &str = "\
The question before you close a connector, demand passwords or shorten the list
of trusted networks: whose mail would stop? Each client is listed by what gave
it the right to hand in mail: a password, its address, the server's word, or
nothing.

Examples:
  relayaudit clients /var/log/mail.log*
  relayaudit clients C:\\logs\\SmtpReceive --format csv > clients.csv

Exit status: 0, or 2 if the run failed or is incomplete.";

/// Options of `clients`.
#[derive(Debug, Args)]
pub struct Clients {
    /// What to read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// The site.
    #[command(flatten)]
    pub site: SiteOptions,
    /// What to print: text, json or csv
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Text, help_heading = "Output")]
    pub format: Form,
    /// Clients of each kind to print as text
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Output")]
    pub limit: usize,
    /// Colours: auto follows the terminal and NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    pub color: Colour,
}

/// What to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people at a terminal.
    Text,
    /// One document of schema relayaudit.clients/1.
    Json,
    /// One row per client and right.
    Csv,
}

/// Reads the logs and prints the clients. Returns the exit status.
pub fn run(options: &Clients, out: &mut dyn Write) -> Result<u8, Error> {
    let stated = reading::stated_site(&options.site)?;
    let mut read = reading::ledger(&options.read)?;
    if read.is_nothing() {
        return Ok(read.status);
    }
    let (site, _) = conclude(&mut read.ledger, &stated, &judge::Options::default());
    let clients = submitters::submitters(&read.ledger, &site);
    match options.format {
        Form::Text => {
            let look = judging::look(options.color);
            report::terminal::write_submitters(&clients, options.limit, &look, out)?;
        }
        Form::Json => report::json::write(&clients, out)?,
        Form::Csv => report::csv::write_table(&submitters::table(&clients.clients), out)?,
    }
    Ok(read.status)
}
