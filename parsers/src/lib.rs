//! The log grammars of relayaudit: one module per format, nom, borrowed bytes out.
//!
//! A parser turns one line into one [`Line`]. It knows the syntax of its format and
//! nothing else: no other lines, no policy, no clock. What it finds is said in the words
//! of RFC 5321, defined in [`record`], so that nothing behind it needs to know the format.

pub mod address;
pub mod assp;
pub mod blocklist;
pub mod cisco_esa;
pub mod cisco_esa_text;
pub mod communigate;
pub mod courier;
mod csv;
pub mod domino;
pub mod exchange2000;
pub mod exchange55_ims;
pub mod exchange_agent;
pub mod exchange_online;
pub mod exchange_protocol;
pub mod exchange_tracking;
pub mod exim;
pub mod fates;
pub mod fortimail;
pub mod haraka;
pub mod hmailserver;
pub mod iis_native;
pub mod iis_ncsa;
pub mod iis_w3c;
pub mod json;
pub mod kerio;
pub mod logins;
pub mod mailbox;
pub mod mailscanner;
pub mod mark;
pub mod mdaemon;
pub mod nginx_mail;
pub mod opensmtpd;
pub mod paths;
pub mod postfix;
pub mod proofpoint;
pub mod qmail;
pub mod record;
pub mod registry;
pub mod reply;
pub mod sendmail;
pub mod settings;
pub mod shape;
pub mod smartermail;
pub mod stalwart;
pub mod syslog;
pub mod text;
mod transcript;
pub mod wrap;
pub mod zeek;
pub mod zimbra;

pub use record::{Event, Line, Record};
