//! The command line of `relayaudit site`.

use super::args::{Colour, Output, ReadOptions, SiteOptions};
use crate::judge::finding::Severity;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with the site.
#[derive(Debug, Subcommand)]
pub enum SiteVerb {
    /// Show what is taken to be yours, where each entry comes from and why
    #[command(after_help = SHOW_HELP)]
    #[command(mut_arg("paths", |arg| arg.required(false)))]
    Show(Box<Show>),
    /// Write a relayaudit.toml of what the logs show to be yours, to look through and keep
    #[command(after_help = INFER_HELP)]
    Infer(Box<Infer>),
    /// Write a relayaudit.toml of what your mail server's configuration says is yours
    #[command(after_help = IMPORT_HELP)]
    Import(Import),
    /// Look for lines of your mail server's configuration that let strangers send
    #[command(after_help = CHECK_HELP)]
    #[command(mut_arg("paths", |arg| arg.required(false).long("logs").num_args(1).value_name("LOGS").help(LOGS_HELP)))]
    Check(Box<Check>),
}

const LOGS_HELP: &str = "Logs to compare with, as `scan` takes them: what a line explains, and which trusted networks nobody uses. \
                         Repeatable";

const SHOW_HELP: &str = "\
Examples:
  relayaudit site show /var/log/mail.log*
  relayaudit site show --config /etc/postfix/main.cf";

const INFER_HELP: &str = "\
What may be yours but need not be is written as a comment. Read every line before you keep the file.

Example:
  relayaudit site infer /var/log/mail.log* > relayaudit.toml";

const IMPORT_HELP: &str = "\
Networks wider than 8 outside addresses (IPv6: a /48), and domains that stand for all, are written as comments only.

Example:
  relayaudit site import /etc/postfix/main.cf > relayaudit.toml";

const CHECK_HELP: &str = "\
Understood: Postfix main.cf (or the output of `postconf -n`) and master.cf (`postconf -M`); Sendmail sendmail.mc, access,
local-host-names, relay-domains, virtusertable; Exim's configuration and Debian's update-exim4.conf.conf; OpenSMTPD smtpd.conf and
its tables; Exchange: the output of Get-ReceiveConnector, Get-ReceiveConnector | Get-ADPermission and Get-AcceptedDomain as
Export-Csv, Format-List or Export-Clixml; IIS MetaBase.xml (names and domains only). Of a folder, the files directly in it. Files
that others refer to (tables, lists) are read if they are named too. Nothing is run and no name is looked up.

Examples:
  relayaudit site check /etc/postfix/main.cf /etc/postfix/master.cf --logs '/var/log/mail.log*'
  postconf -n | relayaudit site check -

Exit status: 0 nothing found at or above --fail-on, 1 something found, 2 a file could not be read or understood.";

/// Options of `site show`.
#[derive(Debug, Args)]
pub struct Show {
    /// What to read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// What is stated.
    #[command(flatten)]
    pub site: SiteOptions,
    /// Colours: auto follows the terminal and NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    pub color: Colour,
}

/// Options of `site infer`.
#[derive(Debug, Args)]
pub struct Infer {
    /// What to read.
    #[command(flatten)]
    pub read: ReadOptions,
    /// What is stated.
    #[command(flatten)]
    pub site: SiteOptions,
}

/// Options of `site import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Configuration files of your mail server, or folders of them; - for standard input
    #[arg(required = true, value_name = "CONFIG")]
    pub configs: Vec<PathBuf>,
}

/// Options of `site check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Configuration files of your mail server, or folders of them; - for standard input
    #[arg(required = true, value_name = "CONFIG")]
    pub configs: Vec<PathBuf>,
    /// The logs.
    #[command(flatten)]
    pub read: ReadOptions,
    /// What else is stated.
    #[command(flatten)]
    pub site: SiteOptions,
    /// What to print: text, json, csv or markdown
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub format: Output,
    /// Exit with 1 if a finding is at least this bad
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Severity::Low, help_heading = "Output")]
    pub fail_on: Severity,
    /// Colours: auto follows the terminal and NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    pub color: Colour,
}
